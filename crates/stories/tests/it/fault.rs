//! The program dies at every named point, as if the power went, and comes back.

use std::collections::BTreeMap;

use base::{Clock, HalfDay};
use schedule::plan::NewClinic;
use serde_json::{Value, json};
use store::fault::{self, Point};
use store::value::{One, Row};
use store::{Backend, Db, args};
use testkit::browser::key;
use testkit::program::{Process, Program};
use testkit::site::sitting;
use testkit::{Answer, Hospital, Phone, Setup};

use crate::long::{no_limits, or_long};

store::statements! {
    TOLD = "SELECT kind, subject, state FROM message";
    SENT = "SELECT channel, CAST(COUNT(*) AS BIGINT) AS n FROM delivery WHERE state IN ('sent', 'delivered') GROUP BY channel";
    UNFINISHED_PUSHES = "SELECT (SELECT CAST(COUNT(*) AS BIGINT) FROM wechat_push WHERE state <> 'done')
        + (SELECT CAST(COUNT(*) AS BIGINT) FROM wechat_bundle)";
    TEXTS = "SELECT CAST(COUNT(*) AS BIGINT) FROM wechat_push WHERE kind = 'text' AND openid = $1";
    DONE_TWICE = "SELECT CAST(COUNT(*) AS BIGINT) FROM (SELECT request_id FROM audit WHERE source = 'wechat' GROUP BY request_id HAVING COUNT(*) > 1) AS twice";
    NO_TEMPLATES = "DELETE FROM template_map";
    WAITING_JOBS = "SELECT CAST(COUNT(*) AS BIGINT) FROM job WHERE state = 'waiting'";
}

/// Who takes part, and what is theirs before the next death.
struct Cast<'a> {
    hospital: &'a Hospital,
    program: &'a Program,
    /// Books, and follows us.
    books: Phone,
    /// Gives a place up.
    leaves: Phone,
    /// Moves from one slot to another.
    moves: Phone,
    /// Books, and is told by SMS.
    by_sms: Phone,
    /// Writes in the chat, each time in the other language.
    writes: Phone,
    slots: [String; 3],
    /// How often WeChat was told that we have a text, and how often it was sent.
    texts: (i64, i64),
}

/// What there is before the program dies.
struct Before {
    to_leave: String,
    to_move: String,
}

/// What people asked for, each under a key of their own.
struct Asked {
    book: String,
    leave: String,
    go: String,
    sms: String,
}

type Answers = [Result<Answer, String>; 4];

