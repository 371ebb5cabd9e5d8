//! The product's answer to a push, read as strictly as the platform does: what is not right is an error line in the chat.

use serde_json::Value;
use wechat::callback::{AesKey, signature};

use super::xml::{self, Element};
use crate::chat::ChatItem;
use crate::config::{PushFormat, PushMode};

/// A text in a reply may be so long, in bytes.
const TEXT_BYTES: usize = 2048;

/// What the answer is to be measured against.
pub(super) struct Expected<'a> {
    pub(super) openid: &'a str,
    pub(super) gh_id: &'a str,
    pub(super) appid: &'a str,
    pub(super) token: &'a str,
    pub(super) key: &'a str,
    pub(super) mode: PushMode,
    pub(super) format: PushFormat,
    pub(super) now: i64,
    pub(super) media: &'a dyn Fn(&str) -> Option<String>,
}

/// Nothing to say, or something for the chat.
#[derive(Debug, PartialEq)]
pub(super) enum Reply {
    Acknowledged,
    Says(Box<ChatItem>),
}

/// Reads a body that came with status 200.
pub(super) fn read(body: &[u8], expected: &Expected<'_>) -> Result<Reply, String> {
    if body.is_empty() || body == b"success" {
        return Ok(Reply::Acknowledged);
    }
    let text = std::str::from_utf8(body).map_err(|_| "not UTF-8".to_owned())?;
    let outer = parse(text, expected.format)?;
    let inner = match (outer.child("Encrypt"), expected.mode) {
        (Some(_), PushMode::Plain) => return Err("an encrypted reply in plain mode".to_owned()),
        (None, PushMode::Safe) => return Err("a plain reply in safe mode".to_owned()),
        (None, _) => outer,
        (Some(encrypt), _) => parse(&open(&outer, &encrypt.text, expected)?, expected.format)?,
    };
    item(&inner, expected).map(|item| Reply::Says(Box::new(item)))
}

fn parse(text: &str, format: PushFormat) -> Result<Element, String> {
    match format {
        PushFormat::Xml => {
            let root = xml::read(text).map_err(|why| format!("not the XML of a reply: {why}"))?;
            if root.name == "xml" { Ok(root) } else { Err("the root element is not xml".to_owned()) }
        }
        PushFormat::Json => {
            let value: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
            if value.is_object() { Ok(element("xml", &value)) } else { Err("not a JSON object".to_owned()) }
        }
    }
}

/// JSON as the same tree; the entries of an array are `item`s.
fn element(name: &str, value: &Value) -> Element {
    let mut out = Element { name: name.to_owned(), ..Element::default() };
    match value {
        Value::Object(map) => out.children = map.iter().map(|(name, value)| element(name, value)).collect(),
        Value::Array(list) => out.children = list.iter().map(|value| element("item", value)).collect(),
        Value::String(text) => out.text.clone_from(text),
        Value::Null => {}
        other => out.text = other.to_string(),
    }
    out
}

fn open(outer: &Element, encrypt: &str, expected: &Expected<'_>) -> Result<String, String> {
    let (time, nonce) = (outer.value("TimeStamp"), outer.value("Nonce"));
    time.parse::<i64>().map_err(|_| "TimeStamp is no number".to_owned())?;
    if signature(&[expected.token, time, nonce, encrypt]) != outer.value("MsgSignature") {
        return Err("MsgSignature is wrong".to_owned());
    }
    let key = AesKey::parse(expected.key).map_err(|error| error.to_string())?;
    key.decrypt(encrypt, expected.appid).map_err(|error| format!("cannot be decrypted: {error}"))
}

