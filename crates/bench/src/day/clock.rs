//! The clock of the program that is measured: it stands still until we move it on.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{ChildStdin, ChildStdout};

use anyhow::{Result, ensure};
use base::UnixMs;

/// What `xinglin rehearse` is told and answers.
pub(super) struct Hands {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Hands {
    /// By its standard input and output.
    pub(super) fn new(input: ChildStdin, output: ChildStdout) -> Self {
        Self { input, output: BufReader::new(output) }
    }

    /// It becomes this time there; when this returns it is. The answer comes at once: nothing else is waited for.
    pub(super) fn set(&mut self, to: UnixMs) -> Result<()> {
        writeln!(self.input, "{}", to.0)?;
        self.input.flush()?;
        let mut said = String::new();
        self.output.read_line(&mut said)?;
        ensure!(said.trim() == to.0.to_string(), "the clock shows {:?} instead of {}", said.trim(), to.0);
        Ok(())
    }
}
