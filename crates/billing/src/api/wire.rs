//! Money as it stands on the wire.

use base::{Fen, Text2};
use edge::Hospital;
use edge::schema::Text2Schema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::checkout::Sheet;
use crate::model::{
    Charge, ChargeId, ChargeState, Effect, Item, Payment, PaymentId, PaymentState, Refund, RefundId,
    RefundReason, RefundState, Shares, Shift, ShiftId, SuspenseReason, SuspenseState, Way,
};
use crate::store::charge::Invoice;
use crate::store::ledger::{Entry, Suspended};
use crate::store::observation::Observed;

/// `POST /payments`
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPayment)]
pub struct NewPaymentBody {
    /// What is paid for: an appointment's id.
    pub subject_id: String,
    /// By which way.
    pub way: Way,
    /// For insurance: the number that the patient's authorisation gave …
    #[serde(default)]
    #[schema(required = false)]
    pub pay_auth_no: Option<String>,
    /// … or the `authCode` that the patient came back with from authorising.
    #[serde(default)]
    #[schema(required = false)]
    pub auth_code: Option<String>,
}

/// Where a patient authorises the use of the electronic credential.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InsuranceAuthorisation)]
pub struct AuthorisationBody {
    /// The page to go to; it comes back with `authCode` in the query. Absent where the region has its own way.
    #[schema(required = false)]
    pub url: Option<String>,
}

/// The ways to pay online.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaymentWays {
    /// Those that the hospital offers; none: everything is paid at the counter.
    pub items: Vec<Way>,
}

/// What the page hands to WeChat's payment sheet.
#[derive(Debug, Serialize, ToSchema)]
pub struct WechatSheet {
    /// `appId`
    pub app_id: String,
    /// `timeStamp`: seconds, as text.
    pub time_stamp: String,
    /// `nonceStr`
    pub nonce_str: String,
    /// `package`
    pub package: String,
    /// `signType`
    pub sign_type: String,
    /// `paySign`
    pub pay_sign: String,
}

/// What the page does next. One of the fields is there; none when the payment is over.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct PaymentSheet {
    /// Opens WeChat's payment sheet; beside `mix_trade_no` the cash part of WeChat's insurance cashier.
    #[schema(required = false)]
    pub wechat: Option<WechatSheet>,
    /// Opens WeChat's insurance cashier.
    #[schema(required = false)]
    pub mix_trade_no: Option<String>,
    /// Goes to this address.
    #[schema(required = false)]
    pub url: Option<String>,
    /// Shows this as a code to scan.
    #[schema(required = false)]
    pub code: Option<String>,
}

/// Who pays which part.
#[derive(Debug, Serialize, ToSchema)]
pub struct SharesBody {
    /// The pooled fund (统筹).
    #[schema(value_type = i64)]
    pub gov_fen: Fen,
    /// The personal account (个账).
    #[schema(value_type = i64)]
    pub own_fen: Fen,
    /// Other funds.
    #[schema(value_type = i64)]
    pub other_fen: Fen,
    /// The payer's own money.
    #[schema(value_type = i64)]
    pub cash_fen: Fen,
}

impl From<Shares> for SharesBody {
    fn from(shares: Shares) -> Self {
        Self { gov_fen: shares.gov, own_fen: shares.own, other_fen: shares.other, cash_fen: shares.cash }
    }
}

/// One attempt to pay.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Payment)]
pub struct PaymentBody {
    /// Its id; watch `payment:{id}` for changes.
    #[schema(value_type = String)]
    pub id: PaymentId,
    /// Of which charge.
    #[schema(value_type = String)]
    pub charge_id: ChargeId,
    /// By which way.
    pub way: Way,
    /// Where it stands.
    pub state: PaymentState,
    /// Once it is paid: what it was for.
    #[schema(required = false)]
    pub effect: Option<Effect>,
    /// How much.
    #[schema(value_type = i64)]
    pub total_fen: Fen,
    /// Who pays which part.
    pub shares: SharesBody,
    /// What went back or is on its way back.
    #[schema(value_type = i64)]
    pub returning_fen: Fen,
    /// Until when it can be paid.
    pub expires_at: String,
    /// When it was paid.
    #[schema(required = false)]
    pub paid_at: Option<String>,
    /// What the page does next; only in the answer to beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub sheet: Option<PaymentSheet>,
}

