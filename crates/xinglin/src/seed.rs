//! The demonstration hospital: two campuses, three groups of departments, sixty doctors, clinics from today to the horizon,
//! and patients whom the hospital knows already. Everything is invented and made by a fixed recipe, so that two demonstrations look alike.
//! Run twice it changes nothing.

pub(crate) use patients::patient;

mod lines;
mod patients;
mod words;

use std::process::ExitCode;

use base::{Clock, Date, Fen, HalfDay, HospitalId, Text2, WallTime};
use edge::{Hospital, Profile};
use people::settings::CodeRules;
use schedule::plan::{NewCampus, NewClinic, NewDepartment, NewDoctor, segments};
use schedule::{CampusId, ClinicKind, DepartmentId, DoctorId, Title};
use server::{App, Config};
use store::Db;

/// The demonstration hospital's id.
pub(crate) const HOSPITAL: HospitalId = HospitalId(1);
/// How many days of clinics there are, today among them.
const DAYS: i64 = 15;

/// `xinglin seed`
pub(crate) async fn run(config: &Config) -> anyhow::Result<ExitCode> {
    crate::logs::start(&config.log)?;
    server::app::migrate(config, Clock::machine()).await?;
    let app = App::build(config.clone(), Clock::machine()).await?;
    fill(&app, 3_000).await?;
    crate::out("the demonstration hospital is there\n");
    Ok(ExitCode::SUCCESS)
}

/// Fills the database; gives the first of the doctors.
pub(crate) async fn fill(app: &App, patients: usize) -> anyhow::Result<Option<DoctorId>> {
    if app.hospitals.get(HOSPITAL).is_none() {
        let profile = Profile {
            name: Text2::new("杏林示范医院", "Xinglin Demonstration Hospital"),
            short_name: Text2::new("杏林医院", "Xinglin Hospital"),
            phone: "021-00000000".into(),
            address: Text2::new("杏林路 1 号", "1 Xinglin Road"),
            notice: Some(Text2::new(
                "本院为演示医院，所有医生与患者均为虚构。",
                "This is a demonstration: all doctors and patients are invented.",
            )),
        };
        app.hospitals.add(HOSPITAL, "xinglin", &profile, "Asia/Shanghai").await?;
        // All simulated phones come from this machine, as all of a hospital's Wi-Fi come from one address.
        let codes = CodeRules { shared_addresses: vec!["127.0.0.1".into()], ..CodeRules::default() };
        app.hospitals.set(HOSPITAL, CodeRules::SECTION, &codes, "demonstration").await?;
    }
    let hospital = app.hospitals.get(HOSPITAL).ok_or_else(|| anyhow::anyhow!("the hospital was not made"))?;
    let first = plan(&app.db, &hospital).await?;
    patients::fill(app, &hospital, patients).await?;
    app.board.refresh().await?;
    Ok(first)
}

/// A doctor and what is needed to plan clinics.
struct Sitting {
    doctor: DoctorId,
    department: DepartmentId,
    campus: CampusId,
    title: Title,
    number: usize,
}

