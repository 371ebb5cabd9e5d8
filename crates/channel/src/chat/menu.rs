//! The menu under the chat: one for everybody, and one for those who chose English. What staff write is checked as WeChat checks it,
//! then kept; publishing sends it.

use ::store::Tx;
use base::HospitalId;
use edge::{Caller, Hospital};
use serde::{Deserialize, Serialize};
use serde_json::json;
use wechat::api::menu::{Action, Button, Menu};

use crate::model::Audience;
use crate::refusal::Refusal;
use crate::store::chat as sql;
use crate::{ChannelDeps, links};

/// A button, or a line under one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MenuItem {
    /// What it says: 16 bytes for a button (five Chinese characters), 60 for a line.
    pub name: String,
    /// The page that it opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The word that it says in the chat instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word: Option<String>,
    /// The lines under a button, instead of either.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(no_recursion)]
    pub lines: Vec<MenuItem>,
}

/// The menu as WeChat takes it.
///
/// # Errors
/// [`Refusal::Menu`] with the place at fault.
pub fn build(base: &str, items: &[MenuItem]) -> Result<Menu, Refusal> {
    let menu = Menu {
        buttons: items
            .iter()
            .enumerate()
            .map(|(n, item)| button(base, &format!("items[{n}]"), item, true))
            .collect::<Result<_, _>>()?,
    };
    menu.check().map_err(|error| Refusal::Menu(error.to_string()))?;
    Ok(menu)
}

fn button(base: &str, place: &str, item: &MenuItem, top: bool) -> Result<Button, Refusal> {
    let action = match (&item.path, &item.word, item.lines.as_slice()) {
        (Some(path), None, []) if people::rules::local_path(Some(path)) == path => {
            Action::View(links::page(base, path))
        }
        (None, Some(word), []) if !word.trim().is_empty() => Action::Click(word.trim().to_owned()),
        (None, None, lines @ [_, ..]) if top => {
            let lines = lines.iter().enumerate();
            let lines = lines.map(|(n, line)| button(base, &format!("{place}.lines[{n}]"), line, false));
            Action::Lines(lines.collect::<Result<_, _>>()?)
        }
        _ => return Err(Refusal::Menu(format!("{place}: a page of ours, a word, or lines"))),
    };
    Ok(Button { name: item.name.trim().to_owned(), action })
}

/// A menu as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// For whom.
    pub audience: Audience,
    /// Its buttons.
    pub items: Vec<MenuItem>,
    /// Whether WeChat has it as it stands here.
    pub published: bool,
}

/// Keeps a menu; followers see it when it is published.
///
/// # Errors
/// [`Refusal::Menu`].
pub async fn keep(
    deps: &ChannelDeps,
    caller: &Caller,
    audience: Audience,
    items: &[MenuItem],
) -> Result<(), Refusal> {
    build(&deps.base_url(&caller.hospital), items)?;
    let mut tx = deps.db.begin().await?;
    let body = json!(items).to_string();
    sql::put_menu(&mut tx, caller.hospital.id, audience, &body, &caller.actor.to_string()).await?;
    tx.audit(caller.audit("chat.menu", audience.code(), json!({}))).await?;
    tx.commit().await?;
    Ok(())
}

/// Sends a menu to WeChat. Sent again it changes nothing.
///
/// # Errors
/// [`Refusal::NotFound`] when there is none; [`Refusal::NoWechat`], [`Refusal::Wechat`].
pub async fn publish(deps: &ChannelDeps, caller: &Caller, audience: Audience) -> Result<(), Refusal> {
    let h = caller.hospital.id;
    let kept = sql::menus(&deps.db, h).await?.into_iter().find(|menu| menu.audience == audience);
    let kept = kept.ok_or(Refusal::NotFound)?;
    let menu = build(&deps.base_url(&caller.hospital), &kept.items)?;
    let channel = deps.channels.service(h).ok_or(Refusal::NoWechat)?;
    let said = |error: wechat::api::Error| Refusal::Wechat(error.to_string());
    match audience {
        Audience::All => channel.client.create_menu(&menu).await.map_err(said)?,
        Audience::En => {
            let tag = tag(deps, &caller.hospital).await?;
            let old = sql::tag(&deps.db, h, channel.id).await?.and_then(|(_, menu)| menu);
            let new = channel.client.create_menu_for_tag(&menu, tag).await.map_err(said)?;
            let mut tx = deps.db.begin().await?;
            sql::set_tag_menu(&mut tx, h, channel.id, &new).await?;
            tx.commit().await?;
            // The newest counts; the old one only takes one of WeChat's places.
            if let Some(old) = old
                && let Err(error) = channel.client.delete_menu_for_tag(&old).await
            {
                tracing::warn!(%error, "an old menu could not be taken down");
            }
        }
    }
    let mut tx = deps.db.begin().await?;
    sql::published(&mut tx, h, audience).await?;
    tx.audit(caller.audit("chat.menu_publish", audience.code(), json!({}))).await?;
    tx.commit().await?;
    Ok(())
}

/// The tag of those who chose English; made when WeChat has none.
///
/// # Errors
/// [`Refusal::NoWechat`], [`Refusal::Wechat`].
pub(crate) async fn tag(deps: &ChannelDeps, hospital: &Hospital) -> Result<i64, Refusal> {
    let h: HospitalId = hospital.id;
    let channel = deps.channels.service(h).ok_or(Refusal::NoWechat)?;
    if let Some((tag, _)) = sql::tag(&deps.db, h, channel.id).await? {
        return Ok(tag);
    }
    let said = |error: wechat::api::Error| Refusal::Wechat(error.to_string());
    let known = channel.client.tags().await.map_err(said)?;
    let there = known.into_iter().find(|tag| tag.name == "English").map(|tag| tag.id);
    let tag = match there {
        Some(tag) => tag,
        None => channel.client.create_tag("English").await.map_err(said)?,
    };
    let mut tx: Tx = deps.db.begin().await?;
    sql::put_tag(&mut tx, h, channel.id, tag).await?;
    tx.commit().await?;
    Ok(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn menus_are_checked_as_wechat_checks_them() {
        let item = |name: &str, path: Option<&str>, word: Option<&str>, lines: Vec<MenuItem>| MenuItem {
            name: name.into(),
            path: path.map(Into::into),
            word: word.map(Into::into),
            lines,
        };
        let good = [
            item("预约挂号", Some("/departments"), None, vec![]),
            item("更多 More", None, None, vec![item("English", None, Some("english"), vec![])]),
        ];
        assert_eq!(build("https://h.example", &good).unwrap().buttons.len(), 2);
        for bad in [
            vec![],
            vec![item("a", Some("https://evil"), None, vec![])],
            vec![item("a", Some("/x"), Some("y"), vec![])],
            vec![item("a", None, None, vec![])],
            vec![item("名字太长了吧", Some("/x"), None, vec![])],
            vec![item(
                "a",
                None,
                None,
                vec![item("b", None, None, vec![item("c", Some("/x"), None, vec![])])],
            )],
        ] {
            assert!(matches!(build("https://h.example", &bad), Err(Refusal::Menu(_))), "{bad:?}");
        }
    }
}
