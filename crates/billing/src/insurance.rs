//! Medical insurance, and WeChat Pay for what it leaves.
//!
//! Order of work: the fees go to the bureau (6201), the bureau says who pays what (6301), the cash part becomes an ordinary
//! order under the same number, and WeChat's insurance cashier gets both. Each step is written down before the next, under
//! numbers that make it the same step when it is repeated. From the cashier on only a result ends it: no timer.

pub(crate) mod authorise;
mod back;

use base::{Fen, Problem, Text2};
use edge::Hospital;
use pay::insurance::{FeeItem, FeeUpload, WhichOrder};
use pay::wechatpay::medins::{self, MixPayType, MixedOrder, NewMixedOrder, Patient, Split};
use pay::{Outcome, Secret, wechatpay};
use store::vault::Purpose;
use store::{Result, Tx};

use crate::BillingDeps;
use crate::checkout::Sheet;
use crate::inbox::observe;
use crate::merchants::{Bureau, Line, Merchant};
use crate::model::{Charge, Insured, Payment, PaymentState, Provider, Shares};
use crate::observation::{Observation, Source};
use crate::problems;
use crate::settings::{InsuranceSettings, Settings};
use crate::store::{charge as charges, payment as payments};

pub(crate) use back::{Part, give_back, tell_wechat};

/// Where the sealed authorisation stands.
pub(crate) const AUTH: &str = "insured.pay_auth_no";

/// Whether a hospital takes insurance online: a contract with the bureau, one with WeChat Pay, and what both know us by.
///
/// # Errors
/// 409 `way_not_offered`.
pub(crate) fn offered(
    deps: &BillingDeps,
    hospital: &Hospital,
) -> std::result::Result<InsuranceSettings, Problem> {
    let settings: Settings = hospital.settings(Settings::SECTION);
    let both = [Provider::Wechatpay, Provider::Insurance]
        .iter()
        .all(|provider| deps.merchants.of(hospital.id, *provider).is_some());
    let known = !settings.insurance.city_id.is_empty() && !settings.insurance.org_code.is_empty();
    if both && known { Ok(settings.insurance) } else { Err(problems::way_not_offered()) }
}

/// Writes the bureau's side of an intent down.
pub(crate) async fn write(tx: &mut Tx, deps: &BillingDeps, payment: &Payment, auth: &str) -> Result<()> {
    let sealed = deps.vault.seal(payment.hospital, AUTH, auth)?;
    // At most 20 characters; the last of a number that is random in its end.
    let tail: String = payment.number.chars().skip(13).collect();
    payments::insure(tx, payment.hospital, payment.id, &format!("M{tail}"), sealed).await
}

/// The bureau of a hospital.
pub(crate) fn bureau(deps: &BillingDeps, hospital: base::HospitalId) -> Option<std::sync::Arc<Merchant>> {
    deps.merchants.of(hospital, Provider::Insurance)
}

/// Everything that the steps need.
struct Case<'a> {
    deps: &'a BillingDeps,
    hospital: std::sync::Arc<Hospital>,
    settings: InsuranceSettings,
    charge: &'a Charge,
    identity: people::identity::Identity,
    auth: Secret,
    insured: Insured,
}

impl Case<'_> {
    fn secret(secret: &base::Secret) -> Secret {
        Secret::new(secret.expose())
    }

    fn is_resident(&self) -> bool {
        self.identity.kind == people::DocumentKind::ResidentId
    }
}

/// Goes through the steps that are not done yet, and gives what the page does next.
pub(crate) async fn begin(
    deps: &BillingDeps,
    merchant: &Merchant,
    charge: &Charge,
    payment: Payment,
    openid: &str,
) -> std::result::Result<(Payment, Sheet), Problem> {
    let hospital = deps.hospitals.get(payment.hospital).ok_or_else(Problem::internal)?;
    let settings = offered(deps, &hospital)?;
    let their = bureau(deps, payment.hospital).ok_or_else(problems::way_not_offered)?;
    let (Line::Insurance(bureau), Line::Wechatpay(client)) = (&their.line, &merchant.line) else {
        return Err(problems::way_not_offered());
    };
    let by = payment.account.map_or_else(|| "system".to_owned(), |account| account.to_string());
    let identity = people::identity::of_person(
        &deps.db,
        &deps.vault,
        payment.hospital,
        charge.person,
        &by,
        Purpose::Export,
    )
    .await?
    .ok_or_else(problems::insurance_refused)?;
    let insured =
        payments::insured(&deps.db, payment.hospital, payment.id).await?.ok_or_else(Problem::internal)?;
    let auth = deps.vault.open_sealed(payment.hospital, AUTH, &insured.pay_auth_no, Purpose::Export)?;
    let mut case = Case { deps, hospital, settings, charge, identity, auth: Secret::new(auth), insured };
    upload(&mut case, bureau, &payment).await?;
    let payment = split(&case, bureau, payment).await?;
    let prepay = if payment.shares.cash > Fen::ZERO {
        Some(cash_order(&case, merchant, client, &payment, openid).await?)
    } else {
        None
    };
    let mixed = mix(&mut case, merchant, client, &payment, openid, prepay.as_deref()).await?;
    let cash = match &prepay {
        Some(prepay) => {
            let signed = client.merchant().client_pay(&merchant.app, prepay, deps.db.now());
            Some(Box::new(signed.map_err(|_| Problem::internal())?))
        }
        None => None,
    };
    let payment = Payment { state: PaymentState::Waiting, ..payment };
    Ok((payment, Sheet::Insurance { mix_trade_no: mixed, cash }))
}

