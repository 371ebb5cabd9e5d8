//! A day of very many payments: the rows are put in by the database itself, the bill is written beside, and the program holds one against the
//! other.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use base::{Clock, Date, Fen, UnixMs};
use billing::model::PayAccountId;
use server::Config;
use store::value::Row;
use store::{Db, Sql, args};

use super::platform::{Bill, MCHID, Platform};
use super::prepare;
use crate::proc;

/// Rows in one statement.
const PARCEL: i64 = 50_000;
const PATIENCE: Duration = Duration::from_secs(900);
const LOOK: Duration = Duration::from_millis(100);

/// What was measured.
pub(super) struct Figures {
    /// From asking for the bill to the closed day.
    pub(super) took: Duration,
    /// The most memory that the program had, in KiB.
    pub(super) peak_kib: u32,
    /// What was not explained in the end.
    pub(super) unexplained: i64,
    /// How long `xinglin check ledger` takes on it.
    pub(super) ledger: Duration,
}

/// The amount of the nth payment.
fn amount(nth: i64) -> Fen {
    Fen(1_000 + nth % 5_000)
}

/// When the nth of `count` was paid: spread over the day, to the second as bills have it.
fn at(start: UnixMs, nth: i64, count: i64) -> UnixMs {
    UnixMs(start.0 + (nth * 86_000 / count) * 1_000)
}

fn day(clock: &Clock) -> (Date, UnixMs) {
    let zone = base::Zone::china();
    let yesterday = zone.date(clock.now()).yesterday().unwrap_or_else(|_| zone.date(clock.now()));
    let date = yesterday.yesterday().unwrap_or(yesterday);
    (date, zone.at(date, base::WallTime::default()))
}

/// Writes the bill of the day.
pub(super) fn bill(folder: &Path, count: i64) -> Result<Bill> {
    let (date, start) = day(&Clock::machine());
    let rows = (1..=count).map(|nth| (format!("{nth:032x}"), at(start, nth, count), amount(nth)));
    Bill::write(folder, date, rows)
}

/// A statement for rows `$1` to `$2`, of a day that starts at `$3` with `$4` payments; `$5` is the contract.
fn rows(name: &'static str, into: &str, values: &str) -> Sql {
    let text = |hex: &str| -> &'static str {
        let values = values
            .replace("HEX", hex)
            .replace("PAID_AT", "($3 + (n.i * 86000 / $4) * 1000)")
            .replace("FEN", "(1000 + n.i % 5000)");
        let numbers =
            "WITH RECURSIVE n(i) AS (SELECT CAST($1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < $2)";
        format!("INSERT INTO {into} {numbers} SELECT {values} FROM n").leak()
    };
    Sql { name, sqlite: text("printf('%032x', n.i)"), postgres: text("lpad(to_hex(n.i), 32, '0')") }
}

/// Puts the day's rows into a database: charges, their lines, payments and the ledger.
async fn load(config: &Config, account: PayAccountId, count: i64) -> Result<()> {
    let db = Db::open(&config.database.store(), Clock::machine()).await?;
    let (date, start) = day(db.clock());
    let id = account.db();
    let statements = [
        rows(
            "CHARGES",
            "charge (hospital_id, id, kind, subject, person_id, title_zh, title_en, total_fen, state, due_date, remind, served_by, created_at)",
            "1, HEX, 'bench', HEX, HEX, '挂号', 'Registration', FEN, 'settled', '2099-01-01', 0, HEX, PAID_AT",
        ),
        rows(
            "ITEMS",
            "charge_item (hospital_id, charge_id, line, code, name_zh, name_en, price_fen, count, amount_fen)",
            "1, HEX, 1, 'reg', '挂号', 'Registration', FEN, 1, FEN",
        ),
        rows(
            "PAYMENTS",
            "payment (hospital_id, id, charge_id, way, pay_account_id, number, total_fen, cash_fen, state, effect, provider_no, expires_at, created_at, paid_at)",
            "1, HEX, HEX, 'wechat_native', CAST($5 AS TEXT), HEX, FEN, FEN, 'paid', 'served', '4200' || HEX, PAID_AT, PAID_AT, PAID_AT",
        ),
        rows(
            "BOOKS",
            "ledger (hospital_id, id, once, at, debit, credit, amount_fen, charge_id, payment_id, by_whom, request_id)",
            "1, HEX, 'paid:pmt_' || HEX || ':3', PAID_AT, 'clearing:wechatpay:MCHID', 'obligation:chg_' || HEX, FEN, HEX, HEX, CAST($5 AS TEXT), ''"
                .replace("MCHID", MCHID)
                .leak(),
        ),
    ];
    for sql in statements {
        let mut from = 1;
        while from <= count {
            let to = (from + PARCEL - 1).min(count);
            let mut tx = db.begin().await?;
            let uses_account = sql.sqlite.contains("$5");
            let mut values = args![from, to, start, count];
            if uses_account {
                values.extend(args![id.clone()]);
            } else if !sql.sqlite.contains("$3") {
                values.truncate(2);
            }
            tx.exec(sql, values).await?;
            tx.commit().await?;
            from = to + 1;
        }
    }
    let mut tx = db.begin().await?;
    let end = UnixMs(start.0 + 86_400_000);
    tx.exec(OPEN, args![id, date, start, end]).await?;
    tx.commit().await?;
    db.close().await;
    Ok(())
}

const OPEN_TEXT: &str = "INSERT INTO bill_day (hospital_id, pay_account_id, date, state, next_at, starts_at, ends_at) VALUES (1, $1, $2, 'open', 0, $3, $4)";
const OPEN: Sql = Sql { name: "OPEN", sqlite: OPEN_TEXT, postgres: OPEN_TEXT };
const STANDS_TEXT: &str = "SELECT state, equal, unexplained, error FROM bill_day";
const STANDS: Sql = Sql { name: "STANDS", sqlite: STANDS_TEXT, postgres: STANDS_TEXT };

/// Measures on one database.
pub(super) async fn measure(
    config: &Config,
    folder: &Path,
    platform: &Platform,
    bill: &Bill,
    count: i64,
) -> Result<Figures> {
    platform.serves(None);
    let account = prepare::contract(config, platform).await?;
    load(config, account, count).await?;
    platform.serves(Some(bill.clone()));
    let mut servers = prepare::servers(config, folder, 1).await?;
    let server = servers.pop().context("a server")?;
    let db = super::rush::look(config).await?;
    let begun = Instant::now();
    let unexplained = loop {
        ensure!(begun.elapsed() < PATIENCE, "the day was not closed in time: {}", server.log());
        let row: Row = db.one(STANDS, args![]).await?;
        let state: String = row.get("state")?;
        if state != "open" {
            let equal: i64 = row.get("equal")?;
            ensure!(equal == count, "{equal} of {count} are equal");
            break row.get::<i64>("unexplained")?;
        }
        if let Some(error) = row.get::<Option<String>>("error")? {
            anyhow::bail!("the bill was not read: {error}");
        }
        tokio::time::sleep(LOOK).await;
    };
    let took = platform.asked().context("nobody asked for the bill")?.elapsed();
    let peak_kib = proc::Memory::of(server.pid())?.peak;
    server.stop()?;
    let since = Instant::now();
    let found = server::check::rows::look(&db, server::check::rows::Part::Ledger).await?;
    let ledger = since.elapsed();
    ensure!(found.faults.is_empty(), "xinglin check ledger: {}", found.faults.join("; "));
    db.close().await;
    Ok(Figures { took, peak_kib, unexplained, ledger })
}
