//! Who can still be told something about a patient, and by which way: for staff who wonder why nobody came.

use ::store::value::Row;
use ::store::{Db, Result, args};
use base::{HospitalId, Lang, UnixMs};
use edge::AccountId;

use super::store as sql;
use crate::model::{Contact, PersonId, Relation};
use crate::{contact, refusal::Refusal};

::store::text_enum! {
    /// A way to tell somebody something.
    #[derive(utoipa::ToSchema)]
    #[schema(as = ReachWay)]
    pub enum Way {
        /// Template messages, to whoever follows.
        #[schema(rename = "wechat")]
        Wechat = "wechat",
        /// Messages in the chat, while its window is open.
        #[schema(rename = "chat")]
        Chat = "chat",
        /// Text messages, to the phone that the account has proven, or else to the one that is on the patient's file.
        #[schema(rename = "sms")]
        Sms = "sms",
    }
}

/// Somebody on whose phone a patient is, and how they can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// What the patient is to them.
    pub relation: Relation,
    /// Since when.
    pub since: UnixMs,
    /// Their proven phone, masked.
    pub phone_masked: Option<String>,
    /// In which language they are told.
    pub lang: Lang,
    /// Every way that is open now; none means that nothing reaches them.
    pub ways: Vec<Way>,
    /// Until when the chat is open, if it is.
    pub chat_until: Option<UnixMs>,
}

/// All on whose phones a patient is, in the order in which they were bound.
///
/// # Errors
/// [`Refusal::NotFound`] for nobody, a merged or a closed record.
pub async fn of_patient(db: &Db, h: HospitalId, id: PersonId) -> std::result::Result<Vec<Reached>, Refusal> {
    sql::by_id(db, h, id).await?.ok_or(Refusal::NotFound)?;
    let now = db.now();
    let rows: Vec<Row> = db.all(sql::HOLDERS_OF, args![h, id]).await?;
    let on_file = contact::phone_of_person(db, h, id).await?.is_some();
    let mut all = Vec::with_capacity(rows.len());
    for row in &rows {
        let account: AccountId = row.get("account_id")?;
        let contact = contact::of_account(db, h, account).await?;
        all.push(reached(row, &contact, on_file, now)?);
    }
    Ok(all)
}

fn reached(row: &Row, contact: &Contact, on_file: bool, now: UnixMs) -> Result<Reached> {
    let chat_until = chat_until(contact, now);
    Ok(Reached {
        relation: row.get("relation")?,
        since: row.get("bound_at")?,
        phone_masked: row.get("masked")?,
        lang: contact.lang,
        ways: ways(contact, on_file, chat_until.is_some()),
        chat_until,
    })
}

fn chat_until(contact: &Contact, now: UnixMs) -> Option<UnixMs> {
    let wrote =
        contact.wechat.iter().filter(|one| one.following).filter_map(|one| one.last_message_at).max()?;
    Some(wrote.plus(contact::CHAT_WINDOW)).filter(|until| now < *until)
}

fn ways(contact: &Contact, on_file: bool, chat: bool) -> Vec<Way> {
    let follows = contact.wechat.iter().any(|one| one.following);
    [(follows, Way::Wechat), (chat, Way::Chat), (contact.phone.is_some() || on_file, Way::Sms)]
        .into_iter()
        .filter_map(|(open, way)| open.then_some(way))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ChannelAccountId, WechatContact};

    const NOW: UnixMs = UnixMs(1_000_000_000);

    fn contact(identities: &[(bool, Option<i64>)]) -> Contact {
        let wechat = identities.iter().map(|(following, hours_ago)| WechatContact {
            channel_account: ChannelAccountId::new(),
            openid: "o".into(),
            following: *following,
            last_active_at: None,
            last_message_at: hours_ago.map(|hours| UnixMs(NOW.0 - hours * 3_600_000)),
        });
        Contact { lang: Lang::Zh, elder: false, wechat: wechat.collect(), phone: None }
    }

    #[test]
    fn followers_are_reached_and_those_who_left_are_not() {
        let open = |contact: &Contact| ways(contact, false, chat_until(contact, NOW).is_some());
        assert_eq!(open(&contact(&[])), []);
        assert_eq!(ways(&contact(&[]), true, false), [Way::Sms], "the number on file");
        assert_eq!(open(&contact(&[(true, None)])), [Way::Wechat]);
        assert_eq!(open(&contact(&[(true, Some(47))])), [Way::Wechat, Way::Chat]);
        assert_eq!(open(&contact(&[(true, Some(48))])), [Way::Wechat]);
        assert_eq!(open(&contact(&[(false, Some(1))])), [], "who unfollowed gets nothing in the chat");
        assert_eq!(open(&contact(&[(false, Some(1)), (true, None)])), [Way::Wechat]);
        assert_eq!(chat_until(&contact(&[(true, Some(1))]), NOW), Some(UnixMs(NOW.0 + 47 * 3_600_000)));
    }
}
