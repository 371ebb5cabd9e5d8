//! What somebody who moves money has said, in one form whoever said it and however it came.
//!
//! There is no other way to make an [`Observation`] than from something that proves itself: what `pay` has verified, or a
//! cashier's own deed at the desk. A page's word, a return address or an unsigned answer can't become one.

use base::{Fen, UnixMs};
use pay::Verified;
use pay::{alipay, wechatpay};
use serde::{Deserialize, Serialize};

use crate::model::Shares;

store::text_enum! {
    /// How it came to us.
    pub enum Source {
        /// A platform told us.
        Notice = "notice",
        /// The answer to a call that was to do something.
        Answer = "answer",
        /// The answer to a question.
        Query = "query",
        /// A line of a bill whose hash is right.
        Bill = "bill",
        /// A cashier did it.
        Desk = "desk",
    }
}

/// Where a platform says that an order stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// Not paid yet; a failed attempt also looks like this.
    Waiting,
    /// The payer is at it: nobody may close it.
    Paying,
    /// The money has come, whatever went back since.
    Paid,
    /// Closed unpaid.
    Closed,
    /// Cash came, insurance said no: the cash is owed back.
    CashOnly,
    /// A word that we do not know: neither success nor failure.
    Unknown(String),
}

/// Where a platform says that a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackState {
    /// Accepted.
    Processing,
    /// The payer has it.
    Done,
    /// Given up.
    Closed,
    /// The payer's account can't take it.
    Abnormal,
    /// A word that we do not know.
    Unknown,
}

/// What is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// About an order.
    Order {
        /// Where it stands.
        state: OrderState,
        /// Its whole amount, where that was said.
        total: Option<Fen>,
        /// Who paid which part, where the platform says so (insurance).
        shares: Option<Shares>,
        /// When it was paid.
        paid_at: Option<UnixMs>,
    },
    /// About a refund.
    Refund {
        /// Our number of the refund.
        refund: String,
        /// Where it stands.
        state: BackState,
        /// How much, where that was said.
        amount: Option<Fen>,
    },
    /// An event that we do not know: kept, acknowledged, shown to a person.
    Other(String),
}

/// Something that was said about money, proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// To which merchant it was said; empty where the key alone proves it (Alipay's answers).
    pub(crate) merchant: String,
    /// Under which app; empty as above.
    pub(crate) app: String,
    /// Whether amounts are yuan, where that was said.
    pub(crate) yuan: bool,
    /// Our order number.
    pub(crate) number: String,
    /// The platform's number of what it speaks of.
    pub(crate) provider_no: Option<String>,
    /// What.
    pub(crate) said: Said,
    /// What proved it: a key's id, or the cashier.
    pub(crate) by: String,
}

impl Observation {
    /// Our order number.
    #[must_use]
    pub fn number(&self) -> &str {
        &self.number
    }

    /// An order of WeChat Pay.
    #[must_use]
    pub fn wechat_order(order: &Verified<wechatpay::Transaction>) -> Self {
        Self::order_of(order, order.by())
    }

    fn order_of(order: &wechatpay::Transaction, by: &str) -> Self {
        let state = match &order.trade_state {
            state if state.is_paid() => OrderState::Paid,
            wechatpay::TradeState::NotPay | wechatpay::TradeState::PayError => OrderState::Waiting,
            wechatpay::TradeState::UserPaying => OrderState::Paying,
            wechatpay::TradeState::Closed | wechatpay::TradeState::Revoked => OrderState::Closed,
            other => OrderState::Unknown(other.as_str().to_owned()),
        };
        Self {
            merchant: order.mchid.clone(),
            app: order.appid.clone(),
            yuan: order.amount.as_ref().is_none_or(|amount| amount.currency == "CNY"),
            number: order.out_trade_no.clone(),
            provider_no: order.transaction_id.clone(),
            said: Said::Order {
                state,
                total: order.amount.as_ref().map(|amount| amount.total),
                shares: None,
                paid_at: order.success_time,
            },
            by: by.to_owned(),
        }
    }

    /// A refund of WeChat Pay. `merchant`: whose key proved it, as answers do not name it.
    #[must_use]
    pub fn wechat_refund(refund: &Verified<wechatpay::Refund>, merchant: &str) -> Self {
        Self::refund_of(refund, merchant, refund.by())
    }

