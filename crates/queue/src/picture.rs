//! What all readers look at: each line as it stands, in memory, painted once after each change for the wall, the door, the desk
//! and every phone. So they can't disagree about who is next.
//!
//! A picture is good until its live topic is touched on any node, and for a few seconds at most: what is foretold moves with the
//! clock. When nothing but the clock has moved and it shows the same minutes, the old picture stays, and whoever watches is not
//! woken for nothing.

mod load;
mod setup;
mod slot;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base::{Date, HospitalId, Problem, Text2, UnixMs};
use edge::Hospitals;
use parking_lot::Mutex;
use schedule::Board;
use store::{Db, Topic};

pub(crate) use load::band_of;
pub use setup::Setup;
use slot::Slot;

use crate::estimate::{self, Ahead, Belief, Wait};
use crate::model::{Area, Queue, QueueId, QueueState, Room, Ticket, TicketId, TicketState};
use crate::order::{Cause, Placed, Policy, Turns};
use crate::settings::Settings;

/// A picture is looked at again after so long, though nothing was touched.
const GOOD_FOR: Duration = Duration::from_secs(5);
/// Somebody back from an exam takes this much of a first visit's time (`health.md` 5.3).
pub(crate) const BACK_TAKES: f64 = 0.6;
/// A doctor who has seen somebody so lately is still there, though the session is over.
const AT_WORK: Duration = Duration::from_secs(15 * 60);

/// When somebody will be called, in whole minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// One in ten is called before this …
    pub low: UnixMs,
    /// … and one in ten after this.
    pub high: UnixMs,
    /// Hardly anybody is called before this.
    pub earliest: UnixMs,
}

impl Range {
    fn of(wait: Wait, now: UnixMs) -> Self {
        let floor = |at: UnixMs| UnixMs(at.0.div_euclid(60_000) * 60_000);
        let ceil = |at: UnixMs| UnixMs((at.0 + 59_999).div_euclid(60_000) * 60_000);
        Self {
            low: floor(now.plus(wait.low)),
            high: ceil(now.plus(wait.high)),
            earliest: floor(now.plus(wait.earliest)),
        }
    }
}

/// A line as it stands.
#[derive(Debug, Clone)]
pub struct LinePicture {
    /// The line.
    pub queue: Queue,
    /// Where its people wait.
    pub area: Option<Area>,
    /// Where they are served.
    pub rooms: Vec<Room>,
    /// The doctor's name and title.
    pub doctor: Option<(Text2, Text2)>,
    /// The department.
    pub department_name: Option<Text2>,
    /// The campus.
    pub campus_name: Option<Text2>,
    /// The day.
    pub date: Date,
    /// Everybody who is not done, by number.
    pub open: Vec<Ticket>,
    /// Those who wait, the next first …
    pub placed: Vec<Placed>,
    /// … and when they will be called.
    pub ranges: Vec<Range>,
    /// When somebody would be called who takes a number now.
    pub newcomer: Range,
    /// How the next is found.
    pub policy: Policy,
    /// Whose turn it is.
    pub turns: Turns,
    /// What is believed of the pace.
    pub belief: Belief,
    /// How many are sent in between for each who is called.
    pub inserted: f64,
    /// In how many rooms people are served at the moment.
    pub active_rooms: usize,
    /// Who has not come yet, by the start of their segment.
    pub expected: Vec<(UnixMs, u32)>,
    /// From when to when the doctor sits today.
    pub sessions: Vec<(UnixMs, UnixMs)>,
    /// When the last service ended.
    pub last_at: Option<UnixMs>,
    /// How many were served today …
    pub done: u32,
    /// … and how many calls were missed.
    pub passed: u32,
    /// When it was painted: since when it looks like this.
    pub painted_at: UnixMs,
}

