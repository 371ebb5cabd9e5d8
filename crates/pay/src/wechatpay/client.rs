//! Sends calls and reads what comes back, and keeps the keys.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use base::{Clock, UnixMs};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use reqwest::{Method, Url};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::calls::Call;
use super::keys::Merchant;
use super::model::BillTicket;
use super::notice::{Notice, NoticeError};
use super::verify::{self, VerifyError};
use super::{classify, sign};
use crate::outcome::{Doubt, Outcome, Refusal, Retry, Why};
use crate::wire::{self, Answer};
use crate::{Verified, crypto, moment};

/// Where WeChat Pay is, and how patient we are.
#[derive(Debug, Clone)]
pub struct Config {
    /// `https://api.mch.weixin.qq.com`, or a simulator.
    pub base: String,
    /// The second host, with the same keys and orders: tried when the first can't be reached; after a lost answer only for
    /// calls that change nothing.
    pub backup: Option<String>,
    /// For one try.
    pub timeout: Duration,
    /// The largest bill file that is fetched, in bytes.
    pub max_bill: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            base: "https://api.mch.weixin.qq.com".into(),
            backup: Some("https://api2.mch.weixin.qq.com".into()),
            timeout: Duration::from_secs(10),
            max_bill: 1 << 30,
        }
    }
}

/// One merchant's line to WeChat Pay. Cheap to share; keys can be swapped under way.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    config: Config,
    clock: Clock,
    merchant: ArcSwap<Merchant>,
    /// When certificates were last asked for; held while asking, so that many unknown serials are one question.
    refreshed: Mutex<Option<UnixMs>>,
}

/// Certificates are asked for at most this often because of an unknown serial.
const REFRESH_GAP: Duration = Duration::from_secs(60);

/// Why a notice was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// It is wrong.
    #[error(transparent)]
    Notice(#[from] NoticeError),
}

/// Why a file was not fetched. It moves nothing and may be tried again, with a new ticket when this one is too old.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The address in the ticket is none.
    #[error("the ticket has no usable address")]
    Address,
    /// Our key can't sign.
    #[error(transparent)]
    Key(#[from] crypto::CryptoError),
    /// Another status than 200.
    #[error("status {0}")]
    Status(u16),
    /// Cut, late or too large.
    #[error("{}", .0.why)]
    Lost(Doubt),
}

impl Client {
    /// A client that sends through `http`.
    #[must_use]
    pub fn new(http: reqwest::Client, config: Config, clock: Clock, merchant: Merchant) -> Self {
        Self { http, config, clock, merchant: ArcSwap::from_pointee(merchant), refreshed: Mutex::new(None) }
    }

    /// The merchant and keys of this moment.
    #[must_use]
    pub fn merchant(&self) -> Arc<Merchant> {
        self.merchant.load_full()
    }

    /// Swaps keys. Calls under way finish with the old ones; notices are opened with the new from now on.
    pub fn set_merchant(&self, merchant: Merchant) {
        self.merchant.store(Arc::new(merchant));
    }

    /// Signs, sends, and reads one call. Never sends twice what may have been done.
    pub async fn send<T>(&self, call: &Call<T>) -> Outcome<T> {
        let first = self.try_at(&self.config.base, call).await;
        let elsewhere = match &first {
            Err(doubt) => match doubt.why {
                Why::NotSent(_) => true,
                Why::NoAnswer(_) => call.method == Method::GET,
                _ => false,
            },
            Ok(_) => false,
        };
        let answer = match (&self.config.backup, elsewhere) {
            (Some(backup), true) => {
                tracing::warn!(target = call.target, "trying WeChat Pay's second host");
                self.try_at(backup, call).await
            }
            _ => first,
        };
        match answer {
            Ok(answer) => self.read(call, &answer),
            Err(doubt) => Outcome::Unknown(doubt),
        }
    }

    async fn try_at<T>(&self, base: &str, call: &Call<T>) -> Result<Answer, Doubt> {
        let merchant = self.merchant();
        let not_sent = |why: &str| Doubt {
            why: Why::NotSent(why.to_owned()),
            retry: Retry::SameNumber,
            request_id: None,
        };
        let url = Url::parse(&format!("{}{}", base.trim_end_matches('/'), call.target))
            .map_err(|_| not_sent("no usable address"))?;
        let headers = self
            .headers(&merchant, &call.method, &call.target, &call.body, call.sealed_with.as_deref())
            .map_err(|_| not_sent("our key can't sign"))?;
        wire::send(&self.http, call.method.clone(), url, headers, call.body.clone(), self.config.timeout)
            .await
    }

