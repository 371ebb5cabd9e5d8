//! What an administrator can change: the section `notify` of a hospital's settings.

use std::collections::BTreeMap;

use base::{Lang, WallTime};
use serde::{Deserialize, Serialize};

use crate::model::Kind;

/// The section `notify`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// When phones are left in peace: reminders and calls-off wait until it is over, unless they would come too late then.
    /// Default 21:00 to 07:30. The same time twice means never.
    pub quiet: Quiet,
    /// Departments (by id) that no message names, since others may see the phone: psychiatry, reproductive medicine,
    /// infectious diseases and the like. Default none.
    pub sensitive_departments: Vec<String>,
    /// The vendor's template codes by `kind.language`, such as `appointment_confirmed.zh`. A kind without an entry has the
    /// code `XL_APPOINTMENT_CONFIRMED_ZH`.
    pub sms_templates: BTreeMap<String, String>,
    /// The most SMS in a day of the hospital, codes included: a loop somewhere must not cost a fortune. Default 20,000.
    pub sms_per_day: i64,
    /// For how many days what was sent is kept after its time, 180 at the least (Cybersecurity Law art. 21). Default 400.
    pub keep_days: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            quiet: Quiet::default(),
            sensitive_departments: Vec::new(),
            sms_templates: BTreeMap::new(),
            sms_per_day: 20_000,
            keep_days: 400,
        }
    }
}

/// Quiet hours, by the hospital's clocks. They may go over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quiet {
    /// From this time on …
    pub from: WallTime,
    /// … until this one.
    pub until: WallTime,
}

impl Default for Quiet {
    fn default() -> Self {
        Self { from: WallTime::from_minutes(21 * 60), until: WallTime::from_minutes(7 * 60 + 30) }
    }
}

impl Settings {
    /// The vendor's template code for a kind in a language.
    #[must_use]
    pub fn sms_template(&self, kind: Kind, lang: Lang) -> String {
        let key = format!("{}.{}", kind.code(), lang.code());
        self.sms_templates.get(&key).cloned().unwrap_or_else(|| default_sms_template(kind, lang))
    }
}

/// The template code that stands for a kind when no other is set; the simulator and the demo use these.
#[must_use]
pub fn default_sms_template(kind: Kind, lang: Lang) -> String {
    format!("XL_{}_{}", kind.code(), lang.code()).to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_goes_before_the_usual_code() {
        let text = r#"{"sms_templates": {"sms_code.zh": "SMS_1001"}, "quiet": {"from": "22:00"}}"#;
        let settings: Settings = serde_json::from_str(text).unwrap();
        assert_eq!(settings.sms_template(Kind::SmsCode, Lang::Zh), "SMS_1001");
        assert_eq!(settings.sms_template(Kind::SmsCode, Lang::En), "XL_SMS_CODE_EN");
        assert_eq!(settings.quiet.until.to_string(), "07:30");
        assert!(serde_json::from_str::<Settings>(r#"{"quite": {}}"#).is_err());
    }
}
