//! Signatures for the JS-SDK, by which a page of ours may scan, locate, or close itself.

use aws_lc_rs::digest;
use serde::Serialize;

use super::{Client, Error};

/// What the page gives to `wx.config`; there the nonce's name is `nonceStr`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JsConfig {
    /// The account.
    pub app_id: String,
    /// Seconds since 1970.
    pub timestamp: i64,
    /// The nonce that was signed.
    pub nonce_str: String,
    /// The signature.
    pub signature: String,
}

/// The signature of a page. `page` is the address that the browser reports; what follows a `#` is left out, everything else
/// counts as it stands: nothing is decoded, sorted or shortened. On iOS a single-page app is still at the address it was entered by.
pub fn sign(ticket: &str, nonce: &str, timestamp_s: i64, page: &str) -> String {
    let page = page.split('#').next().unwrap_or_default();
    let text = format!("jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp_s}&url={page}");
    hex::encode(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()))
}

impl Client {
    /// Signs a page now. Accept only addresses of our own hosts: whoever has a signature acts as the account on that page.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn js_config(&self, page: &str, nonce: &str) -> Result<JsConfig, Error> {
        let ticket = self.0.ticket.get(|_force| self.fetch_ticket()).await?.token;
        let timestamp = self.now_ms().div_euclid(1000);
        Ok(JsConfig {
            app_id: self.appid().to_owned(),
            timestamp,
            nonce_str: nonce.to_owned(),
            signature: sign(ticket.reveal(), nonce, timestamp, page),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::sign;

    #[test]
    fn every_case_of_the_vectors() {
        let file: Value = serde_json::from_str(include_str!("../../vectors/wechat_jssdk.json")).unwrap();
        let cases = file["cases"].as_array().unwrap();
        assert_eq!(cases.len(), 29);
        for case in cases {
            let text = |field: &str| case[field].as_str().unwrap();
            let signature = sign(
                text("jsapi_ticket"),
                text("noncestr"),
                case["timestamp"].as_i64().unwrap(),
                text("page_url"),
            );
            assert_eq!(signature, text("signature"), "{}", text("name"));
        }
        for wrong in file["negative"].as_array().unwrap() {
            assert_ne!(wrong["wrong_signature"], wrong["right_signature"]);
            assert!(cases.iter().all(|case| case["signature"] != wrong["wrong_signature"]));
        }
    }
}
