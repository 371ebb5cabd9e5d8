//! Every case of `vectors/wechatpay_v3.json`, and properties around them.

use base::{Fen, UnixMs};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::bill::{self, BillError};
use super::client::{certificates, read_answer};
use super::keys::{KeyRing, Merchant};
use super::medins::{MixPayType, Split};
use super::model::{BillTicket, Prepay};
use super::notice::{Event, NoticeError};
use super::verify::{self, VerifyError};
use super::{calls, sensitive, sign};
use crate::crypto::aead::Apiv3Key;
use crate::crypto::rsa::{PrivateKey, PublicKey};
use crate::outcome::{Expected, Outcome, Retry};
use crate::wire::Answer;
use crate::{OutTradeNo, Verified};

fn file() -> Value {
    serde_json::from_str(include_str!("../../vectors/wechatpay_v3.json")).unwrap()
}

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap_or_default()
}

fn now(case: &Value) -> UnixMs {
    UnixMs(case["now"].as_i64().unwrap() * 1000)
}

fn body(case: &Value) -> Vec<u8> {
    match case["body_base64"].as_str() {
        Some(body) => STANDARD.decode(body).unwrap(),
        None => text(case, "body").as_bytes().to_vec(),
    }
}

fn headers(case: &Value) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in case["headers"].as_object().unwrap() {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        map.insert(name, HeaderValue::from_str(value.as_str().unwrap()).unwrap());
    }
    map
}

pub(crate) fn merchant() -> Merchant {
    let file = file();
    let keys = &file["keys"];
    let mut ring = KeyRing::default();
    let public = &keys["wechatpay_public_key"];
    ring.add_public_key(text(public, "id"), text(public, "public_key_pem")).unwrap();
    for certificate in keys["platform_certificates"].as_array().unwrap() {
        let serial = ring.add_certificate(text(certificate, "certificate_pem")).unwrap();
        assert_eq!(serial, text(certificate, "serial_no"), "leading zeros stay");
    }
    Merchant {
        mchid: text(keys, "mchid").into(),
        serial_no: text(&keys["merchant"], "serial_no").into(),
        private_key: PrivateKey::parse(text(&keys["merchant"], "private_key_pem")).unwrap(),
        apiv3_keys: vec![Apiv3Key::new(text(keys, "apiv3_key")).unwrap()],
        ring,
    }
}

#[test]
fn requests_are_signed_to_the_byte() {
    let merchant = merchant();
    let cases = file()["request_signing"].as_array().unwrap().clone();
    assert_eq!(cases.len(), 11);
    for case in cases {
        let (method, url, nonce) = (text(&case, "method"), text(&case, "url"), text(&case, "nonce_str"));
        let (at, body) = (
            case["timestamp"]
                .as_str()
                .map_or_else(|| case["timestamp"].as_i64().unwrap(), |t| t.parse().unwrap()),
            body(&case),
        );
        let message = sign::request_text(method, url, at, nonce, &body);
        assert_eq!(STANDARD.encode(&message), text(&case, "message_base64"), "{}", text(&case, "name"));
        let given = sign::authorization(&merchant, method, url, at, nonce, &body).unwrap();
        assert_eq!(given, text(&case, "authorization"), "{}", text(&case, "name"));
    }
}

#[test]
fn numbers_are_encoded_as_they_are_signed() {
    let no = OutTradeNo::new("A|B*C_1-2").unwrap();
    let call = calls::query("1900009999", &no);
    assert_eq!(call.target(), "/v3/pay/transactions/out-trade-no/A%7CB*C_1-2?mchid=1900009999");
}

#[test]
fn pages_get_what_they_need() {
    let merchant = merchant();
    for case in file()["pay_sign"].as_array().unwrap() {
        let at = case["time_stamp"].as_str().map_or_else(|| case["time_stamp"].to_string(), str::to_owned);
        let line4 = text(case, "line4");
        let message = sign::pay_text(text(case, "appid"), &at, text(case, "nonce_str"), line4);
        assert_eq!(STANDARD.encode(&message), text(case, "message_base64"));
        let given = merchant.private_key.sign(message.as_bytes()).unwrap();
        assert_eq!(given, text(case, "signature"), "{}", text(case, "name"));
        if let Some(prepay_id) = line4.strip_prefix("prepay_id=") {
            let pay = merchant.client_pay_with(text(case, "appid"), prepay_id, &at, text(case, "nonce_str"));
            assert_eq!(pay.unwrap().pay_sign, text(case, "signature"));
        }
    }
}

