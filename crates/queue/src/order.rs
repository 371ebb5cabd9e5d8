//! Who is next, and why: a pure function of what the tickets say and of how many turns each group has had. It knows no clock,
//! so that a wall that was painted a minute ago and the desk that calls now name the same person.
//!
//! In each turn goes, in this order (`health.md` 5.2):
//! 1. an emergency;
//! 2. somebody who missed a call, once five others have been called since (then five more; then all who wait; then the
//!    number is void);
//! 3. somebody back from an exam, in one turn of three, or in one of two while more than five of them wait;
//! 4. somebody of a priority group, in one turn of three;
//! 5. everybody else by the start of their time segment (those without one, and the late, by when they came), then by
//!    check-in, then by number. Priority groups stand in this line too: nobody waits longer for having a priority.

mod why;

use base::UnixMs;

use crate::model::{Arrival, Class, PolicyName, Ticket, TicketId, TicketState};
use crate::settings::Settings;

pub use why::{Why, why};

/// While more than so many wait who are back from an exam, they get one turn of two.
const MANY_BACK: usize = 5;
/// What a fresh day counts from: the first of each group goes at once.
const LONG_AGO: i64 = 99;

/// The figures of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Whether time segments count, or only arrival.
    pub by_segment: bool,
    /// One in so many turns goes to somebody back from an exam; 0: they stand in line like everybody.
    pub return_every: i64,
    /// One in so many turns goes to a priority group; 0: only emergencies go first.
    pub priority_every: i64,
    /// A missed call comes again after so many others.
    pub miss_back: i64,
}

impl Policy {
    /// The policy of this name with the hospital's figures.
    #[must_use]
    pub fn named(name: PolicyName, settings: &Settings) -> Self {
        let clinic = Self {
            by_segment: true,
            return_every: settings.return_every.max(2),
            priority_every: settings.priority_every.max(2),
            miss_back: settings.miss_back.max(1),
        };
        match name {
            PolicyName::Clinic => clinic,
            PolicyName::FirstCome => Self { by_segment: false, return_every: 0, ..clinic },
            PolicyName::Triage => Self { by_segment: false, priority_every: 0, ..clinic },
        }
    }
}

/// How many turns a line has had today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Turns {
    /// Calls in all.
    pub calls: i64,
    /// Calls since somebody back from an exam had one.
    pub since_return: i64,
    /// Calls since a priority group had one.
    pub since_priority: i64,
}

impl Default for Turns {
    fn default() -> Self {
        Self { calls: 0, since_return: LONG_AGO, since_priority: LONG_AGO }
    }
}

impl Turns {
    /// After one more call.
    #[must_use]
    pub fn after(self, cause: Cause) -> Self {
        let zero_if = |is: bool, count: i64| if is { 0 } else { (count + 1).min(LONG_AGO) };
        Self {
            calls: self.calls + 1,
            since_return: zero_if(cause == Cause::Return, self.since_return),
            since_priority: zero_if(matches!(cause, Cause::Priority(_)), self.since_priority),
        }
    }
}

/// What brought somebody to their place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Before everybody.
    Emergency,
    /// Called before, and not there.
    Missed,
    /// Back from an exam, at the turn of those.
    Return,
    /// Of a priority group, at the turn of those.
    Priority(Class),
    /// By time segment or arrival.
    Line,
}

/// What the order goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Who.
    pub id: TicketId,
    /// Their number.
    pub number: i64,
    /// Their group.
    pub class: Option<Class>,
    /// The start of their segment, or when they came.
    pub line_at: UnixMs,
    /// When they came.
    pub checked_in_at: UnixMs,
    /// When they came back from an exam.
    pub returned_at: Option<UnixMs>,
    /// After which count of calls they are called again.
    pub due_turn: Option<i64>,
    /// In time or not.
    pub arrival: Arrival,
}

impl Waiting {
    /// The part of a ticket that counts.
    #[must_use]
    pub fn of(ticket: &Ticket) -> Self {
        Self {
            id: ticket.id,
            number: ticket.number,
            class: ticket.class,
            line_at: ticket.line_at,
            checked_in_at: ticket.checked_in_at,
            returned_at: ticket.returned_at,
            due_turn: ticket.due_turn,
            arrival: ticket.arrival,
        }
    }

    fn key(&self, policy: &Policy) -> (UnixMs, UnixMs, i64, TicketId) {
        let first = if policy.by_segment { self.line_at } else { self.checked_in_at };
        (first, self.checked_in_at, self.number, self.id)
    }
}

/// A place in the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Who.
    pub waiting: Waiting,
    /// Why there.
    pub cause: Cause,
}

