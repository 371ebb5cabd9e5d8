//! Migrations are named `NNNN_name.sql`, or come as a pair `NNNN_name.sqlite.sql` and `NNNN_name.postgres.sql`; and each is listed
//! in its crate, since one that is not would never be applied, and nothing would say so.

use std::collections::BTreeMap;

use super::{File, Finding};

const SQLITE: &str = "sqlite";
const POSTGRES: &str = "postgres";

/// One file of a number: its name, its database where it has only one, its path.
struct Found<'a> {
    name: &'a str,
    database: Option<&'a str>,
    path: &'a str,
}

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut by_crate_and_number: BTreeMap<(&str, &str), Vec<Found<'_>>> = BTreeMap::new();
    for file in files {
        let parts: Vec<&str> = file.path.split('/').collect();
        let ["crates", owner, "migrations", name] = parts.as_slice() else { continue };
        match parse(name) {
            Some((number, name, database)) => {
                if !is_listed(files, owner, &format!("\"{number}_{name}")) {
                    findings.push(Finding::new(&file.path, 0, "no source of its crate lists this migration"));
                }
                let found = Found { name, database, path: &file.path };
                by_crate_and_number.entry((owner, number)).or_default().push(found);
            }
            None => {
                let what =
                    "a migration is NNNN_name.sql, or a pair NNNN_name.sqlite.sql and NNNN_name.postgres.sql";
                findings.push(Finding::new(&file.path, 0, what));
            }
        }
    }
    for ((_, number), found) in by_crate_and_number {
        let whole = match found.as_slice() {
            [one] => one.database.is_none(),
            [one, other] => {
                let pair =
                    one.database.is_some() && other.database.is_some() && one.database != other.database;
                pair && one.name == other.name
            }
            _ => false,
        };
        if let (false, Some(first)) = (whole, found.first()) {
            let what = format!("number {number} must be one file for both databases or one whole pair");
            findings.push(Finding::new(first.path, 0, what));
        }
    }
    findings
}

/// Whether a source of the crate names it. A crate without sources among these files is not judged.
fn is_listed(files: &[File], owner: &str, name: &str) -> bool {
    let sources = format!("crates/{owner}/src/");
    let mut sources = files.iter().filter(|file| file.path.starts_with(&sources)).peekable();
    sources.peek().is_none() || sources.any(|file| file.text.contains(name))
}

/// Number, name and, of a pair, the database.
fn parse(file: &str) -> Option<(&str, &str, Option<&str>)> {
    let (number, rest) = file.strip_suffix(".sql")?.split_once('_')?;
    let (name, database) = match rest.split_once('.') {
        None => (rest, None),
        Some((name, database @ (SQLITE | POSTGRES))) => (name, Some(database)),
        Some(_) => return None,
    };
    let digits = number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_digit());
    let snake =
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    (digits && snake).then_some((number, name, database))
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    fn found(names: &[&str]) -> usize {
        let files: Vec<File> =
            names.iter().map(|name| file(&format!("crates/booking/migrations/{name}"), "")).collect();
        check(&files).len()
    }

    #[test]
    fn names() {
        assert_eq!(found(&["0001_booking.sql", "0002_hold_index.sql"]), 0);
        assert_eq!(found(&["0001_booking.sqlite.sql", "0001_booking.postgres.sql"]), 0);
        for bad in [
            "1_booking.sql",
            "0001-booking.sql",
            "0001_Booking.sql",
            "0001_.sql",
            "0001_a.mysql.sql",
            "0001_a.txt",
        ] {
            assert_eq!(found(&[bad]), 1, "{bad}");
        }
    }

    #[test]
    fn each_is_listed_in_its_crate() {
        let lists = file("crates/booking/src/lib.rs", r#"migration!("booking", "0001_a")"#);
        let [first, second] =
            ["0001_a.sql", "0002_b.sql"].map(|n| file(&format!("crates/booking/migrations/{n}"), ""));
        assert!(check(&[lists, first]).is_empty());
        assert_eq!(
            check(&[file("crates/booking/src/lib.rs", r#"migration!("booking", "0001_a")"#), second]).len(),
            1
        );
    }

    #[test]
    fn a_number_is_used_once_and_pairs_are_whole() {
        assert_eq!(found(&["0001_a.sqlite.sql"]), 1);
        assert_eq!(found(&["0001_a.sql", "0001_b.sql"]), 1);
        assert_eq!(found(&["0001_a.sql", "0001_a.sqlite.sql"]), 1);
        assert_eq!(found(&["0001_a.postgres.sql", "0001_b.sqlite.sql"]), 1);
    }
}
