//! `cargo xtask fuzz [NAME] [--inputs N]`: builds the driver of the fuzz targets (crates/fuzzer) for release and runs it. Unlike
//! cargo-fuzz it needs no nightly compiler.

use std::process::ExitCode;

use anyhow::Result;

use crate::{process, project};

pub(crate) fn run(args: &[String]) -> Result<ExitCode> {
    let mut fuzzer = project::cargo();
    fuzzer.args(["run", "--release", "--package", "fuzzer", "--"]).args(args);
    let status = process::foreground(&mut fuzzer)?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