    fn headers(
        &self,
        merchant: &Merchant,
        method: &Method,
        target: &str,
        body: &[u8],
        sealed_with: Option<&str>,
    ) -> Result<HeaderMap, crypto::CryptoError> {
        let now = self.clock.now().seconds();
        let authorization =
            sign::authorization(merchant, method.as_str(), target, now, &crypto::nonce(32), body)?;
        let mut headers = HeaderMap::new();
        let mut put = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        put(ACCEPT, "application/json");
        put(USER_AGENT, concat!("xinglin-pay/", env!("CARGO_PKG_VERSION")));
        put(AUTHORIZATION, &authorization);
        if !body.is_empty() {
            put(CONTENT_TYPE, "application/json");
        }
        // Names the key of sealed fields; else asks for an answer under the public key, where there is one.
        let serial = sealed_with.or_else(|| merchant.ring.ids().find(|id| id.starts_with("PUB_KEY_ID_")));
        if let Some(serial) = serial {
            put(HeaderName::from_static("wechatpay-serial"), serial);
        }
        Ok(headers)
    }

    fn read<T>(&self, call: &Call<T>, answer: &Answer) -> Outcome<T> {
        let merchant = self.merchant();
        let request_id = answer.header("request-id").map(str::to_owned);
        let proof = verify::check(&merchant.ring, &answer.headers, &answer.body, self.clock.now());
        read_answer(call, answer, proof, request_id, self.clock.now())
    }

    /// Opens a notice. When it names a platform certificate that we do not hold, the list is fetched once and the notice
    /// tried again; however many such notices come, WeChat is asked once a minute at most.
    ///
    /// # Errors
    /// [`ReceiveError`].
    pub async fn receive(&self, headers: &HeaderMap, body: &[u8]) -> Result<Verified<Notice>, ReceiveError> {
        let merchant = self.merchant();
        let first = merchant.open_notice(headers, body, self.clock.now());
        match first {
            Err(NoticeError::Verify(VerifyError::UnknownSerial(serial)))
                if merchant.ring.has_certificates() && !serial.starts_with("PUB_KEY_ID_") =>
            {
                self.refresh_once().await;
                Ok(self.merchant().open_notice(headers, body, self.clock.now())?)
            }
            other => Ok(other?),
        }
    }

    async fn refresh_once(&self) {
        let mut last = self.refreshed.lock().await;
        let now = self.clock.now();
        if last.is_some_and(|at| now.since(at) < REFRESH_GAP) {
            return;
        }
        *last = Some(now);
        if let Err(why) = self.refresh_certificates().await {
            tracing::warn!(%why, "WeChat Pay's certificates could not be fetched");
        }
    }

    /// Fetches the platform certificates and adds them to the keys; ended ones go. At least every 12 hours where certificates
    /// are in use. The first time there is no key to prove the answer with: then it is proved with the certificates in it,
    /// whom the APIv3 key vouches for.
    ///
    /// # Errors
    /// Why the set was not changed, in words for a log.
    pub async fn refresh_certificates(&self) -> Result<Vec<String>, String> {
        let call: Call<CertificateList> = super::calls::get("/v3/certificates?algorithm_type=RSA".into());
        let answer = self.try_at(&self.config.base, &call).await.map_err(|doubt| doubt.why.to_string())?;
        if answer.status != 200 {
            return Err(format!("status {}", answer.status));
        }
        let now = self.clock.now();
        let merchant = self.merchant();
        let (ring, serials) = certificates(&merchant, &answer.headers, &answer.body, now)?;
        self.merchant.rcu(|merchant| {
            let mut merchant = Merchant::clone(merchant);
            merchant.ring = ring.clone();
            merchant
        });
        Ok(serials)
    }

