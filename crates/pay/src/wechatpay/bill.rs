//! Bills, read line by line in constant memory.
//!
//! A file is not signed; the signed answer before it gives a hash over the unzipped bytes. Rows are handed out while the
//! hash is still being computed, so read twice: first with a closure that does nothing, and only when that gave a
//! [`Verified`] summary again to reconcile.

use std::io::{BufRead, BufReader, Read};

use aws_lc_rs::digest;
use base::{Fen, UnixMs};
use flate2::read::GzDecoder;

use super::model::BillTicket;
use crate::lines::{Columns, Limited, next};
use crate::words::words;
use crate::yuan::{parse_fee, parse_signed};
use crate::{Verified, moment};

/// The largest bill that is read, unzipped. A million lines are about 350 MB.
pub const MAX_BYTES: u64 = 4 << 30;

words! {
    /// What a line of the trade bill is.
    RowKind {
        /// A payment, by the day it was paid.
        Payment = "SUCCESS",
        /// A refund, by the day it was accepted; a snapshot of that day.
        Refund = "REFUND",
        /// A reversed bar-code payment.
        Revoked = "REVOKED",
    }
}

/// One line of the trade bill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TradeRow {
    /// When, to the second.
    pub at: UnixMs,
    /// Payment or refund.
    pub kind: RowKind,
    /// The appid.
    pub appid: String,
    /// The merchant.
    pub mchid: String,
    /// WeChat's number.
    pub transaction_id: String,
    /// Ours.
    pub out_trade_no: String,
    /// JSAPI, NATIVE, MWEB…
    pub trade_type: String,
    /// What the payer owed (订单金额): compared with our total. Zero in refund lines.
    pub order_total: Fen,
    /// What is settled (应结订单金额): less coupons.
    pub settled: Fen,
    /// WeChat's number of the refund.
    pub refund_id: String,
    /// Ours.
    pub out_refund_no: String,
    /// What was asked back (申请退款金额).
    pub refund: Fen,
    /// What is settled of it (退款金额).
    pub refund_settled: Fen,
    /// SUCCESS, PROCESSING, FAIL, CHANGE: not the words of the interface. CHANGE is what that calls ABNORMAL.
    pub refund_status: String,
    /// WeChat's fee in thousandths of a fen; negative when it is given back.
    pub fee: i64,
}

/// The sums at the end, proved equal to those of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TradeSummary {
    /// Lines.
    pub rows: u64,
    /// Σ order_total.
    pub order_total: Fen,
    /// Σ settled.
    pub settled: Fen,
    /// Σ refund.
    pub refund: Fen,
    /// Σ refund_settled.
    pub refund_settled: Fen,
    /// Σ fee.
    pub fee: i64,
}

/// One line of the fund-flow bill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FundRow {
    /// When, to the second.
    pub at: UnixMs,
    /// The business number (transaction or refund id).
    pub business_id: String,
    /// The flow's own number.
    pub flow_id: String,
    /// 交易, 退款, 扣除交易手续费…
    pub business_type: String,
    /// Positive came in, negative went out.
    pub amount: Fen,
    /// The account after it.
    pub balance: Fen,
    /// Our number.
    pub voucher: String,
}

/// The sums of the fund-flow bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FundSummary {
    /// Lines.
    pub rows: u64,
    /// Σ in.
    pub income: Fen,
    /// Σ out.
    pub expense: Fen,
    /// Lines in.
    pub incomes: u64,
    /// Lines out.
    pub expenses: u64,
}

