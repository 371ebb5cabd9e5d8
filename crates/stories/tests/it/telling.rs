//! Being told: by the way that reaches one, once, whatever the platforms do.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Answer, Hospital, Phone, Someone, each_hospital};

/// A visit for tomorrow at eight.
async fn books(hospital: &Hospital, phone: &Phone) -> Answer {
    phone.gets(&hospital.slot(&hospital.site.dr_li, 1, "08:00").await).await
}

/// Where the confirmation stands, as the visit's page shows it.
async fn confirmation(phone: &Phone, visit: &Answer) -> (Value, Value) {
    let page = phone.appointment(visit.id()).await.good();
    let notices = page["notices"].as_array().unwrap();
    let told = notices.iter().find(|n| n["kind"] == "appointment_confirmed").unwrap();
    (told["channel"].clone(), told["state"].clone())
}

/// Who does not follow is told by SMS.
#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_follow_gets_an_sms() {
    each_hospital(async |hospital: &Hospital| {
        let phone = hospital.patient("李娜").await;
        phone.unfollows().await;
        let visit = books(hospital, &phone).await;
        let sms = phone.receives_sms().await;
        assert_eq!(
            (&sms["sign"], &sms["template_code"]),
            (&json!("杏林医院"), &json!("XL_APPOINTMENT_CONFIRMED_ZH"))
        );
        let text = sms["text"].as_str().unwrap();
        assert!(text.contains("李*") && text.contains("李明") && !text.contains("李娜"), "{text}");
        hospital.settle().await;
        assert_eq!(confirmation(&phone, &visit).await.0, "sms");
        assert!(phone.cards().await.is_empty());
    })
    .await;
}

/// Staff see which template serves which message, choose another, and try it out on a phone at hand.
#[tokio::test(flavor = "multi_thread")]
async fn staff_choose_and_try_out_templates() {
    each_hospital(async |hospital: &Hospital| {
        let office = hospital.staff(&[edge::Role::Operations]).await;
        let path = "/api/v1/staff/message-templates/appointment_confirmed";
        let puts = async |body: Value| office.call(reqwest::Method::PUT, path).json(&body).send().await;
        let all = office.get("/api/v1/staff/message-templates").await.good();
        let of =
            |all: &Answer, kind: &str| all.items().iter().find(|one| one["kind"] == kind).cloned().unwrap();
        let confirmed = of(&all, "appointment_confirmed");
        assert!(confirmed["template_id"].is_string(), "found by itself: {confirmed}");
        assert!(all.items().iter().all(|one| one["kind"] != "sms_code"));
        let same = json!({"template_id": confirmed["template_id"], "fields": confirmed["fields"]});
        let unknown = puts(json!({"template_id": "nobody's", "fields": {}})).await;
        assert_eq!(unknown.refused(422, "template_unknown").fields(), ["template_id"]);
        for fields in [json!({}), json!({"thing1": "person"})] {
            let wrong = puts(json!({"template_id": confirmed["template_id"], "fields": fields})).await;
            assert_eq!(wrong.refused(422, "fields_invalid").fields(), ["fields"]);
        }
        let unchanged = office.get("/api/v1/staff/message-templates").await.good();
        assert_eq!(of(&unchanged, "appointment_confirmed"), confirmed);
        let _chosen = puts(same.clone()).await.expect(204);
        let _twice = puts(same).await.expect(204);

        let test = format!("{path}/test");
        let phone = hospital.patient("李娜").await;
        let to = json!({"phone": phone.number});
        let _bad = office.post(&test, json!({"phone": "12"})).await.refused(422, "phone_invalid");
        let _nobody =
            office.post(&test, json!({"phone": "13900139000"})).await.refused(409, "not_a_follower");
        let none = "/api/v1/staff/message-templates/no_show/test";
        let _none = office.post(none, to.clone()).await.refused(409, "no_template");
        let _sent = office.post(&test, to.clone()).await.expect(204);
        let card = phone.receives_card("预约挂号成功通知").await;
        assert!(format!("{card:?}").contains("测**"), "{card:?}");
        phone.unfollows().await;
        hospital.settle().await;
        let _left = office.post(&test, to.clone()).await.refused(409, "not_a_follower");
        let nurse = hospital.staff(&[edge::Role::Nurse]).await;
        let _not = nurse.post(&test, to).await.refused(403, "forbidden");
        // While WeChat is silent it is said so.
        hospital.sim.faults(json!({"http_5xx_rate": 1.0, "paths": ["/cgi-bin/template"]})).await;
        let _silent = office.get("/api/v1/staff/message-templates").await.refused(502, "wechat_silent");
        hospital.sim.behaves().await;
    })
    .await;
}

