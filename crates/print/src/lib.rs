//! Papers as PDF: posters, business cards, slips, lists.
//!
//! A page is measured in millimetres from its upper left corner. Text is drawn by the outlines of its characters, each outline once
//! in a document however often it is used; so no font file has to be cut down and embedded, and the paper looks the same everywhere.
//! It is text all the same: it can be searched, copied and read aloud.
//!
//! - [`font`]: a font of the machine and the outlines in it; [`page`]: what can be put on a page; [`document`]: the file
//!
//! **Invariant.** It knows nothing of a hospital, reads no clock, and the same calls give the same bytes.

pub mod document;
pub mod font;
pub mod page;

pub use document::Document;
pub use font::{Font, FontError};
pub use page::{Align, Ink, Page, Text};
