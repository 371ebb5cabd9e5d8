//! Callbacks: WeChat calls us. Is it WeChat, and what does it say?
//!
//! An account's administrator enters our URL, a token, an EncodingAESKey, a mode and a format on WeChat's page;
//! [`Credentials`] holds the same five. WeChat first sends a GET ([`Credentials::verify_url`]), later a POST for each message
//! or event ([`Credentials::open`]). An answer that has to be encrypted goes through [`Credentials::seal_reply`].
//!
//! **Order of checks** (the vendor's sample library, and the only order that gives an attacker nothing to measure): size,
//! envelope, signature in constant time, key, base64, length of the ciphertext, AES, padding, length field, appid, UTF-8.
//! So nothing touches the ciphertext before the signature has been found good, and there is no padding oracle.
//!
//! What was opened may be a copy of an earlier push: WeChat sends up to three times, and anyone who saw a request can repeat
//! it. Keep [`crate::message::Push::dedup_key`] under a unique index.

mod aes;
mod envelope;
mod error;
mod query;
mod sign;
#[cfg(test)]
mod tests;

pub use aes::AesKey;
pub use error::Error;
pub use query::Query;
pub use sign::signature;

use crate::Secret;
use crate::xml::{push_base64, push_cdata};

/// The largest body [`Credentials::open`] looks at, in bytes. Real pushes are below 10 KiB. The HTTP server must stop
/// reading at the same size.
pub const MAX_BODY: usize = 1 << 20;

/// How the account encrypts its pushes, as set on the platform's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// 明文模式: plain fields. Only `signature` can be checked, and it does not cover the body. When a push brings an
    /// encrypted copy all the same (the page was switched before our setting) and a key is known, that copy is used.
    Plain,
    /// 兼容模式: plain fields and `Encrypt` side by side. Only `Encrypt` is believed; the plain fields can be forged.
    Compatible,
    /// 安全模式: `Encrypt` only. A plain body is refused.
    Safe,
    /// WeCom: always encrypted, the `echostr` of the first GET too; there is no `signature`, only `msg_signature`.
    WeCom,
}

/// The format set on the platform's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// The default for official accounts; the only one of WeCom's self-built apps.
    #[default]
    Xml,
    /// A choice for mini programs and official accounts.
    Json,
}

/// The key in use, and the one before it while WeChat's servers still change over.
#[derive(Debug, Clone)]
pub struct Keys {
    /// The EncodingAESKey that is entered on the platform's page now.
    pub current: AesKey,
    /// The one before, kept for a while: pushes under way, and retries, may still use it.
    pub previous: Option<AesKey>,
}

/// What opened a push. A reply must be encrypted with the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyUsed {
    /// The push was plain; so is the reply.
    None,
    /// [`Keys::current`].
    Current,
    /// [`Keys::previous`].
    Previous,
}

/// What was entered on the platform's page for one account.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The Token: 3–32 letters and digits. An empty one verifies nothing.
    pub token: Secret,
    /// The keys; may be absent in [`Mode::Plain`] only.
    pub keys: Option<Keys>,
    /// Whose message it is: the appid; for WeCom the corpid (suite id for suite events, empty for smart robots). Compared
    /// whole, with case.
    pub receive_id: String,
    /// The mode chosen there.
    pub mode: Mode,
    /// The format chosen there.
    pub format: Format,
}

/// A push that WeChat has really sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// The message: XML or JSON as [`Credentials::format`] says, for [`crate::message::parse`].
    pub plaintext: String,
    /// Which key opened it, for [`Credentials::seal_reply`].
    pub key: KeyUsed,
}

impl std::fmt::Debug for Opened {
    /// Without the text: it is what a patient wrote.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("bytes", &self.plaintext.len()).field("key", &self.key).finish()
    }
}

impl Credentials {
    /// Answers the GET that WeChat sends when the URL is saved: the text to send back as the whole body, with status 200.
    ///
    /// For an official account that is `echostr` as it came. The signature does not cover it, so send it as `text/plain`
    /// with `nosniff`, or a replayed address becomes a page of someone else's making. For WeCom it is the decrypted echo.
    ///
    /// # Errors
    /// [`Error::Envelope`] without `echostr`, [`Error::Signature`], and for WeCom those of decryption.
    pub fn verify_url(&self, query: &Query) -> Result<String, Error> {
        let echo = query.echostr.as_deref().ok_or(Error::Envelope("echostr missing"))?;
        if self.mode == Mode::WeCom {
            self.check_signature(&[&query.timestamp, &query.nonce, echo], &query.msg_signature)?;
            return self.decrypt(echo).map(|opened| opened.plaintext);
        }
        self.check_signature(&[&query.timestamp, &query.nonce], &query.signature)?;
        Ok(echo.to_owned())
    }

