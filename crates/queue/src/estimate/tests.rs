use super::*;

/// A small generator with a fixed start, so that the figures below are the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn unit(&mut self) -> f64 {
        f64::from(u32::try_from(self.next() >> 32).unwrap()) / 4_294_967_296.0
    }

    fn below(&mut self, count: u64) -> usize {
        usize::try_from(self.next() % count).unwrap()
    }

    fn normal(&mut self) -> f64 {
        let (a, b) = (self.unit().max(1e-12), self.unit());
        (-2.0 * a.ln()).sqrt() * (2.0 * std::f64::consts::PI * b).cos()
    }

    fn log_normal(&mut self, median: f64, spread: f64) -> f64 {
        median * (spread * self.normal()).exp()
    }
}

#[test]
fn the_tail_of_the_normal() {
    for (z, tail) in [(0.0, 0.5), (1.2816, 0.1), (-1.2816, 0.9), (2.326_35, 0.01)] {
        assert!((upper_tail(z) - tail).abs() < 1e-4, "{z}: {}", upper_tail(z));
    }
}

#[test]
fn nobody_ahead_and_a_free_room_is_now() {
    let now = wait(Belief::of_median(420.0), &Ahead { rooms: 1, ..Ahead::default() });
    assert_eq!((now.low, now.earliest), (Duration::ZERO, Duration::ZERO));
    assert!(now.high <= Duration::from_secs(60));
    let paused = wait(Belief::of_median(420.0), &Ahead { rooms: 1, starts_in: 600.0, ..Ahead::default() });
    assert!(paused.earliest >= Duration::from_secs(600));
}

#[test]
fn only_those_who_come_before_ones_turn_are_before_it() {
    let before =
        |segments: &[(f64, u32)], own_turn: f64| still_to_come(segments.iter().copied(), own_turn, 300.0);
    let minutes = |n: f64| n * 60.0;
    assert_eq!(before(&[], 0.0), 0.0);
    // They come a quarter of an hour before their time: in time for a turn in half an hour, not for one now.
    assert_eq!(before(&[(minutes(40.0), 4)], minutes(30.0)), 4.0 * COMES);
    assert_eq!(before(&[(minutes(40.0), 4)], 0.0), 0.0);
    // The first put the turn off, so that the second are before it, too.
    let both = before(&[(minutes(10.0), 8), (minutes(40.0), 4)], 0.0);
    assert_eq!(both, 12.0 * COMES);
    // Of those whose time has begun fewer and fewer still come.
    let late = |by: f64| before(&[(-minutes(by), 10)], minutes(60.0));
    assert!(late(1.0) > late(20.0) && late(20.0) > 0.0 && late(31.0) == 0.0, "{} {}", late(1.0), late(20.0));
}

#[test]
fn today_counts_more_the_more_there_is_of_it() {
    let usual = Belief { mean: 420.0_f64.ln(), spread: 0.5, weight: 200.0 };
    let fast = |n| usual.learn(std::iter::repeat_n(200.0, n)).median();
    assert!(fast(0) == usual.median() && fast(3) < fast(0) && fast(12) < fast(3));
    assert!(fast(12) < 280.0, "{}", fast(12));
    // One forgotten key is not believed.
    let forgotten = usual.learn([9_000.0]);
    assert!(forgotten.median() < usual.median() * 1.25, "{}", forgotten.median());
}

#[test]
fn more_ahead_is_longer_and_more_rooms_are_shorter() {
    let belief = Belief { weight: 50.0, ..Belief::of_median(300.0) };
    let at = |n: usize, rooms| {
        wait(belief, &Ahead { people: vec![1.0; n], rooms, in_rooms: vec![60.0; rooms], ..Ahead::default() })
    };
    assert!(at(3, 1).low < at(6, 1).low && at(3, 1).high < at(6, 1).high);
    assert!(at(6, 3).high < at(6, 1).high);
    for n in 0..40 {
        let one = at(n, 1);
        assert!(one.earliest <= one.low && one.low < one.high, "{n}: {one:?}");
    }
}

