//! What the program was started with: its file, the environment, its defaults. To look at; who may change it has the file.

use base::Text2;
use edge::schema::Text2Schema;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::settings::Source;
use crate::config::{Config, Origin};

/// What each key means. The keys themselves come from [`Config`]; a test compares.
const MEANINGS: &[(&str, &str, &str)] = &[
    ("server.listen", "监听的地址和端口", "Address and port to listen on"),
    (
        "server.public_url",
        "患者和员工访问本系统的网址，消息里的链接以它开头",
        "How people reach the server; links in messages start with it",
    ),
    (
        "server.trust_proxy",
        "前面有反向代理并由它设置 X-Forwarded-For 等头，且没有别的入口",
        "A proxy in front sets X-Forwarded-For, -Host and -Proto, and nobody can reach us past it",
    ),
    ("server.max_body_kib", "请求内容的最大长度，KiB", "The largest request body, in KiB"),
    ("server.request_timeout_s", "一个请求最多处理多少秒", "A request is given up after so many seconds"),
    (
        "server.max_concurrent",
        "同时处理的请求数，超过的请稍后再试",
        "So many requests are worked on at the same time; more are asked to try again",
    ),
    (
        "server.stop_within_s",
        "停止时等待未完成请求的秒数",
        "Stopping waits so many seconds for requests that are under way",
    ),
    (
        "database.url",
        "PostgreSQL 的地址；空表示用内置数据库",
        "A PostgreSQL address; empty for the embedded database",
    ),
    ("database.path", "内置数据库的文件", "The embedded database's file"),
    ("database.max_connections", "到 PostgreSQL 的最大连接数", "The most connections to PostgreSQL"),
    (
        "keys.file",
        "加密密钥文件；请与数据库分开备份，丢失则数据无法读取",
        "The keys of sealed fields; keep a copy apart from the database: without it the data can't be read",
    ),
    ("log.format", "日志格式：json 或 text", "The form of log lines: json or text"),
    ("log.level", "日志级别", "How much is logged"),
    (
        "web.frame_ancestors",
        "哪些网站可以把我们的页面放进框架；只有演示环境需要",
        "Who may show our pages in a frame; only a demonstration sets this",
    ),
];

/// A key of the program's settings.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ProgramSetting)]
pub(super) struct ProgramKey {
    name: String,
    /// What it means.
    #[schema(value_type = Text2Schema)]
    meaning: Text2,
    default: Value,
    /// What holds; `***` for a secret.
    value: Value,
    source: Source,
}

/// `{"server": {"listen": …}}` as `("server.listen", …)`.
fn flat(config: &Config) -> Map<String, Value> {
    let whole = serde_json::to_value(config).unwrap_or_default();
    let mut found = Map::new();
    for (section, keys) in whole.as_object().into_iter().flatten() {
        for (key, value) in keys.as_object().into_iter().flatten() {
            found.insert(format!("{section}.{key}"), value.clone());
        }
    }
    found
}

/// All keys with what holds and where it comes from.
pub(super) fn keys(config: &Config) -> Vec<ProgramKey> {
    let (values, defaults) = (flat(config), flat(&Config::default()));
    let key = |(name, zh, en): &(&str, &str, &str)| {
        let value = values.get(*name).cloned().unwrap_or_default();
        let default = defaults.get(*name).cloned().unwrap_or_default();
        let source = match config.origins.of(name) {
            Some(Origin::File) => Source::File,
            Some(Origin::Environment) => Source::Environment,
            None if value == default => Source::Default,
            None => Source::Program,
        };
        ProgramKey { name: (*name).to_owned(), meaning: Text2::new(*zh, *en), default, value, source }
    };
    MEANINGS.iter().map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_its_meaning() {
        let config = flat(&Config::default());
        let known: Vec<&str> = config.keys().map(String::as_str).collect();
        let mut said: Vec<&str> = MEANINGS.iter().map(|(name, ..)| *name).collect();
        said.sort_unstable();
        assert_eq!(said, known);
    }

    #[test]
    fn where_it_comes_from_is_told_and_secrets_are_not() {
        let env = [("XINGLIN__DATABASE__URL", "postgres://u:hunter2@h/d"), ("XINGLIN__LOG__LEVEL", "debug")];
        let env = env.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned()));
        let file = "[server]\nlisten = \"127.0.0.1:9\"\n[log]\nlevel = \"warn\"";
        let mut config = Config::parse("xinglin.toml", file, env).unwrap();
        config.server.max_concurrent = 7;
        let all = keys(&config);
        let of =
            |name: &str| all.iter().find(|k| k.name == name).map(|k| (k.source, k.value.clone())).unwrap();
        assert_eq!(of("server.listen"), (Source::File, "127.0.0.1:9".into()));
        assert_eq!(of("log.level"), (Source::Environment, "debug".into()));
        assert_eq!(of("server.max_concurrent"), (Source::Program, 7.into()));
        assert_eq!(of("database.path").0, Source::Default);
        assert_eq!(of("database.url"), (Source::Environment, "***".into()));
        assert!(!serde_json::to_string(&all).unwrap().contains("hunter2"));
    }
}
