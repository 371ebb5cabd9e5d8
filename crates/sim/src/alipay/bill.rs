//! The day's bill: a zip with two GBK files.

use std::io::Write as _;

use base::{Fen, UnixMs};
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;

use super::gateway::{Asked, Refusal, business};
use crate::paying::BillSpoil;
use crate::world::World;

const NAMES: &str = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,\
支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注";

pub(super) fn address(world: &mut World, asked: &Asked<'_>) -> Result<Value, Refusal> {
    let get = |name: &str| asked.content.get(name).and_then(Value::as_str).unwrap_or_default();
    let day = get("bill_date").to_owned();
    let start = pay::moment::parse_beijing(&format!("{day} 00:00:00"));
    let start = start.ok_or_else(|| business("isv.invalid-arguments", "bill_date"))?.0;
    if get("bill_type") != "trade" || asked.now < start + (24 + 9) * 3_600_000 {
        return Err(business("isp.bill_not_exist", "账单不存在"));
    }
    let file = file(world, &day).ok_or_else(|| business("isp.bill_not_exist", "账单不存在"))?;
    let token = pay::crypto::nonce(40);
    world.paying.alipay.files.insert(token.clone(), file);
    Ok(json!({ "bill_download_url": format!("{}/alipay/bill/{token}", asked.base) }))
}

fn file(world: &World, day: &str) -> Option<Vec<u8>> {
    let bank = &world.paying.alipay;
    let seller = bank.keys.as_ref().map(|keys| keys.seller_id.clone()).unwrap_or_default();
    let faults = &world.paying.faults;
    let late = faults.bill_late_ms;
    let of_day = |at: i64| pay::moment::day(UnixMs(at + late)).to_string() == day;
    let mut rows: Vec<(i64, String, i64)> = Vec::new();
    let row = |trade: &super::Trade, no: &str, kind: &str, at: i64, amount: i64, request: &str| {
        let time = |at: i64| pay::moment::beijing(UnixMs(at));
        let subject =
            trade.content.get("subject").and_then(Value::as_str).unwrap_or_default().replace(',', " ");
        // 0.6 % to the fen, taken from payments and given back with refunds.
        let fee = -(amount.abs() * 6 + 500) / 1000 * amount.signum();
        let yuan = Fen(amount).yuan();
        let cells = [
            trade.trade_no.as_str(),
            no,
            kind,
            &subject,
            &time(trade.created_ms),
            &time(at + late),
            "",
            "",
            "",
            "",
            "*三(sim***@example.test)",
            &yuan,
            &yuan,
            "0.00",
            "0.00",
            "0.00",
            "0.00",
            "0.00",
            "",
            "0.00",
            "0.00",
            request,
            &Fen(fee).yuan(),
            "0.00",
            "",
        ];
        (at, cells.map(|cell| format!("{cell}\t")).join(","), amount)
    };
    for (no, trade) in &bank.trades {
        if let Some(paid) = trade.paid_ms.filter(|paid| of_day(*paid)) {
            rows.push(row(trade, no, "交易", paid, trade.total, ""));
        }
        for (request, (amount, at)) in &trade.refunds {
            if of_day(*at) {
                rows.push(row(trade, no, "退款", *at, -amount, request));
            }
        }
    }
    if rows.is_empty() {
        return None;
    }
    rows.sort();
    let skip = faults.bill_lose.min(rows.len());
    rows.drain(..skip);
    if let (true, Some(first)) = (faults.bill_change, rows.first_mut()) {
        let (before, after) = (Fen(first.2).yuan(), Fen(first.2 + 1).yuan());
        first.1 = first.1.replace(&format!("{before}\t,{before}\t"), &format!("{after}\t,{after}\t"));
        first.2 += 1;
    }
    let count = |refund: bool| rows.iter().filter(|(.., amount)| (*amount < 0) == refund).count();
    let sum = |refund: bool| -> i64 {
        rows.iter().map(|(.., amount)| *amount).filter(|amount| (*amount < 0) == refund).sum()
    };
    let mut text = format!(
        "#支付宝业务明细查询\r\n#账号：[{seller}0156]\r\n#起始日期：[{day} 00:00:00]   终止日期：[{day} 24:00:00]\r\n\
         #-----------------------------------------业务明细列表------------------------------------\r\n{NAMES}\r\n"
    );
    for (_, cells, _) in &rows {
        text.push_str(cells);
        text.push_str("\r\n");
    }
    text.push_str(&format!(
        "#-----------------------------------------业务明细列表结束------------------------------------\r\n\
         #交易合计：{}笔，商家实收共{}元，商家优惠共0.00元\r\n#退款合计：{}笔，商家实收退款共{}元，商家优惠退款共0.00元\r\n",
        count(false) + usize::from(faults.bill_spoil == BillSpoil::Summary), Fen(sum(false)).yuan(), count(true), Fen(sum(true)).yuan(),
    ));
    let compact = day.replace('-', "");
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in [
        (format!("{seller}0156_{compact}_业务明细.csv"), text),
        (format!("{seller}0156_{compact}_业务明细(汇总).csv"), "#支付宝业务汇总查询\r\n".to_owned()),
    ] {
        zip.start_file(name, SimpleFileOptions::default()).ok()?;
        zip.write_all(&encoding_rs::GBK.encode(&text).0).ok()?;
    }
    let mut bytes = zip.finish().ok()?.into_inner();
    if faults.bill_spoil == BillSpoil::Cut {
        bytes.truncate(bytes.len() / 2);
    }
    Some(bytes)
}
