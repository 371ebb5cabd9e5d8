//! Temporary material: three days, then gone.

use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use bytes::Bytes;
use serde_json::json;

use super::{Entry, Upload, Want, upload as read_upload};
use crate::net::Wire;
use crate::run::Shared;
use crate::world::{Media, World};
use crate::wx::{Answer, Call, Done, WxError};

const LIFE_MS: i64 = 3 * 86_400_000;
const MIB: usize = 1 << 20;

/// Kinds with their largest size and the beginnings of the files they take.
fn limit(kind: &str) -> Option<usize> {
    match kind {
        "image" | "video" => Some(10 * MIB),
        "voice" => Some(2 * MIB),
        "thumb" => Some(64 << 10),
        _ => None,
    }
}

/// What a file really is, by its first bytes: the name and the label may say anything.
fn sniff(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    const KNOWN: &[(&[u8], usize, &str, &str)] = &[
        (b"\xff\xd8\xff", 0, "image", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", 0, "image", "image/png"),
        (b"GIF8", 0, "image", "image/gif"),
        (b"#!AMR", 0, "voice", "audio/amr"),
        (b"ID3", 0, "voice", "audio/mpeg"),
        (b"\xff\xfb", 0, "voice", "audio/mpeg"),
        (b"ftyp", 4, "video", "video/mp4"),
    ];
    KNOWN
        .iter()
        .find(|(magic, at, ..)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(magic)))
        .map(|(_, _, kind, label)| (*kind, *label))
}

/// `POST /cgi-bin/media/upload`
pub(super) async fn upload(State(hub): State<Shared>, wire: ConnectInfo<Wire>, request: Request) -> Response {
    store(hub, wire.0, request, false).await
}

/// `POST /cgi-bin/media/uploadimg`: for articles; gives an address instead of a media id.
pub(super) async fn upload_image(
    State(hub): State<Shared>,
    wire: ConnectInfo<Wire>,
    request: Request,
) -> Response {
    store(hub, wire.0, request, true).await
}

async fn store(hub: Shared, wire: Wire, request: Request, for_article: bool) -> Response {
    let mut entry = match Entry::take(&hub, wire, request.uri(), request.headers()).await {
        Ok(entry) => entry,
        Err(response) => return response,
    };
    let method = request.method().clone();
    let file = match read_upload(request).await {
        Ok(file) => file,
        Err(response) => return response,
    };
    let done = {
        let mut world = hub.world.lock();
        entry
            .admit(&mut world, &method, Want::Post, true)
            .and_then(|()| keep(&mut world, &entry.call, file, for_article))
    };
    entry.finish(done).await
}

fn keep(world: &mut World, call: &Call, file: Option<Upload>, for_article: bool) -> Result<Done, WxError> {
    let kind = if for_article { "image" } else { call.query.get("type").unwrap_or_default() };
    let most = limit(kind).ok_or_else(|| WxError::new(40004))?;
    let file = file.filter(|file| !file.name.is_empty()).ok_or_else(|| WxError::new(41005))?;
    if file.bytes.is_empty() {
        return Err(WxError::new(44001));
    }
    if file.bytes.len() > if for_article { MIB } else { most } {
        return Err(WxError::new(40006));
    }
    let (found, content_type) = sniff(&file.bytes).ok_or_else(|| WxError::new(40005))?;
    let wanted = if kind == "thumb" { "image" } else { kind };
    if found != wanted {
        return Err(WxError::new(40005));
    }
    tracing::debug!(name = file.name, label = file.content_type, content_type, "media stored");
    let appid = world.accounts.get(call.account).map(|account| account.set.appid.clone()).unwrap_or_default();
    let id = world.rng.url_safe(64);
    world.media.retain(|_, media| media.expires > call.now);
    world.media.insert(
        id.clone(),
        Media {
            appid,
            kind: kind.to_owned(),
            name: file.name,
            content_type: content_type.to_owned(),
            bytes: file.bytes,
            expires: call.now + LIFE_MS,
        },
    );
    if for_article {
        return Ok(json!({ "url": format!("{}/sim/v1/media/{id}", call.origin) }).into());
    }
    let name = if kind == "thumb" { "thumb_media_id" } else { "media_id" };
    Ok(json!({ "type": kind, name: id, "created_at": call.now / 1000 }).into())
}

/// `GET /cgi-bin/media/get`: bytes; for a video an address.
pub(super) fn get(_: &Shared, world: &mut World, call: &Call) -> Result<Done, WxError> {
    let id = call.query.need("media_id", 41006)?;
    let media = usable(world, call.account, id, call.now)?;
    if media.kind == "video" {
        return Ok(json!({ "video_url": format!("{}/sim/v1/media/{id}", call.origin) }).into());
    }
    let answer = Answer::File {
        content_type: media.content_type.clone(),
        name: media.name.clone(),
        bytes: Bytes::clone(&media.bytes),
    };
    Ok(Done { answer, push: None })
}

/// The material, when it is this account's and not too old.
pub(super) fn usable<'a>(world: &'a World, account: usize, id: &str, now: i64) -> Result<&'a Media, WxError> {
    let appid = world.accounts.get(account).map(|account| account.set.appid.as_str());
    world
        .media
        .get(id)
        .filter(|media| media.expires > now && Some(media.appid.as_str()) == appid)
        .ok_or_else(|| WxError::new(40007))
}
