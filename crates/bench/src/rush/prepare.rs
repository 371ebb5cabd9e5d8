//! The hospital before release time: doctors, slots, and phones that have signed in.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use base::{Clock, Date, Fen, HalfDay, HospitalId, Secret, Text2, WallTime};
use edge::session::{CookieStyle, NewSession, Sessions};
use edge::{AccountId, Actor, Hospital, Hospitals, Profile, csrf};
use hyper::header::HeaderValue;
use people::channel::{CallbackFormat, CallbackMode, ChannelKind, Hosts, NewChannel, add_channel};
use people::documents::Document;
use people::names::RealName;
use people::patients::{self, NewPatient};
use people::{DocumentKind, PersonId, Relation, Sex, wechat_user};
use schedule::plan::{self, NewCampus, NewClinic, NewDepartment, NewDoctor, segments};
use schedule::{CampusId, ClinicId, ClinicKind, DepartmentId, SlotId, Title};
use server::Config;
use store::value::One;
use store::{Db, Sql, Vault, args};
use tokio::task::JoinSet;

use crate::load::Phone;
use crate::postgres::Postgres;

/// The hospital.
pub(crate) const HOSPITAL: HospitalId = HospitalId(1);
/// Doctors of the warm slots, each with a morning of eight segments.
const DOCTORS: u32 = 25;
/// So many accounts are made in one transaction.
const AT_ONCE: usize = 500;
/// So many sessions are opened at the same time.
const TOGETHER: usize = 64;
/// The clinics are on this day from today: released, and a while away.
const DAYS_AHEAD: i64 = 3;

const SLOTS_OF: &str = "SELECT id FROM slot WHERE hospital_id = $1 AND clinic_id = $2 ORDER BY position";
const WIDEN: &str = "UPDATE slot SET capacity = $2 WHERE hospital_id = $1";
const FILLED: &str = "SELECT string_agg(quote_ident(relname), ', ') FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0";

fn both(name: &'static str, text: &'static str) -> Sql {
    Sql { name, sqlite: text, postgres: text }
}

/// A prepared hospital, of which every round gets a copy.
pub(crate) struct Prepared {
    /// The phones.
    pub(crate) phones: Arc<[Phone]>,
    /// The one slot that all want.
    pub(crate) hot: Arc<[String]>,
    /// The slots that share the crowd.
    pub(crate) warm: Arc<[String]>,
    /// Settings of a server on the prepared database itself.
    pub(crate) config: Config,
}

/// The prepared database on PostgreSQL.
pub(crate) const TEMPLATE: &str = "prepared";

impl Prepared {
    /// Makes it: on `postgres`, or else in a file under `folder`.
    pub(crate) async fn make(folder: &Path, postgres: Option<&Postgres>, phones: u32) -> Result<Self> {
        let mut config = Config::default();
        let kind = if postgres.is_some() { "postgres" } else { "sqlite" };
        config.keys.file = folder.join(format!("{kind}-keys"));
        match postgres {
            Some(server) => {
                server.sql("postgres", &[&format!("CREATE DATABASE {TEMPLATE}")])?;
                config.database.url = Secret::new(server.url(TEMPLATE));
            }
            None => config.database.path = folder.join("prepared.db"),
        }
        server::app::migrate(&config, Clock::machine()).await?;
        let db = Db::open(&config.database.store(), Clock::machine()).await?;
        let vault = Vault::open(&config.keys.file, true)?;
        let hospital = hospital(&db).await?;
        let (hot, warm) = slots(&db, &hospital).await?;
        let mut tx = db.begin().await?;
        // More than a hospital may plan: this is about the desk, not about what is sensible.
        tx.exec(both("WIDEN", WIDEN), args![HOSPITAL, phones]).await?;
        tx.commit().await?;
        let accounts = accounts(&db, &vault, phones).await?;
        let phones = sessions(&db, accounts).await?;
        db.close().await;
        if let Some(server) = postgres {
            // As after the nightly vacuum. Not the empty tables: told that they are empty PostgreSQL plans for that, and keeps
            // reading them from end to end while the rush fills them. In a hospital they are full of yesterday.
            let filled = server.sql(TEMPLATE, &[FILLED])?;
            server.sql(TEMPLATE, &[&format!("VACUUM ANALYZE {filled}")])?;
        }
        Ok(Self { phones: phones.into(), hot: hot.into(), warm: warm.into(), config })
    }

