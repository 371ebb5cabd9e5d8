//! What is thought of each finding. Pure: the calls are made in [`super::looks`].

use std::net::IpAddr;

use base::Text2;
use notify::{Kind, Mapping};
use people::Channel;
use people::channel::{CallbackMode, ChannelKind};
use url::{Host, Url};
use wechat::api::codes::Class;
use wechat::api::menu::{Action, Button, Menu};
use wechat::api::reach::Reachability;
use wechat::api::template::PrivateTemplate;
use wechat::api::{Bases, Error};

use super::report::{Level, Line};

/// Whether the account is at WeChat itself. A simulator needs no domain, no certificate and no file.
#[must_use]
pub fn is_real(bases: &Bases) -> bool {
    Url::parse(&bases.api)
        .ok()
        .and_then(|url| url.host_str().map(|host| host.ends_with(".weixin.qq.com")))
        .unwrap_or(false)
}

/// Something that we asked WeChat did not work.
#[must_use]
pub fn trouble(what: &Text2, error: &Error) -> Line {
    let line = |level: Level, zh: &str, en: &str| {
        Line::new(level, format!("{}：{zh}", what.zh), format!("{}: {en}", what.en))
    };
    match error {
        Error::Api(refused) => {
            let level = match refused.class {
                Class::RetryLater | Class::QuotaStop => Level::Warn,
                _ => Level::Fail,
            };
            let said = format!("{} {}", refused.errcode, refused.errmsg);
            let found = line(level, &format!("微信返回 {said}"), &format!("WeChat says {said}"));
            match remedy(refused.errcode, &refused.errmsg) {
                Some(remedy) => found.says(&remedy),
                None => found.advise(refused.advice.zh, refused.advice.en),
            }
        }
        Error::NotSent(_) => line(Level::Fail, "连不上微信接口", "WeChat's interfaces can't be reached")
            .advise(
                "请检查服务器的 DNS、出站 443 端口和代理，要能访问 api.weixin.qq.com。",
                "Check the server's DNS, outgoing port 443 and proxy: it must reach api.weixin.qq.com.",
            ),
        Error::NoAnswer(_) => line(Level::Fail, "微信接口没有应答", "WeChat's interfaces do not answer")
            .advise(
                "多半是网络或代理问题，请稍后再查一次。",
                "Most likely the network or a proxy. Check again in a while.",
            ),
        Error::Status { status } => line(
            Level::Fail,
            &format!("收到 HTTP {status}，这不是微信的应答"),
            &format!("HTTP {status} came back, which is not WeChat's answer"),
        )
        .advise(
            "中间可能有代理或网关，也可能接口地址填错了。",
            "A proxy or gateway may be in between, or the address of the interfaces is wrong.",
        ),
        // Looking is read-only: on the embedded database only the running server may keep a new token.
        Error::Store(_) => line(
            Level::Warn,
            "需要新的 access_token，但数据库正由运行中的服务使用",
            "a new access token is needed, but the running server holds the database",
        )
        .advise(
            "请停掉服务后再查，或在服务用过微信接口之后再查。",
            "Stop the server and check again, or check after it has used WeChat's interfaces.",
        ),
        Error::TokenBusy => {
            line(Level::Warn, "另一个节点正在取 access_token", "another node is getting the access token")
                .advise("请稍后再查一次。", "Check again in a moment.")
        }
        Error::Answer { reason } => line(
            Level::Fail,
            &format!("看不懂微信的应答（{reason}）"),
            &format!("WeChat's answer can't be read ({reason})"),
        )
        .advise("请把这一行反馈给开发者。", "Please report this line."),
        Error::Invalid { field, reason } => {
            line(Level::Fail, &format!("{field}：{reason}"), &format!("{field}: {reason}"))
        }
    }
}

