//! Section `staff_sign_in`: how staff sign in, and when that is stopped.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The section, each value with its default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StaffSignIn {
    /// After so many wrong passwords or codes a login is locked for a time, whether it exists or not. Default 5.
    pub wrong_tries: u32,
    /// The same for an address, behind which a whole hospital may be. Default 50.
    pub wrong_tries_per_address: u32,
    /// Wrong tries are counted for so many minutes. Default 15.
    pub window_minutes: u32,
    /// For so many minutes it is locked. Default 15.
    pub lock_minutes: u32,
    /// A session ends when it was not used for so many minutes. Default 30.
    pub idle_minutes: u32,
    /// A session ends after so many hours at the latest. Default 12.
    pub longest_hours: u32,
    /// A code that takes the place of a password is good for so many hours. Default 24.
    pub code_hours: u32,
    /// Whether staff may sign in through WeCom, where an application is connected. Default true.
    pub wecom: bool,
    /// Whether WeCom alone is enough for the three administrators; else they type their second factor, too. Default false.
    pub wecom_alone_for_administrators: bool,
}

impl Default for StaffSignIn {
    fn default() -> Self {
        Self {
            wrong_tries: 5,
            wrong_tries_per_address: 50,
            window_minutes: 15,
            lock_minutes: 15,
            idle_minutes: 30,
            longest_hours: 12,
            code_hours: 24,
            wecom: true,
            wecom_alone_for_administrators: false,
        }
    }
}

impl StaffSignIn {
    /// The name of the section.
    pub const SECTION: &'static str = "staff_sign_in";

    pub(crate) fn window(&self) -> Duration {
        minutes(self.window_minutes)
    }

    pub(crate) fn lock(&self) -> Duration {
        minutes(self.lock_minutes)
    }

    pub(crate) fn idle(&self) -> Duration {
        minutes(self.idle_minutes)
    }

    pub(crate) fn longest(&self) -> Duration {
        minutes(self.longest_hours) * 60
    }

    pub(crate) fn code_life(&self) -> Duration {
        minutes(self.code_hours) * 60
    }
}

fn minutes(count: u32) -> Duration {
    Duration::from_secs(u64::from(count) * 60)
}
