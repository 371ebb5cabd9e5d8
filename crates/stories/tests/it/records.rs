//! Patients' records: found, registered, merged and parted, brought in from files, shown to their owners, closed.

use std::time::Duration;

use edge::Role;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, Browser, Hospital, Phone, Setup, Someone, each_hospital};

async fn finds(staff: &Browser, text: &str) -> Vec<Value> {
    let q: String = url_encoded(text);
    staff.get(&format!("/api/v1/patients?q={q}")).await.good().items().to_vec()
}

fn url_encoded(text: &str) -> String {
    text.bytes().map(|b| format!("%{b:02X}")).collect()
}

/// The desk finds a patient by whatever they bring, in masked form, and puts on file who is not there; twice is once.
#[tokio::test(flavor = "multi_thread")]
async fn the_desk_finds_and_registers() {
    each_hospital(async |hospital: &Hospital| {
        let desk = hospital.staff(&[Role::Triage]).await;
        let who = Someone::adult("李娜");
        let body = json!({
            "name": "李娜", "document": {"kind": "resident_id", "number": who.number},
            "phone": "13800000001", "visit_card": "HZ-000777",
        });
        let first = desk.post("/api/v1/patients", body.clone()).await.good();
        assert_eq!((&first["name_masked"], &first["verified"]), (&json!("李*"), &json!(true)));
        assert_eq!(desk.post("/api/v1/patients", body).await.good().id(), first.id(), "twice is once");
        for text in ["李娜", "13800000001", "+86 138 0000 0001", who.number.as_str(), "hz 000777", first.id()] {
            let found = finds(&desk, text).await;
            assert_eq!((found.len(), &found[0]["id"]), (1, &first["id"]), "{text}");
            assert!(!found[0].to_string().contains("李娜") && !found[0].to_string().contains(&who.number));
        }
        for nobody in ["李", "赵敏", "13800000002", "李娜 ", "%"] {
            let count = finds(&desk, nobody).await.len();
            assert_eq!(count, usize::from(nobody.trim() == "李娜"), "{nobody:?}");
        }
        let opened = desk.get(&format!("/api/v1/patients/{}", first.id())).await.good();
        assert_eq!(opened["name"], "李娜");
        // The machine knows the card that the desk had in hand.
        let card = json!({"kind": "visit", "number": "hz000777"});
        let joining = desk.post("/api/v1/enrolments/card", card).await.expect(201);
        assert_eq!(joining["person_name_masked"], "李*");
        // What is wrong is told by its field, all at once.
        let wrong = json!({"name": "1", "document": {"kind": "resident_id", "number": "1"}, "phone": "2", "visit_card": "3"});
        let refused = desk.post("/api/v1/patients", wrong).await.refused(422, "name_invalid");
        assert_eq!(refused.fields(), ["name", "document.number", "phone", "number"]);
        let bare = desk.post("/api/v1/patients", json!({"name": "赵敏"})).await.refused(422, "identifier_missing");
        assert!(bare.text.contains("就诊卡号"));
        let cashier = hospital.staff(&[Role::Finance]).await;
        let _not = cashier.get("/api/v1/patients?q=1").await.refused(403, "forbidden");
    })
    .await;
}

