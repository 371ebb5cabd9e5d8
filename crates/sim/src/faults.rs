//! Misbehaviour on demand. All off, the simulator is WeChat on a good day.

use serde::{Deserialize, Serialize};

use crate::problem::Problem;

/// The switches of `PUT /sim/v1/faults`. What a request leaves out is off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Answers of the platform (and of the SMS vendor) come so much later, in milliseconds of real time (at most 60,000).
    pub slow_ms: u64,
    /// This share of calls (0–1) gets HTTP 502 and has no effect.
    pub http_5xx_rate: f64,
    /// This share of calls (0–1) gets errcode −1 and has no effect.
    pub busy_rate: f64,
    /// The next so many calls that send something are carried out, then the connection is reset before the answer.
    pub reset_after_accept: u32,
    /// The next so many calls find their token expired (42001), and that token is gone.
    pub token_expired: u32,
    /// Every call gets 45009, the daily quota.
    pub rate_limited: bool,
    /// Only calls whose path begins with one of these are touched by the switches above; empty means all.
    pub paths: Vec<String>,
    /// Each push goes out so many times more, at the same moment (at most 200).
    pub duplicate_push: u32,
    /// Each push waits until a later one has gone out (two seconds at most), so that the order is turned round.
    pub reorder_push: bool,
    /// Before each push goes a copy with a forged signature.
    pub forge_push: bool,
    /// Pushes carry a field that no documentation knows.
    pub unknown_fields: bool,
    /// WeChat's clock differs from ours by so many milliseconds (in CreateTime and timestamps of pushes).
    pub clock_skew_ms: i64,
    /// What becomes of accepted template messages.
    pub template_outcome: TemplateOutcome,
    /// When the result of a template message is pushed.
    pub template_event: TemplateEvent,
    /// The SMS vendor refuses with this code, for instance `isv.BUSINESS_LIMIT_CONTROL`; empty refuses nothing.
    pub sms_fail: String,
    /// SMS are accepted, but do not reach the phone.
    pub sms_lost: bool,
    /// People who come through web authorisation are snapshot users.
    pub snapshot_user: bool,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            slow_ms: 0,
            http_5xx_rate: 0.0,
            busy_rate: 0.0,
            reset_after_accept: 0,
            token_expired: 0,
            rate_limited: false,
            paths: Vec::new(),
            duplicate_push: 0,
            reorder_push: false,
            forge_push: false,
            unknown_fields: false,
            clock_skew_ms: 0,
            template_outcome: TemplateOutcome::Success,
            template_event: TemplateEvent::Mixed,
            sms_fail: String::new(),
            sms_lost: false,
            snapshot_user: false,
        }
    }
}

/// `Status` of TEMPLATESENDJOBFINISH.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemplateOutcome {
    /// `success`, and the phone shows it.
    Success,
    /// `failed:user block`.
    UserBlock,
    /// `failed: system failed` (the blank is WeChat's).
    SystemFailed,
}

/// When TEMPLATESENDJOBFINISH comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemplateEvent {
    /// Sometimes before the call has been answered, sometimes after: what WeChat does.
    Mixed,
    /// Before the call has been answered.
    Before,
    /// After it has been answered.
    After,
    /// Not at all.
    Never,
}

impl Faults {
    /// Refuses values that make no sense.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        let share = |name: &str, value: f64| {
            if (0.0..=1.0).contains(&value) {
                Ok(())
            } else {
                Err(Problem::invalid(name, "a share between 0 and 1"))
            }
        };
        share("http_5xx_rate", self.http_5xx_rate)?;
        share("busy_rate", self.busy_rate)?;
        if self.slow_ms > 60_000 {
            return Err(Problem::invalid("slow_ms", "at most 60000"));
        }
        if self.duplicate_push > 200 {
            return Err(Problem::invalid("duplicate_push", "at most 200"));
        }
        if self.paths.iter().any(|path| !path.starts_with('/')) {
            return Err(Problem::invalid("paths", "each begins with /"));
        }
        Ok(())
    }

    /// True when a call to `path` is to be disturbed at all.
    pub(crate) fn touches(&self, path: &str) -> bool {
        self.paths.is_empty() || self.paths.iter().any(|prefix| path.starts_with(prefix.as_str()))
    }
}
