//! The day's trade bill: a zip with GBK text. Read line by line in constant memory.
//!
//! The file carries no hash and no signature, so nothing in it is [`crate::Verified`]: a line that we do not know of is a
//! reason to query, not a payment. Its lines are held against its own sums.

use std::io::{BufRead, BufReader, Read, Seek};

use base::{Fen, UnixMs};
use encoding_rs::GBK;

use crate::lines::{Columns, Limited, next};
use crate::moment;
use crate::yuan::parse_signed;

/// The largest detail file that is read, unpacked.
pub const MAX_BYTES: u64 = 4 << 30;

/// One line of the details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Alipay's number.
    pub trade_no: String,
    /// Ours.
    pub out_trade_no: String,
    /// A refund (退款); else a payment (交易).
    pub refund: bool,
    /// When it was finished.
    pub at: UnixMs,
    /// The order's amount; negative in refunds.
    pub total: Fen,
    /// What the seller got; negative in refunds.
    pub received: Fen,
    /// Our number of the refund.
    pub out_request_no: String,
    /// Alipay's fee: negative when taken.
    pub fee: Fen,
}

/// The sums, equal to those at the end of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Payments.
    pub payments: u64,
    /// Σ received of payments.
    pub paid: Fen,
    /// Refunds.
    pub refunds: u64,
    /// Σ received of refunds; not positive.
    pub refunded: Fen,
}

/// Why a bill is not to be believed.
#[derive(Debug, thiserror::Error)]
pub enum BillError {
    /// No zip, cut, or too large.
    #[error("can't be read")]
    Io(#[from] std::io::Error),
    /// No zip.
    #[error("not a zip: {0}")]
    Zip(String),
    /// No file of details in it.
    #[error("no details in it")]
    NoDetails,
    /// A line that is none.
    #[error("line {line}: {why}")]
    Line {
        /// Counted from 1.
        line: u64,
        /// What is wrong.
        why: &'static str,
    },
    /// Lines and sums disagree, or the end is missing.
    #[error("the sums do not agree: {0}")]
    Summary(&'static str),
}

/// Reads the details out of the zip.
///
/// # Errors
/// [`BillError`].
pub fn trade(file: impl Read + Seek, each: impl FnMut(Row)) -> Result<Summary, BillError> {
    let mut zip = zip::ZipArchive::new(file).map_err(|error| BillError::Zip(error.to_string()))?;
    let details = zip.file_names_raw().position(|name| {
        // Names come in GBK, or in UTF-8 with the zip's own flag; Chinese in GBK is hardly ever valid UTF-8.
        let name = std::str::from_utf8(name)
            .map_or_else(|_| GBK.decode_without_bom_handling(name).0, std::borrow::Cow::Borrowed);
        name.contains("业务明细") && !name.contains("汇总")
    });
    let entry = zip.by_index(details.ok_or(BillError::NoDetails)?);
    let entry = entry.map_err(|error| BillError::Zip(error.to_string()))?;
    let limited = Limited { inner: entry, left: MAX_BYTES };
    details_of(&mut BufReader::with_capacity(64 << 10, limited), each)
}

/// Reads the text of the details.
pub(crate) fn details_of(reader: &mut dyn BufRead, mut each: impl FnMut(Row)) -> Result<Summary, BillError> {
    let mut reader = reader;
    let (mut buffer, mut line) = (Vec::new(), 0_u64);
    let mut columns: Option<Columns> = None;
    let (mut sums, mut ended, mut told) = (Summary::default(), false, 0);
    while next(&mut reader, &mut buffer)? {
        line += 1;
        let wrong = |why| BillError::Line { line, why };
        let (text, bad) = GBK.decode_without_bom_handling(&buffer);
        if bad {
            return Err(wrong("not GBK"));
        }
        if text.starts_with('#') {
            ended |= text.contains("列表结束");
            told += u32::from(holds(&text, "#交易合计：", sums.payments, sums.paid)?);
            told += u32::from(holds(&text, "#退款合计：", sums.refunds, sums.refunded)?);
            continue;
        }
        if text.trim().is_empty() {
            continue;
        }
        let Some(columns) = &columns else {
            columns = Some(Columns::new(text.split(',').map(|name| name.trim().to_owned())));
            continue;
        };
        if ended {
            return Err(wrong("a line behind the end"));
        }
        let mut cells: Vec<&str> = text.split(',').collect();
        if cells.len() != columns.len() {
            // A comma inside a text: the cells are padded with tabs.
            cells = text.split("\t,").collect();
        }
        if cells.len() != columns.len() {
            return Err(wrong("another number of cells than of names"));
        }
        let cell = |name: &str| {
            columns.find(name).and_then(|at| cells.get(at)).map(|text| text.trim()).unwrap_or_default()
        };
        let fen = |name: &str| match cell(name) {
            "" => Ok(Fen::ZERO),
            text => parse_signed(text).map_err(|_| wrong("not an amount")),
        };
        let row = Row {
            trade_no: cell("支付宝交易号").to_owned(),
            out_trade_no: cell("商户订单号").to_owned(),
            refund: match cell("业务类型") {
                "交易" => false,
                "退款" => true,
                _ => return Err(wrong("neither payment nor refund")),
            },
            at: moment::parse_beijing(cell("完成时间")).ok_or_else(|| wrong("not a time"))?,
            total: fen("订单金额")?,
            received: fen("商家实收")?,
            out_request_no: cell("退款批次号/请求号").to_owned(),
            fee: fen("服务费")?,
        };
        let (count, sum) = if row.refund {
            (&mut sums.refunds, &mut sums.refunded)
        } else {
            (&mut sums.payments, &mut sums.paid)
        };
        *count += 1;
        *sum = sum.checked_add(row.received).ok_or_else(|| wrong("sums too large"))?;
        each(row);
    }
    if !ended {
        return Err(BillError::Summary("the file is cut"));
    }
    if told != 2 { Err(BillError::Summary("no sums")) } else { Ok(sums) }
}

/// Checks `#交易合计：1笔，商家实收共12.50元，…`. False when the line is another.
fn holds(text: &str, start: &'static str, count: u64, sum: Fen) -> Result<bool, BillError> {
    let Some(rest) = text.strip_prefix(start) else { return Ok(false) };
    let (told, rest) = rest.split_once('笔').ok_or(BillError::Summary(start))?;
    let (_, rest) = rest.split_once('共').ok_or(BillError::Summary(start))?;
    let (amount, _) = rest.split_once('元').ok_or(BillError::Summary(start))?;
    let agrees = told.parse() == Ok(count) && parse_signed(amount) == Ok(sum);
    if agrees { Ok(true) } else { Err(BillError::Summary(start)) }
}
