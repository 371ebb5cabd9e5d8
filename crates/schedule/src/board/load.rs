//! Reads a hospital's schedule into a picture.

use std::sync::atomic::AtomicU64;

use base::{Date, Text2};
use edge::Hospital;
use store::value::{FromRow, Row};
use store::{Db, Result, args};

use super::cell::Cell;
use super::picture::{Campus, Clinic, Department, Doctor, Parts, Picture, Slot};
use crate::model::Card;
use crate::quota;
use crate::rules::{Hours, ReleaseRules, days_after};
use crate::store as sql;

fn text2(row: &Row, zh: &str, en: &str) -> Result<Text2> {
    Ok(Text2 { zh: row.get(zh)?, en: row.get(en)? })
}

fn room(row: &Row) -> Result<Option<Text2>> {
    let (zh, en): (Option<String>, Option<String>) = (row.get("room_zh")?, row.get("room_en")?);
    Ok(zh.zip(en).map(|(zh, en)| Text2 { zh, en }))
}

impl FromRow for Campus {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            code: row.get("code")?,
            name: text2(row, "name_zh", "name_en")?,
            address: text2(row, "address_zh", "address_en")?,
            position: row.get("position")?,
        })
    }
}

impl FromRow for Department {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            code: row.get("code")?,
            parent: row.get("parent_id")?,
            name: text2(row, "name_zh", "name_en")?,
            intro: text2(row, "intro_zh", "intro_en")?,
            initials: row.get("initials")?,
            pinyin: row.get("pinyin")?,
            child_only: row.get("child_only")?,
            adult_only: row.get("adult_only")?,
            position: row.get("position")?,
            family: Vec::new(),
            clinics: Vec::new(),
            doctors: Vec::new(),
            revision: AtomicU64::new(0),
            doctors_answer: Cell::default(),
            clinics_answer: Cell::default(),
        })
    }
}

impl FromRow for Doctor {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            code: row.get("code")?,
            name: text2(row, "name_zh", "name_en")?,
            initials: row.get("initials")?,
            pinyin: row.get("pinyin")?,
            title: row.get("title_code")?,
            specialities: text2(row, "specialities_zh", "specialities_en")?,
            introduction: text2(row, "introduction_zh", "introduction_en")?,
            photo_url: row.get("photo_url")?,
            position: row.get("position")?,
            departments: Vec::new(),
            clinics: Vec::new(),
            revision: AtomicU64::new(0),
            page_answer: Cell::default(),
            clinics_answer: Cell::default(),
        })
    }
}

impl FromRow for Clinic {
    fn from_row(row: &Row) -> Result<Self> {
        let state: String = row.get("state")?;
        Ok(Self {
            id: row.get("id")?,
            doctor: row.get("doctor_id")?,
            department: row.get("department_id")?,
            campus: row.get("campus_id")?,
            date: row.get("date")?,
            half_day: row.get("half_day")?,
            kind: row.get("kind")?,
            online: row.get("online")?,
            fee: row.get("fee_fen")?,
            room: room(row)?,
            hours: Hours {
                opens_at: row.get("opens_at")?,
                closes_at: row.get("closes_at")?,
                stopped: state == "stopped",
            },
            slots: Vec::new(),
            division: None,
        })
    }
}

impl FromRow for Slot {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self::new(
            row.get("id")?,
            row.get("clinic_id")?,
            row.get("start_wall")?,
            row.get("end_wall")?,
            row.get("start_at")?,
            row.get("end_at")?,
            row.get("capacity")?,
            row.get("taken")?,
            row.get("stopped")?,
        ))
    }
}

impl FromRow for Card {
    fn from_row(row: &Row) -> Result<Self> {
        let doctor_name: Option<(String, String)> =
            row.get::<Option<String>>("doctor_zh")?.zip(row.get("doctor_en")?);
        let state: String = row.get("state")?;
        Ok(Self {
            slot: row.get("id")?,
            clinic: row.get("clinic_id")?,
            doctor: row.get("doctor_id")?,
            doctor_name: doctor_name.map(|(zh, en)| Text2 { zh, en }),
            title: row.get("title_code")?,
            department: row.get("department_id")?,
            department_name: text2(row, "department_zh", "department_en")?,
            campus: row.get("campus_id")?,
            campus_name: text2(row, "campus_zh", "campus_en")?,
            campus_address: text2(row, "address_zh", "address_en")?,
            room: room(row)?,
            kind: row.get("kind")?,
            online: row.get("online")?,
            date: row.get("date")?,
            half_day: row.get("half_day")?,
            start: row.get("start_wall")?,
            end: row.get("end_wall")?,
            start_at: row.get("start_at")?,
            end_at: row.get("end_at")?,
            fee: row.get("fee_fen")?,
            closes_at: row.get("closes_at")?,
            stopped: state == "stopped",
        })
    }
}

/// Reads a hospital's schedule as of `version`, which was read before: what changes meanwhile has a higher one, and the
/// picture is read again.
pub(super) async fn picture(db: &Db, hospital: &Hospital, version: i64, today: Date) -> Result<Picture> {
    let rules: ReleaseRules = hospital.settings(ReleaseRules::SECTION);
    let last = days_after(today, rules.longest_horizon());
    let id = hospital.id;
    let members = db.all::<Row>(sql::MEMBERS, args![id]).await?;
    let members = members
        .iter()
        .map(|row| Ok((row.get("doctor_id")?, row.get("department_id")?, row.get("position")?)))
        .collect::<Result<Vec<_>>>()?;
    Ok(Picture::new(Parts {
        version,
        zone: hospital.zone.clone(),
        today,
        campuses: db.all(sql::CAMPUSES, args![id]).await?,
        departments: db.all(sql::DEPARTMENTS, args![id]).await?,
        doctors: db.all(sql::DOCTORS, args![id]).await?,
        members,
        clinics: db.all(sql::CLINICS, args![id, today, last]).await?,
        slots: db.all(sql::SLOTS, args![id, today, last]).await?,
        lines: quota::keep::lines_between(db, id, today, last).await?,
        quota_rules: quota::keep::rules(db, id).await?,
        rules,
    }))
}
