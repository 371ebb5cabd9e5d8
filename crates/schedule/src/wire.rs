//! The answers of the public routes, as they stand on the wire.

use base::{Date, Fen, HalfDay, Text2, WallTime};
use edge::schema::Text2Schema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::{CampusId, ClinicId, ClinicKind, DepartmentId, DoctorId, SlotId};
use crate::rules::{ClinicState, DayState, SlotState};

/// A place that can be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NextFree {
    /// The clinic.
    #[schema(value_type = String)]
    pub clinic_id: ClinicId,
    /// The slot: what is sent to book it.
    #[schema(value_type = String)]
    pub slot_id: SlotId,
    /// Where.
    #[schema(value_type = String)]
    pub campus_id: CampusId,
    /// On which date.
    #[schema(value_type = String, format = Date)]
    pub date: Date,
    /// In which half of it.
    #[schema(value_type = String)]
    pub half_day: HalfDay,
    /// From when, by the hospital's clocks …
    #[schema(value_type = String)]
    pub start: WallTime,
    /// … until when.
    #[schema(value_type = String)]
    pub end: WallTime,
    /// What it costs.
    #[schema(value_type = i64)]
    pub fee_fen: Fen,
    /// The kind of clinic.
    pub kind: ClinicKind,
}

/// A place that can be had instead of another: at the same doctor, or in the same department.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NearFree {
    /// The place.
    #[serde(flatten)]
    pub free: NextFree,
    /// The doctor, if the clinic has a named one.
    #[schema(value_type = Option<String>)]
    pub doctor_id: Option<DoctorId>,
    /// The doctor's name.
    #[schema(value_type = Option<Text2Schema>)]
    pub doctor_name: Option<Text2>,
    /// The campus's name.
    #[schema(value_type = Text2Schema)]
    pub campus_name: Text2,
}

/// A day of a doctor or a department.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Day {
    /// The date.
    #[schema(value_type = String, format = Date)]
    pub date: Date,
    /// How many places can be had now.
    pub remaining: i64,
    /// How the day stands.
    pub state: DayState,
}

/// A doctor in a list.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DoctorSummary {
    /// The doctor.
    #[schema(value_type = String)]
    pub id: DoctorId,
    /// Name.
    #[schema(value_type = Text2Schema)]
    pub name: Text2,
    /// Pinyin initials of the name, lower case.
    pub initials: String,
    /// Title.
    #[schema(value_type = Text2Schema)]
    pub title: Text2,
    /// The title's code, 1 (chief) to 5.
    pub title_code: u8,
    /// The department: the one asked for, else the doctor's first.
    #[schema(value_type = String)]
    pub department_id: DepartmentId,
    /// Its name.
    #[schema(value_type = Text2Schema)]
    pub department_name: Text2,
    /// What the doctor is known for.
    #[schema(value_type = Text2Schema)]
    pub specialities: Text2,
    /// A photo, if there is one.
    pub photo_url: Option<String>,
    /// The first place that can be had.
    pub next_free: Option<NextFree>,
    /// How many places can be had now.
    pub remaining: i64,
    /// The days from today to the horizon.
    pub days: Vec<Day>,
}

/// `GET /doctors`
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DoctorList {
    /// The doctors: those with free places first, higher titles first.
    pub items: Vec<DoctorSummary>,
    /// The days from today to the horizon, over all doctors of the list.
    pub dates: Vec<Day>,
}

/// A campus by id and name.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CampusName {
    /// The campus.
    #[schema(value_type = String)]
    pub id: CampusId,
    /// Its name.
    #[schema(value_type = Text2Schema)]
    pub name: Text2,
}

/// A department by id and name.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DepartmentName {
    /// The department.
    #[schema(value_type = String)]
    pub id: DepartmentId,
    /// Its name.
    #[schema(value_type = Text2Schema)]
    pub name: Text2,
}

/// `GET /doctors/{id}`
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DoctorPage {
    /// What stands in lists.
    #[serde(flatten)]
    pub summary: DoctorSummary,
    /// The doctor's introduction.
    #[schema(value_type = Text2Schema)]
    pub introduction: Text2,
    /// Where the doctor has clinics in the coming days.
    pub campuses: Vec<CampusName>,
    /// All departments of the doctor.
    pub departments: Vec<DepartmentName>,
}

