//! `cargo xtask openapi [--check]`: the API description that the program prints, and the typed web client made from
//! it. Both are committed, so that a change of the API is seen in review; `test` fails when they drift.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::{process, project, web};

const DESCRIPTION: &str = "shared/openapi.json";
const PERMISSIONS: &str = "docs/permissions.md";
const CLIENT: &str = "shared/openapi.d.ts";
const REMEDY: &str = "run `cargo xtask openapi` and commit what it changes";

pub(crate) fn run(args: &[String]) -> Result<()> {
    let check = match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => false,
        ["--check"] => true,
        _ => bail!("openapi knows --check only"),
    };
    process::run(&mut project::build_program())?;
    web::packages()?;
    if check {
        check_description()?;
        check_client()
    } else {
        fs::write(web::path(DESCRIPTION), description()?)?;
        fs::write(project::root().join(PERMISSIONS), permissions()?)?;
        process::run(&mut web::script("openapi", &[]))
    }
}

/// What the built program says its API is.
fn description() -> Result<String> {
    let text = process::capture(
        Command::new(project::target("debug/xinglin")).arg("openapi").current_dir(project::root()),
    )?;
    serde_json::from_str::<serde_json::Value>(&text).context("`xinglin openapi` did not print JSON")?;
    Ok(text)
}

/// The table of routes and roles, as the built program has it.
fn permissions() -> Result<String> {
    process::capture(
        Command::new(project::target("debug/xinglin"))
            .args(["openapi", "--permissions"])
            .current_dir(project::root()),
    )
}

/// The committed description and table of routes and roles are the built program's.
pub(crate) fn check_description() -> Result<()> {
    let table = project::root().join(PERMISSIONS);
    if let Some(difference) = first_difference(&read(&table)?, &permissions()?) {
        bail!("{PERMISSIONS} is not what the program says ({difference}): {REMEDY}");
    }
    let said = description()?;
    let committed = read(&web::path(DESCRIPTION))?;
    if let Some(difference) = first_difference(&committed, &said) {
        bail!("web/{DESCRIPTION} is not what the program says ({difference}): {REMEDY}");
    }
    Ok(())
}

/// The committed client is what the committed description gives. Leaves the file as it was.
pub(crate) fn check_client() -> Result<()> {
    let path = web::path(CLIENT);
    let committed = read(&path)?;
    process::run(&mut web::script("openapi", &[]))?;
    let made = read(&path)?;
    if let Some(difference) = first_difference(&committed, &made) {
        fs::write(&path, committed)?;
        bail!("web/{CLIENT} does not follow from web/{DESCRIPTION} ({difference}): {REMEDY}");
    }
    Ok(())
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("can't read {}", path.display()))
}

/// Where two texts part, for a person to look at.
fn first_difference(old: &str, new: &str) -> Option<String> {
    if old == new {
        return None;
    }
    let same = old.lines().zip(new.lines()).take_while(|(one, other)| one == other).count();
    let show =
        |text: &str| text.lines().nth(same).map_or("nothing".to_owned(), |line| format!("{:?}", line.trim()));
    Some(format!("line {}: committed {}, made {}", same + 1, show(old), show(new)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_its_line() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        let said = first_difference("a\n  b\nc", "a\n  x\nc").unwrap();
        assert_eq!(said, r#"line 2: committed "b", made "x""#);
        assert_eq!(
            first_difference("a\n", "a\nmore\n").unwrap(),
            r#"line 2: committed nothing, made "more""#
        );
        assert!(first_difference("a", "a\n").is_some(), "the last newline counts");
    }
}