#[test]
fn answers_are_believed_only_with_a_good_signature() {
    let merchant = merchant();
    let cases = file()["responses"].as_array().unwrap().clone();
    assert_eq!(cases.len(), 9);
    for case in cases {
        let name = text(&case, "name");
        let status = u16::try_from(case["status"].as_u64().unwrap()).unwrap();
        let answer = Answer { status, headers: headers(&case), body: body(&case) };
        let proof = verify::check(&merchant.ring, &answer.headers, &answer.body, now(&case));
        let outcome = if status == 204 {
            let call = calls::close("1900009999", &OutTradeNo::new("REG20260921000001").unwrap()).unwrap();
            read_answer(&call, &answer, proof, None, now(&case)).done().map(|_| ())
        } else {
            let call: calls::Call<serde_json::Value> = calls::get("/".into());
            match read_answer(&call, &answer, proof, None, now(&case)) {
                Outcome::Done(_) => Some(()),
                Outcome::Refused(refusal) => {
                    assert_eq!(refusal.code, text(&case["expect"], "code"), "{name}");
                    assert_eq!(
                        (text(&case["expect"], "retry"), refusal.retry),
                        ("no", Retry::Never),
                        "{name}"
                    );
                    None
                }
                Outcome::Unknown(doubt) => {
                    assert_ne!(text(&case["expect"], "retry"), "no", "{name}");
                    assert_eq!(doubt.retry, Retry::QueryThenSame, "{name}");
                    None
                }
            }
        };
        assert_eq!(outcome.is_some(), text(&case["expect"], "verdict") == "accept", "{name}");
    }
}

#[test]
fn good_notices_open() {
    let merchant = merchant();
    let cases = file()["notifications"].as_array().unwrap().clone();
    assert_eq!(cases.len(), 13);
    for case in cases {
        let name = text(&case, "name");
        let notice = merchant.open_notice(&headers(&case), &body(&case), now(&case)).expect(name);
        assert_eq!(notice.by(), text(&case["expect"], "verified_with"), "{name}");
        assert_eq!(notice.event_type, text(&case["expect"], "event_type"), "{name}");
        let plain: Value = serde_json::from_str(text(&case["expect"], "plaintext")).unwrap();
        match &notice.event {
            Event::Transaction(order) => {
                assert_eq!(order.out_trade_no, text(&plain, "out_trade_no"));
                assert_eq!(
                    order.amount.as_ref().unwrap().total.0,
                    plain["amount"]["total"].as_i64().unwrap()
                );
                assert!(order.trade_state.is_paid() && order.success_time.is_some());
                assert!(
                    !format!("{order:?}").contains(text(&plain["payer"], "openid")),
                    "openids do not print"
                );
            }
            Event::Refund(refund) => assert_eq!(refund.out_refund_no, text(&plain, "out_refund_no")),
            Event::MedicalInsurance(order) => {
                assert!(order.is_paid() && !order.owes_cash_back());
                assert_eq!(order.total_fee.0, plain["total_fee"].as_i64().unwrap());
            }
            Event::Unknown => panic!("{name}"),
        }
    }
}

#[test]
fn bad_notices_are_refused_in_time() {
    let merchant = merchant();
    let stages = ["headers", "serial", "timestamp", "signature", "envelope", "decrypt", "business"];
    let place = |stage: &str| stages.iter().position(|known| *known == stage).unwrap();
    let cases = file()["notifications_negative"].as_array().unwrap().clone();
    assert_eq!(cases.len(), 53);
    for case in cases {
        let name = text(&case, "name");
        let stage = match merchant.open_notice(&headers(&case), &body(&case), now(&case)) {
            Err(NoticeError::TooLarge) => "envelope",
            Err(NoticeError::Verify(error)) => {
                let probe = matches!(error, VerifyError::Signature { probe: true, .. });
                assert_eq!(probe, name == "probe_signtest_prefix", "{name}");
                match error {
                    VerifyError::Header(_) | VerifyError::SignatureType(_) => "headers",
                    VerifyError::UnknownSerial(_) | VerifyError::Expired(_) => "serial",
                    VerifyError::Timestamp { .. } => "timestamp",
                    VerifyError::Signature { .. } => "signature",
                }
            }
            Err(NoticeError::Envelope(_)) => "envelope",
            Err(NoticeError::Decrypt) => "decrypt",
            Err(NoticeError::Content(_)) => "business",
            Ok(notice) => {
                let order = &case["local_order"];
                let expected = Expected {
                    merchant: text(order, "mchid"),
                    app: text(order, "appid"),
                    out_trade_no: text(order, "out_trade_no"),
                    total: Fen(order["amount_total"].as_i64().unwrap()),
                };
                assert!(notice.check(&expected).is_err(), "{name} must not be applied");
                "business"
            }
        };
        assert!(place(stage) <= place(text(&case["expect"], "stage")), "{name}: {stage}");
    }
}

