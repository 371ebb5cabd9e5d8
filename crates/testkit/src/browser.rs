//! A browser that has our pages open: cookies, CSRF, language, keys.

mod patient;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base::Lang;
use parking_lot::Mutex;
use reqwest::Method;
use reqwest::header::{HOST, LOCATION, SET_COOKIE};
use serde_json::Value;

use crate::answer::Answer;
use crate::hospital::Inner;

pub use patient::key;

/// A browser. It keeps cookies for our host and sends them back, and nothing else of its own accord.
pub struct Browser {
    pub(crate) hospital: Arc<Inner>,
    /// The name that it calls us by: cookies and the simulator know phones by it.
    host: String,
    /// The address that it comes from.
    source: String,
    node: AtomicUsize,
    cookies: Mutex<BTreeMap<String, String>>,
    csrf: Mutex<String>,
    lang: Mutex<Lang>,
}

/// How long a stream may keep one waiting. Nothing takes this long unless it is broken.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

/// Where a redirect leads, and what came of following it.
#[derive(Debug)]
pub struct Opened {
    /// The address at the end, without scheme and host when it is ours.
    pub at: String,
    /// What is there.
    pub answer: Answer,
}

impl Browser {
    pub(crate) fn new(hospital: Arc<Inner>, host: &str, source: String) -> Self {
        Self {
            hospital,
            host: host.into(),
            source,
            node: AtomicUsize::new(0),
            cookies: Mutex::default(),
            csrf: Mutex::default(),
            lang: Mutex::default(),
        }
    }

    /// Reads our pages in this language from now on; a browser's setting, not the account's choice.
    pub fn reads(&self, lang: Lang) {
        *self.lang.lock() = lang;
    }

    /// Whether it reads them in English.
    #[must_use]
    pub fn reads_english(&self) -> bool {
        *self.lang.lock() == Lang::En
    }

    /// Is served by this node from now on, of several.
    pub fn is_served_by(&self, node: usize) {
        self.node.store(node, Ordering::SeqCst);
    }

    /// A cookie of ours; empty when there is none.
    #[must_use]
    pub fn cookie(&self, name: &str) -> String {
        self.cookies.lock().get(name).cloned().unwrap_or_default()
    }

    /// All cookies are lost, as after the browser's data was cleared.
    pub fn forgets(&self) {
        self.cookies.lock().clear();
        self.csrf.lock().clear();
    }

    /// Has this session, however it came by it, with the token that its pages would have.
    pub async fn has_session(&self, token: &str) {
        self.cookies.lock().insert("__Host-xl".into(), token.into());
        let session = self.hospital.nodes[0].sessions().find(token).await.unwrap();
        let csrf = session.map(|session| edge::csrf::token(&session.token_hash));
        *self.csrf.lock() = csrf.unwrap_or_default();
    }