fn item(root: &Element, expected: &Expected<'_>) -> Result<ChatItem, String> {
    let same = |name: &str, wanted: &str| {
        if root.value(name) == wanted { Ok(()) } else { Err(format!("{name} is not {wanted:?}")) }
    };
    same("ToUserName", expected.openid)?;
    same("FromUserName", expected.gh_id)?;
    root.value("CreateTime").parse::<i64>().map_err(|_| "CreateTime is no whole number".to_owned())?;
    let kind = root.value("MsgType");
    let mut item = ChatItem { via: "passive".into(), ..ChatItem::new("account", kind, expected.now) };
    let part = |name: &str| root.child(name).ok_or_else(|| format!("{name} is missing"));
    let media = |name: &str| {
        let id = part(name)?.value("MediaId");
        (expected.media)(id).ok_or_else(|| format!("MediaId {id:?} is not known or expired"))
    };
    match kind {
        "text" => {
            let content = root.value("Content");
            if content.is_empty() {
                return Err("Content is empty".to_owned());
            }
            if content.len() > TEXT_BYTES {
                return Err(format!("Content has {} bytes, {TEXT_BYTES} are allowed", content.len()));
            }
            item.text = content.to_owned();
        }
        "image" => item.image = media("Image")?,
        "voice" => item.image = media("Voice")?,
        "video" => {
            item.image = media("Video")?;
            item.title = part("Video")?.value("Title").to_owned();
            item.text = part("Video")?.value("Description").to_owned();
        }
        "music" => {
            let music = part("Music")?;
            item.title = music.value("Title").to_owned();
            item.text = music.value("Description").to_owned();
            item.url = music.value("MusicUrl").to_owned();
        }
        "news" => {
            let articles = &part("Articles")?.children;
            let [article] = articles.as_slice() else {
                return Err(format!("{} articles; one is allowed", articles.len()));
            };
            same("ArticleCount", "1")?;
            if article.name != "item" {
                return Err("Articles holds no item".to_owned());
            }
            item.title = article.value("Title").to_owned();
            item.text = article.value("Description").to_owned();
            item.image = article.value("PicUrl").to_owned();
            item.url = article.value("Url").to_owned();
            if item.title.is_empty() {
                return Err("the article has no Title".to_owned());
            }
        }
        "transfer_customer_service" => {
            item.kind = "transfer".into();
            item.from = "system".into();
        }
        other => return Err(format!("MsgType {other:?} is not known")),
    }
    Ok(item)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "7kQ2mWz9XbR4cVt1YpLs8NfGh3JdAe6UoIiMn5CqKxE";

    fn expected(mode: PushMode, format: PushFormat) -> Expected<'static> {
        Expected {
            openid: "oPerson",
            gh_id: "gh_1",
            appid: "wx1",
            token: "Token",
            key: KEY,
            mode,
            format,
            now: 5,
            media: &|id| (id == "M1").then(|| "http://sim/M1".to_owned()),
        }
    }

    fn xml(body: &str) -> String {
        format!(
            "<xml><ToUserName>oPerson</ToUserName><FromUserName>gh_1</FromUserName><CreateTime>1</CreateTime>{body}</xml>"
        )
    }

    fn plain(body: &str) -> Result<Reply, String> {
        read(xml(body).as_bytes(), &expected(PushMode::Plain, PushFormat::Xml))
    }

    #[test]
    fn success_and_nothing_mean_received() {
        for mode in [PushMode::Plain, PushMode::Compatible, PushMode::Safe] {
            for body in [&b""[..], b"success"] {
                assert_eq!(read(body, &expected(mode, PushFormat::Xml)), Ok(Reply::Acknowledged));
            }
        }
    }

    #[test]
    fn each_kind_is_read() {
        let says = |body: &str| match plain(body).unwrap() {
            Reply::Says(item) => *item,
            Reply::Acknowledged => panic!("nothing said"),
        };
        assert_eq!(says("<MsgType>text</MsgType><Content><![CDATA[好]]></Content>").text, "好");
        let news = says(
            "<MsgType>news</MsgType><ArticleCount>1</ArticleCount><Articles><item><Title>T</Title><Url>http://x</Url></item></Articles>",
        );
        assert_eq!((news.title.as_str(), news.url.as_str()), ("T", "http://x"));
        assert_eq!(
            says("<MsgType>image</MsgType><Image><MediaId>M1</MediaId></Image>").image,
            "http://sim/M1"
        );
        assert_eq!(says("<MsgType>transfer_customer_service</MsgType>").kind, "transfer");
    }

    #[test]
    fn what_would_be_an_error_line_is_refused() {
        let long = format!("<MsgType>text</MsgType><Content>{}</Content>", "字".repeat(683));
        for body in [
            "<MsgType>text</MsgType><Content></Content>",
            long.as_str(),
            "<MsgType>link</MsgType>",
            "<MsgType>image</MsgType><Image><MediaId>M2</MediaId></Image>",
            "<MsgType>news</MsgType><ArticleCount>2</ArticleCount><Articles><item><Title>T</Title></item><item><Title>U</Title></item></Articles>",
        ] {
            assert!(plain(body).is_err(), "{body}");
        }
        let text = xml("<MsgType>text</MsgType><Content>x</Content>");
        for body in ["{\"ok\":true}", "<html><body>502</body></html>", "ok", "Success", "success\n"] {
            assert!(read(body.as_bytes(), &expected(PushMode::Plain, PushFormat::Xml)).is_err(), "{body}");
        }
        assert!(
            read(text.as_bytes(), &expected(PushMode::Safe, PushFormat::Xml)).is_err(),
            "plain in safe mode"
        );
        for swapped in
            [text.replace("oPerson", "oOther"), text.replace("gh_1", "gh_2"), text.replace(">1<", ">1.5<")]
        {
            assert!(
                read(swapped.as_bytes(), &expected(PushMode::Plain, PushFormat::Xml)).is_err(),
                "{swapped}"
            );
        }
    }

    #[test]
    fn encrypted_replies_are_opened_and_checked() {
        let text = xml("<MsgType>text</MsgType><Content>x</Content>");
        let encrypt = AesKey::parse(KEY).unwrap().encrypt([1; 16], text.as_bytes(), "wx1").unwrap();
        let good = signature(&["Token", "9", "n", &encrypt]);
        let sealed = |signature: &str| {
            format!(
                "<xml><Encrypt>{encrypt}</Encrypt><MsgSignature>{signature}</MsgSignature><TimeStamp>9</TimeStamp><Nonce>n</Nonce></xml>"
            )
        };
        for mode in [PushMode::Safe, PushMode::Compatible] {
            assert!(read(sealed(&good).as_bytes(), &expected(mode, PushFormat::Xml)).is_ok());
            assert!(read(sealed("0").as_bytes(), &expected(mode, PushFormat::Xml)).is_err());
        }
        let json =
            serde_json::json!({ "Encrypt": encrypt, "MsgSignature": good, "TimeStamp": 9, "Nonce": "n" });
        let refused = read(json.to_string().as_bytes(), &expected(PushMode::Safe, PushFormat::Json));
        assert!(refused.unwrap_err().starts_with("not JSON"), "XML inside JSON");
    }
}
