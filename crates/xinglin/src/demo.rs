//! `xinglin demo`: the program and the simulator of the other side in one process, with a demonstration hospital.
//!
//! Everything is kept in one folder and found again at the next start. `demo.json` in it tells scripts where everything is.
//! The program knows nothing of being a demonstration: it is given the simulator's addresses as any installation is given
//! WeChat's.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use base::{Clock, Secret, Text2};
use people::channel::{CallbackFormat, CallbackMode, ChannelKind, Hosts, NewChannel, add_channel};
use serde_json::{Value, json};
use server::config::LogFormat;
use server::{App, Config};
use sim::{Sim, SimAccount, SimConfig, SimCorp, SimHandle, SmsConfig};
use store::Db;
use tokio_util::sync::CancellationToken;

use crate::seed::{self, HOSPITAL};

mod life;
mod paying;
mod staff;
use crate::{logs, serve};

// Invented, and of no use anywhere but on this machine.
const APP_ID: &str = "wx7d6c5b4a39281706";
const APP_SECRET: &str = "demo0secret0of0the0simulated0wx00";
const TOKEN: &str = "XinglinDemoToken";
const AES_KEY: &str = "demoAESKey7kQ2mWz9XbR4cVt1YpLs8NfGh3JdAe6Uo";
const ORIGINAL_ID: &str = "gh_7d6c5b4a3928";
const SMS_KEY: &str = "demo-sms";
const SMS_SECRET: &str = "demo-sms-secret";

const CORP_ID: &str = "ww5c4b3a2918070695";
const CORP_SECRET: &str = "demo0secret0of0the0simulated0corporation000";
const CORP_AGENT: u32 = 1_000_002;

/// How the demonstration is started.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Where its data is kept.
    #[arg(long, default_value = "target/demo")]
    data: PathBuf,
    /// The program's port; 0 takes a free one.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// The simulator's port; 0 takes a free one.
    #[arg(long, default_value_t = 8090)]
    sim_port: u16,
    /// A PostgreSQL database instead of the embedded one.
    #[arg(long)]
    database_url: Option<String>,
    /// How many patients the hospital knows already.
    #[arg(long, default_value_t = 3_000)]
    patients: usize,
    /// Nobody comes and is called by themselves: the lines stand still.
    #[arg(long)]
    still: bool,
}

/// Starts everything and waits until it is told to stop.
pub(crate) async fn run(options: Options) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let say = |what: &str| crate::out(&format!("[{:5.1} s] {what}\n", started.elapsed().as_secs_f64()));
    std::fs::create_dir_all(&options.data).with_context(|| options.data.display().to_string())?;
    let listener = server::http::listen(SocketAddr::from(([127, 0, 0, 1], options.port)))
        .with_context(|| format!("port {} is taken; choose another with --port", options.port))?;
    let port = listener.local_addr()?.port();
    let public_url = format!("http://localhost:{port}");
    // Runs like the machine's, but the simulator's page can move it on: the reminder of the day before, say.
    let clock = Clock::starting_at(Clock::machine().now());
    let sim = simulator(&options, &public_url, port, clock.clone()).await?;
    let sim_port = sim.addr.port();
    let config = config(&options, port, sim_port);
    logs::start(&config.log)?;
    say("the simulated WeChat is up");
    server::app::migrate(&config, clock.clone()).await?;
    say("the database is up to date");
    prepare(&config, sim_port, clock.clone()).await?;
    let app = App::build(config, clock).await?;
    say("making the demonstration hospital: departments, doctors, clinics, patients");
    let doctor = seed::fill(&app, options.patients).await?;
    staff::fill(&app, doctor).await?;
    paying::settings(&app.hospitals).await?;
    let channels = app.channels.clone();
    let stop = CancellationToken::new();
    let life = life::parts(&app).filter(|_| !options.still);
    let running = app.run(listener, stop.clone());
    if let Some((lines, caller)) = life {
        tokio::spawn(life::run(lines, caller, stop.clone()));
    }
    let phones = phones(sim_port).await?;
    if let Some(channel) = channels.service(HOSPITAL)
        && let Err(error) = server::entrance::set_menu(&channel, &public_url).await
    {
        tracing::warn!(%error, "the menu could not be put up");
    }
    let description = describe(port, sim_port, &phones);
    let file = options.data.join("demo.json");
    std::fs::write(&file, format!("{:#}\n", description))?;
    say("ready");
    crate::out(&format!(
        "\n  phones    http://localhost:{sim_port}/        simulated phones: follow, chat, book\n  \
           patient   http://localhost:{port}/        the patient app in a plain browser\n  \
           console   http://localhost:{port}/console/  for staff: {login} / {password}, second factor in demo.json\n  \
           API       http://localhost:{port}/api/docs\n  \
           scripts   {}\n\nCtrl-C stops everything.\n",
        file.display(),
        login = staff::PEOPLE.first().map_or("", |one| one.login),
        password = staff::PASSWORD,
    ));
    serve::stopped().await;
    crate::out("stopping\n");
    stop.cancel();
    running.finished().await;
    sim.stop().await;
    Ok(ExitCode::SUCCESS)
}

