//! Opening a hospital: database, simulator, what is known before the doors open, then the server itself.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use base::{Clock, HospitalId, Secret, Text2};
use edge::Hospitals;
use people::channel::{CallbackFormat, CallbackMode, ChannelKind, Hosts, NewChannel, add_channel};
use serde_json::Value;
use server::Config;
use sim::{Sim, SimAccount, SimConfig, SimCorp, SimHandle};
use store::testing::{MORNING, TestDb, on_postgres, on_postgres_at, on_sqlite, on_sqlite_in};
use store::{Backend, DbConfig, Vault};

use crate::hospital::{Hospital, Node, Parts, SECOND};
use crate::logs;
use crate::site::{DAYS, Site, profile};

/// The hospital that stories play in.
pub const FIRST: HospitalId = HospitalId(1);
/// The account's appid at the simulator …
pub const APPID: &str = "wx1f2e3d4c5b6a7980";
/// … its secret …
pub const SECRET: &str = "0123456789abcdef0123456789abcdef";
/// … the callback's token …
pub const TOKEN: &str = "XinglinStories2026";
/// … and the key that pushes are sealed with.
pub const AES_KEY: &str = "7kQ2mWz9XbR4cVt1YpLs8NfGh3JdAe6UoIiMn5CqKxE";
/// The hospital's corporation in WeCom …
pub const CORP: &str = "ww1f2e3d4c5b6a7980";
/// … and its application there, by which staff sign in.
pub const AGENT: u32 = 1_000_002;
/// The file by which WeChat sees whose the domain is.
pub const VERIFY_FILE: (&str, &str) = ("MP_verify_aBc123XyZ.txt", "aBc123XyZ");

/// A hospital to be opened. The default is what most stories want.
#[derive(Debug, Clone)]
pub struct Setup {
    nodes: usize,
    hospitals: usize,
    real_time: bool,
    days: i64,
    settings: Vec<(String, Value)>,
    paying: bool,
    invoicing: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            nodes: 1,
            hospitals: 1,
            real_time: false,
            days: DAYS,
            settings: Vec::new(),
            paying: false,
            invoicing: false,
        }
    }
}

/// Opens the usual hospital on SQLite and then on PostgreSQL, and plays the story in each. When it is over, what must always
/// hold is looked at.
///
/// # Panics
/// When the story does, when something does not hold, and when there is no PostgreSQL (see `store::testing`).
pub async fn each_hospital(story: impl AsyncFn(&Hospital)) {
    Setup::default().play(story).await;
}

impl Setup {
    /// So many nodes of the program on one database. On SQLite, which one program has for itself, there is one.
    #[must_use]
    pub fn nodes(mut self, count: usize) -> Self {
        self.nodes = count;
        self
    }

    /// A second hospital in the same installation, reached as `other.localhost`.
    #[must_use]
    pub fn beside_another(mut self) -> Self {
        self.hospitals = 2;
        self
    }

    /// The machine's clock, which no test moves; clinics begin tomorrow.
    #[must_use]
    pub fn in_real_time(mut self) -> Self {
        self.real_time = true;
        self
    }

    /// A section of the hospital's settings.
    #[must_use]
    pub fn with(mut self, section: &str, value: Value) -> Self {
        self.settings.push((section.into(), value));
        self
    }

    /// With contracts with WeChat Pay, Alipay and the insurance bureau, so that people can pay online.
    #[must_use]
    pub fn paying(mut self) -> Self {
        self.paying = true;
        self.with("billing", crate::paying::settings())
    }

    /// With a contract with a platform for e-invoices.
    #[must_use]
    pub fn invoicing(mut self) -> Self {
        self.invoicing = true;
        self
    }

    /// Clinics for so many days only, where a story needs few.
    #[must_use]
    pub fn days(mut self, count: i64) -> Self {
        self.days = count;
        self
    }

    /// Plays the story on SQLite and then on PostgreSQL.
    ///
    /// # Panics
    /// As [`each_hospital`].
    pub async fn play(self, story: impl AsyncFn(&Hospital)) {
        let play = async |db: TestDb| self.clone().round(db, &story).await;
        on_sqlite(&server::app::migrations(), self.clock(), &play).await;
        on_postgres(&server::app::migrations(), self.clock(), &play).await;
    }

