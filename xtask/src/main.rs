//! The commands of this project: `cargo xtask <command>`. One file each; `cargo xtask help` lists them.
//!
//! Everything that a command needs and the machine lacks is installed here or asked for by name, so that a fresh
//! clone on a machine with Rust and Node is enough. Few dependencies: this must compile in seconds, because every
//! other wait starts after it.
#![expect(clippy::print_stdout, reason = "a command-line tool speaks on standard output")]

mod bench;
mod demo;
mod dist;
mod fmt;
mod fuzz;
mod machine;
mod openapi;
mod postgres;
mod process;
mod project;
mod stamp;
mod test;
mod tidy;
mod web;

use std::process::ExitCode;

use anyhow::{Result, bail};

const HELP: &str = "\
cargo xtask <command>

  demo [--no-web] [-- ARGS]       build what is needed, then run the product and its simulator until Ctrl-C
  test [--only LANE]… [-E FILTER]…
                                  every check and test; LANE is lint, rust, web or e2e; FILTER is nextest's
  test --long [-E FILTER]…        the stories of races, crashes and outages in their long forms: about a quarter of an hour
  ci                              the same as test
  fmt [--no-web]                  format Rust and web sources
  tidy                            the house rules: crate arrows, file length, forbidden words, rooms, migrations
  openapi [--check]               write (or compare) web/shared/openapi.json and the typed client made from it
  postgres -- COMMAND…            run COMMAND with a private PostgreSQL, its address in XINGLIN_TEST_POSTGRES
  bench [ARGS]                    the benchmarks, in a release build
  fuzz [NAME] [--inputs N]        known inputs, changed at random, fed to a fuzz target (10 million unless told otherwise)
  dist                            a release archive under target/dist
  help                            this text
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&args) {
        Ok(code) => code,
        Err(_) if process::stopped() => {
            eprintln!("stopped");
            ExitCode::from(130)
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(args: &[String]) -> Result<ExitCode> {
    let Some((command, rest)) = args.split_first() else {
        print!("{HELP}");
        return Ok(ExitCode::FAILURE);
    };
    process::watch_signals()?;
    match command.as_str() {
        "demo" => demo::run(rest)?,
        "test" | "ci" => return test::run(rest),
        "fmt" => fmt::run(rest)?,
        "tidy" => tidy::run(rest)?,
        "openapi" => openapi::run(rest)?,
        "postgres" => return postgres::run(rest),
        "bench" => return bench::run(rest),
        "fuzz" => return fuzz::run(rest),
        "dist" => dist::run(rest)?,
        "help" | "--help" | "-h" => print!("{HELP}"),
        other => bail!("there is no command {other:?}; `cargo xtask help` lists them"),
    }
    Ok(ExitCode::SUCCESS)
}
