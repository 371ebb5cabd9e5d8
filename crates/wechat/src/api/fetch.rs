//! Asks WeChat for the tokens themselves.

use serde::Deserialize;

use super::codes::Class;
use super::http::Request;
use super::keeper::Fetched;
use super::{Client, Error};
use crate::Secret;

#[derive(Deserialize)]
struct AccessToken {
    access_token: Secret,
    expires_in: i64,
}

#[derive(Deserialize)]
struct Ticket {
    ticket: Secret,
    expires_in: i64,
}

impl Client {
    /// The access token. Here 40001 means a wrong secret, which no renewing can mend.
    pub(super) async fn fetch_access(&self, force: bool) -> Result<Fetched, Error> {
        let config = &self.0.config;
        if config.agent.is_some() {
            return self.fetch_application().await;
        }
        let body = serde_json::json!({
            "grant_type": "client_credential",
            "appid": config.appid,
            "secret": config.secret.reveal(),
            "force_refresh": force,
        });
        // Without force, asking twice gives the same token.
        let request = Request::post("/cgi-bin/stable_token", body).repeatable(!force);
        self.token_of(request).await
    }

    /// The access token of a WeCom application. There is no forcing: asking again gives the same token as long as it is good.
    async fn fetch_application(&self) -> Result<Fetched, Error> {
        let config = &self.0.config;
        let request = Request::get("/cgi-bin/gettoken")
            .with("corpid", &config.appid)
            .with("corpsecret", config.secret.reveal());
        self.token_of(request).await
    }

    async fn token_of(&self, request: Request) -> Result<Fetched, Error> {
        let value = match self.without_token(request, &[self.0.config.secret.reveal()]).await {
            Err(Error::Api(mut error)) if error.class == Class::RefreshToken => {
                error.class = Class::Configuration;
                return Err(Error::Api(error));
            }
            other => other?,
        };
        let token: AccessToken =
            serde_json::from_value(value).map_err(|_| Error::Answer { reason: "no access_token" })?;
        fetched(token.access_token, token.expires_in)
    }

    /// The ticket that signs pages.
    pub(super) async fn fetch_ticket(&self) -> Result<Fetched, Error> {
        let request = Request::get("/cgi-bin/ticket/getticket").with("type", "jsapi");
        let ticket: Ticket = self.typed(request).await?;
        fetched(ticket.ticket, ticket.expires_in)
    }
}

fn fetched(token: Secret, expires_in_s: i64) -> Result<Fetched, Error> {
    if token.is_empty() || expires_in_s <= 0 {
        return Err(Error::Answer { reason: "empty token or no life" });
    }
    Ok(Fetched { token, expires_in_s })
}
