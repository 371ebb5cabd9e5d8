//! Sessions: who has signed in. The browser holds 256 random bits, the database their hash.
//!
//! The cookie is `__Host-xl` over https and on loopback, `xl` elsewhere (a hospital's plain-http test network; the server
//! warns at start). It is HttpOnly and SameSite=Lax. A new token is made at every sign-in. Sessions are cached for a short
//! time: what one node ends, other nodes may still honour for that long.

mod together;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum_extra::extract::cookie::{Cookie, SameSite};
use base::{HospitalId, UnixMs};
use parking_lot::Mutex;
use store::value::{FromRow, Row};
use store::{Db, StoreError, Tx, args};

use crate::actor::{AccountId, Actor, DeviceId, DeviceKind, StaffId};
use crate::permission::Role;
use together::Together;

/// How long another node may go on with what this one ended.
const CACHED: Duration = Duration::from_secs(20);
/// How often use is written down.
const SEEN_EVERY: Duration = Duration::from_secs(120);
const CACHE_SIZE: usize = 50_000;

store::statements! {
    ADD = "INSERT INTO session (token_hash, hospital_id, actor_kind, actor_id, channel, roles, created_at, seen_at, idle_ms, ends_at, device)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10)";
    GET = "SELECT token_hash, hospital_id, actor_kind, actor_id, channel, roles, created_at, seen_at, idle_ms, ends_at, device FROM session WHERE token_hash = $1";
    GET_ALL = sqlite "SELECT token_hash, hospital_id, actor_kind, actor_id, channel, roles, created_at, seen_at, idle_ms, ends_at, device FROM session
           WHERE token_hash IN (SELECT value FROM json_each($1))"
         postgres "SELECT token_hash, hospital_id, actor_kind, actor_id, channel, roles, created_at, seen_at, idle_ms, ends_at, device FROM session
           WHERE token_hash = ANY($1)";
    SEEN_ALL = sqlite "UPDATE session SET seen_at = $2 WHERE token_hash IN (SELECT value FROM json_each($1)) AND seen_at < $2"
         postgres "UPDATE session SET seen_at = $2 WHERE token_hash = ANY($1) AND seen_at < $2";
    END = "DELETE FROM session WHERE token_hash = $1";
    END_OF_ACTOR = "DELETE FROM session WHERE hospital_id = $1 AND actor_kind = $2 AND actor_id = $3";
    OF_ACTOR = "SELECT token_hash, hospital_id, actor_kind, actor_id, channel, roles, created_at, seen_at, idle_ms, ends_at, device
           FROM session WHERE hospital_id = $1 AND actor_kind = $2 AND actor_id = $3 ORDER BY seen_at DESC, token_hash";
    FORGET = "DELETE FROM session WHERE ends_at < $1 OR seen_at + idle_ms < $1";
}

/// A session.
#[derive(Debug, Clone)]
pub struct Session {
    /// The hash of its token: its name in the database and in logs.
    pub token_hash: String,
    /// In which hospital.
    pub hospital: HospitalId,
    /// Who has signed in.
    pub actor: Actor,
    /// By which way: `wechat`, `sms`, `password`.
    pub channel: String,
    /// Since when.
    pub created_at: UnixMs,
    seen_at: UnixMs,
    idle: Duration,
    ends_at: UnixMs,
}

impl Session {
    /// A name by which it can be told apart and ended. Nothing follows from it: not the token, nor what goes with it.
    #[must_use]
    pub fn name(&self) -> String {
        hash(&format!("name|{}", self.token_hash)).chars().take(24).collect()
    }
}

/// A session as the person is shown it whose it is, or who may end it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name: see [`Session::name`].
    pub name: String,
    /// By which way it was opened.
    pub channel: String,
    /// The `User-Agent` of that moment.
    pub device: String,
    /// Since when.
    pub created_at: UnixMs,
    /// When it was used last, give or take two minutes.
    pub seen_at: UnixMs,
    /// When it ends at the latest.
    pub ends_at: UnixMs,
}

