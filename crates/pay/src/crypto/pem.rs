//! PEM blocks, as people paste them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// The DER of the first block whose label is one of `labels`, and which. Blanks and line ends inside do not matter.
pub(super) fn first<'a>(text: &str, labels: &[&'a str]) -> Option<(&'a str, Zeroizing<Vec<u8>>)> {
    labels.iter().find_map(|label| {
        let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
        let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
        Some((*label, decode(body)?))
    })
}

/// All blocks of one label, in order.
pub(super) fn all(text: &str, label: &str) -> Vec<Zeroizing<Vec<u8>>> {
    let end = format!("-----END {label}-----");
    text.split(&format!("-----BEGIN {label}-----"))
        .skip(1)
        .filter_map(|rest| decode(rest.split_once(&end)?.0))
        .collect()
}

/// Base64 without its blanks.
pub(super) fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let dense: Zeroizing<String> = Zeroizing::new(text.split_ascii_whitespace().collect());
    STANDARD.decode(dense.as_bytes()).ok().map(Zeroizing::new)
}

/// A block of one label.
pub(super) fn write(label: &str, der: &[u8]) -> String {
    let mut out = format!("-----BEGIN {label}-----\n");
    let body = Zeroizing::new(STANDARD.encode(der));
    for (at, letter) in body.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            out.push('\n');
        }
        out.push(letter);
    }
    out.push_str(&format!("\n-----END {label}-----\n"));
    out
}
