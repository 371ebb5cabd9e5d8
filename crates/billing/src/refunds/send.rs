//! Sends what is wished for, and asks what became of it. Always under the same number with the same content, so that money
//! moves once however often this runs; once it was sent, the platform is asked before anything is sent again.

use std::time::Duration;

use base::Fen;
use pay::wechatpay::calls::RefundOrder;
use pay::{OutRefundNo, OutTradeNo, Outcome, Refusal, Retry, Why, alipay, wechatpay};
use store::Result;
use store::fault::{self, Point};

use crate::BillingDeps;
use crate::inbox::observe;
use crate::insurance::{self, Part};
use crate::merchants::{Line, Merchant};
use crate::model::{Payment, Refund, RefundReason, RefundState};
use crate::observation::{Observation, Source};
use crate::rules;
use crate::store::{payment as payments, refund as sql};

/// Between two refunds of one payment platforms want a minute.
const MINUTE: Duration = Duration::from_secs(61);

/// Whether the platform lets us go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Yes.
    On,
    /// It wants fewer calls: the rest waits.
    Slow,
}

/// Does what is due about one refund.
///
/// # Errors
/// Any [`store::StoreError`]; it is taken up again.
pub(crate) async fn one(deps: &BillingDeps, refund: &Refund) -> Result<Pace> {
    let payment = payments::read(&deps.db, refund.hospital, refund.payment).await?;
    let merchant = payment.as_ref().and_then(|p| p.pay_account).and_then(|id| deps.merchants.get(id));
    let (Some(payment), Some(merchant)) = (payment, merchant) else {
        return later(deps, refund, Duration::from_secs(600), "the contract is not known here").await;
    };
    if refund.state == RefundState::Done {
        if let Line::Wechatpay(client) = &merchant.line {
            insurance::tell_wechat(deps, client, &payment, refund).await?;
        }
        return Ok(Pace::On);
    }
    match insurance::give_back(deps, &payment, refund).await? {
        Part::Back => {}
        Part::Later => {
            return later(deps, refund, rules::after_doubt(refund.tries), "the bureau is asked again").await;
        }
        Part::Refused => return stuck(deps, refund, "the bureau refuses").await,
    }
    if refund.shares.cash == Fen::ZERO {
        let observation = Observation::insurance_returned(&payment.number, &refund.number, "bureau");
        observe(deps, &merchant, Source::Answer, &observation).await?;
        return Ok(Pace::On);
    }
    let last = sql::last_sent(&deps.db, refund.hospital, refund.payment, refund.id).await?;
    if let Some(last) = last.filter(|last| refund.tries == 0 && deps.db.now() < last.plus(MINUTE)) {
        let wait = last.plus(MINUTE).since(deps.db.now());
        return later(deps, refund, wait, "a minute after the one before").await;
    }
    // Whatever happens now, it is looked at again.
    let mut tx = deps.db.begin().await?;
    let again = tx.now().plus(rules::after_doubt(refund.tries).max(Duration::from_secs(20)));
    let taken = sql::sending(&mut tx, refund, again).await?;
    tx.commit().await?;
    if !taken {
        return Ok(Pace::On);
    }
    let (Ok(order), Ok(number)) =
        (OutTradeNo::new(payment.number.clone()), OutRefundNo::new(refund.number.clone()))
    else {
        return stuck(deps, refund, "a number that no platform takes").await;
    };
    let this = Sending { deps, merchant: &merchant, payment: &payment, refund, order, number };
    match &merchant.line {
        Line::Wechatpay(client) => this.at_wechat(client).await,
        Line::Alipay(client) => this.at_alipay(client).await,
        Line::Insurance(_) => stuck(deps, refund, "the bureau has no cash").await,
    }
}

struct Sending<'a> {
    deps: &'a BillingDeps,
    merchant: &'a Merchant,
    payment: &'a Payment,
    refund: &'a Refund,
    order: OutTradeNo,
    number: OutRefundNo,
}

