//! All statements are understood by both databases, and the hot ones go by an index.

use schedule::plan;
use store::testing::{TestDb, each_db};
use store::value::{One, Row};
use store::{Backend, Sql, args};

use crate::support::{HOSPITAL, World, clinic, migrations};

#[tokio::test]
async fn every_statement_is_understood() {
    each_db(&migrations(), async |t: TestDb| {
        for sql in schedule::statements() {
            if let Err(error) = t.db.prepare(sql).await {
                panic!("{}: {error}: {:?}", sql.name, std::error::Error::source(&error));
            }
        }
    })
    .await;
}

fn named(name: &str) -> Sql {
    *schedule::statements().iter().find(|s| s.name == name).unwrap()
}

fn explained(sql: Sql) -> Sql {
    let leak = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    Sql {
        name: "EXPLAINED",
        sqlite: leak(format!("EXPLAIN QUERY PLAN {}", sql.sqlite)),
        postgres: leak(format!("EXPLAIN {}", sql.postgres)),
    }
}

async fn plan_of(t: &TestDb, name: &str, values: Vec<store::Value>) -> String {
    let sql = explained(named(name));
    let mut tx = t.db.begin().await.unwrap();
    if t.backend() == Backend::Postgres && name == "CLINICS" {
        // The clinics of a test fit on a page or two, which PostgreSQL rightly reads whole.
        let off = Sql { name: "OFF", sqlite: "", postgres: "SET LOCAL enable_seqscan = off" };
        tx.exec(off, args![]).await.unwrap();
    }
    let lines: Vec<String> = match t.backend() {
        Backend::Sqlite => {
            let rows = tx.all::<Row>(sql, values).await.unwrap();
            rows.iter().map(|r| r.get("detail").unwrap()).collect()
        }
        Backend::Postgres => {
            let rows = tx.all::<One<String>>(sql, values).await.unwrap();
            rows.into_iter().map(|one| one.0).collect()
        }
    };
    tx.rollback().await.unwrap();
    lines.join("\n")
}

#[tokio::test]
async fn hot_statements_go_by_an_index() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let mut tx = w.t.db.begin().await.unwrap();
        let mut day = crate::support::date("2027-01-01");
        for _ in 0..150 {
            let new = clinic(w.cardiology, Some(w.chen), w.main, &day.to_string(), ("08:00", "17:30"), 2);
            plan::add_clinic(&mut tx, &w.hospital(), &new).await.unwrap();
            day = day.tomorrow().unwrap();
        }
        let analyze = Sql { name: "ANALYZE", sqlite: "ANALYZE", postgres: "ANALYZE" };
        tx.exec(analyze, args![]).await.unwrap();
        tx.commit().await.unwrap();

        let slots: Vec<Option<String>> = w.slots(w.today).await.iter().map(|s| Some(s.db())).collect();
        let (first, last) = ("2027-02-01", "2027-02-02");
        // Nothing changed after the seed: what a quiet look at the counts costs.
        let later = w.t.db.now().plus(std::time::Duration::from_secs(10));
        // The two say which slots in ways of their own.
        let take = if w.t.backend() == Backend::Sqlite {
            let counts: serde_json::Map<_, _> =
                slots.iter().flatten().map(|id| (id.clone(), 1.into())).collect();
            args![HOSPITAL, later, serde_json::Value::Object(counts)]
        } else {
            args![HOSPITAL, later, slots.clone(), vec![1_i64; slots.len()]]
        };
        for (name, values, sqlite, postgres) in [
            ("LOCK", args![HOSPITAL, slots.clone()], "SEARCH s USING INDEX", "slot_pkey"),
            ("TAKE", take, "(hospital_id=? AND id=?)", "slot_pkey"),
            ("GIVE_BACK", args![HOSPITAL, slots[0].clone(), later], "SEARCH slot", "slot_pkey"),
            ("COUNTS", args![later], "slot_changed", "slot_changed"),
            ("CLINICS", args![HOSPITAL, first, last], "clinic_date", "clinic_date"),
            ("SLOTS", args![HOSPITAL, first, last], "SEARCH s USING INDEX", "slot_hospital_id_clinic_id"),
        ] {
            let plan = plan_of(&w.t, name, values).await;
            let want = if w.t.backend() == Backend::Sqlite { sqlite } else { postgres };
            assert!(plan.contains(want), "{name}: no {want} in\n{plan}");
            let whole =
                plan.contains("Seq Scan on slot") || plan.contains("SCAN s\n") || plan.ends_with("SCAN s");
            assert!(!whole, "{name} reads the whole table:\n{plan}");
        }
    })
    .await;
}
