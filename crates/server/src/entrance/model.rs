//! The words of the entrance.

use base::{HospitalId, UnixMs};
use people::ChannelAccountId;
use store::Sealed;
use wechat::message::{Content, Push};

store::typed_id! {
    /// A push that was received.
    PushId = "psh";
}

store::text_enum! {
    /// Where a push stands.
    pub enum PushState {
        /// Received and acknowledged; a worker will take it.
        New = "new",
        /// What had to be done about it is done, in the same transaction.
        Done = "done",
        /// Given up: a person must look.
        Failed = "failed",
    }
}

/// A push to be kept.
pub(super) struct NewPush {
    pub(super) hospital: HospitalId,
    pub(super) id: PushId,
    pub(super) channel: ChannelAccountId,
    pub(super) dedup_key: String,
    pub(super) kind: String,
    pub(super) openid: String,
    /// What was opened, not sealed yet.
    pub(super) body: String,
}

impl NewPush {
    /// By what copies are known.
    pub(super) fn key(&self) -> (HospitalId, ChannelAccountId, &str) {
        (self.hospital, self.channel, &self.dedup_key)
    }
}

/// A push that a worker has taken.
#[derive(Debug, Clone)]
pub(super) struct TakenPush {
    pub(super) hospital: HospitalId,
    pub(super) id: PushId,
    pub(super) channel: ChannelAccountId,
    pub(super) openid: String,
    pub(super) received_at: UnixMs,
    pub(super) body: Sealed,
    /// Which attempt this is, from 1.
    pub(super) attempts: i64,
}

/// What a push is, for the table and for a person who looks at it: `text`, `event:subscribe`, `unreadable`. It comes from
/// outside, so only plain letters of it are kept, and not many.
pub(super) fn kind_of(push: Option<&Push>) -> String {
    let Some(push) = push else { return "unreadable".to_owned() };
    let plain = |name: &str| -> String {
        let text = push.fields.text(name).to_ascii_lowercase();
        text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(48).collect()
    };
    let kind = plain("MsgType");
    match (&push.content, kind.is_empty()) {
        (Content::Event(_), _) => format!("event:{}", plain("Event")),
        (_, true) => "unknown".to_owned(),
        (_, false) => kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_short_and_plain() {
        let kind = |xml: &str| kind_of(wechat::message::parse(xml).ok().as_ref());
        assert_eq!(kind("<xml><MsgType>text</MsgType></xml>"), "text");
        assert_eq!(kind("<xml><MsgType>event</MsgType><Event>SCAN</Event></xml>"), "event:scan");
        assert_eq!(kind("<xml><MsgType>event</MsgType></xml>"), "event:");
        assert_eq!(kind("<xml><MsgType>张三 'x'</MsgType></xml>"), "x");
        assert_eq!(kind("<xml/>"), "unknown");
        assert_eq!(kind("no xml"), "unreadable");
        let long = format!("<xml><MsgType>{}</MsgType></xml>", "a".repeat(500));
        assert_eq!(kind(&long).len(), 48);
    }
}
