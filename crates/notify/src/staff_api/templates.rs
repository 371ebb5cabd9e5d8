//! Which of WeChat's templates serves which message, for whoever runs the account; and trying one out on a phone at hand.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State as Deps;
use base::{Kind as Problems, Lang, Problem, Text2};
use edge::problem::ProblemBody;
use edge::schema::Text2Schema;
use edge::{ApiJson, ApiPath, ApiResult, Caller};
use people::documents::Mobile;
use people::{Channel as WechatAccount, contact};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use wechat::api::template::{Jump, PrivateTemplate, TemplateMessage};

use crate::NotifyDeps;
use crate::model::{Arg, Kind, MessageId};
use crate::settings::Settings;
use crate::templates::{self, Mapping};
use crate::text::{self, House, NAMES, Words};

/// A template that the account has.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WechatTemplate)]
pub(super) struct TemplateBody {
    /// WeChat's id of it.
    id: String,
    /// Its title on WeChat's page.
    title: String,
    /// Its text, with a place for each field.
    content: String,
    /// Its fields, in their order.
    fields: Vec<String>,
}

/// A message and the template that serves it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TemplateChoice)]
pub(super) struct ChoiceBody {
    /// What is told …
    kind: Kind,
    /// … by its name.
    #[schema(value_type = Text2Schema)]
    kind_name: Text2,
    /// The template; without one people are told by another way.
    #[schema(required = false)]
    template_id: Option<String>,
    /// What stands in each field of it.
    fields: BTreeMap<String, String>,
}

/// All messages that can go by template, and all templates.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TemplateChoices)]
pub(super) struct ChoicesBody {
    /// The messages.
    items: Vec<ChoiceBody>,
    /// The account's templates.
    templates: Vec<TemplateBody>,
    /// What can stand in a field.
    arguments: Vec<String>,
}

/// A template for a message.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewTemplateChoice)]
pub(super) struct ChoiceWanted {
    /// One of the account's templates.
    template_id: String,
    /// What stands in each field: every field of the template, each with one of `arguments`.
    fields: BTreeMap<String, String>,
}

/// Whom to send a sample.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TemplateTest)]
pub(super) struct TestWanted {
    /// The phone that somebody who follows the account has proven.
    phone: String,
}

/// The messages, and which template serves each.
#[utoipa::path(get, path = "/api/v1/staff/message-templates", tag = "notify",
    responses((status = 200, body = ChoicesBody), (status = 409, description = "no_service_account", body = ProblemBody),
        (status = 502, body = ProblemBody)))]
pub(super) async fn list(Deps(deps): Deps<NotifyDeps>, caller: Caller) -> ApiResult<Json<ChoicesBody>> {
    let h = caller.hospital.id;
    let (channel, all) = at_wechat(&deps, &caller).await?;
    let mut chosen: BTreeMap<&str, Mapping> = templates::mappings(&deps.db, h, channel.id)
        .await?
        .into_iter()
        .map(|mapping| (mapping.kind.code(), mapping))
        .collect();
    let kinds = Kind::ALL.iter().copied().filter(|kind| *kind != Kind::SmsCode);
    let items = kinds.map(|kind| {
        let mapping = chosen.remove(kind.code());
        let (template_id, fields) = mapping.map(|m| (m.template_id, m.fields)).unzip();
        ChoiceBody { kind, kind_name: text::title(kind), template_id, fields: fields.unwrap_or_default() }
    });
    let items = items.collect();
    let templates = all.into_iter().map(|template| TemplateBody {
        fields: template.keys().into_iter().map(str::to_owned).collect(),
        id: template.template_id,
        title: template.title,
        content: template.content,
    });
    let arguments = NAMES.iter().map(|name| (*name).to_owned()).collect();
    Ok(Json(ChoicesBody { items, templates: templates.collect(), arguments }))
}

