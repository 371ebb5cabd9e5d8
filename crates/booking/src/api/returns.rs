//! The free return visit within three days, made by the person where the doctor has allowed it.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use base::{Date, HalfDay, Text2, UnixMs, WallTime};
use edge::schema::Text2Schema;
use edge::{Account, ApiJson, ApiPath, ApiResult, Hospital, IdempotencyKey};
use http::StatusCode;
use schedule::{ClinicKind, DoctorId, SlotId};
use serde::Serialize;
use utoipa::ToSchema;

use super::handlers::{answer, own};
use super::wire::{AppointmentBody, MoveBody};
use crate::BookingDeps;
use crate::desk::beyond::ReturnTo;
use crate::desk::{Asker, Reply, WITH_DOCTOR};
use crate::model::{Appointment, AppointmentId, DeskRules};
use crate::rules::beyond::{self, Grade, Return};

/// A segment that one can come back to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReturnSlot)]
pub(crate) struct ReturnSlot {
    #[schema(value_type = String)]
    slot_id: SlotId,
    #[schema(value_type = String, format = Date)]
    date: Date,
    #[schema(value_type = String)]
    half_day: HalfDay,
    #[schema(value_type = String)]
    start: WallTime,
    #[schema(value_type = String)]
    end: WallTime,
    #[schema(value_type = Option<String>)]
    doctor_id: Option<DoctorId>,
    #[schema(value_type = Option<Text2Schema>)]
    doctor_name: Option<Text2>,
    #[schema(value_type = Option<Text2Schema>)]
    title: Option<Text2>,
    kind: ClinicKind,
    #[schema(value_type = Option<Text2Schema>)]
    room: Option<Text2>,
    /// It is the doctor whom the person has seen.
    same_doctor: bool,
}

/// Where one can come back to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReturnSlots)]
pub(crate) struct ReturnSlots {
    /// The last day of it.
    #[schema(value_type = String, format = Date)]
    until: Date,
    /// The doctor whom the person has seen first, then by time. How many return visits a segment takes is looked at when one
    /// is made.
    items: Vec<ReturnSlot>,
}

/// Which segments a visit's return visit can be in.
pub(crate) async fn free_for(
    deps: &BookingDeps,
    hospital: &Hospital,
    origin: &Appointment,
    (by_person, extended): (bool, bool),
) -> ApiResult<ReturnSlots> {
    let rules: DeskRules = hospital.settings(DeskRules::SECTION);
    let now: UnixMs = deps.db.now();
    let longest = beyond::last_date(origin.date, rules.return_days.max(rules.return_days_longest));
    let (from, place) = (hospital.zone.date(now), (origin.department, origin.campus));
    let stock = schedule::stock::of_department(&deps.db, hospital.id, place, from, longest).await?;
    let mut slots: Vec<SlotId> = stock.iter().map(|s| s.slot).collect();
    slots.push(origin.slot);
    let cards = deps.board.cards(hospital.id, &slots).await?;
    let title = |slot: SlotId| cards.get(&slot).and_then(|c| c.title);
    let kind = ClinicKind::from_code(&origin.kind).unwrap_or(ClinicKind::General);
    let one = |slot: SlotId| Return {
        origin,
        paid: Grade { kind, title: title(origin.slot) },
        title: title(slot),
        in_segment: 0,
        extended,
        by_person,
        rules: &rules,
    };
    let mut items = Vec::new();
    for segment in stock.iter().filter(|s| beyond::return_visit(&one(s.slot), s, now).is_empty()) {
        let Some(card) = cards.get(&segment.slot) else { continue };
        items.push(ReturnSlot {
            slot_id: segment.slot,
            date: segment.date,
            half_day: segment.half_day,
            start: segment.start,
            end: segment.end,
            doctor_id: segment.doctor,
            doctor_name: card.doctor_name.clone(),
            title: card.title.map(schedule::Title::name),
            kind: segment.kind,
            room: card.room.clone(),
            same_doctor: segment.doctor == origin.doctor,
        });
    }
    items.sort_by_key(|item| !item.same_doctor);
    let until = beyond::last(&one(origin.slot));
    Ok(ReturnSlots { until, items })
}

/// Where a free return visit can be.
#[utoipa::path(get, path = "/api/v1/appointments/{id}/return-slots", tag = "appointments", params(("id" = String, Path)),
    responses((status = 200, body = ReturnSlots), (status = 404, body = edge::problem::ProblemBody)))]
pub(super) async fn choices(
    State(deps): State<BookingDeps>,
    account: Account,
    ApiPath(id): ApiPath<AppointmentId>,
) -> ApiResult<Json<ReturnSlots>> {
    let (origin, _) = own(&deps, &account, id).await?;
    Ok(Json(free_for(&deps, &account.caller.hospital, &origin, (true, false)).await?))
}

/// Makes the free return visit.
#[utoipa::path(post, path = "/api/v1/appointments/{id}/return-visit", tag = "appointments", request_body = MoveBody,
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 201, body = AppointmentBody), (status = 409, description = "return_not_allowed, return_not_seen, return_of_return, return_once, return_elsewhere, return_higher_grade, return_days_over, clinic_stopped, booking_closed, slot_full", body = edge::problem::ProblemBody)))]
pub(super) async fn make(
    State(deps): State<BookingDeps>,
    account: Account,
    key: IdempotencyKey,
    ApiPath(id): ApiPath<AppointmentId>,
    ApiJson(to): ApiJson<MoveBody>,
) -> ApiResult<Response> {
    let (origin, person) = own(&deps, &account, id).await?;
    let new = ReturnTo { of: id, person: origin.person, slot: to.slot_id, key: &key.0, extended: false };
    let asker = Asker::patient(&account).on_channel(WITH_DOCTOR);
    let outcome = deps.desk.return_visit(&asker, new).await?;
    let reply = Reply { outcome, person: Some(person) };
    answer(&deps, &account.caller, reply, to.slot_id, StatusCode::CREATED).await
}
