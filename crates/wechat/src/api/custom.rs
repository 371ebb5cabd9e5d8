//! Customer-service messages: what we say in the chat without being asked in that very moment.
//!
//! Allowed for a while after the person did something: five messages within 48 hours of a message, three within a minute of
//! following, tapping a menu line or scanning a code. After that 45015, or 45047 when they are used up. There is no idempotency
//! key: when [`Error::outcome`] is unknown, do not send again.

use serde_json::{Value, json};

use super::http::Request;
use super::{Client, Error};
use crate::message::{Article, MAX_TEXT_BYTES};

/// What to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CustomMessage {
    /// Text, up to [`MAX_TEXT_BYTES`]; `<a href>` is allowed.
    Text(String),
    /// A picture, by material.
    Image(String),
    /// A voice message, by material.
    Voice(String),
    /// A card that opens a page.
    News(Article),
    /// A text with lines to tap; a tap comes back as a text message with the line's id.
    Menu {
        /// Above the lines.
        head: String,
        /// Id and text of each line.
        lines: Vec<(String, String)>,
        /// Below the lines.
        tail: String,
    },
    /// A card that opens a mini program.
    MiniProgramPage {
        /// Title.
        title: String,
        /// The mini program; it must be tied to the account.
        app_id: String,
        /// Its page.
        page_path: String,
        /// The picture's material.
        thumb_media_id: String,
    },
}

impl CustomMessage {
    fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Image(_) => "image",
            Self::Voice(_) => "voice",
            Self::News(_) => "news",
            Self::Menu { .. } => "msgmenu",
            Self::MiniProgramPage { .. } => "miniprogrampage",
        }
    }

    fn body(&self) -> Value {
        match self {
            Self::Text(content) => json!({ "content": content }),
            Self::Image(media_id) | Self::Voice(media_id) => json!({ "media_id": media_id }),
            Self::News(article) => json!({ "articles": [{
                "title": article.title,
                "description": article.description,
                "url": article.url,
                "picurl": article.pic_url,
            }] }),
            Self::Menu { head, lines, tail } => json!({
                "head_content": head,
                "list": lines.iter().map(|(id, content)| json!({ "id": id, "content": content })).collect::<Vec<_>>(),
                "tail_content": tail,
            }),
            Self::MiniProgramPage { title, app_id, page_path, thumb_media_id } => json!({
                "title": title,
                "appid": app_id,
                "pagepath": page_path,
                "thumb_media_id": thumb_media_id,
            }),
        }
    }

    fn check(&self) -> Result<(), Error> {
        match self {
            Self::Text(content) if content.is_empty() => Err(Error::invalid("text.content", "is empty")),
            Self::Text(content) if content.len() > MAX_TEXT_BYTES => {
                Err(Error::invalid("text.content", "is longer than 2048 bytes"))
            }
            Self::Menu { lines, .. } if lines.is_empty() => {
                Err(Error::invalid("msgmenu.list", "has no lines"))
            }
            _ => Ok(()),
        }
    }
}

impl Client {
    /// Sends a message in the chat with `openid`, in the name of the human-desk account `kf_account` if given.
    ///
    /// # Errors
    /// [`Error::Invalid`] before anything is sent; see [`Error`].
    pub async fn send_custom(
        &self,
        openid: &str,
        message: &CustomMessage,
        kf_account: Option<&str>,
    ) -> Result<(), Error> {
        message.check()?;
        let kind = message.kind();
        let mut body = json!({ "touser": openid, "msgtype": kind, kind: message.body() });
        if let (Some(account), Some(members)) = (kf_account, body.as_object_mut()) {
            members.insert("customservice".into(), json!({ "kf_account": account }));
        }
        self.done(Request::post("/cgi-bin/message/custom/send", body)).await
    }

    /// Shows "typing…" in the chat, or stops showing it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn typing(&self, openid: &str, typing: bool) -> Result<(), Error> {
        let command = if typing { "Typing" } else { "CancelTyping" };
        let body = json!({ "touser": openid, "command": command });
        self.done(Request::post("/cgi-bin/message/custom/typing", body).repeatable(true)).await
    }
}
