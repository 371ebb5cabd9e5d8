//! Who gets how many of a clinic's places: the division by channel, and what flows back.
//!
//! A [`Shares`] rule says it for a doctor, a department or the hospital; [`divide`] makes the [`Line`]s of one clinic of it.
//! Unsold places of a line go to another channel at a set time ([`settle`]): a time, not a job. Whoever looks compares the
//! clock, and the booking desk writes down what has moved in the transaction of the next booking.
//!
//! **Invariants** (properties in the tests): the lines of a clinic add up to its capacity, whatever is settled, resized or
//! divided again; a line is never smaller than what is taken of it (`CHECK (taken <= capacity)`); what a line keeps for
//! itself is never handed away.

pub mod keep;
pub(crate) mod page;
pub mod words;

use base::{Date, Field, UnixMs, WallTime, Zone};
use serde::{Deserialize, Serialize};
use store::value::{FromRow, Row};
use utoipa::ToSchema;

use crate::model::{ClinicKind, DepartmentId, DoctorId};
use crate::plan::fault;
use crate::rules::days_before;

store::typed_id! {
    /// A rule that divides places.
    QuotaRuleId = "quo";
}

store::text_enum! {
    /// By which way a place is booked.
    #[derive(ToSchema)]
    #[schema(as = QuotaChannel)]
    pub enum Channel {
        /// By the patients themselves, through WeChat or the web.
        Online = "online",
        /// At the counter.
        Window = "window",
        /// At a machine in the hall.
        Kiosk = "kiosk",
        /// Added by the doctor.
        Doctor = "doctor",
        /// By the internet hospital, for who is sent here.
        InternetHospital = "internet_hospital",
        /// By a partner: a community clinic, a city platform.
        Partner = "partner",
    }
}

impl Channel {
    /// The channel that a sign-in or a request came by: what staff and partners name, and online for everything else.
    #[must_use]
    pub fn of_request(channel: &str) -> Self {
        Self::from_code(channel).unwrap_or(Self::Online)
    }
}

/// When a channel's unsold places go to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandBack {
    /// To which channel.
    pub to: Channel,
    /// So many days before the clinic, 0 to 30 …
    #[serde(default)]
    #[schema(maximum = 30)]
    pub days_before: u16,
    /// … at this time.
    #[schema(value_type = String)]
    pub at: WallTime,
}

/// What a channel gets. With neither `percent` nor `count` it gets what the others leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuotaShare)]
pub struct Share {
    /// Which channel.
    pub channel: Channel,
    /// So many of a hundred places, rounded …
    #[serde(default)]
    #[schema(minimum = 1, maximum = 100)]
    pub percent: Option<u8>,
    /// … or so many places.
    #[serde(default)]
    pub count: Option<u32>,
    /// So many of them are never handed to another channel (for walk-ins: the floor).
    #[serde(default)]
    pub kept: u32,
    /// What becomes of the unsold ones.
    #[serde(default)]
    pub hand_back: Option<HandBack>,
}

/// How places are divided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct Shares(pub Vec<Share>);

impl Shares {
    /// All that is wrong with it.
    #[must_use]
    pub fn faults(&self) -> Vec<Field> {
        let mut faults = Vec::new();
        let mut bad = |code, zh: &str, en: &str| faults.push(fault("shares", code, zh, en));
        let all = &self.0;
        if all.iter().filter(|s| s.percent.is_none() && s.count.is_none()).count() != 1 {
            bad("no_rest", "要有且只有一个渠道拿剩余的号", "exactly one channel gets what the others leave");
        }
        if Channel::ALL.iter().any(|c| all.iter().filter(|s| s.channel == *c).count() > 1) {
            bad("twice", "同一渠道只能写一次", "each channel stands once");
        }
        if all.iter().any(|s| s.percent.is_some() && s.count.is_some()) {
            bad("contradiction", "比例和数量只能填一个", "a channel has a percentage or a number, not both");
        }
        let percents: u32 = all.iter().filter_map(|s| s.percent).map(u32::from).sum();
        if percents > 100 || all.iter().any(|s| s.percent == Some(0)) {
            bad(
                "wrong_percent",
                "比例在 1 到 100 之间，合计不超过 100",
                "percentages are 1 to 100, together at most 100",
            );
        }
        if all.iter().any(|s| s.count.is_some_and(|n| n > 10_000) || s.kept > 10_000) {
            bad("too_many", "最多 10000 个号", "at most 10,000 places");
        }
        if all.iter().any(|s| s.hand_back.is_some_and(|h| h.to == s.channel || h.days_before > 30)) {
            bad(
                "wrong_hand_back",
                "剩余号应转给其他渠道，最早提前 30 天",
                "unsold places go to another channel, at most 30 days before",
            );
        }
        faults
    }
}