    fn refund_of(refund: &wechatpay::Refund, merchant: &str, by: &str) -> Self {
        let state = match &refund.status {
            wechatpay::RefundStatus::Processing => BackState::Processing,
            wechatpay::RefundStatus::Success => BackState::Done,
            wechatpay::RefundStatus::Closed => BackState::Closed,
            wechatpay::RefundStatus::Abnormal => BackState::Abnormal,
            wechatpay::RefundStatus::Unknown(_) => BackState::Unknown,
        };
        Self {
            merchant: refund.mchid.clone().unwrap_or_else(|| merchant.to_owned()),
            app: String::new(),
            yuan: refund.amount.currency == "CNY",
            number: refund.out_trade_no.clone(),
            provider_no: Some(refund.refund_id.clone()),
            said: Said::Refund {
                refund: refund.out_refund_no.clone(),
                state,
                amount: Some(refund.amount.refund),
            },
            by: by.to_owned(),
        }
    }

    /// An order that insurance and cash pay together. It names no merchant: `merchant` is whose key proved it.
    #[must_use]
    pub fn mixed_order(order: &Verified<wechatpay::medins::MixedOrder>, merchant: &str) -> Self {
        Self::mixed_of(order, merchant, order.by())
    }

    fn mixed_of(order: &wechatpay::medins::MixedOrder, merchant: &str, by: &str) -> Self {
        use wechatpay::medins::MixPayStatus;
        let state = if order.is_paid() {
            OrderState::Paid
        } else if order.owes_cash_back() {
            OrderState::CashOnly
        } else {
            match &order.mix_pay_status {
                MixPayStatus::Created => OrderState::Waiting,
                MixPayStatus::UserPaying => OrderState::Paying,
                // Something went back of what was paid.
                MixPayStatus::Refund => OrderState::Paid,
                MixPayStatus::Fail | MixPayStatus::Reversed => OrderState::Closed,
                // Success of the whole with a part that is not: wait for it.
                MixPayStatus::Success => OrderState::Paying,
                MixPayStatus::Unknown(word) => OrderState::Unknown(word.clone()),
            }
        };
        let shares = Shares {
            gov: order.med_ins_gov_fee,
            own: order.med_ins_self_fee,
            other: order.med_ins_other_fee,
            cash: order.wechat_pay_cash_fee,
        };
        Self {
            merchant: merchant.to_owned(),
            app: order.appid.clone(),
            yuan: true,
            number: order.out_trade_no.clone(),
            provider_no: Some(order.mix_trade_no.clone()),
            said: Said::Order {
                state,
                total: Some(order.total_fee),
                shares: Some(shares),
                paid_at: order.paid_time.as_deref().and_then(pay::moment::parse_rfc3339),
            },
            by: by.to_owned(),
        }
    }

    /// A notice of WeChat Pay. `merchant`: whose keys proved it.
    #[must_use]
    pub fn wechat_notice(notice: &Verified<wechatpay::notice::Notice>, merchant: &str) -> Self {
        use wechatpay::notice::Event;
        match &notice.event {
            Event::Transaction(order) => Self::order_of(order, notice.by()),
            Event::Refund(refund) => Self::refund_of(refund, merchant, notice.by()),
            Event::MedicalInsurance(order) => Self::mixed_of(order, merchant, notice.by()),
            Event::Unknown => Self::event(&notice.event_type, notice.by()),
        }
    }

    /// A trade of Alipay, as a query shows it.
    #[must_use]
    pub fn alipay_trade(trade: &Verified<alipay::Trade>) -> Self {
        let by = trade.by().to_owned();
        let trade = &**trade;
        let state = match &trade.trade_status {
            _ if trade.was_paid() => OrderState::Paid,
            alipay::TradeStatus::Waiting => OrderState::Waiting,
            alipay::TradeStatus::Closed => OrderState::Closed,
            other => OrderState::Unknown(other.as_str().to_owned()),
        };
        Self {
            merchant: String::new(),
            app: String::new(),
            yuan: true,
            number: trade.out_trade_no.clone(),
            provider_no: Some(trade.trade_no.clone()),
            said: Said::Order {
                state,
                total: Some(trade.total_amount),
                shares: None,
                paid_at: trade.send_pay_date,
            },
            by,
        }
    }

