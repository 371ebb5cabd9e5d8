//! The hospital of the day: who works there and who its patients are is written down before the program starts; rooms, lines, seats
//! and appointments are made through the API, as staff and patients make them.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use base::{Clock, Date, Fen, HalfDay, Text2, UnixMs, WallTime};
use edge::session::{CookieStyle, NewSession, Sessions};
use edge::{Actor, Hospital, Hospitals, Profile, Role, StaffId, csrf};
use hyper::header::HeaderValue;
use people::channel::add_channel;
use people::documents::Document;
use people::names::RealName;
use people::patients::{self, NewPatient};
use people::{ChannelAccountId, DocumentKind, Relation, Sex, wechat_user};
use schedule::plan::{self, NewCampus, NewClinic, NewDepartment, NewDoctor, NewSlot, segments};
use schedule::{CampusId, ClinicId, ClinicKind, DepartmentId, DoctorId, SlotId, Title};
use server::Config;
use store::value::One;
use store::{Db, Sql, Tx, Vault, args};
use tokio::task::JoinSet;

use super::plan::{DEPARTMENTS, Day, Doctor};
use crate::load::Phone;
pub(super) use crate::rush::prepare::HOSPITAL;
use crate::rush::prepare::channel;
use crate::signed::Signed;

/// So many people are made in one transaction.
const AT_ONCE: usize = 500;
const SLOTS_TEXT: &str = "SELECT id FROM slot WHERE hospital_id = $1 AND clinic_id = $2 ORDER BY position";
const SLOTS: Sql = Sql { name: "SLOTS", sqlite: SLOTS_TEXT, postgres: SLOTS_TEXT };

/// What is there before the program starts.
pub(super) struct Made {
    pub(super) config: Config,
    pub(super) campus: String,
    /// Of each department.
    pub(super) departments: Vec<String>,
    pub(super) doctors: Vec<MadeDoctor>,
    /// Whoever has booked, by the number of the patient.
    pub(super) phones: BTreeMap<usize, Phone>,
    /// The office.
    pub(super) office: Signed,
}

/// A doctor as the program knows them.
pub(super) struct MadeDoctor {
    pub(super) id: String,
    pub(super) signed: Signed,
    /// The slots of each sitting on the day with appointments, as many as have places.
    pub(super) slots: [Vec<Option<String>>; 2],
}

/// Writes it all down; it is `clock` there.
pub(super) async fn hospital(folder: &Path, day: &Day, date: Date, clock: Clock) -> Result<Made> {
    let mut config = Config::default();
    config.keys.file = folder.join("keys");
    config.database.path = folder.join("day.db");
    server::app::migrate(&config, clock.clone()).await?;
    let db = Db::open(&config.database.store(), clock).await?;
    let vault = Vault::open(&config.keys.file, true)?;
    let hospitals = Hospitals::load(&db).await?;
    let profile = Profile {
        name: Text2::new("测速医院", "Bench Hospital"),
        short_name: Text2::new("测速医院", "Bench"),
        phone: "021-00000000".into(),
        address: Text2::new("杏林路 1 号", "1 Xinglin Road"),
        notice: None,
    };
    hospitals.add(HOSPITAL, "bench", &profile, "Asia/Shanghai").await?;
    let hospital = hospitals.get(HOSPITAL).context("the hospital was not made")?;
    let mut tx = db.begin().await?;
    let campus = NewCampus {
        code: "main".into(),
        name: Text2::new("本部", "Main campus"),
        address: Text2::new("杏林路 1 号", "1 Xinglin Road"),
        position: 0,
    };
    let campus = plan::add_campus(&mut tx, HOSPITAL, &campus).await?;
    let mut departments = Vec::new();
    for (position, one) in (0..).zip(&DEPARTMENTS) {
        let new = NewDepartment {
            code: one.code.into(),
            parent: None,
            name: Text2::new(one.zh, one.en),
            intro: Text2::default(),
            initials: "ks".into(),
            pinyin: "keshi".into(),
            child_only: false,
            adult_only: false,
            position,
        };
        departments.push(plan::add_department(&mut tx, HOSPITAL, &new).await?);
    }
    tx.commit().await?;
    let sessions = Sessions::new(db.clone());
    let mut doctors = Vec::new();
    for (nth, doctor) in (0..).zip(&day.doctors) {
        let department = *departments.get(doctor.department).context("no such department")?;
        let mut tx = db.begin().await?;
        let id = add_doctor(&mut tx, nth, department).await?;
        let clinics = clinics(&mut tx, &hospital, doctor, id, department, campus, date).await?;
        tx.commit().await?;
        let mut slots = [Vec::new(), Vec::new()];
        for ((clinic, places), slots) in clinics.into_iter().zip(&doctor.places).zip(&mut slots) {
            let Some(clinic) = clinic else { continue };
            let there: Vec<One<SlotId>> = db.all(SLOTS, args![HOSPITAL, clinic]).await?;
            let mut there = there.into_iter().map(|one| one.0.to_string());
            *slots = places.iter().map(|n| if *n > 0 { there.next() } else { None }).collect();
        }
        let signed = staff(&sessions, &[Role::Doctor, Role::Nurse]).await?;
        doctors.push(MadeDoctor { id: id.to_string(), signed, slots });
    }
    let phones = people(&db, &vault, &sessions, day).await?;
    let office = staff(&sessions, &[Role::Operations]).await?;
    db.close().await;
    Ok(Made {
        config,
        campus: campus.to_string(),
        departments: departments.iter().map(ToString::to_string).collect(),
        doctors,
        phones,
        office,
    })
}

