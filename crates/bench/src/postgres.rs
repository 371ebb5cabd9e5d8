//! A private PostgreSQL as a hospital would run it: every commit waits for the disk. (The one that tests use does not, and
//! would measure something else.) Its folder goes when we go; one that a sudden death leaves behind is removed by the next
//! start of the tests' server, which knows such folders by their name and the lock in them.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal};

use crate::places;

const OLDEST: u32 = 15;
const READY_WITHIN: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(50);

/// What differs from PostgreSQL's own defaults; nothing that makes a commit less durable.
pub(crate) const SETTINGS: &[&str] =
    &["listen_addresses=127.0.0.1", "shared_buffers=256MB", "max_wal_size=2GB", "timezone=UTC"];

/// A running server; dropping it stops it and removes its folder.
pub(crate) struct Postgres {
    child: Child,
    bin: PathBuf,
    port: u16,
    home: PathBuf,
    _lock: File,
}

impl Postgres {
    /// Starts a server on a folder of its own under `parent`, which the user `postgres` must be able to reach.
    pub(crate) fn start(parent: &Path) -> Result<Self> {
        let bin = programs().context("PostgreSQL 15 is missing: apt-get install postgresql")?;
        let owner = if rustix::process::geteuid().is_root() { Some(postgres_user()?) } else { None };
        let home = parent.join(format!("xinglin-postgres-bench-{}", std::process::id()));
        DirBuilder::new().mode(0o700).create(&home).with_context(|| home.display().to_string())?;
        let lock = File::create(home.join("lock"))?;
        lock.try_lock().context("somebody else holds the new folder")?;
        if let Some((user, group)) = owner {
            chown(&home, Some(user), Some(group))?;
        }
        let data = home.join("data");
        let mut init = as_owner(owner, &bin.join("initdb"), &home);
        init.arg("-D").arg(&data).args(["--username=postgres", "--auth=trust", "--encoding=UTF8"]);
        let made = init.arg("--locale=C").output().context("can't run initdb")?;
        if !made.status.success() {
            let _left = fs::remove_dir_all(&home);
            bail!("initdb failed: {}", String::from_utf8_lossy(&made.stderr));
        }
        let port = places::free_ports(1)?.first().copied().context("no free port")?;
        let mut command = as_owner(owner, &bin.join("postgres"), &home);
        command.arg("-D").arg(&data).args(["-p", &port.to_string()]);
        command.arg("-c").arg(format!("unix_socket_directories={}", home.display()));
        command.args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
        let (out, err) = (File::create(home.join("out"))?, File::create(home.join("log"))?);
        let child = command.stdout(out).stderr(err).spawn().context("can't start postgres")?;
        let mut server = Self { child, bin, port, home, _lock: lock };
        server.wait_until_ready()?;
        Ok(server)
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let since = Instant::now();
        loop {
            let log = || fs::read_to_string(self.home.join("log")).unwrap_or_default();
            if let Some(status) = self.child.try_wait()? {
                bail!("postgres did not start ({status}):\n{}", log());
            }
            let mut look = Command::new(self.bin.join("pg_isready"));
            look.arg("-q").arg("-h").arg(&self.home).args(["-p", &self.port.to_string()]);
            if look.status().context("can't run pg_isready")?.success() {
                return Ok(());
            }
            if since.elapsed() > READY_WITHIN {
                bail!("postgres was not ready within {} s:\n{}", READY_WITHIN.as_secs(), log());
            }
            std::thread::sleep(LOOK);
        }
    }

    /// The address of one of its databases.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// The process id of its first process, whose children are the others.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A program of its release: `pgbench`.
    pub(crate) fn tool(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// `postgres (PostgreSQL) 15.…`
    pub(crate) fn program(&self) -> PathBuf {
        self.bin.join("postgres")
    }

    /// Runs statements as superuser, each by itself; gives what they print.
    pub(crate) fn sql(&self, database: &str, statements: &[&str]) -> Result<String> {
        let mut psql = Command::new(self.bin.join("psql"));
        psql.args(["-XAtq", "-v", "ON_ERROR_STOP=1"]).env("LC_ALL", "C");
        psql.args(statements.iter().flat_map(|statement| ["-c", statement])).arg(self.url(database));
        let output = psql.output().context("can't run psql")?;
        if !output.status.success() {
            bail!("{}: {}", statements.join("; "), String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGQUIT is the immediate shutdown: the folder goes anyway.
        let _gone = rustix::process::kill_process(Pid::from_child(&self.child), Signal::QUIT);
        let _reaped = self.child.wait();
        if let Err(error) = fs::remove_dir_all(&self.home) {
            eprintln!("warning: can't remove {}: {error}", self.home.display());
        }
    }
}

/// Where PostgreSQL's programs are, the oldest release that serves first: the one that hospitals run.
fn programs() -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(release, bin)| *release >= OLDEST && bin.join("initdb").is_file())
        .collect();
    found.sort();
    found.into_iter().next().map(|(_, bin)| bin)
}

/// The numbers of the user `postgres`: its programs refuse to run as root.
fn postgres_user() -> Result<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd")?;
    let line = users.lines().find(|line| line.starts_with("postgres:")).unwrap_or_default();
    let mut numbers = line.split(':').skip(2).map_while(|field| field.parse().ok());
    numbers.next().zip(numbers.next()).context("there is no user postgres on this machine")
}

/// A program as its owner; the kernel stops it when we die in whatever way.
fn as_owner(owner: Option<(u32, u32)>, program: &Path, home: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "QUIT"]);
    if let Some((user, group)) = owner {
        command.arg(format!("--reuid={user}")).arg(format!("--regid={group}")).arg("--clear-groups");
    }
    command.arg("--").arg(program).current_dir(home).stdin(Stdio::null()).env("LC_ALL", "C");
    for variable in ["PGDATA", "PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD", "PGOPTIONS"] {
        command.env_remove(variable);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where PostgreSQL is installed (`cargo xtask test` installs it, and then names its server).
    #[test]
    fn a_commit_waits_for_the_disk_and_nothing_is_left() {
        if programs().is_none() {
            assert!(std::env::var_os("XINGLIN_TEST_POSTGRES").is_none(), "its programs are there");
            return;
        }
        let server = Postgres::start(Path::new("/tmp")).unwrap();
        let (home, pid) = (server.home.clone(), server.pid());
        let durable = "SELECT current_setting('fsync') || current_setting('synchronous_commit') \
                       || current_setting('full_page_writes')";
        assert_eq!(server.sql("postgres", &[durable]).unwrap(), "ononon");
        assert!(server.sql("postgres", &["SELECT nothing"]).is_err());
        drop(server);
        assert!(!home.exists() && !Path::new(&format!("/proc/{pid}")).exists());
    }
}