/// A time segment of a clinic.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SlotItem {
    /// The slot: what is sent to book it.
    #[schema(value_type = String)]
    pub id: SlotId,
    /// From when, by the hospital's clocks …
    #[schema(value_type = String)]
    pub start: WallTime,
    /// … until when.
    #[schema(value_type = String)]
    pub end: WallTime,
    /// How many places there are …
    pub capacity: i64,
    /// … and how many are left, as far as it is not too late; before the release: how many there will be.
    pub remaining: i64,
    /// Whether one can be had now.
    pub state: SlotState,
}

/// A clinic with its segments.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ClinicItem {
    /// The clinic.
    #[schema(value_type = String)]
    pub id: ClinicId,
    /// The doctor, if it has a named one.
    #[schema(value_type = Option<String>)]
    pub doctor_id: Option<DoctorId>,
    /// The department …
    #[schema(value_type = String)]
    pub department_id: DepartmentId,
    /// … and its name.
    #[schema(value_type = Text2Schema)]
    pub department_name: Text2,
    /// The campus …
    #[schema(value_type = String)]
    pub campus_id: CampusId,
    /// … and its name.
    #[schema(value_type = Text2Schema)]
    pub campus_name: Text2,
    /// The date.
    #[schema(value_type = String, format = Date)]
    pub date: Date,
    /// `am`, `pm` or `night`.
    #[schema(value_type = String)]
    pub half_day: HalfDay,
    /// The kind of clinic.
    pub kind: ClinicKind,
    /// Whether it is held over the network.
    pub online: bool,
    /// What a place costs.
    #[schema(value_type = i64)]
    pub fee_fen: Fen,
    /// The consulting room, when it is known.
    #[schema(value_type = Option<Text2Schema>)]
    pub room: Option<Text2>,
    /// Whether places can be had now.
    pub state: ClinicState,
    /// From when places can be had.
    pub opens_at: String,
    /// Until when.
    pub closes_at: String,
    /// How many places are left in all segments that are not over.
    pub remaining: i64,
    /// Its segments, in order.
    pub slots: Vec<SlotItem>,
}

/// `GET /doctors/{id}/clinics`, `GET /departments/{id}/clinics` and the live topic of a doctor.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ClinicList {
    /// The clinics by date, half day and campus.
    pub items: Vec<ClinicItem>,
}

/// A department.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DepartmentItem {
    /// The department …
    #[schema(value_type = String)]
    pub id: DepartmentId,
    /// … and the one above it; none on the first level.
    #[schema(value_type = Option<String>)]
    pub parent_id: Option<DepartmentId>,
    /// Its name.
    #[schema(value_type = Text2Schema)]
    pub name: Text2,
    /// What it treats.
    #[schema(value_type = Text2Schema)]
    pub intro: Text2,
    /// Pinyin initials of the name, lower case.
    pub initials: String,
    /// Only for children: below the age that the hospital sets, 18 as a rule.
    pub child_only: bool,
    /// Only for those who are no children any more.
    pub adult_only: bool,
    /// How many doctors it and the departments below it have.
    pub doctor_count: usize,
    /// How many places can be had now, up to the horizon.
    pub remaining: i64,
    /// The first date with a place.
    #[schema(value_type = Option<String>, format = Date)]
    pub next_date: Option<Date>,
}

/// `GET /departments`
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DepartmentList {
    /// All departments: each of the first level followed by those below it.
    pub items: Vec<DepartmentItem>,
}

/// `GET /search`
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Found {
    /// Departments, the best match first.
    pub departments: Vec<DepartmentItem>,
    /// Doctors, the best match first.
    pub doctors: Vec<DoctorSummary>,
}

/// How the numbers of a kind of clinic, or of a doctor, are divided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DivisionWords {
    /// The kind of clinic.
    pub kind: ClinicKind,
    /// Its name.
    #[schema(value_type = Text2Schema)]
    pub kind_name: Text2,
    /// The doctor, where it is otherwise than for the others.
    #[schema(value_type = Option<String>)]
    pub doctor_id: Option<DoctorId>,
    /// The doctor's name.
    #[schema(value_type = Option<Text2Schema>)]
    pub doctor_name: Option<Text2>,
    /// When numbers are released, a sentence.
    #[schema(value_type = Text2Schema)]
    pub release: Text2,
    /// Who gets how many and what flows back, a sentence each; none when everybody has all.
    #[schema(value_type = Vec<Text2Schema>)]
    pub division: Vec<Text2>,
}

