//! The doors that platforms knock at: whatever comes in, whenever, nothing moves without proof, and nothing secret goes out.

use std::time::Duration;

use edge::Role;
use reqwest::header::HeaderMap;
use serde_json::json;
use testkit::paying::number;
use testkit::{Dice, Hospital, logs};

use super::{each_paying, has_paid, refunds_are, stands};

/// Knocks at a door with a body; gives the status.
async fn knocks(hospital: &Hospital, path: &str, headers: HeaderMap, body: Vec<u8>) -> u16 {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}{path}", hospital.node().config().server.public_url);
    let answer = http.post(url).headers(headers).body(body).send().await.unwrap();
    answer.status().as_u16()
}

/// T3: bytes by chance, true bytes with a bit turned, and bodies without end: refused in order, within bounds, and the next true notice is
/// taken. (The parsers themselves are fuzzed: `cargo xtask fuzz`.)
#[tokio::test(flavor = "multi_thread")]
async fn t03_whatever_comes_in_is_refused_in_order() {
    each_paying(async |hospital| {
        let li_na = hospital.patient("李娜").await;
        let slot = hospital.slot(&hospital.site.dr_li, 1, "08:00").await;
        let mut dice = Dice::new(3);
        let doors = ["/pay/wechat/wechat", "/pay/alipay/alipay", "/pay/insurance/bureau"];
        for round in 0..60_usize {
            let length = dice.below(4_000);
            let mut body: Vec<u8> = (0..length).map(|_| u8::try_from(dice.below(256)).unwrap()).collect();
            if round % 3 == 0 {
                // Something that looks like a notice.
                body = br#"{"id":"x","event_type":"TRANSACTION.SUCCESS","resource":{"algorithm":"AEAD_AES_256_GCM","ciphertext":"AAAA","nonce":"0"}}"#.to_vec();
                let at = dice.below(body.len());
                body[at] ^= 1 << dice.below(8);
            }
            let mut headers = HeaderMap::new();
            for name in ["timestamp", "nonce", "signature", "serial", "signature-type"] {
                if dice.below(2) == 0 {
                    let value = ["", "1", "-9223372036854775808", "WECHATPAY2-SHA256-RSA2048", "PUB_KEY_ID_0"][dice.below(5)];
                    headers.insert(format!("wechatpay-{name}").parse::<reqwest::header::HeaderName>().unwrap(), value.parse().unwrap());
                }
            }
            let status = knocks(hospital, doors[round % 3], headers, body).await;
            assert_eq!(status, 401, "round {round}");
        }
        for door in doors {
            let status = knocks(hospital, door, HeaderMap::new(), vec![b'{'; (128 << 10) + 1]).await;
            assert_eq!(status, 413, "{door}");
        }
        assert_eq!(knocks(hospital, "/pay/wechat/nobody", HeaderMap::new(), b"{}".to_vec()).await, 404);
        assert_eq!(hospital.ledger_rows().await, 0);
        has_paid(hospital, &li_na, &slot).await;
    })
    .await;
}

/// T5: 299 seconds apart all goes on; from 301 on nothing of theirs is believed and our own calls are refused, which is told as a matter of the
/// clock. When the clocks agree again nothing is lost.
#[tokio::test(flavor = "multi_thread")]
async fn t05_clocks_apart() {
    each_paying(async |hospital| {
        for (day, apart) in [(1, 299), (2, -299)] {
            let patient = hospital.patient(if day == 1 { "李娜" } else { "王芳" }).await;
            let slot = hospital.slot(&hospital.site.dr_li, day, "08:00").await;
            hospital.pay_faults(json!({"clock_ahead_s": apart})).await;
            has_paid(hospital, &patient, &slot).await;
        }
        for (day, apart) in [(1, 301), (2, -301)] {
            let patient = hospital.patient(if day == 1 { "赵敏" } else { "孙燕" }).await;
            let slot = hospital.slot(&hospital.site.dr_wang, day, "08:00").await;
            let held = patient.holds(&slot).await;
            hospital.pay_faults(json!({"clock_ahead_s": apart})).await;
            let _lines = logs::take_lines();
            let _ = patient.begins_to_pay(held.id(), "wechat_jsapi").await.refused(502, "payment_unclear");
            let said = logs::take_lines().into_iter().find(|line| line.contains("an order was refused"));
            let said = said.expect("it is told why");
            assert!(said.contains("CLOCK") && said.contains("our clock differs"), "{said}");
            hospital.pay_faults(json!({})).await;
            let begun = patient.begins_to_pay(held.id(), "wechat_jsapi").await.expect(201);
            hospital.pay_faults(json!({"clock_ahead_s": apart})).await;
            let rows = hospital.ledger_rows().await;
            hospital.pays_wechat(&number(&begun)).await;
            super::until("it was refused", async || {
                logs::take_lines().iter().any(|line| line.contains("does not prove itself"))
            })
            .await;
            assert_eq!(hospital.ledger_rows().await, rows, "a notice from another time moves nothing");
            hospital.pay_faults(json!({})).await;
            hospital.passes(Duration::from_secs(16)).await;
            stands(&patient, &begun, "paid").await;
        }
    })
    .await;
}

