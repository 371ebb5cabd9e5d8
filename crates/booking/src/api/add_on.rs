//! A number that the doctor adds, taken by the patient with a one-time code.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use base::{Date, HalfDay, Problem, Text2, WallTime};
use edge::schema::Text2Schema;
use edge::{Account, ApiJson, ApiPath, ApiResult, Caller, IdempotencyKey};
use http::StatusCode;
use people::{PersonId, bound};
use schedule::SlotId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::handlers::answer;
use super::wire::AppointmentBody;
use crate::desk::beyond::AddOn;
use crate::desk::{Asker, Reply, WITH_DOCTOR};
use crate::model::Refusal;
use crate::store::desk::Code;
use crate::{BookingDeps, add_on_codes, problems};

/// What a code is for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AddOnCode)]
pub(super) struct CodeBody {
    #[schema(value_type = String)]
    slot_id: SlotId,
    #[schema(value_type = Option<Text2Schema>)]
    doctor_name: Option<Text2>,
    #[schema(value_type = Option<Text2Schema>)]
    title: Option<Text2>,
    #[schema(value_type = Text2Schema)]
    department_name: Text2,
    #[schema(value_type = Text2Schema)]
    campus_name: Text2,
    #[schema(value_type = Option<Text2Schema>)]
    room: Option<Text2>,
    #[schema(value_type = String, format = Date)]
    date: Date,
    #[schema(value_type = String)]
    half_day: HalfDay,
    #[schema(value_type = String)]
    start: WallTime,
    #[schema(value_type = String)]
    end: WallTime,
    fee_fen: i64,
    /// Until when it is good.
    #[schema(format = DateTime)]
    ends_at: String,
}

/// Whoever does not have the code learns nothing; one that was used or is too old says so.
async fn known(deps: &BookingDeps, caller: &Caller, code: &str) -> ApiResult<Code> {
    let hash = add_on_codes::hash(&deps.vault, caller.hospital.id, code);
    let mut tx = deps.db.begin().await?;
    let found = crate::store::desk::code(&mut tx, caller.hospital.id, &hash).await?;
    tx.rollback().await?;
    Ok(found.ok_or_else(Problem::not_found)?)
}

fn good(deps: &BookingDeps, caller: &Caller, code: &Code) -> ApiResult<()> {
    if code.appointment.is_some() || deps.db.now() >= code.ends_at {
        return Err(problems::refused(&caller.hospital, &[Refusal::CodeOver]).into());
    }
    Ok(())
}

/// What a doctor's code is for.
#[utoipa::path(get, path = "/api/v1/add-on-codes/{code}", tag = "appointments", params(("code" = String, Path)),
    responses((status = 200, body = CodeBody), (status = 404, body = edge::problem::ProblemBody), (status = 409, description = "add_on_code_over", body = edge::problem::ProblemBody)))]
pub(super) async fn look(
    State(deps): State<BookingDeps>,
    account: Account,
    ApiPath(code): ApiPath<String>,
) -> ApiResult<Json<CodeBody>> {
    let caller = &account.caller;
    let known = known(&deps, caller, &code).await?;
    good(&deps, caller, &known)?;
    let cards = deps.board.cards(caller.hospital.id, &[known.slot]).await?;
    let card = cards.get(&known.slot).ok_or_else(Problem::not_found)?;
    Ok(Json(CodeBody {
        slot_id: known.slot,
        doctor_name: card.doctor_name.clone(),
        title: card.title.map(schedule::Title::name),
        department_name: card.department_name.clone(),
        campus_name: card.campus_name.clone(),
        room: card.room.clone(),
        date: card.date,
        half_day: card.half_day,
        start: card.start,
        end: card.end,
        fee_fen: card.fee.0,
        ends_at: caller.hospital.rfc3339(known.ends_at),
    }))
}

/// For whom the number is taken.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TakeAddOn)]
pub(super) struct TakeBody {
    /// A person bound to the account.
    #[schema(value_type = String)]
    person_id: PersonId,
}

/// Takes the number that a doctor has added. A code is good once.
#[utoipa::path(post, path = "/api/v1/add-on-codes/{code}", tag = "appointments", request_body = TakeBody,
    params(("code" = String, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 201, body = AppointmentBody), (status = 404, body = edge::problem::ProblemBody),
        (status = 409, description = "add_on_code_over, no_add_ons_left, or as for booking", body = edge::problem::ProblemBody)))]
pub(super) async fn take(
    State(deps): State<BookingDeps>,
    account: Account,
    key: IdempotencyKey,
    ApiPath(code): ApiPath<String>,
    ApiJson(body): ApiJson<TakeBody>,
) -> ApiResult<Response> {
    let caller = &account.caller;
    let code_known = known(&deps, caller, &code).await?;
    let persons = bound::list(&deps.db, caller.hospital.id, account.id).await?;
    let person = persons.into_iter().find(|p| p.person == body.person_id).ok_or_else(problems::not_bound)?;
    let hash = add_on_codes::hash(&deps.vault, caller.hospital.id, &code);
    // The same tap once more finds its own appointment; everybody else a code that is used up.
    if code_known.appointment.is_none() {
        good(&deps, caller, &code_known)?;
    }
    let new = AddOn {
        person: body.person_id,
        slot: code_known.slot,
        key: &key.0,
        added_by: Some(code_known.made_by),
        code: Some(&hash),
    };
    let outcome = deps.desk.add_on(&Asker::patient(&account).on_channel(WITH_DOCTOR), new).await?;
    let reply = Reply { outcome, person: Some(person) };
    answer(&deps, caller, reply, code_known.slot, StatusCode::CREATED).await
}
