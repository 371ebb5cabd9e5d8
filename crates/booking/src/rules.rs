//! Who may have a place: decisions as pure functions, in order of arrival.
//!
//! Nothing here knows a clock or a database. [`decide`] is given all that counts, walks through the requests and gives an
//! outcome for each together with a [`Plan`] of rows. What it promises holds only because the schema says the same: when
//! another node was faster, the insert is short, and the batch is decided again on fresh rows.

pub(crate) mod beyond;

use std::collections::{BTreeMap, HashMap};

use base::calendar::age_on;
use base::{Date, UnixMs, WallTime, Zone};
use people::PersonId;
use schedule::quota::{Channel, Line};
use schedule::stock::Stock;
use schedule::{ClinicId, SlotId};

use crate::model::{
    Appointment, AppointmentId, Known, Limits, Marks, Outcome, PersonFacts, Refusal, Request, State,
};
use crate::{attendance, limits, quota};

/// What was found in the database for a batch.
#[derive(Debug, Default)]
pub struct Facts {
    /// The slots that the batch asks for, locked.
    pub stock: HashMap<SlotId, Stock>,
    /// Appointments that came of the same account and key.
    pub by_key: HashMap<(edge::AccountId, String), Appointment>,
    /// What the batch's persons have or had within 90 days around.
    pub known: HashMap<PersonId, Vec<Known>>,
    /// How many places the batch's accounts have booked today; of those for which that is limited.
    pub booked_today: HashMap<edge::AccountId, u32>,
    /// Places by channel of the clinics that are divided, locked, as they stand at this moment.
    pub lines: HashMap<ClinicId, Vec<Line>>,
}

/// What is to be written.
#[derive(Debug, Default)]
pub struct Plan {
    /// New appointments, in the order of their numbers.
    pub rows: Vec<Appointment>,
    /// How many places each slot gives.
    pub taken: Vec<(SlotId, i64)>,
    /// How many of those are only on hold.
    pub held: Vec<(SlotId, i64)>,
    /// The clinics of which places of a channel are taken.
    pub divided: Vec<ClinicId>,
}

/// When and where it is decided.
#[derive(Debug, Clone)]
pub struct Now<'a> {
    /// The instant.
    pub at: UnixMs,
    /// The hospital's zone.
    pub zone: &'a Zone,
    /// The hospital's limits.
    pub limits: &'a Limits,
}

impl Now<'_> {
    /// Today in the hospital.
    #[must_use]
    pub fn today(&self) -> Date {
        self.zone.date(self.at)
    }
}

/// Decides a batch in order of arrival. `new_ids` gives an id and a check-in code for each new appointment.
pub fn decide(
    requests: &[Request],
    facts: &mut Facts,
    now: &Now<'_>,
    mut new_ids: impl FnMut() -> (AppointmentId, String),
) -> (Vec<Outcome>, Plan) {
    let mut plan = Plan::default();
    let (mut taken, mut held): (HashMap<SlotId, i64>, BTreeMap<SlotId, i64>) = Default::default();
    let mut outcomes = Vec::with_capacity(requests.len());
    for request in requests {
        let by_key = (request.account, request.key.clone());
        if let Some(earlier) = facts.by_key.get(&by_key) {
            let same = earlier.request_hash == request.hash;
            outcomes.push(if same { Outcome::Replay(Box::new(earlier.clone())) } else { Outcome::KeyReused });
            continue;
        }
        if !request.person.bound {
            outcomes.push(Outcome::Refused(vec![Refusal::NotBound]));
            continue;
        }
        let Some(stock) = facts.stock.get_mut(&request.slot) else {
            outcomes.push(Outcome::Refused(vec![Refusal::NoSlot]));
            continue;
        };
        let known = facts.known.entry(request.person.id).or_default();
        let mut reasons = refusals(request, stock, known, now);
        let channel = Channel::of_request(&request.channel);
        let booked =
            limits::counts(request, channel).then(|| facts.booked_today.entry(request.account).or_default());
        if booked.as_ref().is_some_and(|n| limits::too_many_today(**n, now.limits)) {
            reasons.push(Refusal::PerAccountDay(now.limits.per_account_day));
        }
        let lines = facts.lines.get_mut(&stock.clinic);
        if lines.as_ref().is_some_and(|lines| !quota::has_place(lines, channel))
            && stock.taken < stock.capacity
        {
            reasons.push(Refusal::Full);
        }
        if !reasons.is_empty() {
            outcomes.push(Outcome::Refused(reasons));
            continue;
        }
        let appointment = place(request, stock, known, now, new_ids());
        known.push(remember(&appointment));
        if let Some(booked) = booked {
            *booked += 1;
        }
        stock.taken += 1;
        stock.last_number += 1;
        if let Some(lines) = lines {
            quota::take(lines, channel);
            plan.divided.push(stock.clinic);
        }
        *taken.entry(request.slot).or_default() += 1;
        if appointment.state == State::Held {
            *held.entry(request.slot).or_default() += 1;
        }
        facts.by_key.insert(by_key, appointment.clone());
        plan.rows.push(appointment.clone());
        outcomes.push(Outcome::Booked(Box::new(appointment)));
    }
    plan.taken = taken.into_iter().collect();
    plan.taken.sort_by_key(|(slot, _)| *slot);
    plan.held = held.into_iter().collect();
    plan.divided.sort_unstable();
    plan.divided.dedup();
    (outcomes, plan)
}

