//! What is sent: the message in words, ready for its way.

use std::sync::Arc;

use base::Lang;
use edge::Hospital;
use people::Channel as WechatAccount;
use store::Result;
use wechat::api::custom::CustomMessage;
use wechat::api::template::{Jump, TemplateMessage};

use super::contact::Whom;
use super::{Message, NotifyDeps};
use crate::model::{Channel, DeliveryId};
use crate::rules::{Outcome, Route, Why};
use crate::sender;
use crate::settings::Settings;
use crate::sms::{Sms, Vendor, vendor};
use crate::store::template;
use crate::text::{House, Words, fit};

/// Something to send, and by whom.
pub(super) enum Parcel {
    /// To a follower.
    Template(wechat::api::Client, TemplateMessage),
    /// In the chat.
    Custom(wechat::api::Client, String, CustomMessage),
    /// To a phone.
    Sms(Vendor, Sms),
    /// It can't be sent; this is the outcome.
    No(Outcome),
}

/// Everything a parcel is made of.
pub(super) struct Contents<'a> {
    pub(super) deps: &'a NotifyDeps,
    pub(super) hospital: &'a Arc<Hospital>,
    pub(super) settings: &'a Settings,
    pub(super) message: &'a Message,
    pub(super) whom: &'a Whom,
}

impl Contents<'_> {
    /// Packs the message for a way, under the attempt's reference. The same message for the same reference gives the same
    /// parcel: it may have to be sent again.
    pub(super) async fn pack(&self, route: &Route, id: DeliveryId, lang: Lang) -> Result<Parcel> {
        match route {
            Route::Sms => self.sms(id, lang).await,
            Route::Template { account, openid } => {
                let Some(channel) = self.account(*account) else { return Ok(no_account()) };
                self.template(&channel, openid, id, lang).await
            }
            Route::Custom { account, openid } => {
                let Some(channel) = self.account(*account) else { return Ok(no_account()) };
                let words = self.words(&self.message.data, lang);
                let text = CustomMessage::Text(words.chat(self.message.kind, &self.url()));
                Ok(Parcel::Custom(channel.client.clone(), openid.clone(), text))
            }
        }
    }

    /// By this attempt's own phone or the contact's: a code goes to the phone that it was asked for.
    async fn sms(&self, id: DeliveryId, lang: Lang) -> Result<Parcel> {
        let (deps, message) = (self.deps, self.message);
        let Some(vendor) = vendor(&deps.db, &deps.vault, &deps.http, message.hospital).await? else {
            return Ok(Parcel::No(Outcome::Trouble(Why::new("no_vendor", "no SMS vendor is set"))));
        };
        let (phone, words) = match &message.sealed {
            Some(sealed) => {
                let opened = sender::open(&deps.vault, message.hospital, sealed)?;
                (Some(opened.phone), self.words(&opened.data, lang))
            }
            None => (self.whom.phone(deps, message)?, self.words(&message.data, lang)),
        };
        let Some(phone) = phone else {
            let why = Why::new("no_phone", "no phone is known any more");
            return Ok(Parcel::No(Outcome::Unreachable { why, lasting: false }));
        };
        let sms = Sms {
            phone,
            template_code: self.settings.sms_template(message.kind, lang),
            params: words.sms(message.kind),
            lang,
            out_id: id,
        };
        Ok(Parcel::Sms(vendor, sms))
    }

    async fn template(
        &self,
        channel: &WechatAccount,
        openid: &str,
        id: DeliveryId,
        lang: Lang,
    ) -> Result<Parcel> {
        let message = self.message;
        let mapped = template::for_kind(&self.deps.db, message.hospital, message.kind).await?;
        let Some(mapping) = mapped.into_iter().find(|m| m.account == channel.id).map(|m| m.mapping) else {
            return Ok(Parcel::No(Outcome::Trouble(Why::new(
                "no_template",
                "no template is chosen any more",
            ))));
        };
        let words = self.words(&message.data, lang);
        let mut data = Vec::new();
        for (key, name) in &mapping.fields {
            match fit(&words, message.kind, key, name) {
                Ok(value) => data.push((key.clone(), value)),
                Err(error) => {
                    let detail = format!("field {key} is tied to {name}: {error}");
                    return Ok(Parcel::No(Outcome::Trouble(Why::new("field", detail))));
                }
            }
        }
        let jump = Jump { url: Some(self.url()).filter(|url| !url.is_empty()), mini_program: None };
        let template = TemplateMessage {
            to: openid.to_owned(),
            template_id: mapping.template_id,
            client_msg_id: id.db(),
            jump,
            data,
        };
        Ok(Parcel::Template(channel.client.clone(), template))
    }

    fn account(&self, id: people::ChannelAccountId) -> Option<Arc<WechatAccount>> {
        self.deps.channels.get(id).filter(|c| c.hospital == self.message.hospital)
    }

    fn words(&self, data: &std::collections::BTreeMap<String, crate::model::Arg>, lang: Lang) -> Words {
        let sensitive = &self.settings.sensitive_departments;
        Words::new(House::from(&**self.hospital), self.message.kind, data, lang, sensitive)
    }

    /// The page that a tap in WeChat opens, through the silent sign-in: the session of the last visit is long over by then.
    /// With several hospitals, under the prefix of this one.
    fn url(&self) -> String {
        if !self.message.link.starts_with('/') {
            return String::new();
        }
        let base = self.deps.public_base.trim_end_matches('/');
        let several = self.deps.hospitals.all().len() > 1;
        let prefix = if several { format!("/h/{}", self.hospital.code) } else { String::new() };
        format!("{base}{prefix}/auth/wechat?to={}", self.message.link)
    }
}

fn no_account() -> Parcel {
    Parcel::No(Outcome::Trouble(Why::new("no_account", "the WeChat account is no longer set up")))
}

impl Parcel {
    /// A word for the log.
    pub(super) fn channel(&self) -> Option<Channel> {
        match self {
            Self::Template(..) => Some(Channel::Template),
            Self::Custom(..) => Some(Channel::Custom),
            Self::Sms(..) => Some(Channel::Sms),
            Self::No(_) => None,
        }
    }
}
