//! Trades and their refunds.

use std::collections::BTreeMap;

use base::{Fen, UnixMs};
use serde_json::{Value, json};

use super::Trade;
use super::gateway::{Asked, Refusal, business};
use crate::paying::Paying;
use crate::paying::notices::{Kind, Pending};
use crate::world::World;

pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// An amount, as text or as the number that some SDKs send.
fn amount(value: &Value, name: &str) -> Option<i64> {
    let text = match value.get(name)? {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    pay::yuan::parse(&text).ok().map(|fen| fen.0).filter(|fen| *fen > 0)
}

pub(super) fn place(world: &mut World, method: &str, asked: &Asked<'_>) -> Result<Value, Refusal> {
    let wrong = |field: &str| Refusal("40004", "ACQ.INVALID_PARAMETER", format!("参数有误: {field}"));
    let content = &asked.content;
    let no = text(content, "out_trade_no").to_owned();
    if !(1..=64).contains(&no.len()) || !no.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Err(wrong("out_trade_no"));
    }
    let total = amount(content, "total_amount").ok_or_else(|| wrong("total_amount"))?;
    if !(1..=256).contains(&text(content, "subject").chars().count()) {
        return Err(wrong("subject"));
    }
    let product = text(content, "product_code");
    match method {
        "alipay.trade.create" => {
            let buyer = ["buyer_open_id", "buyer_id", "buyer_logon_id"]
                .iter()
                .any(|name| !text(content, name).is_empty());
            if !buyer {
                return Err(wrong("buyer_open_id"));
            }
        }
        // Some SDKs send the name of the older product; the real gateway takes both.
        "alipay.trade.wap.pay" if product != "QUICK_WAP_WAY" && product != "QUICK_WAP_PAY" => {
            return Err(wrong("product_code"));
        }
        _ => {}
    }
    let expires_ms = match text(content, "time_expire") {
        "" => asked.now + 15 * 86_400_000,
        time => pay::moment::parse_beijing(time).ok_or_else(|| wrong("time_expire"))?.0,
    };
    if expires_ms <= asked.now {
        return Err(wrong("time_expire"));
    }
    if let Some(known) = world.paying.alipay.trades.get(&no) {
        if known.paid_ms.is_some() {
            return Err(business("ACQ.TRADE_HAS_SUCCESS", "交易已被支付"));
        }
        if known.status == "TRADE_CLOSED" {
            return Err(business("ACQ.TRADE_HAS_CLOSE", "交易已经关闭"));
        }
        if known.total != total || text(&known.content, "subject") != text(content, "subject") {
            return Err(business("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改"));
        }
        return Ok(placed(method, &no, known));
    }
    let trade = Trade {
        content: content.clone(),
        notify_url: asked.params.get("notify_url").cloned().unwrap_or_default(),
        trade_no: world.paying.number("2026092122001400"),
        opened: method == "alipay.trade.create",
        status: "WAIT_BUYER_PAY".into(),
        total,
        created_ms: asked.now,
        expires_ms,
        paid_ms: None,
        refunds: BTreeMap::new(),
    };
    let reply = placed(method, &no, &trade);
    world.paying.alipay.trades.insert(no, trade);
    Ok(reply)
}

fn placed(method: &str, no: &str, trade: &Trade) -> Value {
    if method == "alipay.trade.precreate" {
        return json!({ "out_trade_no": no, "qr_code": format!("https://qr.alipay.example/{}", trade.trade_no) });
    }
    json!({ "out_trade_no": no, "trade_no": trade.trade_no })
}

/// The trade that a call means, if the payer has opened it.
fn find<'a>(world: &'a mut World, content: &Value) -> Result<(String, &'a mut Trade), Refusal> {
    let (no, trade_no) = (text(content, "out_trade_no"), text(content, "trade_no"));
    let mut trades = world.paying.alipay.trades.iter_mut();
    let found =
        trades.find(
            |(known, trade)| {
                if trade_no.is_empty() { known.as_str() == no } else { trade.trade_no == trade_no }
            },
        );
    let found = found.filter(|(_, trade)| trade.opened);
    found.map(|(no, trade)| (no.clone(), trade)).ok_or_else(|| business("ACQ.TRADE_NOT_EXIST", "交易不存在"))
}

pub(super) fn query(world: &mut World, asked: &Asked<'_>) -> Result<Value, Refusal> {
    let (no, trade) = find(world, &asked.content)?;
    let mut out = json!({
        "trade_no": trade.trade_no, "out_trade_no": no, "trade_status": trade.status,
        "total_amount": Fen(trade.total).yuan(), "receipt_amount": "0.00", "buyer_pay_amount": "0.00",
        "point_amount": "0.00", "invoice_amount": "0.00", "buyer_logon_id": "sim***@example.test",
    });
    if let (Some(map), Some(paid)) = (out.as_object_mut(), trade.paid_ms) {
        map.insert("send_pay_date".into(), json!(pay::moment::beijing(UnixMs(paid))));
        map.insert("receipt_amount".into(), json!(Fen(trade.total).yuan()));
        map.insert("buyer_pay_amount".into(), json!(Fen(trade.total).yuan()));
    }
    Ok(out)
}

pub(super) fn close(world: &mut World, asked: &Asked<'_>) -> Result<Value, Refusal> {
    let (no, trade) = find(world, &asked.content)?;
    if trade.paid_ms.is_some() {
        return Err(business("ACQ.TRADE_STATUS_ERROR", "交易状态不合法"));
    }
    trade.status = "TRADE_CLOSED".into();
    Ok(json!({ "trade_no": trade.trade_no, "out_trade_no": no }))
}