#[test]
fn kept_sums_say_the_same() {
    let (mean, spread) = (5.5, 0.4);
    let belief = Belief::of_sums(80.0, mean, mean * mean + spread * spread);
    assert!((belief.spread - spread).abs() < 1e-9);
    let both = belief.with(Belief { mean: 6.5, spread: 0.4, weight: 80.0 });
    assert!((both.mean - 6.0).abs() < 1e-9 && both.weight > 159.0);
}

/// A morning of many doctors, as `health.md` 5.3 draws it: each has a pace of their own that nobody knows beforehand, people
/// don't come when called, others are sent in between, some are back from exams and take less time. Whoever waits is told a range;
/// later we see when they were called.
fn coverage(seed: u64, rooms: usize) -> (f64, f64, u32) {
    let mut random = Random(seed);
    let (mut within, mut missed, mut all) = (0_u32, 0_u32, 0_u32);
    for _doctor in 0..900 {
        let department = [(420.0, 0.55), (480.0, 0.5), (300.0, 0.5), (360.0, 0.6), (600.0, 0.5)];
        let (usual, spread) = department[random.below(5)];
        // Doctors differ from their department, and from day to day.
        let own = random.log_normal(usual, 0.18);
        let pace =
            |random: &mut Random, back: bool| random.log_normal(own * if back { 0.6 } else { 1.0 }, spread);
        let seen = random.below(20);
        let today: Vec<f64> = (0..seen).map(|_| pace(&mut random, false)).collect();
        let belief = Belief { mean: f64::ln(usual), spread, weight: 60.0 }.learn(today);
        let ahead = 1 + random.below(14);
        let people: Vec<f64> = (0..ahead).map(|_| if random.unit() < 0.15 { 0.6 } else { 1.0 }).collect();
        let in_rooms: Vec<f64> = (0..rooms).map(|_| random.unit() * usual).collect();
        let told = wait(
            belief,
            &Ahead {
                people: people.clone(),
                inserted: 0.12,
                in_rooms: in_rooms.clone(),
                rooms,
                ..Ahead::default()
            },
        );
        // What happens then.
        let mut free: Vec<f64> = Vec::new();
        for elapsed in &in_rooms {
            let rest = (0..200)
                .map(|_| pace(&mut random, false))
                .find(|whole| whole > elapsed)
                .unwrap_or(elapsed + own)
                - elapsed;
            free.push(rest);
        }
        let serve = |free: &mut Vec<f64>, length: f64| {
            let (first, _) = free.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).unwrap();
            free[first] += length;
        };
        for factor in people {
            if random.unit() < 0.12 {
                let length = pace(&mut random, true) + 15.0;
                serve(&mut free, length);
            }
            if random.unit() < 0.95 {
                let length = pace(&mut random, factor < 1.0) + 15.0;
                serve(&mut free, length);
            }
        }
        let called = free.iter().copied().fold(f64::INFINITY, f64::min);
        all += 1;
        within += u32::from(called >= told.low.as_secs_f64() && called <= told.high.as_secs_f64());
        missed += u32::from(called < told.earliest.as_secs_f64());
    }
    (f64::from(within) / f64::from(all), f64::from(missed) / f64::from(all), all)
}

#[test]
fn ranges_hold_eight_times_in_ten_and_nobody_is_sent_away_too_long() {
    for (seed, rooms) in [(1, 1), (2, 1), (3, 1), (4, 2), (5, 3)] {
        let (within, missed, all) = coverage(seed, rooms);
        assert!((0.75..=0.85).contains(&within), "seed {seed}, {rooms} rooms: {within} of {all}");
        assert!(missed < 0.02, "seed {seed}, {rooms} rooms: {missed} of {all}");
    }
}
