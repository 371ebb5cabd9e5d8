//! B8: the waitlist. Who gives a number up can't say who gets it; who waits longest does.

use std::time::Duration;

use base::HalfDay;
use reqwest::Method;
use schedule::plan::NewClinic;
use serde_json::{Value, json};
use testkit::browser::key;
use testkit::site::sitting;
use testkit::{Answer, Hospital, Phone, Setup};

/// As hospitals have it: a random delay of up to ten minutes.
fn as_usual() -> Setup {
    Setup::default().with("booking.waitlist", json!({}))
}

/// An evening with one segment of so many places, and its clinic.
async fn evening(hospital: &Hospital, days: i64, places: u32) -> (String, String) {
    let slot = hospital.opens_evening(&hospital.site.dr_li, days, places).await;
    let path =
        format!("/api/v1/doctors/{}/clinics?from={}&days=1", hospital.site.dr_li.id, hospital.day(days));
    let answer = hospital.browser().await.get(&path).await.good();
    let clinic = answer
        .items()
        .iter()
        .find(|clinic| clinic["slots"].as_array().unwrap().iter().any(|s| s["id"] == *slot));
    (slot.clone(), clinic.unwrap()["id"].as_str().unwrap().to_owned())
}

async fn joins(phone: &Phone, clinic: &str) -> Answer {
    let body = json!({"person_id": phone.who(), "clinic_id": clinic});
    asks(phone, "/api/v1/waitlist", &body).await
}

async fn asks(phone: &Phone, path: &str, body: &Value) -> Answer {
    phone.call(Method::POST, path).key(&key()).json(body).send().await
}

async fn entry(phone: &Phone) -> Value {
    phone.get("/api/v1/waitlist").await.good().items()[0].clone()
}

async fn says(phone: &Phone, what: &str) -> Answer {
    let id = entry(phone).await["id"].as_str().unwrap().to_owned();
    asks(phone, &format!("/api/v1/waitlist/{id}/{what}"), &json!({})).await
}

async fn all_sign_in(phones: &[Phone]) {
    for phone in phones {
        let _ready = phone.signs_in().await;
    }
}

/// Joins when full and not before; a number that is given up goes to who waits longest, who has it with one tap.
#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_is_given_up_goes_to_who_waits_longest() {
    as_usual()
        .play(async |hospital: &Hospital| {
            let phones = hospital.patients(4).await;
            let (slot, clinic) = evening(hospital, 2, 1).await;
            let _left = joins(&phones[1], &clinic).await.refused(409, "waitlist_not_full");
            let had = phones[0].gets(&slot).await;
            let first = joins(&phones[1], &clinic).await.expect(201);
            assert_eq!((&first["state"], &first["ahead"]), (&json!("waiting"), &json!(0)));
            assert_eq!(joins(&phones[1], &clinic).await.expect(201).id(), first.id(), "once");
            hospital.passes(Duration::from_secs(1)).await;
            assert_eq!(joins(&phones[2], &clinic).await.expect(201)["ahead"], 1);
            let _gone = phones[0].cancels(had.id()).await.good();
            hospital.passes(Duration::from_secs(601)).await;
            hospital.settle().await;
            let offered = entry(&phones[1]).await;
            assert_eq!(offered["state"], "offered", "{offered}");
            assert_eq!(offered["offer"]["start"], "17:30");
            assert_eq!(entry(&phones[2]).await["state"], "waiting");
            // It is told by the way that there is: there is no template for it, and nobody has written to us.
            let sms = phones[1].receives_sms().await;
            assert!(sms["text"].as_str().unwrap().contains("候补的号有了"), "{sms}");
            let taken = says(&phones[1], "accept").await.good();
            assert_eq!(taken["state"], "accepted");
            assert_eq!(says(&phones[1], "accept").await.good()["state"], "accepted", "twice is once");
            let id = taken["offer"]["appointment_id"].as_str().unwrap();
            assert_eq!(phones[1].appointment(id).await.good()["state"], "booked");
            phones[1].receives_card("预约挂号成功通知").await;
            let _full = phones[3].takes(&slot).await.refused(409, "slot_full");
        })
        .await;
}

