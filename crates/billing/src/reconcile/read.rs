//! Bills into lines, in bounded memory whatever their length.

use std::fs::File;
use std::io::Seek as _;

use base::{Fen, UnixMs};
use pay::Verified;
use pay::alipay;
use pay::wechatpay::BillTicket;
use pay::wechatpay::bill::{self, RowKind, TradeRow};
use tokio::sync::mpsc;

use super::store::What;
use crate::observation::{Observation, OrderState, Said};

/// Lines go to the database in parcels of this size.
pub(super) const PARCEL: usize = 2_000;

/// A line of a bill, by our numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) what: What,
    /// Of the payment or of the refund.
    pub(super) number: String,
    /// Of the payment in both cases.
    pub(super) order: String,
    pub(super) provider_no: String,
    pub(super) amount: Fen,
    pub(super) at: UnixMs,
}

/// Why a bill is not to be believed, in words for the finance office.
pub(super) type Unreadable = String;

impl From<&TradeRow> for Line {
    fn from(row: &TradeRow) -> Self {
        let refund = row.kind == RowKind::Refund;
        Self {
            what: if refund { What::Refund } else { What::Payment },
            number: if refund { row.out_refund_no.clone() } else { row.out_trade_no.clone() },
            order: row.out_trade_no.clone(),
            provider_no: if refund { row.refund_id.clone() } else { row.transaction_id.clone() },
            amount: if refund { row.refund } else { row.order_total },
            at: row.at,
        }
    }
}

impl From<&alipay::bill::Row> for Line {
    fn from(row: &alipay::bill::Row) -> Self {
        Self {
            what: if row.refund { What::Refund } else { What::Payment },
            number: if row.refund { row.out_request_no.clone() } else { row.out_trade_no.clone() },
            order: row.out_trade_no.clone(),
            provider_no: row.trade_no.clone(),
            amount: Fen(row.total.0.abs()),
            at: row.at,
        }
    }
}

/// A payment that a bill whose hash is right speaks of.
pub(super) fn paid(merchant: &str, app: &str, line: &Line, by: &str) -> Observation {
    Observation {
        merchant: merchant.to_owned(),
        app: app.to_owned(),
        yuan: true,
        number: line.order.clone(),
        provider_no: Some(line.provider_no.clone()),
        said: Said::Order {
            state: OrderState::Paid,
            total: Some(line.amount),
            shares: None,
            paid_at: Some(line.at),
        },
        by: by.to_owned(),
    }
}

/// Reads WeChat's file twice: first for its proof, then line by line into `into`. Blocks.
pub(super) fn wechat(
    mut file: File,
    ticket: &Verified<BillTicket>,
    into: &mpsc::Sender<Vec<Line>>,
) -> Result<(), Unreadable> {
    bill::trade(&mut file, true, ticket, |_| {}).map_err(|e| e.to_string())?;
    file.rewind().map_err(|e| e.to_string())?;
    let mut parcel = Parcel::new(into);
    bill::trade(&mut file, true, ticket, |row| {
        if row.kind != RowKind::Revoked {
            parcel.put(Line::from(&row));
        }
    })
    .map_err(|e| e.to_string())?;
    parcel.end();
    Ok(())
}

/// Reads Alipay's file twice, as [`wechat`] does: its lines are held against its own sums before one of them counts. Blocks.
pub(super) fn alipay(mut file: File, into: &mpsc::Sender<Vec<Line>>) -> Result<(), Unreadable> {
    alipay::bill::trade(&mut file, |_| {}).map_err(|e| e.to_string())?;
    file.rewind().map_err(|e| e.to_string())?;
    let mut parcel = Parcel::new(into);
    alipay::bill::trade(&mut file, |row| parcel.put(Line::from(&row))).map_err(|e| e.to_string())?;
    parcel.end();
    Ok(())
}

struct Parcel<'a> {
    lines: Vec<Line>,
    into: &'a mpsc::Sender<Vec<Line>>,
}

impl<'a> Parcel<'a> {
    fn new(into: &'a mpsc::Sender<Vec<Line>>) -> Self {
        Self { lines: Vec::with_capacity(PARCEL), into }
    }

    fn put(&mut self, line: Line) {
        self.lines.push(line);
        if self.lines.len() >= PARCEL {
            self.end();
        }
    }

    /// Waits while the database is behind. A receiver that has gone has said why itself.
    fn end(&mut self) {
        let full = std::mem::take(&mut self.lines);
        if !full.is_empty() {
            let _ = self.into.blocking_send(full);
        }
    }
}
