//! The public routes as the server puts them together, without the server.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::Response;
use base::Lang;
use edge::live::TopicSource;
use edge::{Actor, Caller};
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
            },
        };
        let capability = schedule::capability(ScheduleDeps {
            db: w.t.db.clone(),
            hospitals: w.hospitals.clone(),
            board: board.clone(),
            facts: Arc::new(move |_| facts.clone()),
        });
        assert!(capability.rules.iter().all(|r| r.method == "GET" && r.permission == "anyone"));
        let caller = Caller { actor: Actor::Nobody, lang: Lang::Zh, ..w.caller() };
        let known = caller.clone();
        let identify = middleware::from_fn(move |mut request: Request, next: Next| {
            request.extensions_mut().insert(known.clone());
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
}
