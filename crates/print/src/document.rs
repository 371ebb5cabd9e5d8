//! A PDF file (ISO 32000-1, version 1.7): pages, and the fonts that they share.
//!
//! A font of the file is one of Type 3: its characters are drawn by procedures, which hold the outlines. Its codes are told what
//! character each is (`ToUnicode`), so that text can be searched and copied.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use crate::font::{Font, FontError};
use crate::page::{Drawn, Glyphs, IN_A_FONT, Page, utf16};

/// A document under work.
pub struct Document {
    font: Font,
    title: String,
    lang: &'static str,
    glyphs: Glyphs,
    pages: Vec<Done>,
}

struct Done {
    size: (f32, f32),
    content: String,
}

impl Document {
    /// Begins one. `lang` is the language that a screen reader uses: `zh-CN` or `en`.
    #[must_use]
    pub fn new(font: Font, title: &str, lang: &'static str) -> Self {
        Self { font, title: title.to_owned(), lang, glyphs: Glyphs::default(), pages: Vec::new() }
    }

    /// Adds a page of a width and height in millimetres, and lets `draw` fill it.
    ///
    /// # Errors
    /// [`FontError`] when the font can't be read any more.
    pub fn page<T>(
        &mut self,
        width: f32,
        height: f32,
        draw: impl FnOnce(&mut Page<'_>) -> T,
    ) -> Result<T, FontError> {
        let font = self.font.clone();
        let face = font.face().ok_or(FontError::None)?;
        let mut page = Page { face: &face, glyphs: &mut self.glyphs, width, height, out: String::new() };
        let given = draw(&mut page);
        let (size, content) = (page.size(), std::mem::take(&mut page.out));
        self.pages.push(Done { size, content });
        Ok(given)
    }

    /// The file.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        let mut file = File { bytes: b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n".to_vec(), places: Vec::new() };
        // 1 catalogue, 2 pages, 3 about, 4 resources; then the characters, then each font and what its codes mean, then page and
        // content in turn.
        let drawn = &self.glyphs.drawn;
        let fonts: Vec<&[Drawn]> = drawn.chunks(usize::from(IN_A_FONT)).collect();
        let first_font = 5 + drawn.len();
        let first_page = first_font + 2 * fonts.len();
        let kids: Vec<String> =
            (0..self.pages.len()).map(|n| format!("{} 0 R", first_page + 2 * n)).collect();
        file.object(&format!(
            "<< /Type /Catalog /Pages 2 0 R /Lang ({}) /ViewerPreferences << /DisplayDocTitle true >> >>",
            self.lang
        ));
        file.object(&format!("<< /Type /Pages /Kids [{}] /Count {} >>", kids.join(" "), kids.len()));
        file.object(&format!("<< /Title <{}> /Producer (Xinglin) >>", utf16(&self.title)));
        let named = (0..fonts.len()).map(|n| format!("/F{n} {} 0 R", first_font + 2 * n));
        file.object(&format!("<< /Font << {} >> >>", named.collect::<Vec<_>>().join(" ")));
        for one in drawn {
            file.stream("", &one.procedure);
        }
        for (n, font) in fonts.iter().enumerate() {
            file.object(&type3(font, 5 + n * usize::from(IN_A_FONT), first_font + 2 * n + 1));
            file.stream("", &to_unicode(font));
        }
        for (n, page) in self.pages.iter().enumerate() {
            let (width, height) = page.size;
            let content = first_page + 2 * n + 1;
            file.object(&format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width:.2} {height:.2}] /Resources 4 0 R /Contents {content} 0 R >>"
            ));
            file.stream("", &page.content);
        }
        file.end()
    }
}

/// A font of these characters, the first of which is object `first`; `unicode` is the object that says what its codes mean.
fn type3(font: &[Drawn], first: usize, unicode: usize) -> String {
    let all = |one: &dyn Fn(usize, &Drawn) -> String| {
        font.iter().enumerate().map(|(n, drawn)| one(n, drawn)).collect::<Vec<_>>().join(" ")
    };
    format!(
        "<< /Type /Font /Subtype /Type3 /FontBBox [0 0 0 0] /FontMatrix [0.001 0 0 0.001 0 0] /Resources << >> \
         /CharProcs << {} >> /Encoding << /Type /Encoding /Differences [0 {}] >> \
         /FirstChar 0 /LastChar {} /Widths [{}] /ToUnicode {unicode} 0 R >>",
        all(&|n, _| format!("/c{n} {} 0 R", first + n)),
        all(&|n, _| format!("/c{n}")),
        font.len().saturating_sub(1),
        all(&|_, drawn| format!("{:.1}", drawn.width)),
    )
}

