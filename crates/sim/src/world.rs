//! Everything that exists on the other side: accounts, people with phones, what was sent to whom. In memory, one lock.

mod inbox;

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::{broadcast, watch};

use crate::chat::{ChatItem, Notice};
use crate::config::{SimAccount, TemplateSpec};
use crate::faults::Faults;
use crate::rng::Rng;
use crate::sms::Sms;
use crate::wecom::Corp;

/// The state. Instants are milliseconds since 1970.
#[derive(Serialize, Deserialize)]
pub(crate) struct World {
    pub(crate) rng: Rng,
    pub(crate) accounts: Vec<Account>,
    #[serde(default)]
    pub(crate) corps: Vec<Corp>,
    pub(crate) phones: Vec<Phone>,
    /// Every access token of every account that is not forgotten yet.
    pub(crate) tokens: BTreeMap<String, Token>,
    pub(crate) oauth: BTreeMap<String, OauthCode>,
    pub(crate) oauth_tokens: BTreeMap<String, OauthToken>,
    #[serde(skip)]
    pub(crate) media: BTreeMap<String, Media>,
    pub(crate) sms: Vec<Sms>,
    #[serde(default)]
    pub(crate) paying: crate::paying::Paying,
    pub(crate) inbox: VecDeque<Value>,
    pub(crate) seq: u64,
    pub(crate) faults: Faults,
    /// rid → what was asked and answered, for `openapi/rid/get`.
    #[serde(skip)]
    pub(crate) rids: VecDeque<(String, Value)>,
    #[serde(skip, default = "channel")]
    pub(crate) events: broadcast::Sender<Event>,
    #[serde(skip, default = "sequence")]
    pub(crate) arrived: watch::Sender<u64>,
}

/// Something that a phone's page wants to know at once.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) phone: String,
    pub(crate) kind: &'static str,
    pub(crate) data: Value,
}

fn channel() -> broadcast::Sender<Event> {
    broadcast::channel(1024).0
}

fn sequence() -> watch::Sender<u64> {
    watch::channel(0).0
}

/// An official account with all that the platform keeps for it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) set: SimAccount,
    /// The latest token of `/cgi-bin/token`.
    pub(crate) token_a: Option<String>,
    /// The latest token of `/cgi-bin/stable_token`.
    pub(crate) token_stable: Option<String>,
    /// When `force_refresh` was used.
    pub(crate) forced: Vec<i64>,
    /// openid → person.
    pub(crate) users: BTreeMap<String, User>,
    pub(crate) menu: Option<Value>,
    pub(crate) menu_id: u64,
    /// Tags by their number.
    #[serde(default)]
    pub(crate) tags: BTreeMap<i64, String>,
    /// Menus for those who have a tag: number, tag, menu; the newest last.
    #[serde(default)]
    pub(crate) tag_menus: Vec<(u64, i64, Value)>,
    /// ticket → code.
    pub(crate) codes: BTreeMap<String, Code>,
    pub(crate) templates: Vec<TemplateSpec>,
    pub(crate) jsapi: Option<(String, i64)>,
    /// path → (day, calls).
    pub(crate) used: BTreeMap<String, (i64, u64)>,
    /// Days since 1970 of quota clears, with their month.
    pub(crate) clears: Vec<i64>,
}

impl Account {
    /// The menu that somebody sees: the newest for one of their tags, else the one for all.
    pub(crate) fn menu_of(&self, openid: &str) -> Option<&Value> {
        let tags = self.users.get(openid).map(|user| user.tags.as_slice()).unwrap_or_default();
        let own = self.tag_menus.iter().rev().find(|(_, tag, _)| tags.contains(tag)).map(|(.., menu)| menu);
        own.or(self.menu.as_ref())
    }
}

