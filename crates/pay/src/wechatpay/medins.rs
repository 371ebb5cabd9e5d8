//! Orders that medical insurance and cash pay together: `/v3/med-ins/`.
//!
//! The insurance part is settled by WeChat with the bureau; the cash part is an ordinary JSAPI order under the same number.
//! WeChat repeats the notice for half a minute only: polling every open order is the rule, the notice a hint.

use base::{Fen, UnixMs};
use serde::{Deserialize, Serialize};

use super::calls::{self, Call};
use super::keys::KeyRing;
use super::model::Done;
use super::sensitive::id_digest;
use crate::outcome::Invalid;
use crate::words::words;
use crate::{OutRefundNo, OutTradeNo, Secret, moment};

words! {
    /// How an order is paid.
    MixPayType {
        /// No insurance part.
        CashOnly = "CASH_ONLY",
        /// No cash part.
        InsuranceOnly = "INSURANCE_ONLY",
        /// Both.
        CashAndInsurance = "CASH_AND_INSURANCE",
    }
}

words! {
    /// State of the whole order.
    MixPayStatus {
        /// Placed.
        Created = "MIX_PAY_CREATED",
        /// The password is being checked: must not be closed.
        UserPaying = "MIX_PAY_USER_PAYING",
        /// Paid; look at both parts too.
        Success = "MIX_PAY_SUCCESS",
        /// Something went back.
        Refund = "MIX_PAY_REFUND",
        /// Failed.
        Fail = "MIX_PAY_FAIL",
        /// Reversed; final.
        Reversed = "MIX_PAY_REVERSED",
    }
}

words! {
    /// State of the cash part.
    SelfPayStatus {
        /// Not paid yet.
        Created = "SELF_PAY_CREATED",
        /// Paid.
        Success = "SELF_PAY_SUCCESS",
        /// Went back.
        Refund = "SELF_PAY_REFUND",
        /// Failed.
        Fail = "SELF_PAY_FAIL",
        /// There is none.
        None = "NO_SELF_PAY",
    }
}

words! {
    /// State of the insurance part.
    MedInsPayStatus {
        /// Not settled yet.
        Created = "MED_INS_PAY_CREATED",
        /// Settled.
        Success = "MED_INS_PAY_SUCCESS",
        /// Returned.
        Refund = "MED_INS_PAY_REFUND",
        /// Failed.
        Fail = "MED_INS_PAY_FAIL",
        /// There is none.
        None = "NO_MED_INS_PAY",
    }
}

/// The amounts of an order. All in fen, none negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Split {
    /// The whole bill.
    pub total: Fen,
    /// The pooled fund's part (统筹).
    pub gov: Fen,
    /// The personal account's part (个账).
    pub own_account: Fen,
    /// Other funds' part.
    pub other: Fen,
    /// What insurance left to be paid in cash.
    pub insurance_cash: Fen,
    /// What WeChat collects in cash.
    pub wechat_cash: Fen,
    /// Sum of what is added to the cash (delivery, for instance).
    pub added: Fen,
    /// Sum of what is taken off the cash (a deposit, for instance).
    pub reduced: Fen,
}

