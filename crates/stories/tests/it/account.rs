//! G3, H8: what staff let the WeChat account say and show, and the figures of it.

use edge::Role;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, Browser, Hospital, Setup, each_hospital};

async fn keeps(staff: &Browser, reply: Value) -> Answer {
    let call = staff.call(Method::POST, "/api/v1/chat/replies").key(&testkit::browser::key());
    call.json(&reply).send().await
}

/// Words that staff wrote replies to get them, with links that open; everything else is answered as before.
#[tokio::test(flavor = "multi_thread")]
async fn staff_write_what_the_chat_says() {
    each_hospital(async |hospital: &Hospital| {
        let office = hospital.staff(&[Role::Operations]).await;
        let parking = json!({
            "kind": "keyword", "words": ["停车", "Parking"],
            "body": {"zh": "停车场在东门。[怎么走](/help)", "en": "Park at the east gate. [Map](/help)"},
        });
        let kept = keeps(&office, parking.clone()).await.expect(200);
        let id = kept.items()[0]["id"].as_str().unwrap().to_owned();
        let phone = hospital.phone("李娜").await;
        phone.follows().await;
        let said = phone.says("请问哪里可以停车？").await;
        assert!(said.starts_with("停车场在东门。<a href="), "{said}");
        let link = said.split('"').nth(1).unwrap();
        assert_eq!(phone.opens(link).await.at, "/help");
        phone.says("English").await;
        assert!(phone.says("parking").await.starts_with("Park at the east gate."));
        assert!(phone.says("book").await.contains("/departments"), "the rest is the program's own");
        // Tried out before anybody asks.
        let tried = office.post("/api/v1/chat/preview", json!({"message": "停车费"})).await.good();
        assert_eq!(tried["by_staff"], true);
        let none = office.post("/api/v1/chat/preview", json!({"message": "你好"})).await.good();
        assert_eq!((&none["by_staff"], &none["zh"]), (&json!(false), &Value::Null));
        // Changed, then removed; the language word stays the program's.
        let mut changed = parking.clone();
        changed["body"]["zh"] = json!("停车场已满");
        let path = format!("/api/v1/chat/replies/{id}");
        let change =
            office.call(Method::PUT, &path).key(&testkit::browser::key()).json(&changed).send().await;
        let _changed = change.expect(200);
        phone.says("中文").await;
        assert_eq!(phone.says("停车").await, "停车场已满");
        let _gone = office.delete(&path).await.expect(204);
        let _twice = office.delete(&path).await.expect(204);
        assert!(phone.says("停车").await.contains("自动回复"));
        // The welcome is one; another takes its place.
        for zh in ["第一版", "欢迎来到杏林"] {
            let welcome = json!({"kind": "welcome", "body": {"zh": zh, "en": "Hello from Xinglin"}});
            let _kept = keeps(&office, welcome).await.expect(200);
        }
        let newcomer = hospital.phone("王强").await;
        let said = newcomer.follows().await;
        assert_eq!(said, "欢迎来到杏林\n\nHello from Xinglin");
        // Who comes by a code that is not ours is told so before they are welcomed.
        let lost = hospital.phone("赵敏").await;
        let xml = format!(
            "<xml><ToUserName><![CDATA[{{gh_id}}]]></ToUserName><FromUserName><![CDATA[{{openid}}]]></FromUserName>\
             <CreateTime>{}</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[subscribe]]></Event>\
             <EventKey><![CDATA[qrscene_1-{}]]></EventKey></xml>",
            hospital.now().seconds(),
            "z".repeat(20)
        );
        let push = json!({"account": testkit::setup::APPID, "phone": lost.id, "xml": xml});
        let done = hospital.sim.post("/sim/v1/push", push).await;
        let said = done["reply"]["text"].as_str().unwrap_or_default();
        assert!(said.contains("不是本院的码") && said.contains("欢迎来到杏林"), "{done}");
        for (bad, code) in [
            (json!({"kind": "keyword", "words": [], "body": {"zh": "一", "en": "a"}}), "words_invalid"),
            (json!({"kind": "welcome", "words": ["一"], "body": {"zh": "一", "en": "a"}}), "words_invalid"),
            (json!({"kind": "keyword", "words": ["一"], "body": {"zh": "一", "en": " "}}), "body_invalid"),
            (json!({"kind": "keyword", "words": ["一"], "body": {"zh": "<b>", "en": "a"}}), "body_invalid"),
            (
                json!({"kind": "keyword", "words": ["一"], "body": {"zh": "长".repeat(700), "en": "a"}}),
                "body_invalid",
            ),
        ] {
            let _refused = keeps(&office, bad).await.refused(422, code);
        }
        let nurse = hospital.staff(&[Role::Nurse]).await;
        let _not = keeps(&nurse, parking).await.refused(403, "forbidden");
    })
    .await;
}

