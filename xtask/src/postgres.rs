//! A private PostgreSQL for tests: Debian's own binaries on a folder and a port of ours, gone when we are.
//!
//! The system's cluster is never touched. `initdb` and the server refuse to run as root, so as root we become
//! `postgres` for them. The kernel stops the server when we die in whatever way (`setpriv --pdeathsig`); a folder
//! that such a death leaves behind is removed by the next start.

use std::fs::{self, DirBuilder, File};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal};

use crate::process;

/// The variable under which tests find the server.
pub(crate) const VARIABLE: &str = "XINGLIN_TEST_POSTGRES";

/// The oldest release whose SQL we use.
const OLDEST: u32 = 15;
const PREFIX: &str = "xinglin-postgres-";
/// The user `postgres` must reach the folder, and a socket's path must stay short: not `$TMPDIR`.
const TEMP: &str = "/tmp";
const LOCK: &str = "lock";
const READY_WITHIN: Duration = Duration::from_secs(60);
const STOP_WITHIN: Duration = Duration::from_secs(10);
const FIRST_PORT: u16 = 20_000;
/// Connections are handed local ports from here upwards on Linux: below it nothing takes our port by chance.
const PORTS_END: u16 = 32_768;

/// `cargo xtask postgres -- COMMAND…`
pub(crate) fn run(args: &[String]) -> Result<ExitCode> {
    let command = match args.split_first() {
        Some((dashes, rest)) if dashes == "--" => rest,
        _ => args,
    };
    let Some((program, rest)) = command.split_first() else {
        bail!("which command? For example: cargo xtask postgres -- cargo nextest run -p store");
    };
    let server = Postgres::start()?;
    let status = process::foreground(Command::new(program).args(rest).env(VARIABLE, server.url()))?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Where PostgreSQL's programs are, the oldest release that serves first: the one that hospitals run.
pub(crate) fn programs() -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(release, bin)| *release >= OLDEST && bin.join("initdb").is_file())
        .collect();
    found.sort();
    found.into_iter().next().map(|(_, bin)| bin)
}

/// A running server; dropping it stops the server and removes its folder.
pub(crate) struct Postgres {
    child: Child,
    port: u16,
    /// After `child`: the server stops before its folder goes.
    _home: Home,
}

impl Postgres {
    pub(crate) fn start() -> Result<Self> {
        let bin = programs().context("PostgreSQL 15 is missing: apt-get install postgresql")?;
        sweep(Path::new(TEMP));
        let user = User::current()?;
        let home = Home::new(Path::new(TEMP), &user)?;
        initialise(&bin, &user, &home)?;
        for port in free_ports() {
            let mut child = user
                .command(&bin.join("postgres"), &home.path)
                .arg("-D")
                .arg(home.path.join("data"))
                .args(settings(port, &home.path))
                .stdin(Stdio::null())
                .stdout(File::create(home.path.join("out"))?)
                .stderr(File::create(home.path.join("log"))?)
                // A group of its own: Ctrl-C in a terminal must not end it under the tests.
                .process_group(0)
                .spawn()
                .context("can't start postgres")?;
            match wait_until_ready(&bin, &home.path, port, &mut child) {
                Ok(true) => return Ok(Self { child, port, _home: home }),
                // Somebody took the port between our look and its start.
                Ok(false) => {}
                Err(error) => {
                    stop(&mut child);
                    return Err(error);
                }
            }
        }
        bail!("no free port between {FIRST_PORT} and {PORTS_END}")
    }

    /// Its address, as superuser, without a password.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}

/// Tests lose nothing when power fails, so nothing waits for the disk.
fn settings(port: u16, home: &Path) -> Vec<String> {
    let socket = format!("unix_socket_directories={}", home.display());
    let port = format!("port={port}");
    [
        port.as_str(),
        socket.as_str(),
        "listen_addresses=127.0.0.1",
        "max_connections=400",
        "shared_buffers=256MB",
        "dynamic_shared_memory_type=mmap",
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
        "wal_level=minimal",
        "max_wal_senders=0",
        "max_wal_size=2GB",
        "jit=off",
        "timezone=UTC",
        "log_timezone=UTC",
    ]
    .iter()
    .flat_map(|setting| ["-c".to_owned(), (*setting).to_owned()])
    .collect()
}

fn initialise(bin: &Path, user: &User, home: &Home) -> Result<()> {
    let mut command = user.command(&bin.join("initdb"), &home.path);
    command.arg("-D").arg(home.path.join("data"));
    command.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]);
    process::capture(&mut command).map(drop)
}