fn config(options: &Options, port: u16, sim_port: u16) -> Config {
    let mut config = Config::default();
    config.server.listen = SocketAddr::from(([127, 0, 0, 1], port));
    config.server.public_url = format!("http://localhost:{port}");
    config.database.path = options.data.join("xinglin.db");
    config.database.url = Secret::new(options.database_url.clone().unwrap_or_default());
    config.keys.file = options.data.join("keys");
    config.log.format = LogFormat::Text;
    config.log.level = std::env::var("RUST_LOG").unwrap_or_else(|_| "warn".into());
    config.web.frame_ancestors = ["http://localhost", "http://*.localhost", "http://127.0.0.1"]
        .map(|host| format!("{host}:{sim_port}"))
        .to_vec();
    config
}

async fn simulator(
    options: &Options,
    public_url: &str,
    port: u16,
    clock: Clock,
) -> anyhow::Result<SimHandle> {
    let mut account = SimAccount::service(APP_ID, APP_SECRET, format!("http://127.0.0.1:{port}/wechat/demo"));
    account.token = TOKEN.into();
    account.encoding_aes_key = AES_KEY.into();
    account.gh_id = ORIGINAL_ID.into();
    let mut config = SimConfig::new(public_url, clock);
    config.bind = SocketAddr::from(([127, 0, 0, 1], options.sim_port));
    config.accounts = vec![account];
    config.corps = vec![SimCorp {
        corpid: CORP_ID.into(),
        agentid: CORP_AGENT,
        secret: CORP_SECRET.into(),
        name: "杏林示范医院".into(),
        // Browsers reach this machine by either name.
        domains: vec!["localhost".into(), "127.0.0.1".into()],
        ip_allow: Vec::new(),
        members: staff::PEOPLE.iter().map(staff::member).collect(),
    }];
    config.sms = SmsConfig {
        app_key: SMS_KEY.into(),
        app_secret: SMS_SECRET.into(),
        signs: Vec::new(),
        templates: notify::sms_templates(),
    };
    config.snapshot = Some(options.data.join("sim.json"));
    Sim::start(config)
        .await
        .with_context(|| format!("port {} is taken; choose another with --sim-port", options.sim_port))
}

