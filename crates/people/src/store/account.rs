//! Accounts, their phones and their identities with our WeChat accounts.

use std::collections::{HashMap, HashSet};

use ::store::value::{FromRow, One, Row};
use ::store::{Db, Result, Sealed, Tx, args};
use base::{HospitalId, Lang, UnixMs};
use edge::AccountId;

use crate::model::{ChannelAccountId, LangSource, WechatContact};

::store::statements! {
    ADD = "INSERT INTO account (hospital_id, id, lang, lang_source, created_at, changed_at) VALUES ($1, $2, $3, $4, $5, $5)";
    REMOVE = "DELETE FROM account WHERE hospital_id = $1 AND id = $2";
    LOCK = "UPDATE account SET changed_at = $3 WHERE hospital_id = $1 AND id = $2";
    GET = "SELECT a.lang, a.elder, p.phone, p.masked FROM account a
           LEFT JOIN account_phone p ON p.hospital_id = a.hospital_id AND p.account_id = a.id
           WHERE a.hospital_id = $1 AND a.id = $2";
    SET_LANG = "UPDATE account SET lang = $3, lang_source = $4, changed_at = $5 WHERE hospital_id = $1 AND id = $2";
    GUESS_LANG = "UPDATE account SET lang = $3, lang_source = 'browser', changed_at = $4
           WHERE hospital_id = $1 AND id = $2 AND lang_source = 'default'";
    SET_ELDER = "UPDATE account SET elder = $3, changed_at = $4 WHERE hospital_id = $1 AND id = $2";
    BY_PHONE = "SELECT account_id FROM account_phone WHERE hospital_id = $1 AND phone_blind = $2";
    ADD_PHONE = "INSERT INTO account_phone (hospital_id, phone_blind, account_id, phone, masked, verified_at)
           VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    ADD_OPENID = "INSERT INTO account_openid (hospital_id, channel_id, openid, account_id, created_at)
           VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    BY_OPENID = "SELECT account_id FROM account_openid WHERE hospital_id = $1 AND channel_id = $2 AND openid = $3";
    LANG_OF_OPENID = "SELECT a.lang FROM account_openid o JOIN account a ON a.hospital_id = o.hospital_id AND a.id = o.account_id
           WHERE o.hospital_id = $1 AND o.channel_id = $2 AND o.openid = $3 AND a.lang_source <> 'default'";
    LANGS_OF_OPENIDS = sqlite "SELECT o.openid, a.lang FROM json_each($3) r CROSS JOIN account_openid o ON o.openid = r.value
           JOIN account a ON a.hospital_id = o.hospital_id AND a.id = o.account_id
           WHERE o.hospital_id = $1 AND o.channel_id = $2 AND a.lang_source <> 'default'"
         postgres "SELECT o.openid, a.lang FROM account_openid o JOIN account a ON a.hospital_id = o.hospital_id AND a.id = o.account_id
           WHERE o.hospital_id = $1 AND o.channel_id = $2 AND o.openid = ANY($3) AND a.lang_source <> 'default'";
    LOCK_OPENIDS = sqlite "SELECT openid FROM account_openid WHERE hospital_id = $1 AND channel_id = $2
           AND openid IN (SELECT value FROM json_each($3)) ORDER BY openid"
         postgres "SELECT openid FROM account_openid WHERE hospital_id = $1 AND channel_id = $2 AND openid = ANY($3)
           ORDER BY openid FOR NO KEY UPDATE";
    // As FOLLOW, SEEN and SEEN_MESSAGE for each. $3: on SQLite an object by openid, of when they acted and when they last wrote.
    SEEN_ALL = sqlite "UPDATE account_openid SET
             following = CASE WHEN follow_changed_at <= CAST($3 ->> openid ->> 0 AS BIGINT) THEN 1 ELSE following END,
             follow_changed_at = MAX(follow_changed_at, CAST($3 ->> openid ->> 0 AS BIGINT)),
             last_active_at = MAX(COALESCE(last_active_at, 0), CAST($3 ->> openid ->> 0 AS BIGINT)),
             last_message_at = COALESCE(MAX(last_message_at, CAST($3 ->> openid ->> 1 AS BIGINT)), last_message_at,
                 CAST($3 ->> openid ->> 1 AS BIGINT))
           WHERE hospital_id = $1 AND channel_id = $2 AND openid IN (SELECT key FROM json_each($3))"
         postgres "UPDATE account_openid o SET
             following = CASE WHEN o.follow_changed_at <= r.acted THEN 1 ELSE o.following END,
             follow_changed_at = GREATEST(o.follow_changed_at, r.acted), last_active_at = GREATEST(o.last_active_at, r.acted),
             last_message_at = GREATEST(o.last_message_at, r.wrote)
           FROM (SELECT key AS openid, CAST(value->>0 AS BIGINT) AS acted, CAST(value->>1 AS BIGINT) AS wrote
                 FROM jsonb_each(CAST($3 AS jsonb))) AS r
           WHERE o.hospital_id = $1 AND o.channel_id = $2 AND o.openid = r.openid";
    OPENIDS = "SELECT channel_id, openid, following, last_active_at, last_message_at FROM account_openid
           WHERE hospital_id = $1 AND account_id = $2 ORDER BY created_at, openid";
    OPENID_ON = "SELECT openid FROM account_openid WHERE hospital_id = $1 AND channel_id = $2 AND account_id = $3
           ORDER BY created_at LIMIT 1";
    FOLLOW = "UPDATE account_openid SET following = $4, follow_changed_at = $5, scene = COALESCE($6, scene)
           WHERE hospital_id = $1 AND channel_id = $2 AND openid = $3 AND follow_changed_at <= $5";
    REACH = "SELECT CAST(COUNT(*) AS BIGINT) AS accounts,
             CAST(SUM(CASE WHEN EXISTS (SELECT 1 FROM account_openid o WHERE o.hospital_id = a.hospital_id AND o.account_id = a.id AND o.following = 1)
                 THEN 1 ELSE 0 END) AS BIGINT) AS following,
             CAST(SUM(CASE WHEN EXISTS (SELECT 1 FROM account_openid o WHERE o.hospital_id = a.hospital_id AND o.account_id = a.id AND o.following = 1
                 AND o.last_message_at > $2) THEN 1 ELSE 0 END) AS BIGINT) AS chat_open,
             CAST(SUM(CASE WHEN EXISTS (SELECT 1 FROM account_phone p WHERE p.hospital_id = a.hospital_id AND p.account_id = a.id)
                 AND NOT EXISTS (SELECT 1 FROM account_openid o WHERE o.hospital_id = a.hospital_id AND o.account_id = a.id AND o.following = 1)
                 THEN 1 ELSE 0 END) AS BIGINT) AS by_phone
         FROM account a WHERE a.hospital_id = $1";
    SEEN = "UPDATE account_openid SET last_active_at = $4 WHERE hospital_id = $1 AND channel_id = $2 AND openid = $3
           AND (last_active_at IS NULL OR last_active_at < $4)";
    SEEN_MESSAGE = "UPDATE account_openid SET last_message_at = $4 WHERE hospital_id = $1 AND channel_id = $2 AND openid = $3
           AND (last_message_at IS NULL OR last_message_at < $4)";
}

