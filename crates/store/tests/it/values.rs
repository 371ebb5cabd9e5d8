//! Values go in and come out as they were, on both databases.

use base::{Date, Fen, HalfDay, Lang, UnixMs, WallTime};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use store::testing::{TestDb, each_db};
use store::value::One;
use store::{FromValue as _, Row, StoreError, Value, args};

use crate::support::{ADD_DATA, GET, H, change, count, ids, migrations, words};

store::typed_id! {
    /// A bed.
    BedId = "bed";
}

store::text_enum! {
    /// How a bed is.
    pub enum Bed {
        /// Somebody lies in it.
        Taken = "taken",
        /// Nobody does.
        Free = "free",
    }
}

async fn put(t: &TestDb, id: &str, n: i64, note: Option<String>, data: Option<Vec<u8>>) -> Row {
    change(&t.db, ADD_DATA, args![H, id, n, note, data]).await.unwrap();
    t.db.one(GET, args![H, id]).await.unwrap()
}

#[tokio::test]
async fn what_goes_in_comes_out() {
    each_db(&migrations(), async |t: TestDb| {
        let row = put(&t, "nothing", 0, None, None).await;
        assert_eq!(row.get::<Option<String>>("note").unwrap(), None);
        assert_eq!(row.get::<Option<Vec<u8>>>("data").unwrap(), None);
        let big = "病".repeat(700_000);
        let bytes: Vec<u8> = (0..=255).cycle().take(3_000_000).collect();
        let row = put(&t, "big", i64::MAX, Some(big.clone()), Some(bytes.clone())).await;
        assert_eq!(row.get::<i64>("n").unwrap(), i64::MAX);
        assert!(row.get::<String>("note").unwrap() == big && row.get::<Vec<u8>>("data").unwrap() == bytes);
        let row = put(&t, "empty", 0, Some(String::new()), Some(Vec::new())).await;
        assert_eq!(row.get::<Option<String>>("note").unwrap().as_deref(), Some(""));
        assert_eq!(row.get::<Option<Vec<u8>>>("data").unwrap(), Some(Vec::new()));
    })
    .await;
}

#[tokio::test]
async fn texts_keep_every_character() {
    each_db(&migrations(), async |t: TestDb| {
        let hard = [
            "O'Brien \"quoted\" `ticked` \\back\\ $1 ?1 :a @b -- ; DROP TABLE thing",
            "👩‍⚕️🏥 𠮷野家 龘 é e\u{301} \u{202e}右\u{202c} \u{feff}",
            "line\r\n\ttab\u{1}\u{7f}\u{80}\u{fffd}\u{10ffff}",
        ];
        for (i, text) in hard.iter().enumerate() {
            let row = put(&t, text, 1, Some((*text).to_owned()), None).await;
            assert_eq!(
                (row.get::<String>("id").unwrap().as_str(), row.get::<String>("note").unwrap().as_str()),
                (*text, *text),
                "{i}"
            );
        }
        let mut random = TestRunner::deterministic();
        let strategy = (any::<String>(), any::<Vec<u8>>(), 0..=i64::MAX);
        for i in 0..100 {
            let (text, data, n) = strategy.new_tree(&mut random).unwrap().current();
            let text = text.replace('\0', "");
            let row = put(&t, &format!("random-{i}"), n, Some(text.clone()), Some(data.clone())).await;
            assert_eq!(row.get::<String>("note").unwrap(), text);
            assert_eq!(row.get::<Vec<u8>>("data").unwrap(), data);
            assert_eq!(row.get::<i64>("n").unwrap(), n);
        }
    })
    .await;
}

