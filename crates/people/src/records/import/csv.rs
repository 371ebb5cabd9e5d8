//! A table of patients as spreadsheets write it: RFC 4180 in UTF-8, the first line naming the columns in Chinese or English.

use base::Date;
use serde::{Deserialize, Serialize};

use crate::cards::CardNumber;
use crate::documents::{Document, Mobile};
use crate::model::{CardKind, DocumentKind, Sex};
use crate::names::RealName;
use crate::patients::NewPatient;

/// A row, by the columns that we know. `line` is its line in the file, from 1, as an editor shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Where it stands.
    pub line: i64,
    name: String,
    document_kind: String,
    document: String,
    country: String,
    birth_date: String,
    sex: String,
    phone: String,
    visit_card: String,
}

/// What is wrong with a file as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotATable {
    /// Another encoding.
    NotUtf8,
    /// No rows.
    Empty,
    /// Columns that nobody knows, or no names among them.
    Columns(Vec<String>),
    /// More rows than allowed.
    TooMany,
}

/// A row that is right.
pub(super) struct Read {
    pub(super) patient: NewPatient,
    pub(super) card: Option<CardNumber>,
}

type Column = fn(&mut Line) -> &mut String;

fn column(name: &str) -> Option<Column> {
    Some(match name.trim().to_lowercase().as_str() {
        "姓名" | "name" => |line| &mut line.name,
        "证件类型" | "document_kind" => |line| &mut line.document_kind,
        "证件号码" | "document" => |line| &mut line.document,
        "国家" | "country" => |line| &mut line.country,
        "出生日期" | "birth_date" => |line| &mut line.birth_date,
        "性别" | "sex" => |line| &mut line.sex,
        "手机号" | "phone" => |line| &mut line.phone,
        "就诊卡号" | "visit_card" => |line| &mut line.visit_card,
        _ => return None,
    })
}

/// Reads a table of up to `most` rows.
///
/// # Errors
/// [`NotATable`].
pub fn read(bytes: &[u8], most: usize) -> Result<Vec<Line>, NotATable> {
    let text = std::str::from_utf8(bytes).map_err(|_| NotATable::NotUtf8)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut rows = records(text).into_iter();
    let Some((_, header)) = rows.next() else { return Err(NotATable::Empty) };
    let columns: Vec<Option<Column>> = header.iter().map(|name| column(name)).collect();
    let unknown: Vec<String> = header
        .iter()
        .zip(&columns)
        .filter(|(_, c)| c.is_none())
        .map(|(name, _)| name.chars().take(40).collect())
        .collect();
    let named = header.iter().any(|name| matches!(name.trim().to_lowercase().as_str(), "姓名" | "name"));
    if !unknown.is_empty() || !named {
        return Err(NotATable::Columns(unknown));
    }
    let mut lines = Vec::new();
    for (at, cells) in rows {
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if lines.len() >= most {
            return Err(NotATable::TooMany);
        }
        let mut line = Line { line: at, ..Line::default() };
        for (cell, column) in cells.into_iter().zip(&columns) {
            if let Some(column) = column {
                *column(&mut line) = cell;
            }
        }
        lines.push(line);
    }
    if lines.is_empty() { Err(NotATable::Empty) } else { Ok(lines) }
}

/// The cells of each row, with the line where it begins.
fn records(text: &str) -> Vec<(i64, Vec<String>)> {
    let (mut all, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut line, mut begins, mut quoted) = (1_i64, 1_i64, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if cell.is_empty() => quoted = true,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted && chars.peek() == Some(&'\n') => {}
            '\n' | '\r' if !quoted => {
                line = line.saturating_add(1);
                row.push(std::mem::take(&mut cell));
                all.push((begins, std::mem::take(&mut row)));
                begins = line;
            }
            other => {
                if other == '\n' {
                    line = line.saturating_add(1);
                }
                cell.push(other);
            }
        }
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        all.push((begins, row));
    }
    all
}

/// Reads a row as a patient; all that is wrong with it, by code.
pub(super) fn patient(line: &Line, today: Date) -> Result<Read, Vec<&'static str>> {
    let mut wrong = Vec::new();
    let name = RealName::parse(&line.name);
    if name.is_none() {
        wrong.push("name_invalid");
    }
    let document = match document(line, today) {
        Ok(document) => document,
        Err(code) => {
            wrong.push(code);
            None
        }
    };
    let birth = match line.birth_date.trim() {
        "" => None,
        text => {
            let date =
                text.replace('/', "-").parse::<Date>().ok().filter(|d| d.year() >= 1900 && *d <= today);
            if date.is_none() {
                wrong.push("birth_date_invalid");
            }
            date
        }
    };
    let sex = match line.sex.trim().to_lowercase().as_str() {
        "" | "未知" | "unknown" => Sex::Unknown,
        "男" | "male" | "m" => Sex::Male,
        "女" | "female" | "f" => Sex::Female,
        _ => {
            wrong.push("sex_missing");
            Sex::Unknown
        }
    };
    let phone = match line.phone.trim() {
        "" => None,
        text => {
            let phone = Mobile::parse(text);
            if phone.is_none() {
                wrong.push("phone_invalid");
            }
            phone
        }
    };
    let card = match line.visit_card.trim() {
        "" => None,
        text => {
            let card = CardNumber::parse(CardKind::Visit, text, today).ok();
            if card.is_none() {
                wrong.push("card_invalid");
            }
            card
        }
    };
    if wrong.is_empty() && document.is_none() && phone.is_none() && card.is_none() {
        // By the name alone nobody is known again: the file could not be brought in a second time.
        wrong.push("identifier_missing");
    }
    match name {
        Some(name) if wrong.is_empty() => {
            Ok(Read { patient: NewPatient { name, document, birth, sex, phone, verified: true }, card })
        }
        _ => Err(wrong),
    }
}

