//! "One registration, three days": the free return visit for results.

use edge::Role::Triage;
use reqwest::Method;
use serde_json::{Value, json};
use store::args;
use testkit::browser::key;
use testkit::{Answer, Browser, Hospital, each_hospital};

store::statements! {
    // What the doctor's room does when somebody has been seen.
    SEEN = "UPDATE appointment SET state = 'seen' WHERE state = 'booked' AND date = $1";
}

async fn all_are_seen(hospital: &Hospital) {
    let mut tx = hospital.node().db().begin().await.unwrap();
    tx.exec(SEEN, args![hospital.today()]).await.unwrap();
    tx.commit().await.unwrap();
}

async fn comes_back(staff: &Browser, visit: &str, slot: &str, extended: bool) -> Answer {
    let path = format!("/api/v1/staff/appointments/{visit}/return-visit");
    let body = json!({"slot_id": slot, "extended": extended});
    staff.call(Method::POST, &path).key(&key()).json(&body).send().await
}

/// The desk makes it: free, once, with the same doctor on the same morning, beside the plan and counting for nothing.
#[tokio::test(flavor = "multi_thread")]
async fn one_comes_back_for_results_without_a_fee() {
    each_hospital(async |hospital: &Hospital| {
        let site = &hospital.site;
        let phone = hospital.patient("李娜").await;
        let visit = phone.gets(&hospital.slot(&site.dr_wang, 1, "08:00").await).await;
        let later = hospital.slot(&site.dr_wang, 1, "10:30").await;
        let desk = hospital.staff(&[Triage]).await;
        let _early = comes_back(&desk, visit.id(), &later, false).await.refused(409, "return_not_seen");
        hospital.becomes(1, "09:00").await;
        all_are_seen(hospital).await;
        let desk = hospital.staff(&[Triage]).await;
        let path = format!("/api/v1/staff/appointments/{}/return-slots", visit.id());
        let choices = desk.get(&path).await.good();
        assert_eq!(choices["until"], hospital.day(3).to_string());
        let first = &choices.items()[0];
        assert_eq!(
            (&first["same_doctor"], &first["date"]),
            (&json!(true), &json!(hospital.day(1).to_string()))
        );
        let chief = |item: &Value| item["doctor_id"] == json!(site.dr_li.id);
        assert!(!choices.items().iter().any(chief), "no higher grade is offered");
        let _higher = comes_back(&desk, visit.id(), &hospital.slot(&site.dr_li, 1, "10:30").await, false)
            .await
            .refused(409, "return_higher_grade");
        let _elsewhere =
            comes_back(&desk, visit.id(), &hospital.slot(&site.dr_chen, 1, "10:30").await, false)
                .await
                .refused(409, "return_elsewhere");
        // On the fourth day it is over, unless the desk extends it.
        let fourth = hospital.slot(&site.dr_wang, 4, "08:00").await;
        let over = comes_back(&desk, visit.id(), &fourth, false).await.refused(409, "return_days_over");
        assert_eq!(over["until"], hospital.day(3).to_string());
        let _ninth = comes_back(&desk, visit.id(), &hospital.slot(&site.dr_wang, 9, "08:00").await, true)
            .await
            .refused(409, "return_days_over");
        let back = comes_back(&desk, visit.id(), &later, false).await.expect(201);
        assert_eq!(
            (&back["visit"], &back["fee_fen"], &back["return_of"]),
            (&json!("return_visit"), &json!(0), &json!(visit.id()))
        );
        let once = comes_back(&desk, visit.id(), &fourth, true).await.refused(409, "return_once");
        assert_eq!(once["appointment_id"], back.id());
        let _none_of_it = comes_back(&desk, back.id(), &fourth, true).await.refused(409, "return_of_return");
        // It is none of the day's places: everybody else's are untouched, and this one counts for no limit.
        let _ready = phone.signs_in().await;
        let page = phone.appointment(back.id()).await.good();
        assert_eq!((&page["fee_fen"], &page["can_cancel"]), (&json!(0), &json!(true)));
        for other in hospital.patients(3).await {
            let _place = other.gets(&later).await;
        }
        let _another_department = phone.takes(&later).await.refused(409, "already_booked");
        let _gone = phone.cancels(back.id()).await.good();
        let extended = comes_back(&desk, visit.id(), &fourth, true).await.expect(201);
        assert_eq!(extended["date"], hospital.day(4).to_string());
        let detail = desk.get(&format!("/api/v1/staff/appointments/{}", visit.id())).await.good();
        assert_eq!(
            (&detail["return_visit_id"], &detail["can_return"]),
            (&json!(extended.id()), &json!(false))
        );
    })
    .await;
}

/// The person makes it on the page of the visit, once the doctor has allowed it, and until the day that was named.
#[tokio::test(flavor = "multi_thread")]
async fn the_person_makes_it_where_the_doctor_allowed() {
    each_hospital(async |hospital: &Hospital| {
        let site = &hospital.site;
        let phone = hospital.patient("李娜").await;
        let visit = phone.gets(&hospital.slot(&site.dr_li, 1, "08:00").await).await;
        hospital.becomes(1, "09:00").await;
        all_are_seen(hospital).await;
        let _ready = phone.signs_in().await;
        let slots = format!("/api/v1/appointments/{}/return-slots", visit.id());
        let make = async |slot: &str, key: &str| -> Answer {
            let path = format!("/api/v1/appointments/{}/return-visit", visit.id());
            phone.call(Method::POST, &path).key(key).json(&json!({"slot_id": slot})).send().await
        };
        let tomorrow = hospital.slot(&site.dr_li, 2, "08:00").await;
        let _not_yet = make(&tomorrow, &key()).await.refused(409, "return_not_allowed");
        assert!(phone.get(&slots).await.good().items().is_empty());
        let doctor = crate::add_ons::signed_in_doctor(hospital, &site.dr_li, "li").await;
        let allow = format!("/api/v1/staff/appointments/{}/allow-return", visit.id());
        for wrong in [hospital.day(0), hospital.day(8)] {
            let _wrong = doctor
                .post(&allow, json!({"until": wrong.to_string()}))
                .await
                .refused(422, "return_until_invalid");
        }
        let wang = crate::add_ons::signed_in_doctor(hospital, &site.dr_wang, "wang").await;
        let _not_hers = wang.post(&allow, json!({})).await.refused(403, "not_your_clinic");
        let _allowed = doctor.post(&allow, json!({})).await.good();
        assert_eq!(phone.appointment(visit.id()).await.good()["return_until"], hospital.day(3).to_string());
        assert!(!phone.get(&slots).await.good().items().is_empty());
        let _too_late = make(&hospital.slot(&site.dr_li, 4, "08:00").await, &key())
            .await
            .refused(409, "return_days_over");
        let tap = key();
        let back = make(&tomorrow, &tap).await.expect(201);
        assert_eq!((&back["visit"], &back["return_of"]), (&json!("return_visit"), &json!(visit.id())));
        assert_eq!(make(&tomorrow, &tap).await.expect(201).id(), back.id());
        let _once = make(&tomorrow, &key()).await.refused(409, "return_once");
        assert_eq!(phone.appointment(visit.id()).await.good()["return_visit_id"], back.id());
        phone.receives_card("预约挂号成功通知").await;
        let stranger = hospital.patient("王强").await;
        let _nothing = stranger.get(&slots).await.refused(404, "not_found");
    })
    .await;
}
