//! What came back from the server.

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::Value;

/// An answer, read whole.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What was asked, for the message of a failed test.
    pub asked: String,
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came …
    pub bytes: Vec<u8>,
    /// … and as text.
    pub text: String,
    /// The body, when it is JSON; else null.
    pub json: Value,
}

impl Answer {
    pub(crate) async fn read(asked: String, response: reqwest::Response) -> Self {
        let read = Self::try_read(asked, response).await;
        read.unwrap_or_else(|e| panic!("the body broke off: {e}"))
    }

    pub(crate) async fn try_read(asked: String, response: reqwest::Response) -> Result<Self, String> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.map_err(|error| format!("{asked}: {error}"))?.to_vec();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Self { asked, status, headers, bytes, text, json })
    }

    /// A header's text; empty when it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or("")
    }

    /// The answer, which must have this status.
    ///
    /// # Panics
    /// When it has another.
    #[track_caller]
    #[must_use]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.asked, self.text);
        self
    }

    /// The answer, which must be a good one (2xx).
    ///
    /// # Panics
    /// When it is another.
    #[track_caller]
    #[must_use]
    pub fn good(self) -> Self {
        assert!((200..300).contains(&self.status), "{}: {} {}", self.asked, self.status, self.text);
        self
    }

    /// The answer, which must be this problem, in the form that all problems have (RFC 9457).
    ///
    /// # Panics
    /// When it is something else.
    #[track_caller]
    #[must_use]
    pub fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.code()), (status, code), "{}: {}", self.asked, self.text);
        let kind = self.headers.get(CONTENT_TYPE).map(|v| v.to_str().unwrap_or(""));
        assert_eq!(kind, Some("application/problem+json"), "{}: {}", self.asked, self.text);
        assert_eq!(self.json["status"], status, "{}", self.text);
        for member in ["type", "title", "detail", "request_id"] {
            assert!(self.json[member].as_str().is_some_and(|t| !t.is_empty()), "{member}: {}", self.text);
        }
        assert_eq!(self.header("x-request-id"), self.json["request_id"], "{}", self.text);
        self
    }

    /// The code of a problem; empty when it is none.
    #[must_use]
    pub fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or("")
    }

    /// A text in the body.
    ///
    /// # Panics
    /// When there is none by that name.
    #[track_caller]
    #[must_use]
    pub fn text_at(&self, name: &str) -> &str {
        self.json[name].as_str().unwrap_or_else(|| panic!("{}: no text {name}: {}", self.asked, self.text))
    }

    /// A number in the body.
    ///
    /// # Panics
    /// When there is none by that name.
    #[track_caller]
    #[must_use]
    pub fn number_at(&self, name: &str) -> i64 {
        self.json[name].as_i64().unwrap_or_else(|| panic!("{}: no number {name}: {}", self.asked, self.text))
    }

    /// The `id` of what came back.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    #[must_use]
    pub fn id(&self) -> &str {
        self.text_at("id")
    }

    /// The list in `items`.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    #[must_use]
    pub fn items(&self) -> &[Value] {
        self.json["items"].as_array().unwrap_or_else(|| panic!("{}: no items: {}", self.asked, self.text))
    }

    /// The names of the fields at fault.
    #[must_use]
    pub fn fields(&self) -> Vec<&str> {
        let fields = self.json["fields"].as_array().map(Vec::as_slice).unwrap_or_default();
        fields.iter().filter_map(|f| f["field"].as_str()).collect()
    }
}

impl std::ops::Index<&str> for Answer {
    type Output = Value;
    fn index(&self, name: &str) -> &Value {
        &self.json[name]
    }
}
