//! A4, A6, A7: joining at a machine, at a desk and by a relative.

use std::time::Duration;

use edge::{Actor, DeviceId, DeviceKind, Role};
use serde_json::{Value, json};
use testkit::setup::FIRST;
use testkit::{Answer, Browser, Hospital, Phone, Someone, each_hospital};

async fn kiosk(hospital: &Hospital) -> Browser {
    let browser = hospital.browser().await;
    let actor = Actor::Device(DeviceId::new(), DeviceKind::Kiosk);
    browser.has_session(&hospital.session(FIRST, actor).await).await;
    browser
}

/// A machine reads the card of somebody who is on file: the social-security number on it is that of their document.
async fn inserts(kiosk: &Browser, who: &Someone) -> Answer {
    kiosk.post("/api/v1/enrolments/card", json!({"kind": "insurance", "number": who.number})).await
}

async fn scans(hospital: &Hospital, phone: &Phone, joining: &Answer) -> String {
    let done = phone.does("scan", json!({"content": joining.text_at("picture")})).await;
    assert_eq!(done["push"]["error_line"], false, "{done}");
    hospital.settle().await;
    done["push"]["reply"]["text"].as_str().unwrap_or_else(|| panic!("no answer: {done}")).to_owned()
}

async fn stands(kiosk: &Browser, joining: &Answer) -> Value {
    kiosk.get(&format!("/api/v1/enrolments/{}", joining.id())).await.good()["state"].clone()
}

fn path_in(answer: &str) -> String {
    let rest = answer.split("?to=").nth(1).unwrap_or_else(|| panic!("no link: {answer}"));
    rest.split('"').next().unwrap().to_owned()
}

fn confirmation(name: &str, relation: &str) -> Value {
    json!({"name": name, "relation": relation, "consent_version": "2026-11", "guardian_consent": relation == "child"})
}

/// Card in, code on the screen, one scan: bound, for a follower and for somebody who has never followed us.
#[tokio::test(flavor = "multi_thread")]
async fn one_scan_at_the_kiosk_binds() {
    each_hospital(async |hospital: &Hospital| {
        let kiosk = kiosk(hospital).await;
        for (name, follows) in [("李娜", true), ("王强", false)] {
            let who = Someone::adult(name);
            let person = hospital.on_file(&who, Some("13900000001")).await;
            let phone = hospital.phone(name).await;
            if follows {
                phone.follows().await;
            }
            let joining = inserts(&kiosk, &who).await.expect(201);
            assert_eq!((&joining["expires_in_s"], &joining["state"]), (&json!(120), &json!("open")));
            assert!(!joining.text.contains(name), "a machine shows no full name: {}", joining.text);
            let answer = scans(hospital, &phone, &joining).await;
            assert!(answer.contains("已绑定") && answer.contains("is linked"), "{answer}");
            assert_eq!(stands(&kiosk, &joining).await, "bound");
            let _session = phone.signs_in().await;
            let list = phone.get("/api/v1/persons").await.good();
            assert_eq!(list.items()[0]["id"], person.to_string());
            assert_eq!(list.items()[0]["relation"], "self");
            // Told again, and scanned again, it is what it was.
            assert!(scans(hospital, &phone, &joining).await.contains("已绑定"));
            assert_eq!(phone.get("/api/v1/persons").await.good().items().len(), 1);
        }
    })
    .await;
}

