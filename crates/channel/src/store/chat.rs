//! Replies, menus and WeChat's tags.

use base::{HospitalId, Text2, UnixMs};
use people::ChannelAccountId;
use store::value::{One, Row};
use store::{Db, Result, StoreError, Tx, args};

use crate::chat::menu::Kept;
use crate::chat::rules::Reply;
use crate::model::{Audience, ReplyId};

store::statements! {
    REPLIES = "SELECT hospital_id, id, kind, words, whole, body_zh, body_en FROM chat_reply WHERE removed_at IS NULL ORDER BY hospital_id, changed_at DESC, id";
    REPLY_ADD = "INSERT INTO chat_reply (hospital_id, id, kind, words, whole, body_zh, body_en, request_key, changed_by, changed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING";
    REPLY_BY_KEY = "SELECT id FROM chat_reply WHERE hospital_id = $1 AND (request_key = $2 OR (kind = $3 AND kind = 'welcome' AND removed_at IS NULL))";
    REPLY_CHANGE = "UPDATE chat_reply SET words = $3, whole = $4, body_zh = $5, body_en = $6, changed_by = $7, changed_at = $8
         WHERE hospital_id = $1 AND id = $2 AND removed_at IS NULL";
    REPLY_REMOVE = "UPDATE chat_reply SET removed_at = $3, changed_by = $4 WHERE hospital_id = $1 AND id = $2 AND removed_at IS NULL";
    MENUS = "SELECT audience, body, published_at FROM chat_menu WHERE hospital_id = $1 ORDER BY audience";
    MENU_PUT = "INSERT INTO chat_menu (hospital_id, audience, body, changed_by, changed_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (hospital_id, audience) DO UPDATE SET body = excluded.body, changed_by = excluded.changed_by,
             changed_at = excluded.changed_at, published_at = NULL";
    MENU_PUBLISHED = "UPDATE chat_menu SET published_at = $3 WHERE hospital_id = $1 AND audience = $2";
    TAG = "SELECT tag_id, menu_id FROM chat_tag WHERE hospital_id = $1 AND channel_id = $2 AND audience = 'en'";
    TAG_PUT = "INSERT INTO chat_tag (hospital_id, channel_id, audience, tag_id) VALUES ($1, $2, 'en', $3)
         ON CONFLICT (hospital_id, channel_id, audience) DO UPDATE SET tag_id = excluded.tag_id";
    TAG_MENU = "UPDATE chat_tag SET menu_id = $3 WHERE hospital_id = $1 AND channel_id = $2 AND audience = 'en'";
}

fn json<T: serde::de::DeserializeOwned>(column: &str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|e| StoreError::Decode { column: column.into(), what: e.to_string() })
}

/// The replies of all hospitals, the latest of each first.
pub(crate) async fn all(db: &Db) -> Result<Vec<(HospitalId, Reply)>> {
    let rows: Vec<Row> = db.all(REPLIES, args![]).await?;
    rows.iter()
        .map(|row| {
            let reply = Reply {
                id: row.get("id")?,
                kind: row.get("kind")?,
                words: json("words", &row.get::<String>("words")?)?,
                whole: row.get("whole")?,
                body: Text2::new(row.get::<String>("body_zh")?, row.get::<String>("body_en")?),
            };
            Ok((row.get("hospital_id")?, reply))
        })
        .collect()
}

/// Adds a reply; the id of the one that this request, or an earlier welcome, made when there is one.
pub(crate) async fn add(tx: &mut Tx, h: HospitalId, reply: &Reply, key: &str, by: &str) -> Result<ReplyId> {
    let (id, now) = (ReplyId::new(), tx.now());
    let words = serde_json::json!(reply.words).to_string();
    let values = args![h, id, reply.kind, words, reply.whole, &reply.body.zh, &reply.body.en, key, by, now];
    if tx.exec(REPLY_ADD, values).await? == 1 {
        return Ok(id);
    }
    let there: One<ReplyId> = tx.one(REPLY_BY_KEY, args![h, key, reply.kind]).await?;
    if reply.kind == crate::chat::rules::Kind::Welcome {
        change(tx, h, &Reply { id: there.0, ..reply.clone() }, by).await?;
    }
    Ok(there.0)
}

pub(crate) async fn change(tx: &mut Tx, h: HospitalId, reply: &Reply, by: &str) -> Result<bool> {
    let now = tx.now();
    let words = serde_json::json!(reply.words).to_string();
    let values = args![h, reply.id, words, reply.whole, &reply.body.zh, &reply.body.en, by, now];
    Ok(tx.exec(REPLY_CHANGE, values).await? == 1)
}

pub(crate) async fn remove(tx: &mut Tx, h: HospitalId, id: ReplyId, by: &str) -> Result<bool> {
    let now = tx.now();
    Ok(tx.exec(REPLY_REMOVE, args![h, id, now, by]).await? == 1)
}

pub(crate) async fn menus(db: &Db, h: HospitalId) -> Result<Vec<Kept>> {
    let rows: Vec<Row> = db.all(MENUS, args![h]).await?;
    rows.iter()
        .map(|row| {
            Ok(Kept {
                audience: row.get("audience")?,
                items: json("body", &row.get::<String>("body")?)?,
                published: row.get::<Option<UnixMs>>("published_at")?.is_some(),
            })
        })
        .collect()
}

pub(crate) async fn put_menu(
    tx: &mut Tx,
    h: HospitalId,
    audience: Audience,
    body: &str,
    by: &str,
) -> Result<()> {
    let now = tx.now();
    tx.exec(MENU_PUT, args![h, audience, body, by, now]).await.map(drop)
}

pub(crate) async fn published(tx: &mut Tx, h: HospitalId, audience: Audience) -> Result<()> {
    let now = tx.now();
    tx.exec(MENU_PUBLISHED, args![h, audience, now]).await.map(drop)
}

/// WeChat's number of the tag, and of the menu for it.
pub(crate) async fn tag(
    db: &Db,
    h: HospitalId,
    channel: ChannelAccountId,
) -> Result<Option<(i64, Option<String>)>> {
    let row: Option<Row> = db.opt(TAG, args![h, channel]).await?;
    row.map(|row| Ok((row.get("tag_id")?, row.get("menu_id")?))).transpose()
}

pub(crate) async fn put_tag(tx: &mut Tx, h: HospitalId, channel: ChannelAccountId, tag: i64) -> Result<()> {
    tx.exec(TAG_PUT, args![h, channel, tag]).await.map(drop)
}

pub(crate) async fn set_tag_menu(
    tx: &mut Tx,
    h: HospitalId,
    channel: ChannelAccountId,
    menu: &str,
) -> Result<()> {
    tx.exec(TAG_MENU, args![h, channel, menu]).await.map(drop)
}
