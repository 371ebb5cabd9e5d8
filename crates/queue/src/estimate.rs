//! How long somebody will wait: a range that holds eight times in ten, and the earliest moment at which they may be called,
//! which is missed less than twice in a hundred. Pure functions; times in seconds.
//!
//! Service times are taken as log-normal. What is believed of a line's pace begins with its history (or with what its
//! department or its set-up says) and leans to what this doctor does today, the more the more there is of it
//! ([`Belief::learn`]). A wait is the rest of the service under way and the services of those ahead, divided by the rooms;
//! its mean and variance give a log-normal of its own, whose quantiles are the answer ([`wait`]). Those who are sent in
//! between (priority groups, people back from exams, those of earlier segments who have not come yet) count with what is to be
//! expected of them, and so do those who go away.

use std::time::Duration;

/// How much what was known before weighs, in services: a dozen of today's count more.
const PRIOR_WEIGHT: f64 = 6.0;
/// Services so far from what is believed, in standard deviations, are taken for this far: somebody forgot to press a key.
const ROBUST: f64 = 2.2;
/// The usual spread of a consultation (`health.md` 5.3).
pub const USUAL_SPREAD: f64 = 0.55;
/// One in twenty does not come when called (`health.md` 5.3).
const NO_ANSWER: f64 = 0.05;
/// From one to the next: the call, the way to the door. Seconds.
const BETWEEN: f64 = 15.0;
/// Quantiles of the standard normal: 10 %, and 0.7 % for the earliest moment, since the log-normal is only near the truth.
const Z_RANGE: f64 = 1.2816;
const Z_EARLIEST: f64 = 2.45;
/// With each further room that quantile goes lower: the first of several rooms to be free is free earlier than their average says.
const Z_FOR_ROOM: f64 = 0.3;

/// What is believed of how long service takes: the logarithm of seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Belief {
    /// Its mean: the logarithm of the median.
    pub mean: f64,
    /// Its standard deviation.
    pub spread: f64,
    /// How many services this rests on.
    pub weight: f64,
}

impl Belief {
    /// From what the set-up says: the median in seconds.
    #[must_use]
    pub fn of_median(seconds: f64) -> Self {
        Self { mean: seconds.max(5.0).ln(), spread: USUAL_SPREAD, weight: 1.0 }
    }

    /// From sums that were kept: the weight, the mean of the logarithms and the mean of their squares.
    #[must_use]
    pub fn of_sums(weight: f64, mean: f64, square: f64) -> Self {
        let variance = (square - mean * mean).max(0.01);
        Self { mean, spread: variance.sqrt(), weight }
    }

    /// Two beliefs about the same thing as one, each by its weight.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        let weight = self.weight + other.weight;
        if weight <= 0.0 {
            return self;
        }
        let part = other.weight / weight;
        let mean = self.mean + (other.mean - self.mean) * part;
        let within = self.spread.powi(2) * (1.0 - part) + other.spread.powi(2) * part;
        Self { mean, spread: within.sqrt(), weight }
    }

    /// What is believed after today's services, the newest first, in seconds. Newer ones weigh more; outliers are drawn in.
    #[must_use]
    pub fn learn(self, today: impl IntoIterator<Item = f64>) -> Self {
        let prior = self.weight.clamp(1.0, PRIOR_WEIGHT);
        let (mut sum, mut square, mut weight) = (0.0, 0.0, 0.0);
        let mut fading = 1.0;
        for seconds in today {
            let off = seconds.max(5.0).ln() - self.mean;
            let off = off.clamp(-ROBUST * self.spread, ROBUST * self.spread);
            sum += fading * off;
            square += fading * off * off;
            weight += fading;
            fading *= 0.96;
        }
        let total = prior + weight;
        let shift = sum / total;
        let variance =
            (prior * self.spread.powi(2) + (square - 2.0 * shift * sum + shift * shift * weight)) / total;
        Self { mean: self.mean + shift, spread: variance.max(0.01).sqrt(), weight: total }
    }

    /// Somebody whose service takes so many times as long.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self { mean: self.mean + factor.max(0.05).ln(), ..self }
    }

    /// The median, in seconds.
    #[must_use]
    pub fn median(self) -> f64 {
        self.mean.exp()
    }

    /// From one call to the next in a room, on average, in seconds.
    #[must_use]
    pub fn each(self) -> f64 {
        self.average() + BETWEEN
    }

    fn average(self) -> f64 {
        (self.mean + self.spread.powi(2) / 2.0).exp()
    }

    fn variance(self) -> f64 {
        self.average().powi(2) * (self.spread.powi(2).exp() - 1.0)
    }

    /// What is still to come of a service that has lasted `elapsed` seconds: mean and variance. From the log-normal above that
    /// point, by its hazard.
    fn rest(self, elapsed: f64) -> (f64, f64) {
        if elapsed <= 0.0 {
            return (self.average(), self.variance());
        }
        let z = (elapsed.ln() - self.mean) / self.spread;
        let above = upper_tail(z).max(1e-9);
        let mean = self.average() * upper_tail(z - self.spread) / above - elapsed;
        // Long after the usual end nobody knows: at least a quarter of a usual service, and as uncertain as that is long.
        let mean = mean.max(self.median() / 4.0).min(self.average() * 3.0);
        (mean, mean * mean)
    }
}

