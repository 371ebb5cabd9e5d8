//! Painting a line.

use std::collections::BTreeSet;

use base::{HalfDay, HospitalId, WallTime};
use schedule::ClinicId;
use store::Result;

use super::{LinePicture, Pictures, Range, Setup};
use crate::estimate::Belief;
use crate::model::{Queue, QueueKind, Room, RoomId, Ticket};
use crate::order::{self, Policy};
use crate::store::pace::Sums;
use crate::store::{line, pace, ticket};

/// So many of the last services tell in how many rooms people are served.
const LAST_FEW: usize = 6;
/// What is expected to be sent in between before a day has told: one in eight in a clinic, hardly anybody elsewhere …
const USUALLY_INSERTED: (f64, f64) = (0.12, 0.04);
/// … as if so many calls had told that.
const USUALLY_WEIGHS: f64 = 20.0;
/// A history of so many services is a history; before that a line leans on its department.
const ENOUGH: f64 = 30.0;

impl Pictures {
    pub(super) async fn paint(&self, h: HospitalId, setup: &Setup, queue: &Queue) -> Result<LinePicture> {
        let (db, board) = (&self.inner.db, &self.inner.board);
        let now = db.now();
        let zone = self.inner.hospitals.get(h).map(|h| h.zone.clone()).unwrap_or_else(base::Zone::china);
        let date = zone.date(now);
        let settings = self.settings(h);
        // The figures of the day before the tickets: a call that comes between is in neither or shows as a touched topic.
        let day = line::day(db, h, queue.id, date).await?;
        let open = ticket::read_open(db, h, queue.id, date).await?;
        let done = ticket::last_done(db, h, queue.id, date).await?;
        let tally = ticket::tally(db, h, queue.id, date).await?;
        let band = band_of(zone.wall(now));
        let usual = self.usual(h, queue, band).await?;
        let policy = Policy::named(queue.policy, &settings);
        let placed = order::of_tickets(&open, &policy, day.turns);
        let clinics: BTreeSet<ClinicId> = open.iter().chain(&done).filter_map(|t| t.clinic).collect();
        let mut expected = Vec::new();
        for clinic in clinics {
            expected.extend(booking::arrive::expected(db, h, clinic).await?);
        }
        let sessions = queue.doctor.map(|doctor| board.sessions(h, doctor, queue.department, date));
        let sessions = sessions.unwrap_or_default();
        let rooms: Vec<Room> = setup.rooms_of(queue).into_iter().cloned().collect();
        let area = queue.area.and_then(|id| setup.area(id)).cloned();
        let campus = area.as_ref().and_then(|a| a.campus);
        let mut picture = LinePicture {
            area,
            active_rooms: active_rooms(&open, &done, rooms.len()),
            rooms,
            doctor: queue.doctor.and_then(|id| board.doctor_name(h, id)),
            department_name: queue.department.and_then(|id| board.department_name(h, id)),
            campus_name: campus.and_then(|id| board.campus_name(h, id)),
            date,
            placed,
            ranges: Vec::new(),
            newcomer: Range { low: now, high: now, earliest: now },
            policy,
            turns: day.turns,
            belief: usual.learn(done.iter().filter_map(served)),
            inserted: inserted(queue.kind, day.turns.calls, day.inserted),
            expected,
            sessions: sessions.into_iter().map(|(_, start, end)| (start, end)).collect(),
            last_at: done.iter().filter_map(|t| t.ended_at).max(),
            done: tally.0,
            passed: tally.1,
            open,
            queue: queue.clone(),
            painted_at: now,
        };
        let foretold = (0..=picture.placed.len())
            .map(|at| Range::of(picture.foretell(&picture.open, &picture.placed, at, now), now));
        let mut ranges: Vec<Range> = foretold.collect();
        picture.newcomer = ranges.pop().unwrap_or(picture.newcomer);
        picture.ranges = ranges;
        Ok(picture)
    }

