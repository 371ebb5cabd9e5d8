//! Somebody pays: the intent is committed first, with the bytes of the call; then the platform is called.
//!
//! Whoever asks again by the same way gets the same attempt, and the platform the same bytes, until that attempt is over. A
//! lost answer, a restart in between, a second tap: all of them end in one order.

mod place;

use std::net::IpAddr;

use base::{Problem, UnixMs};
use edge::Account;
use store::fault::{self, Point};
use store::{Result, Tx};

use crate::BillingDeps;
use crate::merchants::{Line, Merchant};
use crate::model::{Charge, ChargeState, Payment, PaymentId, PaymentState, Shares, Way};
use crate::payable::Bill;
use crate::settings::Settings;
use crate::store::{charge as charges, payment as payments};
use crate::{insurance, problems};

pub use place::Sheet;
pub(crate) use place::{notify_url, number};

/// An order lives at least so long: platforms refuse shorter ones.
const AT_LEAST: std::time::Duration = std::time::Duration::from_secs(75);

/// What somebody wants to pay, and how.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The thing: `apt_…`.
    pub subject: String,
    /// By which way.
    pub way: Way,
    /// The patient's authorisation, for insurance …
    pub pay_auth_no: Option<String>,
    /// … or the code that they came back with from authorising.
    pub auth_code: Option<String>,
    /// Their own address, for H5.
    pub payer_ip: Option<IpAddr>,
}

/// Begins to pay, or goes on with what was begun. Gives the attempt and what the page does next.
///
/// # Errors
/// 404 when there is no such thing for this account; 409 `nothing_to_pay`, `already_paid`, `desk_only`, `way_not_offered`,
/// `wechat_needed`, `insurance_other_person`; 422 `authorisation_needed`; 502 `payment_refused`, `payment_unclear`, `insurance_refused`.
pub async fn begin(
    deps: &BillingDeps,
    who: &Account,
    mut wanted: Wanted,
) -> std::result::Result<(Payment, Sheet), Problem> {
    let hospital = &who.caller.hospital;
    let payable = deps.payables.of_subject(&wanted.subject).ok_or_else(Problem::not_found)?;
    let provider = wanted.way.provider().ok_or_else(problems::way_invalid)?;
    let merchant = deps.merchants.of(hospital.id, provider).ok_or_else(problems::way_not_offered)?;
    if wanted.way == Way::Insurance {
        insurance::offered(deps, hospital)?;
        if let (None, Some(code)) = (&wanted.pay_auth_no, wanted.auth_code.clone()) {
            wanted.pay_auth_no =
                insurance::authorise::by_code(deps, who, &merchant, &wanted.subject, &code).await?;
        }
        if wanted.pay_auth_no.as_deref().is_none_or(|no| no.is_empty() || no.len() > 40) {
            return Err(problems::authorisation_needed());
        }
    }
    let openid = openid(deps, who, &merchant, wanted.way).await?;
    let mut tx = deps.db.begin().await?;
    payable.lock(&mut tx, hospital, &wanted.subject).await?;
    let bill = payable.bill(&mut tx, hospital, &wanted.subject, Some(who.id)).await?;
    let known = charges::of_subject(&mut tx, hospital.id, payable.kind(), &wanted.subject).await?;
    let Some(bill) = bill else {
        // What is paid is not to be paid any more: say that, to whom it belongs.
        let paid = known.is_some_and(|charge| charge.served_by.is_some() && charge.account == Some(who.id));
        return Err(if paid { problems::already_paid() } else { Problem::not_found() });
    };
    if known.is_some_and(|charge| charge.state == ChargeState::Settled) {
        return Err(problems::already_paid());
    }
    if !bill.online {
        return Err(problems::desk_only());
    }
    let charge = crate::charges::open(&mut tx, hospital.id, payable.kind(), &wanted.subject, &bill).await?;
    if charge.state != ChargeState::Open {
        return Err(problems::already_paid());
    }
    let intent = Intent { deps, merchant: &merchant, charge: &charge, bill: &bill, wanted: &wanted };
    let payment = match open_attempt(&mut tx, &charge, wanted.way, who).await? {
        Some(payment) => payment,
        None => intent.write(&mut tx, who, openid.as_deref()).await?,
    };
    fault::pass(Point::IntentBefore);
    tx.commit().await?;
    fault::pass(Point::IntentAfter);
    if wanted.way == Way::Insurance {
        let openid = openid.ok_or_else(problems::wechat_needed)?;
        return insurance::begin(deps, &merchant, &charge, payment, &openid).await;
    }
    place::place(deps, &merchant, payment).await
}

/// The payer's name at WeChat, where the way needs one.
pub(crate) async fn openid(
    deps: &BillingDeps,
    who: &Account,
    merchant: &Merchant,
    way: Way,
) -> std::result::Result<Option<String>, Problem> {
    if !matches!(way, Way::WechatJsapi | Way::Insurance) {
        return Ok(None);
    }
    let hospital = who.caller.hospital.id;
    let contact = people::contact::of_account(&deps.db, hospital, who.id).await?;
    let channels = deps.channels.all();
    let ours = channels.iter().find(|c| c.hospital == hospital && c.app_id == merchant.app);
    let there = ours.and_then(|c| contact.wechat.iter().find(|w| w.channel_account == c.id));
    there.map(|w| Some(w.openid.clone())).ok_or_else(problems::wechat_needed)
}

