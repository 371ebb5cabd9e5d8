//! Who follows, and what an account may know of them.

use serde_json::{Value, json};

use crate::run::Shared;
use crate::world::{Account, World};
use crate::wx::{Call, Done, WxError, ok, put, text};

/// `GET /cgi-bin/user/get`
pub(super) fn list(hub: &Shared, world: &mut World, call: &Call) -> Result<Done, WxError> {
    let account = world.accounts.get(call.account).ok_or_else(|| WxError::new(40014))?;
    let after = call.query.get("next_openid").unwrap_or_default();
    if !after.is_empty() && !account.users.contains_key(after) {
        return Err(WxError::new(40003));
    }
    let following: Vec<&String> =
        account.users.iter().filter(|(_, user)| user.subscribed).map(|(openid, _)| openid).collect();
    let page: Vec<&String> = following
        .iter()
        .filter(|openid| openid.as_str() > after)
        .take(hub.limits.user_page)
        .copied()
        .collect();
    let next = page.last().map_or("", |last| last.as_str());
    let mut out = json!({ "total": following.len(), "count": page.len(), "next_openid": next });
    if !page.is_empty() {
        put(&mut out, "data", json!({ "openid": page }));
    }
    Ok(out.into())
}

/// `GET /cgi-bin/user/info`
pub(super) fn info(_: &Shared, world: &mut World, call: &Call) -> Result<Done, WxError> {
    let openid = call.query.need("openid", 41009)?;
    let account = world.accounts.get(call.account).ok_or_else(|| WxError::new(40014))?;
    Ok(describe(account, openid)?.into())
}

/// `POST /cgi-bin/user/info/batchget`
pub(super) fn batch(_: &Shared, world: &mut World, call: &Call) -> Result<Done, WxError> {
    let body = call.object()?;
    let account = world.accounts.get(call.account).ok_or_else(|| WxError::new(40014))?;
    let list = body.get("user_list").and_then(Value::as_array).ok_or_else(|| WxError::new(47001))?;
    if list.is_empty() || list.len() > 100 {
        return Err(WxError::args("user_list size"));
    }
    let mut out = Vec::new();
    for entry in list {
        let openid = entry.get("openid").and_then(Value::as_str).ok_or_else(|| WxError::new(40003))?;
        out.push(describe(account, openid)?);
    }
    Ok(json!({ "user_info_list": out }).into())
}

/// `POST /cgi-bin/user/info/updateremark`
pub(super) fn remark(_: &Shared, world: &mut World, call: &Call) -> Result<Done, WxError> {
    let body = call.object()?;
    let account = world.accounts.get_mut(call.account).ok_or_else(|| WxError::new(40014))?;
    let openid = text(&body, "openid").ok_or_else(|| WxError::new(41009))?;
    let remark = body.get("remark").and_then(Value::as_str).ok_or_else(|| WxError::new(47001))?;
    if remark.chars().count() > 30 {
        return Err(WxError::args("remark size"));
    }
    let user = account.users.get_mut(openid).ok_or_else(|| WxError::new(40003))?;
    user.remark = remark.to_owned();
    Ok(ok())
}

/// No nickname and no avatar since 2021-12-27, no language; of someone who does not follow hardly anything.
fn describe(account: &Account, openid: &str) -> Result<Value, WxError> {
    let user = account.users.get(openid).ok_or_else(|| WxError::new(40003))?;
    if !user.subscribed {
        return Ok(json!({ "subscribe": 0, "openid": openid, "unionid": user.unionid }));
    }
    Ok(json!({
        "subscribe": 1,
        "openid": openid,
        "nickname": "",
        "sex": 0,
        "city": "",
        "province": "",
        "country": "",
        "headimgurl": "",
        "subscribe_time": user.subscribe_time / 1000,
        "unionid": user.unionid,
        "remark": user.remark,
        "groupid": 0,
        "tagid_list": user.tags,
        "subscribe_scene": user.subscribe_scene,
        "qr_scene": user.qr_scene,
        "qr_scene_str": user.qr_scene_str,
    }))
}
