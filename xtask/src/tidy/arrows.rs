//! Which crate may use which. A crate may use only crates above it in the order; what each must not see is what
//! keeps it understandable alone.

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::Finding;
use crate::{process, project};

/// From the bottom up. The crates of one line stand beside each other and don't use each other.
const ORDER: &[&[&str]] = &[
    &["base"],
    &["store"],
    &["wechat"],
    &["pay", "print"],
    &["edge"],
    &["people"],
    &["notify"],
    &["schedule"],
    &["billing"],
    &["booking"],
    &["queue"],
    &[
        "exam", "consult", "care", "watch", "feedback", "content", "office", "place", "insight", "exchange",
        "channel",
    ],
    &["server"],
];

/// Crates that may use less than their place allows: protocols know no hospital, and the simulator shares with the
/// product only what a third party would have too.
const ONLY: &[(&str, &[&str])] =
    &[("wechat", &["base"]), ("pay", &["base"]), ("sim", &["base", "wechat", "pay"]), ("print", &[])];

/// Programs and test beds: they may use everything, and no ranked crate uses them.
const FREE: &[&str] = &["testkit", "stories", "bench", "fuzzer", "xinglin", "xtask"];

/// A crate of the workspace with those of our crates that its product code uses (tests may use more).
pub(super) struct Crate {
    name: String,
    uses: Vec<String>,
}

/// As cargo sees the workspace.
pub(super) fn crates() -> Result<Vec<Crate>> {
    let text = process::capture(project::cargo().args(["metadata", "--no-deps", "--format-version=1"]))?;
    parse(&text)
}

fn parse(metadata: &str) -> Result<Vec<Crate>> {
    let json: Value = serde_json::from_str(metadata)?;
    let packages =
        json.get("packages").and_then(Value::as_array).context("cargo metadata has no packages")?;
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let mut crates = Vec::new();
    for package in packages {
        let name = text(package, "name").context("a package without a name")?;
        let listed =
            package.get("dependencies").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let uses = listed
            .iter()
            .filter(|dependency| dependency.get("path").is_some_and(Value::is_string))
            .filter(|dependency| text(dependency, "kind").as_deref() != Some("dev"))
            .filter_map(|dependency| text(dependency, "name"))
            .collect();
        crates.push(Crate { name, uses });
    }
    Ok(crates)
}

pub(super) fn check(crates: &[Crate]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for one in crates {
        let place = if one.name == "xtask" {
            "xtask/Cargo.toml".to_owned()
        } else {
            format!("crates/{}/Cargo.toml", one.name)
        };
        if rank(&one.name).is_none() && !FREE.contains(&one.name.as_str()) && only(&one.name).is_none() {
            let what = format!("{} has no place in the order of crates (xtask/src/tidy/arrows.rs)", one.name);
            findings.push(Finding::new(&place, 0, what));
            continue;
        }
        for used in one.uses.iter().filter(|used| !may_use(&one.name, used)) {
            findings.push(Finding::new(&place, 0, format!("{} must not use {used}", one.name)));
        }
    }
    findings
}

fn may_use(user: &str, used: &str) -> bool {
    if FREE.contains(&user) {
        return true;
    }
    if let Some(allowed) = only(user) {
        return allowed.contains(&used);
    }
    matches!((rank(user), rank(used)), (Some(user), Some(used)) if used < user)
}

fn only(name: &str) -> Option<&'static [&'static str]> {
    ONLY.iter().find(|(one, _)| *one == name).map(|(_, allowed)| *allowed)
}

fn rank(name: &str) -> Option<usize> {
    ORDER.iter().position(|line| line.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, uses: &[&str]) -> Vec<String> {
        let one = Crate { name: name.into(), uses: uses.iter().map(|name| (*name).to_owned()).collect() };
        check(&[one]).into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn arrows_point_down() {
        assert!(
            found("booking", &["base", "store", "edge", "people", "notify", "schedule", "billing"])
                .is_empty()
        );
        assert!(found("server", &["queue", "exam", "wechat"]).is_empty());
        assert!(found("xinglin", &["server", "sim"]).is_empty());
        assert_eq!(found("people", &["notify"]), ["people must not use notify"]);
        assert_eq!(found("base", &["store"]), ["base must not use store"]);
        assert_eq!(
            found("server", &["sim", "testkit"]),
            ["server must not use sim", "server must not use testkit"]
        );
        assert_eq!(found("exam", &["consult"]), ["exam must not use consult"]);
    }

    #[test]
    fn protocols_and_the_simulator_know_no_hospital() {
        assert!(found("wechat", &["base"]).is_empty() && found("sim", &["base", "wechat"]).is_empty());
        assert_eq!(found("wechat", &["store"]), ["wechat must not use store"]);
        assert_eq!(found("sim", &["booking"]), ["sim must not use booking"]);
        assert_eq!(found("sim", &["store"]), ["sim must not use store"]);
    }

    #[test]
    fn a_new_crate_needs_a_place() {
        assert_eq!(found("helpers", &[]).len(), 1);
    }

    #[test]
    fn cargo_metadata_is_read_without_tests_and_strangers() {
        let text = r#"{"packages":[{"name":"edge","dependencies":[
            {"name":"base","path":"/r/crates/base","kind":null},
            {"name":"testkit","path":"/r/crates/testkit","kind":"dev"},
            {"name":"axum","kind":null}]}]}"#;
        let crates = parse(text).unwrap();
        assert_eq!(crates[0].name, "edge");
        assert_eq!(crates[0].uses, ["base"]);
        assert!(parse("{}").is_err());
    }
}