/// The code works once and for two minutes: who comes second or late is told so, and nothing is bound.
#[tokio::test(flavor = "multi_thread")]
async fn a_kiosks_code_works_once_and_not_for_long() {
    each_hospital(async |hospital: &Hospital| {
        let kiosk = kiosk(hospital).await;
        let who = Someone::adult("李娜");
        hospital.on_file(&who, None).await;
        let (first, second) = (hospital.phone("李娜").await, hospital.phone("王强").await);
        for phone in [&first, &second] {
            phone.follows().await;
            phone.says("中文").await;
        }
        let joining = inserts(&kiosk, &who).await.expect(201);
        // Both at the same moment: one has it.
        let content = json!({"content": joining.text_at("picture")});
        let both = tokio::join!(first.does("scan", content.clone()), second.does("scan", content));
        hospital.settle().await;
        let said = |done: &Value| done["push"]["reply"]["text"].as_str().unwrap_or_default().to_owned();
        let answers = [said(&both.0), said(&both.1)];
        let bound = answers.iter().filter(|text| text.contains("已绑定")).count();
        let used = answers.iter().filter(|text| text.contains("已被另一部手机使用")).count();
        assert_eq!((bound, used), (1, 1), "{answers:?}");
        let mut lists = 0;
        for phone in [&first, &second] {
            let _session = phone.signs_in().await;
            lists += phone.get("/api/v1/persons").await.good().items().len();
        }
        assert_eq!(lists, 1);
        // Two minutes later a code is over.
        let other = Someone::adult("赵敏");
        hospital.on_file(&other, None).await;
        let late = inserts(&kiosk, &other).await.expect(201);
        hospital.passes(Duration::from_secs(120)).await;
        let third = hospital.phone("赵敏").await;
        third.follows().await;
        third.says("中文").await;
        let done = third.does("scan", json!({"content": late.text_at("picture")})).await;
        hospital.settle().await;
        // WeChat itself may know that the code is over and tell us nothing of it.
        if let Some(text) = done["push"]["reply"]["text"].as_str() {
            assert!(text.contains("已过期"), "{text}");
        }
        assert_eq!(stands(&kiosk, &late).await, "open", "nobody has it");
        let _session = third.signs_in().await;
        let scene = kiosk_scene(hospital, &late).await;
        let _over = third.post("/api/v1/join", json!({"scene": scene})).await.refused(410, "code_over");
        assert!(third.get("/api/v1/persons").await.good().items().is_empty());
    })
    .await;
}

store::statements! {
    SCENE = "SELECT c.scene FROM enrolment e JOIN code c ON c.hospital_id = e.hospital_id AND c.id = e.code_id WHERE e.id = $1";
}

async fn kiosk_scene(hospital: &Hospital, joining: &Answer) -> String {
    let id: channel::EnrolmentId = joining.id().parse().unwrap();
    hospital.node().db().one::<store::value::One<String>>(SCENE, store::args![id]).await.unwrap().0
}

/// On a relative's phone, and for a child, the patient's name is confirmed first; three wrong names and it is over.
#[tokio::test(flavor = "multi_thread")]
async fn a_relative_confirms_the_name() {
    each_hospital(async |hospital: &Hospital| {
        let kiosk = kiosk(hospital).await;
        let daughter = hospital.patient("李娜").await;
        daughter.says("中文").await;
        let father = Someone::born("李建国", "1950-05-05");
        let person = hospital.on_file(&father, None).await;
        let joining = inserts(&kiosk, &father).await.expect(201);
        let answer = scans(hospital, &daughter, &joining).await;
        assert!(answer.contains("请确认就诊人的姓名"), "{answer}");
        assert_eq!(stands(&kiosk, &joining).await, "claimed");
        let path = path_in(&answer);
        assert_eq!(path, format!("/join/{}", joining.id()));
        let api = format!("/api/v1{path}");
        let shown = daughter.get(&api).await.good();
        assert_eq!((&shown["person_name_masked"], &shown["tries_left"]), (&json!("李**"), &json!(3)));
        // Nobody else learns anything of it.
        let stranger = hospital.patient("王强").await;
        let _nothing = stranger.get(&api).await.refused(404, "not_found");
        let _nor = stranger.post(&api, confirmation("李建国", "parent")).await.refused(404, "not_found");
        let wrong = daughter.post(&api, confirmation("李建军", "parent")).await.refused(422, "other_name");
        assert_eq!(wrong["tries_left"], 2);
        let mut old = confirmation("李建国", "parent");
        old["consent_version"] = json!("1999-01");
        let _consent = daughter.post(&api, old).await.refused(422, "consent_required");
        let done = daughter.post(&api, confirmation("李建国", "parent")).await.good();
        assert_eq!(done["bound"], true);
        let _again = daughter.post(&api, confirmation("李建国", "parent")).await.good();
        let list = daughter.get("/api/v1/persons").await.good();
        assert!(list.items().iter().any(|p| p["id"] == person.to_string() && p["relation"] == "parent"));
        assert_eq!(stands(&kiosk, &joining).await, "bound");
        // Guessing a name ends it.
        let mother = Someone::born("王秀英", "1952-05-05");
        hospital.on_file(&mother, None).await;
        let joining = inserts(&kiosk, &mother).await.expect(201);
        let api = format!("/api/v1{}", path_in(&scans(hospital, &daughter, &joining).await));
        for left in [2, 1, 0] {
            let wrong =
                daughter.post(&api, confirmation("王秀兰", "parent")).await.refused(422, "other_name");
            assert_eq!(wrong["tries_left"], left);
        }
        let _over = daughter.post(&api, confirmation("王秀英", "parent")).await.refused(404, "not_found");
        assert_eq!(stands(&kiosk, &joining).await, "ended");
    })
    .await;
}

