//! Appointments as staff see them: whose in covered form, what is behind them in ids.

use std::collections::HashMap;

use axum::Json;
use axum::response::{IntoResponse, Response};
use base::{Date, Fen, HalfDay, Problem, Text2, WallTime};
use edge::schema::Text2Schema;
use edge::{ApiResult, Caller, Hospital};
use http::StatusCode;
use people::look_up::{self, Found};
use people::{DocumentKind, PersonId, Sex};
use schedule::{Card, ClinicId, DepartmentId, DoctorId, SlotId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::model::{Appointment, AppointmentId, Outcome, Refusal, State, Visit};
use crate::{BookingDeps, problems};

/// A person as staff see them in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DeskPerson)]
pub(super) struct PersonBody {
    #[schema(value_type = String)]
    pub(super) id: PersonId,
    pub(super) name_masked: String,
    pub(super) sex: Sex,
    /// Whole years; none where the birth date is not on file.
    pub(super) age: Option<i16>,
    pub(super) document_kind: Option<DocumentKind>,
    pub(super) number_masked: Option<String>,
    pub(super) phone_masked: Option<String>,
}

impl PersonBody {
    pub(super) fn of(found: &Found, today: Date) -> Self {
        Self {
            id: found.person,
            name_masked: found.name_masked.clone(),
            sex: found.sex,
            age: found.birth_date.map(|birth| base::calendar::age_on(birth, today)),
            document_kind: found.document_kind,
            number_masked: found.number_masked.clone(),
            phone_masked: found.phone_masked.clone(),
        }
    }
}

/// An appointment as staff see it in a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeskAppointment)]
pub(super) struct RowBody {
    #[schema(value_type = String)]
    pub(super) id: AppointmentId,
    pub(super) state: State,
    pub(super) visit: Visit,
    #[schema(value_type = String, format = Date)]
    pub(super) date: Date,
    #[schema(value_type = String)]
    pub(super) half_day: HalfDay,
    #[schema(value_type = String)]
    pub(super) start: WallTime,
    #[schema(value_type = String)]
    pub(super) end: WallTime,
    /// The number in the segment.
    pub(super) number: i64,
    /// For whom; none when they are not on file any more.
    pub(super) person: Option<PersonBody>,
    #[schema(value_type = String)]
    pub(super) clinic_id: ClinicId,
    #[schema(value_type = String)]
    pub(super) slot_id: SlotId,
    #[schema(value_type = Option<String>)]
    pub(super) doctor_id: Option<DoctorId>,
    #[schema(value_type = Option<Text2Schema>)]
    pub(super) doctor_name: Option<Text2>,
    #[schema(value_type = String)]
    pub(super) department_id: DepartmentId,
    #[schema(value_type = Text2Schema)]
    pub(super) department_name: Text2,
    #[schema(value_type = Text2Schema)]
    pub(super) campus_name: Text2,
    /// `general`, `specialist`, `special`.
    pub(super) kind: String,
    #[schema(value_type = i64)]
    pub(super) fee_fen: Fen,
    /// By which way it came: `wechat`, `sms`, `window`, `doctor` …
    pub(super) channel: String,
    /// Staff made it.
    pub(super) by_staff: bool,
    #[schema(format = DateTime)]
    pub(super) booked_at: String,
    #[schema(value_type = Option<String>)]
    pub(super) moved_from: Option<AppointmentId>,
    #[schema(value_type = Option<String>)]
    pub(super) moved_to: Option<AppointmentId>,
    #[schema(value_type = Option<String>)]
    pub(super) return_of: Option<AppointmentId>,
    #[schema(value_type = Option<String>, format = Date)]
    pub(super) return_until: Option<Date>,
    /// The hospital changed something: what the patient does about it never counts.
    pub(super) excused: bool,
}

fn row(hospital: &Hospital, today: Date, a: &Appointment, card: &Card, person: Option<&Found>) -> RowBody {
    RowBody {
        id: a.id,
        state: a.state,
        visit: a.marks.visit,
        date: a.date,
        half_day: a.half_day,
        start: hospital.zone.wall(a.start_at),
        end: hospital.zone.wall(a.end_at),
        number: a.number,
        person: person.map(|found| PersonBody::of(found, today)),
        clinic_id: a.clinic,
        slot_id: a.slot,
        doctor_id: a.doctor,
        doctor_name: card.doctor_name.clone(),
        department_id: a.department,
        department_name: card.department_name.clone(),
        campus_name: card.campus_name.clone(),
        kind: a.kind.clone(),
        fee_fen: a.fee,
        channel: a.marks.channel.clone(),
        by_staff: a.marks.made_by.is_some(),
        booked_at: hospital.rfc3339(a.booked_at),
        moved_from: a.moved_from,
        moved_to: a.moved_to,
        return_of: a.marks.return_of,
        return_until: a.marks.return_until,
        excused: a.marks.excused,
    }
}

/// These appointments with whose they are and where, in the same order.
pub(super) async fn rows(
    deps: &BookingDeps,
    hospital: &Hospital,
    found: &[Appointment],
) -> store::Result<Vec<RowBody>> {
    let slots: Vec<SlotId> = found.iter().map(|a| a.slot).collect();
    let cards = deps.board.cards(hospital.id, &slots).await?;
    let persons: Vec<PersonId> = found.iter().map(|a| a.person).collect();
    let faces: HashMap<PersonId, Found> = look_up::of_ids(&deps.db, hospital.id, &persons).await?;
    let today = hospital.zone.date(deps.db.now());
    let shown =
        found.iter().filter_map(|a| Some(row(hospital, today, a, cards.get(&a.slot)?, faces.get(&a.person))));
    Ok(shown.collect())
}

/// The answer to a wish of staff.
pub(super) async fn answer(
    deps: &BookingDeps,
    caller: &Caller,
    outcome: Outcome,
    slot: SlotId,
) -> ApiResult<Response> {
    match outcome {
        Outcome::Booked(a) | Outcome::Replay(a) => {
            let row = rows(deps, &caller.hospital, std::slice::from_ref(&a)).await?.pop();
            let row = row.ok_or_else(Problem::internal)?;
            Ok((StatusCode::CREATED, Json(row)).into_response())
        }
        Outcome::KeyReused => Err(edge::idempotency::reused().into()),
        Outcome::Refused(reasons) => {
            let mut problem = problems::refused(&caller.hospital, &reasons);
            if reasons.first() == Some(&Refusal::Full)
                && let Some(nearest) = deps.desk.nearest(caller.hospital.id, slot)
            {
                problem = problem.with_written("nearest", nearest);
            }
            Err(problem.into())
        }
    }
}
