//! Adding persons.

use people::settings::{CodeRules, ConsentVersions, PersonRules};
use serde_json::{Value, json};
use store::testing::{TestDb, each_db};

use crate::clinic::{
    self, CONSENTS, Clinic, DEFAULTS, GUARDIAN_CONSENTS, LIVE_BINDINGS, MINUTE, PERSONS, new_person,
    resident, with,
};

const PHONE: &str = "13800138000";
const OTHER: &str = "13900139000";

#[tokio::test]
async fn somebody_adds_themselves() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut browser = clinic.signed_in(PHONE).await;
        t.pass(MINUTE);
        let number = resident("1997-03-31", 288);
        let typed = format!("{} {}", &number[..6], &number[6..]).to_lowercase();
        let person = browser.add(" 张三丰 ", &typed, PHONE, "self").await.is(201);
        let id = person["id"].as_str().unwrap().to_owned();
        assert!(id.starts_with("per_"));
        assert_eq!(
            person,
            json!({
                "id": id, "name": "张三丰", "name_masked": "张**", "relation": "self", "is_default": true,
                "document": {"kind": "resident_id", "number_masked": format!("310***********{}", &number[14..])},
                "phone_masked": "138****8000", "birth_date": "1997-03-31", "sex": "female", "age": 29, "minor": false,
                "verified": false, "bookable": true, "why_not_bookable": null, "bound_at": "2026-11-23T08:01:00+08:00",
            })
        );
        let list = browser.get("/api/v1/persons").await.is(200);
        assert_eq!(list, json!({"items": [person], "limit": 5}));
        let session = browser.session().await;
        assert_eq!((&session["persons"], &session["default_person_id"]), (&json!([person]), &json!(id)));
        let account = session["account_id"].as_str().unwrap();
        assert_eq!(clinic.events("people.bound").await, [json!({"account": account, "person": id})]);
        assert_eq!(clinic.audited(&id).await, [("person.add".to_owned(), json!({"relation": "self", "how": "new"}))]);
        let opened: Vec<_> =
            clinic.audited(account).await.into_iter().filter(|(action, _)| action == "person.open").collect();
        assert_eq!(opened.len(), 3, "the answer to adding, the list and the session");
        assert!(opened.iter().all(|(_, d)| *d == json!({"fields": ["name"], "persons": [id], "purpose": "show_owner"})));
        assert_eq!((clinic.count(CONSENTS).await, clinic.count(GUARDIAN_CONSENTS).await), (1, 0));
    })
    .await;
}

