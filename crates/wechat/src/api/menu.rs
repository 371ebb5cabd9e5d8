//! The menu under the chat: one to three buttons, each with an action or one to five lines of its own.

use serde_json::{Map, Value, json};

use super::http::Request;
use super::{Client, Error};

/// A menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Menu {
    /// One to three.
    pub buttons: Vec<Button>,
}

/// A button, or a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    /// What it says: up to 16 bytes for a button (five Chinese characters), 60 for a line.
    pub name: String,
    /// What it does.
    pub action: Action,
}

/// What a button does. Keys come back in the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Opens its lines, one to five; these have no lines of their own.
    Lines(Vec<Button>),
    /// `click`: sends us an event.
    Click(String),
    /// `view`: opens a page.
    View(String),
    /// `miniprogram`: opens a mini program; `url` is for phones that cannot.
    MiniProgram {
        /// The page for phones that cannot.
        url: String,
        /// The mini program.
        app_id: String,
        /// Its page.
        page_path: String,
    },
    /// Another of the types that have a key: `scancode_push`, `scancode_waitmsg`, `pic_sysphoto`, `pic_photo_or_album`,
    /// `pic_weixin`, `location_select`.
    Key {
        /// The type.
        kind: KeyKind,
        /// The key.
        key: String,
    },
    /// `media_id`: sends this permanent material.
    Media(String),
    /// `article_id`: sends this published article as a card.
    Article(String),
    /// A type that we do not write, as [`Client::menu`] found it. Cannot be created.
    Other(Value),
}

/// Types of button that send an event with a key after asking the person for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// Scans and shows what was scanned.
    ScanCodePush,
    /// Scans and waits for our reply.
    ScanCodeWait,
    /// Takes a picture.
    Camera,
    /// Takes a picture or chooses one.
    CameraOrAlbum,
    /// Chooses one from WeChat's album.
    WeChatAlbum,
    /// Chooses a place.
    Location,
}

const KEY_KINDS: [(KeyKind, &str); 6] = [
    (KeyKind::ScanCodePush, "scancode_push"),
    (KeyKind::ScanCodeWait, "scancode_waitmsg"),
    (KeyKind::Camera, "pic_sysphoto"),
    (KeyKind::CameraOrAlbum, "pic_photo_or_album"),
    (KeyKind::WeChatAlbum, "pic_weixin"),
    (KeyKind::Location, "location_select"),
];

impl KeyKind {
    fn as_str(self) -> &'static str {
        KEY_KINDS.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }
}

impl Menu {
    /// Checks what WeChat would refuse, so that an administrator sees it at the field.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the place, like `button[1].sub_button[0].name`.
    pub fn check(&self) -> Result<(), Error> {
        if !(1..=3).contains(&self.buttons.len()) {
            return Err(Error::invalid("button", "a menu has one to three buttons"));
        }
        for (at, button) in self.buttons.iter().enumerate() {
            let place = format!("button[{at}]");
            button.check(&place, 16)?;
            if let Action::Lines(lines) = &button.action {
                if !(1..=5).contains(&lines.len()) {
                    return Err(Error::invalid(
                        format!("{place}.sub_button"),
                        "a button has one to five lines",
                    ));
                }
                for (at, line) in lines.iter().enumerate() {
                    line.check(&format!("{place}.sub_button[{at}]"), 60)?;
                }
            }
        }
        Ok(())
    }

    /// As WeChat takes it.
    pub fn to_json(&self) -> Value {
        json!({ "button": self.buttons.iter().map(Button::to_json).collect::<Vec<_>>() })
    }

    /// As WeChat gives it; never fails: what is not known is [`Action::Other`].
    pub fn from_json(value: &Value) -> Self {
        Self { buttons: buttons(value, "button") }
    }
}

fn buttons(value: &Value, member: &str) -> Vec<Button> {
    value.get(member).and_then(Value::as_array).into_iter().flatten().map(Button::from_json).collect()
}

