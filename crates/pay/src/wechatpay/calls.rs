//! Calls to WeChat Pay, built without sending: write [`Call::body`] down first, then hand the call to
//! [`super::Client::send`]; after a time-out send the same bytes ([`Call::with_body`]).

use base::{Date, Fen, UnixMs};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::model::{BillTicket, CodeUrl, Done, H5Url, Prepay, Refund, Transaction};
use crate::outcome::Invalid;
use crate::{OutRefundNo, OutTradeNo, moment};

/// A request that is ready to be signed. `T` is what its answer says.
#[derive(Debug, Clone)]
pub struct Call<T> {
    pub(super) method: Method,
    pub(super) target: String,
    pub(super) body: Vec<u8>,
    /// Id of the key under which fields are sealed.
    pub(super) sealed_with: Option<String>,
    pub(super) read: fn(&[u8]) -> Result<T, &'static str>,
}

impl<T> Call<T> {
    /// The bytes to keep before the first try.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Path and query, percent-encoded as they will be sent and signed.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The same call with the bytes that were kept: WeChat compares every parameter of an order number that it knows.
    #[must_use]
    pub fn with_body(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }
}

fn json_of<T: DeserializeOwned>(body: &[u8]) -> Result<T, &'static str> {
    serde_json::from_slice(body).map_err(|_| "not the JSON that was asked for")
}

pub(super) fn get<T: DeserializeOwned>(target: String) -> Call<T> {
    Call { method: Method::GET, target, body: Vec::new(), sealed_with: None, read: json_of }
}

pub(super) fn post<T: DeserializeOwned>(target: String, body: &impl Serialize) -> Result<Call<T>, Invalid> {
    let body = serde_json::to_vec(body).map_err(|_| Invalid::new("body", "not writable as JSON"))?;
    Ok(Call { method: Method::POST, target, body, sealed_with: None, read: json_of })
}

pub(super) fn post_for_nothing(target: String, body: &impl Serialize) -> Result<Call<Done>, Invalid> {
    let call: Call<serde_json::Value> = post(target, body)?;
    Ok(Call {
        method: call.method,
        target: call.target,
        body: call.body,
        sealed_with: None,
        read: |_| Ok(Done),
    })
}

/// Everything but letters, digits and `-_.~*`: what is signed is then what goes over the wire.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'$')
    .add(b'%')
    .add(b'&')
    .add(b'\'')
    .add(b'(')
    .add(b')')
    .add(b'+')
    .add(b',')
    .add(b'/')
    .add(b':')
    .add(b';')
    .add(b'<')
    .add(b'=')
    .add(b'>')
    .add(b'?')
    .add(b'@')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}')
    .add(b'!');

pub(super) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// What all orders have.
#[derive(Debug, Clone)]
pub struct Order<'a> {
    /// The merchant.
    pub mchid: &'a str,
    /// An appid that is bound to it.
    pub appid: &'a str,
    /// Our number.
    pub out_trade_no: &'a OutTradeNo,
    /// What the payer sees; at most 127 characters. Nothing clinical.
    pub description: &'a str,
    /// Until when it can be paid; at least a minute ahead. Always sent: WeChat's own defaults differ from page to page.
    pub expires: UnixMs,
    /// Where the notice goes: https, at most 255, no query.
    pub notify_url: &'a str,
    /// Comes back in queries, notices and bills; at most 128 characters.
    pub attach: Option<&'a str>,
    /// The total, at least one fen.
    pub total: Fen,
    /// Allows e-invoices on the payer's slip.
    pub support_fapiao: bool,
}

#[derive(Serialize)]
struct OrderBody<'a> {
    appid: &'a str,
    mchid: &'a str,
    description: &'a str,
    out_trade_no: &'a OutTradeNo,
    time_expire: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    attach: Option<&'a str>,
    notify_url: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    support_fapiao: bool,
    amount: serde_json::Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    payer: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scene_info: Option<serde_json::Value>,
}

impl Order<'_> {
    fn body(&self) -> Result<OrderBody<'_>, Invalid> {
        let short = |text: &str, most: usize| text.chars().count() <= most;
        Invalid::unless(
            !self.description.is_empty() && short(self.description, 127),
            "description",
            "1 to 127",
        )?;
        Invalid::unless(self.attach.is_none_or(|text| short(text, 128)), "attach", "at most 128 characters")?;
        Invalid::unless(self.total.0 >= 1, "total", "at least one fen")?;
        address("notify_url", self.notify_url, 255)?;
        Ok(OrderBody {
            appid: self.appid,
            mchid: self.mchid,
            description: self.description,
            out_trade_no: self.out_trade_no,
            time_expire: moment::rfc3339(self.expires),
            attach: self.attach,
            notify_url: self.notify_url,
            support_fapiao: self.support_fapiao,
            amount: json!({ "total": self.total, "currency": "CNY" }),
            payer: None,
            scene_info: None,
        })
    }
}

/// An address that WeChat may call. Plain http passes for loopback only, where a simulator plays WeChat.
pub(super) fn address(field: &'static str, text: &str, most: usize) -> Result<(), Invalid> {
    let url = url::Url::parse(text).map_err(|_| Invalid::new(field, "not an address"))?;
    let here = url.host_str().is_some_and(|host| host == "127.0.0.1" || host.ends_with("localhost"));
    let scheme = url.scheme() == "https" || (url.scheme() == "http" && here);
    Invalid::unless(
        scheme && url.query().is_none() && text.len() <= most,
        field,
        "https, short, without a query",
    )
}

