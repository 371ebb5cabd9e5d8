//! What stands in the address of a callback.

use percent_encoding::percent_decode_str;
use serde::Deserialize;

/// The query parameters of a callback; what is absent is empty. Others are ignored: the URL that the administrator entered may
/// have a query of its own, to which WeChat appends.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Query {
    /// Over token, timestamp, nonce. Does not cover the body.
    pub signature: String,
    /// Over token, timestamp, nonce and `Encrypt` (or WeCom's `echostr`).
    pub msg_signature: String,
    /// Seconds since 1970, by WeChat's clock. New for each retry.
    pub timestamp: String,
    /// Random digits. New for each retry.
    pub nonce: String,
    /// Only on the GET that checks the URL.
    pub echostr: Option<String>,
    /// `aes` in compatible and safe mode. Informative: what decides is our own setting.
    pub encrypt_type: String,
    /// The sender, in official accounts' pushes. Not covered by any signature: read it from the message.
    pub openid: String,
}

impl Query {
    /// Reads the query string of a request, percent-decoding once.
    ///
    /// A `+` stays a `+`: WeChat escapes spaces and plus signs alike, and the base64 of WeCom's `echostr` breaks when some
    /// proxy has unescaped its plus signs and a form decoder then turns them into spaces. Of a repeated parameter the last
    /// counts, since WeChat appends.
    pub fn parse(query: &str) -> Self {
        let mut out = Self::default();
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = || percent_decode_str(value).decode_utf8_lossy().into_owned();
            match name {
                "signature" => out.signature = value(),
                "msg_signature" => out.msg_signature = value(),
                "timestamp" => out.timestamp = value(),
                "nonce" => out.nonce = value(),
                "echostr" => out.echostr = Some(value()),
                "encrypt_type" => out.encrypt_type = value(),
                "openid" => out.openid = value(),
                _ => {}
            }
        }
        out
    }
}

impl std::fmt::Debug for Query {
    /// Without the openid (a person) and the signatures (they open a URL check again).
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Query")
            .field("timestamp", &self.timestamp)
            .field("nonce", &self.nonce)
            .field("encrypt_type", &self.encrypt_type)
            .finish_non_exhaustive()
    }
}
