//! Decisions about pushes, as pure functions: what is said at once, what is done later, when it is tried again.

use std::time::Duration;

use base::{Lang, UnixMs};
use wechat::message::{Content, Event, MAX_TEXT_BYTES, Push};

use super::words;

/// What is said in the answer to a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// The welcome of a new follower, in both languages: WeChat no longer tells which one they read.
    Welcome,
    /// 挂号、预约: where to book.
    Book,
    /// 我的: where one's own appointments and data are.
    Mine,
    /// 帮助: where help is.
    Help,
    /// 中文 or English: from now on in this language. Said in the new one.
    Language(Lang),
    /// A voice message, a picture: only texts are read here.
    TextOnly,
    /// Anything else.
    General,
}

/// What is said to a push; `None` where nothing may or need be said.
#[must_use]
pub fn topic(push: &Push) -> Option<Topic> {
    match &push.content {
        Content::Text { content, .. } => Some(words::topic(content)),
        Content::Image { .. }
        | Content::Voice { .. }
        | Content::Video { .. }
        | Content::Location { .. }
        | Content::Link { .. }
        | Content::MiniProgramPage { .. } => Some(Topic::TextOnly),
        Content::Event(event) => match event {
            Event::Subscribe { .. } => Some(Topic::Welcome),
            Event::Click { key } => Some(words::topic(key)),
            // Said when the scene could not be looked up.
            Event::Scan { .. } => Some(Topic::General),
            // The phone shows "receiving" until something is said.
            Event::ScanCode(scan) if scan.waits => Some(Topic::General),
            _ => None,
        },
        Content::Unknown { .. } => None,
    }
}

/// The code that a push came by: what is said then depends on what is behind it.
#[must_use]
pub fn scene(push: &Push) -> Option<Scene<'_>> {
    match &push.content {
        Content::Event(Event::Subscribe { scene: Some(scene), .. }) => {
            Some(Scene { text: scene, is_new: true })
        }
        Content::Event(Event::Scan { scene, .. }) => Some(Scene { text: scene, is_new: false }),
        _ => None,
    }
}

/// What is said after what was said about a code that leads nowhere; where both are more than WeChat takes, the code's.
#[must_use]
pub fn after(first: Option<String>, text: String) -> String {
    match first {
        None => text,
        Some(first) if first.len() + 2 + text.len() > MAX_TEXT_BYTES => first,
        Some(first) => format!("{first}\n\n{text}"),
    }
}

/// A code's scene, and whether its scanner began to follow with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scene<'a> {
    /// The scene.
    pub text: &'a str,
    /// A new follower.
    pub is_new: bool,
}

/// What has to be done about a push after it was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The person follows the account, perhaps by way of a code with this scene.
    Followed {
        /// The code's scene.
        scene: Option<String>,
    },
    /// The person follows it no more.
    Unfollowed,
    /// The person did something in the chat.
    Acted {
        /// What.
        activity: people::Activity,
        /// The language that they asked for by a word.
        lang: Option<Lang>,
    },
    /// A follower scanned a code.
    Scanned {
        /// The code's scene.
        scene: String,
    },
    /// The platform tells what became of a template message.
    TemplateFinished {
        /// The platform's id of it.
        msg_id: u64,
        /// What became of it.
        delivery: wechat::message::Delivery,
    },
    /// Nothing: the push stays in the table for a week, and that is all.
    Kept,
}

impl Effect {
    /// Whether it says no more of a person than that they were there: the order of such pushes does not matter.
    #[must_use]
    pub fn is_only_seen(&self) -> bool {
        matches!(self, Self::Kept | Self::TemplateFinished { .. } | Self::Acted { lang: None, .. })
    }
}

/// What has to be done about a push.
#[must_use]
pub fn effect(push: &Push) -> Effect {
    use people::Activity;
    let acted = |activity| Effect::Acted { activity, lang: None };
    match &push.content {
        Content::Text { content, .. } => Effect::Acted {
            activity: Activity::Message,
            lang: match words::topic(content) {
                Topic::Language(lang) => Some(lang),
                _ => None,
            },
        },
        Content::Image { .. }
        | Content::Voice { .. }
        | Content::Video { .. }
        | Content::Location { .. }
        | Content::Link { .. }
        | Content::MiniProgramPage { .. } => acted(Activity::Message),
        Content::Event(event) => match event {
            Event::Subscribe { scene, .. } => Effect::Followed { scene: scene.clone() },
            // Whoever has deleted the WeChat account can't be reached by it any more either.
            Event::Unsubscribe | Event::AuthorizationCancelled(_) => Effect::Unfollowed,
            Event::Scan { scene, .. } => Effect::Scanned { scene: scene.clone() },
            Event::Click { key } => Effect::Acted {
                activity: Activity::Menu,
                lang: match words::topic(key) {
                    Topic::Language(lang) => Some(lang),
                    _ => None,
                },
            },
            Event::ScanCode(_) => acted(Activity::Menu),
            Event::TemplateSent { msg_id, delivery } => {
                Effect::TemplateFinished { msg_id: *msg_id, delivery: delivery.clone() }
            }
            _ => Effect::Kept,
        },
        Content::Unknown { .. } => Effect::Kept,
    }
}