pub(super) fn payment(hospital: &Hospital, payment: &Payment) -> PaymentBody {
    PaymentBody {
        id: payment.id,
        charge_id: payment.charge,
        way: payment.way,
        state: payment.state,
        effect: payment.effect,
        total_fen: payment.total,
        shares: payment.shares.into(),
        returning_fen: payment.returning,
        expires_at: hospital.rfc3339(payment.expires_at),
        paid_at: payment.paid_at.map(|at| hospital.rfc3339(at)),
        sheet: None,
    }
}

fn wechat(signed: pay::wechatpay::sign::ClientPay) -> WechatSheet {
    WechatSheet {
        app_id: signed.app_id,
        time_stamp: signed.time_stamp,
        nonce_str: signed.nonce_str,
        package: signed.package,
        sign_type: signed.sign_type.to_owned(),
        pay_sign: signed.pay_sign,
    }
}

pub(super) fn sheet(sheet: Sheet) -> PaymentSheet {
    match sheet {
        Sheet::Wechat(signed) => PaymentSheet { wechat: Some(wechat(*signed)), ..PaymentSheet::default() },
        Sheet::Insurance { mix_trade_no, cash } => PaymentSheet {
            mix_trade_no: Some(mix_trade_no),
            wechat: cash.map(|signed| wechat(*signed)),
            ..PaymentSheet::default()
        },
        Sheet::Url(url) => PaymentSheet { url: Some(url), ..PaymentSheet::default() },
        Sheet::Code(code) => PaymentSheet { code: Some(code), ..PaymentSheet::default() },
        Sheet::None => PaymentSheet::default(),
    }
}

/// A line of a bill.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChargeItem {
    /// Its code in the price list.
    pub code: String,
    /// What it is.
    #[schema(value_type = Text2Schema)]
    pub name: Text2,
    /// For one.
    #[schema(value_type = i64)]
    pub price_fen: Fen,
    /// How many.
    pub count: u32,
    /// Price times count.
    #[schema(value_type = i64)]
    pub amount_fen: Fen,
}

impl From<Item> for ChargeItem {
    fn from(item: Item) -> Self {
        let amount_fen = item.amount().unwrap_or_default();
        Self { code: item.code, name: item.name, price_fen: item.price, count: item.count, amount_fen }
    }
}

/// What is owed or was paid for one thing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Charge)]
pub struct ChargeBody {
    /// Its id.
    #[schema(value_type = String)]
    pub id: ChargeId,
    /// `registration`.
    pub kind: String,
    /// What it is for: an appointment's id.
    pub subject_id: String,
    /// Who is treated.
    pub person_id: String,
    /// What it is.
    #[schema(value_type = Text2Schema)]
    pub title: Text2,
    /// How much.
    #[schema(value_type = i64)]
    pub total_fen: Fen,
    /// Where it stands.
    pub state: ChargeState,
    /// Until when the thing is kept for who has not paid.
    #[schema(required = false)]
    pub pay_until: Option<String>,
    /// The day of the service.
    pub due_date: String,
    /// Since when.
    pub created_at: String,
    /// Its lines; not in lists.
    pub items: Vec<ChargeItem>,
    /// The attempts to pay it that came to something; not in lists.
    pub payments: Vec<PaymentBody>,
    /// What went back or is on its way back; not in lists.
    pub refunds: Vec<RefundBody>,
    /// The e-invoice; not in lists.
    #[schema(required = false)]
    pub invoice: Option<InvoiceBody>,
}

