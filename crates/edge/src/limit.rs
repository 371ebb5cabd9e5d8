//! Token buckets in memory: how often something may happen per address or account on this node.

use std::collections::HashMap;

use base::UnixMs;
use parking_lot::Mutex;

/// `burst` at once, then one every `every_ms`.
pub struct Limiter {
    burst: i64,
    every_ms: i64,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    buckets: HashMap<String, Bucket>,
    /// At so many buckets the full ones are cleared away again.
    clear_at: usize,
}

/// Below so many buckets clearing away is not worth the walk.
const FEW: usize = 100_000;

#[derive(Clone, Copy)]
struct Bucket {
    /// Used tokens in milliseconds of refill; 0 is full.
    debt_ms: i64,
    at: UnixMs,
}

impl Limiter {
    /// A limiter.
    #[must_use]
    pub fn new(burst: u32, every_ms: u32) -> Self {
        Self { burst: i64::from(burst), every_ms: i64::from(every_ms), seen: Mutex::default() }
    }

    /// Takes a token of `who`. When there is none: after how many seconds there will be.
    ///
    /// # Errors
    /// The whole seconds to wait, at least 1.
    pub fn take(&self, who: &str, now: UnixMs) -> Result<(), u32> {
        let mut seen = self.seen.lock();
        if seen.buckets.len() > seen.clear_at.max(FEW) {
            // A bucket that is full again is as good as none. The next walk comes when the map has doubled, so that a flood
            // of addresses does not have it walked at each request.
            let (every, burst) = (self.every_ms, self.burst);
            seen.buckets.retain(|_, b| now.0 - b.at.0 < every * burst);
            seen.clear_at = seen.buckets.len() * 2;
        }
        let bucket = seen.buckets.entry(who.to_owned()).or_insert(Bucket { debt_ms: 0, at: now });
        let debt = bucket.debt_ms.saturating_sub((now.0 - bucket.at.0).max(0)).max(0);
        let wanted = debt + self.every_ms;
        let most = self.burst * self.every_ms;
        *bucket = Bucket { debt_ms: debt, at: now };
        if wanted > most {
            let wait_ms = wanted - most;
            return Err(u32::try_from(wait_ms.div_euclid(1000) + 1).unwrap_or(u32::MAX));
        }
        bucket.debt_ms = wanted;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_one_at_a_time() {
        let limiter = Limiter::new(3, 1000);
        for _ in 0..3 {
            assert!(limiter.take("a", UnixMs(0)).is_ok());
        }
        assert!(limiter.take("a", UnixMs(0)).is_err());
        assert!(limiter.take("b", UnixMs(0)).is_ok());
        assert!(limiter.take("a", UnixMs(1000)).is_ok());
        assert!(limiter.take("a", UnixMs(1500)).is_err());
        assert!(limiter.take("a", UnixMs(60_000)).is_ok());
    }
}
