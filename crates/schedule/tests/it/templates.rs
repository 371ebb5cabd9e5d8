//! Clinics made of templates: once, whoever makes them; never over what a person did.

use std::sync::Arc;

use base::{Date, Fen, HalfDay};
use schedule::calendar::{self, Year};
use schedule::plan::{self, ClinicPatch, PlanError};
use schedule::rules::{ReleaseException, ReleaseRules};
use schedule::templates::differ::{self, Effect};
use schedule::templates::generate::{self, GenerateRules};
use schedule::templates::{self, Exception, Holidays, MakeUp, NewTemplate, SegmentPlaces, TemplateId, Weeks};
use schedule::{ClinicId, ClinicKind, SlotId};
use store::testing::{TestDb, each_db};
use store::value::{One, Row};
use store::{Sql, args};

use crate::support::{HOSPITAL, World, book, date, migrations, slots_of, wall};

fn segments(all: &[(&str, &str, u32)]) -> Vec<SegmentPlaces> {
    all.iter()
        .map(|(start, end, n)| SegmentPlaces { start: wall(start), end: wall(end), capacity: *n })
        .collect()
}

/// Li, Thursdays 14:00 to 15:00, two segments of three places.
fn thursdays(w: &World) -> NewTemplate {
    NewTemplate {
        department_id: w.cardiology,
        doctor_id: Some(w.li),
        campus_id: w.main,
        weekday: 4,
        weeks: Weeks::Every,
        every_weeks: 1,
        half_day: HalfDay::Pm,
        kind: ClinicKind::Specialist,
        online: false,
        fee_fen: Fen(3_000),
        room: None,
        segments: segments(&[("14:00", "14:30", 3), ("14:30", "15:00", 3)]),
        cutoff_minutes: Some(45),
        valid_from: date("2026-11-01"),
        valid_until: None,
        holidays: Holidays::Closed,
        make_up: MakeUp::Follow,
    }
}

async fn add(w: &World, new: &NewTemplate) -> TemplateId {
    let mut tx = w.t.db.begin().await.unwrap();
    let id = templates::add(&mut tx, &w.caller(), new).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn change(w: &World, id: TemplateId, new: &NewTemplate) {
    let mut tx = w.t.db.begin().await.unwrap();
    templates::change(&mut tx, &w.caller(), id, new).await.unwrap();
    tx.commit().await.unwrap();
}

/// The clinics of Li's afternoons, by date.
async fn clinics(w: &World) -> Vec<(Date, ClinicId)> {
    const OF: &str = "SELECT date, id FROM clinic WHERE hospital_id = $1 AND doctor_id = $2 AND half_day = 'pm' ORDER BY date";
    let rows =
        w.t.db.all::<Row>(Sql { name: "OF", sqlite: OF, postgres: OF }, args![HOSPITAL, w.li]).await.unwrap();
    rows.iter().map(|row| (row.get("date").unwrap(), row.get("id").unwrap())).collect()
}

async fn days(w: &World) -> Vec<String> {
    clinics(w).await.into_iter().map(|(date, _)| date.to_string()).collect()
}

async fn count(w: &World, text: &'static str) -> i64 {
    w.t.db.one::<One<i64>>(Sql { name: "COUNT", sqlite: text, postgres: text }, args![]).await.unwrap().0
}

#[tokio::test]
async fn made_once_by_however_many_nodes() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        add(&w, &thursdays(&w)).await;
        let hospital = w.hospital();
        let nodes = w.t.nodes(4).await;
        let mut runs = tokio::task::JoinSet::new();
        for db in nodes {
            let hospital = Arc::clone(&hospital);
            runs.spawn(async move { generate::run(&db, &hospital).await.unwrap() });
        }
        let made: u32 = runs.join_all().await.iter().map(|g| g.made).sum();
        // Monday, 23 November, and 15 days ahead: two Thursdays.
        assert_eq!((made, days(&w).await), (2, vec!["2026-11-26".into(), "2026-12-03".into()]));
        let again = generate::run(&w.t.db, &hospital).await.unwrap();
        assert_eq!(again, generate::Generated::default());
        assert_eq!(count(&w, "SELECT CAST(COUNT(*) AS BIGINT) FROM slot s JOIN template_clinic m ON m.clinic_id = s.clinic_id").await, 4);
        // The next day nothing new is due; two days later 10 December is.
        w.clock_at("2026-11-25", "00:10");
        assert_eq!(generate::run(&w.t.db, &hospital).await.unwrap().made, 1);
        assert_eq!(days(&w).await.len(), 3);
        // Released 14 days ahead at 07:00 as the hospital's rule has it, ending 45 minutes before the end.
        let slot = slots_of(&w.t.db, clinics(&w).await[2].1).await[0];
        let mut tx = w.t.db.begin().await.unwrap();
        let stock = schedule::stock::lock(&mut tx, HOSPITAL, &[slot]).await.unwrap().remove(0);
        tx.rollback().await.unwrap();
        assert_eq!(stock.opens_at, w.instant("2026-11-26", "07:00"));
        assert_eq!(stock.closes_at, w.instant("2026-12-10", "14:15"));
        assert!(!stock.hours().admit(stock.start_at, w.instant("2026-11-26", "07:00").minus(std::time::Duration::from_millis(1))));
        assert!(stock.hours().admit(stock.start_at, w.instant("2026-11-26", "07:00")), "to the millisecond");
    })
    .await;
}

