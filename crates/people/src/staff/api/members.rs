//! Who works here, with which roles.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use edge::permission::Who;
use edge::problem::ProblemBody;
use edge::{Actor, ApiJson, ApiPath, ApiQuery, ApiResult, Page, Role, Staff, StaffId};
use http::StatusCode;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::session::private;
use super::wire::{SessionList, SessionsEnded, StaffEntry, now};
use crate::staff::manage::{self, Change, NewMember, Wanted};
use crate::staff::model::StaffState;
use crate::staff::{StaffDeps, own};

/// A page has so many entries at most.
const MOST: u32 = 200;

/// Whom to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct StaffQuery {
    /// The beginning of a login, or a whole name.
    #[serde(default)]
    q: String,
    /// In this state.
    #[serde(default)]
    state: Option<StaffState>,
    /// With this role.
    #[serde(default)]
    role: Option<Role>,
    /// `next` of the page before.
    #[serde(default)]
    after: String,
    /// So many, 50 when left out, 200 at most.
    #[serde(default)]
    limit: Option<u32>,
}

/// A member of staff with the full name.
#[derive(Serialize, ToSchema)]
pub(super) struct StaffMember {
    /// As in lists.
    #[serde(flatten)]
    entry: StaffEntry,
    /// The real name. That it was shown stands in the audit log.
    name: String,
}

/// Somebody to be put on the list.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewStaff {
    /// The name to sign in with: 3 to 32 small letters, digits, `.`, `_` and `-`, a letter first.
    login: String,
    /// The real name.
    name: String,
    /// The roles; at least one, and of the three administrators' one at most.
    roles: Vec<Role>,
    /// The doctor that this person is, `doc_…`.
    #[serde(default)]
    doctor_id: Option<String>,
    /// The departments that the work is limited to, `dep_…`; none means all.
    #[serde(default)]
    department_ids: Vec<String>,
    /// Who they are in WeCom.
    #[serde(default)]
    wecom_userid: Option<String>,
}

/// A code in place of a password, to be handed to the person. Shown this once.
#[derive(Serialize, ToSchema)]
pub(super) struct StaffCode {
    /// `stf_…`
    #[schema(value_type = String)]
    id: StaffId,
    /// Good once.
    code: String,
}

/// What is to change; what is left out stays, null takes away.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StaffPatch {
    /// The real name.
    #[serde(default)]
    name: Option<String>,
    /// The roles, all of them.
    #[serde(default)]
    roles: Option<Vec<Role>>,
    /// Whether they may sign in.
    #[serde(default)]
    state: Option<StaffState>,
    /// The doctor that this person is.
    #[serde(default, deserialize_with = "told")]
    #[schema(value_type = Option<String>)]
    doctor_id: Option<Option<String>>,
    /// The departments that the work is limited to, all of them.
    #[serde(default)]
    department_ids: Option<Vec<String>>,
    /// Who they are in WeCom.
    #[serde(default, deserialize_with = "told")]
    #[schema(value_type = Option<String>)]
    wecom_userid: Option<Option<String>>,
}

/// Tells null from absent.
fn told<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(d).map(Some)
}

/// What a reset takes away.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StaffReset {
    /// Whether the second factor is to be set up anew, too: the phone is lost.
    #[serde(default)]
    second_factor: bool,
}

/// A role and what comes with it.
#[derive(Serialize, ToSchema)]
pub(super) struct RoleEntry {
    /// The role.
    role: Role,
    /// Whether it is one of the three that must be different people.
    administrator: bool,
    /// The names of its permissions.
    permissions: Vec<String>,
}

/// All roles.
#[derive(Serialize, ToSchema)]
pub(super) struct RoleList {
    /// The roles.
    items: Vec<RoleEntry>,
}

/// The roles and their permissions, as the program has them.
#[utoipa::path(get, path = "/api/v1/staff/roles", tag = "staff", responses((status = 200, body = RoleList)))]
pub(super) async fn roles(State(deps): State<StaffDeps>, _who: Staff) -> ApiResult<Response> {
    let entry = |role: &Role| {
        let alone = Actor::Staff(StaffId::default(), vec![*role]);
        let own =
            deps.people.granted.all().filter(|(_, who)| matches!(who, Who::Roles(_)) && who.admits(&alone));
        RoleEntry {
            role: *role,
            administrator: crate::staff::rules::is_administrator(&[*role]),
            permissions: own.map(|(name, _)| name.to_owned()).collect(),
        }
    };
    Ok(private(RoleList { items: Role::ALL.iter().map(entry).collect() }))
}

/// Members of staff in the order of their logins.
#[utoipa::path(get, path = "/api/v1/staff/members", tag = "staff", params(StaffQuery),
    responses((status = 200, body = Page<StaffEntry>), (status = 422, body = ProblemBody)))]