/// A child has one guardian or two, and a guardian is of age.
#[tokio::test(flavor = "multi_thread")]
async fn guardians_hold_the_account() {
    each_hospital(async |hospital: &Hospital| {
        let kiosk = kiosk(hospital).await;
        let child = Someone::born("李小宝", "2019-01-01");
        hospital.on_file(&child, None).await;
        let scan = async |phone: &Phone| {
            let joining = inserts(&kiosk, &child).await.expect(201);
            let answer = scans(hospital, phone, &joining).await;
            format!("/api/v1{}", path_in(&answer))
        };
        let teenager = hospital.patient_who_is(Someone::born("李大宝", "2010-01-01")).await;
        let api = scan(&teenager).await;
        let _minor = teenager.post(&api, confirmation("李小宝", "other")).await;
        let mut with_consent = confirmation("李小宝", "other");
        with_consent["guardian_consent"] = json!(true);
        let _minor = teenager.post(&api, with_consent).await.refused(409, "guardian_too_young");
        for name in ["李娜", "王强"] {
            let parent = hospital.patient(name).await;
            let api = scan(&parent).await;
            let mut without = confirmation("李小宝", "child");
            without["guardian_consent"] = json!(false);
            let _asked = parent.post(&api, without).await.refused(422, "guardian_consent_required");
            assert_eq!(parent.post(&api, confirmation("李小宝", "child")).await.good()["bound"], true);
        }
        let aunt = hospital.patient("赵敏").await;
        let api = scan(&aunt).await;
        let full = aunt.post(&api, confirmation("李小宝", "child")).await.refused(409, "guardians_full");
        assert_eq!(full["limit"], 2);
    })
    .await;
}

