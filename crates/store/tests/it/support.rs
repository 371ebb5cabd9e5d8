//! A small table to try things on, and helpers.

use std::time::{Duration, Instant};

use store::value::One;
use store::{Db, Migration, Result, Sql, Tx, Value, args};

pub const H: base::HospitalId = base::HospitalId(1);

macro_rules! bench {
    ($bytes:literal) => {
        concat!(
            "CREATE TABLE thing (hospital_id BIGINT NOT NULL, id TEXT NOT NULL, n BIGINT NOT NULL CHECK (n >= 0),
                note TEXT, data ",
            $bytes,
            ", PRIMARY KEY (hospital_id, id));
             CREATE TABLE part (hospital_id BIGINT NOT NULL, id TEXT NOT NULL, thing TEXT NOT NULL, PRIMARY KEY (hospital_id, id),
                FOREIGN KEY (hospital_id, thing) REFERENCES thing (hospital_id, id) DEFERRABLE INITIALLY DEFERRED);"
        )
    };
}

/// Things, and parts whose thing is looked for at the commit only.
pub fn migrations() -> Vec<Migration> {
    vec![Migration {
        capability: "bench",
        name: "0001_bench",
        sqlite: bench!("BLOB"),
        postgres: bench!("BYTEA"),
    }]
}

store::statements! {
    ADD = "INSERT INTO thing (hospital_id, id, n) VALUES ($1, $2, $3)";
    ADD_DATA = "INSERT INTO thing (hospital_id, id, n, note, data) VALUES ($1, $2, $3, $4, $5)";
    ADD_PART = "INSERT INTO part (hospital_id, id, thing) VALUES ($1, $2, $3)";
    BUMP = "INSERT INTO thing (hospital_id, id, n) VALUES ($1, $2, 1) ON CONFLICT (hospital_id, id) DO UPDATE SET n = thing.n + 1";
    PUT = "INSERT INTO thing (hospital_id, id, n) VALUES ($1, $2, $3) ON CONFLICT (hospital_id, id) DO UPDATE SET n = excluded.n";
    COUNT = "SELECT CAST(COUNT(*) AS BIGINT) FROM thing WHERE hospital_id = $1";
    IDS = "SELECT id FROM thing WHERE hospital_id = $1";
    N = "SELECT n FROM thing WHERE hospital_id = $1 AND id = $2";
    GET = "SELECT id, n, note, data FROM thing WHERE hospital_id = $1 AND id = $2";
}

pub async fn add(tx: &mut Tx, id: &str) -> Result<u64> {
    tx.exec(ADD, args![H, id, 1_i64]).await
}

/// One change, committed.
pub async fn change(db: &Db, sql: Sql, values: Vec<Value>) -> Result<u64> {
    let mut tx = db.begin().await?;
    let n = tx.exec(sql, values).await?;
    tx.commit().await?;
    Ok(n)
}

/// One change in words that both databases understand.
pub async fn change_text(db: &Db, text: &str) -> u64 {
    change(db, words(text), Vec::new()).await.unwrap()
}

pub fn words(text: &str) -> Sql {
    let text: &'static str = text.to_owned().leak();
    Sql { name: "WORDS", sqlite: text, postgres: text }
}

pub async fn count(db: &Db) -> i64 {
    db.one::<One<i64>>(COUNT, args![H]).await.unwrap().0
}

pub async fn n(db: &Db, id: &str) -> Option<i64> {
    db.opt::<One<i64>>(N, args![H, id]).await.unwrap().map(|One(n)| n)
}

pub async fn ids(db: &Db) -> std::collections::BTreeSet<String> {
    db.all::<One<String>>(IDS, args![H]).await.unwrap().into_iter().map(|One(id)| id).collect()
}

/// Waits for a condition, and fails when it does not come.
pub async fn until(what: &str, mut there: impl AsyncFnMut() -> bool) {
    let since = Instant::now();
    while !there().await {
        assert!(since.elapsed() < Duration::from_secs(20), "this did not come: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Numbers that come again with the same seed.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}
