//! Medical insurance, and WeChat Pay for what it leaves.

use std::time::Duration;

use edge::Role;
use serde_json::{Value, json};
use testkit::paying::number;
use testkit::{Answer, Hospital, Phone};

use super::{each_paying, refunds_are, stands};

pub(super) async fn begins(hospital: &Hospital, phone: &Phone, slot: &str) -> (Answer, Answer) {
    let held = phone.holds(slot).await;
    let auth = hospital.sim.post("/sim/v1/insurance/authorisations", json!({})).await;
    let begun =
        phone.begins_to_pay_insured(held.id(), auth["pay_auth_no"].as_str().unwrap()).await.expect(201);
    (held, begun)
}

pub(super) async fn cashier(hospital: &Hospital, payment: &Answer, outcome: Value) {
    hospital.sim.post(&format!("/sim/v1/wechatpay/mixed/{}/pay", number(payment)), outcome).await;
}

/// D2: the insured part is settled, the rest is paid in WeChat, and all of it is one payment; given up, both parts go back.
#[tokio::test(flavor = "multi_thread")]
async fn t23_insurance_and_cash_there_and_back() {
    each_paying(async |hospital| {
        let (li_na, office) = (hospital.patient("李娜").await, hospital.staff(&[Role::Finance]).await);
        let slot = hospital.slot(&hospital.site.dr_li, 2, "08:00").await;
        let (held, begun) = begins(hospital, &li_na, &slot).await;
        let shares = &begun.json["shares"];
        let part = |name: &str| shares[name].as_i64().unwrap();
        assert!(part("gov_fen") > 0 && part("own_fen") > 0 && part("cash_fen") > 0, "{shares}");
        assert!(begun.json["sheet"]["mix_trade_no"].as_str().is_some());
        cashier(hospital, &begun, json!({})).await;
        let paid = stands(&li_na, &begun, "paid").await;
        assert_eq!(paid.text_at("effect"), "served");
        assert_eq!(li_na.appointment(held.id()).await.text_at("state"), "booked");
        hospital.settle().await;
        assert_eq!(hospital.books("clearing:insurance:gov").await, part("gov_fen"));
        assert_eq!(hospital.books("clearing:insurance:own").await, part("own_fen"));
        assert_eq!(hospital.books("clearing:wechatpay:%").await, part("cash_fen"));
        let half = json!({"payment_id": paid.id(), "amount_fen": 1, "note": "只退一分"});
        let _ = office.post_once("/api/v1/staff/billing/refunds", half).await.refused(409, "insured_whole");
        let _ = li_na.cancels(held.id()).await.expect(200);
        refunds_are(&office, held.id(), &["done"]).await;
        hospital.passes(Duration::from_secs(61)).await;
        hospital.settle().await;
        for account in ["clearing:%", "refunds-in-flight", "obligation:%"] {
            assert_eq!(hospital.books(account).await, 0, "{account}");
        }
        let told = hospital.sim.get("/sim/v1/wechatpay").await;
        assert_eq!(told["mixed"][number(&begun)]["insurance"], "MED_INS_PAY_REFUND");
    })
    .await;
}

/// T21: the nine outcomes of the two parts. Paid is only what both parts are; cash without insurance goes back by itself.
#[tokio::test(flavor = "multi_thread")]
async fn t21_all_outcomes_of_both_parts() {
    each_paying(async |hospital| {
        let office = hospital.staff(&[Role::Finance]).await;
        let words = ["ok", "fail", "unknown"];
        for (nth, (cash, insurance)) in
            words.iter().flat_map(|cash| words.iter().map(move |insurance| (*cash, *insurance))).enumerate()
        {
            let name = ["一", "二", "三", "四", "五", "六", "七", "八", "九"][nth];
            let phone = hospital.patient(&format!("李{name}")).await;
            let slot = hospital.opens_evening(&hospital.site.dr_li, 2, 20).await;
            let (held, begun) = begins(hospital, &phone, &slot).await;
            cashier(hospital, &begun, json!({"cash": cash, "insurance": insurance})).await;
            hospital.passes(Duration::from_secs(10)).await;
            hospital.settle().await;
            let path = format!("/api/v1/payments/{}", begun.id());
            let now = phone.get(&path).await;
            match (cash, insurance) {
                ("ok", "ok") => assert_eq!(stands(&phone, &begun, "paid").await.text_at("effect"), "served"),
                ("ok", "fail") => {
                    assert_eq!(stands(&phone, &begun, "paid").await.text_at("effect"), "surplus");
                    let file = refunds_are(&office, held.id(), &["done"]).await;
                    assert_eq!(file["charge"]["refunds"][0]["reason"], "insurance_failed");
                }
                ("fail", _) | ("unknown", "fail") => {
                    assert_eq!(now.text_at("state"), "closed", "{cash} {insurance}")
                }
                // Nobody knows yet: nothing moves, and no timer ends it.
                _ => assert_eq!(now.text_at("state"), "waiting", "{cash} {insurance}"),
            }
        }
        hospital.settle().await;
    })
    .await;
}