#[tokio::test]
async fn every_kind_of_document() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        clinic.set(PersonRules::SECTION, &PersonRules { per_account: 20, ..PersonRules::default() }).await;
        let many = CodeRules {
            per_phone_day: 50,
            per_account_day: 50,
            per_address_hour: 50,
            ..CodeRules::default()
        };
        clinic.set(CodeRules::SECTION, &many).await;
        let mut browser = clinic.signed_in(PHONE).await;
        let told = json!({"birth_date": "1988-08-08", "sex": "male"});
        for (kind, number, country, typed, want) in [
            ("hmt_residence_permit", "810000190001010114", None, json!({}), json!(["1900-01-01", "male"])),
            // Under either name it is the permit.
            ("resident_id", "820000190001010220", None, json!({}), json!(["1900-01-01", "female"])),
            ("hk_macau_permit", "h0000 0001", None, told.clone(), json!(["1988-08-08", "male"])),
            ("taiwan_permit", "00000001", None, told.clone(), json!(["1988-08-08", "male"])),
            (
                "foreign_permanent_resident",
                "931840190001010010",
                None,
                json!({}),
                json!(["1900-01-01", "unknown"]),
            ),
            (
                "foreign_permanent_resident",
                "USA310000101011",
                None,
                told.clone(),
                json!(["1988-08-08", "male"]),
            ),
            ("passport", "e12345678", Some("fra"), told.clone(), json!(["1988-08-08", "male"])),
            ("birth_certificate", "A000000001", None, told.clone(), json!(["1988-08-08", "male"])),
        ] {
            t.pass(MINUTE);
            let code = browser.person_code(OTHER).await;
            let mut body = new_person("Anne-Marie O'Neil", number, OTHER, &code, "other");
            body["document"] = json!({"kind": kind, "number": number});
            if let Some(country) = country {
                body["document"]["country"] = country.into();
            }
            for (member, value) in typed.as_object().unwrap() {
                body[member] = value.clone();
            }
            let person = browser.post("/api/v1/persons", body).await.is(201);
            assert_eq!(json!([person["birth_date"], person["sex"]]), want, "{kind} {number}");
            let shown = if number.starts_with('8') { "hmt_residence_permit" } else { kind };
            assert_eq!(person["document"]["kind"], shown);
        }
    })
    .await;
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once_and_costs_no_try() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut browser = clinic.signed_in(PHONE).await;
        let code = browser.person_code(OTHER).await;
        let right = new_person("张三丰", &resident("1997-03-31", 288), OTHER, &code, "self");
        let path = "/api/v1/persons";
        let all = json!({
            "name": "张3", "document": {"kind": "resident_id", "number": "110000197703312884"}, "phone": "1", "code": code,
            "relation": "self", "consent_version": clinic::CONSENT,
        });
        let body = browser.post(path, all).await.problem(422, "name_invalid");
        let fields: Vec<_> =
            body["fields"].as_array().unwrap().iter().map(|f| (f["field"].as_str().unwrap(), f["code"].as_str().unwrap())).collect();
        let want = [("name", "name_invalid"), ("document.number", "document_invalid"), ("phone", "phone_invalid")];
        assert_eq!(fields, want);
        for (number, reason) in [
            ("", "length"),
            ("31000019900101013", "length"),
            ("310000199O0101013X", "format"),
            ("990000199001010113", "region_unknown_province"),
            ("310000202302290110", "birth_date"),
            ("310000209912310117", "birth_date"),
            ("110000193703312884", "checksum"),
            // The newborn of tomorrow by the hospital's calendar.
            (&resident("2026-11-24", 1), "birth_date"),
        ] {
            let document = json!({"kind": "resident_id", "number": number});
            let answer = browser.post(path, with(right.clone(), "document", document)).await;
            assert_eq!(answer.problem(422, "document_invalid")["reason"], reason, "{number}");
        }
        let passport = |country: Value| json!({"kind": "passport", "number": "E12345678", "country": country});
        let told = with(with(right.clone(), "birth_date", "1990-01-01".into()), "sex", "male".into());
        for country in [Value::Null, "FR".into(), "法国人".into()] {
            let answer = browser.post(path, with(told.clone(), "document", passport(country))).await;
            answer.problem(422, "country_invalid");
        }
        let untold = with(right.clone(), "document", passport("FRA".into()));
        let body = browser.post(path, untold.clone()).await.problem(422, "birth_date_invalid");
        assert_eq!(body["fields"][1]["code"], "sex_missing");
        for birth in ["1899-12-31", "2026-11-24"] {
            let answer = browser.post(path, with(untold.clone(), "birth_date", birth.into())).await;
            answer.problem(422, "birth_date_invalid");
        }
        browser.post(path, with(right.clone(), "birth_date", "1990-13-01".into())).await.problem(422, "wrong_value");
        browser.post(path, with(right.clone(), "relation", "friend".into())).await.problem(422, "wrong_value");
        browser.post(path, with(right.clone(), "id", "per_1".into())).await.problem(422, "unknown_field");
        let old = browser.post(path, with(right.clone(), "consent_version", "2020-01".into())).await;
        assert_eq!(old.problem(422, "consent_required")["consent_version"], clinic::CONSENT);
        let versions = ConsentVersions { consent_version: "7".into(), ..ConsentVersions::default() };
        clinic.set(ConsentVersions::SECTION, &versions).await;
        browser.post(path, right.clone()).await.problem(422, "consent_required");
        assert_eq!((clinic.count(PERSONS).await, clinic.count(LIVE_BINDINGS).await), (0, 0));
        // After all this the code still has its five tries.
        let wrong = if code == "000000" { "000001" } else { "000000" };
        let body = with(with(right.clone(), "code", wrong.into()), "consent_version", "7".into());
        assert_eq!(browser.post(path, body).await.problem(422, "code_wrong")["tries_left"], 4);
        browser.post(path, with(right, "consent_version", "7".into())).await.is(201);
    })
    .await;
}

