//! Every case of `vectors/alipay_rsa2.json`.

use std::collections::BTreeMap;
use std::io::Cursor;

use base::Fen;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::answer::{judge, prove};
use super::keys::{AlipayKeys, Merchant};
use super::notice::{ACCEPTED, Event};
use super::{bill, rest, sign};
use crate::crypto::cert::Certificate;
use crate::crypto::rsa::PrivateKey;
use crate::outcome::{Expected, Outcome};
use crate::yuan;

fn file() -> Value {
    serde_json::from_str(include_str!("../../vectors/alipay_rsa2.json")).unwrap()
}

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap_or_default()
}

pub(crate) fn merchant() -> Merchant {
    let file = file();
    let keys = &file["keys"];
    let pkcs1 = PrivateKey::parse(text(&keys["app"], "private_key_pkcs1_pem")).unwrap();
    let pkcs8 = PrivateKey::parse(text(&keys["app"], "private_key_pkcs8_pem")).unwrap();
    assert_eq!(pkcs1.sign(b"x"), pkcs8.sign(b"x"), "both forms are the same key");
    Merchant {
        app_id: text(keys, "app_id").into(),
        seller_id: text(keys, "seller_id").into(),
        private_key: pkcs8,
        keys: AlipayKeys::key(text(&keys["alipay"], "public_key_pem")).unwrap(),
    }
}

#[test]
fn requests_are_signed_to_the_byte() {
    let merchant = merchant();
    let cases = file()["signed_requests"].as_array().unwrap().clone();
    assert_eq!(cases.len(), 11);
    for case in cases {
        let params: BTreeMap<String, String> = serde_json::from_value(case["params"].clone()).unwrap();
        let content = sign::content(&params);
        assert_eq!(content, text(&case, "sign_content"), "{}", text(&case, "name"));
        let signature = merchant.private_key.sign(content.as_bytes()).unwrap();
        assert_eq!(signature, text(&case, "sign"));
        // What we encode decodes to the same parameters.
        let mut sent = params.clone();
        sent.insert("sign".into(), signature);
        let decoded: BTreeMap<String, String> =
            url::form_urlencoded::parse(sign::encode(sent.iter()).as_bytes()).into_owned().collect();
        let theirs: BTreeMap<String, String> =
            url::form_urlencoded::parse(text(&case, "urlencoded").as_bytes()).into_owned().collect();
        assert_eq!((&decoded, &decoded), (&sent, &theirs));
    }
}

#[test]
fn certificates_have_the_numbers_that_alipay_gives_them() {
    let file = file();
    let case = &file["certificate_sn"];
    let (app, theirs, roots) = (
        text(case, "app_certificate_pem"),
        text(case, "alipay_certificate_pem"),
        text(case, "root_chain_pem"),
    );
    let AlipayKeys::Certificates { app_cert_sn, root_cert_sn, alipay, .. } =
        AlipayKeys::certificates(app, theirs, roots).unwrap()
    else {
        panic!("certificate mode");
    };
    assert_eq!(app_cert_sn, text(case, "app_cert_sn"));
    assert_eq!(root_cert_sn, text(case, "alipay_root_cert_sn"));
    assert_eq!(alipay.keys().next().unwrap(), text(case, "alipay_cert_sn"));
    assert_eq!(Certificate::parse(theirs).unwrap().alipay_sn().unwrap(), text(case, "alipay_cert_sn"));
}

#[test]
fn answers_are_proved_over_their_raw_text() {
    let merchant = merchant();
    let cases = file()["responses"].as_array().unwrap().clone();
    assert_eq!(cases.len(), 15);
    for case in cases {
        let (name, body) = (text(&case, "name"), STANDARD.decode(text(&case, "body_base64")).unwrap());
        // What was called: the case about another method's answer holds the other method's node.
        let node = if name == "other_method_node" { "error_response" } else { text(&case, "method_node") };
        let called = node.replace("error_response", "alipay_trade_query_response");
        let method = called.trim_end_matches("_response").replace('_', ".");
        let proved = prove(&merchant, &method, &body);
        match text(&case["expect"], "verdict") {
            "reject" => assert!(proved.is_err(), "{name}"),
            verdict => {
                let proved = proved.expect(name);
                assert_eq!(*proved, text(&case, "sign_content"), "{name}");
                match judge(proved, |_| Ok(())) {
                    Outcome::Done(_) if verdict == "accept" => {}
                    Outcome::Refused(refusal) => {
                        assert_eq!(refusal.code, text(&case["expect"], "sub_code"), "{name}")
                    }
                    Outcome::Unknown(_) => assert_eq!(name, "system_error_signed"),
                    Outcome::Done(_) => panic!("{name}"),
                }
            }
        }
    }
}

fn open(case: &Value) -> Result<crate::Verified<super::notice::Notice>, super::notice::NoticeError> {
    merchant().open_notice(text(case, "body").as_bytes())
}

