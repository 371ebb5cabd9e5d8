//! What goes on without anybody asking for it: what came is applied, what did not come is asked about, what is over is closed,
//! refunds are sent, days are reconciled, and invoices made. Each runs on its own, so that a slow platform holds up nothing else.

use std::time::Duration;

use pay::{OutTradeNo, Outcome, alipay, wechatpay};
use store::{Result, StoreError, lease};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::inbox::{self, observe};
use crate::merchants::{Line, Merchant};
use crate::model::{Payment, PaymentState, Way};
use crate::observation::{Observation, Source};
use crate::refunds::send::{self, Pace};
use crate::store::{charge as charges, payment as payments, refund as refunds};
use crate::{BillingDeps, insurance, invoice, reconcile, rules};

/// The longest pause between looks.
const TICK: Duration = Duration::from_millis(500);
const LEASE: Duration = Duration::from_secs(60);
/// So many calls wait for a platform at the same time.
const SIDE_BY_SIDE: usize = 8;
const BATCH: i64 = 64;
/// When a platform wants fewer calls, the rest waits so long.
const BREATH: Duration = Duration::from_secs(1);

/// Works until `stop`, and finishes what it has begun.
pub async fn run(deps: BillingDeps, stop: CancellationToken) {
    let mut all = JoinSet::new();
    all.spawn(again(deps.clone(), stop.clone(), Job::Apply));
    all.spawn(again(deps.clone(), stop.clone(), Job::Ask));
    all.spawn(again(deps.clone(), stop.clone(), Job::Refund));
    all.spawn(invoice::run(deps.clone(), stop.clone()));
    all.spawn(mornings(deps, stop));
    while all.join_next().await.is_some() {}
}

#[derive(Debug, Clone, Copy)]
enum Job {
    Apply,
    Ask,
    Refund,
}

