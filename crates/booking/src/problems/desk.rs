//! What the registration desk says no to, in words.

use base::{Date, Kind, Lang, Problem};

use crate::model::{NoReturn, Refusal};

impl NoReturn {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NotSeen => "return_not_seen",
            Self::OfReturn => "return_of_return",
            Self::Once { .. } => "return_once",
            Self::Elsewhere => "return_elsewhere",
            Self::Higher => "return_higher_grade",
            Self::Over { .. } => "return_days_over",
            Self::NotAllowed => "return_not_allowed",
        }
    }
}

pub(super) fn said(reason: &Refusal) -> Problem {
    let conflict = |zh: &str, en: &str| Problem::new(Kind::Conflict, reason.code(), zh, en);
    match reason {
        Refusal::NotStopped => conflict(
            "这个号没有停诊，或已恢复出诊，不用另约。",
            "This appointment is not called off, or takes place after all. There is no need for another.",
        ),
        Refusal::Rebooked { appointment } => {
            conflict("停诊后已经另约了一个号。", "Another appointment was booked in its place already.")
                .with("appointment_id", appointment.to_string())
        }
        Refusal::NoAddOns { limit } => Problem::new(
            Kind::Conflict,
            reason.code(),
            format!("这次出诊最多加 {limit} 个号，已经加满。"),
            format!("At most {limit} numbers can be added to this clinic, and all of them have been."),
        )
        .with("limit", *limit),
        Refusal::CodeOver => conflict(
            "这个加号码已用过或已过期，请让医生重新生成。",
            "This code has been used or is too old. Please ask the doctor for a new one.",
        ),
        Refusal::NoReturn(why) => no_return(*why),
        _ => Problem::internal(),
    }
}

fn no_return(why: NoReturn) -> Problem {
    let conflict = |zh: String, en: String| Problem::new(Kind::Conflict, why.code(), zh, en);
    match why {
        NoReturn::NotSeen => conflict(
            "看过诊的号才能免费复诊。".into(),
            "A free return visit is for those who have been seen.".into(),
        ),
        NoReturn::OfReturn => conflict(
            "这次本身就是免费复诊，再来需要重新挂号。".into(),
            "This is a return visit itself. To come once more, please register again.".into(),
        ),
        NoReturn::Once { appointment } => conflict(
            "这个号已经约了免费复诊。".into(),
            "A return visit has been made of this already.".into(),
        )
        .with("appointment_id", appointment.to_string()),
        NoReturn::Elsewhere => conflict(
            "免费复诊只限同一院区、同一科室，换科室需要重新挂号。".into(),
            "A return visit is in the same department on the same campus. Another one is a new registration."
                .into(),
        ),
        NoReturn::Higher => conflict(
            "免费复诊只限同级或更低级别的医生，请选择其他医生。".into(),
            "A return visit is with a doctor of the same or a lower grade. Please choose another.".into(),
        ),
        NoReturn::Over { until } => {
            let (zh, en) = (day(until, Lang::Zh), day(until, Lang::En));
            conflict(
                format!("免费复诊到 {zh} 为止，之后需要重新挂号。"),
                format!("The return visit could be made until {en}. After that, please register again."),
            )
            .with("until", until.to_string())
        }
        NoReturn::NotAllowed => conflict(
            "这次就诊还没有开通自助复诊，请联系医生或分诊台。".into(),
            "The doctor has not opened a return visit for this. Please ask the doctor or the desk.".into(),
        ),
    }
}

fn day(date: Date, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!("{}月{}日", date.month(), date.day()),
        Lang::En => date.strftime("%-d %b").to_string(),
    }
}

/// 403: a doctor adds numbers to their own clinics.
pub(crate) fn not_your_clinic() -> Problem {
    Problem::new(
        Kind::Forbidden,
        "not_your_clinic",
        "医生只能给自己的门诊加号。",
        "Doctors add numbers to their own clinics only.",
    )
}

/// 409: it is no longer to be called about.
pub(crate) fn call_over() -> Problem {
    Problem::new(
        Kind::Conflict,
        "call_over",
        "这位患者已经另约、放弃或恢复就诊，不用再联系。",
        "This person has booked again, needs no place or has it back. There is no need to call.",
    )
}

/// 422: a return visit can't be extended so far.
pub(crate) fn too_late_return(last: Date) -> Problem {
    let problem = Problem::new(
        Kind::Invalid,
        "return_until_invalid",
        format!("复诊日期最晚到 {}，且不能早于今天。", day(last, Lang::Zh)),
        format!(
            "A return visit can be allowed until {} at the latest, and not for a day that is over.",
            day(last, Lang::En)
        ),
    );
    problem.with("until", last.to_string())
}
