//! The payment sheet: what WeChat shows a payer before the fingerprint, and the page that a plain browser is sent to.
//!
//! A page that asks for the sheet (`chooseWXPay`) must have signed its request with the merchant's key; WeChat looks at that
//! before it shows anything, and so do we. Codes (`weixin://wxpay/bizpayurl`) and H5 pages carry no such signature.

use axum::extract::{Path, Query, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Order, orders};
use crate::pages;
use crate::paying::notices;
use crate::problem::{Problem, read};
use crate::run::Shared;
use crate::world::World;

/// What stands before the prepay id in the code of a Native order.
const NATIVE: &str = "weixin://wxpay/bizpayurl?pr=";

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/sim/v1/wechatpay/sheet", post(sheet))
        .route("/cashier/wechatpay/{prepay_id}", get(cashier).post(answered))
}

/// What a page or a code asks the sheet for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// The parameters that a page hands to `chooseWXPay`.
    page: Option<Signed>,
    /// The text of a Native order's code.
    code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Signed {
    app_id: String,
    timestamp: String,
    nonce_str: String,
    package: String,
    sign_type: String,
    pay_sign: String,
}

async fn sheet(State(hub): State<Shared>, body: Bytes) -> Result<Json<Value>, Problem> {
    let wish: Wish = read(&body)?;
    let now = hub.now();
    let mut world = hub.world.lock();
    let prepay = match (&wish.page, &wish.code) {
        (Some(signed), None) => proven(&mut world, signed)?,
        (None, Some(code)) => {
            code.strip_prefix(NATIVE).ok_or_else(|| Problem::invalid("code", "a Native order's"))?.to_owned()
        }
        _ => return Err(Problem::invalid("page", "page or code, one of them")),
    };
    let (no, order) = find(&world, &prepay)?;
    if let Some(signed) = &wish.page
        && orders::text(&order.request, "appid") != signed.app_id
    {
        return Err(Problem::conflict("sign", "the order is another application's"));
    }
    Ok(Json(json!({
        "out_trade_no": no, "prepay_id": order.prepay_id, "state": order.state, "total": order.total,
        "description": orders::text(&order.request, "description"), "openid": order.openid,
        "open": order.state == "NOTPAY" && order.expires_ms > now,
    })))
}

/// The prepay id of a request that the merchant has signed.
fn proven(world: &mut World, signed: &Signed) -> Result<String, Problem> {
    let wrong = |why: &str| Problem::conflict("sign", why);
    let prepay =
        signed.package.strip_prefix("prepay_id=").ok_or_else(|| wrong("package is prepay_id=…"))?.to_owned();
    if signed.sign_type != "RSA" {
        return Err(wrong("signType is RSA"));
    }
    let bank = &mut world.paying.wechatpay;
    bank.keys();
    let text = format!("{}\n{}\n{}\n{}\n", signed.app_id, signed.timestamp, signed.nonce_str, signed.package);
    let key = bank.merchant_key().and_then(|key| key.public().ok()).ok_or_else(|| wrong("no keys"))?;
    key.verify(text.as_bytes(), &signed.pay_sign).map_err(|_| wrong("paySign does not fit"))?;
    Ok(prepay)
}

fn find<'a>(world: &'a World, prepay: &str) -> Result<(&'a String, &'a Order), Problem> {
    let mut orders = world.paying.wechatpay.orders.iter();
    orders.find(|(_, order)| order.prepay_id == prepay).ok_or_else(|| Problem::not_found("order", prepay))
}

/// Where the page goes afterwards, as merchants append it to the `h5_url`.
#[derive(Deserialize)]
struct Back {
    redirect_url: Option<String>,
}

async fn cashier(
    State(hub): State<Shared>,
    Path(prepay): Path<String>,
    Query(back): Query<Back>,
) -> Result<Response, Problem> {
    let world = hub.world.lock();
    let (_, order) = find(&world, &prepay)?;
    let cashier = pages::Cashier {
        platform: "微信支付 · WeChat Pay",
        number: &prepay,
        what: orders::text(&order.request, "description"),
        total: base::Fen(order.total),
        back: back.redirect_url.as_deref(),
    };
    Ok(Html(cashier.page()).into_response())
}

async fn answered(
    State(hub): State<Shared>,
    Path(prepay): Path<String>,
    Form(answer): Form<pages::CashierAnswer>,
) -> Result<Response, Problem> {
    notices::keep_running(&hub);
    let now = hub.now();
    if answer.pays() {
        let mut world = hub.world.lock();
        let no = find(&world, &prepay)?.0.clone();
        orders::pay(&mut world.paying, &no, None, 0, false, now)
            .map_err(|why| Problem::conflict("not_payable", why))?;
    }
    Ok(match answer.back() {
        Some(to) => Redirect::to(to).into_response(),
        None => Html(pages::message("可以关闭这一页了 · You can close this page")).into_response(),
    })
}
