//! The routes: a device asks to be let in and what it is to show; staff let it in.

use axum::Extension;
use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum_extra::extract::CookieJar;
use edge::layers::SeenAs;
use edge::problem::ProblemBody;
use edge::{
    Anyone, ApiJson, ApiPath, ApiResult, Caller, Device, DeviceId, DeviceKind, Hospital, Role, Routes, Staff,
    Who, csrf,
};
use http::StatusCode;
use http::header::{CACHE_CONTROL, SET_COOKIE};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::model::{DeviceRecord, Show, View};
use super::{DeviceDeps, DeviceRefusal, manage, pairing, store};

edge::permission! {
    /// A device, about itself.
    OwnDevice = "device.own", Who::Devices(&[DeviceKind::Screen, DeviceKind::Kiosk]);
    /// May see and let in screens and kiosks.
    ManageDevices = "device.manage", Who::Roles(&[Role::SystemAdmin, Role::Operations, Role::Triage, Role::Nurse]);
}

/// The routes, each with its permission.
#[must_use]
pub(crate) fn routes() -> Routes<DeviceDeps> {
    Routes::new()
        .route::<Anyone>(routes!(ask))
        .route::<Anyone>(routes!(claim))
        .route::<OwnDevice>(routes!(own))
        .route::<ManageDevices>(routes!(list))
        .route::<ManageDevices>(routes!(let_in))
        .route::<ManageDevices>(routes!(change))
        .route::<ManageDevices>(routes!(remove))
}

/// What a device shows that asks to be let in.
#[derive(Serialize, ToSchema)]
struct PairingAsked {
    /// By this it asks whether it was let in.
    id: String,
    /// By this it proves that it is the one that asked. Not for showing.
    secret: String,
    /// What it shows: whoever types this in the console lets it in.
    code: String,
    /// It holds for so many seconds.
    expires_in_s: u64,
}

/// The secret of a pairing.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PairingSecret {
    /// As it was given.
    secret: String,
}

/// Whether a device was let in.
#[derive(Serialize, ToSchema)]
struct PairingState {
    /// Whether it was: then the answer sets the session's cookie.
    paired: bool,
    /// The device, then.
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<DeviceEntry>,
}

/// What a device shows.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DeviceShow {
    /// What.
    view: View,
    /// The id of the area or of the room; empty for the other views.
    #[serde(default)]
    of: String,
}

/// A device.
#[derive(Serialize, ToSchema)]
struct DeviceEntry {
    /// `dev_…`
    #[schema(value_type = String)]
    id: DeviceId,
    /// What it may do.
    kind: DeviceKind,
    /// What staff call it.
    name: String,
    /// What it shows.
    show: DeviceShow,
    /// Since when it is ours.
    #[schema(format = DateTime)]
    added_at: String,
    /// When it was last heard of, give or take a minute.
    #[schema(format = DateTime)]
    seen_at: String,
}

/// Devices by name.
#[derive(Serialize, ToSchema)]
struct DeviceList {
    /// The devices.
    items: Vec<DeviceEntry>,
}

/// The device that asks, and what goes with its requests.
#[derive(Serialize, ToSchema)]
struct DeviceSelf {
    /// Itself.
    device: DeviceEntry,
    /// What changing requests carry in `X-CSRF`.
    csrf: String,
}

/// A device to be let in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewDevice {
    /// The code on its screen; hyphens and small letters don't matter.
    code: String,
    /// What staff call it, 40 characters at most.
    name: String,
    /// What it is to show.
    show: DeviceShow,
}

/// What is to change; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DevicePatch {
    /// The name.
    #[serde(default)]
    name: Option<String>,
    /// What it is to show.
    #[serde(default)]
    show: Option<DeviceShow>,
}

impl DeviceShow {
    fn parse(&self) -> Result<Show, DeviceRefusal> {
        Show::parse(self.view, &self.of).ok_or(DeviceRefusal::View)
    }
}

impl DeviceEntry {
    fn new(hospital: &Hospital, device: DeviceRecord) -> Self {
        Self {
            id: device.id,
            kind: device.kind,
            name: device.name,
            show: DeviceShow { view: device.show.view, of: device.show.of },
            added_at: hospital.rfc3339(device.added_at),
            seen_at: hospital.rfc3339(device.seen_at),
        }
    }
}

fn private(body: impl Serialize) -> Response {
    ([(CACHE_CONTROL, "no-store")], axum::Json(body)).into_response()
}

/// A device asks to be let in; it shows the code.
#[utoipa::path(post, path = "/api/v1/devices/pairings", tag = "devices", responses(
    (status = 201, body = PairingAsked), (status = 429, body = ProblemBody)))]