/// The scalper gives a number up at an agreed instant, and the accomplice books at that very instant: and at every moment of the
/// random delay, and while somebody waits. They get nothing.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_can_hand_a_number_to_a_chosen_other() {
    as_usual()
        .play(async |hospital: &Hospital| {
            let phones = hospital.patients(4).await;
            let [scalper, accomplice, waits, later] = &phones[..] else { panic!("four phones") };
            let (slot, clinic) = evening(hospital, 2, 1).await;
            // Nobody waits: still the number is not to be had at the agreed moment.
            let had = scalper.gets(&slot).await;
            let _gone = scalper.cancels(had.id()).await.good();
            let _nothing = accomplice.takes(&slot).await.refused(409, "slot_full");
            let mut free = false;
            for _ in 0..61 {
                hospital.passes(Duration::from_secs(10)).await;
                hospital.settle().await;
                free = shown_as_free(hospital, &slot).await;
                if free {
                    break;
                }
                let _nothing = accomplice.takes(&slot).await.refused(409, "slot_full");
            }
            assert!(free, "within ten minutes everybody can have it again, at a moment that nobody knows");
            // Somebody waits: the accomplice gets nothing, neither during the delay nor during the offer.
            let had = scalper.gets(&slot).await;
            let _in_line = joins(waits, &clinic).await.expect(201);
            let _gone = scalper.cancels(had.id()).await.good();
            for _ in 0..12 {
                let _nothing = accomplice.takes(&slot).await.refused(409, "slot_full");
                hospital.passes(Duration::from_secs(55)).await;
            }
            hospital.settle().await;
            assert_eq!(entry(waits).await["state"], "offered");
            let _nothing = accomplice.takes(&slot).await.refused(409, "slot_full");
            // Nor by joining and leaving: who says no does not say who is next.
            let _in_line = joins(later, &clinic).await.expect(201);
            let _no = says(waits, "leave").await.good();
            let _nothing = accomplice.takes(&slot).await.refused(409, "slot_full");
            hospital.settle().await;
            assert_eq!(entry(later).await["state"], "offered");
            assert_eq!(entry(waits).await["state"], "left");
            // Nor by moving away.
            let _yes = says(later, "accept").await.good();
            let mine = entry(later).await["offer"]["appointment_id"].as_str().unwrap().to_owned();
            let other = hospital.slot(&hospital.site.dr_wang, 3, "09:00").await;
            let _moved = later.moves(&mine, &other).await.good();
            let _nothing = accomplice.takes(&slot).await.refused(409, "slot_full");
        })
        .await;
}

async fn shown_as_free(hospital: &Hospital, slot: &str) -> bool {
    let path = format!("/api/v1/doctors/{}/clinics?from={}&days=1", hospital.site.dr_li.id, hospital.day(2));
    let answer = hospital.browser().await.get(&path).await.good();
    let slots = answer.items().iter().flat_map(|c| c["slots"].as_array().unwrap().clone());
    slots.into_iter().any(|s| s["id"] == *slot && s["remaining"].as_i64() == Some(1))
}

/// Who says nothing in time loses it to the next; near the day within minutes, far ahead within a day; at night nobody is asked.
#[tokio::test(flavor = "multi_thread")]
async fn an_offer_that_nobody_takes_goes_to_the_next() {
    as_usual()
        .play(async |hospital: &Hospital| {
            let phones = hospital.patients(3).await;
            let (slot, clinic) = evening(hospital, 2, 1).await;
            let had = phones[0].gets(&slot).await;
            for phone in &phones[1..] {
                let _in_line = joins(phone, &clinic).await.expect(201);
                hospital.passes(Duration::from_secs(1)).await;
            }
            let _gone = phones[0].cancels(had.id()).await.good();
            hospital.passes(Duration::from_secs(601)).await;
            hospital.settle().await;
            assert_eq!(entry(&phones[1]).await["state"], "offered");
            // Within a quarter of an hour after the offer, which came some time in those ten minutes.
            hospital.passes(Duration::from_secs(16 * 60)).await;
            hospital.settle().await;
            all_sign_in(&phones).await;
            assert_eq!(entry(&phones[1]).await["state"], "missed");
            let _late = says(&phones[1], "accept").await.refused(409, "offer_over");
            assert_eq!(entry(&phones[2]).await["state"], "offered");
            // Far ahead there is a day's time, and nobody is woken.
            let (slot, clinic) = evening(hospital, 9, 1).await;
            let had = phones[0].gets(&slot).await;
            let _no = says(&phones[2], "leave").await.good();
            let _in_line = joins(&phones[1], &clinic).await.expect(201);
            hospital.becomes(0, "23:00").await;
            all_sign_in(&phones).await;
            let _gone = phones[0].cancels(had.id()).await.good();
            hospital.passes(Duration::from_secs(700)).await;
            hospital.settle().await;
            assert_eq!(entry(&phones[1]).await["state"], "waiting", "at night");
            hospital.becomes(1, "07:00").await;
            hospital.settle().await;
            all_sign_in(&phones).await;
            let offered = entry(&phones[1]).await;
            assert_eq!(offered["state"], "offered");
            assert_eq!(offered["offer"]["kept_until"], "2026-11-25T07:00:00+08:00");
        })
        .await;
}

