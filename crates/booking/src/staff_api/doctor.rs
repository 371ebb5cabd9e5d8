//! What a doctor, or the triage desk for them, gives beside the plan: added numbers and free return visits.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use base::{Date, Problem};
use edge::{ApiJson, ApiPath, ApiQuery, ApiResult, IdempotencyKey, Role, Staff};
use people::PersonId;
use schedule::{ClinicId, DepartmentId, DoctorId, SlotId, added};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::wire::{RowBody, answer, rows};
use crate::api::{ReturnSlots, free_for};
use crate::desk::Asker;
use crate::desk::beyond::{AddOn, ReturnTo};
use crate::model::{AppointmentId, DeskRules, Refusal};
use crate::rules::beyond::{last_date, no_return_of, takes_place};
use crate::store as sql;
use crate::{BookingDeps, add_on_codes, problems};

/// Whoever is only a doctor acts for their own clinics, and for their department's where nobody is named; the desk acts for all.
async fn own_clinic(
    deps: &BookingDeps,
    staff: &Staff,
    doctor: Option<DoctorId>,
    department: DepartmentId,
) -> ApiResult<()> {
    if staff.roles.iter().any(|role| matches!(role, Role::Triage | Role::Nurse)) {
        return Ok(());
    }
    let hospital = staff.caller.hospital.id;
    let who = people::staff::brief(&deps.db, hospital, staff.id).await?;
    let own: Option<DoctorId> = who.and_then(|w| w.doctor_id).and_then(|id| id.parse().ok());
    let theirs = own.is_some_and(|own| match doctor {
        Some(doctor) => doctor == own,
        None => deps.board.doctor_summary(hospital, own).is_some_and(|d| d.department_id == department),
    });
    if theirs { Ok(()) } else { Err(problems::not_your_clinic().into()) }
}

/// The clinic of a slot, when this member of staff may act for it.
async fn sitting(deps: &BookingDeps, staff: &Staff, slot: SlotId) -> ApiResult<ClinicId> {
    let cards = deps.board.cards(staff.caller.hospital.id, &[slot]).await?;
    let card = cards.get(&slot).ok_or_else(Problem::not_found)?;
    own_clinic(deps, staff, card.doctor, card.department).await?;
    Ok(card.clinic)
}

/// `POST /staff/add-ons`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAddOn)]
pub(super) struct AddBody {
    /// To which segment.
    #[schema(value_type = String)]
    slot_id: SlotId,
    /// For whom.
    #[schema(value_type = String)]
    person_id: PersonId,
}

/// Adds a number for a person, beyond what the segment has places.
#[utoipa::path(post, path = "/api/v1/staff/add-ons", tag = "booking_staff", request_body = AddBody, params(("Idempotency-Key" = String, Header)),
    responses((status = 201, body = RowBody), (status = 403, description = "not_your_clinic", body = edge::problem::ProblemBody), (status = 404, body = edge::problem::ProblemBody),
        (status = 409, description = "no_add_ons_left, or as for booking", body = edge::problem::ProblemBody)))]
pub(super) async fn add(
    State(deps): State<BookingDeps>,
    staff: Staff,
    key: IdempotencyKey,
    ApiJson(new): ApiJson<AddBody>,
) -> ApiResult<Response> {
    sitting(&deps, &staff, new.slot_id).await?;
    let wish = AddOn { person: new.person_id, slot: new.slot_id, key: &key.0, added_by: None, code: None };
    let outcome = deps.desk.add_on(&Asker::for_doctor(&staff), wish).await?;
    answer(&deps, &staff.caller, outcome, new.slot_id).await
}

/// `POST /staff/add-on-codes`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAddOnCode)]
pub(super) struct CodeBody {
    /// To which segment.
    #[schema(value_type = String)]
    slot_id: SlotId,
}

/// A code that is shown once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HandedAddOnCode)]
pub(super) struct HandedBody {
    /// The code.
    code: String,
    /// The page that a patient opens with it, a path from `/`; as a QR code on the screen.
    link: String,
    /// Until when it is good.
    #[schema(format = DateTime)]
    ends_at: String,
}