/// A session to be opened.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// In which hospital.
    pub hospital: HospitalId,
    /// For whom: an account, a member of staff or a device.
    pub actor: Actor,
    /// By which way: `wechat`, `sms`, `password`.
    pub channel: &'static str,
    /// It ends when it was not used for so long …
    pub idle: Duration,
    /// … and at the latest after so long.
    pub longest: Duration,
    /// The `User-Agent`, so that a person can tell sessions apart.
    pub device: String,
}

#[derive(Default)]
struct Cache {
    /// By token hash: the session, and when it was read.
    known: HashMap<String, (Arc<Session>, UnixMs)>,
    /// Goes up when sessions end: what was read before that is not remembered after it.
    ended: u64,
}

/// Sessions in the database with a cache in front.
#[derive(Clone)]
pub struct Sessions {
    db: Db,
    cache: Arc<Mutex<Cache>>,
    together: Together,
}

impl Sessions {
    /// Sessions of an installation.
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self { db, cache: Arc::default(), together: Together::default() }
    }

    /// Opens a session; gives the token for the cookie.
    ///
    /// # Errors
    /// Any [`StoreError`]. [`StoreError::Config`] for an actor that can't sign in.
    pub async fn open(&self, new: NewSession) -> Result<String, StoreError> {
        let mut tx = self.db.begin().await?;
        let token = self.open_in(&mut tx, &new).await?;
        tx.commit().await?;
        Ok(token)
    }

    /// As [`Self::open`], together with what the session is opened for.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_in(&self, tx: &mut Tx, new: &NewSession) -> Result<String, StoreError> {
        let token = random_token()?;
        let (kind, id, roles) = match &new.actor {
            Actor::Account(id) => ("account", id.db(), String::new()),
            Actor::Staff(id, roles) => {
                ("staff", id.db(), roles.iter().map(|r| r.code()).collect::<Vec<_>>().join(" "))
            }
            Actor::Device(id, kind) => ("device", id.db(), kind.code().to_owned()),
            Actor::Nobody | Actor::System => {
                return Err(StoreError::Config("only accounts, staff and devices sign in".into()));
            }
        };
        let idle = i64::try_from(new.idle.as_millis()).unwrap_or(i64::MAX);
        let device: String = new.device.chars().take(200).collect();
        let now = tx.now();
        tx.exec(
            ADD,
            args![
                hash(&token),
                new.hospital,
                kind,
                id,
                new.channel,
                roles,
                now,
                idle,
                now.plus(new.longest),
                device
            ],
        )
        .await?;
        Ok(token)
    }

    /// The session of a token, if it still lasts. Its use is written down now and then.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn find(&self, token: &str) -> Result<Option<Arc<Session>>, StoreError> {
        if token.len() != 64 {
            return Ok(None);
        }
        let name = hash(token);
        let now = self.db.now();
        let (cached, ended) = {
            let cache = self.cache.lock();
            let known = cache.known.get(&name);
            let fresh = known.filter(|(_, at)| now >= *at && now.since(*at) < CACHED);
            (fresh.map(|(session, _)| session.clone()), cache.ended)
        };
        let session = match cached {
            Some(session) => session,
            None => match self.read(&name).await? {
                Some(session) => self.remember(session, now, ended),
                None => return Ok(None),
            },
        };
        if now >= session.ends_at || now.since(session.seen_at) >= session.idle {
            self.end(token).await?;
            return Ok(None);
        }
        if now.since(session.seen_at) >= SEEN_EVERY {
            // Not to be noted again by each request until it is written down. It is read again as soon as before.
            if let Some((known, _)) = self.cache.lock().known.get_mut(&name) {
                *known = Arc::new(Session { seen_at: now, ..Session::clone(known) });
            }
            self.together.note(&self.db, &name, now).await;
        }
        Ok(Some(session))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn end(&self, token: &str) -> Result<(), StoreError> {
        let name = hash(token);
        let mut tx = self.db.begin().await?;
        tx.exec(END, args![&name]).await?;
        let sessions = self.clone();
        tx.after_commit(move || sessions.forget_here(|known, _| *known == name));
        tx.commit().await
    }

    /// Ends all sessions of somebody.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn end_all(&self, hospital: HospitalId, actor: &Actor) -> Result<u64, StoreError> {
        let mut tx = self.db.begin().await?;
        let ended = self.end_all_in(&mut tx, hospital, actor).await?;
        tx.commit().await?;
        Ok(ended)
    }

    /// As [`Self::end_all`], together with what ends them: roles that were taken, a password that was changed.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn end_all_in(
        &self,
        tx: &mut Tx,
        hospital: HospitalId,
        actor: &Actor,
    ) -> Result<u64, StoreError> {
        let Some((kind, id)) = key(actor) else { return Ok(0) };
        let ended = tx.exec(END_OF_ACTOR, args![hospital, kind, id]).await?;
        let (sessions, actor) = (self.clone(), actor.clone());
        tx.after_commit(move || {
            sessions.forget_here(|_, session| session.hospital == hospital && same(&session.actor, &actor));
        });
        Ok(ended)
    }

    /// Somebody's sessions that still last, the one used last first.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn of(&self, hospital: HospitalId, actor: &Actor) -> Result<Vec<Listed>, StoreError> {
        let Some((kind, id)) = key(actor) else { return Ok(Vec::new()) };
        let now = self.db.now();
        let rows = self.db.all::<Row>(OF_ACTOR, args![hospital, kind, id]).await?;
        let mut found = Vec::new();
        for row in rows {
            let session = Session::from_row(&row)?;
            if now < session.ends_at && now.since(session.seen_at) < session.idle {
                found.push(Listed {
                    name: session.name(),
                    channel: session.channel,
                    device: row.get("device")?,
                    created_at: session.created_at,
                    seen_at: session.seen_at,
                    ends_at: session.ends_at,
                });
            }
        }
        Ok(found)
    }

    /// Ends the one of somebody's sessions that has this [`Session::name`]; false when none has.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn end_named(
        &self,
        tx: &mut Tx,
        hospital: HospitalId,
        actor: &Actor,
        name: &str,
    ) -> Result<bool, StoreError> {
        let Some((kind, id)) = key(actor) else { return Ok(false) };
        let theirs = tx.all::<Session>(OF_ACTOR, args![hospital, kind, id]).await?;
        let Some(session) = theirs.into_iter().find(|session| session.name() == name) else {
            return Ok(false);
        };
        let ended = tx.exec(END, args![&session.token_hash]).await? > 0;
        let sessions = self.clone();
        tx.after_commit(move || sessions.forget_here(|known, _| *known == session.token_hash));
        Ok(ended)
    }

    /// Removes what is over; gives how many.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn forget(&self) -> Result<u64, StoreError> {
        let mut tx = self.db.begin().await?;
        let now = tx.now();
        let n = tx.exec(FORGET, args![now]).await?;
        tx.commit().await?;
        Ok(n)
    }

    async fn read(&self, name: &str) -> Result<Option<Arc<Session>>, StoreError> {
        match self.together.read(&self.db, name).await {
            Ok(found) => Ok(found),
            Err(_) => Ok(self.db.opt::<Session>(GET, args![name]).await?.map(Arc::new)),
        }
    }

    fn remember(&self, session: Arc<Session>, now: UnixMs, ended: u64) -> Arc<Session> {
        let mut cache = self.cache.lock();
        if cache.ended != ended {
            return session;
        }
        if cache.known.len() >= CACHE_SIZE {
            cache.known.retain(|_, (_, at)| now.since(*at) < CACHED);
            if cache.known.len() >= CACHE_SIZE {
                cache.known.clear();
            }
        }
        cache.known.insert(session.token_hash.clone(), (session.clone(), now));
        session
    }

    fn forget_here(&self, over: impl Fn(&String, &Session) -> bool) {
        let mut cache = self.cache.lock();
        cache.ended += 1;
        cache.known.retain(|name, (session, _)| !over(name, session));
    }
}

