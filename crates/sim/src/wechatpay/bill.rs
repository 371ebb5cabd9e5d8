//! Bills out of our own books, from nine o'clock of the next day.

use std::io::Write as _;

use base::{Fen, UnixMs};
use serde_json::json;

use super::orders::text;
use super::serve::{Asked, Refusal, Reply};
use crate::paying::BillSpoil;
use crate::world::World;

const NAMES: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,\
应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注";

/// The Beijing day asked for, once it is over and the bill is made.
fn day(asked: &Asked<'_>) -> Result<String, Refusal> {
    let day = asked.query.get("bill_date").cloned().unwrap_or_default();
    let start = pay::moment::parse_beijing(&format!("{day} 00:00:00"));
    let start = start.ok_or_else(|| Refusal::param("bill_date", "YYYY-MM-DD"))?;
    let made = start.0 + (24 + 9) * 3_600_000;
    if asked.now < start.0 + 24 * 3_600_000 {
        return Err(Refusal::new(400, "INVALID_REQUEST", "账单日期须为今天之前"));
    }
    if asked.now < made {
        return Err(Refusal::new(400, "STATEMENT_CREATING", "账单生成中"));
    }
    Ok(day)
}

fn fee(total: i64) -> i64 {
    // 0.6 %, in thousandths of a fen, to the fen.
    (total * 6 + 500) / 1000 * 1000
}

fn fee_text(fee: i64) -> String {
    let sign = if fee < 0 { "-" } else { "" };
    format!("{sign}{}.{:05}", fee.abs() / 100_000, fee.abs() % 100_000)
}

/// A row: the time it is sorted by, its cells, and its sums (order, refund, fee).
type Row = (i64, String, (i64, i64, i64));

