//! The page on which a payer in a browser pays an Alipay trade, and from which they come back to the merchant.

use axum::extract::{Path, Query, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Form, Router};
use serde::Deserialize;

use super::trades;
use crate::pages;
use crate::paying::notices;
use crate::problem::Problem;
use crate::run::Shared;

pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/cashier/alipay/{trade_no}", get(show).post(answered))
}

/// The page's address; `return_url` is where the merchant wants the payer back.
pub(super) fn address(trade_no: &str, return_url: Option<&str>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(return_url.map(|url| ("return_url", url)));
    format!("/cashier/alipay/{trade_no}?{}", query.finish())
}

#[derive(Deserialize)]
struct Back {
    return_url: Option<String>,
}

async fn show(
    State(hub): State<Shared>,
    Path(trade_no): Path<String>,
    Query(back): Query<Back>,
) -> Result<Response, Problem> {
    let world = hub.world.lock();
    let trade = world.paying.alipay.trades.values().find(|trade| trade.trade_no == trade_no);
    let trade = trade.ok_or_else(|| Problem::not_found("trade", &trade_no))?;
    let cashier = pages::Cashier {
        platform: "支付宝 · Alipay",
        number: &trade_no,
        what: trades::text(&trade.content, "subject"),
        total: base::Fen(trade.total),
        back: back.return_url.as_deref(),
    };
    Ok(Html(cashier.page()).into_response())
}

async fn answered(
    State(hub): State<Shared>,
    Path(trade_no): Path<String>,
    Form(answer): Form<pages::CashierAnswer>,
) -> Result<Response, Problem> {
    notices::keep_running(&hub);
    let now = hub.now();
    if answer.pays() {
        let mut world = hub.world.lock();
        trades::pay(&mut world.paying, &trade_no, false, now)
            .map_err(|why| Problem::conflict("not_payable", why))?;
    }
    Ok(match answer.back() {
        Some(to) => Redirect::to(to).into_response(),
        None => Html(pages::message("可以关闭这一页了 · You can close this page")).into_response(),
    })
}
