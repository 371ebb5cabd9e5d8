//! Pictures of codes.

use bytes::Bytes;
use fast_qr::QRBuilder;
use fast_qr::convert::Builder;
use fast_qr::convert::svg::SvgBuilder;

/// Pixels per module, and modules of white around the code (four, as the standard asks).
const SCALE: usize = 8;
const MARGIN: usize = 4;

/// The code as SVG; `None` when the text is too long for any code.
pub(crate) fn svg(text: &str) -> Option<String> {
    let code = QRBuilder::new(text).build().ok()?;
    Some(SvgBuilder::default().margin(MARGIN).to_str(&code))
}

/// The code as a PNG of one bit per pixel. The pixels are stored without compression: a code is a few kilobytes, and a
/// compressor would be one more dependency.
pub(crate) fn png(text: &str) -> Option<Bytes> {
    let code = QRBuilder::new(text).build().ok()?;
    let side = (code.size + 2 * MARGIN) * SCALE;
    let mut raw = Vec::new();
    for y in 0..side {
        raw.push(0); // this line is not filtered
        let mut byte = 0_u8;
        for x in 0..side {
            byte = (byte << 1) | u8::from(!is_dark(&code, x, y));
            if x % 8 == 7 {
                raw.push(byte);
                byte = 0;
            }
        }
    }
    let side = u32::try_from(side).ok()?;
    let mut header = Vec::new();
    header.extend_from_slice(&side.to_be_bytes());
    header.extend_from_slice(&side.to_be_bytes());
    header.extend_from_slice(&[1, 0, 0, 0, 0]); // one bit, grey, deflate, no filter, not interlaced
    let mut out = vec![0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a];
    chunk(&mut out, *b"IHDR", &header)?;
    chunk(&mut out, *b"IDAT", &stored(&raw)?)?;
    chunk(&mut out, *b"IEND", &[])?;
    Some(out.into())
}

fn is_dark(code: &fast_qr::QRCode, x: usize, y: usize) -> bool {
    let module = |at: usize| (at / SCALE).checked_sub(MARGIN).filter(|at| *at < code.size);
    let (Some(x), Some(y)) = (module(x), module(y)) else { return false };
    code.data.get(y * code.size + x).is_some_and(|module| module.value())
}

/// A zlib stream (RFC 1950) of stored blocks (RFC 1951, 3.2.4).
fn stored(raw: &[u8]) -> Option<Vec<u8>> {
    let mut out = vec![0x78, 0x01];
    let mut blocks = raw.chunks(0xffff).peekable();
    while let Some(block) = blocks.next() {
        let len = u16::try_from(block.len()).ok()?;
        out.push(u8::from(blocks.peek().is_none()));
        out.extend_from_slice(&len.to_le_bytes());
        out.extend_from_slice(&(!len).to_le_bytes());
        out.extend_from_slice(block);
    }
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in raw {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    out.extend_from_slice(&((b << 16) | a).to_be_bytes());
    Some(out)
}

fn chunk(out: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) -> Option<()> {
    out.extend_from_slice(&u32::try_from(data.len()).ok()?.to_be_bytes());
    let crc = data.iter().fold(kind.iter().fold(u32::MAX, crc_step), crc_step);
    out.extend_from_slice(&kind);
    out.extend_from_slice(data);
    out.extend_from_slice(&(!crc).to_be_bytes());
    Some(())
}

/// CRC-32 as PNG wants it (ISO 3309), bit by bit: a few kilobytes now and then.
fn crc_step(crc: u32, byte: &u8) -> u32 {
    (0..8)
        .fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_becomes_a_png_and_an_svg() {
        let png = png("http://weixin.qq.com/q/0123456789012345678901").unwrap();
        assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
        assert_eq!(&png[12..16], b"IHDR");
        // The CRC of an empty IEND chunk is in every PNG.
        assert_eq!(&png[png.len() - 12..], b"\0\0\0\0IEND\xae\x42\x60\x82");
        assert!(svg("x").unwrap().starts_with("<svg"));
        assert!(svg(&"x".repeat(8_000)).is_none());
    }
}
