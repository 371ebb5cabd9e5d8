//! What WeChat sends us: proved, opened, read.
//!
//! How to answer: store the raw bytes first, commit, then 200 or 204 within five seconds. Anything that failed here is a 4xx
//! with [`refusal_body`]; WeChat then sends it again.

use base::UnixMs;
use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::keys::Merchant;
use super::medins::MixedOrder;
use super::model::{Refund, RefundStatus, Transaction};
use super::verify::{self, VerifyError};
use crate::Verified;
use crate::outcome::{Expected, Mismatch};

/// No notice is longer than this.
pub const MAX_BODY: usize = 128 << 10;

/// A proved and opened notice.
#[derive(Debug, Clone)]
pub struct Notice {
    /// Its id: the same for repeats. Unique key of the inbox.
    pub id: String,
    /// `TRANSACTION.SUCCESS` and so on.
    pub event_type: String,
    /// What it says.
    pub event: Event,
}

/// What a notice says.
#[derive(Debug, Clone)]
pub enum Event {
    /// An order was paid.
    Transaction(Box<Transaction>),
    /// A refund has ended.
    Refund(Box<Refund>),
    /// An order with medical insurance was paid.
    MedicalInsurance(Box<MixedOrder>),
    /// An event that this version does not know: keep it, answer 200, alarm. Holds no content.
    Unknown,
}

/// Why a notice was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoticeError {
    /// Larger than any notice.
    #[error("too large")]
    TooLarge,
    /// It does not prove itself.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// Proved, but no v3 notice: an old XML form, a resource in clear.
    #[error("envelope: {0}")]
    Envelope(&'static str),
    /// Proved, but none of our APIv3 keys opens it.
    #[error("can't be opened with our APIv3 key")]
    Decrypt,
    /// Opened, but what is inside does not fit its name. An incident.
    #[error("content: {0}")]
    Content(&'static str),
}

#[derive(Deserialize)]
struct Envelope {
    id: String,
    event_type: String,
    resource_type: String,
    resource: Resource,
}

#[derive(Deserialize)]
struct Resource {
    algorithm: String,
    ciphertext: String,
    #[serde(default)]
    associated_data: Option<String>,
    nonce: String,
}

/// The body of a refusal.
#[must_use]
pub fn refusal_body(why: &str) -> String {
    serde_json::json!({ "code": "FAIL", "message": why }).to_string()
}

impl Merchant {
    /// Proves, opens and reads a notice. `body` is exactly what came in.
    ///
    /// # Errors
    /// [`NoticeError`]: the first check that failed.
    pub fn open_notice(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: UnixMs,
    ) -> Result<Verified<Notice>, NoticeError> {
        if body.len() > MAX_BODY {
            return Err(NoticeError::TooLarge);
        }
        let proved = verify::check(&self.ring, headers, body, now)?;
        let by = proved.by().to_owned();
        read(self, proved.into_inner()).map(|notice| Verified::seal(notice, by))
    }
}

/// What follows the signature. Separate, so that fuzzing reaches it.
pub(crate) fn read(merchant: &Merchant, body: &[u8]) -> Result<Notice, NoticeError> {
    let envelope: Envelope =
        serde_json::from_slice(body).map_err(|_| NoticeError::Envelope("not a v3 notice in JSON"))?;
    if envelope.resource_type != "encrypt-resource" {
        return Err(NoticeError::Envelope("the resource is not sealed"));
    }
    let plain = open(merchant, &envelope.resource)?;
    let event = event(&envelope.event_type, &plain)?;
    Ok(Notice { id: envelope.id, event_type: envelope.event_type, event })
}

fn open(merchant: &Merchant, resource: &Resource) -> Result<Zeroizing<Vec<u8>>, NoticeError> {
    if resource.algorithm != "AEAD_AES_256_GCM" {
        return Err(NoticeError::Decrypt);
    }
    let associated = resource.associated_data.as_deref().unwrap_or_default();
    let opened = merchant
        .apiv3_keys
        .iter()
        .find_map(|key| key.open(&resource.nonce, associated, &resource.ciphertext).ok());
    let opened = opened.ok_or(NoticeError::Decrypt)?;
    // What opens but is no JSON was sealed by somebody else.
    serde_json::from_slice::<&RawValue>(&opened).map_err(|_| NoticeError::Decrypt)?;
    Ok(opened)
}

fn event(event_type: &str, plain: &[u8]) -> Result<Event, NoticeError> {
    let family = event_type.split('.').next().unwrap_or_default();
    match family {
        "TRANSACTION" => {
            let read = serde_json::from_slice::<Transaction>(plain);
            let order = read.map_err(|_| NoticeError::Content("not an order"))?;
            if event_type == "TRANSACTION.SUCCESS" && !order.trade_state.is_paid() {
                return Err(NoticeError::Content("the event says paid, the order does not"));
            }
            Ok(Event::Transaction(Box::new(order)))
        }
        "REFUND" => {
            let read = serde_json::from_slice::<Refund>(plain);
            let refund = read.map_err(|_| NoticeError::Content("not a refund"))?;
            let fits = match event_type {
                "REFUND.SUCCESS" => refund.status == RefundStatus::Success,
                "REFUND.ABNORMAL" => refund.status == RefundStatus::Abnormal,
                "REFUND.CLOSED" => refund.status == RefundStatus::Closed,
                _ => true,
            };
            if !fits {
                return Err(NoticeError::Content("event and refund differ"));
            }
            Ok(Event::Refund(Box::new(refund)))
        }
        "MEDICAL_INSURANCE" => {
            let read = serde_json::from_slice::<MixedOrder>(plain);
            let order = read.map_err(|_| NoticeError::Content("not an order with medical insurance"))?;
            Ok(Event::MedicalInsurance(Box::new(order)))
        }
        _ => Ok(Event::Unknown),
    }
}

impl Notice {
    /// Holds a payment against our order; other events pass, they have checks of their own.
    ///
    /// # Errors
    /// The first difference.
    pub fn check(&self, expected: &Expected<'_>) -> Result<(), Mismatch> {
        match &self.event {
            Event::Transaction(order) => order.check(expected),
            Event::Refund(_) | Event::MedicalInsurance(_) | Event::Unknown => Ok(()),
        }
    }
}