/// How long a push is remembered once it is done: the time in which a copy of it is known for one.
pub const REMEMBERED: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long a push that failed for good waits for a person to look at it.
pub const FAILED_REMEMBERED: Duration = Duration::from_secs(90 * 24 * 3600);
/// A request signed longer ago than this is refused. Shorter than [`REMEMBERED`], so that whoever kept a copy of a request
/// finds either the copy's key still here or the door closed. Long all the same: a wrong clock of ours must not cut us off
/// from WeChat, whose own retries come within seconds.
pub const SIGNED_WITHIN: Duration = Duration::from_secs(6 * 24 * 3600);

/// Whether a request's timestamp (seconds since 1970, covered by its signature) is of our time.
#[must_use]
pub fn is_current(timestamp: &str, now: UnixMs) -> bool {
    let Ok(signed_s) = timestamp.parse::<i64>() else { return false };
    let signed = UnixMs(signed_s.saturating_mul(1000));
    now.since(signed) <= SIGNED_WITHIN && signed.since(now) <= SIGNED_WITHIN
}

/// When it happened: by WeChat's clock, in whole seconds, but never later than it was received, and when it was received if
/// WeChat's time can't be meant.
#[must_use]
pub fn happened_at(created_s: i64, received_at: UnixMs) -> UnixMs {
    let created = UnixMs(created_s.saturating_mul(1000));
    if created_s > 0 && created < received_at && received_at.since(created) <= REMEMBERED {
        created
    } else {
        received_at
    }
}

/// A push is worked on so often, with pauses of 2, 4, 8 … seconds up to an hour: about ten hours in all.
pub const ATTEMPTS: i64 = 20;

/// A push that was taken so often and never put back has ended the program each time. It is not touched again.
pub const BROKEN_OFF: i64 = 3 * ATTEMPTS;

