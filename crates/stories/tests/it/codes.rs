//! A1, A2, B5: codes that lead to the right page, and who came by them.

use std::time::Duration;

use edge::{Role, StaffId};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, Browser, Hospital, Phone, Setup, each_hospital};

async fn makes(staff: &Browser, wanted: Value) -> Answer {
    staff.call(Method::POST, "/api/v1/codes").key(&testkit::browser::key()).json(&wanted).send().await
}

/// Scans what stands in a code's picture; gives what the chat says.
async fn scans(hospital: &Hospital, phone: &Phone, picture: &str) -> String {
    let done = phone.does("scan", json!({"content": picture})).await;
    assert_eq!(done["push"]["error_line"], false, "{done}");
    hospital.settle().await;
    done["push"]["reply"]["text"].as_str().unwrap_or_else(|| panic!("no answer: {done}")).to_owned()
}

/// Where the first link of an answer leads, once the phone has gone there.
async fn goes(phone: &Phone, answer: &str) -> String {
    let link = answer.split("href=\"").nth(1).unwrap_or_else(|| panic!("no link: {answer}"));
    phone.opens(link.split('"').next().unwrap()).await.at
}

/// A doctor's card leads a follower and a stranger to that doctor's next free places, and is counted for both.
#[tokio::test(flavor = "multi_thread")]
async fn a_doctors_card_leads_to_the_doctor() {
    each_hospital(async |hospital: &Hospital| {
        let staff = hospital.staff(&[Role::Operations]).await;
        let doctor = hospital.site.dr_li.id.to_string();
        let wanted = json!({"purpose": "doctor", "target_id": doctor});
        let code = makes(&staff, wanted.clone()).await.expect(200);
        assert_eq!(
            (&code["in_wechat"], &code["name"]["zh"]),
            (&json!(true), &json!("李明")),
            "{}",
            code.text
        );
        let picture = code.text_at("picture").to_owned();
        assert!(picture.starts_with("http://weixin.qq.com/q/"), "{picture}");
        assert_eq!(makes(&staff, wanted).await.expect(200).id(), code.id(), "a doctor has one code");

        let follower = hospital.phone("李娜").await;
        follower.follows().await;
        follower.says("中文").await;
        let answer = scans(hospital, &follower, &picture).await;
        assert!(answer.contains("预约李明医生") && answer.contains("最近有号："), "{answer}");
        assert_eq!(goes(&follower, &answer).await, format!("/doctors/{doctor}"));

        // Who comes for the first time follows with the scan, is welcomed, and comes to the same page.
        let stranger = hospital.phone("王强").await;
        let answer = scans(hospital, &stranger, &picture).await;
        assert!(answer.contains("欢迎关注杏林医院") && answer.contains("Welcome to Xinglin"), "{answer}");
        assert_eq!(goes(&stranger, &answer).await, format!("/doctors/{doctor}"));
        // Scanned again they are no new follower.
        scans(hospital, &stranger, &picture).await;

        let shown = staff.get(&format!("/api/v1/codes/{}", code.id())).await.good();
        assert_eq!(shown["counts"], json!({"scans": 3, "new_followers": 1, "in_browsers": 0}));
        assert_eq!(shown["days"][0]["date"], hospital.today().to_string());
        let list = staff.get("/api/v1/codes?purpose=doctor").await.good();
        assert_eq!(list.items()[0]["counts"]["scans"], 3);
    })
    .await;
}

/// Posters, places and Wi-Fi lead to the page that was chosen; a plain camera gets there too, and is counted apart.
#[tokio::test(flavor = "multi_thread")]
async fn a_poster_leads_where_staff_say() {
    each_hospital(async |hospital: &Hospital| {
        let staff = hospital.staff(&[Role::Operations]).await;
        let name = json!({"zh": "门诊大厅", "en": "Main hall"});
        let code = makes(&staff, json!({"purpose": "poster", "name": name, "path": "/help"})).await.expect(200);
        let phone = hospital.phone("李娜").await;
        let answer = scans(hospital, &phone, code.text_at("picture")).await;
        assert!(answer.contains("门诊大厅") && answer.contains("Main hall"), "{answer}");
        assert_eq!(goes(&phone, &answer).await, "/help");
        let plain = code.text_at("plain_url").to_owned();
        let browser = hospital.browser().await;
        let sent = browser.get(&plain[plain.find("/q/").unwrap()..]).await.expect(302);
        assert_eq!(sent.header("location"), "/help");
        let shown = staff.get(&format!("/api/v1/codes/{}", code.id())).await.good();
        assert_eq!(shown["counts"], json!({"scans": 2, "new_followers": 1, "in_browsers": 1}));

        // The same request again is the same code; a push that comes many times is one scan.
        let again = staff.call(Method::POST, "/api/v1/codes").key("lost-answer");
        let wifi = json!({"purpose": "wifi", "name": name, "wifi": {"ssid": "Xinglin-Guest", "password": "welcome1"}});
        let first = again.json(&wifi).send().await.expect(200);
        let second = staff.call(Method::POST, "/api/v1/codes").key("lost-answer").json(&wifi).send().await;
        assert_eq!(second.expect(200).id(), first.id());
        assert!(!first.text.contains("welcome1"), "a password is not shown");
        hospital.sim.faults(json!({"duplicate_push": 20})).await;
        scans(hospital, &phone, first.text_at("picture")).await;
        hospital.sim.behaves().await;
        let shown = staff.get(&format!("/api/v1/codes/{}", first.id())).await.good();
        assert_eq!(shown["counts"]["scans"], 1);
        assert_eq!(shown["path"], "/departments");
    })
    .await;
}