/// A channel's part of one clinic, as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Which channel.
    pub channel: Channel,
    /// How many places it has …
    pub capacity: i64,
    /// … and how many of them are gone.
    pub taken: i64,
    /// So many are never handed away.
    pub kept: i64,
    /// Gets what is added to the clinic, gives what is taken away from it.
    pub rest: bool,
    /// Unsold places go there …
    pub hand_back_to: Option<Channel>,
    /// … from then on.
    pub hand_back_at: Option<UnixMs>,
}

impl Line {
    fn empty(channel: Channel) -> Self {
        Self { channel, capacity: 0, taken: 0, kept: 0, rest: false, hand_back_to: None, hand_back_at: None }
    }

    /// How many places are left.
    #[must_use]
    pub fn left(&self) -> i64 {
        self.capacity - self.taken
    }
}

impl FromRow for Line {
    fn from_row(row: &Row) -> store::Result<Self> {
        Ok(Self {
            channel: row.get("channel")?,
            capacity: row.get("capacity")?,
            taken: row.get("taken")?,
            kept: row.get("kept")?,
            rest: row.get("rest")?,
            hand_back_to: row.get("hand_back_to")?,
            hand_back_at: row.get("hand_back_at")?,
        })
    }
}

/// Divides a clinic of so many places on a date. Numbers go before percentages, each in the order of the rule, as far as
/// there are places.
#[must_use]
pub fn divide(shares: &Shares, capacity: i64, date: Date, zone: &Zone) -> Vec<Line> {
    let mut left = capacity.max(0);
    let mut give = |wanted: i64| {
        let given = wanted.clamp(0, left);
        left -= given;
        given
    };
    let mut counted: Vec<(Channel, i64)> = Vec::new();
    for share in &shares.0 {
        if let Some(count) = share.count {
            counted.push((share.channel, give(i64::from(count))));
        }
    }
    for share in &shares.0 {
        if let Some(percent) = share.percent {
            counted.push((share.channel, give((capacity * i64::from(percent) + 50) / 100)));
        }
    }
    let mut lines: Vec<Line> = Vec::new();
    for share in &shares.0 {
        let found = counted.iter().find(|(channel, _)| *channel == share.channel);
        let given = found.map_or(left, |(_, n)| *n);
        lines.push(Line {
            channel: share.channel,
            capacity: given,
            taken: 0,
            kept: i64::from(share.kept).min(given),
            rest: found.is_none(),
            hand_back_to: share.hand_back.map(|h| h.to),
            hand_back_at: share.hand_back.map(|h| zone.at(days_before(date, h.days_before), h.at)),
        });
    }
    let targets: Vec<Channel> = lines.iter().filter_map(|l| l.hand_back_to).collect();
    for target in targets {
        if !lines.iter().any(|l| l.channel == target) {
            lines.push(Line::empty(target));
        }
    }
    lines
}