/// Why a step was not done, and whether that was an explicit no.
type No = (Box<Problem>, bool);

/// What a call came to: the answer, a no with the platform's words in the log, or nobody knows.
fn settled<T>(what: &'static str, payment: &Payment, outcome: Outcome<T>) -> std::result::Result<T, No> {
    match outcome {
        Outcome::Done(done) => Ok(done.into_inner()),
        Outcome::Refused(refusal) => {
            tracing::warn!(payment = %payment.id, what, %refusal, "an insured payment was refused");
            Err((Box::new(problems::insurance_refused()), true))
        }
        Outcome::Unknown(doubt) => {
            tracing::warn!(payment = %payment.id, what, why = %doubt.why, "it is not known what became of a step of an insured payment");
            Err((Box::new(problems::platform_unclear()), false))
        }
    }
}

/// A no before the cashier has it ends the attempt: whoever asks again begins a new one, with a new authorisation.
async fn end_if_refused(deps: &BillingDeps, payment: &Payment, (problem, refused): No) -> Problem {
    if refused {
        let closing = async {
            let mut tx = deps.db.begin().await?;
            payments::close(&mut tx, payment.hospital, payment.id, Some("insurance refused")).await?;
            tx.commit().await
        };
        if let Err(error) = closing.await {
            return error.into();
        }
    }
    *problem
}

/// 6201. The bill number makes it the same order when it is sent again.
async fn upload(case: &mut Case<'_>, bureau: &Bureau, payment: &Payment) -> std::result::Result<(), Problem> {
    if case.insured.pay_order_id.is_some() {
        return Ok(());
    }
    let deps = case.deps;
    let items = charges::items(&deps.db, payment.hospital, case.charge.id).await?;
    let at = pay::moment::beijing(payment.created_at);
    let order_no = case.insured.order_no.clone();
    let fees = items.iter().enumerate().map(|(line, item)| FeeItem {
        feedetl_sn: format!("{order_no}-{line}"),
        chrg_bchno: order_no.clone(),
        fee_ocur_time: at.clone(),
        med_list_codg: item.code.clone(),
        medins_list_codg: item.code.clone(),
        det_item_fee_sumamt: item.amount().unwrap_or_default(),
        cnt: item.count,
        pric: item.price,
    });
    let department = case.charge.department.clone().unwrap_or_default();
    let message = FeeUpload {
        org_codg: case.settings.org_code.clone(),
        psn_no: String::new(),
        insutype: "310".into(),
        med_org_ord: order_no.clone(),
        begntime: at.clone(),
        id_no: Case::secret(&case.identity.number),
        user_name: Case::secret(&case.identity.name),
        id_type: "01".into(),
        pay_auth_no: case.auth.reveal().to_owned(),
        insuplc_admdvs: case.settings.region.clone(),
        ipt_otp_no: order_no.clone(),
        atddr_no: String::new(),
        dr_name: String::new(),
        dept_code: department.clone(),
        dept_name: department,
        med_type: "11".into(),
        fee_type: "01".into(),
        medfee_sumamt: payment.total,
        acct_used_flag: "1".into(),
        chrg_bchno: order_no.clone(),
        items: fees.collect(),
    };
    let uploaded = match settled("6201", payment, bureau.client.send(&message).await) {
        Ok(uploaded) => uploaded,
        Err(why) => return Err(end_if_refused(deps, payment, why).await),
    };
    let numbers = (uploaded.pay_ord_id.as_str(), uploaded.pay_token.as_str());
    let mut tx = deps.db.begin().await?;
    payments::uploaded(&mut tx, payment.hospital, payment.id, numbers).await?;
    tx.commit().await?;
    case.insured.pay_order_id = Some(uploaded.pay_ord_id);
    case.insured.pay_token = Some(uploaded.pay_token);
    Ok(())
}

