//! The other servers: wechatpy behind gunicorn, and bare axum, each a process of its own.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal};

use super::pushes::{APP_ID, KEY, TOKEN};
use crate::load::Line;
use crate::places;

const LOOK: Duration = Duration::from_millis(20);
const READY_WITHIN: Duration = Duration::from_secs(30);
const STOP_WITHIN: Duration = Duration::from_secs(15);

/// A running server that is not ours; dropping it stops it.
pub(super) struct Rival {
    child: Child,
    log: PathBuf,
}

/// gunicorn keeps connections open only with threads; eight for each of the two workers made it fastest here.
pub(super) const GUNICORN: [&str; 10] = [
    "--workers",
    "2",
    "--worker-class",
    "gthread",
    "--threads",
    "8",
    "--keep-alive",
    "75",
    "--worker-connections",
    "2000",
];

impl Rival {
    /// wechatpy on gunicorn, from the Python that `cargo xtask bench` has prepared.
    pub(super) async fn wechatpy(folder: &Path, address: SocketAddr, text: &str) -> Result<Self> {
        let mut command = Command::new(python()?);
        command.args(["-m", "gunicorn"]).args(GUNICORN).args(["--log-level", "warning"]);
        command.args(["--bind", &address.to_string(), "wechatpy_app:application"]);
        command.arg("--chdir").arg(places::root("crates/bench/python"));
        command.env("BENCH_TOKEN", TOKEN).env("BENCH_KEY", KEY).env("BENCH_APP_ID", APP_ID);
        command.env("BENCH_TEXT", text).env("PYTHONDONTWRITEBYTECODE", "1");
        Self::start(command, folder, address).await
    }

    /// Bare axum: this program under another name.
    pub(super) async fn echo(folder: &Path, address: SocketAddr) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["echo", &address.to_string()]);
        Self::start(command, folder, address).await
    }

    async fn start(mut command: Command, folder: &Path, address: SocketAddr) -> Result<Self> {
        let log = folder.join("rival.log");
        let (out, err) = (File::create(&log)?, File::options().append(true).open(&log)?);
        let child = command.stdin(Stdio::null()).stdout(out).stderr(err).spawn();
        let mut rival = Self { child: child.with_context(|| format!("{command:?}"))?, log };
        let since = Instant::now();
        while !answers(address).await {
            let log = || std::fs::read_to_string(&rival.log).unwrap_or_default();
            if let Some(status) = rival.child.try_wait()? {
                bail!("{command:?} ended before it was ready ({status}):\n{}", log());
            }
            if since.elapsed() > READY_WITHIN {
                bail!("{command:?} was not ready within {} s:\n{}", READY_WITHIN.as_secs(), log());
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(rival)
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Rival {
    fn drop(&mut self) {
        let _gone = rustix::process::kill_process(Pid::from_child(&self.child), Signal::TERM);
        let since = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) {
            if since.elapsed() > STOP_WITHIN {
                let _gone = self.child.kill();
            }
            std::thread::sleep(LOOK);
        }
    }
}

async fn answers(address: SocketAddr) -> bool {
    let Ok(mut line) = Line::open(address).await else { return false };
    line.get("/readyz").await.is_ok_and(|answer| answer.status == 200)
}

pub(super) fn python() -> Result<PathBuf> {
    let path = std::env::var_os("XINGLIN_PYTHON").map(PathBuf::from);
    path.context(
        "XINGLIN_PYTHON names no Python with wechatpy and gunicorn; `cargo xtask bench` prepares one",
    )
}
