//! A hospital at its insurance bureau, and WeChat's cashier for both at once.

use std::sync::Arc;

use base::{Fen, UnixMs};
use pay::crypto::sm::{DEFAULT_USER_ID, Sm2PrivateKey, Sm2PublicKey};
use pay::insurance::{
    Client, Config, FeeItem, FeeUpload, InsuranceRefund, OrdStas, PlaceOrder, RefundKind, RefundStatus,
    SettlementTotals, WhichOrder,
};
use pay::wechatpay::medins::{self, MixPayType, NewMixedOrder, Patient, Split};
use pay::wechatpay::notice::Event;
use pay::{Outcome, Secret};
use serde_json::{Value, json};

use super::wechatpay::{client as wechatpay_client, no, place};
use super::{Till, nothing, text};
use crate::lab::{APPID, Lab, START, lab, secs};

async fn bureau(lab: &Lab, dialect: Value) -> Client {
    let state = lab.patch("/sim/v1/insurance", json!({ "dialect": dialect })).await;
    let mut settings = dialect;
    settings["app_id"] = state["app_id"].clone();
    settings["app_secret"] = state["app_secret"].clone();
    settings["version"] = json!("1.0.0");
    let province = serde_json::from_value(settings).unwrap();
    let key = Sm2PrivateKey::parse(&text(&state, "hospital_private_key"), DEFAULT_USER_ID).unwrap();
    let theirs = Sm2PublicKey::parse(&text(&state, "bureau_public_key"), DEFAULT_USER_ID).unwrap();
    let config = Config { base: lab.sim.base_url(), timeout: secs(5) };
    Client::new(lab.http.clone(), config, lab.clock.clone(), province, Arc::new(key), theirs)
}

fn fees(bill: &str, auth: &str, price: i64) -> FeeUpload {
    let own = |text: &str| text.to_owned();
    FeeUpload {
        org_codg: own("H53010200001"),
        psn_no: own("P1"),
        insutype: own("310"),
        med_org_ord: own(bill),
        begntime: own("2026-01-05 08:00:00"),
        id_no: "11010519491231002X".into(),
        user_name: "张三".into(),
        id_type: own("01"),
        pay_auth_no: own(auth),
        insuplc_admdvs: own("530100"),
        ipt_otp_no: own(bill),
        atddr_no: own("D1"),
        dr_name: own("李四"),
        dept_code: own("A03"),
        dept_name: own("心内科"),
        med_type: own("11"),
        fee_type: own("01"),
        medfee_sumamt: Fen(price * 2),
        acct_used_flag: own("1"),
        chrg_bchno: own(bill),
        items: vec![FeeItem {
            feedetl_sn: own("1"),
            chrg_bchno: own(bill),
            fee_ocur_time: own("2026-01-05 08:00:00"),
            med_list_codg: own("001102"),
            medins_list_codg: own("G1"),
            det_item_fee_sumamt: Fen(price * 2),
            cnt: 2,
            pric: Fen(price),
        }],
    }
}

fn which(id: &str, token: &str) -> WhichOrder {
    WhichOrder {
        pay_ord_id: id.into(),
        org_codg: "H53010200001".into(),
        pay_token: token.into(),
        id_no: "11010519491231002X".into(),
        user_name: "张三".into(),
        id_type: "01".into(),
    }
}

#[tokio::test]
async fn fees_are_settled_asked_returned_and_totalled_in_two_dialects() {
    for dialect in [
        json!({}),
        json!({ "sealed_as": "hex", "signed_as": "hex", "signature": "der", "sm4_key": "secret" }),
    ] {
        let lab = lab().await;
        let bureau = bureau(&lab, dialect).await;
        let auth = text(&lab.post("/sim/v1/insurance/authorisations", nothing()).await, "pay_auth_no");
        let upload = fees("BILL1", &auth, 5000);
        let order = bureau.send(&upload).await.done().unwrap().into_inner();
        assert_eq!(
            bureau.send(&upload).await.done().unwrap().pay_ord_id,
            order.pay_ord_id,
            "the same bill again"
        );
        let used = bureau.send(&fees("BILL2", &auth, 5000)).await;
        assert!(matches!(&used, Outcome::Refused(refusal) if refusal.code == "1102"), "{used:?}");
        let pay = PlaceOrder {
            pay_auth_no: auth.clone(),
            pay_ord_id: order.pay_ord_id.clone(),
            pay_token: order.pay_token.clone(),
            org_codg: "H53010200001".into(),
            org_biz_ser: "S1".into(),
            chrg_bchno: "BILL1".into(),
            fee_type: "01".into(),
            acct_used_flag: "1".into(),
        };
        // The answer is lost; asking tells.
        lab.pay_faults(json!({ "drop_answer": 1 })).await;
        assert!(matches!(bureau.send(&pay).await, Outcome::Unknown(_)));
        let state = bureau.send(&which(&order.pay_ord_id, &order.pay_token)).await.done().unwrap();
        assert_eq!((state.state(), state.adds_up()), (OrdStas::Settled, true));
        assert_eq!(
            (state.fund_pay, state.psn_acct_pay, state.own_pay_amt),
            (Fen(7000), Fen(1500), Fen(1500))
        );
        for (fault, what) in
            [("unsigned", "proof"), ("wrong_key", "proof"), ("cut_body", "form"), ("too_many", "busy")]
        {
            lab.pay_faults(json!({ fault: 1 })).await;
            let asked = bureau.send(&which(&order.pay_ord_id, &order.pay_token)).await;
            assert!(matches!(asked, Outcome::Unknown(_)), "{fault} {what}: {asked:?}");
        }
        let totals = |count: u64| SettlementTotals {
            setl_optins: "530100".into(),
            insutype: "310".into(),
            clr_type: "11".into(),
            stmt_begndate: "2026-01-05".into(),
            stmt_enddate: "2026-01-05".into(),
            medfee_sumamt: Fen(10_000),
            fund_pay_sumamt: Fen(7000),
            acct_pay: Fen(1500),
            fixmedins_setl_cnt: count,
        };
        assert!(bureau.send(&totals(1)).await.done().unwrap().agrees());
        assert!(!bureau.send(&totals(2)).await.done().unwrap().agrees());
        let back = |sn: &str, fund: i64| InsuranceRefund {
            pay_ord_id: order.pay_ord_id.clone(),
            org_codg: "H53010200001".into(),
            app_refd_sn: sn.into(),
            app_refd_time: "20260105090000".into(),
            totl_refd_amt: Fen(fund + 1500),
            psn_acct_refd_amt: Fen(1500),
            fund_refd_amt: Fen(fund),
            cash_refd_amt: Fen(0),
            pay_auth_no: auth.clone(),
            refd_type: RefundKind::Insurance,
        };
        let part = bureau.send(&back("R0", 1000)).await;
        assert!(matches!(&part, Outcome::Refused(refusal) if refusal.code == "3003"), "{part:?}");
        let done = bureau.send(&back("R1", 7000)).await.done().unwrap();
        assert_eq!(done.ref_status, RefundStatus::Success);
        assert_eq!(
            bureau.send(&back("R1", 7000)).await.done().unwrap().ref_status,
            RefundStatus::Success,
            "once only"
        );
        let twice = bureau.send(&back("R2", 7000)).await;
        assert!(matches!(&twice, Outcome::Refused(refusal) if refusal.code == "3004"), "{twice:?}");
    }
}

