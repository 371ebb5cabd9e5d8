//! Which reply a message gets, and how a text with links is written: pure functions.

use base::Text2;

use crate::model::ReplyId;

store::text_enum! {
    /// What a reply is for.
    #[derive(utoipa::ToSchema)]
    #[schema(as = ReplyKind)]
    pub enum Kind {
        /// To words in a message.
        #[schema(rename = "keyword")]
        Keyword = "keyword",
        /// To who begins to follow.
        #[schema(rename = "welcome")]
        Welcome = "welcome",
    }
}

/// A reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Its id.
    pub id: ReplyId,
    /// What it is for.
    pub kind: Kind,
    /// The words, as they are compared.
    pub words: Vec<String>,
    /// Whether the message must be one of them.
    pub whole: bool,
    /// What is said.
    pub body: Text2,
}

/// In a message longer than this a word proves nothing.
const SHORT: usize = 24;

/// A text as it is compared: small letters and no spaces.
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

/// The reply to a message: a whole match before a part, then the longest word.
#[must_use]
pub fn answer<'a>(replies: &'a [Reply], message: &str) -> Option<&'a Reply> {
    let text = plain(message);
    let keyed = || replies.iter().filter(|reply| reply.kind == Kind::Keyword);
    if let Some(exact) = keyed().find(|reply| reply.words.contains(&text)) {
        return Some(exact);
    }
    if text.chars().count() > SHORT {
        return None;
    }
    let longest = |reply: &Reply| reply.words.iter().filter(|w| text.contains(*w)).map(String::len).max();
    let mut best: Option<(usize, &Reply)> = None;
    for reply in keyed().filter(|reply| !reply.whole) {
        if let Some(length) = longest(reply)
            && best.is_none_or(|(known, _)| length > known)
        {
            best = Some((length, reply));
        }
    }
    best.map(|(_, reply)| reply)
}

/// The words of a reply as they are compared: 1 to 20 of 1 to 20 characters for a keyword, none for the welcome.
#[must_use]
pub fn words(kind: Kind, typed: &[String]) -> Option<Vec<String>> {
    let mut all: Vec<String> = typed.iter().map(|word| plain(word)).filter(|word| !word.is_empty()).collect();
    all.sort();
    all.dedup();
    let fits = match kind {
        Kind::Keyword => (1..=20).contains(&all.len()) && all.iter().all(|w| w.chars().count() <= 20),
        Kind::Welcome => all.is_empty(),
    };
    fits.then_some(all)
}

/// Whether a text is there in both languages and has no markup but our links.
#[must_use]
pub fn fits(body: &Text2) -> bool {
    [&body.zh, &body.en].iter().all(|text| !text.trim().is_empty() && !text.contains(['<', '>']))
}

/// Writes a text for the chat: `[words](/path)` becomes a link to a page of ours, everything else stays.
#[must_use]
pub fn write(text: &str, address: impl Fn(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        let link = after.split_once("](").and_then(|(words, tail)| {
            let (path, tail) = tail.split_once(')')?;
            let ours = people::rules::local_path(Some(path)) == path && !words.contains('[');
            ours.then_some((words, path, tail))
        });
        out.push_str(before);
        match link {
            Some((words, path, tail)) => {
                out.push_str(&format!("<a href=\"{}\">{words}</a>", address(path)));
                rest = tail;
            }
            None => {
                out.push('[');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reply(words: &[&str], whole: bool, zh: &str) -> Reply {
        Reply {
            id: ReplyId::new(),
            kind: Kind::Keyword,
            words: words.iter().map(|w| plain(w)).collect(),
            whole,
            body: Text2::new(zh, zh),
        }
    }

    #[test]
    fn the_closest_reply_answers() {
        let all = [
            reply(&["停车"], false, "车"),
            reply(&["停车费", "Parking Fee"], false, "费"),
            reply(&["疫苗"], true, "苗"),
        ];
        let said = |text: &str| answer(&all, text).map(|r| r.body.zh.as_str());
        assert_eq!(said("哪里停车？"), Some("车"));
        assert_eq!(said("停车费多少"), Some("费"));
        assert_eq!(said("parking  fee?"), Some("费"));
        assert_eq!((said("疫苗"), said("打疫苗")), (Some("苗"), None));
        assert_eq!(
            said(&format!("停车{}", "很长".repeat(12))),
            None,
            "in a long message a word proves nothing"
        );
        assert_eq!(said(""), None);
    }

    #[test]
    fn links_lead_to_our_pages_only() {
        let to = |path: &str| format!("https://h{path}");
        assert_eq!(write("点[这里](/help)看", to), "点<a href=\"https://h/help\">这里</a>看");
        for same in
            ["[a](https://evil)", "[a](//evil)", "[a]", "[", "a](/b)", "[a](/api/v1/x)", "[x [y](/help"]
        {
            assert_eq!(write(same, to), same);
        }
    }

    proptest! {
        #[test]
        fn whatever_is_written_only_our_links_are_links(text in "\\PC{0,60}") {
            prop_assume!(!text.contains('<'));
            let out = write(&text, |path| format!("https://h{path}"));
            prop_assert_eq!(out.matches("<a href=\"https://h/").count(), out.matches('<').count() / 2);
        }
    }
}
