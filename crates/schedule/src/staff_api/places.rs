//! Campuses, departments and doctors as staff keep them: each by the hospital's own code.

use std::collections::HashMap;

use aws_lc_rs::digest;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::{HospitalId, Kind, Lang, Problem, Text2};
use bytes::Bytes;
use edge::schema::Text2Schema;
use edge::{ApiJson, ApiPath, ApiResult, Caller};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::value::Row;
use store::{Db, Tx, args};
use utoipa::ToSchema;

use super::StaffDeps;
use crate::model::{CampusId, DepartmentId, DoctorId, Title};
use crate::plan::{self, NewCampus, NewDepartment, NewDoctor};
use crate::store::staff as sql;

/// The largest photo, bytes.
const LARGEST_PHOTO: usize = 300 * 1024;

/// A campus.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StaffCampus)]
pub(super) struct CampusBody {
    #[schema(value_type = String)]
    id: CampusId,
    code: String,
    #[schema(value_type = Text2Schema)]
    name: Text2,
    #[schema(value_type = Text2Schema)]
    address: Text2,
    position: u32,
}

/// A department.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StaffDepartment)]
pub(super) struct DepartmentBody {
    #[schema(value_type = String)]
    id: DepartmentId,
    code: String,
    #[schema(value_type = Option<String>)]
    parent_id: Option<DepartmentId>,
    #[schema(value_type = Text2Schema)]
    name: Text2,
    #[schema(value_type = Text2Schema)]
    intro: Text2,
    initials: String,
    pinyin: String,
    child_only: bool,
    adult_only: bool,
    position: u32,
    /// Shown to patients.
    active: bool,
}

/// A doctor.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StaffDoctor)]
pub(super) struct DoctorBody {
    #[schema(value_type = String)]
    id: DoctorId,
    code: String,
    #[schema(value_type = Text2Schema)]
    name: Text2,
    initials: String,
    pinyin: String,
    /// 1 (chief) to 5.
    title_code: u8,
    #[schema(value_type = Text2Schema)]
    title: Text2,
    #[schema(value_type = Text2Schema)]
    specialities: Text2,
    #[schema(value_type = Text2Schema)]
    introduction: Text2,
    photo_url: Option<String>,
    /// In order; the first stands beside the name.
    #[schema(value_type = Vec<String>)]
    department_ids: Vec<DepartmentId>,
    position: u32,
    /// Shown to patients.
    active: bool,
}

/// `GET /staff/places`
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StaffPlaces)]
pub(super) struct PlacesBody {
    campuses: Vec<CampusBody>,
    departments: Vec<DepartmentBody>,
    doctors: Vec<DoctorBody>,
}

fn text2(row: &Row, zh: &str, en: &str) -> store::Result<Text2> {
    Ok(Text2 { zh: row.get(zh)?, en: row.get(en)? })
}

async fn read(db: &Db, hospital: HospitalId) -> store::Result<PlacesBody> {
    let campuses = db.all::<Row>(sql::CAMPUSES, args![hospital]).await?;
    let campuses = campuses.iter().map(|row| {
        Ok(CampusBody {
            id: row.get("id")?,
            code: row.get("code")?,
            name: text2(row, "name_zh", "name_en")?,
            address: text2(row, "address_zh", "address_en")?,
            position: row.get("position")?,
        })
    });
    let departments = db.all::<Row>(sql::DEPARTMENTS, args![hospital]).await?;
    let departments = departments.iter().map(|row| {
        Ok(DepartmentBody {
            id: row.get("id")?,
            code: row.get("code")?,
            parent_id: row.get("parent_id")?,
            name: text2(row, "name_zh", "name_en")?,
            intro: text2(row, "intro_zh", "intro_en")?,
            initials: row.get("initials")?,
            pinyin: row.get("pinyin")?,
            child_only: row.get("child_only")?,
            adult_only: row.get("adult_only")?,
            position: row.get("position")?,
            active: row.get("active")?,
        })
    });
    let mut of: HashMap<DoctorId, Vec<DepartmentId>> = HashMap::new();
    for row in db.all::<Row>(sql::MEMBERS, args![hospital]).await? {
        of.entry(row.get("doctor_id")?).or_default().push(row.get("department_id")?);
    }
    let doctors = db.all::<Row>(sql::DOCTORS, args![hospital]).await?;
    let doctors = doctors.iter().map(|row| {
        let (id, title): (DoctorId, Title) = (row.get("id")?, row.get("title_code")?);
        Ok(DoctorBody {
            id,
            code: row.get("code")?,
            name: text2(row, "name_zh", "name_en")?,
            initials: row.get("initials")?,
            pinyin: row.get("pinyin")?,
            title_code: title.code(),
            title: title.name(),
            specialities: text2(row, "specialities_zh", "specialities_en")?,
            introduction: text2(row, "introduction_zh", "introduction_en")?,
            photo_url: row.get("photo_url")?,
            department_ids: of.remove(&id).unwrap_or_default(),
            position: row.get("position")?,
            active: row.get("active")?,
        })
    });
    Ok(PlacesBody {
        campuses: campuses.collect::<store::Result<_>>()?,
        departments: departments.collect::<store::Result<_>>()?,
        doctors: doctors.collect::<store::Result<_>>()?,
    })
}

