//! Where things are, and how `cargo` is called here.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// The root of the repository, wherever the command was called from.
pub(crate) fn root() -> &'static Path {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest)
}

/// A path under `target/`. Always the repository's own folder: pages, browser tests and documents name files in it.
pub(crate) fn target(path: &str) -> PathBuf {
    root().join("target").join(path)
}

/// `cargo`, the one that started us, at the root, building into the repository's own `target/`.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).env("CARGO_TARGET_DIR", target(""));
    command
}

/// Builds the program in the dev profile: `target/debug/xinglin`. Features come from the whole workspace, so that a
/// later test run finds the same dependencies built.
pub(crate) fn build_program() -> Command {
    let mut command = cargo();
    command.args(["build", "--workspace", "--bin", "xinglin"]);
    command
}

/// Plain step lines with the seconds since the start.
pub(crate) struct Steps(Instant);

impl Steps {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn say(&self, text: &str) {
        println!("[{:>4} s] {text}", self.0.elapsed().as_secs());
    }
}