#[tokio::test]
async fn children_and_their_guardians() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let path = "/api/v1/persons";
        let mut parent = clinic.signed_in(PHONE).await;
        let code = parent.person_code(OTHER).await;
        let child = new_person("李小宝", &resident("2013-01-01", 1), OTHER, &code, "child");
        let body = parent.post(path, child.clone()).await.problem(422, "guardian_consent_required");
        assert_eq!(body["fields"][0]["field"], "guardian_consent");
        let agreed = with(child, "guardian_consent", true.into());
        parent
            .post(path, with(agreed.clone(), "relation", "self".into()))
            .await
            .problem(409, "guardian_too_young");
        let person = parent.post(path, agreed).await.is(201);
        assert_eq!((&person["minor"], &person["age"]), (&true.into(), &13.into()));
        assert_eq!((clinic.count(CONSENTS).await, clinic.count(GUARDIAN_CONSENTS).await), (1, 1));
        // Whom the account says to be is of no age to answer for another minor.
        t.pass(MINUTE);
        let mut teen = clinic.signed_in("13700137000").await;
        t.pass(MINUTE);
        teen.add("王少年", &resident("2010-01-01", 1), "13700137000", "self").await.is(201);
        t.pass(MINUTE);
        let code = teen.person_code(OTHER).await;
        let sibling = new_person("王小妹", &resident("2011-01-01", 2), OTHER, &code, "other");
        teen.post(path, sibling.clone()).await.problem(409, "guardian_too_young");
        // A grown-up relative they may add, and on the eighteenth birthday the other too.
        let code = clinic.inbox.code(OTHER);
        let father = new_person("王大山", &resident("1980-01-01", 3), OTHER, &code, "parent");
        let id = teen.post(path, father).await.is(201)["id"].as_str().unwrap().to_owned();
        // Nor can a tie be turned into what could not have been made.
        let patch = json!({"relation": "self"});
        let child_id = person["id"].as_str().unwrap();
        parent.patch(&format!("{path}/{child_id}"), patch).await.problem(409, "guardian_too_young");
        teen.patch(&format!("{path}/{id}"), json!({"relation": "other"})).await.is(200);
    })
    .await;
}

#[tokio::test]
async fn an_account_has_one_holder() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let mut browser = clinic.signed_in(PHONE).await;
        t.pass(MINUTE);
        let holder = browser.add("张一", &resident("1990-01-01", 1), PHONE, "self").await.is(201);
        t.pass(MINUTE);
        let code = browser.person_code(OTHER).await;
        let other = new_person("张二", &resident("1990-01-01", 2), OTHER, &code, "self");
        let body = browser.post("/api/v1/persons", other.clone()).await.problem(409, "self_taken");
        assert_eq!(body["fields"][0]["field"], "relation");
        let other = browser.post("/api/v1/persons", with(other, "relation", "spouse".into())).await.is(201);
        let path = |person: &Value| format!("/api/v1/persons/{}", person["id"].as_str().unwrap());
        browser.patch(&path(&other), json!({"relation": "self"})).await.problem(409, "self_taken");
        browser.patch(&path(&holder), json!({"relation": "self"})).await.is(200);
        // Who is on the list is told so, whatever relation they were to have.
        t.pass(MINUTE);
        browser.add("张一", &resident("1990-01-01", 1), PHONE, "self").await.problem(409, "already_bound");
        browser.patch(&path(&holder), json!({"relation": "other"})).await.is(200);
        browser.patch(&path(&other), json!({"relation": "self"})).await.is(200);
    })
    .await;
}

#[tokio::test]
async fn five_and_no_more_also_at_once() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let browser = clinic.signed_in(PHONE).await;
        let many = CodeRules { per_account_day: 50, per_address_hour: 50, ..CodeRules::default() };
        clinic.set(CodeRules::SECTION, &many).await;
        let mut adds = tokio::task::JoinSet::new();
        for n in 0..12 {
            let mut browser = browser.clone();
            adds.spawn(async move {
                let number = resident("1990-01-01", 100 + n);
                let answer = browser.add("张三", &number, &format!("139{n:08}"), "other").await;
                (
                    answer.status.as_u16(),
                    answer.body["code"].as_str().unwrap_or("").to_owned(),
                    answer.body["limit"].clone(),
                )
            });
        }
        let outcomes = adds.join_all().await;
        assert_eq!(outcomes.iter().filter(|o| o.0 == 201).count(), 5, "{outcomes:?}");
        let refused = (409, "person_limit".to_owned(), Value::from(5));
        assert_eq!(outcomes.iter().filter(|o| **o == refused).count(), 7, "{outcomes:?}");
        let counted =
            (clinic.count(LIVE_BINDINGS).await, clinic.count(DEFAULTS).await, clinic.count(PERSONS).await);
        assert_eq!(counted, (5, 1, 5));
    })
    .await;
}

