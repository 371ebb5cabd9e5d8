//! `rehearse`: serves as `serve` does, but by a clock that stands still until it is set, so that a whole day can be played on the
//! program as it is, as fast as it answers.
//!
//! An instant (milliseconds since 1970) on a line of standard input sets the clock; the same line on standard output says that it is
//! so. The clock is never set back. The end of standard input ends the program. Where people could reach it, it refuses to start: a
//! hospital's records must never carry times that were not.

use std::io::{BufRead as _, Write as _};
use std::process::ExitCode;

use anyhow::ensure;
use base::{Clock, UnixMs};
use server::{App, Config};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::{logs, memory, serve};

/// Serves until it is told to stop, or standard input ends.
pub(crate) async fn run(config: Config, at: i64) -> anyhow::Result<ExitCode> {
    let here = config.server.listen.ip().is_loopback() && !config.is_https();
    ensure!(here, "a rehearsal is only held where nobody can reach it: on a loopback address, without https");
    logs::start(&config.log)?;
    let clock = Clock::manual(UnixMs(at));
    server::app::migrate(&config, clock.clone()).await?;
    let app = App::build(config, clock.clone()).await?;
    let stopped = serve::stopped();
    let stop = CancellationToken::new();
    let listener = server::http::listen(app.config.server.listen)?;
    tracing::info!(address = %listener.local_addr()?, "rehearsing");
    let running = app.run(listener, stop.clone());
    memory::give_back();
    let (over, ended) = oneshot::channel();
    // A thread of its own: reading standard input can't be called off, and must not keep the program from ending.
    std::thread::spawn(move || {
        follow(&clock);
        over.send(()).ok();
    });
    tokio::select! {
        () = stopped => {}
        _ = ended => {}
    }
    stop.cancel();
    running.finished().await;
    Ok(ExitCode::SUCCESS)
}

/// Sets the clock as standard input says, until that ends.
fn follow(clock: &Clock) {
    let mut said = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { return };
        if let Ok(to) = line.trim().parse::<i64>()
            && to >= clock.now().0
        {
            let _set = clock.set(UnixMs(to));
        }
        if writeln!(said, "{}", clock.now().0).and_then(|()| said.flush()).is_err() {
            return;
        }
    }
}
