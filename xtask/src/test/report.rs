//! What a run says at its end.

use std::fmt::Write as _;

use super::counts::Counts;

/// How a step ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum Outcome {
    Passed(Counts),
    Failed(Counts),
    /// Not run, because this step had failed (or was skipped itself).
    Skipped(&'static str),
}

impl Outcome {
    pub(super) fn is_ok(self) -> bool {
        matches!(self, Self::Passed(_))
    }
}

/// One line of the table.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) outcome: Outcome,
    pub(super) seconds: f64,
}

/// The steps with their seconds, and the tests they ran.
pub(super) fn table(rows: &[Row]) -> String {
    let mut text = format!("\n{:<16} {:<8} {:>8}  tests\n", "step", "result", "seconds");
    let mut total = 0.0;
    for row in rows {
        total += row.seconds;
        let (result, more) = match row.outcome {
            Outcome::Passed(counts) => ("ok", tests(counts)),
            Outcome::Failed(counts) => ("FAILED", tests(counts)),
            Outcome::Skipped(need) => ("skipped", format!("needs {need}")),
        };
        let line = format!("{:<16} {result:<8} {:>8.1}  {more}", row.name, row.seconds);
        let _infallible = writeln!(text, "{}", line.trim_end());
    }
    let _infallible = writeln!(text, "{:<16} {:<8} {total:>8.1}\n", "all", "");
    text
}

fn tests(counts: Counts) -> String {
    match counts {
        Counts { passed: 0, failed: 0 | 1, skipped: 0 } => String::new(),
        Counts { passed, failed, skipped: 0 } => format!("{passed} passed, {failed} failed"),
        Counts { passed, failed, skipped } => format!("{passed} passed, {failed} failed, {skipped} skipped"),
    }
}

/// All tests together, and whether everything is well. A check that failed counts as one failed test, so that the
/// closing line never says "0 failed" of a run that failed.
pub(super) fn sum(rows: &[Row]) -> (Counts, bool) {
    let mut sum = Counts::default();
    for row in rows {
        if let Outcome::Passed(counts) | Outcome::Failed(counts) = row.outcome {
            sum.passed = sum.passed.saturating_add(counts.passed);
            sum.failed = sum.failed.saturating_add(counts.failed);
            sum.skipped = sum.skipped.saturating_add(counts.skipped);
        }
    }
    (sum, rows.iter().all(|row| row.outcome.is_ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Row> {
        let counts = |passed, failed| Counts { passed, failed, skipped: 0 };
        vec![
            Row { name: "clippy", outcome: Outcome::Passed(counts(0, 0)), seconds: 12.34 },
            Row { name: "build", outcome: Outcome::Failed(counts(0, 1)), seconds: 3.0 },
            Row { name: "nextest", outcome: Outcome::Failed(counts(40, 2)), seconds: 60.0 },
            Row { name: "playwright", outcome: Outcome::Skipped("build"), seconds: 0.0 },
        ]
    }

    #[test]
    fn the_sum_takes_failed_checks_along() {
        assert_eq!(sum(&rows()), (Counts { passed: 40, failed: 3, skipped: 0 }, false));
        let (good, bad) = (&rows()[..1], &rows()[3..]);
        assert_eq!(sum(good), (Counts::default(), true));
        assert!(!sum(bad).1, "a skipped step is not a passed one");
    }

    #[test]
    fn the_table_shows_every_step() {
        let text = table(&rows());
        assert!(text.contains("clippy           ok           12.3\n"), "{text}");
        assert!(text.contains("nextest          FAILED       60.0  40 passed, 2 failed\n"), "{text}");
        assert!(text.contains("playwright       skipped       0.0  needs build\n"), "{text}");
        assert!(text.contains("all                           75.3\n"), "{text}");
    }
}
