//! Money: what is owed, how it is paid, what goes back, and a ledger that explains all of it to the fen.
//!
//! - [`model`]: charges, payments, refunds, and the moves between their states
//! - [`payable`]: what can be paid for; the capability that owns a thing implements [`Payable`] for it
//! - [`checkout`]: somebody pays: the intent is committed first, then the platform is called with the bytes that were kept
//! - [`inbox`]: notices, proved and kept before they are acknowledged
//! - [`observation`], [`rules`], [`apply()`]: the one place where money changes state
//! - [`ledger`]: double entry, append-only
//! - [`refunds`]: wished for in one transaction with their reason, sent later
//! - [`worker`]: applies what came, asks about what did not come, closes what is over, sends refunds
//! - [`counter`]: cash and cards at the desk, in a cashier's shift
//! - [`check`]: proves on a living database that nothing of this was broken
//!
//! **Invariants.** "Paid" comes only from what was verified by `pay` or taken by a cashier. A charge has one effective payment
//! over all ways; everything beyond it goes back by itself. Nothing unclear is ever taken for a failure. No float touches an amount.

pub mod api;
pub mod apply;
pub mod charges;
pub mod check;
pub mod checkout;
pub mod counter;
pub mod inbox;
mod insurance;
pub mod invoice;
pub mod ledger;
pub mod merchants;
pub mod model;
pub mod observation;
pub mod payable;
mod problems;
mod reacts;
pub mod reconcile;
pub mod refunds;
pub mod rules;
mod sections;
pub mod settings;
mod store;
#[cfg(test)]
mod tests;
pub mod worker;

use std::sync::Arc;

use ::store::{Db, Topic, Vault};
use edge::{Capability, Hospitals};

pub use apply::{Applied, Seen, apply};
pub use merchants::{Merchants, NewPayAccount, add_pay_account};
pub use model::{ChargeId, Item, PaymentId, RefundId, RefundReason};
pub use observation::Observation;
pub use payable::{Bill, Given, Payable, Payables};
pub use refunds::give_up;
pub use store::charge::Price;
pub use store::merging;

/// A charge is paid, and its service given.
pub const PAID: &str = "billing.paid";
/// Money came for nothing: late or twice. It goes back.
pub const SURPLUS: &str = "billing.surplus";
/// Something is promised back.
pub const REFUND_WANTED: &str = "billing.refund_wanted";
/// The payer has it back.
pub const REFUNDED: &str = "billing.refunded";
/// Something that was paid for has been done: others publish this, with `kind` and `subject`.
pub const DONE: &str = "billing.service_done";

/// What the capability needs of others.
#[derive(Clone)]
pub struct BillingDeps {
    /// The database.
    pub db: Db,
    /// The keys of sealed fields.
    pub vault: Arc<Vault>,
    /// The hospitals and their settings.
    pub hospitals: Hospitals,
    /// Our WeChat accounts: whose openid a payer has.
    pub channels: people::Channels,
    /// Our contracts.
    pub merchants: Merchants,
    /// What can be paid for.
    pub payables: Payables,
    /// Who makes e-invoices, where somebody does.
    pub invoicer: Option<Arc<dyn invoice::Invoicer>>,
    /// How platforms reach us, without a slash at the end.
    pub public_url: Arc<str>,
}

/// Workers of every node wake when something is to be done.
pub(crate) fn wake() -> Topic {
    Topic::new("billing", "due")
}

/// The capability's parts. The workers run apart: see [`worker::run`].
#[must_use]
pub fn capability(deps: BillingDeps) -> Capability {
    let (router, rules) = api::routes().with_state(deps.clone());
    Capability {
        name: "billing",
        settings: sections::sections(),
        migrations: migrations(),
        statements: statements(),
        router,
        rules,
        subscribers: vec![Arc::new(reacts::Tell), Arc::new(reacts::ServiceDone)],
        sweeps: sweeps(&deps),
        topics: vec![Arc::new(api::PaymentTopic::new(deps))],
        ..Capability::default()
    }
}

fn sweeps(deps: &BillingDeps) -> Vec<Arc<dyn ::store::Sweep>> {
    vec![
        Arc::new(reacts::Recognise { hospitals: deps.hospitals.clone() }),
        Arc::new(reacts::RemindToday { hospitals: deps.hospitals.clone() }),
    ]
}

/// Its tables.
#[must_use]
pub fn migrations() -> Vec<::store::Migration> {
    vec![
        ::store::migration!("billing", "0001_billing"),
        ::store::Migration {
            capability: "billing",
            name: "0002_append_only",
            sqlite: include_str!("../migrations/0002_append_only.sqlite.sql"),
            postgres: include_str!("../migrations/0002_append_only.postgres.sql"),
        },
        ::store::migration!("billing", "0003_reconcile"),
        ::store::migration!("billing", "0004_charges_of_a_thing"),
        ::store::migration!("billing", "0005_provider_numbers"),
        ::store::migration!("billing", "0006_by_day"),
        ::store::migration!("billing", "0007_invoice_provider"),
    ]
}

/// Its statements, for the test that prepares them all.
#[must_use]
pub fn statements() -> Vec<::store::Sql> {
    [store::statements(), reconcile::statements()].concat()
}