/// T22: an authorisation that is used or none is refused; the person may pay without insurance.
#[tokio::test(flavor = "multi_thread")]
async fn t22_a_used_authorisation_is_refused() {
    each_paying(async |hospital| {
        let li_na = hospital.patient("李娜").await;
        let slot = hospital.slot(&hospital.site.dr_li, 1, "08:00").await;
        let held = li_na.holds(&slot).await;
        let _ = li_na.begins_to_pay_insured(held.id(), "AUTH000").await.refused(502, "insurance_refused");
        let begun = li_na.begins_to_pay(held.id(), "wechat_jsapi").await.expect(201);
        hospital.pays_wechat(&number(&begun)).await;
        stands(&li_na, &begun, "paid").await;
        hospital.settle().await;
    })
    .await;
}

/// Allows the use of a credential on the region's page; gives the code that the phone comes back with.
async fn authorises(phone: &Phone, back: &str, name: &str, card_no: &str) -> String {
    let answer =
        phone.get(&format!("/api/v1/payments/insurance-authorisation?back={back}")).await.expect(200);
    let page = answer.text_at("url").to_owned();
    let http =
        reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let shown = http.get(&page).send().await.unwrap().text().await.unwrap();
    assert!(shown.contains("name=card_no"), "{shown}");
    let url = reqwest::Url::parse(&page).unwrap();
    let ours = url.query_pairs().find(|(name, _)| name == "redirectUrl").unwrap().1.into_owned();
    let body = [("name", name), ("card_no", card_no), ("back", &ours)]
        .map(|(name, value)| format!("{name}={}", value.replace(':', "%3A").replace('/', "%2F")))
        .join("&");
    let request = http.post(&page).header("content-type", "application/x-www-form-urlencoded").body(body);
    let came = request.send().await.unwrap();
    let to = reqwest::Url::parse(came.headers()["location"].to_str().unwrap()).unwrap();
    assert_eq!(to.path(), back);
    to.query_pairs().find(|(name, _)| name == "authCode").unwrap().1.into_owned()
}

/// D2: the patient is sent to the region's page and comes back with a code; it is good once, for their own visit, with their own credential.
#[tokio::test(flavor = "multi_thread")]
async fn a_patient_authorises_and_pays_insured() {
    each_paying(async |hospital| {
        let who = testkit::Someone::adult("李娜");
        let number = who.number.clone();
        let li_na = hospital.patient_who_is(who).await;
        let slot = hospital.slot(&hospital.site.dr_li, 2, "08:00").await;
        let held = li_na.holds(&slot).await;
        let back = format!("/pay/{}", held.id());
        for elsewhere in ["//evil.example", "https://evil.example", "x", "/a%5Cb"] {
            let path = format!("/api/v1/payments/insurance-authorisation?back={elsewhere}");
            let _ = li_na.get(&path).await.refused(404, "not_found");
        }
        let pay =
            |subject: &str, code: &str| json!({"subject_id": subject, "way": "insurance", "auth_code": code});
        let post = async |body: Value| li_na.post_once("/api/v1/payments", body).await;
        let other = authorises(&li_na, &back, "王芳", "110101199003070011").await;
        let _ = post(pay(held.id(), &other)).await.refused(409, "insurance_other_person");
        let _ = post(pay(held.id(), "nothing")).await.refused(422, "authorisation_needed");
        let code = authorises(&li_na, &back, "李娜", &number).await;
        let begun = post(pay(held.id(), &code)).await.expect(201);
        assert!(begun.json["sheet"]["mix_trade_no"].as_str().is_some());
        // A second tap with the same code goes on with the same order.
        let again = post(pay(held.id(), &code)).await.expect(201);
        assert_eq!(
            (again.id(), &again.json["sheet"]["mix_trade_no"]),
            (begun.id(), &begun.json["sheet"]["mix_trade_no"])
        );
        cashier(hospital, &begun, json!({})).await;
        let paid = stands(&li_na, &begun, "paid").await;
        assert_eq!(paid.text_at("effect"), "served");
        let _ = post(pay(held.id(), &code)).await.refused(409, "already_paid");
    })
    .await;
}
