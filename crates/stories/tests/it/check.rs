//! `xinglin check` finds every kind of damage, and nothing where there is none.

use std::time::Duration;

use base::HospitalId;
use serde_json::json;
use server::check::rows;
use store::testing::{TestDb, each_db};
use store::{AuditEntry, NewEvent, Sql, args};
use testkit::program::Program;
use testkit::{Hospital, Setup};

use crate::long::no_limits;

const HOUR: Duration = Duration::from_secs(3600);

const fn both(text: &'static str) -> Sql {
    Sql { name: "", sqlite: text, postgres: text }
}

/// Three people, one slot, all that there is of them elsewhere.
const FURNISH: &[&str] = &[
    "INSERT INTO campus VALUES (1, 'c', 'c', '本部', 'Main', '路', 'Road', 0)",
    "INSERT INTO department (hospital_id, id, code, name_zh, name_en, intro_zh, intro_en, initials, pinyin, child_only, adult_only, position)
     VALUES (1, 'd', 'd', '内科', 'Medicine', '', '', 'nk', 'neike', 0, 0, 0)",
    "INSERT INTO clinic (hospital_id, id, department_id, campus_id, date, half_day, kind, online, fee_fen, opens_at, closes_at, state, created_at)
     VALUES (1, 'k', 'd', 'c', '2026-11-25', 'am', 'general', 0, 100, 0, 60000, 'open', 0)",
    "INSERT INTO slot (hospital_id, id, clinic_id, position, start_at, end_at, start_wall, end_wall, capacity, taken, last_number, changed_at)
     VALUES (1, 's', 'k', 0, 0, 60000, '08:00', '08:30', 9, 2, 3, 0)",
    "INSERT INTO message (hospital_id, id, kind, subject, data, link, priority, state, delivery_id, expires_at, created_at, changed_at)
     VALUES (1, 'm', 'appointment_confirmed', 'apt_a1', '{}', '', 1, 'sent', 'y', 0, 0, 0)",
    "INSERT INTO delivery (hospital_id, id, message_id, ordinal, channel, lang, state, started_at) VALUES (1, 'y', 'm', 1, 'sms', 'zh', 'sent', 0)",
    "INSERT INTO wechat_push (hospital_id, id, channel_account_id, dedup_key, kind, openid, received_at, body, state, due_at)
     VALUES (1, 'u', 'h', 'x', 'text', 'o', 0, '', 'done', 0)",
    "INSERT INTO job (hospital_id, id, kind, dedupe, payload, due_at, state, created_at) VALUES (1, 'j', 'some.job', 'x', '{}', 0, 'done', 0)",
    "UPDATE event SET state = 'done'",
];

const APPOINTMENT: Sql = both(
    "INSERT INTO appointment (hospital_id, id, slot_id, clinic_id, provider_id, department_id, campus_id, kind, date, half_day, start_at, end_at, fee_fen,
        person_id, account_id, channel, number, day_ordinal, state, pay, key, request_hash, check_in_code, booked_at, late, ended_at)
     VALUES (1, $1, 's', 'k', 'd', 'd', 'c', 'general', '2026-11-25', 'am', 0, 60000, 100, $2, 'acc', 'wechat', $3, 1, $4, 'counter', $1, '', $1, $5, 0, $6)",
);

async fn run(t: &TestDb, statements: &[&'static str]) {
    let mut tx = t.db.begin().await.unwrap();
    for statement in statements {
        tx.exec(both(statement), args![]).await.unwrap_or_else(|e| panic!("{statement}: {e:?}"));
    }
    tx.commit().await.unwrap();
}

async fn furnish(t: &TestDb) {
    let hospital = HospitalId(1);
    let mut tx = t.db.begin().await.unwrap();
    for (id, person, number, gone) in
        [("a1", "p1", 1_i64, false), ("a2", "p2", 2, true), ("a3", "p3", 3, false)]
    {
        let now = tx.now();
        let (state, ended) = if gone { ("cancelled", Some(now)) } else { ("booked", None) };
        tx.exec(APPOINTMENT, args![id, person, number, state, now, ended]).await.unwrap();
        let changes = if gone { vec!["booked", "cancelled"] } else { vec!["booked"] };
        for change in changes {
            let (kind, action) = match change {
                "booked" => ("booking.booked", "booking.book"),
                _ => ("booking.cancelled", "booking.cancel"),
            };
            let payload = json!({"appointment": format!("apt_{id}")});
            tx.publish(NewEvent { hospital, kind, key: person.into(), payload }).await.unwrap();
            tx.audit(AuditEntry {
                hospital,
                actor: "acc".into(),
                action,
                entity: format!("apt_{id}"),
                detail: json!({}),
                request_id: String::new(),
                source: String::new(),
            })
            .await
            .unwrap();
        }
    }
    tx.commit().await.unwrap();
    run(t, FURNISH).await;
    assert_eq!(store::audit::link(&t.db).await.unwrap(), 4);
}

/// What is done to the rows, what is said of it, and how it is undone.
struct Damage {
    does: &'static [&'static str],
    says: &'static str,
    undoes: &'static [&'static str],
}