fn document(line: &Line, today: Date) -> Result<Option<Document>, &'static str> {
    let number = line.document.trim();
    if number.is_empty() {
        return Ok(None);
    }
    let kind = match line.document_kind.trim() {
        "" | "居民身份证" | "身份证" => Some(DocumentKind::ResidentId),
        "港澳居民来往内地通行证" => Some(DocumentKind::HkMacauPermit),
        "台湾居民来往大陆通行证" => Some(DocumentKind::TaiwanPermit),
        "港澳台居民居住证" => Some(DocumentKind::HmtResidencePermit),
        "外国人永久居留身份证" => Some(DocumentKind::ForeignPermanentResident),
        "护照" => Some(DocumentKind::Passport),
        "出生医学证明" => Some(DocumentKind::BirthCertificate),
        code => DocumentKind::from_code(code),
    };
    let kind = kind.ok_or("document_invalid")?;
    let country = Some(line.country.trim()).filter(|c| !c.is_empty());
    Document::parse(kind, number, country, today).map(Some).map_err(|_| "document_invalid")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TODAY: &str = "2026-11-29";

    #[test]
    fn a_spreadsheet_is_read_as_it_is_saved() {
        let text =
            "\u{feff}姓名,手机号,就诊卡号\r\n李娜,13800000000,\"HZ,1\"\r\n\r\n\"王\n强\",,\"a\"\"b\"\n";
        let lines = read(text.as_bytes(), 10).unwrap();
        assert_eq!(lines.len(), 2);
        assert_eq!((lines[0].line, &*lines[0].visit_card), (2, "HZ,1"));
        assert_eq!((lines[1].line, &*lines[1].name, &*lines[1].visit_card), (4, "王\n强", "a\"b"));
    }

    #[test]
    fn what_is_no_table_of_patients() {
        assert_eq!(read(&[0xff, 0xfe], 10), Err(NotATable::NotUtf8));
        assert_eq!(read(b"", 10), Err(NotATable::Empty));
        assert_eq!(read("姓名,手机号\n".as_bytes(), 10), Err(NotATable::Empty));
        assert_eq!(read("姓名,工资\n李娜,1\n".as_bytes(), 10), Err(NotATable::Columns(vec!["工资".into()])));
        assert_eq!(read(b"phone\n1\n", 10), Err(NotATable::Columns(vec![])));
        assert_eq!(read(b"name\na\nb\nc\n", 2), Err(NotATable::TooMany));
    }

    #[test]
    fn all_that_is_wrong_with_a_row_is_told() {
        let today = TODAY.parse().unwrap();
        let of = |text: &str| {
            let whole = format!("name,document,birth_date,sex,phone,visit_card\n{text}\n");
            patient(&read(whole.as_bytes(), 9).unwrap()[0], today).map(|_| ()).unwrap_err()
        };
        assert_eq!(
            of("1,2,3,4,5,6"),
            [
                "name_invalid",
                "document_invalid",
                "birth_date_invalid",
                "sex_missing",
                "phone_invalid",
                "card_invalid"
            ]
        );
        assert_eq!(of("李娜,,1990-01-01,女,,"), ["identifier_missing"]);
        assert_eq!(of("李娜,,2090/01/01,女,13800000000,"), ["birth_date_invalid"]);
        let good = read("姓名,手机号,性别,出生日期\n李娜,13800000000,女,1990/03/07\n".as_bytes(), 9).unwrap();
        let read = patient(&good[0], today).map_err(|e| e.join(",")).unwrap();
        assert_eq!(read.patient.birth, Some("1990-03-07".parse().unwrap()));
    }

    proptest! {
        #[test]
        fn whatever_the_file_holds_it_is_only_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "\\PC{0,100}") {
            let _ = read(&bytes, 5);
            if let Ok(lines) = read(format!("name,phone\n{text}").as_bytes(), 5) {
                for line in &lines {
                    let _ = patient(line, TODAY.parse().unwrap());
                }
            }
        }
    }
}
