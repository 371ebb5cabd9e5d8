//! What the machine must have, and how it gets it: Debian packages through apt when we are root (asked for by name
//! otherwise), pinned cargo tools under `target/tools`, pinned Python packages under `target/venv`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::{postgres, process, project, stamp};

const NEXTEST: &str = "0.9.143";
const DENY: &str = "0.20.2";
const CHROMIUM: &str = "/usr/bin/chromium";

/// Something that comes as a Debian package.
pub(crate) struct Need {
    /// The package's name.
    package: &'static str,
    present: fn() -> bool,
}

/// The database that tests run beside SQLite.
pub(crate) const POSTGRESQL: Need =
    Need { package: "postgresql", present: || postgres::programs().is_some() };
/// The browser of the browser tests.
pub(crate) const BROWSER: Need = Need { package: "chromium", present: || chromium().is_file() };
/// Without it every Chinese screenshot is empty boxes.
pub(crate) const CJK_FONTS: Need = Need {
    package: "fonts-noto-cjk",
    present: || {
        Path::new("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc").is_file()
            || process::capture(Command::new("fc-list").args([":lang=zh-cn", "file"]))
                .is_ok_and(|fonts| !fonts.trim().is_empty())
    },
};
/// Renders papers and reads their text, in the tests that look at them.
pub(crate) const POPPLER: Need =
    Need { package: "poppler-utils", present: || ["pdftoppm", "pdftotext"].iter().all(|name| on_path(name)) };
/// For the third-party SDK that talks to the simulator.
pub(crate) const PYTHON_VENV: Need = Need { package: "python3-venv", present: || python().is_some() };

/// Installs what is missing; without root, or without apt, names it and stops.
pub(crate) fn ensure(needs: &[Need]) -> Result<()> {
    let missing: Vec<&str> = needs.iter().filter(|need| !(need.present)()).map(|need| need.package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    if !rustix::process::geteuid().is_root() {
        bail!("these Debian packages are missing; please install them: sudo apt-get install {names}");
    }
    if !Path::new("/usr/bin/apt-get").is_file() {
        bail!("these are missing and there is no apt-get to install them with: {names}");
    }
    println!("installing {names}");
    process::run(apt().args(["update", "-q"]))?;
    process::run(apt().args(["install", "-q", "-y", "--no-install-recommends"]).args(&missing))?;
    let still: Vec<&str> = needs.iter().filter(|need| !(need.present)()).map(|need| need.package).collect();
    if !still.is_empty() {
        bail!("apt-get installed {names}, yet these are not usable: {}", still.join(" "));
    }
    Ok(())
}

fn on_path(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// The browser: `$CHROMIUM` where set, else Debian's.
pub(crate) fn chromium() -> PathBuf {
    std::env::var_os("CHROMIUM").map_or_else(|| PathBuf::from(CHROMIUM), PathBuf::from)
}

/// `cargo-nextest` of the pinned version: the one on `PATH` when it is that, else ours, built once.
pub(crate) fn nextest() -> Result<PathBuf> {
    let on_path = Path::new("cargo-nextest");
    if version_is(Command::new(on_path).args(["nextest", "--version"]), "cargo-nextest", NEXTEST) {
        return Ok(on_path.to_path_buf());
    }
    tool("cargo-nextest", &["nextest", "--version"], NEXTEST)
}

/// `cargo-deny` of the pinned version, in the same way.
pub(crate) fn deny() -> Result<PathBuf> {
    let on_path = Path::new("cargo-deny");
    if version_is(Command::new(on_path).arg("--version"), "cargo-deny", DENY) {
        return Ok(on_path.to_path_buf());
    }
    tool("cargo-deny", &["--version"], DENY)
}

fn tool(name: &str, ask: &[&str], version: &str) -> Result<PathBuf> {
    let path = project::target("tools/bin").join(name);
    if version_is(Command::new(&path).args(ask), name, version) {
        return Ok(path);
    }
    println!("building {name} {version} (once; some minutes)");
    let build = project::target("tools/build");
    let mut install = project::cargo();
    // An unoptimised build takes a third of the time, and these tools spend theirs waiting for others.
    install.args(["install", "--debug", "--locked", "--force", "--root"]).arg(project::target("tools"));
    install.args(["--version", version, name]);
    install.env("CARGO_TARGET_DIR", &build).env("CARGO_PROFILE_DEV_DEBUG", "false");
    process::run(&mut install)?;
    // Only the program is kept: the build's leftovers are a gigabyte.
    let _kept = std::fs::remove_dir_all(&build);
    Ok(path)
}

fn version_is(ask: &mut Command, name: &str, version: &str) -> bool {
    process::capture(ask).is_ok_and(|text| says_version(&text, name, version))
}

/// Whether the first line is `NAME VERSION`, perhaps with more behind it.
fn says_version(text: &str, name: &str, version: &str) -> bool {
    let mut words = text.lines().next().unwrap_or_default().split_whitespace();
    words.next() == Some(name) && words.next() == Some(version)
}

/// A Python that can make virtual environments.
fn python() -> Option<&'static str> {
    ["python3", "/usr/bin/python3"]
        .into_iter()
        .find(|python| process::capture(Command::new(python).args(["-c", "import ensurepip, venv"])).is_ok())
}

/// The Python of `target/venv` with the packages of `xtask/python/requirements.txt`, installed anew when those or
/// Python itself changed.
pub(crate) fn venv() -> Result<PathBuf> {
    let base = python().context("python3 with venv is missing: apt-get install python3-venv")?;
    let version = process::capture(Command::new(base).arg("--version"))?;
    let folder = project::target("venv");
    let inside = folder.join("bin/python");
    let mark = folder.join("installed");
    let wanted =
        stamp::fingerprint(project::root(), &["xtask/python/requirements.txt"], &[base, version.trim()])?;
    if inside.is_file() && stamp::fresh(&mark, &wanted) {
        return Ok(inside);
    }
    process::run(Command::new(base).args(["-m", "venv", "--clear"]).arg(&folder))?;
    process::run(
        Command::new(&inside)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "-r"])
            .arg(project::root().join("xtask/python/requirements.txt"))
            .env("PIP_ROOT_USER_ACTION", "ignore"),
    )?;
    stamp::write(&mark, &wanted)?;
    Ok(inside)
}

/// Whether a `node --version` is new enough for the web packages (20.19).
pub(crate) fn node_serves(version: &str) -> bool {
    let mut numbers = version.trim().trim_start_matches('v').split('.').map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= (20, 19),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_must_have_the_pinned_version_exactly() {
        let nextest = "cargo-nextest 0.9.143 (60fa45f63 2026-08-04)\nrelease: 0.9.143\n";
        assert!(says_version(nextest, "cargo-nextest", "0.9.143"));
        assert!(!says_version(nextest, "cargo-nextest", "0.9.14"));
        assert!(!says_version(nextest, "cargo-deny", "0.9.143"));
        assert!(says_version("cargo-deny 0.20.2\n", "cargo-deny", "0.20.2"));
        assert!(!says_version("", "cargo-deny", "0.20.2"));
    }

    #[test]
    fn node_is_20_19_or_newer() {
        for good in ["v20.19.0\n", "v20.20.2", "v22.0.1", "24.1.0"] {
            assert!(node_serves(good), "{good}");
        }
        for bad in ["v20.18.9", "v18.20.4\n", "", "none"] {
            assert!(!node_serves(bad), "{bad}");
        }
    }
}
