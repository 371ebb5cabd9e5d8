//! Access tokens: the old kind that pushes its predecessor out, and the stable one.

use serde_json::{Value, json};

use crate::run::Shared;
use crate::world::{Token, World};
use crate::wx::{Call, Done, WxError, text};

const LIFE_MS: i64 = 7_200_000;
/// How long a replaced token is still good; and how long before its end a stable one gets a successor.
const GRACE_MS: i64 = 300_000;
const DAY_MS: i64 = 86_400_000;
/// Force: at least so far apart, and at most so many a day.
const FORCE_GAP_MS: i64 = 30_000;
const FORCE_DAILY: usize = 20;

/// `GET /cgi-bin/token`
pub(super) fn token(hub: &Shared, world: &mut World, call: &Call) -> Result<Done, WxError> {
    let appid = call.query.need("appid", 41002)?;
    let secret = call.query.need("secret", 41004)?;
    if call.query.get("grant_type") != Some("client_credential") {
        return Err(WxError::new(40002));
    }
    let index = authenticate(world, appid, secret, call)?;
    super::misc::count(world, index, &call.path, call.now, hub.limits.daily.get(&call.path).copied())?;
    let fresh = issue(world, appid, call.now);
    let account = world.accounts.get_mut(index).ok_or_else(|| WxError::new(40013))?;
    let old = account.token_a.replace(fresh.clone());
    shorten(world, old, call.now + GRACE_MS);
    Ok(json!({ "access_token": fresh, "expires_in": LIFE_MS / 1000 }).into())
}

/// `POST /cgi-bin/stable_token`
pub(super) fn stable_token(_: &Shared, world: &mut World, call: &Call) -> Result<Done, WxError> {
    let body = call.object()?;
    let appid = text(&body, "appid").ok_or_else(|| WxError::new(41002))?;
    let secret = text(&body, "secret").ok_or_else(|| WxError::new(41004))?;
    if text(&body, "grant_type") != Some("client_credential") {
        return Err(WxError::new(40002));
    }
    let force = match body.get("force_refresh") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(force)) => *force,
        Some(_) => return Err(WxError::new(47001)),
    };
    let index = authenticate(world, appid, secret, call)?;
    let current = world.accounts.get(index).and_then(|account| account.token_stable.clone());
    let left = current
        .as_ref()
        .and_then(|token| world.tokens.get(token))
        .filter(|token| !token.revoked)
        .map_or(0, |token| token.expires - call.now);
    if let Some(current) = current.as_ref().filter(|_| !force && left > GRACE_MS) {
        return Ok(json!({ "access_token": current, "expires_in": left / 1000 }).into());
    }
    if force {
        admit_force(world, index, call.now)?;
        if let Some(old) = current.as_ref().and_then(|token| world.tokens.get_mut(token)) {
            old.revoked = true;
        }
    }
    // In the last five minutes the old one goes on to its own end, so both are valid.
    let fresh = issue(world, appid, call.now);
    if let Some(account) = world.accounts.get_mut(index) {
        account.token_stable = Some(fresh.clone());
    }
    Ok(json!({ "access_token": fresh, "expires_in": LIFE_MS / 1000 }).into())
}

fn admit_force(world: &mut World, index: usize, now: i64) -> Result<(), WxError> {
    let account = world.accounts.get_mut(index).ok_or_else(|| WxError::new(40013))?;
    account.forced.retain(|at| now - at < DAY_MS);
    if account.forced.len() >= FORCE_DAILY {
        return Err(WxError::new(45009));
    }
    if account.forced.last().is_some_and(|last| now - last < FORCE_GAP_MS) {
        return Err(WxError::new(45011));
    }
    account.forced.push(now);
    Ok(())
}

fn authenticate(world: &World, appid: &str, secret: &str, call: &Call) -> Result<usize, WxError> {
    let index = world
        .accounts
        .iter()
        .position(|known| known.set.appid == appid)
        .ok_or_else(|| WxError::new(40013))?;
    let account = world.accounts.get(index).ok_or_else(|| WxError::new(40013))?;
    if account.set.secret != secret {
        return Err(WxError::new(40125));
    }
    let peer = call.peer.to_string();
    if !account.set.ip_allow.is_empty() && !account.set.ip_allow.contains(&peer) {
        return Err(WxError::with(40164, format!("invalid ip {peer} ipv6 ::ffff:{peer}, not in whitelist")));
    }
    Ok(index)
}

fn issue(world: &mut World, appid: &str, now: i64) -> String {
    // WeChat asks for room for 512 characters; today's tokens have 136 to 157.
    let token = format!("{}_{}", 60 + world.rng.below(40), world.rng.url_safe(150));
    world.tokens.retain(|_, token| now - token.expires < DAY_MS);
    world
        .tokens
        .insert(token.clone(), Token { appid: appid.to_owned(), expires: now + LIFE_MS, revoked: false });
    token
}

fn shorten(world: &mut World, token: Option<String>, until: i64) {
    if let Some(token) = token.and_then(|token| world.tokens.get_mut(&token)) {
        token.expires = token.expires.min(until);
    }
}

/// Ends a token now, so that both ways of fetching give a new one.
pub(super) fn forget(world: &mut World, token: &str, now: i64) {
    if let Some(known) = world.tokens.get_mut(token) {
        known.expires = now;
    }
}

/// Which account a token stands for.
pub(super) fn check(world: &mut World, token: &str, now: i64) -> Result<usize, WxError> {
    let Some(known) = world.tokens.get(token).cloned() else {
        // Both are real for a token that never was.
        let code = if world.rng.chance(0.5) { 40001 } else { 40014 };
        return Err(WxError::new(code));
    };
    if known.revoked {
        return Err(WxError::new(40001));
    }
    if known.expires <= now {
        return Err(WxError::new(42001));
    }
    world
        .accounts
        .iter()
        .position(|account| account.set.appid == known.appid)
        .ok_or_else(|| WxError::new(40014))
}