/// Names by id, for files.
pub(super) struct Names {
    campuses: HashMap<CampusId, Text2>,
    departments: HashMap<DepartmentId, Text2>,
    doctors: HashMap<DoctorId, Text2>,
}

impl Names {
    pub(super) async fn read(db: &Db, hospital: HospitalId) -> store::Result<Self> {
        let all = read(db, hospital).await?;
        Ok(Self {
            campuses: all.campuses.into_iter().map(|c| (c.id, c.name)).collect(),
            departments: all.departments.into_iter().map(|d| (d.id, d.name)).collect(),
            doctors: all.doctors.into_iter().map(|d| (d.id, d.name)).collect(),
        })
    }

    pub(super) fn campus(&self, id: CampusId, lang: Lang) -> &str {
        self.campuses.get(&id).map_or("", |n| n.get(lang))
    }

    pub(super) fn department(&self, id: DepartmentId, lang: Lang) -> &str {
        self.departments.get(&id).map_or("", |n| n.get(lang))
    }

    pub(super) fn doctor(&self, id: DoctorId, lang: Lang) -> &str {
        self.doctors.get(&id).map_or("", |n| n.get(lang))
    }
}

/// Campuses, departments and doctors, those that patients are not shown too.
#[utoipa::path(get, path = "/api/v1/staff/places", tag = "schedule_staff", responses((status = 200, body = PlacesBody)))]
pub(super) async fn places(State(deps): State<StaffDeps>, caller: Caller) -> ApiResult<Json<PlacesBody>> {
    Ok(Json(read(&deps.db, caller.hospital.id).await?))
}

/// A campus, as staff write it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CampusRequest)]
pub(super) struct PutCampusBody {
    #[schema(value_type = Text2Schema)]
    name: Text2,
    /// May be empty.
    #[serde(default)]
    #[schema(value_type = Text2Schema)]
    address: Text2,
    #[serde(default)]
    position: u32,
}

async fn done(deps: &StaffDeps, caller: &Caller, tx: Tx) -> ApiResult<Json<PlacesBody>> {
    tx.commit().await?;
    deps.board.wake();
    Ok(Json(read(&deps.db, caller.hospital.id).await?))
}

/// Adds a campus, or changes the one of this code.
#[utoipa::path(put, path = "/api/v1/staff/campuses/{code}", tag = "schedule_staff", request_body = PutCampusBody, params(("code" = String, Path)),
    responses((status = 200, body = PlacesBody), (status = 422, body = edge::problem::ProblemBody)))]
pub(super) async fn put_campus(
    State(deps): State<StaffDeps>,
    caller: Caller,
    ApiPath(code): ApiPath<String>,
    ApiJson(new): ApiJson<PutCampusBody>,
) -> ApiResult<Json<PlacesBody>> {
    let mut tx = deps.db.begin().await?;
    let detail = json!({"campus": new});
    let new = NewCampus { code, name: new.name, address: new.address, position: new.position };
    let id = plan::add_campus(&mut tx, caller.hospital.id, &new).await?;
    tx.audit(caller.audit("schedule.place", id, detail)).await?;
    done(&deps, &caller, tx).await
}

fn yes() -> bool {
    true
}