    /// A copy for one round.
    pub(crate) async fn copy(&self, folder: &Path, postgres: Option<&Postgres>) -> Result<Config> {
        let mut config = self.config.clone();
        match postgres {
            Some(server) => {
                let make = format!("CREATE DATABASE {ROUND} TEMPLATE {TEMPLATE}");
                server.sql("postgres", &[&format!("DROP DATABASE IF EXISTS {ROUND} WITH (FORCE)"), &make])?;
                config.database.url = Secret::new(server.url(ROUND));
            }
            None => {
                config.database.path = folder.join("round.db");
                for (from, to) in parts(&self.config.database.path).zip(parts(&config.database.path)) {
                    if from.exists() {
                        std::fs::copy(&from, &to).with_context(|| from.display().to_string())?;
                    } else if to.exists() {
                        std::fs::remove_file(&to)?;
                    }
                }
            }
        }
        if let Some(server) = postgres {
            server.sql("postgres", &["CHECKPOINT"])?;
        }
        Ok(config)
    }

    /// Leaves each slot of a copy so many places.
    pub(super) async fn narrow(&self, config: &Config, places: u32) -> Result<()> {
        let db = Db::open(&config.database.store(), Clock::machine()).await?;
        let mut tx = db.begin().await?;
        tx.exec(both("WIDEN", WIDEN), args![HOSPITAL, places]).await?;
        tx.commit().await?;
        db.close().await;
        Ok(())
    }
}

const ROUND: &str = "round";

/// An SQLite file and its log.
fn parts(path: &Path) -> impl Iterator<Item = PathBuf> {
    ["", "-wal"].map(|end| PathBuf::from(format!("{}{end}", path.display()))).into_iter()
}

async fn hospital(db: &Db) -> Result<Arc<Hospital>> {
    let hospitals = Hospitals::load(db).await?;
    let profile = Profile {
        name: Text2::new("测速医院", "Bench Hospital"),
        short_name: Text2::new("测速医院", "Bench"),
        phone: "021-00000000".into(),
        address: Text2::new("杏林路 1 号", "1 Xinglin Road"),
        notice: None,
    };
    hospitals.add(HOSPITAL, "bench", &profile, "Asia/Shanghai").await?;
    hospitals.get(HOSPITAL).context("the hospital was not made")
}

/// The hot slot, and the warm ones.
async fn slots(db: &Db, hospital: &Hospital) -> Result<(Vec<String>, Vec<String>)> {
    let mut tx = db.begin().await?;
    let campus = NewCampus {
        code: "main".into(),
        name: Text2::new("本部", "Main campus"),
        address: Text2::new("杏林路 1 号", "1 Xinglin Road"),
        position: 0,
    };
    let campus = plan::add_campus(&mut tx, HOSPITAL, &campus).await?;
    let department = NewDepartment {
        code: "03".into(),
        parent: None,
        name: Text2::new("内科", "Internal medicine"),
        intro: Text2::default(),
        initials: "nk".into(),
        pinyin: "neike".into(),
        child_only: false,
        adult_only: false,
        position: 0,
    };
    let department = plan::add_department(&mut tx, HOSPITAL, &department).await?;
    let date = hospital.zone.date(db.now()).checked_add(jiff::Span::new().days(DAYS_AHEAD))?;
    let mut clinics: Vec<ClinicId> = Vec::new();
    for nth in 0..=DOCTORS {
        let until = if nth == 0 { "08:30" } else { "12:00" };
        let new = clinic(&mut tx, nth, department, campus, date, until).await?;
        clinics.push(plan::add_clinic(&mut tx, hospital, &new).await?);
    }
    tx.commit().await?;
    let mut found = Vec::new();
    for clinic in clinics {
        let of_clinic: Vec<One<SlotId>> = db.all(both("SLOTS_OF", SLOTS_OF), args![HOSPITAL, clinic]).await?;
        found.extend(of_clinic.into_iter().map(|one| one.0.to_string()));
    }
    let warm = found.split_off(1);
    Ok((found, warm))
}