/// `false` when the port turned out to be taken.
fn wait_until_ready(bin: &Path, home: &Path, port: u16, child: &mut Child) -> Result<bool> {
    let since = Instant::now();
    loop {
        // Through the socket in our own folder: a stranger on the same port can't answer for our server.
        let mut look = Command::new(bin.join("pg_isready"));
        look.arg("-q").arg("-h").arg(home).args(["-p", &port.to_string(), "-t", "1"]);
        if let Some(status) = child.try_wait()? {
            let log = fs::read_to_string(home.join("log")).unwrap_or_default();
            if log.contains("Address already in use") {
                return Ok(false);
            }
            bail!("postgres did not start ({status}):\n{log}");
        }
        if look.stdin(Stdio::null()).status().context("can't run pg_isready")?.success() {
            return Ok(true);
        }
        if process::stopped() {
            bail!("stopped");
        }
        if since.elapsed() > READY_WITHIN {
            let log = fs::read_to_string(home.join("log")).unwrap_or_default();
            bail!("postgres was not ready within {} s:\n{log}", READY_WITHIN.as_secs());
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// What `pg_ctl stop -m immediate` does; by force when that does not help.
fn stop(child: &mut Child) {
    let pid = Pid::from_child(child);
    let since = Instant::now();
    let _gone = rustix::process::kill_process(pid, Signal::QUIT);
    while matches!(child.try_wait(), Ok(None)) {
        if since.elapsed() > STOP_WITHIN {
            let _gone = rustix::process::kill_process_group(pid, Signal::KILL);
            let _reaped = child.wait();
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// As whom PostgreSQL's programs run.
struct User {
    /// Set when we are root: the numbers of `postgres`.
    postgres: Option<(u32, u32)>,
}

impl User {
    fn current() -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self { postgres: None });
        }
        let users = fs::read_to_string("/etc/passwd").context("can't read /etc/passwd")?;
        let numbers = numbers_of(&users, "postgres").context("there is no user postgres on this machine")?;
        Ok(Self { postgres: Some(numbers) })
    }

    fn command(&self, program: &Path, home: &Path) -> Command {
        let mut command = Command::new("setpriv");
        // SIGQUIT is PostgreSQL's immediate shutdown.
        command.args(["--pdeathsig", "QUIT"]);
        if let Some((user, group)) = self.postgres {
            command.arg(format!("--reuid={user}")).arg(format!("--regid={group}")).arg("--clear-groups");
        }
        // Away from wherever we stand, which `postgres` may not be allowed to see.
        command.arg("--").arg(program).current_dir(home);
        for variable in ["PGDATA", "PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD", "PGOPTIONS"] {
            command.env_remove(variable);
        }
        command.env("LC_ALL", "C");
        command
    }
}

/// User and group number from the text of `/etc/passwd`.
fn numbers_of(users: &str, name: &str) -> Option<(u32, u32)> {
    let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// A folder that only the server's user may enter. As long as we live we hold a lock on a file in it.
struct Home {
    path: PathBuf,
    _lock: File,
}

impl Home {
    fn new(parent: &Path, user: &User) -> Result<Self> {
        for attempt in 0..100_u32 {
            let path = parent.join(format!("{PREFIX}{}-{attempt}", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => continue,
                made => made.with_context(|| format!("can't create {}", path.display()))?,
            }
            let lock = File::create(path.join(LOCK))?;
            if lock.try_lock().is_err() || !path.join(LOCK).exists() {
                // Another start took the new folder for an abandoned one.
                continue;
            }
            if let Some((uid, gid)) = user.postgres {
                chown(&path, Some(uid), Some(gid))?;
            }
            return Ok(Self { path, _lock: lock });
        }
        bail!("can't create a folder under {}", parent.display())
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            eprintln!("warning: can't remove {}: {error}", self.path.display());
        }
    }
}

/// Removes folders whose owner is dead: nobody holds their lock any more.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    let us = rustix::process::geteuid().as_raw();
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let Ok(lock) = File::open(entry.path().join(LOCK)) else { continue };
        if lock.metadata().is_ok_and(|meta| meta.uid() == us) && lock.try_lock().is_ok() {
            let _left = fs::remove_dir_all(entry.path());
        }
    }
}

/// Free ports of the loopback address, starting at a different place for every process.
fn free_ports() -> impl Iterator<Item = u16> {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let end = ports_end(&range);
    let span = u32::from(end.saturating_sub(FIRST_PORT)).max(1);
    let start = std::process::id().wrapping_mul(37) % span;
    (0..span)
        .filter_map(move |step| u16::try_from(u32::from(FIRST_PORT) + (start + step) % span).ok())
        .filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .take(5)
}

/// The first port that the kernel hands out by itself, from the text of `ip_local_port_range`.
fn ports_end(range: &str) -> u16 {
    let first = range.split_whitespace().next().and_then(|text| text.parse().ok()).unwrap_or(PORTS_END);
    if first > FIRST_PORT { first.min(PORTS_END) } else { PORTS_END }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_stay_below_what_the_kernel_hands_out() {
        assert_eq!(ports_end("32768\t60999\n"), 32_768);
        assert_eq!(ports_end("25000 60999"), 25_000);
        assert_eq!(ports_end("49152 65535"), 32_768);
        assert_eq!(ports_end("1024 65535"), 32_768);
        assert_eq!(ports_end(""), 32_768);
        assert!(free_ports().all(|port| (FIRST_PORT..PORTS_END).contains(&port)));
        assert!(free_ports().count() > 0);
    }

    #[test]
    fn numbers_come_from_the_right_line() {
        let users =
            "root:x:0:0:root:/root:/bin/bash\npostgresql:x:7:8::/:\npostgres:x:101:104:admin:/var:/bin/sh\n";
        assert_eq!(numbers_of(users, "postgres"), Some((101, 104)));
        assert_eq!(numbers_of(users, "nobody"), None);
    }

    #[test]
    fn a_folder_is_swept_only_when_its_owner_is_gone() {
        let parent = std::env::temp_dir().join(format!("xtask-sweep-{}", std::process::id()));
        fs::create_dir_all(&parent).unwrap();
        let user = User { postgres: None };
        let alive = Home::new(&parent, &user).unwrap();
        let dead = parent.join(format!("{PREFIX}dead"));
        fs::create_dir_all(&dead).unwrap();
        File::create(dead.join(LOCK)).unwrap();
        let foreign = parent.join("something-else");
        fs::create_dir_all(&foreign).unwrap();
        sweep(&parent);
        assert!(alive.path.exists() && foreign.exists() && !dead.exists());
        let path = alive.path.clone();
        drop(alive);
        assert!(!path.exists());
        fs::remove_dir_all(&parent).unwrap();
    }

    /// The real thing, where PostgreSQL is installed (`cargo xtask test` installs it).
    #[test]
    fn a_server_starts_answers_and_leaves_nothing() {
        let Some(bin) = programs() else {
            assert!(std::env::var_os(VARIABLE).is_none(), "a test run with PostgreSQL has its programs");
            return;
        };
        let server = Postgres::start().unwrap();
        let home = server._home.path.clone();
        let pid = server.child.id();
        let mut psql = Command::new(bin.join("psql"));
        psql.args(["-XAtq", "-c", "select 6 * 7, current_setting('fsync')", &server.url()]);
        assert_eq!(process::capture(&mut psql).unwrap(), "42|off\n");
        drop(server);
        assert!(!home.exists());
        assert!(!Path::new(&format!("/proc/{pid}")).exists());
    }
}