/// What can't be a code is refused by its field; who may not make codes is refused; nothing is left of it.
#[tokio::test(flavor = "multi_thread")]
async fn codes_that_can_not_be_made() {
    each_hospital(async |hospital: &Hospital| {
        let staff = hospital.staff(&[Role::Operations]).await;
        let name = json!({"zh": "大厅", "en": "Hall"});
        for (wanted, code, field) in [
            (
                json!({"purpose": "doctor", "target_id": StaffId::new().to_string()}),
                "target_unknown",
                "target_id",
            ),
            (json!({"purpose": "doctor"}), "target_unknown", "target_id"),
            (json!({"purpose": "enrolment"}), "target_unknown", "target_id"),
            (
                json!({"purpose": "department", "target_id": "dep_x", "name": name}),
                "target_unknown",
                "target_id",
            ),
            (json!({"purpose": "place", "name": {"zh": "", "en": "Hall"}}), "name_invalid", "name"),
            (json!({"purpose": "poster", "name": name, "path": "//evil.example"}), "path_invalid", "path"),
            (json!({"purpose": "poster", "name": name, "path": "/api/v1/session"}), "path_invalid", "path"),
            (json!({"purpose": "wifi", "name": name}), "wifi_invalid", "wifi"),
            (
                json!({"purpose": "wifi", "name": name, "wifi": {"ssid": "G", "password": "short"}}),
                "wifi_invalid",
                "wifi",
            ),
            (json!({"purpose": "poster", "name": name, "wifi": {"ssid": "G"}}), "wifi_invalid", "wifi"),
        ] {
            let refused = makes(&staff, wanted.clone()).await.refused(422, code);
            assert_eq!(refused.fields(), [field], "{wanted}");
        }
        let _no_key = staff.post("/api/v1/codes", json!({"purpose": "poster", "name": name})).await;
        assert!(staff.get("/api/v1/codes").await.good().items().is_empty());
        let nurse = hospital.staff(&[Role::Nurse]).await;
        let _not = makes(&nurse, json!({"purpose": "poster", "name": name})).await.refused(403, "forbidden");
    })
    .await;
}

/// While WeChat is out of order a code is made all the same, with its plain address, and WeChat's follows by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_code_waits_for_wechat() {
    each_hospital(async |hospital: &Hospital| {
        let staff = hospital.staff(&[Role::Operations]).await;
        hospital.sim.faults(json!({"http_5xx_rate": 1.0, "paths": ["/cgi-bin/qrcode"]})).await;
        let name = json!({"zh": "大厅", "en": "Hall"});
        let code = makes(&staff, json!({"purpose": "place", "name": name})).await.expect(200);
        assert_eq!((&code["in_wechat"], &code["picture"]), (&json!(false), &code["plain_url"]));
        hospital.sim.behaves().await;
        hospital.passes(Duration::from_secs(21)).await;
        hospital.settle().await;
        let shown = staff.get(&format!("/api/v1/codes/{}", code.id())).await.good();
        assert_eq!(shown["in_wechat"], true);
    })
    .await;
}

/// A code that is closed, forged or another hospital's is told so, each in its own words, and is not counted.
#[tokio::test(flavor = "multi_thread")]
async fn codes_that_are_none() {
    Setup::default()
        .beside_another()
        .days(2)
        .play(async |hospital: &Hospital| {
            let staff = hospital.staff(&[Role::Operations]).await;
            let name = json!({"zh": "大厅", "en": "Hall"});
            let code = makes(&staff, json!({"purpose": "place", "name": name})).await.expect(200);
            let phone = hospital.phone("李娜").await;
            phone.follows().await;
            phone.says("中文").await;
            let picture = code.text_at("picture").to_owned();
            let path = format!("/api/v1/codes/{}", code.id());
            let _closed = staff.delete(&path).await.expect(204);
            let _twice = staff.delete(&path).await.expect(204);
            assert_eq!(scans(hospital, &phone, &picture).await, "这个码已停用。");
            assert_eq!(staff.get(&path).await.good()["counts"]["scans"], 0);
            let plain = code.text_at("plain_url").to_owned();
            let scene = plain.rsplit('/').next().unwrap();
            let other = scene.replacen("1-", "2-", 1);
            let forged = format!("1-{}", "z".repeat(20));
            let browser = hospital.browser().await;
            for (scene, problem) in [
                (scene, "code_closed"),
                (&*other, "code_of_another_hospital"),
                (&*forged, "code_unknown"),
                ("qrscene_7", "code_unknown"),
            ] {
                let sent = browser.get(&format!("/q/{scene}")).await.expect(302);
                assert_eq!(sent.header("location"), format!("/code?problem={problem}"));
            }
            // The chat says the same of a scene that was never ours.
            let event = |scene: &str| {
                format!(
                    "<xml><ToUserName><![CDATA[{{gh_id}}]]></ToUserName><FromUserName><![CDATA[{{openid}}]]></FromUserName>\
                     <CreateTime>{}</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[SCAN]]></Event>\
                     <EventKey><![CDATA[{scene}]]></EventKey></xml>",
                    hospital.now().seconds()
                )
            };
            for (scene, words) in [(&*other, "另一家医院的码"), (&*forged, "不是本院的码")] {
                let push = json!({"account": testkit::setup::APPID, "phone": phone.id, "xml": event(scene)});
                let done = hospital.sim.post("/sim/v1/push", push).await;
                let said = done["reply"]["text"].as_str().unwrap_or_default();
                assert!(said.contains(words), "{done}");
            }
        })
        .await;
}
