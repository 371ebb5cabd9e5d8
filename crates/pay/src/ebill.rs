//! E-invoices of medical charges (医疗收费电子票据): the interface of the platforms that provincial finance bureaus have hospitals use, in the form
//! that public code of hospitals shows. No public standard names it; its paths, names and result words are this module's alone.
//!
//! A bill is made under our own business number (`busNo`), which the platform takes once. After a call without an answer that number is
//! asked about before anything is sent again, so that nobody gets two. What is not wanted any more is written off by a red one.
//!
//! The envelope is `{appid, data, noise, sign, version}`: `data` is base64 of JSON, `sign` the upper-case hex MD5 over
//! `appid=…&data=…&noise=…&key=…&version=…` with the shared secret; answers are `{data, noise, sign}`, `data` being base64 of
//! `{result, message}` and `message` base64 of JSON or of words.

use std::time::Duration;

use base::{Fen, UnixMs};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::outcome::{Outcome, Refusal, Retry, Why};
use crate::{Secret, Verified, crypto, moment, wire, yuan};

/// The word for success.
const GOOD: &str = "S0000";
const VERSION: &str = "1.0";
/// Where calls go, before their name.
pub const PATH: &str = "/medical-web/api/medical";

/// Where the platform is, and what it knows us by.
#[derive(Debug, Clone)]
pub struct Config {
    /// Its address, without a path.
    pub base: String,
    /// Our name there.
    pub app_id: String,
    /// What only both sides know.
    pub secret: Secret,
    /// For one call.
    pub timeout: Duration,
}

/// One hospital's line to its platform.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    config: Config,
}

/// What a bill is made for.
#[derive(Debug, Clone)]
pub struct NewBill<'a> {
    /// Our number of the business: at most 32, once for ever.
    pub bus_no: &'a str,
    /// Who has paid, by the real name.
    pub payer: &'a str,
    /// When.
    pub at: UnixMs,
    /// Where bills are made from, as the platform calls it.
    pub place: &'a str,
    /// For what.
    pub lines: &'a [Line<'a>],
    /// In all.
    pub total: Fen,
}

/// A line of a bill.
#[derive(Debug, Clone)]
pub struct Line<'a> {
    /// Our code.
    pub code: &'a str,
    /// What it is.
    pub name: &'a str,
    /// For one.
    pub price: Fen,
    /// How many.
    pub count: i64,
    /// In all.
    pub amount: Fen,
}

/// A bill that was made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bill {
    /// 票据代码
    pub bill_batch_code: String,
    /// 票据号码
    pub bill_no: String,
    /// 校验码
    pub random: String,
    /// Where the payer sees it.
    pub picture_url: String,
    /// The number of the red bill that has written it off.
    #[serde(default)]
    pub scarlet_bill_no: Option<String>,
}

/// The red bill.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WrittenOff {
    /// Its number.
    pub e_scarlet_bill_no: String,
}

/// The sign over an envelope's members.
#[must_use]
pub fn sign(app_id: &str, data: &str, noise: &str, secret: &Secret) -> String {
    let text = format!("appid={app_id}&data={data}&noise={noise}&key={}&version={VERSION}", secret.reveal());
    crypto::md5_hex(text.as_bytes()).to_ascii_uppercase()
}

impl Client {
    /// A client that sends through `http`.
    #[must_use]
    pub fn new(http: reqwest::Client, config: Config) -> Self {
        Self { http, config }
    }

    /// Makes a bill. A number that was used is refused: ask with [`Self::find`] whenever it is not the first try.
    pub async fn issue(&self, bill: &NewBill<'_>) -> Outcome<Bill> {
        let lines: Vec<Value> = bill
            .lines
            .iter()
            .enumerate()
            .map(|(nth, line)| {
                json!({"sortNo": nth + 1, "chargeCode": line.code, "chargeName": line.name, "std": yuan::write(line.price),
                    "number": line.count, "amt": yuan::write(line.amount), "selfAmt": yuan::write(line.amount)})
            })
            .collect();
        let data = json!({
            "busNo": bill.bus_no, "busType": "06", "payer": bill.payer, "busDateTime": format!("{}000", moment::compact(bill.at)),
            "placeCode": bill.place, "payee": "xinglin", "author": "xinglin", "totalAmt": yuan::write(bill.total),
            "chargeDetail": lines,
        });
        self.send("registrationEBill", &data).await
    }

    /// The bill of a business number, if there is one.
    pub async fn find(&self, bus_no: &str) -> Outcome<Option<Bill>> {
        let known: Outcome<Value> = self.send("getEBillStatesByBusInfo", &json!({"busNo": bus_no})).await;
        known.and_read(|known| {
            // Only an empty answer says that there is none: whatever else can't be read is no reason to make another.
            if known.as_object().is_some_and(serde_json::Map::is_empty) {
                return Ok(None);
            }
            serde_json::from_value(known).map(Some).map_err(|_| "a bill that can't be read")
        })
    }

    /// Writes a bill off by a red one. One that was written off is refused: ask first whenever it is not the first try.
    pub async fn write_off(
        &self,
        batch: &str,
        number: &str,
        reason: &str,
        at: UnixMs,
        place: &str,
    ) -> Outcome<WrittenOff> {
        let data = json!({
            "billBatchCode": batch, "billNo": number, "reason": reason, "operator": "xinglin",
            "busDateTime": format!("{}000", moment::compact(at)), "placeCode": place,
        });
        self.send("writeOffEBill", &data).await
    }