/// Who has turned our messages off in WeChat is told by SMS; WeChat says so only afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn who_blocks_us_gets_an_sms() {
    each_hospital(async |hospital: &Hospital| {
        let phone = hospital.patient("李娜").await;
        phone.does("mute", json!({"on": true})).await;
        let visit = books(hospital, &phone).await;
        let sms = phone.receives_sms().await;
        assert_eq!(sms["template_code"], "XL_APPOINTMENT_CONFIRMED_ZH");
        hospital.settle().await;
        assert_eq!(confirmation(&phone, &visit).await.0, "sms");
        assert_eq!(phone.sms().await.len(), 1);
    })
    .await;
}

/// Whom no way reaches, that is shown on the visit's page; when they follow, they are told after all.
#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_told_waits_for_a_way() {
    each_hospital(async |hospital: &Hospital| {
        let phone = hospital.patient_who_is(Someone::adult("李娜").without_phone()).await;
        phone.unfollows().await;
        let visit = books(hospital, &phone).await;
        hospital.settle().await;
        assert_eq!(confirmation(&phone, &visit).await, (json!(null), json!("failed")));
        // WeChat tells the times of events in whole seconds.
        hospital.passes(Duration::from_secs(2)).await;
        phone.follows().await;
        phone.receives_card("预约挂号成功通知").await;
        hospital.settle().await;
        assert_eq!(confirmation(&phone, &visit).await, (json!("template"), json!("delivered")));
    })
    .await;
}

/// WeChat answers 502 for a while: it is tried again with pauses, and told once.
#[tokio::test(flavor = "multi_thread")]
async fn wechat_is_down_for_a_while() {
    each_hospital(async |hospital: &Hospital| {
        let phone = hospital.patient("李娜").await;
        hospital.sim.faults(json!({"http_5xx_rate": 1.0, "paths": ["/cgi-bin/message"]})).await;
        let visit = books(hospital, &phone).await;
        hospital.settle().await;
        assert_eq!(confirmation(&phone, &visit).await.1, "waiting");
        hospital.sim.behaves().await;
        hospital.settles_within(Duration::from_secs(600)).await;
        phone.receives_card("预约挂号成功通知").await;
        hospital.settle().await;
        assert_eq!(confirmation(&phone, &visit).await, (json!("template"), json!("delivered")));
        assert!(phone.sms().await.is_empty(), "no second way for what is only late");
    })
    .await;
}

/// WeChat is slow: nobody waits for it who books, and it is told once.
#[tokio::test(flavor = "multi_thread")]
async fn wechat_is_slow() {
    each_hospital(async |hospital: &Hospital| {
        let phone = hospital.patient("李娜").await;
        hospital.sim.faults(json!({"slow_ms": 1_500})).await;
        let begun = std::time::Instant::now();
        let visit = books(hospital, &phone).await;
        assert!(
            begun.elapsed() < Duration::from_millis(1_400),
            "booking waits for nobody: {:?}",
            begun.elapsed()
        );
        phone.receives_card("预约挂号成功通知").await;
        hospital.sim.behaves().await;
        hospital.settle().await;
        assert_eq!(confirmation(&phone, &visit).await, (json!("template"), json!("delivered")));
    })
    .await;
}

/// Tokens that end before their time are renewed without anybody noticing.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_ends_before_its_time() {
    each_hospital(async |hospital: &Hospital| {
        let phone = hospital.patient("李娜").await;
        hospital.sim.faults(json!({"token_expired": 1})).await;
        let visit = books(hospital, &phone).await;
        phone.receives_card("预约挂号成功通知").await;
        hospital.settle().await;
        assert_eq!(confirmation(&phone, &visit).await, (json!("template"), json!("delivered")));
    })
    .await;
}

/// WeChat has the message, but its answer is lost: it is asked again under the same name, and the phone shows it once.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_wechat_is_lost() {
    each_hospital(async |hospital: &Hospital| {
        let phone = hospital.patient("李娜").await;
        hospital.sim.faults(json!({"reset_after_accept": 1, "paths": ["/cgi-bin/message"]})).await;
        let visit = books(hospital, &phone).await;
        phone.receives_card("预约挂号成功通知").await;
        hospital.settles_within(Duration::from_secs(300)).await;
        assert_eq!(phone.cards().await, ["预约挂号成功通知"]);
        assert!(phone.sms().await.is_empty());
        assert_eq!(confirmation(&phone, &visit).await, (json!("template"), json!("delivered")));
    })
    .await;
}

