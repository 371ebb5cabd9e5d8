//! What billing does about events, and at times.

use std::time::Duration;

use async_trait::async_trait;
use base::Text2;
use edge::{Hospital, Hospitals};
use store::events::Failure;
use store::{Db, Event, Subscriber, Sweep, Tx};

use crate::ledger::{self, Cause, Movement};
use crate::model::{RefundId, RefundReason};
use crate::settings::Settings;
use crate::store::{charge as charges, ledger as books, payment as payments, refund as refunds};

/// How many charges one transaction looks after.
const AT_ONCE: i64 = 200;

/// Tells people that money is on its way back, and why. What a page shows at once, because the person did it there, is not
/// told once more.
pub struct Tell;

#[async_trait]
impl Subscriber for Tell {
    fn name(&self) -> &'static str {
        "billing.tell"
    }

    fn wants(&self, kind: &str) -> bool {
        kind == crate::REFUND_WANTED
    }

    async fn handle(&self, tx: &mut Tx, event: &Event) -> Result<(), Failure> {
        let id =
            event.payload.get("refund").and_then(serde_json::Value::as_str).and_then(|id| id.parse().ok());
        let id: RefundId = id.ok_or_else(|| Failure::Final("the event names no refund".into()))?;
        let Some(refund) = refunds::get(tx, event.hospital, id).await? else { return Ok(()) };
        let payment = payments::get(tx, event.hospital, refund.payment).await?;
        let charge = charges::get(tx, event.hospital, refund.charge).await?;
        let (Some(payment), Some(charge)) = (payment, charge) else { return Ok(()) };
        // Who paid at the desk stands there. A second try under a new number is the same refund to the person.
        let Some(account) = payment.account.filter(|_| refund.again_of.is_none()) else { return Ok(()) };
        let note = match refund.reason {
            RefundReason::Cancelled => Text2::new("您取消了预约", "You cancelled the appointment"),
            RefundReason::Stopped => Text2::new("医院停诊", "The hospital called the clinic off"),
            RefundReason::TooLate => {
                Text2::new("付款到账时号源已经释放", "The place had been released when the payment came")
            }
            RefundReason::Twice => Text2::new("重复支付", "It was paid twice"),
            RefundReason::InsuranceFailed => {
                Text2::new("医保结算没有成功", "Medical insurance did not settle it")
            }
            RefundReason::Desk => Text2::new("窗口办理退费", "Refunded at the counter"),
        };
        let mut data = notify::Data::new();
        data.insert("what", charge.title.clone().into());
        data.insert("amount", refund.amount.to_string().into());
        data.insert("note", note.into());
        let tell = notify::Tell {
            kind: notify::Kind::PaymentReturned,
            account,
            // Whoever follows no account is told by the phone of the person it was for.
            person: Some(charge.person),
            subject: refund.id.to_string(),
            data,
            link: format!("/bills/{}", charge.id),
            send_after: None,
            expires_at: tx.now().plus(Duration::from_secs(3 * 86_400)),
        };
        notify::tell(tx, event.hospital, tell).await?;
        Ok(())
    }
}

/// Reminds people in the morning of what they have paid for that is due today and not done.
pub struct RemindToday {
    pub(crate) hospitals: Hospitals,
}