#[tokio::test]
async fn both_parents_add_the_child_in_the_same_moment() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let number = resident("2013-01-01", 1);
        let mut parents = Vec::new();
        for phone in [PHONE, OTHER, "13700137000", "13600136000"] {
            let mut parent = clinic.signed_in(phone).await;
            // All use the phone that is on file for the child; each needs a code of their own.
            t.pass(MINUTE);
            let code = parent.person_code("13500135000").await;
            parents.push((parent, code));
        }
        let mut adds = tokio::task::JoinSet::new();
        for (mut parent, code) in parents {
            let body = new_person("李小宝", &number, "13500135000", &code, "child");
            let body = with(body, "guardian_consent", true.into());
            adds.spawn(async move {
                loop {
                    let answer = parent.post("/api/v1/persons", body.clone()).await;
                    // "Try again" is an answer, and trying again helps.
                    match answer.status.as_u16() {
                        503 => {}
                        409 => {
                            answer.problem(409, "guardians_full");
                            return None;
                        }
                        _ => return Some(answer.is(201)["id"].as_str().unwrap().to_owned()),
                    }
                }
            });
        }
        let ids: Vec<String> = adds.join_all().await.into_iter().flatten().collect();
        assert_eq!(ids.len(), 2, "a child has two guardians, whoever else asks");
        assert_eq!(ids[0], ids[1], "one child");
        assert_eq!((clinic.count(PERSONS).await, clinic.count(LIVE_BINDINGS).await), (1, 2));
    })
    .await;
}

#[tokio::test]
async fn a_document_with_other_details_is_for_the_desk() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let number = resident("1990-01-01", 1);
        let mut anna = clinic.signed_in(PHONE).await;
        t.pass(MINUTE);
        anna.add("张安娜", &number, PHONE, "self").await.is(201);
        let mut ben = clinic.signed_in(OTHER).await;
        t.pass(MINUTE);
        // The right name, but not the phone on file; and the phone's owner, but another name.
        let first = ben.add("张安娜", &number, OTHER, "spouse").await.problem(409, "document_taken");
        t.pass(MINUTE);
        let second = ben.add("张安妮", &number, OTHER, "spouse").await.problem(409, "document_taken");
        assert_eq!(first["detail"], second["detail"], "which detail is wrong, nobody learns");
        for word in ["138", "张", "8000"] {
            assert!(!first.to_string().contains(word), "{first}");
        }
        // With the phone on file it is bound, and still the same person.
        t.pass(MINUTE);
        let bound = ben.add("张安娜", &number, PHONE, "spouse").await.is(201);
        assert_eq!((clinic.count(PERSONS).await, clinic.count(LIVE_BINDINGS).await), (1, 2));
        let id = bound["id"].as_str().unwrap();
        let audited: Vec<_> =
            clinic.audited(id).await.into_iter().map(|(a, d)| (a, d["how"].clone())).collect();
        assert_eq!(
            audited,
            [("person.add".to_owned(), "new".into()), ("person.bind".to_owned(), "document".into())]
        );
        t.pass(MINUTE);
        ben.add("张安娜", &number, PHONE, "spouse").await.problem(409, "already_bound");
    })
    .await;
}

#[tokio::test]
async fn documents_can_not_be_tried_out() {
    each_db(&clinic::migrations(), async |t: TestDb| {
        let clinic = Clinic::open(&t).await;
        let many = CodeRules { per_phone_day: 50, ..CodeRules::default() };
        clinic.set(CodeRules::SECTION, &many).await;
        let number = resident("1990-01-01", 1);
        let mut anna = clinic.signed_in(PHONE).await;
        t.pass(MINUTE);
        anna.add("张安娜", &number, PHONE, "self").await.is(201);
        let mut ben = clinic.signed_in(OTHER).await;
        for name in ["张一一", "张二二", "张三三", "张四四", "张五五"] {
            t.pass(MINUTE);
            ben.add(name, &number, OTHER, "other").await.problem(409, "document_taken");
        }
        t.pass(MINUTE);
        let answer = ben.add("张六六", &number, OTHER, "other").await;
        assert_eq!(answer.problem(429, "too_many_tries")["retry_after_s"], 86_400 - 300);
        // A full list does not tell either: it is looked at before the document.
        t.pass(clinic::DAY);
        clinic.set(PersonRules::SECTION, &PersonRules { per_account: 0, ..PersonRules::default() }).await;
        ben.sign_in(OTHER).await;
        t.pass(MINUTE);
        ben.add("张七七", &number, OTHER, "other").await.problem(409, "person_limit");
        t.pass(MINUTE);
        ben.add("张七七", &resident("1990-01-01", 2), OTHER, "other").await.problem(409, "person_limit");
    })
    .await;
}
