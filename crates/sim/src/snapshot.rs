//! The state in a file, so that a demo's phones are still there after a restart.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::run::Shared;
use crate::world::World;

/// Reads a snapshot; `None` when there is none yet.
pub(crate) fn load(path: &Path) -> io::Result<Option<World>> {
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(io::Error::other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes the state two seconds after something changed, and once more at the end.
pub(crate) fn keep(hub: &Shared, path: PathBuf) {
    let hub = Arc::clone(hub);
    let tracker = hub.tasks.clone();
    tracker.spawn(async move {
        let mut written = None;
        loop {
            let stopped = tokio::select! {
                () = hub.stop.cancelled() => true,
                () = tokio::time::sleep(Duration::from_secs(2)) => false,
            };
            let (version, json) = {
                let world = hub.world.lock();
                let version = (world.seq, world.phones.len(), world.tokens.len());
                (version, (written != Some(version) || stopped).then(|| serde_json::to_vec(&*world)))
            };
            match json {
                Some(Ok(bytes)) => match write(&path, &bytes) {
                    Ok(()) => written = Some(version),
                    Err(error) => tracing::warn!(%error, path = %path.display(), "snapshot not written"),
                },
                Some(Err(error)) => tracing::warn!(%error, "snapshot not written"),
                None => {}
            }
            if stopped {
                break;
            }
        }
    });
}

/// Never leaves half a file: a second file is written and put in its place.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    std::fs::write(&beside, bytes)?;
    std::fs::rename(&beside, path)
}
