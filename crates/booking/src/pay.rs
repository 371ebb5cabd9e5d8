//! A registration as something to be paid for: what it costs, and how money books it.
//!
//! Booking sees no payment platform: it is called by `billing` in the transaction in which the money is found to be there, and
//! tells `billing` in its own transactions when a place is given up, called off or moved.

use async_trait::async_trait;
use base::{Fen, Text2};
use billing::model::Charge;
use billing::{Bill, Given, Item, Payable, RefundReason};
use edge::{AccountId, Caller, Hospital, Hospitals};
use schedule::SlotId;
use store::{NewEvent, Result, StoreError, Tx};

use crate::desk::Desk;
use crate::hold::{self, Confirmed, HoldFor};
use crate::model::{Appointment, AppointmentId, Pay, State};
use crate::store as sql;
use crate::store::hold as own_sql;

/// The kind of charge.
pub const KIND: &str = "registration";

/// Registrations, for `billing`.
pub struct Registrations {
    desk: Desk,
    hospitals: Hospitals,
}

impl Registrations {
    /// With what it needs.
    #[must_use]
    pub fn new(desk: Desk, hospitals: Hospitals) -> Self {
        Self { desk, hospitals }
    }

    /// A hold that ran out a moment before its money came: the person has the place all the same, if nobody else has it and they
    /// have no other in its stead.
    async fn take_again(&self, tx: &mut Tx, caller: &Caller, was: &Appointment) -> Result<bool> {
        let hospital = caller.hospital.id;
        let stock = schedule::stock::lock(tx, hospital, &[was.slot]).await?;
        let Some(stock) = stock.into_iter().next() else { return Ok(false) };
        let begun = tx.now() >= stock.start_at || stock.stopped;
        if begun || stock.remaining() <= 0 || !own_sql::take_again(tx, hospital, was).await? {
            return Ok(false);
        }
        if !crate::quota::take_again(tx, &self.desk, &stock, was.id, hospital).await? {
            // Back to how it was: the channel has no place left.
            own_sql::let_go(tx, hospital, was.id).await?;
            return Ok(false);
        }
        if !schedule::stock::take_again(tx, hospital, was.slot).await? {
            return Err(StoreError::NoRow);
        }
        self.desk.counter().show(tx, hospital, &stock, stock.taken + 1);
        tx.publish(NewEvent {
            hospital,
            kind: "booking.booked",
            key: was.person.to_string(),
            payload: serde_json::json!({"appointment": was.id, "moved_from": was.moved_from}),
        })
        .await?;
        let detail = serde_json::json!({"slot": was.slot, "number": was.number, "person": was.person, "after_its_hold": true});
        tx.audit(caller.audit("booking.book", was.id, detail)).await?;
        tx.touch(store::Topic::new("appointment", was.id));
        metrics::counter!("booking_booked").increment(1);
        Ok(true)
    }
}

fn id_of(subject: &str) -> Option<AppointmentId> {
    subject.parse().ok()
}

#[async_trait]
impl Payable for Registrations {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn knows(&self, subject: &str) -> bool {
        id_of(subject).is_some()
    }

    async fn lock(&self, tx: &mut Tx, hospital: &Hospital, subject: &str) -> Result<()> {
        let Some(id) = id_of(subject) else { return Ok(()) };
        let Some(found) = sql::get(tx, hospital.id, id).await? else { return Ok(()) };
        // Persons before slots, as everywhere.
        sql::lock_persons(tx, hospital.id, &[found.person]).await?;
        schedule::stock::lock(tx, hospital.id, &[found.slot]).await.map(drop)
    }

    async fn of_code(&self, tx: &mut Tx, hospital: &Hospital, code: &str) -> Result<Option<String>> {
        // As it is printed or read out: in capitals, in groups.
        let code: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
        let found = crate::arrive::by_code(tx, hospital.id, &code.to_ascii_uppercase()).await?;
        Ok(found.map(|one| one.id.to_string()))
    }