impl Button {
    fn check(&self, place: &str, name_bytes: usize) -> Result<(), Error> {
        let invalid = |member: &str, reason| Err(Error::invalid(format!("{place}.{member}"), reason));
        let text = |member: &str, value: &str, max: usize, reason| {
            if (1..=max).contains(&value.len()) { Ok(()) } else { invalid(member, reason) }
        };
        let key = |value: &str| text("key", value, 128, "must be 1 to 128 bytes");
        let url = |value: &str| {
            text("url", value, 1024, "must be 1 to 1024 bytes")?;
            if value.starts_with("https://") || value.starts_with("http://") {
                Ok(())
            } else {
                invalid("url", "must begin with http:// or https://")
            }
        };
        let is_line = name_bytes > 16;
        text(
            "name",
            &self.name,
            name_bytes,
            if is_line { "must be 1 to 60 bytes" } else { "must be 1 to 16 bytes (5 Chinese characters)" },
        )?;
        match &self.action {
            Action::Lines(_) if is_line => invalid("sub_button", "a line has no lines of its own"),
            Action::Lines(_) => Ok(()),
            Action::Click(value) | Action::Key { key: value, .. } => key(value),
            Action::View(value) => url(value),
            Action::MiniProgram { url: value, app_id, page_path } => {
                url(value)?;
                text("appid", app_id, 64, "must be 1 to 64 bytes")?;
                text("pagepath", page_path, 1024, "must be 1 to 1024 bytes")
            }
            Action::Media(id) => text("media_id", id, 256, "must be 1 to 256 bytes"),
            Action::Article(id) => text("article_id", id, 256, "must be 1 to 256 bytes"),
            Action::Other(_) => invalid("type", "this type is not supported"),
        }
    }

    fn to_json(&self) -> Value {
        let name = &self.name;
        match &self.action {
            Action::Lines(lines) => {
                json!({ "name": name, "sub_button": lines.iter().map(Self::to_json).collect::<Vec<_>>() })
            }
            Action::Click(key) => json!({ "type": "click", "name": name, "key": key }),
            Action::View(url) => json!({ "type": "view", "name": name, "url": url }),
            Action::MiniProgram { url, app_id, page_path } => {
                json!({ "type": "miniprogram", "name": name, "url": url, "appid": app_id, "pagepath": page_path })
            }
            Action::Key { kind, key } => json!({ "type": kind.as_str(), "name": name, "key": key }),
            Action::Media(id) => json!({ "type": "media_id", "name": name, "media_id": id }),
            Action::Article(id) => json!({ "type": "article_id", "name": name, "article_id": id }),
            Action::Other(value) => value.clone(),
        }
    }

    fn from_json(value: &Value) -> Self {
        let text = |member: &str| value.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
        let lines = buttons(value, "sub_button");
        let kind = text("type");
        let action = match kind.as_str() {
            _ if !lines.is_empty() => Action::Lines(lines),
            "click" => Action::Click(text("key")),
            "view" => Action::View(text("url")),
            "miniprogram" => {
                Action::MiniProgram { url: text("url"), app_id: text("appid"), page_path: text("pagepath") }
            }
            "media_id" => Action::Media(text("media_id")),
            "article_id" => Action::Article(text("article_id")),
            other => match KEY_KINDS.iter().find(|(_, name)| *name == other) {
                Some((kind, _)) => Action::Key { kind: *kind, key: text("key") },
                None => Action::Other(value.clone()),
            },
        };
        Self { name: text("name"), action }
    }
}

impl Client {
    /// Puts up the menu for all followers. Phones show it within five minutes.
    ///
    /// # Errors
    /// [`Error::Invalid`] before anything is sent; see [`Error`].
    pub async fn create_menu(&self, menu: &Menu) -> Result<(), Error> {
        menu.check()?;
        self.done(Request::post("/cgi-bin/menu/create", menu.to_json()).repeatable(true)).await
    }

