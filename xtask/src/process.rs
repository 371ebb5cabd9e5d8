//! Children that never outlive us.
//!
//! Each runs in a process group of its own, so that one signal reaches everything below it (npm, node, browsers,
//! rustc). Ctrl-C, SIGTERM and SIGHUP to us end those groups, first kindly, ten seconds later by force; the command
//! in progress then returns an error, and whatever stands on the stack (a private PostgreSQL, say) is cleaned up by
//! its `Drop`.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use std::os::unix::process::CommandExt as _;

/// How long a child has to end by itself once it was asked to.
const GRACE: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Running {
    /// A process group of its own.
    Group(Pid),
    /// Shares our terminal: Ctrl-C reaches it without us.
    Foreground(Pid),
}

static RUNNING: Mutex<Vec<Running>> = Mutex::new(Vec::new());
static STOPPED: AtomicBool = AtomicBool::new(false);

fn running() -> MutexGuard<'static, Vec<Running>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a signal asked us to stop. Loops that wait without a child look here.
pub(crate) fn stopped() -> bool {
    STOPPED.load(Ordering::SeqCst)
}

/// From now on a signal ends our children before it ends us.
pub(crate) fn watch_signals() -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("can't watch signals")?;
    thread::Builder::new().name("signals".into()).spawn(move || {
        for signal in signals.forever() {
            let now = running().clone();
            let terminal = now.iter().any(|entry| matches!(entry, Running::Foreground(_)));
            if signal == SIGINT && terminal {
                // An interactive program (psql, say) decides by itself what Ctrl-C means.
                continue;
            }
            STOPPED.store(true, Ordering::SeqCst);
            end(&now, Signal::TERM);
            thread::spawn(|| {
                thread::sleep(GRACE);
                end(&running(), Signal::KILL);
            });
        }
    })?;
    Ok(())
}

fn end(entries: &[Running], signal: Signal) {
    for entry in entries {
        // A child that is gone already is what we want.
        let _gone = match *entry {
            Running::Group(group) => rustix::process::kill_process_group(group, signal),
            Running::Foreground(process) => rustix::process::kill_process(process, signal),
        };
    }
}

/// Starts a child under the lock that the signal thread takes, so that none slips in after it looked.
fn start(command: &mut Command, entry: fn(Pid) -> Running) -> Result<(Child, Running)> {
    let mut running = running();
    if stopped() {
        bail!("stopped");
    }
    let child = command.spawn().with_context(|| format!("can't start `{}`", line(command)))?;
    let entry = entry(Pid::from_child(&child));
    running.push(entry);
    Ok((child, entry))
}

fn finished(entry: Running) -> Result<()> {
    running().retain(|other| *other != entry);
    if stopped() {
        bail!("stopped");
    }
    Ok(())
}

/// Runs a command to its end without standard input; what it prints is seen. An exit code other than 0 is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    command.stdin(Stdio::null()).process_group(0);
    let (mut child, entry) = start(command, Running::Group)?;
    let status = child.wait();
    finished(entry)?;
    let status = status?;
    if !status.success() {
        bail!("`{}` failed ({status})", line(command));
    }
    Ok(())
}

/// Runs a command and returns what it wrote to standard output; its complaints are part of the error.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let (child, entry) = start(command, Running::Group)?;
    let output = child.wait_with_output();
    finished(entry)?;
    let output = output?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` failed ({}): {}", line(command), output.status, complaint.trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{}` did not print UTF-8", line(command)))
}

/// Runs a command that may be interactive: it has our terminal, and Ctrl-C is its own affair.
pub(crate) fn foreground(command: &mut Command) -> Result<ExitStatus> {
    let (mut child, entry) = start(command, Running::Foreground)?;
    let status = child.wait();
    finished(entry)?;
    Ok(status?)
}

/// The command as a person would type it.
pub(crate) fn line(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for arg in command.get_args() {
        line.push(' ');
        line.push_str(&arg.to_string_lossy());
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_captured_and_a_failure_carries_the_complaint() {
        assert_eq!(capture(Command::new("sh").args(["-c", "echo 杏林"])).unwrap(), "杏林\n");
        let error = capture(Command::new("sh").args(["-c", "echo no place >&2; exit 3"])).unwrap_err();
        assert!(error.to_string().contains("no place"), "{error}");
        assert!(error.to_string().contains('3'), "{error}");
        assert!(run(&mut Command::new("false")).is_err());
        assert!(run(&mut Command::new("true")).is_ok());
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run(&mut Command::new("no-such-program-here")).unwrap_err();
        assert!(error.to_string().contains("no-such-program-here"), "{error}");
    }
}