/// Hands unsold places on, as far as it is time. Doing it again changes nothing; gives whether anything moved.
///
/// What is handed to a channel that hands on itself goes on with it. Two channels may hand to each other (the counter to online on
/// the evening before, online to the counter on the morning): then the later time has the last word.
pub fn settle(lines: &mut [Line], now: UnixMs) -> bool {
    let mut due: Vec<Hand> =
        lines.iter().filter_map(|l| Some((l.hand_back_at?, l.channel, l.hand_back_to?))).collect();
    due.retain(|(at, _, to)| *at <= now && lines.iter().any(|l| l.channel == *to));
    while let Some(overruled) = first_of_a_circle(&due) {
        due.retain(|hand| *hand != overruled);
    }
    let before: Vec<i64> = lines.iter().map(|l| l.capacity).collect();
    // No circle is longer than there are lines, and no way either.
    for _ in 0..due.len() {
        for (_, from, to) in &due {
            let mut free = 0;
            if let Some(line) = lines.iter_mut().find(|l| l.channel == *from) {
                free = (line.capacity - line.taken.max(line.kept)).max(0);
                line.capacity -= free;
            }
            if let Some(line) = lines.iter_mut().find(|l| l.channel == *to) {
                line.capacity += free;
            }
        }
    }
    lines.iter().map(|l| l.capacity).ne(before)
}

/// From when, from whom, to whom.
type Hand = (UnixMs, Channel, Channel);

/// The earliest of hands that go round in a circle, if there is one.
fn first_of_a_circle(due: &[Hand]) -> Option<Hand> {
    let next = |channel: Channel| due.iter().find(|(_, from, _)| *from == channel).copied();
    for start in due {
        let mut way = vec![*start];
        while let Some(hand) = way.last().and_then(|(.., to)| next(*to)) {
            if hand == *start {
                return way.into_iter().min();
            }
            if way.contains(&hand) {
                break;
            }
            way.push(hand);
        }
    }
    None
}

/// How many places a channel has left at `now`. A channel that the division does not name has none.
#[must_use]
pub fn left(lines: &[Line], channel: Channel, now: UnixMs) -> i64 {
    let mut settled = lines.to_vec();
    settle(&mut settled, now);
    settled.iter().find(|l| l.channel == channel).map_or(0, |l| l.left().max(0))
}

/// Gives a place back to the channel that it came by. Where that has no taken place (it was booked before the clinic was
/// divided) it counts as online.
pub fn release(lines: &mut [Line], channel: Channel) {
    let mut charged = [channel, Channel::Online].into_iter().chain(Channel::ALL.iter().copied());
    let holds = |lines: &[Line], c: Channel| lines.iter().position(|l| l.channel == c && l.taken > 0);
    if let Some(line) = charged.find_map(|c| holds(lines, c)).and_then(|at| lines.get_mut(at)) {
        line.taken -= 1;
    }
}

/// Adds a place to a channel that is taken at once. Gives whether the channel is new to the division.
pub fn widen(lines: &mut Vec<Line>, channel: Channel) -> bool {
    let known = lines.iter().position(|l| l.channel == channel);
    if known.is_none() {
        lines.push(Line::empty(channel));
    }
    if let Some(line) = lines.iter_mut().find(|l| l.channel == channel) {
        line.capacity += 1;
        line.taken += 1;
    }
    known.is_none()
}

/// Takes away a place that [`widen`] added, with the one who had it. Where the division was made anew since, another channel
/// may have been charged for it.
pub fn narrow(lines: &mut [Line], channel: Channel) {
    let mut charged = [channel, Channel::Online].into_iter().chain(Channel::ALL.iter().copied());
    let holds = |lines: &[Line], c: Channel| lines.iter().position(|l| l.channel == c && l.taken > 0);
    if let Some(line) = charged.find_map(|c| holds(lines, c)).and_then(|at| lines.get_mut(at)) {
        line.taken -= 1;
        line.capacity -= 1;
        line.kept = line.kept.min(line.capacity);
    }
}

