//! What the chat says and shows, for staff who run the account.

use axum::Json;
use axum::extract::State;
use base::{Lang, Text2};
use edge::idempotency::IdempotencyKey;
use edge::problem::ProblemBody;
use edge::schema::Text2Schema;
use edge::{ApiJson, ApiPath, ApiResult, Page, Staff};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ChannelDeps;
use crate::chat::menu::{self, MenuItem};
use crate::chat::rules::{Kind, Reply};
use crate::chat::{self, NewReply};
use crate::model::{Audience, ReplyId};
use crate::refusal::Refusal;
use crate::store::chat as sql;

/// A reply.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ChatReply {
    /// `rpl_…`
    #[schema(value_type = String)]
    id: ReplyId,
    /// To words, or the welcome.
    kind: Kind,
    /// The words, as they are compared.
    words: Vec<String>,
    /// Whether the message must be one of them.
    whole: bool,
    /// What is said.
    #[schema(value_type = Text2Schema)]
    body: Text2,
}

impl From<Reply> for ChatReply {
    fn from(reply: Reply) -> Self {
        let Reply { id, kind, words, whole, body } = reply;
        Self { id, kind, words, whole, body }
    }
}

/// A reply to be kept.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplyWanted {
    /// To words, or the welcome.
    kind: Kind,
    /// The words; none for the welcome.
    #[serde(default)]
    words: Vec<String>,
    /// Whether the message must be one of them; else a short message that holds one is enough.
    #[serde(default)]
    whole: bool,
    /// What is said; `[words](/path)` is a link to a page of ours.
    #[schema(value_type = Text2Schema)]
    body: Text2,
}

impl From<ReplyWanted> for NewReply {
    fn from(wanted: ReplyWanted) -> Self {
        let ReplyWanted { kind, words, whole, body } = wanted;
        Self { kind, words, whole, body }
    }
}

/// A message as somebody may write it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MessageTried {
    /// The message; empty for who begins to follow.
    #[serde(default)]
    message: String,
}

/// What the chat would say.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ChatPreview {
    /// Whether staff wrote it; else the program's own answer is said.
    by_staff: bool,
    /// In Chinese, as WeChat gets it.
    #[schema(required = false)]
    zh: Option<String>,
    /// In English.
    #[schema(required = false)]
    en: Option<String>,
}

/// A menu.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ChatMenu {
    /// For whom.
    audience: Audience,
    /// One to three buttons.
    items: Vec<MenuItem>,
    /// Whether WeChat has it as it stands here.
    published: bool,
}

/// All menus.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ChatMenus {
    /// One for each audience at most.
    items: Vec<ChatMenu>,
}

/// A menu to be kept.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MenuWanted {
    /// One to three buttons, each with a page, a word, or one to five lines.
    items: Vec<MenuItem>,
}

/// The replies, the latest first.
#[utoipa::path(get, path = "/api/v1/chat/replies", tag = "chat", responses((status = 200, body = Page<ChatReply>)))]
pub(super) async fn replies(State(deps): State<ChannelDeps>, who: Staff) -> ApiResult<Json<Page<ChatReply>>> {
    let all = chat::list(&deps, who.caller.hospital.id).await?;
    Ok(Json(Page { items: all.into_iter().map(ChatReply::from).collect(), next: None }))
}

/// Keeps a reply. A hospital has one welcome: another takes its place.
#[utoipa::path(post, path = "/api/v1/chat/replies", tag = "chat", request_body = ReplyWanted,
    params(("Idempotency-Key" = String, Header, description = "1 to 64 letters, digits, `-` or `_`")),
    responses((status = 200, body = Page<ChatReply>), (status = 422, body = ProblemBody)))]
pub(super) async fn add(
    State(deps): State<ChannelDeps>,
    who: Staff,
    key: IdempotencyKey,
    ApiJson(body): ApiJson<ReplyWanted>,
) -> ApiResult<Json<Page<ChatReply>>> {
    chat::keep(&deps, &who.caller, None, &format!("{}-{}", who.id, key.0), body.into()).await?;
    replies(State(deps), who).await
}

