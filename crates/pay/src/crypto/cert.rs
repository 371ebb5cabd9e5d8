//! Certificates: serial numbers as WeChat and Alipay write them, validity, and the key inside.

use base::UnixMs;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

use super::rsa::PublicKey;
use super::{CryptoError, md5_hex, pem};

const NOT: CryptoError = CryptoError::Key("not a certificate");

/// A certificate with an RSA key.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The serial in upper-case hex with its leading zeros, as WeChat's headers carry it.
    pub serial: String,
    /// Valid from.
    pub from: UnixMs,
    /// Valid until, inclusive.
    pub until: UnixMs,
    /// The key.
    pub key: PublicKey,
    der: Vec<u8>,
}

impl Certificate {
    /// Reads one certificate from PEM.
    ///
    /// # Errors
    /// [`CryptoError::Key`].
    pub fn parse(text: &str) -> Result<Self, CryptoError> {
        let (_, der) = pem::first(text, &["CERTIFICATE"]).ok_or(NOT)?;
        let (_, parsed) = X509Certificate::from_der(&der).map_err(|_| NOT)?;
        let ms = |at: i64| UnixMs(at.saturating_mul(1000));
        Ok(Self {
            serial: serial_hex(&parsed),
            from: ms(parsed.validity().not_before.timestamp()),
            until: ms(parsed.validity().not_after.timestamp()),
            key: PublicKey::from_der(parsed.public_key().raw)?,
            der: der.to_vec(),
        })
    }

    /// True while it may be used.
    #[must_use]
    pub fn valid_at(&self, now: UnixMs) -> bool {
        self.from <= now && now <= self.until
    }

    /// Alipay's number of a certificate: MD5 over its issuer and decimal serial.
    ///
    /// # Errors
    /// [`CryptoError::Key`].
    pub fn alipay_sn(&self) -> Result<String, CryptoError> {
        let (_, parsed) = X509Certificate::from_der(&self.der).map_err(|_| NOT)?;
        alipay_sn(&parsed)
    }
}

/// The serial without the zero byte that DER puts before a high bit, but with the zeros that are its own: 20 bytes, 40 digits.
fn serial_hex(certificate: &X509Certificate<'_>) -> String {
    let raw = certificate.raw_serial();
    let bytes = match raw.split_first() {
        Some((0, rest)) if rest.first().is_some_and(|byte| *byte >= 0x80) => rest,
        _ => raw,
    };
    hex::encode_upper(bytes)
}

fn alipay_sn(certificate: &X509Certificate<'_>) -> Result<String, CryptoError> {
    // The issuer as OpenSSL's RFC 2253 form gives it: the reverse of the order in the certificate.
    let mut parts = Vec::new();
    for attribute in certificate.issuer().iter_attributes() {
        let name = match attribute.attr_type().to_id_string().as_str() {
            "2.5.4.3" => "CN",
            "2.5.4.6" => "C",
            "2.5.4.7" => "L",
            "2.5.4.8" => "ST",
            "2.5.4.10" => "O",
            "2.5.4.11" => "OU",
            _ => return Err(CryptoError::Key("an issuer with an attribute that Alipay does not use")),
        };
        parts.push(format!("{name}={}", attribute.as_str().map_err(|_| NOT)?));
    }
    parts.reverse();
    let text = format!("{}{}", parts.join(","), certificate.tbs_certificate.serial);
    Ok(md5_hex(text.as_bytes()))
}

/// `alipay_root_cert_sn`: the numbers of all root certificates signed with RSA, joined by `_`. Those signed with SM2 and ECDSA
/// stand in Alipay's file too and do not count.
///
/// # Errors
/// [`CryptoError::Key`] when none is left.
pub fn alipay_root_sn(chain: &str) -> Result<String, CryptoError> {
    let mut all = Vec::new();
    for der in pem::all(chain, "CERTIFICATE") {
        let Ok((_, parsed)) = X509Certificate::from_der(&der) else { continue };
        // 1.2.840.113549.1.1.*: PKCS#1.
        if parsed.signature_algorithm.algorithm.to_id_string().starts_with("1.2.840.113549.1.1.") {
            all.push(alipay_sn(&parsed)?);
        }
    }
    if all.is_empty() { Err(NOT) } else { Ok(all.join("_")) }
}

/// The first certificate of `chain`, if each is signed by the next, the last by one of `roots` (RSA with SHA-256), and all are
/// valid now.
///
/// # Errors
/// [`CryptoError::Key`] for what is no certificate, [`CryptoError::Signature`] for a chain that does not hold.
pub fn verify_chain(chain: &str, roots: &str, now: UnixMs) -> Result<Certificate, CryptoError> {
    use base64::Engine as _;

    let ders = pem::all(chain, "CERTIFICATE");
    let root_ders = pem::all(roots, "CERTIFICATE");
    let read = |der: &[u8]| Certificate::parse(&pem::write("CERTIFICATE", der));
    let signed_by = |child: &[u8], parent: &[u8]| -> bool {
        let (Ok((_, child)), Ok((_, issuer)), Ok(parent)) =
            (X509Certificate::from_der(child), X509Certificate::from_der(parent), read(parent))
        else {
            return false;
        };
        let signature = base64::engine::general_purpose::STANDARD.encode(&child.signature_value.data);
        child.issuer().as_raw() == issuer.subject().as_raw()
            && issuer.is_ca()
            && parent.valid_at(now)
            && parent.key.verify(child.tbs_certificate.as_ref(), &signature).is_ok()
    };
    let leaf = read(ders.first().ok_or(NOT)?)?;
    if !leaf.valid_at(now) {
        return Err(CryptoError::Signature);
    }
    for (at, child) in ders.iter().enumerate() {
        if root_ders.iter().any(|root| signed_by(child, root)) {
            return Ok(leaf);
        }
        if !ders.get(at + 1).is_some_and(|parent| signed_by(child, parent)) {
            break;
        }
    }
    Err(CryptoError::Signature)
}
