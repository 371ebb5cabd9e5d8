//! Why a callback was refused.

/// The first check that a callback failed. None of them carries any of the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The body is longer than [`super::MAX_BODY`].
    #[error("body too large")]
    TooLarge,
    /// The envelope cannot be read; the text says why.
    #[error("envelope: {0}")]
    Envelope(&'static str),
    /// `signature` or `msg_signature` differs from ours: a forgery, or another token.
    #[error("signature differs")]
    Signature,
    /// An EncodingAESKey must be 43 characters of base64.
    #[error("EncodingAESKey must be 43 base64 characters")]
    BadKey,
    /// The push is encrypted, and no key was configured.
    #[error("encrypted, but no EncodingAESKey is configured")]
    NoKey,
    /// `Encrypt` is not base64 in the standard alphabet with padding.
    #[error("Encrypt is not base64")]
    Base64,
    /// The ciphertext is not a positive multiple of 32 bytes, or AES failed.
    #[error("ciphertext has a wrong length")]
    Ciphertext,
    /// The padding is wrong: nearly always another EncodingAESKey.
    #[error("padding wrong (another EncodingAESKey?)")]
    Padding,
    /// The length field points past the end, or there is no room for it.
    #[error("length field past the end")]
    Length,
    /// The push is for another appid or corpid.
    #[error("another appid or corpid")]
    ReceiveId,
    /// The message inside is not UTF-8.
    #[error("message is not UTF-8")]
    Utf8,
    /// A reply could not be encrypted.
    #[error("encryption failed")]
    Encrypt,
}

impl Error {
    /// The number of the vendor's sample library for this error, by which administrators can search the web.
    pub fn errcode(self) -> i32 {
        match self {
            Self::Signature => -40001,
            Self::Envelope(_) => -40002,
            Self::BadKey | Self::NoKey => -40004,
            Self::ReceiveId => -40005,
            Self::Encrypt => -40006,
            Self::Ciphertext | Self::Padding => -40007,
            Self::TooLarge | Self::Length | Self::Utf8 => -40008,
            Self::Base64 => -40010,
        }
    }
}
