//! What WeChat Pay, Alipay and the insurance bureau have in common here: books in the world, notices that are repeated on the
//! platforms' own schedules by the virtual clock, and faults on demand.

mod cert;
pub(crate) mod notices;

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub(crate) use cert::certificate;

use crate::net::Wire;
use crate::problem::{Problem, read};
use crate::run::Shared;
use crate::{alipay, ebill, insurance, wechatpay};

/// The books of all three.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Paying {
    pub(crate) wechatpay: wechatpay::Bank,
    pub(crate) alipay: alipay::Bank,
    pub(crate) insurance: insurance::Bureau,
    pub(crate) ebill: ebill::Platform,
    pub(crate) faults: PayFaults,
    pub(crate) outbox: Vec<notices::Pending>,
    pub(crate) numbers: u64,
    /// The loop that sends notices runs.
    #[serde(skip)]
    pub(crate) running: bool,
}

/// The switches of `PUT /sim/v1/pay-faults`; what a request leaves out is off. Numbers count down with each call they touch.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PayFaults {
    /// Only calls whose path (or, at Alipay, method) begins so; empty means all.
    pub(crate) path: String,
    /// The next so many calls are cut before anything is done.
    pub(crate) drop_request: u32,
    /// The next so many are done, then cut.
    pub(crate) drop_answer: u32,
    /// The next so many get a 500 and nothing is done.
    pub(crate) error_before: u32,
    /// The next so many are done, then get a 500.
    pub(crate) error_after: u32,
    /// The next so many are told that they are too many.
    pub(crate) too_many: u32,
    /// The next so many answers carry no signature.
    pub(crate) unsigned: u32,
    /// The next so many answers are signed by a key that nobody knows.
    pub(crate) wrong_key: u32,
    /// The next so many answers lose their last byte after being signed.
    pub(crate) cut_body: u32,
    /// Answers come so much later, in real time.
    pub(crate) slow_ms: u64,
    /// Every so manyth call gets a 500, by turns before and after the deed; 0 means none.
    pub(crate) error_every: u32,
    /// How many calls there were since, for that.
    #[serde(skip)]
    pub(crate) calls: u32,
    /// WeChat Pay's clock is so many seconds ahead of everybody's: it judges requests by it and dates its signatures with it.
    pub(crate) clock_ahead_s: i64,
    /// Each notice goes out so many times more.
    pub(crate) notice_copies: u32,
    /// The next so many sendings of a notice are lost on the way.
    pub(crate) notice_lost: u32,
    /// All sendings of notices about the order of this number are lost; empty means of none.
    pub(crate) notice_lost_of: String,
    /// Notices are signed by a key that nobody knows.
    pub(crate) notice_forged: bool,
    /// Before each of WeChat's notices goes its test whether signatures are checked.
    pub(crate) notice_probe: bool,
    /// Bills leave out their first so many lines.
    pub(crate) bill_lose: usize,
    /// In bills the first line is one fen more than it was.
    pub(crate) bill_change: bool,
    /// Bills have so many lines of one yuan more, of orders that another system placed under the same contract.
    pub(crate) bill_add: u32,
    /// Bills date what happened so much later: the platform's clock is not ours.
    pub(crate) bill_late_ms: i64,
    /// What is wrong with bills as files.
    pub(crate) bill_spoil: BillSpoil,
}

/// How a bill's file is broken. Its lines are right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BillSpoil {
    /// Not at all.
    #[default]
    Not,
    /// Its hash is another file's (WeChat Pay).
    Hash,
    /// Its last line claims one line more than there is.
    Summary,
    /// It ends in the middle.
    Cut,
}

/// What is to happen to one call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    DropRequest,
    DropAnswer,
    ErrorBefore,
    ErrorAfter,
    TooMany,
    Unsigned,
    WrongKey,
    CutBody,
}

impl PayFaults {
    /// Takes the next fault for a call to `path`.
    pub(crate) fn take(&mut self, path: &str) -> Fault {
        if !path.starts_with(&self.path) {
            return Fault::None;
        }
        for (left, fault) in [
            (&mut self.drop_request, Fault::DropRequest),
            (&mut self.drop_answer, Fault::DropAnswer),
            (&mut self.error_before, Fault::ErrorBefore),
            (&mut self.error_after, Fault::ErrorAfter),
            (&mut self.too_many, Fault::TooMany),
            (&mut self.unsigned, Fault::Unsigned),
            (&mut self.wrong_key, Fault::WrongKey),
            (&mut self.cut_body, Fault::CutBody),
        ] {
            if *left > 0 {
                *left -= 1;
                return fault;
            }
        }
        self.calls = self.calls.wrapping_add(1);
        match self.error_every {
            every if every > 0 && self.calls.is_multiple_of(every) => {
                if (self.calls / every).is_multiple_of(2) { Fault::ErrorAfter } else { Fault::ErrorBefore }
            }
            _ => Fault::None,
        }
    }
}

impl Paying {
    /// A number that was never given before: `prefix`, then digits.
    pub(crate) fn number(&mut self, prefix: &str) -> String {
        self.numbers += 1;
        format!("{prefix}{:012}", self.numbers)
    }
}

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/sim/v1/pay-faults", get(faults).put(set_faults))
        .merge(wechatpay::routes())
        .merge(alipay::routes())
        .merge(insurance::routes())
        .merge(ebill::routes())
}

async fn faults(State(hub): State<Shared>) -> Response {
    axum::Json(json!(hub.world.lock().paying.faults)).into_response()
}

async fn set_faults(State(hub): State<Shared>, body: Bytes) -> Result<Response, Problem> {
    let faults: PayFaults = read(&body)?;
    if faults.slow_ms > 60_000 || faults.notice_copies > 200 || faults.bill_add > 1_000 {
        return Err(Problem::invalid(
            "slow_ms",
            "at most 60000; notice_copies at most 200; bill_add at most 1000",
        ));
    }
    hub.world.lock().paying.faults = faults;
    Ok(self::faults(State(hub)).await)
}

/// Waits and cuts as a fault says; `Some` when the call is over with that.
pub(crate) async fn before(hub: &Shared, wire: &Wire, path: &str) -> (Fault, Option<Response>) {
    let (fault, slow) = {
        let mut world = hub.world.lock();
        let faults = &mut world.paying.faults;
        (faults.take(path), if path.starts_with(&faults.path) { faults.slow_ms } else { 0 })
    };
    if slow > 0 {
        tokio::time::sleep(Duration::from_millis(slow)).await;
    }
    let over = match fault {
        Fault::DropRequest => {
            wire.cut();
            Some(StatusCode::OK.into_response())
        }
        Fault::ErrorBefore => Some(StatusCode::INTERNAL_SERVER_ERROR.into_response()),
        _ => None,
    };
    (fault, over)
}

/// What a fault makes of an answer that is ready: the 500 or the cut after the deed.
pub(crate) fn after(wire: &Wire, fault: Fault, response: Response) -> Response {
    match fault {
        Fault::DropAnswer => {
            wire.cut();
            response
        }
        Fault::ErrorAfter => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        _ => response,
    }
}