/// Makes a code with which one patient takes an added number. It counts for the limit when it is used; no more codes are given out
/// than numbers are left.
#[utoipa::path(post, path = "/api/v1/staff/add-on-codes", tag = "booking_staff", request_body = CodeBody,
    responses((status = 201, body = HandedBody), (status = 403, description = "not_your_clinic", body = edge::problem::ProblemBody),
        (status = 404, body = edge::problem::ProblemBody), (status = 409, description = "no_add_ons_left, clinic_stopped, booking_closed", body = edge::problem::ProblemBody)))]
pub(super) async fn code(
    State(deps): State<BookingDeps>,
    staff: Staff,
    ApiJson(new): ApiJson<CodeBody>,
) -> ApiResult<(http::StatusCode, Json<HandedBody>)> {
    let hospital = &staff.caller.hospital;
    let clinic = sitting(&deps, &staff, new.slot_id).await?;
    let rules: DeskRules = hospital.settings(DeskRules::SECTION);
    let used = added::used(&deps.db, hospital.id, clinic, rules.add_on_limit).await?;
    let used = used.ok_or_else(Problem::not_found)?;
    let code = add_on_codes::new();
    let ends_at =
        deps.db.now().plus(std::time::Duration::from_secs(u64::from(rules.add_on_code_minutes) * 60));
    let mut tx = deps.db.begin().await?;
    let stock = schedule::stock::look(&mut tx, hospital.id, &[new.slot_id]).await?;
    if let Some(why) = stock.first().and_then(|stock| takes_place(stock, tx.now())) {
        return Err(problems::refused(hospital, &[why]).into());
    }
    if used.used + sql::desk::codes_out(&mut tx, hospital.id, clinic).await? >= used.limit {
        let limit = u32::try_from(used.limit).unwrap_or(u32::MAX);
        return Err(problems::refused(hospital, &[Refusal::NoAddOns { limit }]).into());
    }
    let hash = add_on_codes::hash(&deps.vault, hospital.id, &code);
    sql::desk::add_code(&mut tx, hospital.id, &hash, (new.slot_id, clinic), staff.id, ends_at).await?;
    let detail = serde_json::json!({"slot": new.slot_id, "ends_at": ends_at.0});
    tx.audit(staff.caller.audit("booking.add_on_code", clinic, detail)).await?;
    tx.commit().await?;
    let link = add_on_codes::link(&code);
    Ok((http::StatusCode::CREATED, Json(HandedBody { code, link, ends_at: hospital.rfc3339(ends_at) })))
}

/// How a clinic stands against its limit.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AddOnsOfClinic)]
pub(super) struct AddedBody {
    /// So many numbers were added …
    used: i64,
    /// … of so many that may be.
    limit: i64,
}

/// How many numbers were added to a clinic, and how many may be.
#[utoipa::path(get, path = "/api/v1/staff/clinics/{clinic_id}/add-ons", tag = "booking_staff", params(("clinic_id" = String, Path)),
    responses((status = 200, body = AddedBody), (status = 404, body = edge::problem::ProblemBody)))]
pub(super) async fn added(
    State(deps): State<BookingDeps>,
    staff: Staff,
    ApiPath(clinic): ApiPath<ClinicId>,
) -> ApiResult<Json<AddedBody>> {
    let hospital = &staff.caller.hospital;
    let rules: DeskRules = hospital.settings(DeskRules::SECTION);
    let used = added::used(&deps.db, hospital.id, clinic, rules.add_on_limit).await?;
    let used = used.ok_or_else(Problem::not_found)?;
    Ok(Json(AddedBody { used: used.used, limit: used.limit }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SlotsQuery {
    /// With the days by which staff may extend.
    #[serde(default)]
    extended: bool,
}

/// Where a free return visit to a visit can be.
#[utoipa::path(get, path = "/api/v1/staff/appointments/{id}/return-slots", tag = "booking_staff", params(("id" = String, Path), SlotsQuery),
    responses((status = 200, body = ReturnSlots), (status = 404, body = edge::problem::ProblemBody)))]
pub(super) async fn return_slots(
    State(deps): State<BookingDeps>,
    staff: Staff,
    ApiPath(id): ApiPath<AppointmentId>,
    ApiQuery(query): ApiQuery<SlotsQuery>,
) -> ApiResult<Json<ReturnSlots>> {
    let hospital = &staff.caller.hospital;
    let origin = sql::read(&deps.db, hospital.id, id).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(free_for(&deps, hospital, &origin, (false, query.extended)).await?))
}

