//! `cargo xtask bench [ARGS]`: the benchmarks in a release build. What follows is theirs.

use std::process::ExitCode;

use anyhow::Result;

use crate::{process, project};

pub(crate) fn run(args: &[String]) -> Result<ExitCode> {
    let mut command = project::cargo();
    command.args(["run", "--release", "--package", "bench", "--"]).args(args);
    let status = process::foreground(&mut command)?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
