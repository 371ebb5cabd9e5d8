//! Reads the gateway's answers.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::keys::{KeyError, Merchant};
use crate::Verified;
use crate::outcome::{Doubt, Outcome, Refusal, Retry, Why};

/// Why an answer does not prove itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// No JSON object.
    #[error("not JSON")]
    NotJson,
    /// Neither the member of the called method nor `error_response`.
    #[error("another method's answer")]
    OtherMethod,
    /// No signature in it.
    #[error("not signed")]
    NotSigned,
    /// A certificate that we do not hold: fetch it.
    #[error("certificate {0:?} is not held")]
    UnknownCertificate(String),
    /// It does not fit.
    #[error("the signature does not fit")]
    Signature,
}

/// The raw text of the member that answers `method`, proved.
///
/// # Errors
/// [`AnswerError`].
pub fn prove<'a>(
    merchant: &Merchant,
    method: &str,
    body: &'a [u8],
) -> Result<Verified<&'a str>, AnswerError> {
    let members: BTreeMap<Cow<'a, str>, &'a RawValue> =
        serde_json::from_slice(body).map_err(|_| AnswerError::NotJson)?;
    let node = format!("{}_response", method.replace('.', "_"));
    let raw = members.get(node.as_str()).or_else(|| members.get("error_response"));
    let raw = raw.ok_or(AnswerError::OtherMethod)?.get();
    let text = |name: &str| -> Option<String> { serde_json::from_str(members.get(name)?.get()).ok() };
    let sign = text("sign").filter(|sign| !sign.is_empty()).ok_or(AnswerError::NotSigned)?;
    let sn = text("alipay_cert_sn");
    let by = merchant.keys.verify(sn.as_deref(), raw.as_bytes(), &sign).map_err(|error| match error {
        KeyError::Unknown(sn) => AnswerError::UnknownCertificate(sn),
        KeyError::Signature => AnswerError::Signature,
    })?;
    Ok(Verified::seal(raw, by))
}

#[derive(Deserialize)]
struct Head {
    code: String,
    #[serde(default)]
    msg: String,
    #[serde(default)]
    sub_code: String,
    #[serde(default)]
    sub_msg: String,
}

/// Sorts a proved member by its code.
pub(crate) fn judge<T>(proved: Verified<&str>, read: fn(&str) -> Result<T, &'static str>) -> Outcome<T> {
    let Ok(head) = serde_json::from_str::<Head>(&proved) else {
        return Outcome::unknown(Why::Unreadable("no code"), Retry::QueryThenSame, None);
    };
    let sub = if head.sub_code.is_empty() { head.code.clone() } else { head.sub_code.clone() };
    let trouble = matches!(head.code.as_str(), "10003" | "20000" | "40005")
        || matches!(
            sub.as_str(),
            "ACQ.SYSTEM_ERROR" | "aop.ACQ.SYSTEM_ERROR" | "isp.unknow-error" | "aop.unknow-error"
        );
    match head.code.as_str() {
        "10000" => Outcome::Done(proved).and_read(read),
        _ if trouble => Outcome::Unknown(Doubt {
            why: Why::Trouble { status: 200, code: sub },
            retry: Retry::QueryThenSame,
            request_id: None,
        }),
        "20001" | "40001" | "40002" | "40004" | "40006" => {
            let retry = match sub.as_str() {
                "ACQ.SELLER_BALANCE_NOT_ENOUGH" => Retry::SameNumber,
                "ACQ.TRADE_NOT_EXIST" | "ACQ.TRADE_STATUS_ERROR" | "ACQ.TRADE_HAS_SUCCESS" => {
                    Retry::QueryThenSame
                }
                "ACQ.TRADE_HAS_CLOSE" => Retry::NewNumber,
                _ => Retry::Never,
            };
            let message = if head.sub_msg.is_empty() { head.msg } else { head.sub_msg };
            Outcome::Refused(Refusal { code: sub, message, status: 200, retry, request_id: None })
        }
        _ => {
            let why = Why::Trouble { status: 200, code: sub };
            Outcome::unknown(why, Retry::QueryThenSame, None)
        }
    }
}
