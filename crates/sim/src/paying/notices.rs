//! Notices that wait, go out, and come again until somebody takes them.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::run::Shared;
use crate::{alipay, wechatpay};

/// WeChat Pay's pauses in seconds.
pub(crate) const WECHATPAY: &[i64] =
    &[15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10_800, 10_800, 10_800, 21_600, 21_600];
/// Alipay's.
pub(crate) const ALIPAY: &[i64] = &[240, 600, 600, 3600, 7200, 21_600, 54_000];
/// WeChat Pay's for orders with medical insurance: it gives up after half a minute.
pub(crate) const MEDICAL: &[i64] = &[15, 15];

/// How a notice is dressed when it goes out: signed anew each time, with the same id.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// WeChat Pay: event type, original type, content.
    WechatPay { event: String, original: String, content: String, medical: bool },
    /// Alipay: the members without signature.
    Alipay(std::collections::BTreeMap<String, String>),
}

/// One notice under way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub(crate) id: String,
    pub(crate) url: String,
    pub(crate) order: String,
    pub(crate) kind: Kind,
    pub(crate) due_ms: i64,
    pub(crate) attempts: usize,
    pub(crate) created_ms: i64,
}

/// Starts the loop once. It looks at the virtual clock often in real time.
pub(crate) fn keep_running(hub: &Shared) {
    {
        let mut world = hub.world.lock();
        if std::mem::replace(&mut world.paying.running, true) {
            return;
        }
    }
    let again = Arc::clone(hub);
    hub.spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let now = again.now();
            let due: Vec<Pending> = {
                let mut world = again.world.lock();
                wechatpay::settle(&mut world.paying, now);
                let (due, later) =
                    std::mem::take(&mut world.paying.outbox).into_iter().partition(|one| one.due_ms <= now);
                world.paying.outbox = later;
                due
            };
            for one in due {
                let hub = Arc::clone(&again);
                again.spawn(async move { deliver(&hub, one).await });
            }
        }
    });
}

/// Sends once; what was not taken waits for its next turn.
async fn deliver(hub: &Shared, mut one: Pending) {
    let now = hub.now();
    let (copies, lost, probe) = {
        let mut world = hub.world.lock();
        let faults = &mut world.paying.faults;
        let lost = faults.notice_lost > 0 || (!one.order.is_empty() && faults.notice_lost_of == one.order);
        faults.notice_lost = faults.notice_lost.saturating_sub(1);
        (faults.notice_copies, lost, faults.notice_probe)
    };
    if probe && matches!(one.kind, Kind::WechatPay { .. }) {
        send(hub, &one, now, true).await;
    }
    let mut taken = false;
    let mut status = 0;
    if !lost {
        let sendings = (0..=copies).map(|_| send(hub, &one, now, false));
        for (ok, code) in futures_util::future::join_all(sendings).await {
            taken |= ok;
            status = code;
        }
    }
    let pauses = match &one.kind {
        Kind::WechatPay { medical: true, .. } => MEDICAL,
        Kind::WechatPay { .. } => WECHATPAY,
        Kind::Alipay(_) => ALIPAY,
    };
    let mut world = hub.world.lock();
    one.attempts += 1;
    let platform = match one.kind {
        Kind::WechatPay { .. } => "wechatpay",
        Kind::Alipay(_) => "alipay",
    };
    let entry = json!({
        "platform": platform, "order": one.order, "id": one.id, "attempt": one.attempts, "status": status,
        "taken": taken, "lost": lost,
    });
    world.file("pay", now, entry);
    if !taken && let Some(pause) = pauses.get(one.attempts - 1) {
        one.due_ms = now + pause * 1000;
        world.paying.outbox.push(one);
    }
}

async fn send(hub: &Shared, one: &Pending, now: i64, probe: bool) -> (bool, u16) {
    let dressed = {
        let mut world = hub.world.lock();
        match &one.kind {
            Kind::WechatPay { event, original, content, .. } => {
                wechatpay::dress(&mut world.paying, one, event, original, content, now, probe)
            }
            Kind::Alipay(members) => alipay::dress(&mut world.paying, members),
        }
    };
    let Some((headers, body)) = dressed else { return (false, 0) };
    let request = hub.http.post(&one.url).headers(headers).body(body).timeout(Duration::from_secs(5));
    let Ok(response) = request.send().await else { return (false, 0) };
    let status = response.status().as_u16();
    let body = response.bytes().await.unwrap_or_default();
    let taken = match one.kind {
        Kind::WechatPay { .. } => status == 200 || status == 204,
        Kind::Alipay(_) => status == 200 && body.as_ref() == b"success",
    };
    (taken, status)
}
