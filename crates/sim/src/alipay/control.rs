//! `/sim/v1/alipay`: keys and books to look at, and what payers do.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{cashier, gateway, trades};
use crate::paying::notices;
use crate::problem::{Problem, read};
use crate::run::Shared;

type Answer = Result<Json<Value>, Problem>;

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/gateway.do", any(gateway::serve))
        .route("/alipay/bill/{token}", get(file))
        .route("/sim/v1/alipay", get(state).patch(change))
        .route("/sim/v1/alipay/trades/{no}/{action}", post(trade))
        .merge(cashier::routes())
}

async fn state(State(hub): State<Shared>) -> Answer {
    let mut world = hub.world.lock();
    let bank = &mut world.paying.alipay;
    let keys = bank.keys().ok_or_else(|| Problem::conflict("no_keys", "no randomness for keys"))?;
    Ok(Json(json!({
        "app_id": keys.app_id, "seller_id": keys.seller_id, "app_private_key": keys.app_private_key,
        "app_certificate": keys.app_certificate, "alipay_public_key": keys.alipay_public_key,
        "alipay_certificate": keys.alipay_certificate, "alipay_cert_sn": keys.alipay_cert_sn, "roots": keys.roots,
        "balance": bank.balance(), "opening": bank.opening, "gbk": bank.gbk, "trades": bank.trades,
    })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    opening: Option<i64>,
    gbk: Option<bool>,
}

async fn change(State(hub): State<Shared>, body: Bytes) -> Answer {
    let change: Change = read(&body)?;
    {
        let mut world = hub.world.lock();
        let bank = &mut world.paying.alipay;
        bank.opening = change.opening.unwrap_or(bank.opening);
        bank.gbk = change.gbk.unwrap_or(bank.gbk);
    }
    state(State(hub)).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deed {
    #[serde(default)]
    late: bool,
}

/// `open` (scans, does not pay yet), `pay`, `finish` (the refund window ends); by our number or Alipay's.
async fn trade(State(hub): State<Shared>, Path((no, action)): Path<(String, String)>, body: Bytes) -> Answer {
    let deed: Deed = read(&body)?;
    notices::keep_running(&hub);
    let now = hub.now();
    let mut world = hub.world.lock();
    if action == "pay" {
        let paid = trades::pay(&mut world.paying, &no, deed.late, now);
        return paid.map(Json).map_err(|why| Problem::conflict("not_payable", why));
    }
    let trade = world.paying.alipay.trades.get_mut(&no).ok_or_else(|| Problem::not_found("trade", &no))?;
    match action.as_str() {
        "open" => trade.opened = true,
        "finish" => trade.status = "TRADE_FINISHED".into(),
        _ => return Err(Problem::not_found("action", &action)),
    }
    Ok(Json(json!({ "out_trade_no": no, "trade_status": trade.status })))
}

async fn file(State(hub): State<Shared>, Path(token): Path<String>) -> Response {
    match hub.world.lock().paying.alipay.files.get(&token) {
        Some(file) => file.clone().into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
