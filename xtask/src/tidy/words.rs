//! Words that must not stand in a committed file. Written in halves here, because this is one too.

use super::{File, Finding};

/// Folders of one machine: what works only there works nowhere.
const PATHS: &[&str] = &[
    concat!("/wo", "rk/main"),
    concat!("/wo", "rk/shared"),
    concat!("/wo", "rk/."),
    concat!("/ro", "ot/"),
    concat!("/tmp/", "xl"),
];

/// Hosts that packages are fetched from. Files name packages; where they come from is the affair of who builds.
const HOSTS: &[&str] = &[
    concat!("registry.", "npmjs"),
    concat!("registry.", "npmmirror"),
    concat!("pypi.", "org"),
    concat!("files.", "pythonhosted"),
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("deb.", "debian.org"),
];

/// Marks of unfinished work: finish it, or file it.
const UNFINISHED: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME")];
const MACROS: &[&str] = &[concat!("to", "do!"), concat!("unimple", "mented!")];
const MERGE: &[&str] = &[concat!("<<<<", "<<< "), concat!(">>>>", ">>> "), concat!("||||", "||| ")];

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        // Lock files are full of hashes, in which any word may stand by chance.
        let lock = file.path.ends_with("package-lock.json") || file.path.ends_with("Cargo.lock");
        for (number, line) in (1..).zip(file.text.lines()) {
            let mut found = |what: String| findings.push(Finding::new(&file.path, number, what));
            for host in HOSTS.iter().filter(|host| line.contains(**host)) {
                found(format!("names the package host {host}"));
            }
            if lock {
                continue;
            }
            for path in PATHS.iter().filter(|path| starts_a_path(line, path)) {
                found(format!("names {path}, a folder of one machine"));
            }
            for word in UNFINISHED.iter().filter(|word| has_word(line, word)) {
                found(format!("{word}: finish it"));
            }
            for name in MACROS.iter().filter(|name| file.path.ends_with(".rs") && has_word(line, name)) {
                found(format!("{name}: finish it"));
            }
            if MERGE.iter().any(|mark| line.starts_with(mark)) {
                found("left over from a merge".to_owned());
            }
        }
    }
    findings
}

/// Whether `path` stands in the line at the beginning of a path, not inside a longer one.
fn starts_a_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '}' | '/' | '*'))
    })
}

fn has_word(line: &str, word: &str) -> bool {
    let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, found)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line.get(at + found.len()..).and_then(|text| text.chars().next());
        !inside(before) && !inside(after)
    })
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check(&[file(path, text)]).len()
    }

    #[test]
    fn folders_of_one_machine() {
        for bad in [
            concat!("see /wo", "rk/shared/x.md"),
            concat!("\"/ro", "ot/.cargo\""),
            concat!("(/tmp/", "xl/a)"),
        ] {
            assert_eq!(found("docs/a.md", bad), 1, "{bad}");
        }
        for good in
            ["web/src/root/a.ts", "https://example.org/root/x", "../root/", "${HOME}/root/x", "/tmp/xinglin"]
        {
            assert_eq!(found("docs/a.md", good), 0, "{good}");
        }
    }

    #[test]
    fn package_hosts_even_in_lock_files() {
        let line = concat!("\"resolved\": \"https://registry.", "npmjs.org/vue\"");
        assert_eq!(found("web/package-lock.json", line), 1);
        assert_eq!(found("README.md", "https://crates.io/crates/axum"), 0);
    }

    #[test]
    fn unfinished_work() {
        assert_eq!(found("crates/a/src/x.rs", concat!("// TO", "DO: later")), 1);
        assert_eq!(found("crates/a/src/x.rs", concat!("    to", "do!()")), 1);
        assert_eq!(found("web/a.ts", concat!("<<<<", "<<< HEAD")), 1);
        assert_eq!(found("web/a.ts", "numTodoTests, AUTODOCK, a ======= b"), 0);
        assert_eq!(found("web/package-lock.json", concat!("sha512-/TO", "DO+")), 0);
    }
}
