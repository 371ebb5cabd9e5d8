//! Parametric codes: one picture per place, doctor or moment, which tells the account what was scanned.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::config::AccountKind;
use crate::qr;
use crate::run::Shared;
use crate::world::{Code, Scene, World};
use crate::wx::{Answer, Call, Done, WxError, put};

const MAX_SECONDS: u64 = 2_592_000;
const DEFAULT_SECONDS: u64 = 60;

/// `POST /cgi-bin/qrcode/create`
pub(super) fn create(hub: &Shared, world: &mut World, call: &Call) -> Result<Done, WxError> {
    let body = call.object()?;
    let action = body.get("action_name").and_then(Value::as_str).ok_or_else(|| WxError::new(40052))?;
    let scene =
        body.get("action_info").and_then(|info| info.get("scene")).ok_or_else(|| WxError::new(40053))?;
    let id = scene.get("scene_id").and_then(Value::as_u64);
    let name = scene.get("scene_str").and_then(Value::as_str);
    let name =
        name.filter(|name| (1..=64).contains(&name.chars().count())).map(|name| Scene::Text(name.into()));
    let (permanent, scene) = match action {
        "QR_SCENE" => (false, id.filter(|id| (1..=u64::from(u32::MAX)).contains(id)).map(Scene::Id)),
        "QR_LIMIT_SCENE" => (true, id.filter(|id| (1..=100_000).contains(id)).map(Scene::Id)),
        "QR_STR_SCENE" => (false, name),
        "QR_LIMIT_STR_SCENE" => (true, name),
        _ => return Err(WxError::new(40052)),
    };
    let scene = scene.ok_or_else(|| WxError::new(40053))?;
    let seconds = match body.get("expire_seconds") {
        None | Some(Value::Null) => DEFAULT_SECONDS,
        Some(value) => value
            .as_u64()
            .filter(|seconds| permanent || (1..=MAX_SECONDS).contains(seconds))
            .ok_or_else(|| WxError::args("expire_seconds"))?,
    };
    let ticket = format!("gQ{}==", world.rng.url_safe(86));
    let url = format!("http://weixin.qq.com/q/{}", world.rng.url_safe(22));
    let account = world.accounts.get_mut(call.account).ok_or_else(|| WxError::new(40014))?;
    if account.set.kind == AccountKind::Subscription {
        return Err(WxError::new(48001));
    }
    if permanent {
        // Asked again, a permanent code is the one there is.
        if let Some(known) = account.codes.values().find(|code| code.expires.is_none() && code.scene == scene)
        {
            return Ok(json!({ "ticket": known.ticket, "url": known.url }).into());
        }
        if account.codes.values().filter(|code| code.expires.is_none()).count() >= hub.limits.permanent_codes
        {
            return Err(WxError::new(45029));
        }
    }
    let lasts = i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX);
    let code = Code {
        ticket: ticket.clone(),
        url: url.clone(),
        scene: scene.clone(),
        created: call.now,
        expires: (!permanent).then(|| call.now.saturating_add(lasts)),
    };
    account.codes.insert(ticket.clone(), code);
    let appid = account.set.appid.clone();
    world.file(
        "qrcode",
        call.now,
        json!({ "account": appid, "scene": scene, "ticket": ticket, "url": url, "permanent": permanent }),
    );
    let mut out = json!({ "ticket": ticket, "url": url });
    if !permanent {
        put(&mut out, "expire_seconds", json!(seconds));
    }
    Ok(out.into())
}

/// `GET /cgi-bin/showqrcode`: PNG, or SVG with `format=svg` (ours). 404 for a ticket that is not, or no more.
pub(super) fn show(_: &Shared, world: &mut World, call: &Call) -> Result<Done, WxError> {
    let ticket = call.query.get("ticket").unwrap_or_default();
    let code = world
        .accounts
        .iter()
        .filter_map(|account| account.codes.get(ticket))
        .find(|code| code.expires.is_none_or(|expires| expires > call.now));
    let svg = call.query.get("format") == Some("svg");
    let picture =
        code.and_then(|code| if svg { qr::svg(&code.url).map(Bytes::from) } else { qr::png(&code.url) });
    let answer = match picture {
        None => Answer::NotFound,
        Some(bytes) if svg => {
            Answer::File { content_type: "image/svg+xml".into(), name: "qrcode.svg".into(), bytes }
        }
        Some(bytes) => Answer::File { content_type: "image/png".into(), name: "qrcode.png".into(), bytes },
    };
    Ok(Done { answer, push: None })
}