/// `GET /departments/{id}/rules`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DepartmentRules {
    /// The department.
    #[schema(value_type = String)]
    pub department_id: DepartmentId,
    /// Its name.
    #[schema(value_type = Text2Schema)]
    pub department_name: Text2,
    /// By kind of clinic, then doctors for whom it is otherwise.
    pub clinics: Vec<DivisionWords>,
    /// How many numbers a person may have, and until when one can be given up.
    #[schema(value_type = Vec<Text2Schema>)]
    pub limits: Vec<Text2>,
}

/// A campus.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CampusItem {
    /// The campus.
    #[schema(value_type = String)]
    pub id: CampusId,
    /// Its name.
    #[schema(value_type = Text2Schema)]
    pub name: Text2,
    /// Where it is.
    #[schema(value_type = Text2Schema)]
    pub address: Text2,
}

/// How booking works here; what a patient should know before.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BookingFacts {
    /// How many days ahead places are released …
    pub horizon_days: u16,
    /// … and at which time of the day.
    #[schema(value_type = String)]
    pub release_time: WallTime,
    /// What the booking desk adds.
    #[serde(flatten)]
    pub limits: Limits,
}

/// The booking desk's limits, as far as patients are told. Filled in by who runs the desk.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Limits {
    /// Until which time of the day before an appointment can be cancelled.
    #[schema(value_type = String)]
    pub cancel_until: WallTime,
    /// How long an unpaid place is held.
    pub hold_minutes: u32,
    /// Appointments of a person with one doctor in one half day …
    pub per_doctor_session: u32,
    /// … in one department on one day …
    pub per_department_day: u32,
    /// … on one day …
    pub per_day: u32,
    /// … in seven days …
    pub per_week: u32,
    /// … and in ninety days.
    pub per_quarter: u32,
    /// What else is to be known about booking, in words: on the departments' pages of rules only.
    #[serde(skip)]
    #[schema(ignore)]
    pub further: Vec<Text2>,
}

/// Which ways to sign in this installation offers.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SignInFacts {
    /// Through WeChat's page.
    pub wechat: bool,
    /// With a code by SMS.
    pub sms: bool,
}

/// What the server knows and the schedule does not: the small part of `GET /hospital` that other crates own.
#[derive(Debug, Clone)]
pub struct HospitalFacts {
    /// How to sign in.
    pub sign_in: SignInFacts,
    /// The address of WeChat's page script, where there is a WeChat account.
    pub js_sdk_url: Option<String>,
    /// Whether the page offers elder mode on the first visit.
    pub elder_hint: bool,
    /// The version of the privacy notice that is in force.
    pub privacy_version: String,
    /// The version of the consent to keep a person's data.
    pub consent_version: String,
    /// The booking desk's limits.
    pub limits: Limits,
}

/// `GET /hospital`
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HospitalInfo {
    /// The hospital.
    pub id: String,
    /// Its code in addresses: `/h/{code}`.
    pub code: String,
    /// Full name.
    #[schema(value_type = Text2Schema)]
    pub name: Text2,
    /// Short name.
    #[schema(value_type = Text2Schema)]
    pub short_name: Text2,
    /// The number that people call.
    pub phone: String,
    /// Where it is.
    #[schema(value_type = Text2Schema)]
    pub address: Text2,
    /// The hospital's date, whatever the phone believes.
    #[schema(value_type = String, format = Date)]
    pub today: Date,
    /// The hospital's time.
    pub now: String,
    /// What everybody should know just now.
    #[schema(value_type = Option<Text2Schema>)]
    pub notice: Option<Text2>,
    /// Its campuses.
    pub campuses: Vec<CampusItem>,
    /// How booking works.
    pub booking: BookingFacts,
    /// How to sign in.
    pub sign_in: SignInFacts,
    /// The address of WeChat's page script.
    pub js_sdk_url: Option<String>,
    /// The languages of the pages.
    pub languages: Vec<String>,
    /// Whether the page offers elder mode on the first visit.
    pub elder_hint: bool,
    /// The version of the privacy notice in force.
    pub privacy_version: String,
    /// The version of the consent in force.
    pub consent_version: String,
}
