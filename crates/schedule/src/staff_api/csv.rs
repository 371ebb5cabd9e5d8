//! Lists as files that spreadsheets open: UTF-8 with a byte order mark, RFC 4180, formulas defused.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, StreamExt as _};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};

/// One line of a file.
#[must_use]
pub fn line<'a>(fields: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = fields.into_iter().map(field).collect::<Vec<_>>().join(",");
    text.push_str("\r\n");
    text
}

fn field(text: &str) -> String {
    // A spreadsheet would carry out what begins like this.
    let defused =
        if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    if defused.contains(['"', ',', '\n', '\r']) {
        return format!("\"{}\"", defused.replace('"', "\"\""));
    }
    defused
}

/// A file of lines that are made while it is sent; an error ends it, so that nobody takes a part for the whole.
pub fn file(
    name: &str,
    head: String,
    lines: impl stream::Stream<Item = Result<String, std::io::Error>> + Send + 'static,
) -> Response {
    let start = stream::once(async move { Ok(format!("\u{feff}{head}")) });
    let disposition = format!("attachment; filename=\"{name}.csv\"");
    let headers = [(CONTENT_TYPE, "text/csv; charset=utf-8"), (CONTENT_DISPOSITION, disposition.as_str())];
    (headers, Body::from_stream(start.chain(lines))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_and_formulas_defused() {
        assert_eq!(line(["a", "b,c", "say \"hi\"", ""]), "a,\"b,c\",\"say \"\"hi\"\"\",\r\n");
        assert_eq!(line(["=1+1", "-2", "两\n行"]), "'=1+1,'-2,\"两\n行\"\r\n");
    }
}
