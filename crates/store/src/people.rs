//! People first: work that nobody waits for steps back while many people wait.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// So long after the last word of waiting people a rush counts as over.
const OVER: Duration = Duration::from_millis(100);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(25);

/// When people were last said to wait.
pub(crate) struct People {
    since: Instant,
    /// In milliseconds behind `since`, and one more; 0 when nobody ever did.
    last: AtomicU64,
}

impl Default for People {
    fn default() -> Self {
        Self { since: Instant::now(), last: AtomicU64::new(0) }
    }
}

impl People {
    pub(crate) fn wait(&self) {
        self.last.store(self.elapsed() + 1, Ordering::Relaxed);
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX - 1)
    }

    pub(crate) fn are_waiting(&self) -> bool {
        let last = self.last.load(Ordering::Relaxed);
        last > 0 && u128::from(self.elapsed().saturating_sub(last - 1)) < OVER.as_millis()
    }

    pub(crate) async fn pass(&self, at_most: Duration) {
        let until = Instant::now() + at_most;
        while self.are_waiting() && Instant::now() < until {
            tokio::time::sleep(LOOK).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_goes_on_at_once_when_nobody_waits_and_later_when_somebody_does() {
        let people = People::default();
        let start = Instant::now();
        people.pass(Duration::from_secs(60)).await;
        assert!(start.elapsed() < OVER, "nobody waits");
        people.wait();
        assert!(people.are_waiting());
        let start = Instant::now();
        people.pass(Duration::from_secs(60)).await;
        assert!(start.elapsed() + LOOK > OVER && !people.are_waiting(), "until it is over");
        let start = Instant::now();
        let mut turns = 0;
        while start.elapsed() < OVER * 3 {
            people.wait();
            people.pass(Duration::from_millis(1)).await;
            turns += 1;
        }
        assert!(turns > 1, "a rush without end does not stop it for ever");
    }
}