#[test]
fn good_notices_are_read() {
    let cases = file()["notifications"].as_array().unwrap().clone();
    assert_eq!(cases.len(), 12);
    for case in cases {
        let name = text(&case, "name");
        let notice = open(&case).expect(name);
        let Event::Trade(trade) = &notice.event else {
            assert_eq!(name, "rsa_check_v2_sign_type_kept");
            continue;
        };
        assert_eq!(trade.trade_status.as_str(), text(&case["expect"], "trade_status"), "{name}");
        assert_eq!(trade.total_amount.0, case["expect"]["amount_fen"].as_i64().unwrap(), "{name}");
        let refund = matches!(name, "partial_refund" | "full_refund_trade_closed");
        assert_eq!(trade.is_refund(), refund, "{name}");
        assert_eq!(trade.is_payment(), !refund && name != "unpaid_timeout_trade_closed", "{name}");
    }
    assert_eq!(file()["notify_answer"]["accepted"], ACCEPTED);
}

#[test]
fn bad_notices_are_refused() {
    let cases = file()["notifications_negative"].as_array().unwrap().clone();
    assert_eq!(cases.len(), 20);
    for case in cases {
        let name = text(&case, "name");
        match open(&case) {
            Err(_) => assert_eq!(text(&case["expect"], "stage"), "signature", "{name}"),
            Ok(notice) => {
                assert_eq!(text(&case["expect"], "stage"), "business", "{name}");
                let order = &case["expect"]["local_order"];
                let expected = Expected {
                    merchant: text(order, "seller_id"),
                    app: text(order, "app_id"),
                    out_trade_no: text(order, "out_trade_no"),
                    total: Fen(order["total_amount_fen"].as_i64().unwrap()),
                };
                let Event::Trade(trade) = &notice.event else { panic!("{name}") };
                assert!(trade.check(&expected).is_err() || !trade.is_payment(), "{name}");
            }
        }
    }
}

#[test]
fn yuan_become_fen_exactly_or_not_at_all() {
    for case in file()["yuan_to_fen"].as_array().unwrap() {
        let read = yuan::parse(text(case, "text"));
        assert_eq!(read.ok().map(|fen| fen.0), case["fen"].as_i64(), "{case}");
    }
}

#[test]
fn the_rest_gateway() {
    let file = file();
    let mut merchant = merchant();
    for case in file["gateway_v3_requests"].as_array().unwrap() {
        let (auth, method, url) = (text(case, "auth_string"), text(case, "method"), text(case, "url"));
        let (body, token) = (text(case, "body").as_bytes(), case["app_auth_token"].as_str());
        let message = rest::request_text(auth, method, url, body, token);
        assert_eq!(STANDARD.encode(&message), text(case, "message_base64"));
        let given = rest::authorization(&merchant, auth, method, url, body, token).unwrap();
        assert_eq!(given, text(case, "authorization"));
    }
    let certificates = &file["certificate_sn"];
    for certificate_mode in [false, true] {
        if certificate_mode {
            merchant.keys = AlipayKeys::certificates(
                text(certificates, "app_certificate_pem"),
                text(certificates, "alipay_certificate_pem"),
                text(certificates, "root_chain_pem"),
            )
            .unwrap();
        }
        for case in file["gateway_v3_responses"].as_array().unwrap() {
            let mut headers = HeaderMap::new();
            for (name, value) in case["headers"].as_object().unwrap() {
                let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
                headers.insert(name, HeaderValue::from_str(value.as_str().unwrap()).unwrap());
            }
            let checked = rest::check(&merchant, &headers, text(case, "body").as_bytes());
            assert_eq!(checked.is_ok(), case["expect"]["verdict"] == "accept");
        }
    }
}

#[test]
fn the_bill_is_read_and_adds_up() {
    let file = file();
    let case = &file["bill"];
    let zip = STANDARD.decode(text(case, "zip_base64")).unwrap();
    let mut rows = Vec::new();
    let sums = bill::trade(Cursor::new(&zip), |row| rows.push(row)).unwrap();
    assert_eq!((sums.payments, sums.refunds), (1, 1));
    assert_eq!((sums.paid, sums.refunded), (Fen(1250), Fen(-1250)));
    assert_eq!(
        (rows[1].refund, rows[1].out_request_no.as_str(), rows[1].total),
        (true, "RF20260920000001", Fen(-1250))
    );
    let (gbk, ..) = encoding_rs::GBK.encode(text(case, "detail_text"));
    assert_eq!(bill::details_of(&mut gbk.as_ref(), |_| ()).unwrap(), sums);
    let wrong = text(case, "detail_text").replace("实收共12.50元", "实收共12.51元");
    let (gbk, ..) = encoding_rs::GBK.encode(&wrong);
    assert!(matches!(bill::details_of(&mut gbk.as_ref(), |_| ()), Err(bill::BillError::Summary(_))));
    let cut = text(case, "detail_text").split("#---").next().unwrap().to_owned();
    let (gbk, ..) = encoding_rs::GBK.encode(&cut);
    assert!(matches!(bill::details_of(&mut gbk.as_ref(), |_| ()), Err(bill::BillError::Summary(_))));
    assert!(bill::trade(Cursor::new(&zip[..zip.len() / 2]), |_| ()).is_err());
}