fn which(case: &Case<'_>) -> WhichOrder {
    WhichOrder {
        pay_ord_id: case.insured.pay_order_id.clone().unwrap_or_default(),
        org_codg: case.settings.org_code.clone(),
        pay_token: case.insured.pay_token.clone().unwrap_or_default(),
        id_no: Case::secret(&case.identity.number),
        user_name: Case::secret(&case.identity.name),
        id_type: "01".into(),
    }
}

/// 6301: who pays what.
async fn split(case: &Case<'_>, bureau: &Bureau, payment: Payment) -> std::result::Result<Payment, Problem> {
    let deps = case.deps;
    let state = match settled("6301", &payment, bureau.client.send(&which(case)).await) {
        Ok(state) => state,
        Err((problem, _)) => return Err(*problem),
    };
    let shares = Shares {
        gov: state.fund_pay,
        own: state.psn_acct_pay,
        other: state.oth_fee_amt,
        cash: state.own_pay_amt,
    };
    if !state.adds_up() || !shares.make(payment.total) {
        tracing::error!(payment = %payment.id, "the bureau's parts do not make our whole");
        return Err(end_if_refused(deps, &payment, (Box::new(problems::insurance_refused()), true)).await);
    }
    if shares != payment.shares {
        let mut tx = deps.db.begin().await?;
        payments::share(&mut tx, payment.hospital, payment.id, shares).await?;
        tx.commit().await?;
    }
    Ok(Payment { shares, ..payment })
}

/// The cash part as an ordinary order, under the same number.
async fn cash_order(
    case: &Case<'_>,
    merchant: &Merchant,
    client: &wechatpay::Client,
    payment: &Payment,
    openid: &str,
) -> std::result::Result<String, Problem> {
    let deps = case.deps;
    if let Some(prepay) = &payment.handle {
        return Ok(prepay.clone());
    }
    let request = match &payment.request {
        Some(request) => request.clone(),
        None => {
            let request = cash_bytes(case, merchant, payment, openid)?;
            let mut tx = deps.db.begin().await?;
            payments::keep_request(&mut tx, payment.hospital, payment.id, &request).await?;
            tx.commit().await?;
            // Another tap may have written its own first: what stands there is what is sent.
            let stored = payments::read(&deps.db, payment.hospital, payment.id).await?;
            stored.and_then(|p| p.request).unwrap_or(request)
        }
    };
    let call = wechatpay::calls::jsapi_again(request.into_bytes());
    let prepay = match settled("cash order", payment, client.send(&call).await) {
        Ok(prepay) => prepay.prepay_id,
        Err(why) => return Err(end_if_refused(deps, payment, why).await),
    };
    let mut tx = deps.db.begin().await?;
    payments::keep_handle(&mut tx, payment.hospital, payment.id, &prepay).await?;
    tx.commit().await?;
    Ok(prepay)
}

fn cash_bytes(
    case: &Case<'_>,
    merchant: &Merchant,
    payment: &Payment,
    openid: &str,
) -> std::result::Result<String, Problem> {
    let number = crate::checkout::number(payment)?;
    let notify_url = crate::checkout::notify_url(&case.deps.public_url, merchant);
    let order = wechatpay::calls::Order {
        mchid: &merchant.merchant,
        appid: &merchant.app,
        out_trade_no: &number,
        description: &case.charge.title.zh,
        expires: payment.expires_at,
        notify_url: &notify_url,
        attach: None,
        total: payment.shares.cash,
        support_fapiao: false,
    };
    let call = wechatpay::calls::jsapi(&order, openid).map_err(|_| problems::refused_by_platform())?;
    String::from_utf8(call.body().to_vec()).map_err(|_| Problem::internal())
}

