//! "Why am I here in the line?", in one sentence.

use base::Text2;

use super::{Cause, Placed, Policy, Turns};
use crate::model::Arrival;

/// Who stands before somebody, counted by cause.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Why {
    /// Emergencies.
    pub emergencies: usize,
    /// Those called again after a missed call.
    pub missed: usize,
    /// Back from an exam.
    pub back: usize,
    /// Of a priority group.
    pub priority: usize,
    /// Of an earlier time segment, or there before.
    pub earlier: usize,
}

impl Why {
    fn of(ahead: &[Placed]) -> Self {
        let count = |of: fn(&Cause) -> bool| ahead.iter().filter(|p| of(&p.cause)).count();
        Self {
            emergencies: count(|c| *c == Cause::Emergency),
            missed: count(|c| *c == Cause::Missed),
            back: count(|c| *c == Cause::Return),
            priority: count(|c| matches!(c, Cause::Priority(_))),
            earlier: count(|c| *c == Cause::Line),
        }
    }

    fn list(self) -> (String, String) {
        let groups = [
            (self.emergencies, "危急", "emergency", "emergencies"),
            (self.priority, "优先就诊", "priority patient", "priority patients"),
            (self.back, "检查后回诊", "person back from an exam", "people back from an exam"),
            (self.missed, "过号重排", "person called again", "people called again"),
            (self.earlier, "比您早", "person with an earlier place", "people with an earlier place"),
        ];
        let there = groups.into_iter().filter(|g| g.0 > 0);
        let (zh, en): (Vec<String>, Vec<String>) = there
            .map(|(n, zh, one, many)| {
                (format!("{n} 位{zh}"), format!("{n} {}", if n == 1 { one } else { many }))
            })
            .unzip();
        let en = match en.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            Some((last, _)) => last.clone(),
            None => String::new(),
        };
        (zh.join("、"), en)
    }
}

/// The sentence for the one at `at` in the order.
#[must_use]
pub fn why(placed: &[Placed], at: usize, policy: &Policy, turns: Turns) -> Text2 {
    let Some((ahead, own)) = placed.get(..at).zip(placed.get(at)) else { return Text2::default() };
    let (zh, en) = own_reason(own, policy, turns);
    if ahead.is_empty() {
        return Text2::new(format!("下一位就是您{zh}。"), format!("You are next{en}."));
    }
    let (list_zh, list_en) = Why::of(ahead).list();
    let n = ahead.len();
    let before = if n == 1 { "is" } else { "are" };
    Text2::new(
        format!("您前面有 {n} 位：{list_zh}{zh}。"),
        format!("Before you {before} {n}: {list_en}{en}."),
    )
}

fn own_reason(own: &Placed, policy: &Policy, turns: Turns) -> (String, String) {
    let both = |zh: &str, en: &str| (zh.to_owned(), en.to_owned());
    let late = own.waiting.arrival == Arrival::Late && policy.by_segment;
    match own.cause {
        Cause::Emergency => both("；危急患者最先就诊", "; emergencies go first"),
        Cause::Missed => {
            let left = own.waiting.due_turn.map_or(0, |due| (due - turns.calls).max(0));
            if left == 0 {
                both("；您过号后现在重新轮到", "; you missed your call and it is your turn again")
            } else {
                (
                    format!("；您过号了，再叫 {left} 位后重新轮到您"),
                    format!("; you missed your call and come again after {left} more"),
                )
            }
        }
        Cause::Return => both(
            "；检查后回诊的患者与其他患者穿插就诊",
            "; people back from an exam take turns with the others",
        ),
        Cause::Priority(_) => both("；您属于优先就诊人群", "; you belong to a priority group"),
        Cause::Line if late => both(
            "；您晚于预约时段，排在当前时段之后",
            "; you came after your time, so those of the present time go first",
        ),
        Cause::Line => (String::new(), String::new()),
    }
}