impl Split {
    /// WeChat's three formulas, and which fields a kind of payment may have.
    ///
    /// # Errors
    /// [`Invalid`], naming the field that WeChat's error number stands for.
    pub fn check(&self, kind: &MixPayType) -> Result<(), Invalid> {
        let sum = |parts: &[Fen]| parts.iter().try_fold(Fen::ZERO, |sum, part| sum.checked_add(*part));
        let all = [
            self.total,
            self.gov,
            self.own_account,
            self.other,
            self.insurance_cash,
            self.wechat_cash,
            self.added,
            self.reduced,
        ];
        Invalid::unless(all.iter().all(|part| *part >= Fen::ZERO), "amounts", "none may be negative")?;
        let insured = [self.gov, self.own_account, self.other, self.insurance_cash];
        match kind {
            MixPayType::CashOnly => {
                let none = insured.iter().all(|part| *part == Fen::ZERO);
                Invalid::unless(none, "med_ins_gov_fee", "no insurance amounts with CASH_ONLY")?;
                Invalid::unless(self.wechat_cash > Fen::ZERO, "wechat_pay_cash_fee", "above zero")?;
            }
            MixPayType::InsuranceOnly => {
                Invalid::unless(
                    self.wechat_cash == Fen::ZERO,
                    "wechat_pay_cash_fee",
                    "zero with INSURANCE_ONLY",
                )?;
            }
            MixPayType::CashAndInsurance => {
                Invalid::unless(self.wechat_cash > Fen::ZERO, "wechat_pay_cash_fee", "above zero")?;
            }
            MixPayType::Unknown(_) => return Err(Invalid::new("mix_pay_type", "one of the three")),
        }
        let paid = sum(&[self.gov, self.own_account, self.other, self.wechat_cash, self.reduced]);
        Invalid::unless(paid == Some(self.total), "total_fee", "gov + self + other + cash + reductions")?;
        let owed = sum(&[self.gov, self.own_account, self.other, self.insurance_cash, self.added]);
        Invalid::unless(
            owed == Some(self.total),
            "med_ins_cash_fee",
            "total = gov + self + other + it + additions",
        )?;
        let cash = sum(&[self.insurance_cash, self.added]).and_then(|cash| cash.checked_sub(self.reduced));
        Invalid::unless(
            cash == Some(self.wechat_cash),
            "wechat_pay_cash_fee",
            "cash + additions − reductions",
        )
    }
}

/// A person in an order. Name and number are sealed before they leave.
#[derive(Debug, Clone)]
pub struct Patient {
    /// Name.
    pub name: Secret,
    /// Document number.
    pub id_number: Secret,
    /// `ID_CARD`, `FOREIGNER_PASSPORT`, …
    pub card_type: &'static str,
}

/// What is added to or taken off the cash, and as what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjustment {
    /// How much.
    #[serde(alias = "cash_add_fee", alias = "cash_reduce_fee")]
    pub fee: Fen,
    /// `FREIGHT`, `HOSPITAL_REDUCE`, …
    #[serde(alias = "cash_add_type", alias = "cash_reduce_type")]
    pub kind: String,
}

/// A mixed order to place. Fields without a place for the chosen kind are left `None`.
#[derive(Debug, Clone)]
pub struct NewMixedOrder<'a> {
    /// How it is paid.
    pub kind: MixPayType,
    /// `REG_PAY`, `DIAG_PAY`, `PHARMACY_PAY`, …
    pub order_type: &'a str,
    /// Payer's appid.
    pub appid: &'a str,
    /// Payer's openid.
    pub openid: &'a str,
    /// The WeChat user.
    pub payer: &'a Patient,
    /// The patient, when somebody pays for a member of the family.
    pub relative: Option<&'a Patient>,
    /// Our number; that of the cash order too.
    pub out_trade_no: &'a OutTradeNo,
    /// Our bill number; 6201 `medOrgOrd`. At most 20 characters.
    pub serial_no: &'a str,
    /// From 6201.
    pub pay_order_id: Option<&'a str>,
    /// From the authorisation.
    pub pay_auth_no: Option<&'a str>,
    /// `longitude,latitude`.
    pub geo_location: Option<&'a str>,
    /// Given by Tencent; not always the national region code.
    pub city_id: &'a str,
    /// The hospital's name.
    pub med_inst_name: &'a str,
    /// The hospital's number.
    pub med_inst_no: &'a str,
    /// When the bill was made.
    pub created: UnixMs,
    /// The amounts.
    pub split: Split,
    /// What [`Split::added`] is made of.
    pub additions: &'a [Adjustment],
    /// What [`Split::reduced`] is made of.
    pub reductions: &'a [Adjustment],
    /// Where the notice goes.
    pub callback_url: &'a str,
    /// Of the cash order.
    pub prepay_id: Option<&'a str>,
    /// JSON text for the bureau; its content is a matter of the region.
    pub passthrough: Option<&'a str>,
    /// What comes back.
    pub attach: Option<&'a str>,
}

