//! Temporary material: pictures, voices and films, kept by WeChat for three days.

use serde::Deserialize;
use serde_json::Value;

use super::error::Masks;
use super::http::{self, Answer, Request};
use super::{Client, Error};

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaKind {
    /// PNG, JPEG or GIF. WeChat says 10 MB in one place and 2 MB in another: stay below two.
    Image,
    /// AMR or MP3, up to 2 MB and 60 seconds.
    Voice,
    /// MP4, up to 10 MB.
    Video,
    /// A JPEG for a card, up to 64 KB.
    Thumb,
}

impl MediaKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Voice => "voice",
            Self::Video => "video",
            Self::Thumb => "thumb",
        }
    }

    fn max_bytes(self) -> usize {
        match self {
            Self::Image | Self::Video => 10 << 20,
            Self::Voice => 2 << 20,
            Self::Thumb => 64 << 10,
        }
    }
}

/// WeChat tells the type by the file's name.
fn file_name(mime: &str) -> Option<&'static str> {
    Some(match mime {
        "image/jpeg" => "media.jpg",
        "image/png" => "media.png",
        "image/gif" => "media.gif",
        "audio/amr" => "media.amr",
        "audio/mpeg" => "media.mp3",
        "video/mp4" => "media.mp4",
        _ => return None,
    })
}

/// What a `media_id` stands for.
#[derive(Clone, PartialEq, Eq)]
pub enum Media {
    /// The file.
    File {
        /// Its bytes.
        bytes: Vec<u8>,
        /// Its type as WeChat says; do not trust it.
        content_type: Option<String>,
    },
    /// A film is given as an address to fetch it from.
    VideoUrl(String),
}

impl std::fmt::Debug for Media {
    /// Without the content: it is what a patient sent.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File { bytes, content_type } => f
                .debug_struct("File")
                .field("bytes", &bytes.len())
                .field("content_type", content_type)
                .finish(),
            Self::VideoUrl(_) => f.write_str("VideoUrl"),
        }
    }
}

#[derive(Deserialize)]
struct Uploaded {
    #[serde(alias = "thumb_media_id")]
    media_id: String,
}

impl Client {
    /// Uploads a file and gives its `media_id`, good for three days. `mime` is one of JPEG, PNG, GIF, AMR, MP3, MP4.
    ///
    /// # Errors
    /// [`Error::Invalid`] before anything is sent; see [`Error`].
    pub async fn upload_media(&self, kind: MediaKind, mime: &str, bytes: Vec<u8>) -> Result<String, Error> {
        let name = file_name(mime).ok_or(Error::invalid("media", "WeChat does not take this type"))?;
        if bytes.is_empty() || bytes.len() > kind.max_bytes() {
            return Err(Error::invalid("media", "empty, or larger than WeChat takes"));
        }
        let request = Request::upload("/cgi-bin/media/upload", name, mime, bytes).with("type", kind.as_str());
        let uploaded: Uploaded = self.typed(request).await?;
        Ok(uploaded.media_id)
    }

    /// Downloads what a person has sent, or what a page has uploaded by the JS-SDK.
    ///
    /// # Errors
    /// 40007 when it is older than three days; see [`Error`].
    pub async fn media(&self, media_id: &str) -> Result<Media, Error> {
        let request = Request::get("/cgi-bin/media/get").with("media_id", media_id);
        self.with_token(request, read).await
    }
}

/// An error comes as JSON in place of the bytes, with status 200 and any Content-Type. No picture, voice or film begins with a
/// brace; a file that is announced as an attachment is one whatever it begins with.
fn read(answer: Answer, masks: &Masks<'_>) -> Result<Media, Error> {
    let attached = answer.disposition.as_deref().is_some_and(|text| text.contains("attachment"));
    let brace = answer.bytes.trim_ascii_start().first() == Some(&b'{');
    if attached || !brace {
        if answer.bytes.is_empty() {
            return Err(Error::Answer { reason: "empty file" });
        }
        return Ok(Media::File { bytes: answer.bytes, content_type: answer.content_type });
    }
    let value = http::parse(&answer.bytes, masks)?;
    match value.get("video_url").and_then(Value::as_str) {
        Some(url) => Ok(Media::VideoUrl(url.to_owned())),
        None => Err(Error::Answer { reason: "JSON in place of a file" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(bytes: &[u8], disposition: Option<&str>) -> Answer {
        Answer {
            bytes: bytes.to_vec(),
            content_type: Some("image/jpeg".into()),
            disposition: disposition.map(str::to_owned),
        }
    }

    #[test]
    fn an_error_in_place_of_bytes_is_an_error() {
        let masks = Masks(&[]);
        let file = read(answer(b"\xff\xd8\xff", Some("attachment; filename=\"a.jpg\"")), &masks).unwrap();
        assert!(matches!(file, Media::File { bytes, .. } if bytes.len() == 3));
        let error = read(answer(b" {\"errcode\":40007,\"errmsg\":\"invalid media_id\"}", None), &masks);
        assert_eq!(error.unwrap_err().errcode(), Some(40007));
        let video = read(answer(b"{\"video_url\":\"http://v.example/1\"}", None), &masks).unwrap();
        assert_eq!(video, Media::VideoUrl("http://v.example/1".into()));
        assert!(read(answer(b"{}", None), &masks).is_err());
        assert!(read(answer(b"", None), &masks).is_err());
    }
}
