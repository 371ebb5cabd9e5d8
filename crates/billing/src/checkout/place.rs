//! Places an order at WeChat Pay or Alipay, with the bytes that were kept, and says what the page does next.

use std::net::IpAddr;

use base::Problem;
use pay::{OutTradeNo, Outcome, Refusal, Retry, alipay, wechatpay};
use store::fault::{self, Point};

use crate::BillingDeps;
use crate::merchants::{Line, Merchant};
use crate::model::{Payment, PaymentState, Way};
use crate::problems;
use crate::store::payment as payments;

/// What the payer's page does next.
#[derive(Debug, Clone, PartialEq)]
pub enum Sheet {
    /// Opens WeChat's payment sheet with these.
    Wechat(Box<wechatpay::sign::ClientPay>),
    /// Opens WeChat's insurance cashier: its order, and the sheet's parameters for the cash part where there is one.
    Insurance {
        /// WeChat's number of the mixed order.
        mix_trade_no: String,
        /// For the cash part.
        cash: Option<Box<wechatpay::sign::ClientPay>>,
    },
    /// Goes to this address.
    Url(String),
    /// Shows this as a code to scan.
    Code(String),
    /// Nothing: it is paid, or over.
    None,
}

/// What a call is built from.
pub(super) struct Build<'a> {
    pub(super) merchant: &'a Merchant,
    pub(super) payment: &'a Payment,
    pub(super) title: &'a str,
    pub(super) public_url: &'a str,
    pub(super) openid: Option<&'a str>,
    pub(super) payer_ip: Option<IpAddr>,
}

/// Where a contract's notices come to.
pub(crate) fn notify_url(public_url: &str, merchant: &Merchant) -> String {
    let way = match merchant.line {
        Line::Wechatpay(_) => "wechat",
        Line::Alipay(_) => "alipay",
        Line::Insurance(_) => "insurance",
    };
    format!("{}/pay/{way}/{}", public_url.trim_end_matches('/'), merchant.name)
}

impl Build<'_> {
    /// The bytes to keep before the first call.
    pub(super) fn bytes(&self) -> Result<String, Problem> {
        let invalid = |error: pay::Invalid| {
            tracing::error!(%error, "an order can't be built");
            problems::refused_by_platform()
        };
        let number = number(self.payment)?;
        let notify_url = notify_url(self.public_url, self.merchant);
        let title: String = self.title.chars().take(100).collect();
        match &self.merchant.line {
            Line::Wechatpay(_) => {
                let order = wechatpay::calls::Order {
                    mchid: &self.merchant.merchant,
                    appid: &self.merchant.app,
                    out_trade_no: &number,
                    description: &title,
                    expires: self.payment.expires_at,
                    notify_url: &notify_url,
                    attach: None,
                    total: self.payment.shares.cash,
                    support_fapiao: false,
                };
                let body = match self.payment.way {
                    Way::WechatH5 => {
                        let ip = self.payer_ip.ok_or_else(problems::way_invalid)?;
                        wechatpay::calls::h5(&order, ip).map(|call| call.body().to_vec())
                    }
                    Way::WechatNative => wechatpay::calls::native(&order).map(|call| call.body().to_vec()),
                    _ => wechatpay::calls::jsapi(&order, self.openid.unwrap_or_default())
                        .map(|call| call.body().to_vec()),
                };
                text(body.map_err(invalid)?)
            }
            Line::Alipay(_) => {
                let order = alipay::calls::Order {
                    out_trade_no: &number,
                    total: self.payment.shares.cash,
                    subject: &title,
                    expires: self.payment.expires_at,
                    notify_url: &notify_url,
                    passback: None,
                };
                let content = match self.payment.way {
                    Way::AlipayCode => {
                        alipay::calls::precreate(&order).map(|call| call.biz_content().to_owned())
                    }
                    _ => alipay::calls::wap(&order, self.public_url, self.public_url)
                        .map(|call| call.biz_content().to_owned()),
                };
                content.map_err(invalid)
            }
            Line::Insurance(_) => Err(problems::way_invalid()),
        }
    }
}

fn text(bytes: Vec<u8>) -> Result<String, Problem> {
    String::from_utf8(bytes).map_err(|_| Problem::internal())
}

/// Our order number of a payment.
pub(crate) fn number(payment: &Payment) -> Result<OutTradeNo, Problem> {
    OutTradeNo::new(payment.number.clone()).map_err(|_| Problem::internal())
}