pub(super) async fn list(
    State(deps): State<StaffDeps>,
    who: Staff,
    ApiQuery(query): ApiQuery<StaffQuery>,
) -> ApiResult<Response> {
    let most = query.limit.unwrap_or(50).clamp(1, MOST);
    let wanted =
        Wanted { text: query.q, state: query.state, role: query.role, after: query.after, most: most + 1 };
    let mut found = manage::list(&deps, &who.caller, &wanted).await?;
    let more = found.len() > usize::try_from(most).unwrap_or(usize::MAX);
    if more {
        found.pop();
    }
    let next = found.last().filter(|_| more).map(|known| known.member.login.clone());
    let at = now(&deps);
    let items = found.into_iter().map(|known| StaffEntry::new(&who.caller.hospital, at, known)).collect();
    Ok(private(Page::<StaffEntry> { items, next }))
}

/// A member of staff with the full name, which the audit log remembers.
#[utoipa::path(get, path = "/api/v1/staff/members/{id}", tag = "staff", params(("id" = String, Path)),
    responses((status = 200, body = StaffMember), (status = 404, body = ProblemBody)))]
pub(super) async fn open(
    State(deps): State<StaffDeps>,
    who: Staff,
    ApiPath(id): ApiPath<StaffId>,
) -> ApiResult<Response> {
    let (known, name) = manage::open(&deps, &who.caller, id).await?;
    let entry = StaffEntry::new(&who.caller.hospital, now(&deps), known);
    Ok(private(StaffMember { entry, name }))
}

/// Puts somebody on the list. The answer holds a code with which they sign in for the first time.
#[utoipa::path(post, path = "/api/v1/staff/members", tag = "staff", request_body = NewStaff, responses(
    (status = 201, body = StaffCode), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn add(
    State(deps): State<StaffDeps>,
    who: Staff,
    ApiJson(body): ApiJson<NewStaff>,
) -> ApiResult<Response> {
    let new = NewMember {
        login: body.login,
        name: body.name,
        roles: body.roles,
        doctor_id: body.doctor_id,
        department_ids: body.department_ids,
        wecom_userid: body.wecom_userid,
    };
    let (id, code) = manage::add(&deps, &who, new).await?;
    Ok((StatusCode::CREATED, private(StaffCode { id, code })).into_response())
}

/// Changes somebody. Whoever's roles, departments or state change is signed out.
#[utoipa::path(patch, path = "/api/v1/staff/members/{id}", tag = "staff", params(("id" = String, Path)), request_body = StaffPatch,
    responses((status = 200, body = StaffMember), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
    (status = 422, body = ProblemBody)))]
pub(super) async fn change(
    State(deps): State<StaffDeps>,
    who: Staff,
    ApiPath(id): ApiPath<StaffId>,
    ApiJson(body): ApiJson<StaffPatch>,
) -> ApiResult<Response> {
    let change = Change {
        name: body.name,
        roles: body.roles,
        state: body.state,
        doctor_id: body.doctor_id,
        department_ids: body.department_ids,
        wecom_userid: body.wecom_userid,
    };
    manage::change(&deps, &who, id, change).await?;
    open(State(deps), who, ApiPath(id)).await
}

/// Gives somebody a code in place of the password, which is worth nothing from now on. All of their sessions end.
#[utoipa::path(post, path = "/api/v1/staff/members/{id}/code", tag = "staff", params(("id" = String, Path)), request_body = StaffReset,
    responses((status = 200, body = StaffCode), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn reset(
    State(deps): State<StaffDeps>,
    who: Staff,
    ApiPath(id): ApiPath<StaffId>,
    ApiJson(body): ApiJson<StaffReset>,
) -> ApiResult<Response> {
    let code = manage::reset(&deps, &who, id, body.second_factor).await?;
    Ok(private(StaffCode { id, code }))
}

/// Somebody's sessions.
#[utoipa::path(get, path = "/api/v1/staff/members/{id}/sessions", tag = "staff", params(("id" = String, Path)),
    responses((status = 200, body = SessionList)))]
pub(super) async fn sessions(
    State(deps): State<StaffDeps>,
    who: Staff,
    ApiPath(id): ApiPath<StaffId>,
) -> ApiResult<Response> {
    let theirs = own::sessions(&deps, &who.caller, id).await?;
    Ok(private(SessionList::new(&who.caller.hospital, theirs)))
}

/// Ends all of somebody's sessions.
#[utoipa::path(delete, path = "/api/v1/staff/members/{id}/sessions", tag = "staff", params(("id" = String, Path)),
    responses((status = 200, body = SessionsEnded)))]
pub(super) async fn end_sessions(
    State(deps): State<StaffDeps>,
    who: Staff,
    ApiPath(id): ApiPath<StaffId>,
) -> ApiResult<Response> {
    Ok(private(SessionsEnded { ended: manage::end_sessions(&deps, &who, id).await? }))
}

/// Ends one of somebody's sessions.
#[utoipa::path(delete, path = "/api/v1/staff/members/{id}/sessions/{name}", tag = "staff",
    params(("id" = String, Path), ("name" = String, Path)), responses((status = 204), (status = 404, body = ProblemBody)))]
pub(super) async fn end_session(
    State(deps): State<StaffDeps>,
    who: Staff,
    ApiPath((id, name)): ApiPath<(StaffId, String)>,
) -> ApiResult<StatusCode> {
    manage::end_session(&deps, &who, id, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
