//! Insurance money goes back whole: first at the bureau (6203), then the cash, then WeChat is told.

use base::Fen;
use pay::insurance::{InsuranceRefund, RefundKind, RefundStatus};
use pay::wechatpay::medins::{self, InsuranceReturned};
use pay::{Outcome, wechatpay};
use store::Result;
use store::vault::Purpose;

use super::{AUTH, bureau};
use crate::BillingDeps;
use crate::merchants::Line;
use crate::model::{InsuranceStage, Payment, Refund, RefundState};
use crate::refunds;
use crate::settings::Settings;
use crate::store::{payment as payments, refund as sql};

/// What became of the insurance's part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// There is none, or it is back: the cash may go.
    Back,
    /// Not yet: asked again later.
    Later,
    /// The bureau refuses: a person must look.
    Refused,
}

/// Returns the insurance's part of a refund, if that is not done yet. Our refund number makes it the same return when it is repeated.
pub(crate) async fn give_back(deps: &BillingDeps, payment: &Payment, refund: &Refund) -> Result<Part> {
    if refund.insurance != InsuranceStage::Wanted {
        return Ok(Part::Back);
    }
    let (Some(hospital), Some(their)) = (deps.hospitals.get(refund.hospital), bureau(deps, refund.hospital))
    else {
        return Ok(Part::Later);
    };
    let Line::Insurance(bureau) = &their.line else { return Ok(Part::Later) };
    let Some(insured) = payments::insured(&deps.db, refund.hospital, payment.id).await? else {
        return Ok(Part::Back);
    };
    let settings: Settings = hospital.settings(Settings::SECTION);
    let auth = deps.vault.open_sealed(refund.hospital, AUTH, &insured.pay_auth_no, Purpose::Export)?;
    let shares = refund.shares;
    let message = InsuranceRefund {
        pay_ord_id: insured.pay_order_id.unwrap_or_default(),
        org_codg: settings.insurance.org_code,
        app_refd_sn: refund.again_of.unwrap_or(refund.id).db(),
        app_refd_time: pay::moment::compact(refund.created_at),
        totl_refd_amt: shares.insured().unwrap_or_default(),
        psn_acct_refd_amt: shares.own,
        fund_refd_amt: shares.gov,
        cash_refd_amt: Fen::ZERO,
        pay_auth_no: auth,
        refd_type: RefundKind::Insurance,
    };
    match bureau.client.send(&message).await {
        Outcome::Done(done) if done.ref_status == RefundStatus::Success => {
            let mut tx = deps.db.begin().await?;
            // Somebody else may have been at it meanwhile.
            let now = sql::lock(&mut tx, refund.hospital, refund.id).await?;
            if now.is_some_and(|one| one.insurance == InsuranceStage::Wanted) {
                refunds::returned(&mut tx, refund, done.by()).await?;
            }
            tx.commit().await?;
            Ok(Part::Back)
        }
        Outcome::Done(done) if done.ref_status == RefundStatus::Fail => Ok(Part::Refused),
        Outcome::Refused(refusal) => {
            tracing::error!(refund = %refund.id, %refusal, "the bureau refuses to take its part back");
            Ok(Part::Refused)
        }
        Outcome::Done(_) | Outcome::Unknown(_) => Ok(Part::Later),
    }
}

/// Tells WeChat what the bureau has back: without it the order there would still look settled.
pub(crate) async fn tell_wechat(
    deps: &BillingDeps,
    client: &wechatpay::Client,
    payment: &Payment,
    refund: &Refund,
) -> Result<bool> {
    let insured = payments::insured(&deps.db, refund.hospital, payment.id).await?;
    let Some(number) = insured.and_then(|one| one.mix_number) else {
        return nothing_to_tell(deps, refund).await;
    };
    let shares = refund.shares;
    let cash_number = pay::OutRefundNo::new(refund.number.clone()).ok();
    let told = InsuranceReturned {
        mix_trade_no: &number,
        total: shares.insured().unwrap_or_default(),
        gov: shares.gov,
        own_account: shares.own,
        other: shares.other,
        at: deps.db.now(),
        out_refund_no: cash_number.as_ref().filter(|_| shares.cash > Fen::ZERO),
    };
    let Ok(call) = medins::tell_refund(&told) else { return nothing_to_tell(deps, refund).await };
    let done = matches!(client.send(&call).await, Outcome::Done(_));
    let mut tx = deps.db.begin().await?;
    if done {
        sql::later(&mut tx, refund, None, None).await?;
        sql::stage(&mut tx, refund, InsuranceStage::Told).await?;
    } else {
        let again = tx.now().plus(std::time::Duration::from_secs(60));
        sql::later(&mut tx, refund, Some(again), None).await?;
    }
    tx.commit().await?;
    Ok(done || refund.state != RefundState::Done)
}

/// WeChat knows of no order that this belongs to: nobody is to come back to it.
async fn nothing_to_tell(deps: &BillingDeps, refund: &Refund) -> Result<bool> {
    if refund.state == RefundState::Done {
        let mut tx = deps.db.begin().await?;
        sql::later(&mut tx, refund, None, None).await?;
        tx.commit().await?;
    }
    Ok(true)
}