/// See [`crate::contact::reach`].
pub(crate) async fn reach(db: &Db, h: HospitalId) -> Result<crate::contact::Reach> {
    let open = db.now().minus(crate::contact::CHAT_WINDOW);
    let row: Row = db.one(REACH, args![h, open]).await?;
    let count = |name: &str| row.get::<Option<i64>>(name).map(Option::unwrap_or_default);
    Ok(crate::contact::Reach {
        accounts: count("accounts")?,
        following: count("following")?,
        chat_open: count("chat_open")?,
        by_phone: count("by_phone")?,
    })
}

/// What is kept of an account.
pub(crate) struct AccountRow {
    pub(crate) lang: Lang,
    pub(crate) elder: bool,
    pub(crate) phone: Option<Sealed>,
    pub(crate) phone_masked: Option<String>,
}

impl FromRow for AccountRow {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            lang: row.get("lang")?,
            elder: row.get("elder")?,
            phone: row.get("phone")?,
            phone_masked: row.get("masked")?,
        })
    }
}

impl FromRow for WechatContact {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            channel_account: row.get("channel_id")?,
            openid: row.get("openid")?,
            following: row.get("following")?,
            last_active_at: row.get("last_active_at")?,
            last_message_at: row.get("last_message_at")?,
        })
    }
}

pub(crate) async fn add(tx: &mut Tx, h: HospitalId, lang: Lang, source: LangSource) -> Result<AccountId> {
    let id = AccountId::new();
    let now = tx.now();
    tx.exec(ADD, args![h, id, lang, source, now]).await?;
    Ok(id)
}

/// Takes back an account that was added in this very transaction.
pub(crate) async fn take_back(tx: &mut Tx, h: HospitalId, id: AccountId) -> Result<()> {
    tx.exec(REMOVE, args![h, id]).await.map(drop)
}

/// Lets changes to one account's persons happen one after another; false when there is no such account.
pub(crate) async fn lock(tx: &mut Tx, h: HospitalId, id: AccountId) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(LOCK, args![h, id, now]).await? == 1)
}

pub(crate) async fn get(db: &Db, h: HospitalId, id: AccountId) -> Result<Option<AccountRow>> {
    db.opt(GET, args![h, id]).await
}

pub(crate) async fn get_in(tx: &mut Tx, h: HospitalId, id: AccountId) -> Result<Option<AccountRow>> {
    tx.opt(GET, args![h, id]).await
}

pub(crate) async fn set_lang(
    tx: &mut Tx,
    h: HospitalId,
    id: AccountId,
    lang: Lang,
    source: LangSource,
) -> Result<()> {
    let now = tx.now();
    tx.exec(SET_LANG, args![h, id, lang, source, now]).await.map(drop)
}