/// A person as one account knows them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) phone: String,
    pub(crate) unionid: String,
    pub(crate) subscribed: bool,
    pub(crate) subscribe_time: i64,
    pub(crate) subscribe_scene: String,
    pub(crate) qr_scene: u64,
    pub(crate) qr_scene_str: String,
    pub(crate) remark: String,
    /// The account's tags on them.
    #[serde(default)]
    pub(crate) tags: Vec<i64>,
    /// Messages of this account are turned off.
    pub(crate) muted: bool,
    pub(crate) windows: Vec<Window>,
    /// client_msg_id → (when, msgid).
    pub(crate) sent: BTreeMap<String, (i64, u64)>,
}

/// Leave to send customer-service messages, opened by something that the person did.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Window {
    pub(crate) kind: WindowKind,
    pub(crate) until: i64,
    pub(crate) left: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WindowKind {
    Message,
    Menu,
    Follow,
    Scan,
}

/// An access token of an account. Kept past its end, so that it can be told from one that never was.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Token {
    pub(crate) appid: String,
    pub(crate) expires: i64,
    /// Killed by `force_refresh`: no longer the latest (40001), not expired.
    pub(crate) revoked: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct OauthCode {
    pub(crate) appid: String,
    pub(crate) openid: String,
    pub(crate) scope: String,
    pub(crate) expires: i64,
    pub(crate) used: bool,
    pub(crate) snapshot: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct OauthToken {
    pub(crate) appid: String,
    pub(crate) openid: String,
    pub(crate) scope: String,
    pub(crate) expires: i64,
    /// A refresh token rather than an access token.
    pub(crate) refresh: bool,
}

/// A parametric code.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Code {
    pub(crate) ticket: String,
    pub(crate) url: String,
    pub(crate) scene: Scene,
    pub(crate) created: i64,
    /// `None`: permanent.
    pub(crate) expires: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Scene {
    Id(u64),
    Text(String),
}

impl std::fmt::Display for Scene {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

/// Temporary material.
#[derive(Debug, Clone)]
pub(crate) struct Media {
    pub(crate) appid: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) content_type: String,
    pub(crate) bytes: Bytes,
    pub(crate) expires: i64,
}

/// A person with a phone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Phone {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) lang: String,
    pub(crate) phone_number: String,
    /// appid → openid.
    pub(crate) openids: BTreeMap<String, String>,
    pub(crate) unionid: String,
    /// appid → the talk with that account.
    pub(crate) chats: BTreeMap<String, Vec<ChatItem>>,
    pub(crate) notices: Vec<Notice>,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rng: Rng::new(seed),
            accounts: Vec::new(),
            corps: Vec::new(),
            phones: Vec::new(),
            tokens: BTreeMap::new(),
            oauth: BTreeMap::new(),
            oauth_tokens: BTreeMap::new(),
            media: BTreeMap::new(),
            sms: Vec::new(),
            paying: crate::paying::Paying::default(),
            inbox: VecDeque::new(),
            seq: 0,
            faults: Faults::default(),
            rids: VecDeque::new(),
            events: channel(),
            arrived: sequence(),
        }
    }

    /// Adds an account, or takes new settings for one that a snapshot knows already.
    pub(crate) fn install(&mut self, mut set: SimAccount) {
        if let Some(known) = self.accounts.iter_mut().find(|known| known.set.appid == set.appid) {
            if set.encoding_aes_key.is_empty() {
                set.encoding_aes_key.clone_from(&known.set.encoding_aes_key);
            }
            known.templates.clone_from(&set.templates);
            known.set = set;
            return;
        }
        if set.encoding_aes_key.is_empty() {
            set.encoding_aes_key = self.rng.alphanumeric(43);
        }
        let appid = set.appid.clone();
        let templates = set.templates.clone();
        self.accounts.push(Account {
            set,
            token_a: None,
            token_stable: None,
            forced: Vec::new(),
            users: BTreeMap::new(),
            menu: None,
            menu_id: 0,
            tags: BTreeMap::new(),
            tag_menus: Vec::new(),
            codes: BTreeMap::new(),
            templates,
            jsapi: None,
            used: BTreeMap::new(),
            clears: Vec::new(),
        });
        let phones: Vec<(String, String)> =
            self.phones.iter().map(|phone| (phone.id.clone(), phone.unionid.clone())).collect();
        for (id, unionid) in phones {
            self.introduce(&id, &unionid, &appid);
        }
    }

    /// Gives a phone its openid for an account: an openid is per person and account.
    pub(crate) fn introduce(&mut self, phone: &str, unionid: &str, appid: &str) {
        let openid = format!("o{}", self.rng.url_safe(27));
        if let Some(phone) = self.phones.iter_mut().find(|known| known.id == phone) {
            phone.openids.insert(appid.to_owned(), openid.clone());
        }
        if let Some(account) = self.accounts.iter_mut().find(|account| account.set.appid == appid) {
            account.users.insert(
                openid,
                User {
                    phone: phone.to_owned(),
                    unionid: unionid.to_owned(),
                    subscribed: false,
                    subscribe_time: 0,
                    subscribe_scene: String::new(),
                    qr_scene: 0,
                    qr_scene_str: String::new(),
                    remark: String::new(),
                    muted: false,
                    windows: Vec::new(),
                    tags: Vec::new(),
                    sent: BTreeMap::new(),
                },
            );
        }
    }

    pub(crate) fn phone(&self, id: &str) -> Option<&Phone> {
        self.phones.iter().find(|phone| phone.id == id)
    }

    /// The account named by appid or `gh_` id; without a name, the only one there is.
    pub(crate) fn find_account(&self, name: Option<&str>) -> Option<usize> {
        match name {
            None => (self.accounts.len() == 1).then_some(0),
            Some(name) => {
                self.accounts.iter().position(|known| known.set.appid == name || known.set.gh_id == name)
            }
        }
    }

    pub(crate) fn by_appid(&self, appid: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.set.appid == appid)
    }

    /// A new 64-bit number that a JavaScript number can't hold, as MsgId and msgid are.
    pub(crate) fn message_id(&mut self) -> u64 {
        24_000_000_000_000_000 + self.rng.below(900_000_000_000_000)
    }

    /// Puts an entry into a phone's chat and tells its page.
    pub(crate) fn chat(&mut self, phone_id: &str, appid: &str, mut item: ChatItem) {
        self.seq = self.seq.saturating_add(1);
        item.id = self.seq;
        let data = json!({ "account": appid, "item": item });
        if let Some(phone) = self.phones.iter_mut().find(|phone| phone.id == phone_id) {
            let chat = phone.chats.entry(appid.to_owned()).or_default();
            chat.push(item);
            let surplus = chat.len().saturating_sub(500);
            chat.drain(..surplus);
        }
        self.tell(phone_id, "chat", data);
    }

    /// Puts a notice onto a phone's lock screen and tells its page.
    pub(crate) fn notice(&mut self, phone_id: &str, mut notice: Notice) {
        self.seq = self.seq.saturating_add(1);
        notice.id = self.seq;
        let data = json!(notice);
        if let Some(phone) = self.phones.iter_mut().find(|phone| phone.id == phone_id) {
            phone.notices.push(notice);
            let surplus = phone.notices.len().saturating_sub(500);
            phone.notices.drain(..surplus);
        }
        self.tell(phone_id, "notice", data);
    }

    /// Tells a phone's page. Nobody listening is no error.
    pub(crate) fn tell(&self, phone: &str, kind: &'static str, data: Value) {
        let _ = self.events.send(Event { phone: phone.to_owned(), kind, data });
    }
}

impl User {
    /// Opens a window for customer-service messages. A new act of the same kind opens it afresh.
    pub(crate) fn open_window(&mut self, kind: WindowKind, now: i64) {
        const MINUTE: i64 = 60_000;
        let (lasts, left) = match kind {
            WindowKind::Message => (48 * 60 * MINUTE, 5),
            WindowKind::Menu | WindowKind::Follow | WindowKind::Scan => (MINUTE, 3),
        };
        self.windows.retain(|window| window.kind != kind && window.until > now);
        self.windows.push(Window { kind, until: now + lasts, left });
    }
}
