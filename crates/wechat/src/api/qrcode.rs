//! Parametric codes: a scan becomes an event with the scene that we chose.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::json;

use super::http::Request;
use super::{Client, Error};

/// The longest life of a temporary code: 30 days.
pub const MAX_SECONDS: u32 = 2_592_000;

/// How long a code lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// So many seconds, up to [`MAX_SECONDS`]. For kiosks and sessions.
    Seconds(u32),
    /// For ever. An account has 100,000 of these in all, and they are never given back: for places and doctors only.
    Permanent,
}

/// A code.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Code {
    /// For [`Client::code_image_url`], and in the events.
    pub ticket: String,
    /// How long it lives; absent for a permanent one.
    pub expire_seconds: Option<u32>,
    /// What the picture says. Rendered by ourselves it is sharper than WeChat's picture.
    pub url: String,
}

impl std::fmt::Debug for Code {
    /// Without the ticket: whoever has it can act as the code's scanner.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Code").field("expire_seconds", &self.expire_seconds).finish_non_exhaustive()
    }
}

impl Client {
    /// Makes a code. The scene is 1 to 64 characters; anyone can read it from the event and scan the code again, so for anything
    /// personal it must be random.
    ///
    /// # Errors
    /// [`Error::Invalid`] before anything is sent; see [`Error`].
    pub async fn create_code(&self, scene: &str, life: Life) -> Result<Code, Error> {
        if !(1..=64).contains(&scene.chars().count()) {
            return Err(Error::invalid("scene_str", "must be 1 to 64 characters"));
        }
        let scene = json!({ "scene": { "scene_str": scene } });
        let body = match life {
            Life::Seconds(seconds) if (1..=MAX_SECONDS).contains(&seconds) => {
                json!({ "expire_seconds": seconds, "action_name": "QR_STR_SCENE", "action_info": scene })
            }
            Life::Seconds(_) => {
                return Err(Error::invalid("expire_seconds", "must be 1 to 2592000 (30 days)"));
            }
            Life::Permanent => json!({ "action_name": "QR_LIMIT_STR_SCENE", "action_info": scene }),
        };
        // A permanent scene asked for twice is one code; a temporary one costs nothing.
        self.typed(Request::post("/cgi-bin/qrcode/create", body).repeatable(true)).await
    }

    /// Where WeChat serves the code's picture (JPEG).
    pub fn code_image_url(&self, ticket: &str) -> String {
        let base = self.0.config.bases.mp.trim_end_matches('/');
        format!("{base}/cgi-bin/showqrcode?ticket={}", utf8_percent_encode(ticket, NON_ALPHANUMERIC))
    }
}
