//! The words of billing: what is owed, an attempt to pay it, what goes back.

mod rows;

use base::Fen;
use serde::{Deserialize, Serialize};

pub use rows::{Charge, Insured, Item, Payment, Refund, Shift};

store::typed_id! {
    /// A contract with somebody who moves money.
    PayAccountId = "pya";
    /// What is owed for one thing.
    ChargeId = "chg";
    /// One attempt to pay a charge. Its digits are also our order number at the platform.
    PaymentId = "pmt";
    /// What goes back. Its digits are also our refund number at the platform.
    RefundId = "rfd";
    /// Something that a platform or the desk told us.
    ObservationId = "obs";
    /// A row of the ledger.
    EntryId = "led";
    /// Money that could not be placed.
    SuspenseId = "sus";
    /// A cashier's shift.
    ShiftId = "sft";
}

store::text_enum! {
    /// Who moves the money.
    #[derive(utoipa::ToSchema)]
    #[schema(as = PayProvider)]
    pub enum Provider {
        /// 微信支付
        Wechatpay = "wechatpay",
        /// 支付宝
        Alipay = "alipay",
        /// 医保
        Insurance = "insurance",
    }
}

store::text_enum! {
    /// By which way somebody pays.
    #[derive(utoipa::ToSchema)]
    #[schema(as = PaymentWay)]
    pub enum Way {
        /// WeChat Pay inside WeChat's browser.
        WechatJsapi = "wechat_jsapi",
        /// WeChat Pay from another browser on the phone.
        WechatH5 = "wechat_h5",
        /// WeChat Pay by scanning a code on a screen.
        WechatNative = "wechat_native",
        /// Alipay from a browser.
        AlipayWap = "alipay_wap",
        /// Alipay by scanning a code on a screen.
        AlipayCode = "alipay_code",
        /// Medical insurance, and WeChat Pay for what it leaves.
        Insurance = "insurance",
        /// Cash at the desk.
        Cash = "cash",
        /// A card at the desk's terminal.
        Card = "card",
    }
}

impl Way {
    /// Who moves the money; nobody does it for the desk.
    #[must_use]
    pub fn provider(self) -> Option<Provider> {
        match self {
            Self::WechatJsapi | Self::WechatH5 | Self::WechatNative | Self::Insurance => {
                Some(Provider::Wechatpay)
            }
            Self::AlipayWap | Self::AlipayCode => Some(Provider::Alipay),
            Self::Cash | Self::Card => None,
        }
    }

    /// Whether a cashier takes it.
    #[must_use]
    pub fn is_desk(self) -> bool {
        self.provider().is_none()
    }
}

store::text_enum! {
    /// Where a charge stands.
    #[derive(utoipa::ToSchema)]
    pub enum ChargeState {
        /// Owed.
        Open = "open",
        /// Paid, and the service was given for it.
        Settled = "settled",
        /// Was settled; all of it has gone back or is on its way.
        Returned = "returned",
        /// Not owed any more, and never paid.
        Void = "void",
    }
}

store::text_enum! {
    /// Where a payment stands. new → waiting → paid; new and waiting → closed; closed → paid, when somebody was faster than
    /// our closing. Nothing leaves paid.
    #[derive(utoipa::ToSchema)]
    pub enum PaymentState {
        /// Written down; the platform may not know of it yet.
        New = "new",
        /// The platform waits for the payer.
        Waiting = "waiting",
        /// The money has come.
        Paid = "paid",
        /// It will not come, as far as the platform says.
        Closed = "closed",
    }
}

impl PaymentState {
    /// The table of legal moves.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        use PaymentState::{Closed, New, Paid, Waiting};
        matches!((self, next), (New, Waiting | Paid | Closed) | (Waiting, Paid | Closed) | (Closed, Paid))
    }
}

store::text_enum! {
    /// What a paid payment was for.
    #[derive(utoipa::ToSchema)]
    pub enum Effect {
        /// The service.
        Served = "served",
        /// Nothing: it came late, or twice. All of it goes back.
        Surplus = "surplus",
    }
}

store::text_enum! {
    /// Where a refund stands. asked → wanted (approved) | declined; wanted → sent → done | closed | abnormal; abnormal → done;
    /// wanted → stuck, when the platform refuses for good. After closed a new one takes its place under a new number.
    #[derive(utoipa::ToSchema)]
    pub enum RefundState {
        /// Waits for a second person.
        Asked = "asked",
        /// To be sent.
        Wanted = "wanted",
        /// Accepted by the platform; banks take days.
        Sent = "sent",
        /// The payer has it.
        Done = "done",
        /// Given up by the platform; another try is under way.
        Closed = "closed",
        /// The payer's account can't take it, or it was paid at the desk: it is handed out there.
        Abnormal = "abnormal",
        /// The platform refuses: a person must look.
        Stuck = "stuck",
        /// Not approved.
        Declined = "declined",
    }
}