/// Why a bill is not to be believed. Any of them: fetch it again, and reconcile nothing.
#[derive(Debug, thiserror::Error)]
pub enum BillError {
    /// Cut, no gzip, or too large.
    #[error("can't be read")]
    Io(#[from] std::io::Error),
    /// The bytes are not those that the signed answer spoke of.
    #[error("the hash differs")]
    Hash,
    /// Another algorithm than SHA-1.
    #[error("unknown hash type")]
    HashType,
    /// A line that is none.
    #[error("line {line}: {why}")]
    Line {
        /// Counted from 1.
        line: u64,
        /// What is wrong.
        why: &'static str,
    },
    /// Lines and summary disagree.
    #[error("the summary does not agree: {0}")]
    Summary(&'static str),
}

/// Reads a trade bill (`zipped`: gzip, as asked for). The proof names the hash.
///
/// # Errors
/// [`BillError`].
pub fn trade<R: Read>(
    file: R,
    zipped: bool,
    ticket: &Verified<BillTicket>,
    each: impl FnMut(TradeRow),
) -> Result<Verified<TradeSummary>, BillError> {
    proved(file, zipped, ticket, |reader| trade_unproved(reader, each))
}

/// Reads a fund-flow bill. Also checks that each balance is the one before and the amount.
///
/// # Errors
/// [`BillError`].
pub fn fund_flow<R: Read>(
    file: R,
    zipped: bool,
    ticket: &Verified<BillTicket>,
    each: impl FnMut(FundRow),
) -> Result<Verified<FundSummary>, BillError> {
    proved(file, zipped, ticket, |reader| fund_unproved(reader, each))
}

fn proved<R: Read, T>(
    file: R,
    zipped: bool,
    ticket: &Verified<BillTicket>,
    read: impl FnOnce(&mut dyn BufRead) -> Result<T, BillError>,
) -> Result<Verified<T>, BillError> {
    if ticket.hash_type != "SHA1" {
        return Err(BillError::HashType);
    }
    let plain: Box<dyn Read + '_> =
        if zipped { Box::new(GzDecoder::new(BufReader::new(file))) } else { Box::new(file) };
    let mut hashed = BufReader::with_capacity(
        64 << 10,
        Hashed {
            inner: Limited { inner: plain, left: MAX_BYTES },
            hash: digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY),
        },
    );
    let result = read(&mut hashed);
    // To the end, whatever the lines were like: a changed file is told by its hash first.
    std::io::copy(&mut hashed, &mut std::io::sink())?;
    let hash = hex::encode(hashed.into_inner().hash.finish());
    if !hash.eq_ignore_ascii_case(&ticket.hash_value) {
        return Err(BillError::Hash);
    }
    result.map(|value| Verified::seal(value, hash))
}

struct Hashed<R> {
    inner: R,
    hash: digest::Context,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.hash.update(buf.get(..n).unwrap_or_default());
        Ok(n)
    }
}

/// Lines of one bill, with their number for complaints.
struct Sheet<'a> {
    reader: &'a mut dyn BufRead,
    buffer: Vec<u8>,
    line: u64,
}

impl Sheet<'_> {
    fn wrong(&self, why: &'static str) -> BillError {
        BillError::Line { line: self.line, why }
    }

    /// The next line that is not empty.
    fn advance(&mut self) -> Result<bool, BillError> {
        while next(&mut self.reader, &mut self.buffer)? {
            self.line += 1;
            if !self.buffer.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn text(&self) -> Result<&str, BillError> {
        std::str::from_utf8(&self.buffer).map_err(|_| self.wrong("not UTF-8"))
    }

    fn names(&self) -> Result<Columns, BillError> {
        let text = self.text()?;
        Ok(Columns::new(text.trim_start_matches('\u{feff}').split(',').map(|name| name.trim().to_owned())))
    }

    /// The cells of a line of values: a back-tick before each. A comma without one behind it belongs to a text.
    fn cells(&self) -> Result<Option<Vec<&str>>, BillError> {
        Ok(self.text()?.strip_prefix('`').map(|rest| rest.split(",`").collect()))
    }
}

/// The value in a named column; empty when the bill has no such column.
fn cell<'a>(cells: &[&'a str], at: Option<usize>) -> &'a str {
    at.and_then(|at| cells.get(at)).copied().unwrap_or_default()
}

