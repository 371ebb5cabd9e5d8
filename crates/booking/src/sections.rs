//! What a hospital may set about booking, as the console shows it.

use edge::Section;

use crate::model::{DeskRules, Limits};

/// The sections.
pub(crate) fn sections() -> Vec<Section> {
    vec![limits(), desk()]
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

fn desk() -> Section {
    Section::of::<DeskRules>(DeskRules::SECTION, "挂号窗口、加号、停诊与复诊", "The registration desk")
        .number(
            "add_on_limit",
            (0, 200),
            "一次出诊最多加几个号（没有单独设置时）",
            "Numbers that may be added to a clinic without a limit of its own",
        )
        .number(
            "add_on_code_minutes",
            (1, 1440),
            "加号码多少分钟内有效",
            "For how many minutes a code for an added number is good",
        )
        .number(
            "call_hours",
            (0, 720),
            "停诊后没有回应的患者，在原定时间前多少小时进入电话名单",
            "Whoever does not answer to a stop is called from so many hours before the start on",
        )
        .number(
            "call_grace_minutes",
            (0, 1440),
            "停诊通知发出后，至少留多少分钟让患者自己处理",
            "Minutes after the notice of a stop that are left to answer by oneself",
        )
        .number(
            "return_days",
            (1, 30),
            "免费复诊的天数，含就诊当天（一次挂号管三天）",
            "Calendar days of the free return visit, that of the visit included",
        )
        .number(
            "return_days_longest",
            (1, 60),
            "结果出得晚或遇节假日时，最长可延到多少天",
            "To so many days staff may extend it for late results or holidays",
        )
        .number(
            "return_per_segment",
            (0, 50),
            "每个时段最多安排几个免费复诊",
            "Return visits in one segment beside its places",
        )
}
