//! Asynchronous notices: a form, signed over its bytes.
//!
//! How to answer: store the raw bytes first, commit, then exactly [`ACCEPTED`] with 200. Anything else is sent again.

use std::collections::BTreeMap;

use base::{Fen, UnixMs};
use encoding_rs::GBK;

use super::keys::{KeyError, Merchant};
use super::model::TradeStatus;
use crate::outcome::{Expected, Mismatch};
use crate::{Verified, moment, yuan};

/// The whole body of an answer that takes a notice.
pub const ACCEPTED: &str = "success";

/// No notice is longer than this.
pub const MAX_BODY: usize = 128 << 10;

/// A proved notice: its members as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The same for repeats. Unique key of the inbox.
    pub notify_id: String,
    /// What it says.
    pub event: Event,
}

/// What a notice says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The state of a trade has changed: paid, closed, refunded.
    Trade(Box<TradeNotice>),
    /// A message of another kind: keep it, answer success.
    Other {
        /// `msg_method` or `notify_type`.
        kind: String,
    },
}

/// The state of a trade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TradeNotice {
    /// Our application.
    pub app_id: String,
    /// Our seller id.
    pub seller_id: String,
    /// Alipay's number.
    pub trade_no: String,
    /// Ours.
    pub out_trade_no: String,
    /// The state.
    pub trade_status: TradeStatus,
    /// The order's total.
    pub total_amount: Fen,
    /// The total refunded so far; only in notices about a refund.
    pub refund_fee: Option<Fen>,
    /// Our number of that refund.
    pub out_biz_no: Option<String>,
    /// When it was paid; absent when it never was.
    pub gmt_payment: Option<UnixMs>,
    /// When something went back.
    pub gmt_refund: Option<UnixMs>,
    /// When it was closed.
    pub gmt_close: Option<UnixMs>,
    /// What we sent along, still percent-encoded if we sent it so.
    pub passback_params: Option<String>,
}

impl TradeNotice {
    /// Holds it against our order.
    ///
    /// # Errors
    /// The first difference.
    pub fn check(&self, expected: &Expected<'_>) -> Result<(), Mismatch> {
        let differs = |different: bool, what| if different { Err(what) } else { Ok(()) };
        differs(self.seller_id != expected.merchant, Mismatch::Merchant)?;
        differs(self.app_id != expected.app, Mismatch::App)?;
        differs(self.out_trade_no != expected.out_trade_no, Mismatch::Order)?;
        differs(self.total_amount != expected.total, Mismatch::Amount)
    }

    /// It tells of a refund, not of a payment: it must not be booked as one.
    #[must_use]
    pub fn is_refund(&self) -> bool {
        self.refund_fee.is_some_and(|fee| fee > Fen::ZERO) || self.gmt_refund.is_some()
    }

    /// It tells that the order was just paid.
    #[must_use]
    pub fn is_payment(&self) -> bool {
        self.trade_status.is_paid() && !self.is_refund()
    }
}

