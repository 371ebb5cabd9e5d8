//! The little XML that WeChat speaks: one root, elements with text or elements inside, no attributes that matter.
//!
//! **Invariants.** A document type is refused, so no entity but the five of XML itself and character references is ever
//! resolved; depth and number of elements are bounded, so a small body cannot ask for much memory.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::Event;

/// Real pushes are at most five levels deep.
const MAX_DEPTH: usize = 32;
/// Real pushes have fewer than a hundred elements; a mass-send result with many articles a few hundred.
const MAX_ELEMENTS: usize = 20_000;

/// Why a text is not XML that we accept. The text is fixed, so it can go into a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Malformed(pub(crate) &'static str);

/// One element: its name, the text in it (CDATA sections joined, references resolved) and the elements in it. Text that stands
/// in the document as it is meant, which is nearly all, is not copied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    pub(crate) name: String,
    pub(crate) text: Cow<'a, str>,
    pub(crate) children: Vec<Element<'a>>,
}

impl<'a> Element<'a> {
    /// The children with this name, in document order.
    pub(crate) fn all<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'b Element<'a>> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

/// An element whose end has not come yet.
#[derive(Default)]
struct Open<'a> {
    element: Element<'a>,
    /// The text so far: (came as CDATA, text). Blank text outside CDATA is layout when CDATA stands beside it.
    pieces: Vec<(bool, Cow<'a, str>)>,
}

impl<'a> Open<'a> {
    fn new(name: &str) -> Self {
        Self { element: Element { name: name.to_owned(), ..Element::default() }, ..Self::default() }
    }

    fn text(&mut self, piece: Cow<'a, str>) {
        self.pieces.push((false, clean(piece)));
    }

    fn cdata(&mut self, piece: Cow<'a, str>) {
        self.pieces.push((true, clean(piece)));
    }

    fn close(mut self) -> Element<'a> {
        if self.pieces.iter().any(|(cdata, _)| *cdata) {
            self.pieces.retain(|(cdata, text)| *cdata || !text.trim().is_empty());
        }
        self.element.text = match self.pieces.len() {
            0 | 1 => self.pieces.pop().map(|(_, text)| text).unwrap_or_default(),
            _ => self.pieces.iter().map(|(_, text)| text.as_ref()).collect::<String>().into(),
        };
        self.element
    }
}