/// An order that is paid inside WeChat's browser.
///
/// # Errors
/// [`Invalid`].
pub fn jsapi(order: &Order<'_>, openid: &str) -> Result<Call<Prepay>, Invalid> {
    Invalid::unless(!openid.is_empty() && openid.len() <= 128, "openid", "1 to 128")?;
    let mut body = order.body()?;
    body.payer = Some(json!({ "openid": openid }));
    post("/v3/pay/transactions/jsapi".into(), &body)
}

/// An order that is paid by scanning a code on a screen.
///
/// # Errors
/// [`Invalid`].
pub fn native(order: &Order<'_>) -> Result<Call<CodeUrl>, Invalid> {
    post("/v3/pay/transactions/native".into(), &order.body()?)
}

/// An order that is paid from another browser on the phone. `payer_ip` is the payer's own address.
///
/// # Errors
/// [`Invalid`].
pub fn h5(order: &Order<'_>, payer_ip: std::net::IpAddr) -> Result<Call<H5Url>, Invalid> {
    let mut body = order.body()?;
    body.scene_info = Some(json!({ "payer_client_ip": payer_ip, "h5_info": { "type": "Wap" } }));
    post("/v3/pay/transactions/h5".into(), &body)
}

/// The state of an order by our number.
#[must_use]
pub fn query(mchid: &str, no: &OutTradeNo) -> Call<Transaction> {
    get(format!("/v3/pay/transactions/out-trade-no/{}?mchid={}", segment(no.as_str()), segment(mchid)))
}

/// The state of an order by WeChat's number.
#[must_use]
pub fn query_by_transaction(mchid: &str, transaction_id: &str) -> Call<Transaction> {
    get(format!("/v3/pay/transactions/id/{}?mchid={}", segment(transaction_id), segment(mchid)))
}

/// Closes an unpaid order; may be repeated. Refused as paid when the payer was faster.
///
/// # Errors
/// [`Invalid`].
pub fn close(mchid: &str, no: &OutTradeNo) -> Result<Call<Done>, Invalid> {
    let target = format!("/v3/pay/transactions/out-trade-no/{}/close", segment(no.as_str()));
    post_for_nothing(target, &json!({ "mchid": mchid }))
}

/// A refund. The request has these members and no others: WeChat refuses extra ones here.
#[derive(Debug, Clone)]
pub struct RefundOrder<'a> {
    /// Our number of the order.
    pub out_trade_no: &'a OutTradeNo,
    /// Our number of this refund: the key under which it happens once.
    pub out_refund_no: &'a OutRefundNo,
    /// What the payer sees; at most 80 characters.
    pub reason: Option<&'a str>,
    /// Where the notice goes. Without one WeChat would send the old XML form.
    pub notify_url: &'a str,
    /// This refund.
    pub refund: Fen,
    /// The order's total.
    pub total: Fen,
}

/// Asks for a refund. `Done` means accepted; see [`super::RefundStatus`].
///
/// # Errors
/// [`Invalid`].
pub fn refund(order: &RefundOrder<'_>) -> Result<Call<Refund>, Invalid> {
    #[derive(Serialize)]
    struct Body<'a> {
        out_trade_no: &'a OutTradeNo,
        out_refund_no: &'a OutRefundNo,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
        notify_url: &'a str,
        amount: serde_json::Value,
    }
    Invalid::unless(
        order.reason.is_none_or(|text| text.chars().count() <= 80),
        "reason",
        "at most 80 characters",
    )?;
    Invalid::unless(order.refund.0 >= 1 && order.refund <= order.total, "refund", "1 to the total")?;
    address("notify_url", order.notify_url, 255)?;
    let body = Body {
        out_trade_no: order.out_trade_no,
        out_refund_no: order.out_refund_no,
        reason: order.reason,
        notify_url: order.notify_url,
        amount: json!({ "refund": order.refund, "total": order.total, "currency": "CNY" }),
    };
    post("/v3/refund/domestic/refunds".into(), &body)
}

/// The state of a refund.
#[must_use]
pub fn query_refund(no: &OutRefundNo) -> Call<Refund> {
    get(format!("/v3/refund/domestic/refunds/{}", segment(no.as_str())))
}

/// Which lines a trade bill has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BillType {
    /// Payments and refunds.
    All,
    /// Payments only.
    Success,
    /// Refunds only.
    Refund,
}

/// Asks for the trade bill of a Beijing day; ready from 10:00 of the next.
#[must_use]
pub fn trade_bill(day: Date, kind: BillType) -> Call<BillTicket> {
    let kind = match kind {
        BillType::All => "ALL",
        BillType::Success => "SUCCESS",
        BillType::Refund => "REFUND",
    };
    get(format!("/v3/bill/tradebill?bill_date={day}&bill_type={kind}&tar_type=GZIP"))
}

/// Asks for the fund-flow bill of a Beijing day: what went into and out of the merchant's basic account.
#[must_use]
pub fn fund_flow_bill(day: Date) -> Call<BillTicket> {
    get(format!("/v3/bill/fundflowbill?bill_date={day}&account_type=BASIC&tar_type=GZIP"))
}

/// The same order as before from the bytes that were kept: what a JSAPI order is sent again with.
#[must_use]
pub fn jsapi_again(body: Vec<u8>) -> Call<Prepay> {
    again("/v3/pay/transactions/jsapi", body)
}

/// As [`jsapi_again`], of a Native order.
#[must_use]
pub fn native_again(body: Vec<u8>) -> Call<CodeUrl> {
    again("/v3/pay/transactions/native", body)
}

/// As [`jsapi_again`], of an H5 order.
#[must_use]
pub fn h5_again(body: Vec<u8>) -> Call<H5Url> {
    again("/v3/pay/transactions/h5", body)
}

fn again<T: DeserializeOwned>(target: &str, body: Vec<u8>) -> Call<T> {
    Call { method: Method::POST, target: target.to_owned(), body, sealed_with: None, read: json_of }
}
