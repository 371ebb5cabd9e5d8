//! The simulator's own interface: people, faults, and what has arrived.

use serde_json::{Value, json};

/// Talks to the simulator as its page does.
#[derive(Debug, Clone)]
pub struct SimControl {
    pub(crate) http: reqwest::Client,
    /// `http://127.0.0.1:port`
    pub base: String,
}

/// How long something may take to arrive, in milliseconds of real time. Nothing takes this long unless it is broken.
const PATIENCE_MS: u64 = 20_000;

impl SimControl {
    /// Reads something.
    ///
    /// # Panics
    /// When the simulator does not answer well.
    pub async fn get(&self, path: &str) -> Value {
        self.send(self.http.get(format!("{}{path}", self.base)), path).await
    }

    /// Does something.
    ///
    /// # Panics
    /// As [`Self::get`].
    pub async fn post(&self, path: &str, body: Value) -> Value {
        self.send(self.http.post(format!("{}{path}", self.base)).body(body.to_string()), path).await
    }

    async fn send(&self, request: reqwest::RequestBuilder, path: &str) -> Value {
        let response = request.send().await.unwrap_or_else(|e| panic!("simulator, {path}: {e}"));
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(status.is_success(), "simulator, {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("simulator, {path}: {text}"))
    }

    /// Turns the faults on that are named, and all others off: `sim::Faults` says which there are.
    ///
    /// # Panics
    /// When there is no such fault.
    pub async fn faults(&self, faults: Value) {
        self.put("/sim/v1/faults", faults).await;
    }

    /// PUT of its own interface.
    pub async fn put(&self, path: &str, body: Value) {
        let request = self.http.put(format!("{}{path}", self.base)).body(body.to_string());
        self.send(request, path).await;
    }

    /// PATCH of its own interface.
    ///
    /// # Panics
    /// As [`Self::get`].
    pub async fn patch(&self, path: &str, body: Value) {
        let request = self.http.patch(format!("{}{path}", self.base)).body(body.to_string());
        self.send(request, path).await;
    }

    /// Everything works again.
    pub async fn behaves(&self) {
        self.faults(json!({})).await;
    }

    /// How far the inbox is: what arrives later has a larger number.
    pub async fn so_far(&self) -> u64 {
        self.get("/sim/v1/inbox?after=18446744073709551615").await["seq"].as_u64().unwrap()
    }

    /// What has arrived of a kind: `template`, `custom`, `sms`, `menu`, `push`.
    pub async fn inbox(&self, kind: &str) -> Vec<Value> {
        self.get(&format!("/sim/v1/inbox?kind={kind}")).await["items"].as_array().unwrap().clone()
    }

    /// Waits until a phone has got something of a kind since `after`; `None` when nothing comes.
    pub async fn next(&self, kind: &str, phone: &str, after: u64) -> Option<Value> {
        let path = format!("/sim/v1/inbox?kind={kind}&phone={phone}&after={after}&wait_ms={PATIENCE_MS}");
        self.get(&path).await["items"].as_array().unwrap().first().cloned()
    }
}
