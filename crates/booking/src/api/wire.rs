//! Appointments as they stand on the wire.

use std::time::Duration;

use base::{Date, Fen, HalfDay, Text2, UnixMs, WallTime};
use edge::Hospital;
use edge::schema::Text2Schema;
use people::PersonId;
use schedule::{Card, ClinicId, DepartmentId, DoctorId, SlotId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::hold::HoldFor;
use crate::model::{Appointment, AppointmentId, Limits, Pay, State, Visit};
use crate::rules;

/// `POST /appointments`
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAppointment)]
pub struct NewAppointmentBody {
    /// The slot to be booked.
    #[schema(value_type = String)]
    pub slot_id: SlotId,
    /// For whom: a person bound to the account.
    #[schema(value_type = String)]
    pub person_id: PersonId,
    /// How it is to be paid. `online`: the place is kept for some minutes and booked when it is paid. Left out: at the counter.
    #[serde(default)]
    #[schema(required = false)]
    pub pay: Option<Pay>,
}

/// `POST /appointments/{id}/move`
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MoveAppointment)]
pub struct MoveBody {
    /// The slot to move to.
    #[schema(value_type = String)]
    pub slot_id: SlotId,
}

/// An appointment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Appointment)]
pub struct AppointmentBody {
    /// Its id.
    #[schema(value_type = String)]
    pub id: AppointmentId,
    /// Where it stands.
    pub state: State,
    /// For whom.
    #[schema(value_type = String)]
    pub person_id: PersonId,
    /// Their name, covered.
    pub person_name_masked: String,
    /// The number in the time segment.
    pub number: i64,
    /// The doctor, where the clinic has a named one.
    #[schema(value_type = Option<String>)]
    pub doctor_id: Option<DoctorId>,
    /// The doctor's name.
    #[schema(value_type = Option<Text2Schema>)]
    pub doctor_name: Option<Text2>,
    /// The doctor's title.
    #[schema(value_type = Option<Text2Schema>)]
    pub title: Option<Text2>,
    /// The department.
    #[schema(value_type = String)]
    pub department_id: DepartmentId,
    /// Its name.
    #[schema(value_type = Text2Schema)]
    pub department_name: Text2,
    /// The campus's name.
    #[schema(value_type = Text2Schema)]
    pub campus_name: Text2,
    /// Where the campus is.
    #[schema(value_type = Text2Schema)]
    pub campus_address: Text2,
    /// The room, where it is known.
    #[schema(value_type = Option<Text2Schema>)]
    pub room: Option<Text2>,
    /// The clinic.
    #[schema(value_type = String)]
    pub clinic_id: ClinicId,
    /// The slot.
    #[schema(value_type = String)]
    pub slot_id: SlotId,
    /// `general`, `specialist`, `special`.
    pub kind: String,
    /// The day.
    #[schema(value_type = String, format = Date)]
    pub date: Date,
    /// The half of it.
    #[schema(value_type = String)]
    pub half_day: HalfDay,
    /// When the segment begins, by the hospital's clocks …
    #[schema(value_type = String)]
    pub start: WallTime,
    /// … and ends.
    #[schema(value_type = String)]
    pub end: WallTime,
    /// What it costs.
    #[schema(value_type = i64)]
    pub fee_fen: Fen,
    /// How it is paid.
    pub pay: Pay,
    /// Whether it is paid, online or at the counter; only on the appointment's own page.
    pub paid: bool,
    /// When it was booked.
    #[schema(format = DateTime)]
    pub booked_at: String,
    /// Until when it can be given up or moved.
    #[schema(format = DateTime)]
    pub cancel_until: String,
    /// Whether it can be given up now.
    pub can_cancel: bool,
    /// Whether it can be moved now.
    pub can_move: bool,
    /// What desk, kiosk and laboratory read off the phone; only on the appointment's own page while it is live.
    pub check_in_code: Option<String>,
    /// Of a place that is only kept: until when …
    #[schema(format = DateTime)]
    pub hold_until: Option<String>,
    /// … and what must happen before.
    pub hold_for: Option<HoldFor>,
    /// When it was given up or stopped.
    #[schema(format = DateTime)]
    pub cancelled_at: Option<String>,
    /// By whom: `patient`, `hospital`, `moved`.
    pub cancelled_by: Option<String>,
    /// The appointment that this one took the place of.
    #[schema(value_type = Option<String>)]
    pub moved_from: Option<AppointmentId>,
    /// The appointment that took the place of this one.
    #[schema(value_type = Option<String>)]
    pub moved_to: Option<AppointmentId>,
    /// What became of telling the person; only on the appointment's own page.
    pub notices: Vec<NoticeBody>,
    /// What sort of visit it is.
    pub visit: Visit,
    /// The hospital changed something: moving or giving it up is free and never counts.
    pub excused: bool,
    /// Who was to sit before another doctor did; only on the appointment's own page.
    #[schema(value_type = Option<Text2Schema>)]
    pub former_doctor_name: Option<Text2>,
    /// For a return visit: the visit that it comes back to.
    #[schema(value_type = Option<String>)]
    pub return_of: Option<AppointmentId>,
    /// Until this date a free return visit can be made of it here; the doctor has allowed it.
    #[schema(value_type = Option<String>, format = Date)]
    pub return_until: Option<Date>,
    /// The return visit that was made of it; only on the appointment's own page.
    #[schema(value_type = Option<String>)]
    pub return_visit_id: Option<AppointmentId>,
}