    /// Asks who is signed in, as every page does when it loads; from then on changing requests carry the right token.
    pub async fn looks_who_it_is(&self) -> Answer {
        let session = self.get("/api/v1/session").await.good();
        session.text_at("csrf").clone_into(&mut self.csrf.lock());
        session
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path).send().await
    }

    /// POST with a JSON body and, when the page was loaded before, its CSRF token.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path).json(&body).send().await
    }

    /// PATCH, likewise.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path).json(&body).send().await
    }

    /// DELETE, likewise.
    pub async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path).send().await
    }

    /// A request of any shape, with cookies, language and CSRF token already on it.
    #[must_use]
    pub fn call(&self, method: Method, path: &str) -> Call<'_> {
        let node =
            self.hospital.nodes.get(self.node.load(Ordering::SeqCst)).unwrap_or(&self.hospital.nodes[0]);
        let asked = format!("{method} {path}");
        let mut request =
            self.hospital.http.request(method.clone(), format!("http://{}{path}", node.address));
        request = request.header(HOST, self.origin().trim_start_matches("http://"));
        request = request.header("x-forwarded-for", &self.source);
        request =
            request.header("accept-language", if *self.lang.lock() == Lang::En { "en-GB" } else { "zh-CN" });
        let cookies: Vec<String> = self.cookies.lock().iter().map(|(k, v)| format!("{k}={v}")).collect();
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        let csrf = self.csrf.lock().clone();
        if !csrf.is_empty() && method != Method::GET {
            request = request.header("x-csrf", csrf);
        }
        Call { browser: self, request, asked }
    }

    /// How pages of ours are addressed here: `http://p1.localhost:port`.
    #[must_use]
    pub fn origin(&self) -> String {
        let node =
            self.hospital.nodes.get(self.node.load(Ordering::SeqCst)).unwrap_or(&self.hospital.nodes[0]);
        format!("http://{}:{}", self.host, node.address.port())
    }

    /// Opens an address, ours or not, and follows redirects as a browser does.
    ///
    /// # Panics
    /// When they go round in circles.
    pub async fn opens(&self, address: &str) -> Opened {
        let ours = self.origin();
        let mut at = self
            .hospital
            .nodes
            .iter()
            .fold(address.to_owned(), |at, node| at.replace(&format!("http://{}", node.address), ""));
        at = at.replace(&ours, "");
        for _ in 0..10 {
            let answer = if at.starts_with('/') { self.get(&at).await } else { self.elsewhere(&at).await };
            if !(300..400).contains(&answer.status) {
                return Opened { at, answer };
            }
            at = answer.header(LOCATION.as_str()).replace(&ours, "");
        }
        panic!("{address} leads round in circles, at last to {at}");
    }

    /// A page of the simulator, which knows whose phone it is by the host name.
    async fn elsewhere(&self, address: &str) -> Answer {
        let request = self.hospital.http.get(address).header(HOST, &self.host);
        let response = request.send().await.unwrap_or_else(|e| panic!("GET {address}: {e}"));
        Answer::read(format!("GET {address}"), response).await
    }

    fn takes_cookies(&self, answer: &Answer) {
        let mut cookies = self.cookies.lock();
        for line in answer.headers.get_all(SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
            let (name, value) = pair.split_once('=').expect("a cookie has a name and a value");
            if value.is_empty() || attributes.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// A request that is being put together.
pub struct Call<'a> {
    browser: &'a Browser,
    request: reqwest::RequestBuilder,
    asked: String,
}

impl Call<'_> {
    /// With a JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// With a body of any sort.
    #[must_use]
    pub fn body(mut self, kind: &str, body: impl Into<reqwest::Body>) -> Self {
        self.request = self.request.header("content-type", kind).body(body);
        self
    }

    /// With an `Idempotency-Key`.
    #[must_use]
    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// With another header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// Sends it; redirects are not followed.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn send(self) -> Answer {
        let response = self.request.send().await.unwrap_or_else(|e| panic!("{}: {e:?}", self.asked));
        let answer = Answer::read(self.asked, response).await;
        self.browser.takes_cookies(&answer);
        answer
    }

    /// Sends it to a server that may be gone: the error says how the answer did not come.
    ///
    /// # Errors
    /// When no answer came, or half of one.
    pub async fn try_send(self) -> Result<Answer, String> {
        let response = self.request.send().await.map_err(|error| format!("{}: {error:?}", self.asked))?;
        let answer = Answer::try_read(self.asked, response).await?;
        self.browser.takes_cookies(&answer);
        Ok(answer)
    }

    /// Opens a stream of live topics.
    ///
    /// # Panics
    /// When it does not open.
    pub async fn opens_stream(self) -> Stream {
        let response = self.request.send().await.unwrap_or_else(|e| panic!("{}: {e:?}", self.asked));
        assert_eq!(response.status(), 200, "{}", self.asked);
        assert_eq!(response.headers()["content-type"], "text/event-stream", "{}", self.asked);
        Stream { response, rest: String::new() }
    }
}

/// A stream of server-sent events.
pub struct Stream {
    response: reqwest::Response,
    rest: String,
}

impl Stream {
    /// Waits for the next snapshot.
    ///
    /// # Panics
    /// When none comes, or the stream ends.
    pub async fn next(&mut self) -> Value {
        tokio::time::timeout(PATIENCE, self.event()).await.expect("a snapshot comes")
    }

    async fn event(&mut self) -> Value {
        loop {
            while let Some((event, rest)) = self.rest.split_once("\n\n") {
                let data = event.lines().find_map(|line| line.strip_prefix("data: ")).map(str::to_owned);
                self.rest = rest.to_owned();
                if let Some(data) = data {
                    return serde_json::from_str(&data).expect("a snapshot is JSON");
                }
            }
            let chunk = self.response.chunk().await.unwrap().expect("the stream goes on");
            self.rest.push_str(std::str::from_utf8(&chunk).expect("text"));
        }
    }
}
