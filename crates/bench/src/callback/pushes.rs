//! What WeChat sends: pushes of a busy morning, each different, signed and encrypted as in safe mode.

use anyhow::{Result, ensure};
use hyper::Uri;
use wechat::callback::{AesKey, signature};
use wechat::message::Push;

pub(super) const TOKEN: &str = "BenchToken2026";
pub(super) const APP_ID: &str = "wxbench0000000000";
pub(super) const ORIGINAL_ID: &str = "gh_bench0000000";
pub(super) const KEY: &str = "7kQ2mWz9XbR4cVt1YpLs8NfGh3JdAe6UoIiMn5CqKxE";
/// The last segment of the callback's address.
pub(super) const NAME: &str = "bench";

/// A push, ready to be sent.
pub(super) struct Sealed {
    pub(super) uri: Uri,
    pub(super) body: String,
    /// Whether the chat says something to it.
    pub(super) speaks: bool,
}

/// One of ten: half are texts, some of them words that the chat knows, some free ones; the others taps, scans and what the
/// platform tells by itself. To seven of ten there is a text to answer.
fn message(nth: u32) -> (String, bool) {
    let text = |content: &str| {
        let id = 24_000_000_000_000_000_u64 + u64::from(nth);
        format!(
            "<MsgType><![CDATA[text]]></MsgType>\n<Content><![CDATA[{content}]]></Content>\n<MsgId>{id}</MsgId>"
        )
    };
    let event = |name: &str, fields: String| {
        format!("<MsgType><![CDATA[event]]></MsgType>\n<Event><![CDATA[{name}]]></Event>\n{fields}")
    };
    let key = |value: String| format!("<EventKey><![CDATA[{value}]]></EventKey>");
    match nth % 10 {
        0 | 1 => (text("挂号"), true),
        2 => (text("我的预约"), true),
        3 | 4 => (
            text(&format!("你好，我想问一下第{nth}号窗口几点开门，带老人过来需要准备什么材料？")),
            true,
        ),
        5 => (event("CLICK", key("帮助".into())), true),
        6 => (event("SCAN", format!("{}\n<Ticket><![CDATA[{nth:060}]]></Ticket>", key(format!("d{nth}")))), true),
        7 => (event("VIEW", key(format!("https://wx.hospital.example/doctors?page={nth}"))), false),
        8 => (
            event(
                "LOCATION",
                "<Latitude>31.230416</Latitude>\n<Longitude>121.473701</Longitude>\n<Precision>65.0</Precision>".into(),
            ),
            false,
        ),
        _ => (event("TEMPLATESENDJOBFINISH", format!("<MsgID>{nth}</MsgID>\n<Status><![CDATA[success]]></Status>")), false),
    }
}

/// The id of a follower at our account.
pub(super) fn openid(nth: u32) -> String {
    format!("oBench{nth:022}")
}

/// So many pushes of so many followers in turn, signed at this second.
pub(super) fn make(count: u32, followers: u32, now_s: i64) -> Result<Vec<Sealed>> {
    let key = AesKey::parse(KEY)?;
    let time = now_s.to_string();
    (0..count).map(|nth| seal(&key, nth, followers, &time)).collect()
}

fn seal(key: &AesKey, nth: u32, followers: u32, time: &str) -> Result<Sealed> {
    let (fields, speaks) = message(nth);
    let from = openid(nth.wrapping_mul(7) % followers.max(1));
    // No follower does two things in one second.
    let created = time.parse::<i64>()? - i64::from(nth / followers.max(1));
    let xml = format!(
        "<xml><ToUserName><![CDATA[{ORIGINAL_ID}]]></ToUserName>\n<FromUserName><![CDATA[{from}]]></FromUserName>\n\
         <CreateTime>{created}</CreateTime>\n{fields}\n</xml>"
    );
    let mut random = [b'0'; 16];
    for (to, from) in random.iter_mut().zip(format!("{nth:016}").bytes()) {
        *to = from;
    }
    let encrypt = key.encrypt(random, xml.as_bytes(), APP_ID)?;
    let nonce = nth.to_string();
    let (plain, sealed) = (signature(&[TOKEN, time, &nonce]), signature(&[TOKEN, time, &nonce, &encrypt]));
    let uri = format!(
        "/wechat/{NAME}?signature={plain}&timestamp={time}&nonce={nonce}&openid={from}&encrypt_type=aes&msg_signature={sealed}"
    );
    let body = format!(
        "<xml>\n    <ToUserName><![CDATA[{ORIGINAL_ID}]]></ToUserName>\n    <Encrypt><![CDATA[{encrypt}]]></Encrypt>\n</xml>"
    );
    Ok(Sealed { uri: uri.parse()?, body, speaks })
}

/// Whether an answer is what the push asks for: a text for whoever wrote, sealed with our key, or `success`.
///
/// # Errors
/// What is wrong with it.
pub(super) fn right(push: &Sealed, answer: &str) -> Result<()> {
    if !push.speaks {
        ensure!(answer == "success", "expected success, got {answer}");
        return Ok(());
    }
    let opened = open(answer)?;
    let reply: Push = wechat::message::parse(&opened)?;
    let uri = push.uri.query().unwrap_or_default();
    ensure!(!reply.to.is_empty() && uri.contains(&reply.to), "a reply for {}", reply.to);
    ensure!(!reply.fields.text("Content").is_empty(), "a reply without a text");
    Ok(())
}

fn open(answer: &str) -> Result<String> {
    let encrypt = answer.split_once("<Encrypt><![CDATA[").and_then(|(_, rest)| rest.split_once("]]>"));
    let Some((encrypt, _)) = encrypt else { anyhow::bail!("not an encrypted reply: {answer}") };
    Ok(AesKey::parse(KEY)?.decrypt(encrypt, APP_ID)?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use wechat::callback::{Credentials, Format, Keys, Mode, Query};

    use super::*;

    #[test]
    fn every_push_opens_and_is_another_one() {
        let account = Credentials {
            token: TOKEN.into(),
            keys: Some(Keys { current: AesKey::parse(KEY).unwrap(), previous: None }),
            receive_id: APP_ID.into(),
            mode: Mode::Safe,
            format: Format::Xml,
        };
        let pushes = make(6_000, 1_000, 1_795_392_000).unwrap();
        let mut keys = BTreeSet::new();
        for push in &pushes {
            let query = Query::parse(push.uri.query().unwrap());
            let opened = account.open(&query, push.body.as_bytes()).unwrap();
            keys.insert(wechat::message::parse(&opened.plaintext).unwrap().dedup_key());
        }
        assert_eq!(keys.len(), pushes.len());
        assert_eq!(pushes.iter().filter(|push| push.speaks).count(), 4_200);
    }

    #[test]
    fn a_wrong_answer_is_found() {
        let pushes = make(10, 10, 1_795_392_000).unwrap();
        let (speaks, silent) = (&pushes[0], &pushes[7]);
        assert!(right(silent, "success").is_ok() && right(silent, "").is_err());
        assert!(right(speaks, "success").is_err());
        let to = |to: &str| {
            let xml = format!("<xml><ToUserName>{to}</ToUserName><Content>好</Content></xml>");
            let encrypt = AesKey::parse(KEY).unwrap().encrypt([1; 16], xml.as_bytes(), APP_ID).unwrap();
            format!("<xml>\n<Encrypt><![CDATA[{encrypt}]]></Encrypt></xml>")
        };
        assert!(right(speaks, &to(&openid(0))).is_ok());
        assert!(right(speaks, &to("oSomebodyElse")).is_err());
    }
}
