//! `cargo xtask bench NAME [--dev] [ARGS]`: the benchmarks. What they need is installed and built here, in a release
//! build unless `--dev` says otherwise; what they measure, and which arguments they take, is theirs (crates/bench).

use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::project::Steps;
use crate::{machine, process, project, web};

pub(crate) fn run(args: &[String]) -> Result<ExitCode> {
    let dev = args.iter().any(|arg| arg == "--dev");
    let passed_on: Vec<&String> = args.iter().filter(|arg| *arg != "--dev").collect();
    let steps = Steps::start();
    let name = passed_on.first().map(|name| name.as_str());
    let mut python = None;
    match name {
        Some("pages") => {
            machine::ensure(&[machine::BROWSER, machine::CJK_FONTS])?;
            steps.say("web packages and pages");
            web::packages()?;
            web::build()?;
        }
        Some("rush" | "reads" | "nodes" | "growth" | "release" | "pay" | "watch" | "day") => {
            machine::ensure(&[machine::POSTGRESQL])?;
        }
        Some("callback") => {
            machine::ensure(&[machine::POSTGRESQL, machine::PYTHON_VENV])?;
            steps.say("Python packages");
            python = Some(machine::venv()?);
        }
        // The program lists what there is.
        _ => {}
    }
    steps.say(if dev { "building" } else { "building for release (the first time takes some minutes)" });
    process::run(&mut build(dev))?;
    if process::stopped() {
        bail!("stopped");
    }
    let folder = if dev { "debug" } else { "release" };
    let mut bench = Command::new(project::target(folder).join("bench"));
    bench.args(passed_on).current_dir(project::root()).env("CHROMIUM", machine::chromium());
    if let Some(python) = python {
        bench.env("XINGLIN_PYTHON", python);
    }
    let status = process::foreground(&mut bench)?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// The program and the benchmarks. Features come from the whole workspace, as in every other build of ours.
fn build(dev: bool) -> Command {
    let mut command = project::cargo();
    command.args(["build", "--workspace", "--bin", "xinglin", "--bin", "bench"]);
    if !dev {
        command.arg("--release");
    }
    command
}
