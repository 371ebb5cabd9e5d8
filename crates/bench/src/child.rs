//! The program as a process of its own, which never outlives its measurement.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal};

use crate::load::Line;
use crate::places;

/// Waiting for the server to answer, between looks.
const LOOK: Duration = Duration::from_millis(1);
/// Stopping may take as long as the server itself gives its requests, and a little.
const STOP_WITHIN: Duration = Duration::from_secs(15);

/// A running program.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    log: PathBuf,
    /// From its start to its first good answer.
    pub(crate) ready_after: Duration,
}

impl Server {
    /// Starts it with these arguments and settings, and waits until it is ready to serve. What it logs goes to a file in
    /// `folder`. Settings of the caller's own environment do not reach it.
    pub(crate) async fn start(
        folder: &Path,
        address: SocketAddr,
        args: &[&str],
        settings: &[(&str, String)],
        patience: Duration,
    ) -> Result<Self> {
        Self::run(folder, address, args, settings, patience, (Stdio::null(), None)).await
    }

    /// As [`start`](Self::start), and gives its standard input and output to talk to it by; what it logs goes to the file.
    pub(crate) async fn start_talking(
        folder: &Path,
        address: SocketAddr,
        args: &[&str],
        settings: &[(&str, String)],
        patience: Duration,
    ) -> Result<(Self, ChildStdin, ChildStdout)> {
        let pipes = (Stdio::piped(), Some(Stdio::piped()));
        let mut server = Self::run(folder, address, args, settings, patience, pipes).await?;
        let (input, output) = (server.child.stdin.take(), server.child.stdout.take());
        Ok((server, input.context("no standard input")?, output.context("no standard output")?))
    }

    async fn run(
        folder: &Path,
        address: SocketAddr,
        args: &[&str],
        settings: &[(&str, String)],
        patience: Duration,
        (input, output): (Stdio, Option<Stdio>),
    ) -> Result<Self> {
        let log = folder.join("server.log");
        let mut command = Command::new(places::program()?);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("XINGLIN") {
                command.env_remove(name);
            }
        }
        command.args(args).envs(settings.iter().map(|(name, value)| (*name, value)));
        command.current_dir(folder).stdin(input);
        let (out, err) = (File::create(&log)?, File::options().append(true).open(&log)?);
        let since = Instant::now();
        command.stdout(output.unwrap_or_else(|| out.into())).stderr(err);
        let child = command.spawn().context("can't start xinglin")?;
        let mut server = Self { child, address, log, ready_after: Duration::ZERO };
        while !server.is_ready().await {
            if let Some(status) = server.child.try_wait()? {
                bail!("xinglin ended before it was ready ({status}):\n{}", server.log());
            }
            if since.elapsed() > patience {
                bail!("xinglin was not ready within {} s:\n{}", patience.as_secs(), server.log());
            }
            tokio::time::sleep(LOOK).await;
        }
        server.ready_after = since.elapsed();
        Ok(server)
    }

    async fn is_ready(&self) -> bool {
        let Ok(mut line) = Line::open(self.address).await else { return false };
        line.get("/readyz").await.is_ok_and(|answer| answer.status == 200)
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Stops it as an administrator would, and waits until it has.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.end();
        let status = self.child.wait()?;
        if !status.success() {
            bail!("xinglin did not stop in good order ({status}):\n{}", self.log());
        }
        Ok(())
    }

    fn end(&mut self) {
        let since = Instant::now();
        let _gone = rustix::process::kill_process(Pid::from_child(&self.child), Signal::TERM);
        while matches!(self.child.try_wait(), Ok(None)) {
            if since.elapsed() > STOP_WITHIN {
                let _gone = self.child.kill();
                return;
            }
            std::thread::sleep(LOOK);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing is left to be done after `stop`; after an error the process must not stay.
        if matches!(self.child.try_wait(), Ok(None)) {
            self.end();
            let _reaped = self.child.wait();
        }
    }
}
