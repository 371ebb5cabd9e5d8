//! The API description: `/api/v1/openapi.json`, a page that shows it at `/api/docs`, and the table of routes and roles.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use axum::Router;
use axum::body::Bytes;
use axum::response::IntoResponse;
use axum::routing::get;
use base::Problem;
use edge::permission::{Role, Who};
use edge::routes::Rule;
use edge::{Actor, ApiResult, DeviceId, DeviceKind, StaffId};
use futures_util::FutureExt as _;
use http::header::CONTENT_TYPE;
use serde_json::Value;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{ContactBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder};

/// The description's frame; capabilities bring the routes.
#[must_use]
pub fn frame() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Xinglin")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "A hospital's services for patients and staff. JSON in lower_snake_case; ids are opaque strings with a prefix; instants are RFC 3339; \
             money is whole fen in fields that end in _fen; errors are application/problem+json with a stable code. \
             Requests that change something take an Idempotency-Key and, when signed in, X-CSRF from GET /api/v1/session.",
        ))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").build()))
        .contact(Some(ContactBuilder::new().name(Some("Xinglin")).build()))
        .build();
    OpenApiBuilder::new().info(info).build()
}

/// Gives every operation a name of its own: its tag and its handler's name (`appointments_list`). Handlers of two capabilities
/// may be called alike; clients that are made from the description can't have that. Where one capability calls several alike,
/// the fixed parts of the address tell them apart (`schedule_staff_add_at_quotas`).
pub fn name_operations(api: &mut OpenApi) {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for (_, operation) in operations(api) {
        let tag = operation.tags.iter().flatten().next().cloned().unwrap_or_default();
        if let Some(id) = &mut operation.operation_id {
            *id = format!("{tag}_{id}");
            *seen.entry(id.clone()).or_default() += 1;
        }
    }
    for (path, operation) in operations(api) {
        if let Some(id) = &mut operation.operation_id
            && seen.get(id).is_some_and(|times| *times > 1)
        {
            let fixed = path.split('/').skip(3).filter(|part| !part.starts_with('{') && *part != "staff");
            *id = format!("{id}_at_{}", fixed.collect::<Vec<_>>().join("_").replace('-', "_"));
        }
    }
}

fn operations(api: &mut OpenApi) -> impl Iterator<Item = (&str, &mut Operation)> {
    api.paths.paths.iter_mut().flat_map(|(path, item)| {
        [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete]
            .into_iter()
            .flatten()
            .map(|operation| (path.as_str(), operation))
    })
}

/// The description as JSON, the same bytes each time.
#[must_use]
pub fn json(api: &OpenApi) -> String {
    let mut text = serde_json::to_string_pretty(api).unwrap_or_default();
    text.push('\n');
    text
}

/// The two routes. What they give is written beside the start, which does not wait for it.
pub fn routes(api: OpenApi, rules: Vec<Rule>) -> Router {
    let written =
        tokio::task::spawn_blocking(move || (Bytes::from(json(&api)), Bytes::from(page(&api, &rules))));
    let written = written.map(Result::ok).shared();
    let description = written.clone().map(|both| both.map(|(description, _)| description)).shared();
    let page = written.map(|both| both.map(|(_, page)| page)).shared();
    Router::new()
        .route("/api/v1/openapi.json", get(move || given("application/json", description.clone())))
        .route("/api/docs", get(move || given("text/html; charset=utf-8", page.clone())))
}

async fn given(
    kind: &'static str,
    written: impl Future<Output = Option<Bytes>>,
) -> ApiResult<impl IntoResponse> {
    let bytes = written.await.ok_or_else(Problem::internal)?;
    Ok(([(CONTENT_TYPE, kind)], bytes))
}

/// The table of routes and roles, as it stands in `docs/permissions.md`.
#[must_use]
pub fn permissions(rules: &[Rule]) -> String {
    let mut rules: Vec<&Rule> = rules.iter().collect();
    rules.sort_by(|a, b| (&a.path, &a.method).cmp(&(&b.path, &b.method)));
    let mut text = String::from(
        "# Who may call what\n\nMade from the code by `cargo xtask openapi`; a test walks every route with every role and with none. \
         ● is let in; what is a person's own, only they reach. `everybody` needs no sign-in, `patients` are patients' accounts, `devices` the hospital's screens or kiosks.\n\n\
         | route | permission | everybody | patients | devices |",
    );
    for role in Role::ALL {
        let _ = write!(text, " {} |", role.code());
    }
    text.push_str("\n| --- | --- | :-: | :-: | :-: |");
    text.push_str(&" :-: |".repeat(Role::ALL.len()));
    text.push('\n');
    for rule in rules {
        let _ = write!(text, "| `{} {}` | {} |", rule.method, rule.path, rule.permission);
        let mark = |yes: bool| if yes { " ● |" } else { " |" };
        text.push_str(mark(rule.who == Who::Anyone));
        text.push_str(mark(matches!(rule.who, Who::Anyone | Who::Accounts)));
        let device = |kind: &DeviceKind| rule.who.admits(&Actor::Device(DeviceId::default(), *kind));
        text.push_str(mark(DeviceKind::ALL.iter().any(device)));
        for role in Role::ALL {
            text.push_str(mark(rule.who.admits(&Actor::Staff(StaffId::default(), vec![*role]))));
        }
        text.push('\n');
    }
    text
}