impl LinePicture {
    /// How many wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.placed.len()
    }

    /// A ticket that is not over.
    #[must_use]
    pub fn ticket(&self, id: TicketId) -> Option<&Ticket> {
        self.open.iter().find(|t| t.id == id)
    }

    /// The place of a ticket in the line, from 0.
    #[must_use]
    pub fn place_of(&self, id: TicketId) -> Option<usize> {
        self.placed.iter().position(|p| p.waiting.id == id)
    }

    /// Those who are called or in a room.
    pub fn in_rooms(&self) -> impl Iterator<Item = &Ticket> {
        self.open.iter().filter(|t| matches!(t.state, TicketState::Called | TicketState::Serving))
    }

    /// The wait of the one at `at` in `placed`, with these people in the line.
    #[must_use]
    pub fn foretell(&self, open: &[Ticket], placed: &[Placed], at: usize, now: UnixMs) -> Wait {
        let own = placed.get(at).map(|p| &p.waiting);
        let people = placed.iter().take(at).map(|p| match p.cause {
            Cause::Return => BACK_TAKES,
            _ => 1.0,
        });
        let in_rooms = open.iter().filter(|t| matches!(t.state, TicketState::Called | TicketState::Serving));
        let elapsed = in_rooms.filter_map(|t| t.called_at).map(|called| now.since(called).as_secs_f64());
        let starts_in = self.starts_at(open, now).since(now).as_secs_f64();
        let ahead = Ahead {
            people: people.collect(),
            expected: own.map_or(0.0, |own| self.still_to_come(own.line_at, at, starts_in, now)),
            inserted: self.inserted,
            in_rooms: elapsed.collect(),
            rooms: self.active_rooms,
            starts_in,
        };
        estimate::wait(self.belief, &ahead)
    }

    /// How many of those who have not come yet will be sent in before somebody who stands in the line by `line_at`, with so many
    /// people ahead of them, when the line begins to move in `starts_in` seconds.
    fn still_to_come(&self, line_at: UnixMs, ahead: usize, starts_in: f64, now: UnixMs) -> f64 {
        if !self.policy.by_segment {
            return 0.0;
        }
        let in_seconds = |at: UnixMs| {
            if at >= now { at.since(now).as_secs_f64() } else { -now.since(at).as_secs_f64() }
        };
        let earlier = self.expected.iter().filter(|(start, _)| *start < line_at);
        let segments = earlier.map(|(start, people)| (in_seconds(*start), *people));
        let count = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
        let each = self.belief.each() / count(self.active_rooms.max(1));
        estimate::still_to_come(segments, starts_in + count(ahead) * each, each)
    }

    /// When the line begins to move: now, unless it is paused, or the doctor is not there: before the first session of the day
    /// begins, and between two when the one is over and nobody is in a room.
    fn starts_at(&self, open: &[Ticket], now: UnixMs) -> UnixMs {
        let paused = self.queue.paused_until.filter(|_| self.queue.state == QueueState::Paused);
        let segments = open.iter().filter_map(|t| t.segment_at).chain(self.expected.iter().map(|e| e.0));
        let first = segments.min().filter(|_| self.turns.calls == 0);
        let session = self.session_begins(open, now);
        now.max(paused.unwrap_or(now)).max(first.unwrap_or(now)).max(session.unwrap_or(now))
    }

    /// When the next session begins, while the doctor is in none.
    fn session_begins(&self, open: &[Ticket], now: UnixMs) -> Option<UnixMs> {
        let in_rooms = open.iter().any(|t| matches!(t.state, TicketState::Called | TicketState::Serving));
        let lately = self.last_at.is_some_and(|last| now.since(last) < AT_WORK);
        next_session(&self.sessions, in_rooms || lately, now)
    }

    /// Whether somebody who looks would see the same.
    fn looks_like(&self, other: &Self) -> bool {
        self.queue == other.queue
            && self.area == other.area
            && self.rooms == other.rooms
            && self.doctor == other.doctor
            && self.department_name == other.department_name
            && self.campus_name == other.campus_name
            && self.date == other.date
            && self.open == other.open
            && self.placed == other.placed
            && self.ranges == other.ranges
            && self.newcomer == other.newcomer
            && (self.done, self.passed) == (other.done, other.passed)
    }
}

/// The start of the next session, when `now` lies in none and nobody is seen outside of them.
fn next_session(sessions: &[(UnixMs, UnixMs)], at_work: bool, now: UnixMs) -> Option<UnixMs> {
    let under_way = sessions.iter().any(|(start, end)| *start <= now && now < *end);
    if under_way || at_work {
        return None;
    }
    sessions.iter().map(|(start, _)| *start).find(|start| *start > now)
}

/// All pictures of this node. Cheap to clone.
#[derive(Clone)]
pub struct Pictures {
    inner: Arc<Inner>,
}

/// The lines of all hospitals.
type Lines = HashMap<(HospitalId, QueueId), Arc<Slot<LinePicture>>>;

struct Inner {
    db: Db,
    hospitals: Hospitals,
    board: Board,
    setups: Mutex<HashMap<HospitalId, Arc<Slot<Setup>>>>,
    lines: Mutex<Lines>,
}

impl Pictures {
    /// With nothing painted yet.
    #[must_use]
    pub fn new(db: Db, hospitals: Hospitals, board: Board) -> Self {
        Self {
            inner: Arc::new(Inner {
                db,
                hospitals,
                board,
                setups: Mutex::default(),
                lines: Mutex::default(),
            }),
        }
    }

