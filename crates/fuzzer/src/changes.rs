//! Random changes of known inputs: a byte changed, added or taken away, a piece repeated, or the end of another input put on.

/// The longest input: what is longer is refused before it is read.
const LONGEST: usize = 4_096;
/// What breaks readers.
const SIGNS: &[u8] = b"<>&]['\"{}:,;/=%_\\\0\xff\x80-09azAZ \n";

/// Gives inputs, the same for the same seed.
pub(crate) struct Changes {
    seeds: Vec<Vec<u8>>,
    state: u64,
    now: Vec<u8>,
}

impl Changes {
    pub(crate) fn new(seeds: Vec<Vec<u8>>, seed: u64) -> Self {
        Self { seeds, state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, now: Vec::new() }
    }

    /// Below `end`; 0 when that is 0.
    fn random(&mut self, end: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state >> 16).unwrap_or_default() % end.max(1)
    }

    /// The next input. Some begin anew from a seed; the others go on from the last one.
    pub(crate) fn next(&mut self) -> &[u8] {
        if self.now.len() > LONGEST || self.random(8) == 0 {
            let nth = self.random(self.seeds.len());
            self.now.clear();
            self.now.extend_from_slice(self.seeds.get(nth).map(Vec::as_slice).unwrap_or_default());
        }
        for _ in 0..=self.random(3) {
            self.change();
        }
        &self.now
    }

    fn change(&mut self) {
        let at = self.random(self.now.len());
        let sign = self.random(SIGNS.len());
        let sign = SIGNS.get(sign).copied().unwrap_or_default();
        match self.random(6) {
            0 => {
                let byte = u8::try_from(self.random(256)).unwrap_or_default();
                if let Some(one) = self.now.get_mut(at) {
                    *one = byte;
                }
            }
            1 => self.now.insert(at.min(self.now.len()), sign),
            2 if !self.now.is_empty() => {
                self.now.remove(at);
            }
            3 => {
                let piece: Vec<u8> = self.now.iter().skip(at).take(16).copied().collect();
                self.now.extend_from_slice(&piece);
            }
            4 => {
                let nth = self.random(self.seeds.len());
                let end: Vec<u8> =
                    self.seeds.get(nth).into_iter().flatten().skip(at).take(200).copied().collect();
                self.now.truncate(at);
                self.now.extend_from_slice(&end);
            }
            _ => self.now.push(sign),
        }
    }
}

/// Two digits for each byte.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads what [`to_hex`] wrote.
pub(crate) fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