impl RemindToday {
    async fn of(&self, db: &Db, hospital: &Hospital) -> Result<bool, Failure> {
        let settings: Settings = hospital.settings(Settings::SECTION);
        let today = hospital.zone.date(db.now());
        let since = hospital.zone.at(today, settings.remind_at);
        if db.now() < since {
            return Ok(false);
        }
        let mut tx = db.begin().await?;
        let due = charges::to_remind(&mut tx, hospital.id, today, AT_ONCE).await?;
        for charge in &due {
            if !charges::reminded(&mut tx, hospital.id, charge.id).await? {
                continue;
            }
            // By the account that paid: that is where they look for it.
            let paid = match charge.served_by {
                Some(id) => payments::get(&mut tx, hospital.id, id).await?,
                None => None,
            };
            let Some(account) = paid.and_then(|payment| payment.account).or(charge.account) else { continue };
            let person = people::bound::find(&mut tx, hospital.id, account, charge.person).await?;
            let Some(person) = person else { continue };
            let mut data = notify::Data::new();
            data.insert("person", person.name_masked.into());
            data.insert("what", charge.title.clone().into());
            let tell = notify::Tell {
                kind: notify::Kind::ServiceToday,
                account,
                person: Some(charge.person),
                subject: charge.id.to_string(),
                data,
                link: format!("/bills/{}", charge.id),
                send_after: None,
                expires_at: since.plus(Duration::from_secs(12 * 3600)),
            };
            notify::tell(&mut tx, hospital.id, tell).await?;
        }
        tx.commit().await?;
        Ok(!due.is_empty())
    }
}

#[async_trait]
impl Sweep for RemindToday {
    fn name(&self) -> &'static str {
        "billing.remind"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(60)
    }

    async fn run(&self, db: &Db) -> Result<bool, Failure> {
        let mut more = false;
        for hospital in self.hospitals.all() {
            more |= self.of(db, &hospital).await?;
        }
        Ok(more)
    }
}

/// Notes that something which was paid for has been done: nobody is reminded of it then.
pub struct ServiceDone;

#[async_trait]
impl Subscriber for ServiceDone {
    fn name(&self) -> &'static str {
        "billing.service_done"
    }

    fn wants(&self, kind: &str) -> bool {
        kind == crate::DONE
    }

    async fn handle(&self, tx: &mut Tx, event: &Event) -> Result<(), Failure> {
        let text = |name: &str| event.payload.get(name).and_then(serde_json::Value::as_str);
        let (Some(kind), Some(subject)) = (text("kind"), text("subject")) else {
            return Err(Failure::Final("the event names no kind and subject".into()));
        };
        charges::done(tx, event.hospital, kind, subject).await?;
        if let Some(charge) = charges::of_subject(tx, event.hospital, kind, subject).await? {
            let waiting = [notify::Kind::ServiceToday];
            notify::cancel(tx, event.hospital, &charge.id.to_string(), &waiting).await?;
        }
        Ok(())
    }
}

/// From the day after the service on, what we owe for it is what a department has earned.
pub struct Recognise {
    pub(crate) hospitals: Hospitals,
}

impl Recognise {
    async fn of(&self, db: &Db, hospital: &Hospital) -> Result<bool, Failure> {
        let today = hospital.zone.date(db.now());
        let mut tx = db.begin().await?;
        let due = charges::to_recognise(&mut tx, hospital.id, today, AT_ONCE).await?;
        for found in &due {
            // A refund may be on its way to this charge: whoever locks it first is first.
            let Some(charge) = charges::lock(&mut tx, hospital.id, found.id).await? else { continue };
            let account = ledger::obligation(charge.id);
            let owed = books::owed_of_charge(&mut tx, hospital.id, charge.id, &account).await?;
            if !charges::recognised(&mut tx, hospital.id, charge.id).await? {
                continue;
            }
            let row = Movement {
                once: format!("earned:{}", charge.id),
                debit: account,
                credit: ledger::revenue(charge.department.as_deref()),
                amount: owed,
            };
            let cause = Cause {
                charge: Some(charge.id),
                payment: charge.served_by,
                by: "system".into(),
                ..Cause::default()
            };
            ledger::book(&mut tx, hospital.id, &[row], &cause).await?;
        }
        tx.commit().await?;
        Ok(!due.is_empty())
    }
}

#[async_trait]
impl Sweep for Recognise {
    fn name(&self) -> &'static str {
        "billing.recognise"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(300)
    }

    async fn run(&self, db: &Db) -> Result<bool, Failure> {
        let mut more = false;
        for hospital in self.hospitals.all() {
            more |= self.of(db, &hospital).await?;
        }
        Ok(more)
    }
}
