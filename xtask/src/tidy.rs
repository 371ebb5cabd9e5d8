//! `cargo xtask tidy`: the house rules as checks, over every file that git knows or would add.

mod arrows;
mod files;
mod literals;
mod migrations;
mod rooms;
mod sql;
mod words;

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use anyhow::{Result, bail};

use crate::{process, project};

/// A file of the repository. Paths use `/` and start at the root.
struct File {
    path: String,
    text: String,
}

/// A broken rule, at a place.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    /// From 1; 0 where the whole file is meant.
    line: usize,
    what: String,
}

impl Finding {
    fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

/// The capabilities: crates that own tables and keep the rooms of ARCHITECTURE.md.
const CAPABILITIES: &[&str] = &[
    "people", "notify", "schedule", "billing", "booking", "queue", "exam", "consult", "care", "watch",
    "feedback", "content", "office", "place", "insight", "exchange",
];

pub(crate) fn run(args: &[String]) -> Result<()> {
    if let Some(arg) = args.first() {
        bail!("tidy takes no arguments, not {arg:?}");
    }
    check()
}

pub(crate) fn check() -> Result<()> {
    let files = load()?;
    for note in files::long(&files) {
        println!("note: {note}");
    }
    let mut findings = BTreeSet::new();
    findings.extend(arrows::check(&arrows::crates()?));
    findings.extend(files::check(&files));
    findings.extend(words::check(&files));
    findings.extend(rooms::check(&files));
    findings.extend(migrations::check(&files));
    findings.extend(sql::check(&files));
    for finding in &findings {
        match finding.line {
            0 => println!("{}: {}", finding.path, finding.what),
            line => println!("{}:{line}: {}", finding.path, finding.what),
        }
    }
    match findings.len() {
        0 => Ok(()),
        1 => bail!("1 house rule broken"),
        many => bail!("{many} house rules broken"),
    }
}

/// Text files, in order; others have no rules here.
fn load() -> Result<Vec<File>> {
    let mut list = Command::new("git");
    list.current_dir(project::root()).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let listed = process::capture(&mut list)?;
    let paths: BTreeSet<&str> = listed.split('\0').filter(|path| !path.is_empty()).collect();
    let mut files = Vec::new();
    for path in paths {
        // A file that was deleted but not committed yet is still listed.
        if let Ok(bytes) = fs::read(project::root().join(path))
            && let Ok(text) = String::from_utf8(bytes)
        {
            files.push(File { path: path.to_owned(), text });
        }
    }
    Ok(files)
}

#[cfg(test)]
fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}
