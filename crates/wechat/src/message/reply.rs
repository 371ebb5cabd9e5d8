//! Passive replies: what is said in the answer to the push itself.
//!
//! There are five seconds, then WeChat asks again and at last shows the person an error line. So only what is in memory
//! is said this way; anything else is answered with [`ACK`](Reply::ACK) and said later by a customer-service message.

use serde_json::{Map, Value};

use super::Push;
use crate::callback::Format;
use crate::xml::push_cdata;

/// The longest text of a reply, in bytes of UTF-8.
pub const MAX_TEXT_BYTES: usize = 2048;

/// What to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Text; new lines and `<a href>` are allowed.
    Text(String),
    /// A picture, by temporary or permanent material; no GIF.
    Image {
        /// The material.
        media_id: String,
    },
    /// A voice message.
    Voice {
        /// The material.
        media_id: String,
    },
    /// A video.
    Video {
        /// The material.
        media_id: String,
        /// Title.
        title: String,
        /// Description.
        description: String,
    },
    /// A piece of music.
    Music {
        /// Title.
        title: String,
        /// Description.
        description: String,
        /// Where to play it from.
        url: String,
        /// The same, better, for Wi-Fi.
        hq_url: String,
        /// The picture's material.
        thumb_media_id: String,
    },
    /// A card that opens a page. One only: WeChat has shown no more since October 2018.
    News(Article),
    /// Hands the talk to the human desk.
    Transfer {
        /// To this agent; to any when absent.
        kf_account: Option<String>,
    },
}

/// A card with a link.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Article {
    /// Title.
    pub title: String,
    /// A line or two.
    pub description: String,
    /// The page.
    pub url: String,
    /// A picture's address; may be empty.
    pub pic_url: String,
}

/// Why a reply cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// Over [`MAX_TEXT_BYTES`]. WeChat would drop it and show the person an error line.
    #[error("reply text longer than 2048 bytes")]
    TooLong,
    /// An empty text is not allowed.
    #[error("reply text is empty")]
    Empty,
}

/// The elements of a reply, before they are written in either format.
enum Node {
    Number(i64),
    Text(String),
    Group(Vec<(&'static str, Node)>),
}

impl Reply {
    /// "Received, nothing to say now." Goes in the clear in every mode; the empty body means the same.
    pub const ACK: &'static str = "success";

    /// The body of the answer to `push`, before encryption: sender and receiver change places. `now_s` is in seconds.
    ///
    /// # Errors
    /// [`ReplyError`] for a text that WeChat would not show.
    pub fn write(&self, format: Format, push: &Push, now_s: i64) -> Result<String, ReplyError> {
        if let Self::Text(content) = self {
            match content.len() {
                0 => return Err(ReplyError::Empty),
                1..=MAX_TEXT_BYTES => {}
                _ => return Err(ReplyError::TooLong),
            }
        }
        let mut nodes = vec![
            ("ToUserName", Node::Text(push.from.clone())),
            ("FromUserName", Node::Text(push.to.clone())),
            ("CreateTime", Node::Number(now_s)),
            ("MsgType", Node::Text(self.kind().to_owned())),
        ];
        nodes.extend(self.body());
        Ok(match format {
            Format::Xml => {
                let mut out = String::with_capacity(1024);
                write_xml(&mut out, "xml", &Node::Group(nodes));
                out
            }
            Format::Json => json(Node::Group(nodes)).to_string(),
        })
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Image { .. } => "image",
            Self::Voice { .. } => "voice",
            Self::Video { .. } => "video",
            Self::Music { .. } => "music",
            Self::News(_) => "news",
            Self::Transfer { .. } => "transfer_customer_service",
        }
    }

    fn body(&self) -> Vec<(&'static str, Node)> {
        let text = |text: &String| Node::Text(text.clone());
        match self {
            Self::Text(content) => vec![("Content", text(content))],
            Self::Image { media_id } => vec![("Image", Node::Group(vec![("MediaId", text(media_id))]))],
            Self::Voice { media_id } => vec![("Voice", Node::Group(vec![("MediaId", text(media_id))]))],
            Self::Video { media_id, title, description } => vec![(
                "Video",
                Node::Group(vec![
                    ("MediaId", text(media_id)),
                    ("Title", text(title)),
                    ("Description", text(description)),
                ]),
            )],
            Self::Music { title, description, url, hq_url, thumb_media_id } => vec![(
                "Music",
                Node::Group(vec![
                    ("Title", text(title)),
                    ("Description", text(description)),
                    ("MusicUrl", text(url)),
                    ("HQMusicUrl", text(hq_url)),
                    ("ThumbMediaId", text(thumb_media_id)),
                ]),
            )],
            Self::News(article) => vec![
                ("ArticleCount", Node::Number(1)),
                (
                    "Articles",
                    Node::Group(vec![(
                        "item",
                        Node::Group(vec![
                            ("Title", text(&article.title)),
                            ("Description", text(&article.description)),
                            ("PicUrl", text(&article.pic_url)),
                            ("Url", text(&article.url)),
                        ]),
                    )]),
                ),
            ],
            Self::Transfer { kf_account } => kf_account
                .iter()
                .map(|account| ("TransInfo", Node::Group(vec![("KfAccount", text(account))])))
                .collect(),
        }
    }
}

fn write_xml(out: &mut String, name: &str, node: &Node) {
    match node {
        Node::Text(text) => push_cdata(out, name, text),
        Node::Number(number) => push_plain(out, name, |out| out.push_str(&number.to_string())),
        Node::Group(nodes) => push_plain(out, name, |out| {
            for (name, node) in nodes {
                write_xml(out, name, node);
            }
        }),
    }
}

fn push_plain(out: &mut String, name: &str, content: impl FnOnce(&mut String)) {
    for part in ["<", name, ">"] {
        out.push_str(part);
    }
    content(out);
    for part in ["</", name, ">"] {
        out.push_str(part);
    }
}

fn json(node: Node) -> Value {
    match node {
        Node::Text(text) => Value::String(text),
        Node::Number(number) => Value::from(number),
        Node::Group(nodes) => {
            let members: Map<_, _> =
                nodes.into_iter().map(|(name, node)| (name.to_owned(), json(node))).collect();
            Value::Object(members)
        }
    }
}
