//! Log lines on standard error: JSON for machines, text for people. Never with personal data: what is logged are ids,
//! counts and codes.

use server::config::{Log, LogFormat};
use tracing_subscriber::EnvFilter;

/// Starts logging.
///
/// # Errors
/// When the level can't be read.
pub(crate) fn start(log: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&log.level).map_err(|e| anyhow::anyhow!("log.level: {e}"))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start (the demonstration within a test) keeps the first.
    let _ = match log.format {
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).try_init(),
        LogFormat::Text => lines.with_target(false).compact().try_init(),
    };
    Ok(())
}
