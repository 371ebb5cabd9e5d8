//! What a hospital may set, each with its default. A section that was never set has all of its defaults; see
//! [`edge::Hospital::settings`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Section `persons`: how many persons an account may have, and how often names may be guessed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PersonRules {
    /// The most persons that one account may be bound to. Default 5.
    pub per_account: u32,
    /// After so many wrong names or details within a day an account may not look for a person any more, nor anybody by the
    /// same phone. Default 5.
    pub wrong_names_per_day: u32,
    /// The most accounts that a child may be bound to: its guardians. Default 2.
    pub guardians: u32,
    /// For so many days after a child came of age its guardians still hold the record, unless the person decides otherwise.
    /// Default 90.
    pub hand_over_days: u32,
    /// For so many years after the last change a record is kept, closed, when its person asks for deletion. Default 15, as
    /// outpatient records are.
    pub keep_years: u32,
    /// The same for an address. Carriers put thousands of phones behind one, so this is more. Default 50.
    pub wrong_names_per_address_day: u32,
}

impl Default for PersonRules {
    fn default() -> Self {
        Self {
            per_account: 5,
            wrong_names_per_day: 5,
            guardians: 2,
            hand_over_days: 90,
            keep_years: 15,
            wrong_names_per_address_day: 50,
        }
    }
}

impl PersonRules {
    /// The name of the section.
    pub const SECTION: &'static str = "persons";
}

/// Section `consent`: which wording of the texts is in force. The texts themselves are shown by the app; a person agrees to a
/// version, and that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsentVersions {
    /// The privacy notice. Default `2026-11`.
    pub privacy_version: String,
    /// The consent to the use of a person's data. Default `2026-11`.
    pub consent_version: String,
}

impl Default for ConsentVersions {
    fn default() -> Self {
        Self { privacy_version: "2026-11".into(), consent_version: "2026-11".into() }
    }
}

impl ConsentVersions {
    /// The name of the section.
    pub const SECTION: &'static str = "consent";
}

/// Section `sms_codes`: how long codes hold and how many are sent. The windows of the counts begin with the first code in
/// them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CodeRules {
    /// A code holds for so many seconds. Default 300.
    pub valid_s: u32,
    /// A code may be tried so often. Default 5.
    pub tries: u32,
    /// A phone gets the next code after so many seconds, whatever it is for. Default 60.
    pub resend_after_s: u32,
    /// The most codes for one phone within 24 hours. Default 5.
    pub per_phone_day: u32,
    /// The most codes that one address may ask for within an hour. Default 20.
    pub per_address_hour: u32,
    /// Addresses behind which many people are, such as that of the hospital's own Wi-Fi. Default none.
    pub shared_addresses: Vec<String>,
    /// As `per_address_hour`, for each of the shared addresses. Default 600.
    pub per_shared_address_hour: u32,
    /// The most codes that one account may ask for within 24 hours, for all of its persons. Default 15.
    pub per_account_day: u32,
    /// The most codes of the hospital within 24 hours: what an attack may cost at most. Default 20,000.
    pub per_day: u32,
}

impl Default for CodeRules {
    fn default() -> Self {
        Self {
            valid_s: 300,
            tries: 5,
            resend_after_s: 60,
            per_phone_day: 5,
            per_address_hour: 20,
            shared_addresses: Vec::new(),
            per_shared_address_hour: 600,
            per_account_day: 15,
            per_day: 20_000,
        }
    }
}

impl CodeRules {
    /// The name of the section.
    pub const SECTION: &'static str = "sms_codes";
}

/// Section `sign_in`: the ways to sign in, and how long a session lasts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignInRules {
    /// Whether people may sign in through WeChat, where a service account is connected. Default true.
    pub wechat: bool,
    /// Whether people may sign in by a phone and a code. Default true.
    pub sms: bool,
    /// A session ends when it was not used for so many minutes. In WeChat the next one begins by itself. Default 30, as
    /// level 3 protection has it for patients.
    pub idle_minutes: u32,
    /// A session ends after so many hours at the latest. Default 12.
    pub longest_hours: u32,
}

impl Default for SignInRules {
    fn default() -> Self {
        Self { wechat: true, sms: true, idle_minutes: 30, longest_hours: 12 }
    }
}

impl SignInRules {
    /// The name of the section.
    pub const SECTION: &'static str = "sign_in";

    /// How long a session lasts without being used.
    #[must_use]
    pub fn idle(&self) -> Duration {
        Duration::from_secs(u64::from(self.idle_minutes) * 60)
    }

    /// How long a session lasts at most.
    #[must_use]
    pub fn longest(&self) -> Duration {
        Duration::from_secs(u64::from(self.longest_hours) * 3600)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_section_may_be_set_and_a_slip_is_refused() {
        let rules: CodeRules = serde_json::from_str(r#"{"per_phone_day": 3}"#).unwrap();
        assert_eq!(rules, CodeRules { per_phone_day: 3, ..CodeRules::default() });
        assert!(serde_json::from_str::<CodeRules>(r#"{"per_phone_days": 3}"#).is_err());
        assert_eq!(SignInRules::default().idle(), Duration::from_secs(1800));
    }
}
