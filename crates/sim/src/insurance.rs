//! The insurance bureau: authorisation, fees, settlement by a small table of rules, returns, totals of a day. SM envelope in
//! the dialect that `/sim/v1/insurance` shows and changes.

mod portal;

use std::collections::BTreeMap;

use axum::extract::{ConnectInfo, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base::Fen;
use bytes::Bytes;
use http::StatusCode;
use pay::crypto::sm::{DEFAULT_USER_ID, Sm2PrivateKey, Sm2PublicKey};
use pay::insurance::{Province, open, seal};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::net::Wire;
use crate::paying::{self, Fault};
use crate::problem::{Problem, read};
use crate::run::Shared;

/// Books and keys.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Bureau {
    keys: Option<Keys>,
    /// Settings of the envelope, as the adapter names them; without app id and secret.
    dialect: serde_json::Map<String, Value>,
    orders: BTreeMap<String, Order>,
    /// Authorisations that were given out: used or not.
    auth: BTreeMap<String, bool>,
    /// Codes that patients have come back with: who it is, and their authorisation; none once it was asked for.
    codes: BTreeMap<String, Option<Credential>>,
    count: u64,
}

#[derive(Clone, Serialize, Deserialize)]
struct Keys {
    app_id: String,
    app_secret: String,
    #[serde(default)]
    partner_secret: String,
    hospital_private: String,
    bureau_private: String,
}

/// Somebody's electronic credential, allowed to be used once.
#[derive(Clone, Serialize, Deserialize)]
struct Credential {
    name: String,
    card_no: String,
    pay_auth_no: String,
}

/// One order.
#[derive(Clone, Serialize, Deserialize)]
struct Order {
    upload: Value,
    token: String,
    stas: String,
    total: i64,
    fund: i64,
    account: i64,
    own: i64,
    settled_ms: Option<i64>,
    /// appRefdSn → refund.
    refunds: BTreeMap<String, Value>,
}

impl Bureau {
    fn keys(&mut self) -> Option<Keys> {
        if self.keys.is_none() {
            self.keys = Some(Keys {
                app_id: pay::crypto::nonce(32),
                app_secret: pay::crypto::nonce(32),
                partner_secret: pay::crypto::nonce(32),
                hospital_private: Sm2PrivateKey::generate_hex().ok()?.to_string(),
                bureau_private: Sm2PrivateKey::generate_hex().ok()?.to_string(),
            });
        }
        self.keys.clone()
    }

    fn province(&mut self) -> Option<(Province, Sm2PrivateKey, Sm2PublicKey)> {
        let keys = self.keys()?;
        let mut settings = self.dialect.clone();
        settings.insert("app_id".into(), keys.app_id.into());
        settings.insert("app_secret".into(), keys.app_secret.into());
        settings.insert("version".into(), "1.0.0".into());
        let province = serde_json::from_value(Value::Object(settings)).ok()?;
        let own = Sm2PrivateKey::parse(&keys.bureau_private, DEFAULT_USER_ID).ok()?;
        let hospital = Sm2PrivateKey::parse(&keys.hospital_private, DEFAULT_USER_ID).ok()?;
        let theirs = Sm2PublicKey::parse(&hospital.public_hex(), DEFAULT_USER_ID).ok()?;
        Some((province, own, theirs))
    }
}

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/org/local/api/hos/{message}", post(serve))
        .route("/sim/v1/insurance", get(state).patch(change))
        .route("/sim/v1/insurance/authorisations", post(authorise))
        .merge(portal::routes())
}

