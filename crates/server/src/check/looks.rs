//! The calls that checks make: to WeChat, to the database, and to our own address as WeChat would.

use std::time::Duration;

use base::{Lang, Text2, UnixMs};
use people::Channel;
use people::channel::ChannelKind;
use store::StoreError;
use wechat::callback::signature;

use super::Deps;
use super::judge;
use super::report::{Level, Line, Section};
use crate::entrance;

/// More pushes than this do not wait while a worker runs.
const MANY: i64 = 1000;

/// What WeChat has pushed, and whether it was worked on.
pub(super) async fn pushes(deps: &Deps) -> Section {
    let mut section = Section::new("微信推送", "Pushes of WeChat");
    match (entrance::backlog(&deps.db).await, entrance::failed(&deps.db).await) {
        (Ok(waiting), Ok(failed)) => {
            let level = if waiting < MANY { Level::Ok } else { Level::Warn };
            let en = format!("{waiting} wait to be worked on");
            section.add(Line::new(level, format!("待处理 {waiting} 条"), en));
            if failed > 0 {
                section.add(
                    Line::warn(format!("{failed} 条处理失败"), format!("{failed} were given up")).advise(
                        "请在日志里搜索 “a push was given up”，修好原因后反馈给开发者。",
                        "Search the log for “a push was given up” and report the reason.",
                    ),
                );
            }
        }
        (Err(error), _) | (_, Err(error)) => section.add(unreadable(&error)),
    }
    section
}

/// The database could not be read.
pub(super) fn unreadable(error: &StoreError) -> Line {
    Line::fail(format!("读不了数据库：{error}"), format!("The database can't be read: {error}"))
        .advise("请先运行 xinglin migrate，再查一次。", "Run xinglin migrate, then check again.")
}

/// One account.
pub(super) async fn channel(deps: &Deps, channel: &Channel) -> Section {
    let title = |lang| format!("{} ({}, {})", channel.name, kind_name(channel.kind, lang), channel.app_id);
    let mut section = Section::new(title(Lang::Zh), title(Lang::En));
    let real = judge::is_real(&channel.bases);
    if real {
        section.add(judge::public_address(&deps.public_url));
    } else {
        let at = &channel.bases.api;
        section.add(Line::note(
            format!("接的是模拟器 {at}，不是微信"),
            format!("This is a simulator at {at}, not WeChat"),
        ));
    }
    let url = entrance::callback_url(&deps.public_url, channel);
    section.lines.extend(judge::settings(channel, &url));
    if channel.kind != ChannelKind::Wecom {
        section.add(own_call(deps, channel, &url).await);
    }
    section.add(last_push(deps, channel).await);
    match channel.client.access_token().await {
        Ok(_) => {
            section.add(Line::ok("可以取得 access_token", "An access token can be had"));
            section.lines.extend(asked(deps, channel).await);
        }
        // Without a token nothing else can be asked.
        Err(error) => {
            section.add(judge::trouble(&Text2::new("取 access_token", "Getting an access token"), &error))
        }
    }
    for (name, content) in &channel.verify_files {
        let answer = fetch(&format!("{}/{name}", deps.public_url)).await;
        section.add(judge::verify_file(name, content, answer));
    }
    if real && channel.kind == ChannelKind::Service {
        section.lines.extend(by_hand(deps, channel));
    }
    section
}

