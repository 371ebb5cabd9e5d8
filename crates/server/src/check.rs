//! What `xinglin check` looks at: what is wrong, in words that an administrator can act on.
//!
//! - [`wechat`]: is each account connected as it should be? Asks WeChat, and calls our own address as WeChat would
//! - [`audit`]: is the audit log whole?
//! - [`rows`]: do places, numbers, events and messages agree with each other?
//!
//! Nothing is changed by looking, but a fresh access token may be fetched. [`report`] has the form of the answer; what is
//! thought of each finding is decided in [`judge`] by pure functions.

pub mod judge;
mod looks;
pub mod report;
pub mod rows;
mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use ::store::{Db, Result};
use base::Text2;
use edge::Hospitals;
use people::Channels;

pub use report::{Level, Line, Report, Section};

/// What the checks need.
#[derive(Clone)]
pub struct Deps {
    /// The database; one that can only be read will do.
    pub db: Db,
    /// The hospitals.
    pub hospitals: Hospitals,
    /// Our accounts at WeChat.
    pub channels: Channels,
    /// How people reach us, without a slash at the end.
    pub public_url: Arc<str>,
}

/// All checks of this crate.
pub async fn all(deps: &Deps) -> Report {
    let mut report = wechat(deps).await;
    report.sections.extend(audit(&deps.db).await.sections);
    report
}

/// How each WeChat account is connected.
pub async fn wechat(deps: &Deps) -> Report {
    let mut channels = deps.channels.all();
    channels.retain(|channel| channel.kind != people::ChannelKind::Wecom);
    if channels.is_empty() {
        let section = Section::new("微信", "WeChat")
            .with(Line::warn("还没有配置公众号。", "No WeChat account is set up.").advise(
            "请按 docs/connect-wechat.zh-CN.md 写好 account.toml，再运行 xinglin wechat set account.toml。",
            "Write account.toml as docs/connect-wechat.md says, then run xinglin wechat set account.toml.",
        ));
        return Report { sections: vec![section] };
    }
    let mut sections = vec![looks::pushes(deps).await];
    for channel in &channels {
        sections.push(looks::channel(deps, channel).await);
    }
    Report { sections }
}

/// Whether the audit log is whole: every entry's hash is computed again.
pub async fn audit(db: &Db) -> Report {
    let walked: Result<::store::audit::Walk> = ::store::audit::walk(db).await;
    let mut section = Section::new("审计日志", "Audit log");
    match walked {
        Err(error) => section.add(looks::unreadable(&error)),
        Ok(walk) if walk.faults.is_empty() => section.add(Line::ok(
            format!("{} 条记录完整，未被改动。", walk.entries),
            format!("{} entries, all of them whole.", walk.entries),
        )),
        Ok(walk) => {
            for fault in walk.faults {
                section.add(Line::fail(format!("不一致：{fault}"), format!("Broken: {fault}")).says(
                    &Text2::new(
                        "请先保留现场并备份数据库，再查是谁改动了审计表。",
                        "Keep a copy of the database as it is, then find out who changed the audit table.",
                    ),
                ));
            }
        }
    }
    Report { sections: vec![section] }
}
