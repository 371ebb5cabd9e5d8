//! Numbers are held and paid: orders are placed, and notices come.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use base::{Clock, Fen};
use hyper::header::{CONTENT_TYPE, COOKIE, HOST, HeaderValue};
use hyper::{Method, Request};
use parking_lot::Mutex;
use serde_json::{Value, json};
use store::value::{One, Row};
use store::{Db, Sql, args};
use tokio::task::JoinSet;

use super::platform::{Notice, Platform};
use super::prepare::NAME;
use crate::load::{Line, Phone};

/// So many people hold and order at the same time.
const TOGETHER: usize = 24;
/// Nothing takes this long unless it is broken.
const PATIENCE: Duration = Duration::from_secs(90);
const LOOK: Duration = Duration::from_millis(5);

const SINCE_TEXT: &str =
    "SELECT once, at FROM ledger WHERE hospital_id = 1 AND at >= $1 AND once LIKE 'paid:pmt_%' ORDER BY at";
const SINCE: Sql = Sql { name: "SINCE", sqlite: SINCE_TEXT, postgres: SINCE_TEXT };
const SECOND_TEXT: &str = "SELECT CAST((SELECT COUNT(*) FROM ledger WHERE once LIKE 'paid:%') - (SELECT COUNT(*) FROM payment WHERE state = 'paid')
    + (SELECT COUNT(*) FROM payment WHERE effect = 'surplus') + (SELECT COUNT(*) FROM refund) + (SELECT COUNT(*) FROM suspense)
    + (SELECT COUNT(*) FROM payment WHERE state = 'paid') - (SELECT COUNT(DISTINCT charge_id) FROM payment WHERE state = 'paid') AS BIGINT)";
const SECOND: Sql = Sql { name: "SECOND", sqlite: SECOND_TEXT, postgres: SECOND_TEXT };
const BOOKED_TEXT: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM appointment WHERE state = 'booked'";
const BOOKED: Sql = Sql { name: "BOOKED", sqlite: BOOKED_TEXT, postgres: BOOKED_TEXT };
const PAID_TEXT: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM payment WHERE state = 'paid'";
const PAID: Sql = Sql { name: "PAID", sqlite: PAID_TEXT, postgres: PAID_TEXT };

/// An order that waits to be paid.
#[derive(Debug, Clone)]
pub(super) struct Order {
    /// Our number at the platform.
    pub(super) number: String,
    /// How much.
    pub(super) total: Fen,
}

/// Everybody holds a number and orders; gives the orders.
pub(super) async fn order(
    nodes: &[SocketAddr],
    phones: &[Phone],
    slots: &Arc<[String]>,
    first: usize,
) -> Result<Vec<Order>> {
    let next = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let phones: Arc<[Phone]> = phones.into();
    let mut people = JoinSet::new();
    for nth in 0..TOGETHER {
        let address = *nodes.get(nth % nodes.len().max(1)).context("no nodes")?;
        let (next, phones, slots) = (next.clone(), phones.clone(), slots.clone());
        people.spawn(async move {
            let mut line = Line::open(address).await?;
            let mut orders = Vec::new();
            loop {
                let nth = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let Some(phone) = phones.get(nth) else { return Ok::<_, anyhow::Error>(orders) };
                let slot = slots.get((first + nth) % slots.len().max(1)).context("no slots")?;
                orders.push(one(&mut line, address, phone, slot, first + nth).await?);
            }
        });
    }
    let mut all = Vec::new();
    while let Some(orders) = people.join_next().await {
        all.extend(orders??);
    }
    Ok(all)
}

async fn one(line: &mut Line, address: SocketAddr, phone: &Phone, slot: &str, nth: usize) -> Result<Order> {
    let wish = json!({"slot_id": slot, "person_id": phone.person, "pay": "online"});
    let held = ask(line, address, phone, "/api/v1/appointments", &wish, nth).await?;
    let id = held.get("id").and_then(Value::as_str).context("an appointment's id")?;
    let wish = json!({"subject_id": id, "way": "wechat_native"});
    let order = ask(line, address, phone, "/api/v1/payments", &wish, nth).await?;
    let number = order.get("id").and_then(Value::as_str).context("a payment's id")?;
    Ok(Order {
        number: number.trim_start_matches("pmt_").to_owned(),
        total: Fen(order.get("total_fen").and_then(Value::as_i64).context("an amount")?),
    })
}

async fn ask(
    line: &mut Line,
    address: SocketAddr,
    phone: &Phone,
    path: &str,
    body: &Value,
    nth: usize,
) -> Result<Value> {
    let since = Instant::now();
    loop {
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(HOST, HeaderValue::from_str(&address.to_string())?)
            .header(COOKIE, &phone.cookie)
            .header("x-csrf", &phone.csrf)
            .header("x-forwarded-for", format!("10.{}.{}.{}", nth / 62_500, nth / 250 % 250, nth % 250 + 1))
            .header("idempotency-key", format!("pay-{nth}"))
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_string())?;
        let answer = line.send(request).await?;
        match answer.status {
            201 => return Ok(serde_json::from_slice(answer.bytes())?),
            503 if since.elapsed() < PATIENCE => tokio::time::sleep(Duration::from_millis(50)).await,
            status => bail!("{path}: {status} {}", answer.text()),
        }
    }
}

/// What came of sending notices.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// When the first copy of each order's notice went out.
    pub(super) begun: BTreeMap<String, Instant>,
    /// How many true ones were not taken at once.
    pub(super) put_off: usize,
    /// How many forged ones were taken.
    pub(super) forged_taken: usize,
}

