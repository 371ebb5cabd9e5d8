//! Orders that insurance and cash pay together.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::orders::{notify_url, object, text};
use super::serve::{Asked, Refusal, Reply, open_field};
use crate::paying::Paying;
use crate::paying::notices::{Kind, Pending};
use crate::world::World;

/// A mixed order.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Mixed {
    pub(crate) request: Value,
    pub(crate) number: String,
    pub(crate) status: String,
    pub(crate) cash: String,
    pub(crate) insurance: String,
    pub(crate) paid_ms: Option<i64>,
    pub(crate) fail_reason: Option<String>,
    /// What we were told about returned insurance money; the newest call wins.
    pub(crate) returned: Option<Value>,
}

const MEMBERS: &[&str] = &[
    "mix_pay_type",
    "order_type",
    "appid",
    "sub_appid",
    "sub_mchid",
    "openid",
    "sub_openid",
    "payer",
    "pay_for_relatives",
    "relative",
    "out_trade_no",
    "serial_no",
    "pay_order_id",
    "pay_auth_no",
    "geo_location",
    "city_id",
    "med_inst_name",
    "med_inst_no",
    "med_ins_order_create_time",
    "total_fee",
    "med_ins_gov_fee",
    "med_ins_self_fee",
    "med_ins_other_fee",
    "med_ins_cash_fee",
    "wechat_pay_cash_fee",
    "cash_add_detail",
    "cash_reduce_detail",
    "callback_url",
    "prepay_id",
    "passthrough_request_content",
    "extends",
    "attach",
    "channel_no",
    "med_ins_test_env",
];

pub(super) fn place(world: &mut World, asked: &Asked<'_>) -> Result<Reply, Refusal> {
    let request = object(asked.body, MEMBERS)?;
    let no = text(&request, "out_trade_no").to_owned();
    notify_url("callback_url", text(&request, "callback_url"))?;
    for person in ["payer", "relative"] {
        let Some(person) = request.get(person) else { continue };
        let opened = open_field(world, text(person, "id_digest"));
        let digest =
            opened.is_some_and(|digest| digest.len() == 32 && digest.bytes().all(|b| b.is_ascii_hexdigit()));
        if !digest || open_field(world, text(person, "name")).is_none() {
            return Err(Refusal::new(400, "PARAM_ERROR", "payer 敏感信息解密失败"));
        }
    }
    let fee = |name: &str| request.get(name).and_then(Value::as_i64).unwrap_or(0);
    let sum = |list: &str, name: &str| -> i64 {
        let list = request.get(list).and_then(Value::as_array);
        list.map_or(0, |list| list.iter().filter_map(|one| one.get(name)?.as_i64()).sum())
    };
    let (added, reduced) =
        (sum("cash_add_detail", "cash_add_fee"), sum("cash_reduce_detail", "cash_reduce_fee"));
    let insured = fee("med_ins_gov_fee") + fee("med_ins_self_fee") + fee("med_ins_other_fee");
    let (cash, med_cash) = (fee("wechat_pay_cash_fee"), fee("med_ins_cash_fee"));
    if fee("total_fee") != insured + cash + reduced {
        return Err(Refusal::new(400, "PARAM_ERROR", "268529477 total_fee"));
    }
    if cash != med_cash + added - reduced {
        return Err(Refusal::new(400, "PARAM_ERROR", "268529476 wechat_pay_cash_fee"));
    }
    let (kind, has) = (text(&request, "mix_pay_type"), |name: &str| request.get(name).is_some());
    let wrong = match kind {
        "CASH_ONLY" => insured + med_cash > 0 || has("pay_order_id") || !has("prepay_id"),
        "INSURANCE_ONLY" => cash > 0 || has("prepay_id") || !has("pay_order_id") || !has("pay_auth_no"),
        "CASH_AND_INSURANCE" => cash == 0 || !has("prepay_id") || !has("pay_order_id") || !has("pay_auth_no"),
        _ => return Err(Refusal::param("mix_pay_type", "unknown")),
    };
    if wrong {
        return Err(Refusal::new(400, "PARAM_ERROR", "268529474 fields not allowed for the type"));
    }
    if has("prepay_id") {
        let order = world.paying.wechatpay.orders.get(&no);
        let fits =
            order.is_some_and(|order| order.prepay_id == text(&request, "prepay_id") && order.total == cash);
        if !fits {
            return Err(Refusal::new(400, "PARAM_ERROR", "prepay_id 与订单不符"));
        }
    }
    if let Some(known) = world.paying.wechatpay.mixed.get(&no) {
        // Sealed fields differ each time; what is in clear must not.
        let bare = |value: &Value| {
            let mut value = value.clone();
            if let Some(map) = value.as_object_mut() {
                map.remove("payer");
                map.remove("relative");
            }
            value
        };
        if bare(&known.request) != bare(&request) {
            return Err(Refusal::new(400, "ALREADY_EXISTS", "268512536 订单已存在"));
        }
        return Ok(Reply::Json(show(known)));
    }
    let mixed = Mixed {
        number: world.paying.number("12177525"),
        status: "MIX_PAY_CREATED".into(),
        cash: if cash > 0 { "SELF_PAY_CREATED" } else { "NO_SELF_PAY" }.into(),
        insurance: if kind == "CASH_ONLY" { "NO_MED_INS_PAY" } else { "MED_INS_PAY_CREATED" }.into(),
        request,
        paid_ms: None,
        fail_reason: None,
        returned: None,
    };
    let reply = show(&mixed);
    world.paying.wechatpay.mixed.insert(no, mixed);
    Ok(Reply::Json(reply))
}