/// What only a person can look up, since WeChat has no interface for it.
fn by_hand(deps: &Deps, channel: &Channel) -> Vec<Line> {
    let mut lines = Vec::new();
    let host = url::Url::parse(&deps.public_url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let host = host.unwrap_or_default();
    lines.push(Line::note(
        format!("请确认“网页授权域名”和“JS 接口安全域名”里都有 {host}（微信没有查询接口）"),
        format!("Make sure that {host} stands under 网页授权域名 and JS接口安全域名 (WeChat has no interface to ask)"),
    ));
    if channel.verify_files.is_empty() {
        lines.push(Line::note("没有配置域名校验文件", "No domain file is set").advise(
            "如果设置域名时微信要求上传 MP_verify_….txt，请把文件名和内容写进 account.toml 的 [verify_files]。",
            "If WeChat asks for MP_verify_….txt when you enter the domain, put its name and content under [verify_files] in account.toml.",
        ));
    }
    lines
}

/// What WeChat can be asked, given a token.
async fn asked(deps: &Deps, channel: &Channel) -> Vec<Line> {
    let client = &channel.client;
    let mut lines = Vec::new();
    let mut add = |what: (&str, &str), result: Result<Vec<Line>, wechat::api::Error>| match result {
        Ok(good) => lines.extend(good),
        Err(error) => lines.push(judge::trouble(&Text2::new(what.0, what.1), &error)),
    };
    add(
        ("让微信访问我们", "Letting WeChat call us"),
        client.check_callback().await.map(|found| vec![judge::reach(&found)]),
    );
    if matches!(channel.kind, ChannelKind::Service | ChannelKind::Subscription) {
        let base = deps.hospitals.get(channel.hospital).map(|hospital| {
            entrance::chat::base_url(&deps.public_url, &hospital.code, deps.hospitals.all().len() > 1)
        });
        let base = base.unwrap_or_else(|| deps.public_url.to_string());
        add(
            ("读取菜单", "Reading the menu"),
            client.menu().await.map(|menu| vec![judge::menu(menu.as_ref(), &base)]),
        );
        add(
            ("读取关注人数", "Counting followers"),
            client.users(None).await.map(|page| {
                vec![Line::ok(format!("关注人数 {}", page.total), format!("{} followers", page.total))]
            }),
        );
        add(
            ("取 JS-SDK 票据", "Getting the JS-SDK ticket"),
            client
                .js_config(&base, "check")
                .await
                .map(|_| vec![Line::ok("网页可以使用 JS-SDK", "Pages may use the JS-SDK")]),
        );
    }
    if channel.kind == ChannelKind::Service {
        match notify::mappings(&deps.db, channel.hospital, channel.id).await {
            Ok(mapped) => add(
                ("读取模板", "Reading the templates"),
                client.private_templates().await.map(|there| judge::templates(&there, &mapped)),
            ),
            Err(error) => add(("", ""), Ok(vec![unreadable(&error)])),
        }
    }
    lines
}

/// When the last push came in.
async fn last_push(deps: &Deps, channel: &Channel) -> Line {
    let zone = deps.hospitals.get(channel.hospital).map(|hospital| hospital.zone.clone());
    let show = |at: UnixMs| zone.as_ref().map_or_else(|| at.0.to_string(), |zone| zone.rfc3339(at));
    match entrance::last_push(&deps.db, channel).await {
        Ok(Some(at)) => Line::ok(format!("最近一次收到推送：{}", show(at)), format!("The last push came at {}", show(at))),
        Ok(None) => Line::warn("最近一周没有收到推送", "No push has come in the last week").advise(
            "请在公众平台“服务器配置”里提交 URL 并启用，然后给公众号发一条消息试试。",
            "Submit the URL under 服务器配置 on WeChat's page and turn it on, then send the account a message.",
        ),
        Err(error) => unreadable(&error),
    }
}

/// Calls our own callback through the public address, signed as WeChat would sign it.
async fn own_call(deps: &Deps, channel: &Channel, url: &str) -> Line {
    let timestamp = deps.db.now().seconds().to_string();
    let echo = uuid::Uuid::new_v4().simple().to_string();
    let nonce = "check";
    let signed = signature(&[channel.credentials.token.reveal(), &timestamp, nonce]);
    let answer =
        fetch(&format!("{url}?signature={signed}&timestamp={timestamp}&nonce={nonce}&echostr={echo}")).await;
    judge::own_call(url, &echo, answer)
}

/// Status and body of an address of ours, or in a word why there is none.
async fn fetch(address: &str) -> Result<(u16, String), String> {
    // The error's own text would show the address again, signature and all.
    let reason = |error: &dyn std::error::Error| {
        let mut last = error.source();
        let mut text = String::new();
        while let Some(source) = last {
            text = source.to_string();
            last = source.source();
        }
        text
    };
    let client = wechat::api::http_client().timeout(Duration::from_secs(5)).build();
    let client = client.map_err(|error| reason(&error))?;
    let answer = client.get(address).send().await.map_err(|error| reason(&error.without_url()))?;
    let status = answer.status().as_u16();
    let body = answer.text().await.map_err(|error| reason(&error.without_url()))?;
    Ok((status, body.chars().take(4096).collect()))
}

/// What sort of account it is, for a section's title.
fn kind_name(kind: ChannelKind, lang: Lang) -> &'static str {
    match (kind, lang) {
        (ChannelKind::Service, Lang::Zh) => "服务号",
        (ChannelKind::Service, Lang::En) => "service account",
        (ChannelKind::Subscription, Lang::Zh) => "订阅号",
        (ChannelKind::Subscription, Lang::En) => "subscription account",
        (ChannelKind::Mini, Lang::Zh) => "小程序",
        (ChannelKind::Mini, Lang::En) => "mini program",
        (ChannelKind::Wecom, Lang::Zh) => "企业微信",
        (ChannelKind::Wecom, Lang::En) => "WeCom",
    }
}
