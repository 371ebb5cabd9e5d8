//! The SMS vendor: `POST /sms/v1/send`, `GET /sms/v1/query`.
//!
//! Our reference, `out_id`, is what the vendor knows a message by: the same one is sent once, and can be asked about.

use std::collections::BTreeMap;
use std::time::Duration;

use base::{HospitalId, Lang, Secret, Text2};
use serde::{Deserialize, Serialize};
use store::vault::Purpose;
use store::{Db, Result, Tx, Vault};

use crate::model::DeliveryId;
use crate::rules::{Outcome, Why, sms_refusal};
use crate::store::sms::{self, VendorRow};

const TIMEOUT: Duration = Duration::from_secs(10);
const FIELD: &str = "sms_vendor.app_secret";
/// More than any answer of these two calls.
const MAX_ANSWER: usize = 64 << 10;

/// A hospital's contract with its vendor.
#[derive(Debug, Clone)]
pub struct NewVendor {
    /// The address before `/sms/v1/…`.
    pub base_url: String,
    /// Who calls.
    pub app_key: String,
    /// Proves it. Kept sealed.
    pub app_secret: Secret,
    /// The approved signature for each language; the vendor puts it in 【】 before the text.
    pub sign: Text2,
}

/// Sets a hospital's vendor, in place of the one before.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn set_vendor(tx: &mut Tx, vault: &Vault, hospital: HospitalId, new: NewVendor) -> Result<()> {
    let row = VendorRow {
        base_url: new.base_url.trim_end_matches('/').to_owned(),
        app_key: new.app_key,
        app_secret: vault.seal(hospital, FIELD, new.app_secret.expose())?,
        sign: new.sign,
    };
    sms::put(tx, hospital, row).await
}

/// The hospitals that have a vendor: where people can sign in with a code by SMS.
///
/// # Errors
/// Any [`store::StoreError`].
pub async fn hospitals_with_vendor(db: &Db) -> Result<Vec<HospitalId>> {
    sms::with_vendor(db).await
}

/// A vendor, ready to be called.
#[derive(Debug, Clone)]
pub(crate) struct Vendor {
    http: reqwest::Client,
    base_url: String,
    app_key: String,
    app_secret: Secret,
    sign: Text2,
}

/// A message for the vendor.
#[derive(Debug, Clone)]
pub(crate) struct Sms {
    pub(crate) phone: Secret,
    pub(crate) template_code: String,
    pub(crate) params: BTreeMap<String, String>,
    pub(crate) lang: Lang,
    pub(crate) out_id: DeliveryId,
}

/// What the vendor knows of a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Something became of it.
    Known(Outcome),
    /// It never got there.
    NotThere,
    /// The vendor could not be asked.
    Failed(Why),
}

#[derive(Serialize)]
struct SendBody<'a> {
    phone: &'a str,
    sign: &'a str,
    template_code: &'a str,
    params: &'a BTreeMap<String, String>,
    out_id: String,
}

#[derive(Deserialize)]
struct Answer {
    code: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    biz_id: Option<String>,
    #[serde(default)]
    state: Option<String>,
}

/// The vendor of a hospital, if it has one.
pub(crate) async fn vendor(
    db: &Db,
    vault: &Vault,
    http: &reqwest::Client,
    hospital: HospitalId,
) -> Result<Option<Vendor>> {
    let Some(row) = sms::get(db, hospital).await? else { return Ok(None) };
    let secret = vault.open_sealed(hospital, FIELD, &row.app_secret, Purpose::Notify)?;
    Ok(Some(Vendor {
        http: http.clone(),
        base_url: row.base_url,
        app_key: row.app_key,
        app_secret: Secret::new(secret),
        sign: row.sign,
    }))
}

