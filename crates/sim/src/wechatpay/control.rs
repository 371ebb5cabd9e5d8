//! `/sim/v1/wechatpay`: keys and books to look at, and what payers and banks do.

use axum::extract::{Path, State};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Mode, medins, orders, refunds, serve, sheet};
use crate::paying::notices;
use crate::problem::{Problem, read};
use crate::run::Shared;

type Answer = Result<Json<Value>, Problem>;

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/v3/{*path}", any(serve::serve))
        .route("/sim/v1/wechatpay", get(state).patch(change))
        .route("/sim/v1/wechatpay/orders/{no}/{action}", post(order))
        .route("/sim/v1/wechatpay/mixed/{no}/pay", post(mixed))
        .route("/sim/v1/wechatpay/refunds/{no}/{outcome}", post(refund))
        .merge(sheet::routes())
}

async fn state(State(hub): State<Shared>) -> Answer {
    let mut world = hub.world.lock();
    let bank = &mut world.paying.wechatpay;
    let keys = bank.keys().ok_or_else(|| Problem::conflict("no_keys", "no randomness for keys"))?;
    let certificates: Vec<Value> =
        keys.certificates.iter().map(|one| json!({ "serial": one.serial, "pem": one.pem })).collect();
    Ok(Json(json!({
        "mchid": keys.mchid, "apiv3_key": keys.apiv3_key, "merchant_serial": keys.merchant_serial,
        "merchant_private_key": keys.merchant_private_key, "public_key_id": keys.public_key_id,
        "public_key": keys.public_key, "certificates": certificates, "mode": bank.mode,
        "balance": bank.balance(), "opening": bank.opening, "refund_takes_ms": bank.refund_takes_ms,
        "orders": bank.orders, "refunds": bank.refunds, "mixed": bank.mixed,
    })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    mode: Option<Mode>,
    opening: Option<i64>,
    refund_takes_ms: Option<i64>,
    /// A new APIv3 key, as somebody would set it in the merchant console.
    apiv3_key: Option<String>,
}

async fn change(State(hub): State<Shared>, body: Bytes) -> Answer {
    let change: Change = read(&body)?;
    {
        let mut world = hub.world.lock();
        let bank = &mut world.paying.wechatpay;
        bank.keys();
        bank.mode = change.mode.unwrap_or(bank.mode);
        bank.opening = change.opening.unwrap_or(bank.opening);
        bank.refund_takes_ms = change.refund_takes_ms.unwrap_or(bank.refund_takes_ms);
        if let (Some(key), Some(keys)) = (change.apiv3_key, &mut bank.keys) {
            if key.len() != 32 {
                return Err(Problem::invalid("apiv3_key", "32 bytes"));
            }
            keys.apiv3_key = key;
        }
    }
    state(State(hub)).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deed {
    openid: Option<String>,
    #[serde(default)]
    coupon: i64,
    /// Pays although the order is closed or over: the sheet was open already.
    #[serde(default)]
    late: bool,
}

/// `pay`, `fail`, `cancel`, `close_account`; the order by our number or by its prepay id.
async fn order(State(hub): State<Shared>, Path((no, action)): Path<(String, String)>, body: Bytes) -> Answer {
    let deed: Deed = read(&body)?;
    notices::keep_running(&hub);
    let now = hub.now();
    let mut world = hub.world.lock();
    let orders = &world.paying.wechatpay.orders;
    let by_prepay = || orders.iter().find(|(_, order)| order.prepay_id == no).map(|(no, _)| no.clone());
    let known = if orders.contains_key(&no) { Some(no.clone()) } else { by_prepay() };
    let no = known.ok_or_else(|| Problem::not_found("order", &no))?;
    let shown = match action.as_str() {
        "pay" => orders::pay(&mut world.paying, &no, deed.openid, deed.coupon, deed.late, now)
            .map_err(|why| Problem::conflict("not_payable", why))?,
        // The page learns of it, the platform's books do not change.
        "fail" | "cancel" => json!({ "out_trade_no": no, "page": action }),
        "close_account" => {
            if let Some(order) = world.paying.wechatpay.orders.get_mut(&no) {
                order.account_closed = true;
            }
            json!({ "out_trade_no": no, "account_closed": true })
        }
        _ => return Err(Problem::not_found("action", &action)),
    };
    Ok(Json(shown))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MixedDeed {
    #[serde(default = "ok")]
    insurance: String,
    #[serde(default = "ok")]
    cash: String,
}

fn ok() -> String {
    "ok".into()
}

async fn mixed(State(hub): State<Shared>, Path(no): Path<String>, body: Bytes) -> Answer {
    let deed: MixedDeed = read(&body)?;
    notices::keep_running(&hub);
    let now = hub.now();
    let mut world = hub.world.lock();
    let done = medins::pay(&mut world.paying, &no, &deed.insurance, &deed.cash, now);
    done.map(Json).map_err(|why| Problem::conflict("not_payable", why))
}

/// `success`, `closed`, `abnormal`.
async fn refund(State(hub): State<Shared>, Path((no, outcome)): Path<(String, String)>) -> Answer {
    notices::keep_running(&hub);
    let now = hub.now();
    let status = match outcome.as_str() {
        "success" => "SUCCESS",
        "closed" => "CLOSED",
        "abnormal" => "ABNORMAL",
        _ => return Err(Problem::not_found("outcome", &outcome)),
    };
    let mut world = hub.world.lock();
    if refunds::end(&mut world.paying, &no, status, now) {
        Ok(Json(json!({ "out_refund_no": no, "status": status })))
    } else {
        Err(Problem::not_found("refund under way", &no))
    }
}
