//! How many tests ran: from what each runner writes for machines, never from what it prints for people.

use anyhow::{Context as _, Result};
use serde_json::Value;

/// Tests of one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) skipped: u64,
}

/// Nextest's JUnit file: the attributes of its `<testsuites>`. It lists only tests that ran.
pub(super) fn junit(text: &str) -> Result<Counts> {
    let (_, from) = text.split_once("<testsuites").context("there is no <testsuites>")?;
    let (head, _) = from.split_once('>').context("<testsuites> does not end")?;
    let number = |name: &str| -> Result<u64> {
        let (_, value) = head.split_once(&format!(" {name}=\"")).with_context(|| format!("no {name}"))?;
        let (value, _) = value.split_once('"').with_context(|| format!("{name} does not end"))?;
        value.parse().with_context(|| format!("{name} is {value:?}"))
    };
    let failed = number("failures")?.saturating_add(number("errors")?);
    Ok(Counts { passed: number("tests")?.saturating_sub(failed), failed, skipped: 0 })
}

/// Vitest's JSON reporter. A file that does not even load is a failed suite without tests: it counts as one.
pub(super) fn vitest(text: &str) -> Result<Counts> {
    let json: Value = serde_json::from_str(text)?;
    let broken = json.get("testResults").and_then(Value::as_array).map_or(0, |files| {
        let count = files.iter().filter(|file| {
            let tests = file.get("assertionResults").and_then(Value::as_array);
            file.get("status").and_then(Value::as_str) == Some("failed") && tests.is_none_or(Vec::is_empty)
        });
        u64::try_from(count.count()).unwrap_or(u64::MAX)
    });
    Ok(Counts {
        passed: number(&json, "numPassedTests")?,
        failed: number(&json, "numFailedTests")?.saturating_add(broken),
        skipped: number(&json, "numPendingTests")?.saturating_add(number(&json, "numTodoTests")?),
    })
}

/// Playwright's JSON reporter. A flaky test is a failed one; errors outside of tests count too.
pub(super) fn playwright(text: &str) -> Result<Counts> {
    let json: Value = serde_json::from_str(text)?;
    let stats = json.get("stats").context("there is no stats")?;
    let errors = json.get("errors").and_then(Value::as_array).map_or(0, Vec::len);
    let failed = number(stats, "unexpected")?.saturating_add(number(stats, "flaky")?);
    Ok(Counts {
        passed: number(stats, "expected")?,
        failed: failed.saturating_add(u64::try_from(errors).unwrap_or(u64::MAX)),
        skipped: number(stats, "skipped")?,
    })
}

fn number(json: &Value, name: &str) -> Result<u64> {
    json.get(name).and_then(Value::as_u64).with_context(|| format!("there is no number {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: u64, failed: u64, skipped: u64) -> Counts {
        Counts { passed, failed, skipped }
    }

    #[test]
    fn nextest() {
        let text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
            <testsuites name=\"nextest-run\" tests=\"12\" failures=\"2\" errors=\"1\" uuid=\"x\" time=\"0.1\">\n\
            <testsuite name=\"store\" tests=\"12\" failures=\"2\" errors=\"1\"></testsuite></testsuites>";
        assert_eq!(junit(text).unwrap(), counts(9, 3, 0));
        assert!(junit("").is_err());
        assert!(junit("<testsuites tests=\"1\">").is_err());
        assert!(junit("<testsuites tests=\"x\" failures=\"0\" errors=\"0\">").is_err());
    }

    #[test]
    fn vitest_counts_files_that_do_not_load() {
        let text = r#"{"numTotalTests":5,"numPassedTests":2,"numFailedTests":1,"numPendingTests":1,"numTodoTests":1,
            "testResults":[{"status":"failed","assertionResults":[]},
                           {"status":"failed","assertionResults":[{"status":"failed"}]},
                           {"status":"passed","assertionResults":[{"status":"passed"}]}]}"#;
        assert_eq!(vitest(text).unwrap(), counts(2, 2, 2));
        assert!(vitest("{}").is_err());
    }

    #[test]
    fn playwright_counts_flaky_tests_and_errors_as_failed() {
        let text =
            r#"{"stats":{"expected":7,"unexpected":1,"flaky":1,"skipped":2},"errors":[{"message":"setup"}]}"#;
        assert_eq!(playwright(text).unwrap(), counts(7, 3, 2));
        assert!(playwright(r#"{"errors":[]}"#).is_err());
    }
}
