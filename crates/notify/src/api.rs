//! What other capabilities call: telling inside their own transactions, and reading what became of it.

use base::{HospitalId, mask};
use edge::AccountId;
use store::{Db, Result, Topic, Tx};

use crate::model::{Arg, Kind, MessageId, NoticeState, State, Tell};
use crate::store::message::{self, NewMessage};

/// Workers of every node wake when something is to be told.
pub(crate) fn wake() -> Topic {
    Topic::new("notify", "due")
}

/// Has an account told something, with this transaction. Gives false when it was told already, or is about to be.
///
/// A name that comes unmasked is masked here: nobody's full name shows on a locked phone.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn tell(tx: &mut Tx, hospital: HospitalId, tell: Tell) -> Result<bool> {
    let mut data = tell.data;
    if let Some(Arg::Text(name)) = data.get_mut("person")
        && !name.contains('*')
    {
        *name = mask::name(name);
    }
    let now = tx.now();
    let new = NewMessage {
        id: MessageId::new(),
        kind: tell.kind,
        subject: tell.subject,
        account: Some(tell.account),
        person: tell.person,
        lang: None,
        data: serde_json::to_string(&data).unwrap_or_default(),
        sealed: None,
        link: tell.link,
        due: tell.send_after.map_or(now, |after| after.max(now)),
        expires: tell.expires_at,
    };
    let told = message::add(tx, hospital, new).await?;
    if told {
        tx.touch(wake());
    }
    Ok(told)
}

/// What is no longer true is not told any more: messages of these kinds about `subject` that are not under way yet. One of
/// which it is not known whether it arrived is not sent again. Gives how many were stopped.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn cancel(tx: &mut Tx, hospital: HospitalId, subject: &str, kinds: &[Kind]) -> Result<u64> {
    let mut stopped = 0;
    for kind in kinds {
        stopped += message::cancel(tx, hospital, subject, *kind).await?;
    }
    Ok(stopped)
}

/// What became of everything that was to be told about `subject` to `account`, oldest first. Cancelled messages are left
/// out: there is nothing to say of them.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn of_subject_to(
    db: &Db,
    hospital: HospitalId,
    subject: &str,
    account: AccountId,
) -> Result<Vec<NoticeState>> {
    let all = message::of_subject(db, hospital, subject).await?;
    Ok(all.into_iter().filter(|m| m.account == Some(account)).filter_map(message::Told::shown).collect())
}

/// As [`of_subject_to`], for whoever was told.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn of_subject(db: &Db, hospital: HospitalId, subject: &str) -> Result<Vec<NoticeState>> {
    let all = message::of_subject(db, hospital, subject).await?;
    Ok(all.into_iter().filter_map(message::Told::shown).collect())
}

impl message::Told {
    fn shown(self) -> Option<NoticeState> {
        if self.state == State::Cancelled {
            return None;
        }
        Some(NoticeState { kind: self.kind, state: self.state.into(), channel: self.channel, at: self.at })
    }
}
