//! What a hospital may set about booking, as the console shows it.

use edge::Section;

use crate::model::Limits;

/// The sections.
pub(crate) fn sections() -> Vec<Section> {
    vec![limits()]
}

fn limits() -> Section {
    Section::of::<Limits>("booking.limits", "预约限制与爽约", "Limits of booking, no-shows")
        .number("per_day", (1, 20), "一位就诊人一天最多几个号", "Places that one person may have on one day")
        .number(
            "per_department_day",
            (1, 20),
            "一位就诊人同一科室一天最多几个号",
            "Places of one person in one department on one day",
        )
        .number("per_week", (1, 100), "一位就诊人 7 天内最多几个号", "Places of one person within any 7 days")
        .number(
            "per_quarter",
            (1, 1000),
            "一位就诊人 90 天内最多几个号",
            "Places of one person within any 90 days",
        )
        .key(
            "cancel_until",
            "就诊前一天的这个时间之前可以取消",
            "A place can be given up until this time on the day before",
        )
        .number(
            "hold_minutes",
            (1, 120),
            "未付款的号保留多少分钟",
            "How long an unpaid place is kept, in minutes",
        )
        .number(
            "no_show_limit",
            (0, 100),
            "90 天内爽约几次后不能提前预约；0 表示不限制",
            "So many no-shows within 90 days block advance booking; 0 switches it off",
        )
        .number(
            "no_show_days",
            (1, 365),
            "最后一次爽约后，多少天不能提前预约",
            "For so many days after the last no-show",
        )
        .number(
            "no_show_spares_from_age",
            (0, 150),
            "满多少岁起，爽约只提醒、不限制",
            "From this age on, no-shows only warn",
        )
        .number(
            "no_show_spares_below_age",
            (0, 150),
            "未满多少岁，爽约只提醒、不限制",
            "Below this age, no-shows only warn",
        )
        .number(
            "child_until_age",
            (0, 30),
            "儿童科室接诊的最大年龄（周岁）",
            "The oldest age in a children's department, in years",
        )
        .key("remind_at", "就诊前一天几点发提醒", "When the reminder of the day before goes out")
}
