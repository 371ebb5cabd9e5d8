//! The small hospital that every story plays in: one campus, a department for everybody and one for children, four doctors,
//! each with a clinic every morning from the first day to the day after the horizon.

use base::{Date, Fen, HalfDay, Text2, WallTime};
use edge::{Hospital, Profile};
use schedule::plan::{self, NewCampus, NewClinic, NewDepartment, NewDoctor, segments};
use schedule::{CampusId, ClinicKind, DepartmentId, DoctorId, Title};
use store::Db;

/// How many days from today on there are clinics: the last one is not released yet when a story begins, at 08:00.
pub const DAYS: i64 = 16;
/// How many places a segment of half an hour has.
pub const PLACES: u32 = 3;

/// A doctor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doctor {
    /// Who.
    pub id: DoctorId,
    /// Where.
    pub department: DepartmentId,
}

/// What there is.
#[derive(Debug, Clone, Copy)]
pub struct Site {
    /// 本部
    pub campus: CampusId,
    /// 心血管内科, for everybody.
    pub cardiology: DepartmentId,
    /// 儿科, for children only.
    pub children: DepartmentId,
    /// 李明, chief in cardiology.
    pub dr_li: Doctor,
    /// 王芳, attending in cardiology.
    pub dr_wang: Doctor,
    /// 陈静, chief for children.
    pub dr_chen: Doctor,
    /// 周杰, resident for children.
    pub dr_zhou: Doctor,
}

/// What the hospital is called.
#[must_use]
pub fn profile(name: &str) -> Profile {
    Profile {
        name: Text2::new(format!("{name}医院"), "Xinglin Test Hospital"),
        short_name: Text2::new(format!("{name}医院"), "Xinglin"),
        phone: "021-55550100".into(),
        address: Text2::new("杏林路 1 号", "1 Xinglin Road"),
        notice: None,
    }
}

impl Site {
    /// Makes everything, with clinics from `today` on.
    pub(crate) async fn build(db: &Db, hospital: &Hospital, today: Date, days: i64) -> Self {
        let mut tx = db.begin().await.unwrap();
        let h = hospital.id;
        let campus = NewCampus {
            code: "main".into(),
            name: Text2::new("本部", "Main campus"),
            address: Text2::new("杏林路 1 号", "1 Xinglin Road"),
            position: 0,
        };
        let campus = plan::add_campus(&mut tx, h, &campus).await.unwrap();
        let mut departments = Vec::new();
        for (position, (code, zh, en, initials, child_only)) in (0..).zip([
            ("0304", "心血管内科", "Cardiology", "xxgnk", false),
            ("07", "儿科", "Paediatrics", "ek", true),
        ]) {
            let new = NewDepartment {
                code: code.into(),
                parent: None,
                name: Text2::new(zh, en),
                intro: Text2::default(),
                initials: initials.into(),
                pinyin: String::new(),
                child_only,
                adult_only: false,
                position,
            };
            departments.push(plan::add_department(&mut tx, h, &new).await.unwrap());
        }
        let [cardiology, children] = departments[..] else { panic!("two departments") };
        let mut doctors = Vec::new();
        for (position, (zh, en, initials, pinyin, title, department)) in (0..).zip([
            ("李明", "Li Ming", "lm", "liming", Title::Chief, cardiology),
            ("王芳", "Wang Fang", "wf", "wangfang", Title::Attending, cardiology),
            ("陈静", "Chen Jing", "cj", "chenjing", Title::Chief, children),
            ("周杰", "Zhou Jie", "zj", "zhoujie", Title::Resident, children),
        ]) {
            let new = NewDoctor {
                code: format!("D{position:02}"),
                name: Text2::new(zh, en),
                initials: initials.into(),
                pinyin: pinyin.into(),
                title,
                specialities: Text2::new("常见病", "Common conditions"),
                introduction: Text2::new("看诊耐心。", "Takes time to explain."),
                photo_url: None,
                departments: vec![department],
                position,
            };
            doctors.push(Doctor { id: plan::add_doctor(&mut tx, h, &new).await.unwrap(), department });
        }
        let [dr_li, dr_wang, dr_chen, dr_zhou] = doctors[..] else { panic!("four doctors") };
        let site = Self { campus, cardiology, children, dr_li, dr_wang, dr_chen, dr_zhou };
        for day in 0..days {
            let date = today.checked_add(jiff::Span::new().days(day)).unwrap();
            for doctor in [dr_li, dr_wang, dr_chen, dr_zhou] {
                plan::add_clinic(&mut tx, hospital, &site.clinic(&doctor, date)).await.unwrap();
            }
        }
        tx.commit().await.unwrap();
        site
    }

    /// A doctor's clinic of a morning, 08:00 to 11:00, as they all are. Change what a story needs otherwise and hand it to
    /// [`crate::Hospital::plans`].
    #[must_use]
    pub fn clinic(&self, doctor: &Doctor, date: Date) -> NewClinic {
        NewClinic {
            department: doctor.department,
            doctor: Some(doctor.id),
            campus: self.campus,
            date,
            half_day: HalfDay::Am,
            kind: ClinicKind::Specialist,
            online: false,
            fee: Fen(3_800),
            room: Some(Text2::new("305 诊室", "Room 305")),
            slots: sitting("08:00", "11:00", PLACES),
            opens_at: None,
            closes_at: None,
        }
    }
}

/// Segments of half an hour with so many places each.
///
/// # Panics
/// When these are no times.
#[must_use]
pub fn sitting(from: &str, to: &str, places: u32) -> Vec<plan::NewSlot> {
    let wall = |text: &str| text.parse::<WallTime>().expect("a time HH:MM");
    NewClinic::slots(&segments(wall(from), wall(to), 30).unwrap(), places)
}
