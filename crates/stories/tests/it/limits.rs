//! The limits of `booking.limits`, and who may go where.

use serde_json::json;
use store::args;
use testkit::{Hospital, Phone, Setup, Someone, each_hospital};

store::statements! {
    // What the desk does when somebody did not come.
    MISSED = "UPDATE appointment SET state = 'no_show', ended_at = start_at, ended_by = 'system' WHERE state = 'booked' AND date < $1";
}

/// One a day in a department, two a day, three in seven days, five in ninety: for each person, whoever's phone it is.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_has_more_than_their_share() {
    Setup::default()
        .with("booking.limits", json!({"per_department_day": 2}))
        .play(async |hospital: &Hospital| {
            let site = &hospital.site;
            let mut phone = hospital.patient("李娜").await;
            let child = phone.adds(&Someone::child("李小宝")).await.expect(201).id().to_owned();
            let slot = async |doctor, day| hospital.slot(doctor, day, "08:00").await;
            // Two on one day; the third is one too many.
            let first = phone.books(&slot(&site.dr_li, 1).await, &child).await.expect(201);
            let _second = phone.books(&slot(&site.dr_chen, 1).await, &child).await.expect(201);
            let third = phone.books(&slot(&site.dr_wang, 1).await, &child).await.refused(409, "limit_day");
            assert_eq!(
                (&third["limit"], &third["detail"]),
                (&json!(2), &json!("每位就诊人一天最多预约 2 个号。"))
            );
            let twice = phone.books(&slot(&site.dr_li, 1).await, &child).await.refused(409, "already_booked");
            assert_eq!(twice["appointment_id"], first.id());
            assert_eq!(twice["reasons"], json!(["already_booked", "limit_day"]), "all reasons are there");
            // A third within seven days, not a fourth; from the eighth day on the window is open again.
            let _third = phone.books(&slot(&site.dr_li, 3).await, &child).await.expect(201);
            let week = phone.books(&slot(&site.dr_li, 5).await, &child).await.refused(409, "limit_week");
            assert_eq!(week["limit"], 3);
            let _fourth = phone.books(&slot(&site.dr_li, 8).await, &child).await.expect(201);
            let _fifth = phone.books(&slot(&site.dr_li, 9).await, &child).await.expect(201);
            let quarter =
                phone.books(&slot(&site.dr_li, 14).await, &child).await.refused(409, "limit_quarter");
            assert_eq!(quarter["limit"], 5);
            // The mother's share is her own.
            phone.person = Some(phone.who().to_owned());
            let _hers = phone.gets(&slot(&site.dr_li, 1).await).await;
            // Giving one up in time gives the share back.
            let _gone = phone.cancels(first.id()).await.good();
            let _instead = phone.books(&slot(&site.dr_li, 14).await, &child).await.expect(201);
        })
        .await;
}

/// By default one a day in a department.
#[tokio::test(flavor = "multi_thread")]
async fn one_a_day_in_a_department() {
    each_hospital(async |hospital: &Hospital| {
        let phone = hospital.patient("李娜").await;
        let first = phone.gets(&hospital.slot(&hospital.site.dr_li, 1, "08:00").await).await;
        let other = hospital.slot(&hospital.site.dr_wang, 1, "08:00").await;
        let problem = phone.takes(&other).await.refused(409, "same_department_day");
        assert_eq!((&problem["limit"], &problem["appointment_id"]), (&json!(1), &json!(first.id())));
    })
    .await;
}

/// The children's department sees children: up to the day before the eighteenth birthday.
#[tokio::test(flavor = "multi_thread")]
async fn the_childrens_department_sees_children_only() {
    each_hospital(async |hospital: &Hospital| {
        let phone = hospital.patient("李娜").await;
        let soon = hospital.slot(&hospital.site.dr_chen, 6, "08:00").await;
        let later = hospital.slot(&hospital.site.dr_chen, 7, "08:00").await;
        let adult = phone.takes(&soon).await.refused(409, "not_eligible");
        assert_eq!(adult["reason"], "child_only");
        // Eighteen on 30 November, the seventh day of this story.
        let son = Someone::born("李大宝", "2008-11-30").who_is("child");
        let son = phone.adds(&son).await.expect(201);
        assert_eq!((&son["age"], &son["minor"]), (&json!(17), &json!(true)));
        let _last_chance = phone.books(&soon, son.id()).await.expect(201);
        let grown = phone.books(&later, son.id()).await.refused(409, "not_eligible");
        assert_eq!(grown["reason"], "child_only");
    })
    .await;
}

/// Whoever missed three visits books nothing in advance for ninety days; today's numbers, and the old, are not concerned.
#[tokio::test(flavor = "multi_thread")]
async fn three_missed_visits_block_booking_ahead() {
    Setup::default()
        .with("booking.limits", json!({"per_week": 10, "per_quarter": 20}))
        .play(async |hospital: &Hospital| {
            let young = hospital.patient("李娜").await;
            let old = hospital.patient_who_is(Someone::born("李建国", "1950-01-01")).await;
            let doctor = hospital.site.dr_li;
            let books = async |phone: &Phone, day: i64| {
                phone.takes(&hospital.slot(&doctor, day, "09:00").await).await
            };
            for day in [1, 2, 3] {
                let _visits = (books(&young, day).await.expect(201), books(&old, day).await.expect(201));
            }
            hospital.becomes(4, "08:00").await;
            let mut tx = hospital.node().db().begin().await.unwrap();
            assert_eq!(tx.exec(MISSED, args![hospital.today()]).await.unwrap(), 6);
            tx.commit().await.unwrap();
            for phone in [&young, &old] {
                let _ready = phone.signs_in().await;
            }
            let blocked = books(&young, 6).await.refused(409, "no_show_blocked");
            assert_eq!(blocked["until"], "2027-02-24", "ninety days after the last");
            let _today = books(&young, 4).await.expect(201);
            let _old = books(&old, 6).await.expect(201);
        })
        .await;
}

/// One account books so many places a day and no more, for whomever; giving them up does not help, and tomorrow is another day.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_books_so_many_places_a_day() {
    testkit::Setup::default()
        .with("booking.limits", serde_json::json!({"per_account_day": 2}))
        .play(async |hospital: &Hospital| {
            let phone = hospital.patient("李娜").await;
            for days in [1, 2] {
                let slot = hospital.slot(&hospital.site.dr_li, days, "08:00").await;
                let visit = phone.gets(&slot).await;
                let _gone = phone.cancels(visit.id()).await.good();
            }
            let third = hospital.slot(&hospital.site.dr_li, 3, "08:00").await;
            let no = phone.takes(&third).await.refused(409, "limit_account_day");
            assert_eq!(no["limit"], 2);
            assert!(no.text_at("detail").contains("一天最多预约 2 个号"), "{}", no.text);
            hospital.becomes(1, "08:00").await;
            let _ready = phone.signs_in().await;
            let _tomorrow = phone.gets(&third).await;
        })
        .await;
}
