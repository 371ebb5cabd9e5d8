//! Addresses of our pages as they stand in chats, menus and codes.

/// What a hospital's addresses begin with: the public address, and the hospital's code where there are several.
#[must_use]
pub fn base_url(public_url: &str, code: &str, several: bool) -> String {
    let public = public_url.trim_end_matches('/');
    if several { format!("{public}/h/{code}") } else { public.to_owned() }
}

/// The address of a page as the chat gives it: through the silent sign-in, so that whoever comes from the chat is known. Who
/// can't be signed in (a snapshot page, say) still gets to read what is public.
#[must_use]
pub fn page(base: &str, path: &str) -> String {
    format!("{}/auth/wechat?to={}", base.trim_end_matches('/'), value(path))
}

/// The plain address of a code, for cameras and apps that are not WeChat.
#[must_use]
pub fn scan(base: &str, scene: &str) -> String {
    format!("{}/q/{scene}", base.trim_end_matches('/'))
}

/// A path as a value of a query: only what would end the value is written otherwise, so that the address stays readable.
fn value(path: &str) -> String {
    path.replace('%', "%25").replace('&', "%26").replace('#', "%23").replace('+', "%2B")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_hospitals_have_their_code_in_the_address() {
        assert_eq!(base_url("https://h.cn", "east", false), "https://h.cn");
        assert_eq!(base_url("https://h.cn/", "east", true), "https://h.cn/h/east");
        assert_eq!(scan("https://h.cn/h/east", "1-abc"), "https://h.cn/h/east/q/1-abc");
    }

    #[test]
    fn a_path_with_a_query_stays_whole() {
        assert_eq!(page("https://h.cn/", "/departments"), "https://h.cn/auth/wechat?to=/departments");
        assert_eq!(page("https://h.cn", "/a?b=1&c=2"), "https://h.cn/auth/wechat?to=/a?b=1%26c=2");
    }
}
