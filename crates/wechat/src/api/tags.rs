//! Tags on followers, and menus for those who have one.

use serde::Deserialize;
use serde_json::json;

use super::http::Request;
use super::menu::Menu;
use super::{Client, Error};

/// A tag of the account; it may have a hundred.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Tag {
    /// Its number.
    pub id: i64,
    /// Its name, up to 30 characters.
    pub name: String,
}

#[derive(Deserialize)]
struct Tags {
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
struct Made {
    tag: Tag,
}

#[derive(Deserialize)]
struct MenuMade {
    menuid: serde_json::Value,
}

impl Client {
    /// The account's tags.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn tags(&self) -> Result<Vec<Tag>, Error> {
        Ok(self.typed::<Tags>(Request::get("/cgi-bin/tags/get")).await?.tags)
    }

    /// Makes a tag; gives its number. A second one of the same name is refused by WeChat (45157).
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn create_tag(&self, name: &str) -> Result<i64, Error> {
        let body = json!({ "tag": { "name": name } });
        Ok(self.typed::<Made>(Request::post("/cgi-bin/tags/create", body)).await?.tag.id)
    }

    /// Puts a tag on a follower, or takes it off.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn set_tag(&self, openid: &str, tag: i64, on: bool) -> Result<(), Error> {
        let path = match on {
            true => "/cgi-bin/tags/members/batchtagging",
            false => "/cgi-bin/tags/members/batchuntagging",
        };
        let body = json!({ "openid_list": [openid], "tagid": tag });
        self.done(Request::post(path, body).repeatable(true)).await
    }

    /// Puts up a menu for those who have a tag; gives its number. There must be one for all (65303); the newest that fits counts.
    ///
    /// # Errors
    /// [`Error::Invalid`] before anything is sent; see [`Error`].
    pub async fn create_menu_for_tag(&self, menu: &Menu, tag: i64) -> Result<String, Error> {
        menu.check()?;
        let mut body = menu.to_json();
        if let Some(body) = body.as_object_mut() {
            body.insert("matchrule".to_owned(), json!({ "tag_id": tag.to_string() }));
        }
        let made: MenuMade = self.typed(Request::post("/cgi-bin/menu/addconditional", body)).await?;
        // WeChat writes the number now as a number, now as a text.
        Ok(made.menuid.as_str().map_or_else(|| made.menuid.to_string(), str::to_owned))
    }

    /// Takes down a menu for a tag.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn delete_menu_for_tag(&self, menu: &str) -> Result<(), Error> {
        let body = json!({ "menuid": menu });
        self.done(Request::post("/cgi-bin/menu/delconditional", body).repeatable(true)).await
    }
}