/// Why a notice was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoticeError {
    /// Larger than any notice.
    #[error("too large")]
    TooLarge,
    /// No form, or a member twice.
    #[error("form: {0}")]
    Form(&'static str),
    /// No `sign`.
    #[error("not signed")]
    NotSigned,
    /// Another algorithm than RSA2: our settings say, not the message.
    #[error("sign_type is not RSA2")]
    SignType,
    /// A certificate that we do not hold.
    #[error("certificate {0:?} is not held")]
    UnknownCertificate(String),
    /// It does not fit.
    #[error("the signature does not fit {0} bytes of body")]
    Signature(usize),
    /// Proved, but not readable.
    #[error("content: {0}")]
    Content(&'static str),
}

impl Merchant {
    /// Proves and reads a notice. `body` is exactly what came in.
    ///
    /// # Errors
    /// [`NoticeError`].
    pub fn open_notice(&self, body: &[u8]) -> Result<Verified<Notice>, NoticeError> {
        if body.len() > MAX_BODY {
            return Err(NoticeError::TooLarge);
        }
        let members = form(body)?;
        let get = |name: &str| members.get(name.as_bytes()).map(Vec::as_slice);
        let sign = get("sign").and_then(|sign| std::str::from_utf8(sign).ok()).unwrap_or_default();
        if sign.is_empty() {
            return Err(NoticeError::NotSigned);
        }
        if get("sign_type").is_some_and(|kind| kind != b"RSA2") {
            return Err(NoticeError::SignType);
        }
        let sn = get("alipay_cert_sn").and_then(|sn| std::str::from_utf8(sn).ok());
        // Trade notices leave sign_type out of the text; messages of the newer service keep it in.
        let prove = |keep: bool| self.keys.verify(sn, &content(&members, keep), sign);
        let by = match prove(false) {
            Err(KeyError::Signature) => prove(true),
            other => other,
        };
        let by = by.map_err(|error| match error {
            KeyError::Unknown(sn) => NoticeError::UnknownCertificate(sn),
            KeyError::Signature => NoticeError::Signature(body.len()),
        })?;
        read(&members).map(|notice| Verified::seal(notice, by))
    }
}

type Members = BTreeMap<Vec<u8>, Vec<u8>>;

/// Percent-decodes each member once, to bytes: what they mean in which charset comes after the signature.
pub(crate) fn form(body: &[u8]) -> Result<Members, NoticeError> {
    let mut members = Members::new();
    for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let (name, value) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
        if members.insert(decode(name), decode(value)).is_some() {
            return Err(NoticeError::Form("a member comes twice"));
        }
    }
    if members.is_empty() { Err(NoticeError::Form("empty")) } else { Ok(members) }
}

fn decode(text: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_encoding::percent_decode(&spaced).collect()
}

fn content(members: &Members, keep_sign_type: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in members {
        if name == b"sign" || (name == b"sign_type" && !keep_sign_type) {
            continue;
        }
        if !out.is_empty() {
            out.push(b'&');
        }
        out.extend_from_slice(name);
        out.push(b'=');
        out.extend_from_slice(value);
    }
    out
}

pub(crate) fn read(members: &Members) -> Result<Notice, NoticeError> {
    let gbk = members.get(b"charset".as_slice()).is_some_and(|charset| {
        charset.eq_ignore_ascii_case(b"gbk") || charset.eq_ignore_ascii_case(b"gb2312")
    });
    let get = |name: &str| -> Result<Option<String>, NoticeError> {
        let Some(bytes) = members.get(name.as_bytes()).filter(|bytes| !bytes.is_empty()) else {
            return Ok(None);
        };
        if gbk {
            let (text, wrong) = GBK.decode_without_bom_handling(bytes);
            return if wrong { Err(NoticeError::Content("not GBK")) } else { Ok(Some(text.into_owned())) };
        }
        String::from_utf8(bytes.clone()).map(Some).map_err(|_| NoticeError::Content("not UTF-8"))
    };
    let need = |name, why| get(name)?.ok_or(NoticeError::Content(why));
    let notify_id = need("notify_id", "no notify_id")?;
    if get("trade_status")?.is_none() {
        let kind = get("msg_method")?.or(get("notify_type")?).unwrap_or_default();
        return Ok(Notice { notify_id, event: Event::Other { kind } });
    }
    let fen = |name| -> Result<Option<Fen>, NoticeError> {
        get(name)?
            .map(|text| yuan::parse(&text).map_err(|_| NoticeError::Content("not an amount")))
            .transpose()
    };
    let at = |name| -> Result<Option<UnixMs>, NoticeError> {
        // Some of them have fractions of a second behind a point.
        Ok(get(name)?.and_then(|text| moment::parse_beijing(text.split('.').next().unwrap_or_default())))
    };
    let trade = TradeNotice {
        app_id: need("app_id", "no app_id")?,
        seller_id: need("seller_id", "no seller_id")?,
        trade_no: need("trade_no", "no trade_no")?,
        out_trade_no: need("out_trade_no", "no out_trade_no")?,
        trade_status: TradeStatus::from(need("trade_status", "no trade_status")?),
        total_amount: fen("total_amount")?.ok_or(NoticeError::Content("no total_amount"))?,
        refund_fee: fen("refund_fee")?,
        out_biz_no: get("out_biz_no")?,
        gmt_payment: at("gmt_payment")?,
        gmt_refund: at("gmt_refund")?,
        gmt_close: at("gmt_close")?,
        passback_params: get("passback_params")?,
    };
    Ok(Notice { notify_id, event: Event::Trade(Box::new(trade)) })
}