async fn clinic(
    tx: &mut store::Tx,
    nth: u32,
    department: DepartmentId,
    campus: CampusId,
    date: Date,
    until: &str,
) -> Result<NewClinic> {
    let doctor = NewDoctor {
        code: format!("D{nth:02}"),
        name: Text2::new(format!("李{nth}"), format!("Li {nth}")),
        initials: "l".into(),
        pinyin: "li".into(),
        title: Title::Chief,
        specialities: Text2::default(),
        introduction: Text2::default(),
        photo_url: None,
        departments: vec![department],
        position: nth,
    };
    let wall = |text: &str| text.parse::<WallTime>().map_err(|e| anyhow::anyhow!("{text}: {e}"));
    Ok(NewClinic {
        department,
        doctor: Some(plan::add_doctor(tx, HOSPITAL, &doctor).await?),
        campus,
        date,
        half_day: HalfDay::Am,
        kind: ClinicKind::Specialist,
        online: false,
        fee: Fen(3_800),
        room: None,
        slots: NewClinic::slots(&segments(wall("08:00")?, wall(until)?, 30)?, 1),
        opens_at: None,
        closes_at: None,
    })
}

/// Accounts with one person each. They came from a subscription account that they do not follow: nothing can be sent to them.
async fn accounts(db: &Db, vault: &Vault, count: u32) -> Result<Vec<(AccountId, PersonId)>> {
    let mut tx = db.begin().await?;
    let channel = add_channel(&mut tx, vault, &channel()).await?;
    tx.commit().await?;
    let today = base::Zone::china().date(db.now());
    let mut made = Vec::new();
    let all: Vec<u32> = (0..count).collect();
    for part in all.chunks(AT_ONCE) {
        let mut tx = db.begin().await?;
        for nth in part {
            let openid = format!("o{nth:027}");
            let account = wechat_user::account_of_openid(&mut tx, HOSPITAL, channel, &openid, true).await?;
            let account = account.context("the account was not made")?;
            let person = patients::add(&mut tx, vault, HOSPITAL, &patient(*nth, today)?).await?;
            patients::bind(&mut tx, HOSPITAL, account, person, Relation::Oneself).await?;
            made.push((account, person));
        }
        tx.commit().await?;
    }
    Ok(made)
}

/// A WeChat account at which nobody listens.
pub(crate) fn channel() -> NewChannel {
    NewChannel {
        hospital: HOSPITAL,
        name: "bench".into(),
        kind: ChannelKind::Subscription,
        app_id: "wxbench0000000000".into(),
        original_id: "gh_bench0000000".into(),
        secret: Secret::new("of no use anywhere"),
        token: Secret::new("BenchToken"),
        aes_key: None,
        aes_key_previous: None,
        mode: CallbackMode::Plain,
        format: CallbackFormat::Xml,
        // Nobody listens there: nothing leaves this machine.
        hosts: Some(Hosts::all_at("http://127.0.0.1:9")),
        js_sdk_url: None,
        verify_files: std::collections::BTreeMap::new(),
    }
}

fn patient(nth: u32, today: Date) -> Result<NewPatient> {
    let document = Document::parse(DocumentKind::Passport, &format!("E{nth:08}"), Some("FRA"), today);
    Ok(NewPatient {
        name: RealName::parse("王伟").context("the name")?,
        document: Some(document.map_err(|fault| anyhow::anyhow!("{fault:?}"))?),
        birth: Some(Date::constant(1980, 5, 17)),
        sex: Sex::Female,
        phone: None,
        verified: true,
    })
}

async fn sessions(db: &Db, accounts: Vec<(AccountId, PersonId)>) -> Result<Vec<Phone>> {
    let sessions = Sessions::new(db.clone());
    let mut phones = Vec::with_capacity(accounts.len());
    for part in accounts.chunks(TOGETHER) {
        let mut opening = JoinSet::new();
        for (account, person) in part.iter().copied() {
            let sessions = sessions.clone();
            opening.spawn(async move { phone(&sessions, account, person).await });
        }
        while let Some(phone) = opening.join_next().await {
            phones.push(phone??);
        }
    }
    Ok(phones)
}

async fn phone(sessions: &Sessions, account: AccountId, person: PersonId) -> Result<Phone> {
    let new = NewSession {
        hospital: HOSPITAL,
        actor: Actor::Account(account),
        channel: "wechat",
        idle: Duration::from_secs(12 * 3600),
        longest: Duration::from_secs(24 * 3600),
        device: "bench".into(),
    };
    let token = sessions.open(new).await?;
    let session = sessions.find(&token).await?.context("the session was not opened")?;
    let cookie = format!("{}={token}", CookieStyle::of(false, "127.0.0.1").name());
    Ok(Phone {
        cookie: HeaderValue::from_str(&cookie)?,
        csrf: HeaderValue::from_str(&csrf::token(&session.token_hash))?,
        person: person.to_string(),
    })
}