async fn add_doctor(tx: &mut Tx, nth: u32, department: DepartmentId) -> Result<DoctorId> {
    let doctor = NewDoctor {
        code: format!("D{nth:04}"),
        name: Text2::new(format!("李{nth}"), format!("Li {nth}")),
        initials: "l".into(),
        pinyin: "li".into(),
        title: Title::Attending,
        specialities: Text2::default(),
        introduction: Text2::default(),
        photo_url: None,
        departments: vec![department],
        position: nth,
    };
    Ok(plan::add_doctor(tx, HOSPITAL, &doctor).await?)
}

async fn clinics(
    tx: &mut Tx,
    hospital: &Hospital,
    doctor: &Doctor,
    id: DoctorId,
    department: DepartmentId,
    campus: CampusId,
    date: Date,
) -> Result<[Option<ClinicId>; 2]> {
    let wall = |text: &str| text.parse::<WallTime>().map_err(|e| anyhow::anyhow!("{text}: {e}"));
    let mut made = [None, None];
    for (sitting, (half_day, from, to)) in
        [(HalfDay::Am, "08:00", "11:30"), (HalfDay::Pm, "13:30", "17:00")].into_iter().enumerate()
    {
        let places = doctor.places.get(sitting).context("no such sitting")?;
        let slots: Vec<NewSlot> = segments(wall(from)?, wall(to)?, 30)?
            .into_iter()
            .zip(places)
            .filter(|(_, capacity)| **capacity > 0)
            .map(|(segment, capacity)| NewSlot { segment, capacity: *capacity })
            .collect();
        if slots.is_empty() {
            continue;
        }
        let new = NewClinic {
            department,
            doctor: Some(id),
            campus,
            date,
            half_day,
            kind: ClinicKind::Specialist,
            online: false,
            fee: Fen(1_400),
            room: None,
            slots,
            opens_at: None,
            closes_at: None,
        };
        if let Some(made) = made.get_mut(sitting) {
            *made = Some(plan::add_clinic(tx, hospital, &new).await?);
        }
    }
    Ok(made)
}