    /// The menu for all followers, if there is one.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn menu(&self) -> Result<Option<Menu>, Error> {
        match self.json(Request::get("/cgi-bin/menu/get")).await {
            Ok(value) => Ok(Some(Menu::from_json(value.get("menu").unwrap_or(&Value::Object(Map::new()))))),
            Err(Error::Api(error)) if error.errcode == 46003 => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes the menu down, and those for groups with it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn delete_menu(&self) -> Result<(), Error> {
        self.done(Request::get("/cgi-bin/menu/delete")).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn click(name: &str) -> Button {
        Button { name: name.into(), action: Action::Click("K".into()) }
    }

    fn field_of(menu: Menu) -> String {
        match menu.check() {
            Err(Error::Invalid { field, .. }) => field,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn limits_are_in_bytes_and_named_by_their_place() {
        let lines = |lines: Vec<Button>| Button { name: "m".into(), action: Action::Lines(lines) };
        let menu = |buttons: Vec<Button>| Menu { buttons };
        assert!(menu(vec![click("预约挂号啊"), click("0123456789abcdef")]).check().is_ok());
        assert_eq!(field_of(menu(vec![click("预约挂号服务")])), "button[0].name");
        assert_eq!(field_of(menu(vec![click("")])), "button[0].name");
        assert_eq!(field_of(menu(vec![])), "button");
        assert_eq!(field_of(menu(vec![click("a"); 4])), "button");
        assert!(menu(vec![lines(vec![click(&"我".repeat(20)); 5])]).check().is_ok());
        assert_eq!(field_of(menu(vec![lines(vec![click("a"); 6])])), "button[0].sub_button");
        assert_eq!(
            field_of(menu(vec![click("a"), lines(vec![click("a"), click(&"我".repeat(21))])])),
            "button[1].sub_button[1].name"
        );
        assert_eq!(
            field_of(menu(vec![lines(vec![lines(vec![click("a")])])])),
            "button[0].sub_button[0].name".replace("name", "sub_button")
        );
        let view = |url: &str| menu(vec![Button { name: "v".into(), action: Action::View(url.into()) }]);
        assert_eq!(field_of(view("javascript:1")), "button[0].url");
        assert_eq!(field_of(view(&format!("https://h.example/{}", "a".repeat(1024)))), "button[0].url");
        let other = Button { name: "o".into(), action: Action::Other(json!({})) };
        assert_eq!(field_of(menu(vec![other])), "button[0].type");
    }

    #[test]
    fn a_menu_reads_back_as_written() {
        let all = |action| Button { name: "n".into(), action };
        let menu = Menu {
            buttons: vec![
                all(Action::Lines(vec![
                    all(Action::Click("k".into())),
                    all(Action::View("https://h.example/a?b=1".into())),
                    all(Action::MiniProgram {
                        url: "https://h.example".into(),
                        app_id: "wx".into(),
                        page_path: "p".into(),
                    }),
                    all(Action::Media("m".into())),
                    all(Action::Article("a".into())),
                ])),
                all(Action::Lines(
                    KEY_KINDS
                        .iter()
                        .take(5)
                        .map(|(kind, _)| all(Action::Key { kind: *kind, key: "k".into() }))
                        .collect(),
                )),
                all(Action::Key { kind: KeyKind::Location, key: "k".into() }),
            ],
        };
        assert!(menu.check().is_ok());
        assert_eq!(Menu::from_json(&menu.to_json()), menu);
        // WeChat gives an empty list of lines with every button.
        let given = json!({ "button": [
            { "type": "click", "name": "a", "key": "k", "sub_button": [] },
            { "type": "finder", "name": "b" },
        ] });
        let read = Menu::from_json(&given);
        assert_eq!(read.buttons[0].action, Action::Click("k".into()));
        assert!(matches!(read.buttons[1].action, Action::Other(_)));
    }
}
