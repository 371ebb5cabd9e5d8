//! Rows as they are kept.

use base::{Date, Fen, HospitalId, Text2, UnixMs};
use edge::{AccountId, StaffId};
use people::PersonId;
use store::value::{FromRow, Row};

use super::{
    ChargeId, ChargeState, Effect, InsuranceStage, PayAccountId, PaymentId, PaymentState, RefundId,
    RefundReason, RefundState, Shares, ShiftId, Way,
};

/// What is owed for one thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Charge {
    /// In which hospital.
    pub hospital: HospitalId,
    /// Its id.
    pub id: ChargeId,
    /// Which [`crate::Payable`] knows the thing: `registration`.
    pub kind: String,
    /// The thing's id.
    pub subject: String,
    /// Who is treated.
    pub person: PersonId,
    /// Who asked for it, when an account did.
    pub account: Option<AccountId>,
    /// The department whose revenue it becomes.
    pub department: Option<String>,
    /// What it is, for bills and payment sheets. Nothing clinical.
    pub title: Text2,
    /// How much.
    pub total: Fen,
    /// Where it stands.
    pub state: ChargeState,
    /// When the service is not kept any more for who has not paid.
    pub pay_until: Option<UnixMs>,
    /// The day of the service.
    pub due: Date,
    /// When the service was done, as far as somebody told.
    pub done_at: Option<UnixMs>,
    /// When it became revenue.
    pub recognised_at: Option<UnixMs>,
    /// The payment that the service was given for.
    pub served_by: Option<PaymentId>,
    /// Since when.
    pub created_at: UnixMs,
}

impl FromRow for Charge {
    fn from_row(row: &Row) -> store::Result<Self> {
        Ok(Self {
            hospital: row.get("hospital_id")?,
            id: row.get("id")?,
            kind: row.get("kind")?,
            subject: row.get("subject")?,
            person: row.get("person_id")?,
            account: row.get("account_id")?,
            department: row.get("department_id")?,
            title: Text2::new(row.get::<String>("title_zh")?, row.get::<String>("title_en")?),
            total: row.get("total_fen")?,
            state: row.get("state")?,
            pay_until: row.get("pay_until")?,
            due: row.get("due_date")?,
            done_at: row.get("done_at")?,
            recognised_at: row.get("recognised_at")?,
            served_by: row.get("served_by")?,
            created_at: row.get("created_at")?,
        })
    }
}

/// A line of a charge.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Its code in the price list.
    pub code: String,
    /// What it is.
    pub name: Text2,
    /// For one.
    pub price: Fen,
    /// How many.
    pub count: u32,
}

impl Item {
    /// Price times count.
    #[must_use]
    pub fn amount(&self) -> Option<Fen> {
        self.price.0.checked_mul(i64::from(self.count)).map(Fen)
    }
}

impl FromRow for Item {
    fn from_row(row: &Row) -> store::Result<Self> {
        Ok(Self {
            code: row.get("code")?,
            name: Text2::new(row.get::<String>("name_zh")?, row.get::<String>("name_en")?),
            price: row.get("price_fen")?,
            count: row.get("count")?,
        })
    }
}

/// One attempt to pay a charge.
#[derive(Debug, Clone, PartialEq)]
pub struct Payment {
    /// In which hospital.
    pub hospital: HospitalId,
    /// Its id.
    pub id: PaymentId,
    /// Of which charge.
    pub charge: ChargeId,
    /// By which way.
    pub way: Way,
    /// Through which contract; none at the desk.
    pub pay_account: Option<PayAccountId>,
    /// Our order number at the platform.
    pub number: String,
    /// Who pays, when an account does.
    pub account: Option<AccountId>,
    /// How much.
    pub total: Fen,
    /// Who pays which part of it.
    pub shares: Shares,
    /// Where it stands.
    pub state: PaymentState,
    /// What it was for, once it is paid.
    pub effect: Option<Effect>,
    /// What went back, is on its way back, or is asked for.
    pub returning: Fen,
    /// The bytes with which it was placed.
    pub request: Option<String>,
    /// What the payer's page needs: a prepay id, a code, an address.
    pub handle: Option<String>,
    /// The platform's number of it.
    pub provider_no: Option<String>,
    /// In which cashier's shift.
    pub shift: Option<ShiftId>,
    /// Until when it can be paid.
    pub expires_at: UnixMs,
    /// We have asked, or will ask, the platform to close it.
    pub closing: bool,
    /// When the platform is asked next; `None` when there is nothing to ask.
    pub next_at: Option<UnixMs>,
    /// How often it was asked.
    pub tries: i64,
    /// What a person should know about it.
    pub note: Option<String>,
    /// Since when.
    pub created_at: UnixMs,
    /// When it was paid, as the platform says.
    pub paid_at: Option<UnixMs>,
}

fn shares(row: &Row) -> store::Result<Shares> {
    Ok(Shares {
        gov: row.get("gov_fen")?,
        own: row.get("own_fen")?,
        other: row.get("other_fen")?,
        cash: row.get("cash_fen")?,
    })
}

