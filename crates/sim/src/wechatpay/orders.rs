//! Orders: placing, asking, closing; and the payer's side.

use base::UnixMs;
use serde_json::{Value, json};

use super::Order;
use super::serve::{Asked, Refusal, Reply};
use crate::paying::Paying;
use crate::paying::notices::{Kind, Pending};
use crate::world::World;

const MEMBERS: &[&str] = &[
    "appid",
    "mchid",
    "description",
    "out_trade_no",
    "time_expire",
    "attach",
    "notify_url",
    "goods_tag",
    "support_fapiao",
    "amount",
    "payer",
    "detail",
    "scene_info",
    "settle_info",
    "limit_pay",
];

/// The body as an object without members that nobody documented.
pub(super) fn object(body: &[u8], known: &[&str]) -> Result<Value, Refusal> {
    let value: Value =
        serde_json::from_slice(body).map_err(|error| Refusal::param("body", &error.to_string()))?;
    let map = value.as_object().ok_or_else(|| Refusal::param("body", "not an object"))?;
    if let Some(name) = map.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(Refusal::param(name, "unknown member"));
    }
    Ok(value)
}

pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A text of a length and alphabet.
pub(super) fn number_like(
    name: &str,
    text: &str,
    least: usize,
    most: usize,
    extra: &str,
) -> Result<(), Refusal> {
    let fits = (least..=most).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || extra.contains(c));
    if fits { Ok(()) } else { Err(Refusal::param(name, "length or characters")) }
}

pub(super) fn notify_url(name: &str, url: &str) -> Result<(), Refusal> {
    let parsed = url::Url::parse(url).map_err(|_| Refusal::param(name, "not an address"))?;
    if parsed.query().is_some() || url.len() > 255 || !matches!(parsed.scheme(), "http" | "https") {
        return Err(Refusal::param(name, "https, at most 255, no query"));
    }
    Ok(())
}

pub(super) fn place(world: &mut World, product: &str, asked: &Asked<'_>) -> Result<Reply, Refusal> {
    let request = object(asked.body, MEMBERS)?;
    let mchid = world.paying.wechatpay.keys.as_ref().map(|keys| keys.mchid.clone()).unwrap_or_default();
    let no = text(&request, "out_trade_no").to_owned();
    number_like("out_trade_no", &no, 6, 32, "_-|*")?;
    if text(&request, "mchid") != mchid {
        return Err(Refusal::new(400, "APPID_MCHID_NOT_MATCH", "mchid"));
    }
    let account = world.by_appid(text(&request, "appid"));
    let account =
        account.ok_or_else(|| Refusal::new(400, "APPID_MCHID_NOT_MATCH", "appid 与 mchid 不匹配"))?;
    let openid = request.pointer("/payer/openid").and_then(Value::as_str).map(str::to_owned);
    if product == "jsapi" && !openid.as_ref().is_some_and(|openid| account.users.contains_key(openid)) {
        return Err(Refusal::param("payer.openid", "无效的openid"));
    }
    let description = text(&request, "description").chars().count();
    if !(1..=127).contains(&description) {
        return Err(Refusal::param("description", "1 to 127"));
    }
    notify_url("notify_url", text(&request, "notify_url"))?;
    if product == "h5" && request.pointer("/scene_info/payer_client_ip").is_none() {
        return Err(Refusal::param("scene_info.payer_client_ip", "missing"));
    }
    let total = request.pointer("/amount/total").and_then(Value::as_i64).unwrap_or(0);
    if total < 1 {
        return Err(Refusal::param("/amount/total", "值低于最小值 1"));
    }
    if request.pointer("/amount/currency").and_then(Value::as_str).is_some_and(|currency| currency != "CNY") {
        return Err(Refusal::param("/amount/currency", "CNY"));
    }
    let expires_ms = match request.get("time_expire").and_then(Value::as_str) {
        None => asked.now + 7 * 86_400_000,
        Some(time) => {
            let at =
                pay::moment::parse_rfc3339(time).ok_or_else(|| Refusal::param("time_expire", "RFC 3339"))?.0;
            if at < asked.now + 60_000 {
                return Err(Refusal::param("time_expire", "at least a minute ahead"));
            }
            at
        }
    };
    if let Some(known) = world.paying.wechatpay.orders.get(&no) {
        return match known.state.as_str() {
            "SUCCESS" | "REFUND" => Err(Refusal::new(400, "ORDERPAID", "该订单已支付")),
            "CLOSED" => Err(Refusal::new(400, "ORDER_CLOSED", "该订单已关闭")),
            _ if known.request == request && known.product == product => {
                Ok(placed(product, known, &asked.base))
            }
            _ => Err(Refusal::new(403, "OUT_TRADE_NO_USED", "商户订单号重复")),
        };
    }
    let order = Order {
        product: product.to_owned(),
        prepay_id: world.paying.number("wx2026"),
        request,
        state: "NOTPAY".into(),
        total,
        payer_total: total,
        transaction_id: None,
        openid,
        placed_ms: asked.now,
        expires_ms,
        paid_ms: None,
        last_refund_ms: None,
        account_closed: false,
    };
    let reply = placed(product, &order, &asked.base);
    world.paying.wechatpay.orders.insert(no, order);
    Ok(reply)
}