/// The same with the SMS vendor: it knows the message by our reference.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_the_sms_vendor_is_lost() {
    each_hospital(async |hospital: &Hospital| {
        let phone = hospital.patient("李娜").await;
        phone.unfollows().await;
        hospital.sim.faults(json!({"reset_after_accept": 1, "paths": ["/sms/v1/send"]})).await;
        let visit = books(hospital, &phone).await;
        phone.receives_sms().await;
        hospital.settles_within(Duration::from_secs(300)).await;
        assert_eq!(phone.sms().await.len(), 1, "sent once");
        let (channel, state) = confirmation(&phone, &visit).await;
        assert_eq!(channel, "sms");
        assert!(state == "sent" || state == "delivered", "{state}");
    })
    .await;
}

/// The day's quota of template messages is used up: somebody who must act is told, and after midnight it goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_used_up_quota_waits_for_midnight() {
    each_hospital(async |hospital: &Hospital| {
        hospital.expects_error("messages can't be sent: somebody must act");
        let phone = hospital.patient("李娜").await;
        hospital.sim.faults(json!({"rate_limited": true, "paths": ["/cgi-bin/message/template"]})).await;
        let visit = phone.gets(&hospital.slot(&hospital.site.dr_li, 3, "08:00").await).await;
        hospital.settle().await;
        assert_eq!(confirmation(&phone, &visit).await.1, "waiting");
        hospital.sim.behaves().await;
        hospital.becomes(1, "00:10").await;
        phone.receives_card("预约挂号成功通知").await;
    })
    .await;
}

/// Phones are left in peace at night: what is not urgent waits for the morning.
#[tokio::test(flavor = "multi_thread")]
async fn phones_are_left_in_peace_at_night() {
    each_hospital(async |hospital: &Hospital| {
        let phone = hospital.patient("李娜").await;
        let visit = phone.gets(&hospital.slot(&hospital.site.dr_li, 2, "08:00").await).await;
        phone.receives_card("预约挂号成功通知").await;
        hospital.becomes(0, "22:30").await;
        hospital.stops(visit.text_at("clinic_id")).await;
        hospital.settle().await;
        assert_eq!(phone.cards().await, ["预约挂号成功通知"]);
        let _ready = phone.signs_in().await;
        assert_eq!(phone.appointment(visit.id()).await.good()["state"], "stopped", "the page knows at once");
        hospital.becomes(1, "07:30").await;
        phone.receives_card("停诊通知").await;
    })
    .await;
}

/// Nobody is told of what is no longer true: given up before the confirmation went out, only that is told. Whether the
/// confirmation was on the phone all the same, nobody can say after WeChat's 502s, and so it is not sent once more.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_longer_true_is_not_told() {
    each_hospital(async |hospital: &Hospital| {
        hospital.expects_untold();
        let phone = hospital.patient("李娜").await;
        hospital.sim.faults(json!({"http_5xx_rate": 1.0, "paths": ["/cgi-bin/message"]})).await;
        let visit = books(hospital, &phone).await;
        hospital.settle().await;
        let _given_up = phone.cancels(visit.id()).await.good();
        hospital.sim.behaves().await;
        hospital.settles_within(Duration::from_secs(600)).await;
        hospital.settle().await;
        assert_eq!(phone.cards().await, ["预约取消通知"]);
        assert_eq!(confirmation(&phone, &visit).await, (json!("template"), json!("unknown")));
    })
    .await;
}

/// Two nodes share the work: each message is sent by one of them.
#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_tell_everything_once() {
    testkit::Setup::default()
        .nodes(2)
        .days(3)
        .play(async |hospital: &Hospital| {
            let phones = hospital.patients(8).await;
            let slot = hospital.opens_evening(&hospital.site.dr_li, 1, 8).await;
            for (nth, phone) in phones.iter().enumerate() {
                phone.is_served_by(nth % hospital.nodes().len());
                let _visit = phone.gets(&slot).await;
            }
            hospital.settle().await;
            hospital.becomes(0, "18:00").await;
            for phone in &phones {
                phone.receives_card("就诊提醒").await;
                assert_eq!(phone.cards().await, ["预约挂号成功通知", "就诊提醒"]);
            }
        })
        .await;
}
