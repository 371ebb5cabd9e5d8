//! The log of a test: warnings go to its output, errors are remembered, because a story that logs one fails.
//!
//! One test is one process (nextest), so what is remembered belongs to the test.

use std::fmt::Write as _;
use std::sync::Once;

use parking_lot::Mutex;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::{EnvFilter, Layer};

static ERRORS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Starts listening; again is nothing. `XINGLIN_TEST_LOG` sets what is shown (`debug`, `booking=debug`), warnings by default.
pub fn listen() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let show = std::env::var("XINGLIN_TEST_LOG").unwrap_or_else(|_| "warn,people=error".into());
        let lines = tracing_subscriber::fmt::layer().with_test_writer().with_filter(EnvFilter::new(show));
        let all = tracing_subscriber::registry().with(lines).with(Errors);
        tracing::subscriber::set_global_default(all).expect("nobody else listens to the log");
    });
}

/// Takes the errors that were logged since the last call, one line each.
#[must_use]
pub fn take_errors() -> Vec<String> {
    std::mem::take(&mut *ERRORS.lock())
}

struct Errors;

impl<S: Subscriber> Layer<S> for Errors {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if *event.metadata().level() != Level::ERROR {
            return;
        }
        let mut line = Line(event.metadata().target().to_owned());
        event.record(&mut line);
        ERRORS.lock().push(line.0);
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self.0, ": {value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}