    /// A notice of Alipay.
    #[must_use]
    pub fn alipay_notice(notice: &Verified<alipay::notice::Notice>) -> Self {
        match &notice.event {
            alipay::notice::Event::Trade(trade) => Self::trade_of(trade, notice.by()),
            alipay::notice::Event::Other { kind } => Self::event(kind, notice.by()),
        }
    }

    /// What it says of an order. When it is about a refund it says nothing else than that the order was paid: the running total in it is
    /// not that refund's amount, and refunds are asked about anyway.
    fn trade_of(notice: &alipay::notice::TradeNotice, by: &str) -> Self {
        let state = match &notice.trade_status {
            status if status.is_paid() => OrderState::Paid,
            alipay::TradeStatus::Closed if notice.gmt_payment.is_some() => OrderState::Paid,
            alipay::TradeStatus::Closed => OrderState::Closed,
            alipay::TradeStatus::Waiting => OrderState::Waiting,
            other => OrderState::Unknown(other.as_str().to_owned()),
        };
        Self {
            merchant: notice.seller_id.clone(),
            app: notice.app_id.clone(),
            yuan: true,
            number: notice.out_trade_no.clone(),
            provider_no: Some(notice.trade_no.clone()),
            said: Said::Order {
                state,
                total: Some(notice.total_amount),
                shares: None,
                paid_at: notice.gmt_payment,
            },
            by: by.to_owned(),
        }
    }

    /// A refund of Alipay that is surely done. What is not yet done makes no observation: it is asked about again.
    #[must_use]
    pub fn alipay_refund(number: &str, refund: &str, state: &Verified<alipay::RefundState>) -> Option<Self> {
        state.is_done().then(|| Self {
            merchant: String::new(),
            app: String::new(),
            yuan: true,
            number: number.to_owned(),
            provider_no: None,
            said: Said::Refund {
                refund: refund.to_owned(),
                state: BackState::Done,
                amount: state.refund_amount,
            },
            by: state.by().to_owned(),
        })
    }

    /// An event that we do not know.
    fn event(kind: &str, by: &str) -> Self {
        Self {
            merchant: String::new(),
            app: String::new(),
            yuan: true,
            number: String::new(),
            provider_no: None,
            said: Said::Other(kind.to_owned()),
            by: by.to_owned(),
        }
    }

    /// A platform has closed an unpaid order because we asked it to, or knows for sure that there is none.
    pub(crate) fn closed(number: &str, by: &str) -> Self {
        let said = Said::Order { state: OrderState::Closed, total: None, shares: None, paid_at: None };
        Self {
            merchant: String::new(),
            app: String::new(),
            yuan: true,
            number: number.to_owned(),
            provider_no: None,
            said,
            by: by.to_owned(),
        }
    }

    /// The bureau has its part back, and there was no other.
    pub(crate) fn insurance_returned(number: &str, refund: &str, by: &str) -> Self {
        let said =
            Said::Refund { refund: refund.to_owned(), state: BackState::Done, amount: Some(Fen::ZERO) };
        Self { said, ..Self::closed(number, by) }
    }

    /// A cashier took the money. Only [`crate::counter`] makes these.
    pub(crate) fn at_the_desk(number: &str, total: Fen, at: UnixMs, cashier: &str) -> Self {
        let said =
            Said::Order { state: OrderState::Paid, total: Some(total), shares: None, paid_at: Some(at) };
        Self {
            merchant: String::new(),
            app: String::new(),
            yuan: true,
            number: number.to_owned(),
            provider_no: None,
            said,
            by: cashier.to_owned(),
        }
    }

    /// A cashier gave money back. Only [`crate::counter`] makes these.
    pub(crate) fn handed_back(number: &str, refund: &str, amount: Fen, cashier: &str) -> Self {
        Self {
            merchant: String::new(),
            app: String::new(),
            yuan: true,
            number: number.to_owned(),
            provider_no: None,
            said: Said::Refund { refund: refund.to_owned(), state: BackState::Done, amount: Some(amount) },
            by: cashier.to_owned(),
        }
    }

    /// What a platform would have said, for tests.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn for_test(merchant: &str, app: &str, number: &str, provider_no: Option<&str>, said: Said) -> Self {
        Self {
            merchant: merchant.to_owned(),
            app: app.to_owned(),
            yuan: true,
            number: number.to_owned(),
            provider_no: provider_no.map(str::to_owned),
            said,
            by: "a test".to_owned(),
        }
    }
}
