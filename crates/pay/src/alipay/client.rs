//! Sends calls to the gateway, signs pages, keeps the keys.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use base::Clock;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use tokio::sync::Mutex;

use super::answer::{self, AnswerError};
use super::calls::{self, Call};
use super::keys::{AlipayKeys, Merchant};
use super::model::BillUrl;
use super::sign;
use crate::crypto::CryptoError;
use crate::outcome::{Doubt, Outcome, Retry, Why};
use crate::{Verified, moment, wire};

/// Where the gateway is, and how patient we are.
#[derive(Debug, Clone)]
pub struct Config {
    /// `https://openapi.alipay.com/gateway.do`, its sandbox, or a simulator.
    pub gateway: String,
    /// For one call.
    pub timeout: Duration,
    /// The largest bill file that is fetched, in bytes.
    pub max_bill: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            gateway: "https://openapi.alipay.com/gateway.do".into(),
            timeout: Duration::from_secs(10),
            max_bill: 1 << 30,
        }
    }
}

/// One application's line to Alipay. Cheap to share; keys can be swapped under way.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    config: Config,
    clock: Clock,
    merchant: ArcSwap<Merchant>,
    fetching: Mutex<()>,
}

impl Client {
    /// A client that sends through `http`.
    #[must_use]
    pub fn new(http: reqwest::Client, config: Config, clock: Clock, merchant: Merchant) -> Self {
        Self { http, config, clock, merchant: ArcSwap::from_pointee(merchant), fetching: Mutex::new(()) }
    }

    /// The merchant and keys of this moment.
    #[must_use]
    pub fn merchant(&self) -> Arc<Merchant> {
        self.merchant.load_full()
    }

    /// Swaps keys.
    pub fn set_merchant(&self, merchant: Merchant) {
        self.merchant.store(Arc::new(merchant));
    }

    /// Signs, sends, and reads one call. When the answer names a certificate that we do not hold yet, that is fetched, its
    /// chain checked, and the answer judged again; the call is not sent twice.
    pub async fn send<T>(&self, call: &Call<T>) -> Outcome<T> {
        let body = match self.exchange(call).await {
            Ok(body) => body,
            Err(doubt) => return Outcome::Unknown(doubt),
        };
        let mut proved = answer::prove(&self.merchant(), call.method, &body);
        if let Err(AnswerError::UnknownCertificate(sn)) = &proved {
            if let Err(why) = self.fetch_certificate(sn).await {
                tracing::warn!(%why, "Alipay's new certificate could not be taken");
            }
            proved = answer::prove(&self.merchant(), call.method, &body);
        }
        match proved {
            Ok(proved) => answer::judge(proved, call.read),
            Err(error) => Outcome::unknown(Why::NotProved(error.to_string()), Retry::QueryThenSame, None),
        }
    }

    async fn exchange<T>(&self, call: &Call<T>) -> Result<Vec<u8>, Doubt> {
        let not_sent =
            |why: &str| Doubt { why: Why::NotSent(why.into()), retry: Retry::SameNumber, request_id: None };
        let mut params = self.params(call).map_err(|_| not_sent("our key can't sign"))?;
        let content = params.remove_entry("biz_content");
        let body = sign::encode(content.iter().map(|(name, value)| (name, value)));
        let url = Url::parse(&format!("{}?{}", self.config.gateway, sign::encode(params.iter())))
            .map_err(|_| not_sent("no usable address"))?;
        let mut headers = HeaderMap::new();
        let form = HeaderValue::from_static("application/x-www-form-urlencoded;charset=utf-8");
        headers.insert(CONTENT_TYPE, form);
        let answer =
            wire::send(&self.http, Method::POST, url, headers, body.into_bytes(), self.config.timeout)
                .await?;
        if answer.status == 200 {
            return Ok(answer.body);
        }
        let why = Why::Trouble { status: answer.status, code: String::new() };
        Err(Doubt { why, retry: Retry::QueryThenSame, request_id: None })
    }

    /// The address that a payer's browser opens for [`calls::wap`]: all parameters with the signature.
    ///
    /// # Errors
    /// [`CryptoError`] when our key can't sign.
    pub fn page<T>(&self, call: &Call<T>) -> Result<String, CryptoError> {
        Ok(format!("{}?{}", self.config.gateway, sign::encode(self.params(call)?.iter())))
    }

    fn params<T>(&self, call: &Call<T>) -> Result<BTreeMap<String, String>, CryptoError> {
        let merchant = self.merchant();
        let mut params = BTreeMap::new();
        let mut put = |name: &str, value: &str| {
            params.insert(name.to_owned(), value.to_owned());
        };
        put("app_id", &merchant.app_id);
        put("method", call.method);
        put("format", "JSON");
        put("charset", "utf-8");
        put("sign_type", "RSA2");
        put("version", "1.0");
        put("timestamp", &moment::beijing(self.clock.now()));
        put("biz_content", &call.biz_content);
        if let Some(url) = &call.notify_url {
            put("notify_url", url);
        }
        if let Some(url) = &call.return_url {
            put("return_url", url);
        }
        if let AlipayKeys::Certificates { app_cert_sn, root_cert_sn, .. } = &merchant.keys {
            put("app_cert_sn", app_cert_sn);
            put("alipay_root_cert_sn", root_cert_sn);
        }
        let signature = merchant.private_key.sign(sign::content(&params).as_bytes())?;
        params.insert("sign".to_owned(), signature);
        Ok(params)
    }

    async fn fetch_certificate(&self, sn: &str) -> Result<(), String> {
        let _one_at_a_time = self.fetching.lock().await;
        let mut merchant = Merchant::clone(&self.merchant());
        if matches!(&merchant.keys, AlipayKeys::Certificates { alipay, .. } if alipay.contains_key(sn)) {
            return Ok(());
        }
        let call = calls::certificate(sn);
        let body = self.exchange(&call).await.map_err(|doubt| doubt.why.to_string())?;
        // Not proved yet: what is in it is believed only if its chain ends in our root file.
        let content = unproved_certificate(call.method, &body).ok_or("no certificate in the answer")?;
        let pem = STANDARD.decode(content).ok().and_then(|pem| String::from_utf8(pem).ok());
        let pem = pem.ok_or("the certificate is no PEM")?;
        let added = merchant.keys.add(&pem, self.clock.now()).map_err(|error| error.to_string())?;
        if added != sn {
            return Err("another certificate than was asked for".into());
        }
        answer::prove(&merchant, call.method, &body).map_err(|error| error.to_string())?;
        self.set_merchant(merchant);
        Ok(())
    }

    /// Fetches a bill file into `sink`. The file carries no hash: [`super::bill`] holds its lines against its sums.
    ///
    /// # Errors
    /// Why not; it may be tried again with a new address.
    pub async fn download(
        &self,
        bill: &Verified<BillUrl>,
        sink: &mut (dyn std::io::Write + Send),
    ) -> Result<(), Doubt> {
        let trouble = |status| Doubt {
            why: Why::Trouble { status, code: String::new() },
            retry: Retry::SameNumber,
            request_id: None,
        };
        let url = Url::parse(&bill.bill_download_url).map_err(|_| trouble(0))?;
        let timeout = self.config.timeout * 30;
        match wire::download(&self.http, url, HeaderMap::new(), timeout, self.config.max_bill, sink).await? {
            200 => Ok(()),
            status => Err(trouble(status)),
        }
    }
}

fn unproved_certificate(method: &str, body: &[u8]) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    let node = format!("{}_response", method.replace('.', "_"));
    Some(value.get(&node)?.get("alipay_cert_content")?.as_str()?.to_owned())
}
