//! Tags on followers, and menus for those who have one.

use serde_json::{Value, json};

use crate::run::Shared;
use crate::world::World;
use crate::wx::{Call, Done, WxError, ok};

fn account<'a>(world: &'a mut World, call: &Call) -> Result<&'a mut crate::world::Account, WxError> {
    world.accounts.get_mut(call.account).ok_or_else(|| WxError::new(40014))
}

/// `GET /cgi-bin/tags/get`
pub(super) fn list(_: &Shared, world: &mut World, call: &Call) -> Result<Done, WxError> {
    let tags = &account(world, call)?.tags;
    let all: Vec<Value> =
        tags.iter().map(|(id, name)| json!({ "id": id, "name": name, "count": 0 })).collect();
    Ok(json!({ "tags": all }).into())
}

/// `POST /cgi-bin/tags/create`
pub(super) fn create(_: &Shared, world: &mut World, call: &Call) -> Result<Done, WxError> {
    let body = call.object()?;
    let name = body.get("tag").and_then(|tag| tag.get("name")).and_then(Value::as_str);
    let name =
        name.filter(|name| (1..=30).contains(&name.chars().count())).ok_or_else(|| WxError::new(45158))?;
    let tags = &mut account(world, call)?.tags;
    if tags.values().any(|known| known == name) {
        return Err(WxError::new(45157));
    }
    let id = tags.keys().max().map_or(100, |last| last + 1);
    tags.insert(id, name.to_owned());
    Ok(json!({ "tag": { "id": id, "name": name } }).into())
}

fn members(world: &mut World, call: &Call, on: bool) -> Result<Done, WxError> {
    let body = call.object()?;
    let tag = body.get("tagid").and_then(Value::as_i64).ok_or_else(|| WxError::new(45159))?;
    let list = body.get("openid_list").and_then(Value::as_array).ok_or_else(|| WxError::new(40032))?;
    if list.is_empty() || list.len() > 50 {
        return Err(WxError::new(40032));
    }
    let openids: Vec<String> = list.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let account = account(world, call)?;
    if !account.tags.contains_key(&tag) {
        return Err(WxError::new(45159));
    }
    for openid in openids {
        let user = account.users.get_mut(&openid).ok_or_else(|| WxError::new(40003))?;
        user.tags.retain(|known| *known != tag);
        if on {
            user.tags.push(tag);
        }
    }
    Ok(ok())
}

/// `POST /cgi-bin/tags/members/batchtagging`
pub(super) fn tag(_: &Shared, world: &mut World, call: &Call) -> Result<Done, WxError> {
    members(world, call, true)
}

/// `POST /cgi-bin/tags/members/batchuntagging`
pub(super) fn untag(_: &Shared, world: &mut World, call: &Call) -> Result<Done, WxError> {
    members(world, call, false)
}

/// `POST /cgi-bin/menu/addconditional`
pub(super) fn add_menu(_: &Shared, world: &mut World, call: &Call) -> Result<Done, WxError> {
    let body = call.object()?;
    let rule = body.get("matchrule").and_then(|rule| rule.get("tag_id"));
    let tag = rule.and_then(|tag| tag.as_i64().or_else(|| tag.as_str()?.parse().ok()));
    let tag = tag.ok_or_else(|| WxError::new(65320))?;
    let buttons = body.get("button").and_then(Value::as_array).ok_or_else(|| WxError::new(40016))?.clone();
    let account = account(world, call)?;
    if account.menu.is_none() {
        return Err(WxError::new(65303));
    }
    if !account.tags.contains_key(&tag) {
        return Err(WxError::new(45159));
    }
    let id = account.tag_menus.iter().map(|(id, ..)| *id).max().map_or(500_000_001, |last| last + 1);
    account.tag_menus.push((id, tag, json!({ "button": buttons })));
    Ok(json!({ "menuid": id.to_string() }).into())
}

/// `POST /cgi-bin/menu/delconditional`
pub(super) fn delete_menu(_: &Shared, world: &mut World, call: &Call) -> Result<Done, WxError> {
    let body = call.object()?;
    let id = body.get("menuid").and_then(|id| id.as_u64().or_else(|| id.as_str()?.parse().ok()));
    let id = id.ok_or_else(|| WxError::new(65301))?;
    let account = account(world, call)?;
    let before = account.tag_menus.len();
    account.tag_menus.retain(|(known, ..)| *known != id);
    if account.tag_menus.len() == before {
        return Err(WxError::new(65301));
    }
    Ok(ok())
}