/// Places an order that is written down, unless the platform has it already.
pub(super) async fn place(
    deps: &BillingDeps,
    merchant: &Merchant,
    payment: Payment,
) -> Result<(Payment, Sheet), Problem> {
    if payment.state == PaymentState::Waiting
        && let Some(handle) = payment.handle.clone()
    {
        let sheet = sheet(deps, merchant, &payment, &handle)?;
        return Ok((payment, sheet));
    }
    let request = payment.request.clone().ok_or_else(Problem::internal)?;
    let handle = match &merchant.line {
        Line::Wechatpay(client) => {
            fault::pass(Point::PlaceBefore);
            let outcome = wechat(client, &payment, request).await?;
            fault::pass(Point::PlaceAfter);
            outcome
        }
        Line::Alipay(client) => {
            fault::pass(Point::PlaceBefore);
            let outcome = at_alipay(deps, merchant, client, &payment, request).await?;
            fault::pass(Point::PlaceAfter);
            outcome
        }
        Line::Insurance(_) => return Err(problems::way_invalid()),
    };
    let handle = judge(deps, &payment, handle).await?;
    let mut tx = deps.db.begin().await?;
    payments::placed(&mut tx, payment.hospital, payment.id, Some(&handle)).await?;
    payments::keep_handle(&mut tx, payment.hospital, payment.id, &handle).await?;
    tx.commit().await?;
    let payment = Payment { state: PaymentState::Waiting, handle: Some(handle.clone()), ..payment };
    let sheet = sheet(deps, merchant, &payment, &handle)?;
    Ok((payment, sheet))
}

/// What a call came to: a handle, a no, or nobody knows.
pub(crate) enum Placed {
    Handle(String),
    No(Refusal),
    Unclear(String),
}

fn placed<T>(outcome: Outcome<T>, handle: impl FnOnce(T) -> String) -> Placed {
    match outcome {
        Outcome::Done(done) => Placed::Handle(handle(done.into_inner())),
        Outcome::Refused(refusal) => Placed::No(refusal),
        Outcome::Unknown(doubt) => Placed::Unclear(doubt.why.to_string()),
    }
}

async fn wechat(client: &wechatpay::Client, payment: &Payment, request: String) -> Result<Placed, Problem> {
    // The calls are rebuilt around the kept bytes: WeChat compares every parameter of a number that it knows.
    let bytes = request.into_bytes();
    Ok(match payment.way {
        Way::WechatH5 => placed(client.send(&wechatpay::calls::h5_again(bytes)).await, |done| done.h5_url),
        Way::WechatNative => {
            placed(client.send(&wechatpay::calls::native_again(bytes)).await, |done| done.code_url)
        }
        _ => placed(client.send(&wechatpay::calls::jsapi_again(bytes)).await, |done| done.prepay_id),
    })
}

async fn at_alipay(
    deps: &BillingDeps,
    merchant: &Merchant,
    client: &alipay::Client,
    payment: &Payment,
    content: String,
) -> Result<Placed, Problem> {
    let url = notify_url(&deps.public_url, merchant);
    if payment.way == Way::AlipayCode {
        let call = alipay::calls::precreate_again(content).notify(&url);
        return Ok(placed(client.send(&call).await, |done| done.qr_code));
    }
    // Nothing is sent: the payer's browser carries the signed order to Alipay.
    let back = format!("{}/payments/{}", deps.public_url.trim_end_matches('/'), payment.id);
    let page = client.page(&alipay::calls::wap_again(content, &back).notify(&url));
    page.map(Placed::Handle).map_err(|_| Problem::internal())
}

async fn judge(deps: &BillingDeps, payment: &Payment, placed: Placed) -> Result<String, Problem> {
    let refusal = match placed {
        Placed::Handle(handle) => return Ok(handle),
        Placed::No(refusal) => refusal,
        Placed::Unclear(why) => {
            tracing::warn!(payment = %payment.id, why, "it is not known whether an order was placed; the platform is asked");
            return Err(problems::platform_unclear());
        }
    };
    tracing::warn!(payment = %payment.id, %refusal, "an order was refused");
    let mut tx = deps.db.begin().await?;
    let problem = match refusal.retry {
        // That number is known there, perhaps paid: ask before anything else.
        Retry::QueryThenSame => {
            let now = tx.now();
            payments::ask_at(&mut tx, payment.hospital, payment.id, Some(now), false).await?;
            tx.touch(crate::wake());
            problems::platform_unclear()
        }
        Retry::SameNumber => problems::platform_unclear(),
        // This number is over; whoever asks again gets a new one.
        Retry::NewNumber => {
            payments::close(&mut tx, payment.hospital, payment.id, Some(&refusal.code)).await?;
            problems::platform_unclear()
        }
        Retry::Never => {
            tracing::error!(payment = %payment.id, %refusal, "the platform refuses our orders; look at the contract's settings");
            payments::close(&mut tx, payment.hospital, payment.id, Some(&refusal.code)).await?;
            problems::refused_by_platform()
        }
    };
    tx.commit().await?;
    Err(problem)
}

/// What the page does with a handle. Signed anew each time, as it may be at any moment within the order's life.
fn sheet(deps: &BillingDeps, merchant: &Merchant, payment: &Payment, handle: &str) -> Result<Sheet, Problem> {
    Ok(match (payment.way, &merchant.line) {
        (Way::WechatJsapi, Line::Wechatpay(client)) => {
            let signed = client.merchant().client_pay(&merchant.app, handle, deps.db.now());
            Sheet::Wechat(Box::new(signed.map_err(|_| Problem::internal())?))
        }
        (Way::WechatH5 | Way::AlipayWap, _) => Sheet::Url(handle.to_owned()),
        (Way::WechatNative | Way::AlipayCode, _) => Sheet::Code(handle.to_owned()),
        _ => Sheet::None,
    })
}
