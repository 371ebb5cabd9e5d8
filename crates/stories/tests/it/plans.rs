//! How the databases carry the statements out: by an index, not by reading tables from end to end.

use serde_json::Value;
use store::testing::{TestDb, each_db, postgres_plan, sqlite_plan};
use store::{Backend, Sql};

/// Tables that grow with people and time. The others (hospitals, departments, settings, leases …) have as many rows as fit
/// on a few pages; reading them whole is the quickest.
const LARGE: &[&str] = &[
    "account",
    "account_openid",
    "account_phone",
    "appointment",
    "audit",
    "binding",
    "clinic",
    "consent",
    "delivery",
    "event",
    "idempotency",
    "job",
    "message",
    "person",
    "person_document",
    "session",
    "slot",
    "sms_code",
    "template_receipt",
    "unreachable",
    "wechat_push",
];

/// Statements that read a large table from end to end on purpose: name, table, why.
const ON_PURPOSE: &[(&str, &str, &str)] = &[
    ("FORGET", "job", HOURLY),
    ("FORGET", "session", HOURLY),
    ("HOSPITALS", "audit", LOOK),
    ("ENTITIES", "audit", LOOK),
    ("LATE_LINKS", "audit", LOOK),
    ("PUBLISHED", "event", LOOK),
    ("FAILED_JOBS", "job", LOOK),
    ("COUNTS", "message", LOOK),
    ("FORGOTTEN", "message", LOOK),
    ("WITHOUT_ATTEMPT", "message", LOOK),
    ("WITHOUT_ATTEMPT", "delivery", LOOK),
    ("TOLD_TWICE", "delivery", LOOK),
    ("TOTALS", "appointment", LOOK),
    ("TOTALS", "slot", LOOK),
    ("OFF", "appointment", LOOK),
    ("OFF", "slot", LOOK),
    ("OFF", "clinic", LOOK),
    ("STRAY", "appointment", LOOK),
    ("STRAY", "slot", LOOK),
    ("TWICE", "appointment", LOOK),
    ("SAME_PLACE_OF_DAY", "appointment", LOOK),
    ("SAME_KEY", "appointment", LOOK),
    ("SAME_CODE", "appointment", LOOK),
    ("BOOKED_SINCE", "appointment", LOOK),
    ("CANCELLED_SINCE", "appointment", LOOK),
];
/// What was said and done before is cleared away once an hour, by one node.
const HOURLY: &str = "hourly sweep";
/// `xinglin check` looks at everything; that is its use.
const LOOK: &str = "xinglin check";

/// Table and access of everything in a plan of PostgreSQL's that is not led by a condition of an index.
fn postgres_scans(plan: &Value, found: &mut Vec<String>) {
    let text = |name: &str| plan[name].as_str().unwrap_or_default().to_owned();
    let (node, table) = (text("Node Type"), text("Relation Name"));
    let led = plan.get("Index Cond").is_some();
    if node == "Seq Scan" || ((node == "Index Scan" || node == "Index Only Scan") && !led) {
        found.push(format!("{table} {}", text("Index Name")).trim().to_owned());
    }
    if node == "Bitmap Index Scan" && !led {
        found.push(format!("? {}", text("Index Name")));
    }
    for part in plan["Plans"].as_array().into_iter().flatten() {
        postgres_scans(part, found);
    }
}

/// The same in a plan of SQLite's: lines such as `SCAN event USING INDEX event_due`.
fn sqlite_scans(plan: &[String], aliases: &[(String, String)]) -> Vec<String> {
    let scans = plan.iter().filter_map(|line| line.strip_prefix("SCAN "));
    scans
        .map(|line| {
            let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
            let table = aliases.iter().find(|(alias, _)| alias == name).map_or(name, |(_, table)| table);
            let index = rest.rsplit_once("INDEX ").map_or("", |(_, index)| index);
            format!("{table} {index}").trim().to_owned()
        })
        .collect()
}

/// `FROM slot s`, `JOIN clinic AS c`: which name stands for which table.
fn aliases(statement: &str) -> Vec<(String, String)> {
    let words: Vec<&str> =
        statement.split(|c: char| c.is_whitespace() || "(),".contains(c)).filter(|w| !w.is_empty()).collect();
    let mut all = Vec::new();
    for (nth, word) in words.iter().enumerate() {
        if ["FROM", "JOIN", "UPDATE"].contains(word)
            && words.get(nth + 1).is_some_and(|table| LARGE.contains(table))
        {
            let mut next = words.get(nth + 2);
            if next == Some(&"AS") {
                next = words.get(nth + 3);
            }
            if let Some(alias) = next {
                all.push(((*alias).to_owned(), words[nth + 1].to_owned()));
            }
        }
    }
    all
}

/// An index that holds only the rows that are waited for is as short as the queue: going through it is what it is for.
fn is_queue(index: &str) -> bool {
    [
        "event_due",
        "event_failure_due",
        "job_due",
        "message_due",
        "wechat_push_waiting",
        "wechat_push_failed",
        "wechat_push_order",
        "audit_unlinked",
        "slot_changed",
    ]
    .contains(&index)
}

fn is_planned(sql: &Sql) -> bool {
    let start = sql.postgres.trim_start().split(' ').next().unwrap_or_default();
    ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"].contains(&start)
}

/// Every statement that the program runs while it serves (the looks of `xinglin check` read everything, that is their use).
#[tokio::test(flavor = "multi_thread")]
async fn no_statement_reads_a_large_table_from_end_to_end() {
    each_db(&server::app::migrations(), async |t: TestDb| {
        let mut wrong = Vec::new();
        let mut planned = 0;
        for sql in server::app::statements().into_iter().filter(is_planned) {
            planned += 1;
            let scans = if t.backend() == Backend::Sqlite {
                sqlite_scans(&sqlite_plan(&t, sql.sqlite).await, &aliases(sql.sqlite))
            } else {
                let plans: Value = serde_json::from_str(&postgres_plan(&t, sql.postgres).await).unwrap();
                let mut found = Vec::new();
                postgres_scans(&plans[0]["Plan"], &mut found);
                found
            };
            for scan in scans {
                let (table, index) = scan.split_once(' ').unwrap_or((&scan, ""));
                let known = ON_PURPOSE.iter().any(|(name, of, _)| *name == sql.name && *of == table);
                if LARGE.contains(&table) && !is_queue(index) && !known {
                    let text: String = sql
                        .postgres
                        .split_whitespace()
                        .collect::<Vec<_>>()
                        .join(" ")
                        .chars()
                        .take(110)
                        .collect();
                    wrong.push(format!("{} reads all of {scan}: {text}", sql.name));
                }
            }
        }
        assert!(planned > 150, "{planned}");
        assert!(wrong.is_empty(), "{:?}, {} statements:\n{}", t.backend(), wrong.len(), wrong.join("\n"));
    })
    .await;
}

/// The test finds what it looks for.
#[tokio::test(flavor = "multi_thread")]
async fn a_scan_would_be_found() {
    each_db(&server::app::migrations(), async |t: TestDb| {
        let statement = "SELECT a.id FROM appointment AS a WHERE a.channel = $1";
        let scans = if t.backend() == Backend::Sqlite {
            sqlite_scans(&sqlite_plan(&t, statement).await, &aliases(statement))
        } else {
            let plans: Value = serde_json::from_str(&postgres_plan(&t, statement).await).unwrap();
            let mut found = Vec::new();
            postgres_scans(&plans[0]["Plan"], &mut found);
            found
        };
        assert_eq!(scans, ["appointment"]);
    })
    .await;
}
