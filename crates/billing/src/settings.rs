//! What a hospital decides about money (settings section `billing`).

use base::{Fen, WallTime};
use serde::{Deserialize, Serialize};

/// The settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// A refund that the desk asks for needs a second person from this amount on. Default 100 yuan; 0 means always.
    pub approve_from_fen: Fen,
    /// How long an order without a time of its own can be paid, in minutes. Default 30.
    pub pay_minutes: u32,
    /// When people are reminded of what they have paid for and not had done. Default 07:30.
    pub remind_at: WallTime,
    /// How often a refund is tried anew under a new number after the platform gave one up. Default 3.
    pub refund_again: u32,
    /// What the bureau knows us by.
    pub insurance: InsuranceSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            approve_from_fen: Fen(10_000),
            pay_minutes: 30,
            remind_at: WallTime::from_minutes(7 * 60 + 30),
            refund_again: 3,
            insurance: InsuranceSettings::default(),
        }
    }
}

/// What the bureau and WeChat's insurance cashier know us by. What it means differs by province.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InsuranceSettings {
    /// Given by Tencent; not always the national region code.
    pub city_id: String,
    /// Our code at the bureau.
    pub org_code: String,
    /// The region code of the insured, where the bureau wants one.
    pub region: String,
    /// `longitude,latitude` of the hospital.
    pub location: String,
}

impl Settings {
    /// The section's name.
    pub const SECTION: &'static str = "billing";
}
