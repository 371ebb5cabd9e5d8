//! Money: paid once, refunded right, explained to the fen. Each story ends with the look at the ledger that `xinglin check
//! ledger` takes.

mod deaths;
mod desk;
mod doors;
mod insurance;
mod invoices;
mod late;
mod notices;
mod office;
mod online;
mod reconcile;
mod refunds;

use std::time::Duration;

use serde_json::Value;
use testkit::{Answer, Browser, Hospital, Phone, Setup};

/// A hospital that has contracts with all platforms, on both databases.
async fn each_paying(story: impl AsyncFn(&Hospital)) {
    Setup::default().paying().days(3).play(story).await;
}

/// Looks until it is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let begun = tokio::time::Instant::now();
    let mut look = tokio::time::interval(Duration::from_millis(50));
    while !is_so().await {
        assert!(begun.elapsed() < Duration::from_secs(25), "this never came about: {what}");
        look.tick().await;
    }
}

/// Waits until a payment stands so, and gives it.
async fn stands(phone: &Phone, payment: &Answer, state: &str) -> Answer {
    let path = format!("/api/v1/payments/{}", payment.id());
    until(&format!("the payment is {state}"), async || phone.get(&path).await.text_at("state") == state)
        .await;
    phone.get(&path).await
}

/// The charge of a thing, as the cashier's office sees it.
async fn file(office: &Browser, subject: &str) -> Value {
    let answer = office.get(&format!("/api/v1/staff/billing/charge?subject_id={subject}")).await.expect(200);
    answer.json.clone()
}

/// Waits until the refunds of a thing stand so.
async fn refunds_are(office: &Browser, subject: &str, states: &[&str]) -> Value {
    let mut last = Value::Null;
    until(&format!("refunds are {states:?}"), async || {
        last = file(office, subject).await;
        let all = last["charge"]["refunds"].as_array().unwrap();
        all.iter().map(|one| one["state"].as_str().unwrap()).collect::<Vec<_>>() == states
    })
    .await;
    last
}

/// A patient holds a place and pays it by WeChat: gives the appointment and the payment.
async fn has_paid(hospital: &Hospital, phone: &Phone, slot: &str) -> (Answer, Answer) {
    let held = phone.holds(slot).await;
    let begun = phone.begins_to_pay(held.id(), "wechat_jsapi").await.expect(201);
    hospital.pays_wechat(&testkit::paying::number(&begun)).await;
    let paid = stands(phone, &begun, "paid").await;
    hospital.settle().await;
    (held, paid)
}