    async fn send<T: serde::de::DeserializeOwned>(&self, call: &str, data: &Value) -> Outcome<T> {
        let Ok(url) = Url::parse(&format!("{}{PATH}/{call}", self.config.base.trim_end_matches('/'))) else {
            let refusal = crate::outcome::Invalid::new("base", "not an address").refusal();
            return Outcome::Refused(refusal);
        };
        let (data, noise) = (STANDARD.encode(data.to_string()), crypto::nonce(32));
        let sign = sign(&self.config.app_id, &data, &noise, &self.config.secret);
        let body = json!({"appid": self.config.app_id, "data": data, "noise": noise, "version": VERSION, "sign": sign});
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let body = body.to_string().into_bytes();
        match wire::send(&self.http, Method::POST, url, headers, body, self.config.timeout).await {
            Ok(answer) => read(&self.config, answer.status, &answer.body),
            Err(doubt) => Outcome::Unknown(doubt),
        }
    }
}

#[derive(Deserialize)]
struct Envelope {
    data: String,
    noise: String,
    sign: String,
}

#[derive(Deserialize)]
struct Said {
    result: String,
    message: String,
}

/// Judges an answer.
pub(crate) fn read<T: serde::de::DeserializeOwned>(config: &Config, status: u16, body: &[u8]) -> Outcome<T> {
    let unknown = |why| Outcome::unknown(why, Retry::QueryThenSame, None);
    if status != 200 {
        return unknown(Why::Trouble { status, code: String::new() });
    }
    let Ok(envelope) = serde_json::from_slice::<Envelope>(body) else {
        return unknown(Why::NotProved("no envelope".into()));
    };
    let wanted = sign(&config.app_id, &envelope.data, &envelope.noise, &config.secret);
    if !same(wanted.as_bytes(), envelope.sign.as_bytes()) {
        return unknown(Why::NotProved("the sign differs".into()));
    }
    let open = |text: &str| STANDARD.decode(text).ok();
    let Some(said) = open(&envelope.data).and_then(|bytes| serde_json::from_slice::<Said>(&bytes).ok())
    else {
        return unknown(Why::Unreadable("no result"));
    };
    let Some(message) = open(&said.message) else { return unknown(Why::Unreadable("no message")) };
    if said.result != GOOD {
        let message = String::from_utf8_lossy(&message).chars().take(200).collect();
        let retry = Retry::QueryThenSame;
        return Outcome::Refused(Refusal { code: said.result, message, status, retry, request_id: None });
    }
    match serde_json::from_slice(&message) {
        Ok(value) => Outcome::Done(Verified::seal(value, config.app_id.clone())),
        Err(_) => unknown(Why::Unreadable("not what was asked for")),
    }
}

/// Compares without telling by the time it takes where two texts differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        let secret = Secret::new("s3cret".to_owned());
        Config {
            base: "http://127.0.0.1".into(),
            app_id: "XL1".into(),
            secret,
            timeout: Duration::from_secs(1),
        }
    }

    fn answer(result: &str, message: &str) -> Vec<u8> {
        let said = json!({"result": result, "message": STANDARD.encode(message)}).to_string();
        let data = STANDARD.encode(said);
        let sign = sign("XL1", &data, "n", &config().secret);
        json!({"data": data, "noise": "n", "sign": sign}).to_string().into_bytes()
    }

    #[test]
    fn the_sign_is_over_all_members() {
        // Reckoned by `printf 'appid=A&data=ZA==&noise=n&key=k&version=1.0' | md5sum`.
        let secret = Secret::new("k".to_owned());
        assert_eq!(
            sign("A", "ZA==", "n", &secret),
            crypto::md5_hex(b"appid=A&data=ZA==&noise=n&key=k&version=1.0").to_ascii_uppercase()
        );
        assert_ne!(sign("A", "ZA==", "n", &secret), sign("A", "ZA==", "m", &secret));
    }

    #[test]
    fn answers_prove_themselves_or_nobody_knows() {
        let good = answer(
            "S0000",
            r#"{"billBatchCode":"53060126","billNo":"0000000001","random":"ab12","pictureUrl":"https://e.example/1"}"#,
        );
        let Outcome::Done(bill) = read::<Bill>(&config(), 200, &good) else { panic!("good") };
        assert_eq!(bill.bill_no, "0000000001");
        let mut turned = good.clone();
        turned[12] ^= 1;
        assert!(matches!(read::<Bill>(&config(), 200, &turned), Outcome::Unknown(_)));
        assert!(matches!(read::<Bill>(&config(), 500, &good), Outcome::Unknown(_)));
        assert!(matches!(read::<Bill>(&config(), 200, b"{}"), Outcome::Unknown(_)));
        let Outcome::Refused(no) = read::<Bill>(&config(), 200, &answer("E0004", "业务流水号已存在"))
        else {
            panic!("no")
        };
        assert_eq!((no.code.as_str(), no.message.as_str()), ("E0004", "业务流水号已存在"));
        assert!(matches!(read::<Bill>(&config(), 200, &answer("S0000", "{}")), Outcome::Unknown(_)));
    }
}
