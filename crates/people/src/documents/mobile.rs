//! Mobile numbers of mainland China.

use base::mask;

use super::normalise;

/// A mobile number: eleven digits, `1[3-9]` and nine more. Does not print itself.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Mobile(String);

impl std::fmt::Debug for Mobile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.masked())
    }
}

impl Mobile {
    /// Reads a number as people write it: with `+86`, `0086` or `86` before it, with spaces, hyphens or brackets, in
    /// full-width digits. `None` when it is no mobile number of mainland China.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain: String = normalise(text).chars().filter(|c| !matches!(c, '(' | ')')).collect();
        let bare = ["+86", "0086", "86"]
            .iter()
            .find_map(|prefix| plain.strip_prefix(prefix).filter(|rest| rest.len() == 11))
            .unwrap_or(&plain);
        let mut bytes = bare.bytes();
        let right = bare.len() == 11
            && bytes.next() == Some(b'1')
            && bytes.next().is_some_and(|b| (b'3'..=b'9').contains(&b))
            && bytes.all(|b| b.is_ascii_digit());
        right.then(|| Self(bare.to_owned()))
    }

    /// The eleven digits.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// 138****5678
    #[must_use]
    pub fn masked(&self) -> String {
        mask::phone(&self.0)
    }
}
