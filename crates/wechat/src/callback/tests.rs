//! The published and the made-up vectors, then properties.

mod vectors;

use proptest::prelude::*;

use super::*;

const KEY: &str = "7kQ2mWz9XbR4cVt1YpLs8NfGh3JdAe6UoIiMn5CqKxE";
const OLD_KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";

fn credentials(mode: Mode, format: Format) -> Credentials {
    Credentials {
        token: "Xinglin2026Token".into(),
        keys: Some(Keys {
            current: AesKey::parse(KEY).unwrap(),
            previous: Some(AesKey::parse(OLD_KEY).unwrap()),
        }),
        receive_id: "wx1f2e3d4c5b6a7980".into(),
        mode,
        format,
    }
}

/// A push as WeChat would send it, sealed with the named key.
fn push(message: &str, key: &str, format: Format) -> (Query, String) {
    let encrypt =
        AesKey::parse(key).unwrap().encrypt([7; 16], message.as_bytes(), "wx1f2e3d4c5b6a7980").unwrap();
    let query = signed(&encrypt);
    let body = match format {
        Format::Xml => format!("<xml><ToUserName>gh_0</ToUserName><Encrypt>{encrypt}</Encrypt></xml>"),
        Format::Json => serde_json::json!({ "ToUserName": "gh_0", "Encrypt": encrypt }).to_string(),
    };
    (query, body)
}

fn signed(encrypt: &str) -> Query {
    Query {
        signature: signature(&["Xinglin2026Token", "1767225600", "42"]),
        msg_signature: signature(&["Xinglin2026Token", "1767225600", "42", encrypt]),
        timestamp: "1767225600".into(),
        nonce: "42".into(),
        ..Query::default()
    }
}

#[test]
fn while_the_key_is_changed_both_open_and_the_reply_uses_the_one_that_did() {
    for (key, used) in [(KEY, KeyUsed::Current), (OLD_KEY, KeyUsed::Previous)] {
        for format in [Format::Xml, Format::Json] {
            let account = credentials(Mode::Safe, format);
            let (query, body) = push("<xml/>", key, format);
            let opened = account.open(&query, body.as_bytes()).unwrap();
            assert_eq!(opened, Opened { plaintext: "<xml/>".into(), key: used });

            let reply = account.seal_reply("<xml>你好</xml>", used, 1_767_225_601, "43").unwrap();
            let encrypt = envelope::read(format, &reply).unwrap().unwrap();
            let text = AesKey::parse(key).unwrap().decrypt(&encrypt, "wx1f2e3d4c5b6a7980").unwrap();
            assert_eq!(text, "<xml>你好</xml>");
            assert!(reply.contains(&signature(&["Xinglin2026Token", "1767225601", "43", &encrypt])));
        }
    }
}

