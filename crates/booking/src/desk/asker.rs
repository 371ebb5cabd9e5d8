//! Who asks the desk for something outside the rush of the lanes: a member of staff at the counter, a doctor, or a patient about
//! something that the hospital offered them.

use edge::{Account, AccountId, Caller, Staff, StaffId};
use people::PersonId;
use people::look_up::Found;
use schedule::SlotId;
use store::{StoreError, Tx};

use crate::model::{AppointmentId, PersonFacts, Request};

/// See the module.
#[derive(Debug, Clone)]
pub struct Asker {
    pub(crate) caller: Caller,
    /// Whose keys and places these are, where nobody is bound to the person: see [`Asker::account_for`].
    account: AccountId,
    pub(crate) staff: Option<StaffId>,
    channel: &'static str,
}

/// The counter, as a channel.
pub(crate) const WINDOW: &str = "window";
/// What the doctor adds, as a channel.
pub(crate) const DOCTOR: &str = "doctor";

impl Asker {
    /// Staff at the counter.
    #[must_use]
    pub fn at_window(staff: &Staff) -> Self {
        Self::of_staff(staff, WINDOW)
    }

    /// A doctor, or the triage desk for them.
    #[must_use]
    pub fn for_doctor(staff: &Staff) -> Self {
        Self::of_staff(staff, DOCTOR)
    }

    fn of_staff(staff: &Staff, channel: &'static str) -> Self {
        // The same digits under the other prefix: unique, and nobody's account.
        let account = AccountId::from_db(&staff.id.db()).unwrap_or_default();
        Self { caller: staff.caller.clone(), account, staff: Some(staff.id), channel }
    }

    /// A patient.
    #[must_use]
    pub fn patient(account: &Account) -> Self {
        Self { caller: account.caller.clone(), account: account.id, staff: None, channel: "" }
    }

    /// The same patient, who takes what a doctor has added for them.
    #[must_use]
    pub(crate) fn on_channel(mut self, channel: &'static str) -> Self {
        self.channel = channel;
        self
    }

    /// To whose account the place belongs. What staff book is the account's that is bound to the person, so that it is told of it;
    /// where nobody is, it carries the digits of who made it.
    pub(crate) async fn account_for(&self, tx: &mut Tx, person: PersonId) -> Result<AccountId, StoreError> {
        if self.staff.is_none() {
            return Ok(self.account);
        }
        let holders = people::look_up::holders(tx, self.caller.hospital.id, person).await?;
        Ok(holders.first().copied().unwrap_or(self.account))
    }

    /// The wish as the rules judge it.
    pub(crate) fn request(
        &self,
        account: AccountId,
        person: PersonFacts,
        slot: SlotId,
        key: &str,
        replaces: Option<AppointmentId>,
    ) -> Request {
        let mut request = super::request(&self.caller, account, person, slot, key, replaces);
        if !self.channel.is_empty() {
            self.channel.clone_into(&mut request.channel);
        }
        request
    }
}

/// What the rules must know of a person on file. Whether whoever asks may act for them was looked at before.
pub(crate) fn facts(found: &Found) -> PersonFacts {
    PersonFacts {
        id: found.person,
        birth_date: found.birth_date,
        identified: found.document_kind.is_some(),
        // Staff have the card before them.
        own_card: true,
        bound: true,
    }
}