/// A notice on its way.
pub(super) struct Letter {
    /// About which order.
    pub(super) number: String,
    /// What is sent.
    pub(super) notice: Notice,
    /// By a key that nobody knows.
    pub(super) forged: bool,
}

/// Connections that wait for their next request, by node.
#[derive(Default)]
struct Lines(Mutex<BTreeMap<SocketAddr, Vec<Line>>>);

impl Lines {
    async fn knock(&self, address: SocketAddr, notice: &Notice) -> Result<u16> {
        let kept = self.0.lock().entry(address).or_default().pop();
        let mut line = match kept {
            Some(line) => line,
            None => Line::open(address).await?,
        };
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(format!("/pay/wechat/{NAME}"))
            .header(HOST, HeaderValue::from_str(&address.to_string())?)
            .body(notice.body.clone())?;
        request.headers_mut().extend(notice.headers.clone());
        let answer = line.send(request).await?;
        self.0.lock().entry(address).or_default().push(line);
        Ok(answer.status)
    }
}

/// Sends letters, one each `pause`, each to the next node, without waiting for answers; a true one that is not taken goes out again.
pub(super) async fn send(nodes: &[SocketAddr], letters: Vec<Letter>, pause: Duration) -> Result<Sent> {
    let lines = Arc::new(Lines::default());
    let mut sent = Sent::default();
    let mut under_way = JoinSet::new();
    let start = Instant::now();
    for (nth, letter) in (0_u32..).zip(letters) {
        let due = start + pause * nth;
        tokio::time::sleep_until(due.into()).await;
        // The clock of an answer starts when the notice was due: whoever sends late does not flatter.
        sent.begun.entry(letter.number.clone()).or_insert(if pause.is_zero() { Instant::now() } else { due });
        let at = usize::try_from(nth)?;
        let address = *nodes.get(at % nodes.len().max(1)).context("no nodes")?;
        let lines = lines.clone();
        under_way.spawn(async move {
            let mut tries = 0;
            loop {
                let status = lines.knock(address, &letter.notice).await?;
                let taken = (200..300).contains(&status);
                if letter.forged || taken || tries > 100 {
                    return Ok::<_, anyhow::Error>((letter.forged, taken, tries));
                }
                ensure!(status == 503, "a true notice was answered with {status}");
                tries += 1;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
    }
    while let Some(done) = under_way.join_next().await {
        let (forged, taken, tries) = done??;
        sent.forged_taken += usize::from(forged && taken);
        sent.put_off += usize::from(!forged && tries > 0);
        ensure!(forged || taken, "a true notice was never taken");
    }
    Ok(sent)
}

/// Watches until these orders are paid; gives when each was seen to be in the database.
pub(super) async fn confirmed(db: Db, orders: Vec<Order>) -> Result<BTreeMap<String, Instant>> {
    let wanted: BTreeSet<String> = orders.into_iter().map(|order| order.number).collect();
    let mut seen: BTreeMap<String, Instant> = BTreeMap::new();
    let begun = Instant::now();
    let first = db.now().0 - 1_000;
    let mut since = first;
    while seen.len() < wanted.len() {
        ensure!(begun.elapsed() < PATIENCE, "{} of {} were confirmed", seen.len(), wanted.len());
        let rows: Vec<Row> = db.all(SINCE, args![since]).await?;
        let now = Instant::now();
        for row in &rows {
            let once: String = row.get("once")?;
            // paid:pmt_<number>:<part>
            let number = once.get(9..41).context("a number")?.to_owned();
            if wanted.contains(&number) {
                seen.entry(number).or_insert(now);
            }
            let at: i64 = row.get("at")?;
            // Transactions that began before this one may be seen after it.
            since = since.max(at - 2_000).max(first);
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(seen)
}

/// What is there in the end.
pub(super) struct Count {
    /// Effects beyond one for each payment: money booked twice, given back, unplaced; visits paid twice.
    pub(super) doubles: i64,
    /// Visits that are confirmed.
    pub(super) booked: i64,
    /// Payments that are paid.
    pub(super) paid: i64,
}

/// Counts.
pub(super) async fn count(db: &Db) -> Result<Count> {
    let count = async |sql| Ok::<i64, anyhow::Error>(db.one::<One<i64>>(sql, args![]).await?.0);
    Ok(Count { doubles: count(SECOND).await?, booked: count(BOOKED).await?, paid: count(PAID).await? })
}

/// Notices for orders: `copies` of each true one, and forged ones for `victims`, in a mixed order.
pub(super) fn letters(
    platform: &Platform,
    orders: &[Order],
    copies: usize,
    victims: &[Order],
) -> Result<Vec<Letter>> {
    let mut letters = Vec::new();
    for order in orders {
        for _ in 0..copies {
            let notice = platform.notice(&order.number, order.total, false)?;
            letters.push(Letter { number: order.number.clone(), notice, forged: false });
        }
    }
    for victim in victims {
        let notice = platform.notice(&victim.number, victim.total, true)?;
        letters.push(Letter { number: victim.number.clone(), notice, forged: true });
    }
    if copies > 1 {
        // The same disorder in every round.
        let mut chance = 0x9e37_79b9_7f4a_7c15_u64;
        for at in (1..letters.len()).rev() {
            chance ^= chance << 13;
            chance ^= chance >> 7;
            chance ^= chance << 17;
            letters.swap(at, usize::try_from(chance % u64::try_from(at + 1)?)?);
        }
    }
    Ok(letters)
}

/// The database of a round, to be read beside its servers.
pub(super) async fn look(config: &server::Config) -> Result<Db> {
    Ok(Db::open_read_only(&config.database.store(), Clock::machine()).await?)
}
