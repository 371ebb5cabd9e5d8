//! What Alipay says, typed.

use base::{Fen, UnixMs};
use serde::{Deserialize, Deserializer};

use crate::outcome::{Expected, Mismatch};
use crate::words::words;
use crate::{Secret, moment, yuan};

words! {
    /// State of a trade.
    TradeStatus {
        /// Made, not paid.
        Waiting = "WAIT_BUYER_PAY",
        /// Closed unpaid; or paid and fully refunded: then there is a time of payment.
        Closed = "TRADE_CLOSED",
        /// Paid; a part may be refunded.
        Success = "TRADE_SUCCESS",
        /// Paid, and can't be refunded any more.
        Finished = "TRADE_FINISHED",
    }
}

impl TradeStatus {
    /// Money has come and some of it is still here.
    #[must_use]
    pub fn is_paid(&self) -> bool {
        matches!(self, Self::Success | Self::Finished)
    }
}

/// A trade as a query shows it.
#[derive(Debug, Clone, Deserialize)]
pub struct Trade {
    /// Alipay's number.
    pub trade_no: String,
    /// Ours.
    pub out_trade_no: String,
    /// The state.
    pub trade_status: TradeStatus,
    /// The order's total.
    #[serde(deserialize_with = "yuan::tolerant::deserialize")]
    pub total_amount: Fen,
    /// What the seller gets; less than the total with the seller's coupons.
    #[serde(default, deserialize_with = "maybe")]
    pub receipt_amount: Option<Fen>,
    /// What the buyer gave.
    #[serde(default, deserialize_with = "maybe")]
    pub buyer_pay_amount: Option<Fen>,
    /// When it was paid.
    #[serde(default, deserialize_with = "instant")]
    pub send_pay_date: Option<UnixMs>,
    /// Who paid.
    pub buyer_open_id: Option<Secret>,
}

impl Trade {
    /// Holds it against our order. Merchant and app are proved by the key: the gateway answers an app with its own trades.
    ///
    /// # Errors
    /// The first difference.
    pub fn check(&self, expected: &Expected<'_>) -> Result<(), Mismatch> {
        if self.out_trade_no != expected.out_trade_no {
            return Err(Mismatch::Order);
        }
        if self.total_amount != expected.total {
            return Err(Mismatch::Amount);
        }
        Ok(())
    }

    /// It was paid at some time, whatever went back since.
    #[must_use]
    pub fn was_paid(&self) -> bool {
        self.trade_status.is_paid()
            || (self.trade_status == TradeStatus::Closed && self.send_pay_date.is_some())
    }
}

/// A trade was made, to be paid in Alipay's app.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Created {
    /// For the page's `tradePay`.
    pub trade_no: String,
    /// Ours.
    pub out_trade_no: String,
}

/// A code to scan was made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PreCreated {
    /// Ours.
    pub out_trade_no: String,
    /// To be drawn; two hours.
    pub qr_code: String,
}

/// A trade was closed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Closed {
    /// Alipay's number; absent when the payer never opened the trade.
    pub trade_no: Option<String>,
    /// Ours.
    pub out_trade_no: Option<String>,
}

/// A refund was asked for.
#[derive(Debug, Clone, Deserialize)]
pub struct Refunded {
    /// Alipay's number.
    pub trade_no: String,
    /// Ours.
    pub out_trade_no: String,
    /// `Y`: this call moved money. `N`: it had been moved before, or not at all: ask.
    #[serde(default)]
    pub fund_change: String,
    /// The total refunded so far, not this refund.
    #[serde(deserialize_with = "yuan::tolerant::deserialize")]
    pub refund_fee: Fen,
}

/// What became of a refund. All fields are absent when there is none (yet): then ask for it again under the same number.
#[derive(Debug, Clone, Deserialize)]
pub struct RefundState {
    /// `REFUND_SUCCESS`; absent or anything else is not refunded.
    pub refund_status: Option<String>,
    /// Our number of the refund.
    pub out_request_no: Option<String>,
    /// This refund.
    #[serde(default, deserialize_with = "maybe")]
    pub refund_amount: Option<Fen>,
    /// The order's total.
    #[serde(default, deserialize_with = "maybe")]
    pub total_amount: Option<Fen>,
    /// When.
    #[serde(default, deserialize_with = "instant")]
    pub gmt_refund_pay: Option<UnixMs>,
}

impl RefundState {
    /// True only for the one word that says so, or (older trades) for a number with an amount and no word.
    #[must_use]
    pub fn is_done(&self) -> bool {
        match self.refund_status.as_deref() {
            Some(word) => word == "REFUND_SUCCESS",
            None => self.out_request_no.is_some() && self.refund_amount.is_some_and(|fen| fen > Fen::ZERO),
        }
    }
}

/// Where a bill can be fetched.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct BillUrl {
    /// 30 seconds.
    pub bill_download_url: String,
}

/// A certificate that Alipay signs with.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Cert {
    /// The chain in PEM, in base64.
    pub alipay_cert_content: String,
}

fn maybe<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Fen>, D::Error> {
    yuan::tolerant::deserialize(deserializer).map(Some)
}

fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<UnixMs>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.and_then(|text| moment::parse_beijing(&text)))
}
