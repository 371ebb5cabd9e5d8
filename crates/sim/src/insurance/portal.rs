//! The page on which a patient allows the use of the electronic credential, and the portal that knows what the code is worth.

use aws_lc_rs::hmac;
use axum::extract::{Path, Query, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Credential;
use crate::pages;
use crate::problem::Problem;
use crate::run::Shared;

/// The hospital's number there.
pub(super) const PARTNER: &str = "50000530100";

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/insurance/authorise", get(show).post(allow))
        .route("/api/mipuserquery/userQuery/{partner}", post(query))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    redirect_url: String,
}

async fn show(Query(asked): Query<Asked>) -> Response {
    Html(pages::credential(&asked.redirect_url)).into_response()
}

/// What somebody puts into the page: here nobody's credential is on file.
#[derive(Deserialize)]
struct Allowed {
    name: String,
    card_no: String,
    back: String,
}

async fn allow(State(hub): State<Shared>, Form(allowed): Form<Allowed>) -> Result<Response, Problem> {
    let mut back = url::Url::parse(&allowed.back).map_err(|_| Problem::invalid("back", "an address"))?;
    let mut world = hub.world.lock();
    let pay_auth_no = world.paying.number("AUTH530100");
    let code = pay::crypto::nonce(24);
    let bureau = &mut world.paying.insurance;
    bureau.auth.insert(pay_auth_no.clone(), false);
    let one = Credential { name: allowed.name, card_no: allowed.card_no, pay_auth_no };
    bureau.codes.insert(code.clone(), Some(one));
    back.query_pairs_mut().append_pair("authCode", &code);
    Ok(Redirect::to(back.as_str()).into_response())
}

async fn query(
    State(hub): State<Shared>,
    Path(partner): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let said = |code: i64, message: &str| Json(json!({"code": code, "message": message})).into_response();
    let now = hub.now();
    let mut world = hub.world.lock();
    let bureau = &mut world.paying.insurance;
    let Some(keys) = bureau.keys() else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let at = header("god-portal-timestamp");
    let key = hmac::Key::new(hmac::HMAC_SHA256, keys.partner_secret.as_bytes());
    let wanted = hex::encode(hmac::sign(&key, format!("{PARTNER}{at}").as_bytes()));
    let fresh = at.parse::<i64>().is_ok_and(|at| at.abs_diff(now) < 300_000);
    if partner != PARTNER
        || !fresh
        || header("god-portal-request-id").is_empty()
        || header("god-portal-signature") != wanted
    {
        return said(401, "签名错误");
    }
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |name: &str| asked.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("openid").is_empty() {
        return said(400, "openid");
    }
    match bureau.codes.get_mut(text("qrcode")).and_then(Option::take) {
        None => said(1_101, "授权码无效或已使用"),
        Some(one) => Json(json!({
            "code": 0, "message": "OK", "user_name": one.name, "user_card_no": one.card_no, "pay_auth_no": one.pay_auth_no,
        }))
        .into_response(),
    }
}
