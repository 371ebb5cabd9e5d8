//! Registering routes: handler, description and permission together.

use std::convert::Infallible;
use std::future::Ready;
use std::marker::PhantomData;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use base::Problem;
use futures_util::future::Either;
use tower::{Layer, Service};
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
        self.router = self.router.routes(route.layer(Guard::<P>(PhantomData)));
        self
    }

    /// Hands the state to all handlers and gives the parts for [`crate::Capability`].
    #[must_use]
    pub fn with_state(self, state: S) -> (OpenApiRouter, Vec<Rule>) {
        (self.router.with_state(state), self.rules)
    }
}

/// Stands before every handler and lets through whom `P` admits.
struct Guard<P>(PhantomData<fn(P)>);

impl<P> Clone for Guard<P> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}

impl<P, S> Layer<S> for Guard<P> {
    type Service = Guarded<P, S>;
    fn layer(&self, handler: S) -> Guarded<P, S> {
        Guarded { handler, permission: PhantomData }
    }
}

/// A handler behind its [`Guard`].
struct Guarded<P, S> {
    handler: S,
    permission: PhantomData<fn(P)>,
}

impl<P, S: Clone> Clone for Guarded<P, S> {
    fn clone(&self) -> Self {
        Self { handler: self.handler.clone(), permission: PhantomData }
    }
}

impl<P, S> Service<Request> for Guarded<P, S>
where
    P: Permission,
    S: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<S::Future, Ready<Result<Response, Infallible>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.handler.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match refused::<P>(request.extensions().get()) {
            None => Either::Left(self.handler.call(request)),
            Some(problem) => Either::Right(std::future::ready(Ok(ApiError::from(problem).into_response()))),
        }
    }
}

/// Why somebody is not let through.
fn refused<P: Permission>(caller: Option<&Caller>) -> Option<Problem> {
    // Nobody gets here unidentified; a router without that in front lets nobody in.
    let Some(caller) = caller else { return Some(Problem::internal()) };
    if P::WHO.admits(&caller.actor) {
        return None;
    }
    metrics::counter!("edge_refused", "permission" => P::NAME).increment(1);
    Some(if caller.actor == Actor::Nobody { Problem::sign_in() } else { Problem::forbidden() })
}
