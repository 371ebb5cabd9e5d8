//! The public routes as the server puts them together, without the server.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::Response;
use base::Lang;
use edge::live::TopicSource;
use edge::{Actor, Caller, Role, StaffId};
use schedule::{Board, HospitalFacts, Limits, ScheduleDeps, SignInFacts};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::support::{World, wall};

pub struct Site {
    router: Router,
    pub topics: Vec<Arc<dyn TopicSource>>,
    pub board: Board,
    pub caller: Caller,
}

impl Site {
    pub async fn open(w: &World) -> Self {
        let board = w.board().await;
        let facts = HospitalFacts {
            sign_in: SignInFacts { wechat: true, sms: true },
            js_sdk_url: None,
            elder_hint: true,
            privacy_version: "1".into(),
            consent_version: "2".into(),
            limits: Limits {
                cancel_until: wall("17:00"),
                hold_minutes: 15,
                per_doctor_session: 1,
                per_department_day: 1,
                per_day: 2,
                per_week: 3,
                per_quarter: 5,
                further: Vec::new(),
            },
        };
        let capability = schedule::capability(ScheduleDeps {
            db: w.t.db.clone(),
            hospitals: w.hospitals.clone(),
            board: board.clone(),
            facts: Arc::new(move |_| facts.clone()),
        });
        let (staff, public): (Vec<_>, Vec<_>) =
            capability.rules.iter().partition(|r| r.path.starts_with("/api/v1/staff/"));
        assert!(public.iter().all(|r| r.method == "GET" && r.permission == "anyone"));
        assert!(staff.iter().all(|r| r.permission.starts_with("schedule.")));
        let caller = Caller { actor: Actor::Nobody, lang: Lang::Zh, ..w.caller() };
        let known = caller.clone();
        let operations = StaffId::new();
        let identify = middleware::from_fn(move |mut request: Request, next: Next| {
            // Which member of staff it is follows from a session elsewhere; here from a word of the test.
            let role =
                request.headers().get("x-role").and_then(|v| v.to_str().ok()).and_then(Role::from_code);
            let actor = role.map_or(Actor::Nobody, |role| Actor::Staff(operations, vec![role]));
            request.extensions_mut().insert(Caller { actor, ..known.clone() });
            next.run(request)
        });
        let router: Router = capability.router.into();
        let router = router.layer(identify).layer(middleware::from_fn(edge::layers::problems));
        Self { router, topics: capability.topics, board, caller }
    }

    pub async fn send(&self, path: &str, etag: Option<&str>) -> Response {
        let mut request = Request::builder().uri(format!("/api/v1{path}"));
        if let Some(etag) = etag {
            request = request.header("if-none-match", etag);
        }
        self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.any(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    pub async fn any(&self, path: &str) -> (u16, Value) {
        let response = self.send(path, None).await;
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    pub async fn problem(&self, path: &str) -> (u16, String) {
        let (status, body) = self.any(path).await;
        assert_eq!(body["status"], status, "{path}: {body}");
        (status, body["code"].as_str().unwrap_or_default().to_owned())
    }

    /// A request of a member of staff with this role.
    pub async fn staff(&self, role: Role, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = Request::builder().method(method).uri(format!("/api/v1/staff{path}"));
        request = request.header("x-role", role.code()).header("idempotency-key", Role::Nurse.code());
        let body = match body {
            Some(json) => {
                request = request.header("content-type", "application/json");
                Body::from(json.to_string())
            }
            None => Body::empty(),
        };
        self.answered(request.body(body).unwrap()).await
    }

    /// What operations get for a request that must go through.
    pub async fn plans(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let (status, body) = self.staff(Role::Operations, method, path, body).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {body}");
        body
    }

    /// Any request; a body that is no JSON comes as a text.
    pub async fn answered(&self, request: Request) -> (u16, Value) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let text = || Value::String(String::from_utf8_lossy(&bytes).into_owned());
        (status, serde_json::from_slice(&bytes).unwrap_or_else(|_| text()))
    }
}