/// Two records of one patient become one, with all that hangs on them, and can be parted as they were.
#[tokio::test(flavor = "multi_thread")]
async fn two_records_become_one_and_two_again() {
    let two_a_day = json!({"per_department_day": 2});
    Setup::default()
        .with("booking.limits", two_a_day)
        .play(async |hospital: &Hospital| {
            let office = hospital.staff(&[Role::Operations]).await;
            let kept = hospital.patient("李娜").await;
            let gone = hospital.patient("李娜").await;
            let (kept_id, gone_id) = (kept.who().to_owned(), gone.who().to_owned());
            let slot = hospital.slot(&hospital.site.dr_li, 1, "08:00").await;
            let visit = gone.gets(&slot).await;
            let same_day = kept.gets(&hospital.slot(&hospital.site.dr_wang, 1, "08:00").await).await;
            let merge = async |kept: &str, gone: &str, reason: &str| {
                let body = json!({"kept_id": kept, "gone_id": gone, "reason": reason});
                office.post("/api/v1/patients/merges", body).await
            };
            let _same = merge(&kept_id, &kept_id, "同一个人").await.refused(422, "merge_with_itself");
            let why = merge(&kept_id, &gone_id, " ").await.refused(422, "reason_required");
            assert_eq!(why.fields(), ["reason"]);
            let nobody = people::PersonId::new().to_string();
            let _none = merge(&kept_id, &nobody, "同一个人").await.refused(404, "not_found");
            // Both with the same doctor in the same half day: that can't be one patient's.
            let clash = kept.gets(&hospital.slot(&hospital.site.dr_li, 1, "09:00").await).await;
            let refused = merge(&kept_id, &gone_id, "证件相同").await.refused(409, "merge_clash");
            assert_eq!(refused["count"], 1);
            let _cancelled = kept.cancels(clash.id()).await.good();

            let merged = merge(&kept_id, &gone_id, "证件相同").await.expect(201);
            let _again = merge(&kept_id, &gone_id, "证件相同").await.refused(404, "not_found");
            assert_eq!(finds(&office, "李娜").await.len(), 1);
            assert!(finds(&office, &gone_id).await.is_empty());
            // Who held the record that went holds the one that stays, and still has the visit.
            let list = gone.get("/api/v1/persons").await.good();
            assert_eq!(list.items()[0]["id"], kept_id.as_str());
            assert_eq!(gone.appointment(visit.id()).await.good()["person_id"], kept_id.as_str());
            let _kept_too = kept.appointment(same_day.id()).await.good();

            let path = format!("/api/v1/patients/merges/{}", merged.id());
            let _undone = office.delete(&path).await.expect(204);
            let _twice = office.delete(&path).await.expect(204);
            let list = gone.get("/api/v1/persons").await.good();
            assert_eq!((list.items().len(), &list.items()[0]["id"]), (1, &json!(gone_id)));
            assert_eq!(gone.appointment(visit.id()).await.good()["person_id"], gone_id.as_str());
            assert_eq!(finds(&office, "李娜").await.len(), 2);
            let history = office.get("/api/v1/patients/merges").await.good();
            assert!(history.items()[0]["undone_at"].is_string(), "{}", history.text);
            let nurse = hospital.staff(&[Role::Nurse]).await;
            let _not = nurse.get("/api/v1/patients/merges").await.refused(403, "forbidden");
        })
        .await;
}

/// Staff see who can still be told something about a patient, and by which way; and that nobody can.
#[tokio::test(flavor = "multi_thread")]
async fn staff_see_who_can_be_reached() {
    each_hospital(async |hospital: &Hospital| {
        let desk = hospital.staff(&[Role::Triage]).await;
        let phone = hospital.patient("李娜").await;
        let path = format!("/api/v1/patients/{}/reach", phone.who());
        let ways = async || {
            let seen = desk.get(&path).await.good();
            assert!(!seen.text.contains(&phone.number), "masked: {}", seen.text);
            seen.items()[0].clone()
        };
        phone.says("你好").await;
        let seen = ways().await;
        assert_eq!((&seen["ways"], &seen["relation"]), (&json!(["wechat", "chat", "sms"]), &json!("self")));
        assert!(seen["chat_until"].is_string());
        hospital.passes(Duration::from_secs(49 * 3600)).await;
        let desk = hospital.staff(&[Role::Triage]).await;
        let seen = desk.get(&path).await.good();
        assert_eq!(
            (&seen.items()[0]["ways"], &seen.items()[0]["chat_until"]),
            (&json!(["wechat", "sms"]), &Value::Null)
        );
        phone.unfollows().await;
        hospital.settle().await;
        assert_eq!(desk.get(&path).await.good().items()[0]["ways"], json!(["sms"]));
        // On no phone at all; and nobody of that number.
        let alone = hospital.on_file(&Someone::adult("赵敏"), None).await;
        assert!(desk.get(&format!("/api/v1/patients/{alone}/reach")).await.good().items().is_empty());
        let nobody = people::PersonId::new();
        let _none = desk.get(&format!("/api/v1/patients/{nobody}/reach")).await.refused(404, "not_found");
        let cashier = hospital.staff(&[Role::Finance]).await;
        let _not = cashier.get(&path).await.refused(403, "forbidden");
    })
    .await;
}

async fn sends(office: &Browser, key: &str, csv: &str) -> Answer {
    let call = office.call(Method::POST, "/api/v1/patients/imports?file_name=patients.csv").key(key);
    call.body("text/csv; charset=utf-8", csv.to_owned()).send().await
}

