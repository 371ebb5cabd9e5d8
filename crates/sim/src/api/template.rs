//! Template messages: the main way to a follower.

use serde_json::{Map, Value, json};

use super::fields;
use crate::chat::{ChatItem, Line, Notice};
use crate::config::{AccountKind, TemplateSpec};
use crate::faults::{TemplateEvent, TemplateOutcome};
use crate::push::PushJob;
use crate::run::Shared;
use crate::world::{Account, World};
use crate::wx::{Answer, Call, Done, WxError, ok, text};

/// How long a `client_msg_id` is remembered, per openid.
const MEMORY_MS: i64 = 600_000;
const CLIENT_ID_CHARS: usize = 64;
const MOST_TEMPLATES: usize = 25;

/// `POST /cgi-bin/message/template/send`
pub(super) fn send(_: &Shared, world: &mut World, call: &Call) -> Result<Done, WxError> {
    let body = call.object()?;
    let msgid = world.message_id();
    let account = world.accounts.get_mut(call.account).ok_or_else(|| WxError::new(40014))?;
    if account.set.kind == AccountKind::Subscription {
        return Err(WxError::new(48001));
    }
    let template = text(&body, "template_id")
        .and_then(|id| account.templates.iter().find(|known| known.template_id == id))
        .ok_or_else(|| WxError::new(40037))?
        .clone();
    let openid = text(&body, "touser").ok_or_else(|| WxError::new(40003))?.to_owned();
    let client_id = client_id(&body)?;
    let url = link(&body, "url")?;
    let program = mini_program(&body)?;
    let lines = fill(&template, body.get("data"))?;
    let appid = account.set.appid.clone();
    let name = account.set.name.clone();
    let user = account.users.get_mut(&openid).ok_or_else(|| WxError::new(40003))?;
    if !user.subscribed {
        return Err(WxError::new(43004));
    }
    user.sent.retain(|_, (at, _)| call.now - *at < MEMORY_MS);
    if let Some(id) = &client_id {
        if let Some((_, known)) = user.sent.get(id) {
            return Ok(json!({ "errcode": 0, "errmsg": "ok", "msgid": known }).into());
        }
        user.sent.insert(id.clone(), (call.now, msgid));
    }
    let outcome = match world.faults.template_outcome {
        TemplateOutcome::Success if user.muted => TemplateOutcome::UserBlock,
        outcome => outcome,
    };
    let phone = user.phone.clone();
    let status = match outcome {
        TemplateOutcome::Success => "success",
        TemplateOutcome::UserBlock => "failed:user block",
        TemplateOutcome::SystemFailed => "failed: system failed",
    };
    world.file(
        "template",
        call.now,
        json!({
            "account": appid, "openid": openid, "phone": phone, "template_id": template.template_id,
            "title": template.title, "lines": lines, "url": url, "miniprogram": program,
            "client_msg_id": client_id, "msgid": msgid.to_string(), "status": status, "data": body.get("data"),
        }),
    );
    if outcome == TemplateOutcome::Success {
        show(world, call.now, &phone, &appid, &name, &template, lines, url);
    }
    let event = world.faults.template_event;
    let push = match event {
        TemplateEvent::Never => None,
        TemplateEvent::Before => Some(true),
        TemplateEvent::After => Some(false),
        TemplateEvent::Mixed => Some(world.rng.chance(0.5)),
    };
    let push = push.map(|before| {
        let fields = [("MsgID", msgid.to_string()), ("Status", status.to_owned())];
        (PushJob::event(&appid, &phone, "TEMPLATESENDJOBFINISH", &fields), before)
    });
    Ok(Done { answer: Answer::Json(json!({ "errcode": 0, "errmsg": "ok", "msgid": msgid })), push })
}

#[expect(clippy::too_many_arguments, reason = "a card is made of that many things, once")]
fn show(
    world: &mut World,
    now: i64,
    phone: &str,
    appid: &str,
    name: &str,
    template: &TemplateSpec,
    lines: Vec<Line>,
    url: Option<String>,
) {
    let item = ChatItem {
        via: "template".into(),
        title: template.title.clone(),
        lines,
        url: url.unwrap_or_default(),
        ..ChatItem::new("account", "template", now)
    };
    let notice = Notice {
        id: 0,
        at_ms: now,
        kind: "template".into(),
        account: appid.to_owned(),
        title: name.to_owned(),
        text: item.summary(),
        url: item.url.clone(),
    };
    world.chat(phone, appid, item);
    world.notice(phone, notice);
}

fn client_id(body: &Map<String, Value>) -> Result<Option<String>, WxError> {
    match body.get("client_msg_id") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(id)) if id.is_empty() => Ok(None),
        Some(Value::String(id)) if id.chars().count() <= CLIENT_ID_CHARS => Ok(Some(id.clone())),
        Some(_) => Err(WxError::args("client_msg_id")),
    }
}

fn link(body: &Map<String, Value>, name: &str) -> Result<Option<String>, WxError> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(link)) if link.is_empty() => Ok(None),
        Some(Value::String(link)) if url::Url::parse(link).is_ok() => Ok(Some(link.clone())),
        Some(_) => Err(WxError::argument(name, "invalid")),
    }
}

/// `null` or a mini program with an appid; the old SDKs leave its page out.
fn mini_program(body: &Map<String, Value>) -> Result<Value, WxError> {
    match body.get("miniprogram") {
        None | Some(Value::Null) => Ok(Value::Null),
        Some(Value::Object(program)) if program.is_empty() => Ok(Value::Null),
        Some(Value::Object(program)) if text(program, "appid").is_some() => Ok(json!(program)),
        Some(_) => Err(WxError::new(40013)),
    }
}

