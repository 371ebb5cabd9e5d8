//! What was done to a clinic that patients must hear of: how it stands with each of them, and taking a stop back.

use axum::Json;
use axum::extract::State;
use base::Text2;
use edge::schema::Text2Schema;
use edge::{ApiPath, ApiResult, Caller};
use schedule::{ChangeId, ClinicId, DoctorId, plan};
use serde::Serialize;
use utoipa::ToSchema;

use crate::BookingDeps;
use crate::model::CallState;
use crate::store as sql;

/// How many of those who had a place stand where.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = StopProgress)]
pub(super) struct ProgressBody {
    /// Had a place.
    all: i64,
    /// Have done nothing yet, and nobody has called.
    open: i64,
    /// Were called in vain.
    called: i64,
    /// Know, and see to it themselves.
    reached: i64,
    /// Have another place.
    booked: i64,
    /// Need none.
    gave_up: i64,
    /// Have their place back.
    undone: i64,
}

/// What was done to a clinic.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClinicChangeDone)]
pub(super) struct DoneBody {
    #[schema(value_type = String)]
    id: ChangeId,
    /// `stopped`, `part_stopped` or `replaced`.
    kind: String,
    /// Why, as patients are told.
    #[schema(value_type = Text2Schema)]
    reason: Text2,
    #[schema(format = DateTime)]
    at: String,
    /// Until when it can be taken back; none when it can't be, or was.
    #[schema(format = DateTime)]
    undo_until: Option<String>,
    /// When it was taken back.
    #[schema(format = DateTime)]
    undone_at: Option<String>,
    /// Who sat before, where another doctor sits.
    #[schema(value_type = Option<String>)]
    old_doctor_id: Option<DoctorId>,
    /// Who sits instead.
    #[schema(value_type = Option<String>)]
    new_doctor_id: Option<DoctorId>,
    /// How it stands with those whose places were called off.
    progress: ProgressBody,
}

/// `GET /staff/clinics/{clinic_id}/changes`
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClinicChangesDone)]
pub(super) struct DoneList {
    /// The newest first.
    items: Vec<DoneBody>,
}

/// What was done to a clinic, and how it stands with each who had a place.
#[utoipa::path(get, path = "/api/v1/staff/clinics/{clinic_id}/changes", tag = "booking_staff", params(("clinic_id" = String, Path)),
    responses((status = 200, body = DoneList)))]
pub(super) async fn changes(
    State(deps): State<BookingDeps>,
    caller: Caller,
    ApiPath(clinic): ApiPath<ClinicId>,
) -> ApiResult<Json<DoneList>> {
    let hospital = &caller.hospital;
    let now = deps.db.now();
    let mut items = Vec::new();
    for done in plan::changes(&deps.db, hospital.id, clinic).await? {
        let mut progress = ProgressBody::default();
        for (state, count) in sql::calls::progress(&deps.db, hospital.id, done.id).await? {
            progress.all += count;
            *match state {
                CallState::Open => &mut progress.open,
                CallState::Called => &mut progress.called,
                CallState::Reached => &mut progress.reached,
                CallState::Booked => &mut progress.booked,
                CallState::GaveUp => &mut progress.gave_up,
                CallState::Undone => &mut progress.undone,
            } += count;
        }
        let undo_until = done.undo_until().filter(|until| now <= *until);
        items.push(DoneBody {
            id: done.id,
            kind: done.kind,
            reason: done.reason,
            at: hospital.rfc3339(done.at),
            undo_until: undo_until.map(|at| hospital.rfc3339(at)),
            undone_at: done.undone_at.map(|at| hospital.rfc3339(at)),
            old_doctor_id: done.old_doctor,
            new_doctor_id: done.new_doctor,
            progress,
        });
    }
    Ok(Json(DoneList { items }))
}

/// What became of taking a stop back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StopUndone)]
pub(super) struct UndoneBody {
    /// The clinic that takes place.
    #[schema(value_type = String)]
    clinic_id: ClinicId,
    /// So many have their places back.
    restored: u32,
    /// So many have another place or need none; theirs are free.
    let_go: u32,
}

/// Takes a stop back within ten minutes: whoever has done nothing has the same place and number again and is told.
#[utoipa::path(post, path = "/api/v1/staff/clinic-changes/{id}/undo", tag = "booking_staff", params(("id" = String, Path)),
    responses((status = 200, body = UndoneBody), (status = 404, body = edge::problem::ProblemBody), (status = 409, description = "too_late_to_undo", body = edge::problem::ProblemBody)))]
pub(super) async fn undo(
    State(deps): State<BookingDeps>,
    caller: Caller,
    ApiPath(id): ApiPath<ChangeId>,
) -> ApiResult<Json<UndoneBody>> {
    let done = deps.desk.undo_stop(&caller, id).await?;
    Ok(Json(UndoneBody { clinic_id: done.clinic, restored: done.restored, let_go: done.let_go }))
}