/// Waits until a file is worked off; a long one takes its time on a busy machine.
async fn worked_off(office: &Browser, id: &str) -> Answer {
    let begun = std::time::Instant::now();
    let mut look = tokio::time::interval(Duration::from_millis(100));
    loop {
        look.tick().await;
        let progress = office.get(&format!("/api/v1/patients/imports/{id}")).await.good();
        if progress["done"] == true {
            return progress;
        }
        assert!(begun.elapsed() < Duration::from_secs(150), "{}", progress.text);
    }
}

/// A file with good and bad rows: each bad one is told by its line, the good ones are there; again adds nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_patients_is_brought_in() {
    each_hospital(async |hospital: &Hospital| {
        let office = hospital.staff(&[Role::Operations]).await;
        let who = Someone::adult("李娜");
        let csv = format!(
            "姓名,证件号码,手机号,就诊卡号,出生日期\r\n李娜,{},13800000001,HZ000001,\r\n王强,123,,,\r\n\"赵,敏\",,13800000003,,1980-01-01\r\n孙丽,,,,1990-01-01\r\n钱进,,13800000005,HZ000001,1970-02-02\r\n",
            who.number
        );
        let sent = sends(&office, "one", &csv).await.expect(202);
        assert_eq!(sent["total"], 5);
        let done = worked_off(&office, sent.id()).await;
        assert_eq!((&done["added"], &done["there"], &done["wrong"]), (&json!(1), &json!(0), &json!(4)), "{}", done.text);
        let wrong = office.get(&format!("/api/v1/patients/imports/{}/wrong", sent.id())).await.good();
        let told: Vec<_> = wrong.items().iter().map(|row| (row["line"].clone(), row["problems"].clone())).collect();
        assert_eq!(told, [
            (json!(3), json!(["document_invalid"])),
            (json!(4), json!(["name_invalid"])),
            (json!(5), json!(["identifier_missing"])),
            (json!(6), json!(["card_taken"])),
        ]);
        assert!(!wrong.text.contains("王强"), "no names in a report");
        assert_eq!(sends(&office, "one", &csv).await.expect(202).id(), sent.id(), "the same key is the same import");
        let again = sends(&office, "two", &csv).await.expect(202);
        let done = worked_off(&office, again.id()).await;
        assert_eq!((&done["added"], &done["there"]), (&json!(0), &json!(1)), "{}", done.text);
        // What is no table of patients is refused as a whole.
        for (csv, code) in [
            ("", "import_empty"),
            ("姓名,手机号\n", "import_empty"),
            ("姓名,工资\n李娜,1\n", "import_columns"),
            ("手机号\n13800000001\n", "import_columns"),
        ] {
            let _refused = sends(&office, &testkit::browser::key(), csv).await.refused(422, code);
        }
        let latin1 = office.call(Method::POST, "/api/v1/patients/imports").key("three");
        let latin1 = latin1.body("text/csv", vec![0xd0_u8, 0xd5, 0xc3, 0xfb]).send().await;
        let _encoding = latin1.refused(422, "import_encoding");
        let as_json = office.call(Method::POST, "/api/v1/patients/imports").key("four").json(&json!({}));
        let _kind = as_json.send().await.refused(415, "csv_expected");
        let nurse = hospital.staff(&[Role::Nurse]).await;
        let _not = sends(&nurse, "five", &csv).await.refused(403, "forbidden");
    })
    .await;
}

store::statements! {
    PERSONS = "SELECT CAST(COUNT(*) AS BIGINT) FROM person";
    WIPED = "SELECT CAST(COUNT(*) AS BIGINT) FROM person WHERE locked_at IS NOT NULL AND purge_after IS NULL AND name_masked = ''";
    SEALED_ROWS = "SELECT CAST(COUNT(*) AS BIGINT) FROM patient_import_row WHERE body IS NOT NULL";
}

async fn count(hospital: &Hospital, sql: store::Sql) -> i64 {
    hospital.node().db().one::<store::value::One<i64>>(sql, store::args![]).await.unwrap().0
}