/// A department, as staff write it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DepartmentRequest)]
pub(super) struct PutDepartmentBody {
    /// The department above; none on the first level.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    parent_id: Option<DepartmentId>,
    #[schema(value_type = Text2Schema)]
    name: Text2,
    /// May be empty.
    #[serde(default)]
    #[schema(value_type = Text2Schema)]
    intro: Text2,
    #[serde(default)]
    initials: String,
    #[serde(default)]
    pinyin: String,
    #[serde(default)]
    child_only: bool,
    #[serde(default)]
    adult_only: bool,
    #[serde(default)]
    position: u32,
    /// Shown to patients.
    #[serde(default = "yes")]
    active: bool,
}

/// Adds a department, or changes the one of this code.
#[utoipa::path(put, path = "/api/v1/staff/departments/{code}", tag = "schedule_staff", request_body = PutDepartmentBody, params(("code" = String, Path)),
    responses((status = 200, body = PlacesBody), (status = 422, body = edge::problem::ProblemBody)))]
pub(super) async fn put_department(
    State(deps): State<StaffDeps>,
    caller: Caller,
    ApiPath(code): ApiPath<String>,
    ApiJson(new): ApiJson<PutDepartmentBody>,
) -> ApiResult<Json<PlacesBody>> {
    let hospital = caller.hospital.id;
    let mut tx = deps.db.begin().await?;
    let (detail, active) = (json!({"department": new}), new.active);
    let new = NewDepartment {
        code,
        parent: new.parent_id,
        name: new.name,
        intro: new.intro,
        initials: new.initials,
        pinyin: new.pinyin,
        child_only: new.child_only,
        adult_only: new.adult_only,
        position: new.position,
    };
    let id = plan::add_department(&mut tx, hospital, &new).await?;
    tx.exec(sql::DEPARTMENT_ACTIVE, args![hospital, id, active]).await?;
    tx.audit(caller.audit("schedule.place", id, detail)).await?;
    done(&deps, &caller, tx).await
}

/// A doctor, as staff write it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DoctorRequest)]
pub(super) struct PutDoctorBody {
    #[schema(value_type = Text2Schema)]
    name: Text2,
    #[serde(default)]
    initials: String,
    #[serde(default)]
    pinyin: String,
    /// 1 (chief) to 5.
    #[schema(minimum = 1, maximum = 5)]
    title_code: u8,
    /// May be empty.
    #[serde(default)]
    #[schema(value_type = Text2Schema)]
    specialities: Text2,
    /// May be empty.
    #[serde(default)]
    #[schema(value_type = Text2Schema)]
    introduction: Text2,
    /// At least one; the first stands beside the name.
    #[schema(value_type = Vec<String>)]
    department_ids: Vec<DepartmentId>,
    #[serde(default)]
    position: u32,
    /// Shown to patients.
    #[serde(default = "yes")]
    active: bool,
}

/// Adds a doctor, or changes the one of this code. The photo stays.
#[utoipa::path(put, path = "/api/v1/staff/doctors/{code}", tag = "schedule_staff", request_body = PutDoctorBody, params(("code" = String, Path)),
    responses((status = 200, body = PlacesBody), (status = 422, body = edge::problem::ProblemBody)))]
pub(super) async fn put_doctor(
    State(deps): State<StaffDeps>,
    caller: Caller,
    ApiPath(code): ApiPath<String>,
    ApiJson(new): ApiJson<PutDoctorBody>,
) -> ApiResult<Json<PlacesBody>> {
    let hospital = caller.hospital.id;
    let Some(title) = Title::from_code(new.title_code) else {
        let problem =
            Problem::new(Kind::Invalid, "plan_invalid", "有些内容不正确。", "Some values are not right.");
        return Err(problem.field("title_code", "wrong_value", "应为 1 到 5", "is 1 to 5").into());
    };
    let mut tx = deps.db.begin().await?;
    let known = tx.opt::<Row>(sql::DOCTOR_OF_CODE, args![hospital, &code]).await?;
    let photo_url = known.map(|row| row.get::<Option<String>>("photo_url")).transpose()?.flatten();
    let (detail, active) = (json!({"doctor": new}), new.active);
    let new = NewDoctor {
        code,
        name: new.name,
        initials: new.initials,
        pinyin: new.pinyin,
        title,
        specialities: new.specialities,
        introduction: new.introduction,
        photo_url,
        departments: new.department_ids,
        position: new.position,
    };
    let id = plan::add_doctor(&mut tx, hospital, &new).await?;
    tx.exec(sql::DOCTOR_ACTIVE, args![hospital, id, active]).await?;
    tx.audit(caller.audit("schedule.place", id, detail)).await?;
    done(&deps, &caller, tx).await
}

