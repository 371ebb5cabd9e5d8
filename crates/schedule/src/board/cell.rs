//! An answer in memory that many people read: rendered when something that it shows has changed, at most once at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use base::UnixMs;
use edge::etag::Tagged;
use parking_lot::Mutex;

/// An answer whose counts have changed is still given for so many times what rendering it took, so that rendering never
/// takes more than a twentieth of a core for one answer …
const REST: u32 = 20;
/// … but never for longer than this: with the counters' own age it stays below a second.
const OLDEST: Duration = Duration::from_millis(250);

/// Place for one answer.
#[derive(Default)]
pub(crate) struct Cell {
    current: ArcSwapOption<Answer>,
    rendering: Mutex<()>,
}

struct Answer {
    tagged: Tagged,
    revision: u64,
    minute: i64,
    rendered: Instant,
    cost: Duration,
}

impl Answer {
    /// States go by the minute: what opens or closes does so at a whole one.
    fn serves(&self, revision: u64, minute: i64) -> bool {
        let young = || self.rendered.elapsed() < (self.cost * REST).min(OLDEST);
        self.minute == minute && (self.revision == revision || young())
    }
}

impl Cell {
    /// The answer at `now` for what has changed `revision` times; calls `render` when the one in memory is out of date.
    /// Others who ask meanwhile wait for it rather than render it too.
    pub(crate) fn get(&self, revision: u64, now: UnixMs, render: impl FnOnce() -> Vec<u8>) -> Tagged {
        let minute = now.0.div_euclid(60_000);
        let known =
            || self.current.load().as_ref().filter(|a| a.serves(revision, minute)).map(|a| a.tagged.clone());
        if let Some(tagged) = known() {
            return tagged;
        }
        let _one_at_a_time = self.rendering.lock();
        if let Some(tagged) = known() {
            return tagged;
        }
        let started = Instant::now();
        let tagged = Tagged::json(render());
        let answer = Answer {
            tagged: tagged.clone(),
            revision,
            minute,
            rendered: Instant::now(),
            cost: started.elapsed(),
        };
        self.current.store(Some(Arc::new(answer)));
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
        let deadline = Instant::now() + OLDEST * 4;
        let mut last = Vec::new();
        while last != b"4" && Instant::now() < deadline {
            last = body(&cell.get(2, UnixMs(180_000), || b"4".to_vec())).to_vec();
        }
        assert_eq!(last, b"4", "the revision");
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