/// U+0000 is no XML character, but CDATA can smuggle it in, and a database text column refuses it.
fn clean(piece: Cow<'_, str>) -> Cow<'_, str> {
    if piece.contains('\0') { piece.replace('\0', "\u{fffd}").into() } else { piece }
}

/// Reads one document. Declaration, comments and processing instructions are skipped.
pub(crate) fn parse(text: &str) -> Result<Element<'_>, Malformed> {
    const BROKEN: Malformed = Malformed("not well-formed XML");
    let mut reader = Reader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut root: Option<Element<'_>> = None;
    let mut count = 0_usize;
    loop {
        match reader.read_event().map_err(|_| BROKEN)? {
            Event::Start(start) => {
                count = count.saturating_add(1);
                if root.is_some() {
                    return Err(Malformed("more than one root element"));
                }
                if open.len() >= MAX_DEPTH || count > MAX_ELEMENTS {
                    return Err(Malformed("too deep or too many elements"));
                }
                open.push(Open::new(start.name().as_ref()));
            }
            Event::Empty(start) => {
                count = count.saturating_add(1);
                if count > MAX_ELEMENTS {
                    return Err(Malformed("too deep or too many elements"));
                }
                let element = Open::new(start.name().as_ref()).close();
                attach(element, &mut open, &mut root)?;
            }
            Event::End(_) => {
                // Names were compared by the reader (`check_end_names`).
                let element = open.pop().ok_or(BROKEN)?.close();
                attach(element, &mut open, &mut root)?;
            }
            Event::Text(piece) => match open.last_mut() {
                Some(top) => top.text(piece.xml10_content()),
                None if piece.xml10_content().trim().is_empty() => {}
                None => return Err(BROKEN),
            },
            Event::CData(piece) => open.last_mut().ok_or(BROKEN)?.cdata(piece.xml10_content()),
            Event::GeneralRef(reference) => {
                let top = open.last_mut().ok_or(BROKEN)?;
                match reference.resolve_char_ref().map_err(|_| BROKEN)? {
                    Some(character) => top.text(String::from(character).into()),
                    None => {
                        let entity = resolve_xml_entity(reference.as_ref());
                        top.text(entity.ok_or(Malformed("entity not allowed"))?.into());
                    }
                }
            }
            Event::DocType(_) => return Err(Malformed("document type not allowed")),
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    if !open.is_empty() {
        return Err(BROKEN);
    }
    root.ok_or(BROKEN)
}

fn attach<'a>(
    element: Element<'a>,
    open: &mut [Open<'a>],
    root: &mut Option<Element<'a>>,
) -> Result<(), Malformed> {
    match open.last_mut() {
        Some(parent) => parent.element.children.push(element),
        None if root.is_none() => *root = Some(element),
        None => return Err(Malformed("more than one root element")),
    }
    Ok(())
}

/// Writes `<name><![CDATA[value]]></name>`; a `]]>` in the value is split over two sections, so it cannot end the first.
/// Characters that XML 1.0 does not have become U+FFFD: WeChat would refuse the whole reply.
pub(crate) fn push_cdata(out: &mut String, name: &str, value: &str) {
    out.push('<');
    out.push_str(name);
    out.push_str("><![CDATA[");
    if value.chars().all(is_xml_char) && !value.contains("]]>") {
        out.push_str(value);
    } else {
        let value: String = value.chars().map(|c| if is_xml_char(c) { c } else { '\u{fffd}' }).collect();
        out.push_str(&value.replace("]]>", "]]]]><![CDATA[>"));
    }
    out.push_str("]]></");
    out.push_str(name);
    out.push('>');
}

/// The same for a value of letters, digits and the few signs of base64, which is long and needs no second look.
pub(crate) fn push_base64(out: &mut String, name: &str, value: &str) {
    for part in ["<", name, "><![CDATA[", value, "]]></", name, ">"] {
        out.push_str(part);
    }
}

/// XML 1.0, production 2 (`Char`); surrogates cannot occur in a `char`.
fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(xml: &str) -> String {
        parse(xml).unwrap().text.into_owned()
    }

    #[test]
    fn text_cdata_and_references_are_joined() {
        assert_eq!(text("<x>&lt;b&gt; &amp; &#x4F60;\n\t2</x>"), "<b> & 你\n\t2");
        assert_eq!(text("<x><![CDATA[a]]]]><![CDATA[>b & <c>]]></x>"), "a]]>b & <c>");
        assert_eq!(text("<x>\n  <![CDATA[ a ]]>\n</x>"), " a ");
        assert_eq!(text("<x>  a </x>"), "  a ");
        assert_eq!(text("<x/>"), "");
        assert_eq!(text("\u{feff}<?xml version=\"1.0\"?><!-- c --><x>1</x>\n"), "1");
        assert_eq!(text("<x><![CDATA[a\0b]]></x>"), "a\u{fffd}b");
    }

    #[test]
    fn what_is_not_one_plain_document_is_refused() {
        for xml in [
            "",
            "   ",
            "text",
            "<x>",
            "<x></y>",
            "</x>",
            "<x/><y/>",
            "<x></x>tail",
            "<x>&e;</x>",
            "<x>&</x>",
            "<x>&#0;</x>",
            "<!DOCTYPE x [<!ENTITY e \"1\">]><x>&e;</x>",
            "<x><![CDATA[open</x>",
            "{\"a\":1}",
        ] {
            assert!(parse(xml).is_err(), "{xml}");
        }
    }

    #[test]
    fn depth_and_count_are_bounded() {
        assert!(parse(&("<a>".repeat(33) + &"</a>".repeat(33))).is_err());
        assert!(parse(&("<a>".repeat(32) + &"</a>".repeat(32))).is_ok());
        assert!(parse(&format!("<a>{}</a>", "<b/>".repeat(MAX_ELEMENTS))).is_err());
    }

    proptest! {
        #[test]
        fn any_text_written_is_read_back(value in "\\PC*|(\\]|>|&|<|!|\\[){0,12}") {
            let mut out = String::new();
            push_cdata(&mut out, "x", &value);
            prop_assert_eq!(parse(&out).unwrap().text, value);
        }

        #[test]
        fn no_text_makes_the_reader_panic(value in "(<|>|/|x|!|\\[|\\]|CDATA|&|;|#|\\?|-|\"| |\\PC){0,40}") {
            let _ = parse(&value);
        }
    }
}