/// A list is closed on the evening before, and who waited in vain is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_closes_and_who_waited_in_vain_is_told() {
    as_usual()
        .play(async |hospital: &Hospital| {
            let phones = hospital.patients(2).await;
            let (slot, clinic) = evening(hospital, 2, 1).await;
            let had = phones[0].gets(&slot).await;
            let _in_line = joins(&phones[1], &clinic).await.expect(201);
            hospital.becomes(1, "21:00").await;
            hospital.settle().await;
            hospital.becomes(2, "08:00").await;
            all_sign_in(&phones).await;
            assert_eq!(entry(&phones[1]).await["state"], "closed");
            let sms = phones[1].receives_sms().await;
            assert!(sms["text"].as_str().unwrap().contains("候补已截止"), "{sms}");
            let _closed = joins(&phones[1], &clinic).await.refused(409, "waitlist_closed");
            let _kept = phones[0].appointment(had.id()).await.good();
        })
        .await;
}

/// One may wait for a doctor's day or a department's day, for at most three things, and what comes free without anybody giving it
/// up goes to who waits, too.
#[tokio::test(flavor = "multi_thread")]
async fn one_waits_for_a_clinic_a_doctor_or_a_department() {
    Setup::default()
        .with("booking.waitlist", json!({"per_person": 1}))
        .play(async |hospital: &Hospital| {
            let phones = hospital.patients(2).await;
            let phone = &phones[1];
            let wishes = |body: Value| {
                let mut all = json!({"person_id": phone.who()});
                for (name, value) in body.as_object().unwrap() {
                    all[name] = value.clone();
                }
                all
            };
            let ask = async |body: Value| asks(phone, "/api/v1/waitlist", &wishes(body)).await;
            let (li, heart) = (hospital.site.dr_li.id.to_string(), hospital.site.cardiology.to_string());
            let day = hospital.day(2).to_string();
            let _nothing = ask(json!({"doctor_id": li})).await.refused(422, "waitlist_target_invalid");
            let _left = ask(json!({"doctor_id": li, "date": day})).await.refused(409, "waitlist_not_full");
            let _left =
                ask(json!({"department_id": heart, "date": day})).await.refused(409, "waitlist_not_full");
            let far = hospital.day(60).to_string();
            let _nobody = ask(json!({"doctor_id": li, "date": far})).await.refused(409, "waitlist_closed");
            let stranger = json!({"person_id": phones[0].who(), "doctor_id": li, "date": day});
            let _not_theirs =
                asks(phone, "/api/v1/waitlist", &stranger).await.refused(404, "person_not_bound");
            let mut clinics = Vec::new();
            for days in [3, 4] {
                clinics.push(evening(hospital, days, 1).await);
                let _had = phones[0].gets(&clinics[clinics.len() - 1].0).await;
            }
            let _in_line = joins(phone, &clinics[0].1).await.expect(201);
            let one = joins(phone, &clinics[1].1).await.refused(409, "waitlist_limit");
            assert_eq!(one["limit"], 1);
            // The office gives the clinic one more place: it is for who waits.
            let evening_of_three = hospital.site.clinic(&hospital.site.dr_li, hospital.day(3));
            let slots = sitting("17:30", "18:00", 2);
            hospital.plans(&NewClinic { half_day: HalfDay::Night, slots, ..evening_of_three }).await;
            hospital.passes(Duration::from_secs(30)).await;
            let mut look = tokio::time::interval(Duration::from_millis(50));
            for _ in 0..200 {
                look.tick().await;
                if entry(phone).await["state"] == "offered" {
                    break;
                }
            }
            assert_eq!(entry(phone).await["state"], "offered");
        })
        .await;
}
