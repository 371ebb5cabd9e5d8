//! E-invoices: one for each charge that is paid, whatever is lost on the way; written off when all of it goes back.

use std::time::Duration;

use edge::Role;
use serde_json::{Value, json};
use testkit::{Hospital, Phone, Setup};

use super::{has_paid, refunds_are, until};

async fn each_invoicing(story: impl AsyncFn(&Hospital)) {
    Setup::default().paying().invoicing().days(3).play(story).await;
}

/// The invoice that somebody sees with their receipt.
async fn invoice(phone: &Phone) -> Value {
    let charges = phone.get("/api/v1/charges").await.expect(200);
    let id = charges.items()[0]["id"].as_str().unwrap().to_owned();
    let receipt = phone.get(&format!("/api/v1/charges/{id}")).await.expect(200);
    receipt.json["invoice"].clone()
}

/// Lets time pass until the invoice stands so.
async fn invoice_is(hospital: &Hospital, phone: &Phone, state: &str) -> Value {
    for _ in 0..6 {
        let begun = tokio::time::Instant::now();
        while begun.elapsed() < Duration::from_millis(800) {
            let now = invoice(phone).await;
            if now["state"] == state {
                return now;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        hospital.passes(Duration::from_secs(30)).await;
    }
    panic!("the invoice is not {state}: {}", invoice(phone).await)
}

/// What the platform has made.
async fn bills(hospital: &Hospital) -> Vec<Value> {
    let account = hospital.sim.get("/sim/v1/ebill").await;
    account["bills"].as_object().unwrap().values().cloned().collect()
}

/// Paid, it is made, with number and link on the receipt; given up, it is written off.
#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_is_made_and_written_off() {
    each_invoicing(async |hospital| {
        let (li_na, office) = (hospital.patient("李娜").await, hospital.staff(&[Role::Finance]).await);
        let slot = hospital.slot(&hospital.site.dr_li, 2, "08:00").await;
        let (held, paid) = has_paid(hospital, &li_na, &slot).await;
        let made = invoice_is(hospital, &li_na, "issued").await;
        let (number, link) = (made["number"].as_str().unwrap(), made["link"].as_str().unwrap());
        let page = reqwest::Client::builder().no_proxy().build().unwrap().get(link).send().await.unwrap();
        let page = page.text().await.unwrap();
        assert!(page.contains(number), "{page}");
        let all = bills(hospital).await;
        assert_eq!(all.len(), 1);
        assert_eq!(all[0]["request"]["payer"], "李娜");
        let yuan = base::Fen(paid.number_at("total_fen")).yuan();
        assert_eq!((&all[0]["request"]["totalAmt"], &all[0]["red"]), (&json!(yuan), &Value::Null));
        let _ = li_na.cancels(held.id()).await.expect(200);
        refunds_are(&office, held.id(), &["done"]).await;
        invoice_is(hospital, &li_na, "reversed").await;
        until("it is written off over there", async || bills(hospital).await[0]["red"].is_string()).await;
        let file = super::file(&office, held.id()).await;
        assert_eq!(file["charge"]["invoice"]["number"], number, "the number stays on the record");
    })
    .await;
}

/// Whatever is lost, late or forged on the way: each charge has one invoice and, written off, one red one.
#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_is_never_made_twice() {
    each_invoicing(async |hospital| {
        let slot = hospital.opens_evening(&hospital.site.dr_li, 2, 10).await;
        let faults = ["drop_request", "drop_answer", "error_after", "wrong_key", "cut_body"];
        let phones = hospital.patients(faults.len()).await;
        for (phone, fault) in phones.iter().zip(faults) {
            hospital.pay_faults(json!({"path": "/medical-web", fault: 1})).await;
            let (held, _) = has_paid(hospital, phone, &slot).await;
            invoice_is(hospital, phone, "issued").await;
            hospital.pay_faults(json!({"path": "/medical-web", fault: 1})).await;
            let _ = phone.cancels(held.id()).await.expect(200);
            invoice_is(hospital, phone, "reversed").await;
            let made = bills(hospital).await.len();
            for _ in 0..6 {
                if bills(hospital).await.iter().all(|bill| bill["red"].is_string()) {
                    break;
                }
                hospital.passes(Duration::from_secs(30)).await;
                tokio::time::sleep(Duration::from_millis(700)).await;
            }
            assert!(bills(hospital).await.iter().all(|bill| bill["red"].is_string()), "{fault}");
            assert_eq!(bills(hospital).await.len(), made, "{fault}");
        }
        assert_eq!(bills(hospital).await.len(), faults.len(), "one each");
    })
    .await;
}

/// Given up before the platform could be reached: nothing is made any more, and what was made without our knowing is written off.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_up_meanwhile_gets_no_invoice() {
    each_invoicing(async |hospital| {
        let slot = hospital.opens_evening(&hospital.site.dr_li, 2, 10).await;
        let phones = hospital.patients(2).await;
        // Nothing reaches the platform …
        hospital.pay_faults(json!({"path": "/medical-web", "drop_request": 1_000})).await;
        let (first, _) = has_paid(hospital, &phones[0], &slot).await;
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let _ = phones[0].cancels(first.id()).await.expect(200);
        // … and here only its answers are lost.
        hospital
            .pay_faults(json!({"path": "/medical-web/api/medical/registrationEBill", "drop_answer": 1}))
            .await;
        let (second, _) = has_paid(hospital, &phones[1], &slot).await;
        until("it was made", async || !bills(hospital).await.is_empty()).await;
        assert_eq!(invoice(&phones[1]).await["state"], "wanted", "nobody knows yet");
        let _ = phones[1].cancels(second.id()).await.expect(200);
        for _ in 0..6 {
            hospital.passes(Duration::from_secs(30)).await;
            tokio::time::sleep(Duration::from_millis(700)).await;
        }
        assert_eq!(invoice(&phones[0]).await, Value::Null);
        assert_eq!(invoice(&phones[1]).await["state"], "reversed");
        let all = bills(hospital).await;
        assert_eq!(all.len(), 1);
        assert!(all[0]["red"].is_string());
    })
    .await;
}