pub(super) fn charge(hospital: &Hospital, charge: &Charge) -> ChargeBody {
    ChargeBody {
        id: charge.id,
        kind: charge.kind.clone(),
        subject_id: charge.subject.clone(),
        person_id: charge.person.to_string(),
        title: charge.title.clone(),
        total_fen: charge.total,
        state: charge.state,
        pay_until: charge.pay_until.map(|at| hospital.rfc3339(at)),
        due_date: charge.due.to_string(),
        created_at: hospital.rfc3339(charge.created_at),
        items: Vec::new(),
        payments: Vec::new(),
        refunds: Vec::new(),
        invoice: None,
    }
}

/// A refund.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Refund)]
pub struct RefundBody {
    /// Its id.
    #[schema(value_type = String)]
    pub id: RefundId,
    /// Of which payment.
    #[schema(value_type = String)]
    pub payment_id: PaymentId,
    /// Of which charge.
    #[schema(value_type = String)]
    pub charge_id: ChargeId,
    /// How much.
    #[schema(value_type = i64)]
    pub amount_fen: Fen,
    /// Why.
    pub reason: RefundReason,
    /// Where it stands.
    pub state: RefundState,
    /// In words of the desk; for staff only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub note: Option<String>,
    /// Who asked for it; for staff only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub asked_by: Option<String>,
    /// What the platform said against it; for staff only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub error: Option<String>,
    /// Since when.
    pub created_at: String,
    /// When it ended.
    #[schema(required = false)]
    pub ended_at: Option<String>,
}

/// As the payer sees it.
pub(super) fn refund(hospital: &Hospital, refund: &Refund) -> RefundBody {
    RefundBody {
        id: refund.id,
        payment_id: refund.payment,
        charge_id: refund.charge,
        amount_fen: refund.amount,
        reason: refund.reason,
        state: refund.state,
        note: None,
        asked_by: None,
        error: None,
        created_at: hospital.rfc3339(refund.created_at),
        ended_at: refund.ended_at.map(|at| hospital.rfc3339(at)),
    }
}

/// As staff see it.
pub(super) fn refund_for_staff(hospital: &Hospital, one: &Refund) -> RefundBody {
    RefundBody {
        note: one.note.clone(),
        asked_by: Some(one.asked_by.clone()),
        error: one.error.clone(),
        ..refund(hospital, one)
    }
}

/// An e-invoice.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Invoice)]
pub struct InvoiceBody {
    /// `wanted`, `issued`, `reversed`.
    pub state: String,
    /// Its number.
    #[schema(required = false)]
    pub number: Option<String>,
    /// Where it can be seen.
    #[schema(required = false)]
    pub link: Option<String>,
    /// When it was issued.
    #[schema(required = false)]
    pub issued_at: Option<String>,
}

pub(super) fn invoice(hospital: &Hospital, invoice: Invoice) -> InvoiceBody {
    InvoiceBody {
        state: invoice.state,
        number: invoice.number,
        link: invoice.link,
        issued_at: invoice.issued_at.map(|at| hospital.rfc3339(at)),
    }
}

/// A cashier's shift.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Shift)]
pub struct ShiftBody {
    /// Its id.
    #[schema(value_type = String)]
    pub id: ShiftId,
    /// Whose.
    pub staff_id: String,
    /// What lay in the drawer at its beginning.
    #[schema(value_type = i64)]
    pub float_fen: Fen,
    /// Since when.
    pub opened_at: String,
    /// Until when.
    #[schema(required = false)]
    pub closed_at: Option<String>,
    /// What should lie in the drawer: now, or at its end.
    #[schema(value_type = Option<i64>, required = false)]
    pub expected_fen: Option<Fen>,
    /// What did lie there at its end.
    #[schema(value_type = Option<i64>, required = false)]
    pub counted_fen: Option<Fen>,
    /// What the cashier said about a difference.
    #[schema(required = false)]
    pub note: Option<String>,
}

