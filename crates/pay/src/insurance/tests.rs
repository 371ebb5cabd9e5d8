//! Every case of `vectors/sm_crypto.json`, and the envelope in its dialects.

use base::Fen;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::crypto::sm::{
    DEFAULT_USER_ID, SignatureForm, Sm2PrivateKey, Sm2PublicKey, Sm2Signer as _, Sm4Mode, pack, sm3_hex,
    sm4_open, sm4_seal,
};

fn file() -> Value {
    serde_json::from_str(include_str!("../../vectors/sm_crypto.json")).unwrap()
}

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap_or_default()
}

#[test]
fn sm3_and_sm4() {
    let file = file();
    for case in file["sm3"].as_array().unwrap() {
        assert_eq!(sm3_hex(text(case, "text").as_bytes()), text(case, "hex"));
    }
    let mode = |case: &Value| match text(case, "mode") {
        "CBC" => Sm4Mode::Cbc(hex::decode(text(case, "iv_hex")).unwrap().try_into().unwrap()),
        _ => Sm4Mode::Ecb,
    };
    for case in file["sm4"].as_array().unwrap() {
        let key = hex::decode(text(case, "key_hex")).unwrap();
        let (plain, cipher) =
            (hex::decode(text(case, "plain_hex")).unwrap(), hex::decode(text(case, "cipher_hex")).unwrap());
        let sealed = sm4_seal(&key, mode(case), &plain).unwrap();
        if text(case, "padding") == "none" {
            assert_eq!(sealed[..16], cipher);
        } else {
            assert_eq!(sealed, cipher);
            assert_eq!(*sm4_open(&key, mode(case), &cipher).unwrap(), plain);
        }
    }
    for case in file["sm4_negative"].as_array().unwrap() {
        let key = hex::decode(text(case, "key_hex")).unwrap();
        let cipher = hex::decode(text(case, "cipher_hex")).unwrap();
        assert!(sm4_open(&key, mode(case), &cipher).is_err(), "{}", text(case, "name"));
    }
}

#[test]
fn sm2_signatures() {
    let file = file();
    let cases = file["sm2_signatures"].as_array().unwrap();
    assert_eq!(cases.len(), 14);
    for case in cases {
        let name = text(case, "name");
        let keys = &file["keys"][case["key"].as_str().unwrap_or("a")];
        let good = text(case, "expect") == "verify";
        let rs = hex::decode(text(case, "signature_rs_hex")).unwrap();
        for form in ["public_key_pem", "public_xy_hex"] {
            let key = Sm2PublicKey::parse(text(keys, form), text(case, "user_id")).unwrap();
            let message = text(case, "message").as_bytes();
            assert_eq!(key.verify(message, &rs, SignatureForm::Rs).is_ok(), good, "{name}");
            if let Some(der) = case["signature_der_hex"].as_str() {
                let der = hex::decode(der).unwrap();
                assert_eq!(key.verify(message, &der, SignatureForm::Der).is_ok(), good, "{name}");
                let rs: [u8; 64] = rs.clone().try_into().unwrap();
                assert_eq!(pack(&rs, SignatureForm::Der).unwrap(), der);
            }
        }
    }
    for which in ["a", "b"] {
        let keys = &file["keys"][which];
        for form in ["private_key_pem", "private_d_hex"] {
            let key = Sm2PrivateKey::parse(text(keys, form), DEFAULT_USER_ID).unwrap();
            assert_eq!(key.public_hex(), text(keys, "public_xy_hex"));
            assert_eq!(format!("{key:?}"), "***");
            let public = Sm2PublicKey::parse(&key.public_hex(), DEFAULT_USER_ID).unwrap();
            assert!(public.verify(b"x", &key.sign(b"x").unwrap(), SignatureForm::Rs).is_ok());
        }
    }
}

fn province() -> Province {
    serde_json::from_value(json!({
        "app_id": "43AF047BBA47FC8A1AE8EFB232BDBBCB", "app_secret": "4117E877F5FA0A0188891283E4B617D5", "version": "1.0.0",
    }))
    .unwrap()
}

