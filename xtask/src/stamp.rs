//! Work that is done again only when its inputs changed: a fingerprint of the inputs, kept in a small file.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hasher as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// Folders that hold results, not sources.
const RESULTS: &[&str] =
    &["node_modules", "dist", "e2e", "test-results", "playwright-report", "shots", "target", ".git"];

/// Content and names of files and folders (relative to `root`, missing ones count as empty) and of `facts`, such as a
/// tool's version. Not cryptographic, and allowed to change with the compiler: the worst case is doing the work again.
pub(crate) fn fingerprint(root: &Path, paths: &[&str], facts: &[&str]) -> Result<String> {
    let mut files = BTreeSet::new();
    for path in paths {
        collect(&root.join(path), &mut files)?;
    }
    let mut hasher = DefaultHasher::new();
    for fact in facts {
        hasher.write(fact.as_bytes());
        hasher.write_u8(0);
    }
    for file in files {
        let content = fs::read(&file).with_context(|| format!("can't read {}", file.display()))?;
        let name = file.strip_prefix(root).unwrap_or(&file);
        hasher.write(name.as_os_str().as_encoded_bytes());
        hasher.write_u8(0);
        hasher.write_usize(content.len());
        hasher.write(&content);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn collect(path: &Path, files: &mut BTreeSet<PathBuf>) -> Result<()> {
    if path.is_file() {
        files.insert(path.to_path_buf());
    } else if path.is_dir() {
        for entry in fs::read_dir(path).with_context(|| format!("can't list {}", path.display()))? {
            let entry = entry?;
            if !RESULTS.iter().any(|name| entry.file_name() == *name) {
                collect(&entry.path(), files)?;
            }
        }
    }
    Ok(())
}

/// Whether the file at `stamp` says exactly this.
pub(crate) fn fresh(stamp: &Path, fingerprint: &str) -> bool {
    fs::read_to_string(stamp).is_ok_and(|text| text == fingerprint)
}

/// Remembers it.
pub(crate) fn write(stamp: &Path, fingerprint: &str) -> Result<()> {
    if let Some(folder) = stamp.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(stamp, fingerprint).with_context(|| format!("can't write {}", stamp.display()))
}

/// Forgets it: before work starts that may be interrupted half-way.
pub(crate) fn clear(stamp: &Path) {
    let _none = fs::remove_file(stamp);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_follows_names_content_and_facts_but_not_results() {
        let root = std::env::temp_dir().join(format!("xtask-stamp-{}", std::process::id()));
        fs::create_dir_all(root.join("a/node_modules")).unwrap();
        fs::write(root.join("a/one.ts"), "1").unwrap();
        let of = |facts: &[&str]| fingerprint(&root, &["a", "missing"], facts).unwrap();
        let first = of(&["v20"]);
        assert_eq!(first, of(&["v20"]));
        assert_ne!(first, of(&["v22"]));
        fs::write(root.join("a/node_modules/big.js"), "x").unwrap();
        assert_eq!(first, of(&["v20"]), "installed packages are not sources");
        fs::write(root.join("a/one.ts"), "2").unwrap();
        let changed = of(&["v20"]);
        assert_ne!(first, changed);
        fs::rename(root.join("a/one.ts"), root.join("a/two.ts")).unwrap();
        assert_ne!(changed, of(&["v20"]));

        let stamp = root.join("s/stamp");
        assert!(!fresh(&stamp, &first));
        write(&stamp, &first).unwrap();
        assert!(fresh(&stamp, &first) && !fresh(&stamp, &changed));
        clear(&stamp);
        assert!(!fresh(&stamp, &first));
        fs::remove_dir_all(&root).unwrap();
    }
}
