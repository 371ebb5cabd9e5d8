//! The messages, with the names that they have on the wire. Amounts are yuan there, as text or as number.

use base::Fen;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};

use crate::outcome::Invalid;
use crate::words::words;
use crate::{Secret, yuan};

/// A message with its number, its usual path and its answer.
pub trait Message: Serialize {
    /// What comes back.
    type Answer: DeserializeOwned;
    /// `6201`.
    const NUMBER: &'static str;
    /// As most places have it; [`super::Province::paths`] may say otherwise.
    const PATH: &'static str;
    /// It changes nothing: a lost answer needs no care.
    const READS: bool = false;

    /// What must hold before it is sent.
    ///
    /// # Errors
    /// [`Invalid`].
    fn check(&self) -> Result<(), Invalid> {
        Ok(())
    }
}

fn as_yuan<S: Serializer>(fen: &Fen, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&yuan::write(*fen))
}

fn reveal<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.reveal())
}

/// 6201: uploads the fees and opens the order. `med_org_ord` is our bill number: sent again it is the same order.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the bureau's; what is particular is said")]
pub struct FeeUpload {
    pub org_codg: String,
    pub psn_no: String,
    pub insutype: String,
    pub med_org_ord: String,
    /// `yyyy-MM-dd HH:mm:ss`.
    pub begntime: String,
    #[serde(serialize_with = "reveal")]
    pub id_no: Secret,
    #[serde(serialize_with = "reveal")]
    pub user_name: Secret,
    pub id_type: String,
    pub pay_auth_no: String,
    pub insuplc_admdvs: String,
    pub ipt_otp_no: String,
    pub atddr_no: String,
    pub dr_name: String,
    pub dept_code: String,
    pub dept_name: String,
    pub med_type: String,
    pub fee_type: String,
    #[serde(serialize_with = "as_yuan")]
    pub medfee_sumamt: Fen,
    /// `0`, `1`: may the personal account be used.
    pub acct_used_flag: String,
    pub chrg_bchno: String,
    #[serde(rename = "feedetailList")]
    pub items: Vec<FeeItem>,
}

/// One line of the fees.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the bureau's; what is particular is said")]
pub struct FeeItem {
    pub feedetl_sn: String,
    pub chrg_bchno: String,
    pub fee_ocur_time: String,
    /// The national code.
    pub med_list_codg: String,
    /// Ours.
    pub medins_list_codg: String,
    #[serde(serialize_with = "as_yuan")]
    pub det_item_fee_sumamt: Fen,
    /// How many.
    pub cnt: u32,
    #[serde(serialize_with = "as_yuan")]
    pub pric: Fen,
}

/// What 6201 gives back.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FeesUploaded {
    /// The bureau's number of the order.
    pub pay_ord_id: String,
    /// For the messages that follow.
    pub pay_token: String,
}

impl Message for FeeUpload {
    type Answer = FeesUploaded;
    const NUMBER: &'static str = "6201";
    const PATH: &'static str = "/org/local/api/hos/uldFeeInfo";

    fn check(&self) -> Result<(), Invalid> {
        let mut sum = Fen::ZERO;
        for item in &self.items {
            let line = item.pric.0.checked_mul(i64::from(item.cnt)).map(Fen);
            Invalid::unless(line == Some(item.det_item_fee_sumamt), "detItemFeeSumamt", "price times count")?;
            sum =
                sum.checked_add(item.det_item_fee_sumamt).ok_or(Invalid::new("feedetailList", "too much"))?;
        }
        Invalid::unless(
            sum == self.medfee_sumamt && !self.items.is_empty(),
            "medfeeSumamt",
            "the sum of its lines",
        )
    }
}

/// 6202: places and settles. After this is sent nothing is closed by a timer.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the bureau's")]
pub struct PlaceOrder {
    pub pay_auth_no: String,
    pub pay_ord_id: String,
    pub pay_token: String,
    pub org_codg: String,
    pub org_biz_ser: String,
    pub chrg_bchno: String,
    pub fee_type: String,
    pub acct_used_flag: String,
}

impl Message for PlaceOrder {
    type Answer = OrderState;
    const NUMBER: &'static str = "6202";
    const PATH: &'static str = "/org/local/api/hos/pay_order";
}

/// State of an order at the bureau, as one deployment numbers it. What is not known counts as open, and alarms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrdStas {
    /// 0–2.
    Open,
    /// 3–6.
    Settled,
    /// 7–13: cancelled or refunded.
    Undone,
    /// 14–16.
    Failed,
    /// Any other.
    Unknown,
}

/// What 6202 and 6301 say of an order.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderState {
    /// The bureau's number.
    pub pay_ord_id: String,
    /// The state's number; see [`OrderState::state`].
    pub ord_stas: String,
    /// All of it.
    #[serde(deserialize_with = "yuan::tolerant::deserialize")]
    pub fee_sumamt: Fen,
    /// The pooled fund's part.
    #[serde(default = "yuan::tolerant::default", deserialize_with = "yuan::tolerant::deserialize")]
    pub fund_pay: Fen,
    /// The personal account's part.
    #[serde(default = "yuan::tolerant::default", deserialize_with = "yuan::tolerant::deserialize")]
    pub psn_acct_pay: Fen,
    /// Left to be paid in cash.
    #[serde(default = "yuan::tolerant::default", deserialize_with = "yuan::tolerant::deserialize")]
    pub own_pay_amt: Fen,
    /// Others' part.
    #[serde(default = "yuan::tolerant::default", deserialize_with = "yuan::tolerant::deserialize")]
    pub oth_fee_amt: Fen,
    /// `ALL`, `CASH`, `HI`.
    pub setl_type: Option<String>,
    /// Our bill number.
    pub med_org_ord: Option<String>,
}

