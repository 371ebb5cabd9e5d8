//! The pages: files of the web builds, embedded in a release and read from disk in development. The console for staff lies under
//! `/console/`, screens and kiosks under `/screens/`, the patient app everywhere else.
//!
//! Files under `assets/` have a hash in their name and never change; everything else is asked for again each time. An
//! address that is no file is a page's own route and gets `index.html`. Without a web build the server says which command
//! makes one.

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, LOCATION, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../web/dist/patient"]
#[allow_missing = true]
struct Patient;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../web/dist/console"]
#[allow_missing = true]
struct Console;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../web/dist/screens"]
#[allow_missing = true]
struct Screens;

/// Which build a file is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum App {
    Patient,
    Console,
    Screens,
}

impl App {
    fn get(self, path: &str) -> Option<EmbeddedFile> {
        match self {
            Self::Patient => Patient::get(path),
            Self::Console => Console::get(path),
            Self::Screens => Screens::get(path),
        }
    }
}

/// Serves all apps.
#[derive(Debug, Clone)]
pub struct Pages {
    frame_ancestors: String,
    script_hosts: String,
}

impl Pages {
    /// Pages that may be framed by `frame_ancestors` only and load scripts from `script_hosts` besides us.
    #[must_use]
    pub fn new(frame_ancestors: &[String], script_hosts: &[String]) -> Self {
        Self { frame_ancestors: frame_ancestors.join(" "), script_hosts: script_hosts.join(" ") }
    }

    /// The content security policy of a page. The hashes of its inline script and style stand beside it in the build, and are
    /// read with it: in development a build may be exchanged under a running program.
    fn policy(&self, app: App) -> HeaderValue {
        let hashes = app
            .get("csp.json")
            .and_then(|file| serde_json::from_slice::<Hashes>(&file.data).ok())
            .unwrap_or_default();
        // Nobody frames the console or a screen, and they load nobody's scripts.
        let (ancestors, scripts) = match app {
            App::Patient if !self.frame_ancestors.is_empty() => {
                (self.frame_ancestors.as_str(), self.script_hosts.as_str())
            }
            App::Patient => ("'none'", self.script_hosts.as_str()),
            App::Console | App::Screens => ("'none'", ""),
        };
        let policy = format!(
            "default-src 'self'; script-src 'self' {} {}; style-src 'self' {}; img-src 'self' data: blob:; connect-src 'self'; \
             object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors {ancestors}",
            quoted(&hashes.script),
            scripts,
            quoted(&hashes.style),
        );
        HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'self'"))
    }

    /// The answer to a request that no route took.
    #[must_use]
    pub fn answer(&self, request: &Request) -> Response {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return StatusCode::METHOD_NOT_ALLOWED.into_response();
        }
        let path = request.uri().path().trim_start_matches('/');
        // An address of the API or of a file that is not there is a 404, not a page.
        if path.starts_with("api/") || path.starts_with("wechat/") {
            return StatusCode::NOT_FOUND.into_response();
        }
        // Relative, because the hospital's part of the path was taken off before us.
        if let Some(folder) =
            [("console", "console/"), ("screens", "screens/")].into_iter().find(|f| f.0 == path)
        {
            return (StatusCode::PERMANENT_REDIRECT, [(LOCATION, folder.1)]).into_response();
        }
        let (app, path) = [("console/", App::Console), ("screens/", App::Screens)]
            .into_iter()
            .find_map(|(folder, app)| path.strip_prefix(folder).map(|rest| (app, rest)))
            .unwrap_or((App::Patient, path));
        let found = if path.is_empty() { None } else { file(app, path, request.headers()) };
        match found {
            Some(response) => response,
            None if is_file(path) || path.starts_with("assets/") => StatusCode::NOT_FOUND.into_response(),
            None => self.page(app, request.headers()),
        }
    }

    fn page(&self, app: App, headers: &HeaderMap) -> Response {
        let mut response = file(app, "index.html", headers).unwrap_or_else(not_built);
        let set = |response: &mut Response, name: HeaderName, value: HeaderValue| {
            response.headers_mut().insert(name, value);
        };
        set(&mut response, CONTENT_SECURITY_POLICY, self.policy(app));
        set(
            &mut response,
            HeaderName::from_static("referrer-policy"),
            HeaderValue::from_static("same-origin"),
        );
        if self.frame_ancestors.is_empty() || app != App::Patient {
            set(&mut response, HeaderName::from_static("x-frame-options"), HeaderValue::from_static("DENY"));
        }
        response
    }
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Hashes {
    script: Vec<String>,
    style: Vec<String>,
}