impl FromRow for Payment {
    fn from_row(row: &Row) -> store::Result<Self> {
        Ok(Self {
            hospital: row.get("hospital_id")?,
            id: row.get("id")?,
            charge: row.get("charge_id")?,
            way: row.get("way")?,
            pay_account: row.get("pay_account_id")?,
            number: row.get("number")?,
            account: row.get("account_id")?,
            total: row.get("total_fen")?,
            shares: shares(row)?,
            state: row.get("state")?,
            effect: row.get("effect")?,
            returning: row.get("returning_fen")?,
            request: row.get("request")?,
            handle: row.get("handle")?,
            provider_no: row.get("provider_no")?,
            shift: row.get("shift_id")?,
            expires_at: row.get("expires_at")?,
            closing: row.get("closing")?,
            next_at: row.get("next_at")?,
            tries: row.get("tries")?,
            note: row.get("note")?,
            created_at: row.get("created_at")?,
            paid_at: row.get("paid_at")?,
        })
    }
}

/// The bureau's side of an insured payment.
#[derive(Clone, PartialEq)]
pub struct Insured {
    /// Our bill number there.
    pub order_no: String,
    /// The patient's authorisation, sealed.
    pub pay_auth_no: store::Sealed,
    /// The bureau's number, once the fees are uploaded.
    pub pay_order_id: Option<String>,
    /// Its token for that order.
    pub pay_token: Option<String>,
    /// WeChat's number of the mixed order.
    pub mix_number: Option<String>,
    /// It may have been settled: only a result ends it.
    pub settling: bool,
}

impl FromRow for Insured {
    fn from_row(row: &Row) -> store::Result<Self> {
        Ok(Self {
            order_no: row.get("order_no")?,
            pay_auth_no: row.get("pay_auth_no")?,
            pay_order_id: row.get("pay_order_id")?,
            pay_token: row.get("pay_token")?,
            mix_number: row.get("mix_number")?,
            settling: row.get("settling")?,
        })
    }
}

/// What goes back of a payment.
#[derive(Debug, Clone, PartialEq)]
pub struct Refund {
    /// In which hospital.
    pub hospital: HospitalId,
    /// Its id.
    pub id: RefundId,
    /// Of which payment …
    pub payment: PaymentId,
    /// … of which charge.
    pub charge: ChargeId,
    /// Our number of it at the platform.
    pub number: String,
    /// How much.
    pub amount: Fen,
    /// To whom which part.
    pub shares: Shares,
    /// Why.
    pub reason: RefundReason,
    /// In words of the desk.
    pub note: Option<String>,
    /// The account of the ledger that it comes out of.
    pub source: String,
    /// Where it stands.
    pub state: RefundState,
    /// How far the insurance's part is.
    pub insurance: InsuranceStage,
    /// Who asked for it.
    pub asked_by: String,
    /// Who approved it, where that needs a second person.
    pub approved_by: Option<String>,
    /// The one whose place it takes.
    pub again_of: Option<RefundId>,
    /// The platform's number of it.
    pub provider_no: Option<String>,
    /// When something is to be done about it next.
    pub next_at: Option<UnixMs>,
    /// How often something was.
    pub tries: i64,
    /// What the platform said against it.
    pub error: Option<String>,
    /// Since when.
    pub created_at: UnixMs,
    /// When it ended.
    pub ended_at: Option<UnixMs>,
}

impl Refund {
    /// How much of it is promised and has not left: what the bureau has taken back is gone already.
    #[must_use]
    pub fn in_flight(&self) -> Fen {
        match self.insurance {
            InsuranceStage::Returned | InsuranceStage::Told => self.shares.cash,
            InsuranceStage::None | InsuranceStage::Wanted => self.amount,
        }
    }
}

impl FromRow for Refund {
    fn from_row(row: &Row) -> store::Result<Self> {
        Ok(Self {
            hospital: row.get("hospital_id")?,
            id: row.get("id")?,
            payment: row.get("payment_id")?,
            charge: row.get("charge_id")?,
            number: row.get("number")?,
            amount: row.get("amount_fen")?,
            shares: shares(row)?,
            reason: row.get("reason")?,
            note: row.get("note")?,
            source: row.get("source")?,
            state: row.get("state")?,
            insurance: row.get("insurance")?,
            asked_by: row.get("asked_by")?,
            approved_by: row.get("approved_by")?,
            again_of: row.get("again_of")?,
            provider_no: row.get("provider_no")?,
            next_at: row.get("next_at")?,
            tries: row.get("tries")?,
            error: row.get("error")?,
            created_at: row.get("created_at")?,
            ended_at: row.get("ended_at")?,
        })
    }
}

/// A cashier's shift.
#[derive(Debug, Clone, PartialEq)]
pub struct Shift {
    /// Its id.
    pub id: ShiftId,
    /// Whose.
    pub staff: StaffId,
    /// What lay in the drawer at its beginning.
    pub float: Fen,
    /// Since when.
    pub opened_at: UnixMs,
    /// Until when.
    pub closed_at: Option<UnixMs>,
    /// What should have lain in the drawer at its end.
    pub expected: Option<Fen>,
    /// What did.
    pub counted: Option<Fen>,
    /// What the cashier says about the difference.
    pub note: Option<String>,
}

impl FromRow for Shift {
    fn from_row(row: &Row) -> store::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            staff: row.get("staff_id")?,
            float: row.get("float_fen")?,
            opened_at: row.get("opened_at")?,
            closed_at: row.get("closed_at")?,
            expected: row.get("expected_fen")?,
            counted: row.get("counted_fen")?,
            note: row.get("note")?,
        })
    }
}