/// Hands both parts to WeChat's insurance cashier.
async fn mix(
    case: &mut Case<'_>,
    merchant: &Merchant,
    client: &wechatpay::Client,
    payment: &Payment,
    openid: &str,
    prepay: Option<&str>,
) -> std::result::Result<String, Problem> {
    if let Some(number) = &case.insured.mix_number {
        return Ok(number.clone());
    }
    let deps = case.deps;
    let number = crate::checkout::number(payment)?;
    let callback_url = crate::checkout::notify_url(&deps.public_url, merchant);
    let name: &Text2 = &case.hospital.profile.name;
    let shares = payment.shares;
    let split = Split {
        total: payment.total,
        gov: shares.gov,
        own_account: shares.own,
        other: shares.other,
        insurance_cash: shares.cash,
        wechat_cash: shares.cash,
        ..Split::default()
    };
    let kind = if shares.cash > Fen::ZERO { MixPayType::CashAndInsurance } else { MixPayType::InsuranceOnly };
    let patient = Patient {
        name: Case::secret(&case.identity.name),
        id_number: Case::secret(&case.identity.number),
        card_type: if case.is_resident() { "ID_CARD" } else { "FOREIGNER_PASSPORT" },
    };
    let order = NewMixedOrder {
        kind,
        order_type: "REG_PAY",
        appid: &merchant.app,
        openid,
        payer: &patient,
        relative: None,
        out_trade_no: &number,
        serial_no: &case.insured.order_no,
        pay_order_id: case.insured.pay_order_id.as_deref(),
        pay_auth_no: Some(case.auth.reveal()),
        geo_location: Some(&case.settings.location),
        city_id: &case.settings.city_id,
        med_inst_name: &name.zh,
        med_inst_no: &case.settings.org_code,
        created: payment.created_at,
        split,
        additions: &[],
        reductions: &[],
        callback_url: &callback_url,
        prepay_id: prepay,
        passthrough: None,
        attach: None,
    };
    let ring = &client.merchant().ring;
    let call = medins::create(&order, ring, deps.db.now()).map_err(|error| {
        tracing::error!(%error, "a mixed order can't be built");
        problems::insurance_refused()
    })?;
    // From here on it may be settled whatever we hear of it: no timer closes it.
    let mut tx = deps.db.begin().await?;
    payments::settling(&mut tx, payment.hospital, payment.id, true).await?;
    tx.commit().await?;
    let mixed: MixedOrder = match settled("mixed order", payment, client.send(&call).await) {
        Ok(mixed) => mixed,
        Err((problem, refused)) => {
            if refused {
                let mut tx = deps.db.begin().await?;
                payments::settling(&mut tx, payment.hospital, payment.id, false).await?;
                tx.commit().await?;
            }
            return Err(end_if_refused(deps, payment, (problem, refused)).await);
        }
    };
    let mut tx = deps.db.begin().await?;
    payments::mixed(&mut tx, payment.hospital, payment.id, &mixed.mix_trade_no).await?;
    payments::placed(&mut tx, payment.hospital, payment.id, None).await?;
    tx.commit().await?;
    case.insured.mix_number = Some(mixed.mix_trade_no.clone());
    Ok(mixed.mix_trade_no)
}

/// Asks WeChat how a mixed order stands. Gives whether it may be closed by a timer: nobody has begun to settle it.
pub(crate) async fn ask(
    deps: &BillingDeps,
    merchant: &Merchant,
    client: &wechatpay::Client,
    payment: &Payment,
) -> Result<bool> {
    let Some(insured) = payments::insured(&deps.db, payment.hospital, payment.id).await? else {
        return Ok(true);
    };
    if !insured.settling {
        return Ok(true);
    }
    let Ok(number) = pay::OutTradeNo::new(payment.number.clone()) else { return Ok(false) };
    match client.send(&medins::query(&number)).await {
        Outcome::Done(order) => {
            let observation = Observation::mixed_order(&order, &merchant.merchant);
            observe(deps, merchant, Source::Query, &observation).await?;
            // A code that nobody has scanned to the end can be given up; what is being settled can't.
            Ok(order.mix_pay_status == medins::MixPayStatus::Created)
        }
        // It never reached WeChat.
        Outcome::Refused(refusal) if refusal.is_missing() => Ok(true),
        Outcome::Refused(refusal) => {
            tracing::warn!(payment = %payment.id, %refusal, "WeChat does not say how an insured order stands");
            Ok(false)
        }
        Outcome::Unknown(_) => Ok(false),
    }
}

/// Takes the fees back from the bureau (6401) once the attempt is over and was never settled.
pub(crate) async fn withdraw(deps: &BillingDeps, charge: &Charge, payment: &Payment) -> Result<()> {
    let Some(insured) = payments::insured(&deps.db, payment.hospital, payment.id).await? else {
        return Ok(());
    };
    let (Some(hospital), Some(their)) =
        (deps.hospitals.get(payment.hospital), bureau(deps, payment.hospital))
    else {
        return Ok(());
    };
    let Line::Insurance(bureau) = &their.line else { return Ok(()) };
    if insured.pay_order_id.is_none() {
        return Ok(());
    }
    let found = people::identity::of_person(
        &deps.db,
        &deps.vault,
        payment.hospital,
        charge.person,
        "system",
        Purpose::Export,
    )
    .await?;
    let Some(identity) = found else { return Ok(()) };
    let settings: Settings = hospital.settings(Settings::SECTION);
    let auth = Secret::new("");
    let case = Case {
        deps,
        hospital: hospital.clone(),
        settings: settings.insurance,
        charge,
        identity,
        auth,
        insured,
    };
    if !matches!(bureau.client.send(&pay::insurance::Revoked(which(&case))).await, Outcome::Done(_)) {
        tracing::warn!(payment = %payment.id, "the bureau did not take uploaded fees back; they lapse there by themselves");
    }
    Ok(())
}