async fn ask(State(deps): State<DeviceDeps>, caller: Caller) -> ApiResult<Response> {
    let asked = pairing::ask(&deps, &caller).await?;
    let expires_in_s = store::LIFE.as_secs();
    let body = PairingAsked { id: asked.id, secret: asked.secret, code: asked.code, expires_in_s };
    Ok((StatusCode::CREATED, private(body)).into_response())
}

/// A device asks whether somebody has typed its code. The session that its browser had ends.
#[utoipa::path(post, path = "/api/v1/devices/pairings/{id}/claim", tag = "devices", params(("id" = String, Path)),
    request_body = PairingSecret, responses((status = 200, body = PairingState), (status = 410, body = ProblemBody)))]
async fn claim(
    State(deps): State<DeviceDeps>,
    caller: Caller,
    Extension(seen): Extension<SeenAs>,
    jar: CookieJar,
    ApiPath(id): ApiPath<String>,
    ApiJson(body): ApiJson<PairingSecret>,
) -> ApiResult<Response> {
    let Some(paired) = pairing::claim(&deps, &caller, &id, &body.secret).await? else {
        return Ok(private(PairingState { paired: false, device: None }));
    };
    if let Some(old) = jar.get(seen.cookies().name()) {
        deps.people.sessions.end(old.value()).await?;
    }
    let cookie = seen.cookies().cookie(paired.token).to_string();
    let device = Some(DeviceEntry::new(&caller.hospital, paired.device));
    Ok((AppendHeaders([(SET_COOKIE, cookie)]), private(PairingState { paired: true, device }))
        .into_response())
}

/// What the device is and what it is to show. Asked now and then, so that a change in the console reaches it.
#[utoipa::path(get, path = "/api/v1/device", tag = "devices", responses((status = 200, body = DeviceSelf)))]
async fn own(State(deps): State<DeviceDeps>, who: Device) -> ApiResult<Response> {
    let (db, h) = (&deps.people.db, who.caller.hospital.id);
    let device = store::get(db, h, who.id).await?.ok_or(DeviceRefusal::NotFound)?;
    if db.now().since(device.seen_at) >= store::SEEN_EVERY {
        store::seen(db, h, who.id).await?;
    }
    let csrf = who.caller.session.as_ref().map(|s| csrf::token(&s.token_hash)).unwrap_or_default();
    Ok(private(DeviceSelf { device: DeviceEntry::new(&who.caller.hospital, device), csrf }))
}

/// All screens and kiosks.
#[utoipa::path(get, path = "/api/v1/staff/devices", tag = "devices", responses((status = 200, body = DeviceList)))]
async fn list(State(deps): State<DeviceDeps>, who: Staff) -> ApiResult<Response> {
    let found = manage::list(&deps, &who.caller).await?;
    let items = found.into_iter().map(|device| DeviceEntry::new(&who.caller.hospital, device)).collect();
    Ok(private(DeviceList { items }))
}

/// Lets in the device that shows a code. Twice is once.
#[utoipa::path(post, path = "/api/v1/staff/devices", tag = "devices", request_body = NewDevice, responses(
    (status = 201, body = DeviceEntry), (status = 422, body = ProblemBody)))]
async fn let_in(
    State(deps): State<DeviceDeps>,
    who: Staff,
    ApiJson(body): ApiJson<NewDevice>,
) -> ApiResult<Response> {
    let show = body.show.parse()?;
    let device = manage::let_in(&deps, &who.caller, &body.code, &body.name, &show).await?;
    Ok((StatusCode::CREATED, private(DeviceEntry::new(&who.caller.hospital, device))).into_response())
}

/// Renames a device or shows something else on it.
#[utoipa::path(patch, path = "/api/v1/staff/devices/{id}", tag = "devices", params(("id" = String, Path)), request_body = DevicePatch,
    responses((status = 200, body = DeviceEntry), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
    (status = 422, body = ProblemBody)))]
async fn change(
    State(deps): State<DeviceDeps>,
    who: Staff,
    ApiPath(id): ApiPath<DeviceId>,
    ApiJson(body): ApiJson<DevicePatch>,
) -> ApiResult<Response> {
    let show = body.show.as_ref().map(DeviceShow::parse).transpose()?;
    let device = manage::change(&deps, &who.caller, id, body.name.as_deref(), show).await?;
    Ok(private(DeviceEntry::new(&who.caller.hospital, device)))
}

/// Removes a device; it is signed out.
#[utoipa::path(delete, path = "/api/v1/staff/devices/{id}", tag = "devices", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = ProblemBody)))]
async fn remove(
    State(deps): State<DeviceDeps>,
    who: Staff,
    ApiPath(id): ApiPath<DeviceId>,
) -> ApiResult<StatusCode> {
    manage::remove(&deps, &who.caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