/// Where to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewReturnVisit)]
pub(super) struct ReturnBody {
    #[schema(value_type = String)]
    slot_id: SlotId,
    /// A result takes longer, or holidays lie between: with the days by which staff may extend.
    #[serde(default)]
    extended: bool,
}

/// Makes the free return visit of a visit.
#[utoipa::path(post, path = "/api/v1/staff/appointments/{id}/return-visit", tag = "booking_staff", request_body = ReturnBody,
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 201, body = RowBody), (status = 404, body = edge::problem::ProblemBody),
        (status = 409, description = "return_not_seen, return_of_return, return_once, return_elsewhere, return_higher_grade, return_days_over, clinic_stopped, booking_closed, slot_full", body = edge::problem::ProblemBody)))]
pub(super) async fn return_visit(
    State(deps): State<BookingDeps>,
    staff: Staff,
    key: IdempotencyKey,
    ApiPath(id): ApiPath<AppointmentId>,
    ApiJson(new): ApiJson<ReturnBody>,
) -> ApiResult<Response> {
    let hospital = &staff.caller.hospital;
    let origin = sql::read(&deps.db, hospital.id, id).await?.ok_or_else(Problem::not_found)?;
    own_clinic(&deps, &staff, origin.doctor, origin.department).await?;
    let wish =
        ReturnTo { of: id, person: origin.person, slot: new.slot_id, key: &key.0, extended: new.extended };
    let outcome = deps.desk.return_visit(&Asker::for_doctor(&staff), wish).await?;
    answer(&deps, &staff.caller, outcome, new.slot_id).await
}

/// Until when.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AllowReturn)]
pub(super) struct AllowBody {
    /// The last date; the usual one when it is not given.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date)]
    until: Option<Date>,
}

/// Lets the person make the free return visit themselves, on the page of the visit.
#[utoipa::path(post, path = "/api/v1/staff/appointments/{id}/allow-return", tag = "booking_staff", request_body = AllowBody,
    params(("id" = String, Path)),
    responses((status = 200, body = RowBody), (status = 404, body = edge::problem::ProblemBody),
        (status = 409, description = "return_not_seen, return_of_return", body = edge::problem::ProblemBody),
        (status = 422, description = "return_until_invalid", body = edge::problem::ProblemBody)))]
pub(super) async fn allow_return(
    State(deps): State<BookingDeps>,
    staff: Staff,
    ApiPath(id): ApiPath<AppointmentId>,
    ApiJson(body): ApiJson<AllowBody>,
) -> ApiResult<Json<RowBody>> {
    let hospital = &staff.caller.hospital;
    let rules: DeskRules = hospital.settings(DeskRules::SECTION);
    let origin = sql::read(&deps.db, hospital.id, id).await?.ok_or_else(Problem::not_found)?;
    own_clinic(&deps, &staff, origin.doctor, origin.department).await?;
    if let Some(why) = no_return_of(&origin) {
        return Err(problems::refused(hospital, &[Refusal::NoReturn(why)]).into());
    }
    let longest = last_date(origin.date, rules.return_days.max(rules.return_days_longest));
    let until = body.until.unwrap_or_else(|| last_date(origin.date, rules.return_days));
    if until > longest || until < hospital.zone.date(deps.db.now()) {
        return Err(problems::too_late_return(longest).into());
    }
    let mut tx = deps.db.begin().await?;
    if !sql::desk::allow_return(&mut tx, hospital.id, id, until).await? {
        return Err(Problem::not_found().into());
    }
    tx.audit(staff.caller.audit("booking.allow_return", id, serde_json::json!({"until": until}))).await?;
    tx.touch(store::Topic::new("appointment", id));
    tx.commit().await?;
    let a = sql::read(&deps.db, hospital.id, id).await?.ok_or_else(Problem::not_found)?;
    let row = rows(&deps, hospital, std::slice::from_ref(&a)).await?.pop();
    Ok(Json(row.ok_or_else(Problem::internal)?))
}