/// Where on WeChat's page the remedy is, for the errors that everybody meets.
fn remedy(errcode: i64, errmsg: &str) -> Option<Text2> {
    Some(match errcode {
        40013 => Text2::new(
            "AppID 不对。请到公众平台“设置与开发 → 基本配置”核对，改好 account.toml 后重新运行 xinglin wechat set。",
            "The AppID is wrong. Compare it with 设置与开发 → 基本配置 on WeChat's page, correct account.toml and run xinglin wechat set again.",
        ),
        40001 | 40125 => Text2::new(
            "AppSecret 不对，可能已被重置。请到“基本配置”重置一次，把新的填进 account.toml，重新运行 xinglin wechat set。",
            "The AppSecret is wrong; perhaps it was reset. Reset it under 基本配置, put the new one into account.toml and run xinglin wechat set again.",
        ),
        40243 => Text2::new(
            "AppSecret 已被冻结，请到“基本配置”解冻。",
            "The AppSecret is frozen. Unfreeze it under 基本配置.",
        ),
        40164 => match address(errmsg) {
            Some(ip) => Text2::new(
                format!("请到“基本配置 → IP 白名单”加上 {ip}，十分钟内生效。"),
                format!("Add {ip} to 基本配置 → IP 白名单; it takes effect within ten minutes."),
            ),
            None => Text2::new(
                "请到“基本配置 → IP 白名单”加上服务器的出口 IP。",
                "Add the server's outgoing address to 基本配置 → IP 白名单.",
            ),
        },
        48001 => Text2::new(
            "这个公众号没有该接口的权限：多半是还没有认证，或账号类型不是服务号。请到“设置与开发 → 接口权限”查看。",
            "The account may not use this interface: most likely it is not certified, or is no service account. See 设置与开发 → 接口权限.",
        ),
        _ => return None,
    })
}

/// The address that WeChat names: `invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist`.
fn address(errmsg: &str) -> Option<IpAddr> {
    errmsg.split([' ', ',', '[', ']', '(', ')']).find_map(|word| word.parse().ok())
}

/// Whether our public address is one that WeChat can call and phones can open.
#[must_use]
pub fn public_address(public_url: &str) -> Line {
    let Ok(url) = Url::parse(public_url) else {
        return Line::fail(
            format!("server.public_url 不是网址：{public_url}"),
            format!("server.public_url is no address: {public_url}"),
        );
    };
    let advise = |line: Line| {
        line.advise(
            "请把 server.public_url 改成备案过的域名，用 https 和默认端口，例如 https://wx.example.cn。",
            "Set server.public_url to your registered (ICP) domain with https and the usual port, like https://wx.example.cn.",
        )
    };
    let is_domain = match url.host() {
        Some(Host::Domain(name)) => name.contains('.') && !name.ends_with(".localhost"),
        _ => false,
    };
    if !is_domain {
        return advise(Line::fail(
            format!("公网地址 {public_url} 不是域名，微信和手机都访问不到。"),
            format!(
                "The public address {public_url} is no domain name: neither WeChat nor phones can reach it."
            ),
        ));
    }
    if url.port().is_some() {
        return advise(Line::fail(
            format!("公网地址 {public_url} 带端口，微信只访问 80 和 443。"),
            format!("The public address {public_url} has a port; WeChat calls 80 and 443 only."),
        ));
    }
    if url.scheme() != "https" {
        return advise(Line::warn(
            format!("公网地址 {public_url} 不是 https，登录和病历都会明文传输。"),
            format!(
                "The public address {public_url} is not https: sign-ins and records travel in the clear."
            ),
        ));
    }
    Line::ok(format!("公网地址 {public_url}"), format!("Public address {public_url}"))
}

/// What can be said of the settings without asking anybody.
#[must_use]
pub fn settings(channel: &Channel, callback_url: &str) -> Vec<Line> {
    let mut lines = vec![Line::note(
        format!("公众平台“服务器配置”里的 URL 应为 {callback_url}"),
        format!("The URL under 服务器配置 on WeChat's page should be {callback_url}"),
    )];
    lines.push(match channel.mode {
        CallbackMode::Safe | CallbackMode::Wecom => Line::ok("消息加密：安全模式", "Encryption of pushes: safe mode"),
        CallbackMode::Compatible => Line::warn("消息加密：兼容模式", "Encryption of pushes: compatible mode").advise(
            "兼容模式只用于过渡。请在公众平台改成安全模式，再把 account.toml 里的 mode 改为 safe。",
            "It is meant for changing over only. Choose safe mode on WeChat's page, then set mode to safe in account.toml.",
        ),
        CallbackMode::Plain => Line::warn("消息加密：明文模式，无法防止伪造消息", "Encryption of pushes: plain mode, which can't keep forged ones out").advise(
            "请在公众平台改成安全模式并设置 EncodingAESKey，再把 account.toml 里的 mode 改为 safe。",
            "Choose safe mode and an EncodingAESKey on WeChat's page, then set mode to safe in account.toml.",
        ),
    });
    let token = channel.credentials.token.reveal();
    if !(3..=32).contains(&token.len()) || !token.bytes().all(|b| b.is_ascii_alphanumeric()) {
        lines.push(
            Line::warn("Token 不是 3–32 位字母数字", "The token is not 3 to 32 letters and digits").advise(
                "微信只接受 3–32 位字母和数字，请核对 Token。",
                "WeChat takes no other; compare the token with WeChat's page.",
            ),
        );
    }
    if channel.credentials.keys.as_ref().is_some_and(|keys| keys.previous.is_some()) {
        lines.push(Line::warn("还留着旧的 EncodingAESKey", "The EncodingAESKey before this one is still accepted").advise(
            "更换一天之后就不需要了，请从 account.toml 里删掉 aes_key_previous。",
            "A day after the change it is not needed any more: remove aes_key_previous from account.toml.",
        ));
    }
    if channel.kind == ChannelKind::Subscription {
        lines.push(
            Line::warn(
                "这是订阅号：没有网页授权和模板消息",
                "This is a subscription account: it has no web authorisation and no template messages",
            )
            .advise("预约挂号需要已认证的服务号。", "Booking needs a certified service account."),
        );
    }
    lines
}

