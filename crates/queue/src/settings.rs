//! What a hospital may set about waiting: the section `queue`.

use serde::{Deserialize, Serialize};

/// The section `queue`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Check-in opens so many minutes before the time segment. Default 60.
    pub early_minutes: u32,
    /// Whoever comes so many minutes after the segment's start goes behind those of the segment of the moment. Default 30
    /// (`health.md` 5.2).
    pub late_after_minutes: u32,
    /// Whoever comes so many minutes after the segment's end can't check in by themselves any more; staff can. Default 180.
    pub over_after_minutes: u32,
    /// From this age on people are in the priority group of the elderly; 60 where the city asks for it. Default 65.
    pub elder_from_age: i16,
    /// One in so many calls goes to somebody who is back from an exam. Default 3.
    pub return_every: i64,
    /// One in so many calls goes to somebody of a priority group. Default 3.
    pub priority_every: i64,
    /// A missed call comes again after so many others. Default 5.
    pub miss_back: i64,
    /// The first push: so many are before you. Default 5; 0 switches it off.
    pub push_far: i64,
    /// The second push. Default 2; 0 switches it off.
    pub push_near: i64,
    /// Whether the next one is told so. Default yes.
    pub push_next: bool,
    /// A step at the desk can be taken back for so many seconds. Default 5.
    pub undo_seconds: u32,
    /// A position that the phone knows worse than this, in metres, proves nothing. Default 150.
    pub vague_from_m: u32,
    /// So many minutes are kept for the way back, when people are told how long they may walk around. Default 5.
    pub way_back_minutes: u32,
    /// Somebody who has been in a room for so many minutes after a call, without anything being done there, is counted as seen:
    /// whoever sat there has left without closing. Default 90.
    pub forgotten_minutes: u32,
    /// On which days after it was ready somebody is reminded of what they have to pick up. Default 1, 3, 7.
    pub remind_days: Vec<u32>,
    /// For how many hours an order that is only known from its paper is good. Default 24.
    pub provisional_hours: u32,
}

impl Settings {
    /// The section's name.
    pub const SECTION: &'static str = "queue";
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            early_minutes: 60,
            late_after_minutes: 30,
            over_after_minutes: 180,
            elder_from_age: 65,
            return_every: 3,
            priority_every: 3,
            miss_back: 5,
            push_far: 5,
            push_near: 2,
            push_next: true,
            undo_seconds: 5,
            vague_from_m: 150,
            way_back_minutes: 5,
            forgotten_minutes: 90,
            remind_days: vec![1, 3, 7],
            provisional_hours: 24,
        }
    }
}