    /// What is known of a line's pace before today: its own history, its department's while that is short, what the set-up says
    /// while there is none.
    async fn usual(&self, h: HospitalId, queue: &Queue, band: HalfDay) -> Result<Belief> {
        let db = &self.inner.db;
        let own = believed(&pace::of_queue(db, h, queue.id).await?, band);
        let set_up = Belief::of_median(f64::from(i32::try_from(queue.service_seconds).unwrap_or(300)));
        let others = match (queue.department, own) {
            (Some(_), Some(own)) if own.weight >= ENOUGH => None,
            (Some(department), _) => believed(&pace::of_department(db, h, department, queue.id).await?, band),
            _ => None,
        };
        // A department's doctors differ: their history counts for little beside one's own.
        let start = others.map_or(set_up, |o| Belief { weight: o.weight.min(4.0), ..o });
        Ok(own.map_or(start, |own| own.with(Belief { weight: start.weight.min(2.0), ..start })))
    }
}

/// The history of this part of the day, or of all when it has none, as a belief. Visits after an exam are brought to the length of a
/// first one.
fn believed(all: &[Sums], band: HalfDay) -> Option<Belief> {
    let fold = |of: &dyn Fn(&Sums) -> bool| {
        all.iter()
            .filter(|s| of(s) && s.weight > 0.0)
            .map(|s| {
                let belief = Belief::of_sums(s.weight, s.mean, s.square);
                if s.back { belief.times(1.0 / super::BACK_TAKES) } else { belief }
            })
            .reduce(Belief::with)
    };
    fold(&|s| s.band == band).or_else(|| fold(&|_| true))
}

/// How long a service took, in seconds, from call to end; as a first visit's.
fn served(t: &Ticket) -> Option<f64> {
    let took = t.ended_at?.since(t.called_at?).as_secs_f64();
    Some(if t.returned_at.is_some() { took / super::BACK_TAKES } else { took })
}

/// In how many rooms people were served of late.
fn active_rooms(open: &[Ticket], done: &[Ticket], rooms: usize) -> usize {
    let of_late = open.iter().chain(done.iter().take(LAST_FEW.max(rooms * 2))).filter_map(|t| t.room);
    let used: BTreeSet<RoomId> = of_late.collect();
    if used.is_empty() { rooms.clamp(1, 2) } else { used.len() }
}

fn inserted(kind: QueueKind, calls: i64, inserted: i64) -> f64 {
    let usual = if kind == QueueKind::Clinic { USUALLY_INSERTED.0 } else { USUALLY_INSERTED.1 };
    let count = |n: i64| f64::from(i32::try_from(n).unwrap_or(0));
    let others = count((calls - inserted).max(0));
    (count(inserted) + usual * USUALLY_WEIGHS) / (others + USUALLY_WEIGHS)
}

/// The part of the day.
pub(crate) fn band_of(wall: WallTime) -> HalfDay {
    match wall.minutes() {
        ..720 => HalfDay::Am,
        720..1050 => HalfDay::Pm,
        _ => HalfDay::Night,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_the_day_without_a_history_takes_that_of_the_others() {
        let sums =
            |band, mean: f64| Sums { band, back: false, weight: 10.0, mean, square: mean * mean + 0.25 };
        let all = [sums(HalfDay::Am, 5.0), sums(HalfDay::Pm, 6.0)];
        assert_eq!(believed(&all, HalfDay::Am).unwrap().mean, 5.0);
        assert!((believed(&all, HalfDay::Night).unwrap().mean - 5.5).abs() < 1e-9);
        assert_eq!(believed(&[], HalfDay::Am), None);
    }

    #[test]
    fn who_is_sent_in_between_is_learned() {
        assert!((inserted(QueueKind::Clinic, 0, 0) - 0.12).abs() < 1e-9);
        let busy = inserted(QueueKind::Clinic, 60, 20);
        assert!((0.3..0.5).contains(&busy), "{busy}");
    }
}
