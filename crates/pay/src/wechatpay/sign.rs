//! Our signatures: requests, and the parameters with which a page opens the payment sheet.

use base::UnixMs;
use serde::Serialize;

use super::keys::Merchant;
use crate::crypto::{self, CryptoError};

/// The text that is signed for a request: five lines, each ended by a line feed. `target` is path and query as sent.
#[must_use]
pub fn request_text(method: &str, target: &str, timestamp: i64, nonce: &str, body: &[u8]) -> Vec<u8> {
    let mut text = format!("{method}\n{target}\n{timestamp}\n{nonce}\n").into_bytes();
    text.extend_from_slice(body);
    text.push(b'\n');
    text
}

/// The value of the `Authorization` header.
///
/// # Errors
/// [`CryptoError`] when the key can't sign.
pub fn authorization(
    merchant: &Merchant,
    method: &str,
    target: &str,
    timestamp: i64,
    nonce: &str,
    body: &[u8],
) -> Result<String, CryptoError> {
    let signature = merchant.private_key.sign(&request_text(method, target, timestamp, nonce, body))?;
    Ok(format!(
        "WECHATPAY2-SHA256-RSA2048 mchid=\"{}\",nonce_str=\"{nonce}\",signature=\"{signature}\",\
         timestamp=\"{timestamp}\",serial_no=\"{}\"",
        merchant.mchid, merchant.serial_no
    ))
}

/// What a page hands to `getBrandWCPayRequest`, or a mini program to `wx.requestPayment`. The result that the page gets
/// is a hint only; truth is the notice or a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientPay {
    /// The appid that the order was placed under. Signed; a mini program does not pass it on.
    pub app_id: String,
    /// Seconds since 1970, as text.
    pub time_stamp: String,
    /// 32 letters and digits.
    pub nonce_str: String,
    /// `prepay_id=…`.
    pub package: String,
    /// `RSA`. Not signed.
    pub sign_type: &'static str,
    /// The signature.
    pub pay_sign: String,
}

/// The text under `paySign`: four lines. `line4` is `prepay_id=…`; in an app it is the bare prepay id.
#[must_use]
pub fn pay_text(appid: &str, timestamp: &str, nonce: &str, line4: &str) -> String {
    format!("{appid}\n{timestamp}\n{nonce}\n{line4}\n")
}

impl Merchant {
    /// Signs what the page needs. A prepay id lives two hours; this may be made anew at any time before.
    ///
    /// # Errors
    /// [`CryptoError`] when the key can't sign.
    pub fn client_pay(&self, appid: &str, prepay_id: &str, now: UnixMs) -> Result<ClientPay, CryptoError> {
        self.client_pay_with(appid, prepay_id, &now.seconds().to_string(), &crypto::nonce(32))
    }

    /// [`Merchant::client_pay`] with time and nonce given, for tests that compare bytes.
    ///
    /// # Errors
    /// [`CryptoError`].
    pub fn client_pay_with(
        &self,
        appid: &str,
        prepay_id: &str,
        timestamp: &str,
        nonce: &str,
    ) -> Result<ClientPay, CryptoError> {
        let package = format!("prepay_id={prepay_id}");
        let pay_sign = self.private_key.sign(pay_text(appid, timestamp, nonce, &package).as_bytes())?;
        Ok(ClientPay {
            app_id: appid.to_owned(),
            time_stamp: timestamp.to_owned(),
            nonce_str: nonce.to_owned(),
            package,
            sign_type: "RSA",
            pay_sign,
        })
    }
}