/// Places a mixed order. Seals names and numbers under the newest of WeChat's keys.
///
/// # Errors
/// [`Invalid`].
pub fn create(order: &NewMixedOrder<'_>, ring: &KeyRing, now: UnixMs) -> Result<Call<MixedOrder>, Invalid> {
    order.split.check(&order.kind)?;
    let sum = |parts: &[Adjustment]| parts.iter().try_fold(Fen::ZERO, |sum, part| sum.checked_add(part.fee));
    Invalid::unless(sum(order.additions) == Some(order.split.added), "cash_add_detail", "its sum")?;
    Invalid::unless(sum(order.reductions) == Some(order.split.reduced), "cash_reduce_detail", "its sum")?;
    Invalid::unless(order.serial_no.len() <= 20 && !order.serial_no.is_empty(), "serial_no", "1 to 20")?;
    calls::address("callback_url", order.callback_url, 256)?;
    let (insured, cash) = (order.kind != MixPayType::CashOnly, order.kind != MixPayType::InsuranceOnly);
    let both = order.pay_order_id.is_some() && order.pay_auth_no.is_some();
    let none = order.pay_order_id.is_none() && order.pay_auth_no.is_none() && order.geo_location.is_none();
    Invalid::unless(
        if insured { both } else { none },
        "pay_order_id",
        "with an insurance part, and only then",
    )?;
    Invalid::unless(order.prepay_id.is_some() == cash, "prepay_id", "with a cash part, and only then")?;
    let (key_id, key) =
        ring.for_sealing(now).ok_or(Invalid::new("payer", "no key of WeChat's to seal with"))?;
    let person = |patient: &Patient| -> Result<serde_json::Value, Invalid> {
        let seal = |text: &str| {
            key.seal_oaep(text.as_bytes()).map_err(|_| Invalid::new("payer", "too long to be sealed"))
        };
        Ok(serde_json::json!({
            "name": seal(patient.name.reveal())?,
            "id_digest": seal(&id_digest(patient.id_number.reveal()))?,
            "card_type": patient.card_type,
        }))
    };
    let mut body = serde_json::json!({
        "mix_pay_type": order.kind, "order_type": order.order_type, "appid": order.appid, "openid": order.openid,
        "payer": person(order.payer)?, "out_trade_no": order.out_trade_no, "serial_no": order.serial_no,
        "city_id": order.city_id, "med_inst_name": order.med_inst_name, "med_inst_no": order.med_inst_no,
        "med_ins_order_create_time": moment::rfc3339(order.created), "total_fee": order.split.total,
        "wechat_pay_cash_fee": order.split.wechat_cash, "callback_url": order.callback_url,
    });
    let mut put = |name: &str, value: serde_json::Value| {
        if let Some(map) = body.as_object_mut()
            && !value.is_null()
        {
            map.insert(name.to_owned(), value);
        }
    };
    if let Some(relative) = order.relative {
        put("pay_for_relatives", true.into());
        put("relative", person(relative)?);
    }
    if insured {
        put("med_ins_gov_fee", order.split.gov.0.into());
        put("med_ins_self_fee", order.split.own_account.0.into());
        put("med_ins_other_fee", order.split.other.0.into());
        put("med_ins_cash_fee", order.split.insurance_cash.0.into());
    }
    let detail = |parts: &[Adjustment], fee: &str, kind: &str| -> serde_json::Value {
        let one = |part: &Adjustment| serde_json::json!({ fee: part.fee, kind: part.kind });
        if parts.is_empty() { serde_json::Value::Null } else { parts.iter().map(one).collect() }
    };
    put("cash_add_detail", detail(order.additions, "cash_add_fee", "cash_add_type"));
    put("cash_reduce_detail", detail(order.reductions, "cash_reduce_fee", "cash_reduce_type"));
    put("pay_order_id", order.pay_order_id.into());
    put("pay_auth_no", order.pay_auth_no.into());
    put("geo_location", order.geo_location.into());
    put("prepay_id", order.prepay_id.into());
    put("passthrough_request_content", order.passthrough.into());
    put("attach", order.attach.into());
    let mut call: Call<MixedOrder> = calls::post("/v3/med-ins/orders".into(), &body)?;
    call.sealed_with = Some(key_id.to_owned());
    Ok(call)
}

/// The state of a mixed order by our number.
#[must_use]
pub fn query(no: &OutTradeNo) -> Call<MixedOrder> {
    calls::get(format!("/v3/med-ins/orders/out-trade-no/{}", calls::segment(no.as_str())))
}