/// Whoever books: an account with one person. They came from a subscription account: nothing is sent to them.
async fn people(db: &Db, vault: &Vault, sessions: &Sessions, day: &Day) -> Result<BTreeMap<usize, Phone>> {
    let mut tx = db.begin().await?;
    let channel = add_channel(&mut tx, vault, &channel()).await?;
    tx.commit().await?;
    let all: Vec<usize> =
        day.patients.iter().enumerate().filter(|(_, p)| p.segment.is_some()).map(|(nth, _)| nth).collect();
    let mut phones = BTreeMap::new();
    for part in all.chunks(AT_ONCE) {
        let mut made = Vec::new();
        let mut tx = db.begin().await?;
        for nth in part {
            let elder = day.patients.get(*nth).is_some_and(|p| p.elder);
            made.push((*nth, person(&mut tx, vault, channel, *nth, elder).await?));
        }
        tx.commit().await?;
        // Side by side: sessions that are opened at the same time share a commit.
        let mut opening: JoinSet<Result<(usize, Phone)>> = JoinSet::new();
        for (nth, (account, person)) in made {
            let sessions = sessions.clone();
            opening.spawn(async move {
                let signed = signed(&sessions, Actor::Account(account), "wechat").await?;
                Ok((nth, Phone { cookie: signed.cookie, csrf: signed.csrf, person }))
            });
        }
        while let Some(opened) = opening.join_next().await {
            let (nth, phone) = opened??;
            phones.insert(nth, phone);
        }
    }
    Ok(phones)
}

async fn person(
    tx: &mut Tx,
    vault: &Vault,
    channel: ChannelAccountId,
    nth: usize,
    elder: bool,
) -> Result<(edge::AccountId, String)> {
    let today = base::Zone::china().date(tx.now());
    let account = wechat_user::account_of_openid(tx, HOSPITAL, channel, &format!("o{nth:027}"), true).await?;
    let account = account.context("the account was not made")?;
    let document = Document::parse(DocumentKind::Passport, &format!("E{nth:08}"), Some("FRA"), today);
    let patient = NewPatient {
        name: RealName::parse("王伟").context("the name")?,
        document: Some(document.map_err(|fault| anyhow::anyhow!("{fault:?}"))?),
        birth: Some(if elder { Date::constant(1950, 5, 17) } else { Date::constant(1985, 5, 17) }),
        sex: Sex::Female,
        phone: None,
        verified: true,
    };
    let person = patients::add(tx, vault, HOSPITAL, &patient).await?;
    patients::bind(tx, HOSPITAL, account, person, Relation::Oneself).await?;
    Ok((account, person.to_string()))
}

async fn staff(sessions: &Sessions, roles: &[Role]) -> Result<Signed> {
    signed(sessions, Actor::Staff(StaffId::new(), roles.to_vec()), "password").await
}

async fn signed(sessions: &Sessions, actor: Actor, channel: &'static str) -> Result<Signed> {
    let new = NewSession {
        hospital: HOSPITAL,
        actor,
        channel,
        idle: Duration::from_secs(3 * 86_400),
        longest: Duration::from_secs(3 * 86_400),
        device: "bench".into(),
    };
    let token = sessions.open(new).await?;
    let session = sessions.find(&token).await?.context("the session was not opened")?;
    let cookie = format!("{}={token}", CookieStyle::of(false, "127.0.0.1").name());
    Ok(Signed {
        cookie: HeaderValue::from_str(&cookie)?,
        csrf: HeaderValue::from_str(&csrf::token(&session.token_hash))?,
    })
}

/// An instant of a day at the hospital.
pub(super) fn instant(date: Date, second: u32) -> UnixMs {
    let midnight = base::Zone::china().at(date, WallTime::default());
    midnight.plus(Duration::from_secs(u64::from(second)))
}

/// Whether every place that was planned is there.
pub(super) fn complete(made: &Made, day: &Day) -> Result<()> {
    let there: usize = made.doctors.iter().flat_map(|d| d.slots.iter().flatten()).flatten().count();
    let planned =
        day.doctors.iter().flat_map(|d| d.places.iter().flatten()).filter(|places| **places > 0).count();
    ensure!(there == planned, "{there} of {planned} segments were made");
    Ok(())
}