/// What WeChat found on its way to us.
#[must_use]
pub fn reach(found: &Reachability) -> Line {
    let lost = |ping: &&wechat::api::reach::Ping| ping.package_loss.trim() == "100%";
    if found.dns.is_empty() {
        return Line::fail("微信解析不到我们的域名", "WeChat can't resolve our host name").advise(
            "请检查域名解析，并确认服务器配置里的 URL 填对了。",
            "Check the domain's records, and that the URL under 服务器配置 is right.",
        );
    }
    let addresses = found.dns.iter().map(|d| d.ip.as_str()).collect::<Vec<_>>().join(", ");
    if !found.ping.is_empty() && found.ping.iter().filter(lost).count() == found.ping.len() {
        return Line::note(
            format!("微信能解析到 {addresses}，但 ping 不通"),
            format!("WeChat resolves our host name to {addresses}, but no ping comes through"),
        )
        .advise(
            "很多医院的防火墙会拦 ping，只要能收到推送就没有问题。",
            "Many firewalls drop pings; as long as pushes come in, all is well.",
        );
    }
    Line::ok(format!("微信能访问我们：{addresses}"), format!("WeChat reaches us at {addresses}"))
}

/// Our own call to the callback's address, as WeChat would make it. `answer` is status and body.
#[must_use]
pub fn own_call(url: &str, echo: &str, answer: Result<(u16, String), String>) -> Line {
    match answer {
        Ok((200, body)) if body == echo => {
            Line::ok("从公网地址访问回调成功", "The callback answers at the public address")
        }
        Ok((403, _)) => Line::fail(format!("{url} 拒绝了正确的签名"), format!("{url} refuses a right signature")).advise(
            "那里运行的服务用的可能是另一个数据库，或代理改写了参数。",
            "The server there may be on another database, or a proxy rewrites the parameters.",
        ),
        Ok((status @ 300..=399, _)) => Line::fail(format!("{url} 返回跳转（{status}）"), format!("{url} redirects ({status})"))
            .advise("微信不跟随跳转，请把 server.public_url 改成最终地址。", "WeChat follows no redirect: set server.public_url to the final address."),
        Ok((404, _)) => Line::fail(format!("{url} 不存在（404）"), format!("{url} is not there (404)")).advise(
            "反向代理要把 /wechat/ 转给本服务。",
            "The reverse proxy must pass /wechat/ on to this server.",
        ),
        Ok((200, _)) => Line::fail(format!("{url} 的应答不是本服务的"), format!("{url} answers, but not as this server would"))
            .advise("请检查反向代理，看这个地址转到了哪里。", "Check where the reverse proxy leads this address."),
        Ok((status, _)) => Line::fail(format!("{url} 返回 {status}"), format!("{url} answers {status}"))
            .advise("请查看反向代理和本服务的日志。", "See the logs of the reverse proxy and of this server."),
        Err(reason) => Line::fail(format!("访问不到 {url}：{reason}"), format!("{url} can't be reached: {reason}")).advise(
            "请确认服务已启动，域名解析、反向代理和证书都正常。",
            "Make sure that the server runs, and that the domain, the reverse proxy and the certificate are right.",
        ),
    }
}

/// The kinds of message for which a template should be there.
const KINDS: &[(Kind, &str, &str)] = &[
    (Kind::AppointmentConfirmed, "预约成功", "booked"),
    (Kind::AppointmentCancelled, "预约取消", "cancelled"),
    (Kind::AppointmentMoved, "改约", "moved"),
    (Kind::AppointmentReminder, "就诊提醒", "reminder"),
    (Kind::AppointmentStopped, "停诊", "clinic called off"),
    (Kind::AppointmentRestored, "恢复出诊", "clinic takes place after all"),
    (Kind::AppointmentReplaced, "医生变更", "another doctor"),
];

