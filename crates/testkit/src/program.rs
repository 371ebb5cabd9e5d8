//! The real program in a process of its own, for what only a process can show: being killed.

use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use store::fault::{self, Point};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::hospital::Node;

/// How long starting and stopping may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How a program ends that dies at a point: signal(7).
const SIGABRT: i32 = 6;

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
        let mut process = self.spawns(None);
        let ended = self.until_ready(&mut process).await;
        assert!(ended.is_none(), "the program ended: {ended:?}\n{}", process.log());
        process
    }

    /// Starts it to die at the `nth` pass of a point, and waits until it serves or has died.
    ///
    /// # Panics
    /// When it does neither.
    pub async fn starts_to_die(&self, point: Point, nth: u32) -> Process {
        let mut process = self.spawns(Some((point, nth)));
        let _died_early = self.until_ready(&mut process).await;
        process
    }

    /// `xinglin check`: whether all is well, and what it says. Whoever serves goes on.
    ///
    /// # Panics
    /// When it can't be started.
    pub async fn checks(&self) -> (bool, String) {
        let mut command = Command::new(&self.binary);
        command.arg("--config").arg(&self.settings).arg("check").stdin(Stdio::null());
        let output = command.output().await.unwrap();
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.success(), said)
    }

    fn spawns(&self, fault: Option<(Point, u32)>) -> Process {
        let log = self.folder.path().join("log");
        let lines = std::fs::File::options().create(true).append(true).open(&log).unwrap();
        let mut command = Command::new(&self.binary);
        command.arg("--config").arg(&self.settings).arg("serve");
        if let Some((point, nth)) = fault {
            command.env(fault::VARIABLE, format!("{}:{nth}", point.name()));
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(lines).kill_on_drop(true);
        let child = command.spawn().unwrap_or_else(|e| panic!("{}: {e}", self.binary.display()));
        Process { child, log }
    }

    /// Gives how it ended, when it did.
    async fn until_ready(&self, process: &mut Process) -> Option<ExitStatus> {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let ready = format!("http://{}/readyz", self.address);
        let begun = tokio::time::Instant::now();
        let mut look = tokio::time::interval(Duration::from_millis(10));
        loop {
            look.tick().await;
            if http.get(&ready).send().await.is_ok_and(|answer| answer.status() == 200) {
                return None;
            }
            if let Some(ended) = process.child.try_wait().unwrap() {
                return Some(ended);
            }
            assert!(begun.elapsed() < PATIENCE, "the program does not get ready\n{}", process.log());
        }
    }
}

impl Process {
    /// `kill -9`.
    pub async fn is_killed(mut self) {
        self.child.start_kill().unwrap();
        self.child.wait().await.unwrap();
    }

    /// Waits until it has died by itself.
    ///
    /// # Panics
    /// When it does not, or ends in good order.
    pub async fn dies(mut self) {
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        let ended = ended.unwrap_or_else(|_| panic!("it lives on\n{}", self.log())).unwrap();
        assert!(ended.signal() == Some(SIGABRT), "{ended}\n{}", self.log());
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

/// Builds the program beside the test that asks, with the features of the whole workspace, as all builds here have them; once
/// in a test. It waits for other builds to end, which can take long: `cargo xtask test` has built it before, and says where.
async fn built() -> PathBuf {
    static BUILT: tokio::sync::OnceCell<PathBuf> = tokio::sync::OnceCell::const_new();
    BUILT.get_or_init(build).await.clone()
}

async fn build() -> PathBuf {
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
