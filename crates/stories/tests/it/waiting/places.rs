//! Being there: codes of every bad kind, positions, times, kiosk and desk.

use edge::Role;
use reqwest::Method;
use serde_json::json;
use testkit::{Hospital, Setup, Someone, each_hospital};

use super::{Floor, checks_in, next_day, sits};

/// Codes that are forged, replaced, of another hospital, or no codes at all; each gets its own answer in both languages.
#[tokio::test(flavor = "multi_thread")]
async fn each_bad_code_gets_its_own_answer() {
    Setup::default()
        .days(3)
        .beside_another()
        .play(async |hospital: &Hospital| {
            let floor = Floor::opens(hospital).await;
            let phone = hospital.patient("李娜").await;
            phone.gets(&hospital.slot(&hospital.site.dr_li, 1, "08:00").await).await;
            next_day(hospital, "07:50", &[&phone]).await;
            let tries = async |code: &str| phone.post("/api/v1/queue/check-ins", json!({"code": code})).await;
            let _none = tries("https://example.org").await.refused(422, "place_code_invalid");
            let last = floor.code.chars().last().unwrap();
            let forged =
                format!("{}{}", floor.code.trim_end_matches(last), if last == '0' { '1' } else { '0' });
            let _forged = tries(&forged).await.refused(422, "place_code_forged");
            // Signed with our key, for the hospital next door.
            let vault = hospital.node().vault();
            let area: queue::AreaId = floor.area.parse().unwrap();
            let body = format!("2.{}.1.0", area.db());
            let other = format!("{body}.{}", vault.blind(base::HospitalId(2), "queue.place_code", &body));
            let _other = tries(&other).await.refused(409, "place_code_elsewhere");
            let office = hospital.staff(&[Role::Operations]).await;
            let path = format!("/api/v1/desk/setup/areas/{}/code", floor.area);
            let renewed = office.post(&path, json!({})).await.good();
            let _old = tries(&floor.code).await.refused(410, "place_code_expired");
            let _nothing =
                phone.post("/api/v1/queue/check-ins", json!({})).await.refused(422, "place_missing");
            checks_in(&phone, renewed["place_code"].as_str().unwrap()).await;
        })
        .await;
}

/// Too early, early, late and too late; at the wrong place; without anything to come for.
#[tokio::test(flavor = "multi_thread")]
async fn time_and_place_decide() {
    each_hospital(async |hospital: &Hospital| {
        let floor = Floor::opens(hospital).await;
        let phone = hospital.patient("李娜").await;
        phone.gets(&hospital.slot(&hospital.site.dr_li, 1, "08:00").await).await;
        let here = json!({"code": floor.code});
        let _today =
            phone.post("/api/v1/queue/check-ins", here.clone()).await.refused(409, "nothing_to_check_in");
        next_day(hospital, "06:59", &[&phone]).await;
        let early = phone.post("/api/v1/queue/check-ins", here.clone()).await.refused(409, "too_early");
        assert!(early.text_at("opens_at").contains("07:00"), "{}", early.text);
        next_day(hospital, "07:30", &[&phone]).await;
        let wrong = json!({"code": floor.lab_code});
        let _wrong = phone.post("/api/v1/queue/check-ins", wrong).await.refused(409, "nothing_to_check_in");
        let shown = phone.get(&format!("/api/v1/queue/places/{}", floor.code)).await.good();
        assert_eq!(shown["mine"]["appointments"][0]["can"], true);
        next_day(hospital, "08:40", &[&phone]).await;
        let late = checks_in(&phone, &floor.code).await;
        assert_eq!(late["arrival"], "late");
        let other = hospital.patient("王强").await;
        other.gets(&hospital.slot(&hospital.site.dr_li, 1, "09:30").await).await;
        next_day(hospital, "13:30", &[&other]).await;
        let _over = other.post("/api/v1/queue/check-ins", here).await.refused(409, "too_late");
    })
    .await;
}

/// By position: inside, outside, and when the phone does not know.
#[tokio::test(flavor = "multi_thread")]
async fn a_position_is_believed_as_far_as_the_phone_does() {
    each_hospital(async |hospital: &Hospital| {
        let _floor = Floor::opens(hospital).await;
        let phone = hospital.patient("李娜").await;
        phone.gets(&hospital.slot(&hospital.site.dr_li, 1, "08:00").await).await;
        next_day(hospital, "07:50", &[&phone]).await;
        let at = async |latitude: f64, accuracy_m: f64| {
            let position = json!({"latitude": latitude, "longitude": 121.4737, "accuracy_m": accuracy_m});
            phone.post("/api/v1/queue/check-ins", json!({"position": position})).await
        };
        let away = at(31.2404, 30.0).await.refused(409, "not_here");
        assert!((900..1_100).contains(
            &away["distance_m"].as_f64().map(|m| m.round().to_string().parse::<i64>().unwrap()).unwrap()
        ));
        let _vague = at(31.2304, 2_000.0).await.refused(409, "position_vague");
        let _nonsense = at(231.0, 10.0).await.refused(422, "position_invalid");
        assert_eq!(at(31.2304, 30.0).await.good()["tickets"][0]["label"], "A001");
    })
    .await;
}

/// The visit's own code at the desk and kiosk, for who has no phone at hand; used up it is used.
#[tokio::test(flavor = "multi_thread")]
async fn the_visits_own_code_at_a_desk() {
    each_hospital(async |hospital: &Hospital| {
        let floor = Floor::opens(hospital).await;
        let phone = hospital.patient_who_is(Someone::born("李娜", "1950-01-05")).await;
        let visit = phone.gets(&hospital.slot(&hospital.site.dr_li, 1, "08:00").await).await;
        let code = phone.appointment(visit.id()).await.good().text_at("check_in_code").to_lowercase();
        next_day(hospital, "07:50", &[&phone]).await;
        let nurse = sits(hospital, &floor.rooms[0], &[&floor.li]).await;
        let given = nurse.post("/api/v1/desk/check-ins", json!({"code": code})).await.good();
        assert_eq!((&given["slip"]["label"], &given["ticket"]["class"]), (&json!("A001"), &json!("elder")));
        assert_eq!(phone.appointment(visit.id()).await.good()["state"], "checked_in");
        let again = nurse.post("/api/v1/desk/check-ins", json!({"code": code})).await.good();
        assert_eq!(again["ticket"]["id"], given["ticket"]["id"]);
        let _cancel = phone.cancels(visit.id()).await.refused(409, "not_cancellable");
        let ticket = given["ticket"]["id"].as_str().unwrap();
        super::calls_next(&nurse).await;
        let _ = super::steps(&nurse, ticket, "end").await.good();
        let _used =
            nurse.post("/api/v1/desk/check-ins", json!({"code": code})).await.refused(409, "code_used");
        let _none = nurse
            .post("/api/v1/desk/check-ins", json!({"code": "ZZZZZZZZ"}))
            .await
            .refused(404, "code_unknown");
        let _who = phone
            .call(Method::POST, "/api/v1/desk/check-ins")
            .json(&json!({"code": code}))
            .send()
            .await
            .refused(403, "forbidden");
    })
    .await;
}
