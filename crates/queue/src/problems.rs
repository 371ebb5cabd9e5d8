//! What can be wrong, in words.

use base::{Kind, Problem, UnixMs};
use edge::Hospital;

fn conflict(code: &'static str, zh: impl Into<String>, en: impl Into<String>) -> Problem {
    Problem::new(Kind::Conflict, code, zh, en)
}

/// 409: check-in is not open yet.
pub(crate) fn too_early(hospital: &Hospital, opens: UnixMs) -> Problem {
    let wall = hospital.zone.wall(opens);
    conflict(
        "too_early",
        format!("还没到报到时间，{wall} 开始可以报到。"),
        format!("It is too early to check in. Check-in opens at {wall}."),
    )
    .with("opens_at", hospital.rfc3339(opens))
}

/// 409: the time segment is long over.
pub(crate) fn too_late() -> Problem {
    conflict(
        "too_late",
        "已经过了预约时段很久，请到分诊台，由护士为您安排。",
        "Your time is long past. Please go to the triage desk; a nurse will see what can be done.",
    )
}

/// 409: nothing to check in for at this place today.
pub(crate) fn nothing_here() -> Problem {
    conflict(
        "nothing_to_check_in",
        "您今天在这里没有预约，也没有检查单。如果走错了地方，请看预约上的地点。",
        "You have no appointment and no order here today. If this is the wrong place, see the address on your appointment.",
    )
}

/// 409: the phone says that they are somewhere else.
pub(crate) fn not_here(metres: f64) -> Problem {
    let metres = metres.clamp(0.0, 1e7).round();
    conflict(
        "not_here",
        format!("您离候诊区还有约 {metres} 米，到了再报到，或扫描候诊区的二维码。"),
        format!(
            "You are about {metres} m away. Check in when you are here, or scan the code at the waiting area."
        ),
    )
    .with("distance_m", metres)
}

/// 409: the phone does not know well enough where it is.
pub(crate) fn position_vague(accuracy_m: f64) -> Problem {
    conflict(
        "position_vague",
        "手机定位不够准确。请扫描候诊区的二维码，或把就诊码给护士看。",
        "The phone does not know well enough where it is. Please scan the code at the waiting area, or show your visit code at the desk.",
    )
    .with("accuracy_m", accuracy_m.clamp(0.0, 1e7).round())
}

/// 422: no position that a phone can have meant.
pub(crate) fn position_invalid() -> Problem {
    Problem::new(Kind::Invalid, "position_invalid", "位置信息不对。", "This position is not valid.")
}

/// 409: the place has no circle on the map.
pub(crate) fn no_geofence() -> Problem {
    conflict(
        "no_geofence",
        "这里不支持定位报到，请扫描候诊区的二维码。",
        "You can't check in by position here. Please scan the code at the waiting area.",
    )
}

/// 422: neither code nor position.
pub(crate) fn where_are_you() -> Problem {
    Problem::new(
        Kind::Invalid,
        "place_missing",
        "请扫描现场的二维码，或允许定位。",
        "Please scan the code at the place, or allow the phone to tell where it is.",
    )
}

/// 409: no order that is good at this place.
pub(crate) fn no_valid_order() -> Problem {
    conflict(
        "no_valid_order",
        "没有找到可以在这里使用的检查单。请先请医生开单，或到窗口查询。",
        "There is no valid order for this place. Please ask your doctor for one, or ask at the window.",
    )
}

/// 409: no new numbers here today.
pub(crate) fn closed() -> Problem {
    conflict(
        "queue_closed",
        "这个队列今天已停止取号，请到服务台咨询。",
        "No more numbers are given here today. Please ask at the desk.",
    )
}

/// 409: all places of today are taken.
pub(crate) fn none_left() -> Problem {
    conflict(
        "no_numbers_today",
        "今天这里的号已经挂完，可以预约其他日子，或到服务台咨询。",
        "Today's numbers here are all taken. You can book another day, or ask at the desk.",
    )
}

/// 409: the number is over.
pub(crate) fn over() -> Problem {
    conflict("ticket_over", "这个号已经结束。", "This number is over.")
}

/// 409: that can't be done with a number that stands where this one does.
pub(crate) fn wrong_state() -> Problem {
    conflict(
        "ticket_state",
        "这个号现在不能这样操作，请刷新后再看。",
        "This can't be done with this number now. Please look again.",
    )
}

/// 409: somebody else was faster.
pub(crate) fn changed_meanwhile() -> Problem {
    conflict(
        "changed_meanwhile",
        "刚才已有人改动，请看最新内容后再操作。",
        "Somebody else has just changed this. Please look again before you go on.",
    )
}

/// 404: no such code.
pub(crate) fn code_unknown() -> Problem {
    Problem::new(
        Kind::NotFound,
        "code_unknown",
        "没有找到这个码，请核对后再试。",
        "There is no such code. Please check it and try again.",
    )
}

/// 409: the code was used.
pub(crate) fn code_used() -> Problem {
    conflict("code_used", "这个码已经用过了。", "This code has been used.")
}

/// 409: nobody to call.
pub(crate) fn nobody_waiting() -> Problem {
    conflict("nobody_waiting", "现在没有人在等。", "Nobody is waiting now.")
}

/// 409: whoever calls must say into which room.
pub(crate) fn no_room() -> Problem {
    conflict("no_room", "请先选择诊室或窗口。", "Please choose your room or window first.")
}

/// 409: whoever calls must say which lines they serve.
pub(crate) fn no_queues() -> Problem {
    conflict("no_queues", "请先选择要叫号的队列。", "Please choose the queues that you serve first.")
}

/// 409: the line is paused.
pub(crate) fn paused() -> Problem {
    conflict("queue_paused", "队列已暂停，请先恢复叫号。", "The queue is paused. Please resume it first.")
}

/// 409: too late to take it back.
pub(crate) fn undo_over(seconds: u32) -> Problem {
    conflict(
        "undo_over",
        format!("只能在 {seconds} 秒内撤销，现在已不能撤销。"),
        format!("A step can be taken back within {seconds} seconds; it is too late now."),
    )
}

/// 422: a value that can't be.
pub(crate) fn invalid(field: &str, zh: &str, en: &str) -> Problem {
    Problem::new(Kind::Invalid, "wrong_value", format!("{field}：{zh}。"), format!("{field}: {en}.")).field(
        field,
        "wrong_value",
        zh,
        en,
    )
}

/// 409: the code or the doctor's line is there.
pub(crate) fn code_taken() -> Problem {
    conflict(
        "code_taken",
        "编号已被使用，或这位医生已有队列。",
        "This code is taken, or the doctor has a queue already.",
    )
}

/// 409: it is not ready to be handed over.
pub(crate) fn not_ready() -> Problem {
    conflict(
        "not_ready",
        "还没有准备好，准备好后会通知您。",
        "This is not ready yet. We will tell you when it is.",
    )
}

/// 428: who changes what others may change says which version they saw.
pub(crate) fn version_missing() -> Problem {
    Problem::new(
        Kind::Required,
        "if_match_required",
        "请求缺少 If-Match（所见的版本）。",
        "The If-Match header (the version that you saw) is missing.",
    )
}
