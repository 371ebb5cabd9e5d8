//! What WeChat Pay says, typed. Members that we do not know are passed over.

use base::{Fen, UnixMs};
use serde::{Deserialize, Deserializer};

use crate::outcome::{Expected, Mismatch};
use crate::words::words;
use crate::{Secret, moment};

words! {
    /// State of an order. A failed attempt shows as not paid.
    TradeState {
        /// Not paid; never "failed".
        NotPay = "NOTPAY",
        /// Paid.
        Success = "SUCCESS",
        /// Paid, and a refund was started, whatever came of it: look at the refunds.
        Refund = "REFUND",
        /// Closed unpaid. Nothing leaves this state.
        Closed = "CLOSED",
        /// Bar code only: the payer is typing the password.
        UserPaying = "USERPAYING",
        /// Bar code only: this attempt failed.
        PayError = "PAYERROR",
        /// Bar code only: reversed.
        Revoked = "REVOKED",
    }
}

words! {
    /// State of a refund. Success and closed are final.
    RefundStatus {
        /// Accepted, under way. Banks take days.
        Processing = "PROCESSING",
        /// The payer has the money.
        Success = "SUCCESS",
        /// Given up, for instance without funds for seven days. A new try needs a new number.
        Closed = "CLOSED",
        /// The payer's account can't take it; the money is back at the merchant.
        Abnormal = "ABNORMAL",
    }
}

impl TradeState {
    /// True when the payer's money has come, whether or not some went back later.
    #[must_use]
    pub fn is_paid(&self) -> bool {
        matches!(self, Self::Success | Self::Refund)
    }

    /// The moves that may happen. Anything else is an incident.
    #[must_use]
    pub fn may_become(&self, next: &Self) -> bool {
        use TradeState::{Closed, NotPay, PayError, Refund, Revoked, Success, Unknown, UserPaying};
        if self == next {
            return true;
        }
        match (self, next) {
            (Unknown(_), _) | (_, Unknown(_)) => true,
            (NotPay, UserPaying | Success | Closed | PayError | Refund)
            | (UserPaying, Success | PayError | NotPay | Revoked | Closed)
            | (PayError, UserPaying | Success | Revoked | Closed)
            | (Success, Refund | Revoked) => true,
            (NotPay | UserPaying | PayError | Success | Refund | Closed | Revoked, _) => false,
        }
    }
}

/// An order as a query or a notice shows it.
#[derive(Debug, Clone, Deserialize)]
pub struct Transaction {
    /// The merchant.
    pub mchid: String,
    /// The appid it was placed under.
    #[serde(default)]
    pub appid: String,
    /// Our number.
    pub out_trade_no: String,
    /// WeChat's number; absent until paid.
    pub transaction_id: Option<String>,
    /// JSAPI, NATIVE, MWEB…; absent until paid.
    pub trade_type: Option<String>,
    /// The state.
    pub trade_state: TradeState,
    /// The state in words.
    #[serde(default)]
    pub trade_state_desc: String,
    /// What we sent along.
    #[serde(default)]
    pub attach: String,
    /// When it was paid.
    #[serde(default, deserialize_with = "instant")]
    pub success_time: Option<UnixMs>,
    /// Who paid; absent until paid.
    pub payer: Option<Payer>,
    /// The amounts.
    pub amount: Option<Amount>,
}

/// The payer.
#[derive(Debug, Clone, Deserialize)]
pub struct Payer {
    /// Their openid; prints as `***`.
    #[serde(default)]
    pub openid: Secret,
}

/// Amounts of an order.
#[derive(Debug, Clone, Deserialize)]
pub struct Amount {
    /// The order's total: what is compared with ours.
    pub total: Fen,
    /// What the payer gave; less than the total when a coupon was used.
    pub payer_total: Option<Fen>,
    /// `CNY`.
    #[serde(default = "cny")]
    pub currency: String,
}

fn cny() -> String {
    "CNY".to_owned()
}

impl Transaction {
    /// Holds it against our order.
    ///
    /// # Errors
    /// The first difference.
    pub fn check(&self, expected: &Expected<'_>) -> Result<(), Mismatch> {
        let differs = |different: bool, what| if different { Err(what) } else { Ok(()) };
        differs(self.mchid != expected.merchant, Mismatch::Merchant)?;
        differs(self.appid != expected.app, Mismatch::App)?;
        differs(self.out_trade_no != expected.out_trade_no, Mismatch::Order)?;
        match &self.amount {
            Some(amount) => {
                differs(amount.currency != "CNY", Mismatch::Currency)?;
                differs(amount.total != expected.total, Mismatch::Amount)
            }
            None => differs(self.trade_state.is_paid(), Mismatch::Amount),
        }
    }
}

/// A refund as an answer, a query or a notice shows it.
#[derive(Debug, Clone, Deserialize)]
pub struct Refund {
    /// The merchant; in notices only.
    pub mchid: Option<String>,
    /// WeChat's number of the refund.
    pub refund_id: String,
    /// Ours.
    pub out_refund_no: String,
    /// WeChat's number of the order.
    pub transaction_id: String,
    /// Ours.
    pub out_trade_no: String,
    /// The state; notices call it `refund_status`. 200 with `PROCESSING` means accepted, not refunded.
    #[serde(alias = "refund_status")]
    pub status: RefundStatus,
    /// ORIGINAL, BALANCE, OTHER_BALANCE, OTHER_BANKCARD.
    pub channel: Option<String>,
    /// When the payer had it.
    #[serde(default, deserialize_with = "instant")]
    pub success_time: Option<UnixMs>,
    /// The amounts.
    pub amount: RefundAmount,
}

/// Amounts of a refund.
#[derive(Debug, Clone, Deserialize)]
pub struct RefundAmount {
    /// The order's total.
    pub total: Fen,
    /// This refund.
    pub refund: Fen,
    /// What the payer gets; less when a coupon was used.
    pub payer_refund: Option<Fen>,
    /// `CNY`; notices leave it out.
    #[serde(default = "cny")]
    pub currency: String,
}

impl Refund {
    /// Holds it against our refund: order, number, both amounts.
    ///
    /// # Errors
    /// The first difference.
    pub fn check(&self, expected: &Expected<'_>, out_refund_no: &str, refund: Fen) -> Result<(), Mismatch> {
        if self.mchid.as_deref().is_some_and(|mchid| mchid != expected.merchant) {
            return Err(Mismatch::Merchant);
        }
        if self.out_trade_no != expected.out_trade_no || self.out_refund_no != out_refund_no {
            return Err(Mismatch::Order);
        }
        if self.amount.currency != "CNY" {
            return Err(Mismatch::Currency);
        }
        if self.amount.total != expected.total || self.amount.refund != refund {
            return Err(Mismatch::Amount);
        }
        Ok(())
    }
}

/// A JSAPI order was placed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Prepay {
    /// For the page; two hours.
    pub prepay_id: String,
}

/// A Native order was placed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CodeUrl {
    /// To be drawn as a code; two hours.
    pub code_url: String,
}

/// An H5 order was placed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct H5Url {
    /// To be opened by the payer's browser; five minutes.
    pub h5_url: String,
}

/// Done, and nothing more to say (204).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done;

/// Where a bill can be fetched, and its hash.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct BillTicket {
    /// `SHA1`.
    pub hash_type: String,
    /// Hex, over the unzipped bytes.
    pub hash_value: String,
    /// Five minutes.
    pub download_url: String,
}

/// An RFC 3339 time; what is empty or unreadable is no time.
fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<UnixMs>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.and_then(|text| moment::parse_rfc3339(&text)))
}
