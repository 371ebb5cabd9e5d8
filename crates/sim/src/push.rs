//! Pushes to the product: sealed, signed, sent; sent again when nothing comes; the answer read strictly; all of it on record.

mod reply;
mod send;
pub(crate) mod xml;

use std::time::Duration;

use futures_util::future::join_all;
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::chat::{ChatItem, Notice};
use crate::config::SimAccount;
use crate::run::Shared;
use crate::wx::put;
use reply::{Expected, Reply};
use xml::Node;

/// What WeChat shows when an account does not answer as it must.
const ERROR_LINE: &str = "该服务号暂时无法提供服务，请稍后再试";
/// How long a held-back push waits for another one.
const HOLD: Duration = Duration::from_secs(2);

/// Something to be pushed.
#[derive(Debug, Clone)]
pub(crate) struct PushJob {
    pub(crate) appid: String,
    /// The phone behind it.
    pub(crate) phone: String,
    pub(crate) what: What,
    pub(crate) how: How,
}

/// The content of a push.
#[derive(Debug, Clone)]
pub(crate) enum What {
    /// `MsgType` and the fields after it; ids and times are added.
    Fields { kind: String, fields: Vec<(String, Node)> },
    /// The whole plaintext as given: for hostile and future content.
    Raw(String),
}

/// Departures from the ordinary way, for tests.
#[derive(Debug, Clone, Default)]
pub(crate) struct How {
    /// Sign with another token.
    pub(crate) forge: bool,
    /// A fixed timestamp in seconds, instead of now: a replay.
    pub(crate) timestamp: Option<i64>,
    pub(crate) nonce: Option<String>,
    /// Seal with this EncodingAESKey instead of the account's.
    pub(crate) key: Option<String>,
    /// At most so many attempts (1–3).
    pub(crate) attempts: Option<u32>,
    /// So many at the same moment.
    pub(crate) copies: u32,
}

/// How one attempt went.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Attempt {
    at_ms: i64,
    /// Real milliseconds until the answer was there or given up.
    took_ms: u64,
    status: Option<u16>,
    /// `acknowledged`, `replied`, `timeout`, `no_connection`, `http_status`, `bad_body`.
    outcome: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
    /// The beginning of the answer.
    body: String,
}

/// Holds pushes back so that they go out in another order.
#[derive(Default)]
pub(crate) struct Turnstile(Mutex<Option<oneshot::Sender<()>>>);

impl Turnstile {
    /// The first waits (two seconds at most) for the second; the second gets what sets the first free.
    async fn pass(&self) -> Option<oneshot::Sender<()>> {
        let waiting = {
            let mut slot = self.0.lock();
            match slot.take() {
                Some(held) => return Some(held),
                None => {
                    let (free, waiting) = oneshot::channel();
                    *slot = Some(free);
                    waiting
                }
            }
        };
        if tokio::time::timeout(HOLD, waiting).await.is_err() {
            self.0.lock().take();
        }
        None
    }
}

impl PushJob {
    /// An event with text fields (ids of 64 bits are numbers).
    pub(crate) fn event(appid: &str, phone: &str, event: &str, fields: &[(&str, String)]) -> Self {
        let mut all = vec![("Event".to_owned(), Node::text(event))];
        for (name, value) in fields {
            let node = if *name == "MsgID" { Node::number(value) } else { Node::text(value) };
            all.push(((*name).to_owned(), node));
        }
        Self::new(appid, phone, What::Fields { kind: "event".to_owned(), fields: all })
    }

    pub(crate) fn new(appid: &str, phone: &str, what: What) -> Self {
        Self { appid: appid.to_owned(), phone: phone.to_owned(), what, how: How::default() }
    }

    /// True when a person sees what comes of it.
    fn is_seen(&self) -> bool {
        match &self.what {
            What::Raw(_) => true,
            What::Fields { fields, .. } => !fields.iter().any(|(name, node)| {
                name == "Event"
                    && matches!(node, Node::Text(event) if event == "TEMPLATESENDJOBFINISH" || event == "unsubscribe")
            }),
        }
    }
}

/// A push ready to be sent any number of times: the content is fixed, the envelope is not.
struct Ready {
    account: SimAccount,
    openid: String,
    plaintext: String,
    event: String,
    forge_before: bool,
    reorder: bool,
    copies: u32,
    skew_ms: i64,
}