/// Staff help: they find the patient, read the consent out, and one scan does the rest; a relative is asked for the name.
#[tokio::test(flavor = "multi_thread")]
async fn staff_help_to_join() {
    each_hospital(async |hospital: &Hospital| {
        let doctor = hospital.staff(&[Role::Doctor]).await;
        let elder = Someone::born("王秀英", "1948-02-02");
        let person = hospital.on_file(&elder, None).await.to_string();
        let begin = async |body: Value| doctor.post("/api/v1/enrolments", body).await;
        let refused =
            begin(json!({"person_id": person, "agreed": false})).await.refused(422, "consent_required");
        assert_eq!(refused.fields(), ["agreed"]);
        let own = begin(json!({"person_id": person, "agreed": true})).await.expect(201);
        assert_eq!(own["expires_in_s"], 600);
        let phone = hospital.phone("王秀英").await;
        assert!(scans(hospital, &phone, &own).await.contains("已绑定"));
        // With a relative's phone, although it has no holder yet, the name is asked for.
        let proxy = begin(json!({"person_id": person, "agreed": true, "proxy": true})).await.expect(201);
        let son = hospital.phone("王强").await;
        son.follows().await;
        let answer = scans(hospital, &son, &proxy).await;
        let _session = son.signs_in().await;
        let api = format!("/api/v1{}", path_in(&answer));
        assert_eq!(son.post(&api, confirmation("王秀英", "parent")).await.good()["bound"], true);
        // A slip for somebody at home holds for a week; staff can end what nobody needs.
        let slip = begin(json!({"person_id": person, "agreed": true, "on_paper": true})).await.expect(201);
        assert_eq!((&slip["expires_in_s"], &slip["proxy"]), (&json!(604_800), &json!(true)));
        let path = format!("/api/v1/enrolments/{}", slip.id());
        let _ended = doctor.delete(&path).await.expect(204);
        let _twice = doctor.delete(&path).await.expect(204);
        let late = hospital.phone("赵敏").await;
        late.follows().await;
        assert!(scans(hospital, &late, &slip).await.contains("已被另一部手机使用"));
        let cashier = hospital.staff(&[Role::Finance]).await;
        let body = json!({"person_id": person, "agreed": true});
        let _not = cashier.post("/api/v1/enrolments", body).await.refused(403, "forbidden");
    })
    .await;
}

/// Cards of one's own: a number that was only typed opens no machine, and a card that the hospital knows is nobody else's.
#[tokio::test(flavor = "multi_thread")]
async fn cards_are_ones_own() {
    each_hospital(async |hospital: &Hospital| {
        let kiosk = kiosk(hospital).await;
        let owner = hospital.patient("李娜").await;
        let path = format!("/api/v1/persons/{}/cards", owner.who());
        let card = json!({"kind": "visit", "number": "hz 0001-2345"});
        let list = owner.post(&path, card.clone()).await.good();
        assert_eq!((&list.items()[0]["seen"], list.text.contains("HZ00012345")), (&json!(false), false));
        let _again = owner.post(&path, card.clone()).await.good();
        assert_eq!(owner.get(&path).await.good().items().len(), 1);
        let _unseen = kiosk.post("/api/v1/enrolments/card", card.clone()).await.refused(404, "card_unknown");
        let thief = hospital.patient("王强").await;
        let theirs = format!("/api/v1/persons/{}/cards", thief.who());
        let _taken = thief.post(&theirs, card.clone()).await.refused(409, "card_taken");
        let _not_theirs = thief.post(&path, card.clone()).await.refused(404, "not_found");
        for bad in ["", "123", "一二三四五六"] {
            let refused = owner.post(&path, json!({"kind": "visit", "number": bad})).await;
            assert_eq!(refused.refused(422, "card_invalid").fields(), ["number"]);
        }
        // An insurance card that carries somebody else's number.
        let other = Someone::adult("赵敏");
        let insurance = json!({"kind": "insurance", "number": other.number});
        let _another = owner.post(&path, insurance).await.refused(409, "card_of_another");
        let _gone = owner.delete(&format!("{path}/visit")).await.expect(204);
        let _gone_already = owner.delete(&format!("{path}/visit")).await.refused(404, "not_found");
        assert_eq!(
            thief.post(&theirs, card).await.good().items().len(),
            1,
            "a card that was given up is free"
        );
        // A child's own card: a parent's number is refused, with the reason.
        let mut child = Someone::born("李小宝", "2019-01-01");
        child.relation = "child".into();
        child.number = Someone::adult("李娜").number;
        let _sent = owner.asks_person_code(&owner.number).await.expect(202);
        let code = owner.receives_code().await;
        let mut form = child.form(&owner.number, &code);
        form["as_child"] = json!(true);
        let refused = owner.post("/api/v1/persons", form).await.refused(409, "adult_number");
        assert!(refused.text.contains("医保卡"), "{}", refused.text);
    })
    .await;
}