/// The menu that staff publish is the one that phones show: one for all, and one for those who chose English.
#[tokio::test(flavor = "multi_thread")]
async fn menus_by_language() {
    each_hospital(async |hospital: &Hospital| {
        let office = hospital.staff(&[Role::Operations]).await;
        let keep = async |audience: &str, items: Value| {
            let path = format!("/api/v1/chat/menus/{audience}");
            office.call(Method::PUT, &path).key(&testkit::browser::key()).json(&json!({"items": items})).send().await
        };
        let publish = async |audience: &str| {
            office.post(&format!("/api/v1/chat/menus/{audience}/publish"), json!({})).await
        };
        let _none = publish("all").await.refused(404, "not_found");
        for bad in [
            json!([]),
            json!([{"name": "名字实在太长了", "path": "/help"}]),
            json!([{"name": "外面", "path": "https://evil.example"}]),
            json!([{"name": "空"}]),
        ] {
            let refused = keep("all", bad).await.refused(422, "menu_invalid");
            assert_eq!(refused.fields(), ["items"]);
        }
        let all = json!([{"name": "预约挂号", "path": "/departments"}, {"name": "更多", "lines": [{"name": "English", "word": "english"}]}]);
        let kept = keep("all", all).await.expect(200);
        assert_eq!(kept.items()[0]["published"], false);
        assert_eq!(publish("all").await.good().items()[0]["published"], true);
        let _en = keep("en", json!([{"name": "Book", "path": "/departments"}])).await.expect(200);
        let _published = publish("en").await.good();

        let phone = hospital.phone("李娜").await;
        phone.follows().await;
        let taps = async || phone.does("menu", json!({"index": 0})).await;
        assert!(taps().await["open"].as_str().unwrap().ends_with("to=/departments"));
        phone.says("English").await;
        hospital.settle().await;
        // Published anew, the newest counts.
        let _en = keep("en", json!([{"name": "Visits", "path": "/appointments"}])).await.expect(200);
        let _published = publish("en").await.good();
        assert!(taps().await["open"].as_str().unwrap().ends_with("to=/appointments"));
        phone.says("中文").await;
        hospital.settle().await;
        assert!(taps().await["open"].as_str().unwrap().ends_with("to=/departments"));
    })
    .await;
}

/// From following to coming back, day by day, by department, and who can be reached: counted once each.
#[tokio::test(flavor = "multi_thread")]
async fn figures_of_the_account() {
    let two_a_day = json!({"per_department_day": 2});
    Setup::default()
        .with("booking.limits", two_a_day)
        .play(async |hospital: &Hospital| {
            let director = hospital.staff(&[Role::Director]).await;
            let (first, second) = (hospital.patient("李娜").await, hospital.patient("王强").await);
            let _third = hospital.phone("赵敏").await.follows().await;
            second.unfollows().await;
            for doctor in [&hospital.site.dr_li, &hospital.site.dr_wang] {
                let _visit = first.gets(&hospital.slot(doctor, 1, "08:00").await).await;
            }
            hospital.settle().await;
            let figures = director.get("/api/v1/channel/figures").await.good();
            let day = &figures["days"][0];
            assert_eq!((&day["followed"], &day["unfollowed"]), (&json!(3), &json!(1)), "{}", figures.text);
            let funnel = &figures["funnel"];
            assert_eq!(
                (&funnel["followed"], &funnel["booked"], &funnel["returned"]),
                (&json!(3), &json!(1), &json!(1))
            );
            let share = &figures["shares"][0];
            assert_eq!((&share["booked"], &share["by_wechat"]), (&json!(2), &json!(2)));
            assert_eq!(share["department_id"], hospital.site.cardiology.to_string());
            let reach = &figures["reach"];
            assert_eq!((&reach["accounts"], &reach["following"]), (&json!(3), &json!(2)));
            let none = director.get("/api/v1/channel/figures?from=2020-01-01&to=2020-01-02").await.good();
            assert_eq!(none["funnel"]["followed"], 0);
            let _bad = director.get("/api/v1/channel/figures?from=yesterday").await;
            let nurse = hospital.staff(&[Role::Nurse]).await;
            let _not = nurse.get("/api/v1/channel/figures").await.refused(403, "forbidden");
        })
        .await;
}