#[test]
fn the_list_of_certificates_proves_itself_the_first_time() {
    let case = &file()["certificates_download"];
    let mut merchant = merchant();
    merchant.ring = KeyRing::default();
    let (ring, serials) = certificates(&merchant, &headers(case), &body(case), now(case)).unwrap();
    assert_eq!(serde_json::json!(serials), case["expect"]["serials"]);
    assert_eq!(ring.for_sealing(now(case)).unwrap().0, text(&case["expect"], "encrypt_with"));
    merchant.apiv3_keys = vec![Apiv3Key::new("another key, also of 32 letters!").unwrap()];
    assert!(certificates(&merchant, &headers(case), &body(case), now(case)).is_err());
}

#[test]
fn the_key_before_still_opens_what_was_queued() {
    let mut merchant = merchant();
    let other = Apiv3Key::new("another key, also of 32 letters!").unwrap();
    merchant.apiv3_keys.insert(0, other.clone());
    let case = &file()["notifications"][0];
    assert!(merchant.open_notice(&headers(case), &body(case), now(case)).is_ok());
    merchant.apiv3_keys = vec![other];
    let refused = merchant.open_notice(&headers(case), &body(case), now(case));
    assert_eq!(refused.unwrap_err(), NoticeError::Decrypt);
}

#[test]
fn sensitive_fields_are_sealed_as_asked() {
    let file = file();
    let keys = &file["keys"]["wechatpay_public_key"];
    let private = PrivateKey::parse(text(keys, "private_key_pem")).unwrap();
    let public = PublicKey::parse(text(keys, "public_key_pem")).unwrap();
    for case in file["sensitive_fields"].as_array().unwrap() {
        assert_eq!(private.open_oaep(text(case, "ciphertext")).unwrap(), text(case, "plaintext").as_bytes());
        let sealed = public.seal_oaep(text(case, "plaintext").as_bytes()).unwrap();
        assert_eq!(private.open_oaep(&sealed).unwrap(), text(case, "plaintext").as_bytes());
    }
    for case in file["sensitive_fields_negative"].as_array().unwrap() {
        assert!(private.open_oaep(text(case, "ciphertext")).is_err(), "{}", text(case, "name"));
    }
    for case in file["id_digest"].as_array().unwrap() {
        assert_eq!(sensitive::id_digest(text(case, "input")), text(case, "md5"));
    }
    assert!(public.seal_oaep(&[b'x'; 215]).is_err());
}

#[test]
fn insurance_splits_add_up() {
    let cases = file()["medical_amounts"].as_array().unwrap().clone();
    assert_eq!(cases.len(), 8);
    for case in cases {
        let fen = |name: &str| Fen(case[name].as_i64().unwrap());
        let sum = |name: &str| Fen(case[name].as_array().unwrap().iter().filter_map(Value::as_i64).sum());
        let split = Split {
            total: fen("total_fee"),
            gov: fen("med_ins_gov_fee"),
            own_account: fen("med_ins_self_fee"),
            other: fen("med_ins_other_fee"),
            insurance_cash: fen("med_ins_cash_fee"),
            wechat_cash: fen("wechat_pay_cash_fee"),
            added: sum("cash_add"),
            reduced: sum("cash_reduce"),
        };
        let verdict = split.check(&MixPayType::from(text(&case, "mix_pay_type").to_owned()));
        assert_eq!(verdict.is_ok(), case["valid"] == true, "{}: {verdict:?}", text(&case, "name"));
    }
}

fn ticket(case: &Value) -> Verified<BillTicket> {
    let ticket = BillTicket {
        hash_type: text(case, "hash_type").into(),
        hash_value: text(case, "hash_value").into(),
        download_url: String::new(),
    };
    Verified::seal(ticket, "test")
}

