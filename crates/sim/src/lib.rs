//! The other side of the product's wires: WeChat with people and their phones, and an SMS vendor. It serves the demo and the
//! tests alike, and it is strict: where the real platform would refuse, show an error line to a patient, or say nothing, so
//! does this one.
//!
//! - [`Sim::start`] listens on a port of its own. It speaks WeChat's public wire well enough that SDKs of third parties work
//!   against it unchanged but for the host name.
//! - `/cgi-bin/…`, `/sns/…`, `/connect/oauth2/authorize`: an official account's interfaces, with their error numbers and limits.
//! - `/cgi-bin/gettoken`, `/cgi-bin/auth/getuserinfo`, `/wwlogin/sso/login`: WeCom, as far as a corporation's members sign in by it.
//! - `/sms/v1/…`: the SMS vendor; every phone number that belongs to a phone here receives.
//! - `/v3/…`: WeChat Pay; `/gateway.do`: Alipay; `/org/local/api/hos/…`: the insurance bureau, each with its own books,
//!   notices and bills, and with key material that `/sim/v1/wechatpay`, `/sim/v1/alipay` and `/sim/v1/insurance` show.
//! - `/medical-web/api/medical/…`: the platform for e-invoices, whose account `/sim/v1/ebill` shows.
//! - `/sim/v1/…`: its own control: people and what they do, faults on demand, the clock, and the inbox of all that has
//!   arrived. Tests, scripts and the phones' page use it.
//! - `/`: the phones' page. Each phone has a host name of its own (`p1.localhost`, or `p1.phones.localhost` beside others
//!   on one desk), so that the browser keeps their cookies apart, and frames the product under the same name.
//!
//! **Invariants.** The simulator shares nothing with the product but `base` (the clock) and the cryptography of `wechat`
//! and `pay` that any third party would have to write too; readers, field rules and limits are its own. Life times follow the
//! injected clock. Everything is invented: there are no real people here.

mod alipay;
mod api;
mod chat;
mod config;
mod control;
mod ebill;
mod faults;
mod insurance;
mod net;
mod pages;
mod paying;
mod phone;
mod problem;
mod push;
mod qr;
mod rng;
mod run;
mod sms;
mod snapshot;
mod wechatpay;
mod wecom;
mod world;
mod wx;

pub use config::{AccountKind, Limits, PushFormat, PushMode, SimAccount, SimConfig, SmsConfig, TemplateSpec};
pub use faults::{Faults, TemplateEvent, TemplateOutcome};
pub use run::{Sim, SimHandle, StartError};
pub use wecom::{SimCorp, SimMember};
