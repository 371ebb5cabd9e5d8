//! The phones' page (built by `web/simulator`, embedded), the JS-SDK script, and the few pages of the platform itself.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use http::{HeaderValue, Method, StatusCode, header};
use rust_embed::RustEmbed;

use crate::problem::Problem;
use crate::run::Shared;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../web/dist/simulator"]
struct Site;

const JS_SDK: &str = include_str!("../assets/jweixin.js");

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/healthz", get(async || "ok"))
        .route("/open/js/jweixin.js", get(js_sdk))
        .route("/open/js/jweixin-1.6.0.js", get(js_sdk))
        .fallback(file)
}

async fn js_sdk() -> impl IntoResponse {
    let headers =
        [(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
    (headers, JS_SDK)
}

async fn file(State(_): State<Shared>, request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    let reading = matches!(*request.method(), Method::GET | Method::HEAD);
    if reading && path.is_empty() {
        return match Site::get("index.html") {
            Some(page) => asset("index.html", page),
            None => Html(not_built()).into_response(),
        };
    }
    match Site::get(path).filter(|_| reading) {
        Some(found) => asset(path, found),
        None => Problem::not_found("page", request.uri().path()).into_response(),
    }
}

fn asset(path: &str, file: rust_embed::EmbeddedFile) -> Response {
    let kind = match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "json" => "application/json",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    };
    // Names in assets/ change with their content.
    let cache = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response = (StatusCode::OK, file.data.into_owned()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Which phone a host name belongs to: `p1.localhost:9000` and `p1.phones.localhost` are both the first one's.
pub(crate) fn phone_of_host(host: &str) -> Option<String> {
    let name = host.split(':').next().unwrap_or_default();
    let (first, rest) = name.split_once('.')?;
    let number = first.strip_prefix('p')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && (rest == "localhost" || rest.ends_with(".localhost"))).then(|| first.to_owned())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn document(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"zh-CN\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>{title}</title>\
         <style>body{{font:1.0625rem/1.6 system-ui,\"Noto Sans CJK SC\",sans-serif;color:#17211f;background:#f4f6f6;\
         margin:0}}button{{font:inherit;padding:.75rem 1.5rem;border-radius:.5rem;border:1px solid #0b6b5d;\
         background:#fff;color:#0b6b5d}}button[value=pay]{{background:#0b6b5d;color:#fff}}main{{max-width:36rem;margin:15vh auto 0;padding:1.5rem}}a.go{{display:inline-block;background:#0b6b5d;\
         color:#fff;border-radius:.5rem;padding:.75rem 1.5rem;text-decoration:none}}code{{background:#e8eceb;\
         padding:.1rem .4rem;border-radius:.25rem}}</style></head><body><main>{body}</main></body></html>"
    )
}

/// A page that says one thing.
pub(crate) fn message(text: &str) -> String {
    document("微信 · WeChat", &format!("<p>{}</p>", escape(text)))
}

/// The page on which a patient allows the use of the electronic insurance credential.
pub(crate) fn credential(back: &str) -> String {
    let body = format!(
        "<p>医保电子凭证授权 · Authorise your insurance credential</p><form method=post>\
         <p><label>姓名 · Name <input name=name required></label></p><p><label>证件号码 · Document <input name=card_no required></label></p>\
         <input type=hidden name=back value=\"{}\"><p><button>授权 · Authorise</button></p></form>",
        escape(back)
    );
    document("医保电子凭证 · Credential", &body)
}

/// The page on which somebody in a browser pays, or walks away.
pub(crate) struct Cashier<'a> {
    pub(crate) platform: &'a str,
    /// The platform's own number of the order.
    pub(crate) number: &'a str,
    pub(crate) what: &'a str,
    pub(crate) total: base::Fen,
    /// Where the merchant wants the payer afterwards.
    pub(crate) back: Option<&'a str>,
}

impl Cashier<'_> {
    pub(crate) fn page(&self) -> String {
        let button = |name: &str, words: &str| {
            format!("<p><button name=\"act\" value=\"{name}\">{words}</button></p>")
        };
        document(
            self.platform,
            &format!(
                "<h1>{}</h1><p>{}<br><small>{}</small></p><p style=\"font-size:2rem\">¥{}</p><form method=\"post\">\
                 <input type=\"hidden\" name=\"back\" value=\"{}\">{}{}</form>",
                escape(self.platform),
                escape(self.what),
                escape(self.number),
                self.total.yuan(),
                escape(self.back.unwrap_or_default()),
                button("pay", "付款 · Pay"),
                button("leave", "不付了 · Leave without paying"),
            ),
        )
    }
}

/// What the payer did on the page of a [`Cashier`].
#[derive(serde::Deserialize)]
pub(crate) struct CashierAnswer {
    act: String,
    back: String,
}

impl CashierAnswer {
    /// Whether they paid.
    pub(crate) fn pays(&self) -> bool {
        self.act == "pay"
    }

    /// Where they go now.
    pub(crate) fn back(&self) -> Option<&str> {
        let web = self.back.starts_with("http://") || self.back.starts_with("https://");
        web.then_some(self.back.as_str())
    }
}

/// The page on which a person agrees to show name and picture.
pub(crate) fn consent(account: &str, agree: &str) -> String {
    document(
        "授权 · Authorise",
        &format!(
            "<h1>{}</h1><p>申请获得你的昵称、头像 · asks for your name and picture</p>\
             <p><a class=\"go\" href=\"{}\">允许 · Allow</a></p>",
            escape(account),
            escape(agree)
        ),
    )
}

/// The page that stands for scanning a code: who scans it.
pub(crate) fn choose(corporation: &str, links: &[(String, String)]) -> String {
    let list: String = links
        .iter()
        .map(|(name, to)| format!("<li><a href=\"{}\">{}</a></li>", escape(to), escape(name)))
        .collect();
    document(
        "企业微信 · WeCom",
        &format!(
            "<h1>{}</h1><p>谁用手机上的企业微信扫码？ · Who scans the code with WeCom on the phone?</p><ul>{list}</ul>",
            escape(corporation)
        ),
    )
}

fn not_built() -> String {
    document(
        "Simulator",
        "<h1>The simulator is running</h1><p>Its phones' page has not been built yet. This builds it:</p>\
         <p><code>npm --prefix web ci &amp;&amp; npm --prefix web run build</code></p>\
         <p>All interfaces work without it: see <a href=\"/sim/v1/state\">/sim/v1/state</a>.</p>",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_name_says_whose_phone_it_is() {
        assert_eq!(phone_of_host("p1.localhost:9000").as_deref(), Some("p1"));
        assert_eq!(phone_of_host("p12.phones.localhost").as_deref(), Some("p12"));
        for host in [
            "localhost",
            "127.0.0.1:80",
            "p1",
            "p1.example.com",
            "px.localhost",
            "p.localhost",
            "evillocalhost",
            "p1.evillocalhost",
            "[::1]:80",
        ] {
            assert_eq!(phone_of_host(host), None, "{host}");
        }
    }
}
