//! `cargo xtask test`: every check and every test, in one command, from a fresh clone.
//!
//! Steps run one after the other (two cores are busy with one), a failing one doesn't hide the others unless they
//! need what it makes. At the end stand a table and one plain line, `N passed, N failed`.

mod counts;
mod report;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use crate::postgres::{self, Postgres};
use crate::{machine, openapi, process, project, tidy, web};
use counts::Counts;
use report::{Outcome, Row};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Lane {
    Lint,
    Rust,
    Web,
    E2e,
    /// The long forms of the stories of races, crashes and outages.
    Long,
}

use Lane::{E2e, Lint, Long, Rust, Web};

struct Step {
    name: &'static str,
    lanes: &'static [Lane],
    /// Steps without which this one is pointless.
    needs: &'static [&'static str],
    run: fn(&mut Run) -> Result<Counts>,
}

/// In the order in which they run: what is quick and often wrong comes first.
const STEPS: &[Step] = &[
    Step { name: "machine", lanes: &[Rust, E2e, Long], needs: &[], run: install },
    Step { name: "tools", lanes: &[Lint, Rust, Long], needs: &[], run: tools },
    Step { name: "rustfmt", lanes: &[Lint, Rust], needs: &[], run: rustfmt },
    Step { name: "tidy", lanes: &[Lint, Rust], needs: &[], run: |_| done(tidy::check()) },
    Step {
        name: "web packages",
        lanes: &[Lint, Web, E2e],
        needs: &[],
        run: |_| done(web::packages().map(drop)),
    },
    Step { name: "prettier", lanes: &[Lint, Web], needs: &["web packages"], run: |_| npm("format:check") },
    Step { name: "eslint", lanes: &[Lint, Web], needs: &["web packages"], run: |_| npm("lint") },
    Step { name: "vue-tsc", lanes: &[Lint, Web], needs: &["web packages"], run: |_| npm("typecheck") },
    Step {
        name: "api client",
        lanes: &[Web],
        needs: &["web packages"],
        run: |_| done(openapi::check_client()),
    },
    Step { name: "vitest", lanes: &[Web], needs: &["web packages"], run: vitest },
    Step {
        name: "web build",
        lanes: &[Web, E2e],
        needs: &["web packages"],
        run: |_| done(web::build().map(drop)),
    },
    Step { name: "web budgets", lanes: &[Web], needs: &["web build"], run: |_| npm("budgets") },
    Step { name: "clippy", lanes: &[Lint, Rust], needs: &[], run: clippy },
    Step { name: "cargo-deny", lanes: &[Lint, Rust], needs: &["tools"], run: deny },
    Step {
        name: "build",
        lanes: &[Rust, E2e, Long],
        needs: &[],
        run: |_| done(process::run(&mut project::build_program())),
    },
    Step {
        name: "api description",
        lanes: &[Rust],
        needs: &["build"],
        run: |_| done(openapi::check_description()),
    },
    Step { name: "python", lanes: &[Rust, Long], needs: &["machine"], run: python },
    Step {
        name: "nextest",
        lanes: &[Rust, Long],
        needs: &["machine", "tools", "python", "build"],
        run: nextest,
    },
    Step { name: "playwright", lanes: &[E2e], needs: &["machine", "build", "web build"], run: playwright },
];

/// What was asked for, and what earlier steps found out for later ones.
#[derive(Debug, Default)]
struct Run {
    /// Empty means all.
    lanes: Vec<Lane>,
    /// Nextest's own filter expressions.
    filters: Vec<String>,
    /// Only the stories that have a long form, in that form.
    long: bool,
    nextest: Option<PathBuf>,
    deny: Option<PathBuf>,
    python: Option<PathBuf>,
}

impl Run {
    fn parse(args: &[String]) -> Result<Self> {
        let mut run = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            if arg == "--long" {
                run.long = true;
                run.lanes = vec![Long];
                continue;
            }
            match (arg.as_str(), args.next().map(String::as_str)) {
                ("--only", Some("lint")) => run.lanes.push(Lint),
                ("--only", Some("rust")) => run.lanes.push(Rust),
                ("--only", Some("web")) => run.lanes.push(Web),
                ("--only", Some("e2e")) => run.lanes.push(E2e),
                ("--only", _) => bail!("--only takes lint, rust, web or e2e"),
                ("-E", Some(filter)) => run.filters.push(filter.to_owned()),
                ("-E", None) => bail!("-E takes one of nextest's filter expressions"),
                (other, _) => {
                    bail!("test does not know {other:?}; it takes --only LANE, --long and -E FILTER")
                }
            }
        }
        Ok(run)
    }

    fn wants(&self, lane: Lane) -> bool {
        self.lanes.is_empty() || self.lanes.contains(&lane)
    }

    fn includes(&self, step: &Step) -> bool {
        step.lanes.iter().any(|lane| self.wants(*lane))
    }
}

