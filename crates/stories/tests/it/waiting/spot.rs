//! B1 and B4 at the door: whoever comes without an appointment is registered on the spot, by the same engine and the same rules as
//! whoever books from home, and is in the line at once.

use edge::Role;
use futures_util::future::join_all;
use serde_json::{Value, json};
use testkit::{Answer, Hospital, Phone, Setup, each_hospital};

use super::{Floor, calls_next, place, sits};

async fn asks(phone: &Phone, floor: &Floor, queue: &str) -> Answer {
    let wish = json!({"code": floor.code, "queue_id": queue, "person_id": phone.who()});
    phone.post("/api/v1/queue/numbers", wish).await
}

/// One tap at the sign: a place of today and a number, as good as any other; asked again, or for what is not allowed at home either,
/// there is no second one.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_walks_in_is_registered_like_everybody() {
    each_hospital(async |hospital: &Hospital| {
        let floor = Floor::opens(hospital).await;
        let phone = hospital.patient("李娜").await;
        let both = join_all([asks(&phone, &floor, &floor.li), asks(&phone, &floor, &floor.li)]).await;
        let tickets: Vec<Value> = both.into_iter().map(|a| a.good()["tickets"][0].clone()).collect();
        assert_eq!(tickets[0]["id"], tickets[1]["id"], "two taps are one number");
        assert_eq!(tickets[0]["label"], "A001");
        let visit = tickets[0]["appointment_id"].as_str().expect("it is for an appointment").to_owned();
        let booked = phone.appointment(&visit).await.good();
        assert_eq!(
            (&booked["state"], &booked["date"]),
            (&json!("checked_in"), &json!(hospital.today().to_string()))
        );
        let slot = booked["slot_id"].as_str().unwrap().to_owned();
        let mine = phone.get("/api/v1/appointments").await.good();
        assert_eq!(mine.items().len(), 1, "{}", mine.text);
        // The rules of booking hold here too: one visit a day in a department.
        let _same_day = asks(&phone, &floor, &floor.wang).await.refused(409, "same_department_day");
        // And the place is gone from the stock that everybody books from.
        let other = hospital.patient("王强").await;
        for _ in 0..2 {
            let one = hospital.patient("赵敏").await;
            let _booked = one.gets(&slot).await;
        }
        let _full = other.takes(&slot).await.refused(409, "slot_full");
        // It is called like any other number.
        let desk = sits(hospital, &floor.rooms[0], &[&floor.li]).await;
        assert_eq!(calls_next(&desk).await["ticket"]["label"], "A001");
        assert_eq!(place(&phone, tickets[0]["id"].as_str().unwrap()).await["state"], "called");
    })
    .await;
}

/// Three places are left and five people stand at the sign, on two nodes: three have one, two are told, nobody has half of something.
#[tokio::test(flavor = "multi_thread")]
async fn the_last_places_are_given_once() {
    Setup::default()
        .nodes(2)
        .days(1)
        .play(async |hospital: &Hospital| {
            let floor = Floor::opens(hospital).await;
            let phones = hospital.patients(5).await;
            hospital.becomes(0, "10:10").await;
            for (n, phone) in phones.iter().enumerate() {
                let _signed_in = phone.signs_in().await;
                phone.browser().is_served_by(n % hospital.nodes().len());
            }
            let answers = join_all(phones.iter().map(|phone| asks(phone, &floor, &floor.wang))).await;
            let given = answers.iter().filter(|a| a.status == 200).count();
            let said: Vec<&str> = answers.iter().map(|a| a.text.as_str()).collect();
            assert_eq!(given, 3, "{said:?}");
            for (phone, answer) in phones.iter().zip(answers) {
                let had = answer.status == 200;
                let mine = phone.get("/api/v1/appointments").await.good();
                assert_eq!(mine.items().len(), usize::from(had), "a place without a number: {}", mine.text);
                if !had {
                    assert!(
                        ["slot_full", "no_numbers_today"].contains(&answer["code"].as_str().unwrap()),
                        "{}",
                        answer.text
                    );
                }
            }
            let nurse = hospital.staff(&[Role::Nurse]).await;
            let line = nurse.get(&format!("/api/v1/desk/queues/{}", floor.wang)).await.good();
            assert_eq!(line["waiting"], 3);
        })
        .await;
}
