//! What an account's list itself forbids: it is full, there is no guardian, there is a holder already.

use ::store::Tx;
use base::Date;
use edge::Account;

use crate::model::{PersonId, Relation};
use crate::refusal::Refusal;
use crate::rules::{self, Tie};
use crate::settings::PersonRules;
use crate::store::person::{self, Candidate, Known};

/// What else is on an account's list, as far as it decides who may come onto it.
pub(super) struct Others {
    list: Vec<Known>,
    today: Date,
    limit: u32,
}

impl Others {
    pub(super) async fn of(tx: &mut Tx, who: &Account) -> Result<Self, Refusal> {
        let hospital = &who.caller.hospital;
        let rules: PersonRules = hospital.settings(PersonRules::SECTION);
        let today = hospital.zone.date(tx.now());
        let list = person::list_in(tx, hospital.id, who.id).await?;
        Ok(Self { list, today, limit: rules.per_account })
    }

    fn has(&self, id: PersonId) -> bool {
        self.list.iter().any(|k| k.bound.person == id)
    }

    pub(super) fn room(&self) -> Result<(), Refusal> {
        let full = u32::try_from(self.list.len()).unwrap_or(u32::MAX) >= self.limit;
        if full { Err(Refusal::PersonLimit(self.limit)) } else { Ok(()) }
    }

    /// Which of these is on the list.
    pub(super) fn one_of(&self, candidates: &[Candidate]) -> Option<PersonId> {
        candidates.iter().map(|c| c.id).find(|id| self.has(*id))
    }

    /// Whether somebody of this birth date may be on the list. `except` is who they are, if they are on it already.
    pub(super) fn may_tie(
        &self,
        birth: Option<Date>,
        relation: Relation,
        guardian_consent: bool,
        except: Option<PersonId>,
    ) -> Result<(), Refusal> {
        let is_holder = |k: &&Known| k.bound.relation == Relation::Oneself && Some(k.bound.person) != except;
        let holder = self.list.iter().find(is_holder);
        if relation == Relation::Oneself && holder.is_some() {
            return Err(Refusal::SelfTaken);
        }
        rules::may_tie(Tie {
            age: rules::age(birth, self.today),
            relation,
            holder_age: rules::age(holder.and_then(|k| k.bound.birth_date), self.today),
            guardian_consent,
        })
    }
}
