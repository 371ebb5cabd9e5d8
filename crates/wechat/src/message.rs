//! What a push says: a message that a person wrote, or an event; and what may be answered at once.
//!
//! [`parse`] reads the text that [`crate::callback::Credentials::open`] gives, XML or JSON. It is tolerant: unknown kinds,
//! unknown fields, missing ones and shapes of tomorrow never make it fail; they stay in [`Push::fields`], and a kind that
//! cannot be read as typed becomes [`Content::Unknown`] or [`Event::Unknown`]. A parser that crashed on a new event has
//! taken down more than one SDK's callback.
//!
//! Pushes come up to three times and in any order: act once per [`Push::dedup_key`], and treat an event as a fact with a
//! time, not as the next step of a dialogue.

mod event;
mod fields;
mod reply;
#[cfg(test)]
mod tests;

pub use event::{
    AuthorizationChange, ConsentChange, ConsentSent, Delivery, Event, KfSession, MassResult, PictureSource,
    Scan,
};
pub use fields::{Field, Fields};
pub use reply::{Article, MAX_TEXT_BYTES, Reply, ReplyError};

use crate::xml;

/// The text inside a push is neither XML with the root `xml` nor a JSON object. Store it and acknowledge it all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("push not readable: {0}")]
pub struct Malformed(&'static str);

/// One push.
#[derive(Debug, Clone, PartialEq)]
pub struct Push {
    /// The account it is for: the `gh_…` id; for WeCom the corpid.
    pub to: String,
    /// Who sent it: the openid; for WeCom the userid, or `sys` for the system's own events.
    pub from: String,
    /// When it happened, in seconds since 1970 by WeChat's clock; 0 when absent.
    pub created_s: i64,
    /// `MsgId` of a message, 64 bits: a browser must get it as text. Events have none.
    pub msg_id: Option<u64>,
    /// What it says.
    pub content: Content,
    /// Every field as it came, also those that no type here knows.
    pub fields: Fields,
}

/// A message by its `MsgType`. `media_id`s are temporary material, good for three days.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// `text`.
    Text {
        /// What the person wrote; may be empty.
        content: String,
        /// The id of the line that was tapped in a `msgmenu` of ours.
        menu_id: Option<String>,
    },
    /// `image`.
    Image {
        /// Where WeChat serves it, http.
        pic_url: String,
        /// For the media interface.
        media_id: String,
    },
    /// `voice`. WeChat's own speech recognition was withdrawn: `Recognition` comes empty.
    Voice {
        /// For the media interface; AMR.
        media_id: String,
        /// `amr` or `speex`.
        format: String,
        /// The 16 kHz copy, sent since 2024.
        media_id_16k: Option<String>,
    },
    /// `video` and `shortvideo`.
    Video {
        /// For the media interface.
        media_id: String,
        /// The still picture.
        thumb_media_id: String,
        /// True for `shortvideo`.
        short: bool,
    },
    /// `location`: a place that the person chose to send.
    Location {
        /// `Location_X`: degrees north (GCJ-02).
        latitude: f64,
        /// `Location_Y`: degrees east (GCJ-02).
        longitude: f64,
        /// Zoom of the map.
        scale: i64,
        /// Address in words.
        label: String,
    },
    /// `link`.
    Link {
        /// Title of the page.
        title: String,
        /// Its summary.
        description: String,
        /// Its address.
        url: String,
    },
    /// `miniprogrampage`: a card sent in a mini program's customer service.
    MiniProgramPage {
        /// Title of the card.
        title: String,
        /// The mini program.
        app_id: String,
        /// Its page.
        page_path: String,
        /// The picture, by address.
        thumb_url: String,
        /// The picture, as material.
        thumb_media_id: String,
    },
    /// `event`.
    Event(Event),
    /// A `MsgType` that is new to us, or a known one whose needed fields are not readable. See [`Push::fields`].
    Unknown {
        /// The `MsgType` as it came; empty when absent.
        kind: String,
    },
}

/// Reads the text of a push, XML or JSON.
///
/// # Errors
/// [`Malformed`] only when the text has no fields at all; see the module's page.
pub fn parse(text: &str) -> Result<Push, Malformed> {
    let trimmed = text.trim_start_matches('\u{feff}').trim_start();
    let fields = if trimmed.starts_with('{') {
        let value = serde_json::from_str(trimmed).map_err(|_| Malformed("not JSON"))?;
        Fields::from_json(value)
    } else {
        let root = xml::parse(text).map_err(|malformed| Malformed(malformed.0))?;
        if root.name != "xml" {
            return Err(Malformed("root element is not xml"));
        }
        Fields::from_xml(root)
    };
    let kind = fields.text("MsgType");
    let content = content(kind, &fields).unwrap_or_else(|| Content::Unknown { kind: kind.to_owned() });
    Ok(Push {
        to: fields.text("ToUserName").to_owned(),
        from: fields.text("FromUserName").to_owned(),
        created_s: fields.number("CreateTime").unwrap_or_default(),
        msg_id: fields.number("MsgId"),
        content,
        fields,
    })
}

/// The typed content, or `None` for a kind that we do not know or cannot read.
fn content(kind: &str, fields: &Fields) -> Option<Content> {
    let text = |name| fields.text(name).to_owned();
    Some(match kind.to_ascii_lowercase().as_str() {
        "text" => Content::Text { content: text("Content"), menu_id: fields.some_text("bizmsgmenuid") },
        "image" => Content::Image { pic_url: text("PicUrl"), media_id: text("MediaId") },
        "voice" => Content::Voice {
            media_id: text("MediaId"),
            format: text("Format"),
            media_id_16k: fields.some_text("MediaId16K"),
        },
        short @ ("video" | "shortvideo") => Content::Video {
            media_id: text("MediaId"),
            thumb_media_id: text("ThumbMediaId"),
            short: short == "shortvideo",
        },
        "location" => Content::Location {
            latitude: fields.degrees("Location_X")?,
            longitude: fields.degrees("Location_Y")?,
            scale: fields.number("Scale").unwrap_or_default(),
            label: text("Label"),
        },
        "link" => Content::Link { title: text("Title"), description: text("Description"), url: text("Url") },
        "miniprogrampage" => Content::MiniProgramPage {
            title: text("Title"),
            app_id: text("AppId"),
            page_path: text("PagePath"),
            thumb_url: text("ThumbUrl"),
            thumb_media_id: text("ThumbMediaId"),
        },
        "event" => Content::Event(event::read(fields)),
        _ => return None,
    })
}

impl Push {
    /// What makes two deliveries the same push, as 64 hex digits: keep it under a unique index, for a day at least; the first
    /// writer wins, because retries reach other nodes while the first attempt still runs.
    ///
    /// A message is known by account, sender and `MsgId` (the documentation says `MsgId` alone, but it has been seen twice for
    /// two people). An event has no id, and several can share sender and second, so it is known by all of its fields in a fixed
    /// order. Timestamp, nonce and signature are new in each retry; they stand outside and are not looked at, nor is the
    /// `Encrypt` copy that compatible mode puts beside plain fields.
    pub fn dedup_key(&self) -> String {
        let mut hash = fields::Canonical::default();
        match (&self.content, self.msg_id) {
            (Content::Event(_), _) | (_, None) => {
                hash.text("fields");
                hash.fields(&self.fields, &["Encrypt", "MsgSignature", "TimeStamp", "Nonce"]);
            }
            (_, Some(msg_id)) => {
                for part in ["message", &self.to, &self.from, &msg_id.to_string()] {
                    hash.text(part);
                }
            }
        }
        hash.finish()
    }
}
