//! An answer in memory that many people read: rendered when something that it shows has changed, at most once at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use base::UnixMs;
use edge::etag::Tagged;
use parking_lot::Mutex;

/// Rendering one answer takes at most a twentieth of a core …
const SHARE: u32 = 20;
/// … over so much time of rendering: as long as changes are few, each is shown at once …
const CREDIT: Duration = Duration::from_millis(100);
/// … and in a rush an answer is at most so old. With the age of the counts themselves it stays below a second.
const OLDEST: Duration = Duration::from_millis(250);

/// Place for one answer.
#[derive(Default)]
pub(crate) struct Cell {
    current: ArcSwapOption<Answer>,
    rendering: Mutex<Spent>,
}

struct Answer {
    tagged: Tagged,
    revision: u64,
    minute: i64,
    rendered: Instant,
}

/// The time of rendering that was spent lately.
#[derive(Default)]
struct Spent {
    time: Duration,
    as_of: Option<Instant>,
}

impl Spent {
    /// Forgets a twentieth of the time that has passed.
    fn recover(&mut self, now: Instant) {
        let passed = self.as_of.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        self.time = self.time.saturating_sub(passed / SHARE);
        self.as_of = Some(now);
    }
}

impl Cell {
    /// The answer at `now` for what has changed `revision` times; calls `render` when the one in memory is out of date.
    /// States go by the minute: what opens or closes does so at a whole one. Others who ask meanwhile get the answer of a
    /// moment ago, or wait for the new one.
    pub(crate) fn get(&self, revision: u64, now: UnixMs, render: impl FnOnce() -> Vec<u8>) -> Tagged {
        let minute = now.0.div_euclid(60_000);
        let of_this_minute = || self.current.load_full().filter(|a| a.minute == minute);
        let young = || of_this_minute().filter(|a| a.rendered.elapsed() < OLDEST);
        let exact = || of_this_minute().filter(|a| a.revision == revision).map(|a| a.tagged.clone());
        if let Some(tagged) = exact() {
            return tagged;
        }
        let mut spent = match self.rendering.try_lock() {
            Some(spent) => spent,
            None => match young() {
                Some(answer) => return answer.tagged.clone(),
                None => self.rendering.lock(),
            },
        };
        if let Some(tagged) = exact() {
            return tagged;
        }
        let started = Instant::now();
        spent.recover(started);
        if spent.time > CREDIT
            && let Some(answer) = young()
        {
            return answer.tagged.clone();
        }
        let tagged = Tagged::json(render());
        let rendered = Instant::now();
        spent.time += rendered.saturating_duration_since(started);
        self.current.store(Some(Arc::new(Answer { tagged: tagged.clone(), revision, minute, rendered })));
        tagged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(tagged: &Tagged) -> &[u8] {
        tagged.body()
    }

    #[test]
    fn rendered_once_until_something_changes() {
        let cell = Cell::default();
        let now = UnixMs(120_000);
        assert_eq!(body(&cell.get(1, now, || b"1".to_vec())), b"1");
        assert_eq!(body(&cell.get(1, UnixMs(179_999), || b"2".to_vec())), b"1");
        assert_eq!(body(&cell.get(1, UnixMs(180_000), || b"3".to_vec())), b"3", "the minute");
        assert_eq!(body(&cell.get(2, UnixMs(180_000), || b"4".to_vec())), b"4", "the revision");
    }

    #[test]
    fn a_rush_of_changes_does_not_eat_the_machine() {
        let cell = Cell::default();
        let (mut rendered, mut asked) = (0_u32, 0_u64);
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(600) {
            asked += 1;
            cell.get(asked, UnixMs(0), || {
                rendered += 1;
                let begin = Instant::now();
                while begin.elapsed() < Duration::from_millis(10) {}
                Vec::new()
            });
        }
        // 100 ms of credit, a twentieth of 600 ms, and one for each time that the answer grew too old.
        assert!(asked > 1_000 && rendered < 30, "{rendered} of {asked}");
        let before = rendered;
        let deadline = Instant::now() + Duration::from_secs(5);
        while rendered == before && Instant::now() < deadline {
            asked += 1;
            cell.get(asked, UnixMs(0), || {
                rendered += 1;
                Vec::new()
            });
        }
        assert!(rendered > before, "too old in the end");
    }

    #[test]
    fn a_crowd_waits_for_one_rendering() {
        let cell = Cell::default();
        let rendered = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    let tagged = cell.get(7, UnixMs(0), || {
                        rendered.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                        b"x".to_vec()
                    });
                    assert_eq!(body(&tagged), b"x");
                });
            }
        });
        assert_eq!(rendered.load(std::sync::atomic::Ordering::SeqCst), 1);
    }
}