const DAMAGES: &[Damage] = &[
    Damage {
        does: &["UPDATE slot SET taken = 3"],
        says: "stock: hospital 1: slot slt_s: 3 of 9 places taken",
        undoes: &["UPDATE slot SET taken = 2"],
    },
    Damage {
        does: &["UPDATE slot SET taken = 1"],
        says: "stock: hospital 1: slot slt_s: 1 of 9 places taken",
        undoes: &["UPDATE slot SET taken = 2"],
    },
    Damage {
        does: &["UPDATE slot SET held = 1"],
        says: "(1 on hold), but 2 appointments have one (0 on hold)",
        undoes: &["UPDATE slot SET held = 0"],
    },
    Damage {
        does: &["UPDATE appointment SET state = 'expired' WHERE id = 'a1'"],
        says: "but 1 appointments have one",
        undoes: &["UPDATE appointment SET state = 'booked' WHERE id = 'a1'"],
    },
    Damage {
        does: &["UPDATE slot SET last_number = 4"],
        says: "the last number is 4, but there are 3 appointments with 3 numbers from 1 to 3",
        undoes: &["UPDATE slot SET last_number = 3"],
    },
    Damage {
        does: &["UPDATE appointment SET number = 4 WHERE id = 'a2'", "UPDATE slot SET last_number = 4"],
        says: "the last number is 4, but there are 3 appointments with 3 numbers from 1 to 4",
        undoes: &["UPDATE appointment SET number = 2 WHERE id = 'a2'", "UPDATE slot SET last_number = 3"],
    },
    Damage {
        does: &["DROP INDEX appointment_number", "UPDATE appointment SET number = 3 WHERE id = 'a2'"],
        says: "there are 3 appointments with 2 numbers from 1 to 3",
        undoes: &[
            "UPDATE appointment SET number = 2 WHERE id = 'a2'",
            "CREATE UNIQUE INDEX appointment_number ON appointment (hospital_id, slot_id, number)",
        ],
    },
    Damage {
        does: &["UPDATE appointment SET clinic_id = 'other' WHERE id = 'a1'"],
        says: "stock: hospital 1: appointment apt_a1 is in slot slt_s, which its clinic does not have",
        undoes: &["UPDATE appointment SET clinic_id = 'k' WHERE id = 'a1'"],
    },
    Damage {
        does: &["UPDATE appointment SET slot_id = 'gone' WHERE id = 'a2'"],
        says: "appointment apt_a2 is in slot slt_gone",
        undoes: &["UPDATE appointment SET slot_id = 's' WHERE id = 'a2'"],
    },
    Damage {
        does: &[
            "DROP INDEX appointment_once",
            "UPDATE appointment SET person_id = 'p1', day_ordinal = 2 WHERE id = 'a3'",
        ],
        says: "stock: hospital 1: person per_p1 has 2 live appointments with d on 2026-11-25 am",
        undoes: &[
            "UPDATE appointment SET person_id = 'p3', day_ordinal = 1 WHERE id = 'a3'",
            "CREATE UNIQUE INDEX appointment_once ON appointment (hospital_id, date, person_id, provider_id, half_day)
             WHERE state IN ('held', 'booked', 'checked_in', 'seen')",
        ],
    },
    Damage {
        does: &[
            "DROP INDEX appointment_day",
            "UPDATE appointment SET person_id = 'p1', provider_id = 'other' WHERE id = 'a3'",
        ],
        says: "stock: hospital 1: person per_p1 has 2 live appointments that each count as number 1 of 2026-11-25",
        undoes: &[
            "UPDATE appointment SET person_id = 'p3', provider_id = 'd' WHERE id = 'a3'",
            "CREATE UNIQUE INDEX appointment_day ON appointment (hospital_id, date, person_id, day_ordinal)
             WHERE state IN ('held', 'booked', 'checked_in', 'seen')",
        ],
    },
    Damage {
        does: &["DROP INDEX appointment_key", "UPDATE appointment SET key = 'a1' WHERE id = 'a2'"],
        says: "stock: hospital 1: one request of account acc_acc has 2 appointments",
        undoes: &[
            "UPDATE appointment SET key = 'a2' WHERE id = 'a2'",
            "CREATE UNIQUE INDEX appointment_key ON appointment (hospital_id, account_id, key)",
        ],
    },
    Damage {
        does: &["DROP INDEX appointment_code", "UPDATE appointment SET check_in_code = 'a1' WHERE id = 'a2'"],
        says: "stock: hospital 1: 2 appointments have the same check-in code",
        undoes: &[
            "UPDATE appointment SET check_in_code = 'a2' WHERE id = 'a2'",
            "CREATE UNIQUE INDEX appointment_code ON appointment (hospital_id, check_in_code)",
        ],
    },
    Damage {
        does: &["UPDATE event SET kind = 'other' WHERE payload LIKE '%apt_a1%'"],
        says: "events: appointment apt_a1 was booked, but nobody was told (no event)",
        undoes: &["UPDATE event SET kind = 'booking.booked' WHERE kind = 'other'"],
    },
    Damage {
        does: &["UPDATE event SET kind = 'other' WHERE kind = 'booking.cancelled'"],
        says: "events: appointment apt_a2 was given up, but nobody was told (no event)",
        undoes: &["UPDATE event SET kind = 'booking.cancelled' WHERE kind = 'other'"],
    },
    Damage {
        does: &["UPDATE event SET state = 'new', created_at = created_at - 3600000 WHERE kind = 'booking.cancelled'"],
        says: "(booking.cancelled) has waited for 60 min",
        undoes: &["UPDATE event SET state = 'done', created_at = created_at + 3600000 WHERE kind = 'booking.cancelled'"],
    },
    Damage {
        does: &["INSERT INTO event_failure (hospital_id, seq, subscriber, kind, key, payload, created_at, attempts, next_at, state, error)
                 VALUES (1, 7, 'booking.tell', 'booking.booked', '', '{}', 0, 20, 0, 'failed', 'no such doctor')"],
        says: "events: hospital 1: event 7 (booking.booked): booking.tell has given up: no such doctor",
        undoes: &["DELETE FROM event_failure"],
    },
    Damage {
        does: &["INSERT INTO event_failure (hospital_id, seq, subscriber, kind, key, payload, created_at, attempts, next_at, state, error)
                 VALUES (1, 7, 'booking.tell', 'booking.booked', '', '{}', 0, 3, 0, 'waiting', 'later')"],
        says: "another try of booking.tell has been due for",
        undoes: &["DELETE FROM event_failure"],
    },
    Damage {
        does: &["UPDATE job SET state = 'failed', error = 'no such account'"],
        says: "events: hospital 1: job j (some.job) was given up: no such account",
        undoes: &["UPDATE job SET state = 'done', error = NULL"],
    },
    Damage {
        does: &["UPDATE job SET state = 'waiting'"],
        says: "events: hospital 1: job j (some.job) has been due for",
        undoes: &["UPDATE job SET state = 'done'"],
    },
    Damage {
        does: &["UPDATE wechat_push SET state = 'failed', error = 'unreadable'"],
        says: "events: hospital 1: push u (text) was given up: unreadable",
        undoes: &["UPDATE wechat_push SET state = 'done', error = NULL"],
    },
    Damage {
        does: &["UPDATE wechat_push SET state = 'new'"],
        says: "events: hospital 1: push u (text) has been due for",
        undoes: &["UPDATE wechat_push SET state = 'done'"],
    },
    Damage {
        does: &["UPDATE message SET state = 'waiting', due_at = 0"],
        says: "events: hospital 1: message m (appointment_confirmed, waiting) has been due for",
        undoes: &["UPDATE message SET state = 'sent', due_at = NULL"],
    },
    Damage {
        does: &["UPDATE message SET state = 'waiting'"],
        says: "message m (appointment_confirmed, waiting) is not over, but will never be looked at",
        undoes: &["UPDATE message SET state = 'sent'"],
    },
    Damage {
        does: &["UPDATE message SET delivery_id = 'gone'"],
        says: "message m (appointment_confirmed, sent) has no attempt",
        undoes: &["UPDATE message SET delivery_id = 'y'"],
    },
    Damage {
        does: &["INSERT INTO delivery (hospital_id, id, message_id, ordinal, channel, lang, state, started_at)
                 VALUES (1, 'z', 'm', 2, 'template', 'zh', 'delivered', 0)"],
        says: "message m was told 2 times",
        undoes: &["DELETE FROM delivery WHERE id = 'z'"],
    },
    Damage {
        does: &["UPDATE audit SET actor = 'somebody' WHERE link = 2"],
        says: "audit: hospital 1: entry 2 was changed",
        undoes: &["UPDATE audit SET actor = 'acc' WHERE link = 2"],
    },
    Damage {
        does: &["UPDATE audit SET link = 9 WHERE link = 3"],
        says: "audit: hospital 1: entries 3 to 3 are missing",
        undoes: &["UPDATE audit SET link = 3 WHERE link = 9"],
    },
    Damage {
        does: &["UPDATE audit_head SET hash = 'x'"],
        says: "audit: hospital 1: entry 4 is not the one that the chain ended with",
        undoes: &["UPDATE audit_head SET hash = (SELECT hash FROM audit WHERE link = 4)"],
    },
    Damage {
        does: &["INSERT INTO audit (hospital_id, at, actor, action, entity, detail, request_id, source) VALUES (1, 0, '', 'x', '', '', '', '')"],
        says: "audit: 1 entries wait to be linked, the oldest for",
        undoes: &["DELETE FROM audit WHERE action = 'x'"],
    },
    // Last: an entry that is gone can't be put back as it was.
    Damage {
        does: &["DELETE FROM audit WHERE entity = 'apt_a3'"],
        says: "events: appointment apt_a3 was booked, but the audit log does not say so",
        undoes: &[],
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_damage_is_found() {
    each_db(&server::app::migrations(), async |t: TestDb| {
        furnish(&t).await;
        for Damage { does, says, undoes } in DAMAGES {
            assert_eq!(rows::faults(&t.db).await.unwrap(), [""; 0], "before {does:?} on {:?}", t.backend());
            run(&t, does).await;
            let found = rows::faults(&t.db).await.unwrap();
            assert!(
                found.iter().any(|fault| fault.contains(says)),
                "{does:?} on {:?}: {found:#?}",
                t.backend()
            );
            run(&t, undoes).await;
        }
    })
    .await;
}

/// What is waiting is not a fault, what has waited too long is.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_well_for_a_while() {
    each_db(&server::app::migrations(), async |t: TestDb| {
        furnish(&t).await;
        run(&t, &["UPDATE event SET state = 'new'"]).await;
        assert_eq!(rows::faults(&t.db).await.unwrap(), [""; 0]);
        t.pass(HOUR);
        assert_eq!(rows::faults(&t.db).await.unwrap().len(), 4);
    })
    .await;
}

/// The command: what it prints, and its exit code, beside a program that serves the database and without one.
#[tokio::test(flavor = "multi_thread")]
async fn the_command_says_so() {
    let story = async |hospital: &Hospital| {
        let people = hospital.crowd(3).await;
        let slot = hospital.opens_evening(&hospital.site.dr_li, 2, 9).await;
        for one in &people {
            assert_eq!(one.asks_for(&slot).await, testkit::Heard::Booked);
        }
        hospital.settle().await;
        hospital.node().stop().await;
        let program = Program::like(hospital.node()).await;
        let running = program.starts().await;
        let (well, said) = program.checks().await;
        assert!(well, "{said}");
        for words in ["audit: ", " slots, 3 appointments", "events: 0 events wait", "all is well"] {
            assert!(said.contains(words), "{words}: {said}");
        }
        running.is_asked_to_stop().await;
        let change = async |statement: &'static str| {
            let config = hospital.node().config().database.store();
            let db = store::Db::open(&config, base::Clock::machine()).await.unwrap();
            let mut tx = db.begin().await.unwrap();
            tx.exec(both(statement), args![]).await.unwrap();
            tx.commit().await.unwrap();
            db.close().await;
        };
        change("UPDATE slot SET taken = taken - 1 WHERE taken > 0").await;
        let (well, said) = program.checks().await;
        assert!(!well, "{said}");
        assert!(
            said.contains("FAULT stock: hospital 1: slot slt_") && said.contains("something is wrong"),
            "{said}"
        );
        change("UPDATE slot SET taken = taken + 1 WHERE taken > 0").await;
        assert!(program.checks().await.0);
        hospital.node().starts_again().await;
    };
    Setup::default().in_real_time().days(1).with("booking.limits", no_limits()).play(story).await;
}