    /// Plays the story on SQLite alone, for what has nothing to do with the database.
    ///
    /// # Panics
    /// As [`each_hospital`].
    pub async fn play_on_sqlite(self, story: impl AsyncFn(&Hospital)) {
        let play = async |db: TestDb| self.clone().round(db, &story).await;
        on_sqlite(&server::app::migrations(), self.clock(), &play).await;
    }

    /// Plays the story on PostgreSQL alone, for what only several nodes can show.
    ///
    /// # Panics
    /// As [`each_hospital`].
    pub async fn play_on_postgres(self, story: impl AsyncFn(&Hospital)) {
        let play = async |db: TestDb| self.clone().round(db, &story).await;
        on_postgres(&server::app::migrations(), self.clock(), &play).await;
    }

    /// Plays the story on SQLite, on a disk of one's choice.
    ///
    /// # Panics
    /// As [`each_hospital`].
    pub async fn play_on_sqlite_in(self, folder: &Path, story: impl AsyncFn(&Hospital)) {
        let play = async |db: TestDb| self.clone().round(db, &story).await;
        on_sqlite_in(folder, &server::app::migrations(), self.clock(), &play).await;
    }

    /// Plays the story on a PostgreSQL server of one's choice.
    ///
    /// # Panics
    /// As [`each_hospital`].
    pub async fn play_on_postgres_at(self, server: &str, story: impl AsyncFn(&Hospital)) {
        let play = async |db: TestDb| self.clone().round(db, &story).await;
        on_postgres_at(server, &server::app::migrations(), self.clock(), &play).await;
    }

    fn clock(&self) -> Clock {
        if self.real_time { Clock::machine() } else { Clock::manual(MORNING) }
    }

    async fn round(self, db: TestDb, story: &impl AsyncFn(&Hospital)) {
        let hospital = self.open(db).await;
        story(&hospital).await;
        hospital.close().await;
    }

    async fn open(self, db: TestDb) -> Hospital {
        logs::listen();
        let _left_over = logs::take_errors();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(std::time::Duration::from_secs(60));
        let folder = tempfile::tempdir().unwrap();
        let listener = server::http::listen(([127, 0, 0, 1], 0).into()).unwrap();
        let address = listener.local_addr().unwrap();
        let public_url = format!("http://{address}");
        let sim = simulator(&public_url, db.clock.clone()).await;
        let config = config(&db.config, folder.path(), &public_url);
        let today = base::Zone::china().date(db.clock.now());
        let (site, other_site) = self.furnish(&db, &config, &sim, today).await;
        // From here on the server has the database for itself.
        db.db.close().await;
        let count = if db.backend() == Backend::Sqlite { 1 } else { self.nodes };
        let mut nodes = vec![Node::start(config.clone(), db.clock.clone(), listener).await];
        for _ in 1..count {
            let listener = server::http::listen(([127, 0, 0, 1], 0).into()).unwrap();
            nodes.push(Node::start(config.clone(), db.clock.clone(), listener).await);
        }
        Hospital::new(Parts {
            nodes,
            clock: db.clock.clone(),
            real_time: self.real_time,
            first_day: today,
            site,
            other_site,
            simulator: sim,
            http: http.build().unwrap(),
            folder,
        })
    }