impl Cast<'_> {
    async fn all(&self, before: &Before, asked: &Asked) -> Answers {
        let [first, second, third] = &self.slots;
        let (a, b, c, d) = tokio::join!(
            self.books.booking(first, self.books.who(), &asked.book).try_send(),
            self.leaves.cancelling(&before.to_leave, &asked.leave).try_send(),
            self.moves.moving(&before.to_move, third, &asked.go).try_send(),
            self.by_sms.booking(second, self.by_sms.who(), &asked.sms).try_send(),
        );
        [a, b, c, d]
    }

    /// Nobody has anything but the one who gives it up and the one who moves.
    async fn prepares(&self) -> Before {
        for phone in [&self.books, &self.leaves, &self.moves, &self.by_sms] {
            for item in phone.upcoming().await.items() {
                let _gone = phone.cancels(item["id"].as_str().unwrap()).await.expect(200);
            }
        }
        let to_leave = self.leaves.gets(&self.slots[0]).await.id().to_owned();
        let to_move = self.moves.gets(&self.slots[1]).await.id().to_owned();
        Before { to_leave, to_move }
    }

    async fn writes(&mut self, nth: usize) {
        let text = if nth.is_multiple_of(2) { "English" } else { "中文" };
        let done = self.writes.does("say", json!({"text": text})).await;
        let attempts = done["push"]["attempts"].as_array().unwrap();
        let heard = |one: &Value| one["outcome"] == "acknowledged" || one["outcome"] == "replied";
        self.texts.0 += i64::from(attempts.iter().any(heard));
        self.texts.1 += 1;
    }

    /// One death: gives the program that has come back.
    async fn dies_at(&mut self, running: Process, point: Point, nth: u32, cycle: usize) -> Process {
        let name = format!("{}:{nth}", point.name());
        if point.name().starts_with("send.chat") {
            // Who wrote to us a moment ago can be written to in the chat.
            let _heard = self.books.does("say", json!({"text": "你好"})).await;
        }
        let before = self.prepares().await;
        self.hospital.program_settles().await;
        running.is_killed().await;
        self.hospital.leases_run_out().await;
        if point.name().starts_with("job.") {
            self.hospital.asks_who_follows(&self.writes).await;
        }
        let doomed = self.program.starts_to_die(point, nth).await;
        let asked = Asked { book: key(), leave: key(), go: key(), sms: key() };
        let first = self.all(&before, &asked).await;
        self.writes(cycle).await;
        doomed.dies().await;
        // Dead: what was written agrees with itself.
        let db = self.hospital.looks_in().await;
        assert_eq!(server::check::rows::faults(&db).await.unwrap(), [""; 0], "dead at {name}");
        db.close().await;
        self.hospital.leases_run_out().await;
        let running = self.program.starts().await;
        // Everybody asks again under their key and gets their own answer.
        let mut ids = Vec::new();
        for (first, again) in first.into_iter().zip(self.all(&before, &asked).await) {
            let again = again.unwrap_or_else(|error| panic!("after {name}: {error}")).good();
            if let Ok(first) = first {
                assert_eq!(first.good().id(), again.id(), "after {name}");
            }
            ids.push(again.id().to_owned());
        }
        for (phone, mine) in [
            (&self.books, Some(&ids[0])),
            (&self.leaves, None),
            (&self.moves, Some(&ids[2])),
            (&self.by_sms, Some(&ids[3])),
        ] {
            let list = phone.upcoming().await;
            let told: Vec<&str> = list.items().iter().map(|item| item["id"].as_str().unwrap()).collect();
            assert_eq!(told, mine.map(String::as_str).into_iter().collect::<Vec<_>>(), "after {name}");
        }
        self.hospital.program_settles().await;
        let db = self.hospital.looks_in().await;
        assert_eq!(
            server::check::rows::faults(&db).await.unwrap(),
            [""; 0],
            "after {name}\n{}",
            running.log()
        );
        let unknown = self.is_told(&db, &name, &ids).await;
        assert!(unknown <= 1 || point.name().starts_with("send.chat"), "after {name}: {unknown} unknown");
        self.was_sent_once(&db, &name).await;
        self.pushes_are_done(&db, &name).await;
        db.close().await;
        running
    }

    /// Each has been told of what they asked for, or it is known that nobody knows. Gives how many of those there are so far.
    async fn is_told(&self, db: &Db, name: &str, ids: &[String]) -> usize {
        let rows = db.all::<Row>(TOLD, args![]).await.unwrap();
        let text = |row: &Row, column: &str| row.get::<String>(column).unwrap();
        let states: BTreeMap<(String, String), String> =
            rows.iter().map(|row| ((text(row, "subject"), text(row, "kind")), text(row, "state"))).collect();
        for (id, kind) in ids.iter().zip([
            "appointment_confirmed",
            "appointment_cancelled",
            "appointment_moved",
            "appointment_confirmed",
        ]) {
            let state = states.get(&(id.clone(), kind.to_owned()));
            let well = state.is_some_and(|state| ["sent", "delivered", "unknown"].contains(&state.as_str()));
            assert!(well, "after {name}: {kind} of {id} is {state:?}\n{states:#?}");
        }
        states.values().filter(|state| *state == "unknown").count()
    }

    /// What we say was sent is what arrived, by every way: nothing twice.
    async fn was_sent_once(&self, db: &Db, name: &str) {
        let rows = db.all::<Row>(SENT, args![]).await.unwrap();
        let sent: BTreeMap<String, i64> =
            rows.iter().map(|row| (row.get("channel").unwrap(), row.get("n").unwrap())).collect();
        let of = |channel: &str| sent.get(channel).copied().unwrap_or(0);
        let arrived = async |kind: &str| i64::try_from(self.hospital.sim.inbox(kind).await.len()).unwrap();
        assert_eq!(arrived("template").await, of("template"), "template messages after {name}");
        assert_eq!(arrived("sms").await, of("sms"), "SMS after {name}");
        let chats = arrived("custom").await;
        let unknown = db.all::<Row>(TOLD, args![]).await.unwrap();
        let unknown = unknown.iter().filter(|row| row.get::<String>("state").unwrap() == "unknown").count();
        let most = of("custom") + i64::try_from(unknown).unwrap();
        assert!((of("custom")..=most).contains(&chats), "{chats} messages of the chat after {name}");
    }

    /// Every text that WeChat was told we have is kept, no text is kept twice, and each was worked on once.
    async fn pushes_are_done(&self, db: &Db, name: &str) {
        let count = async |sql, values| db.one::<One<i64>>(sql, values).await.unwrap().0;
        assert_eq!(count(UNFINISHED_PUSHES, args![]).await, 0, "after {name}");
        let kept = count(TEXTS, args![self.writes.openid.as_str()]).await;
        assert!(
            (self.texts.0..=self.texts.1).contains(&kept),
            "{kept} of {:?} texts after {name}",
            self.texts
        );
        assert_eq!(count(DONE_TWICE, args![]).await, 0, "a text had its effect twice after {name}");
        assert_eq!(count(WAITING_JOBS, args![]).await, 0, "after {name}");
    }
}

