//! What a hospital may set about booking, as the console shows it.

use edge::Section;

use crate::attendance::Attendance;
use crate::model::{DeskRules, Limits};
use crate::rush::Rush;
use crate::waitlist::Rules as Waitlist;

/// The sections.
pub(crate) fn sections() -> Vec<Section> {
    vec![limits(), desk(), waitlist(), rush(), attendance()]
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
        .number(
            "per_account_day",
            (0, 1000),
            "一个账号一天最多预约几个号（所有就诊人合计）；0 表示不限制",
            "Places that one account may book on one day, for all its persons together; 0 switches it off",
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

fn waitlist() -> Section {
    Section::of::<Waitlist>(Waitlist::SECTION, "候补", "The waitlist")
        .key(
            "enabled",
            "是否开放候补；关闭后退回的号立即重新放出",
            "Whether there is a waitlist; without one, places that are given up are on sale again at once",
        )
        .number(
            "delay_minutes",
            (0, 120),
            "退回的号随机保留最多多少分钟再通知候补；0 表示立即",
            "A place that is given up is kept back for a random time of at most so many minutes; 0 for none",
        )
        .number("hold_minutes", (5, 240), "通知后保留多少分钟", "How long an offer is kept, in minutes")
        .number(
            "far_days",
            (1, 60),
            "就诊日在几天以后时，改用较长的保留时间",
            "From so many days before the clinic on an offer is kept longer",
        )
        .number("far_hold_hours", (1, 72), "较长的保留时间，小时", "How long it is kept then, in hours")
        .key("offer_from", "每天从几点开始通知候补", "Offers are made from this time of the day on")
        .key("offer_until", "每天到几点停止通知候补", "Offers are made until this time of the day")
        .number(
            "closes_days_before",
            (0, 30),
            "候补在就诊前几天截止；0 为当天",
            "The list is closed so many days before the clinic; 0 for the day itself",
        )
        .key("closes_at", "候补截止的时间", "At which time of that day the list is closed")
        .number(
            "per_person",
            (1, 20),
            "一位就诊人最多同时候补几项",
            "So many things one person may wait for at the same time",
        )
}

fn rush() -> Section {
    Section::of::<Rush>(Rush::SECTION, "放号排队", "The line at a release")
        .number(
            "draw_ms",
            (0, 60_000),
            "放号后多少毫秒内来的人随机排序；0 表示不排队",
            "Who comes within so many milliseconds after a release is served in random order; 0 for no line",
        )
        .number(
            "period_s",
            (1, 3_600),
            "放号后多少秒内需要排队取号",
            "For so many seconds after a release wishes stand in line",
        )
        .number(
            "backlog",
            (0, 100_000),
            "平时同时等待的请求达到多少时也排队；0 表示从不",
            "With so many wishes waiting there is a line at any time; 0 for never",
        )
        .number(
            "per_account",
            (0, 1_000),
            "一个账号每分钟最多取几张票；0 表示不限制",
            "So many tickets an account may draw within a minute; 0 for any number",
        )
        .number(
            "per_address",
            (0, 1_000_000),
            "一个网络地址每分钟最多取几张票；0 表示不限制",
            "So many tickets an address may draw within a minute; 0 for any number",
        )
}

fn attendance() -> Section {
    Section::of::<Attendance>(Attendance::SECTION, "到诊记录", "Attendance")
        .key(
            "check_in",
            "是否使用报到；不使用时不记录爽约",
            "Whether people check in; without that nobody is recorded as a no-show",
        )
        .number(
            "after_minutes",
            (0, 1_440),
            "门诊结束多少分钟后记录爽约",
            "So many minutes after a clinic's end no-shows are recorded",
        )
        .number(
            "appeal_days",
            (1, 365),
            "记录后多少天内可以申诉",
            "For so many days a no-show can be appealed against",
        )
}