    /// What is there before the doors open.
    async fn furnish(
        &self,
        t: &TestDb,
        config: &Config,
        sim: &SimHandle,
        today: base::Date,
    ) -> (Site, Option<Site>) {
        let hospitals = Hospitals::load(&t.db).await.unwrap();
        let vault = Arc::new(Vault::open(&config.keys.file, true).unwrap());
        hospitals.add(FIRST, "xinglin", &profile("杏林"), "Asia/Shanghai").await.unwrap();
        // What was given up is on sale again at once, and nobody stands in line: stories about just that have it otherwise.
        let quiet = [
            ("booking.waitlist", serde_json::json!({"delay_minutes": 0})),
            ("booking.rush", serde_json::json!({"draw_ms": 0})),
        ];
        for (section, value) in quiet {
            hospitals.set(FIRST, section, &value, "test").await.unwrap();
        }
        for (section, value) in &self.settings {
            hospitals.set(FIRST, section, value, "test").await.unwrap();
        }
        let first = hospitals.get(FIRST).unwrap();
        let mut tx = t.db.begin().await.unwrap();
        add_channel(&mut tx, &vault, &channel(&sim.base_url())).await.unwrap();
        add_channel(&mut tx, &vault, &application(&sim.base_url())).await.unwrap();
        notify::set_vendor(&mut tx, &vault, FIRST, vendor(sim)).await.unwrap();
        tx.commit().await.unwrap();
        if self.paying {
            crate::paying::contracts(&t.db, &vault, &sim.base_url()).await;
        }
        if self.invoicing {
            crate::paying::invoices(&t.db, &vault, &sim.base_url()).await;
        }
        let site = Site::build(&t.db, &first, today, self.days).await;
        if self.hospitals < 2 {
            return (site, None);
        }
        hospitals.add(SECOND, "other", &profile("橘井"), "Asia/Shanghai").await.unwrap();
        hospitals.add_host("other.localhost", SECOND).await.unwrap();
        hospitals.add_host("127.0.0.1", FIRST).await.unwrap();
        let mut tx = t.db.begin().await.unwrap();
        notify::set_vendor(&mut tx, &vault, SECOND, vendor(sim)).await.unwrap();
        tx.commit().await.unwrap();
        let other = Site::build(&t.db, &hospitals.get(SECOND).unwrap(), today, 2).await;
        (site, Some(other))
    }
}

/// WeChat and the SMS vendor, with one service account in safe mode.
async fn simulator(product: &str, clock: Clock) -> SimHandle {
    let mut account = SimAccount::service(APPID, SECRET, format!("{product}/wechat/main"));
    account.token = TOKEN.into();
    account.encoding_aes_key = AES_KEY.into();
    let mut config = SimConfig::new(product, clock);
    config.accounts.push(account);
    config.corps.push(SimCorp {
        corpid: CORP.into(),
        agentid: AGENT,
        secret: SECRET.into(),
        name: "杏林医院".into(),
        domains: vec!["127.0.0.1".into(), "other.localhost".into()],
        ip_allow: Vec::new(),
        members: Vec::new(),
    });
    config.seed = Some(7);
    // What WeChat waits between two attempts need not be waited for here.
    config.push_gap = std::time::Duration::from_millis(20);
    config.sms.templates = notify::sms_templates();
    Sim::start(config).await.unwrap()
}

/// The contract with the SMS vendor.
fn vendor(sim: &SimHandle) -> notify::NewVendor {
    notify::NewVendor {
        base_url: sim.base_url(),
        app_key: "sim-sms-key".into(),
        app_secret: Secret::new("sim-sms-secret"),
        sign: Text2::new("杏林医院", "Xinglin"),
    }
}

/// The same account as our side knows it.
fn channel(sim: &str) -> NewChannel {
    NewChannel {
        hospital: FIRST,
        name: "main".into(),
        kind: ChannelKind::Service,
        app_id: APPID.into(),
        original_id: "gh_5f0c1a2b3d4e".into(),
        secret: Secret::new(SECRET),
        token: Secret::new(TOKEN),
        aes_key: Some(Secret::new(AES_KEY)),
        aes_key_previous: None,
        mode: CallbackMode::Safe,
        format: CallbackFormat::Xml,
        hosts: Some(Hosts::all_at(sim)),
        js_sdk_url: Some(format!("{sim}/open/js/jweixin.js")),
        verify_files: BTreeMap::from([(VERIFY_FILE.0.to_owned(), VERIFY_FILE.1.to_owned())]),
    }
}

/// The application in WeCom.
fn application(sim: &str) -> NewChannel {
    NewChannel {
        name: "staff".into(),
        kind: ChannelKind::Wecom,
        app_id: CORP.into(),
        original_id: AGENT.to_string(),
        mode: CallbackMode::Wecom,
        js_sdk_url: None,
        verify_files: BTreeMap::new(),
        ..channel(sim)
    }
}

fn config(database: &DbConfig, folder: &Path, public_url: &str) -> Config {
    let mut config = Config::default();
    match database {
        DbConfig::Sqlite { path } => config.database.path = path.clone(),
        DbConfig::Postgres { url, .. } => config.database.url = url.clone(),
    }
    config.keys.file = folder.join("keys");
    public_url.clone_into(&mut config.server.public_url);
    // Each phone has an address of its own, which it says as a proxy in front would.
    config.server.trust_proxy = true;
    config
}