/// Sets the language of an account of which nobody said anything yet.
pub(crate) async fn guess_lang(tx: &mut Tx, h: HospitalId, id: AccountId, lang: Lang) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(GUESS_LANG, args![h, id, lang, now]).await? == 1)
}

pub(crate) async fn set_elder(tx: &mut Tx, h: HospitalId, id: AccountId, elder: bool) -> Result<()> {
    let now = tx.now();
    tx.exec(SET_ELDER, args![h, id, elder, now]).await.map(drop)
}

pub(crate) async fn by_phone(tx: &mut Tx, h: HospitalId, blind: &str) -> Result<Option<AccountId>> {
    Ok(tx.opt::<One<AccountId>>(BY_PHONE, args![h, blind]).await?.map(|one| one.0))
}

/// Gives the account its phone; false when the phone is another account's or the account has one.
pub(crate) async fn add_phone(
    tx: &mut Tx,
    h: HospitalId,
    id: AccountId,
    blind: &str,
    phone: Sealed,
    masked: &str,
) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(ADD_PHONE, args![h, blind, id, phone, masked, now]).await? == 1)
}

/// Ties an identity to an account; false when it is tied already.
pub(crate) async fn add_openid(
    tx: &mut Tx,
    h: HospitalId,
    channel: ChannelAccountId,
    openid: &str,
    id: AccountId,
) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(ADD_OPENID, args![h, channel, openid, id, now]).await? == 1)
}

pub(crate) async fn by_openid(
    tx: &mut Tx,
    h: HospitalId,
    channel: ChannelAccountId,
    openid: &str,
) -> Result<Option<AccountId>> {
    Ok(tx.opt::<One<AccountId>>(BY_OPENID, args![h, channel, openid]).await?.map(|one| one.0))
}

pub(crate) async fn lang_of_openid(
    tx: &mut Tx,
    h: HospitalId,
    channel: ChannelAccountId,
    openid: &str,
) -> Result<Option<Lang>> {
    Ok(tx.opt::<One<Lang>>(LANG_OF_OPENID, args![h, channel, openid]).await?.map(|one| one.0))
}

pub(crate) async fn openids(db: &Db, h: HospitalId, id: AccountId) -> Result<Vec<WechatContact>> {
    db.all(OPENIDS, args![h, id]).await
}

pub(crate) async fn openid_on(
    db: &Db,
    h: HospitalId,
    channel: ChannelAccountId,
    id: AccountId,
) -> Result<Option<String>> {
    Ok(db.opt::<One<String>>(OPENID_ON, args![h, channel, id]).await?.map(|one| one.0))
}

/// Writes down that somebody follows or does not any more; false when something later is known.
pub(crate) async fn follow(
    tx: &mut Tx,
    h: HospitalId,
    channel: ChannelAccountId,
    openid: &str,
    following: bool,
    at: UnixMs,
    scene: Option<&str>,
) -> Result<bool> {
    Ok(tx.exec(FOLLOW, args![h, channel, openid, following, at, scene]).await? == 1)
}

pub(crate) async fn seen(
    tx: &mut Tx,
    h: HospitalId,
    channel: ChannelAccountId,
    openid: &str,
    at: UnixMs,
    message: bool,
) -> Result<()> {
    tx.exec(SEEN, args![h, channel, openid, at]).await?;
    if message {
        tx.exec(SEEN_MESSAGE, args![h, channel, openid, at]).await?;
    }
    Ok(())
}

/// The languages that somebody chose or whose browser told, of these identities.
pub(crate) async fn langs_of_openids(
    db: &Db,
    h: HospitalId,
    channel: ChannelAccountId,
    openids: Vec<Option<String>>,
) -> Result<HashMap<String, Lang>> {
    let rows: Vec<Row> = db.all(LANGS_OF_OPENIDS, args![h, channel, openids]).await?;
    rows.iter().map(|row| Ok((row.get("openid")?, row.get("lang")?))).collect()
}

/// Which of these identities there are; they are locked in their order, as every change of several locks them.
pub(crate) async fn lock_openids(
    tx: &mut Tx,
    h: HospitalId,
    channel: ChannelAccountId,
    openids: Vec<Option<String>>,
) -> Result<HashSet<String>> {
    let found: Vec<One<String>> = tx.all(LOCK_OPENIDS, args![h, channel, openids]).await?;
    Ok(found.into_iter().map(|one| one.0).collect())
}

/// Writes down of many at once when they acted and, if they did, when they last wrote: by openid.
pub(crate) async fn seen_all(
    tx: &mut Tx,
    h: HospitalId,
    channel: ChannelAccountId,
    people: serde_json::Map<String, serde_json::Value>,
) -> Result<()> {
    tx.exec(SEEN_ALL, args![h, channel, serde_json::Value::Object(people)]).await.map(drop)
}
