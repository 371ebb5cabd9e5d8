//! The bodies of the fuzz targets. Each takes any bytes and must neither panic nor break what it asserts.
//!
//! They are plain functions so that the ordinary tests drive them too, from the vectors, from vectors with bytes changed, and
//! from random bytes; the `fuzz` folder wraps them for cargo-fuzz, which needs a nightly compiler.

#![expect(clippy::panic, reason = "a broken promise must stop the fuzzer")]

use base64::Engine;

use crate::api;
use crate::callback::{AesKey, Credentials, Format, KeyUsed, Keys, Mode, Query, signature};
use crate::message::{self, Reply};

const TOKEN: &str = "FuzzToken";

fn credentials(choice: u8) -> Option<Credentials> {
    let modes = [Mode::Plain, Mode::Compatible, Mode::Safe, Mode::WeCom];
    let mode = *modes.get(usize::from(choice & 3))?;
    let key = |text| AesKey::parse(text).ok();
    Some(Credentials {
        token: TOKEN.into(),
        keys: Some(Keys {
            current: key("7kQ2mWz9XbR4cVt1YpLs8NfGh3JdAe6UoIiMn5CqKxE")?,
            previous: key("jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"),
        }),
        receive_id: "wx1f2e3d4c5b6a7980".into(),
        mode,
        format: if choice & 4 == 0 { Format::Xml } else { Format::Json },
    })
}

fn signed(encrypt: &str) -> Query {
    Query {
        signature: signature(&[TOKEN, "1", "2"]),
        msg_signature: signature(&[TOKEN, "1", "2", encrypt]),
        timestamp: "1".into(),
        nonce: "2".into(),
        echostr: Some(encrypt.to_owned()),
        ..Query::default()
    }
}

/// A push: one byte chooses mode and format, then the query up to a line's end, then the body. Once as it is, once with the
/// rest taken for a ciphertext that is rightly signed, so that what lies behind the signature is reached as well.
pub fn callback(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else { return };
    let Some(credentials) = credentials(*choice) else { return };
    let mut parts = rest.splitn(2, |byte| *byte == b'\n');
    let query = Query::parse(&String::from_utf8_lossy(parts.next().unwrap_or_default()));
    let _ = credentials.verify_url(&query);
    let _ = credentials.open(&query, parts.next().unwrap_or_default());

    let encrypt = base64::engine::general_purpose::STANDARD.encode(rest);
    let body = match credentials.format {
        Format::Xml => format!("<xml><Encrypt>{encrypt}</Encrypt></xml>"),
        Format::Json => format!("{{\"Encrypt\":\"{encrypt}\"}}"),
    };
    let _ = credentials.open(&signed(&encrypt), body.as_bytes());
    let _ = credentials.verify_url(&signed(&encrypt));
}

/// Any text that is sealed opens again, to the same.
pub fn seal(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else { return };
    let Some(credentials) = credentials(*choice) else { return };
    let text = String::from_utf8_lossy(rest);
    let Some(keys) = &credentials.keys else { return };
    let Ok(encrypt) = keys.current.encrypt([9; 16], text.as_bytes(), &credentials.receive_id) else { return };
    if keys.current.decrypt(&encrypt, &credentials.receive_id).as_deref() != Ok(&*text) {
        panic!("what was encrypted does not decrypt to the same");
    }
    let _ = credentials.seal_reply_with(&text, KeyUsed::Previous, i64::MIN, &text, [0; 16]);
}

/// The text inside a push, and its key for finding repetitions, which must not depend on when it is read.
pub fn message(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (Ok(push), Ok(again)) = (message::parse(&text), message::parse(&text)) else { return };
    if push.dedup_key() != again.dedup_key() {
        panic!("one push, two keys");
    }
}

/// A reply whose text is anything reads back, in both formats.
pub fn reply(data: &[u8]) {
    let text = String::from_utf8_lossy(data).into_owned();
    let Ok(push) = message::parse("{\"ToUserName\":\"gh\",\"FromUserName\":\"o\"}") else { return };
    for format in [Format::Xml, Format::Json] {
        if let Ok(written) = Reply::Text(text.clone()).write(format, &push, 1) {
            match message::parse(&written) {
                Ok(read) if read.from == "gh" && read.to == "o" => {}
                _ => panic!("a reply that cannot be read"),
            }
        }
    }
}

/// An answer of WeChat's interfaces, and the menu in it.
pub fn answer(data: &[u8]) {
    if let Ok(value) = api::read_answer(data) {
        let menu = api::menu::Menu::from_json(value.get("menu").unwrap_or(&value));
        let _ = (menu.check(), menu.to_json());
    }
}

/// A field of a template: the key up to a colon, then the value. What was fitted once stays as it is.
pub fn field(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (key, value) = text.split_once(':').unwrap_or(("thing1", &text));
    if let Ok(fitted) = api::field::fit_field(key, value)
        && api::field::fit_field(key, &fitted).as_ref() != Ok(&fitted)
    {
        panic!("fitting twice changes the value");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    const TARGETS: [fn(&[u8]); 6] = [callback, seal, message, reply, answer, field];

    fn run_all(data: &[u8]) {
        for target in TARGETS {
            target(data);
        }
    }

    /// Every text in the vectors that came from outside: queries, bodies, ciphertexts, messages.
    fn seeds() -> Vec<Vec<u8>> {
        let file: Value = serde_json::from_str(include_str!("../vectors/wechat_callback.json")).unwrap();
        let mut seeds = Vec::new();
        for section in
            ["official_account", "wecom", "negative", "known_answers", "replies", "url_verification"]
        {
            for case in file[section].as_array().unwrap() {
                let text = |name: &str| case[name].as_str().unwrap_or_default();
                let query =
                    format!("msg_signature={}&timestamp={}", text("msg_signature"), text("timestamp"));
                seeds.push(format!("\x02{query}&echostr={}\n{}", text("echostr"), text("body")).into_bytes());
                seeds.push(text("plaintext").as_bytes().to_vec());
                seeds.push(text("body").as_bytes().to_vec());
            }
        }
        seeds.retain(|seed| !seed.is_empty());
        seeds
    }

    #[test]
    fn the_vectors_and_their_mutations_do_no_harm() {
        // A fixed xorshift: the same mutations in each run.
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % u64::try_from(below.max(1)).unwrap()).unwrap()
        };
        let seeds = seeds();
        assert!(seeds.len() > 400);
        for seed in &seeds {
            run_all(seed);
            let small = &seed[..seed.len().min(2000)];
            for _ in 0..6 {
                let mut bytes = small.to_vec();
                for _ in 0..=random(4) {
                    let at = random(bytes.len());
                    match random(4) {
                        0 => bytes[at] = u8::try_from(random(256)).unwrap(),
                        1 => bytes.truncate(at + 1),
                        2 => bytes.insert(at, b"<>&]'\"{}\0\xff"[random(10)]),
                        _ => bytes.extend_from_slice(&seeds[random(seeds.len())][..1]),
                    }
                }
                run_all(&bytes);
            }
        }
    }

    proptest! {
        #[test]
        fn random_bytes_do_no_harm(data in proptest::collection::vec(any::<u8>(), 0..300)) {
            run_all(&data);
        }

        #[test]
        fn random_shapes_do_no_harm(data in "(<xml>|</xml>|<Encrypt>|</Encrypt>|<!\\[CDATA\\[|\\]\\]>|\\{|\\}|\"Encrypt\"|:|,|\\[|\\]|1|\"a\"|&#0;|&lt;|\\n|time1:|~|\\PC){0,30}") {
            run_all(data.as_bytes());
        }
    }
}
