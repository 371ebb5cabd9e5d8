//! One contract's day: its bill fetched, proved, matched; what is missing asked about; the day closed when nothing is left.

use std::time::Duration;

use base::{Date, Fen, UnixMs};
use pay::insurance::SettlementTotals;
use pay::wechatpay::calls::BillType;
use pay::{Outcome, alipay, wechatpay};
use store::{Result, StoreError};
use tokio::sync::mpsc;

use super::read::{self, Line};
use super::store::{self as sql, Day, DayState, DifferenceKind, Odd, What};
use crate::BillingDeps;
use crate::inbox::observe;
use crate::merchants::{Line as Wire, Merchant};
use crate::observation::Source;
use crate::settings::Settings;

/// Trouble over there, or differences that may settle by themselves: look again after this.
const HOUR: Duration = Duration::from_secs(3600);
/// The bill is being made.
const SOON: Duration = Duration::from_secs(1800);
/// What we have just asked about will be known then.
const ASKED: Duration = Duration::from_secs(120);
/// Clocks of both sides may differ by so much at midnight.
const BORDER: Duration = Duration::from_secs(600);

/// What came of fetching a bill.
enum Fetched {
    /// Its lines are in the database. The hash that proves them, where there is one.
    Lines(Option<String>),
    /// Nothing happened that day, says the other side.
    NoBill,
    /// Not yet.
    Later(Duration, String),
}

/// From when to when a day lies.
pub(super) fn bounds(hospital: &edge::Hospital, date: Date) -> (UnixMs, UnixMs) {
    let midnight = |date| hospital.zone.at(date, base::WallTime::default());
    (midnight(date), midnight(date.tomorrow().unwrap_or(date)))
}

/// Something on our side is in the way: the day is looked at again in an hour.
pub(super) async fn put_off(deps: &BillingDeps, merchant: &Merchant, date: Date, why: &str) -> Result<()> {
    let mut tx = deps.db.begin().await?;
    let at = tx.now().plus(HOUR);
    sql::later(&mut tx, merchant, date, at, why).await?;
    tx.commit().await
}

pub(super) async fn run(deps: &BillingDeps, merchant: &Merchant, date: Date) -> Result<Day> {
    let hospital = deps.hospitals.get(merchant.hospital).ok_or(StoreError::NoRow)?;
    let (from, to) = bounds(&hospital, date);
    let this = Run { deps, merchant, date, from, to };
    let fetched = match &merchant.line {
        Wire::Insurance(bureau) => {
            return this.totals(&bureau.client, &hospital.settings(Settings::SECTION)).await;
        }
        Wire::Wechatpay(client) => this.bill_of_wechat(client).await?,
        Wire::Alipay(client) => this.bill_of_alipay(client).await?,
    };
    match fetched {
        Fetched::Later(wait, why) => this.not_now(wait, &why).await,
        Fetched::NoBill => {
            this.stage_nothing().await?;
            this.hold_against(None).await
        }
        Fetched::Lines(hash) => this.hold_against(hash.as_deref()).await,
    }
}

struct Run<'a> {
    deps: &'a BillingDeps,
    merchant: &'a Merchant,
    date: Date,
    from: UnixMs,
    to: UnixMs,
}

