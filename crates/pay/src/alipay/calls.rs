//! Calls to the gateway, built without sending: write [`Call::biz_content`] down first.

use base::{Date, Fen, UnixMs};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::model::{BillUrl, Cert, Closed, Created, PreCreated, RefundState, Refunded, Trade};
use crate::outcome::Invalid;
use crate::{OutRefundNo, OutTradeNo, moment, yuan};

/// A request that is ready to be signed. `T` is what its answer says.
#[derive(Debug, Clone)]
pub struct Call<T> {
    pub(super) method: &'static str,
    pub(super) biz_content: String,
    pub(super) notify_url: Option<String>,
    pub(super) return_url: Option<String>,
    pub(super) read: fn(&str) -> Result<T, &'static str>,
}

impl<T: DeserializeOwned> Call<T> {
    fn new(method: &'static str, content: &Value) -> Self {
        Self {
            method,
            biz_content: content.to_string(),
            notify_url: None,
            return_url: None,
            read: |raw| serde_json::from_str(raw).map_err(|_| "not the JSON that was asked for"),
        }
    }
}

impl<T> Call<T> {
    /// The text to keep before the first try.
    #[must_use]
    pub fn biz_content(&self) -> &str {
        &self.biz_content
    }

    /// The same call with the text that was kept.
    #[must_use]
    pub fn with_biz_content(mut self, biz_content: String) -> Self {
        self.biz_content = biz_content;
        self
    }

    /// Where notices go. A refund without it uses the order's.
    #[must_use]
    pub fn notify(mut self, url: &str) -> Self {
        self.notify_url = Some(url.to_owned());
        self
    }
}

/// What all orders have.
#[derive(Debug, Clone)]
pub struct Order<'a> {
    /// Our number; letters, digits and `_`.
    pub out_trade_no: &'a OutTradeNo,
    /// The total, at least one fen.
    pub total: Fen,
    /// What the payer sees; at most 256 characters. Nothing clinical.
    pub subject: &'a str,
    /// Until when it can be paid.
    pub expires: UnixMs,
    /// Where notices go.
    pub notify_url: &'a str,
    /// Comes back in notices.
    pub passback: Option<&'a str>,
}

impl Order<'_> {
    fn content(&self, more: Value) -> Result<Value, Invalid> {
        Invalid::unless(self.out_trade_no.is_plain(), "out_trade_no", "letters, digits and _ only")?;
        Invalid::unless(
            (1..=10_000_000_000).contains(&self.total.0),
            "total_amount",
            "0.01 to 100000000.00",
        )?;
        let length = self.subject.chars().count();
        Invalid::unless((1..=256).contains(&length), "subject", "1 to 256")?;
        let mut content = json!({
            "out_trade_no": self.out_trade_no, "total_amount": yuan::write(self.total), "subject": self.subject,
            "time_expire": moment::beijing(self.expires),
        });
        let mut put = |name: &str, value: Value| {
            if let Some(map) = content.as_object_mut() {
                map.insert(name.to_owned(), value);
            }
        };
        if let Some(passback) = self.passback {
            put("passback_params", passback.into());
        }
        if let Value::Object(more) = more {
            for (name, value) in more {
                put(&name, value);
            }
        }
        Ok(content)
    }
}

/// Makes a trade to be paid in Alipay's own app (JSAPI).
///
/// # Errors
/// [`Invalid`].
pub fn create(order: &Order<'_>, buyer_open_id: &str, op_app_id: &str) -> Result<Call<Created>, Invalid> {
    let more = json!({ "product_code": "JSAPI_PAY", "buyer_open_id": buyer_open_id, "op_app_id": op_app_id });
    Ok(Call::new("alipay.trade.create", &order.content(more)?).notify(order.notify_url))
}

/// A page for the phone's browser. Not sent by us: see [`super::Client::page`]. The return address is a hint only.
///
/// # Errors
/// [`Invalid`].
pub fn wap(order: &Order<'_>, quit_url: &str, return_url: &str) -> Result<Call<Value>, Invalid> {
    let more = json!({ "product_code": "QUICK_WAP_WAY", "quit_url": quit_url });
    let mut call: Call<Value> =
        Call::new("alipay.trade.wap.pay", &order.content(more)?).notify(order.notify_url);
    call.return_url = Some(return_url.to_owned());
    Ok(call)
}

/// Makes a code to scan: for a screen, or for somebody inside another browser.
///
/// # Errors
/// [`Invalid`].
pub fn precreate(order: &Order<'_>) -> Result<Call<PreCreated>, Invalid> {
    Ok(Call::new("alipay.trade.precreate", &order.content(json!({}))?).notify(order.notify_url))
}

/// The state of a trade. "Not there" right after making it means: nobody has opened it yet.
#[must_use]
pub fn query(no: &OutTradeNo) -> Call<Trade> {
    Call::new("alipay.trade.query", &json!({ "out_trade_no": no }))
}

/// Closes an unpaid trade.
#[must_use]
pub fn close(no: &OutTradeNo) -> Call<Closed> {
    Call::new("alipay.trade.close", &json!({ "out_trade_no": no }))
}

/// Refunds a part or all. `out_request_no` is always sent: it is the key under which the refund happens once.
///
/// # Errors
/// [`Invalid`].
pub fn refund(
    no: &OutTradeNo,
    out_request_no: &OutRefundNo,
    amount: Fen,
    reason: Option<&str>,
) -> Result<Call<Refunded>, Invalid> {
    Invalid::unless(amount.0 >= 1, "refund_amount", "at least one fen")?;
    let mut content = json!({
        "out_trade_no": no, "refund_amount": yuan::write(amount), "out_request_no": out_request_no,
    });
    if let (Some(reason), Some(map)) = (reason, content.as_object_mut()) {
        map.insert("refund_reason".into(), reason.into());
    }
    Ok(Call::new("alipay.trade.refund", &content))
}

/// What became of a refund.
#[must_use]
pub fn query_refund(no: &OutTradeNo, out_request_no: &OutRefundNo) -> Call<RefundState> {
    let content = json!({
        "out_trade_no": no, "out_request_no": out_request_no, "query_options": ["gmt_refund_pay"],
    });
    Call::new("alipay.trade.fastpay.refund.query", &content)
}

/// Where the trade bill of a day is.
#[must_use]
pub fn bill(day: Date) -> Call<BillUrl> {
    let content = json!({ "bill_type": "trade", "bill_date": day.to_string() });
    Call::new("alipay.data.dataservice.bill.downloadurl.query", &content)
}

/// A certificate that Alipay has changed to.
#[must_use]
pub fn certificate(sn: &str) -> Call<Cert> {
    Call::new("alipay.open.app.alipaycert.download", &json!({ "alipay_cert_sn": sn }))
}

/// A code to scan, from the text that was kept.
#[must_use]
pub fn precreate_again(biz_content: String) -> Call<PreCreated> {
    Call { biz_content, ..Call::new("alipay.trade.precreate", &Value::Null) }
}

/// A page for the phone's browser, from the text that was kept.
#[must_use]
pub fn wap_again(biz_content: String, return_url: &str) -> Call<Value> {
    Call {
        biz_content,
        return_url: Some(return_url.to_owned()),
        ..Call::new("alipay.trade.wap.pay", &Value::Null)
    }
}
