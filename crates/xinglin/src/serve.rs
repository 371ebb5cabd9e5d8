//! `serve` and `migrate`.

use std::process::ExitCode;
use std::time::Duration;

use base::Clock;
use server::{App, Config};
use tokio_util::sync::CancellationToken;

use crate::{logs, memory, staff};

/// Within this time all workers have looked for work once.
const FIRST_ROUNDS: Duration = Duration::from_secs(2);

/// Serves until it is told to stop.
pub(crate) async fn run(config: Config, migrate: bool) -> anyhow::Result<ExitCode> {
    logs::start(&config.log)?;
    if migrate {
        server::app::migrate(&config, Clock::machine()).await?;
    }
    if !config.is_https() && !config.server.listen.ip().is_loopback() {
        tracing::warn!(
            "people reach this server without https: sign-ins can be read on the way. Put a TLS proxy in front."
        );
    }
    let app = App::build(config, Clock::machine()).await?;
    let stopped = stopped();
    let stop = CancellationToken::new();
    let listener = server::http::listen(app.config.server.listen)?;
    tracing::info!(address = %listener.local_addr()?, "serving");
    let (staff, hospitals) = (app.staff.clone(), app.hospitals.clone());
    let public_url = app.config.server.public_url.clone();
    let running = app.run(listener, stop.clone());
    memory::give_back();
    if let Err(error) = staff::administrators(&staff, &hospitals, &public_url, false).await {
        tracing::error!(%error, "the first administrator could not be made; `xinglin staff first` tries again");
    }
    tokio::pin!(stopped);
    // The first rounds of all workers touch much that is then not used for long, too.
    let asked_to_stop = tokio::time::timeout(FIRST_ROUNDS, &mut stopped).await.is_ok();
    if !asked_to_stop {
        memory::give_back();
        stopped.await;
    }
    tracing::info!("stopping");
    stop.cancel();
    running.finished().await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Brings the database up to date.
pub(crate) async fn migrate(config: &Config) -> anyhow::Result<ExitCode> {
    let applied = server::app::migrate(config, Clock::machine()).await?;
    for name in &applied {
        crate::out(&format!("applied {name}\n"));
    }
    if applied.is_empty() {
        crate::out("nothing to do\n");
    }
    Ok(ExitCode::SUCCESS)
}

/// Ctrl-C or SIGTERM. Both are caught from the call on, not only once the answer is waited for: whoever is asked to stop
/// in its first moments of serving ends in good order, too.
pub(crate) fn stopped() -> impl Future<Output = ()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
        async move {
            let (Ok(mut term), Ok(mut int)) = signals else {
                return std::future::pending().await;
            };
            tokio::select! {
                _ = term.recv() => {}
                _ = int.recv() => {}
            }
        }
    }
    #[cfg(not(unix))]
    async {
        let _ = tokio::signal::ctrl_c().await;
    }
}