fn show(mixed: &Mixed) -> Value {
    let mut out = mixed.request.clone();
    if let Some(map) = out.as_object_mut() {
        map.remove("payer");
        map.remove("relative");
        map.insert("mix_trade_no".into(), json!(mixed.number));
        map.insert("mix_pay_status".into(), json!(mixed.status));
        map.insert("self_pay_status".into(), json!(mixed.cash));
        map.insert("med_ins_pay_status".into(), json!(mixed.insurance));
        if let Some(paid) = mixed.paid_ms {
            map.insert("paid_time".into(), json!(pay::moment::rfc3339(base::UnixMs(paid))));
        }
        if let Some(reason) = &mixed.fail_reason {
            map.insert("med_ins_fail_reason".into(), json!(reason));
        }
    }
    out
}

pub(super) fn query(world: &World, no: &str) -> Result<Reply, Refusal> {
    let found = world.paying.wechatpay.mixed.get(no);
    found.map(|mixed| Reply::Json(show(mixed))).ok_or_else(missing)
}

pub(super) fn query_by_number(world: &World, number: &str) -> Result<Reply, Refusal> {
    let found = world.paying.wechatpay.mixed.values().find(|mixed| mixed.number == number);
    found.map(|mixed| Reply::Json(show(mixed))).ok_or_else(missing)
}

fn missing() -> Refusal {
    Refusal::new(404, "ORDER_NOT_EXIST", "268529515 订单不存在")
}

pub(super) fn refund_told(world: &mut World, asked: &Asked<'_>) -> Result<Reply, Refusal> {
    let known = [
        "med_refund_total_fee",
        "med_refund_gov_fee",
        "med_refund_self_fee",
        "med_refund_other_fee",
        "refund_time",
        "out_refund_no",
    ];
    let told = object(asked.body, &known)?;
    let number = asked.query.get("mix_trade_no").map_or("", String::as_str);
    let mixed =
        world.paying.wechatpay.mixed.values_mut().find(|mixed| mixed.number == number).ok_or_else(missing)?;
    if mixed.status != "MIX_PAY_SUCCESS" && mixed.status != "MIX_PAY_REFUND" {
        return Err(Refusal::new(400, "INVALID_REQUEST", "订单未支付成功"));
    }
    mixed.status = "MIX_PAY_REFUND".into();
    mixed.insurance = "MED_INS_PAY_REFUND".into();
    mixed.returned = Some(told);
    Ok(Reply::Nothing)
}

/// The payer enters the insurance password. `insurance` and `cash`: how each part goes (`ok`, `fail`, `unknown`).
pub(super) fn pay(
    paying: &mut Paying,
    no: &str,
    insurance: &str,
    cash: &str,
    now: i64,
) -> Result<Value, String> {
    let mixed = paying.wechatpay.mixed.get(no).cloned().ok_or("there is no such order")?;
    if mixed.paid_ms.is_some() {
        return Err("it is paid already".into());
    }
    let mut next = mixed;
    if next.cash != "NO_SELF_PAY" {
        next.cash = match cash {
            "ok" => {
                super::orders::pay(paying, no, None, 0, false, now)?;
                "SELF_PAY_SUCCESS"
            }
            "fail" => "SELF_PAY_FAIL",
            _ => "SELF_PAY_CREATED",
        }
        .into();
    }
    if next.insurance != "NO_MED_INS_PAY" {
        next.insurance = match insurance {
            "ok" => {
                crate::insurance::settle_for_cashier(
                    &mut paying.insurance,
                    text(&next.request, "pay_order_id"),
                    now,
                );
                "MED_INS_PAY_SUCCESS"
            }
            "fail" => {
                next.fail_reason = Some("预结算金额不一致".into());
                "MED_INS_PAY_FAIL"
            }
            _ => "MED_INS_PAY_CREATED",
        }
        .into();
    }
    let good = |state: &str| state.ends_with("_SUCCESS") || state.starts_with("NO_");
    let bad = |state: &str| state.ends_with("_FAIL");
    next.status = if good(&next.cash) && good(&next.insurance) {
        next.paid_ms = Some(now);
        "MIX_PAY_SUCCESS"
    } else if bad(&next.cash) || bad(&next.insurance) {
        "MIX_PAY_FAIL"
    } else {
        "MIX_PAY_USER_PAYING"
    }
    .into();
    let shown = show(&next);
    if next.status == "MIX_PAY_SUCCESS" {
        let id = paying.number("notice-");
        paying.outbox.push(Pending {
            id,
            url: text(&next.request, "callback_url").to_owned(),
            order: no.to_owned(),
            kind: Kind::WechatPay {
                event: "MEDICAL_INSURANCE.SUCCESS".into(),
                original: String::new(),
                content: shown.to_string(),
                medical: true,
            },
            due_ms: now,
            attempts: 0,
            created_ms: now,
        });
    }
    paying.wechatpay.mixed.insert(no.to_owned(), next);
    Ok(shown)
}
