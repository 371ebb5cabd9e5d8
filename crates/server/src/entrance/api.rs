//! The routes that WeChat calls. They stand outside `/api/v1` and know no caller: who calls is proven by the signature.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base::{Kind, Lang, Problem};
use edge::ApiError;
use futures_util::StreamExt as _;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use people::Channel;
use store::StoreError;
use store::fault::{self, Point};
use tokio::time::Instant;
use wechat::callback::{self, Format, KeyUsed, Query};
use wechat::message::{Content, Push, Reply};

use super::chat::{self, Place};
use super::model::{NewPush, PushId, kind_of};
use super::rules::{self, Topic};
use super::{Deps, MAX_BODY};

/// The callback of each account, and the files that prove whose the domain is.
///
/// Put them beside the routes that look for a caller, not under them: an account's push says itself which hospital it is
/// for, and WeChat sends neither cookies nor the host name of one hospital among several.
pub fn routes(deps: Deps) -> Router {
    Router::new()
        .route("/wechat/{account}", get(check_url).post(receive))
        .route("/MP_verify_{rest}", get(prove_owner))
        .with_state(Arc::new(deps))
}

/// Why a callback was not accepted. What the caller is told says no more than it must: whoever is not WeChat learns
/// nothing from it, and WeChat looks at the status alone.
#[derive(Debug)]
enum Refusal {
    /// No account has this name.
    Account,
    /// Larger than [`MAX_BODY`].
    TooLarge,
    /// The body broke off, or is not an envelope, or is a plain one where the account is set to encrypt.
    Malformed(&'static str),
    /// Not signed with the account's token, or not encrypted with its key for its appid. One answer for all of these.
    Forged(callback::Error),
    /// Rightly signed, but long ago.
    Expired,
    /// The database did not keep it. WeChat sends it again.
    NotKept(Option<StoreError>),
}

impl Refusal {
    fn outcome(&self) -> &'static str {
        match self {
            Self::Account => "unknown_account",
            Self::TooLarge => "too_large",
            Self::Malformed(_) => "malformed",
            Self::Forged(_) => "forged",
            Self::Expired => "expired",
            Self::NotKept(_) => "not_kept",
        }
    }

    fn problem(&self) -> Problem {
        match self {
            Self::Account => Problem::not_found(),
            Self::TooLarge => edge::extract::too_large(),
            Self::Malformed(_) => Problem::new(
                Kind::Malformed,
                "wechat_malformed",
                "无法识别这条推送。",
                "This is not a push of WeChat.",
            ),
            Self::Forged(_) => Problem::new(
                Kind::Forbidden,
                "wechat_signature",
                "签名不正确。",
                "The signature is not right.",
            ),
            Self::Expired => Problem::new(
                Kind::Forbidden,
                "wechat_expired",
                "这条推送已过期。",
                "This push is out of date.",
            ),
            Self::NotKept(_) => Problem::unavailable(2),
        }
    }

    /// For the log: the account's name and the reason, nothing of what was sent.
    fn log(&self, account: &str) {
        match self {
            // Anyone can ask for anything; an administrator who mistyped the address sees it in the counters.
            Self::Account => tracing::debug!("a callback for an account that there is not"),
            Self::Forged(error) => tracing::warn!(
                account,
                errcode = error.errcode(),
                reason = %error,
                "a callback was refused; run `xinglin check wechat` if it was WeChat's"
            ),
            Self::Malformed(reason) => tracing::warn!(account, reason, "a callback could not be read"),
            Self::TooLarge | Self::Expired => {
                tracing::warn!(account, outcome = self.outcome(), "a callback was refused");
            }
            Self::NotKept(Some(error)) => {
                let cause = std::error::Error::source(error).map(ToString::to_string);
                tracing::error!(account, %error, cause, "a push could not be kept; WeChat sends it again");
            }
            Self::NotKept(None) => {
                tracing::error!(account, "a push could not be kept in time; WeChat sends it again");
            }
        }
    }
}