/// What each code of a font stands for.
fn to_unicode(font: &[Drawn]) -> String {
    let mut map = "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n\
        /CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n\
        /CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n\
        1 begincodespacerange\n<00> <FF>\nendcodespacerange\n"
        .to_owned();
    let codes: Vec<String> =
        font.iter().enumerate().map(|(n, drawn)| format!("<{n:02X}> <{}>\n", units(drawn.of))).collect();
    // A hundred at most stand together.
    for some in codes.chunks(100) {
        map.push_str(&format!("{} beginbfchar\n{}endbfchar\n", some.len(), some.concat()));
    }
    map.push_str("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n");
    map
}

fn units(of: char) -> String {
    of.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("{unit:04X}")).collect()
}

struct File {
    bytes: Vec<u8>,
    /// Where each object begins.
    places: Vec<usize>,
}

impl File {
    fn object(&mut self, body: &str) {
        self.places.push(self.bytes.len());
        let number = self.places.len();
        self.bytes.extend_from_slice(format!("{number} 0 obj\n{body}\nendobj\n").as_bytes());
    }

    fn stream(&mut self, entries: &str, text: &str) {
        let packed = pack(text.as_bytes());
        self.places.push(self.bytes.len());
        let number = self.places.len();
        let (filter, body) = match &packed {
            Some(packed) => ("/Filter /FlateDecode", packed.as_slice()),
            None => ("", text.as_bytes()),
        };
        let head = format!("{number} 0 obj\n<< {entries} {filter} /Length {} >>\nstream\n", body.len());
        self.bytes.extend_from_slice(head.as_bytes());
        self.bytes.extend_from_slice(body);
        self.bytes.extend_from_slice(b"\nendstream\nendobj\n");
    }

    fn end(mut self) -> Vec<u8> {
        let at = self.bytes.len();
        let count = self.places.len() + 1;
        let mut table = format!("xref\n0 {count}\n0000000000 65535 f \n");
        for place in &self.places {
            table.push_str(&format!("{place:010} 00000 n \n"));
        }
        table.push_str(&format!(
            "trailer\n<< /Size {count} /Root 1 0 R /Info 3 0 R >>\nstartxref\n{at}\n%%EOF\n"
        ));
        self.bytes.extend_from_slice(table.as_bytes());
        self.bytes
    }
}

fn pack(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::default());
    packer.write_all(bytes).ok()?;
    packer.finish().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::{Align, Ink, Text};

    fn sheet() -> Vec<u8> {
        let mut document = Document::new(Font::of_machine().unwrap(), "杏林", "zh-CN");
        for _ in 0..2 {
            document
                .page(210.0, 297.0, |page| {
                    let how = Text { size: 12.0, ink: Ink::BLACK, align: Align::Middle };
                    assert!(page.line(105.0, 40.0, how, "杏林医院 Xinglin") > 20.0);
                    assert!(page.code(20.0, 60.0, 60.0, "https://h.example/q/1-abc"));
                    assert!(!page.code(0.0, 0.0, 1.0, &"x".repeat(9_000)), "too long for a code");
                    assert!(page.fitting(40.0, 30.0, "很长的一行字会缩小") < 40.0);
                })
                .unwrap();
        }
        document.finish()
    }

    #[test]
    fn codes_of_a_font_say_what_they_stand_for() {
        let drawn = |of: char| Drawn { of, width: 1000.0, procedure: String::new() };
        let many: Vec<Drawn> = (0..=150_u32).map(|n| drawn(char::from_u32(0x4e00 + n).unwrap())).collect();
        let map = to_unicode(&many);
        assert!(
            map.contains("100 beginbfchar\n<00> <4E00>\n") && map.contains("51 beginbfchar\n<64> <4E64>\n")
        );
        assert_eq!((units('A'), units('𠀀')), ("0041".to_owned(), "D840DC00".to_owned()));
        let font = type3(&many, 5, 9);
        assert!(
            font.contains("/c150 155 0 R")
                && font.contains("/LastChar 150")
                && font.contains("/ToUnicode 9 0 R")
        );
    }

    #[test]
    fn a_file_has_its_objects_where_it_says() {
        let file = sheet();
        assert!(file.starts_with(b"%PDF-1.7") && file.ends_with(b"%%EOF\n"));
        assert_eq!(file, sheet(), "the same calls give the same bytes");
        let text = String::from_utf8_lossy(&file);
        let at: usize = text.rsplit("startxref\n").next().unwrap().lines().next().unwrap().parse().unwrap();
        assert!(file[at..].starts_with(b"xref\n"));
        let table = std::str::from_utf8(&file[at..]).unwrap();
        for (number, line) in table.lines().skip(3).take_while(|line| line.ends_with("n ")).enumerate() {
            let place: usize = line.split(' ').next().unwrap().parse().unwrap();
            let head = format!("{} 0 obj", number + 1);
            assert!(file[place..].starts_with(head.as_bytes()), "{head} at {place}");
        }
    }
}
