//! `cargo xtask demo`: from a fresh clone to a running hospital.
//!
//! The program takes our place at the end (`exec`): a signal to the command is a signal to it, and nothing stays.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::project::Steps;
use crate::{process, project, web};

pub(crate) fn run(args: &[String]) -> Result<()> {
    let mut own = args;
    let mut passed_on: &[String] = &[];
    if let Some(dashes) = args.iter().position(|arg| arg == "--") {
        own = args.get(..dashes).unwrap_or_default();
        passed_on = args.get(dashes + 1..).unwrap_or_default();
    }
    let mut with_web = true;
    for arg in own {
        match arg.as_str() {
            "--no-web" => with_web = false,
            other => bail!("demo does not know {other:?}; what the program itself shall see comes after --"),
        }
    }

    let steps = Steps::start();
    if with_web {
        steps.say("web packages");
        if !web::packages()? {
            steps.say("web packages are up to date");
        }
        steps.say("web pages");
        if !web::build()? {
            steps.say("web pages are up to date");
        }
    } else {
        steps.say("web pages left as they are");
    }
    steps.say("building the program (the first time takes some minutes)");
    process::run(&mut project::build_program())?;
    steps.say("starting; Ctrl-C stops everything");
    if process::stopped() {
        bail!("stopped");
    }
    let program = project::target("debug/xinglin");
    let error = Command::new(&program).arg("demo").args(passed_on).current_dir(project::root()).exec();
    Err(error).with_context(|| format!("can't start {}", program.display()))
}
