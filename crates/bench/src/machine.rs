//! On what it was measured: figures without that say nothing.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde::Serialize;

use crate::places;

/// The machine.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Machine {
    processor: String,
    cores: usize,
    memory_gib: u64,
    kernel: String,
    /// The load average of the last minute before …
    load_before: String,
    /// … and after.
    load_after: String,
}

impl Machine {
    /// Looks around before anything is measured.
    pub(crate) fn look() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name));
            line.and_then(|line| line.split_once(':')).map_or_else(String::new, |(_, v)| v.trim().to_owned())
        };
        let memory = field(&read("/proc/meminfo"), "MemTotal");
        let kib: u64 = memory.split_whitespace().next().and_then(|kib| kib.parse().ok()).unwrap_or(0);
        Self {
            processor: field(&read("/proc/cpuinfo"), "model name"),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_gib: kib.div_ceil(1024 * 1024),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            load_before: load_average(),
            load_after: String::new(),
        }
    }

    /// Looks once more after everything was measured.
    pub(crate) fn look_again(&mut self) {
        self.load_after = load_average();
    }

    /// One line for people.
    pub(crate) fn line(&self) -> String {
        format!(
            "{} × {}, {} GiB, Linux {}; load average {} before, {} after",
            self.cores, self.processor, self.memory_gib, self.kernel, self.load_before, self.load_after
        )
    }
}

fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or_default().to_owned()
}

/// The commit that was measured; `-changed` behind it when files differ from it. Empty outside of a repository.
pub(crate) fn commit() -> String {
    let git = |args: &[&str]| said(Command::new("git").current_dir(places::root("")).args(args));
    let head = git(&["rev-parse", "--short=12", "HEAD"]);
    let changed = !git(&["status", "--porcelain", "--untracked-files=no"]).is_empty();
    if changed && !head.is_empty() { format!("{head}-changed") } else { head }
}

/// The first line of what a program says of its version; empty when it is not there.
pub(crate) fn version(program: &Path) -> String {
    said(Command::new(program).arg("--version"))
}

fn said(command: &mut Command) -> String {
    let output = command.stderr(std::process::Stdio::null()).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or_default().trim().to_owned()
}

/// The kind of file system that a folder is on, and from which device: `ext4 (/dev/vda1)`. On `tmpfs` nothing is ever
/// written to a disk, and a database there is faster than any hospital's.
pub(crate) fn file_system(folder: &Path) -> String {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    mount_of(&mounts, &folder).unwrap_or_else(|| "unknown".to_owned())
}

fn mount_of(mounts: &str, folder: &Path) -> Option<String> {
    let found = mounts
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(' ');
            let (device, at, kind) = (fields.next()?, fields.next()?, fields.next()?);
            folder.starts_with(at).then_some((at.len(), format!("{kind} ({device})")))
        })
        // Of two mounts at one place the later hides the earlier.
        .max_by_key(|(length, _)| *length);
    found.map(|(_, text)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_mount_counts() {
        let mounts = "/dev/vda / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/vdb /tmp/data xfs rw 0 0\n";
        assert_eq!(mount_of(mounts, Path::new("/tmp/data/x")).unwrap(), "xfs (/dev/vdb)");
        assert_eq!(mount_of(mounts, Path::new("/tmp/other")).unwrap(), "tmpfs (tmpfs)");
        assert_eq!(mount_of(mounts, Path::new("/tmpx")).unwrap(), "ext4 (/dev/vda)");
        assert_eq!(mount_of("", Path::new("/")), None);
    }

    #[test]
    fn a_machine_can_be_told() {
        let machine = Machine::look();
        assert!(machine.cores > 0 && machine.memory_gib > 0 && !machine.kernel.is_empty());
        assert!(version(Path::new("no-such-program-here")).is_empty());
    }
}