impl From<callback::Error> for Refusal {
    fn from(error: callback::Error) -> Self {
        match error {
            callback::Error::TooLarge => Self::TooLarge,
            callback::Error::Envelope(reason) => Self::Malformed(reason),
            other => Self::Forged(other),
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::NotKept(Some(error))
    }
}

/// What a callback is answered with.
struct Answer {
    outcome: &'static str,
    body: String,
    kind: &'static str,
}

impl Answer {
    fn received(outcome: &'static str) -> Self {
        Self { outcome, body: Reply::ACK.to_owned(), kind: "text/plain; charset=utf-8" }
    }
}

fn answered(account: &str, begun: Instant, result: Result<Answer, Refusal>) -> Response {
    let outcome = match &result {
        Ok(answer) => answer.outcome,
        Err(refusal) => refusal.outcome(),
    };
    metrics::counter!("wechat_callbacks", "outcome" => outcome).increment(1);
    metrics::histogram!("wechat_callback_seconds").record(begun.elapsed().as_secs_f64());
    match result {
        Ok(answer) => {
            let headers = [
                (CONTENT_TYPE, answer.kind),
                (X_CONTENT_TYPE_OPTIONS, "nosniff"),
                (CACHE_CONTROL, "no-store"),
            ];
            (headers, answer.body).into_response()
        }
        Err(refusal) => {
            refusal.log(account);
            ApiError::from(refusal.problem()).into_response()
        }
    }
}

/// WeChat's question when an administrator saves the address: is it ours?
async fn check_url(
    State(deps): State<Arc<Deps>>,
    Path(account): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let begun = Instant::now();
    let query = Query::parse(&query.unwrap_or_default());
    let result = deps.channels.by_name(&account).ok_or(Refusal::Account).and_then(|channel| {
        let body = channel.credentials.verify_url(&query)?;
        Ok(Answer { outcome: "url_verified", body, kind: "text/plain; charset=utf-8" })
    });
    answered(&account, begun, result)
}

/// A push.
async fn receive(
    State(deps): State<Arc<Deps>>,
    Path(account): Path<String>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let begun = Instant::now();
    let query = Query::parse(&query.unwrap_or_default());
    let work = async {
        let channel = deps.channels.by_name(&account).ok_or(Refusal::Account)?;
        let body = read(request).await?;
        take_in(&deps, &channel, &query, &body).await
    };
    let result = tokio::time::timeout(deps.answer_within, work).await;
    answered(&account, begun, result.unwrap_or(Err(Refusal::NotKept(None))))
}

/// Reads a body, and not a byte of one that says that it is too large.
async fn read(request: Request) -> Result<Vec<u8>, Refusal> {
    let declared = request.headers().get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|bytes| usize::try_from(bytes).map_or(true, |bytes| bytes > MAX_BODY)) {
        return Err(Refusal::TooLarge);
    }
    let mut chunks = Body::into_data_stream(request.into_body());
    let mut body =
        Vec::with_capacity(declared.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or_default());
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Refusal::Malformed("the body broke off"))?;
        if body.len() + chunk.len() > MAX_BODY {
            return Err(Refusal::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Checks a push, keeps it, and finds what to answer.
async fn take_in(deps: &Deps, channel: &Channel, query: &Query, body: &[u8]) -> Result<Answer, Refusal> {
    let opened = channel.credentials.open(query, body)?;
    if !rules::is_current(&query.timestamp, deps.db.now()) {
        return Err(Refusal::Expired);
    }
    // What can't be read came from WeChat all the same: it is kept for a person to look at, and acknowledged.
    let push = wechat::message::parse(&opened.plaintext).ok();
    let topic = push.as_ref().filter(|push| !push.from.is_empty()).and_then(rules::topic);
    let hospital = channel.hospital;
    let new = NewPush {
        hospital,
        id: PushId::new(),
        channel: channel.id,
        dedup_key: push.as_ref().map_or_else(
            || deps.vault.blind(hospital, super::store::BODY, &opened.plaintext),
            Push::dedup_key,
        ),
        kind: kind_of(push.as_ref()),
        openid: push.as_ref().map(|push| push.from.clone()).unwrap_or_default(),
        body: opened.plaintext,
    };
    let kept = deps.intake.keep(deps, new, topic.is_some()).await?;
    let outcome = if kept.is_new { "received" } else { "repeated" };
    let text = match push.as_ref().zip(topic) {
        Some((push, topic)) => words_for(deps, channel, push, topic, kept.lang).await,
        None => None,
    };
    let said =
        push.zip(text).and_then(|(push, text)| say(deps, channel, &push, text, (opened.key, &query.nonce)));
    fault::pass(Point::PushAnswer);
    Ok(match said {
        Some((body, kind)) => Answer { outcome, body, kind },
        None => Answer::received(outcome),
    })
}

/// What the chat says to a push. A code is answered with what is behind it; when that can't be found out just now, like any
/// other push.
async fn words_for(
    deps: &Deps,
    channel: &Channel,
    push: &Push,
    topic: Topic,
    lang: Option<Lang>,
) -> Option<String> {
    let mut first = None;
    if let Some(scene) = rules::scene(push) {
        let answer = channel::scans::answer(&deps.codes, channel, &push.from, scene.text, lang, scene.is_new);
        match answer.await {
            Ok(answer) if answer.leads || !scene.is_new => return Some(answer.text),
            Ok(answer) => first = Some(answer.text),
            Err(error) => {
                tracing::warn!(%error, account = channel.name, "what is behind a code could not be found out");
            }
        }
    }
    let hospital = deps.hospitals.get(channel.hospital)?;
    // What staff wrote goes before what the program says by itself; the words for a language are the program's own.
    let by_staff = match (&push.content, topic) {
        (Content::Text { .. }, Topic::Language(_)) => None,
        (Content::Text { content, .. }, _) => deps.codes.chat.answer(hospital.id, content),
        (_, Topic::Welcome) => deps.codes.chat.welcome(hospital.id),
        _ => None,
    };
    if let Some(body) = by_staff {
        let lang = if topic == Topic::Welcome { lang } else { Some(lang.unwrap_or_default()) };
        return Some(rules::after(first, channel::chat::shown(&deps.codes, &hospital, &body, lang)));
    }
    let place = Place {
        name: hospital.profile.short_name.clone(),
        phone: hospital.profile.phone.clone(),
        base: deps.base_url(&hospital),
    };
    Some(rules::after(first, chat::text(topic, lang.unwrap_or_default(), &place)))
}

/// The answer, ready to be sent, sealed with the push's key and nonce. From here on nothing may fail: the push is kept, and
/// without a text it is simply acknowledged.
fn say(
    deps: &Deps,
    channel: &Channel,
    push: &Push,
    text: String,
    (key, nonce): (KeyUsed, &str),
) -> Option<(String, &'static str)> {
    let now_s = deps.db.now().seconds();
    let credentials = &channel.credentials;
    let written = Reply::Text(text).write(credentials.format, push, now_s).map_err(|e| e.to_string());
    match written
        .and_then(|reply| credentials.seal_reply(&reply, key, now_s, nonce).map_err(|e| e.to_string()))
    {
        Ok(body) => Some((
            body,
            match credentials.format {
                Format::Xml => "text/xml; charset=utf-8",
                Format::Json => "application/json",
            },
        )),
        Err(error) => {
            tracing::error!(error, account = channel.name, "the chat's answer could not be written");
            None
        }
    }
}

/// The file by which WeChat sees whose a domain is (`MP_verify_….txt`).
async fn prove_owner(State(deps): State<Arc<Deps>>, request: Request) -> Response {
    let name = request.uri().path().trim_start_matches('/');
    let content = deps.channels.all().iter().find_map(|channel| channel.verify_files.get(name).cloned());
    match content {
        Some(content) => {
            let headers = [
                (CONTENT_TYPE, "text/plain; charset=utf-8"),
                (X_CONTENT_TYPE_OPTIONS, "nosniff"),
                (CACHE_CONTROL, "no-cache"),
            ];
            (headers, content).into_response()
        }
        None => ApiError::from(Problem::not_found()).into_response(),
    }
}