/// `sha256-…` as a policy wants it, in quotes.
/// Whether a path names a file, not a page: its last part ends like one. A page's own part may have dots in it, too: the codes of
/// places do (`/here/1.…`).
fn is_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').is_some_and(|(_, ending)| {
        (1..=11).contains(&ending.len())
            && ending.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    })
}

fn quoted(hashes: &[String]) -> String {
    hashes.iter().map(|h| format!("'{}'", h.trim_matches('\''))).collect::<Vec<_>>().join(" ")
}

/// A file of the build: the compressed one where the reader takes it.
fn file(app: App, path: &str, headers: &HeaderMap) -> Option<Response> {
    let accepts = |coding: &str| {
        headers
            .get(ACCEPT_ENCODING)
            .and_then(|v| v.to_str().ok())
            .is_some_and(|list| list.split(',').any(|c| c.trim().split(';').next() == Some(coding)))
    };
    let packed = [("br", ".br"), ("gzip", ".gz")].into_iter().filter(|(coding, _)| accepts(coding));
    let (file, coding) = packed
        .filter_map(|(coding, ending)| app.get(&format!("{path}{ending}")).map(|f| (f, Some(coding))))
        .next()
        .or_else(|| app.get(path).map(|f| (f, None)))?;
    let etag = format!("\"{}\"", hex::encode(file.metadata.sha256_hash()));
    let cache = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let known =
        headers.get(IF_NONE_MATCH).and_then(|v| v.to_str().ok()).is_some_and(|list| list.contains(&etag));
    let kind = kind_of(path);
    let common = [(ETAG, etag), (CACHE_CONTROL, cache.to_owned()), (VARY, "accept-encoding".to_owned())];
    if known {
        return Some((StatusCode::NOT_MODIFIED, common).into_response());
    }
    let mut response = (
        common,
        [(CONTENT_TYPE, kind), (HeaderName::from_static("x-content-type-options"), "nosniff")],
        file.data.into_owned(),
    )
        .into_response();
    if let Some(coding) = coding {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    Some(response)
}

fn kind_of(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "webmanifest") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("webp") => "image/webp",
        Some("ico") => "image/x-icon",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn not_built() -> Response {
    let page = "<!doctype html><meta charset=utf-8><title>Xinglin</title><h1>页面尚未构建 · The pages are not built</h1>\
                <p>请在项目目录运行 <code>cargo xtask demo</code>，或 <code>cd web &amp;&amp; npm ci &amp;&amp; npm run build</code>。接口已经可用。</p>\
                <p>Run <code>cargo xtask demo</code> in the project, or <code>cd web &amp;&amp; npm ci &amp;&amp; npm run build</code>. The API works already.</p>";
    (StatusCode::SERVICE_UNAVAILABLE, [(CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_may_have_dots_in_its_path_and_a_file_is_told_by_its_ending() {
        for file in
            ["favicon.ico", "assets/first-CDEMSHM.js", "site.webmanifest", "a/b.png", "robots.txt", "x.mp3"]
        {
            assert!(is_file(file), "{file}");
        }
        let code = format!("here/1.01a2295f9d61767c9417da0dbfdde8b3.1.0.{}", "0a".repeat(32));
        for page in ["", "here", code.as_str(), "doctors/doc_1", "v1.2/page", "name."] {
            assert!(!is_file(page), "{page}");
        }
    }
}