/// What a picture is, by its first bytes; its name's end and its type.
fn picture_kind(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
    match bytes {
        _ if bytes.starts_with(&[0xFF, 0xD8, 0xFF]) => Some(("jpg", "image/jpeg")),
        _ if bytes.starts_with(b"\x89PNG\r\n\x1a\n") => Some(("png", "image/png")),
        _ if webp => Some(("webp", "image/webp")),
        _ => None,
    }
}

/// Sets a doctor's photo: JPEG, PNG or WebP of at most 300 KiB, as the body itself.
#[utoipa::path(put, path = "/api/v1/staff/doctors/{code}/photo", tag = "schedule_staff", params(("code" = String, Path)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = PlacesBody), (status = 404, body = edge::problem::ProblemBody), (status = 413, body = edge::problem::ProblemBody),
        (status = 415, description = "photo_unreadable", body = edge::problem::ProblemBody)))]
pub(super) async fn put_photo(
    State(deps): State<StaffDeps>,
    caller: Caller,
    ApiPath(code): ApiPath<String>,
    bytes: Bytes,
) -> ApiResult<Json<PlacesBody>> {
    let hospital = caller.hospital.id;
    if bytes.len() > LARGEST_PHOTO {
        let (zh, en) = ("照片不能超过 300 KB。", "A photo is at most 300 KB.");
        return Err(Problem::new(Kind::TooLarge, "photo_too_large", zh, en).into());
    }
    let Some((end, kind)) = picture_kind(&bytes) else {
        let (zh, en) =
            ("请上传 JPEG、PNG 或 WebP 格式的照片。", "Please choose a JPEG, PNG or WebP picture.");
        return Err(Problem::new(Kind::MediaType, "photo_unreadable", zh, en).into());
    };
    let hash = hex::encode(digest::digest(&digest::SHA256, &bytes));
    let name = format!("{hash}.{end}");
    let mut tx = deps.db.begin().await?;
    let now = tx.now();
    tx.exec(sql::ADD_PHOTO, args![hospital, &name, kind, bytes.to_vec(), now]).await?;
    let url = format!("/api/v1/photos/{name}");
    if tx.exec(sql::DOCTOR_PHOTO, args![hospital, &code, url]).await? == 0 {
        return Err(Problem::not_found().into());
    }
    tx.exec(sql::FORGET_PHOTOS, args![hospital]).await?;
    tx.audit(caller.audit("schedule.place", format!("doctor_{code}"), json!({"photo": name}))).await?;
    plan::bump(&mut tx, hospital).await?;
    done(&deps, &caller, tx).await
}

/// A photo that staff have put there. Its name is what it shows: it never changes.
#[utoipa::path(get, path = "/api/v1/photos/{name}", tag = "schedule", params(("name" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "image/jpeg"), (status = 404, body = edge::problem::ProblemBody)))]
pub(crate) async fn photo(
    State(deps): State<StaffDeps>,
    caller: Caller,
    ApiPath(name): ApiPath<String>,
) -> ApiResult<Response> {
    let row = deps.db.opt::<Row>(sql::PHOTO, args![caller.hospital.id, name]).await?;
    let row = row.ok_or_else(Problem::not_found)?;
    let (kind, bytes): (String, Vec<u8>) = (row.get("media_type")?, row.get("content")?);
    let headers = [(CONTENT_TYPE, kind.as_str()), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((headers, bytes).into_response())
}

#[cfg(test)]
mod tests {
    use super::picture_kind;

    #[test]
    fn pictures_are_known_by_their_first_bytes() {
        assert_eq!(picture_kind(&[0xFF, 0xD8, 0xFF, 0xE0, 0]).map(|k| k.0), Some("jpg"));
        assert_eq!(picture_kind(b"\x89PNG\r\n\x1a\n....").map(|k| k.0), Some("png"));
        assert_eq!(picture_kind(b"RIFF\0\0\0\0WEBPVP8 ").map(|k| k.0), Some("webp"));
        for other in [&b"<svg onload=alert(1)>"[..], b"", b"RIFF\0\0\0\0WAVE", b"GIF89a", b"\xFF\xD8"] {
            assert_eq!(picture_kind(other), None);
        }
    }
}
