//! The audit chain: whole when nobody touched it, and it shows when somebody did.

use base::HospitalId;
use store::testing::{TestDb, each_db};
use store::value::One;
use store::{AuditEntry, Db, args, audit};

use crate::support::{Dice, H, change_text, words};

fn entry(hospital: HospitalId, number: i64) -> AuditEntry {
    AuditEntry {
        hospital,
        actor: "acc_1".into(),
        action: "booking.book",
        entity: format!("apt_{number}"),
        detail: serde_json::json!({"slot": number, "why": "it's \"quoted\" 中文"}),
        request_id: format!("r{number}"),
        source: "127.0.0.1".into(),
    }
}

async fn write(db: &Db, hospital: HospitalId, numbers: std::ops::Range<i64>) {
    for number in numbers {
        let mut tx = db.begin().await.unwrap();
        tx.audit(entry(hospital, number)).await.unwrap();
        tx.commit().await.unwrap();
    }
}

async fn faults(db: &Db) -> Vec<String> {
    audit::walk(db).await.unwrap().faults
}

#[tokio::test]
async fn a_chain_that_nobody_touched_is_whole() {
    each_db(&[], async |t: TestDb| {
        assert_eq!(audit::walk(&t.db).await.unwrap(), audit::Walk::default());
        assert_eq!(audit::link(&t.db).await.unwrap(), 0);
        write(&t.db, H, 0..5).await;
        write(&t.db, HospitalId(2), 0..3).await;
        assert_eq!(audit::unlinked(&t.db).await.unwrap(), 8);
        assert_eq!(audit::link(&t.db).await.unwrap(), 8);
        assert_eq!(audit::unlinked(&t.db).await.unwrap(), 0);
        // More than one page of the walk and one turn of the linker, written in one go.
        let many: Vec<AuditEntry> = (5..1205).map(|n| entry(H, n)).collect();
        let mut tx = t.db.begin().await.unwrap();
        tx.audit_all(&many).await.unwrap();
        tx.commit().await.unwrap();
        let mut linked = 0;
        loop {
            match audit::link(&t.db).await.unwrap() {
                0 => break,
                n => linked += n,
            }
        }
        assert_eq!(linked, 1200);
        let walk = audit::walk(&t.db).await.unwrap();
        assert_eq!((walk.entries, walk.faults), (1208, vec![]));
        let about = audit::of_entity(&t.db, H, "apt_77").await.unwrap();
        assert_eq!(about.len(), 1);
        assert_eq!(
            (about[0].actor.as_str(), about[0].action.as_str(), about[0].request_id.as_str()),
            ("acc_1", "booking.book", "r77")
        );
        assert_eq!(serde_json::from_str::<serde_json::Value>(&about[0].detail).unwrap(), entry(H, 77).detail);
        // An entry that is not committed is in no chain.
        let mut tx = t.db.begin().await.unwrap();
        tx.audit(entry(H, 9999)).await.unwrap();
        drop(tx);
        assert_eq!(audit::link(&t.db).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn every_change_to_an_entry_shows() {
    each_db(&[], async |t: TestDb| {
        write(&t.db, H, 0..6).await;
        audit::link(&t.db).await.unwrap();
        assert!(faults(&t.db).await.is_empty());
        for (column, change, undo) in [
            ("actor", "'acc_2'", "'acc_1'"),
            ("action", "'booking.cancel'", "'booking.book'"),
            ("entity", "'apt_x'", "'apt_2'"),
            ("at", "at + 1", "at - 1"),
            ("detail", "detail || ' '", "rtrim(detail)"),
            ("request_id", "'rx'", "'r2'"),
            ("source", "'::1'", "'127.0.0.1'"),
            ("hash", "'0' || hash", "substr(hash, 2)"),
        ] {
            let set = |value: &str| {
                format!("UPDATE audit SET {column} = {value} WHERE hospital_id = 1 AND link = 3")
            };
            assert_eq!(change_text(&t.db, &set(change)).await, 1);
            let found = faults(&t.db).await;
            assert!(found.iter().any(|f| f.contains("entry 3 was changed")), "{column}: {found:?}");
            change_text(&t.db, &set(undo)).await;
            assert_eq!(faults(&t.db).await, Vec::<String>::new(), "{column}");
        }
    })
    .await;
}

#[tokio::test]
async fn every_removal_shows() {
    for (gone, want) in [
        ("link = 3", "entries 3 to 3 are missing"),
        ("link = 1", "entries 1 to 1 are missing"),
        ("link IN (2, 3)", "entries 2 to 3 are missing"),
        // The end of a chain is where a removal is easiest.
        ("link = 6", "entries 6 to 6 are missing"),
        ("link >= 4", "entries 4 to 6 are missing"),
        ("link > 0", "entries 1 to 6 are missing"),
    ] {
        each_db(&[], async |t: TestDb| {
            write(&t.db, H, 0..6).await;
            audit::link(&t.db).await.unwrap();
            change_text(&t.db, &format!("DELETE FROM audit WHERE hospital_id = 1 AND {gone}")).await;
            let found = faults(&t.db).await;
            assert!(found.iter().any(|f| f.contains(want)), "{gone}: {found:?}");
            // Going on does not cover it up.
            write(&t.db, H, 10..12).await;
            audit::link(&t.db).await.unwrap();
            let found = faults(&t.db).await;
            assert!(found.iter().any(|f| f.contains(want)), "{gone}, later: {found:?}");
        })
        .await;
    }
}

#[tokio::test]
async fn a_chain_written_anew_shows_by_its_end() {
    each_db(&[], async |t: TestDb| {
        write(&t.db, H, 0..4).await;
        audit::link(&t.db).await.unwrap();
        let end = t.db.one::<One<String>>(words("SELECT hash FROM audit_head"), args![]).await.unwrap().0;
        // Somebody edits an entry and has the program itself link all of it again.
        change_text(
            &t.db,
            "UPDATE audit SET link = NULL, hash = NULL, actor = 'acc_9' WHERE link IS NOT NULL",
        )
        .await;
        change_text(&t.db, "DELETE FROM audit_head").await;
        audit::link(&t.db).await.unwrap();
        let put_back = format!("UPDATE audit_head SET hash = '{end}'");
        change_text(&t.db, &put_back).await;
        let found = faults(&t.db).await;
        assert!(found.iter().any(|f| f.contains("is not the one that the chain ended with")), "{found:?}");
        change_text(&t.db, "DELETE FROM audit_head").await;
        let found = faults(&t.db).await;
        assert!(found.iter().any(|f| f.contains("record of the chain's end is missing")), "{found:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_that_write_and_link_together_make_one_chain() {
    each_db(&[], async |t: TestDb| {
        let nodes = t.nodes(3).await;
        let mut running = tokio::task::JoinSet::new();
        for (i, db) in (1_i64..).zip(nodes.iter().cloned()) {
            let clock = t.clock.clone();
            running.spawn(async move {
                let mut dice = Dice(i.unsigned_abs());
                for n in 0..60 {
                    write(&db, HospitalId(1 + (n % 2)), i * 1000 + n..i * 1000 + n + 1).await;
                    if dice.roll(4) == 0 {
                        // Leases run out under the linkers' hands; a conflict is an error that the next turn mends.
                        let _ = clock.advance(std::time::Duration::from_secs(11));
                        let _ = audit::link(&db).await;
                    }
                    if dice.roll(10) == 0 {
                        assert_eq!(faults(&db).await, Vec::<String>::new());
                    }
                }
            });
        }
        running.join_all().await;
        t.pass(std::time::Duration::from_secs(11));
        while audit::unlinked(&t.db).await.unwrap() > 0 {
            audit::link(&t.db).await.unwrap();
        }
        let walk = audit::walk(&t.db).await.unwrap();
        assert_eq!((walk.entries, walk.faults), (180, vec![]));
    })
    .await;
}
