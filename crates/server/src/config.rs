//! Settings of the program itself: where it listens, where its data is. What a hospital sets for itself is in the database.
//!
//! They come from a file (`xinglin.toml`) and from the environment, which wins: `XINGLIN__SERVER__LISTEN` sets `server.listen`.
//! The commented default file is [`DEFAULT`]; it is also the documentation. A mistake names the key, the file and the line.

mod origins;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base::Secret;
use serde::{Deserialize, Serialize, Serializer};
use store::DbConfig;

pub use self::origins::{Origin, Origins};

/// The default file with the meaning of each key.
pub const DEFAULT: &str = include_str!("config.default.toml");

/// All settings.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where and how we listen.
    pub server: Server,
    /// Where the data is.
    pub database: Database,
    /// The keys of sealed fields.
    pub keys: Keys,
    /// What we write about ourselves.
    pub log: Log,
    /// The pages.
    pub web: Web,
    /// Which of these were said, and where.
    #[serde(skip)]
    pub origins: Origins,
}

/// Where and how we listen.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Address and port.
    pub listen: SocketAddr,
    /// How people reach us, without a slash at the end; links in messages start with it.
    pub public_url: String,
    /// Whether a proxy in front sets `X-Forwarded-For`, `-Host` and `-Proto`, and nobody can reach us past it.
    pub trust_proxy: bool,
    /// The largest body, in KiB.
    pub max_body_kib: usize,
    /// A request is given up after so many seconds.
    pub request_timeout_s: u64,
    /// So many requests are worked on at the same time; more are asked to try again.
    pub max_concurrent: usize,
    /// Stopping waits so many seconds for requests that are under way.
    pub stop_within_s: u64,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: "http://localhost:8080".into(),
            trust_proxy: false,
            max_body_kib: 1024,
            request_timeout_s: 30,
            max_concurrent: 8192,
            stop_within_s: 10,
        }
    }
}

/// Where the data is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// A PostgreSQL address; empty for the embedded database.
    #[serde(serialize_with = "masked")]
    pub url: Secret,
    /// The embedded database's file.
    pub path: PathBuf,
    /// The most connections to PostgreSQL.
    pub max_connections: u32,
}

/// Whether there is one may be seen, not what it is.
fn masked<S: Serializer>(secret: &Secret, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(if secret.expose().is_empty() { "" } else { "***" })
}

impl Default for Database {
    fn default() -> Self {
        Self { url: Secret::default(), path: "data/xinglin.db".into(), max_connections: 16 }
    }
}

impl Database {
    /// As the store wants it.
    #[must_use]
    pub fn store(&self) -> DbConfig {
        if self.url.expose().is_empty() {
            DbConfig::Sqlite { path: self.path.clone() }
        } else {
            DbConfig::Postgres { url: self.url.clone(), max_connections: self.max_connections }
        }
    }
}

/// The keys of sealed fields.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keys {
    /// Their file; made at the first start. Keep a copy apart from the database.
    pub file: PathBuf,
}

impl Default for Keys {
    fn default() -> Self {
        Self { file: "data/keys".into() }
    }
}

/// What we write about ourselves.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `json` or `text`.
    pub format: LogFormat,
    /// `info`, or directives such as `info,booking=debug`.
    pub level: String,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Json, level: "info".into() }
    }
}

/// The pages.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Web {
    /// Who may show our pages in a frame; empty for nobody. Only a demonstration sets this.
    pub frame_ancestors: Vec<String>,
}

/// A mistake in the settings. It reads as one line that an administrator can act on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

impl Config {
    /// Reads a file (if there is one) and the environment.
    ///
    /// # Errors
    /// [`ConfigError`] names the key and the file with the line, or the variable.
    pub fn read(
        file: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let text = match file {
            None => String::new(),
            Some(path) => {
                std::fs::read_to_string(path).map_err(|e| ConfigError(format!("{}: {e}", path.display())))?
            }
        };
        let name = file.map_or_else(|| "(no file)".to_owned(), |p| p.display().to_string());
        Self::parse(&name, &text, env)
    }