async fn state(State(hub): State<Shared>) -> Result<Json<Value>, Problem> {
    let mut world = hub.world.lock();
    let bureau = &mut world.paying.insurance;
    let no_keys = || Problem::conflict("no_keys", "no randomness for keys, or a dialect that there is not");
    let (_, own, _) = bureau.province().ok_or_else(no_keys)?;
    let keys = bureau.keys().ok_or_else(no_keys)?;
    Ok(Json(json!({
        "app_id": keys.app_id, "app_secret": keys.app_secret, "partner_id": portal::PARTNER, "partner_secret": keys.partner_secret, "hospital_private_key": keys.hospital_private,
        "bureau_public_key": own.public_hex(), "dialect": bureau.dialect, "orders": bureau.orders,
    })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    dialect: serde_json::Map<String, Value>,
}

async fn change(State(hub): State<Shared>, body: Bytes) -> Result<Json<Value>, Problem> {
    let change: Change = read(&body)?;
    {
        let mut world = hub.world.lock();
        let before = std::mem::replace(&mut world.paying.insurance.dialect, change.dialect);
        if world.paying.insurance.province().is_none() {
            world.paying.insurance.dialect = before;
            return Err(Problem::invalid("dialect", "settings that the adapter knows"));
        }
    }
    state(State(hub)).await
}

/// A patient allows the use of the electronic credential: a pay_auth_no, good once.
async fn authorise(State(hub): State<Shared>) -> Json<Value> {
    let mut world = hub.world.lock();
    let no = world.paying.number("AUTH530100");
    world.paying.insurance.auth.insert(no.clone(), false);
    Json(json!({ "pay_auth_no": no }))
}

/// An explicit no: number and words.
type Refusal = (i64, String);

fn refuse<T>(code: i64, words: &str) -> Result<T, Refusal> {
    Err((code, words.to_owned()))
}

async fn serve(
    State(hub): State<Shared>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    Path(message): Path<String>,
    body: Bytes,
) -> Response {
    let (fault, over) = paying::before(&hub, &wire, &format!("/org/local/api/hos/{message}")).await;
    if let Some(response) = over {
        return response;
    }
    let now = hub.now();
    let mut world = hub.world.lock();
    let bureau = &mut world.paying.insurance;
    let Some((province, own, theirs)) = bureau.province() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let result = match open(&province, &theirs, &body) {
        Err(error) => refuse(40_100, &error.to_string()),
        Ok(_) if fault == Fault::TooMany => refuse(9_999, "系统繁忙"),
        Ok(members) => run(bureau, &message, members.get("data").unwrap_or(&Value::Null), now),
    };
    let (code, words, data) = match result {
        Ok(data) => (0, "成功".to_owned(), data),
        Err((code, words)) => (code, words, json!({})),
    };
    let more = [("code", json!(code)), ("message", json!(words))];
    let Ok(mut sealed) = seal(&province, &own, &data, &more, now) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    if let Some(map) = sealed.as_object_mut() {
        match fault {
            Fault::Unsigned => {
                map.remove("signData");
            }
            Fault::WrongKey => {
                map.insert("code".into(), json!(7));
            }
            _ => {}
        }
    }
    drop(world);
    let mut text = sealed.to_string();
    if fault == Fault::CutBody {
        text.pop();
    }
    paying::after(&wire, fault, ([("content-type", "application/json; charset=utf-8")], text).into_response())
}

fn text<'a>(data: &'a Value, name: &str) -> &'a str {
    data.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn fen(data: &Value, name: &str) -> i64 {
    pay::yuan::parse(text(data, name)).map_or(0, |fen| fen.0)
}

fn run(bureau: &mut Bureau, message: &str, data: &Value, now: i64) -> Result<Value, Refusal> {
    match message {
        "uldFeeInfo" => upload(bureau, data),
        "pay_order" => place(bureau, data, now),
        "query_order_info" => {
            let (id, order) = find(bureau, data)?;
            Ok(show(&id, order))
        }
        "refund_Order" => refund(bureau, data),
        "revoke_order" => {
            let (_, order) = find(bureau, data)?;
            if order.settled_ms.is_some() {
                return refuse(2_006, "订单已结算，不能撤销");
            }
            order.stas = "7".into();
            Ok(json!({ "success": true }))
        }
        "stmt_total" => totals(bureau, data),
        _ => refuse(404, "no such message"),
    }
}

/// 310 (employees): 70 % from the fund, half of the rest from the account. 390 (residents): 50 % from the fund.
fn split(insutype: &str, total: i64, account_allowed: bool) -> (i64, i64, i64) {
    let fund = total * if insutype == "310" { 70 } else { 50 } / 100;
    let account = if insutype == "310" && account_allowed { (total - fund) / 2 } else { 0 };
    (fund, account, total - fund - account)
}

fn upload(bureau: &mut Bureau, data: &Value) -> Result<Value, Refusal> {
    let bill = text(data, "medOrgOrd");
    if bill.is_empty() || bill.len() > 20 {
        return refuse(1_001, "medOrgOrd");
    }
    let items = data.get("feedetailList").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let sum: i64 = items.iter().map(|item| fen(item, "detItemFeeSumamt")).sum();
    let total = fen(data, "medfeeSumamt");
    if total <= 0 || sum != total {
        return refuse(1_002, "费用明细合计与总额不一致");
    }
    let known = bureau.orders.iter().find(|(_, order)| text(&order.upload, "medOrgOrd") == bill);
    if let Some((id, order)) = known {
        // The same bill again is the same order, unless it says something else.
        if fen(&order.upload, "medfeeSumamt") != total {
            return refuse(1_003, "medOrgOrd 重复");
        }
        return Ok(json!({ "payOrdId": id, "payToken": order.token, "extData": {} }));
    }
    match bureau.auth.get_mut(text(data, "payAuthNo")) {
        None => return refuse(1_101, "payAuthNo 无效"),
        Some(used) if *used => return refuse(1_102, "payAuthNo 已使用"),
        Some(used) => *used = true,
    }
    bureau.count += 1;
    let id = format!("ORD530100{:012}", bureau.count);
    let (fund, account, own) = split(text(data, "insutype"), total, text(data, "acctUsedFlag") == "1");
    let token = pay::crypto::nonce(24);
    let order = Order {
        upload: data.clone(),
        token: token.clone(),
        stas: "1".into(),
        total,
        fund,
        account,
        own,
        settled_ms: None,
        refunds: BTreeMap::new(),
    };
    bureau.orders.insert(id.clone(), order);
    Ok(json!({ "payOrdId": id, "payToken": token, "extData": {} }))
}

fn find<'a>(bureau: &'a mut Bureau, data: &Value) -> Result<(String, &'a mut Order), Refusal> {
    let id = text(data, "payOrdId").to_owned();
    match bureau.orders.get_mut(&id) {
        Some(order) => Ok((id, order)),
        None => refuse(2_001, "订单不存在"),
    }
}

