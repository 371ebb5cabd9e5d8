//! What can be paid for. The capability that owns a thing implements [`Payable`] for it; the server joins them, so that a
//! payment and what it is for are one transaction.

use std::sync::Arc;

use async_trait::async_trait;
use base::{Date, Text2, UnixMs};
use edge::{AccountId, Hospital};
use people::PersonId;
use store::{Result, Tx};

use crate::model::{Charge, Item};

/// What is owed for a thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Bill {
    /// Who is treated.
    pub person: PersonId,
    /// Who asked for it, when an account did.
    pub account: Option<AccountId>,
    /// The department that earns it.
    pub department: Option<String>,
    /// What it is, for the payer's eyes. Nothing clinical.
    pub title: Text2,
    /// What it is made of; at least one line.
    pub items: Vec<Item>,
    /// Until when it is kept for who has not paid.
    pub pay_until: Option<UnixMs>,
    /// The day of the service.
    pub due: Date,
    /// Whether the person is reminded on that day, until it is done.
    pub remind: bool,
    /// Whether it may be paid online now. At the desk it may be in any case.
    pub online: bool,
}

/// Whether somebody got what they paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// Yes.
    Served,
    /// It is not to be had any more: the money goes back.
    Gone,
}

/// Things of one kind that can be paid for.
#[async_trait]
pub trait Payable: Send + Sync {
    /// The kind: `registration`.
    fn kind(&self) -> &'static str;

    /// Whether an id is one of this kind.
    fn knows(&self, subject: &str) -> bool;

    /// Takes the locks that [`Payable::paid`] may need, before billing takes its own: everybody who changes such a thing takes
    /// them in this order, so that nobody waits in a circle.
    ///
    /// # Errors
    /// Any [`store::StoreError`].
    async fn lock(&self, tx: &mut Tx, hospital: &Hospital, subject: &str) -> Result<()>;

    /// The thing whose holder shows this code at the desk; `None` when no thing of this kind has it.
    ///
    /// # Errors
    /// Any [`store::StoreError`].
    async fn of_code(&self, _tx: &mut Tx, _hospital: &Hospital, _code: &str) -> Result<Option<String>> {
        Ok(None)
    }

    /// What is owed for it; `None` when there is no such thing, or nothing (any more) to be paid for it. `account`: only if it
    /// is this account's to pay; `None` asks for the desk.
    ///
    /// # Errors
    /// Any [`store::StoreError`].
    async fn bill(
        &self,
        tx: &mut Tx,
        hospital: &Hospital,
        subject: &str,
        account: Option<AccountId>,
    ) -> Result<Option<Bill>>;

    /// The money is there: gives the service, in this very transaction, or says that it is gone. Called at most once with
    /// [`Given::Served`] as its answer for one thing.
    ///
    /// # Errors
    /// Any [`store::StoreError`].
    async fn paid(&self, tx: &mut Tx, hospital: &Hospital, charge: &Charge) -> Result<Given>;
}

/// All kinds.
#[derive(Clone, Default)]
pub struct Payables(Arc<[Arc<dyn Payable>]>);

impl Payables {
    /// These.
    #[must_use]
    pub fn new(all: Vec<Arc<dyn Payable>>) -> Self {
        Self(all.into())
    }

    /// The kind that an id belongs to.
    #[must_use]
    pub fn of_subject(&self, subject: &str) -> Option<&dyn Payable> {
        self.0.iter().find(|one| one.knows(subject)).map(|one| &**one)
    }

    /// What somebody at the desk means: the id of a thing, or the code that its holder shows. Gives the thing's id.
    ///
    /// # Errors
    /// Any [`store::StoreError`].
    pub async fn meant(&self, tx: &mut Tx, hospital: &Hospital, typed: &str) -> Result<Option<String>> {
        if self.of_subject(typed).is_some() {
            return Ok(Some(typed.to_owned()));
        }
        for kind in self.0.iter() {
            if let Some(found) = kind.of_code(tx, hospital, typed).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// A kind by its word.
    #[must_use]
    pub fn kind(&self, kind: &str) -> Option<&dyn Payable> {
        self.0.iter().find(|one| one.kind() == kind).map(|one| &**one)
    }
}