    /// As [`Self::read`], from a text.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn parse(
        name: &str,
        text: &str,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        // Once for the file alone, so that its mistakes have a line …
        toml::from_str::<Self>(text).map_err(|e| in_file(name, text, &e))?;
        let mut table: toml::Table = toml::from_str(text).map_err(|e| in_file(name, text, &e))?;
        let (mut set, mut origins) = (Vec::new(), Origins::of_file(&table));
        for (variable, value) in env {
            let Some(path) = variable.strip_prefix("XINGLIN__") else { continue };
            let path: Vec<String> = path.split("__").map(str::to_lowercase).collect();
            put(&mut table, &path, &value).ok_or_else(|| {
                ConfigError(format!("environment variable {variable}: there is no such setting"))
            })?;
            origins.environment(&path.join("."));
            set.push((path.join("."), variable));
        }
        // … and once with the environment on top, so that its mistakes name the variable.
        let mut config: Self = serde_path_to_error::deserialize(table).map_err(|e| {
            let key = e.path().to_string();
            let what = first_line(&e.inner().to_string());
            let from = set
                .iter()
                .find(|(path, _)| *path == key || what.contains(path.rsplit('.').next().unwrap_or(path)));
            let variable =
                from.map_or_else(|| "environment".to_owned(), |(_, v)| format!("environment variable {v}"));
            ConfigError(format!("{variable} ({key}): {what}"))
        })?;
        config.origins = origins;
        config.check(name)?;
        Ok(config)
    }

    fn check(&self, name: &str) -> Result<(), ConfigError> {
        let fail = |key: &str, what: &str| Err(ConfigError(format!("{name}: {key}: {what}")));
        let url = &self.server.public_url;
        if !(url.starts_with("http://") || url.starts_with("https://")) || url.ends_with('/') {
            return fail(
                "server.public_url",
                "must start with http:// or https:// and have no slash at the end",
            );
        }
        if self.server.max_concurrent == 0
            || self.server.request_timeout_s == 0
            || self.server.max_body_kib == 0
        {
            return fail("server", "max_concurrent, request_timeout_s and max_body_kib must be more than 0");
        }
        if self.database.max_connections < 4 {
            return fail("database.max_connections", "must be at least 4");
        }
        Ok(())
    }

    /// How long a request may take.
    #[must_use]
    pub fn request_timeout(&self) -> Duration {
        Duration::from_secs(self.server.request_timeout_s)
    }

    /// Whether browsers reach us by https.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.server.public_url.starts_with("https://")
    }
}

fn in_file(name: &str, text: &str, error: &toml::de::Error) -> ConfigError {
    let line =
        error.span().map_or(1, |span| text.bytes().take(span.start).filter(|b| *b == b'\n').count() + 1);
    let quoted = text.lines().nth(line - 1).unwrap_or("").trim();
    let key = quoted.split('=').next().unwrap_or("").trim();
    ConfigError(format!("{name}, line {line}: {key}: {}", first_line(error.message())))
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or("").to_owned()
}

/// Puts a variable's text where its path leads; numbers and truth values as such.
fn put(table: &mut toml::Table, path: &[String], value: &str) -> Option<()> {
    let (last, sections) = path.split_last()?;
    let mut at = table;
    for section in sections {
        at = at
            .entry(section.clone())
            .or_insert_with(|| toml::Value::Table(toml::Table::new()))
            .as_table_mut()?;
    }
    let parsed = match value {
        "true" => toml::Value::Boolean(true),
        "false" => toml::Value::Boolean(false),
        list if list.starts_with('[') => {
            toml::from_str::<toml::Table>(&format!("v = {list}")).ok()?.remove("v")?
        }
        other => other.parse().map_or_else(|_| toml::Value::String(other.to_owned()), toml::Value::Integer),
    };
    at.insert(last.clone(), parsed);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::parse("xinglin.toml", text, env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
    }

    #[test]
    fn the_default_file_says_what_the_defaults_are() {
        let from_file = parse(DEFAULT, &[]).unwrap();
        assert_eq!(format!("{from_file:?}"), format!("{:?}", Config::default()));
    }

    #[test]
    fn the_environment_wins() {
        let config = parse(
            "[server]\nlisten = \"127.0.0.1:1\"",
            &[
                ("XINGLIN__SERVER__LISTEN", "127.0.0.1:2"),
                ("XINGLIN__SERVER__TRUST_PROXY", "true"),
                ("PATH", "x"),
            ],
        )
        .unwrap();
        assert_eq!(config.server.listen.port(), 2);
        assert!(config.server.trust_proxy);
    }

    #[test]
    fn a_mistake_names_key_file_and_line() {
        let error = parse("[server]\n\nlissen = \"x\"", &[]).unwrap_err().0;
        assert!(error.starts_with("xinglin.toml, line 3: lissen: unknown field"), "{error}");
        let error = parse("[server]\nlisten = 5", &[]).unwrap_err().0;
        assert!(error.contains("line 2: listen"), "{error}");
        let error = parse("[server", &[]).unwrap_err().0;
        assert!(error.contains("line 1"), "{error}");
        let error = parse("", &[("XINGLIN__SERVER__LISTEN", "here")]).unwrap_err().0;
        assert!(error.contains("XINGLIN__SERVER__LISTEN"), "{error}");
        let error = parse("", &[("XINGLIN__SERVER__NOPE", "1")]).unwrap_err().0;
        assert!(error.contains("XINGLIN__SERVER__NOPE"), "{error}");
        let error = parse("[server]\npublic_url = \"https://h.cn/\"", &[]).unwrap_err().0;
        assert!(error.contains("server.public_url"), "{error}");
    }

    #[test]
    fn secrets_are_not_printed() {
        let config = parse("[database]\nurl = \"postgres://u:hunter2@h/d\"", &[]).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