impl Sending<'_> {
    async fn at_wechat(&self, client: &wechatpay::Client) -> Result<Pace> {
        // It was sent before: ask first.
        if self.refund.state == RefundState::Sent || self.refund.tries > 0 {
            match client.send(&wechatpay::calls::query_refund(&self.number)).await {
                Outcome::Done(state) => {
                    let seen = Observation::wechat_refund(&state, &self.merchant.merchant);
                    observe(self.deps, self.merchant, Source::Query, &seen).await?;
                    return self.look_again().await;
                }
                // It never arrived: the same again.
                Outcome::Refused(refusal) if refusal.is_missing() => {}
                Outcome::Refused(refusal) => return self.refused(&refusal).await,
                Outcome::Unknown(doubt) => return self.unclear(&doubt.why).await,
            }
        }
        let url = crate::checkout::notify_url(&self.deps.public_url, self.merchant);
        let order = RefundOrder {
            out_trade_no: &self.order,
            out_refund_no: &self.number,
            reason: Some(words(self.refund.reason)),
            notify_url: &url,
            refund: self.refund.shares.cash,
            total: self.payment.shares.cash,
        };
        let Ok(call) = wechatpay::calls::refund(&order) else {
            return stuck(self.deps, self.refund, "a refund that can't be built").await;
        };
        fault::pass(Point::RefundBefore);
        let outcome = client.send(&call).await;
        fault::pass(Point::RefundAfter);
        match outcome {
            Outcome::Done(state) => {
                let seen = Observation::wechat_refund(&state, &self.merchant.merchant);
                observe(self.deps, self.merchant, Source::Answer, &seen).await?;
                self.look_again().await
            }
            Outcome::Refused(refusal) => self.refused(&refusal).await,
            Outcome::Unknown(doubt) => self.unclear(&doubt.why).await,
        }
    }

    async fn at_alipay(&self, client: &alipay::Client) -> Result<Pace> {
        if self.refund.tries > 0 && self.ask_alipay(client).await? {
            return Ok(Pace::On);
        }
        let amount = self.refund.shares.cash;
        let call = alipay::calls::refund(&self.order, &self.number, amount, Some(words(self.refund.reason)));
        let Ok(call) = call else {
            return stuck(self.deps, self.refund, "a refund that can't be built").await;
        };
        fault::pass(Point::RefundBefore);
        let outcome = client.send(&call).await;
        fault::pass(Point::RefundAfter);
        match outcome {
            // "Done" may mean that it had been done before, or not at all (`fund_change`): only the question tells.
            Outcome::Done(_) => {
                if self.ask_alipay(client).await? {
                    return Ok(Pace::On);
                }
                self.look_again().await
            }
            Outcome::Refused(refusal) => self.refused(&refusal).await,
            Outcome::Unknown(doubt) => self.unclear(&doubt.why).await,
        }
    }

    /// Whether Alipay says that it is done.
    async fn ask_alipay(&self, client: &alipay::Client) -> Result<bool> {
        let Outcome::Done(state) = client.send(&alipay::calls::query_refund(&self.order, &self.number)).await
        else {
            return Ok(false);
        };
        let Some(seen) = Observation::alipay_refund(&self.payment.number, &self.refund.number, &state) else {
            return Ok(false);
        };
        observe(self.deps, self.merchant, Source::Query, &seen).await?;
        Ok(true)
    }

    /// When it is still under way, the platform is asked again in a while.
    async fn look_again(&self) -> Result<Pace> {
        let now = sql::read(&self.deps.db, self.refund.hospital, self.refund.id).await?;
        if let Some(refund) = now.filter(|one| matches!(one.state, RefundState::Wanted | RefundState::Sent)) {
            return later(self.deps, &refund, rules::ask_refund_again(refund.tries), "").await;
        }
        Ok(Pace::On)
    }

    async fn refused(&self, refusal: &Refusal) -> Result<Pace> {
        match refusal.retry {
            // Without funds, or against a rule that passes: the same again, and somebody is told.
            Retry::SameNumber if !refusal.is_missing() => {
                tracing::warn!(refund = %self.refund.id, %refusal, "a refund waits for the merchant account");
                metrics::counter!("billing_refund_waits").increment(1);
                let wait = Duration::from_secs(if refusal.code == "RULE_LIMIT" { 61 } else { 600 });
                later(self.deps, self.refund, wait, &refusal.code).await
            }
            Retry::QueryThenSame => {
                later(self.deps, self.refund, rules::after_doubt(self.refund.tries), &refusal.code).await
            }
            _ => {
                tracing::error!(refund = %self.refund.id, %refusal, "a refund is refused; a person must look");
                stuck(self.deps, self.refund, &refusal.code).await
            }
        }
    }

    async fn unclear(&self, why: &Why) -> Result<Pace> {
        let slow = matches!(why, Why::Trouble { status: 429, .. });
        later(self.deps, self.refund, rules::after_doubt(self.refund.tries), &why.to_string()).await?;
        Ok(if slow { Pace::Slow } else { Pace::On })
    }
}

async fn later(deps: &BillingDeps, refund: &Refund, wait: Duration, why: &str) -> Result<Pace> {
    let mut tx = deps.db.begin().await?;
    let at = tx.now().plus(wait);
    sql::later(&mut tx, refund, Some(at), Some(why).filter(|why| !why.is_empty())).await?;
    tx.commit().await?;
    Ok(Pace::On)
}

async fn stuck(deps: &BillingDeps, refund: &Refund, why: &str) -> Result<Pace> {
    let mut tx = deps.db.begin().await?;
    let step = sql::Step { to: RefundState::Stuck, provider_no: None, next_at: None, error: Some(why) };
    let moved = sql::step(&mut tx, refund, step).await?;
    tx.commit().await?;
    if !moved {
        // Under way already: it stays so, and is asked about.
        return later(deps, refund, rules::ask_refund_again(refund.tries), why).await;
    }
    Ok(Pace::On)
}

/// What the payer sees as the reason. Nothing clinical.
fn words(reason: RefundReason) -> &'static str {
    match reason {
        RefundReason::Cancelled => "取消预约",
        RefundReason::Stopped => "医院停诊",
        RefundReason::TooLate => "支付时号源已释放",
        RefundReason::Twice => "重复支付",
        RefundReason::InsuranceFailed => "医保结算未成功",
        RefundReason::Desk => "窗口退费",
    }
}
