//! The platform on which hospitals make e-invoices: one account, bills under business numbers that it takes once, red bills, and a page that
//! shows a bill.

use std::collections::BTreeMap;

use axum::extract::{ConnectInfo, Path, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::StatusCode;
use pay::ebill::{PATH, sign};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::net::Wire;
use crate::pages;
use crate::paying::{self, Fault};
use crate::problem::Problem;
use crate::run::Shared;

const APP: &str = "XINGLIN530100";
const BATCH: &str = "53060126";

/// Its books.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Platform {
    secret: Option<String>,
    /// By the hospital's business number.
    bills: BTreeMap<String, Bill>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Bill {
    number: String,
    random: String,
    request: Value,
    red: Option<String>,
}

impl Platform {
    fn secret(&mut self) -> String {
        self.secret.get_or_insert_with(|| pay::crypto::nonce(32)).clone()
    }
}

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route(&format!("{PATH}/{{call}}"), post(serve))
        .route("/ebill/{number}", get(shown))
        .route("/sim/v1/ebill", get(state))
}

async fn state(State(hub): State<Shared>) -> Json<Value> {
    let mut world = hub.world.lock();
    let platform = &mut world.paying.ebill;
    let secret = platform.secret();
    Json(json!({"app_id": APP, "secret": secret, "bills": platform.bills}))
}

/// The page behind a bill's link.
async fn shown(State(hub): State<Shared>, Path(number): Path<String>) -> Result<Response, Problem> {
    let world = hub.world.lock();
    let bill = world.paying.ebill.bills.values().find(|bill| bill.number == number);
    let bill = bill.ok_or_else(|| Problem::not_found("bill", &number))?;
    let off = if bill.red.is_some() { " · 已冲红 · written off" } else { "" };
    let total = text(&bill.request, "totalAmt");
    Ok(Html(pages::message(&format!("电子票据 · E-invoice {BATCH}-{number} · ¥{total}{off}")))
        .into_response())
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

type Said = (String, String);

fn refuse(code: &str, words: &str) -> Said {
    (code.to_owned(), words.to_owned())
}

async fn serve(
    State(hub): State<Shared>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    Path(call): Path<String>,
    body: Bytes,
) -> Response {
    let (fault, over) = paying::before(&hub, &wire, &format!("{PATH}/{call}")).await;
    if let Some(response) = over {
        return response;
    }
    if fault == Fault::TooMany {
        return StatusCode::TOO_MANY_REQUESTS.into_response();
    }
    let base = format!("http://{}", hub.addr);
    let mut world = hub.world.lock();
    let secret = pay::Secret::new(world.paying.ebill.secret());
    let (result, message) = match open(&body, &secret) {
        Err(said) => said,
        Ok(data) => run(&mut world.paying, &call, data, &base),
    };
    drop(world);
    let said = json!({"result": result, "message": STANDARD.encode(message)}).to_string();
    let (data, noise) = (STANDARD.encode(said), pay::crypto::nonce(32));
    let by = if fault == Fault::WrongKey { pay::Secret::new("nobody's") } else { secret };
    let mut answer = json!({"data": data, "noise": noise, "sign": sign(APP, &data, &noise, &by)});
    if let (Fault::Unsigned, Some(map)) = (fault, answer.as_object_mut()) {
        map.remove("sign");
    }
    let mut text = answer.to_string();
    if fault == Fault::CutBody {
        text.pop();
    }
    paying::after(&wire, fault, ([("content-type", "application/json")], text).into_response())
}

/// What a request says, when it proves itself.
fn open(body: &[u8], secret: &pay::Secret) -> Result<Value, Said> {
    let envelope: Value = serde_json::from_slice(body).map_err(|_| refuse("E0001", "报文格式错误"))?;
    if text(&envelope, "appid") != APP || text(&envelope, "version") != "1.0" {
        return Err(refuse("E0002", "appid 或 version 无效"));
    }
    let wanted = sign(APP, text(&envelope, "data"), text(&envelope, "noise"), secret);
    if wanted != text(&envelope, "sign") {
        return Err(refuse("E0003", "验签失败"));
    }
    let data = STANDARD.decode(text(&envelope, "data")).ok();
    data.and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or_else(|| refuse("E0001", "data 格式错误"))
}

fn run(paying: &mut paying::Paying, call: &str, data: Value, base: &str) -> Said {
    let show = |bill: &Bill| {
        let mut shown = json!({"billBatchCode": BATCH, "billNo": bill.number, "random": bill.random, "pictureUrl": format!("{base}/ebill/{}", bill.number)});
        if let (Some(red), Some(map)) = (&bill.red, shown.as_object_mut()) {
            map.insert("scarletBillNo".into(), json!(red));
        }
        ("S0000".to_owned(), shown.to_string())
    };
    let fen = |value: &Value, name: &str| pay::yuan::parse(text(value, name)).map(|fen| fen.0);
    match call {
        "registrationEBill" => {
            let bus_no = text(&data, "busNo").to_owned();
            if !(1..=32).contains(&bus_no.len())
                || text(&data, "payer").is_empty()
                || text(&data, "busDateTime").len() != 17
            {
                return refuse("E0005", "busNo、payer 或 busDateTime 无效");
            }
            let lines = data.get("chargeDetail").and_then(Value::as_array).cloned().unwrap_or_default();
            let sum: Result<i64, _> = lines.iter().map(|line| fen(line, "amt")).sum();
            if lines.is_empty() || sum.is_err() || sum.ok() != fen(&data, "totalAmt").ok() {
                return refuse("E0006", "明细合计与总额不一致");
            }
            if paying.ebill.bills.contains_key(&bus_no) {
                return refuse("E0004", "业务流水号已存在");
            }
            let number = format!("{:010}", paying.ebill.bills.len() * 2 + 1);
            let bill = Bill { number, random: pay::crypto::nonce(6), request: data, red: None };
            let said = show(&bill);
            paying.ebill.bills.insert(bus_no, bill);
            said
        }
        "getEBillStatesByBusInfo" => {
            paying.ebill.bills.get(text(&data, "busNo")).map_or_else(|| ("S0000".into(), "{}".into()), show)
        }
        "writeOffEBill" => {
            let found = paying.ebill.bills.values_mut().find(|bill| bill.number == text(&data, "billNo"));
            let Some(bill) = found.filter(|_| text(&data, "billBatchCode") == BATCH) else {
                return refuse("E0007", "票据不存在");
            };
            if bill.red.is_some() {
                return refuse("E0008", "票据已冲红");
            }
            let nth: u64 = bill.number.parse().unwrap_or(0);
            let red = format!("{:010}", nth + 1);
            bill.red = Some(red.clone());
            ("S0000".into(), json!({"eScarletBillBatchCode": BATCH, "eScarletBillNo": red}).to_string())
        }
        _ => refuse("E0009", "没有这个接口"),
    }
}
