//! How WeChat answers: errors with a number and a `rid`, always HTTP 200; and how it reads a call.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::push::PushJob;

/// An `errcode` with its text. WeChat appends ` rid: …` on the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WxError {
    pub(crate) code: i64,
    pub(crate) text: String,
}

/// The texts that WeChat's interfaces give, by number.
const TEXTS: &[(i64, &str)] = &[
    (-1, "system error"),
    (40001, "invalid credential, access_token is invalid or not latest"),
    (40002, "invalid grant_type"),
    (40003, "invalid openid"),
    (40004, "invalid media type"),
    (40005, "invalid file type"),
    (40006, "invalid media size"),
    (40007, "invalid media_id"),
    (40008, "invalid message type"),
    (40013, "invalid appid"),
    (40014, "invalid access_token"),
    (40015, "invalid menu type"),
    (40016, "invalid button size"),
    (40017, "invalid button type"),
    (40018, "invalid button name size"),
    (40019, "invalid button key size"),
    (40020, "invalid button url size"),
    (40023, "invalid sub button size"),
    (40024, "invalid sub button type"),
    (40025, "invalid sub button name size"),
    (40026, "invalid sub button key size"),
    (40027, "invalid sub button url size"),
    (40029, "invalid code"),
    (40030, "invalid refresh_token"),
    (40033, "invalid charset. please check your request, if include \\uxxxx will create fail!"),
    (40037, "invalid template_id"),
    (40052, "invalid action_name"),
    (40053, "invalid action_info"),
    (40054, "invalid sub button url domain"),
    (40055, "invalid button url domain"),
    (40066, "invalid url"),
    (40125, "invalid appsecret"),
    (40163, "code been used"),
    (41001, "access_token missing"),
    (41002, "appid missing"),
    (41003, "refresh_token missing"),
    (41004, "appsecret missing"),
    (41005, "media data missing"),
    (41006, "media_id missing"),
    (41008, "missing code"),
    (41009, "missing openid"),
    (42001, "access_token expired"),
    (42003, "oauth_code expired"),
    (43001, "require GET method"),
    (43002, "require POST method"),
    (43004, "require subscribe"),
    (44001, "empty media data"),
    (44002, "empty post data"),
    (44004, "content is empty"),
    (45002, "content size out of limit"),
    (45008, "article size out of limit"),
    (45009, "reach max api daily quota limit"),
    (45011, "api minute-quota reach limit  mustslower  retry next minute"),
    (45015, "response out of time limit or subscription is canceled"),
    (45029, "qrcode count out of limit"),
    (45047, "out of response count limit"),
    (46003, "menu no exist"),
    (46004, "user no exist"),
    (47001, "data format error"),
    (48001, "api unauthorized"),
    (48002, "user block"),
    (48006, "forbid to clear quota because of reaching the limit"),
];

impl WxError {
    pub(crate) fn new(code: i64) -> Self {
        let text = TEXTS.iter().find(|(known, _)| *known == code).map_or("error", |(_, text)| text);
        Self { code, text: text.to_owned() }
    }

    pub(crate) fn with(code: i64, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    /// 47003, which names the field.
    pub(crate) fn argument(field: &str, why: &str) -> Self {
        Self::with(47003, format!("argument invalid! {field} {why}"))
    }

    /// 40097: a parameter outside its range.
    pub(crate) fn args(why: &str) -> Self {
        Self::with(40097, format!("invalid args: {why}"))
    }

    pub(crate) fn json(&self, rid: &str) -> Value {
        json!({ "errcode": self.code, "errmsg": format!("{} rid: {rid}", self.text) })
    }
}

/// The query of a call; of a repeated name the first counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    pub(crate) fn parse(query: &str) -> Self {
        Self(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The value, or the error when it is missing or empty.
    pub(crate) fn need(&self, name: &str, missing: i64) -> Result<&str, WxError> {
        self.get(name).filter(|value| !value.is_empty()).ok_or_else(|| WxError::new(missing))
    }
}

/// One call to the platform, after the checks that all calls have in common.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) path: String,
    pub(crate) query: Params,
    pub(crate) body: Bytes,
    /// Which account the token belongs to; its index. 0 where no token is asked for.
    pub(crate) account: usize,
    /// Milliseconds since 1970.
    pub(crate) now: i64,
    pub(crate) peer: std::net::IpAddr,
    /// `http://host:port` under which the caller reached us, for links to ourselves.
    pub(crate) origin: String,
}

impl Call {
    /// The body as a JSON object: 44002 when there is none, 47001 when it can't be read.
    pub(crate) fn object(&self) -> Result<Map<String, Value>, WxError> {
        if self.body.trim_ascii().is_empty() {
            return Err(WxError::new(44002));
        }
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(map)) => Ok(map),
            _ => Err(WxError::new(47001)),
        }
    }
}

/// A text field that must be there and not empty.
pub(crate) fn text<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    map.get(name).and_then(Value::as_str).filter(|value| !value.is_empty())
}

/// What a call leads to.
pub(crate) struct Done {
    pub(crate) answer: Answer,
    /// A push that belongs to the call, and whether it is sent before the answer.
    pub(crate) push: Option<(PushJob, bool)>,
}

/// The body of an answer.
pub(crate) enum Answer {
    Json(Value),
    File { content_type: String, name: String, bytes: Bytes },
    NotFound,
}

impl From<Value> for Done {
    fn from(value: Value) -> Self {
        Self { answer: Answer::Json(value), push: None }
    }
}

/// `{"errcode":0,"errmsg":"ok"}`
pub(crate) fn ok() -> Done {
    json!({ "errcode": 0, "errmsg": "ok" }).into()
}

/// Adds a field to an object.
pub(crate) fn put(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(map) = object {
        map.insert(name.to_owned(), value);
    }
}