    /// Fetches a bill file into `sink`, zipped as it comes. It is not signed: [`super::bill`] holds it against the ticket's hash.
    ///
    /// # Errors
    /// [`DownloadError`].
    pub async fn download(
        &self,
        ticket: &Verified<BillTicket>,
        sink: &mut (dyn std::io::Write + Send),
    ) -> Result<(), DownloadError> {
        let url = Url::parse(&ticket.download_url).map_err(|_| DownloadError::Address)?;
        let target = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let headers = self.headers(&self.merchant(), &Method::GET, &target, b"", None)?;
        let fetched =
            wire::download(&self.http, url, headers, self.config.timeout * 30, self.config.max_bill, sink)
                .await;
        match fetched.map_err(DownloadError::Lost)? {
            200 => Ok(()),
            status => Err(DownloadError::Status(status)),
        }
    }
}

/// Judges an answer. Apart from the client, so that vectors and fuzzing reach it.
pub(crate) fn read_answer<T>(
    call: &Call<T>,
    answer: &Answer,
    proof: Result<Verified<&[u8]>, VerifyError>,
    request_id: Option<String>,
    now: UnixMs,
) -> Outcome<T> {
    let unproved = |error: VerifyError| {
        Outcome::unknown(Why::NotProved(error.to_string()), Retry::QueryThenSame, request_id.clone())
    };
    if answer.status == 200 || answer.status == 204 {
        let proof = match proof {
            Ok(proof) => proof,
            Err(error) => return unproved(error),
        };
        return Outcome::Done(proof).and_read(call.read);
    }
    // Errors may come unsigned; signed ones must be right.
    if answer.header("wechatpay-signature").is_some()
        && let Err(error) = proof
    {
        return unproved(error);
    }
    match classify(answer.status, &answer.body, request_id) {
        Ok(refusal) => Outcome::Refused(clock_or(refusal, answer, now)),
        Err(doubt) => Outcome::Unknown(doubt),
    }
}

/// A refused signature while our clocks differ is a matter of the clock: say so, and not "payment failed".
fn clock_or(mut refusal: Refusal, answer: &Answer, now: UnixMs) -> Refusal {
    let theirs = answer.header("date").and_then(|date| {
        // HTTP ends in `GMT`, which the mail format spells +0000.
        let date = date.replace("GMT", "+0000");
        jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date).ok()
    });
    if refusal.status == 401
        && let Some(theirs) = theirs
    {
        let apart = now.0.abs_diff(theirs.as_millisecond()) / 1000;
        if apart >= verify::WINDOW_S {
            refusal.message = format!("our clock differs from WeChat's by {apart} s ({})", refusal.message);
            refusal.code = "CLOCK".into();
            refusal.retry = Retry::SameNumber;
        }
    }
    refusal
}

#[derive(Deserialize)]
struct CertificateList {
    data: Vec<CertificateItem>,
}

#[derive(Deserialize)]
struct CertificateItem {
    serial_no: String,
    encrypt_certificate: SealedCertificate,
}

#[derive(Deserialize)]
struct SealedCertificate {
    algorithm: String,
    nonce: String,
    associated_data: String,
    ciphertext: String,
}

/// The new ring from an answer of `/v3/certificates`: old entries that still live, and those in the answer.
pub(crate) fn certificates(
    merchant: &Merchant,
    headers: &HeaderMap,
    body: &[u8],
    now: UnixMs,
) -> Result<(super::KeyRing, Vec<String>), String> {
    let list: CertificateList = serde_json::from_slice(body).map_err(|_| "not a list of certificates")?;
    let mut ring = merchant.ring.clone();
    let mut serials = Vec::new();
    for item in &list.data {
        let sealed = &item.encrypt_certificate;
        if sealed.algorithm != "AEAD_AES_256_GCM" {
            continue;
        }
        let opened = merchant
            .apiv3_keys
            .iter()
            .find_map(|key| key.open(&sealed.nonce, &sealed.associated_data, &sealed.ciphertext).ok())
            .ok_or("a certificate can't be opened with our APIv3 key")?;
        let pem = std::str::from_utf8(&opened).map_err(|_| "a certificate is no PEM")?;
        let serial = ring.add_certificate(pem).map_err(|error| error.to_string())?;
        if !serial.eq_ignore_ascii_case(&item.serial_no) {
            return Err("a certificate has another serial than the list says".into());
        }
        serials.push(serial);
    }
    verify::check(&ring, headers, body, now).map_err(|error| error.to_string())?;
    ring.drop_expired(now);
    tracing::info!(count = serials.len(), at = moment::rfc3339(now), "WeChat Pay's certificates are fresh");
    Ok((ring, serials))
}
