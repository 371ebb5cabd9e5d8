//! Money for patients, under `/api/v1/payments` and `/api/v1/charges`, and for the cashier's office under `/api/v1/staff/billing`.

mod office;
mod patient;
mod staff;
mod sums;
mod wire;

use async_trait::async_trait;
use base::Problem;
use edge::{Account, Actor, Caller, Role, Routes, SignedIn, Who};
use utoipa_axum::routes;

use crate::BillingDeps;

edge::permission! {
    /// May take and give back money at the desk, in a shift of their own.
    Cashier = "billing.desk", Who::Roles(&[Role::Finance]);
    /// May see refunds, suspense and the ledger.
    SeeMoney = "billing.see", Who::Roles(&[Role::Finance]);
    /// May approve what another has asked for.
    ApproveRefund = "billing.approve", Who::Roles(&[Role::Finance]);
}

/// The routes, with who may call them.
#[must_use]
pub fn routes() -> Routes<BillingDeps> {
    let money = Routes::new()
        .route::<SignedIn>(routes!(patient::ways))
        .route::<SignedIn>(routes!(patient::authorisation))
        .route::<SignedIn>(routes!(patient::pay))
        .route::<SignedIn>(routes!(patient::payment))
        .route::<SignedIn>(routes!(patient::sheet_closed))
        .route::<SignedIn>(routes!(patient::charges))
        .route::<SignedIn>(routes!(patient::charge))
        .route::<Cashier>(routes!(staff::shift, staff::open_shift))
        .route::<Cashier>(routes!(staff::close_shift))
        .route::<Cashier>(routes!(staff::take))
        .route::<Cashier>(routes!(staff::ask_refund, staff::refunds))
        .route::<Cashier>(routes!(staff::hand_out))
        .route::<Cashier>(routes!(office::to_pay))
        .route::<SeeMoney>(routes!(sums::sums))
        .route::<SeeMoney>(routes!(office::find_charges))
        .route::<SeeMoney>(routes!(office::charge_of_id))
        .route::<SeeMoney>(routes!(office::colleagues))
        .route::<SeeMoney>(routes!(staff::charge))
        .route::<SeeMoney>(routes!(staff::suspense))
        .route::<SeeMoney>(routes!(staff::own_suspense))
        .route::<SeeMoney>(routes!(staff::incidents))
        .route::<SeeMoney>(routes!(staff::observation))
        .route::<SeeMoney>(routes!(staff::shifts))
        .route::<ApproveRefund>(routes!(staff::decide_refund));
    crate::reconcile::add_routes(money)
}

/// The live topic of a payment: the page that waits for it.
pub struct PaymentTopic {
    deps: BillingDeps,
}

impl PaymentTopic {
    /// With what it needs.
    #[must_use]
    pub fn new(deps: BillingDeps) -> Self {
        Self { deps }
    }
}

#[async_trait]
impl edge::live::TopicSource for PaymentTopic {
    fn kind(&self) -> &'static str {
        "payment"
    }

    async fn snapshot(&self, caller: &Caller, id: &str) -> Result<serde_json::Value, Problem> {
        let Actor::Account(account) = caller.actor else { return Err(Problem::sign_in()) };
        let id = id.parse().map_err(|_| Problem::not_found())?;
        let account = Account { id: account, caller: caller.clone() };
        let payment = crate::checkout::own(&self.deps, &account, id).await?;
        let body = wire::payment(&caller.hospital, &payment);
        serde_json::to_value(body).map_err(|_| Problem::internal())
    }
}
