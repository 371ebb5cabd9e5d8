//! `cargo xtask dist`: what is published, one archive with the program and its documents.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::project::Steps;
use crate::{process, project, web};

/// What goes beside the program, where it exists.
const DOCUMENTS: &[&str] = &["LICENSE", "README.md", "README.zh-CN.md", "CHANGELOG.md", "docs"];

/// The variable that lets a debug build die at a named point (crates/store/src/fault.rs): nothing of it is published.
const FAULTS: &[u8] = b"XINGLIN_FAULT";

pub(crate) fn run(args: &[String]) -> Result<()> {
    if let Some(arg) = args.first() {
        bail!("dist takes no arguments, not {arg:?}");
    }
    let steps = Steps::start();
    steps.say("web pages");
    web::packages()?;
    web::build()?;
    steps.say("the program, with thin link-time optimisation");
    process::run(project::cargo().args(["build", "--workspace", "--bin", "xinglin", "--profile", "dist"]))?;

    let folder = project::target("dist");
    let program = fs::read(folder.join("xinglin")).context("can't read the program")?;
    if program.windows(FAULTS.len()).any(|part| part == FAULTS) {
        bail!("the program carries the points at which tests let it die");
    }
    let name = format!("xinglin-{}-{}", env!("CARGO_PKG_VERSION"), platform()?);
    let archive = folder.join(format!("{name}.tar.gz"));
    let mut tar = Command::new("tar");
    // Same input, same bytes: order, owner and times do not depend on who packs.
    tar.args([
        "--create",
        "--gzip",
        "--sort=name",
        "--owner=0",
        "--group=0",
        "--numeric-owner",
        "--mtime=@0",
    ]);
    tar.arg("--file").arg(&archive).arg(format!("--transform=s,^,{name}/,"));
    tar.arg("-C").arg(&folder).arg("xinglin").arg("-C").arg(project::root());
    tar.args(DOCUMENTS.iter().filter(|path| project::root().join(path).exists()));
    process::run(&mut tar)?;
    let sum = process::capture(
        Command::new("sha256sum").arg(archive.file_name().unwrap_or_default()).current_dir(&folder),
    )?;
    fs::write(folder.join(format!("{name}.tar.gz.sha256")), &sum)?;
    steps.say(&format!("{} ({} bytes)", archive.display(), fs::metadata(&archive)?.len()));
    print!("{sum}");
    Ok(())
}

/// The machine that the program is for, as rustc names it.
fn platform() -> Result<String> {
    let text = process::capture(Command::new("rustc").arg("-vV"))?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not say its host")?.to_owned())
}