    /// Opens a POST.
    ///
    /// # Errors
    /// The first check that failed; see the module's page for their order. Answer all of them with one and the same refusal
    /// and log [`Error::errcode`].
    pub fn open(&self, query: &Query, body: &[u8]) -> Result<Opened, Error> {
        if body.len() > MAX_BODY {
            return Err(Error::TooLarge);
        }
        let body = std::str::from_utf8(body).map_err(|_| Error::Envelope("not UTF-8"))?;
        let encrypt = envelope::read(self.format, body)?;
        match (encrypt, self.mode) {
            (Some(encrypt), mode) if mode != Mode::Plain || self.keys.is_some() => {
                self.check_signature(&[&query.timestamp, &query.nonce, &encrypt], &query.msg_signature)?;
                self.decrypt(&encrypt)
            }
            (None, Mode::Plain) => {
                self.check_signature(&[&query.timestamp, &query.nonce], &query.signature)?;
                Ok(Opened { plaintext: body.to_owned(), key: KeyUsed::None })
            }
            // Compatible mode may bring both; in plain mode without a key only the plain fields can be used.
            (Some(_), _) if envelope::has_plain_fields(self.format, body) => {
                self.check_signature(&[&query.timestamp, &query.nonce], &query.signature)?;
                Ok(Opened { plaintext: body.to_owned(), key: KeyUsed::None })
            }
            (Some(_), _) => Err(Error::NoKey),
            (None, _) => Err(Error::Envelope("Encrypt missing, empty or repeated")),
        }
    }

    /// Wraps a reply for sending: as it is for [`KeyUsed::None`], else encrypted with the key that opened the request and
    /// signed. `timestamp` is our clock in seconds; `nonce` is ours (the request's may be used again). `success` and the
    /// empty body are never sealed: they go in the clear in every mode.
    ///
    /// # Errors
    /// [`Error::NoKey`] when that key is not here any more, [`Error::Encrypt`] when the system has no randomness.
    pub fn seal_reply(
        &self,
        reply: &str,
        key: KeyUsed,
        timestamp: i64,
        nonce: &str,
    ) -> Result<String, Error> {
        let mut random = [0_u8; 16];
        aws_lc_rs::rand::fill(&mut random).map_err(|_| Error::Encrypt)?;
        self.seal_reply_with(reply, key, timestamp, nonce, random)
    }

    /// [`Credentials::seal_reply`] with the 16 random bytes given, for tests that compare bytes.
    ///
    /// # Errors
    /// As [`Credentials::seal_reply`].
    pub fn seal_reply_with(
        &self,
        reply: &str,
        key: KeyUsed,
        timestamp: i64,
        nonce: &str,
        random: [u8; 16],
    ) -> Result<String, Error> {
        let keys = self.keys.as_ref();
        let key = match key {
            KeyUsed::None => return Ok(reply.to_owned()),
            KeyUsed::Current => keys.map(|keys| &keys.current),
            KeyUsed::Previous => keys.and_then(|keys| keys.previous.as_ref()),
        };
        let encrypt = key.ok_or(Error::NoKey)?.encrypt(random, reply.as_bytes(), &self.receive_id)?;
        let time = timestamp.to_string();
        let signature = signature(&[self.token.reveal(), &time, nonce, &encrypt]);
        Ok(envelope::write(self.format, &encrypt, &signature, timestamp, nonce))
    }

    /// `parts` without the token; it is added here.
    fn check_signature(&self, parts: &[&str], given: &str) -> Result<(), Error> {
        if self.token.is_empty() {
            return Err(Error::Signature);
        }
        let mut all = parts.to_vec();
        all.push(self.token.reveal());
        aws_lc_rs::constant_time::verify_slices_are_equal(signature(&all).as_bytes(), given.as_bytes())
            .map_err(|_| Error::Signature)
    }

    /// Tries the current key, then the previous one. When both fail, the current key's reason is the one to tell.
    fn decrypt(&self, encrypt: &str) -> Result<Opened, Error> {
        let keys = self.keys.as_ref().ok_or(Error::NoKey)?;
        let failed = match keys.current.decrypt(encrypt, &self.receive_id) {
            Ok(plaintext) => return Ok(Opened { plaintext, key: KeyUsed::Current }),
            Err(error) => error,
        };
        let previous = keys.previous.as_ref().ok_or(failed)?;
        let plaintext = previous.decrypt(encrypt, &self.receive_id).map_err(|_| failed)?;
        Ok(Opened { plaintext, key: KeyUsed::Previous })
    }
}

/// The reply envelope in XML, laid out as the vendor's sample library does.
fn xml_envelope(encrypt: &str, signature: &str, timestamp: i64, nonce: &str) -> String {
    let mut out = String::with_capacity(encrypt.len().saturating_add(256));
    out.push_str("<xml>\n");
    push_base64(&mut out, "Encrypt", encrypt);
    out.push('\n');
    push_cdata(&mut out, "MsgSignature", signature);
    out.push_str(&format!("\n<TimeStamp>{timestamp}</TimeStamp>\n"));
    push_cdata(&mut out, "Nonce", nonce);
    out.push_str("\n</xml>");
    out
}