/// Ten thousand patients brought in twice are ten thousand patients.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_twice_are_ten_thousand() {
    each_hospital(async |hospital: &Hospital| {
        let office = hospital.staff(&[Role::Operations]).await;
        let mut csv = "name,phone,birth_date,visit_card\n".to_owned();
        for n in 0..10_000_u32 {
            csv.push_str(&format!("李娜,138{:08},19{:02}-03-07,C{n:07}\n", n / 3, n % 80 + 10));
        }
        let before = count(hospital, PERSONS).await;
        for (round, added, there) in [("first", 10_000, 0), ("second", 0, 10_000)] {
            let sent = sends(&office, round, &csv).await.expect(202);
            let done = worked_off(&office, sent.id()).await;
            assert_eq!(
                (&done["added"], &done["there"], &done["wrong"]),
                (&json!(added), &json!(there), &json!(0)),
                "{round}"
            );
        }
        assert_eq!(count(hospital, PERSONS).await - before, 10_000);
        assert_eq!(count(hospital, SEALED_ROWS).await, 0, "rows are wiped when they are done");
        csv.push_str("李娜,13900000000,1990-01-01,C9999999\n");
        let _long = sends(&office, "long", &csv).await.refused(422, "import_too_long");
    })
    .await;
}

/// A person sees all that is on file, takes it along, corrects it, takes consent back, and closes the record.
#[tokio::test(flavor = "multi_thread")]
async fn a_persons_data_are_theirs() {
    each_hospital(async |hospital: &Hospital| {
        let owner = Someone::adult("李娜");
        let phone = hospital.patient_who_is(owner.clone()).await;
        let visit = phone.gets(&hospital.slot(&hospital.site.dr_li, 1, "08:00").await).await;
        let path = format!("/api/v1/persons/{}", phone.who());
        let shown = phone.get(&format!("{path}/data")).await.good();
        assert_eq!((&shown["name"], &shown["document_number"]), (&json!("李娜"), &json!(owner.number)));
        assert_eq!(shown["holders"][0]["you"], true);
        assert_eq!(shown["records"]["visits"][0]["state"], "booked");
        let file = phone.get(&format!("{path}/data/export")).await.good();
        assert!(file.header("content-disposition").starts_with("attachment"), "{:?}", file.headers);
        let paper = phone.get(&format!("{path}/data/pdf")).await.good();
        assert!(paper.text.starts_with("%PDF-1.7"));
        // The hospital has seen the document: a name is changed at the desk.
        let _desk = phone
            .patch(&format!("{path}/data"), json!({"name": "李南"}))
            .await
            .refused(409, "correct_at_desk");
        let stranger = hospital.patient("王强").await;
        for what in ["data", "data/export", "data/pdf"] {
            let _not = stranger.get(&format!("{path}/{what}")).await.refused(404, "not_found");
        }
        let _not = stranger.post(&format!("{path}/close"), json!({})).await.refused(404, "not_found");
        // With a visit ahead neither; then consent is taken back, and the person is off the list.
        let close = async |phone: &Phone| phone.post(&format!("{path}/close"), json!({})).await;
        assert_eq!(close(&phone).await.refused(409, "has_appointments")["count"], 1);
        let withdraw = phone.post(&format!("{path}/withdraw"), json!({})).await;
        let _ahead = withdraw.refused(409, "has_appointments");
        let _cancelled = phone.cancels(visit.id()).await.good();
        let closed = close(&phone).await.good();
        assert_eq!(closed["kept_until"], "2041-11-23", "fifteen years: {}", closed.text);
        assert!(phone.get("/api/v1/persons").await.good().items().is_empty());
        let desk = hospital.staff(&[Role::Triage]).await;
        assert!(finds(&desk, "李娜").await.is_empty() && finds(&desk, &owner.number).await.is_empty());
        // Somebody whose name nobody has compared yet corrects it alone; then takes the consent back.
        let other = hospital.phone("赵敏").await;
        let _session = other.signs_in().await;
        let added = other.adds(&Someone::adult("赵明")).await.expect(201);
        let path = format!("/api/v1/persons/{}", added.id());
        let _bad =
            other.patch(&format!("{path}/data"), json!({"name": "1"})).await.refused(422, "name_invalid");
        let _done = other.patch(&format!("{path}/data"), json!({"name": "赵敏"})).await.expect(204);
        assert_eq!(other.get(&format!("{path}/data")).await.good()["name"], "赵敏");
        let _gone = other.post(&format!("{path}/withdraw"), json!({})).await.expect(204);
        assert!(other.get("/api/v1/persons").await.good().items().is_empty());
        let _off = other.get(&format!("{path}/data")).await.refused(404, "not_found");
        // When the time is over, what is personal is wiped.
        hospital.becomes(15 * 366, "09:00").await;
        hospital.passes(Duration::from_secs(3_601)).await;
        comes_about("what is personal is wiped", async || count(hospital, WIPED).await == 1).await;
    })
    .await;
}