impl OrderState {
    /// The state. The list is one deployment's.
    #[must_use]
    pub fn state(&self) -> OrdStas {
        match self.ord_stas.parse::<u8>() {
            Ok(0..=2) => OrdStas::Open,
            Ok(3..=6) => OrdStas::Settled,
            Ok(7..=13) => OrdStas::Undone,
            Ok(14..=16) => OrdStas::Failed,
            _ => OrdStas::Unknown,
        }
    }

    /// The parts make the whole, to the fen.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        let parts = [self.fund_pay, self.psn_acct_pay, self.own_pay_amt, self.oth_fee_amt];
        parts.iter().try_fold(Fen::ZERO, |sum, part| sum.checked_add(*part)) == Some(self.fee_sumamt)
    }
}

/// Names an order: 6301 asks about it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the bureau's")]
pub struct WhichOrder {
    pub pay_ord_id: String,
    pub org_codg: String,
    pub pay_token: String,
    #[serde(serialize_with = "reveal")]
    pub id_no: Secret,
    #[serde(serialize_with = "reveal")]
    pub user_name: Secret,
    pub id_type: String,
}

impl Message for WhichOrder {
    type Answer = OrderState;
    const NUMBER: &'static str = "6301";
    const PATH: &'static str = "/org/local/api/hos/query_order_info";
    const READS: bool = true;
}

/// 6401: withdraws uploaded fees. Only before a settlement.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Revoked(pub WhichOrder);

impl Message for Revoked {
    type Answer = serde_json::Value;
    const NUMBER: &'static str = "6401";
    const PATH: &'static str = "/org/local/api/hos/revoke_order";
}

/// What is given back. A part of an insurance settlement can't be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum RefundKind {
    /// Every part whole.
    #[serde(rename = "ALL")]
    All,
    /// Only the cash.
    #[serde(rename = "CASH")]
    Cash,
    /// Only the insurance parts.
    #[serde(rename = "HI")]
    Insurance,
}

/// 6203: gives back. `app_refd_sn` is our refund number: sent again it is the same refund.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the bureau's; what is particular is said")]
pub struct InsuranceRefund {
    pub pay_ord_id: String,
    pub org_codg: String,
    pub app_refd_sn: String,
    /// `yyyyMMddHHmmss`.
    pub app_refd_time: String,
    #[serde(serialize_with = "as_yuan")]
    pub totl_refd_amt: Fen,
    #[serde(serialize_with = "as_yuan")]
    pub psn_acct_refd_amt: Fen,
    #[serde(serialize_with = "as_yuan")]
    pub fund_refd_amt: Fen,
    #[serde(serialize_with = "as_yuan")]
    pub cash_refd_amt: Fen,
    pub pay_auth_no: String,
    pub refd_type: RefundKind,
}

words! {
    /// What came of 6203.
    RefundStatus {
        /// Given back.
        Success = "SUCC",
        /// Not given back.
        Fail = "FAIL",
        /// Not known: ask 6301.
        Unclear = "EXP",
    }
}

/// What 6203 gives back.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refunded {
    /// What came of it.
    pub ref_status: RefundStatus,
}

impl Message for InsuranceRefund {
    type Answer = Refunded;
    const NUMBER: &'static str = "6203";
    const PATH: &'static str = "/org/local/api/hos/refund_Order";

    fn check(&self) -> Result<(), Invalid> {
        let parts = [self.psn_acct_refd_amt, self.fund_refd_amt, self.cash_refd_amt];
        let sum = parts.iter().try_fold(Fen::ZERO, |sum, part| sum.checked_add(*part));
        Invalid::unless(sum == Some(self.totl_refd_amt), "totlRefdAmt", "the sum of its parts")?;
        Invalid::unless(parts.iter().all(|part| *part >= Fen::ZERO), "totlRefdAmt", "no part below zero")?;
        let insured = self.psn_acct_refd_amt.0 > 0 || self.fund_refd_amt.0 > 0;
        match self.refd_type {
            RefundKind::All => Ok(()),
            RefundKind::Cash => Invalid::unless(!insured, "fundRefdAmt", "zero with CASH"),
            RefundKind::Insurance => {
                Invalid::unless(self.cash_refd_amt.0 == 0, "cashRefdAmt", "zero with HI")
            }
        }
    }
}

/// 3201: the day's totals, held against the bureau's own.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the bureau's; what is particular is said")]
pub struct SettlementTotals {
    pub setl_optins: String,
    pub insutype: String,
    pub clr_type: String,
    /// `yyyy-MM-dd`.
    pub stmt_begndate: String,
    pub stmt_enddate: String,
    #[serde(serialize_with = "as_yuan")]
    pub medfee_sumamt: Fen,
    #[serde(serialize_with = "as_yuan")]
    pub fund_pay_sumamt: Fen,
    #[serde(serialize_with = "as_yuan")]
    pub acct_pay: Fen,
    pub fixmedins_setl_cnt: u64,
}

/// The bureau's word on a day.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TotalsVerdict {
    /// `0` agrees.
    pub stmt_rslt: String,
    /// In words.
    #[serde(default)]
    pub stmt_rslt_dscr: String,
}

impl TotalsVerdict {
    /// The totals agree.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.stmt_rslt == "0"
    }
}

impl Message for SettlementTotals {
    type Answer = TotalsVerdict;
    const NUMBER: &'static str = "3201";
    const PATH: &'static str = "/org/local/api/hos/stmt_total";
    const READS: bool = true;
}
