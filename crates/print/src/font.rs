//! A font of the machine: which characters it has, how wide they are, and their outlines.

use std::path::Path;
use std::sync::Arc;

use ttf_parser::{Face, GlyphId, OutlineBuilder};

/// Where systems keep a font with Chinese and Latin characters, and which of a collection is the one for simplified Chinese.
const KNOWN: &[(&str, u32)] = &[
    ("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", 2),
    ("/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc", 2),
    ("/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc", 2),
    ("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc", 0),
    ("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc", 0),
    ("/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf", 0),
    ("/System/Library/Fonts/PingFang.ttc", 0),
    ("C:\\Windows\\Fonts\\msyh.ttc", 0),
];

/// Why there is no font.
#[derive(Debug, thiserror::Error)]
pub enum FontError {
    /// None of the places has one.
    #[error("no font with Chinese characters was found; install fonts-noto-cjk")]
    None,
    /// The file can't be read.
    #[error("{0}: {1}")]
    Unreadable(String, String),
    /// The file is no font, or has no Chinese characters.
    #[error("{0} is not a font with Chinese characters")]
    Unsuitable(String),
}

/// A font. Cheap to clone.
#[derive(Clone)]
pub struct Font {
    bytes: Arc<[u8]>,
    index: u32,
}

impl std::fmt::Debug for Font {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Font").field("bytes", &self.bytes.len()).field("index", &self.index).finish()
    }
}

impl Font {
    /// A font of the machine, from one of the places where systems keep them.
    ///
    /// # Errors
    /// [`FontError::None`].
    pub fn of_machine() -> Result<Self, FontError> {
        let mut found = KNOWN.iter().filter_map(|(path, index)| Self::open(Path::new(path), *index).ok());
        found.next().ok_or(FontError::None)
    }

    /// A font file; `index` says which of a collection.
    ///
    /// # Errors
    /// [`FontError::Unreadable`], [`FontError::Unsuitable`].
    pub fn open(path: &Path, index: u32) -> Result<Self, FontError> {
        let name = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|e| FontError::Unreadable(name.clone(), e.to_string()))?;
        let font = Self { bytes: bytes.into(), index };
        let suits = font.face().is_some_and(|face| face.glyph_index('医').is_some());
        if suits { Ok(font) } else { Err(FontError::Unsuitable(name)) }
    }

    pub(crate) fn face(&self) -> Option<Face<'_>> {
        Face::parse(&self.bytes, self.index).ok()
    }
}

/// What draws a character in a font of the file, in thousandths of the size: how far it advances, its box, its outline. One
/// without ink, like a space, only advances.
pub(crate) fn procedure(face: &Face<'_>, glyph: GlyphId, width: f32) -> String {
    let scale = 1000.0 / f32::from(face.units_per_em());
    let mut pen = Pen { out: String::new(), scale, at: (0.0, 0.0) };
    let Some(area) = face.outline_glyph(glyph, &mut pen) else { return format!("{width:.1} 0 d0\n") };
    let [left, foot, right, top] =
        [area.x_min, area.y_min, area.x_max, area.y_max].map(|edge| f32::from(edge) * scale);
    format!("{width:.1} 0 {left:.1} {foot:.1} {right:.1} {top:.1} d1\n{}f\n", pen.out)
}

/// How wide a character is, in sizes.
pub(crate) fn width(face: &Face<'_>, glyph: GlyphId) -> f32 {
    f32::from(face.glyph_hor_advance(glyph).unwrap_or(face.units_per_em())) / f32::from(face.units_per_em())
}

struct Pen {
    out: String,
    scale: f32,
    at: (f32, f32),
}

impl Pen {
    fn put(&mut self, points: &[(f32, f32)], operator: &str) {
        for (x, y) in points {
            self.out.push_str(&format!("{:.1} {:.1} ", x * self.scale, y * self.scale));
        }
        self.out.push_str(operator);
        self.out.push('\n');
        if let Some(last) = points.last() {
            self.at = *last;
        }
    }
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.put(&[(x, y)], "m");
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.put(&[(x, y)], "l");
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        // PDF knows cubic curves only; this is the same curve.
        let (x0, y0) = self.at;
        let near = |from: f32, to: f32| from + (to - from) * 2.0 / 3.0;
        self.put(&[(near(x0, x1), near(y0, y1)), (near(x, x1), near(y, y1)), (x, y)], "c");
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.put(&[(x1, y1), (x2, y2), (x, y)], "c");
    }

    fn close(&mut self) {
        self.put(&[], "h");
    }
}