/// The pause after attempt `n`, from 1.
#[must_use]
pub fn pause(n: i64) -> Duration {
    let doublings = u32::try_from(n.clamp(1, 12)).unwrap_or(12);
    Duration::from_secs((1_u64 << doublings).min(3600))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn push(fields: &str) -> Push {
        let xml = format!(
            "<xml><ToUserName>gh</ToUserName><FromUserName>o</FromUserName><CreateTime>1</CreateTime>{fields}</xml>"
        );
        wechat::message::parse(&xml).unwrap()
    }

    fn text(content: &str) -> Push {
        push(&format!("<MsgType>text</MsgType><Content><![CDATA[{content}]]></Content><MsgId>1</MsgId>"))
    }

    fn event(fields: &str) -> Push {
        push(&format!("<MsgType>event</MsgType>{fields}"))
    }

    #[test]
    fn what_is_wrong_with_a_code_is_said_first() {
        assert_eq!(after(None, "hello".into()), "hello");
        assert_eq!(after(Some("not ours".into()), "hello".into()), "not ours\n\nhello");
        let long = "x".repeat(MAX_TEXT_BYTES - 2);
        assert_eq!(
            after(Some("not ours".into()), long.clone()),
            "not ours",
            "WeChat would drop the whole of it"
        );
        assert_eq!(after(None, long.clone()), long);
    }

    #[test]
    fn every_kind_of_message_gets_its_answer() {
        for (push, want) in [
            (text("挂号"), Some(Topic::Book)),
            (text(""), Some(Topic::General)),
            (push("<MsgType>voice</MsgType><MediaId>m</MediaId>"), Some(Topic::TextOnly)),
            (push("<MsgType>image</MsgType><MediaId>m</MediaId>"), Some(Topic::TextOnly)),
            (push("<MsgType>shortvideo</MsgType><MediaId>m</MediaId>"), Some(Topic::TextOnly)),
            (push("<MsgType>link</MsgType>"), Some(Topic::TextOnly)),
            (
                push("<MsgType>location</MsgType><Location_X>31</Location_X><Location_Y>121</Location_Y>"),
                Some(Topic::TextOnly),
            ),
            (push("<MsgType>tomorrow</MsgType>"), None),
            (event("<Event>subscribe</Event>"), Some(Topic::Welcome)),
            (event("<Event>subscribe</Event><EventKey>qrscene_x</EventKey>"), Some(Topic::Welcome)),
            (event("<Event>unsubscribe</Event>"), None),
            (event("<Event>SCAN</Event><EventKey>who knows</EventKey>"), Some(Topic::General)),
            (event("<Event>CLICK</Event><EventKey>english</EventKey>"), Some(Topic::Language(Lang::En))),
            (event("<Event>CLICK</Event><EventKey>V1_OLD_MENU</EventKey>"), Some(Topic::General)),
            (event("<Event>VIEW</Event><EventKey>https://h.example</EventKey>"), None),
            (event("<Event>TEMPLATESENDJOBFINISH</Event><MsgID>7</MsgID><Status>success</Status>"), None),
            (event("<Event>tomorrow</Event>"), None),
            (
                event(
                    "<Event>scancode_waitmsg</Event><EventKey>k</EventKey><ScanCodeInfo><ScanType>qrcode</ScanType><ScanResult>1</ScanResult></ScanCodeInfo>",
                ),
                Some(Topic::General),
            ),
            (
                event(
                    "<Event>scancode_push</Event><EventKey>k</EventKey><ScanCodeInfo><ScanType>qrcode</ScanType><ScanResult>1</ScanResult></ScanCodeInfo>",
                ),
                None,
            ),
        ] {
            assert_eq!(topic(&push), want, "{push:?}");
        }
    }

    #[test]
    fn every_kind_of_message_has_its_effect() {
        use people::Activity;
        use wechat::message::Delivery;
        let acted = |activity, lang| Effect::Acted { activity, lang };
        for (push, want) in [
            (text("挂号"), acted(Activity::Message, None)),
            (text("English"), acted(Activity::Message, Some(Lang::En))),
            (push("<MsgType>voice</MsgType>"), acted(Activity::Message, None)),
            (event("<Event>subscribe</Event>"), Effect::Followed { scene: None }),
            (
                event("<Event>subscribe</Event><EventKey>qrscene_doc7</EventKey>"),
                Effect::Followed { scene: Some("doc7".into()) },
            ),
            (event("<Event>unsubscribe</Event>"), Effect::Unfollowed),
            (event("<Event>user_authorization_cancellation</Event>"), Effect::Unfollowed),
            (event("<Event>SCAN</Event><EventKey>7</EventKey>"), Effect::Scanned { scene: "7".into() }),
            (event("<Event>CLICK</Event><EventKey>中文</EventKey>"), acted(Activity::Menu, Some(Lang::Zh))),
            (event("<Event>VIEW</Event>"), Effect::Kept),
            (event("<Event>tomorrow</Event>"), Effect::Kept),
            (
                event(
                    "<Event>TEMPLATESENDJOBFINISH</Event><MsgID>18446744073709551615</MsgID><Status>failed:user block</Status>",
                ),
                Effect::TemplateFinished { msg_id: u64::MAX, delivery: Delivery::Blocked },
            ),
        ] {
            assert_eq!(effect(&push), want, "{push:?}");
        }
    }

    #[test]
    fn a_request_of_another_time_is_refused() {
        let now = UnixMs(1_795_392_000_000);
        let at = |days: i64| (now.seconds() + days * 86_400).to_string();
        assert!(is_current(&at(0), now) && is_current(&at(-6), now) && is_current(&at(6), now));
        for bad in [at(-7), at(7), "0".into(), String::new(), "x".into(), "9999999999999999999999".into()] {
            assert!(!is_current(&bad, now), "{bad}");
        }
        assert!(!is_current(&i64::MAX.to_string(), now) && !is_current(&i64::MIN.to_string(), now));
        assert!(SIGNED_WITHIN < REMEMBERED);
    }

    #[test]
    fn the_time_of_an_event() {
        let received = UnixMs(1_795_392_000_500);
        assert_eq!(happened_at(1_795_391_990, received), UnixMs(1_795_391_990_000));
        for odd in [0, -1, 1, 1_795_392_001, i64::MAX, i64::MIN] {
            assert_eq!(happened_at(odd, received), received, "{odd}");
        }
    }

    #[test]
    fn pauses_grow_to_an_hour() {
        let pauses: Vec<u64> = [1, 2, 3, 11, 12, 20, i64::MAX].map(|n| pause(n).as_secs()).to_vec();
        assert_eq!(pauses, [2, 4, 8, 2048, 3600, 3600, 3600]);
    }

    proptest! {
        #[test]
        fn nothing_that_is_written_does_harm(content in ".{0,200}", kind in "[a-zA-Z_]{0,20}") {
            let safe = content.replace("]]>", "");
            let text = format!("<xml><MsgType>{kind}</MsgType><Event>{kind}</Event><Content><![CDATA[{safe}]]></Content></xml>");
            if let Ok(push) = wechat::message::parse(&text) {
                let _ = (topic(&push), effect(&push));
            }
            let _ = words::topic(&content);
        }

        #[test]
        fn no_time_is_in_the_future(created in any::<i64>(), received in 0_i64..4_000_000_000_000) {
            prop_assert!(happened_at(created, UnixMs(received)) <= UnixMs(received));
        }
    }
}