/// Adds places to a division, or takes unsold ones away: from the rest first, then where most are left. Gives how many could
/// not be taken away because they are sold.
pub fn stretch(lines: &mut [Line], by: i64) -> i64 {
    if by >= 0 {
        let at = lines.iter().position(|l| l.rest).unwrap_or(0);
        match lines.get_mut(at) {
            Some(line) => line.capacity += by,
            None => return by,
        }
        return 0;
    }
    let mut missing = -by;
    let mut order: Vec<usize> = (0..lines.len()).collect();
    order.sort_by_key(|i| lines.get(*i).map(|l| (!l.rest, -l.left())));
    for at in order {
        if let Some(line) = lines.get_mut(at) {
            let given = line.left().clamp(0, missing);
            line.capacity -= given;
            line.kept = line.kept.min(line.capacity);
            missing -= given;
        }
    }
    missing
}

/// Divides again a clinic of which places are taken: nobody loses theirs, and what is taken beyond a channel's new share is
/// missing elsewhere. A channel that the new rule does not name keeps what is taken of it.
#[must_use]
pub fn reshape(old: &[Line], fresh: &[Line]) -> Vec<Line> {
    let mut lines = fresh.to_vec();
    for known in old.iter().filter(|l| l.taken > 0) {
        match lines.iter_mut().find(|l| l.channel == known.channel) {
            Some(line) => line.taken = known.taken,
            None => lines.push(Line { taken: known.taken, ..Line::empty(known.channel) }),
        }
    }
    let mut over = 0;
    for line in &mut lines {
        let short = (line.taken - line.capacity).max(0);
        line.capacity += short;
        over += short;
    }
    // As many as were added are taken from what is not sold: the sum stays the clinic's capacity.
    stretch(&mut lines, -over);
    lines
}

/// For whom a rule is. More than one of doctor and department is never named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuotaScope)]
pub struct Scope {
    /// A department, for itself and those below it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub department_id: Option<DepartmentId>,
    /// A doctor.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub doctor_id: Option<DoctorId>,
    /// A kind of clinic.
    #[serde(default)]
    pub kind: Option<ClinicKind>,
}

/// A rule that divides places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its id.
    pub id: QuotaRuleId,
    /// For whom it is.
    pub scope: Scope,
    /// How places are divided.
    pub shares: Shares,
}

/// What of a clinic decides which rule is its own.
#[derive(Debug, Clone, Copy)]
pub struct Kin {
    /// Its department …
    pub department: DepartmentId,
    /// … and the one above.
    pub parent: Option<DepartmentId>,
    /// Its doctor.
    pub doctor: Option<DoctorId>,
    /// Its kind.
    pub kind: ClinicKind,
}

/// The rule of a clinic: that of the doctor's clinics of this kind, of the doctor, of the department's clinics of this kind, of
/// the department (then of the one above it, likewise), of the hospital's clinics of this kind, of the hospital; the first that
/// there is.
#[must_use]
pub fn pick<'a>(rules: &'a [Rule], kin: &Kin) -> Option<&'a Rule> {
    let kinds = [Some(kin.kind), None];
    let mut scopes = Vec::new();
    if kin.doctor.is_some() {
        scopes.extend(kinds.map(|kind| Scope { department_id: None, doctor_id: kin.doctor, kind }));
    }
    for department in [Some(kin.department), kin.parent] {
        if department.is_some() {
            scopes.extend(kinds.map(|kind| Scope { department_id: department, doctor_id: None, kind }));
        }
    }
    scopes.extend(kinds.map(|kind| Scope { kind, ..Scope::default() }));
    scopes.iter().find_map(|scope| rules.iter().find(|r| r.scope == *scope))
}

impl FromRow for Rule {
    fn from_row(row: &Row) -> store::Result<Self> {
        let shares: String = row.get("shares")?;
        let shares = serde_json::from_str(&shares)
            .map_err(|e| store::StoreError::Decode { column: "shares".into(), what: e.to_string() })?;
        let scope = Scope {
            department_id: row.get("department_id")?,
            doctor_id: row.get("doctor_id")?,
            kind: row.get("kind")?,
        };
        Ok(Self { id: row.get("id")?, scope, shares })
    }
}

#[cfg(test)]
mod tests;