fn keys() -> (Sm2PrivateKey, Sm2PublicKey) {
    let key = Sm2PrivateKey::parse(text(&file()["keys"]["a"], "private_d_hex"), DEFAULT_USER_ID).unwrap();
    let public = Sm2PublicKey::parse(&key.public_hex(), DEFAULT_USER_ID).unwrap();
    (key, public)
}

#[test]
fn every_dialect_opens_what_it_sealed_and_no_other() {
    let (key, public) = keys();
    let data = json!({ "payOrdId": "ORD1", "userName": "张三", "feeSumamt": "151.00" });
    let mut dialects = Vec::new();
    for signature in [SignatureForm::Rs, SignatureForm::Der] {
        for sealed_as in [Encoding::Base64, Encoding::Hex] {
            for sm4_key in [Sm4Key::Derived, Sm4Key::Secret] {
                for sort in [SortRule::Bytes, SortRule::IgnoreCase] {
                    dialects.push(Province {
                        signature,
                        sealed_as,
                        signed_as: sealed_as,
                        sm4_key,
                        sort,
                        ..province()
                    });
                }
            }
        }
    }
    for (at, dialect) in dialects.iter().enumerate() {
        let sealed =
            seal(dialect, &key, &data, &[("code", json!(0)), ("B", json!("x"))], 1_790_000_000_000).unwrap();
        assert!(!sealed.to_string().contains("张三"));
        for (other_at, other) in dialects.iter().enumerate() {
            let opened = open(other, &public, sealed.to_string().as_bytes());
            assert_eq!(opened.is_ok(), at == other_at, "{at} {other_at}");
        }
        let opened = open(dialect, &public, sealed.to_string().as_bytes()).unwrap();
        assert_eq!(opened["data"], data);
        let mut changed = sealed.clone();
        changed["code"] = json!(1);
        assert!(open(dialect, &public, changed.to_string().as_bytes()).is_err());
    }
    assert!(!format!("{:?}", province()).contains("4117E877"));
}

#[test]
fn states_and_sums() {
    let state = |stas: &str, fund: Value| -> OrderState {
        serde_json::from_value(json!({
            "payOrdId": "O", "ordStas": stas, "feeSumamt": "151.00", "fundPay": fund, "psnAcctPay": "40.50", "ownPayAmt": 10,
            "later": true,
        }))
        .unwrap()
    };
    assert!(state("6", json!("100.50")).adds_up() && state("6", json!(100.5)).adds_up());
    assert!(!state("6", json!("100.51")).adds_up());
    let states = ["0", "4", "9", "15", "77", "x"].map(|stas| state(stas, json!(0)).state());
    use OrdStas::{Failed, Open, Settled, Undone, Unknown};
    assert_eq!(states, [Open, Settled, Undone, Failed, Unknown, Unknown]);
    let refund = |refd_type, fund: i64, cash: i64| InsuranceRefund {
        pay_ord_id: "O".into(),
        org_codg: "H".into(),
        app_refd_sn: "R1".into(),
        app_refd_time: "20260921221320".into(),
        totl_refd_amt: Fen(fund + cash),
        psn_acct_refd_amt: Fen(0),
        fund_refd_amt: Fen(fund),
        cash_refd_amt: Fen(cash),
        pay_auth_no: "A".into(),
        refd_type,
    };
    assert!(refund(RefundKind::All, 5, 5).check().is_ok());
    assert!(
        refund(RefundKind::Cash, 5, 5).check().is_err()
            && refund(RefundKind::Insurance, 5, 5).check().is_err()
    );
}

proptest! {
    #[test]
    fn sm4_goes_there_and_back(plain in proptest::collection::vec(any::<u8>(), 0..200), key in any::<[u8; 16]>(), iv in any::<[u8; 16]>()) {
        for mode in [Sm4Mode::Ecb, Sm4Mode::Cbc(iv)] {
            let sealed = sm4_seal(&key, mode, &plain).unwrap();
            prop_assert_eq!(&*sm4_open(&key, mode, &sealed).unwrap(), &plain);
        }
    }
}