    async fn bill(
        &self,
        tx: &mut Tx,
        hospital: &Hospital,
        subject: &str,
        account: Option<AccountId>,
    ) -> Result<Option<Bill>> {
        let Some(id) = id_of(subject) else { return Ok(None) };
        let Some(found) = sql::get(tx, hospital.id, id).await? else { return Ok(None) };
        if let Some(account) = account
            && people::bound::find(tx, hospital.id, account, found.person).await?.is_none()
        {
            return Ok(None);
        }
        let held = found.state == State::Held && found.hold_for == Some(HoldFor::Payment);
        // Who is there already pays at the desk.
        let at_the_desk = account.is_none() && matches!(found.state, State::CheckedIn | State::Seen);
        if found.fee <= Fen::ZERO || !(held || found.state == State::Booked || at_the_desk) {
            return Ok(None);
        }
        let item = Item {
            code: format!("{KIND}.{}", found.kind),
            name: Text2::new("挂号费", "Registration fee"),
            price: found.fee,
            count: 1,
        };
        Ok(Some(Bill {
            person: found.person,
            account: account.or(Some(found.account)),
            department: Some(found.department.to_string()),
            title: Text2::new("门诊挂号费", "Outpatient registration"),
            items: vec![item],
            pay_until: found.hold_until.filter(|_| held),
            due: found.date,
            remind: false,
            online: true,
        }))
    }

    async fn paid(&self, tx: &mut Tx, hospital: &Hospital, charge: &Charge) -> Result<Given> {
        let Some(id) = id_of(&charge.subject) else { return Ok(Given::Gone) };
        let hospital = self.hospitals.get(hospital.id).ok_or(StoreError::NoRow)?;
        let caller = Caller::system(hospital);
        match hold::confirm(tx, &caller, id).await? {
            Confirmed::Booked(_) => Ok(Given::Served),
            Confirmed::Already(_) => {
                // Paid at the counter: the phone shows it.
                tx.touch(store::Topic::new("appointment", id));
                Ok(Given::Served)
            }
            Confirmed::Gone(was) if was.state == State::Expired && was.hold_for == Some(HoldFor::Payment) => {
                let again = self.take_again(tx, &caller, &was).await?;
                Ok(if again { Given::Served } else { Given::Gone })
            }
            Confirmed::Gone(_) | Confirmed::NotThere => Ok(Given::Gone),
        }
    }
}

/// Whether an appointment is paid, by whatever way.
pub(crate) async fn is_paid(db: &store::Db, hospital: base::HospitalId, of: &Appointment) -> Result<bool> {
    if of.fee <= Fen::ZERO {
        return Ok(false);
    }
    billing::charges::is_settled(db, hospital, KIND, &of.id.to_string()).await
}

/// A place is given up or called off: what was paid for it goes back. Its slot is locked.
pub(crate) async fn given_up(
    tx: &mut Tx,
    hospital: base::HospitalId,
    id: AppointmentId,
    reason: RefundReason,
    by: &str,
) -> Result<()> {
    billing::give_up(tx, hospital, KIND, &id.to_string(), reason, by).await
}

/// A place is moved: what is owed or paid for the old one is for the new one now. False when that can't be, because the new one
/// costs something else and the old one is paid.
pub(crate) async fn moved(
    tx: &mut Tx,
    hospital: base::HospitalId,
    old: &Appointment,
    new: &Appointment,
    by: &str,
) -> Result<bool> {
    let (from, to) = (old.id.to_string(), new.id.to_string());
    let Some(charge) = billing::charges::of_subject(tx, hospital, KIND, &from).await? else {
        return Ok(true);
    };
    if old.fee == new.fee {
        billing::charges::follow(tx, hospital, KIND, &from, &to, new.date).await?;
        return Ok(true);
    }
    if charge.served_by.is_some() {
        return Ok(false);
    }
    billing::give_up(tx, hospital, KIND, &from, RefundReason::Cancelled, by).await?;
    Ok(true)
}

/// How long a place is kept for who pays online.
#[must_use]
pub fn for_payment(hospital: &Hospital, now: base::UnixMs) -> hold::Hold {
    let limits: crate::model::Limits = hospital.settings("booking.limits");
    let minutes = std::time::Duration::from_secs(u64::from(limits.hold_minutes) * 60);
    hold::Hold { until: now.plus(minutes), why: HoldFor::Payment }
}

/// Whether a wish for a place on hold is to be paid.
pub(crate) fn way(hold: Option<&hold::Hold>) -> Pay {
    match hold {
        Some(hold) if hold.why == HoldFor::Payment => Pay::Online,
        _ => Pay::Counter,
    }
}

/// The slots of these, each once, in the order in which everybody locks them.
pub(crate) fn slots(of: &[Appointment]) -> Vec<SlotId> {
    let mut slots: Vec<SlotId> = of.iter().map(|one| one.slot).collect();
    slots.sort_unstable();
    slots.dedup();
    slots
}
