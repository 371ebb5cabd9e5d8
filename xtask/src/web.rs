//! The web pages: packages, scripts, and builds that happen only when their sources changed.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::{machine, process, project, stamp};

const STAMP: &str = "xtask/web-build";

/// Node and npm of a version that the packages accept; says what to install otherwise. Returns Node's version.
fn node() -> Result<String> {
    const NEEDED: &str = "Node 20.19 or later, with npm, is needed for the web pages";
    let version = process::capture(Command::new("node").arg("--version")).context(NEEDED)?;
    if !machine::node_serves(&version) {
        bail!("{NEEDED}; this is {}", version.trim());
    }
    process::capture(Command::new("npm").arg("--version")).context(NEEDED)?;
    Ok(version.trim().to_owned())
}

/// `web/node_modules` as the lock file says. Does nothing, and returns `false`, when it is so already.
pub(crate) fn packages() -> Result<bool> {
    let node = node()?;
    let root = project::root();
    let wanted = stamp::fingerprint(root, &["web/package.json", "web/package-lock.json"], &[&node])?;
    // Inside the folder that it vouches for: whoever removes the one removes the other.
    let mark = root.join("web/node_modules/.xinglin-installed");
    if stamp::fresh(&mark, &wanted) {
        return Ok(false);
    }
    stamp::clear(&mark);
    process::run(npm().args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]))?;
    stamp::write(&mark, &wanted)?;
    Ok(true)
}

/// Every app into `web/dist/<app>`. Does nothing, and returns `false`, when the sources are those of the last build
/// and its results are still there.
pub(crate) fn build() -> Result<bool> {
    let wanted = stamp::fingerprint(project::root(), &["web"], &[&node()?])?;
    let mark = project::target(STAMP);
    if built(&wanted)? {
        return Ok(false);
    }
    stamp::clear(&mark);
    process::run(&mut script("build", &[]))?;
    let apps = apps()?;
    if apps.is_empty() {
        bail!("`npm run build` left no app with an index.html under web/dist");
    }
    stamp::write(&mark, &mark_text(&wanted, &apps))?;
    Ok(true)
}

fn built(wanted: &str) -> Result<bool> {
    Ok(stamp::fresh(&project::target(STAMP), &mark_text(wanted, &apps()?)))
}

fn mark_text(fingerprint: &str, apps: &[String]) -> String {
    format!("{fingerprint} {}", apps.join(" "))
}

/// The apps whose build is there.
fn apps() -> Result<Vec<String>> {
    let dist = project::root().join("web/dist");
    let mut apps = Vec::new();
    if dist.is_dir() {
        for entry in fs::read_dir(&dist)? {
            let entry = entry?;
            if entry.path().join("index.html").is_file() {
                apps.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
    }
    apps.sort();
    Ok(apps)
}

/// `npm run NAME -- ARGS` in `web/`.
pub(crate) fn script(name: &str, args: &[&str]) -> Command {
    let mut command = npm();
    command.args(["run", "--silent", name]);
    if !args.is_empty() {
        command.arg("--").args(args);
    }
    command
}

/// A file or folder of the web sources.
pub(crate) fn path(path: &str) -> PathBuf {
    project::root().join("web").join(path)
}

fn npm() -> Command {
    let mut command = Command::new("npm");
    command.current_dir(path("")).env("npm_config_update_notifier", "false");
    command
}