/// Puts the data into the template. Every key of the template must be there; a key that the template does not have is a
/// mistake of the sender, and refused where WeChat would drop it silently.
fn fill(template: &TemplateSpec, data: Option<&Value>) -> Result<Vec<Line>, WxError> {
    let empty = Map::new();
    let data = match data {
        None | Some(Value::Null) => &empty,
        Some(Value::Object(data)) => data,
        Some(_) => return Err(WxError::new(47001)),
    };
    let mut lines = Vec::new();
    let mut keys = vec!["first".to_owned(), "remark".to_owned()];
    for (label, key) in places(&template.content) {
        let field = format!("data.{key}.value");
        let value = data.get(&key).and_then(|entry| entry.get("value"));
        let value = match value {
            Some(Value::String(value)) if !value.is_empty() => value.clone(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::String(_)) | None => return Err(WxError::argument(&field, "is empty")),
            Some(_) => return Err(WxError::argument(&field, "invalid")),
        };
        fields::check(&key, &value).map_err(|why| WxError::argument(&field, why))?;
        lines.push(Line { label, value });
        keys.push(key);
    }
    if let Some(stranger) = data.keys().find(|key| !keys.contains(key)) {
        return Err(WxError::argument(&format!("data.{stranger}"), "is not in the template"));
    }
    Ok(lines)
}

/// Label and key of each line of a content.
fn places(content: &str) -> Vec<(String, String)> {
    content
        .lines()
        .filter_map(|line| {
            let (label, rest) = line.split_once("{{")?;
            let (key, _) = rest.split_once(".DATA}}")?;
            Some((label.trim_end_matches(['：', ':', ' ']).to_owned(), key.to_owned()))
        })
        .collect()
}

/// `GET /cgi-bin/template/get_all_private_template`
pub(super) fn all(_: &Shared, world: &mut World, call: &Call) -> Result<Done, WxError> {
    let account = world.accounts.get(call.account).ok_or_else(|| WxError::new(40014))?;
    let list: Vec<Value> = account
        .templates
        .iter()
        .map(|template| {
            json!({
                "template_id": template.template_id, "title": template.title,
                "primary_industry": "医疗护理", "deputy_industry": "医院",
                "content": template.content, "example": template.example,
            })
        })
        .collect();
    Ok(json!({ "template_list": list }).into())
}

/// `POST /cgi-bin/template/api_add_template`
pub(super) fn add(_: &Shared, world: &mut World, call: &Call) -> Result<Done, WxError> {
    let body = call.object()?;
    let short = text(&body, "template_id_short").ok_or_else(|| WxError::new(40037))?;
    let id = world.rng.url_safe(43);
    let account = world.accounts.get_mut(call.account).ok_or_else(|| WxError::new(40014))?;
    let known = library(account, short).ok_or_else(|| WxError::new(40037))?;
    if account.templates.len() >= MOST_TEMPLATES {
        return Err(WxError::with(45026, "template num exceeds limit"));
    }
    let wanted: Option<Vec<&str>> = body
        .get("keyword_name_list")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).collect());
    let content: Vec<&str> = known
        .content
        .lines()
        .filter(|line| {
            let label = line.split(['：', ':']).next().unwrap_or_default();
            wanted.as_ref().is_none_or(|wanted| wanted.contains(&label))
        })
        .collect();
    if content.is_empty() {
        return Err(WxError::args("keyword_name_list"));
    }
    let template = TemplateSpec { template_id: id.clone(), content: content.join("\n"), ..known };
    account.templates.push(template);
    Ok(json!({ "errcode": 0, "errmsg": "ok", "template_id": id }).into())
}

/// `POST /cgi-bin/template/del_private_template`
pub(super) fn delete(_: &Shared, world: &mut World, call: &Call) -> Result<Done, WxError> {
    let body = call.object()?;
    let id = text(&body, "template_id").ok_or_else(|| WxError::new(40037))?;
    let account = world.accounts.get_mut(call.account).ok_or_else(|| WxError::new(40014))?;
    let before = account.templates.len();
    account.templates.retain(|template| template.template_id != id);
    if account.templates.len() == before { Err(WxError::new(40037)) } else { Ok(ok()) }
}

/// The public library: what the account was set up with, and what hospitals use.
fn library(account: &Account, short: &str) -> Option<TemplateSpec> {
    account
        .set
        .templates
        .iter()
        .cloned()
        .chain(TemplateSpec::hospital())
        .find(|known| known.short_id == short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_from_the_content() {
        let found = places("就诊人：{{thing1.DATA}}\n时间: {{time4.DATA}}\n没有参数的一行");
        assert_eq!(found, [("就诊人".into(), "thing1".into()), ("时间".into(), "time4".into())]);
    }

    #[test]
    fn the_examples_of_our_own_templates_are_valid() {
        for template in TemplateSpec::hospital() {
            let examples = template.example.lines().map(|line| line.split_once('：').unwrap().1);
            let data: Map<String, Value> = places(&template.content)
                .into_iter()
                .zip(examples)
                .map(|((_, key), value)| (key, json!({ "value": value })))
                .collect();
            fill(&template, Some(&json!(data))).unwrap();
            assert!(template.template_id.len() <= 43, "{}", template.template_id);
        }
    }
}
