//! A PDF file (ISO 32000-1, version 1.7): pages, and the outlines that they share.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use crate::font::{Font, FontError};
use crate::page::{Glyphs, Page, utf16};

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
        Self { font, title: title.to_owned(), lang, glyphs: Glyphs::new(), pages: Vec::new() }
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
        // 1 catalogue, 2 pages, 3 about, 4 resources; then the outlines, then page and content in turn.
        let drawn: Vec<(u16, &String)> =
            self.glyphs.iter().filter_map(|(id, outline)| Some((*id, outline.as_ref()?))).collect();
        let first_page = 5 + drawn.len();
        let kids: Vec<String> =
            (0..self.pages.len()).map(|n| format!("{} 0 R", first_page + 2 * n)).collect();
        file.object(&format!(
            "<< /Type /Catalog /Pages 2 0 R /Lang ({}) /ViewerPreferences << /DisplayDocTitle true >> >>",
            self.lang
        ));
        file.object(&format!("<< /Type /Pages /Kids [{}] /Count {} >>", kids.join(" "), kids.len()));
        file.object(&format!("<< /Title <{}> /Producer (Xinglin) >>", utf16(&self.title)));
        let shared: Vec<String> =
            drawn.iter().enumerate().map(|(n, (id, _))| format!("/G{id} {} 0 R", 5 + n)).collect();
        file.object(&format!("<< /XObject << {} >> >>", shared.join(" ")));
        for (_, outline) in &drawn {
            file.stream("/Type /XObject /Subtype /Form /BBox [-1000 -1000 3000 3000]", outline);
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