pub(crate) fn run(args: &[String]) -> Result<ExitCode> {
    let mut run = Run::parse(args)?;
    let mut rows: Vec<Row> = Vec::new();
    let chosen: Vec<&Step> = STEPS.iter().filter(|step| run.includes(step)).collect();
    for step in chosen {
        if process::stopped() {
            bail!("stopped");
        }
        let since = Instant::now();
        let missing =
            step.needs.iter().find(|need| rows.iter().any(|row| row.name == **need && !row.outcome.is_ok()));
        let outcome = if let Some(need) = missing {
            Outcome::Skipped(need)
        } else {
            println!("── {}", step.name);
            match (step.run)(&mut run) {
                Ok(counts) if counts.failed == 0 => Outcome::Passed(counts),
                Ok(counts) => Outcome::Failed(counts),
                Err(_) if process::stopped() => bail!("stopped"),
                Err(error) => {
                    println!("error: {error:#}");
                    Outcome::Failed(Counts { failed: 1, ..Counts::default() })
                }
            }
        };
        rows.push(Row { name: step.name, outcome, seconds: since.elapsed().as_secs_f64() });
    }
    print!("{}", report::table(&rows));
    let (counts, good) = report::sum(&rows);
    println!("{} passed, {} failed", counts.passed, counts.failed);
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn done(result: Result<()>) -> Result<Counts> {
    result.map(|()| Counts::default())
}

fn npm(script: &str) -> Result<Counts> {
    done(process::run(&mut web::script(script, &[])))
}

fn install(run: &mut Run) -> Result<Counts> {
    let mut needs = Vec::new();
    if run.wants(Rust) || run.wants(Long) {
        needs.extend([machine::POSTGRESQL, machine::PYTHON_VENV, machine::POPPLER, machine::CJK_FONTS]);
    }
    if run.wants(E2e) {
        needs.extend([machine::BROWSER, machine::CJK_FONTS]);
    }
    done(machine::ensure(&needs))
}

fn tools(run: &mut Run) -> Result<Counts> {
    if run.wants(Rust) || run.wants(Lint) {
        run.deny = Some(machine::deny()?);
    }
    if run.wants(Rust) || run.wants(Long) {
        run.nextest = Some(machine::nextest()?);
    }
    Ok(Counts::default())
}

fn rustfmt(_: &mut Run) -> Result<Counts> {
    done(process::run(project::cargo().args(["fmt", "--all", "--check"])))
}

fn clippy(_: &mut Run) -> Result<Counts> {
    let mut command = project::cargo();
    command.args(["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]);
    done(process::run(&mut command))
}

/// Licences, sources and bans. The list of advisories lives outside the package registries: it is looked at only
/// where someone says that it can be had.
fn deny(run: &mut Run) -> Result<Counts> {
    let program = run.deny.as_deref().context("cargo-deny was not prepared")?;
    let check = |what: &[&str]| {
        let mut command = std::process::Command::new(program);
        command.current_dir(project::root()).args(["--log-level", "error", "--locked", "check"]).args(what);
        process::run(&mut command)
    };
    check(&["licenses", "sources", "bans"])?;
    if std::env::var_os("XINGLIN_ADVISORIES").is_some() {
        check(&["advisories"])?;
    } else {
        println!("advisories were NOT checked: set XINGLIN_ADVISORIES=1 where the internet can be reached");
    }
    Ok(Counts::default())
}

fn python(run: &mut Run) -> Result<Counts> {
    run.python = Some(machine::venv()?);
    Ok(Counts::default())
}

/// The stories that have a long form.
const LONG_FORMS: &str = "package(stories) & test(/^(race|crash|fault|nodes|outage)::/)";

fn nextest(run: &mut Run) -> Result<Counts> {
    let program = run.nextest.as_deref().context("cargo-nextest was not prepared")?;
    let junit =
        project::target(if run.long { "nextest/long/junit.xml" } else { "nextest/default/junit.xml" });
    let server = Postgres::start()?;
    let mut command = std::process::Command::new(program);
    command.current_dir(project::root()).env("CARGO_TARGET_DIR", project::target(""));
    command.args(["nextest", "run", "--workspace", "--no-fail-fast", "--cargo-quiet"]);
    for filter in &run.filters {
        command.args(["-E", filter]);
    }
    if run.long {
        command.args(["--profile", "long"]).env("XINGLIN_LONG", "1");
        if run.filters.is_empty() {
            command.args(["-E", LONG_FORMS]);
        }
    }
    command.env(postgres::VARIABLE, server.url());
    // Built by an earlier step: the stories that kill it need not ask cargo once more, each for itself.
    command.env("XINGLIN_PROGRAM", project::target("debug/xinglin"));
    if let Some(python) = &run.python {
        command.env("XINGLIN_PYTHON", python);
    }
    counted(&mut command, &junit, counts::junit)
}

fn vitest(_: &mut Run) -> Result<Counts> {
    let file = results("vitest.json")?;
    let output = format!("--outputFile.json={}", file.display());
    let mut command = web::script("test", &["--reporter=default", "--reporter=json", &output]);
    counted(&mut command, &file, counts::vitest)
}

fn playwright(_: &mut Run) -> Result<Counts> {
    let file = results("playwright.json")?;
    let mut command = web::script("e2e", &["--reporter=list,json"]);
    command.env("PLAYWRIGHT_JSON_OUTPUT_FILE", &file).env("CHROMIUM", machine::chromium());
    counted(&mut command, &file, counts::playwright)
}

fn results(name: &str) -> Result<PathBuf> {
    let folder = project::target("xtask");
    fs::create_dir_all(&folder)?;
    Ok(folder.join(name))
}

/// Runs tests and reads what they say about themselves. A run that failed without a failed test to show for it (it
/// didn't compile, say, or found no test) counts as one.
fn counted(
    command: &mut std::process::Command,
    file: &Path,
    read: fn(&str) -> Result<Counts>,
) -> Result<Counts> {
    let _none = fs::remove_file(file);
    let outcome = process::run(command);
    let counts = match (fs::read_to_string(file), &outcome) {
        (Ok(text), _) => read(&text).with_context(|| format!("can't read {}", file.display()))?,
        (Err(_), Err(_)) => Counts::default(),
        (Err(error), Ok(())) => bail!("the tests left no {}: {error}", file.display()),
    };
    match outcome {
        Ok(()) => Ok(counts),
        Err(error) => {
            println!("error: {error:#}");
            Ok(Counts { failed: counts.failed.max(1), ..counts })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn names(text: &str) -> Vec<&'static str> {
        let run = Run::parse(&args(text)).unwrap();
        STEPS.iter().filter(|step| run.includes(step)).map(|step| step.name).collect()
    }

    #[test]
    fn what_a_step_needs_comes_before_it_in_every_lane() {
        for lane in ["", "--only lint", "--only rust", "--only web", "--only e2e", "--long"] {
            let chosen = names(lane);
            for (at, name) in chosen.iter().enumerate() {
                let step = STEPS.iter().find(|step| step.name == *name).unwrap();
                for need in step.needs {
                    assert!(chosen[..at].contains(need), "{lane}: {name} needs {need} before it");
                }
            }
        }
        assert_eq!(names("").len(), STEPS.len());
    }

    #[test]
    fn lanes_choose_steps() {
        assert!(names("--only lint").contains(&"eslint") && !names("--only lint").contains(&"nextest"));
        assert!(names("--only rust").contains(&"nextest") && !names("--only rust").contains(&"vitest"));
        let both = names("--only web --only e2e");
        assert_eq!(names("--long"), ["machine", "tools", "build", "python", "nextest"]);
        assert!(both.contains(&"vitest") && both.contains(&"playwright") && !both.contains(&"clippy"));
    }

    #[test]
    fn arguments_are_read_or_refused_by_name() {
        let run = Run::parse(&args("-E package(store) --only rust -E test(a)")).unwrap();
        assert_eq!(run.filters, ["package(store)", "test(a)"]);
        assert_eq!(run.lanes, [Rust]);
        for (bad, word) in
            [("--only all", "--only"), ("--only", "--only"), ("-E", "-E"), ("--fast x", "--fast")]
        {
            let error = Run::parse(&args(bad)).unwrap_err().to_string();
            assert!(error.contains(word), "{bad}: {error}");
        }
    }
}
