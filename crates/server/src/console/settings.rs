//! The hospital's settings, section by section.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use base::{Problem, Text2};
use edge::problem::ProblemBody;
use edge::schema::Text2Schema;
use edge::settings::keep::{self, Change, SettingChangeId};
use edge::{ApiJson, ApiPath, ApiResult, Caller, Section};
use people::staff::who::logins;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::Deps;
use super::program::ProgramKey;

/// So many changes of a section are looked at.
const MOST_CHANGES: i64 = 200;

store::text_enum! {
    /// Where a value comes from.
    #[derive(ToSchema)]
    #[schema(as = SettingSource)]
    pub enum Source {
        /// Nobody has set it.
        Default = "default",
        /// Somebody has set it, here or through the program.
        Database = "database",
        /// It stands in the program's file.
        File = "file",
        /// The environment says so.
        Environment = "environment",
        /// Whoever starts the program gave it: the demonstration, a test.
        Program = "program",
    }
}

/// A key with what holds now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SettingKey)]
pub(super) struct KeyBody {
    name: String,
    /// What it means.
    #[schema(value_type = Text2Schema)]
    meaning: Text2,
    default: Value,
    value: Value,
    source: Source,
    /// Who set it last: a login, else an id or `system`.
    #[schema(required = false)]
    changed_by: Option<String>,
    #[schema(format = DateTime, required = false)]
    changed_at: Option<String>,
    /// A number is at least so much …
    #[schema(required = false)]
    least: Option<i64>,
    /// … and at most so much.
    #[schema(required = false)]
    most: Option<i64>,
}

/// A section.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SettingSection)]
pub(super) struct SectionBody {
    name: String,
    #[schema(value_type = Text2Schema)]
    title: Text2,
    /// Goes up with every change: what a change is based on.
    version: i64,
    keys: Vec<KeyBody>,
}

/// `GET /staff/settings`
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SettingList)]
pub(super) struct ListBody {
    /// What the hospital sets for itself.
    sections: Vec<SectionBody>,
    /// What the program was started with; changed in its file, not here. Secrets are not shown.
    program: Vec<ProgramKey>,
}

async fn body(deps: &Deps, caller: &Caller, section: &Section) -> ApiResult<SectionBody> {
    let hospital = &caller.hospital;
    let stored = keep::stored(&deps.db, hospital.id, section.name).await?;
    let changes = keep::changes(&deps.db, hospital.id, section.name, MOST_CHANGES).await?;
    let names = names(deps, caller, &changes, stored.by.as_ref().map(|(by, _)| by.as_str())).await?;
    let effective = section.effective(&stored.values);
    let key = |key: &edge::settings::Key| {
        let set = stored.values.contains_key(key.name);
        let last = changes.iter().find(|c| c.keys().contains_key(key.name)).map(|c| (&c.by, c.at));
        let last = last.or_else(|| stored.by.as_ref().filter(|_| set).map(|(by, at)| (by, *at)));
        KeyBody {
            name: key.name.to_owned(),
            meaning: key.meaning.clone(),
            default: section.defaults.get(key.name).cloned().unwrap_or_default(),
            value: effective.get(key.name).cloned().unwrap_or_default(),
            source: if set { Source::Database } else { Source::Default },
            changed_by: last.map(|(by, _)| called(&names, by)),
            changed_at: last.map(|(_, at)| hospital.rfc3339(at)),
            least: key.bounds.map(|b| b.0),
            most: key.bounds.map(|b| b.1),
        }
    };
    let keys = section.keys.iter().map(key).collect();
    Ok(SectionBody {
        name: section.name.to_owned(),
        title: section.title.clone(),
        version: stored.version,
        keys,
    })
}

async fn names(
    deps: &Deps,
    caller: &Caller,
    changes: &[Change],
    last: Option<&str>,
) -> store::Result<HashMap<String, String>> {
    let actors = changes.iter().map(|c| c.by.as_str()).chain(last);
    logins(&deps.db, caller.hospital.id, actors).await
}

fn called(names: &HashMap<String, String>, actor: &str) -> String {
    names.get(actor).cloned().unwrap_or_else(|| actor.to_owned())
}

fn known<'a>(deps: &'a Deps, name: &str) -> Result<&'a Section, Problem> {
    deps.sections.iter().find(|s| s.name == name).ok_or_else(Problem::not_found)
}

/// All settings, each with its meaning, its default, what holds now and where that comes from.
#[utoipa::path(get, path = "/api/v1/staff/settings", tag = "console", responses((status = 200, body = ListBody)))]
pub(super) async fn list(State(deps): State<Deps>, caller: Caller) -> ApiResult<Json<ListBody>> {
    let mut sections = Vec::new();
    for section in deps.sections.iter() {
        sections.push(body(&deps, &caller, section).await?);
    }
    Ok(Json(ListBody { sections, program: deps.program.to_vec() }))
}