/// All reasons against a wish, the one to tell first in front: what the person can't change about the clinic, then what they
/// have already, then limits, then that it is full.
#[must_use]
pub fn refusals(request: &Request, stock: &Stock, known: &[Known], now: &Now<'_>) -> Vec<Refusal> {
    let mut reasons = Vec::new();
    if stock.stopped {
        reasons.push(Refusal::Stopped);
    } else if now.at < stock.opens_at {
        reasons.push(Refusal::NotOpen { opens_at: stock.opens_at });
    } else if now.at >= stock.closes_at || now.at >= stock.start_at {
        reasons.push(Refusal::Closed);
    }
    reasons.extend(eligible(&request.person, stock, now.limits));
    let others: Vec<&Known> = known.iter().filter(|k| k.counts() && Some(k.id) != request.replaces).collect();
    reasons.extend(over_limits(stock, &others, now.limits));
    // Whoever comes to the counter is helped there, however often they did not come.
    if Channel::of_request(&request.channel) == Channel::Online {
        reasons.extend(blocked(&request.person, stock, known, now));
    }
    if stock.taken >= stock.capacity {
        reasons.push(Refusal::Full);
    }
    reasons
}

pub(crate) fn eligible(person: &PersonFacts, stock: &Stock, limits: &Limits) -> Vec<Refusal> {
    let mut reasons = Vec::new();
    if !person.identified {
        reasons.push(Refusal::NotIdentified);
    }
    if let Some(birth) = person.birth_date {
        let child = u32::try_from(age_on(birth, stock.date)).unwrap_or(0) <= limits.child_until_age;
        if stock.child_only && !child {
            reasons.push(Refusal::ChildOnly);
        } else if stock.child_only && !person.own_card {
            reasons.push(Refusal::ChildCard);
        }
        if stock.adult_only && child {
            reasons.push(Refusal::AdultOnly);
        }
    }
    reasons
}

pub(crate) fn over_limits(stock: &Stock, others: &[&Known], limits: &Limits) -> Vec<Refusal> {
    let mut reasons = Vec::new();
    let provider = provider(stock);
    let that_day: Vec<_> = others.iter().filter(|k| k.date == stock.date).collect();
    if let Some(same) =
        that_day.iter().find(|k| k.provider == provider && k.half_day == stock.half_day && k.state.is_live())
    {
        reasons.push(Refusal::Already { appointment: same.id });
    }
    let in_department: Vec<_> = that_day.iter().filter(|k| k.department == stock.department).collect();
    if let Some(first) = in_department.first()
        && count(in_department.len()) >= limits.per_department_day
        && reasons.is_empty()
    {
        reasons.push(Refusal::SameDepartment { appointment: first.id, limit: limits.per_department_day });
    }
    if count(that_day.len()) >= limits.per_day {
        reasons.push(Refusal::PerDay(limits.per_day));
    }
    if most_within(stock.date, others, 7) >= limits.per_week {
        reasons.push(Refusal::PerWeek(limits.per_week));
    }
    if most_within(stock.date, others, 90) >= limits.per_quarter {
        reasons.push(Refusal::PerQuarter(limits.per_quarter));
    }
    reasons
}

/// The largest number of places that fall into one window of `days` days that holds `date`.
#[must_use]
pub fn most_within(date: Date, others: &[&Known], days: i32) -> u32 {
    // A window that holds the most can be moved until it starts with one of the places, or with the date itself.
    let offsets: Vec<i32> =
        others.iter().map(|k| days_between(date, k.date)).filter(|d| d.abs() < days).collect();
    let starts = offsets.iter().copied().filter(|s| *s <= 0 && *s > -days).chain([0]);
    starts
        .map(|start| count(offsets.iter().filter(|d| **d >= start && **d < start + days).count()))
        .max()
        .unwrap_or(0)
}

