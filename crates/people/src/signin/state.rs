//! The state that travels to WeChat and back: our guard against forged returns. Signed by a key that only we have, good for ten
//! minutes, bound to one browser by a short-lived cookie, and covering the path that the person is to come back to.

use std::time::Duration;

use ::store::Vault;
use base::{HospitalId, UnixMs};

use crate::store::STATE;

/// How long a person may take on WeChat's page.
pub const VALID: Duration = Duration::from_secs(600);

/// What is wrong with a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not one of ours, or for another browser or path.
    #[error("forged state")]
    Forged,
    /// Too old.
    #[error("state expired")]
    Expired,
}

/// What a state is bound to.
#[derive(Clone, Copy)]
pub struct Bound<'a> {
    /// The hospital.
    pub hospital: HospitalId,
    /// The browser's cookie.
    pub browser: &'a str,
    /// The path to come back to.
    pub to: &'a str,
}

/// A state: a nonce of 32 hex digits, the end of its life in seconds (10 hex digits) and a signature of 32. WeChat takes up
/// to 128 letters and digits.
#[must_use]
pub fn make(vault: &Vault, bound: Bound<'_>, nonce: &str, now: UnixMs) -> String {
    let ends = format!("{:010x}", now.plus(VALID).seconds().max(0));
    let signature = sign(vault, bound, nonce, &ends);
    format!("{nonce}{ends}{signature}")
}

/// Checks a state that came back; gives its nonce, which is to be used once.
///
/// # Errors
/// [`Fault`].
pub fn check<'a>(vault: &Vault, bound: Bound<'_>, state: &'a str, now: UnixMs) -> Result<&'a str, Fault> {
    let hex = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if state.len() != 74 || !hex(state) {
        return Err(Fault::Forged);
    }
    let (Some(nonce), Some(ends), Some(signature)) = (state.get(..32), state.get(32..42), state.get(42..))
    else {
        return Err(Fault::Forged);
    };
    let want = sign(vault, bound, nonce, ends);
    aws_lc_rs::constant_time::verify_slices_are_equal(want.as_bytes(), signature.as_bytes())
        .map_err(|_| Fault::Forged)?;
    let ends = i64::from_str_radix(ends, 16).map_err(|_| Fault::Forged)?;
    if now.seconds() >= ends { Err(Fault::Expired) } else { Ok(nonce) }
}

fn sign(vault: &Vault, bound: Bound<'_>, nonce: &str, ends: &str) -> String {
    vault.blind(bound.hospital, STATE, &format!("{nonce}|{ends}|{}|{}", bound.browser, bound.to))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOUND: Bound<'_> = Bound { hospital: HospitalId(1), browser: "b1", to: "/confirm" };
    const NONCE: &str = "0123456789abcdef0123456789abcdef";
    const NOW: UnixMs = UnixMs(1_795_392_000_000);

    fn vault() -> Vault {
        Vault::parse("k1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").unwrap()
    }

    #[test]
    fn a_state_is_good_for_its_browser_path_hospital_and_time_only() {
        let vault = vault();
        let state = make(&vault, BOUND, NONCE, NOW);
        assert!(state.len() <= 128 && state.bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_eq!(check(&vault, BOUND, &state, NOW), Ok(NONCE));
        let late = |s| NOW.plus(Duration::from_secs(s));
        assert_eq!(check(&vault, BOUND, &state, late(599)), Ok(NONCE));
        assert_eq!(check(&vault, BOUND, &state, late(600)), Err(Fault::Expired));
        for other in [
            Bound { browser: "b2", ..BOUND },
            Bound { to: "/me", ..BOUND },
            Bound { hospital: HospitalId(2), ..BOUND },
        ] {
            assert_eq!(check(&vault, other, &state, NOW), Err(Fault::Forged));
        }
        let other = Vault::parse(&Vault::generate().unwrap()).unwrap();
        assert_eq!(check(&other, BOUND, &state, NOW), Err(Fault::Forged));
    }

    proptest! {
        #[test]
        fn no_text_panics_and_none_is_good(text in "\\PC{0,80}|[0-9a-f]{74}") {
            prop_assert_eq!(check(&vault(), BOUND, &text, NOW), Err(Fault::Forged));
        }

        #[test]
        fn one_changed_character_is_noticed(at in 0_usize..74, to in "[0-9a-f]") {
            let state = make(&vault(), BOUND, NONCE, NOW);
            let changed: String =
                state.chars().enumerate().map(|(i, c)| if i == at { to.chars().next().unwrap() } else { c }).collect();
            prop_assert_eq!(check(&vault(), BOUND, &changed, NOW).is_ok(), changed == state);
        }
    }
}