#[tokio::test]
async fn insurance_and_cash_are_paid_at_once_and_each_part_can_fail() {
    let lab = lab().await;
    let (_, openid) = lab.follower().await;
    let (till, url) = Till::open().await;
    let bureau = bureau(&lab, json!({})).await;
    let wechat = wechatpay_client(&lab).await;
    let mchid = wechat.merchant().mchid.clone();
    for (at, (insurance, cash)) in
        [("ok", "ok"), ("fail", "ok"), ("unknown", "ok"), ("ok", "unknown")].iter().enumerate()
    {
        let auth = text(&lab.post("/sim/v1/insurance/authorisations", nothing()).await, "pay_auth_no");
        let bill = format!("BILL{at}");
        let fees = bureau.send(&fees(&bill, &auth, 5000)).await.done().unwrap().into_inner();
        let number = no(&format!("MIX2026000{at}"));
        let prepay =
            wechat.send(&place(&mchid, &number, &openid, &url, 1500, UnixMs(START))).await.done().unwrap();
        let patient = Patient {
            name: Secret::new("张三"),
            id_number: Secret::new("11010519491231002X"),
            card_type: "ID_CARD",
        };
        let order = NewMixedOrder {
            kind: MixPayType::CashAndInsurance,
            order_type: "REG_PAY",
            appid: APPID,
            openid: &openid,
            payer: &patient,
            relative: None,
            out_trade_no: &number,
            serial_no: &bill,
            pay_order_id: Some(&fees.pay_ord_id),
            pay_auth_no: Some(&auth),
            geo_location: Some("102.682296,25.054260"),
            city_id: "530100",
            med_inst_name: "杏林医院",
            med_inst_no: "H53010200001",
            created: UnixMs(START),
            split: Split {
                total: Fen(10_000),
                gov: Fen(7000),
                own_account: Fen(1500),
                insurance_cash: Fen(1500),
                wechat_cash: Fen(1500),
                ..Split::default()
            },
            additions: &[],
            reductions: &[],
            callback_url: &url,
            prepay_id: Some(&prepay.prepay_id),
            passthrough: None,
            attach: None,
        };
        let call = medins::create(&order, &wechat.merchant().ring, UnixMs(START)).unwrap();
        assert!(!String::from_utf8_lossy(call.body()).contains("张三"));
        let placed = wechat.send(&call).await.done().unwrap();
        assert!(!placed.is_paid());
        lab.post(
            &format!("/sim/v1/wechatpay/mixed/{number}/pay"),
            json!({ "insurance": insurance, "cash": cash }),
        )
        .await;
        let state = wechat.send(&medins::query(&number)).await.done().unwrap();
        assert_eq!(state.is_paid(), (*insurance, *cash) == ("ok", "ok"), "{insurance} {cash}");
        assert_eq!(state.owes_cash_back(), *insurance == "fail", "{insurance} {cash}");
        if state.is_paid() {
            let mut kinds = Vec::new();
            for _ in 0..2 {
                let (headers, body) = till.next().await;
                let notice = wechat.receive(&headers, &body).await.unwrap();
                if let Event::MedicalInsurance(told) = &notice.event {
                    assert!(told.is_paid() && told.total_fee == Fen(10_000));
                }
                kinds.push(notice.event_type.clone());
            }
            kinds.sort();
            assert_eq!(kinds, ["MEDICAL_INSURANCE.SUCCESS", "TRANSACTION.SUCCESS"]);
            let told = medins::InsuranceReturned {
                mix_trade_no: &state.mix_trade_no,
                total: Fen(8500),
                gov: Fen(7000),
                own_account: Fen(1500),
                other: Fen(0),
                at: UnixMs(START),
                out_refund_no: None,
            };
            assert!(wechat.send(&medins::tell_refund(&told).unwrap()).await.done().is_some());
        }
    }
}
