//! A small hospital: two campuses, cardiology below internal medicine, paediatrics, three doctors, a handful of clinics.
//!
//! It is Monday, 23 November 2026, 08:00 ([`store::testing::MORNING`]). Chen has clinics today, tomorrow and in 14 days;
//! Li one on Wednesday that is released later; paediatrics a general one tomorrow.

use std::sync::Arc;

use base::{Date, Fen, HalfDay, HospitalId, Text2, UnixMs, WallTime};
use edge::hospital::Profile;
use edge::{Caller, Hospital, Hospitals};
use schedule::plan::{self, NewCampus, NewClinic, NewDepartment, NewDoctor, segments};
use schedule::stock::{self, Stock};
use schedule::{Board, CampusId, ClinicId, ClinicKind, DepartmentId, DoctorId, SlotId, Title};
use store::testing::TestDb;
use store::{Db, Migration, Sql, Tx, args};

pub const HOSPITAL: HospitalId = HospitalId(1);

pub fn migrations() -> Vec<Migration> {
    [edge::migrations(), schedule::migrations()].concat()
}

pub fn date(text: &str) -> Date {
    text.parse().unwrap()
}

pub fn wall(text: &str) -> WallTime {
    text.parse().unwrap()
}

pub fn text(zh: &str, en: &str) -> Text2 {
    Text2::new(zh, en)
}

pub struct World {
    pub t: TestDb,
    pub hospitals: Hospitals,
    pub main: CampusId,
    pub east: CampusId,
    pub internal: DepartmentId,
    pub cardiology: DepartmentId,
    pub paediatrics: DepartmentId,
    pub chen: DoctorId,
    pub li: DoctorId,
    pub wang: DoctorId,
    /// Chen, today 08:00–12:00 at the main campus, four places a segment.
    pub today: ClinicId,
    /// Chen, tomorrow afternoon at the east campus, two places a segment.
    pub tomorrow: ClinicId,
    /// Chen, in 14 days: released an hour ago.
    pub far: ClinicId,
    /// Li, on Wednesday, released today at 12:00.
    pub later: ClinicId,
    /// Paediatrics, tomorrow, no named doctor.
    pub general: ClinicId,
}

pub fn campus(code: &str, zh: &str, en: &str, position: u32) -> NewCampus {
    let address = text(&format!("{zh}地址"), &format!("{en} Street 1"));
    NewCampus { code: code.into(), name: text(zh, en), address, position }
}

pub fn department(code: &str, zh: &str, en: &str, initials: &str, pinyin: &str) -> NewDepartment {
    NewDepartment {
        code: code.into(),
        parent: None,
        name: text(zh, en),
        intro: text(&format!("{zh}介绍"), &format!("About {en}")),
        initials: initials.into(),
        pinyin: pinyin.into(),
        child_only: false,
        adult_only: false,
        position: 0,
    }
}

pub fn doctor(
    code: &str,
    zh: &str,
    en: &str,
    initials: &str,
    title: Title,
    of: &[DepartmentId],
) -> NewDoctor {
    NewDoctor {
        code: code.into(),
        name: text(zh, en),
        initials: initials.into(),
        pinyin: en.to_lowercase().replace(' ', ""),
        title,
        specialities: text("冠心病、高血压", "Coronary disease, hypertension"),
        introduction: text("从医二十年。", "Twenty years in practice."),
        photo_url: None,
        departments: of.to_vec(),
        position: 0,
    }
}

pub fn clinic(
    department: DepartmentId,
    doctor: Option<DoctorId>,
    campus: CampusId,
    on: &str,
    hours: (&str, &str),
    places: u32,
) -> NewClinic {
    let half_day = if wall(hours.0) < wall("12:00") { HalfDay::Am } else { HalfDay::Pm };
    NewClinic {
        department,
        doctor,
        campus,
        date: date(on),
        half_day,
        kind: if doctor.is_some() { ClinicKind::Specialist } else { ClinicKind::General },
        online: false,
        fee: Fen(1400),
        room: Some(text("三诊室", "Room 3")),
        slots: NewClinic::slots(&segments(wall(hours.0), wall(hours.1), 30).unwrap(), places),
        opens_at: None,
        closes_at: None,
    }
}

