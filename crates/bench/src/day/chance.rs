//! Chance that comes out the same for the same seed, on every machine and with every version of anything.

/// A stream of random numbers (SplitMix64; Steele, Lea and Flood 2014).
pub(super) struct Chance(u64);

impl Chance {
    /// The stream of a seed.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Above 0 and below 1.
    pub(super) fn part(&mut self) -> f64 {
        let high = u32::try_from(self.next() >> 32).unwrap_or(0);
        (f64::from(high) + 0.5) / 4_294_967_296.0
    }

    /// Whether something happens that happens so often.
    pub(super) fn happens(&mut self, often: f64) -> bool {
        self.part() < often
    }

    /// Evenly between two bounds.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.part()
    }

    /// Normally around `mean` (Box and Muller).
    pub(super) fn normal(&mut self, mean: f64, spread: f64) -> f64 {
        let (one, two) = (self.part(), self.part());
        mean + spread * (-2.0 * one.ln()).sqrt() * (2.0 * std::f64::consts::PI * two).cos()
    }

    /// Log-normally with this median; `sigma` is that of the logarithm.
    pub(super) fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        self.normal(median.ln(), sigma).exp()
    }

    /// `value` rounded up or down, so that many of them are right on average.
    pub(super) fn round(&mut self, value: f64) -> u32 {
        let floor = whole(value);
        floor + u32::from(self.happens(value - f64::from(floor)))
    }
}

/// The whole part of a positive number; 0 for others.
pub(super) fn whole(value: f64) -> u32 {
    let duration = std::time::Duration::try_from_secs_f64(value.max(0.0)).unwrap_or_default();
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_it_says_it_is() {
        let mut chance = Chance::new(7);
        let many: Vec<f64> = (0..20_000).map(|_| chance.normal(5.0, 2.0)).collect();
        let mean = many.iter().sum::<f64>() / 20_000.0;
        let variance = many.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0;
        assert!((mean - 5.0).abs() < 0.05 && (variance.sqrt() - 2.0).abs() < 0.05, "{mean} {variance}");
        let mut logs: Vec<f64> = (0..20_001).map(|_| chance.log_normal(420.0, 0.55)).collect();
        logs.sort_by(f64::total_cmp);
        assert!((logs[10_000] - 420.0).abs() < 10.0, "{}", logs[10_000]);
        let rounded: u32 = (0..10_000).map(|_| chance.round(2.3)).sum();
        assert!((22_500..23_500).contains(&rounded), "{rounded}");
        assert_eq!(whole(-1.0) + whole(3.9), 3);
    }

    #[test]
    fn the_same_seed_gives_the_same_day() {
        let draw =
            |seed| (0..4).map(|_| 0).scan(Chance::new(seed), |c, _| Some(c.part())).collect::<Vec<_>>();
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}