fn amount(sheet: &Sheet<'_>, text: &str) -> Result<Fen, BillError> {
    if text.is_empty() { Ok(Fen::ZERO) } else { parse_signed(text).map_err(|_| sheet.wrong("not an amount")) }
}

fn plus(sheet: &Sheet<'_>, sum: &mut Fen, more: Fen) -> Result<(), BillError> {
    *sum = sum.checked_add(more).ok_or_else(|| sheet.wrong("sums too large"))?;
    Ok(())
}

/// Holds a sum against the summary line, where it has that column.
fn agrees(columns: &Columns, cells: &[&str], name: &'static str, own: &str) -> Result<(), BillError> {
    let Some(at) = columns.find(name) else { return Ok(()) };
    if cell(cells, Some(at)) == own { Ok(()) } else { Err(BillError::Summary(name)) }
}

fn fee_text(fee: i64) -> String {
    let sign = if fee < 0 { "-" } else { "" };
    let size = fee.unsigned_abs();
    format!("{sign}{}.{:05}", size / 100_000, size % 100_000)
}

pub(crate) fn trade_unproved(
    reader: &mut dyn BufRead,
    mut each: impl FnMut(TradeRow),
) -> Result<TradeSummary, BillError> {
    let mut sheet = Sheet { reader, buffer: Vec::new(), line: 0 };
    if !sheet.advance()? {
        return Err(sheet.wrong("empty"));
    }
    let columns = sheet.names()?;
    let find = |name| columns.find(name);
    let need = |name| columns.find(name).ok_or(BillError::Line { line: 1, why: "a column is missing" });
    let (at, state) = (need("交易时间")?, need("交易状态")?);
    let (transaction, order) = (need("微信订单号")?, need("商户订单号")?);
    let (appid, mchid, trade_type) = (find("公众账号ID"), find("商户号"), find("交易类型"));
    let (total, settled) = (find("订单金额"), find("应结订单金额"));
    let (refund_id, refund_no, status) = (find("微信退款单号"), find("商户退款单号"), find("退款状态"));
    let (refund, refund_settled, fee) = (find("申请退款金额"), find("退款金额"), find("手续费"));
    let mut sums = TradeSummary::default();
    loop {
        if !sheet.advance()? {
            return Err(sheet.wrong("no summary"));
        }
        let Some(cells) = sheet.cells()? else { break };
        if cells.len() != columns.len() {
            return Err(sheet.wrong("another number of cells than of names"));
        }
        let text = |at: Option<usize>| cell(&cells, at).to_owned();
        let row = TradeRow {
            at: moment::parse_beijing(cell(&cells, Some(at))).ok_or_else(|| sheet.wrong("not a time"))?,
            kind: RowKind::from(text(Some(state))),
            appid: text(appid),
            mchid: text(mchid),
            transaction_id: text(Some(transaction)),
            out_trade_no: text(Some(order)),
            trade_type: text(trade_type),
            order_total: amount(&sheet, cell(&cells, total))?,
            settled: amount(&sheet, cell(&cells, settled))?,
            refund_id: text(refund_id),
            out_refund_no: text(refund_no),
            refund: amount(&sheet, cell(&cells, refund))?,
            refund_settled: amount(&sheet, cell(&cells, refund_settled))?,
            refund_status: text(status),
            fee: match cell(&cells, fee) {
                "" => 0,
                text => parse_fee(text).map_err(|_| sheet.wrong("not a fee"))?,
            },
        };
        sums.rows += 1;
        plus(&sheet, &mut sums.order_total, row.order_total)?;
        plus(&sheet, &mut sums.settled, row.settled)?;
        plus(&sheet, &mut sums.refund, row.refund)?;
        plus(&sheet, &mut sums.refund_settled, row.refund_settled)?;
        sums.fee = sums.fee.checked_add(row.fee).ok_or_else(|| sheet.wrong("sums too large"))?;
        each(row);
    }
    let names = sheet.names()?;
    if !sheet.advance()? {
        return Err(sheet.wrong("no summary"));
    }
    let cells = sheet.cells()?.ok_or_else(|| sheet.wrong("no summary"))?;
    agrees(&names, &cells, "总交易单数", &sums.rows.to_string())?;
    agrees(&names, &cells, "应结订单总金额", &sums.settled.yuan())?;
    agrees(&names, &cells, "退款总金额", &sums.refund_settled.yuan())?;
    agrees(&names, &cells, "手续费总金额", &fee_text(sums.fee))?;
    agrees(&names, &cells, "订单总金额", &sums.order_total.yuan())?;
    agrees(&names, &cells, "申请退款总金额", &sums.refund.yuan())?;
    if names.find("总交易单数").is_none() {
        return Err(BillError::Summary("总交易单数"));
    }
    Ok(sums)
}

