//! How somebody can be reached, from what `people` and our own tables know.

use std::time::Duration;

use base::{Lang, Secret};
use people::{ChannelKind, WechatContact};
use store::vault::Purpose;
use store::{Result, Sealed, StoreError};

use super::{Message, NotifyDeps};
use crate::rules::{Reach, Shut};
use crate::store::{delivery, template, ways};

/// What is known of whom to tell.
pub(super) struct Whom {
    /// In which language.
    pub(super) lang: Lang,
    /// Their identities with our WeChat accounts.
    pub(super) wechat: Vec<Reach>,
    phone: Option<Sealed>,
}

impl Whom {
    pub(super) fn has_phone(&self) -> bool {
        self.phone.is_some()
    }

    /// Opens the phone number, to send to it.
    pub(super) fn phone(&self, deps: &NotifyDeps, message: &Message) -> Result<Option<Secret>> {
        let open =
            |sealed| people::contact::open_phone(&deps.vault, message.hospital, sealed, Purpose::Notify);
        self.phone.as_ref().map(|sealed| open(sealed).map(Secret::new)).transpose()
    }
}

/// Looks up whom a message is for. An account that is gone can't be reached.
pub(super) async fn whom(deps: &NotifyDeps, message: &Message) -> Result<Whom> {
    let nobody = Whom { lang: message.lang.unwrap_or_default(), wechat: Vec::new(), phone: None };
    let Some(account) = message.account else { return Ok(nobody) };
    let contact = match people::contact::of_account(&deps.db, message.hospital, account).await {
        Err(StoreError::NoRow) => return Ok(nobody),
        other => other?,
    };
    let mapped = template::for_kind(&deps.db, message.hospital, message.kind).await?;
    let mut wechat = Vec::new();
    for identity in contact.wechat {
        let has_template = mapped.iter().any(|m| m.account == identity.channel_account);
        wechat.push(reach(deps, message, identity, has_template).await?);
    }
    // The account's own phone; else the one on file for the person that the message is about.
    let phone = match (contact.phone, message.person) {
        (None, Some(person)) => people::contact::phone_of_person(&deps.db, message.hospital, person).await?,
        (phone, _) => phone,
    };
    Ok(Whom { lang: message.lang.unwrap_or(contact.lang), wechat, phone })
}

async fn reach(deps: &NotifyDeps, message: &Message, identity: WechatContact, mapped: bool) -> Result<Reach> {
    let (db, hospital) = (&deps.db, message.hospital);
    let WechatContact { channel_account, openid, following, last_active_at, last_message_at } = identity;
    let now = db.now();
    let mut active = None;
    if let Some(at) = last_active_at {
        // Chats are counted only where a window may still be open.
        let recent = now.since(at) < Duration::from_secs(120);
        let sent = if recent { delivery::chats(db, hospital, &openid, at).await? } else { 0 };
        active = Some((at, sent));
    }
    let mut wrote = None;
    if let Some(at) = last_message_at {
        let recent = now.since(at) < Duration::from_secs(49 * 3600);
        let sent = if recent { delivery::chats(db, hospital, &openid, at).await? } else { 0 };
        wrote = Some((at, sent));
    }
    let channel = deps.channels.get(channel_account);
    let service = channel.is_some_and(|c| c.hospital == hospital && c.kind == ChannelKind::Service);
    let out_of_reach = ways::marked(db, hospital, channel_account, &openid).await?;
    Ok(Reach { account: channel_account, openid, service, mapped, following, active, wrote, out_of_reach })
}

/// The ways that are closed for all in a hospital.
pub(super) async fn shut(deps: &NotifyDeps, message: &Message) -> Result<Vec<Shut>> {
    let pauses = ways::paused(&deps.db, message.hospital).await?;
    Ok(pauses.into_iter().map(|p| Shut { channel: p.channel, account: p.account, until: p.until }).collect())
}