#[tokio::test]
async fn made_by_hand_before_is_left_as_it_is() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let by_hand =
            crate::support::clinic(w.cardiology, Some(w.li), w.main, "2026-11-26", ("14:00", "16:00"), 9);
        let mut tx = w.t.db.begin().await.unwrap();
        let id = plan::add_clinic(&mut tx, &w.hospital(), &by_hand).await.unwrap();
        tx.commit().await.unwrap();
        add(&w, &thursdays(&w)).await;
        let done = generate::run(&w.t.db, &w.hospital()).await.unwrap();
        assert_eq!((done.made, done.there, done.failed), (1, 1, 0));
        assert_eq!(slots_of(&w.t.db, id).await.len(), 4, "its own segments stay");
    })
    .await;
}

#[tokio::test]
async fn exceptions_holidays_and_longer_horizons() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let id = add(&w, &thursdays(&w)).await;
        let mut tx = w.t.db.begin().await.unwrap();
        let none =
            Exception { template: id, date: date("2026-11-26"), segments: None, note: "去开会".into() };
        templates::put_exception(&mut tx, &w.caller(), &none).await.unwrap();
        let extra = Exception {
            date: date("2026-11-27"),
            segments: Some(segments(&[("14:00", "14:20", 1)])),
            ..none.clone()
        };
        templates::put_exception(&mut tx, &w.caller(), &extra).await.unwrap();
        // This hospital's calendar has 3 December off.
        let year = Year { days_off_by_notice: [date("2026-12-03")].into(), ..Year::default() };
        calendar::load(&mut tx, &w.caller(), 2026, &year).await.unwrap();
        tx.commit().await.unwrap();
        generate::run(&w.t.db, &w.hospital()).await.unwrap();
        assert_eq!(days(&w).await, ["2026-11-27"]);
        // Cardiology's specialists are released 28 days ahead at 06:30: clinics are made a day before that at least.
        let rules = ReleaseRules {
            exceptions: vec![ReleaseException {
                department_id: Some(w.cardiology),
                kind: Some(ClinicKind::Specialist),
                horizon_days: 28,
                release_time: wall("06:30"),
            }],
            ..ReleaseRules::default()
        };
        w.hospitals.set(HOSPITAL, ReleaseRules::SECTION, &rules, "system").await.unwrap();
        generate::run(&w.t.db, &w.hospital()).await.unwrap();
        assert_eq!(days(&w).await, ["2026-11-27", "2026-12-10", "2026-12-17"], "3 December is a holiday");
        let mut tx = w.t.db.begin().await.unwrap();
        let slot = slots_of(&w.t.db, clinics(&w).await[2].1).await[0];
        let stock = schedule::stock::lock(&mut tx, HOSPITAL, &[slot]).await.unwrap().remove(0);
        tx.rollback().await.unwrap();
        assert_eq!(stock.opens_at, w.instant("2026-11-19", "06:30"));
        let board = w.board().await;
        assert!(board.slot(HOSPITAL, slot).is_some(), "the board shows as far as anything is released");
        w.hospitals
            .set(HOSPITAL, GenerateRules::SECTION, &GenerateRules { days_ahead: 31 }, "system")
            .await
            .unwrap();
        assert_eq!(generate::run(&w.t.db, &w.hospital()).await.unwrap().made, 1, "24 December");
    })
    .await;
}