pub(super) fn refund(world: &mut World, asked: &Asked<'_>) -> Result<Value, Refusal> {
    let balance = world.paying.alipay.balance();
    let content = asked.content.clone();
    let sum = amount(&content, "refund_amount")
        .ok_or_else(|| business("ACQ.INVALID_PARAMETER", "refund_amount"))?;
    let (no, trade) = find(world, &content)?;
    if trade.paid_ms.is_none() {
        return Err(business("ACQ.TRADE_STATUS_ERROR", "交易状态不合法"));
    }
    if trade.status == "TRADE_FINISHED" {
        return Err(business("ACQ.TRADE_HAS_FINISHED", "交易已完结"));
    }
    let request = match text(&content, "out_request_no") {
        "" if sum == trade.total => no.clone(),
        "" => return Err(business("ACQ.INVALID_PARAMETER", "部分退款必须传入out_request_no")),
        given => given.to_owned(),
    };
    let known = trade.refunds.get(&request).copied();
    match known {
        Some((before, _)) if before != sum => {
            return Err(business("ACQ.DISCORDANT_REPEAT_REQUEST", "不一致的请求"));
        }
        Some(_) => {}
        None => {
            if trade.refunded() + sum > trade.total {
                return Err(business("ACQ.REASON_TRADE_REFUND_FEE_ERR", "退款金额无效"));
            }
            if balance < sum {
                return Err(business("ACQ.SELLER_BALANCE_NOT_ENOUGH", "卖家余额不足"));
            }
            trade.refunds.insert(request.clone(), (sum, asked.now));
            if trade.refunded() == trade.total {
                trade.status = "TRADE_CLOSED".into();
            }
        }
    }
    let answer = json!({
        "trade_no": trade.trade_no, "out_trade_no": no, "fund_change": if known.is_some() { "N" } else { "Y" },
        "refund_fee": Fen(trade.refunded()).yuan(), "buyer_logon_id": "sim***@example.test",
    });
    if known.is_none() {
        let own = asked.params.get("notify_url").cloned().unwrap_or_default();
        tell(&mut world.paying, &no, Some((&request, asked.now)), &own, asked.now);
    }
    Ok(answer)
}

pub(super) fn query_refund(world: &mut World, asked: &Asked<'_>) -> Result<Value, Refusal> {
    let content = asked.content.clone();
    let (no, trade) = find(world, &content)?;
    let request = text(&content, "out_request_no");
    let Some((sum, at)) = trade.refunds.get(request) else { return Ok(json!({})) };
    Ok(json!({
        "trade_no": trade.trade_no, "out_trade_no": no, "out_request_no": request, "refund_status": "REFUND_SUCCESS",
        "refund_amount": Fen(*sum).yuan(), "total_amount": Fen(trade.total).yuan(),
        "gmt_refund_pay": pay::moment::beijing(UnixMs(*at)),
    }))
}

/// The payer pays, by our number or Alipay's.
pub(super) fn pay(paying: &mut Paying, no: &str, late: bool, now: i64) -> Result<Value, String> {
    let found =
        paying.alipay.trades.iter_mut().find(|(known, trade)| known.as_str() == no || trade.trade_no == no);
    let (no, trade) = found.ok_or("there is no such trade")?;
    let no = no.clone();
    trade.opened = true;
    if trade.paid_ms.is_some() {
        return Err("it is paid already".into());
    }
    if (trade.status != "WAIT_BUYER_PAY" || trade.expires_ms <= now) && !late {
        return Err(format!("the trade is {} or over", trade.status));
    }
    trade.status = "TRADE_SUCCESS".into();
    trade.paid_ms = Some(now);
    let shown = json!({ "out_trade_no": no, "trade_no": trade.trade_no, "trade_status": trade.status });
    tell(paying, &no, None, "", now);
    Ok(shown)
}

/// Queues a notice about a payment or a refund.
fn tell(paying: &mut Paying, no: &str, refund: Option<(&str, i64)>, own_url: &str, now: i64) {
    let notify_id = paying.number("20260921012222");
    let Some(keys) = paying.alipay.keys() else { return };
    let Some(trade) = paying.alipay.trades.get(no) else { return };
    let url = if own_url.is_empty() { trade.notify_url.clone() } else { own_url.to_owned() };
    if url.is_empty() {
        return;
    }
    let yuan = |fen: i64| Fen(fen).yuan();
    let time = |at: i64| pay::moment::beijing(UnixMs(at));
    let mut members = BTreeMap::new();
    let mut put = |name: &str, value: String| {
        members.insert(name.to_owned(), value);
    };
    put("notify_time", time(now));
    put("notify_type", "trade_status_sync".into());
    put("notify_id", notify_id.clone());
    put("app_id", keys.app_id.clone());
    put("auth_app_id", keys.app_id);
    put("version", "1.0".into());
    put("trade_no", trade.trade_no.clone());
    put("out_trade_no", no.to_owned());
    put("seller_id", keys.seller_id);
    put("trade_status", trade.status.clone());
    put("total_amount", yuan(trade.total));
    put("receipt_amount", yuan(trade.total));
    put("buyer_pay_amount", yuan(trade.total));
    put("subject", text(&trade.content, "subject").to_owned());
    put("gmt_create", time(trade.created_ms));
    if let Some(paid) = trade.paid_ms {
        put("gmt_payment", time(paid));
    }
    if !text(&trade.content, "passback_params").is_empty() {
        put("passback_params", text(&trade.content, "passback_params").to_owned());
    }
    if let Some((request, at)) = refund {
        put("out_biz_no", request.to_owned());
        put("refund_fee", yuan(trade.refunded()));
        put("gmt_refund", format!("{}.000", time(at)));
    }
    paying.outbox.push(Pending {
        id: notify_id,
        url,
        order: no.to_owned(),
        kind: Kind::Alipay(members),
        due_ms: now,
        attempts: 0,
        created_ms: now,
    });
}
