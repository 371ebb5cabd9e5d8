//! Refunds: accepted at once, done later, told then.

use base::UnixMs;
use serde_json::{Value, json};

use super::Refund;
use super::orders::{notify_url, number_like, object, text};
use super::serve::{Asked, Refusal, Reply};
use crate::paying::Paying;
use crate::paying::notices::{Kind, Pending};
use crate::world::World;

const MINUTE: i64 = 60_000;
const YEAR: i64 = 365 * 86_400_000;

pub(super) fn place(world: &mut World, asked: &Asked<'_>) -> Result<Reply, Refusal> {
    let known = [
        "transaction_id",
        "out_trade_no",
        "out_refund_no",
        "reason",
        "notify_url",
        "funds_account",
        "amount",
        "goods_detail",
    ];
    let request = object(asked.body, &known)?;
    let refund_no = text(&request, "out_refund_no").to_owned();
    number_like("out_refund_no", &refund_no, 1, 64, "_-|*@")?;
    if text(&request, "reason").chars().count() > 80 {
        return Err(Refusal::param("reason", "at most 80"));
    }
    if request.get("notify_url").is_some() {
        notify_url("notify_url", text(&request, "notify_url"))?;
    }
    let amount =
        |name: &str| request.pointer(&format!("/amount/{name}")).and_then(Value::as_i64).unwrap_or(0);
    let (refund, total) = (amount("refund"), amount("total"));
    if request.pointer("/amount/currency").and_then(Value::as_str) != Some("CNY") || refund < 1 {
        return Err(Refusal::param("/amount", "refund at least 1, currency CNY"));
    }
    let bank = &world.paying.wechatpay;
    let by_id = |id: &str| {
        bank.orders
            .iter()
            .find(|(_, order)| order.transaction_id.as_deref() == Some(id))
            .map(|(no, _)| no.clone())
    };
    let no = match (request.get("transaction_id"), request.get("out_trade_no")) {
        (Some(id), _) => by_id(id.as_str().unwrap_or_default()),
        (None, Some(no)) => no.as_str().map(str::to_owned),
        (None, None) => return Err(Refusal::param("out_trade_no", "missing")),
    };
    let missing = || Refusal::new(404, "RESOURCE_NOT_EXISTS", "订单不存在");
    let no = no.ok_or_else(missing)?;
    let order = bank.orders.get(&no).ok_or_else(missing)?;
    if let Some(known) = bank.refunds.get(&refund_no) {
        let same = known.out_trade_no == no && known.amount == refund;
        if !same || total != order.total {
            return Err(Refusal::new(400, "REFUND_FEE_MISMATCH", "订单金额或退款金额与之前请求不一致"));
        }
        return Ok(Reply::Json(show(bank, &refund_no, known, "status")));
    }
    let Some(paid) = order.paid_ms else {
        return Err(Refusal::new(403, "TRADE_ERROR", "订单未支付"));
    };
    if total != order.total {
        return Err(Refusal::new(400, "REFUND_FEE_MISMATCH", "订单金额不一致"));
    }
    if asked.now - paid > YEAR {
        return Err(Refusal::new(400, "TRADE_OVERDUE", "订单已经超过退款期限"));
    }
    let live = bank.refunds.values().filter(|one| one.out_trade_no == no && one.status != "CLOSED");
    let (count, sum) = live.fold((0, 0), |(count, sum), one| (count + 1, sum + one.amount));
    if sum + refund > order.total {
        return Err(Refusal::new(400, "PARAM_ERROR", "退款金额超过订单剩余可退金额"));
    }
    if count >= 50 {
        return Err(Refusal::new(403, "RULE_LIMIT", "一笔订单最多支持50次部分退款"));
    }
    if order.last_refund_ms.is_some_and(|last| asked.now - last < MINUTE) {
        return Err(Refusal::new(403, "RULE_LIMIT", "同一笔订单多次退款需间隔1分钟"));
    }
    if bank.balance() < refund {
        return Err(Refusal::new(403, "NOT_ENOUGH", "基本账户余额不足"));
    }
    let record = Refund {
        refund_id: world.paying.number("5030002026"),
        request,
        out_trade_no: no.clone(),
        amount: refund,
        status: "PROCESSING".into(),
        created_ms: asked.now,
        ended_ms: None,
    };
    let bank = &mut world.paying.wechatpay;
    if let Some(order) = bank.orders.get_mut(&no) {
        order.state = "REFUND".into();
        order.last_refund_ms = Some(asked.now);
    }
    bank.refunds.insert(refund_no.clone(), record.clone());
    Ok(Reply::Json(show(bank, &refund_no, &record, "status")))
}

