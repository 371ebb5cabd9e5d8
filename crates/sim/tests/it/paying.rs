//! WeChat Pay, Alipay and the insurance bureau, driven by our own merchant clients over HTTP.

mod alipay;
mod insurance;
mod sheet;
mod wechatpay;

use std::collections::VecDeque;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::lab::Lab;

/// Takes notices as a merchant would, and answers as it is told.
#[derive(Clone, Default)]
pub(crate) struct Till {
    arrived: Arc<Mutex<VecDeque<(HeaderMap, Bytes)>>>,
    woken: Arc<Notify>,
    /// Statuses to answer with before it takes anything.
    refusals: Arc<Mutex<VecDeque<u16>>>,
}

async fn take(State(till): State<Till>, headers: HeaderMap, body: Bytes) -> Response {
    till.arrived.lock().push_back((headers, body));
    till.woken.notify_one();
    match till.refusals.lock().pop_front() {
        Some(status) => StatusCode::from_u16(status).unwrap().into_response(),
        None => "success".into_response(),
    }
}

impl Till {
    /// Opens a till; gives it with its address.
    pub(crate) async fn open() -> (Self, String) {
        let till = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/notify", listener.local_addr().unwrap());
        let app = Router::new().fallback(take).with_state(till.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (till, url)
    }

    pub(crate) fn refuses(&self, status: u16) {
        self.refusals.lock().push_back(status);
    }

    /// The next notice; fails after ten seconds without one.
    pub(crate) async fn next(&self) -> (HeaderMap, Bytes) {
        let wait = async {
            loop {
                if let Some(one) = self.arrived.lock().pop_front() {
                    return one;
                }
                self.woken.notified().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), wait).await.unwrap()
    }
}

impl Lab {
    pub(crate) async fn patch(&self, path: &str, body: Value) -> Value {
        let sent = self.http.patch(self.url(path)).body(body.to_string()).send().await.unwrap();
        serde_json::from_str(&sent.text().await.unwrap()).unwrap()
    }

    pub(crate) async fn pay_faults(&self, faults: Value) {
        let set = self.put("/sim/v1/pay-faults", faults.clone()).await;
        for (name, value) in faults.as_object().unwrap() {
            assert_eq!(&set[name], value);
        }
    }

    /// Waits until a platform has heard the answer to so many of its notices.
    pub(crate) async fn told(&self, count: usize) -> Vec<Value> {
        self.inbox("pay", count).await
    }
}

pub(crate) fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}")).to_owned()
}

pub(crate) fn nothing() -> Value {
    json!({})
}
