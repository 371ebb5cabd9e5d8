//! The XML of pushes and replies, as the platform writes and reads it. Written apart from the product's reader, so that the
//! two check each other; stricter too: no attributes, no document type, no byte order mark.

/// A value of a push: WeChat writes numbers bare and all else as CDATA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    Text(String),
    Number(String),
    Tree(Vec<(String, Node)>),
}

impl Node {
    pub(crate) fn text(value: impl Into<String>) -> Self {
        Self::Text(value.into())
    }

    pub(crate) fn number(value: impl std::fmt::Display) -> Self {
        Self::Number(value.to_string())
    }
}

/// Writes the fields as a push.
pub(crate) fn write(fields: &[(String, Node)]) -> String {
    let mut out = String::from("<xml>");
    write_all(fields, &mut out);
    out.push_str("</xml>");
    out
}

fn write_all(fields: &[(String, Node)], out: &mut String) {
    for (name, node) in fields {
        out.push_str(&format!("<{name}>"));
        match node {
            Node::Text(value) => {
                out.push_str("<![CDATA[");
                out.push_str(&value.replace("]]>", "]]]]><![CDATA[>"));
                out.push_str("]]>");
            }
            Node::Number(value) => out.push_str(value),
            Node::Tree(fields) => write_all(fields, out),
        }
        out.push_str(&format!("</{name}>\n"));
    }
}

/// One element of a reply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of a child, empty when there is none.
    pub(crate) fn value(&self, name: &str) -> &str {
        self.child(name).map_or("", |child| child.text.as_str())
    }
}

/// Reads a reply.
pub(crate) fn read(text: &str) -> Result<Element, &'static str> {
    let mut rest = text.trim_ascii();
    if let Some(after) = rest.strip_prefix("<?xml") {
        rest = after.split_once("?>").ok_or("declaration not closed")?.1.trim_ascii_start();
    }
    let root = element(&mut rest, 0)?;
    if rest.trim_ascii().is_empty() { Ok(root) } else { Err("something after the root element") }
}

fn element(rest: &mut &str, depth: usize) -> Result<Element, &'static str> {
    if depth > 8 {
        return Err("too deep");
    }
    let after = rest.strip_prefix('<').ok_or("an element was expected")?;
    let (name, after) = after.split_once('>').ok_or("tag not closed")?;
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err("tag name (attributes, comments and document types are not allowed)");
    }
    *rest = after;
    let mut out = Element { name: name.to_owned(), ..Element::default() };
    let end = format!("</{name}>");
    loop {
        if let Some(after) = rest.strip_prefix(end.as_str()) {
            *rest = after;
            return Ok(out);
        }
        if let Some(after) = rest.strip_prefix("<![CDATA[") {
            let (text, after) = after.split_once("]]>").ok_or("CDATA not closed")?;
            out.text.push_str(text);
            *rest = after;
        } else if rest.starts_with('<') {
            out.children.push(element(rest, depth + 1)?);
        } else {
            let at = rest.find('<').ok_or("element not closed")?;
            let (text, after) = rest.split_at_checked(at).ok_or("element not closed")?;
            let blank = text.trim_ascii().is_empty();
            if !blank {
                out.text.push_str(&unescape(text)?);
            }
            *rest = after;
        }
    }
}

fn unescape(text: &str) -> Result<String, &'static str> {
    let mut parts = text.split('&');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, after) = part.split_once(';').ok_or("a bare &")?;
        let c = match name {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "apos" => '\'',
            "quot" => '"',
            _ => {
                let number = match name.strip_prefix("#x") {
                    Some(hex) => u32::from_str_radix(hex, 16).ok(),
                    None => name.strip_prefix('#').and_then(|number| number.parse().ok()),
                };
                number.and_then(char::from_u32).ok_or("an unknown entity")?
            }
        };
        out.push(c);
        out.push_str(after);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let fields = vec![
            ("Content".to_owned(), Node::text("a]]>b<c>&")),
            ("CreateTime".to_owned(), Node::number(5)),
            (
                "Info".to_owned(),
                Node::Tree(vec![("X".to_owned(), Node::text("")), ("Y".to_owned(), Node::text(" z "))]),
            ),
        ];
        let root = read(&write(&fields)).unwrap();
        assert_eq!(root.name, "xml");
        assert_eq!(root.value("Content"), "a]]>b<c>&");
        assert_eq!(root.value("CreateTime"), "5");
        assert_eq!(root.child("Info").unwrap().value("Y"), " z ");
    }

    #[test]
    fn whatever_is_not_plain_xml_is_refused() {
        for text in [
            "",
            "success",
            "{}",
            "<html lang=\"zh\"></html>",
            "<!DOCTYPE x><x></x>",
            "<x><y></x></y>",
            "<x>",
            "<x></x><y></y>",
            "<x>&nbsp;</x>",
            "<x>a & b</x>",
            "\u{feff}<x></x>",
            "<x><![CDATA[</x>",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        assert_eq!(read("<?xml version=\"1.0\"?>\n<x>&lt;&#x4F60;</x>\n").unwrap().text, "<你");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "(<|>|/|x|!|\\[|\\]|CDATA|&|;|#|\\?| |\\PC){0,40}") {
            let _ = read(&text);
        }
    }
}