/// Whether each kind of message has a template that the account has, with all of its fields filled.
#[must_use]
pub fn templates(there: &[PrivateTemplate], mapped: &[Mapping]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut good = Text2::default();
    let mut missing = Text2::default();
    let add = |to: &mut Text2, zh: &str, en: &str| {
        if !to.zh.is_empty() {
            to.zh.push('、');
            to.en.push_str(", ");
        }
        to.zh.push_str(zh);
        to.en.push_str(en);
    };
    for (kind, zh, en) in KINDS {
        let Some(mapping) = mapped.iter().find(|m| m.kind == *kind) else {
            add(&mut missing, zh, en);
            continue;
        };
        let Some(template) = there.iter().find(|t| t.template_id == mapping.template_id) else {
            lines.push(
                Line::fail(format!("“{zh}”的模板已不在公众号里"), format!("The template for “{en}” is not in the account any more"))
                    .advise("请在公众平台重新添加同类模板；系统每天匹配一次，重启服务会马上匹配。", "Add such a template again on WeChat's page; it is matched once a day, and at once when the server starts."),
            );
            continue;
        };
        let keys = template.keys();
        let unfilled: Vec<&str> =
            keys.iter().copied().filter(|key| !mapping.fields.contains_key(*key)).collect();
        let unknown: Vec<&str> =
            mapping.fields.keys().map(String::as_str).filter(|key| !keys.contains(key)).collect();
        if unfilled.is_empty() && unknown.is_empty() {
            add(&mut good, zh, en);
        } else {
            let names = [unfilled, unknown].concat().join(", ");
            lines.push(
                Line::fail(
                    format!("“{zh}”的模板“{}”字段对不上：{names}", template.title),
                    format!("The template for “{en}” ({}) has other fields: {names}", template.title),
                )
                .advise(
                    "请重新匹配这个模板，否则微信会拒收（47003）。",
                    "Match the template again, or WeChat refuses the message (47003).",
                ),
            );
        }
    }
    if !good.zh.is_empty() {
        lines
            .insert(0, Line::ok(format!("模板消息：{}", good.zh), format!("Template messages: {}", good.en)));
    }
    if !missing.zh.is_empty() {
        lines.push(
            Line::warn(
                format!("还没有模板：{}（只能发短信）", missing.zh),
                format!("No template for: {} (only SMS is left)", missing.en),
            )
            .advise(
                "请在“模板消息 → 类目模板”里添加，见 docs/connect-wechat.zh-CN.md 第 7 步。",
                "Add them under 模板消息 → 类目模板: see step 7 of docs/connect-wechat.md.",
            ),
        );
    }
    lines
}

/// The menu under the chat.
#[must_use]
pub fn menu(menu: Option<&Menu>, base: &str) -> Line {
    let Some(menu) = menu.filter(|menu| !menu.buttons.is_empty()) else {
        return Line::warn("公众号还没有菜单", "The account has no menu").advise(
            "运行 xinglin wechat menu 设置默认菜单。",
            "Run xinglin wechat menu to put the usual one up.",
        );
    };
    let host = |address: &str| Url::parse(address).ok().and_then(|url| url.host_str().map(str::to_owned));
    let ours = host(base);
    let elsewhere =
        menu.buttons.iter().find_map(|button| other_host(button, &|address| host(address) == ours));
    match elsewhere {
        Some((name, address)) => Line::note(
            format!("菜单“{name}”打开的是别的网站：{address}"),
            format!("The menu's “{name}” opens another site: {address}"),
        ),
        None => Line::ok("菜单已设置", "The menu is up"),
    }
}

fn other_host(button: &Button, is_ours: &dyn Fn(&str) -> bool) -> Option<(String, String)> {
    match &button.action {
        Action::Lines(lines) => lines.iter().find_map(|line| other_host(line, is_ours)),
        Action::View(address) if !is_ours(address) => Some((button.name.clone(), address.clone())),
        _ => None,
    }
}

/// The file by which WeChat sees whose the domain is, as our own address serves it.
#[must_use]
pub fn verify_file(name: &str, content: &str, answer: Result<(u16, String), String>) -> Line {
    match answer {
        Ok((200, body)) if body.trim() == content.trim() => {
            Line::ok(format!("{name} 可以访问"), format!("{name} is served"))
        }
        Ok((status, _)) => Line::fail(
            format!("{name} 的内容不对（HTTP {status}）"),
            format!("{name} is not what is served (HTTP {status})"),
        )
        .advise(
            "反向代理要把网站根目录的这个文件转给本服务。",
            "The reverse proxy must pass this file of the site's root on to this server.",
        ),
        Err(reason) => {
            Line::fail(format!("访问不到 {name}：{reason}"), format!("{name} can't be reached: {reason}"))
        }
    }
}