/// The attempt that this account has begun by this way and that can still be finished.
pub(crate) async fn open_attempt(
    tx: &mut Tx,
    charge: &Charge,
    way: Way,
    who: &Account,
) -> Result<Option<Payment>> {
    let soon = tx.now().plus(std::time::Duration::from_secs(15));
    let all = payments::of_charge(tx, charge.hospital, charge.id).await?;
    Ok(all.into_iter().rev().find(|one| {
        one.way == way
            && one.account == Some(who.id)
            && matches!(one.state, PaymentState::New | PaymentState::Waiting)
            && !one.closing
            && one.expires_at > soon
    }))
}

/// An attempt about to be written down.
struct Intent<'a> {
    deps: &'a BillingDeps,
    merchant: &'a Merchant,
    charge: &'a Charge,
    bill: &'a Bill,
    wanted: &'a Wanted,
}

impl Intent<'_> {
    async fn write(
        &self,
        tx: &mut Tx,
        who: &Account,
        openid: Option<&str>,
    ) -> std::result::Result<Payment, Problem> {
        let (now, charge) = (tx.now(), self.charge);
        let id = PaymentId::new();
        let expires_at = self.until(who, now);
        let mut payment = Payment {
            hospital: charge.hospital,
            id,
            charge: charge.id,
            way: self.wanted.way,
            pay_account: Some(self.merchant.id),
            number: id.db(),
            account: Some(who.id),
            total: charge.total,
            shares: Shares::cash(charge.total),
            state: PaymentState::New,
            effect: None,
            returning: base::Fen::ZERO,
            request: None,
            handle: None,
            provider_no: None,
            shift: None,
            expires_at,
            closing: false,
            next_at: Some(now.plus(crate::rules::ask_again(0)).min(expires_at)),
            tries: 0,
            note: None,
            created_at: now,
            paid_at: None,
        };
        if self.wanted.way == Way::Insurance {
            payments::insert(tx, &payment, payments::New::default()).await?;
            let auth = self.wanted.pay_auth_no.as_deref().unwrap_or_default();
            insurance::write(tx, self.deps, &payment, auth).await?;
            return Ok(payment);
        }
        let call = place::Build {
            merchant: self.merchant,
            payment: &payment,
            title: &self.bill.title.zh,
            public_url: &self.deps.public_url,
            openid,
            payer_ip: self.wanted.payer_ip,
        };
        payment.request = Some(call.bytes()?);
        payments::insert(tx, &payment, payments::New::default()).await?;
        Ok(payment)
    }

    fn until(&self, who: &Account, now: UnixMs) -> UnixMs {
        let settings: Settings = who.caller.hospital.settings(Settings::SECTION);
        let minutes = std::time::Duration::from_secs(u64::from(settings.pay_minutes) * 60);
        self.bill.pay_until.unwrap_or_else(|| now.plus(minutes)).max(now.plus(AT_LEAST))
    }
}

/// The page says that its payment sheet has closed. That proves nothing; but the platform is asked at once.
///
/// # Errors
/// 404 when the payment is not this account's.
pub async fn hint(deps: &BillingDeps, who: &Account, id: PaymentId) -> std::result::Result<Payment, Problem> {
    let hospital = who.caller.hospital.id;
    let payment = own(deps, who, id).await?;
    let open = matches!(payment.state, PaymentState::New | PaymentState::Waiting);
    // Whoever taps a hundred times asks no more often than the platform likes.
    if open && payment.tries < 40 {
        let mut tx = deps.db.begin().await?;
        let now = tx.now();
        payments::ask_at(&mut tx, hospital, id, Some(now), false).await?;
        tx.touch(crate::wake());
        tx.commit().await?;
    }
    Ok(payment)
}

/// A payment of this account; for everybody else it does not exist.
///
/// # Errors
/// 404.
pub async fn own(deps: &BillingDeps, who: &Account, id: PaymentId) -> std::result::Result<Payment, Problem> {
    let found = payments::read(&deps.db, who.caller.hospital.id, id).await?;
    found.filter(|payment| payment.account == Some(who.id)).ok_or_else(Problem::not_found)
}

/// The ways that a hospital offers online.
#[must_use]
pub fn ways(deps: &BillingDeps, hospital: &edge::Hospital) -> Vec<Way> {
    let mut ways = Vec::new();
    for merchant in deps.merchants.all().iter().filter(|m| m.hospital == hospital.id) {
        match &merchant.line {
            Line::Wechatpay(_) => ways.extend([Way::WechatJsapi, Way::WechatH5, Way::WechatNative]),
            Line::Alipay(_) => ways.extend([Way::AlipayWap, Way::AlipayCode]),
            Line::Insurance(_) => {}
        }
    }
    if insurance::offered(deps, hospital).is_ok() {
        ways.push(Way::Insurance);
    }
    ways
}
