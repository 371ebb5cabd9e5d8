//! The menu at the bottom of the chat.

use serde_json::{Map, Value, json};

use crate::run::Shared;
use crate::world::World;
use crate::wx::{Call, Done, WxError, ok, put, text};

/// Where a button stands decides its limits and its error numbers.
struct Level {
    name_bytes: usize,
    type_error: i64,
    name_error: i64,
    key_error: i64,
    url_error: i64,
}

const TOP: Level =
    Level { name_bytes: 16, type_error: 40017, name_error: 40018, key_error: 40019, url_error: 40020 };
const SUB: Level =
    Level { name_bytes: 60, type_error: 40024, name_error: 40025, key_error: 40026, url_error: 40027 };

const KEY_BYTES: usize = 128;
const URL_BYTES: usize = 1024;
/// Links may lead to so many different hosts.
const DOMAINS: usize = 3;

/// `POST /cgi-bin/menu/create`
pub(super) fn create(_: &Shared, world: &mut World, call: &Call) -> Result<Done, WxError> {
    let body = call.object()?;
    // Chinese as `\uXXXX` is refused: the bytes count, not what a JSON reader makes of them.
    if has_unicode_escape(&call.body) {
        return Err(WxError::new(40033));
    }
    let buttons = body.get("button").and_then(Value::as_array).ok_or_else(|| WxError::new(40016))?;
    if buttons.is_empty() || buttons.len() > 3 {
        return Err(WxError::new(40016));
    }
    let mut hosts: Vec<String> = Vec::new();
    for button in buttons {
        let button = button.as_object().ok_or_else(|| WxError::new(40016))?;
        check_name(button, &TOP)?;
        match button.get("sub_button").and_then(Value::as_array) {
            Some(subs) if !subs.is_empty() => {
                if subs.len() > 5 {
                    return Err(WxError::new(40023));
                }
                for sub in subs {
                    let sub = sub.as_object().ok_or_else(|| WxError::new(40023))?;
                    check_name(sub, &SUB)?;
                    check_action(sub, &SUB, &mut hosts)?;
                }
            }
            _ => check_action(button, &TOP, &mut hosts)?,
        }
    }
    if hosts.len() > DOMAINS {
        return Err(WxError::with(65316, "the menu links to too many domains"));
    }
    let menu_id = 400_000_000 + world.rng.below(100_000_000);
    let account = world.accounts.get_mut(call.account).ok_or_else(|| WxError::new(40014))?;
    account.menu = Some(json!({ "button": buttons }));
    account.menu_id = menu_id;
    let appid = account.set.appid.clone();
    world.file(
        "menu",
        call.now,
        json!({ "account": appid, "action": "create", "menu": { "button": buttons } }),
    );
    tell_all(world, &appid);
    Ok(ok())
}

/// `GET /cgi-bin/menu/get`
pub(super) fn get(_: &Shared, world: &mut World, call: &Call) -> Result<Done, WxError> {
    let account = world.accounts.get(call.account).ok_or_else(|| WxError::new(40014))?;
    let menu = account.menu.as_ref().ok_or_else(|| WxError::new(46003))?;
    Ok(json!({ "menu": { "button": menu.get("button"), "menuid": account.menu_id } }).into())
}

/// `GET /cgi-bin/menu/delete`
pub(super) fn delete(_: &Shared, world: &mut World, call: &Call) -> Result<Done, WxError> {
    let account = world.accounts.get_mut(call.account).ok_or_else(|| WxError::new(40014))?;
    account.menu = None;
    let appid = account.set.appid.clone();
    world.file("menu", call.now, json!({ "account": appid, "action": "delete" }));
    tell_all(world, &appid);
    Ok(ok())
}

/// `GET /cgi-bin/get_current_selfmenu_info`
pub(super) fn current(_: &Shared, world: &mut World, call: &Call) -> Result<Done, WxError> {
    let account = world.accounts.get(call.account).ok_or_else(|| WxError::new(40014))?;
    let open = i32::from(account.menu.is_some());
    let mut out = json!({ "is_menu_open": open });
    if let Some(menu) = &account.menu {
        put(&mut out, "selfmenu_info", menu.clone());
    }
    Ok(out.into())
}

fn tell_all(world: &World, appid: &str) {
    for phone in &world.phones {
        world.tell(&phone.id, "menu", json!({ "account": appid }));
    }
}

fn check_name(button: &Map<String, Value>, level: &Level) -> Result<(), WxError> {
    match text(button, "name") {
        Some(name) if name.len() <= level.name_bytes => Ok(()),
        _ => Err(WxError::new(level.name_error)),
    }
}

fn check_action(button: &Map<String, Value>, level: &Level, hosts: &mut Vec<String>) -> Result<(), WxError> {
    let key = || match text(button, "key") {
        Some(key) if key.len() <= KEY_BYTES => Ok(()),
        _ => Err(WxError::new(level.key_error)),
    };
    let mut url = || {
        let bad = || WxError::new(level.url_error);
        let url = text(button, "url").filter(|url| url.len() <= URL_BYTES).ok_or_else(bad)?;
        let url = url::Url::parse(url).map_err(|_| bad())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad());
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        if !hosts.contains(&host) {
            hosts.push(host);
        }
        Ok(())
    };
    let needs = |name: &str| match text(button, name) {
        Some(_) => Ok(()),
        None => Err(WxError::args(name)),
    };
    match text(button, "type") {
        Some(
            "click" | "scancode_push" | "scancode_waitmsg" | "pic_sysphoto" | "pic_photo_or_album"
            | "pic_weixin" | "location_select",
        ) => key(),
        Some("view") => url(),
        Some("miniprogram") => {
            url()?;
            needs("appid")?;
            needs("pagepath")
        }
        Some("media_id" | "view_limited") => needs("media_id"),
        Some("article_id" | "article_view_limited") => needs("article_id"),
        _ => Err(WxError::new(level.type_error)),
    }
}

/// True when the JSON holds `\uXXXX` (an escaped backslash before a `u` is none).
fn has_unicode_escape(body: &[u8]) -> bool {
    let mut bytes = body.iter();
    while let Some(byte) = bytes.next() {
        if *byte == b'\\' && bytes.next() == Some(&b'u') {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_backslash_is_no_unicode_escape() {
        assert!(has_unicode_escape(br#"{"name":"\u6302\u53f7"}"#));
        assert!(!has_unicode_escape(br#"{"name":"C:\\users \"u\""}"#));
        assert!(!has_unicode_escape("挂号".as_bytes()));
    }
}