pub(super) fn trade(world: &mut World, asked: &Asked<'_>) -> Result<Reply, Refusal> {
    let day = day(asked)?;
    let kind = asked.query.get("bill_type").map_or("ALL", String::as_str);
    let late = world.paying.faults.bill_late_ms;
    let of_day = |at: i64| pay::moment::day(UnixMs(at + late)).to_string() == day;
    let bank = &world.paying.wechatpay;
    let yuan = |fen: i64| Fen(fen).yuan();
    let clean = |text: &str| text.replace(',', "\\ ");
    let mut rows: Vec<Row> = Vec::new();
    for (no, order) in &bank.orders {
        let Some(paid) = order.paid_ms.filter(|paid| of_day(*paid) && kind != "REFUND") else { continue };
        let shown = super::orders::show(no, order);
        let cells = [
            pay::moment::beijing(UnixMs(paid + late)),
            text(&shown, "appid").into(),
            text(&shown, "mchid").into(),
            "0".into(),
            String::new(),
            text(&shown, "transaction_id").into(),
            no.clone(),
            order.openid.clone().unwrap_or_default(),
            text(&shown, "trade_type").into(),
            "SUCCESS".into(),
            "OTHERS".into(),
            "CNY".into(),
            yuan(order.payer_total),
            yuan(order.total - order.payer_total),
            "0".into(),
            "0".into(),
            "0.00".into(),
            "0.00".into(),
            String::new(),
            String::new(),
            clean(text(&order.request, "description")),
            clean(text(&order.request, "attach")),
            fee_text(fee(order.total)),
            "0.60%".into(),
            yuan(order.total),
            "0.00".into(),
            String::new(),
        ];
        rows.push((paid, cells.join(",`"), (order.total, 0, fee(order.total))));
    }
    for (refund_no, refund) in &bank.refunds {
        if !of_day(refund.created_ms) || kind == "SUCCESS" {
            continue;
        }
        let Some(order) = bank.orders.get(&refund.out_trade_no) else { continue };
        let shown = super::orders::show(&refund.out_trade_no, order);
        let status = match refund.status.as_str() {
            "ABNORMAL" => "CHANGE",
            "CLOSED" => "FAIL",
            other => other,
        };
        let cells = [
            pay::moment::beijing(UnixMs(refund.created_ms + late)),
            text(&shown, "appid").into(),
            text(&shown, "mchid").into(),
            "0".into(),
            String::new(),
            text(&shown, "transaction_id").into(),
            refund.out_trade_no.clone(),
            order.openid.clone().unwrap_or_default(),
            text(&shown, "trade_type").into(),
            "REFUND".into(),
            "OTHERS".into(),
            "CNY".into(),
            "0.00".into(),
            "0.00".into(),
            refund.refund_id.clone(),
            refund_no.clone(),
            yuan(refund.amount),
            "0.00".into(),
            "ORIGINAL".into(),
            status.into(),
            clean(text(&order.request, "description")),
            clean(text(&order.request, "attach")),
            fee_text(-fee(refund.amount)),
            "0.60%".into(),
            "0.00".into(),
            yuan(refund.amount),
            String::new(),
        ];
        rows.push((refund.created_ms, cells.join(",`"), (0, refund.amount, -fee(refund.amount))));
    }
    let faults = &world.paying.faults;
    rows.extend((0..faults.bill_add).filter_map(|nth| stranger(bank, &day, nth)));
    if rows.is_empty() {
        return Err(Refusal::new(400, "NO_STATEMENT_EXIST", "账单文件不存在"));
    }
    rows.sort();
    let skip = faults.bill_lose.min(rows.len());
    rows.drain(..skip);
    if let (true, Some(first)) = (faults.bill_change, rows.first_mut()) {
        let (before, after) = (yuan(first.2.0), yuan(first.2.0 + 1));
        first.1 = first.1.replace(&format!(",`{before},`0.00,`"), &format!(",`{after},`0.00,`"));
        first.2.0 += 1;
    }
    let (mut orders, mut refunds, mut fees, mut settled) = (0, 0, 0, 0);
    let mut file = format!("{NAMES}\r\n");
    for (_, cells, sums) in &rows {
        file.push_str(&format!("`{cells}\r\n"));
        orders += sums.0;
        refunds += sums.1;
        fees += sums.2;
        // Column 13 (应结订单金额).
        let amount = cells.split(",`").nth(12).and_then(|text| pay::yuan::parse(text).ok());
        settled += amount.map_or(0, |fen| fen.0);
    }
    file.push_str(
        "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n",
    );
    file.push_str(&format!(
        "`{},`{},`{},`0.00,`{},`{},`{}\r\n",
        rows.len() + usize::from(faults.bill_spoil == BillSpoil::Summary),
        yuan(settled),
        yuan(refunds),
        fee_text(fees),
        yuan(orders),
        yuan(refunds)
    ));
    publish(world, asked, &file)
}

pub(super) fn fund(world: &mut World, asked: &Asked<'_>) -> Result<Reply, Refusal> {
    let day = day(asked)?;
    let bank = &world.paying.wechatpay;
    // (when, business number, our number, kind, change)
    let mut moves: Vec<(i64, String, String, &str, i64)> = Vec::new();
    for (no, order) in &bank.orders {
        let Some(paid) = order.paid_ms else { continue };
        let id = order.transaction_id.clone().unwrap_or_default();
        moves.push((paid, id.clone(), no.clone(), "交易", order.total));
        moves.push((paid, id, no.clone(), "扣除交易手续费", -fee(order.total) / 1000));
    }
    for (no, refund) in &bank.refunds {
        if refund.status != "CLOSED" {
            let back = refund.amount - fee(refund.amount) / 1000;
            moves.push((refund.created_ms, refund.refund_id.clone(), no.clone(), "退款", -back));
        }
    }
    moves.sort_by(|a, b| (a.0, &a.1, b.4).cmp(&(b.0, &b.1, a.4)));
    let mut file = String::from(
        "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号\r\n",
    );
    let (mut balance, mut count, mut ins, mut outs) = (bank.opening, 0, (0, 0), (0, 0));
    for (at, (when, id, no, kind, change)) in moves.iter().enumerate() {
        balance += change;
        if pay::moment::day(UnixMs(*when)).to_string() != day {
            continue;
        }
        count += 1;
        let way = if *change > 0 { "收入" } else { "支出" };
        let sums = if *change > 0 { &mut ins } else { &mut outs };
        sums.0 += 1;
        sums.1 += change.abs();
        let row = [
            pay::moment::beijing(UnixMs(*when)),
            id.clone(),
            format!("1000{at:020}"),
            (*kind).into(),
            (*kind).into(),
            way.into(),
            Fen(change.abs()).yuan(),
            Fen(balance).yuan(),
            "system".into(),
            String::new(),
            no.clone(),
        ];
        file.push_str(&format!("`{}\r\n", row.join(",`")));
    }
    if count == 0 {
        return Err(Refusal::new(400, "NO_STATEMENT_EXIST", "账单文件不存在"));
    }
    file.push_str("资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\r\n");
    file.push_str(&format!(
        "`{count},`{},`{},`{},`{}\r\n",
        ins.0,
        Fen(ins.1).yuan(),
        outs.0,
        Fen(outs.1).yuan()
    ));
    publish(world, asked, &file)
}

