//! Every capability has the same rooms, so that whoever knows one finds the way in all.

use std::collections::{BTreeMap, BTreeSet};

use super::{CAPABILITIES, File, Finding};

const ROOMS: &[&str] = &["model.rs", "rules.rs", "store.rs", "api.rs", "reacts.rs"];

/// Rooms that a capability has no use for: crate, room. Its crate document says why.
const EXCEPTIONS: &[(&str, &str)] = &[("queue", "rules.rs")];

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let mut sources: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for file in files {
        let parts: Vec<&str> = file.path.split('/').collect();
        if let ["crates", name, "src", source] = parts.as_slice() {
            sources.entry(name).or_default().insert(source);
        }
    }
    let mut findings = Vec::new();
    for (name, sources) in sources.iter().filter(|(name, _)| CAPABILITIES.contains(name)) {
        for room in ROOMS {
            let excepted = EXCEPTIONS.contains(&(*name, *room));
            let there = sources.contains(room);
            let path = format!("crates/{name}/src/{room}");
            if !there && !excepted {
                findings.push(Finding::new(
                    &path,
                    0,
                    "this room is missing (exceptions: xtask/src/tidy/rooms.rs)",
                ));
            }
            if there && excepted {
                findings.push(Finding::new(
                    &path,
                    0,
                    "this room is listed as missing in xtask/src/tidy/rooms.rs",
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn a_capability_has_all_rooms() {
        let all: Vec<File> =
            ROOMS.iter().map(|room| file(&format!("crates/booking/src/{room}"), "")).collect();
        assert!(check(&all).is_empty());
        assert_eq!(check(&all[1..]).len(), 1);
        assert!(check(&[file("crates/edge/src/lib.rs", "")]).is_empty(), "not a capability");
        assert_eq!(check(&[file("crates/booking/src/lib.rs", "")]).len(), ROOMS.len());
        assert_eq!(
            check(&[file("crates/queue/src/lib.rs", "")]).len(),
            ROOMS.len() - 1,
            "but for its exception"
        );
    }
}