/// Chooses a template for a message. It stays, whatever the program finds by itself. Sent again it changes nothing.
#[utoipa::path(put, path = "/api/v1/staff/message-templates/{kind}", tag = "notify", params(("kind" = Kind, Path)),
    request_body = ChoiceWanted, responses((status = 204), (status = 409, body = ProblemBody),
        (status = 422, description = "template_unknown, fields_invalid", body = ProblemBody), (status = 502, body = ProblemBody)))]
pub(super) async fn choose(
    Deps(deps): Deps<NotifyDeps>,
    caller: Caller,
    ApiPath(kind): ApiPath<Kind>,
    ApiJson(body): ApiJson<ChoiceWanted>,
) -> ApiResult<http::StatusCode> {
    let (channel, all) = at_wechat(&deps, &caller).await?;
    let ChoiceWanted { template_id, fields } = body;
    let Some(template) = all.iter().find(|one| one.template_id == template_id) else {
        return Err(unknown_template().into());
    };
    // A field without a value is refused by WeChat for every single message.
    let complete = fields.len() == template.keys().len()
        && template
            .keys()
            .iter()
            .all(|key| fields.get(*key).is_some_and(|name| NAMES.contains(&name.as_str())));
    if !complete {
        return Err(wrong_fields().into());
    }
    let mapping = Mapping { kind, template_id, fields };
    let mut tx = deps.db.begin().await?;
    let by = caller.actor.to_string();
    match templates::set_mapping(&mut tx, caller.hospital.id, channel.id, &mapping, &by).await {
        Ok(()) => {}
        Err(templates::MapError::Store(error)) => return Err(error.into()),
        Err(_) => return Err(wrong_fields().into()),
    }
    let detail = json!({"template": mapping.template_id});
    tx.audit(caller.audit("notify.template", kind.code(), detail)).await?;
    tx.commit().await?;
    Ok(http::StatusCode::NO_CONTENT)
}

/// Sends a sample of a message to a follower, at once, by its template and by no other way.
#[utoipa::path(post, path = "/api/v1/staff/message-templates/{kind}/test", tag = "notify", params(("kind" = Kind, Path)),
    request_body = TestWanted, responses((status = 204),
        (status = 409, description = "no_template, not_a_follower, template_refused", body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 502, body = ProblemBody)))]
pub(super) async fn test(
    Deps(deps): Deps<NotifyDeps>,
    caller: Caller,
    ApiPath(kind): ApiPath<Kind>,
    ApiJson(body): ApiJson<TestWanted>,
) -> ApiResult<http::StatusCode> {
    let h = caller.hospital.id;
    let channel = service(&deps, &caller)?;
    let phone = Mobile::parse(&body.phone).ok_or_else(wrong_phone)?;
    let all = templates::mappings(&deps.db, h, channel.id).await?;
    let mapping = all.into_iter().find(|one| one.kind == kind).ok_or_else(no_template)?;
    let mut tx = deps.db.begin().await?;
    let account = contact::account_of_phone(&mut tx, &deps.vault, h, &phone).await?;
    let account = account.ok_or_else(no_follower)?;
    tx.audit(caller.audit("notify.test", account, json!({"kind": kind}))).await?;
    tx.commit().await?;
    let found = contact::of_account(&deps.db, h, account).await?;
    let follower = found.wechat.iter().find(|one| one.channel_account == channel.id && one.following);
    let follower = follower.ok_or_else(no_follower)?;
    let words = sample(&deps, &caller, kind, found.lang);
    let mut data = Vec::with_capacity(mapping.fields.len());
    for (key, name) in &mapping.fields {
        let value = text::fit(&words, kind, key, name);
        data.push((key.clone(), value.map_err(|error| refused(&format!("{key}: {error}")))?));
    }
    let message = TemplateMessage {
        to: follower.openid.clone(),
        template_id: mapping.template_id,
        client_msg_id: MessageId::new().db(),
        jump: Jump { url: None, mini_program: None },
        data,
    };
    match channel.client.send_template(&message).await {
        Ok(_) => Ok(http::StatusCode::NO_CONTENT),
        Err(error) => Err(refused(&error.to_string()).into()),
    }
}