/// What stands between somebody and their call.
#[derive(Debug, Clone, Default)]
pub struct Ahead {
    /// Those ahead in the line, each with how many times as long as usual they take.
    pub people: Vec<f64>,
    /// How many more are to be expected before them: those of earlier segments who have not come yet.
    pub expected: f64,
    /// How many are sent in between for each who is called, on average.
    pub inserted: f64,
    /// For each room in which somebody is: for how many seconds they have been there.
    pub in_rooms: Vec<f64>,
    /// How many rooms the line has; at least one counts.
    pub rooms: usize,
    /// In how many seconds the line begins to move: a pause, a doctor who begins at eight.
    pub starts_in: f64,
}

/// People come so long before their segment begins, as a rule (`health.md` 5.3). Seconds.
const COME_BEFORE: f64 = 15.0 * 60.0;
/// Of those who have booked so many come …
const COMES: f64 = 0.85;
/// … and of those who are not there when their segment begins, so many still do; half an hour later hardly anybody.
const COMES_LATE: f64 = 0.35;
const TOO_LATE: f64 = 30.0 * 60.0;

/// How many of those of earlier segments who have not come yet will be sent in before somebody whose own turn would come in
/// `own_turn` seconds without them, when each call takes `each` seconds of the line. `segments`: in how many seconds each begins
/// (less than 0: it has begun), and how many of it are not there. Whoever comes only after that turn is not before it; so the
/// segments are gone through in their order, and each that comes in time puts the turn off for those behind it.
#[must_use]
pub fn still_to_come(segments: impl IntoIterator<Item = (f64, u32)>, own_turn: f64, each: f64) -> f64 {
    let mut segments: Vec<(f64, u32)> = segments.into_iter().collect();
    segments.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut before = 0.0;
    for (begins_in, people) in segments {
        let share = if begins_in >= 0.0 { COMES } else { COMES_LATE * (1.0 + begins_in / TOO_LATE).max(0.0) };
        if begins_in - COME_BEFORE > own_turn + before * each {
            break;
        }
        before += share * f64::from(people);
    }
    before
}

/// A wait: seconds from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// One in ten is called before this …
    pub low: Duration,
    /// … and one in ten after this.
    pub high: Duration,
    /// Hardly anybody is called before this.
    pub earliest: Duration,
}

/// The wait of somebody with this ahead.
#[must_use]
pub fn wait(belief: Belief, ahead: &Ahead) -> Wait {
    let rooms = f64::from(u32::try_from(ahead.rooms.max(1)).unwrap_or(1));
    let (mut mean, mut variance) = (0.0, 0.0);
    // A room without anybody takes the next one at once.
    let busy = ahead.in_rooms.len() >= ahead.rooms.max(1);
    if busy {
        let rests: Vec<(f64, f64)> = ahead.in_rooms.iter().map(|elapsed| belief.rest(*elapsed)).collect();
        let count = f64::from(u32::try_from(rests.len().max(1)).unwrap_or(1));
        // The first of several rooms to be free: about the average rest, divided by their number.
        mean += rests.iter().map(|r| r.0).sum::<f64>() / count / count;
        variance += rests.iter().map(|r| r.1).sum::<f64>() / count / count / count;
    }
    let comes = 1.0 - NO_ANSWER;
    let mut served = 0.0;
    for factor in &ahead.people {
        let one = belief.times(*factor);
        let (m, v) = (one.average() + BETWEEN, one.variance());
        mean += comes * m / rooms;
        variance += (comes * (v + m * m) - (comes * m).powi(2)) / rooms.powi(2);
        served += factor;
    }
    // Who is sent in between comes in numbers that vary like their mean.
    let people = f64::from(u32::try_from(ahead.people.len()).unwrap_or(0));
    let more = ahead.expected + ahead.inserted * people;
    let (m, v) = (belief.average() + BETWEEN, belief.variance());
    mean += more * m / rooms;
    variance += more * (v + m * m) / rooms.powi(2);
    // The pace itself is only believed: that error is the same for all who are ahead.
    let unsure = (belief.spread.powi(2) / belief.weight.max(1.0)).exp() - 1.0;
    variance += ((served + more) * belief.average() / rooms).powi(2) * unsure;
    let starts = ahead.starts_in.max(0.0);
    if mean < 1.0 {
        let soon = seconds(starts + BETWEEN * 4.0);
        return Wait { low: seconds(starts), high: soon, earliest: seconds(starts) };
    }
    let spread = (variance / (mean * mean)).ln_1p();
    let middle = mean.ln() - spread / 2.0;
    let quantile = |z: f64| seconds(starts + (middle + z * spread.sqrt()).exp());
    Wait {
        low: quantile(-Z_RANGE),
        high: quantile(Z_RANGE),
        earliest: quantile(-Z_EARLIEST - Z_FOR_ROOM * (rooms - 1.0).min(3.0)),
    }
}

fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value.clamp(0.0, 7.0 * 86_400.0)).unwrap_or_default()
}

/// The part of the standard normal above `z` (Abramowitz and Stegun 26.2.17; the error is below 1e-7).
fn upper_tail(z: f64) -> f64 {
    if z < 0.0 {
        return 1.0 - upper_tail(-z);
    }
    let t = 1.0 / (1.0 + 0.231_641_9 * z);
    let series = t
        * (0.319_381_530
            + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() * series
}

#[cfg(test)]
mod tests;