fn show(id: &str, order: &Order) -> Value {
    json!({
        "payOrdId": id, "ordStas": order.stas, "feeSumamt": Fen(order.total).yuan(), "fundPay": Fen(order.fund).yuan(),
        "psnAcctPay": Fen(order.account).yuan(), "ownPayAmt": Fen(order.own).yuan(), "othFeeAmt": "0.00",
        "setlType": "ALL", "medOrgOrd": text(&order.upload, "medOrgOrd"),
    })
}

fn place(bureau: &mut Bureau, data: &Value, now: i64) -> Result<Value, Refusal> {
    let (id, order) = find(bureau, data)?;
    if order.token != text(data, "payToken") {
        return refuse(2_002, "payToken 不匹配");
    }
    match order.stas.as_str() {
        "1" => {
            order.stas = "6".into();
            order.settled_ms = Some(now);
        }
        "6" => {}
        _ => return refuse(2_003, "订单状态不允许支付"),
    }
    Ok(show(&id, order))
}

/// WeChat's cashier settles for the patient.
pub(crate) fn settle_for_cashier(bureau: &mut Bureau, id: &str, now: i64) {
    if let Some(order) = bureau.orders.get_mut(id).filter(|order| order.stas == "1") {
        order.stas = "6".into();
        order.settled_ms = Some(now);
    }
}

fn refund(bureau: &mut Bureau, data: &Value) -> Result<Value, Refusal> {
    let (_, order) = find(bureau, data)?;
    let number = text(data, "appRefdSn").to_owned();
    if let Some(known) = order.refunds.get(&number) {
        let bare =
            |value: &Value| (text(value, "totlRefdAmt").to_owned(), text(value, "refdType").to_owned());
        if bare(known) != bare(data) {
            return refuse(3_001, "appRefdSn 重复");
        }
        return Ok(json!({ "refStatus": "SUCC" }));
    }
    if order.settled_ms.is_none() {
        return refuse(3_002, "订单未结算");
    }
    let parts = [fen(data, "fundRefdAmt"), fen(data, "psnAcctRefdAmt"), fen(data, "cashRefdAmt")];
    let whole = match text(data, "refdType") {
        "ALL" => parts == [order.fund, order.account, order.own],
        "HI" => parts == [order.fund, order.account, 0],
        "CASH" => parts == [0, 0, order.own],
        _ => false,
    };
    if !whole {
        return refuse(3_003, "医保结算不支持部分退费");
    }
    let kind = |value: &Value| text(value, "refdType").to_owned();
    let twice = order
        .refunds
        .values()
        .any(|one| kind(one) == kind(data) || kind(one) == "ALL" || kind(data) == "ALL");
    if twice {
        return refuse(3_004, "该部分已退");
    }
    order.refunds.insert(number, data.clone());
    let all = order.refunds.len() > 1 || kind(data) != "CASH";
    order.stas = if all { "9" } else { "6" }.into();
    Ok(json!({ "refStatus": "SUCC" }))
}

fn totals(bureau: &Bureau, data: &Value) -> Result<Value, Refusal> {
    let (from, to) = (text(data, "stmt_begndate"), text(data, "stmt_enddate"));
    let returned = |order: &Order| order.refunds.values().any(|one| text(one, "refdType") != "CASH");
    let of_day = bureau.orders.values().filter(|order| {
        let day =
            order.settled_ms.map(|at| pay::moment::day(base::UnixMs(at)).to_string()).unwrap_or_default();
        from <= day.as_str()
            && day.as_str() <= to
            && !returned(order)
            && text(&order.upload, "insutype") == text(data, "insutype")
    });
    let (count, total, fund, account) = of_day.fold((0, 0, 0, 0), |sum, order| {
        (sum.0 + 1, sum.1 + order.total, sum.2 + order.fund, sum.3 + order.account)
    });
    let told = data.get("fixmedins_setl_cnt").and_then(Value::as_i64).unwrap_or(-1);
    let agrees = told == count
        && (fen(data, "medfee_sumamt"), fen(data, "fund_pay_sumamt"), fen(data, "acct_pay"))
            == (total, fund, account);
    let words = format!("中心: {count}笔 {} {} {}", Fen(total).yuan(), Fen(fund).yuan(), Fen(account).yuan());
    Ok(json!({ "stmt_rslt": if agrees { "0" } else { "1" }, "stmt_rslt_dscr": words }))
}