/// Every point, those of the chat's messages last: for them there are no templates any more. In the short form each point is
/// passed on one of the two databases, `turn` about.
fn deaths(turn: usize) -> Vec<(Point, u32)> {
    let mut all = Vec::new();
    // Those of money have a walk of their own (`money/deaths.rs`).
    let ours = fault::ALL.iter().filter(|point| !point.name().starts_with("pay."));
    let chosen = ours.enumerate().filter(|(nth, _)| nth % 2 == or_long(turn, nth % 2));
    for (_, point) in chosen {
        let nths: &[u32] = match point {
            Point::CommitBefore | Point::CommitAfter => or_long(&[12], &[1, 2, 3, 5, 8, 13, 21, 34, 55]),
            _ => or_long(&[1], &[1, 2]),
        };
        all.extend(nths.iter().map(|nth| (*point, *nth)));
    }
    all.sort_by_key(|(point, _)| point.name().starts_with("send.chat"));
    all
}

/// The account has none of the templates that we want, and WeChat does not answer when it is asked for them.
async fn no_templates(hospital: &Hospital) {
    let db = Db::open(&hospital.node().config().database.store(), Clock::machine()).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    tx.exec(NO_TEMPLATES, args![]).await.unwrap();
    tx.commit().await.unwrap();
    db.close().await;
}

async fn walk(hospital: &Hospital) {
    hospital.expects_untold();
    let mut phones = hospital.patients(5).await.into_iter();
    let mut next = || phones.next().unwrap();
    let (books, leaves, moves, by_sms, writes) = (next(), next(), next(), next(), next());
    by_sms.unfollows().await;
    let clinic = hospital.site.clinic(&hospital.site.dr_li, hospital.day(2));
    let evening = sitting("18:00", "19:30", 400);
    hospital.plans(&NewClinic { half_day: HalfDay::Night, slots: evening, ..clinic }).await;
    let slot = async |start| hospital.slot(&hospital.site.dr_li, 2, start).await;
    let slots = [slot("18:00").await, slot("18:30").await, slot("19:00").await];
    hospital.node().stop().await;
    let program = Program::like(hospital.node()).await;
    let mut running = program.starts().await;
    let mut cast =
        Cast { hospital, program: &program, books, leaves, moves, by_sms, writes, slots, texts: (0, 0) };
    let usual = json!({"template_event": "after"});
    hospital.sim.faults(usual).await;
    let mut chatting = false;
    let turn = usize::from(hospital.backend() == Backend::Postgres);
    for (cycle, (point, nth)) in deaths(turn).into_iter().enumerate() {
        if point.name().starts_with("send.chat") && !chatting {
            chatting = true;
            let silent =
                json!({"http_5xx_rate": 1.0, "paths": ["/cgi-bin/template"], "template_event": "after"});
            hospital.sim.faults(silent).await;
            running.is_killed().await;
            hospital.leases_run_out().await;
            no_templates(hospital).await;
            running = program.starts().await;
        }
        running = cast.dies_at(running, point, nth, cycle).await;
    }
    let (well, said) = program.checks().await;
    assert!(well, "{said}");
    running.is_asked_to_stop().await;
    // Results that WeChat told while nobody was there are not waited for.
    hospital.sim.faults(json!({"template_event": "never"})).await;
    hospital.node().starts_again().await;
}

/// It dies before and after every commit, send and acknowledgement. Each time: what was written agrees with itself; whoever
/// asks again under their key gets their own answer; their list agrees; each push and each notice was handled once, or it is
/// known that nobody knows; `xinglin check` finds nothing.
#[tokio::test(flavor = "multi_thread")]
async fn it_dies_at_every_point_and_comes_back() {
    let setup = Setup::default().in_real_time().days(1).with("booking.limits", no_limits());
    setup.play_on_sqlite(async |hospital: &Hospital| walk(hospital).await).await;
}

/// The same on PostgreSQL.
#[tokio::test(flavor = "multi_thread")]
async fn it_dies_at_every_point_and_comes_back_on_postgres() {
    let setup = Setup::default().in_real_time().days(1).with("booking.limits", no_limits());
    setup.play_on_postgres(async |hospital: &Hospital| walk(hospital).await).await;
}