impl Run<'_> {
    async fn not_now(&self, wait: Duration, why: &str) -> Result<Day> {
        tracing::warn!(account = %self.merchant.name, date = %self.date, why, "a day can't be reconciled yet");
        let mut tx = self.deps.db.begin().await?;
        let at = tx.now().plus(wait);
        sql::later(&mut tx, self.merchant, self.date, at, why).await?;
        tx.commit().await?;
        let day = sql::read(&self.deps.db, self.merchant.hospital, self.merchant.id, self.date).await?;
        day.ok_or(StoreError::NoRow)
    }

    async fn stage_nothing(&self) -> Result<()> {
        let mut tx = self.deps.db.begin().await?;
        sql::clear(&mut tx, self.merchant, self.date).await?;
        tx.commit().await
    }

    async fn bill_of_wechat(&self, client: &wechatpay::Client) -> Result<Fetched> {
        let ticket = match client.send(&wechatpay::calls::trade_bill(self.date, BillType::All)).await {
            Outcome::Done(ticket) => ticket,
            Outcome::Refused(no) if no.code == "NO_STATEMENT_EXIST" => return Ok(Fetched::NoBill),
            Outcome::Refused(no) if no.code == "STATEMENT_CREATING" => {
                return Ok(Fetched::Later(SOON, no.to_string()));
            }
            Outcome::Refused(no) => return Ok(Fetched::Later(HOUR, no.to_string())),
            Outcome::Unknown(doubt) => return Ok(Fetched::Later(HOUR, doubt.why.to_string())),
        };
        let mut file = tempfile::tempfile().map_err(io)?;
        if let Err(error) = client.download(&ticket, &mut file).await {
            return Ok(Fetched::Later(HOUR, error.to_string()));
        }
        let hash = ticket.hash_value.clone();
        let staged = self.stage(file, move |file, into| read::wechat(file, &ticket, into)).await?;
        Ok(staged.map_or_else(|why| Fetched::Later(HOUR, why), |()| Fetched::Lines(Some(hash))))
    }

    async fn bill_of_alipay(&self, client: &alipay::Client) -> Result<Fetched> {
        let address = match client.send(&alipay::calls::bill(self.date)).await {
            Outcome::Done(address) => address,
            Outcome::Refused(no) if has_no_bill(&no.code) => return Ok(Fetched::NoBill),
            Outcome::Refused(no) => return Ok(Fetched::Later(HOUR, no.to_string())),
            Outcome::Unknown(doubt) => return Ok(Fetched::Later(HOUR, doubt.why.to_string())),
        };
        let mut file = tempfile::tempfile().map_err(io)?;
        if let Err(doubt) = client.download(&address, &mut file).await {
            return Ok(Fetched::Later(HOUR, doubt.why.to_string()));
        }
        let staged = self.stage(file, read::alipay).await?;
        Ok(staged.map_or_else(|why| Fetched::Later(HOUR, why), |()| Fetched::Lines(None)))
    }

    /// Lines into the database, parcel by parcel, while the file is read beside. The lines of an earlier look go when the new file has
    /// proved itself, and nothing counts before all are there: the day's state changes last.
    async fn stage<F>(&self, mut file: std::fs::File, read: F) -> Result<std::result::Result<(), String>>
    where
        F: FnOnce(std::fs::File, &mpsc::Sender<Vec<Line>>) -> std::result::Result<(), String>
            + Send
            + 'static,
    {
        std::io::Seek::rewind(&mut file).map_err(io)?;
        let (sender, mut parcels) = mpsc::channel(2);
        let reading = tokio::task::spawn_blocking(move || read(file, &sender));
        let mut cleared = false;
        while let Some(lines) = parcels.recv().await {
            self.deps.db.after_people(Duration::from_secs(2)).await;
            if !std::mem::replace(&mut cleared, true) {
                self.stage_nothing().await?;
            }
            let mut tx = self.deps.db.begin().await?;
            sql::put(&mut tx, self.merchant, self.date, &lines).await?;
            tx.commit().await?;
        }
        let read = reading.await.unwrap_or_else(|error| Err(error.to_string()));
        if read.is_ok() && !cleared {
            self.stage_nothing().await?;
        }
        if read.is_ok() {
            let mut tx = self.deps.db.begin().await?;
            sql::staged(&mut tx).await?;
            tx.commit().await?;
        }
        Ok(read)
    }

    /// Matches, asks about what only the other side has, writes differences down, and closes the day if there are none.
    async fn hold_against(&self, hash: Option<&str>) -> Result<Day> {
        let asked = self.take_theirs(hash).await?;
        let mut tx = self.deps.db.begin().await?;
        let day = sql::lock(&mut tx, self.merchant, self.date).await?;
        let mut day = day.ok_or(StoreError::NoRow)?;
        let mut odd: Vec<(What, DifferenceKind, Odd)> = Vec::new();
        let mut carried = 0;
        let mut unequal = Some(0_i64);
        for what in [What::Payment, What::Refund] {
            let theirs = sql::theirs(&mut tx, self.merchant, self.date, what).await?;
            let count = i64::try_from(theirs.len()).ok().filter(|_| theirs.len() < sql::MOST);
            unequal = unequal.zip(count).map(|(sum, count)| sum + count);
            for line in theirs {
                let kind =
                    if line.ours.is_some() { DifferenceKind::Differs } else { DifferenceKind::TheirsOnly };
                odd.push((what, kind, line));
            }
            for row in sql::ours(&mut tx, self.merchant, self.from, self.to, what).await? {
                // At midnight the two clocks may see two days: the next bill will tell.
                let border = self.to.since(row.at) <= BORDER
                    && tx.now().since(self.to) < Duration::from_secs(36 * 3600);
                if border {
                    carried += 1;
                } else {
                    odd.push((what, DifferenceKind::OursOnly, row));
                }
            }
        }
        let open = sql::of_day(&mut tx, self.merchant, self.date).await?;
        for gone in open
            .iter()
            .filter(|one| !odd.iter().any(|(what, _, row)| *what == one.what && row.number == one.number))
        {
            sql::settle(&mut tx, self.merchant.hospital, gone.id).await?;
        }
        for (what, kind, row) in &odd {
            sql::differ(&mut tx, self.merchant, self.date, *what, *kind, row).await?;
        }
        sql::sum_up(&mut tx, self.merchant, &mut day, unequal).await?;
        self.end(tx, day, carried, asked).await
    }

    /// What stands in the end: closed at zero, else looked at again.
    async fn end(&self, mut tx: store::Tx, mut day: Day, carried: i64, asked: bool) -> Result<Day> {
        let left = sql::of_day(&mut tx, self.merchant, self.date).await?;
        let unexplained = left.iter().map(|one| one.amount().0).fold(0_i64, i64::saturating_add);
        let now = tx.now();
        day.carried = carried;
        day.unexplained = Fen(unexplained);
        day.read_at = Some(now);
        let closed = left.is_empty() && carried == 0;
        day.state = if closed { DayState::Closed } else { DayState::Counted };
        day.closed_at = closed.then_some(now);
        let next = (!closed).then(|| now.plus(if asked { ASKED } else { HOUR }));
        sql::counted(&mut tx, self.merchant, &day, next).await?;
        tx.commit().await?;
        Ok(day)
    }

    /// Payments that only the other side knows: proved ones are applied as what they are, others asked about. Gives whether there were any.
    async fn take_theirs(&self, hash: Option<&str>) -> Result<bool> {
        let mut tx = self.deps.db.begin().await?;
        let missing: Vec<Odd> = sql::theirs(&mut tx, self.merchant, self.date, What::Payment).await?;
        // What an earlier look at this bill found has been observed by then; a person explains it.
        let known = sql::known(&mut tx, self.merchant, self.date).await?;
        let new = |one: &Odd| one.ours.is_none() && !known.contains(&one.number);
        let missing: Vec<Odd> = missing.into_iter().filter(new).collect();
        let mut asked = false;
        if hash.is_none() {
            for one in &missing {
                asked |= sql::ask_now(&mut tx, self.merchant.hospital, &one.number).await?;
            }
            tx.commit().await?;
            return Ok(asked);
        }
        tx.rollback().await?;
        for one in missing {
            let line = Line {
                what: What::Payment,
                number: one.number,
                order: one.order,
                provider_no: one.provider_no.unwrap_or_default(),
                amount: one.theirs.unwrap_or_default(),
                at: one.at,
            };
            let by = format!("bill:{}", hash.unwrap_or_default());
            let paid = read::paid(&self.merchant.merchant, &self.merchant.app, &line, &by);
            let applied = observe(self.deps, self.merchant, Source::Bill, &paid).await?;
            asked |= applied.changed && !applied.incident;
        }
        Ok(asked)
    }

    /// The bureau gives no lines, but says whether the day's sums agree (3201).
    async fn totals(&self, client: &pay::insurance::Client, settings: &Settings) -> Result<Day> {
        let ours = sql::insured(&self.deps.db, self.merchant.hospital, self.from, self.to).await?;
        let mut disagrees = None;
        if ours.count > 0 {
            let date = self.date.to_string();
            let message = SettlementTotals {
                setl_optins: settings.insurance.region.clone(),
                insutype: "310".into(),
                clr_type: "11".into(),
                stmt_begndate: date.clone(),
                stmt_enddate: date,
                medfee_sumamt: ours.total,
                fund_pay_sumamt: ours.fund,
                acct_pay: ours.own,
                fixmedins_setl_cnt: u64::try_from(ours.count).unwrap_or(0),
            };
            match client.send(&message).await {
                Outcome::Done(verdict) if verdict.agrees() => {}
                Outcome::Done(verdict) => disagrees = Some(verdict.stmt_rslt_dscr.clone()),
                Outcome::Refused(no) => return self.not_now(HOUR, &no.to_string()).await,
                Outcome::Unknown(doubt) => return self.not_now(HOUR, &doubt.why.to_string()).await,
            }
        }
        let mut tx = self.deps.db.begin().await?;
        let day = sql::lock(&mut tx, self.merchant, self.date).await?;
        let mut day = day.ok_or(StoreError::NoRow)?;
        (day.payments, day.paid) = (ours.count, Fen(ours.fund.0.saturating_add(ours.own.0)));
        day.equal = if disagrees.is_some() { 0 } else { ours.count };
        if disagrees.is_some() {
            let odd = Odd {
                number: "3201".into(),
                order: String::new(),
                provider_no: disagrees,
                ours: Some(day.paid),
                theirs: None,
                at: self.from,
            };
            sql::differ(&mut tx, self.merchant, self.date, What::Totals, DifferenceKind::Differs, &odd)
                .await?;
        } else {
            for gone in sql::of_day(&mut tx, self.merchant, self.date).await? {
                sql::settle(&mut tx, self.merchant.hospital, gone.id).await?;
            }
        }
        self.end(tx, day, 0, false).await
    }
}

/// Alipay's words for a day without trade, as its pages and its gateway write them.
fn has_no_bill(code: &str) -> bool {
    let code = code.to_ascii_uppercase();
    code.contains("NO_BILL_DATA") || code.contains("BILL_NOT_EXIST")
}

fn io(error: std::io::Error) -> StoreError {
    StoreError::Config(format!("no room for a bill: {error}"))
}