/// The state of a mixed order by WeChat's number.
#[must_use]
pub fn query_by_mix_trade_no(mix_trade_no: &str) -> Call<MixedOrder> {
    calls::get(format!("/v3/med-ins/orders/mix-trade-no/{}", calls::segment(mix_trade_no)))
}

/// How much of the insurance part the bureau has taken back so far.
#[derive(Debug, Clone)]
pub struct InsuranceReturned<'a> {
    /// WeChat's number of the mixed order.
    pub mix_trade_no: &'a str,
    /// All of it.
    pub total: Fen,
    /// To the pooled fund.
    pub gov: Fen,
    /// To the personal account.
    pub own_account: Fen,
    /// To others.
    pub other: Fen,
    /// When.
    pub at: UnixMs,
    /// Our number of the cash refund, when there is one.
    pub out_refund_no: Option<&'a OutRefundNo>,
}

/// Tells WeChat about a refund of insurance money, after the bureau and the cash. Totals so far: the newest call wins.
///
/// # Errors
/// [`Invalid`].
pub fn tell_refund(told: &InsuranceReturned<'_>) -> Result<Call<Done>, Invalid> {
    let mut body = serde_json::json!({
        "med_refund_total_fee": told.total, "med_refund_gov_fee": told.gov, "med_refund_self_fee": told.own_account,
        "med_refund_other_fee": told.other, "refund_time": moment::rfc3339(told.at),
    });
    if let (Some(no), Some(map)) = (told.out_refund_no, body.as_object_mut()) {
        map.insert("out_refund_no".into(), no.as_str().into());
    }
    let target = format!("/v3/med-ins/refunds/notify?mix_trade_no={}", calls::segment(told.mix_trade_no));
    calls::post_for_nothing(target, &body)
}

/// A mixed order as WeChat shows it. There is no transaction id in it: the cash order has that.
#[derive(Debug, Clone, Deserialize)]
pub struct MixedOrder {
    /// WeChat's number.
    pub mix_trade_no: String,
    /// Ours.
    pub out_trade_no: String,
    /// How it is paid.
    pub mix_pay_type: Option<MixPayType>,
    /// The whole.
    pub mix_pay_status: MixPayStatus,
    /// The cash part.
    pub self_pay_status: SelfPayStatus,
    /// The insurance part.
    pub med_ins_pay_status: MedInsPayStatus,
    /// The appid.
    #[serde(default)]
    pub appid: String,
    /// The bureau's number.
    pub pay_order_id: Option<String>,
    /// Our bill number.
    pub serial_no: Option<String>,
    /// When it was paid, as WeChat writes it.
    pub paid_time: Option<String>,
    /// Amounts.
    #[serde(default)]
    pub total_fee: Fen,
    /// Pooled fund.
    #[serde(default)]
    pub med_ins_gov_fee: Fen,
    /// Personal account.
    #[serde(default)]
    pub med_ins_self_fee: Fen,
    /// Others.
    #[serde(default)]
    pub med_ins_other_fee: Fen,
    /// Cash that insurance left.
    #[serde(default)]
    pub med_ins_cash_fee: Fen,
    /// Cash that WeChat collected.
    #[serde(default)]
    pub wechat_pay_cash_fee: Fen,
    /// The bureau's own words.
    pub passthrough_response_content: Option<String>,
    /// Why the insurance part failed.
    pub med_ins_fail_reason: Option<String>,
}

impl MixedOrder {
    /// Paid only when the whole and each part that exists are.
    #[must_use]
    pub fn is_paid(&self) -> bool {
        self.mix_pay_status == MixPayStatus::Success
            && matches!(self.self_pay_status, SelfPayStatus::Success | SelfPayStatus::None)
            && matches!(self.med_ins_pay_status, MedInsPayStatus::Success | MedInsPayStatus::None)
    }

    /// The dangerous state: the payer's cash came, insurance said no. The cash is owed back.
    #[must_use]
    pub fn owes_cash_back(&self) -> bool {
        self.self_pay_status == SelfPayStatus::Success && self.med_ins_pay_status == MedInsPayStatus::Fail
    }
}
