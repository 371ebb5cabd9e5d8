//! The single acts: what each changes on the platform, and which push it leads to.

use serde_json::{Value, json};

use super::Act;
use crate::chat::ChatItem;
use crate::problem::Problem;
use crate::push::xml::Node;
use crate::push::{PushJob, What};
use crate::world::{Scene, User, WindowKind, World};

pub(super) type Outcome = Result<(Value, Option<PushJob>), Problem>;

/// One act of one person, with the state it works on.
pub(super) struct Deed<'a> {
    pub(super) world: &'a mut World,
    pub(super) now: i64,
    pub(super) phone: &'a str,
    /// The account it is about: index and appid; set by [`Deed::at`] or by what was scanned.
    pub(super) index: usize,
    pub(super) appid: String,
}

impl Deed<'_> {
    pub(super) fn at(&mut self, act: &Act) -> Result<&mut Self, Problem> {
        let name = act.account.as_deref();
        let index = self.world.find_account(name).ok_or_else(|| match name {
            Some(name) => Problem::not_found("account", name),
            None => Problem::invalid("account", "needed: there are several accounts, or none"),
        })?;
        self.go(index);
        Ok(self)
    }

    fn go(&mut self, index: usize) {
        self.index = index;
        self.appid =
            self.world.accounts.get(index).map(|account| account.set.appid.clone()).unwrap_or_default();
    }

    /// The person as the account knows them.
    fn user(&mut self) -> Result<&mut User, Problem> {
        let openid = self.world.phone(self.phone).and_then(|phone| phone.openids.get(&self.appid)).cloned();
        let account = self.world.accounts.get_mut(self.index);
        account
            .and_then(|account| account.users.get_mut(&openid?))
            .ok_or_else(|| Problem::not_found("account", &self.appid))
    }

    fn following(&mut self) -> Result<(), Problem> {
        if self.user()?.subscribed {
            return Ok(());
        }
        Err(Problem::conflict("not_following", "this phone does not follow the account"))
    }

    fn event(&self, event: &str, fields: &[(&str, String)]) -> PushJob {
        PushJob::event(&self.appid, self.phone, event, fields)
    }

    pub(super) fn follow(&mut self, scene: Option<&str>) -> Outcome {
        if self.user()?.subscribed {
            return Ok((json!({ "outcome": "already_following" }), None));
        }
        let scene = scene.unwrap_or("ADD_SCENE_SEARCH");
        if !scene.starts_with("ADD_SCENE_") {
            return Err(Problem::invalid("scene", "ADD_SCENE_…"));
        }
        self.subscribe(scene, None)?;
        // The key may be there and empty.
        let job = self.event("subscribe", &[("EventKey", String::new())]);
        Ok((json!({ "outcome": "following" }), Some(job)))
    }

    fn subscribe(&mut self, scene: &str, code: Option<&Scene>) -> Result<(), Problem> {
        let now = self.now;
        let user = self.user()?;
        user.subscribed = true;
        user.subscribe_time = now;
        scene.clone_into(&mut user.subscribe_scene);
        match code {
            Some(Scene::Id(id)) => user.qr_scene = *id,
            Some(Scene::Text(text)) => user.qr_scene_str.clone_from(text),
            None => {}
        }
        user.open_window(WindowKind::Follow, now);
        self.tell_follow(true);
        Ok(())
    }

    fn tell_follow(&self, on: bool) {
        self.world.tell(self.phone, "follow", json!({ "account": self.appid, "following": on }));
    }

    pub(super) fn unfollow(&mut self) -> Outcome {
        self.following()?;
        let user = self.user()?;
        user.subscribed = false;
        user.windows.clear();
        user.muted = false;
        self.tell_follow(false);
        let job = self.event("unsubscribe", &[("EventKey", String::new())]);
        Ok((json!({ "outcome": "not_following" }), Some(job)))
    }

    pub(super) fn mute(&mut self, on: bool) -> Outcome {
        self.user()?.muted = on;
        Ok((json!({ "muted": on }), None))
    }

    pub(super) fn say(&mut self, act: &Act) -> Outcome {
        self.following()?;
        let text = act.text.as_deref().unwrap_or_default();
        if text.is_empty() || text.len() > 20_480 {
            return Err(Problem::invalid("text", "1 to 20480 bytes"));
        }
        let now = self.now;
        self.user()?.open_window(WindowKind::Message, now);
        let appid = self.appid.clone();
        self.world.chat(self.phone, &appid, ChatItem::text("me", text, now));
        let mut fields = vec![("Content".to_owned(), Node::text(text))];
        if let Some(id) = &act.menu_id {
            fields.push(("bizmsgmenuid".to_owned(), Node::text(id)));
        }
        let job = PushJob::new(&appid, self.phone, What::Fields { kind: "text".to_owned(), fields });
        Ok((json!({ "outcome": "said" }), Some(job)))
    }

    pub(super) fn menu(&mut self, act: &Act) -> Outcome {
        self.following()?;
        let account = self.world.accounts.get(self.index);
        let openid = self.world.phone(self.phone).and_then(|phone| phone.openids.get(&self.appid));
        let menu = account.and_then(|account| account.menu_of(openid.map_or("", String::as_str)).cloned());
        let menu_id = account.map_or(0, |account| account.menu_id);
        let menu = menu.ok_or_else(|| Problem::conflict("no_menu", "the account has no menu"))?;
        let button = find_button(&menu, act)?;
        let get = |name: &str| button.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let kind = get("type");
        let now = self.now;
        match kind.as_str() {
            "view" => {
                let fields = [("EventKey", get("url")), ("MenuId", menu_id.to_string())];
                Ok((json!({ "outcome": "open", "open": get("url") }), Some(self.event("VIEW", &fields))))
            }
            "miniprogram" => {
                let fields = [("EventKey", get("pagepath")), ("MenuId", menu_id.to_string())];
                let answer = json!({ "outcome": "mini_program", "open": get("url") });
                Ok((answer, Some(self.event("view_miniprogram", &fields))))
            }
            "click" => {
                self.user()?.open_window(WindowKind::Menu, now);
                Ok((json!({ "outcome": "clicked" }), Some(self.event("CLICK", &[("EventKey", get("key"))]))))
            }
            "scancode_push" | "scancode_waitmsg" => {
                let result =
                    act.result.clone().ok_or_else(|| Problem::invalid("result", "what was scanned"))?;
                self.user()?.open_window(WindowKind::Menu, now);
                let info = vec![
                    ("ScanType".to_owned(), Node::text("qrcode")),
                    ("ScanResult".to_owned(), Node::text(&result)),
                ];
                let fields = vec![
                    ("Event".to_owned(), Node::text(&kind)),
                    ("EventKey".to_owned(), Node::text(get("key"))),
                    ("ScanCodeInfo".to_owned(), Node::Tree(info)),
                ];
                let what = What::Fields { kind: "event".to_owned(), fields };
                Ok((json!({ "outcome": "scanned" }), Some(PushJob::new(&self.appid, self.phone, what))))
            }
            other => {
                Err(Problem::conflict("not_simulated", format!("buttons of type {other:?} do nothing here")))
            }
        }
    }

    pub(super) fn scan(&mut self, act: &Act) -> Outcome {
        let scanned = act.content.as_deref().or(act.ticket.as_deref()).map(str::trim);
        let scanned = scanned.filter(|text| !text.is_empty());
        let scanned =
            scanned.ok_or_else(|| Problem::invalid("content", "content or ticket is needed"))?.to_owned();
        let found = self.world.accounts.iter().enumerate().find_map(|(index, account)| {
            let code = account.codes.values().find(|code| code.url == scanned || code.ticket == scanned)?;
            Some((index, code.clone()))
        });
        let Some((index, code)) = found else {
            if act.ticket.is_some() {
                return Err(Problem::not_found("ticket", &scanned));
            }
            if scanned.starts_with("http://weixin.qq.com/q/") {
                return Ok((json!({ "outcome": "unknown_code" }), None));
            }
            if scanned.starts_with("weixin://wxpay/") {
                return Ok((json!({ "outcome": "pay", "text": scanned }), None));
            }
            let link = url::Url::parse(&scanned).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
            let answer = if link {
                json!({ "outcome": "open", "open": scanned })
            } else {
                json!({ "outcome": "text", "text": scanned })
            };
            return Ok((answer, None));
        };
        self.go(index);
        if code.expires.is_some_and(|expires| expires <= self.now) {
            return Ok((json!({ "outcome": "expired", "account": self.appid }), None));
        }
        let now = self.now;
        let scene = code.scene.to_string();
        if self.user()?.subscribed {
            self.user()?.open_window(WindowKind::Scan, now);
            let fields = [("EventKey", scene), ("Ticket", code.ticket)];
            return Ok((
                json!({ "outcome": "scanned", "account": self.appid }),
                Some(self.event("SCAN", &fields)),
            ));
        }
        if !act.follow {
            return Ok((json!({ "outcome": "profile", "account": self.appid }), None));
        }
        self.subscribe("ADD_SCENE_QR_CODE", Some(&code.scene))?;
        self.user()?.open_window(WindowKind::Scan, now);
        let fields = [("EventKey", format!("qrscene_{scene}")), ("Ticket", code.ticket)];
        Ok((json!({ "outcome": "following", "account": self.appid }), Some(self.event("subscribe", &fields))))
    }
}

