//! What is fed: plain functions over any bytes, each with its seeds. Those of WeChat's callback are in [`wechat::fuzz`].

#![expect(clippy::panic, reason = "a broken promise must stop the run")]

use base::{Date, Fen, HalfDay, Lang, Text2, UnixMs, WallTime};
use serde::{Deserialize, Serialize};
use wechat::message::{Content, Event};

base::typed_id! {
    /// An id like all others.
    ThingId = "thg";
}

/// A target: takes any bytes and must neither panic nor break what it asserts.
pub(crate) type Target = fn(&[u8]);

/// Every target by its name.
pub(crate) const ALL: &[(&str, Target)] = &[
    ("callback", wechat::fuzz::callback),
    ("message", wechat::fuzz::message),
    ("scene", scene),
    ("id", id),
    ("body", body),
];

/// The scene of a code, as WeChat tells it of a follower (behind `qrscene_`) and of anyone else (bare): the same both ways, and
/// never more than what stands in the push.
pub(crate) fn scene(data: &[u8]) {
    let text: String = String::from_utf8_lossy(data).replace(['\0', '\r'], " ").replace("]]>", "]] >");
    let push = |event: &str, key: &str| {
        let xml = format!(
            "<xml><MsgType>event</MsgType><Event>{event}</Event><EventKey><![CDATA[{key}]]></EventKey><Ticket>t</Ticket></xml>"
        );
        wechat::message::parse(&xml).ok().map(|push| push.content)
    };
    match push("subscribe", &format!("qrscene_{text}")) {
        Some(Content::Event(Event::Subscribe { scene, .. }))
            if scene.as_deref().unwrap_or_default() == text => {}
        other => panic!("the scene {text:?} of a follower was read as {other:?}"),
    }
    match push("SCAN", &text) {
        Some(Content::Event(Event::Scan { .. } | Event::Unknown { .. })) => {}
        other => panic!("the scene {text:?} of a scan was read as {other:?}"),
    }
}

/// An id in a path or a body: what is read is written the same, and is found again in the database's form.
pub(crate) fn id(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(id) = text.parse::<ThingId>() {
        if id.to_string() != text {
            panic!("{text:?} was read as {id}");
        }
        if ThingId::from_db(&id.db()) != Ok(id) {
            panic!("{id} is not found by what the database keeps of it");
        }
    }
    if let Ok(id) = ThingId::from_db(&text)
        && id.db() != text
    {
        panic!("{text:?} in the database was read as {id}");
    }
}

/// A body with one value of each kind that bodies are made of.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    id: ThingId,
    name: Text2,
    date: Date,
    time: WallTime,
    half: HalfDay,
    fee: Fen,
    lang: Lang,
    at: UnixMs,
    note: Option<String>,
    #[serde(default)]
    more: Vec<Body>,
}

/// A JSON body: what is read is written and read again as the same.
pub(crate) fn body(data: &[u8]) {
    let Ok(read) = serde_json::from_slice::<Body>(data) else { return };
    let again = serde_json::to_string(&read).ok().and_then(|text| serde_json::from_str::<Body>(&text).ok());
    if again.as_ref() != Some(&read) {
        panic!("{read:?} was written and read as {again:?}");
    }
}

/// Where the changes begin.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = [
        "", "s", "door_12", "qrscene_", "d7/医生", "qrscene_qrscene_1",
        "thg_0190163d8694739b9ea8000000000000", "thg_", "0190163d8694739b9ea8000000000000",
        "THG_0190163D8694739B9EA8000000000000", "thg_0190163d-8694-739b-9ea8-000000000000",
        r#"{"id":"thg_0190163d8694739b9ea8000000000000","name":{"zh":"内科","en":"Medicine"},"date":"2026-11-29","time":"08:30","half":"am","fee":2500,"lang":"zh","at":1795392000000,"note":null,"more":[]}"#,
        r#"{"id":"thg_0190163d8694739b9ea8000000000000","name":{"zh":"","en":"\u0000\ud83d\ude00"},"date":"2024-02-29","time":"23:59","half":"pm","fee":-9223372036854775808,"lang":"en","at":0,"note":"x","more":[{}]}"#,
        "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[o1]]></FromUserName><CreateTime>1795392000</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[挂号]]></Content><MsgId>24000000000000001</MsgId></xml>",
        "<xml><MsgType>event</MsgType><Event>subscribe</Event><EventKey>qrscene_1</EventKey></xml>",
        r#"{"ToUserName":"gh_1","FromUserName":"o1","MsgType":"event","Event":"subscribe_msg_popup_event","List":[{"TemplateId":"t"}]}"#,
        "\u{2}signature=a&timestamp=1&nonce=2&msg_signature=%41\n<xml><Encrypt>AAAA</Encrypt></xml>",
    ]
    .iter()
    .map(|seed| seed.as_bytes().to_vec())
    .collect();
    let nested = format!("<xml>{}{}</xml>", "<a>".repeat(40), "</a>".repeat(40));
    seeds.push(nested.into_bytes());
    seeds
}