impl Vendor {
    /// Hands a message over.
    pub(crate) async fn send(&self, sms: &Sms) -> Outcome {
        let body = SendBody {
            phone: sms.phone.expose(),
            sign: self.sign.get(sms.lang),
            template_code: &sms.template_code,
            params: &sms.params,
            out_id: sms.out_id.db(),
        };
        let request = self.http.post(format!("{}/sms/v1/send", self.base_url)).json(&body);
        match self.answer(request).await {
            Ok(answer) if answer.code == "OK" => Outcome::Accepted { platform_id: answer.biz_id },
            Ok(answer) => sms_refusal(&answer.code, &answer.message),
            Err(outcome) => outcome,
        }
    }

    /// Asks what became of a message.
    pub(crate) async fn ask(&self, out_id: DeliveryId) -> Asked {
        let request =
            self.http.get(format!("{}/sms/v1/query", self.base_url)).query(&[("out_id", out_id.db())]);
        match self.answer(request).await {
            Ok(answer) if answer.code == "OK" => known(answer),
            Ok(answer) => Asked::Failed(Why::new(answer.code, answer.message)),
            Err(outcome) => Asked::Failed(match outcome {
                Outcome::Later(why) | Outcome::Unclear(why) | Outcome::Trouble(why) => why,
                other => Why::new(other.word(), ""),
            }),
        }
    }

    /// Sends a request, with the secret in headers that no log of addresses shows.
    async fn answer(&self, request: reqwest::RequestBuilder) -> std::result::Result<Answer, Outcome> {
        let request = request
            .header("x-app-key", &self.app_key)
            .header("x-app-secret", self.app_secret.expose())
            .timeout(TIMEOUT);
        let mut response = request.send().await.map_err(|error| transport(&error))?;
        let status = response.status().as_u16();
        let unclear = |code: &str| Outcome::Unclear(Why::new(code, "the vendor's answer could not be read"));
        match status {
            200 => {}
            429 => return Err(Outcome::Later(Why::new("http_429", "the vendor asks for slower calls"))),
            500.. => return Err(unclear(&format!("http_{status}"))),
            _ => {
                let why = Why::new(format!("http_{status}"), "the vendor's address does not take this");
                return Err(Outcome::Trouble(why));
            }
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| unclear("no_answer"))? {
            if bytes.len().saturating_add(chunk.len()) > MAX_ANSWER {
                return Err(unclear("too_long"));
            }
            bytes.extend_from_slice(&chunk);
        }
        serde_json::from_slice(&bytes).map_err(|_| unclear("not_json"))
    }
}

/// A request that surely never left, or one that may have arrived. The error's address is left out: it may hold a reference.
fn transport(error: &reqwest::Error) -> Outcome {
    if error.is_connect() || error.is_builder() || error.is_dns() {
        Outcome::Later(Why::new("not_sent", "the vendor could not be reached"))
    } else {
        Outcome::Unclear(Why::new("no_answer", "the vendor did not answer"))
    }
}

fn known(answer: Answer) -> Asked {
    match answer.state.as_deref() {
        Some("unknown") | None => Asked::NotThere,
        Some("delivered") => Asked::Known(Outcome::Delivered),
        Some("failed") => {
            Asked::Known(Outcome::Bounced(Why::new("failed", "the vendor says it did not arrive")))
        }
        Some(_) => Asked::Known(Outcome::Accepted { platform_id: answer.biz_id }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_vendor_knows() {
        let read = |text: &str| known(serde_json::from_str(text).unwrap());
        assert_eq!(read(r#"{"code":"OK","state":"unknown"}"#), Asked::NotThere);
        assert_eq!(
            read(r#"{"code":"OK","state":"delivered","biz_id":"1"}"#),
            Asked::Known(Outcome::Delivered)
        );
        assert!(matches!(read(r#"{"code":"OK","state":"failed"}"#), Asked::Known(Outcome::Bounced(_))));
        let accepted = Outcome::Accepted { platform_id: Some("9".into()) };
        assert_eq!(read(r#"{"code":"OK","state":"sending","biz_id":"9"}"#), Asked::Known(accepted));
    }
}
