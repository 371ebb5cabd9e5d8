//! `cargo xtask fuzz NAME --inputs N`: known inputs, changed at random, fed to a fuzz target.
//!
//! cargo-fuzz knows which input reached new code and needs a nightly compiler; this knows nothing and runs anywhere. An input
//! that makes a target panic is printed as hex digits and ends the run; `--input HEX` runs it alone.

mod changes;
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result};
use clap::Parser;

use changes::Changes;
use targets::Target;

/// Changes known inputs at random and feeds them to a target.
#[derive(Parser)]
struct Options {
    /// Which target; all of them, one after the other, when none is named.
    name: Option<String>,
    /// How many inputs for each.
    #[arg(long, default_value_t = 10_000_000)]
    inputs: u64,
    /// Where the random numbers begin: the same seed, the same inputs.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only this input, as hex digits.
    #[arg(long)]
    input: Option<String>,
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    let wanted = |name: &str| options.name.as_deref().is_none_or(|wanted| wanted == name);
    let chosen: Vec<_> = targets::ALL.iter().filter(|(name, _)| wanted(name)).collect();
    let names = targets::ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    anyhow::ensure!(!chosen.is_empty(), "there is no such target; there are {names}");
    for (name, target) in chosen {
        if let Some(digits) = &options.input {
            target(&changes::from_hex(digits).context("not hex digits")?);
            continue;
        }
        let begun = Instant::now();
        if let Some(input) = run(*target, options.inputs, options.seed) {
            eprintln!("{name} broke on {}", changes::to_hex(&input));
            return Ok(ExitCode::FAILURE);
        }
        eprintln!("{name}: {} inputs in {:.0} s, no panic", options.inputs, begun.elapsed().as_secs_f64());
    }
    Ok(ExitCode::SUCCESS)
}

/// Feeds a target; gives the input that broke it.
fn run(target: Target, inputs: u64, seed: u64) -> Option<Vec<u8>> {
    let mut changes = Changes::new(targets::seeds(), seed);
    for _ in 0..inputs {
        let input = changes.next();
        if catch_unwind(AssertUnwindSafe(|| target(input))).is_err() {
            return Some(input.to_vec());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_target_breaks_on_the_first_inputs() {
        for (name, target) in targets::ALL {
            let broke = run(*target, 20_000, 7);
            assert_eq!(broke.map(|input| changes::to_hex(&input)), None, "{name}");
        }
    }

    #[test]
    fn a_target_that_breaks_is_found() {
        let touchy: Target = |data| assert!(!data.ends_with(b">>"), "broken");
        assert!(run(touchy, 1_000_000, 7).is_some_and(|input| input.ends_with(b">>")));
    }
}