#[test]
fn bills_are_read_and_held_against_hash_and_sums() {
    let file = file();
    let bills = file["bills"].as_array().unwrap();
    assert_eq!(bills.len(), 4);
    for case in bills {
        let name = text(case, "name");
        let plain = STANDARD.decode(text(case, "plain_base64")).unwrap();
        let gzip = case["gzip_base64"].as_str().map(|text| STANDARD.decode(text).unwrap());
        if name.starts_with("fundflow") {
            let sums = bill::fund_flow(plain.as_slice(), false, &ticket(case), |_| ()).unwrap();
            assert_eq!((sums.rows, sums.income.0, sums.expense.0), (3, 1250, 1250));
            continue;
        }
        let mut rows = Vec::new();
        let read = bill::trade(plain.as_slice(), false, &ticket(case), |row| rows.push(row));
        match name {
            "tradebill_hash_mismatch" => assert!(matches!(read, Err(BillError::Hash)), "{read:?}"),
            "tradebill_summary_mismatch" => assert!(matches!(read, Err(BillError::Summary(_))), "{read:?}"),
            _ => {
                let sums = read.unwrap();
                let expect = &case["expect"];
                assert_eq!(i64::try_from(sums.rows).unwrap(), expect["rows"].as_i64().unwrap());
                assert_eq!(sums.order_total.0, expect["order_total_fen"].as_i64().unwrap());
                assert_eq!(sums.settled.0, expect["settle_total_fen"].as_i64().unwrap());
                assert_eq!(sums.refund.0, expect["refund_total_fen"].as_i64().unwrap());
                assert_eq!(rows.iter().filter(|row| row.kind == bill::RowKind::Refund).count(), 2);
                assert_eq!((rows[1].fee, rows[3].refund_status.as_str()), (234_000, "PROCESSING"));
                let zipped =
                    bill::trade(gzip.clone().unwrap().as_slice(), true, &ticket(case), |_| ()).unwrap();
                assert_eq!(*zipped, *sums);
                let cut = &gzip.unwrap()[..200];
                assert!(bill::trade(cut, true, &ticket(case), |_| ()).is_err());
                let mut bom = vec![0xEF, 0xBB, 0xBF];
                bom.extend(String::from_utf8(plain.clone()).unwrap().replace('\n', "\r\n").bytes());
                assert_eq!(bill::trade_unproved(&mut bom.as_slice(), |_| ()).unwrap(), *sums);
            }
        }
    }
}

/// A bill that is written while it is read: it never exists as a whole.
struct Endless {
    rows: u64,
    at: u64,
    buffer: std::collections::VecDeque<u8>,
}

impl std::io::Read for Endless {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        if self.buffer.is_empty() {
            let line = match self.at {
                0 => "交易时间,微信订单号,商户订单号,交易状态,订单金额,手续费\n".to_owned(),
                at if at <= self.rows => {
                    format!("`2026-09-20 08:01:02,`T{at},`REG{at},`SUCCESS,`12.50,`0.08000\n")
                }
                at if at == self.rows + 1 => {
                    let fen = self.rows * 1250;
                    let fee = self.rows * 8000;
                    format!(
                        "总交易单数,手续费总金额,订单总金额\n`{},`{}.{:05},`{}.{:02}\n",
                        self.rows,
                        fee / 100_000,
                        fee % 100_000,
                        fen / 100,
                        fen % 100
                    )
                }
                _ => return Ok(0),
            };
            self.at += 1;
            self.buffer.extend(line.bytes());
        }
        std::io::Read::read(&mut self.buffer, buf)
    }
}

#[test]
fn a_long_bill_is_read_as_it_comes() {
    let bill = || Endless { rows: 50_000, at: 0, buffer: std::collections::VecDeque::new() };
    let mut hash = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY);
    let mut whole = 0;
    let mut chunk = [0; 4096];
    let mut reader = bill();
    while let Ok(n @ 1..) = std::io::Read::read(&mut reader, &mut chunk) {
        hash.update(&chunk[..n]);
        whole += n;
    }
    let ticket = BillTicket {
        hash_type: "SHA1".into(),
        hash_value: hex::encode(hash.finish()),
        download_url: String::new(),
    };
    let mut seen = 0_u64;
    let sums = bill::trade(bill(), false, &Verified::seal(ticket, "test"), |_| seen += 1).unwrap();
    assert_eq!((sums.rows, seen, sums.order_total), (50_000, 50_000, Fen(62_500_000)));
    assert!(whole > 2_000_000);
    // A line without an end is refused, not collected.
    let endless = std::io::Read::take(std::io::repeat(b'x'), 10 << 20);
    assert!(bill::trade_unproved(&mut std::io::BufReader::new(endless), |_| ()).is_err());
}

