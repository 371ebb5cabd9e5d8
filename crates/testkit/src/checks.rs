//! What must always hold when a story is over, whatever it was about.

use std::collections::HashSet;

use store::value::{FromRow, Row};
use store::{Db, args};

use crate::hospital::Expected;
use crate::logs;
use crate::sim_control::SimControl;

store::statements! {
    EVENT_FAILURES = "SELECT subscriber, kind, error FROM event_failure";
    JOB_FAILURES = "SELECT kind, error FROM job WHERE state = 'failed' OR error IS NOT NULL";
    PUSH_FAILURES = "SELECT kind, state FROM wechat_push WHERE state = 'failed'";
    UNTOLD = "SELECT kind, state, reason FROM message WHERE state IN ('failed', 'unknown', 'expired', 'sending')
              OR (state = 'waiting' AND due_at <= $1)";
    TOLD_TWICE = "SELECT message_id FROM delivery WHERE state IN ('sent', 'delivered') GROUP BY message_id HAVING COUNT(*) > 1";
    TOLD = "SELECT m.kind AS kind, m.state AS state, m.reason AS reason, m.due_at - $1 AS due_in, d.channel AS channel,
                d.state AS delivery, d.code AS code, d.detail AS detail
            FROM message m LEFT JOIN delivery d ON d.hospital_id = m.hospital_id AND d.message_id = m.id ORDER BY m.created_at, d.ordinal";
    STOCK = "SELECT s.id AS slot, s.taken AS taken, s.capacity AS capacity, s.last_number AS last_number,
                CAST(COUNT(a.id) AS BIGINT) AS given, CAST(COALESCE(MIN(a.number), 1) AS BIGINT) AS least,
                CAST(COALESCE(MAX(a.number), 0) AS BIGINT) AS most,
                CAST(COALESCE(SUM(CASE WHEN a.state IN ('held', 'booked', 'checked_in', 'seen', 'stopped', 'no_show') THEN 1 ELSE 0 END), 0)
                     + (SELECT COUNT(*) FROM freed_place f WHERE f.hospital_id = s.hospital_id AND f.slot_id = s.id) AS BIGINT) AS live
             FROM slot s LEFT JOIN appointment a ON a.hospital_id = s.hospital_id AND a.slot_id = s.id
             GROUP BY s.hospital_id, s.id, s.taken, s.capacity, s.last_number";
    LOST = "SELECT a.id FROM appointment a LEFT JOIN slot s ON s.hospital_id = a.hospital_id AND s.id = a.slot_id WHERE s.id IS NULL";
    UNSAID = "SELECT a.id AS id, a.state AS state FROM appointment a WHERE NOT EXISTS (
                 SELECT 1 FROM audit u WHERE u.hospital_id = a.hospital_id AND u.entity = 'apt_' || a.id
                 AND u.action IN ('booking.book', 'booking.move', 'booking.hold'))";
}

/// A slot and what was given of it.
struct Count {
    slot: String,
    taken: i64,
    capacity: i64,
    last_number: i64,
    given: i64,
    least: i64,
    most: i64,
    live: i64,
}

impl FromRow for Count {
    fn from_row(row: &Row) -> store::Result<Self> {
        Ok(Self {
            slot: row.get("slot")?,
            taken: row.get("taken")?,
            capacity: row.get("capacity")?,
            last_number: row.get("last_number")?,
            given: row.get("given")?,
            least: row.get("least")?,
            most: row.get("most")?,
            live: row.get("live")?,
        })
    }
}