/// What became of telling somebody.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Notice)]
pub struct NoticeBody {
    /// What was told.
    pub kind: notify::Kind,
    /// Where it stands.
    pub state: notify::NoticeStatus,
    /// By which way.
    pub channel: Option<notify::Channel>,
    /// Since when.
    #[schema(format = DateTime)]
    pub at: String,
}

impl NoticeBody {
    /// As pages show it.
    #[must_use]
    pub fn of(hospital: &Hospital, n: notify::NoticeState) -> Self {
        Self { kind: n.kind, state: n.state, channel: n.channel, at: hospital.rfc3339(n.at) }
    }
}

/// A doctor with whom a person had a place before, and the next one to be had.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AgainItem)]
pub struct AgainBody {
    /// The doctor.
    pub doctor: schedule::wire::DoctorSummary,
    /// For whom it was.
    #[schema(value_type = String)]
    pub person_id: PersonId,
    /// When the last place was.
    #[schema(value_type = String, format = Date)]
    pub last_date: Date,
}

/// `GET /appointments/again`
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AgainList)]
pub struct AgainList {
    /// The doctors, the last one first.
    pub items: Vec<AgainBody>,
}

/// The notice about an appointment: when, where, with whom. Nothing about why. `person` is the covered name.
#[must_use]
pub fn notice(
    card: Card,
    a: &Appointment,
    kind: notify::Kind,
    person: String,
    old_start: Option<UnixMs>,
) -> notify::Tell {
    let over = kind == notify::Kind::AppointmentCancelled;
    let visit = notify::Visit {
        person,
        department_id: a.department.to_string(),
        department: card.department_name,
        doctor: card.doctor_name,
        start: a.start_at,
        end: Some(a.end_at),
        campus: card.campus_name,
        room: card.room,
        number: Some(a.number),
        old_start,
        note: None,
    };
    notify::Tell {
        kind,
        account: a.account,
        person: Some(a.person),
        subject: a.id.to_string(),
        data: visit.data(),
        link: format!("/appointments/{}", a.id),
        send_after: None,
        // A cancellation is worth knowing for a day more; everything else until the visit begins.
        expires_at: if over { a.start_at.plus(Duration::from_secs(86_400)) } else { a.start_at },
    }
}

/// How an appointment looks to its account. The list leaves out the code and the notices.
#[must_use]
pub fn body(
    hospital: &Hospital,
    card: Card,
    a: &Appointment,
    person_name_masked: String,
    now: UnixMs,
) -> AppointmentBody {
    let limits: Limits = hospital.settings("booking.limits");
    let can = rules::can_cancel(a, &hospital.zone, &limits, now);
    let on_hold = a.state == State::Held;
    let (doctor_name, title) = (card.doctor_name, card.title.map(|t| t.name()));
    let cancelled_by = a.ended_by.as_ref().map(|by| match (a.moved_to, by.starts_with("acc_")) {
        (Some(_), _) => "moved".to_owned(),
        (None, true) => "patient".to_owned(),
        (None, false) => "hospital".to_owned(),
    });
    AppointmentBody {
        id: a.id,
        state: a.state,
        person_id: a.person,
        person_name_masked,
        number: a.number,
        doctor_id: a.doctor,
        doctor_name,
        title,
        department_id: a.department,
        department_name: card.department_name,
        campus_name: card.campus_name,
        campus_address: card.campus_address,
        room: card.room,
        clinic_id: a.clinic,
        slot_id: a.slot,
        kind: a.kind.clone(),
        date: a.date,
        half_day: a.half_day,
        start: hospital.zone.wall(a.start_at),
        end: hospital.zone.wall(a.end_at),
        fee_fen: a.fee,
        pay: a.pay,
        paid: false,
        booked_at: hospital.rfc3339(a.booked_at),
        cancel_until: hospital.rfc3339(rules::can_cancel_until(a, &hospital.zone, &limits)),
        can_cancel: can,
        can_move: can && !on_hold,
        check_in_code: None,
        hold_until: a.hold_until.filter(|_| on_hold).map(|at| hospital.rfc3339(at)),
        hold_for: a.hold_for.filter(|_| on_hold),
        cancelled_at: a.ended_at.map(|at| hospital.rfc3339(at)),
        cancelled_by,
        moved_from: a.moved_from,
        moved_to: a.moved_to,
        notices: Vec::new(),
        visit: a.marks.visit,
        excused: a.marks.excused,
        former_doctor_name: None,
        return_of: a.marks.return_of,
        return_until: a.marks.return_until,
        return_visit_id: None,
    }
}
