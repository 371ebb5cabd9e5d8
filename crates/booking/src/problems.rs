//! Refusals in words.

mod desk;

use base::{Kind, Lang, Problem, UnixMs};
use edge::Hospital;

use crate::model::Refusal;

impl Refusal {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotBound => "person_not_bound",
            Self::NoSlot => "not_found",
            Self::NotOpen { .. } => "not_open_yet",
            Self::Closed => "booking_closed",
            Self::Stopped => "clinic_stopped",
            Self::Full => "slot_full",
            Self::Already { .. } => "already_booked",
            Self::SameDepartment { .. } => "same_department_day",
            Self::PerDay(_) => "limit_day",
            Self::PerWeek(_) => "limit_week",
            Self::PerQuarter(_) => "limit_quarter",
            Self::PerAccountDay(_) => "limit_account_day",
            Self::NoShows { .. } => "no_show_blocked",
            Self::NotIdentified | Self::ChildOnly | Self::ChildCard | Self::AdultOnly => "not_eligible",
            Self::CannotMove => "cannot_move",
            Self::NotStopped => "not_stopped",
            Self::Rebooked { .. } => "already_rebooked",
            Self::NoAddOns { .. } => "no_add_ons_left",
            Self::CodeOver => "add_on_code_over",
            Self::NoReturn(why) => why.code(),
        }
    }
}

/// The problem that tells a person why. All reasons stand in `reasons`; the first is the one that is told.
#[must_use]
pub fn refused(hospital: &Hospital, reasons: &[Refusal]) -> Problem {
    if reasons.first() == Some(&Refusal::NotBound) {
        return not_bound();
    }
    let codes: Vec<&str> = reasons.iter().map(Refusal::code).collect();
    let Some(first) = reasons.first() else { return Problem::internal() };
    first_reason(hospital, first).with("reasons", codes)
}

fn first_reason(hospital: &Hospital, reason: &Refusal) -> Problem {
    let conflict = |zh: String, en: String| Problem::new(Kind::Conflict, reason.code(), zh, en);
    match reason {
        Refusal::NotBound => not_bound(),
        Refusal::NoSlot => Problem::not_found(),
        Refusal::NotOpen { opens_at } => {
            let (zh, en) = (moment(hospital, *opens_at, Lang::Zh), moment(hospital, *opens_at, Lang::En));
            conflict(format!("还没有放号，{zh} 开放预约。"), format!("Booking opens at {en}.")).with("opens_at", hospital.rfc3339(*opens_at))
        }
        Refusal::Closed => conflict(
            "这个时段已停止预约，请选择其他时间。".into(),
            "Booking for this time has closed. Please choose another time.".into(),
        ),
        Refusal::Stopped => conflict("医生这次停诊，请选择其他时间。".into(), "This clinic has been cancelled by the hospital. Please choose another time.".into()),
        Refusal::Full => conflict("这个时段刚刚约满，请选择其他时间。".into(), "This time has just filled up. Please choose another time.".into()),
        Refusal::Already { appointment } => conflict(
            "您已经约了这位医生同一时段的号，不用重复预约。".into(),
            "You already have an appointment with this doctor in the same half day.".into(),
        )
        .with("appointment_id", appointment.to_string()),
        Refusal::SameDepartment { appointment, limit } => conflict(
            format!("同一天在同一科室最多预约 {limit} 个号。"),
            format!("At most {limit} appointment in the same department on one day."),
        )
        .with("appointment_id", appointment.to_string())
        .with("limit", *limit),
        Refusal::PerDay(limit) => {
            conflict(format!("每位就诊人一天最多预约 {limit} 个号。"), format!("Each person can have at most {limit} appointments on one day.")).with("limit", *limit)
        }
        Refusal::PerWeek(limit) => {
            conflict(format!("每位就诊人 7 天内最多预约 {limit} 个号。"), format!("Each person can have at most {limit} appointments within 7 days.")).with("limit", *limit)
        }
        Refusal::PerQuarter(limit) => {
            conflict(format!("每位就诊人 90 天内最多预约 {limit} 个号。"), format!("Each person can have at most {limit} appointments within 90 days.")).with("limit", *limit)
        }
        Refusal::PerAccountDay(limit) => conflict(
            format!("每个账号一天最多预约 {limit} 个号，明天可以继续预约。"),
            format!("One account can book at most {limit} appointments a day. You can go on tomorrow."),
        )
        .with("limit", *limit),
        Refusal::NoShows { until } => conflict(
            format!("近期多次预约后未就诊，{until} 前不能提前预约。当天号和窗口挂号不受影响。"),
            format!("Because of missed appointments, booking in advance opens again on {until}. Same-day numbers and the counter are not affected."),
        )
        .with("until", until.to_string()),
        Refusal::NotIdentified => not_eligible(
            "name_missing",
            "请先补全这位就诊人的姓名和证件。",
            "Please complete this person's name and document first.",
        ),
        Refusal::ChildOnly => not_eligible("child_only", "这个科室只看未满 18 岁的孩子，请选择孩子作为就诊人。", "This department sees children under 18 only. Please choose a child."),
        Refusal::ChildCard => not_eligible(
            "child_card",
            "儿童科室须用孩子本人的卡挂号，请先在就诊人里登记孩子的医保卡（社保卡）或就诊卡；新生儿可用出生医学证明。",
            "Children's departments book with the child's own card. Please register the child's insurance (social-security) or visit card under \"Persons\" first; a newborn's birth certificate will do.",
        ),
        Refusal::AdultOnly => not_eligible("adult_only", "这个科室不看未满 18 岁的孩子，请选择儿科。", "This department sees adults only. Please choose a children's department."),
        Refusal::NotStopped | Refusal::Rebooked { .. } | Refusal::NoAddOns { .. } | Refusal::CodeOver | Refusal::NoReturn(_) => {
            desk::said(reason)
        }
        Refusal::CannotMove => conflict("这个预约现在不能改约。".into(), "This appointment can't be moved now.".into()),
    }
}

