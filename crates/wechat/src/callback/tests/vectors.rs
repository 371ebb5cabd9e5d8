//! Every case of `vectors/wechat_callback.json` that concerns callbacks.

use serde_json::Value;

use super::super::*;

fn file() -> Value {
    serde_json::from_str(include_str!("../../../vectors/wechat_callback.json")).unwrap()
}

fn cases(section: &str) -> Vec<Value> {
    file()[section].as_array().unwrap().clone()
}

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap_or_default()
}

/// The account of a case. `Err` is what entering this key on the settings page gives.
fn account(case: &Value, mode: Mode) -> Result<Credentials, Error> {
    let keys = match case["encoding_aes_key"].as_str() {
        Some(key) => Some(Keys { current: AesKey::parse(key)?, previous: None }),
        None => None,
    };
    Ok(Credentials {
        token: text(case, "token").into(),
        keys,
        receive_id: text(case, "receive_id").into(),
        mode,
        format: if text(case, "format") == "json" { Format::Json } else { Format::Xml },
    })
}

fn query(case: &Value) -> Query {
    let signature = if case["signature"].is_string() { "signature" } else { "signature_plain" };
    Query {
        signature: text(case, signature).into(),
        msg_signature: text(case, "msg_signature").into(),
        timestamp: text(case, "timestamp").into(),
        nonce: text(case, "nonce").into(),
        echostr: case["echostr"].as_str().map(str::to_owned),
        ..Query::default()
    }
}

fn random(case: &Value) -> [u8; 16] {
    match case["random16_hex"].as_str() {
        Some(random) => hex::decode(random).unwrap().try_into().unwrap(),
        None => text(case, "random16").as_bytes().try_into().unwrap(),
    }
}

#[test]
fn url_verification() {
    let mut seen = 0;
    for case in cases("url_verification") {
        let name = text(&case, "name");
        let mode = if text(&case, "kind") == "wecom" { Mode::WeCom } else { Mode::Safe };
        let account = account(&case, mode).unwrap();
        let mut queries = vec![query(&case)];
        queries.extend(case["query"].as_str().map(Query::parse));
        for query in queries {
            let answer = account.verify_url(&query);
            match case["expect"]["body"].as_str() {
                Some(body) => assert_eq!(answer.as_deref(), Ok(body), "{name}"),
                None => {
                    let error = answer.expect_err(name);
                    let expected = case["expect"]["errcode"].as_i64().unwrap_or(-40001);
                    assert_eq!(i64::from(error.errcode()), expected, "{name}");
                }
            }
            seen += 1;
        }
    }
    assert_eq!(seen, 21);
}

#[test]
fn every_good_push_opens_and_seals_again_to_the_same_bytes() {
    let mut seen = 0;
    for (section, mode) in [("official_account", Mode::Safe), ("wecom", Mode::WeCom)] {
        for case in cases(section) {
            let name = text(&case, "name");
            let account = account(&case, mode).unwrap();
            let opened = account.open(&query(&case), text(&case, "body").as_bytes());
            let expected = Opened { plaintext: text(&case, "plaintext").into(), key: KeyUsed::Current };
            assert_eq!(opened, Ok(expected), "{name}");
            let key = &account.keys.as_ref().unwrap().current;
            let message = text(&case, "plaintext").as_bytes();
            let encrypt = key.encrypt(random(&case), message, &account.receive_id).unwrap();
            assert_eq!(encrypt, text(&case, "encrypt"), "{name}");
            let parts = [text(&case, "token"), text(&case, "timestamp"), text(&case, "nonce")];
            assert_eq!(signature(&parts), text(&case, "signature_plain"), "{name}");
            seen += 1;
        }
    }
    assert_eq!(seen, 53);
}

#[test]
fn replies_are_the_same_bytes() {
    for case in cases("replies") {
        let name = text(&case, "name");
        let account = account(&case, Mode::Safe).unwrap();
        let time = text(&case, "timestamp").parse().unwrap();
        let reply = text(&case, "plaintext");
        let sealed =
            account.seal_reply_with(reply, KeyUsed::Current, time, text(&case, "nonce"), random(&case));
        assert_eq!(sealed.as_deref(), Ok(text(&case, "envelope")), "{name}");
        assert!(text(&case, "envelope").contains(text(&case["expect"], "MsgSignature")), "{name}");
    }
}

#[test]
fn every_bad_push_is_refused_for_its_reason() {
    let all = cases("negative");
    assert_eq!(all.len(), 103);
    for case in all {
        let name = text(&case, "name");
        let mode = if text(&case, "kind") == "wecom" { Mode::WeCom } else { Mode::Safe };
        let refused = account(&case, mode)
            .and_then(|account| account.open(&query(&case), text(&case, "body").as_bytes()))
            .expect_err(name);
        let expect = &case["expect"];
        let mut allowed = vec![expect["errcode"].as_i64().unwrap()];
        allowed.extend(expect["also_acceptable"].as_array().unwrap().iter().filter_map(Value::as_i64));
        assert!(allowed.contains(&i64::from(refused.errcode())), "{name}: {refused:?}, not {allowed:?}");
    }
}

#[test]
fn published_answers() {
    let mut seen = 0;
    for case in cases("known_answers") {
        let name = text(&case, "name");
        seen += 1;
        match text(&case, "kind") {
            "verify" => {
                let parts = [text(&case, "token"), text(&case, "timestamp"), text(&case, "nonce")];
                assert_eq!(signature(&parts), text(&case, "signature"), "{name}");
            }
            "decrypt" => {
                let account = account(&case, Mode::Safe).unwrap();
                let body = format!("<xml><Encrypt>{}</Encrypt></xml>", text(&case, "encrypt"));
                let opened = account.open(&query(&case), body.as_bytes()).unwrap();
                assert_eq!(opened.plaintext, text(&case, "plaintext"), "{name}");
            }
            "encrypt" => {
                let account = account(&case, Mode::Safe).unwrap();
                let key = account.keys.unwrap().current;
                let message = text(&case, "plaintext").as_bytes();
                let encrypt = key.encrypt(random(&case), message, &account.receive_id).unwrap();
                assert_eq!(encrypt, text(&case, "encrypt"), "{name}");
                if let Some(expected) = case["msg_signature"].as_str() {
                    let parts =
                        [text(&case, "token"), text(&case, "timestamp"), text(&case, "nonce"), &encrypt];
                    assert_eq!(signature(&parts), expected, "{name}");
                }
            }
            // Mini programs' old user data is another cipher (AES-128, block 16), not a callback.
            kind => {
                assert_eq!(kind, "miniprogram_decrypt", "{name}");
                seen -= 1;
            }
        }
    }
    assert_eq!(seen, 11);
}
