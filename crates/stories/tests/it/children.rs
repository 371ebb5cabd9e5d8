//! A6: children are booked in children's departments with a card of their own; guardians hold the account.

use edge::Role;
use serde_json::{Value, json};
use testkit::{Answer, Hospital, Phone, Someone, each_hospital};

fn childs_form(child: &Someone, phone: &Phone, code: &str) -> Value {
    let mut form = child.form(&phone.number, code);
    form["as_child"] = json!(true);
    form
}

async fn asks_code(phone: &Phone) -> String {
    let _sent = phone.asks_person_code(&phone.number).await.expect(202);
    phone.receives_code().await
}

async fn wants_card(phone: &Phone, slot: &str, person: &str) {
    let refused = phone.books(slot, person).await.refused(409, "not_eligible");
    assert_eq!(refused["reason"], "child_card", "{}", refused.text);
    assert!(refused.text.contains("医保卡"), "the way out is told: {}", refused.text);
}

/// A child's own number is no card yet; with the card on file it is booked, and without it no longer.
#[tokio::test(flavor = "multi_thread")]
async fn a_child_is_booked_with_its_own_card() {
    each_hospital(async |hospital: &Hospital| {
        let mother = hospital.patient("李娜").await;
        let child = Someone::child("李小宝");
        let code = asks_code(&mother).await;
        let mut form = childs_form(&child, &mother, &code);
        form["card"] = Value::Null;
        let added = mother.post("/api/v1/persons", form).await.expect(201);
        let slot = hospital.slot(&hospital.site.dr_chen, 1, "08:00").await;
        wants_card(&mother, &slot, added.id()).await;
        // Elsewhere children are seen without one.
        let heart = hospital.slot(&hospital.site.dr_li, 1, "08:00").await;
        let _booked = mother.books(&heart, added.id()).await.expect(201);

        // The mother's own card is none for a child, and another child's is not this one's.
        let path = format!("/api/v1/persons/{}/cards", added.id());
        let card = |number: &str| json!({"kind": "insurance", "number": number});
        let adult = Someone::adult("李娜");
        let refused = mother.post(&path, card(&adult.number)).await.refused(409, "adult_number");
        assert!(refused.text.contains("出生医学证明"), "{}", refused.text);
        let other = Someone::child("李二宝");
        let _another = mother.post(&path, card(&other.number)).await.refused(409, "card_of_another");
        wants_card(&mother, &slot, added.id()).await;
        let _own = mother.post(&path, card(&child.number)).await.good();
        let _booked = mother.books(&slot, added.id()).await.expect(201);
        let _gone = mother.delete(&format!("{path}/insurance")).await.expect(204);
        wants_card(&mother, &hospital.slot(&hospital.site.dr_chen, 2, "08:00").await, added.id()).await;
        // An adult is told about age, not about cards.
        let grown = mother.takes(&slot).await.refused(409, "not_eligible");
        assert_eq!(grown["reason"], "child_only");
    })
    .await;
}

/// Added in one go with its card, or with the birth certificate where there is no card yet; what is wrong adds nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_child_is_added_with_its_card() {
    each_hospital(async |hospital: &Hospital| {
        let mother = hospital.patient("李娜").await;
        let slot = hospital.slot(&hospital.site.dr_chen, 1, "08:00").await;
        let child = Someone::child("李小宝");
        let code = asks_code(&mother).await;
        let send = async |change: &dyn Fn(&mut Value)| -> Answer {
            let mut form = childs_form(&child, &mother, &code);
            change(&mut form);
            mother.post("/api/v1/persons", form).await
        };
        let mothers = Someone::adult("李娜").number;
        let _adult =
            send(&|form| form["document"]["number"] = json!(mothers)).await.refused(409, "adult_number");
        let _card = send(&|form| form["card"]["number"] = json!(mothers)).await.refused(409, "adult_number");
        let bad = send(&|form| form["card"]["number"] = json!("12")).await.refused(422, "card_invalid");
        assert_eq!(bad.fields(), ["number"]);
        assert_eq!(mother.get("/api/v1/persons").await.good().items().len(), 1, "nobody was added");
        let added = send(&|_| ()).await.expect(201);
        let cards = mother.get(&format!("/api/v1/persons/{}/cards", added.id())).await.good();
        assert_eq!(
            (&cards.items()[0]["kind"], &cards.items()[0]["seen"]),
            (&json!("insurance"), &json!(false))
        );
        let _booked = mother.books(&slot, added.id()).await.expect(201);

        let mut newborn = Someone::born("李三宝", "2026-11-01").who_is("child");
        newborn.document_kind = "birth_certificate".into();
        newborn.number = "A123456789".into();
        let father = hospital.patient("王强").await;
        let code = asks_code(&father).await;
        let added = father.post("/api/v1/persons", childs_form(&newborn, &father, &code)).await.expect(201);
        let _booked = father.books(&slot, added.id()).await.expect(201);
    })
    .await;
}

/// Who is not of age is no guardian; and the counter, with the card before it, books without one on file.
#[tokio::test(flavor = "multi_thread")]
async fn guardians_are_of_age_and_the_counter_sees_the_card() {
    each_hospital(async |hospital: &Hospital| {
        let brother = hospital.patient_who_is(Someone::born("李大宝", "2010-01-01")).await;
        let child = Someone::child("李小宝");
        let code = asks_code(&brother).await;
        let form = childs_form(&child, &brother, &code);
        let _young = brother.post("/api/v1/persons", form).await.refused(409, "guardian_too_young");
        assert_eq!(brother.get("/api/v1/persons").await.good().items().len(), 1);
        let person = hospital.on_file(&child, None).await;
        let desk = hospital.staff(&[Role::Triage]).await;
        let slot = hospital.slot(&hospital.site.dr_chen, 1, "08:00").await;
        let body = json!({"slot_id": slot, "person_id": person.to_string()});
        let call = desk.call(reqwest::Method::POST, "/api/v1/staff/appointments");
        let _booked = call.key(&testkit::browser::key()).json(&body).send().await.expect(201);
    })
    .await;
}
