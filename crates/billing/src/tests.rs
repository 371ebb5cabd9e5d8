//! What the tables themselves refuse, and that both databases take every statement.

mod closed;
mod model;

use base::Fen;
use store::args;
use store::testing::each_db;

use crate::ledger::{self, Cause, Movement};

store::statements! {
    CHANGE = "UPDATE ledger SET amount_fen = 1";
    DELETE = "DELETE FROM ledger";
}

pub(crate) fn tables() -> Vec<store::Migration> {
    [edge::migrations(), crate::migrations()].concat()
}

#[tokio::test]
async fn both_databases_take_every_statement() {
    each_db(&tables(), async |t| {
        for sql in crate::statements() {
            t.db.prepare(sql).await.unwrap_or_else(|error| panic!("{}: {error:?}", sql.name));
        }
        assert!(crate::check::ledger(&t.db).await.unwrap().faults.is_empty(), "an empty ledger has a fault");
    })
    .await;
}

/// I1: what is booked is booked once, and stays.
#[tokio::test]
async fn the_ledger_only_grows() {
    each_db(&tables(), async |t| {
        let hospital = base::HospitalId(1);
        let row = Movement {
            once: "test:1".into(),
            debit: "bank".into(),
            credit: "suspense".into(),
            amount: Fen(1400),
        };
        for expected in [true, false] {
            let mut tx = t.db.begin().await.unwrap();
            let new = ledger::book(&mut tx, hospital, std::slice::from_ref(&row), &Cause::default()).await;
            assert_eq!(new.unwrap(), expected);
            tx.commit().await.unwrap();
        }
        for sql in [CHANGE, DELETE] {
            let mut tx = t.db.begin().await.unwrap();
            assert!(tx.exec(sql, args![]).await.is_err(), "{}", sql.name);
        }
        let itself = Movement { once: "test:2".into(), debit: "bank".into(), credit: "bank".into(), ..row };
        let mut tx = t.db.begin().await.unwrap();
        assert!(ledger::book(&mut tx, hospital, &[itself], &Cause::default()).await.is_err());
    })
    .await;
}

/// A hospital without settings of its own.
pub(crate) async fn hospital(db: &store::Db, id: base::HospitalId) -> std::sync::Arc<edge::Hospital> {
    let text = || base::Text2::new("杏林", "Xinglin");
    let profile = edge::Profile { name: text(), short_name: text(), ..edge::Profile::default() };
    let hospitals = edge::Hospitals::load(db).await.unwrap();
    hospitals.add(id, "xinglin", &profile, "Asia/Shanghai").await.unwrap();
    hospitals.get(id).unwrap()
}