pub(super) fn query(world: &World, no: &str) -> Result<Reply, Refusal> {
    let bank = &world.paying.wechatpay;
    let refund =
        bank.refunds.get(no).ok_or_else(|| Refusal::new(404, "RESOURCE_NOT_EXISTS", "退款单不存在"))?;
    Ok(Reply::Json(show(bank, no, refund, "status")))
}

/// A refund; notices call its state by another name.
fn show(bank: &super::Bank, no: &str, refund: &Refund, status: &str) -> Value {
    let order = bank.orders.get(&refund.out_trade_no);
    let mut out = json!({
        "refund_id": refund.refund_id, "out_refund_no": no, "out_trade_no": refund.out_trade_no,
        "transaction_id": order.and_then(|order| order.transaction_id.clone()), "channel": "ORIGINAL",
        "user_received_account": "支付用户零钱", "create_time": pay::moment::rfc3339(UnixMs(refund.created_ms)),
        "funds_account": "AVAILABLE", "promotion_detail": [],
        "amount": {
            "total": order.map(|order| order.total), "refund": refund.amount,
            "payer_total": order.map(|order| order.payer_total), "payer_refund": refund.amount,
            "settlement_refund": refund.amount, "settlement_total": order.map(|order| order.total),
            "discount_refund": 0, "currency": "CNY",
        },
    });
    if let Some(map) = out.as_object_mut() {
        map.insert(status.into(), json!(refund.status));
        if let (Some(at), "SUCCESS") = (refund.ended_ms, refund.status.as_str()) {
            map.insert("success_time".into(), json!(pay::moment::rfc3339(UnixMs(at))));
        }
    }
    out
}

/// Ends refunds whose time has come.
pub(crate) fn settle(paying: &mut Paying, now: i64) {
    let takes = paying.wechatpay.refund_takes_ms;
    let due: Vec<(String, bool)> = paying
        .wechatpay
        .refunds
        .iter()
        .filter(|(_, one)| one.status == "PROCESSING" && one.created_ms + takes <= now)
        .map(|(no, one)| {
            let order = paying.wechatpay.orders.get(&one.out_trade_no);
            (no.clone(), order.is_some_and(|order| order.account_closed))
        })
        .collect();
    for (no, abnormal) in due {
        end(paying, &no, if abnormal { "ABNORMAL" } else { "SUCCESS" }, now);
    }
}

/// Ends a refund and queues its notice. False when there is none under way.
pub(super) fn end(paying: &mut Paying, no: &str, status: &str, now: i64) -> bool {
    let id = paying.number("notice-");
    let bank = &mut paying.wechatpay;
    let Some(refund) =
        bank.refunds.get_mut(no).filter(|one| matches!(one.status.as_str(), "PROCESSING" | "ABNORMAL"))
    else {
        return false;
    };
    refund.status = status.to_owned();
    refund.ended_ms = Some(now);
    let refund = refund.clone();
    let url = text(&refund.request, "notify_url").to_owned();
    if url.is_empty() {
        return true;
    }
    let mut content = show(bank, no, &refund, "refund_status");
    if let (Some(map), Some(keys)) = (content.as_object_mut(), &bank.keys) {
        map.insert("mchid".into(), json!(keys.mchid));
        map.remove("channel");
        map.remove("promotion_detail");
        let amount = json!({
            "total": map.get("amount").and_then(|amount| amount.get("total")), "refund": refund.amount,
            "payer_total": map.get("amount").and_then(|amount| amount.get("payer_total")), "payer_refund": refund.amount,
        });
        map.insert("amount".into(), amount);
    }
    paying.outbox.push(Pending {
        id,
        url,
        order: no.to_owned(),
        kind: Kind::WechatPay {
            event: format!("REFUND.{status}"),
            original: "refund".into(),
            content: content.to_string(),
            medical: false,
        },
        due_ms: now,
        attempts: 0,
        created_ms: now,
    });
    true
}