async fn plan(db: &Db, hospital: &Hospital) -> anyhow::Result<Option<DoctorId>> {
    let mut tx = db.begin().await?;
    let mut campuses = Vec::new();
    for (position, (code, zh, en, address_zh, address_en)) in (0_u32..).zip([
        ("east", "东院区", "East campus", "杏林路 1 号", "1 Xinglin Road"),
        ("west", "西院区", "West campus", "橘井街 88 号", "88 Jujing Street"),
    ]) {
        let new = NewCampus {
            code: code.into(),
            name: Text2::new(zh, en),
            address: Text2::new(address_zh, address_en),
            position,
        };
        campuses.push(schedule::plan::add_campus(&mut tx, hospital.id, &new).await?);
    }
    let mut departments: Vec<(&str, DepartmentId)> = Vec::new();
    let mut sittings = Vec::new();
    for (position, d) in (0_u32..).zip(words::DEPARTMENTS) {
        let parent = d.parent.and_then(|p| departments.iter().find(|(zh, _)| *zh == p)).map(|(_, id)| *id);
        let new = NewDepartment {
            code: format!("{}-{}", d.code, d.initials),
            parent,
            name: Text2::new(d.zh, d.en),
            intro: Text2::new(d.intro_zh, d.intro_en),
            initials: d.initials.into(),
            pinyin: String::new(),
            child_only: d.child_only,
            adult_only: false,
            position,
        };
        let id = schedule::plan::add_department(&mut tx, hospital.id, &new).await?;
        departments.push((d.zh, id));
        for nth in 0..d.doctors {
            let number = sittings.len();
            let title = title(nth);
            let new = doctor(number, title, d, id);
            let doctor = schedule::plan::add_doctor(&mut tx, hospital.id, &new).await?;
            let campus = campuses
                .get(usize::from(number % 4 == 3))
                .copied()
                .ok_or_else(|| anyhow::anyhow!("no campus"))?;
            sittings.push(Sitting { doctor, department: id, campus, title, number });
        }
    }
    let main = campuses.first().copied().ok_or_else(|| anyhow::anyhow!("no campus"))?;
    lines::plan(&mut tx, hospital.id, &departments, &sittings, main).await?;
    tx.commit().await?;
    let today = hospital.zone.date(db.now());
    for offset in 0..DAYS {
        let date = today.checked_add(jiff::Span::new().days(offset))?;
        let mut tx = db.begin().await?;
        for sitting in &sittings {
            for clinic in clinics(sitting, date)? {
                schedule::plan::add_clinic(&mut tx, hospital, &clinic).await?;
            }
        }
        let main = campuses.first().copied().ok_or_else(|| anyhow::anyhow!("no campus"))?;
        for (at, (_, department)) in departments.iter().enumerate() {
            // Departments in which doctors sit also have a general clinic without a named doctor.
            if words::DEPARTMENTS.get(at).is_some_and(|d| d.doctors > 0) {
                for clinic in general(*department, main, date)? {
                    schedule::plan::add_clinic(&mut tx, hospital, &clinic).await?;
                }
            }
        }
        tx.commit().await?;
    }
    Ok(sittings.first().map(|sitting| sitting.doctor))
}

fn title(nth: usize) -> Title {
    match nth {
        0 => Title::Chief,
        1 | 2 => Title::AssociateChief,
        3 | 4 => Title::Attending,
        _ => Title::Resident,
    }
}