pub(super) fn shift(hospital: &Hospital, shift: &Shift) -> ShiftBody {
    ShiftBody {
        id: shift.id,
        staff_id: shift.staff.to_string(),
        float_fen: shift.float,
        opened_at: hospital.rfc3339(shift.opened_at),
        closed_at: shift.closed_at.map(|at| hospital.rfc3339(at)),
        expected_fen: shift.expected,
        counted_fen: shift.counted,
        note: shift.note.clone(),
    }
}

/// Money that could not be placed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Suspense)]
pub struct SuspenseBody {
    /// Its id.
    pub id: String,
    /// What was observed.
    pub observation_id: String,
    /// Whose payment it is, where that is known.
    #[schema(required = false)]
    pub payment_id: Option<String>,
    /// Who holds it: an account of the ledger.
    pub account: String,
    /// The order number that came with it.
    pub number: String,
    /// How much.
    #[schema(value_type = i64)]
    pub amount_fen: Fen,
    /// Why.
    pub reason: SuspenseReason,
    /// Where it stands.
    pub state: SuspenseState,
    /// Who looks after it.
    #[schema(required = false)]
    pub owner: Option<String>,
    /// What was found out.
    #[schema(required = false)]
    pub note: Option<String>,
    /// Since when.
    pub opened_at: String,
}

pub(super) fn suspense(hospital: &Hospital, one: Suspended) -> SuspenseBody {
    SuspenseBody {
        id: one.id.to_string(),
        observation_id: one.observation.to_string(),
        payment_id: one.payment.map(|id| id.to_string()),
        account: one.account,
        number: one.number,
        amount_fen: one.amount,
        reason: one.reason,
        state: one.state,
        owner: one.owner,
        note: one.note,
        opened_at: hospital.rfc3339(one.opened_at),
    }
}

/// A row of the ledger.
#[derive(Debug, Serialize, ToSchema)]
pub struct LedgerEntry {
    /// Its id.
    pub id: String,
    /// What it is about.
    pub about: String,
    /// When it was booked.
    pub at: String,
    /// To which account.
    pub debit: String,
    /// From which.
    pub credit: String,
    /// How much.
    #[schema(value_type = i64)]
    pub amount_fen: Fen,
    /// Of which payment.
    #[schema(required = false)]
    pub payment_id: Option<String>,
    /// Of which refund.
    #[schema(required = false)]
    pub refund_id: Option<String>,
    /// What was observed.
    #[schema(required = false)]
    pub observation_id: Option<String>,
    /// In whose shift.
    #[schema(required = false)]
    pub shift_id: Option<String>,
    /// Who is behind it: a member of staff, or the key that proved it.
    pub by: String,
    /// In which request, where a person made one.
    pub request_id: String,
}

pub(super) fn entry(hospital: &Hospital, entry: Entry) -> LedgerEntry {
    LedgerEntry {
        id: entry.id.to_string(),
        about: entry.once,
        at: hospital.rfc3339(entry.at),
        debit: entry.debit,
        credit: entry.credit,
        amount_fen: entry.amount,
        payment_id: entry.payment.map(|id| id.to_string()),
        refund_id: entry.refund.map(|id| id.to_string()),
        observation_id: entry.observation.map(|id| id.to_string()),
        shift_id: entry.shift.map(|id| id.to_string()),
        by: entry.by,
        request_id: entry.request,
    }
}

/// Something that was observed, and what came of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ObservationBody {
    /// Its id.
    pub id: String,
    /// `notice`, `answer`, `query`, `bill`, `desk`.
    pub source: String,
    /// Our order number in it.
    pub number: String,
    /// When it came.
    pub received_at: String,
    /// `new`, `applied`, `incident`.
    pub state: String,
    /// What came of it.
    #[schema(required = false)]
    pub outcome: Option<String>,
    /// What was said, as JSON; no payer's id is in it.
    pub said: String,
}

pub(super) fn observed(hospital: &Hospital, one: Observed) -> ObservationBody {
    ObservationBody {
        id: one.id.to_string(),
        source: one.source.code().to_owned(),
        number: one.number,
        received_at: hospital.rfc3339(one.received_at),
        state: one.state,
        outcome: one.outcome,
        said: one.said,
    }
}