async fn again(deps: BillingDeps, stop: CancellationToken, job: Job) {
    let mut woken = deps.db.live().watch(&crate::wake());
    while !stop.is_cancelled() {
        woken.mark_unchanged();
        let done = match job {
            Job::Apply => inbox::turn(&deps).await,
            Job::Ask => ask_turn(&deps).await,
            Job::Refund => refund_turn(&deps).await,
        };
        match done {
            Ok(count) if count > 0 => continue,
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, ?job, "money could not be looked after; it is tried again"),
        }
        tokio::select! {
            _ = woken.changed() => {}
            () = tokio::time::sleep(TICK) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Reconciles in the mornings. Whatever it is at may be broken off at any moment, and is begun anew.
async fn mornings(deps: BillingDeps, stop: CancellationToken) {
    let mut morning = reconcile::Morning::default();
    let work = async {
        loop {
            if let Err(error) = morning.turn(&deps).await {
                tracing::warn!(%error, "bills could not be looked after; they are in a minute");
            }
            tokio::time::sleep(TICK).await;
        }
    };
    tokio::select! {
        () = work => {}
        () = stop.cancelled() => {}
    }
    reconcile::broken_off(&deps).await;
}

/// Asks about payments that are due; gives how many there were.
///
/// # Errors
/// Any [`StoreError`].
pub async fn ask_turn(deps: &BillingDeps) -> Result<usize> {
    if payments::due(&deps.db, 1).await?.is_empty() {
        return Ok(0);
    }
    if lease::take(&deps.db, "billing.ask", LEASE).await?.is_none() {
        return Ok(0);
    }
    let due = payments::due(&deps.db, BATCH).await?;
    let count = due.len();
    let mut running = JoinSet::new();
    for payment in due {
        while running.len() >= SIDE_BY_SIDE {
            running.join_next().await;
        }
        let deps = deps.clone();
        running.spawn(async move {
            if let Err(error) = ask(&deps, &payment).await {
                tracing::warn!(%error, payment = %payment.id, "a payment could not be asked about");
                // Not at once: a database in trouble needs no spinning.
                if let Err(error) = ask_later(&deps, &payment, rules::after_doubt(payment.tries)).await {
                    tracing::warn!(%error, payment = %payment.id, "it is asked about as soon as that can be written down");
                    tokio::time::sleep(BREATH).await;
                }
            }
        });
    }
    while running.join_next().await.is_some() {}
    lease::give_back(&deps.db, "billing.ask").await?;
    Ok(count)
}

/// Sends refunds that are due, and asks about those under way; gives how many there were.
///
/// # Errors
/// Any [`StoreError`].
pub async fn refund_turn(deps: &BillingDeps) -> Result<usize> {
    if refunds::due(&deps.db, 1).await?.is_empty() {
        return Ok(0);
    }
    if lease::take(&deps.db, "billing.refunds", LEASE).await?.is_none() {
        return Ok(0);
    }
    let due = refunds::due(&deps.db, BATCH).await?;
    let count = due.len();
    let begun = deps.db.now();
    // One after the other: platforms count calls, and refunds are never in a hurry.
    for refund in due {
        match send::one(deps, &refund).await {
            Ok(Pace::On) => {}
            Ok(Pace::Slow) => {
                tokio::time::sleep(BREATH).await;
                break;
            }
            Err(error) => {
                tracing::warn!(%error, refund = %refund.id, "a refund could not be worked on; it is taken up again");
                tokio::time::sleep(BREATH).await;
                break;
            }
        }
        if deps.db.now().since(begun) > LEASE / 2 {
            break;
        }
    }
    lease::give_back(&deps.db, "billing.refunds").await?;
    Ok(count)
}

async fn ask_later(deps: &BillingDeps, payment: &Payment, wait: Duration) -> Result<()> {
    let mut tx = deps.db.begin().await?;
    let at = tx.now().plus(wait);
    // What is to end at a time is looked at then.
    let at = if tx.now() < payment.expires_at { at.min(payment.expires_at) } else { at };
    payments::ask_at(&mut tx, payment.hospital, payment.id, Some(at), true).await?;
    tx.commit().await
}

/// Asks the platform about one payment, and closes it when its time is over.
async fn ask(deps: &BillingDeps, payment: &Payment) -> Result<()> {
    let merchant = payment.pay_account.and_then(|id| deps.merchants.get(id));
    let Some(merchant) = merchant else {
        return ask_later(deps, payment, Duration::from_secs(600)).await;
    };
    let number = OutTradeNo::new(payment.number.clone())
        .map_err(|_| StoreError::Config(format!("{} has no number", payment.id)))?;
    let this = Asking { deps, merchant: &merchant, payment, number };
    match &merchant.line {
        Line::Wechatpay(client) if payment.way == Way::Insurance => this.about_insured(client).await?,
        Line::Wechatpay(client) => this.at_wechat(client).await?,
        Line::Alipay(client) => this.at_alipay(client).await?,
        Line::Insurance(_) => {}
    }
    if payment.state == PaymentState::Closed {
        let mut tx = deps.db.begin().await?;
        payments::asked_closed(&mut tx, payment.hospital, payment.id).await?;
        return tx.commit().await;
    }
    let now = payments::read(&deps.db, payment.hospital, payment.id).await?;
    // What moved the time itself (an incident, a new hint) stays.
    let open = now.filter(|one| matches!(one.state, PaymentState::New | PaymentState::Waiting));
    if let Some(open) = open.filter(|one| one.next_at.is_none_or(|at| at <= deps.db.now())) {
        ask_later(deps, &open, rules::ask_again(open.tries)).await?;
    }
    Ok(())
}

struct Asking<'a> {
    deps: &'a BillingDeps,
    merchant: &'a Merchant,
    payment: &'a Payment,
    number: OutTradeNo,
}

impl Asking<'_> {
    async fn seen(&self, source: Source, observation: &Observation) -> Result<()> {
        observe(self.deps, self.merchant, source, observation).await.map(drop)
    }

    /// It is over, and the platform says so, or never had it.
    async fn closed(&self, by: &str) -> Result<()> {
        self.seen(Source::Answer, &Observation::closed(&self.payment.number, by)).await
    }

    fn is_over(&self) -> bool {
        rules::is_over(self.payment, false, self.deps.db.now())
    }

    async fn at_wechat(&self, client: &wechatpay::Client) -> Result<()> {
        let mchid = &self.merchant.merchant;
        if self.is_over()
            && let Ok(call) = wechatpay::calls::close(mchid, &self.number)
        {
            match client.send(&call).await {
                Outcome::Done(done) => return self.closed(done.by()).await,
                // There is none, and after its time none can come to be.
                Outcome::Refused(refusal) if refusal.is_missing() => return self.closed("missing").await,
                // Somebody was faster, or nobody knows: ask.
                Outcome::Refused(_) | Outcome::Unknown(_) => {}
            }
        }
        match client.send(&wechatpay::calls::query(mchid, &self.number)).await {
            Outcome::Done(order) => self.seen(Source::Query, &Observation::wechat_order(&order)).await,
            // Right after placing that may be lag; later we close it ourselves.
            Outcome::Refused(refusal) if refusal.is_missing() => Ok(()),
            Outcome::Refused(refusal) => {
                tracing::error!(payment = %self.payment.id, %refusal, "WeChat Pay does not say how an order stands");
                Ok(())
            }
            Outcome::Unknown(doubt) => {
                tracing::debug!(payment = %self.payment.id, why = %doubt.why, "an order is asked about again");
                Ok(())
            }
        }
    }

    async fn at_alipay(&self, client: &alipay::Client) -> Result<()> {
        let missing = |code: &str| code == "ACQ.TRADE_NOT_EXIST";
        if self.is_over() {
            match client.send(&alipay::calls::close(&self.number)).await {
                Outcome::Done(done) => return self.closed(done.by()).await,
                // Nobody has opened it, and its time in the signed address is over.
                Outcome::Refused(refusal) if missing(&refusal.code) && self.is_expired() => {
                    return self.closed("missing").await;
                }
                Outcome::Refused(_) | Outcome::Unknown(_) => {}
            }
        }
        match client.send(&alipay::calls::query(&self.number)).await {
            Outcome::Done(trade) => self.seen(Source::Query, &Observation::alipay_trade(&trade)).await,
            Outcome::Refused(refusal) if missing(&refusal.code) => Ok(()),
            Outcome::Refused(refusal) => {
                tracing::error!(payment = %self.payment.id, %refusal, "Alipay does not say how a trade stands");
                Ok(())
            }
            Outcome::Unknown(doubt) => {
                tracing::debug!(payment = %self.payment.id, why = %doubt.why, "a trade is asked about again");
                Ok(())
            }
        }
    }

    /// Past the time in the address that the payer's browser carries.
    fn is_expired(&self) -> bool {
        self.deps.db.now() >= self.payment.expires_at
    }

    async fn about_insured(&self, client: &wechatpay::Client) -> Result<()> {
        let may_close = insurance::ask(self.deps, self.merchant, client, self.payment).await?;
        if !may_close || !self.is_over() {
            return Ok(());
        }
        // First the cash order, so that the payer can't go on; then a last question; then the fees.
        if self.payment.handle.is_some()
            && let Ok(call) = wechatpay::calls::close(&self.merchant.merchant, &self.number)
        {
            match client.send(&call).await {
                Outcome::Done(_) => {}
                Outcome::Refused(refusal) if refusal.is_missing() => {}
                Outcome::Refused(_) | Outcome::Unknown(_) => return Ok(()),
            }
        }
        if !insurance::ask(self.deps, self.merchant, client, self.payment).await? {
            return Ok(());
        }
        let charge = charges::read(&self.deps.db, self.payment.hospital, self.payment.charge).await?;
        if let Some(charge) = charge {
            insurance::withdraw(self.deps, &charge, self.payment).await?;
        }
        self.closed("given up").await
    }
}
