//! `cargo xtask fmt`: rustfmt and Prettier over everything.

use anyhow::{Result, bail};

use crate::{process, project, web};

pub(crate) fn run(args: &[String]) -> Result<()> {
    let with_web = match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => true,
        ["--no-web"] => false,
        _ => bail!("fmt knows --no-web only"),
    };
    process::run(project::cargo().args(["fmt", "--all"]))?;
    if with_web {
        web::packages()?;
        process::run(&mut web::script("format", &[]))?;
    }
    Ok(())
}