/// Tells the program where "WeChat" and the SMS vendor are, as an administrator would.
async fn prepare(config: &Config, sim_port: u16, clock: Clock) -> anyhow::Result<()> {
    let db = Db::open(&config.database.store(), clock).await?;
    let vault = store::Vault::open(&config.keys.file, true)?;
    let base = format!("http://localhost:{sim_port}");
    let inside = format!("http://127.0.0.1:{sim_port}");
    let sim = inside.clone();
    let platforms = paying::Platforms::read(&sim).await?;
    let mut tx = db.begin().await?;
    let channel = NewChannel {
        hospital: HOSPITAL,
        name: "demo".into(),
        kind: ChannelKind::Service,
        app_id: APP_ID.into(),
        original_id: ORIGINAL_ID.into(),
        secret: Secret::new(APP_SECRET),
        token: Secret::new(TOKEN),
        aes_key: Some(Secret::new(AES_KEY)),
        aes_key_previous: None,
        mode: CallbackMode::Safe,
        format: CallbackFormat::Xml,
        hosts: Some(Hosts {
            api: inside.clone(),
            api_backup: None,
            open: base.clone(),
            mp: base.clone(),
            login: Some(base.clone()),
        }),
        js_sdk_url: Some(format!("{base}/open/js/jweixin.js")),
        verify_files: BTreeMap::new(),
    };
    add_channel(&mut tx, &vault, &channel).await?;
    let application = NewChannel {
        name: "demo-wecom".into(),
        kind: ChannelKind::Wecom,
        app_id: CORP_ID.into(),
        original_id: CORP_AGENT.to_string(),
        secret: Secret::new(CORP_SECRET),
        mode: CallbackMode::Wecom,
        js_sdk_url: None,
        ..channel
    };
    add_channel(&mut tx, &vault, &application).await?;
    let vendor = notify::NewVendor {
        base_url: inside,
        app_key: SMS_KEY.into(),
        app_secret: Secret::new(SMS_SECRET),
        sign: Text2::new("杏林医院", "Xinglin Hospital"),
    };
    notify::set_vendor(&mut tx, &vault, HOSPITAL, vendor).await?;
    paying::contracts(&mut tx, &vault, &sim, &platforms, APP_ID).await?;
    tx.commit().await?;
    db.close().await;
    Ok(())
}

/// Two phones to begin with, one in each language. They are there again after a restart.
async fn phones(sim_port: u16) -> anyhow::Result<Vec<Value>> {
    let address = format!("http://127.0.0.1:{sim_port}/sim/v1/phones");
    let http = reqwest::Client::builder().no_proxy().build()?;
    let read = async || -> anyhow::Result<Vec<Value>> {
        let answer: Value = http.get(&address).send().await?.error_for_status()?.json().await?;
        Ok(answer
            .get("items")
            .or_else(|| answer.get("phones"))
            .unwrap_or(&answer)
            .as_array()
            .cloned()
            .unwrap_or_default())
    };
    if read().await?.is_empty() {
        for (nth, lang) in [(0, "zh"), (1, "en")] {
            let patient = seed::patient(nth);
            let new = json!({"name": patient.name, "lang": lang, "phone_number": patient.phone});
            http.post(&address).json(&new).send().await?.error_for_status()?;
        }
    }
    read().await
}

fn describe(port: u16, sim_port: u16, phones: &[Value]) -> Value {
    let here = format!("http://127.0.0.1:{port}");
    let other = format!("http://127.0.0.1:{sim_port}");
    let patients: serde_json::Map<String, Value> = (0..10)
        .map(|nth| {
            let patient = seed::patient(nth);
            let phone =
                phones.iter().find(|p| p.get("phone_number").and_then(Value::as_str) == Some(&patient.phone));
            let phone_id = phone.and_then(|p| p.get("id").cloned());
            let sign_in = if phone_id.is_some() { "wechat or sms" } else { "sms" };
            let about = json!({
                "phone_number": patient.phone, "document": {"kind": "resident_id", "number": patient.number},
                "phone_id": phone_id, "sign_in": sign_in,
            });
            (patient.name, about)
        })
        .collect();
    json!({
        "urls": {
            "patient": format!("{here}/"),
            "console": format!("{here}/console/"),
            "phones": format!("{other}/"),
            "health": format!("{here}/healthz"),
            "ready": format!("{here}/readyz"),
            "metrics": format!("{here}/metrics"),
            "openapi": format!("{here}/api/v1/openapi.json"),
            "docs": format!("{here}/api/docs"),
            "hospital": format!("{here}/api/v1/hospital"),
            "sim": format!("{other}/sim/v1/state"),
        },
        "wechat": {
            "appid": APP_ID, "secret": APP_SECRET, "token": TOKEN, "encoding_aes_key": AES_KEY,
            "callback": format!("{here}/wechat/demo"), "api": other,
        },
        "sms": {"base_url": format!("{other}/sms/v1"), "app_key": SMS_KEY, "app_secret": SMS_SECRET},
        "patients": patients,
        "staff": staff::describe(),
    })
}
