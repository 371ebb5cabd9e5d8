//! The outer body of an encrypted push or reply, in XML and in JSON.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Error, Format, xml_envelope};
use crate::xml;

/// Repeated keys are an error of serde's derived reader, a number in place of the text too. WeCom's smart robots write
/// `encrypt`.
#[derive(Deserialize)]
struct JsonPush {
    #[serde(rename = "Encrypt", alias = "encrypt")]
    encrypt: Option<String>,
    #[serde(rename = "MsgType")]
    msg_type: Option<serde::de::IgnoredAny>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct JsonReply<'a> {
    encrypt: &'a str,
    msg_signature: &'a str,
    time_stamp: i64,
    nonce: &'a str,
}

/// The `Encrypt` value of a body, or `None` when the body is well-formed and has none.
pub(super) fn read(format: Format, body: &str) -> Result<Option<Cow<'_, str>>, Error> {
    const REPEATED: Error = Error::Envelope("Encrypt missing, empty or repeated");
    let found = match format {
        Format::Json => read_json(body)?.encrypt.map(Cow::Owned),
        Format::Xml => {
            let mut root = read_xml(body)?;
            root.children.retain(|child| child.name == "Encrypt");
            // Which of two was signed? Never take one and sign the other.
            if root.children.len() > 1 {
                return Err(REPEATED);
            }
            root.children.pop().map(|element| match element.text {
                Cow::Borrowed(text) => Cow::Borrowed(text.trim_ascii()),
                Cow::Owned(text) => Cow::Owned(text.trim_ascii().to_owned()),
            })
        }
    };
    match found {
        Some(encrypt) if encrypt.is_empty() => Err(REPEATED),
        found => Ok(found),
    }
}

/// True when the body can be read without decrypting (plain and compatible mode).
pub(super) fn has_plain_fields(format: Format, body: &str) -> bool {
    match format {
        Format::Json => read_json(body).is_ok_and(|push| push.msg_type.is_some()),
        Format::Xml => read_xml(body).is_ok_and(|root| root.all("MsgType").next().is_some()),
    }
}

fn read_json(body: &str) -> Result<JsonPush, Error> {
    serde_json::from_str(body).map_err(|_| Error::Envelope("not the JSON of a push"))
}

fn read_xml(body: &str) -> Result<xml::Element<'_>, Error> {
    let root = xml::parse(body).map_err(|malformed| Error::Envelope(malformed.0))?;
    if root.name == "xml" { Ok(root) } else { Err(Error::Envelope("root element is not xml")) }
}

/// The envelope of an encrypted reply.
pub(super) fn write(format: Format, encrypt: &str, signature: &str, timestamp: i64, nonce: &str) -> String {
    match format {
        Format::Xml => xml_envelope(encrypt, signature, timestamp, nonce),
        Format::Json => {
            let reply = JsonReply { encrypt, msg_signature: signature, time_stamp: timestamp, nonce };
            // Four fields of text and number: this cannot fail, and an empty body means "received" to WeChat.
            serde_json::to_string(&reply).unwrap_or_default()
        }
    }
}
