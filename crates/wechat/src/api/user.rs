//! Followers.

use serde::Deserialize;

use super::http::Request;
use super::{Client, Error};

/// A person as the account may know them. Nickname and picture have not been given since December 2021.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct User {
    /// 1 for a follower; then the rest is filled.
    #[serde(rename = "subscribe", deserialize_with = "flag")]
    pub follows: bool,
    /// The person, for this account.
    pub openid: String,
    /// The person across accounts of one owner.
    pub unionid: Option<String>,
    /// When they began to follow, in seconds since 1970.
    pub subscribe_time: i64,
    /// How they came: `ADD_SCENE_QR_CODE` and others.
    pub subscribe_scene: String,
    /// The scene of the code by which they came, as text.
    pub qr_scene_str: String,
    /// The same, for codes with a number.
    pub qr_scene: i64,
    /// The account's note on them.
    pub remark: String,
    /// The account's tags on them.
    pub tagid_list: Vec<i64>,
}

fn flag<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(i64::deserialize(deserializer)? != 0)
}

/// A page of followers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPage {
    /// How many there are in all.
    pub total: u64,
    /// Up to 10,000 openids.
    pub openids: Vec<String>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    total: u64,
    count: u64,
    #[serde(default)]
    data: Data,
    #[serde(default)]
    next_openid: String,
}

#[derive(Default, Deserialize)]
struct Data {
    #[serde(default)]
    openid: Vec<String>,
}

impl Client {
    /// What is known of one person.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn user(&self, openid: &str) -> Result<User, Error> {
        self.typed(Request::get("/cgi-bin/user/info").with("openid", openid).with("lang", "zh_CN")).await
    }

    /// A page of followers, from the beginning or after `next` of the page before.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn users(&self, next: Option<&str>) -> Result<UserPage, Error> {
        let mut request = Request::get("/cgi-bin/user/get");
        if let Some(next) = next {
            request = request.with("next_openid", next);
        }
        let page: Page = self.typed(request).await?;
        // WeChat repeats the last openid of a last page: only an empty page, or an empty name, is the end.
        let more = page.count > 0 && !page.next_openid.is_empty();
        Ok(UserPage { total: page.total, openids: page.data.openid, next: more.then_some(page.next_openid) })
    }
}