/// Changes a reply.
#[utoipa::path(put, path = "/api/v1/chat/replies/{id}", tag = "chat", request_body = ReplyWanted,
    params(("id" = String, Path, description = "`rpl_…`")),
    responses((status = 200, body = Page<ChatReply>), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn change(
    State(deps): State<ChannelDeps>,
    who: Staff,
    ApiPath(id): ApiPath<ReplyId>,
    ApiJson(body): ApiJson<ReplyWanted>,
) -> ApiResult<Json<Page<ChatReply>>> {
    chat::keep(&deps, &who.caller, Some(id), "", body.into()).await?;
    replies(State(deps), who).await
}

/// Removes a reply. Twice is once.
#[utoipa::path(delete, path = "/api/v1/chat/replies/{id}", tag = "chat",
    params(("id" = String, Path, description = "`rpl_…`")), responses((status = 204)))]
pub(super) async fn remove(
    State(deps): State<ChannelDeps>,
    who: Staff,
    ApiPath(id): ApiPath<ReplyId>,
) -> ApiResult<StatusCode> {
    chat::remove(&deps, &who.caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the chat would say to a message.
#[utoipa::path(post, path = "/api/v1/chat/preview", tag = "chat", request_body = MessageTried,
    responses((status = 200, body = ChatPreview)))]
pub(super) async fn preview(
    State(deps): State<ChannelDeps>,
    who: Staff,
    ApiJson(body): ApiJson<MessageTried>,
) -> ApiResult<Json<ChatPreview>> {
    let hospital = &who.caller.hospital;
    let said = match body.message.trim() {
        "" => deps.chat.welcome(hospital.id),
        message => deps.chat.answer(hospital.id, message),
    };
    let show = |lang: Lang| said.as_ref().map(|text| chat::shown(&deps, hospital, text, Some(lang)));
    Ok(Json(ChatPreview { by_staff: said.is_some(), zh: show(Lang::Zh), en: show(Lang::En) }))
}

/// The menus.
#[utoipa::path(get, path = "/api/v1/chat/menus", tag = "chat", responses((status = 200, body = ChatMenus)))]
pub(super) async fn menus(State(deps): State<ChannelDeps>, who: Staff) -> ApiResult<Json<ChatMenus>> {
    let all = sql::menus(&deps.db, who.caller.hospital.id).await?;
    let items = all.into_iter().map(|menu| ChatMenu {
        audience: menu.audience,
        items: menu.items,
        published: menu.published,
    });
    Ok(Json(ChatMenus { items: items.collect() }))
}

/// Keeps a menu. Followers see it when it is published.
#[utoipa::path(put, path = "/api/v1/chat/menus/{audience}", tag = "chat", request_body = MenuWanted,
    params(("audience" = Audience, Path)),
    responses((status = 200, body = ChatMenus), (status = 422, body = ProblemBody)))]
pub(super) async fn keep_menu(
    State(deps): State<ChannelDeps>,
    who: Staff,
    ApiPath(audience): ApiPath<Audience>,
    ApiJson(body): ApiJson<MenuWanted>,
) -> ApiResult<Json<ChatMenus>> {
    menu::keep(&deps, &who.caller, audience, &body.items).await?;
    menus(State(deps), who).await
}

/// Sends a menu to WeChat; phones show it within minutes.
#[utoipa::path(post, path = "/api/v1/chat/menus/{audience}/publish", tag = "chat", params(("audience" = Audience, Path)),
    responses((status = 200, body = ChatMenus), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn publish_menu(
    State(deps): State<ChannelDeps>,
    who: Staff,
    ApiPath(audience): ApiPath<Audience>,
) -> ApiResult<Json<ChatMenus>> {
    menu::publish(&deps, &who.caller, audience).await.map_err(|refusal| match refusal {
        Refusal::Wechat(reason) => {
            tracing::warn!(reason, "WeChat did not take a menu");
            Refusal::Wechat(reason)
        }
        other => other,
    })?;
    menus(State(deps), who).await
}
