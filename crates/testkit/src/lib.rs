//! A hospital in a box, for tests that drive the whole program from outside.
//!
//! ```ignore
//! #[tokio::test(flavor = "multi_thread")]
//! async fn a_place_is_given_up() {
//!     each_hospital(async |hospital| {
//!         let li_na = hospital.patient("李娜").await;
//!         let slot = hospital.slot(&hospital.site.dr_li, 1, "08:00").await;
//!         let visit = li_na.books(&slot).await;
//!         li_na.cancels(visit.id()).await;
//!         li_na.receives_card("预约取消通知").await;
//!     })
//!     .await;
//! }
//! ```
//!
//! - [`each_hospital`] and [`Setup`] open a hospital on SQLite, then on PostgreSQL: a database of its own, the real server on
//!   a free loopback port, the simulator of WeChat and SMS on another, one clock for all, which stands still until the test
//!   moves it. Nothing is shared, so tests run side by side.
//! - [`Phone`] is a person with WeChat: follows, writes, scans, is told things, and opens our pages in its own browser.
//!   [`Browser`] speaks HTTP as our pages do: cookies, CSRF, language, keys.
//! - [`Hospital::settle`] waits until all that follows from what was done has been done.
//! - When a story is over, [`checks`] look at what must always hold, and the test fails when something does not.
//!
//! PostgreSQL is found as in `store::testing`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what helpers of tests can't do fails the test, where it stands"
)]

pub mod answer;
pub mod browser;
pub mod checks;
pub mod crowd;
pub mod hospital;
pub mod logs;
pub mod paying;
pub mod phone;
pub mod postgres;
pub mod program;
pub mod setup;
pub mod sim_control;
pub mod site;
pub mod someone;

pub use answer::Answer;
pub use browser::Browser;
pub use crowd::{Dice, Heard, Member};
pub use hospital::Hospital;
pub use phone::Phone;
pub use setup::{Setup, each_hospital};
pub use site::{Doctor, Site};
pub use someone::Someone;
