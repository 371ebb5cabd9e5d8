//! Codes that people type: one in place of a password, and those for who has lost the second factor.

use ::store::{StoreError, Vault};
use base::HospitalId;
use edge::StaffId;

use crate::store::{STAFF_CODE, STAFF_RECOVERY};

/// No 0, O, 1, I or L, which look alike in print.
const ALPHABET: &[u8; 31] = b"ABCDEFGHJKMNPQRSTUVWXYZ23456789";
/// 79 bits.
const CODE: usize = 16;
/// 49 bits.
const RECOVERY: usize = 10;
/// 39 bits, for a quarter of an hour.
const PAIRING: usize = 8;
/// How many recovery codes somebody gets.
pub const RECOVERY_CODES: usize = 8;

/// A code in place of a password: `ABCD-EFGH-JKMN-PQRS`.
///
/// # Errors
/// When the machine gives no random bytes.
pub fn one_time() -> Result<String, StoreError> {
    Ok(grouped(&random(CODE)?, 4))
}

/// Recovery codes: `ABCDE-FGHJK`.
///
/// # Errors
/// When the machine gives no random bytes.
pub fn recovery() -> Result<Vec<String>, StoreError> {
    (0..RECOVERY_CODES).map(|_| Ok(grouped(&random(RECOVERY)?, 5))).collect()
}

/// What a device shows that asks to be let in: `ABCD-EFGH`.
///
/// # Errors
/// When the machine gives no random bytes.
pub fn pairing() -> Result<String, StoreError> {
    Ok(grouped(&random(PAIRING)?, 4))
}

/// What somebody typed, without spaces and hyphens, in capitals; empty when no code looks like it.
#[must_use]
pub fn normalise(typed: &str) -> String {
    if typed.len() > 100 {
        return String::new();
    }
    let plain = crate::documents::normalise(typed).to_ascii_uppercase();
    plain.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// Whether this may be a recovery code, rather than six digits.
#[must_use]
pub fn is_recovery(normalised: &str) -> bool {
    normalised.len() == RECOVERY
}

/// The keyed hash that is kept. Codes are random, so that nobody can try them all: no slow hash is needed.
pub(crate) fn one_time_hash(vault: &Vault, h: HospitalId, id: StaffId, typed: &str) -> String {
    vault.blind(h, STAFF_CODE, &format!("{id}|{}", normalise(typed)))
}

/// As [`one_time_hash`].
pub(crate) fn recovery_hash(vault: &Vault, h: HospitalId, id: StaffId, typed: &str) -> String {
    vault.blind(h, STAFF_RECOVERY, &format!("{id}|{}", normalise(typed)))
}

fn random(length: usize) -> Result<String, StoreError> {
    // The largest multiple of 31 that a byte holds: what lies above would favour the first letters.
    const FAIR: u8 = 248;
    let mut text = String::new();
    while text.len() < length {
        let mut bytes = [0_u8; 32];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| StoreError::Config("no random bytes".into()))?;
        let fair = bytes.iter().filter(|b| **b < FAIR);
        let letters = fair.filter_map(|b| ALPHABET.get(usize::from(b % 31)).map(|c| char::from(*c)));
        text.extend(letters.take(length - text.len()));
    }
    Ok(text)
}

fn grouped(text: &str, by: usize) -> String {
    let letters: Vec<char> = text.chars().collect();
    letters.chunks(by).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_readable_and_differ() {
        let code = one_time().unwrap();
        assert_eq!(code.len(), 19, "{code}");
        assert!(code.bytes().all(|b| b == b'-' || ALPHABET.contains(&b)), "{code}");
        assert_eq!(normalise(&code.to_lowercase().replace('-', " ")), code.replace('-', ""));
        let all = recovery().unwrap();
        assert_eq!(all.len(), RECOVERY_CODES);
        assert!(all.iter().all(|c| is_recovery(&normalise(c))), "{all:?}");
        let different: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(different.len(), RECOVERY_CODES);
        assert!(!is_recovery(&normalise("123456")));
    }

    #[test]
    fn a_code_is_one_persons() {
        let vault = Vault::parse(&Vault::generate().unwrap()).unwrap();
        let (h, one, other) = (HospitalId(1), StaffId::new(), StaffId::new());
        let hash = one_time_hash(&vault, h, one, "abcd-efgh-jkmn-pqrs");
        assert_eq!(hash, one_time_hash(&vault, h, one, " ABCD EFGH JKMN PQRS "));
        assert_ne!(hash, one_time_hash(&vault, h, other, "abcd-efgh-jkmn-pqrs"));
        assert_ne!(hash, recovery_hash(&vault, h, one, "abcd-efgh-jkmn-pqrs"));
    }
}
