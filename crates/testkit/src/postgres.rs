//! A PostgreSQL of a test's own, which can be stopped at once and started again: durable, as a hospital would run it.

use std::fs::{self, DirBuilder, File};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{DirBuilderExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long starting may take.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(20);
/// Ports from here up are handed out by the kernel itself.
const PORTS: std::ops::Range<u16> = 20_000..32_768;

/// A server. Dropping it stops it and removes its folder.
pub struct Postgres {
    bin: PathBuf,
    owner: Option<(u32, u32)>,
    home: PathBuf,
    port: u16,
    child: Option<Child>,
    _lock: File,
}

impl Postgres {
    /// Makes a cluster and starts it.
    ///
    /// # Panics
    /// When there is no PostgreSQL on this machine, or it does not start.
    #[must_use]
    pub fn start() -> Self {
        let bin = programs().expect("PostgreSQL's programs: apt-get install postgresql");
        let owner = is_root().then(postgres_user);
        // As the folders of other servers of ours are called: the next run of the tests removes what a killed one left.
        let name = format!("xinglin-postgres-story-{}", uuid::Uuid::new_v4().simple());
        let home = Path::new("/tmp").join(name);
        DirBuilder::new().mode(0o700).create(&home).unwrap();
        let lock = File::create(home.join("lock")).unwrap();
        lock.try_lock().unwrap();
        belongs_to(owner, &home);
        let mut init = as_owner(owner, &bin.join("initdb"), &home);
        init.arg("-D").arg(home.join("data")).args([
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
        ]);
        let made = init.args(["--locale=C", "--no-sync"]).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let start = u16::try_from(std::process::id() % 12_000).unwrap();
        let port = (PORTS.start + start..PORTS.end)
            .chain(PORTS)
            .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
        let port = port.expect("a free port");
        let mut server = Self { bin, owner, home, port, child: None, _lock: lock };
        server.starts_again();
        server
    }

    /// Where tests make databases: as `XINGLIN_TEST_POSTGRES`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Immediate shutdown: every connection breaks, nothing is finished, the next start recovers from the log.
    ///
    /// # Panics
    /// When it does not run.
    pub fn stops_at_once(&mut self) {
        let mut child = self.child.take().expect("it runs");
        let pid = child.id().to_string();
        assert!(Command::new("kill").args(["-QUIT", &pid]).status().unwrap().success());
        child.wait().unwrap();
    }

    /// Starts it, and waits until it takes connections.
    ///
    /// # Panics
    /// When it does not.
    pub fn starts_again(&mut self) {
        let mut command = as_owner(self.owner, &self.bin.join("postgres"), &self.home);
        command.arg("-D").arg(self.home.join("data")).args(["-p", &self.port.to_string()]);
        command.arg("-c").arg(format!("unix_socket_directories={}", self.home.display()));
        let settings = ["listen_addresses=127.0.0.1", "timezone=UTC", "max_connections=200"];
        command.args(settings.iter().flat_map(|setting| ["-c", setting])).process_group(0);
        let log = || File::options().create(true).append(true).open(self.home.join("log")).unwrap();
        self.child = Some(command.stdout(log()).stderr(log()).spawn().unwrap());
        let begun = Instant::now();
        loop {
            let mut look = Command::new(self.bin.join("pg_isready"));
            look.arg("-q").arg("-h").arg(&self.home).args(["-p", &self.port.to_string()]);
            if look.status().unwrap().success() {
                return;
            }
            let said = || fs::read_to_string(self.home.join("log")).unwrap_or_default();
            let ended = self.child.as_mut().and_then(|child| child.try_wait().unwrap());
            assert!(ended.is_none(), "postgres ended: {ended:?}\n{}", said());
            assert!(begun.elapsed() < PATIENCE, "postgres does not get ready\n{}", said());
            std::thread::sleep(LOOK);
        }
    }

    /// Lets databases that are made from now on lie in this folder.
    ///
    /// # Panics
    /// When it refuses.
    pub fn keeps_new_databases_in(&self, folder: &Path) {
        belongs_to(self.owner, folder);
        self.sql(&format!("CREATE TABLESPACE small LOCATION '{}'", folder.display()));
        // What new databases are copies of.
        self.sql("ALTER DATABASE template1 SET TABLESPACE small");
    }

    /// Runs a statement as superuser.
    fn sql(&self, statement: &str) {
        let mut psql = Command::new(self.bin.join("psql"));
        psql.args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement, &self.url()]).env("LC_ALL", "C");
        let output = psql.output().unwrap();
        assert!(output.status.success(), "{statement}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.stops_at_once();
        }
        let _left = fs::remove_dir_all(&self.home);
    }
}

/// A small disk, in memory. Gone when dropped.
pub struct SmallDisk {
    /// Where it is.
    pub folder: PathBuf,
}

impl SmallDisk {
    /// A disk of so many MiB; none where this machine does not let us mount one.
    #[must_use]
    pub fn mount(mib: u32) -> Option<Self> {
        if !is_root() {
            return None;
        }
        let folder = Path::new("/tmp").join(format!("xinglin-small-{}", uuid::Uuid::new_v4().simple()));
        fs::create_dir(&folder).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={mib}m,mode=0777"), "none"]).arg(&folder);
        if mount.output().is_ok_and(|output| output.status.success()) {
            return Some(Self { folder });
        }
        fs::remove_dir(&folder).unwrap();
        None
    }

    /// Fills it up to the last byte; gives the file that takes the room.
    ///
    /// # Panics
    /// When the disk has no end.
    #[must_use]
    pub fn fills_up(&self) -> PathBuf {
        use std::io::Write as _;
        let path = self.folder.join("filler");
        let mut file = File::create(&path).unwrap();
        for size in [64 * 1024, 4096, 512, 1] {
            let block = vec![0_u8; size];
            while file.write_all(&block).is_ok() {
                assert!(file.metadata().unwrap().len() < 1 << 30, "this disk is not small");
            }
        }
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a file of the test may still be open.
        let _gone = Command::new("umount").arg("-l").arg(&self.folder).status();
        let _gone = fs::remove_dir(&self.folder);
    }
}

fn is_root() -> bool {
    let uid = fs::read_to_string("/proc/self/status").unwrap_or_default();
    uid.lines().any(|line| line.starts_with("Uid:\t0\t"))
}

fn belongs_to(owner: Option<(u32, u32)>, folder: &Path) {
    if let Some((user, group)) = owner {
        chown(folder, Some(user), Some(group)).unwrap();
    }
}

/// Where PostgreSQL's programs are, the oldest release that serves first: the one that hospitals run.
fn programs() -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(release, bin)| *release >= 15 && bin.join("initdb").is_file())
        .collect();
    found.sort();
    found.into_iter().next().map(|(_, bin)| bin)
}

/// The numbers of the user `postgres`: its programs refuse to run as root.
fn postgres_user() -> (u32, u32) {
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let line = users.lines().find(|line| line.starts_with("postgres:")).expect("the user postgres");
    let mut numbers = line.split(':').skip(2).map_while(|field| field.parse().ok());
    numbers.next().zip(numbers.next()).expect("its numbers")
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