/// The wordings that people agree to have versions in both languages; what was in force once stays as it was.
#[tokio::test(flavor = "multi_thread")]
async fn wordings_have_versions() {
    each_hospital(async |hospital: &Hospital| {
        let office = hospital.staff(&[Role::Operations]).await;
        let write = async |version: &str, zh: &str, en: &str| {
            let body = json!({
                "kind": "consent", "version": version, "title": {"zh": "同意书", "en": "Consent"}, "body": {"zh": zh, "en": en},
            });
            office.post("/api/v1/consent-texts", body).await
        };
        let browser = hospital.browser().await;
        let _none = browser.get("/api/v1/consent-texts/consent").await.refused(404, "not_found");
        let _language = write("2026-12", "正文", " ").await.refused(422, "text_incomplete");
        let _version = write("一二", "正文", "Text").await.refused(422, "version_invalid");
        let _draft = write("2026-12", "初稿", "Draft").await.good();
        let _better = write("2026-12", "正文", "Text").await.good();
        let _unknown = office.post("/api/v1/consent-texts/consent/2027-01/publish", json!({})).await;
        let _none = _unknown.refused(404, "not_found");
        let _published = office.post("/api/v1/consent-texts/consent/2026-12/publish", json!({})).await.expect(204);
        let _fixed = write("2026-12", "改动", "Change").await.refused(409, "text_published");
        let current = browser.get("/api/v1/consent-texts/consent").await.good();
        assert_eq!((&current["body"]["en"], &current["in_force"]), (&json!("Text"), &json!(true)));
        // Who joins from now on agrees to the new one.
        let phone = hospital.phone("李娜").await;
        let _session = phone.signs_in().await;
        let _sent = phone.asks_person_code(&phone.number).await.expect(202);
        let code = phone.receives_code().await;
        let mut form = Someone::adult("李娜").form(&phone.number, &code);
        let old = phone.post("/api/v1/persons", form.clone()).await.refused(422, "consent_required");
        assert_eq!(old["consent_version"], "2026-12");
        form["consent_version"] = json!("2026-12");
        let _added = phone.post("/api/v1/persons", form).await.expect(201);
        let list = office.get("/api/v1/consent-texts").await.good();
        assert_eq!(list.items()[0]["agreed"], 1);
    })
    .await;
}

/// A child comes of age: the guardians are told, hold the record for ninety days, and then it is the person's alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_handed_over_at_eighteen() {
    each_hospital(async |hospital: &Hospital| {
        // 18 on the third day.
        let born = hospital.day(2).checked_sub(jiff::Span::new().years(18)).unwrap();
        let mother =
            hospital.patient_who_is(Someone::born("李小宝", &born.to_string()).who_is("child")).await;
        hospital.passes(Duration::from_secs(3_601)).await;
        hospital.settle().await;
        assert!(!told(&mother).await, "still a child");
        hospital.becomes(2, "09:00").await;
        hospital.passes(Duration::from_secs(3_601)).await;
        comes_about("the mother is told", async || told(&mother).await).await;
        let session = mother.signs_in().await;
        assert_eq!(session["persons"].as_array().unwrap().len(), 1, "and holds the record for a while");
        hospital.becomes(93, "12:00").await;
        let _session = mother.signs_in().await;
        comes_about("the record is the person's alone", async || {
            mother.get("/api/v1/persons").await.good().items().is_empty()
        })
        .await;
    })
    .await;
}

/// Waits for what a sweep does when it next looks.
async fn comes_about(what: &str, happened: impl AsyncFn() -> bool) {
    let begun = std::time::Instant::now();
    let mut look = tokio::time::interval(Duration::from_millis(100));
    while !happened().await {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        look.tick().await;
    }
}

async fn told(phone: &Phone) -> bool {
    let all = phone.sms().await.into_iter().chain(phone.chat().await);
    all.into_iter().any(|message| message.to_string().contains("满 18 岁"))
}
