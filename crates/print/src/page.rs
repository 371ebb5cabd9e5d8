//! What can be put on a page.

use std::collections::BTreeMap;

use fast_qr::qr::QRBuilder;
use fast_qr::{ECL, Module};
use ttf_parser::{Face, GlyphId};

use crate::font;

/// Points in a millimetre.
const POINTS: f32 = 72.0 / 25.4;

/// A colour: red, green, blue, each from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ink(pub f32, pub f32, pub f32);

impl Ink {
    /// Black.
    pub const BLACK: Self = Self(0.0, 0.0, 0.0);
    /// White.
    pub const WHITE: Self = Self(1.0, 1.0, 1.0);
    /// For what is less important; dark enough to be read.
    pub const GREY: Self = Self(0.32, 0.32, 0.32);
}

/// Where a line of text begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// It begins at the place.
    Left,
    /// Its middle is at the place.
    Middle,
}

/// How text is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Text {
    /// The size in points.
    pub size: f32,
    /// The colour.
    pub ink: Ink,
    /// Where it begins.
    pub align: Align,
}

/// So many characters share a font of the file: its codes are one byte.
pub(crate) const IN_A_FONT: u16 = 256;

/// A character as the file has it.
pub(crate) struct Drawn {
    pub(crate) of: char,
    /// How far it advances, in thousandths of the size.
    pub(crate) width: f32,
    /// What draws it, as PDF operators.
    pub(crate) procedure: String,
}

/// The characters that a document uses, in the order in which they came.
#[derive(Default)]
pub(crate) struct Glyphs {
    at: BTreeMap<char, u16>,
    pub(crate) drawn: Vec<Drawn>,
}

impl Glyphs {
    /// The place of a character: its font is the place's high byte, its code there the low one.
    fn place(&mut self, face: &Face<'_>, of: char) -> u16 {
        if let Some(place) = self.at.get(&of) {
            return *place;
        }
        // The characters of all scripts together are not that many in one paper.
        let Ok(place) = u16::try_from(self.drawn.len()) else { return 0 };
        let glyph = glyph_of(face, of);
        let width = font::width(face, glyph) * 1000.0;
        self.drawn.push(Drawn { of, width, procedure: font::procedure(face, glyph, width) });
        self.at.insert(of, place);
        place
    }
}

fn glyph_of(face: &Face<'_>, of: char) -> GlyphId {
    face.glyph_index(of).unwrap_or(GlyphId(0))
}

/// A page under work.
pub struct Page<'a> {
    pub(crate) face: &'a Face<'a>,
    pub(crate) glyphs: &'a mut Glyphs,
    pub(crate) width: f32,
    pub(crate) height: f32,
    pub(crate) out: String,
}