#[tokio::test]
async fn a_nul_is_refused_alike() {
    each_db(&migrations(), async |t: TestDb| {
        let error =
            change(&t.db, ADD_DATA, args![H, "a", 1_i64, "zero\0inside", None::<Vec<u8>>]).await.unwrap_err();
        assert!(matches!(error, StoreError::Nul), "{error:?}");
        assert!(matches!(t.db.all::<Row>(GET, args![H, "\0"]).await, Err(StoreError::Nul)));
        let problem = base::Problem::from(error);
        assert_eq!(
            (problem.kind.status(), problem.code),
            (422, "text_invalid"),
            "it is the sender's fault, not ours"
        );
        assert_eq!(count(&t.db).await, 0);
        // In bytes it is a value like any other.
        change(&t.db, ADD_DATA, args![H, "b", 1_i64, None::<String>, vec![0_u8, 1, 0]]).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn typed_values_travel() {
    each_db(&migrations(), async |t: TestDb| {
        let bed = BedId::new();
        let table = if t.db.backend() == store::Backend::Sqlite { "BLOB" } else { "BYTEA" };
        let mut tx = t.db.begin().await.unwrap();
        let create = format!(
            "CREATE TABLE every (bed TEXT, state TEXT, at BIGINT, fee BIGINT, on_date TEXT, wall TEXT, half TEXT, lang TEXT, yes BIGINT, small BIGINT, json TEXT, raw {table})"
        );
        tx.exec(words(&create), args![]).await.unwrap();
        let insert = words("INSERT INTO every VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)");
        let date: Date = "2026-02-28".parse().unwrap();
        let wall: WallTime = "23:59".parse().unwrap();
        let json = serde_json::json!({"a": ["b", 1, null, "'"]});
        tx.exec(
            insert,
            args![bed, Bed::Taken, UnixMs(-1), Fen(-5), date, wall, HalfDay::Night, Lang::En, true, 255_u8, json.clone(), vec![1_u8]],
        )
        .await
        .unwrap();
        tx.exec(
            insert,
            args![
                None::<BedId>, None::<Bed>, None::<UnixMs>, None::<Fen>, None::<Date>, None::<WallTime>, None::<HalfDay>,
                None::<Lang>, None::<bool>, None::<u8>, None::<serde_json::Value>, None::<Vec<u8>>
            ],
        )
        .await
        .unwrap();
        tx.commit().await.unwrap();
        let rows: Vec<Row> = t.db.all(words("SELECT * FROM every ORDER BY at"), args![]).await.unwrap();
        let (full, empty) = match rows[0].get::<Option<BedId>>("bed").unwrap() {
            Some(_) => (&rows[0], &rows[1]),
            None => (&rows[1], &rows[0]),
        };
        assert_eq!(full.get::<BedId>("bed").unwrap(), bed);
        assert_eq!(full.get::<Bed>("state").unwrap(), Bed::Taken);
        assert_eq!(full.get::<UnixMs>("at").unwrap(), UnixMs(-1));
        assert_eq!(full.get::<Fen>("fee").unwrap(), Fen(-5));
        assert_eq!(full.get::<Date>("on_date").unwrap(), date);
        assert_eq!(full.get::<WallTime>("wall").unwrap(), wall);
        assert_eq!(full.get::<HalfDay>("half").unwrap(), HalfDay::Night);
        assert_eq!(full.get::<Lang>("lang").unwrap(), Lang::En);
        assert!(full.get::<bool>("yes").unwrap());
        assert_eq!(full.get::<u8>("small").unwrap(), 255);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&full.get::<String>("json").unwrap()).unwrap(), json);
        for column in ["bed", "state", "on_date", "wall", "half", "lang", "json"] {
            assert_eq!(empty.get::<Option<String>>(column).unwrap(), None, "{column}");
        }
        for column in ["at", "fee", "yes", "small"] {
            assert_eq!(empty.get::<Option<i64>>(column).unwrap(), None, "{column}");
        }
        assert_eq!(empty.get::<Option<Vec<u8>>>("raw").unwrap(), None);
        // What does not fit is named, not bent.
        for error in [
            empty.get::<i64>("at").unwrap_err(),
            full.get::<String>("at").unwrap_err(),
            full.get::<bool>("small").unwrap_err(),
            full.get::<Bed>("bed").unwrap_err(),
            full.get::<i64>("nowhere").unwrap_err(),
        ] {
            assert!(matches!(error, StoreError::Decode { .. }), "{error:?}");
        }
        assert!(i32::from_value(&Value::Int(Some(1 << 40))).is_err());
        assert!(u8::from_value(&Value::Int(Some(-1))).is_err());
    })
    .await;
}

#[tokio::test]
async fn lists_travel_in_the_way_of_each_database() {
    each_db(&migrations(), async |t: TestDb| {
        for id in ["a", "b", "c"] {
            put(&t, id, 1, None, None).await;
        }
        let sql = store::Sql {
            name: "IN",
            sqlite: "SELECT id FROM thing WHERE hospital_id = $1 AND id IN (SELECT value FROM json_each($2)) ORDER BY id",
            postgres: "SELECT id FROM thing WHERE hospital_id = $1 AND id = ANY($2) ORDER BY id",
        };
        let wanted = vec![Some("c".to_owned()), Some("it's \"x\"".to_owned()), None, Some("a".to_owned())];
        let found: Vec<One<String>> = t.db.all(sql, args![H, wanted]).await.unwrap();
        assert_eq!(found, [One("a".to_owned()), One("c".to_owned())]);
        let none: Vec<One<String>> = t.db.all(sql, args![H, Vec::<Option<String>>::new()]).await.unwrap();
        assert!(none.is_empty());
        let sum = store::Sql {
            name: "SUM",
            sqlite: "SELECT CAST(SUM(value) AS BIGINT) FROM json_each($1)",
            postgres: "SELECT CAST(SUM(value) AS BIGINT) FROM unnest($1) AS listed(value)",
        };
        assert_eq!(t.db.one::<One<i64>>(sum, args![vec![1_i64, -5, 1 << 50]]).await.unwrap().0, (1 << 50) - 4);
        assert_eq!(ids(&t.db).await.len(), 3);
    })
    .await;
}
