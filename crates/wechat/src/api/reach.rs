//! Can WeChat reach us? Its addresses, and a test from its side.

use serde::Deserialize;
use serde_json::json;

use super::http::Request;
use super::{Client, Error};

/// What WeChat found on its way to our callback address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Reachability {
    /// The addresses that our host name has.
    pub dns: Vec<Resolved>,
    /// How they answered.
    pub ping: Vec<Ping>,
}

/// An address of our host name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Resolved {
    /// The address.
    pub ip: String,
    /// Whose network it is in: `UNICOM`, `CHINANET`, `CAP`, `OTHER`.
    pub real_operator: String,
}

/// How an address answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Ping {
    /// The address.
    pub ip: String,
    /// From which network.
    pub from_operator: String,
    /// Like `0%`.
    pub package_loss: String,
    /// Like `23.079ms`.
    pub time: String,
}

#[derive(Deserialize)]
struct Addresses {
    ip_list: Vec<String>,
}

impl Client {
    /// The addresses and networks from which WeChat calls us, for an allow-list; they change, so ask daily.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn callback_ips(&self) -> Result<Vec<String>, Error> {
        let addresses: Addresses = self.typed(Request::get("/cgi-bin/getcallbackip")).await?;
        Ok(addresses.ip_list)
    }

    /// Lets WeChat look up our host name and ping it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn check_callback(&self) -> Result<Reachability, Error> {
        let body = json!({ "action": "all", "check_operator": "DEFAULT" });
        self.typed(Request::post("/cgi-bin/callback/check", body).repeatable(true)).await
    }
}