pub(crate) fn fund_unproved(
    reader: &mut dyn BufRead,
    mut each: impl FnMut(FundRow),
) -> Result<FundSummary, BillError> {
    let mut sheet = Sheet { reader, buffer: Vec::new(), line: 0 };
    if !sheet.advance()? {
        return Err(sheet.wrong("empty"));
    }
    let columns = sheet.names()?;
    let need = |name| columns.find(name).ok_or(BillError::Line { line: 1, why: "a column is missing" });
    let (at, business, flow) = (need("记账时间")?, need("微信支付业务单号")?, need("资金流水单号")?);
    let (kind, way, sum, balance) =
        (need("业务类型")?, need("收支类型")?, need("收支金额")?, need("账户结余")?);
    let voucher = columns.find("业务凭证号");
    let mut sums = FundSummary::default();
    let mut before: Option<Fen> = None;
    loop {
        if !sheet.advance()? {
            return Err(sheet.wrong("no summary"));
        }
        let Some(cells) = sheet.cells()? else { break };
        if cells.len() != columns.len() {
            return Err(sheet.wrong("another number of cells than of names"));
        }
        let text = |at: usize| cell(&cells, Some(at)).to_owned();
        let size = amount(&sheet, cell(&cells, Some(sum)))?;
        let change = match cell(&cells, Some(way)) {
            "收入" => {
                sums.incomes += 1;
                plus(&sheet, &mut sums.income, size)?;
                size
            }
            "支出" => {
                sums.expenses += 1;
                plus(&sheet, &mut sums.expense, size)?;
                Fen::ZERO.checked_sub(size).ok_or_else(|| sheet.wrong("not an amount"))?
            }
            _ => return Err(sheet.wrong("neither in nor out")),
        };
        let row = FundRow {
            at: moment::parse_beijing(cell(&cells, Some(at))).ok_or_else(|| sheet.wrong("not a time"))?,
            business_id: text(business),
            flow_id: text(flow),
            business_type: text(kind),
            amount: change,
            balance: amount(&sheet, cell(&cells, Some(balance)))?,
            voucher: cell(&cells, voucher).to_owned(),
        };
        if before.is_some_and(|before| before.checked_add(change) != Some(row.balance)) {
            return Err(sheet.wrong("the balance does not follow from the one before"));
        }
        before = Some(row.balance);
        sums.rows += 1;
        each(row);
    }
    let names = sheet.names()?;
    if !sheet.advance()? {
        return Err(sheet.wrong("no summary"));
    }
    let cells = sheet.cells()?.ok_or_else(|| sheet.wrong("no summary"))?;
    if names.find("资金流水总笔数").is_none() {
        return Err(BillError::Summary("资金流水总笔数"));
    }
    agrees(&names, &cells, "资金流水总笔数", &sums.rows.to_string())?;
    agrees(&names, &cells, "收入笔数", &sums.incomes.to_string())?;
    agrees(&names, &cells, "收入金额", &sums.income.yuan())?;
    agrees(&names, &cells, "支出笔数", &sums.expenses.to_string())?;
    agrees(&names, &cells, "支出金额", &sums.expense.yuan())?;
    Ok(sums)
}