impl RefundState {
    /// Whether its amount is out of reach of other refunds.
    #[must_use]
    pub fn holds_amount(self) -> bool {
        !matches!(self, Self::Closed | Self::Declined)
    }

    /// The table of legal moves.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        use RefundState::{Abnormal, Asked, Closed, Declined, Done, Sent, Stuck, Wanted};
        matches!(
            (self, next),
            (Asked, Wanted | Abnormal | Declined)
                | (Wanted, Sent | Done | Closed | Abnormal | Stuck)
                | (Sent, Done | Closed | Abnormal)
                | (Abnormal, Done)
                | (Stuck, Wanted | Done)
        )
    }
}

store::text_enum! {
    /// Why something goes back.
    #[derive(utoipa::ToSchema)]
    pub enum RefundReason {
        /// The person gave the place up in time.
        Cancelled = "cancelled",
        /// The hospital called the clinic off.
        Stopped = "stopped",
        /// Paid after the place was gone.
        TooLate = "too_late",
        /// Paid twice.
        Twice = "twice",
        /// Cash came, but the insurance said no.
        InsuranceFailed = "insurance_failed",
        /// The cashier's office.
        Desk = "desk",
    }
}

store::text_enum! {
    /// How far the insurance's part of a refund is.
    pub enum InsuranceStage {
        /// There is none.
        None = "none",
        /// To be returned at the bureau, before the cash.
        Wanted = "wanted",
        /// The bureau has it back.
        Returned = "returned",
        /// WeChat was told.
        Told = "told",
    }
}

store::text_enum! {
    /// Why money could not be placed.
    #[derive(utoipa::ToSchema)]
    pub enum SuspenseReason {
        /// An order number that we never gave.
        UnknownOrder = "unknown_order",
        /// Another amount than the order's.
        OtherAmount = "other_amount",
        /// There was no service to be had for it any more.
        NoService = "no_service",
        /// The charge was paid already.
        PaidTwice = "paid_twice",
        /// A refund that we did not send.
        ForeignRefund = "foreign_refund",
    }
}

store::text_enum! {
    /// Where money that could not be placed stands.
    #[derive(utoipa::ToSchema)]
    pub enum SuspenseState {
        /// A person must look.
        Open = "open",
        /// It is on its way back.
        Returning = "returning",
        /// Gone to where it belongs.
        Cleared = "cleared",
    }
}

/// Who pays how much of an amount. The parts sum to the whole, and none is below zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Shares {
    /// The pooled fund (统筹).
    pub gov: Fen,
    /// The personal account (个账).
    pub own: Fen,
    /// Other funds.
    pub other: Fen,
    /// The payer's own money.
    pub cash: Fen,
}

impl Shares {
    /// All of it is the payer's own money.
    #[must_use]
    pub fn cash(amount: Fen) -> Self {
        Self { cash: amount, ..Self::default() }
    }

    /// The whole; `None` when the sum is no amount.
    #[must_use]
    pub fn total(&self) -> Option<Fen> {
        let insured = self.insured()?;
        insured.checked_add(self.cash)
    }

    /// What insurance pays.
    #[must_use]
    pub fn insured(&self) -> Option<Fen> {
        self.gov.checked_add(self.own)?.checked_add(self.other)
    }

    /// Whether insurance pays anything.
    #[must_use]
    pub fn is_insured(&self) -> bool {
        self.gov > Fen::ZERO || self.own > Fen::ZERO || self.other > Fen::ZERO
    }

    /// Whether these are parts of `total`: none below zero, and their sum is it.
    #[must_use]
    pub fn make(&self, total: Fen) -> bool {
        let parts = [self.gov, self.own, self.other, self.cash];
        parts.iter().all(|part| *part >= Fen::ZERO) && self.total() == Some(total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paid_stays_paid() {
        for next in PaymentState::ALL {
            assert!(!PaymentState::Paid.may_become(*next));
        }
        assert!(PaymentState::Closed.may_become(PaymentState::Paid), "the payer was faster than our closing");
    }

    #[test]
    fn a_refund_that_is_done_stays_done() {
        for end in [RefundState::Done, RefundState::Closed, RefundState::Declined] {
            for next in RefundState::ALL {
                assert!(!end.may_become(*next), "{end:?} {next:?}");
            }
        }
    }

    #[test]
    fn shares_never_wrap() {
        let huge = Shares { gov: Fen(i64::MAX), cash: Fen(1), ..Shares::default() };
        assert_eq!(huge.total(), None);
        assert!(!huge.make(Fen(i64::MIN)));
        assert!(Shares::cash(Fen(1400)).make(Fen(1400)));
        assert!(!Shares { gov: Fen(-1), cash: Fen(2), ..Shares::default() }.make(Fen(1)));
    }
}