fn not_eligible(reason: &'static str, zh: &str, en: &str) -> Problem {
    Problem::new(Kind::Conflict, "not_eligible", zh, en).with("reason", reason)
}

/// 404: the account has no such person.
pub(crate) fn not_bound() -> Problem {
    Problem::new(
        Kind::NotFound,
        "person_not_bound",
        "没有找到这位就诊人，请先添加。",
        "This person is not in your list. Please add them first.",
    )
}

/// 409: the time until which it could be given up is past.
pub(crate) fn too_late(hospital: &Hospital, until: UnixMs) -> Problem {
    let (zh, en) = (moment(hospital, until, Lang::Zh), moment(hospital, until, Lang::En));
    Problem::new(
        Kind::Conflict,
        "too_late_to_cancel",
        format!("已过取消时间（{zh}）。如果不能来，请致电医院。"),
        format!("This could be cancelled until {en}. If you can't come, please call the hospital."),
    )
    .with("cancel_until", hospital.rfc3339(until))
}

/// 409: it is over, or the person is there already.
pub(crate) fn not_cancellable() -> Problem {
    Problem::new(
        Kind::Conflict,
        "not_cancellable",
        "这个预约已经不能取消。",
        "This appointment can't be cancelled any more.",
    )
}

pub(crate) use desk::{call_over, not_your_clinic, too_late_return};
/// 409: numbers that were just released are had in line, not by moving.
pub(crate) fn move_in_rush() -> Problem {
    Problem::new(
        Kind::Conflict,
        "move_in_rush",
        "刚放号时大家都在排队，这些号暂时不能改约，请稍后再试。",
        "These numbers were just released and people stand in line for them. Please move your appointment a little later.",
    )
}

/// `11月23日 07:00`, `23 Nov, 07:00`
pub(crate) fn moment(hospital: &Hospital, at: UnixMs, lang: Lang) -> String {
    let date = hospital.zone.date(at);
    let wall = hospital.zone.wall(at);
    match lang {
        Lang::Zh => format!("{}月{}日 {wall}", date.month(), date.day()),
        Lang::En => format!("{}, {wall}", date.strftime("%-d %b")),
    }
}
