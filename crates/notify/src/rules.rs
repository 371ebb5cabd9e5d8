//! Decisions: which way, when, and what to do after an outcome. Pure.

mod choose;
mod judge;
mod resume;

pub(crate) use choose::midnight;
pub use choose::{ChannelPlan, Facts, Reach, Route, Shut, choose, quiet_until};
pub use judge::{Next, Outcome, Tried, Why, after};
pub(crate) use judge::{sms_refusal, wechat};
pub use resume::{Resume, resume};