fn who(who: Who) -> String {
    match who {
        Who::Anyone => "everybody".into(),
        Who::Accounts => "patients, for what is their own".into(),
        Who::Staff => "all staff, for what is their own".into(),
        Who::Roles(roles) => codes(roles),
        Who::Devices(kinds) => kinds_of(kinds),
        Who::RolesOrDevices(roles, kinds) => format!("{}, {}", codes(roles), kinds_of(kinds)),
    }
}

fn codes(roles: &[Role]) -> String {
    roles.iter().map(|role| role.code()).collect::<Vec<_>>().join(", ")
}

fn kinds_of(kinds: &[DeviceKind]) -> String {
    kinds.iter().map(|kind| format!("{}s of the hospital", kind.code())).collect::<Vec<_>>().join(", ")
}

fn page(api: &OpenApi, rules: &[Rule]) -> String {
    let api = serde_json::to_value(api).unwrap_or_default();
    let mut html = String::from(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'><title>Xinglin API</title><style>\
         body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#17211f}code,pre{font-family:ui-monospace,monospace;font-size:.9em}\
         pre{background:#f4f6f6;padding:.75rem;overflow:auto;border-radius:8px}h2{margin-top:2.5rem}details{border:1px solid #d5dcdb;border-radius:8px;margin:.5rem 0;padding:.5rem .75rem}\
         summary{cursor:pointer}b.m{display:inline-block;min-width:4.5rem;color:#0b6b5d}.p{color:#4d5957}</style><h1>Xinglin API</h1>\
         <p>The machine-readable description is <a href='/api/v1/openapi.json'>/api/v1/openapi.json</a>.</p>",
    );
    let _ = write!(html, "<p>{}</p><h2>Routes</h2>", escape(text(&api, "/info/description")));
    let empty = serde_json::Map::new();
    for (path, item) in api.get("paths").and_then(Value::as_object).unwrap_or(&empty) {
        for (method, operation) in item.as_object().unwrap_or(&empty) {
            let rule = rules.iter().find(|r| r.path == *path && r.method.eq_ignore_ascii_case(method));
            let _ = write!(
                html,
                "<details><summary><b class=m>{}</b> <code>{}</code> <span class=p>— {}</span></summary><p>{}</p>",
                method.to_uppercase(),
                escape(path),
                escape(&rule.map_or_else(String::new, |r| who(r.who))),
                escape(&format!("{} {}", text(operation, "/summary"), text(operation, "/description"))),
            );
            for part in ["parameters", "requestBody", "responses"] {
                if let Some(part_of) = operation.get(part) {
                    let _ = write!(
                        html,
                        "<h4>{part}</h4><pre>{}</pre>",
                        escape(&serde_json::to_string_pretty(part_of).unwrap_or_default())
                    );
                }
            }
            html.push_str("</details>");
        }
    }
    html.push_str("<h2>Schemas</h2>");
    for (name, schema) in api.pointer("/components/schemas").and_then(Value::as_object).unwrap_or(&empty) {
        let text = serde_json::to_string_pretty(schema).unwrap_or_default();
        let _ = write!(
            html,
            "<details id='{0}'><summary><code>{0}</code></summary><pre>{1}</pre></details>",
            escape(name),
            escape(&text)
        );
    }
    html
}

fn text<'a>(value: &'a Value, at: &str) -> &'a str {
    value.pointer(at).and_then(Value::as_str).unwrap_or("")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn no_two_operations_have_one_name() {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let api = crate::app::description().await.unwrap().api;
        let mut names: Vec<String> = Vec::new();
        for item in api.paths.paths.values() {
            for operation in
                [&item.get, &item.post, &item.put, &item.patch, &item.delete].into_iter().flatten()
            {
                names.push(operation.operation_id.clone().unwrap());
            }
        }
        assert!(names.len() > 20);
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