/// Under which kind and id the sessions of somebody stand.
fn key(actor: &Actor) -> Option<(&'static str, String)> {
    match actor {
        Actor::Account(id) => Some(("account", id.db())),
        Actor::Staff(id, _) => Some(("staff", id.db())),
        Actor::Device(id, _) => Some(("device", id.db())),
        Actor::Nobody | Actor::System => None,
    }
}

/// Whether two are the same person, with whatever roles.
fn same(one: &Actor, other: &Actor) -> bool {
    match (one, other) {
        (Actor::Staff(one, _), Actor::Staff(other, _)) => one == other,
        _ => one == other,
    }
}

/// The name in a `Host`: without the port.
pub(crate) fn host_name(host: &str) -> &str {
    match host.rsplit_once(':') {
        // The last colon of `[::1]` is part of the name.
        Some((name, port)) if !port.ends_with(']') => name,
        _ => host,
    }
}

/// How the cookie is written: `__Host-` needs https, or a browser that trusts loopback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CookieStyle {
    /// Whether the browser will take a `Secure` cookie from us.
    pub secure: bool,
}

impl CookieStyle {
    /// The style for a host name and scheme as the browser sees them.
    #[must_use]
    pub fn of(https: bool, host: &str) -> Self {
        let name = host_name(host);
        let loopback =
            name == "localhost" || name.ends_with(".localhost") || name == "127.0.0.1" || name == "[::1]";
        Self { secure: https || loopback }
    }

