//! The log of a test: warnings go to its output. Everything from `info` on is remembered: a story that logs an error fails,
//! and one looks whether anything personal stands there.
//!
//! One test is one process (nextest), so what is remembered belongs to the test.

use std::fmt::Write as _;
use std::sync::Once;

use parking_lot::Mutex;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::{EnvFilter, Layer};

static ERRORS: Mutex<Vec<String>> = Mutex::new(Vec::new());
static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Starts listening; again is nothing. `XINGLIN_TEST_LOG` sets what is shown (`debug`, `booking=debug`), warnings by default.
pub fn listen() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let show = std::env::var("XINGLIN_TEST_LOG").unwrap_or_else(|_| "warn,people=error".into());
        let lines = tracing_subscriber::fmt::layer().with_test_writer().with_filter(EnvFilter::new(show));
        let all = tracing_subscriber::registry().with(lines).with(Kept.with_filter(LevelFilter::INFO));
        tracing::subscriber::set_global_default(all).expect("nobody else listens to the log");
    });
}

/// Takes the errors that were logged since the last call, one line each.
#[must_use]
pub fn take_errors() -> Vec<String> {
    std::mem::take(&mut *ERRORS.lock())
}

/// Takes all lines from `info` on that were logged since the last call.
#[must_use]
pub fn take_lines() -> Vec<String> {
    std::mem::take(&mut *LINES.lock())
}

struct Kept;

impl<S: Subscriber> Layer<S> for Kept {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line(event.metadata().target().to_owned());
        event.record(&mut line);
        if *event.metadata().level() == Level::ERROR {
            ERRORS.lock().push(line.0.clone());
        }
        LINES.lock().push(line.0);
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