/// A change of some keys.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SettingPatch)]
pub(super) struct PatchBody {
    /// The section's version that the change is based on.
    version: i64,
    /// The new values by key; `null` gives a key its default back.
    #[schema(value_type = std::collections::BTreeMap<String, Value>)]
    values: Map<String, Value>,
}

/// Changes some keys of a section. It holds here at once, on other nodes within five seconds.
#[utoipa::path(patch, path = "/api/v1/staff/settings/{section}", tag = "console", request_body = PatchBody, params(("section" = String, Path)),
    responses((status = 200, body = SectionBody), (status = 404, body = ProblemBody), (status = 409, description = "settings_changed", body = ProblemBody),
        (status = 422, description = "settings_invalid, with the keys at fault", body = ProblemBody)))]
pub(super) async fn change(
    State(deps): State<Deps>,
    caller: Caller,
    ApiPath(name): ApiPath<String>,
    ApiJson(patch): ApiJson<PatchBody>,
) -> ApiResult<Json<SectionBody>> {
    let section = known(&deps, &name)?;
    let mut tx = deps.db.begin().await?;
    keep::change(&mut tx, &caller, section, &patch.values, patch.version).await.map_err(Problem::from)?;
    tx.commit().await?;
    deps.hospitals.reload().await?;
    Ok(Json(body(&deps, &caller, section).await?))
}

/// A key that was changed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChangedSetting)]
pub(super) struct ChangedBody {
    name: String,
    /// What stood there; `null` for the default.
    before: Option<Value>,
    /// What stands there since; `null` for the default.
    after: Option<Value>,
}

/// A change of a section.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SettingChange)]
pub(super) struct ChangeBody {
    #[schema(value_type = String)]
    id: SettingChangeId,
    #[schema(format = DateTime)]
    at: String,
    /// A login, else an id or `system`.
    by: String,
    keys: Vec<ChangedBody>,
    /// It took this change back.
    #[schema(value_type = Option<String>)]
    undoes: Option<SettingChangeId>,
    /// It was taken back.
    undone: bool,
}

/// `GET /staff/settings/{section}/changes`
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SettingChangeList)]
pub(super) struct ChangeListBody {
    /// Newest first, 200 at most.
    items: Vec<ChangeBody>,
}

/// What was changed in a section, by whom and when.
#[utoipa::path(get, path = "/api/v1/staff/settings/{section}/changes", tag = "console", params(("section" = String, Path)),
    responses((status = 200, body = ChangeListBody), (status = 404, body = ProblemBody)))]
pub(super) async fn changes(
    State(deps): State<Deps>,
    caller: Caller,
    ApiPath(name): ApiPath<String>,
) -> ApiResult<Json<ChangeListBody>> {
    let section = known(&deps, &name)?;
    let hospital = &caller.hospital;
    let found = keep::changes(&deps.db, hospital.id, section.name, MOST_CHANGES).await?;
    let names = names(&deps, &caller, &found, None).await?;
    let undone = |id| found.iter().any(|c| c.undoes == Some(id));
    let item = |c: &Change| ChangeBody {
        id: c.id,
        at: hospital.rfc3339(c.at),
        by: called(&names, &c.by),
        keys: c
            .keys()
            .into_iter()
            .map(|(name, (before, after))| ChangedBody {
                name: name.to_owned(),
                before: before.cloned(),
                after: after.cloned(),
            })
            .collect(),
        undoes: c.undoes,
        undone: undone(c.id),
    };
    Ok(Json(ChangeListBody { items: found.iter().map(item).collect() }))
}

/// Takes a change back, as long as none of its keys was changed again.
#[utoipa::path(post, path = "/api/v1/staff/settings/{section}/changes/{id}/undo", tag = "console",
    params(("section" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = SectionBody), (status = 404, body = ProblemBody),
        (status = 409, description = "settings_changed_since, settings_changed", body = ProblemBody)))]
pub(super) async fn undo(
    State(deps): State<Deps>,
    caller: Caller,
    ApiPath((name, id)): ApiPath<(String, SettingChangeId)>,
) -> ApiResult<Json<SectionBody>> {
    let section = known(&deps, &name)?;
    let mut tx = deps.db.begin().await?;
    keep::undo(&mut tx, &caller, section, id).await.map_err(Problem::from)?;
    tx.commit().await?;
    deps.hospitals.reload().await?;
    Ok(Json(body(&deps, &caller, section).await?))
}
