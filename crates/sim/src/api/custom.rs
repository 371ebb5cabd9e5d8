//! Customer-service messages: only after the person did something, only so many, only so long.

use serde_json::{Map, Value, json};

use crate::chat::{ChatItem, Line, Notice};
use crate::run::Shared;
use crate::world::World;
use crate::wx::{Call, Done, WxError, ok, text};

const TEXT_BYTES: usize = 2048;

/// `POST /cgi-bin/message/custom/send`
pub(super) fn send(_: &Shared, world: &mut World, call: &Call) -> Result<Done, WxError> {
    let body = call.object()?;
    let openid = text(&body, "touser").ok_or_else(|| WxError::new(40003))?.to_owned();
    let kind = text(&body, "msgtype").ok_or_else(|| WxError::new(40008))?;
    let item = read(world, call, kind, &body)?;
    let account = world.accounts.get_mut(call.account).ok_or_else(|| WxError::new(40014))?;
    let (appid, name) = (account.set.appid.clone(), account.set.name.clone());
    let user = account.users.get_mut(&openid).ok_or_else(|| WxError::new(40003))?;
    if user.muted {
        return Err(WxError::new(48002));
    }
    user.windows.retain(|window| window.until > call.now);
    if user.windows.is_empty() {
        return Err(WxError::new(45015));
    }
    let open = user.windows.iter_mut().filter(|window| window.left > 0).min_by_key(|window| window.until);
    open.ok_or_else(|| WxError::new(45047))?.left -= 1;
    let phone = user.phone.clone();
    world.file(
        "custom",
        call.now,
        json!({ "account": appid, "openid": openid, "phone": phone, "message": body }),
    );
    let notice = Notice {
        id: 0,
        at_ms: call.now,
        kind: "custom".into(),
        account: appid.clone(),
        title: name,
        text: item.summary(),
        url: item.url.clone(),
    };
    world.chat(&phone, &appid, item);
    world.notice(&phone, notice);
    Ok(ok())
}

/// `POST /cgi-bin/message/custom/typing`
pub(super) fn typing(_: &Shared, world: &mut World, call: &Call) -> Result<Done, WxError> {
    let body = call.object()?;
    let openid = text(&body, "touser").ok_or_else(|| WxError::new(40003))?;
    let account = world.accounts.get(call.account).ok_or_else(|| WxError::new(40014))?;
    let user = account.users.get(openid).ok_or_else(|| WxError::new(40003))?;
    let command = text(&body, "command").filter(|command| matches!(*command, "Typing" | "CancelTyping"));
    let command = command.ok_or_else(|| WxError::with(45072, "command invalid"))?;
    if user.windows.iter().all(|window| window.until <= call.now) {
        return Err(WxError::new(45015));
    }
    world.tell(&user.phone, "typing", json!({ "account": account.set.appid, "on": command == "Typing" }));
    Ok(ok())
}

/// Reads the part that belongs to the message type.
fn read(world: &World, call: &Call, kind: &str, body: &Map<String, Value>) -> Result<ChatItem, WxError> {
    let part = body.get(kind).and_then(Value::as_object);
    let part = || part.ok_or_else(|| WxError::new(47001));
    let mut item = ChatItem { via: "custom".into(), ..ChatItem::new("account", kind, call.now) };
    let field = |part: &Map<String, Value>, name: &str| text(part, name).unwrap_or_default().to_owned();
    let media = |id: Option<&str>| {
        let id = id.ok_or_else(|| WxError::new(41006))?;
        super::media::usable(world, call.account, id, call.now)?;
        Ok::<String, WxError>(format!("{}/sim/v1/media/{id}", call.origin))
    };
    match kind {
        "text" => {
            let content = text(part()?, "content").ok_or_else(|| WxError::new(44004))?;
            if content.len() > TEXT_BYTES {
                return Err(WxError::new(45002));
            }
            item.text = content.to_owned();
        }
        "image" | "voice" => item.image = media(text(part()?, "media_id"))?,
        "video" => {
            item.image = media(text(part()?, "media_id"))?;
            item.title = field(part()?, "title");
            item.text = field(part()?, "description");
        }
        "music" => {
            media(text(part()?, "thumb_media_id"))?;
            item.title = field(part()?, "title");
            item.text = field(part()?, "description");
            item.url = field(part()?, "musicurl");
        }
        "news" => {
            let articles =
                part()?.get("articles").and_then(Value::as_array).ok_or_else(|| WxError::new(47001))?;
            // One article only since 2018-10-12.
            let [Value::Object(article)] = articles.as_slice() else { return Err(WxError::new(45008)) };
            item.title = field(article, "title");
            item.text = field(article, "description");
            item.url = field(article, "url");
            item.image = field(article, "picurl");
        }
        "msgmenu" => {
            let part = part()?;
            item.kind = "menu".into();
            item.text = field(part, "head_content");
            item.tail = field(part, "tail_content");
            let list = part.get("list").and_then(Value::as_array).ok_or_else(|| WxError::new(47001))?;
            for choice in list {
                let label = match choice.get("id") {
                    Some(Value::String(id)) => id.clone(),
                    Some(Value::Number(id)) => id.to_string(),
                    _ => return Err(WxError::new(47001)),
                };
                let value =
                    choice.get("content").and_then(Value::as_str).ok_or_else(|| WxError::new(47001))?;
                item.lines.push(Line { label, value: value.to_owned() });
            }
            if item.lines.is_empty() {
                return Err(WxError::new(47001));
            }
        }
        "miniprogrampage" => {
            let part = part()?;
            item.kind = "miniprogram".into();
            item.title = field(part, "title");
            item.text = text(part, "pagepath").ok_or_else(|| WxError::new(47001))?.to_owned();
            text(part, "appid").ok_or_else(|| WxError::new(40013))?;
            media(text(part, "thumb_media_id"))?;
        }
        _ => return Err(WxError::new(40008)),
    }
    Ok(item)
}