fn days_between(from: Date, to: Date) -> i32 {
    from.until(to).map_or(i32::MAX, |span| span.get_days())
}

/// No-shows block booking in advance: never for today, never for the old and the young.
fn blocked(person: &PersonFacts, stock: &Stock, known: &[Known], now: &Now<'_>) -> Option<Refusal> {
    let today = now.today();
    if stock.date <= today {
        return None;
    }
    let missed: Vec<Date> = known.iter().filter(|k| k.state == State::NoShow).map(|k| k.date).collect();
    let standing = attendance::rules::standing(now.limits, person.birth_date, &missed, today);
    standing.blocked_until.map(|until| Refusal::NoShows { until })
}

pub(crate) fn place(
    request: &Request,
    stock: &Stock,
    known: &[Known],
    now: &Now<'_>,
    (id, check_in_code): (AppointmentId, String),
) -> Appointment {
    let used: Vec<i64> = known
        .iter()
        .filter(|k| k.date == stock.date && k.state.is_live() && Some(k.id) != request.replaces)
        .map(|k| k.day_ordinal)
        .collect();
    let day_ordinal = (1..).find(|n| !used.contains(n)).unwrap_or(1);
    // What costs nothing need not be held for a payment.
    let free = |hold: &crate::hold::Hold| hold.why == crate::hold::HoldFor::Payment && stock.fee.0 == 0;
    let hold = request.hold.filter(|hold| !free(hold));
    Appointment {
        id,
        state: if hold.is_some() { State::Held } else { State::Booked },
        slot: stock.slot,
        clinic: stock.clinic,
        doctor: stock.doctor,
        department: stock.department,
        campus: stock.campus,
        kind: stock.kind.code().to_owned(),
        date: stock.date,
        half_day: stock.half_day,
        start_at: stock.start_at,
        end_at: stock.end_at,
        fee: stock.fee,
        person: request.person.id,
        account: request.account,
        number: stock.last_number + 1,
        day_ordinal,
        pay: crate::pay::way(hold.as_ref()),
        key: request.key.clone(),
        request_hash: request.hash.clone(),
        check_in_code,
        booked_at: now.at,
        late: now.at >= cancel_deadline(now.zone, stock.date, now.limits.cancel_until),
        hold_until: hold.map(|h| h.until),
        hold_for: hold.map(|h| h.why),
        confirmed_at: None,
        ended_at: None,
        ended_by: None,
        moved_from: request.replaces,
        moved_to: None,
        marks: Marks { channel: request.channel.clone(), ..Marks::default() },
    }
}

fn remember(appointment: &Appointment) -> Known {
    Known {
        id: appointment.id,
        person: appointment.person,
        date: appointment.date,
        half_day: appointment.half_day,
        provider: appointment.provider(),
        department: appointment.department,
        day_ordinal: appointment.day_ordinal,
        state: appointment.state,
        late: appointment.late,
        given_up: true,
    }
}

impl Appointment {
    /// The doctor's id, or the department's where there is no named doctor, as the schema keeps it.
    #[must_use]
    pub fn provider(&self) -> String {
        self.doctor.map_or_else(|| self.department.db(), |d| d.db())
    }
}

/// As [`Appointment::provider`].
#[must_use]
pub fn provider(stock: &Stock) -> String {
    stock.doctor.map_or_else(|| stock.department.db(), |d| d.db())
}

/// Until when a place on `date` can be given up without counting: the set time on the day before.
#[must_use]
pub fn cancel_deadline(zone: &Zone, date: Date, until: WallTime) -> UnixMs {
    zone.at(date.yesterday().unwrap_or(date), until)
}

/// Until when this appointment can be given up or moved: the deadline of the day before, or, when it was booked after that or
/// the hospital changed something about it, until its segment begins.
#[must_use]
pub fn can_cancel_until(appointment: &Appointment, zone: &Zone, limits: &Limits) -> UnixMs {
    if appointment.late || appointment.marks.excused {
        appointment.start_at
    } else {
        cancel_deadline(zone, appointment.date, limits.cancel_until)
    }
}

/// Whether it can be given up or moved now. What is only on hold can be let go until the hold is over.
#[must_use]
pub fn can_cancel(appointment: &Appointment, zone: &Zone, limits: &Limits, now: UnixMs) -> bool {
    let in_time = now < can_cancel_until(appointment, zone, limits);
    appointment.state.may_become(State::Cancelled) && (in_time || appointment.state == State::Held)
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
