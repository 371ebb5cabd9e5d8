//! The real program in a process of its own, for what only a process can show: being killed.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::hospital::Node;

/// How long starting and stopping may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The program, not running yet.
pub struct Program {
    binary: PathBuf,
    settings: PathBuf,
    address: SocketAddr,
    folder: TempDir,
}

/// The program, running. Dropped, it is killed.
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Program {
    /// The program with the settings of a node, which must have stopped. It is built first, which is quick where it is up to
    /// date; `XINGLIN_PROGRAM` names another.
    ///
    /// # Panics
    /// When it can't be built.
    pub async fn like(node: &Node) -> Self {
        let binary = match std::env::var_os("XINGLIN_PROGRAM") {
            Some(path) => path.into(),
            None => built().await,
        };
        let folder = tempfile::tempdir().unwrap();
        let settings = folder.path().join("xinglin.toml");
        std::fs::write(&settings, file(node)).unwrap();
        Self { binary, settings, address: node.address, folder }
    }

    /// Starts it, and waits until it serves.
    ///
    /// # Panics
    /// When it does not.
    pub async fn starts(&self) -> Process {
        let log = self.folder.path().join("log");
        let lines = std::fs::File::options().create(true).append(true).open(&log).unwrap();
        let mut command = Command::new(&self.binary);
        command.arg("--config").arg(&self.settings).arg("serve");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(lines).kill_on_drop(true);
        let mut child = command.spawn().unwrap_or_else(|e| panic!("{}: {e}", self.binary.display()));
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let ready = format!("http://{}/readyz", self.address);
        let begun = tokio::time::Instant::now();
        let mut look = tokio::time::interval(Duration::from_millis(25));
        loop {
            look.tick().await;
            if http.get(&ready).send().await.is_ok_and(|answer| answer.status() == 200) {
                return Process { child, log };
            }
            let ended = child.try_wait().unwrap();
            let said = || std::fs::read_to_string(&log).unwrap_or_default();
            assert!(ended.is_none(), "the program ended: {ended:?}\n{}", said());
            assert!(begun.elapsed() < PATIENCE, "the program does not get ready\n{}", said());
        }
    }
}

impl Process {
    /// `kill -9`.
    pub async fn is_killed(mut self) {
        self.child.start_kill().unwrap();
        self.child.wait().await.unwrap();
    }

    /// SIGTERM: it finishes what it does and ends well, within its ten seconds.
    ///
    /// # Panics
    /// When it does not.
    pub async fn is_asked_to_stop(mut self) {
        let id = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().await.unwrap();
        assert!(sent.success());
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("it ends").unwrap();
        assert!(ended.success(), "{ended}\n{}", self.log());
    }

    /// What it has written so far, together with runs before.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// Builds the program beside the test that asks, with the features of the whole workspace, as all builds here have them.
async fn built() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(std::path::Path::parent).expect("target/debug/deps/…");
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--quiet", "--workspace", "--bin", "xinglin"]);
    command.env("CARGO_TARGET_DIR", folder.parent().expect("target")).current_dir(env!("CARGO_MANIFEST_DIR"));
    let done = command.output().await.unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    folder.join("xinglin")
}

/// The settings of a node as a file.
fn file(node: &Node) -> String {
    let config = node.config();
    let text = |value: &str| serde_json::Value::from(value).to_string();
    format!(
        "[server]\nlisten = {}\npublic_url = {}\ntrust_proxy = {}\n\n[database]\nurl = {}\npath = {}\n\n[keys]\nfile = {}\n\n\
         [log]\nlevel = \"warn\"\n",
        text(&node.address.to_string()),
        text(&config.server.public_url),
        config.server.trust_proxy,
        text(config.database.url.expose()),
        text(&config.database.path.display().to_string()),
        text(&config.keys.file.display().to_string()),
    )
}
