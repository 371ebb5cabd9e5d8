//! What every request of a person passes before the routes, in one service.
//!
//! From the outside in: an id, and problems get their body; the hospital in the path; no more requests at once than the settings
//! say; time; panics; who calls. A layer of its own for each of them would copy all that stands inside it and box one more
//! future for each request, which costs more than what they do.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use base::Problem;
use futures_util::FutureExt as _;
use http::header::CACHE_CONTROL;
use http::{HeaderValue, Uri};
use tokio::sync::Semaphore;
use tower::{Layer, Service};

use crate::layers::{Asked, Identify, NamedHospital, RequestId, Seldom};
use crate::problem::ApiError;

/// The layer. All that it makes share one count of requests.
#[derive(Clone)]
pub struct Front {
    inside: Arc<Inside>,
}

struct Inside {
    identify: Identify,
    within: Duration,
    at_once: Semaphore,
}

impl Front {
    /// At most `at_once` requests are served at a time, each for at most `within`; who comes beyond that is asked to come again.
    #[must_use]
    pub fn new(identify: Identify, within: Duration, at_once: usize) -> Self {
        Self { inside: Arc::new(Inside { identify, within, at_once: Semaphore::new(at_once) }) }
    }
}

impl<S> Layer<S> for Front {
    type Service = Fronted<S>;
    fn layer(&self, service: S) -> Fronted<S> {
        Fronted { inside: self.inside.clone(), service }
    }
}

/// Routes behind a [`Front`].
#[derive(Clone)]
pub struct Fronted<S> {
    inside: Arc<Inside>,
    service: S,
}

impl<S> Service<Request> for Fronted<S>
where
    S: Service<Request, Error = Infallible> + Clone + Send + 'static,
    S::Response: IntoResponse,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let (inside, service) = (self.inside.clone(), self.service.clone());
        Box::pin(async move {
            let asked = Asked::of(&request);
            request.extensions_mut().insert(RequestId(asked.id.clone()));
            let response = inside.pass(request, service).await;
            Ok(asked.answered(response.unwrap_or_else(|problem| ApiError::from(problem).into_response())))
        })
    }
}

impl Inside {
    async fn pass<S>(&self, request: Request, service: S) -> Result<Response, Problem>
    where
        S: Service<Request, Error = Infallible>,
        S::Response: IntoResponse,
    {
        let request = self.named(request)?;
        // Streams of live topics give their place back as soon as they are open.
        let _place = self.at_once.try_acquire().map_err(|_| Problem::unavailable(1))?;
        let answered = AssertUnwindSafe(self.identified(request, service)).catch_unwind();
        match tokio::time::timeout(self.within, answered).await {
            Ok(response) => response.unwrap_or_else(|_panic| Err(Problem::internal())),
            Err(_) => {
                metrics::counter!("http_timed_out").increment(1);
                Err(Problem::unavailable(5))
            }
        }
    }

    /// `/h/{code}/rest` is `/rest` at the hospital of that code.
    fn named(&self, mut request: Request) -> Result<Request, Problem> {
        let path = request.uri().path();
        let Some(rest) = path.strip_prefix("/h/") else { return Ok(request) };
        let (code, rest) = rest.split_once('/').unwrap_or((rest, ""));
        let hospital = self.identify.hospitals.by_code(code).ok_or_else(Problem::not_found)?;
        let query = request.uri().query().map(|q| format!("?{q}")).unwrap_or_default();
        let shorter: Uri = format!("/{rest}{query}").parse().map_err(|_| Problem::not_found())?;
        *request.uri_mut() = shorter;
        request.extensions_mut().insert(NamedHospital(hospital));
        Ok(request)
    }

    async fn identified<S>(&self, request: Request, mut service: S) -> Result<Response, Problem>
    where
        S: Service<Request, Error = Infallible>,
        S::Response: IntoResponse,
    {
        let (parts, body) = request.into_parts();
        let (caller, seen) = self.identify.find(&parts).await?;
        let mut request = Request::from_parts(parts, body);
        let signed_in = caller.session.is_some();
        request.extensions_mut().insert(caller);
        request.extensions_mut().insert(seen);
        let mut response = answer(&mut service, request).await;
        // What somebody is shown who has signed in is theirs; no browser or proxy keeps it unless the route says so.
        if signed_in && !response.headers().contains_key(CACHE_CONTROL) {
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        Ok(response)
    }
}

/// What the service answers. A panic on the way is written to the log by the program's hook.
async fn answer<S>(service: &mut S, request: Request) -> Response
where
    S: Service<Request, Error = Infallible>,
    S::Response: IntoResponse,
{
    let Ok(()) = poll_fn(|cx| service.poll_ready(cx)).await;
    let Ok(response) = service.call(request).await;
    response.into_response()
}

/// As [`Front`], around routes that find out by themselves who calls and mind their own time (WeChat's callback): no more at once
/// than the settings say, panics, and problems get their body.
#[derive(Clone)]
pub struct MachineFront {
    at_once: Arc<Semaphore>,
}

impl MachineFront {
    /// At most `at_once` requests are served at a time.
    #[must_use]
    pub fn new(at_once: usize) -> Self {
        Self { at_once: Arc::new(Semaphore::new(at_once)) }
    }
}

impl<S> Layer<S> for MachineFront {
    type Service = MachineFronted<S>;
    fn layer(&self, service: S) -> MachineFronted<S> {
        MachineFronted { at_once: self.at_once.clone(), service }
    }
}

/// Routes behind a [`MachineFront`].
#[derive(Clone)]
pub struct MachineFronted<S> {
    at_once: Arc<Semaphore>,
    service: S,
}

impl<S> Service<Request> for MachineFronted<S>
where
    S: Service<Request, Error = Infallible> + Clone + Send + 'static,
    S::Response: IntoResponse,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (at_once, mut service) = (self.at_once.clone(), self.service.clone());
        Box::pin(async move {
            let seldom = Seldom::of(&request);
            let response = match at_once.try_acquire() {
                Ok(_place) => AssertUnwindSafe(answer(&mut service, request))
                    .catch_unwind()
                    .await
                    .unwrap_or_else(|_panic| ApiError::from(Problem::internal()).into_response()),
                Err(_) => ApiError::from(Problem::unavailable(1)).into_response(),
            };
            Ok(seldom.answered(response))
        })
    }
}