/// All who wait, in the order in which they will be called if nobody else comes.
#[must_use]
pub fn order(waiting: impl IntoIterator<Item = Waiting>, policy: &Policy, mut turns: Turns) -> Vec<Placed> {
    let mut lines = Lines::new(waiting, policy);
    let mut placed = Vec::new();
    while let Some(next) = lines.take(policy, turns) {
        turns = turns.after(next.cause);
        placed.push(next);
    }
    placed
}

/// Those who wait, by what their turn hangs on. Each list is in the order of its own turns, the last first.
struct Lines {
    emergency: Vec<Waiting>,
    missed: Vec<Waiting>,
    back: Vec<Waiting>,
    line: Vec<Waiting>,
}

impl Lines {
    fn new(waiting: impl IntoIterator<Item = Waiting>, policy: &Policy) -> Self {
        let mut lines =
            Self { emergency: Vec::new(), missed: Vec::new(), back: Vec::new(), line: Vec::new() };
        for one in waiting {
            let list = if one.class == Some(Class::Emergency) {
                &mut lines.emergency
            } else if one.due_turn.is_some() {
                &mut lines.missed
            } else if one.returned_at.is_some() && policy.return_every > 0 {
                &mut lines.back
            } else {
                &mut lines.line
            };
            list.push(one);
        }
        lines.emergency.sort_by_key(|w| std::cmp::Reverse((w.checked_in_at, w.number, w.id)));
        lines.missed.sort_by_key(|w| std::cmp::Reverse((w.due_turn, w.checked_in_at, w.number, w.id)));
        lines.back.sort_by_key(|w| std::cmp::Reverse((w.returned_at, w.number, w.id)));
        lines.line.sort_by_key(|w| std::cmp::Reverse(w.key(policy)));
        lines
    }

    fn take(&mut self, policy: &Policy, turns: Turns) -> Option<Placed> {
        let placed = |waiting: Option<Waiting>, cause| waiting.map(|waiting| Placed { waiting, cause });
        if !self.emergency.is_empty() {
            return placed(self.emergency.pop(), Cause::Emergency);
        }
        if self.missed.last().is_some_and(|w| w.due_turn.is_some_and(|due| due <= turns.calls)) {
            return placed(self.missed.pop(), Cause::Missed);
        }
        let every = if self.back.len() > MANY_BACK { 2 } else { policy.return_every };
        if !self.back.is_empty() && (self.line.is_empty() || turns.since_return >= every - 1) {
            return placed(self.back.pop(), Cause::Return);
        }
        if policy.priority_every > 0
            && turns.since_priority >= policy.priority_every - 1
            && let Some(at) = self.line.iter().rposition(|w| w.class.is_some())
        {
            let waiting = self.line.remove(at);
            let class = waiting.class.unwrap_or(Class::Staff);
            // Whoever stands first anyway does not use up the turn of their group.
            let first = at == self.line.len();
            return Some(Placed { waiting, cause: if first { Cause::Line } else { Cause::Priority(class) } });
        }
        if !self.line.is_empty() {
            return placed(self.line.pop(), Cause::Line);
        }
        // Only those are left who missed a call: no need to let others go first whom there are none of.
        placed(self.missed.pop(), Cause::Missed)
    }
}

/// What becomes of somebody who did not come when called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Miss {
    /// Called again after this count of calls.
    Again {
        /// See [`Waiting::due_turn`].
        due_turn: i64,
    },
    /// The number is void.
    Void,
}

/// After the `misses`-th missed call (from 1): five places back, five more, to the end, void. `waiting` is how many others wait.
#[must_use]
pub fn missed(misses: i64, policy: &Policy, turns: Turns, waiting: i64) -> Miss {
    match misses {
        ..=2 => Miss::Again { due_turn: turns.calls + policy.miss_back },
        3 => Miss::Again { due_turn: turns.calls + waiting.max(policy.miss_back) },
        _ => Miss::Void,
    }
}

/// By what somebody stands in the line, and whether they came in time. `segment` is the start and end of their time segment.
#[must_use]
pub fn arrival(segment: Option<(UnixMs, UnixMs)>, now: UnixMs, settings: &Settings) -> (Arrival, UnixMs) {
    let Some((start, _)) = segment else { return (Arrival::None, now) };
    let late = start.plus(std::time::Duration::from_secs(u64::from(settings.late_after_minutes) * 60));
    if now < start {
        (Arrival::Early, start)
    } else if now <= late {
        (Arrival::OnTime, start)
    } else {
        (Arrival::Late, now)
    }
}

/// The order of tickets; those that don't wait are left out.
#[must_use]
pub fn of_tickets<'a>(
    tickets: impl IntoIterator<Item = &'a Ticket>,
    policy: &Policy,
    turns: Turns,
) -> Vec<Placed> {
    let waiting = tickets.into_iter().filter(|t| t.state == TicketState::Waiting).map(Waiting::of);
    order(waiting, policy, turns)
}

#[cfg(test)]
mod tests;