fn doctor(number: usize, title: Title, d: &words::Department, department: DepartmentId) -> NewDoctor {
    let name = name(number);
    let good_at = d.good_at.get(number % d.good_at.len().max(1)).copied().unwrap_or(("", ""));
    let years = 8 + (number * 7) % 25;
    NewDoctor {
        code: format!("D{:03}", number + 1),
        name: Text2::new(name.zh, format!("{} ", name.en).trim()),
        initials: name.initials,
        pinyin: name.pinyin,
        title,
        specialities: Text2::new(good_at.0, capitalised(good_at.1)),
        introduction: Text2::new(
            format!("从事{}临床工作 {years} 年，擅长{}。看诊耐心，重视长期随访。", d.zh, good_at.0),
            format!(
                "{years} years of practice in {}, with a particular interest in {}. Takes time to explain and follows patients for the long run.",
                d.en.to_lowercase(),
                good_at.1
            ),
        ),
        photo_url: None,
        departments: vec![department],
        position: u32::try_from(number).unwrap_or(0),
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// An invented name in characters and in pinyin.
pub(crate) struct Name {
    pub(crate) zh: String,
    pub(crate) en: String,
    pub(crate) initials: String,
    pub(crate) pinyin: String,
}

/// The `number`-th invented name. The steps share no factor with the tables' lengths, so that names repeat late.
pub(crate) fn name(number: usize) -> Name {
    let pick = |table: &'static [(&'static str, &'static str)], at: usize| {
        table.get(at % table.len()).copied().unwrap_or(("", ""))
    };
    let (family, family_en) = pick(words::SURNAMES, number * 5 + number / words::SURNAMES.len());
    let (first, first_en) = pick(words::GIVEN, number * 7 + number / 13);
    let (second, second_en) =
        if number.is_multiple_of(3) { ("", "") } else { pick(words::GIVEN, number * 11 + 5 + number / 40) };
    let given: String = capitalised(&format!("{first_en}{second_en}"));
    let initial = |text: &str| {
        text.chars()
            .next()
            .map(|c| c.to_lowercase().collect::<String>())
            .unwrap_or_default()
            .replace('ü', "v")
    };
    Name {
        zh: format!("{family}{first}{second}"),
        en: format!("{family_en} {given}"),
        initials: format!("{}{}{}", initial(family_en), initial(first_en), initial(second_en)),
        pinyin: format!("{family_en}{first_en}{second_en}").to_lowercase().replace('ü', "v"),
    }
}

fn wall(text: &str) -> anyhow::Result<WallTime> {
    text.parse().map_err(|e| anyhow::anyhow!("{text}: {e}"))
}

/// Doctors sit four half days a week, the chiefs once more in the premium clinic.
fn clinics(s: &Sitting, date: Date) -> anyhow::Result<Vec<NewClinic>> {
    let weekday = usize::from(date.weekday().to_monday_zero_offset().unsigned_abs());
    let mut found = Vec::new();
    let turn = (weekday * 2 + s.number) % 5;
    if weekday < 6 && turn < 3 {
        found.push(clinic(s, date, HalfDay::Am, kind(s.title))?);
    }
    if weekday < 5 && turn == 3 {
        found.push(clinic(s, date, HalfDay::Pm, kind(s.title))?);
    }
    if s.title == Title::Chief && weekday == s.number % 5 {
        found.push(clinic(s, date, HalfDay::Pm, ClinicKind::Special)?);
    }
    found.dedup_by_key(|c| c.half_day);
    Ok(found)
}

fn kind(title: Title) -> ClinicKind {
    if title <= Title::AssociateChief { ClinicKind::Specialist } else { ClinicKind::General }
}

fn clinic(s: &Sitting, date: Date, half_day: HalfDay, kind: ClinicKind) -> anyhow::Result<NewClinic> {
    let (from, to) = if half_day == HalfDay::Am { ("08:00", "11:30") } else { ("13:30", "16:30") };
    let (capacity, fee) = match kind {
        ClinicKind::Special => (1, 30_000),
        ClinicKind::Specialist => (2, if s.title == Title::Chief { 3_800 } else { 3_200 }),
        ClinicKind::General => (3, 2_200),
    };
    let room = 201 + s.number;
    Ok(NewClinic {
        department: s.department,
        doctor: Some(s.doctor),
        campus: s.campus,
        date,
        half_day,
        kind,
        online: false,
        fee: Fen(fee),
        room: Some(Text2::new(format!("{room} 诊室"), format!("Room {room}"))),
        slots: NewClinic::slots(&segments(wall(from)?, wall(to)?, 30)?, capacity),
        opens_at: None,
        closes_at: None,
    })
}

/// The general clinic of a department: every day, and in the evening on working days.
fn general(department: DepartmentId, campus: CampusId, date: Date) -> anyhow::Result<Vec<NewClinic>> {
    let weekday = date.weekday().to_monday_zero_offset();
    let mut halves = vec![(HalfDay::Am, "08:00", "11:30"), (HalfDay::Pm, "13:30", "17:00")];
    if weekday < 5 {
        halves.push((HalfDay::Night, "17:30", "20:30"));
    }
    halves
        .into_iter()
        .map(|(half_day, from, to)| {
            Ok(NewClinic {
                department,
                doctor: None,
                campus,
                date,
                half_day,
                kind: ClinicKind::General,
                online: false,
                fee: Fen(1_400),
                room: None,
                slots: NewClinic::slots(&segments(wall(from)?, wall(to)?, 30)?, 4),
                opens_at: None,
                closes_at: None,
            })
        })
        .collect()
}
