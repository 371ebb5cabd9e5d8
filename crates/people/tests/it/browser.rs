//! A browser: cookies, a language, an address, and what it gets for an answer.

use std::collections::HashMap;

use axum::body::Body;
use http::{HeaderMap, Request, StatusCode, header};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::clinic::{Clinic, new_person};

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    pub fn is(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body
    }

    /// A problem of this status and code; gives its body.
    pub fn problem(self, status: u16, code: &str) -> Value {
        assert_eq!((self.status.as_u16(), self.body["code"].as_str()), (status, Some(code)), "{}", self.body);
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json");
        assert!(!self.body["detail"].as_str().unwrap().is_empty());
        if let Some(wait) = self.body["retry_after_s"].as_u64() {
            assert_eq!(self.headers[header::RETRY_AFTER], wait.to_string(), "{}", self.body);
        }
        self.body
    }

    pub fn location(&self) -> String {
        assert_eq!(self.status, StatusCode::FOUND, "{}", self.body);
        self.headers[header::LOCATION].to_str().unwrap().to_owned()
    }
}

/// A browser with its cookies.
#[derive(Clone)]
pub struct Browser {
    pub clinic: Clinic,
    pub cookies: HashMap<String, String>,
    pub csrf: String,
    pub host: String,
    pub lang: &'static str,
    pub address: String,
}

impl Browser {
    pub fn new(clinic: Clinic) -> Self {
        Self {
            clinic,
            cookies: HashMap::new(),
            csrf: String::new(),
            host: "p1.localhost:8080".into(),
            lang: "zh-CN",
            address: "192.0.2.1".into(),
        }
    }

    pub async fn send(&mut self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let text = body.map(|b| b.to_string());
        self.send_text(method, path, text).await
    }

    pub async fn send_text(&mut self, method: &str, path: &str, body: Option<String>) -> Answer {
        let cookies: Vec<_> = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &self.host)
            .header(header::COOKIE, cookies.join("; "))
            .header(header::ACCEPT_LANGUAGE, self.lang)
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-forwarded-for", &self.address)
            .header("x-csrf", &self.csrf);
        let request = request.body(body.map_or_else(Body::empty, Body::from)).unwrap();
        let response = self.clinic.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            let text = cookie.to_str().unwrap();
            let (pair, rest) = text.split_once(';').unwrap_or((text, ""));
            let (name, value) = pair.split_once('=').unwrap();
            if rest.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    pub async fn post(&mut self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(body)).await
    }

    pub async fn patch(&mut self, path: &str, body: Value) -> Answer {
        self.send("PATCH", path, Some(body)).await
    }

    pub async fn delete(&mut self, path: &str) -> Answer {
        self.send("DELETE", path, None).await
    }

    /// Asks who is signed in, and takes the token for changing requests.
    pub async fn session(&mut self) -> Value {
        let body = self.get("/api/v1/session").await.is(200);
        self.csrf = body["csrf"].as_str().unwrap().to_owned();
        body
    }

    pub async fn sign_in(&mut self, phone: &str) -> Value {
        self.post("/api/v1/session/sms", json!({"phone": phone})).await.is(202);
        let code = self.clinic.inbox.code(phone);
        let body = self.post("/api/v1/session/phone", json!({"phone": phone, "code": code})).await.is(200);
        self.csrf = body["csrf"].as_str().unwrap().to_owned();
        body
    }

    /// A code for a person's phone. The clock has to be past the pause since the last one.
    pub async fn person_code(&mut self, phone: &str) -> String {
        self.post("/api/v1/persons/code", json!({"phone": phone})).await.is(202);
        self.clinic.inbox.code(phone)
    }

    /// Adds somebody by a resident number, with a fresh code.
    pub async fn add(&mut self, name: &str, number: &str, phone: &str, relation: &str) -> Answer {
        let code = self.person_code(phone).await;
        self.post("/api/v1/persons", new_person(name, number, phone, &code, relation)).await
    }

    pub fn token(&self) -> Option<&String> {
        self.cookies.get("__Host-xl")
    }
}