#[test]
fn a_restored_call_has_the_same_bytes() {
    let no = OutTradeNo::new("REG20260921000001").unwrap();
    let order = calls::Order {
        mchid: "1900009999",
        appid: "wx8888888888888888",
        out_trade_no: &no,
        description: "挂号费",
        expires: UnixMs(1_790_000_000_000),
        notify_url: "https://h.example/n",
        attach: None,
        total: Fen(1250),
        support_fapiao: false,
    };
    let call: calls::Call<Prepay> = calls::jsapi(&order, "oUpF8").unwrap();
    let kept = call.body().to_vec();
    let later = calls::Order { expires: UnixMs(1_790_000_600_000), ..order.clone() };
    assert_ne!(calls::jsapi(&later, "oUpF8").unwrap().body(), kept);
    assert_eq!(calls::jsapi(&later, "oUpF8").unwrap().with_body(kept.clone()).body(), kept);
    for bad in ["http://h.example/n", "https://h.example/n?x=1", "nonsense"] {
        assert!(calls::native(&calls::Order { notify_url: bad, ..order.clone() }).is_err(), "{bad}");
    }
    assert!(calls::native(&calls::Order { total: Fen(0), ..order.clone() }).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// T2: what is signed verifies; one bit changed anywhere does not.
    #[test]
    fn one_bit_is_enough(body in proptest::collection::vec(any::<u8>(), 0..2048), bit in any::<prop::sample::Index>(), part in 0..3_u8) {
        let key = PrivateKey::parse(text(&file()["keys"]["wechatpay_public_key"], "private_key_pem")).unwrap();
        let merchant = merchant();
        let (at, nonce) = ("1790000000", "u8PNmR7sT2xYq4Wv6Zb1Kd3Fg5Hj9LcA");
        let signature = key.sign(&verify::answer_text(at, nonce, &body)).unwrap();
        let mut map = HeaderMap::new();
        let mut put = |name: &'static str, value: &str| { map.insert(name, HeaderValue::from_str(value).unwrap()); };
        put("wechatpay-serial", "PUB_KEY_ID_0119000099992026092100000000000001");
        put("wechatpay-timestamp", at);
        put("wechatpay-nonce", nonce);
        put("wechatpay-signature", &signature);
        let now = UnixMs(1_790_000_000_000);
        prop_assert!(verify::check(&merchant.ring, &map, &body, now).is_ok());
        let mut changed = body.clone();
        match part {
            0 if !body.is_empty() => {
                let at = bit.index(body.len() * 8);
                changed[at / 8] ^= 1 << (at % 8);
            }
            1 => { map.insert("wechatpay-timestamp", HeaderValue::from_static("1790000001")); }
            _ => { map.insert("wechatpay-nonce", HeaderValue::from_static("u8PNmR7sT2xYq4Wv6Zb1Kd3Fg5Hj9LcB")); }
        }
        if part == 0 && body.is_empty() { changed.push(b'x'); }
        prop_assert!(verify::check(&merchant.ring, &map, &changed, now).is_err());
    }

    /// T20: any split made by the rule passes; one fen more anywhere does not.
    #[test]
    fn splits_made_by_the_rule_pass(gov in 0..1_000_000_i64, own in 0..1_000_000_i64, other in 0..1_000_i64, cash in 1..1_000_000_i64, added in 0..10_000_i64, reduced in 0..10_000_i64, which in 0..7_usize) {
        let wechat = cash + added - reduced;
        prop_assume!(wechat > 0);
        let good = Split {
            total: Fen(gov + own + other + cash + added), gov: Fen(gov), own_account: Fen(own), other: Fen(other),
            insurance_cash: Fen(cash), wechat_cash: Fen(wechat), added: Fen(added), reduced: Fen(reduced),
        };
        prop_assert!(good.check(&MixPayType::CashAndInsurance).is_ok());
        let mut bad = good;
        let field = [&mut bad.total, &mut bad.gov, &mut bad.own_account, &mut bad.other, &mut bad.insurance_cash, &mut bad.wechat_cash, &mut bad.added]
            .into_iter().nth(which).unwrap();
        field.0 += 1;
        prop_assert!(bad.check(&MixPayType::CashAndInsurance).is_err());
    }
}
