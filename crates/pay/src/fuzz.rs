//! Bodies of the fuzz targets: they may refuse, never panic and never keep more than a bound. A test drives them with the
//! vectors and with broken copies of them.

use base::UnixMs;

use crate::crypto::aead::Apiv3Key;
use crate::{alipay, insurance, moment, wechatpay, yuan};

/// A WeChat Pay notice behind its signature: envelope, seal, content; and the content alone.
pub fn wechatpay_notice(bytes: &[u8]) {
    if let Ok(key) = Apiv3Key::new("0123456789abcdef0123456789abcdef")
        && let Ok(sealed) = key.seal("012345678901", "", bytes)
    {
        let _ = key.open("012345678901", "", &sealed);
    }
    let _ = serde_json::from_slice::<wechatpay::Transaction>(bytes);
    let _ = serde_json::from_slice::<wechatpay::Refund>(bytes);
    let _ = serde_json::from_slice::<wechatpay::medins::MixedOrder>(bytes);
    let headers = reqwest::header::HeaderMap::new();
    let _ = wechatpay::verify::check(&wechatpay::KeyRing::default(), &headers, bytes, UnixMs(0));
    let _ = wechatpay::classify(400, bytes, None);
}

/// WeChat Pay's bills.
pub fn wechatpay_bill(bytes: &[u8]) {
    let _ = wechatpay::bill::trade_unproved(&mut &*bytes, |_| ());
    let _ = wechatpay::bill::fund_unproved(&mut &*bytes, |_| ());
}

/// An Alipay notice: the form, and its members.
pub fn alipay_notice(bytes: &[u8]) {
    if let Ok(members) = alipay::notice::form(bytes) {
        let _ = alipay::notice::read(&members);
    }
}

/// Alipay's bill: as a zip and as its text.
pub fn alipay_bill(bytes: &[u8]) {
    let _ = alipay::bill::trade(std::io::Cursor::new(bytes), |_| ());
    let _ = alipay::bill::details_of(&mut &*bytes, |_| ());
}

/// The insurance bureau's content, and texts that all of them write.
pub fn insurance_answer(bytes: &[u8]) {
    let _ = serde_json::from_slice::<insurance::OrderState>(bytes);
    let _ = serde_json::from_slice::<insurance::Refunded>(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = yuan::parse_signed(text);
        let _ = yuan::parse_fee(text);
        let _ = moment::parse_beijing(text);
        let _ = moment::parse_rfc3339(text);
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::Value;

    use super::*;

    /// Every text in the vectors, and what their base64 stands for, whole, cut and with a byte changed, through all targets.
    #[test]
    fn the_vectors_and_broken_copies_of_them() {
        let mut seeds = Vec::new();
        for file in [
            include_str!("../vectors/wechatpay_v3.json"),
            include_str!("../vectors/alipay_rsa2.json"),
            include_str!("../vectors/sm_crypto.json"),
        ] {
            collect(&serde_json::from_str(file).unwrap(), &mut seeds);
        }
        assert!(seeds.len() > 500, "{}", seeds.len());
        for (at, seed) in seeds.iter().enumerate() {
            let mut changed = seed.clone();
            let place = (at * 7919) % seed.len().max(1);
            if let Some(byte) = changed.get_mut(place) {
                *byte ^= 1 << (at % 8);
            }
            for bytes in [seed, &changed, &seed[..place]] {
                for target in [wechatpay_notice, wechatpay_bill, alipay_notice, alipay_bill, insurance_answer]
                {
                    target(bytes);
                }
            }
        }
    }

    fn collect(value: &Value, seeds: &mut Vec<Vec<u8>>) {
        match value {
            Value::String(text) => {
                seeds.extend(STANDARD.decode(text).ok());
                seeds.push(text.clone().into_bytes());
            }
            Value::Array(list) => list.iter().for_each(|value| collect(value, seeds)),
            Value::Object(map) => map.values().for_each(|value| collect(value, seeds)),
            _ => {}
        }
    }
}