fn placed(product: &str, order: &Order, base: &str) -> Reply {
    Reply::Json(match product {
        "native" => json!({ "code_url": format!("weixin://wxpay/bizpayurl?pr={}", order.prepay_id) }),
        "h5" => {
            json!({ "h5_url": format!("{base}/cashier/wechatpay/{}?from=h5", order.prepay_id) })
        }
        _ => json!({ "prepay_id": order.prepay_id }),
    })
}

/// An order as queries and notices show it.
pub(super) fn show(no: &str, order: &Order) -> Value {
    let words = match order.state.as_str() {
        "SUCCESS" => "支付成功",
        "REFUND" => "转入退款",
        "CLOSED" => "已关闭",
        _ => "订单未支付",
    };
    let mut out = json!({
        "appid": order.request.get("appid"), "mchid": order.request.get("mchid"), "out_trade_no": no,
        "trade_state": order.state, "trade_state_desc": words, "attach": text(&order.request, "attach"),
        "amount": { "total": order.total, "currency": "CNY" }, "promotion_detail": [],
    });
    if let (Some(map), Some(paid)) = (out.as_object_mut(), order.paid_ms) {
        let kind = match order.product.as_str() {
            "native" => "NATIVE",
            "h5" => "MWEB",
            "app" => "APP",
            _ => "JSAPI",
        };
        map.insert("transaction_id".into(), json!(order.transaction_id));
        map.insert("trade_type".into(), json!(kind));
        map.insert("bank_type".into(), json!("OTHERS"));
        map.insert("success_time".into(), json!(pay::moment::rfc3339(UnixMs(paid))));
        map.insert("payer".into(), json!({ "openid": order.openid }));
        map.insert(
            "amount".into(),
            json!({ "total": order.total, "payer_total": order.payer_total, "currency": "CNY", "payer_currency": "CNY" }),
        );
    }
    out
}

fn ours(world: &World, asked: &Asked<'_>) -> Result<(), Refusal> {
    let mchid = world.paying.wechatpay.keys.as_ref().map(|keys| keys.mchid.as_str());
    if asked.query.get("mchid").map(String::as_str) == mchid {
        Ok(())
    } else {
        Err(Refusal::param("mchid", "wrong"))
    }
}

fn missing() -> Refusal {
    Refusal::new(404, "ORDER_NOT_EXIST", "订单不存在")
}

pub(super) fn query(world: &World, no: &str, asked: &Asked<'_>) -> Result<Reply, Refusal> {
    ours(world, asked)?;
    let order = world.paying.wechatpay.orders.get(no).ok_or_else(missing)?;
    Ok(Reply::Json(show(no, order)))
}

pub(super) fn query_by_id(world: &World, id: &str, asked: &Asked<'_>) -> Result<Reply, Refusal> {
    ours(world, asked)?;
    let mut orders = world.paying.wechatpay.orders.iter();
    let found = orders.find(|(_, order)| order.transaction_id.as_deref() == Some(id));
    found.map(|(no, order)| Reply::Json(show(no, order))).ok_or_else(missing)
}

pub(super) fn close(world: &mut World, no: &str, asked: &Asked<'_>) -> Result<Reply, Refusal> {
    object(asked.body, &["mchid"])?;
    let order = world.paying.wechatpay.orders.get_mut(no).ok_or_else(missing)?;
    if order.paid_ms.is_some() {
        return Err(Refusal::new(400, "ORDERPAID", "该订单已支付"));
    }
    order.state = "CLOSED".into();
    Ok(Reply::Nothing)
}

/// The payer pays. `late`: also when the order is closed, as happens when the sheet was open already.
pub(super) fn pay(
    paying: &mut Paying,
    no: &str,
    openid: Option<String>,
    coupon: i64,
    late: bool,
    now: i64,
) -> Result<Value, String> {
    let transaction = paying.number("4200002026");
    let id = paying.number("notice-");
    let order = paying.wechatpay.orders.get_mut(no).ok_or("there is no such order")?;
    if order.paid_ms.is_some() {
        return Err("it is paid already".into());
    }
    let open = order.state == "NOTPAY" && order.expires_ms > now;
    if !open && !late {
        return Err(format!("the order is {} or over", order.state));
    }
    order.state = "SUCCESS".into();
    order.paid_ms = Some(now);
    order.transaction_id = Some(transaction);
    order.payer_total = (order.total - coupon).max(0);
    if openid.is_some() {
        order.openid = openid;
    }
    let shown = show(no, order);
    let url = text(&order.request, "notify_url").to_owned();
    paying.outbox.push(Pending {
        id,
        url,
        order: no.to_owned(),
        kind: Kind::WechatPay {
            event: "TRANSACTION.SUCCESS".into(),
            original: "transaction".into(),
            content: shown.to_string(),
            medical: false,
        },
        due_ms: now,
        attempts: 0,
        created_ms: now,
    });
    Ok(shown)
}
