//! Registering routes: handler, description and permission together.

use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use base::Problem;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter, UtoipaMethodRouterExt};

use crate::actor::{Actor, Caller};
use crate::permission::{Permission, Who};
use crate::problem::ApiError;

/// What the table of routes and roles tells of a route.
#[derive(Debug, Clone)]
pub struct Rule {
    /// `GET`
    pub method: String,
    /// `/api/v1/appointments/{id}`
    pub path: String,
    /// The permission's name.
    pub permission: &'static str,
    /// Whom it lets through.
    pub who: Who,
}

/// A capability's routes.
pub struct Routes<S: Clone + Send + Sync + 'static> {
    router: OpenApiRouter<S>,
    rules: Vec<Rule>,
}

impl<S: Clone + Send + Sync + 'static> Default for Routes<S> {
    fn default() -> Self {
        Self { router: OpenApiRouter::default(), rules: Vec::new() }
    }
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// No routes yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a handler that only callers with permission `P` reach: `routes.route::<Book>(routes!(book))`.
    #[must_use]
    pub fn route<P: Permission>(mut self, mut route: UtoipaMethodRouter<S>) -> Self {
        for (path, item) in &mut route.1.paths {
            for (method, operation) in [
                ("GET", &mut item.get),
                ("POST", &mut item.post),
                ("PUT", &mut item.put),
                ("PATCH", &mut item.patch),
                ("DELETE", &mut item.delete),
            ] {
                if let Some(operation) = operation {
                    let extension = [("x-permission", serde_json::Value::from(P::NAME))];
                    let extension: utoipa::openapi::extensions::Extensions = extension.into_iter().collect();
                    operation.extensions.get_or_insert_default().merge(extension);
                    self.rules.push(Rule {
                        method: method.into(),
                        path: path.clone(),
                        permission: P::NAME,
                        who: P::WHO,
                    });
                }
            }
        }
        self.router = self.router.routes(route.layer(middleware::from_fn(check::<P>)));
        self
    }

    /// Hands the state to all handlers and gives the parts for [`crate::Capability`].
    #[must_use]
    pub fn with_state(self, state: S) -> (OpenApiRouter, Vec<Rule>) {
        (self.router.with_state(state), self.rules)
    }
}

/// Stands before every handler.
async fn check<P: Permission>(caller: Caller, request: Request, next: Next) -> Response {
    if P::WHO.admits(&caller.actor) {
        return next.run(request).await;
    }
    metrics::counter!("edge_refused", "permission" => P::NAME).increment(1);
    let problem = if caller.actor == Actor::Nobody { Problem::sign_in() } else { Problem::forbidden() };
    ApiError::from(problem).into_response()
}