    /// The cookie's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        if self.secure { "__Host-xl" } else { "xl" }
    }

    /// The cookie that carries a token.
    #[must_use]
    pub fn cookie(self, token: String) -> Cookie<'static> {
        Cookie::build((self.name(), token))
            .path("/")
            .http_only(true)
            .secure(self.secure)
            .same_site(SameSite::Lax)
            .build()
    }

    /// The cookie that removes it.
    #[must_use]
    pub fn removal(self) -> Cookie<'static> {
        let mut cookie = self.cookie(String::new());
        cookie.make_removal();
        cookie
    }
}

/// 256 random bits in hex.
///
/// # Errors
/// When the machine gives none.
pub fn random_token() -> Result<String, StoreError> {
    let mut bytes = [0_u8; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| StoreError::Config("no random bytes".into()))?;
    Ok(hex::encode(bytes))
}

fn hash(token: &str) -> String {
    hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes()))
}

impl FromRow for Session {
    fn from_row(row: &Row) -> store::Result<Self> {
        let kind: String = row.get("actor_kind")?;
        let actor = match kind.as_str() {
            "staff" => {
                let roles: String = row.get("roles")?;
                let roles = roles.split(' ').filter_map(Role::from_code).collect();
                Actor::Staff(row.get::<StaffId>("actor_id")?, roles)
            }
            "device" => Actor::Device(row.get::<DeviceId>("actor_id")?, row.get::<DeviceKind>("roles")?),
            _ => Actor::Account(row.get::<AccountId>("actor_id")?),
        };
        Ok(Self {
            token_hash: row.get("token_hash")?,
            hospital: row.get("hospital_id")?,
            actor,
            channel: row.get("channel")?,
            created_at: row.get("created_at")?,
            seen_at: row.get("seen_at")?,
            idle: Duration::from_millis(u64::try_from(row.get::<i64>("idle_ms")?).unwrap_or(0)),
            ends_at: row.get("ends_at")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_fits_the_place() {
        assert_eq!(CookieStyle::of(true, "hospital.cn").name(), "__Host-xl");
        assert_eq!(CookieStyle::of(false, "p1.localhost:8080").name(), "__Host-xl");
        assert_eq!(CookieStyle::of(false, "[::1]").name(), "__Host-xl");
        assert_eq!(CookieStyle::of(false, "[::1]:8080").name(), "__Host-xl");
        assert_eq!(CookieStyle::of(false, "192.168.1.5:8080").name(), "xl");
        assert_eq!(CookieStyle::of(false, "localhost.evil.cn").name(), "xl");
        let cookie = CookieStyle::of(false, "192.168.1.5").cookie("t".into());
        assert_eq!(cookie.secure(), Some(false));
        assert_eq!(cookie.http_only(), Some(true));
    }
}
