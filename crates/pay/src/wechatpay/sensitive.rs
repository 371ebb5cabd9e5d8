//! Fields that WeChat wants sealed, and the digest of an identity number.

use crate::crypto::md5_hex;

/// `id_digest`: lower-case hex MD5 of the 18-character number in upper case. Numbers of 15 digits are extended first; other
/// documents (passports, permits) are only put in upper case.
#[must_use]
pub fn id_digest(number: &str) -> String {
    let upper = number.trim().to_ascii_uppercase();
    let whole = extend(&upper).unwrap_or(upper);
    md5_hex(whole.as_bytes())
}

/// A resident number of 15 digits as one of 18: the century and a check character (GB 11643, ISO 7064 MOD 11-2).
fn extend(number: &str) -> Option<String> {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    if number.len() != 15 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (region, rest) = number.split_at_checked(6)?;
    let body = format!("{region}19{rest}");
    let sum: u32 = body.chars().filter_map(|c| c.to_digit(10)).zip(WEIGHTS).map(|(d, w)| d * w).sum();
    let check = "10X98765432".chars().nth(usize::try_from(sum % 11).ok()?)?;
    Some(format!("{body}{check}"))
}