#[tokio::test]
async fn a_changed_template_shows_what_differs_and_spares_what_is_booked() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        w.hospitals
            .set(HOSPITAL, GenerateRules::SECTION, &GenerateRules { days_ahead: 38 }, "system")
            .await
            .unwrap();
        w.clock_at("2026-11-19", "08:00");
        let id = add(&w, &thursdays(&w)).await;
        generate::run(&w.t.db, &w.hospital()).await.unwrap();
        let all = clinics(&w).await;
        assert_eq!(all.len(), 6, "19 November to 24 December");
        // 26 November: booked. 3 December: changed by hand. The others: free.
        let first = slots_of(&w.t.db, all[1].1).await;
        assert_eq!(book(&w.t.db, None, first[0]).await, Some(1));
        let second = slots_of(&w.t.db, all[2].1).await;
        let mut tx = w.t.db.begin().await.unwrap();
        let patch = ClinicPatch { capacities: vec![(second[0], 5)], ..ClinicPatch::default() };
        plan::change_by_hand(&mut tx, &w.caller(), all[2].1, &patch).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(
            differ::preview(&w.t.db, &w.caller(), id).await.unwrap().len(),
            1,
            "only what is by hand differs"
        );

        let more = NewTemplate {
            segments: segments(&[("14:00", "14:30", 4), ("14:30", "15:00", 3)]),
            ..thursdays(&w)
        };
        change(&w, id, &more).await;
        let found = differ::preview(&w.t.db, &w.caller(), id).await.unwrap();
        let effects: Vec<Effect> = found.iter().map(|d| d.effect).collect();
        use Effect::{Change, KeptBooked, KeptByHand, Raise, Remove};
        assert_eq!(effects, [Change, Raise, KeptByHand, Change, Change, Change]);
        assert_eq!((found[1].taken, found[1].date), (1, date("2026-11-26")));
        assert_eq!(differ::apply(&w.t.db, &w.caller(), id).await.unwrap(), found);
        let left = differ::preview(&w.t.db, &w.caller(), id).await.unwrap();
        assert_eq!(left.iter().map(|d| d.effect).collect::<Vec<_>>(), [KeptByHand]);
        assert_eq!(clinics(&w).await[1].1, all[1].1, "the booked clinic is the same one");

        // The whole sitting moves to ten o'clock: what is booked stays and is named.
        let later = NewTemplate { segments: segments(&[("16:00", "16:30", 4)]), ..thursdays(&w) };
        change(&w, id, &later).await;
        let found = differ::apply(&w.t.db, &w.caller(), id).await.unwrap();
        let effects: Vec<Effect> = found.iter().map(|d| d.effect).collect();
        assert_eq!(effects, [Change, KeptBooked, KeptByHand, Change, Change, Change]);
        let mut tx = w.t.db.begin().await.unwrap();
        templates::retire(&mut tx, &w.caller(), id, false).await.unwrap();
        tx.commit().await.unwrap();
        let found = differ::apply(&w.t.db, &w.caller(), id).await.unwrap();
        let effects: Vec<Effect> = found.iter().map(|d| d.effect).collect();
        assert_eq!(effects, [Remove, KeptBooked, KeptByHand, Remove, Remove, Remove]);
        assert_eq!(days(&w).await, ["2026-11-26", "2026-12-03"]);
        assert_eq!(generate::run(&w.t.db, &w.hospital()).await.unwrap().made, 0, "it has ended");
        let nobody = differ::apply(&w.t.db, &w.caller(), TemplateId::new()).await;
        assert!(matches!(nobody, Err(PlanError::NotFound)), "{nobody:?}");
    })
    .await;
}

#[tokio::test]
async fn places_are_never_fewer_than_are_taken() {
    each_db(&migrations(), async |t: TestDb| {
        let w = World::new(t).await;
        let slots = w.slots(w.today).await;
        let late = slots[7];
        assert_eq!(book(&w.t.db, None, slots[3]).await, Some(1));
        assert_eq!(book(&w.t.db, None, slots[3]).await, Some(2));
        let patch = |slot: SlotId, n| ClinicPatch { capacities: vec![(slot, n)], ..ClinicPatch::default() };
        let mut tx = w.t.db.begin().await.unwrap();
        let refused = plan::change_by_hand(&mut tx, &w.caller(), w.today, &patch(slots[3], 1)).await;
        assert!(matches!(refused, Err(PlanError::Taken { taken: 2, .. })), "{refused:?}");
        tx.rollback().await.unwrap();
        let mut tx = w.t.db.begin().await.unwrap();
        plan::change_by_hand(&mut tx, &w.caller(), w.today, &patch(slots[3], 2)).await.unwrap();
        plan::change_by_hand(&mut tx, &w.caller(), w.today, &patch(late, 0)).await.unwrap();
        let other = plan::change_by_hand(&mut tx, &w.caller(), w.tomorrow, &patch(late, 3)).await;
        assert!(matches!(other, Err(PlanError::Invalid(_))), "{other:?}");
        tx.commit().await.unwrap();
        assert_eq!(book(&w.t.db, None, slots[3]).await, None);
        assert_eq!(book(&w.t.db, None, late).await, None);
        assert_eq!(store::audit::of_entity(&w.t.db, HOSPITAL, &w.today.to_string()).await.unwrap().len(), 2);
    })
    .await;
}