impl World {
    pub async fn new(t: TestDb) -> Self {
        let hospitals = Hospitals::load(&t.db).await.unwrap();
        let profile = Profile {
            name: text("杏林医院", "Xinglin Hospital"),
            short_name: text("杏林", "Xinglin"),
            phone: "021-12345678".into(),
            address: text("上海市", "Shanghai"),
            notice: None,
        };
        hospitals.add(HOSPITAL, "xl", &profile, "Asia/Shanghai").await.unwrap();
        let hospital = hospitals.get(HOSPITAL).unwrap();
        let mut tx = t.db.begin().await.unwrap();
        let q = &mut tx;
        let main = plan::add_campus(q, HOSPITAL, &campus("MAIN", "本部", "Main", 0)).await.unwrap();
        let east = plan::add_campus(q, HOSPITAL, &campus("EAST", "东院", "East", 1)).await.unwrap();
        let new = department("NK", "内科", "Internal Medicine", "nk", "neike");
        let internal = plan::add_department(q, HOSPITAL, &new).await.unwrap();
        let new = department("XN", "心血管内科", "Cardiology", "xxgnk", "xinxueguanneike");
        let cardiology =
            plan::add_department(q, HOSPITAL, &NewDepartment { parent: Some(internal), ..new }).await;
        let cardiology = cardiology.unwrap();
        let new = department("EK", "儿科", "Paediatrics", "ek", "erke");
        let new = NewDepartment { child_only: true, position: 1, ..new };
        let paediatrics = plan::add_department(q, HOSPITAL, &new).await.unwrap();
        let new = doctor("D1", "陈维", "Chen Wei", "cw", Title::Chief, &[cardiology]);
        let chen = plan::add_doctor(q, HOSPITAL, &new).await.unwrap();
        let new = doctor("D2", "李静", "Li Jing", "lj", Title::Attending, &[cardiology, paediatrics]);
        let li = plan::add_doctor(q, HOSPITAL, &new).await.unwrap();
        let new = doctor("D3", "王小明", "Wang Xiaoming", "wxm", Title::Resident, &[paediatrics]);
        let wang = plan::add_doctor(q, HOSPITAL, &new).await.unwrap();
        let new = clinic(cardiology, Some(chen), main, "2026-11-23", ("08:00", "12:00"), 4);
        let today = plan::add_clinic(q, &hospital, &new).await.unwrap();
        let new = clinic(cardiology, Some(chen), east, "2026-11-24", ("13:30", "15:30"), 2);
        let tomorrow = plan::add_clinic(q, &hospital, &new).await.unwrap();
        let new = clinic(cardiology, Some(chen), main, "2026-12-07", ("08:00", "09:00"), 1);
        let far = plan::add_clinic(q, &hospital, &new).await.unwrap();
        let new = clinic(cardiology, Some(li), main, "2026-11-25", ("08:00", "10:00"), 3);
        let noon = hospital.zone.at(date("2026-11-23"), wall("12:00"));
        let later = plan::add_clinic(q, &hospital, &NewClinic { opens_at: Some(noon), ..new }).await.unwrap();
        let new = clinic(paediatrics, None, main, "2026-11-24", ("08:00", "09:00"), 5);
        let general = plan::add_clinic(q, &hospital, &new).await.unwrap();
        tx.commit().await.unwrap();
        Self {
            t,
            hospitals,
            main,
            east,
            internal,
            cardiology,
            paediatrics,
            chen,
            li,
            wang,
            today,
            tomorrow,
            far,
            later,
            general,
        }
    }

    pub fn hospital(&self) -> Arc<Hospital> {
        self.hospitals.get(HOSPITAL).unwrap()
    }

    pub fn caller(&self) -> Caller {
        Caller::system(self.hospital())
    }

    pub async fn board(&self) -> Board {
        Board::load(&self.t.db, &self.hospitals).await.unwrap()
    }

    /// A clinic's slots in order of time.
    pub async fn slots(&self, clinic: ClinicId) -> Vec<SlotId> {
        slots_of(&self.t.db, clinic).await
    }

    /// Sets the clock to a time of the hospital.
    pub fn clock_at(&self, on: &str, at: &str) {
        assert!(self.t.clock.set(self.instant(on, at)));
    }

    pub fn instant(&self, on: &str, at: &str) -> UnixMs {
        self.hospital().zone.at(date(on), wall(at))
    }
}

pub async fn slots_of(db: &Db, clinic: ClinicId) -> Vec<SlotId> {
    const SLOTS: &str = "SELECT id FROM slot WHERE hospital_id = $1 AND clinic_id = $2 ORDER BY position";
    let sql = Sql { name: "SLOTS", sqlite: SLOTS, postgres: SLOTS };
    let rows = db.all::<store::value::One<SlotId>>(sql, args![HOSPITAL, clinic]).await.unwrap();
    rows.into_iter().map(|one| one.0).collect()
}

/// Takes one place as the booking desk does: lock, decide, take, tell the board. `None` when there is none.
pub async fn book(db: &Db, board: Option<&Board>, slot: SlotId) -> Option<i64> {
    let mut tx = db.begin().await.unwrap();
    let stock: Stock = stock::lock(&mut tx, HOSPITAL, &[slot]).await.unwrap().remove(0);
    if !stock.hours().admit(stock.start_at, tx.now()) || stock.remaining() < 1 {
        tx.rollback().await.unwrap();
        return None;
    }
    take(&mut tx, slot).await;
    stock::touch(&mut tx, &stock);
    if let Some(board) = board.cloned() {
        tx.after_commit(move || board.changed(HOSPITAL, slot, stock.taken + 1));
    }
    tx.commit().await.unwrap();
    Some(stock.last_number + 1)
}

async fn take(tx: &mut Tx, slot: SlotId) {
    assert_eq!(stock::take(tx, HOSPITAL, &[(slot, 1)]).await.unwrap(), 1);
}