#[test]
fn when_no_key_opens_the_reason_of_the_current_one_is_told() {
    let account = credentials(Mode::Safe, Format::Xml);
    let (query, body) = push("<xml/>", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", Format::Xml);
    assert_eq!(account.open(&query, body.as_bytes()), Err(Error::Padding));
}

#[test]
fn a_reply_cannot_be_sealed_with_a_key_that_is_gone() {
    let mut account = credentials(Mode::Safe, Format::Xml);
    account.keys.as_mut().unwrap().previous = None;
    assert_eq!(account.seal_reply("x", KeyUsed::Previous, 1, "2"), Err(Error::NoKey));
    assert_eq!(account.seal_reply("x", KeyUsed::None, 1, "2"), Ok("x".into()));
}

#[test]
fn a_plain_body_is_taken_in_plain_mode_only() {
    const BODY: &str = "<xml><MsgType>text</MsgType><Content>hi</Content></xml>";
    let query = signed("");
    let plain = credentials(Mode::Plain, Format::Xml);
    assert_eq!(
        plain.open(&query, BODY.as_bytes()),
        Ok(Opened { plaintext: BODY.into(), key: KeyUsed::None })
    );
    let forged = Query { signature: "0".repeat(40), ..query.clone() };
    assert_eq!(plain.open(&forged, BODY.as_bytes()), Err(Error::Signature));
    for mode in [Mode::Compatible, Mode::Safe, Mode::WeCom] {
        let refused = credentials(mode, Format::Xml).open(&query, BODY.as_bytes());
        assert!(matches!(refused, Err(Error::Envelope(_))), "{mode:?}");
    }
}

#[test]
fn beside_an_encrypted_copy_the_plain_fields_are_not_believed() {
    let (query, body) = push("<xml><Content>true</Content></xml>", KEY, Format::Xml);
    let body = body.replace("</xml>", "<MsgType>text</MsgType><Content>forged</Content></xml>").into_bytes();
    for mode in [Mode::Plain, Mode::Compatible, Mode::Safe] {
        let opened = credentials(mode, Format::Xml).open(&query, &body).unwrap();
        assert_eq!(opened.plaintext, "<xml><Content>true</Content></xml>", "{mode:?}");
    }
    // Without a key, plain mode has nothing but the plain fields.
    let mut plain = credentials(Mode::Plain, Format::Xml);
    plain.keys = None;
    assert_eq!(plain.open(&query, &body).unwrap().key, KeyUsed::None);
    let (query, sealed_only) = push("<xml/>", KEY, Format::Xml);
    assert_eq!(plain.open(&query, sealed_only.as_bytes()), Err(Error::NoKey));
}

#[test]
fn an_empty_token_verifies_nothing() {
    let mut account = credentials(Mode::Plain, Format::Xml);
    account.token = "".into();
    let query = Query {
        signature: signature(&["", "1", "2"]),
        timestamp: "1".into(),
        nonce: "2".into(),
        echostr: Some("e".into()),
        ..Query::default()
    };
    assert_eq!(account.verify_url(&query), Err(Error::Signature));
}

#[test]
fn a_body_over_the_limit_is_refused_although_its_signature_is_right() {
    let (query, body) = push(&"a".repeat(2 * MAX_BODY), KEY, Format::Xml);
    let refused = credentials(Mode::Safe, Format::Xml).open(&query, body.as_bytes());
    assert_eq!(refused, Err(Error::TooLarge));
}

#[test]
fn the_query_is_read_as_wechat_writes_it() {
    let query =
        Query::parse("h=1&signature=a&timestamp=1&nonce=2&echostr=a%2Bb+c%3D%3D&timestamp=3&openid=oLX1");
    assert_eq!(query.echostr.as_deref(), Some("a+b+c=="));
    assert_eq!((query.timestamp.as_str(), query.signature.as_str()), ("3", "a"));
    assert!(query.openid == "oLX1" && !format!("{query:?}").contains("oLX1"));
    assert_eq!(Query::parse(""), Query::default());
    assert_eq!(Query::parse("&&=&echostr").echostr.as_deref(), Some(""));
}

#[test]
fn secrets_do_not_print() {
    let shown = format!("{:?}", credentials(Mode::Safe, Format::Xml));
    assert!(!shown.contains("Xinglin2026Token") && !shown.contains("236"), "{shown}");
}

proptest! {
    #[test]
    fn what_is_sealed_opens(message in "\\PC{0,80}", random: [u8; 16], json: bool) {
        let format = if json { Format::Json } else { Format::Xml };
        let account = credentials(Mode::Safe, format);
        let reply = account.seal_reply_with(&message, KeyUsed::Current, 7, "n", random).unwrap();
        let encrypt = envelope::read(format, &reply).unwrap().unwrap();
        let query = Query {
            msg_signature: signature(&["Xinglin2026Token", "7", "n", &encrypt]),
            timestamp: "7".into(),
            nonce: "n".into(),
            ..Query::default()
        };
        prop_assert_eq!(account.open(&query, reply.as_bytes()).unwrap().plaintext, message);
    }

    /// Correctly signed rubbish: nothing below the signature may panic.
    #[test]
    fn signed_rubbish_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), blocks in 0_usize..6) {
        use base64::Engine;
        let bytes: Vec<u8> = bytes.into_iter().cycle().take(blocks * 32).collect();
        let encrypt = base64::engine::general_purpose::STANDARD.encode(bytes);
        let body = format!("<xml><Encrypt>{encrypt}</Encrypt></xml>");
        let refused = credentials(Mode::Safe, Format::Xml).open(&signed(&encrypt), body.as_bytes());
        prop_assert!(refused.is_err());
    }

    /// Any change of a single byte of a good body is refused, or does not change what is read.
    #[test]
    fn one_changed_byte_never_changes_the_message(at: prop::sample::Index, to: u8) {
        let (query, body) = push("<xml><Content>hello</Content></xml>", KEY, Format::Xml);
        let mut bytes = body.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = to;
        if let Ok(opened) = credentials(Mode::Safe, Format::Xml).open(&query, &bytes) {
            prop_assert_eq!(opened.plaintext, "<xml><Content>hello</Content></xml>");
        }
    }
}
