//! What a hospital may set about its schedule, as the console shows it.

use edge::Section;

use crate::rules::ReleaseRules;
use crate::templates::generate::GenerateRules;

/// The sections.
pub(crate) fn sections() -> Vec<Section> {
    vec![release(), generate()]
}

fn release() -> Section {
    Section::of::<ReleaseRules>(ReleaseRules::SECTION, "放号", "Release of numbers")
        .number(
            "horizon_days",
            (0, 180),
            "提前多少天放号，也是患者能看到的天数；只影响之后新排的出诊",
            "So many days before the sitting its places are released, and so many days patients are shown; for clinics that are planned from now on",
        )
        .key("release_time", "当天几点放号", "At which time of that day")
        .number(
            "cutoff_minutes",
            (0, 600),
            "出诊结束前多少分钟停止预约当天的号",
            "So many minutes before the end of the sitting its places are no longer given out on the same day",
        )
        .key(
            "exceptions",
            "另有规定的科室或门诊类别",
            "Departments and kinds of clinic for which it is otherwise",
        )
}

fn generate() -> Section {
    Section::of::<GenerateRules>(GenerateRules::SECTION, "排班生成", "Making clinics of templates").number(
        "days_ahead",
        (1, 366),
        "按模板提前生成多少天的出诊",
        "How many days ahead clinics are made of their templates",
    )
}
