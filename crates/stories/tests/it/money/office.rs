//! The finance office: what came in, by whom and for whom, and the bill behind any number.

use edge::Role;
use serde_json::{Value, json};

use super::{each_paying, has_paid, refunds_are};

fn fen(sum: &Value) -> (i64, i64, i64) {
    let number = |name: &str| sum[name].as_i64().unwrap();
    (number("received_fen"), number("returned_fen"), number("net_fen"))
}

fn under<'a>(all: &'a Value, heading: &str, key: &Value) -> &'a Value {
    let rows = all[heading].as_array().unwrap();
    rows.iter().find(|row| row["key"] == *key).unwrap_or_else(|| panic!("no {key} in {heading}: {all}"))
}

/// T28: a day's sums are the ledger's, by channel, department and cashier: each adds up to the same.
#[tokio::test(flavor = "multi_thread")]
async fn t28_a_day_is_summed_by_channel_department_and_cashier() {
    each_paying(async |hospital| {
        let (li_na, wang) = (hospital.patient("李娜").await, hospital.patient("王芳").await);
        let desk = hospital.staff(&[Role::Finance]).await;
        let today = hospital.today().to_string();
        let path = format!("/api/v1/staff/billing/sums?from={today}&to={today}");
        let before = desk.get(&path).await.expect(200);
        assert_eq!(fen(&before.json["total"]), (0, 0, 0));

        // One pays online, one at the desk with the code on the phone; the first has it back.
        let slot = hospital.slot(&hospital.site.dr_li, 1, "08:00").await;
        let (held, paid) = has_paid(hospital, &li_na, &slot).await;
        let slot = hospital.slot(&hospital.site.dr_li, 2, "08:00").await;
        let booked = wang.gets(&slot).await;
        let page = wang.appointment(booked.id()).await;
        let code = page.text_at("check_in_code").to_lowercase();
        let to_pay = desk.get(&format!("/api/v1/staff/billing/to-pay?code={code}")).await.expect(200);
        assert_eq!(to_pay.text_at("subject_id"), booked.id());
        assert_eq!(to_pay.text_at("person_name_masked"), "王*");
        let cash = to_pay.number_at("amount_fen");
        assert_eq!(cash, booked.number_at("fee_fen"));
        let _ = desk.post_once("/api/v1/staff/billing/shift", json!({"float_fen": 20_000})).await.expect(201);
        let taking = json!({"subject_id": booked.id(), "way": "cash"});
        let _ = desk.post_once("/api/v1/staff/billing/takings", taking).await.expect(201);
        let by_id = format!("/api/v1/staff/billing/to-pay?code={}", booked.id());
        let _ = desk.get(&by_id).await.refused(409, "already_paid");
        let _ = desk.get("/api/v1/staff/billing/to-pay?code=nobody").await.expect(404);
        let online = paid.number_at("total_fen");
        let _ = li_na.cancels(held.id()).await.expect(200);
        refunds_are(&desk, held.id(), &["done"]).await;
        hospital.settle().await;

        let all = desk.get(&path).await.expect(200).json.clone();
        assert_eq!(fen(&all["total"]), (online + cash, online, cash), "{all}");
        assert_eq!((&all["total"]["payments"], &all["total"]["refunds"]), (&json!(2), &json!(1)));
        assert_eq!(fen(under(&all, "channels", &json!("wechatpay"))), (online, online, 0));
        assert_eq!(fen(under(&all, "channels", &json!("cash"))), (cash, 0, cash));
        for heading in ["channels", "departments", "cashiers"] {
            let net: i64 = all[heading].as_array().unwrap().iter().map(|row| fen(row).2).sum();
            assert_eq!(net, cash, "{heading}: {all}");
        }
        let shift = desk.get("/api/v1/staff/billing/shift").await.expect(200);
        let cashier = shift.json["staff_id"].clone();
        assert_eq!(fen(under(&all, "cashiers", &cashier)), (cash, 0, cash));
        assert_eq!(fen(under(&all, "cashiers", &Value::Null)), (online, online, 0));
        let department = booked.json["department_id"].clone();
        assert_eq!(fen(under(&all, "departments", &department)), (online + cash, online, cash));
        assert_eq!(hospital.books("clearing:%").await + hospital.books("cash-desk:%").await, cash);
        // What a drawer hands to the bank at its end is no refund.
        let _ = desk
            .post_once("/api/v1/staff/billing/shift/close", json!({"counted_fen": 20_000 + cash}))
            .await
            .expect(200);
        assert_eq!(desk.get(&path).await.expect(200).json, all);

        // Whoever is not on the list of staff is left out, the program and what is no id, too.
        let ids = cashier.as_str().unwrap();
        let names = desk.get(&format!("/api/v1/staff/billing/colleagues?ids={ids},stf_x,system")).await;
        assert!(names.expect(200).items().is_empty());
        let _ = desk
            .get("/api/v1/staff/billing/sums?from=2026-01-01&to=2026-12-31")
            .await
            .refused(422, "range_invalid");
        let _ = desk
            .get("/api/v1/staff/billing/sums?from=2026-01-02&to=2026-01-01")
            .await
            .refused(422, "range_invalid");
    })
    .await;
}

/// Whatever number somebody has in their hands leads to the bill, and from there to the last row of the ledger.
#[tokio::test(flavor = "multi_thread")]
async fn a_bill_is_found_by_any_number() {
    each_paying(async |hospital| {
        let (li_na, office) = (hospital.patient("李娜").await, hospital.staff(&[Role::Finance]).await);
        let slot = hospital.slot(&hospital.site.dr_li, 1, "08:00").await;
        let (held, paid) = has_paid(hospital, &li_na, &slot).await;
        let charge = paid.text_at("charge_id");
        let file = office.get(&format!("/api/v1/staff/billing/charges/{charge}")).await.expect(200);
        let ledger = file.json["ledger"].as_array().unwrap();
        let observation = ledger[0]["observation_id"].as_str().unwrap();
        let seen = office.get(&format!("/api/v1/staff/billing/observations/{observation}")).await.expect(200);
        let said: Value = serde_json::from_str(seen.text_at("said")).unwrap();
        let theirs = said["provider_no"].as_str().unwrap();
        let ours = testkit::paying::number(&paid);
        for number in [charge, paid.id(), &ours, held.id(), theirs] {
            let found =
                office.get(&format!("/api/v1/staff/billing/charges?number={number}")).await.expect(200);
            let ids: Vec<_> = found.items().iter().map(|one| one["id"].as_str().unwrap()).collect();
            assert_eq!(ids, [charge], "{number}");
        }
        for nothing in ["pmt_00000000000000000000000000", "4200000000", "chg_x"] {
            let found =
                office.get(&format!("/api/v1/staff/billing/charges?number={nothing}")).await.expect(200);
            assert!(found.items().is_empty(), "{nothing}");
        }
        let _ = office.get("/api/v1/staff/billing/charges?number=%20").await.refused(422, "text_length");
        let _ = office.get("/api/v1/staff/billing/charges/chg_x").await.expect(404);
    })
    .await;
}
