//! The second factor: codes of six digits that change every 30 seconds (TOTP, RFC 6238, with SHA-1 as all apps have it).

use ::store::StoreError;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use base::UnixMs;

/// A code holds for so many seconds …
const STEP_S: i64 = 30;
/// … and so many steps before and after, because the clocks of phones differ.
const DRIFT: i64 = 1;
const BYTES: usize = 20;
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The secret that a phone and we share. Does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct TotpSecret(Vec<u8>);

impl std::fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl TotpSecret {
    /// A new one: 160 random bits.
    ///
    /// # Errors
    /// When the machine gives no random bytes.
    pub fn generate() -> Result<Self, StoreError> {
        let mut bytes = [0_u8; BYTES];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| StoreError::Config("no random bytes".into()))?;
        Ok(Self(bytes.to_vec()))
    }

    /// Reads [`Self::text`]; spaces, hyphens and case don't count. `None` when it is none, or shorter than 80 bits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
        for c in text.bytes().filter(|c| !matches!(c, b' ' | b'-' | b'=')) {
            let value = ALPHABET.iter().position(|known| *known == c.to_ascii_uppercase())?;
            held = ((held << 5) | u32::try_from(value).ok()?) & 0xfff;
            bits += 5;
            if bits >= 8 {
                bits -= 8;
                bytes.push(u8::try_from((held >> bits) & 0xff).ok()?);
            }
        }
        (bytes.len() >= 10).then_some(Self(bytes))
    }

    /// The form for apps and for typing (Base32, RFC 4648, without padding).
    #[must_use]
    pub fn text(&self) -> String {
        let (mut text, mut bits, mut held) = (String::new(), 0_u32, 0_u32);
        let mut push = |value: u32| {
            let at = usize::try_from(value & 31).unwrap_or(0);
            text.extend(ALPHABET.get(at).map(|c| char::from(*c)));
        };
        for byte in &self.0 {
            held = ((held << 8) | u32::from(*byte)) & 0xfff;
            bits += 8;
            while bits >= 5 {
                bits -= 5;
                push(held >> bits);
            }
        }
        if bits > 0 {
            push(held << (5 - bits));
        }
        text
    }

    /// The address in the code that apps scan (`otpauth://totp/…`).
    #[must_use]
    pub fn uri(&self, issuer: &str, login: &str) -> String {
        let plain = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
        };
        let (issuer, login) = (plain(issuer), plain(login));
        format!(
            "otpauth://totp/{issuer}:{login}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period=30",
            self.text()
        )
    }

    /// The code of a step. Tests and scripts that sign in use it, too.
    #[must_use]
    pub fn code(&self, step: i64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.0);
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let offset = usize::from(tag.last().copied().unwrap_or(0) & 15);
        let four = tag.get(offset..).and_then(|rest| rest.first_chunk::<4>()).copied().unwrap_or_default();
        format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000)
    }

    /// The step whose code this is, if it is one of those that hold now and later than `used`: a code is good once.
    #[must_use]
    pub fn matches(&self, typed: &str, now: UnixMs, used: i64) -> Option<i64> {
        let current = step_at(now);
        let mut found = None;
        for step in current - DRIFT..=current + DRIFT {
            let same = verify_slices_are_equal(self.code(step).as_bytes(), typed.as_bytes()).is_ok();
            if same && step > used && found.is_none() {
                found = Some(step);
            }
        }
        found
    }
}

/// The step that it is.
#[must_use]
pub fn step_at(now: UnixMs) -> i64 {
    now.seconds().div_euclid(STEP_S)
}

/// The six digits in what somebody typed, however grouped; `None` when there are more or fewer, or other characters.
#[must_use]
pub fn digits(typed: &str) -> Option<String> {
    if typed.len() > 60 {
        return None;
    }
    let plain = crate::documents::normalise(typed);
    (plain.len() == 6 && plain.bytes().all(|b| b.is_ascii_digit())).then_some(plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 6238, appendix B, SHA-1: its codes have eight digits, of which ours are the last six.
    #[test]
    fn the_vectors_of_the_rfc() {
        let secret = TotpSecret(b"12345678901234567890".to_vec());
        for (seconds, code) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            let step = step_at(UnixMs(seconds * 1000));
            assert_eq!(secret.code(step), code.chars().skip(2).collect::<String>(), "{seconds}");
        }
        assert_eq!(secret.text(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }

    #[test]
    fn a_code_holds_for_its_step_and_one_beside_it_and_once() {
        let secret = TotpSecret::generate().unwrap();
        let now = UnixMs(1_795_392_000_000);
        let step = step_at(now);
        for near in [step - 1, step, step + 1] {
            assert_eq!(secret.matches(&secret.code(near), now, 0), Some(near));
        }
        for far in [step - 2, step + 2] {
            // Two codes of a million may be the same by chance.
            assert_ne!(secret.matches(&secret.code(far), now, 0), Some(far));
        }
        assert_eq!(secret.matches(&secret.code(step), now, step), None, "used");
        assert_eq!(secret.matches("", now, 0), None);
    }

    #[test]
    fn apps_are_given_an_address() {
        let secret = TotpSecret::parse("gezd gnbv-GY3TQOJQGEZDGNBVGY3TQOJQ").unwrap();
        assert_eq!(
            secret.uri("杏林医院", "li.na"),
            "otpauth://totp/%E6%9D%8F%E6%9E%97%E5%8C%BB%E9%99%A2:li%2Ena?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=%E6%9D%8F%E6%9E%97%E5%8C%BB%E9%99%A2&algorithm=SHA1&digits=6&period=30"
        );
        assert_eq!(format!("{secret:?}"), "***");
        assert_eq!(TotpSecret::parse("GEZDGNBV"), None, "too short");
        assert_eq!(TotpSecret::parse("GEZDGNBVGY3TQOJ1GEZDGNBVGY3TQOJQ"), None);
    }

    #[test]
    fn digits_may_be_grouped_or_full_width() {
        assert_eq!(digits(" 123 456 "), Some("123456".into()));
        assert_eq!(digits("１２３４５６"), Some("123456".into()));
        for bad in ["12345", "1234567", "12345a", ""] {
            assert_eq!(digits(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(bytes in proptest::collection::vec(any::<u8>(), 10..40)) {
            let secret = TotpSecret(bytes);
            prop_assert_eq!(TotpSecret::parse(&secret.text()), Some(secret));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,80}") {
            let _ = (TotpSecret::parse(&text), digits(&text));
        }
    }
}