impl Page<'_> {
    /// A filled rectangle: left, top, width and height in millimetres.
    pub fn rect(&mut self, left: f32, top: f32, width: f32, height: f32, ink: Ink) {
        let (x, y) = self.place(left, top + height);
        self.ink(ink);
        self.out.push_str(&format!("{x:.2} {y:.2} {:.2} {:.2} re f\n", width * POINTS, height * POINTS));
    }

    /// One line of text, its foot at `baseline`. Gives its width in millimetres.
    pub fn line(&mut self, at: f32, baseline: f32, how: Text, text: &str) -> f32 {
        let width = self.measure(how.size, text);
        let left = match how.align {
            Align::Left => at,
            Align::Middle => at - width / 2.0,
        };
        let (x, y) = self.place(left, baseline);
        self.ink(how.ink);
        self.out.push_str(&format!("BT 1 0 0 1 {x:.2} {y:.2} Tm\n"));
        let face = self.face;
        let mut codes: Vec<(u16, String)> = Vec::new();
        for of in shown(text) {
            let place = self.glyphs.place(face, of);
            let (font, code) = (place / IN_A_FONT, format!("{:02X}", place % IN_A_FONT));
            match codes.last_mut() {
                Some((last, run)) if *last == font => run.push_str(&code),
                _ => codes.push((font, code)),
            }
        }
        for (font, run) in codes {
            self.out.push_str(&format!("/F{font} {:.2} Tf <{run}> Tj\n", how.size));
        }
        self.out.push_str("ET\n");
        width
    }

    /// Text in as many lines as it needs within a width, the first foot at `baseline`; lines are `leading` sizes apart. Gives
    /// the foot of the line that would come next.
    pub fn paragraph(
        &mut self,
        at: f32,
        baseline: f32,
        width: f32,
        how: Text,
        leading: f32,
        text: &str,
    ) -> f32 {
        let mut foot = baseline;
        for line in self.broken(how.size, width, text) {
            self.line(at, foot, how, &line);
            foot += how.size * leading / POINTS;
        }
        foot
    }

    /// How wide a line is, in millimetres.
    #[must_use]
    pub fn measure(&self, size: f32, text: &str) -> f32 {
        let sizes: f32 = self.glyphs_of(text).iter().map(|glyph| font::width(self.face, *glyph)).sum();
        sizes * size / POINTS
    }

    /// The largest size up to `most` at which a line fits a width.
    #[must_use]
    pub fn fitting(&self, most: f32, width: f32, text: &str) -> f32 {
        let wide = self.measure(most, text);
        if wide <= width { most } else { most * width / wide }
    }

    /// A code with its quiet zone, on white: left, top and edge in millimetres. False when the text is too long for one.
    pub fn code(&mut self, left: f32, top: f32, edge: f32, text: &str) -> bool {
        let Ok(code) = QRBuilder::new(text).ecl(ECL::M).build() else { return false };
        self.rect(left, top, edge, edge, Ink::WHITE);
        // The standard asks for four modules of white around it.
        let modules = code.size + 8;
        let Ok(count) = u16::try_from(modules) else { return false };
        let module = edge / f32::from(count);
        self.ink(Ink::BLACK);
        for (row, modules) in code.data.chunks(code.size).take(code.size).enumerate() {
            let Ok(row) = u16::try_from(row + 4) else { continue };
            let y = top + f32::from(row) * module;
            for (column, width) in runs(modules) {
                let x = left + f32::from(column + 4) * module;
                let (px, py) = self.place(x, y + module);
                let (w, h) = (f32::from(width) * module * POINTS, module * POINTS);
                self.out.push_str(&format!("{px:.3} {py:.3} {w:.3} {h:.3} re\n"));
            }
        }
        self.out.push_str("f\n");
        true
    }

    /// Where a page cuts text into lines: between Chinese characters, and between words.
    fn broken(&self, size: f32, width: f32, text: &str) -> Vec<String> {
        let mut lines = Vec::new();
        for part in text.split('\n') {
            let mut line = String::new();
            for piece in pieces(part) {
                let longer = format!("{line}{piece}");
                if !line.is_empty() && self.measure(size, longer.trim_end()) > width {
                    lines.push(line.trim_end().to_owned());
                    line = piece.trim_start().to_owned();
                } else {
                    line = longer;
                }
            }
            lines.push(line.trim_end().to_owned());
        }
        lines
    }

    fn glyphs_of(&self, text: &str) -> Vec<GlyphId> {
        shown(text).map(|c| glyph_of(self.face, c)).collect()
    }

    /// From millimetres down from the top to points up from the foot.
    fn place(&self, x: f32, y: f32) -> (f32, f32) {
        (x * POINTS, (self.height - y) * POINTS)
    }

    fn ink(&mut self, Ink(red, green, blue): Ink) {
        self.out.push_str(&format!("{red:.3} {green:.3} {blue:.3} rg\n"));
    }

    pub(crate) fn size(&self) -> (f32, f32) {
        (self.width * POINTS, self.height * POINTS)
    }
}

fn shown(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| !c.is_control())
}

/// The black stretches of a row: where each begins and how long it is.
fn runs(row: &[Module]) -> Vec<(u16, u16)> {
    let mut all: Vec<(u16, u16)> = Vec::new();
    let mut was_black = false;
    for (at, module) in (0_u16..).zip(row) {
        let black = module.value();
        match all.last_mut() {
            Some((_, length)) if black && was_black => *length += 1,
            _ if black => all.push((at, 1)),
            _ => {}
        }
        was_black = black;
    }
    all
}

/// What stays together in a line: a word with the space behind it, or one Chinese character with the mark that follows it.
fn pieces(text: &str) -> Vec<String> {
    const NEVER_FIRST: &str = "，。、；：！？）》”’…%";
    let wide = |c: char| u32::from(c) >= 0x2e80;
    let mut all: Vec<String> = Vec::new();
    let mut before = ' ';
    for c in text.chars() {
        let together = match (wide(before), wide(c)) {
            _ if NEVER_FIRST.contains(c) => true,
            (false, false) => before != ' ' || c == ' ',
            _ => c == ' ',
        };
        match all.last_mut() {
            Some(last) if together => last.push(c),
            _ => all.push(c.to_string()),
        }
        before = c;
    }
    all
}

/// A text as PDF wants it in a hexadecimal string.
pub(crate) fn utf16(text: &str) -> String {
    text.encode_utf16().fold("FEFF".to_owned(), |out, unit| format!("{out}{unit:04X}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_between_words_and_characters() {
        assert_eq!(pieces("预约，book a visit"), ["预", "约，", "book ", "a ", "visit"]);
        assert_eq!(pieces(""), Vec::<String>::new());
        assert_eq!(pieces("（见“说明”。）").len(), 5);
    }

    #[test]
    fn a_title_is_what_is_written() {
        assert_eq!(utf16("A医"), "FEFF0041533B");
    }
}