/// Sends a push and gives its record (which is filed in the inbox too).
pub(crate) async fn deliver(hub: &Shared, job: PushJob) -> Value {
    let Some(ready) = prepare(hub, &job) else {
        return json!({ "error": "no such account" });
    };
    let held = if ready.reorder { hub.turnstile.pass().await } else { None };
    let forged = match ready.forge_before {
        false => Value::Null,
        true => {
            let how = How { forge: true, ..How::default() };
            let attempt = send::once(hub, &ready, &how).await.0;
            json!({ "status": attempt.status, "outcome": attempt.outcome, "body": attempt.body })
        }
    };
    let sends = (0..=ready.copies).map(|_| send::with_retries(hub, &ready, &job.how));
    let mut results = join_all(sends).await;
    if let Some(held) = held {
        // The one that waited may have given up meanwhile.
        let _ = held.send(());
    }
    let said = results.iter_mut().find_map(|(_, reply)| reply.take());
    let heard = results.iter().any(|(attempts, _)| {
        attempts.last().is_some_and(|last| matches!(last.outcome, "acknowledged" | "replied"))
    });
    let error_line = !heard && job.is_seen();
    let mut copies: Vec<Vec<Attempt>> = results.into_iter().map(|(attempts, _)| attempts).collect();
    let attempts = if copies.is_empty() { Vec::new() } else { copies.remove(0) };
    let mut record = json!({
        "account": job.appid,
        "phone": job.phone,
        "openid": ready.openid,
        "event": ready.event,
        "plaintext": ready.plaintext,
        "attempts": attempts,
        "error_line": error_line,
        "reply": said,
    });
    if !copies.is_empty() {
        put(&mut record, "copies", json!(copies));
    }
    if !forged.is_null() {
        put(&mut record, "forged", forged);
    }
    let mut world = hub.world.lock();
    let now = hub.now();
    match said {
        Some(item) => show(&mut world, &job, &ready.account.name, *item),
        None if error_line => {
            let item = ChatItem { text: ERROR_LINE.to_owned(), ..ChatItem::new("system", "error", now) };
            world.chat(&job.phone, &job.appid, item);
        }
        None => {}
    }
    let seq = world.file("push", now, record.clone());
    put(&mut record, "seq", json!(seq));
    record
}

fn show(world: &mut crate::world::World, job: &PushJob, name: &str, item: ChatItem) {
    let notice = Notice {
        id: 0,
        at_ms: item.at_ms,
        kind: "passive".into(),
        account: job.appid.clone(),
        title: name.to_owned(),
        text: item.summary(),
        url: item.url.clone(),
    };
    let system = item.from == "system";
    world.chat(&job.phone, &job.appid, item);
    if !system {
        world.notice(&job.phone, notice);
    }
}

fn prepare(hub: &Shared, job: &PushJob) -> Option<Ready> {
    let now = hub.now();
    let mut world = hub.world.lock();
    let faults = world.faults.clone();
    let message_id = world.message_id();
    let account = world.by_appid(&job.appid)?.set.clone();
    let openid = world
        .phone(&job.phone)
        .and_then(|phone| phone.openids.get(&job.appid))
        .cloned()
        .unwrap_or_else(|| "oUnknownPerson000000000000000".to_owned());
    let (plaintext, event) = match &job.what {
        What::Raw(text) => {
            let filled = text.replace("{openid}", &openid).replace("{gh_id}", &account.gh_id);
            (filled, "raw".to_owned())
        }
        What::Fields { kind, fields } => {
            let created = (now + faults.clock_skew_ms).div_euclid(1000);
            let mut all = vec![
                ("ToUserName".to_owned(), Node::text(&account.gh_id)),
                ("FromUserName".to_owned(), Node::text(&openid)),
                ("CreateTime".to_owned(), Node::number(created)),
                ("MsgType".to_owned(), Node::text(kind)),
            ];
            all.extend(fields.iter().cloned());
            if kind != "event" {
                all.push(("MsgId".to_owned(), Node::number(message_id)));
            }
            if faults.unknown_fields {
                all.push((
                    "SimUnknownField".to_owned(),
                    Node::Tree(vec![("Depth".to_owned(), Node::text("1"))]),
                ));
            }
            let event = fields.iter().find(|(name, _)| name == "Event");
            let event = match event {
                Some((_, Node::Text(event))) => event.clone(),
                _ => kind.clone(),
            };
            (send::plaintext(&all, account.format), event)
        }
    };
    Some(Ready {
        account,
        openid,
        plaintext,
        event,
        forge_before: faults.forge_push,
        reorder: faults.reorder_push,
        copies: faults.duplicate_push.max(job.how.copies.saturating_sub(1)),
        skew_ms: faults.clock_skew_ms,
    })
}
