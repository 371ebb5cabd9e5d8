//! Chance that can be repeated: the same seed gives the same openids, tokens and faults.

use serde::{Deserialize, Serialize};

const ALPHANUMERIC: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const URL_SAFE: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const DIGITS: &[u8] = b"0123456789";

/// SplitMix64 (Steele, Lea, Flood 2014). Not for secrets: the simulator has none.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from 0 to `n` − 1; 0 when `n` is 0.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next().checked_rem(n).unwrap_or(0)
    }

    /// True in `share` of the cases (0 never, 1 always).
    pub(crate) fn chance(&mut self, share: f64) -> bool {
        let drawn = u32::try_from(self.next() >> 32).unwrap_or(0);
        f64::from(drawn) < share * (f64::from(u32::MAX) + 1.0)
    }

    /// Letters and digits, as in tokens and EncodingAESKeys.
    pub(crate) fn alphanumeric(&mut self, len: usize) -> String {
        self.text(len, ALPHANUMERIC)
    }

    /// Letters, digits, `-` and `_`, as in openids and tickets.
    pub(crate) fn url_safe(&mut self, len: usize) -> String {
        self.text(len, URL_SAFE)
    }

    /// Digits, as in nonces.
    pub(crate) fn digits(&mut self, len: usize) -> String {
        self.text(len, DIGITS)
    }

    /// The 16 bytes in front of an encrypted message.
    pub(crate) fn bytes16(&mut self) -> [u8; 16] {
        let mut out = [0; 16];
        let (first, second) = out.split_at_mut(8);
        first.copy_from_slice(&self.next().to_be_bytes());
        second.copy_from_slice(&self.next().to_be_bytes());
        out
    }

    fn text(&mut self, len: usize, alphabet: &[u8]) -> String {
        let size = u64::try_from(alphabet.len()).unwrap_or(1);
        (0..len)
            .filter_map(|_| {
                let at = usize::try_from(self.below(size)).ok()?;
                alphabet.get(at).copied().map(char::from)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_and_another_seed_another() {
        let mut a = Rng::new(7);
        let mut b = Rng::new(7);
        assert_eq!(a.alphanumeric(43), b.alphanumeric(43));
        assert_ne!(Rng::new(8).url_safe(28), Rng::new(9).url_safe(28));
        assert_eq!(a.url_safe(28).len(), 28);
    }

    #[test]
    fn chance_keeps_its_share() {
        let mut rng = Rng::new(1);
        assert!((0..1000).all(|_| !rng.chance(0.0)));
        assert!((0..1000).all(|_| rng.chance(1.0)));
        let hits = (0..10_000).filter(|_| rng.chance(0.25)).count();
        assert!((2200..2800).contains(&hits), "{hits}");
    }
}
