//! Certificates for the platforms that we play: X.509 v3, SHA-256 with RSA, written by hand because that is all they need.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pay::crypto::rsa::PrivateKey;

/// `AlgorithmIdentifier` of sha256WithRSAEncryption.
const SHA256_RSA: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00];
/// `[3] { SEQ { basicConstraints critical CA:TRUE } }`.
const IS_CA: &[u8] = &[
    0xa3, 0x13, 0x30, 0x11, 0x30, 0x0f, 0x06, 0x03, 0x55, 0x1d, 0x13, 0x01, 0x01, 0xff, 0x04, 0x05, 0x30,
    0x03, 0x01, 0x01, 0xff,
];

/// A certificate for `key` in PEM, signed by `issuer_key`, with the serial of these hex digits. `None` when the key can't be
/// written.
pub(crate) fn certificate(
    serial_hex: &str,
    subject: &str,
    key: &PrivateKey,
    issuer: &str,
    issuer_key: &PrivateKey,
    ca: bool,
) -> Option<String> {
    let mut serial = hex::decode(serial_hex).ok()?;
    if serial.first().is_some_and(|byte| *byte >= 0x80) {
        serial.insert(0, 0);
    }
    let public: String =
        key.public().ok()?.to_pem().lines().filter(|line| !line.starts_with("-----")).collect();
    let validity = [tlv(0x17, b"250101000000Z"), tlv(0x17, b"450101000000Z")].concat();
    let mut tbs = [
        tlv(0xa0, &tlv(0x02, &[2])),
        tlv(0x02, &serial),
        SHA256_RSA.to_vec(),
        name(issuer),
        tlv(0x30, &validity),
        name(subject),
        STANDARD.decode(public).ok()?,
    ]
    .concat();
    if ca {
        tbs.extend_from_slice(IS_CA);
    }
    let tbs = tlv(0x30, &tbs);
    let signature = STANDARD.decode(issuer_key.sign(&tbs).ok()?).ok()?;
    let bits = tlv(0x03, &[&[0][..], &signature].concat());
    let der = tlv(0x30, &[tbs, SHA256_RSA.to_vec(), bits].concat());
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for (at, letter) in STANDARD.encode(der).chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            pem.push('\n');
        }
        pem.push(letter);
    }
    pem.push_str("\n-----END CERTIFICATE-----\n");
    Some(pem)
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len();
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short), _) if short < 0x80 => out.push(short),
        (Ok(byte), _) => out.extend([0x81, byte]),
        (_, Ok(word)) => {
            out.push(0x82);
            out.extend(word.to_be_bytes());
        }
        // Nothing here is as long as that.
        _ => out.push(0x80),
    }
    out.extend_from_slice(content);
    out
}

/// `C=CN, O=Xinglin Simulator, OU=…, CN=…`.
fn name(common: &str) -> Vec<u8> {
    let part = |kind: u8, tag: u8, text: &str| {
        let oid = tlv(0x06, &[0x55, 0x04, kind]);
        tlv(0x31, &tlv(0x30, &[oid, tlv(tag, text.as_bytes())].concat()))
    };
    let parts = [
        part(6, 0x13, "CN"),
        part(10, 0x0c, "Xinglin Simulator"),
        part(11, 0x0c, "Payments"),
        part(3, 0x0c, common),
    ];
    tlv(0x30, &parts.concat())
}