/// T30: nothing secret and nobody's name at a platform is in the log, whatever goes well or wrong; and only the office refunds.
#[tokio::test(flavor = "multi_thread")]
async fn t30_no_secret_is_in_the_log() {
    each_paying(async |hospital| {
        let _before = logs::take_lines();
        let (li_na, office) = (hospital.patient("李娜").await, hospital.staff(&[Role::Finance]).await);
        let slot = hospital.opens_evening(&hospital.site.dr_li, 2, 5).await;
        let (held, paid) = has_paid(hospital, &li_na, &slot).await;
        let body = json!({"payment_id": paid.id(), "amount_fen": 100, "note": "退一元"});
        for role in [Role::Nurse, Role::Doctor, Role::Triage] {
            let other = hospital.staff(&[role]).await;
            let _ = other.post_once("/api/v1/staff/billing/refunds", body.clone()).await.expect(403);
        }
        let _ = li_na.cancels(held.id()).await.expect(200);
        refunds_are(&office, held.id(), &["done"]).await;
        let zhao = hospital.patient("赵敏").await;
        let (_, insured) = super::insurance::begins(hospital, &zhao, &slot).await;
        super::insurance::cashier(hospital, &insured, json!({})).await;
        stands(&zhao, &insured, "paid").await;
        // And when it goes wrong.
        let wang = hospital.patient("王芳").await;
        let held = wang.holds(&slot).await;
        for fault in ["wrong_key", "unsigned", "too_many", "error_before"] {
            hospital.pay_faults(json!({"path": "/v3/pay", fault: 1})).await;
            let _ = wang.begins_to_pay(held.id(), "wechat_jsapi").await.refused(502, "payment_unclear");
        }
        hospital.pay_faults(json!({"notice_forged": true})).await;
        let begun = wang.begins_to_pay(held.id(), "wechat_jsapi").await.expect(201);
        hospital.pays_wechat(&number(&begun)).await;
        super::until("it was refused", async || {
            let answer = hospital.sim.inbox("pay").await;
            answer.iter().any(|one| one["order"] == number(&begun) && one["taken"] == false)
        })
        .await;
        hospital.pay_faults(json!({})).await;
        hospital.settle().await;
        let (wechat, alipay) =
            (hospital.sim.get("/sim/v1/wechatpay").await, hospital.sim.get("/sim/v1/alipay").await);
        let bureau = hospital.sim.get("/sim/v1/insurance").await;
        let mut secrets: Vec<String> = Vec::new();
        let mut secret = |text: &str| {
            secrets.extend(text.lines().filter(|l| l.len() > 20 && !l.contains("-----")).map(str::to_owned))
        };
        for (book, name) in [
            (&wechat, "apiv3_key"),
            (&wechat, "merchant_private_key"),
            (&alipay, "app_private_key"),
            (&bureau, "app_secret"),
            (&bureau, "hospital_private_key"),
        ] {
            secret(book[name].as_str().unwrap());
        }
        for (_, order) in bureau["orders"].as_object().unwrap() {
            for name in ["payAuthNo", "idNo"] {
                secrets.extend(
                    order["upload"][name].as_str().filter(|text| !text.is_empty()).map(str::to_owned),
                );
            }
        }
        for phone in [&li_na, &zhao, &wang] {
            secrets.extend([phone.openid.clone(), phone.number.clone()]);
        }
        assert!(secrets.len() > 60, "there is something to look for");
        let lines = logs::take_lines();
        assert!(!lines.is_empty());
        for secret in secrets {
            let found = lines.iter().find(|line| line.contains(&secret));
            assert!(found.is_none(), "a secret is in the log: {found:?}");
        }
    })
    .await;
}

/// T29: everybody pays at once while the platform takes two seconds for each call and fails one in twenty, before or after the deed: nobody is
/// lost, nobody pays twice, and nothing waits in the end.
#[tokio::test(flavor = "multi_thread")]
async fn t29_a_rush_at_a_slow_platform() {
    each_paying(async |hospital| {
        let slot = hospital.opens_evening(&hospital.site.dr_li, 1, 60).await;
        let phones = hospital.patients(60).await;
        hospital.pay_faults(json!({"slow_ms": 2_000, "error_every": 20, "notice_copies": 2})).await;
        let begun = tokio::time::Instant::now();
        let pays = phones.iter().map(async |phone| {
            let held = phone.holds(&slot).await;
            // Whoever is told that it is not clear taps again.
            for _ in 0..10 {
                let order = phone.begins_to_pay(held.id(), "wechat_jsapi").await;
                if order.status == 201 {
                    hospital.pays_wechat(&number(&order)).await;
                    return (held, order);
                }
                assert_eq!((order.status, order.text_at("code")), (502, "payment_unclear"));
            }
            panic!("ten times unclear");
        });
        let all = futures_util::future::join_all(pays).await;
        for ((held, order), phone) in all.iter().zip(&phones) {
            let paid = stands(phone, order, "paid").await;
            assert_eq!(paid.text_at("effect"), "served");
            assert_eq!(phone.appointment(held.id()).await.text_at("state"), "booked");
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
        hospital.pay_faults(json!({})).await;
        hospital.settle().await;
        assert_eq!(hospital.ledger_rows().await, 60);
        let total: i64 = all.iter().map(|(held, _)| held.number_at("fee_fen")).sum();
        assert_eq!(hospital.books("clearing:wechatpay:%").await, total);
        let books = hospital.sim.get("/sim/v1/wechatpay").await;
        let orders = books["orders"].as_object().unwrap();
        assert_eq!(orders.len(), 60, "one order each");
        assert!(orders.values().all(|order| order["state"] == "SUCCESS"));
    })
    .await;
}