/// A payment that another of the merchant's systems took, at noon.
fn stranger(bank: &super::Bank, day: &str, nth: u32) -> Option<Row> {
    let at = pay::moment::parse_beijing(&format!("{day} 12:00:00"))?.0;
    let mchid = bank.keys.as_ref().map(|keys| keys.mchid.clone()).unwrap_or_default();
    let no = format!("SHOP{}{nth:04}", day.replace('-', ""));
    let (time, paid) = (pay::moment::beijing(UnixMs(at)), Fen(100).yuan());
    let empty = String::new;
    let cells = [
        time,
        empty(),
        mchid,
        "0".into(),
        empty(),
        format!("4200{no}"),
        no,
        empty(),
        "NATIVE".into(),
        "SUCCESS".into(),
        "OTHERS".into(),
        "CNY".into(),
        paid.clone(),
        "0.00".into(),
        "0".into(),
        "0".into(),
        "0.00".into(),
        "0.00".into(),
        empty(),
        empty(),
        "小卖部".into(),
        empty(),
        fee_text(fee(100)),
        "0.60%".into(),
        paid,
        "0.00".into(),
        empty(),
    ];
    Some((at, cells.join(",`"), (100, 0, fee(100))))
}

/// Keeps the file under a token and answers with its address and the hash of the unzipped bytes.
fn publish(world: &mut World, asked: &Asked<'_>, text: &str) -> Result<Reply, Refusal> {
    let spoil = world.paying.faults.bill_spoil;
    let hashed = if spoil == BillSpoil::Hash { "another file" } else { text };
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, hashed.as_bytes());
    let gzip = asked.query.get("tar_type").is_some_and(|kind| kind == "GZIP");
    let mut bytes = if gzip {
        let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let zipped = zip.write_all(text.as_bytes()).and_then(|()| zip.finish());
        zipped.map_err(|error| Refusal::new(500, "SYSTEM_ERROR", error.to_string()))?
    } else {
        text.as_bytes().to_vec()
    };
    if spoil == BillSpoil::Cut {
        bytes.truncate(bytes.len() / 2);
    }
    let token = pay::crypto::nonce(40);
    world.paying.wechatpay.files.insert(token.clone(), bytes);
    Ok(Reply::Json(json!({
        "hash_type": "SHA1", "hash_value": hex::encode(hash),
        "download_url": format!("{}/v3/billdownload/file?token={token}", asked.base),
    })))
}

pub(super) fn file(world: &World, asked: &Asked<'_>) -> Result<Reply, Refusal> {
    let token = asked.query.get("token").map_or("", String::as_str);
    let file = world.paying.wechatpay.files.get(token);
    file.cloned().map(Reply::File).ok_or_else(|| Refusal::new(404, "RESOURCE_NOT_EXISTS", "账单文件不存在"))
}