    /// Areas, rooms and lines of a hospital.
    ///
    /// # Errors
    /// Any [`store::StoreError`].
    pub async fn setup(&self, h: HospitalId) -> store::Result<Arc<Setup>> {
        let slot = {
            let mut setups = self.inner.setups.lock();
            let watch = || self.inner.db.live().watch(&Topic::new("setup", h));
            setups.entry(h).or_insert_with(|| Arc::new(Slot::new(watch()))).clone()
        };
        slot.get(self.inner.db.now(), GOOD_FOR, PartialEq::eq, || Setup::read(&self.inner.db, h)).await
    }

    /// A line as it stands.
    ///
    /// # Errors
    /// 404 when there is no such line; 503.
    pub async fn line(&self, h: HospitalId, queue: QueueId) -> Result<Arc<LinePicture>, Problem> {
        let setup = self.setup(h).await?;
        let known = setup.queue(queue).ok_or_else(Problem::not_found)?;
        self.of(h, &setup, known).await.map_err(Problem::from)
    }

    /// Several lines as they stand.
    ///
    /// # Errors
    /// Any [`store::StoreError`].
    pub async fn lines<'a>(
        &self,
        h: HospitalId,
        setup: &Setup,
        queues: impl IntoIterator<Item = &'a Queue>,
    ) -> store::Result<Vec<Arc<LinePicture>>> {
        let mut all = Vec::new();
        for queue in queues {
            all.push(self.of(h, setup, queue).await?);
        }
        Ok(all)
    }

    async fn of(&self, h: HospitalId, setup: &Setup, queue: &Queue) -> store::Result<Arc<LinePicture>> {
        let slot = {
            let mut lines = self.inner.lines.lock();
            let watch = || self.inner.db.live().watch(&Topic::new("queue", queue.id));
            lines.entry((h, queue.id)).or_insert_with(|| Arc::new(Slot::new(watch()))).clone()
        };
        let now = self.inner.db.now();
        slot.get(now, GOOD_FOR, LinePicture::looks_like, || self.paint(h, setup, queue)).await
    }

    /// The hospital's figures for waiting.
    pub(crate) fn settings(&self, h: HospitalId) -> Settings {
        self.inner.hospitals.get(h).map(|h| h.settings(Settings::SECTION)).unwrap_or_default()
    }
}

impl Pictures {
    /// A line as it was when it was last painted, without waiting for anything: for its pace, in the middle of a transaction. A line
    /// that was never painted is blank.
    #[must_use]
    pub(crate) fn sketch(&self, h: HospitalId, queue: &Queue) -> Arc<LinePicture> {
        let slot = self.inner.lines.lock().get(&(h, queue.id)).cloned();
        slot.and_then(|slot| slot.last()).unwrap_or_else(|| Arc::new(self.blank(h, queue)))
    }

    fn blank(&self, h: HospitalId, queue: &Queue) -> LinePicture {
        let now = self.inner.db.now();
        let zone = self.inner.hospitals.get(h).map_or_else(base::Zone::china, |h| h.zone.clone());
        let usual = f64::from(i32::try_from(queue.service_seconds).unwrap_or(300));
        LinePicture {
            queue: queue.clone(),
            area: None,
            rooms: Vec::new(),
            doctor: None,
            department_name: None,
            campus_name: None,
            date: zone.date(now),
            open: Vec::new(),
            placed: Vec::new(),
            ranges: Vec::new(),
            newcomer: Range { low: now, high: now, earliest: now },
            policy: Policy::named(queue.policy, &self.settings(h)),
            turns: Turns::default(),
            belief: Belief::of_median(usual),
            inserted: 0.0,
            active_rooms: 1,
            expected: Vec::new(),
            sessions: Vec::new(),
            last_at: None,
            done: 0,
            passed: 0,
            painted_at: now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn before_a_session_and_over_lunch_a_line_stands_still() {
        let day = [(UnixMs(800), UnixMs(1_130)), (UnixMs(1_330), UnixMs(1_700))];
        let next = |now, at_work| next_session(&day, at_work, UnixMs(now));
        assert_eq!(next(700, false), Some(UnixMs(800)));
        assert_eq!(next(900, false), None, "under way");
        assert_eq!(next(1_140, true), None, "the morning takes longer");
        assert_eq!(next(1_200, false), Some(UnixMs(1_330)));
        assert_eq!(next(1_800, false), None, "nobody knows better");
        assert_eq!(next_session(&[], false, UnixMs(900)), None);
    }
}
