//! `serve` and `migrate`.

use std::process::ExitCode;

use base::Clock;
use server::{App, Config};
use tokio_util::sync::CancellationToken;

use crate::{logs, memory};

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
    let stop = CancellationToken::new();
    let listener = server::http::listen(app.config.server.listen)?;
    tracing::info!(address = %listener.local_addr()?, "serving");
    let running = app.run(listener, stop.clone());
    memory::give_back_code();
    stopped().await;
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

/// Waits for Ctrl-C or SIGTERM.
pub(crate) async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
        else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = tokio::signal::ctrl_c().await;
}
