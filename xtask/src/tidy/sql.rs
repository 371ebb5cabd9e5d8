//! SQL stands in `store.rs` (or `store/`) and nowhere else, so that a table's owner can be found and every statement
//! can be tried on both databases.

use super::literals::string_literals;
use super::{File, Finding};

const STARTS: &[&str] = &["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ", "WITH "];
/// With `WITH` alone an English sentence in capitals would do.
const INSIDE: &[&str] = &["SELECT", "SET", "VALUES", "FROM", "WHERE"];

/// The kernel, where each file keeps its one small table beside its code, and what only tests or measures.
const FREE: &[&str] = &["store", "edge", "testkit", "stories", "bench"];

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| has_rule(&file.path)) {
        for (line, text) in string_literals(before_tests(&file.text)) {
            if is_sql(&text) {
                findings.push(Finding::new(&file.path, line, "SQL outside of store.rs"));
            }
        }
    }
    findings
}

fn has_rule(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    let ["crates", owner, "src", rest @ ..] = parts.as_slice() else { return false };
    let room = rest.iter().any(|part| *part == "store" || *part == "store.rs");
    path.ends_with(".rs")
        && !FREE.contains(owner)
        && !room
        && !rest.iter().any(|part| part.starts_with("tests"))
}

/// The file up to its test module.
fn before_tests(text: &str) -> &str {
    let mut at = 0;
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        let module =
            lines.peek().is_some_and(|next| next.starts_with("mod ") && next.trim_end().ends_with('{'));
        if line.trim_end() == "#[cfg(test)]" && module {
            return text.get(..at).unwrap_or(text);
        }
        at += line.len();
    }
    text
}

fn is_sql(literal: &str) -> bool {
    let text = literal.trim_start_matches(|c: char| c.is_whitespace() || c == '\\').replace('\n', " ");
    STARTS.iter().any(|start| text.starts_with(start))
        && (text.starts_with("SELECT ") || text.split_whitespace().any(|word| INSIDE.contains(&word)))
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check(&[file(path, text)]).len()
    }

    #[test]
    fn sql_is_found_outside_its_room() {
        let code = "const X: &str = \"SELECT id FROM slot\";\nlet y = \"\\\n    UPDATE slot SET taken = 1\";";
        assert_eq!(found("crates/booking/src/desk.rs", code), 2);
        assert_eq!(found("crates/server/src/inbox.rs", code), 2);
        for path in [
            "crates/booking/src/store.rs",
            "crates/booking/src/store/desk.rs",
            "crates/store/src/lease.rs",
            "crates/testkit/src/lib.rs",
            "crates/booking/tests/it/main.rs",
            "crates/booking/src/desk/tests.rs",
        ] {
            assert_eq!(found(path, code), 0, "{path}");
        }
    }

    #[test]
    fn prose_and_tests_are_not_sql() {
        let prose =
            "x(\"Select a doctor\", \"UPDATE your card\", \"DELETE\", \"/DELETE FROM\", \"WITH CARE\");";
        assert_eq!(found("crates/booking/src/api.rs", prose), 0);
        let tests = "fn a() {}\n\n#[cfg(test)]\nmod tests {\n    const X: &str = \"SELECT 1\";\n}\n";
        assert_eq!(found("crates/booking/src/api.rs", tests), 0);
        let file_of_tests = "#[cfg(test)]\nmod tests;\nconst X: &str = \"SELECT 1\";\n";
        assert_eq!(found("crates/booking/src/api.rs", file_of_tests), 1);
    }
}