/// A visit that everybody sees is none.
fn sample(deps: &NotifyDeps, caller: &Caller, kind: Kind, lang: Lang) -> Words {
    let now = deps.db.now();
    let hours = |n: u64| Arg::At(now.plus(Duration::from_secs(n * 3600)));
    let both = |zh: &str, en: &str| Arg::Both(Text2::new(zh, en));
    let data = BTreeMap::from([
        ("person".to_owned(), Arg::from("测**")),
        ("department".to_owned(), both("测试科室", "Test department")),
        ("doctor".to_owned(), both("测试医生", "Dr Test")),
        ("room".to_owned(), both("测试诊室", "Test room")),
        ("start".to_owned(), hours(24)),
        ("end".to_owned(), hours(25)),
        ("old_start".to_owned(), hours(48)),
        ("until".to_owned(), hours(1)),
        ("number".to_owned(), Arg::Number(1)),
        ("ahead".to_owned(), Arg::Number(3)),
        ("item".to_owned(), both("测试物品", "Test item")),
        ("what".to_owned(), both("测试项目", "Test")),
        ("amount".to_owned(), Arg::from("0.01")),
        ("note".to_owned(), both("这是一条测试通知", "This is a test notice")),
    ]);
    let settings: Settings = caller.hospital.settings("notify");
    Words::new(House::from(&*caller.hospital), kind, &data, lang, &settings.sensitive_departments)
}

fn service(deps: &NotifyDeps, caller: &Caller) -> Result<Arc<WechatAccount>, Problem> {
    deps.channels.service(caller.hospital.id).ok_or_else(|| {
        Problem::new(
            Problems::Conflict,
            "no_service_account",
            "还没有接入服务号，请先完成接入。",
            "No service account is set up yet. Please do that first.",
        )
    })
}

/// The hospital's service account, and the templates that WeChat says it has.
async fn at_wechat(
    deps: &NotifyDeps,
    caller: &Caller,
) -> Result<(Arc<WechatAccount>, Vec<PrivateTemplate>), Problem> {
    let channel = service(deps, caller)?;
    match channel.client.private_templates().await {
        Ok(all) => Ok((channel, all)),
        Err(error) => {
            tracing::warn!(account = channel.name, %error, "templates could not be read");
            Err(Problem::new(
                Problems::Upstream,
                "wechat_silent",
                "微信暂时没有给出模板，请稍后再试。",
                "WeChat did not give its templates. Please try again later.",
            ))
        }
    }
}

fn unknown_template() -> Problem {
    let (zh, en) = ("这个服务号没有这个模板。", "This account has no such template.");
    Problem::new(Problems::Invalid, "template_unknown", zh, en).field(
        "template_id",
        "template_unknown",
        zh,
        en,
    )
}

fn wrong_fields() -> Problem {
    let (zh, en) =
        ("请为模板的每个字段选择内容。", "Please choose for every field of the template what stands in it.");
    Problem::new(Problems::Invalid, "fields_invalid", zh, en).field("fields", "fields_invalid", zh, en)
}

fn wrong_phone() -> Problem {
    let (zh, en) = ("请填写 11 位的手机号。", "Please enter an 11-digit mobile number.");
    Problem::new(Problems::Invalid, "phone_invalid", zh, en).field("phone", "phone_invalid", zh, en)
}

fn no_template() -> Problem {
    Problem::new(
        Problems::Conflict,
        "no_template",
        "这种消息还没有选择模板。",
        "No template is chosen for this message yet.",
    )
}

fn no_follower() -> Problem {
    Problem::new(
        Problems::Conflict,
        "not_a_follower",
        "没有绑定这个手机号的关注者。请先用微信关注公众号，并在“我的”里绑定手机号。",
        "Nobody who follows the account has proven this phone. Please follow it and prove the phone first.",
    )
}

/// What WeChat said stands in `reason`, for whoever sets the template up.
fn refused(reason: &str) -> Problem {
    Problem::new(
        Problems::Conflict,
        "template_refused",
        format!("微信没有接受这条消息：{reason}"),
        format!("WeChat did not take this message: {reason}"),
    )
    .with("reason", reason.to_owned())
}
