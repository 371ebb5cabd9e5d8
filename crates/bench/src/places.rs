//! Where things are: the repository, the program beside us, free ports.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::Serialize;

/// Below this port Linux hands nothing out by itself: a client's connection can't take a port that is about to be ours.
const PORTS_END: u16 = 32_768;
const FIRST_PORT: u16 = 20_000;

/// A path from the repository's root.
pub(crate) fn root(path: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).join(path)
}

/// The program, built together with us.
pub(crate) fn program() -> Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name("xinglin");
    if !path.is_file() {
        bail!("{} is not there; `cargo xtask bench` builds it", path.display());
    }
    Ok(path)
}

/// How the program beside us was built: `release` or `dev`. Figures of a dev build say nothing about a hospital.
pub(crate) fn profile() -> &'static str {
    if cfg!(debug_assertions) { "dev" } else { "release" }
}

/// Free ports of the loopback address. Another process may take one before its user does; both then say so and stop.
pub(crate) fn free_ports(count: usize) -> Result<Vec<u16>> {
    let span = u32::from(PORTS_END - FIRST_PORT);
    let start = std::process::id().wrapping_mul(37) % span;
    let ports: Vec<u16> = (0..span)
        .filter_map(|step| u16::try_from(u32::from(FIRST_PORT) + (start + step) % span).ok())
        .filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .take(count)
        .collect();
    if ports.len() < count {
        bail!("no free port between {FIRST_PORT} and {PORTS_END}");
    }
    Ok(ports)
}

/// Writes what was measured to `target/bench/NAME.json`; gives the path as people type it.
pub(crate) fn write(name: &str, figures: &impl Serialize) -> Result<String> {
    let short = format!("target/bench/{name}.json");
    let path = root(&short);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let text = serde_json::to_string_pretty(figures)?;
    fs::write(&path, format!("{text}\n")).with_context(|| path.display().to_string())?;
    Ok(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_where_the_workspace_is() {
        assert!(root("Cargo.lock").is_file());
        assert!(root("crates/bench/src/main.rs").is_file());
    }

    #[test]
    fn ports_are_free_different_and_low() {
        let ports = free_ports(2).unwrap();
        assert_ne!(ports[0], ports[1]);
        assert!(ports.iter().all(|port| (FIRST_PORT..PORTS_END).contains(port)));
    }
}
