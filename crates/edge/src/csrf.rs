//! Keeping other sites' requests out.
//!
//! Three fences: the cookie is SameSite=Lax; a changing request whose `Origin` (or `Sec-Fetch-Site`) says that it comes
//! from another site is refused; and a signed-in one must carry the session's token in `X-CSRF`, which only our own pages
//! can read (`GET /api/v1/session`).

use aws_lc_rs::digest;
use base::{Kind, Problem};
use http::{HeaderMap, Method};

/// The token that goes with a session.
#[must_use]
pub fn token(session_token_hash: &str) -> String {
    let full = digest::digest(&digest::SHA256, format!("csrf|{session_token_hash}").as_bytes());
    let (half, _) = full.as_ref().split_at_checked(16).unwrap_or((full.as_ref(), &[]));
    hex::encode(half)
}

/// Whether a request of this method changes anything.
#[must_use]
pub fn changes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Checks a changing request. `session` is the hash of the caller's token when somebody has signed in.
///
/// # Errors
/// 403 `cross_site` or `csrf_missing`.
pub fn check(headers: &HeaderMap, host: &str, session: Option<&str>) -> Result<(), Problem> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let foreign_origin = text("origin").is_some_and(|origin| {
        origin.split_once("://").is_none_or(|(_, rest)| !rest.eq_ignore_ascii_case(host))
    });
    let foreign_site = text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
    if foreign_origin || foreign_site {
        return Err(Problem::new(
            Kind::Forbidden,
            "cross_site",
            "这个请求来自其他网站，已被拒绝。",
            "This request came from another site and was refused.",
        ));
    }
    let Some(session) = session else { return Ok(()) };
    let want = token(session);
    let sent = text("x-csrf").unwrap_or("");
    if aws_lc_rs::constant_time::verify_slices_are_equal(want.as_bytes(), sent.as_bytes()).is_ok() {
        return Ok(());
    }
    Err(Problem::new(
        Kind::Forbidden,
        "csrf_missing",
        "页面已过期，请刷新后再试。",
        "This page is out of date. Please reload it and try again.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(k, v)| (http::HeaderName::from_static(k), v.parse().unwrap())).collect()
    }

    #[test]
    fn other_sites_are_kept_out() {
        let ok = token("s");
        assert!(check(&headers(&[("x-csrf", &ok), ("origin", "https://h.cn")]), "h.cn", Some("s")).is_ok());
        assert!(check(&headers(&[]), "h.cn", None).is_ok());
        for bad in [
            vec![("origin", "https://evil.cn")],
            vec![("origin", "null")],
            vec![("sec-fetch-site", "cross-site")],
        ] {
            assert_eq!(check(&headers(&bad), "h.cn", None).unwrap_err().code, "cross_site");
        }
        assert_eq!(check(&headers(&[]), "h.cn", Some("s")).unwrap_err().code, "csrf_missing");
        assert_eq!(
            check(&headers(&[("x-csrf", &ok)]), "h.cn", Some("other")).unwrap_err().code,
            "csrf_missing"
        );
    }
}