/// What is wrong in the database, in words.
pub(crate) async fn state(db: Db, expected: &Expected) -> Vec<String> {
    let mut wrong = Vec::new();
    for row in db.all::<Row>(EVENT_FAILURES, args![]).await.unwrap() {
        let text = |name| row.get::<Option<String>>(name).unwrap().unwrap_or_default();
        wrong.push(format!("{} failed on {}: {}", text("subscriber"), text("kind"), text("error")));
    }
    for row in db.all::<Row>(JOB_FAILURES, args![]).await.unwrap() {
        let text = |name| row.get::<Option<String>>(name).unwrap().unwrap_or_default();
        wrong.push(format!("a job {} failed: {}", text("kind"), text("error")));
    }
    for row in db.all::<Row>(PUSH_FAILURES, args![]).await.unwrap() {
        wrong.push(format!("a push was given up: {}", row.get::<String>("kind").unwrap()));
    }
    if !expected.untold {
        for row in db.all::<Row>(UNTOLD, args![db.now()]).await.unwrap() {
            let text = |name| row.get::<Option<String>>(name).unwrap().unwrap_or_default();
            wrong.push(format!("{} was not told: {} {}", text("kind"), text("state"), text("reason")));
        }
    }
    for row in db.all::<Row>(TOLD_TWICE, args![]).await.unwrap() {
        wrong.push(format!("message {} was told twice", row.get::<String>("message_id").unwrap()));
    }
    wrong.extend(stock(&db).await);
    // A story may set the clock ahead and end before the chain's own second has come.
    while store::audit::unlinked(&db).await.unwrap() > 0 && store::audit::link(&db).await.unwrap() > 0 {}
    // What an administrator would be told, by the program's own look.
    wrong.extend(server::check::rows::faults(&db).await.unwrap());
    for row in db.all::<Row>(UNSAID, args![]).await.unwrap() {
        wrong.push(format!("appointment {} is not in the audit log", row.get::<String>("id").unwrap()));
    }
    wrong.extend(store::audit::walk(&db).await.unwrap().faults);
    wrong
}

/// What was to be told and what became of it, for the message of a failed test.
pub(crate) async fn told_so_far(db: &Db) -> String {
    let rows = db.all::<Row>(TOLD, args![db.now()]).await.unwrap();
    let lines = rows.iter().map(|row| {
        let text = |name| row.get::<Option<String>>(name).unwrap().unwrap_or_default();
        let due =
            row.get::<Option<i64>>("due_in").unwrap().map_or_else(|| "-".into(), |ms| format!("in {ms} ms"));
        let (way, code) = (text("channel"), text("code"));
        format!(
            "  {} {} {} due {due}; {way} {} {code} {}",
            text("kind"),
            text("state"),
            text("reason"),
            text("delivery"),
            text("detail")
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Places that are taken are those that somebody has; numbers 1 to n all exist.
async fn stock(db: &Db) -> Vec<String> {
    let mut wrong = Vec::new();
    for c in db.all::<Count>(STOCK, args![]).await.unwrap() {
        let Count { slot, taken, capacity, last_number, given, least, most, live } = c;
        if taken != live || taken > capacity {
            wrong.push(format!("slot {slot}: {taken} taken of {capacity}, {live} have a place"));
        }
        // Numbers are unique by the schema, so these three say that none is missing.
        if (least, most) != (1, given) || last_number != given {
            wrong.push(format!(
                "slot {slot}: {given} numbers from {least} to {most}, the last was {last_number}"
            ));
        }
    }
    for row in db.all::<Row>(LOST, args![]).await.unwrap() {
        wrong.push(format!("appointment {} has no slot", row.get::<String>("id").unwrap()));
    }
    wrong
}

/// Nobody got the same card twice, as the phones saw it.
pub(crate) async fn told(sim: &SimControl) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut wrong = Vec::new();
    for card in sim.inbox("template").await {
        let of = |name: &str| card[name].as_str().unwrap_or("").to_owned();
        if of("status") == "success" && !seen.insert((of("openid"), of("title"), of("url"))) {
            wrong.push(format!("{} was on the phone twice: {}", of("title"), card["lines"]));
        }
    }
    wrong
}

/// Error lines that no story asked for.
pub(crate) fn errors(expected: &Expected) -> Vec<String> {
    let lines = logs::take_errors().into_iter();
    let unasked = lines.filter(|line| !expected.errors.iter().any(|words| line.contains(words)));
    unasked.map(|line| format!("an error was logged: {line}")).collect()
}