/// The button with that key, or at that place: `index` is `[1, 0]` (first column's … ) or a number.
fn find_button<'a>(menu: &'a Value, act: &Act) -> Result<&'a Value, Problem> {
    let top = menu.get("button").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let subs = |button: &'a Value| {
        button.get("sub_button").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    };
    if let Some(key) = &act.key {
        let mut all = top.iter().flat_map(|button| std::iter::once(button).chain(subs(button)));
        return all
            .find(|button| button.get("key").and_then(Value::as_str) == Some(key))
            .ok_or_else(|| Problem::not_found("menu key", key));
    }
    let wrong = || Problem::invalid("index", "a number, or [column, row], of a button in the menu");
    let at = |list: &'a [Value], at: Option<u64>| {
        at.and_then(|at| usize::try_from(at).ok()).and_then(|at| list.get(at))
    };
    let (column, row) = match &act.index {
        Some(Value::Number(column)) => (column.as_u64(), None),
        Some(Value::Array(path)) => match path.as_slice() {
            [column] => (column.as_u64(), None),
            [column, row] => (column.as_u64(), Some(row.as_u64())),
            _ => return Err(wrong()),
        },
        _ => return Err(wrong()),
    };
    let button = at(top, column).ok_or_else(wrong)?;
    match row {
        Some(row) => at(subs(button), row).ok_or_else(wrong),
        // A parent only opens its list; WeChat pushes nothing.
        None if !subs(button).is_empty() => {
            Err(Problem::conflict("opens_a_list", "this button only opens its list"))
        }
        None => Ok(button),
    }
}
