//! The schema, the statements and the API description.

use store::testing::{TestDb, each_db};
use store::value::Row;
use store::{Backend, Sql, args, migrate};
use testkit::{Hospital, Setup};

store::statements! {
    OBJECTS = sqlite "SELECT type || ' ' || name || ': ' || COALESCE(sql, '') AS said FROM sqlite_master ORDER BY 1"
        postgres "SELECT said FROM (
            SELECT 'column ' || table_name || '.' || column_name || ': ' || data_type || ' ' || is_nullable || ' ' || COALESCE(column_default, '') AS said
                FROM information_schema.columns WHERE table_schema = 'public'
            UNION ALL SELECT 'index ' || indexname || ': ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
            UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ': ' || pg_get_constraintdef(oid)
                FROM pg_constraint WHERE connamespace = 'public'::regnamespace) AS objects ORDER BY said";
}

/// Every statement of every capability is understood by both databases, in the schema that all migrations make.
#[tokio::test(flavor = "multi_thread")]
async fn every_statement_is_understood() {
    each_db(&server::app::migrations(), async |t: TestDb| {
        let all = server::app::statements();
        assert!(all.len() > 150, "{}", all.len());
        for sql in all {
            if let Err(error) = t.db.prepare(sql).await {
                panic!("{} on {:?}: {error}: {:?}", sql.name, t.backend(), std::error::Error::source(&error));
            }
        }
        let wrong = Sql {
            name: "WRONG",
            sqlite: "SELECT nothing FROM nowhere",
            postgres: "SELECT nothing FROM nowhere",
        };
        assert!(t.db.prepare(wrong).await.is_err(), "what is wrong would be found");
    })
    .await;
}

async fn objects(t: &TestDb) -> Vec<String> {
    let rows = t.db.all::<Row>(OBJECTS, args![]).await.unwrap();
    let all: Vec<String> = rows.iter().map(|row| row.get("said").unwrap()).collect();
    assert!(all.len() > 40, "{all:?}");
    all
}

/// A database that grew release by release is the same as one that was made today, and the program finds it in order.
#[tokio::test(flavor = "multi_thread")]
async fn a_grown_schema_is_a_fresh_one() {
    let all = server::app::migrations();
    let fresh = std::sync::Mutex::new(std::collections::HashMap::new());
    each_db(&all, async |t: TestDb| {
        migrate::verify(&t.db, &server::app::migrations()).await.unwrap();
        let made = objects(&t).await;
        fresh.lock().unwrap().insert(t.backend() == Backend::Sqlite, made);
    })
    .await;
    each_db(&[], async |t: TestDb| {
        // The kernel is there; what follows comes one at a time.
        for count in 1..=all.len() {
            let mut known = store::migrations();
            known.extend(all[..count].iter().filter(|m| m.capability != "store"));
            migrate::apply(&t.db, &known).await.unwrap();
        }
        migrate::verify(&t.db, &all).await.unwrap();
        let made = fresh.lock().unwrap()[&(t.backend() == Backend::Sqlite)].clone();
        assert_eq!(objects(&t).await, made);
    })
    .await;
}

/// The committed description is what the server says, to the letter, and it serves that.
#[tokio::test(flavor = "multi_thread")]
async fn the_api_description_is_the_committed_one() {
    Setup::default()
        .days(0)
        .play_on_sqlite(async |hospital: &Hospital| {
            let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/shared/openapi.json");
            let committed = std::fs::read_to_string(file).unwrap();
            let said = server::docs::json(&server::app::description().await.unwrap().api);
            let at = committed.lines().zip(said.lines()).position(|(a, b)| a != b);
            let show = |text: &str| at.and_then(|at| text.lines().nth(at)).unwrap_or("(the end)").to_owned();
            assert!(
                committed == said,
                "web/shared/openapi.json is out of date: run `cargo xtask openapi`\n  committed: {}\n  said:      {}",
                show(&committed),
                show(&said)
            );
            let served = hospital.browser().await.get("/api/v1/openapi.json").await.good();
            assert_eq!(served.text, said);
            assert_eq!(served.json["openapi"], "3.1.0");
            let page = hospital.browser().await.get("/api/docs").await.good();
            assert!(page.text.contains("/api/v1/appointments"), "the page for people");
        })
        .await;
}
