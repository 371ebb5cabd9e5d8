//! Phones that are looked at while their owners wait: each watches its own place by the live stream, and notes when it shows the call.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use hyper::header::HeaderValue;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// More than any snapshot of a place.
const MOST: usize = 256 * 1024;
/// After the last call everything that is to be shown is shown by then.
const SETTLE: Duration = Duration::from_secs(3);

/// When each patient's first call was sent, and when their phone showed it.
#[derive(Default)]
struct Seen {
    sent: HashMap<usize, Instant>,
    shown: HashMap<usize, Instant>,
}

/// All phones that watch.
pub(super) struct Phones {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    watching: JoinSet<()>,
    opened: usize,
}

/// What the phones showed.
pub(super) struct Shown {
    /// From the sending of a call to the last byte of the snapshot that shows it.
    pub(super) took: Vec<Duration>,
    /// Calls of people whose phone watched and never showed it.
    pub(super) never: usize,
}

impl Phones {
    /// None yet.
    pub(super) fn new(address: SocketAddr) -> Self {
        Self { address, seen: Arc::default(), watching: JoinSet::new(), opened: 0 }
    }

    /// A patient's phone begins to watch their ticket; the stream is open when this returns.
    pub(super) async fn watch(&mut self, patient: usize, ticket: &str, cookie: &HeaderValue) -> Result<()> {
        let mut stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let request = format!(
            "GET /api/v1/live?topic=ticket:{ticket} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nAccept: text/event-stream\r\n\
             Accept-Encoding: identity\r\n\r\n",
            self.address,
            cookie.to_str()?
        );
        stream.write_all(request.as_bytes()).await?;
        self.opened += 1;
        let seen = self.seen.clone();
        self.watching.spawn(async move {
            if until_called(&mut stream).await {
                seen.lock().shown.insert(patient, Instant::now());
            }
        });
        Ok(())
    }

    /// A patient was called for the first time; the request was sent at `sent`.
    pub(super) fn called(&mut self, patient: usize, sent: Instant) {
        self.seen.lock().sent.entry(patient).or_insert(sent);
    }

    /// What they showed, once the day is over.
    pub(super) async fn end(mut self) -> Shown {
        tokio::time::sleep(SETTLE).await;
        self.watching.abort_all();
        while self.watching.join_next().await.is_some() {}
        let seen = self.seen.lock();
        let took = seen.shown.iter().filter_map(|(patient, shown)| {
            let sent = seen.sent.get(patient)?;
            Some(shown.saturating_duration_since(*sent))
        });
        let took: Vec<Duration> = took.collect();
        Shown { never: self.opened.saturating_sub(took.len()), took }
    }
}

/// Reads until a snapshot says that its ticket is called; `false` when the stream ends before.
async fn until_called(stream: &mut TcpStream) -> bool {
    let mut buffer: Vec<u8> = Vec::with_capacity(2_048);
    loop {
        match stream.read_buf(&mut buffer).await {
            Ok(n) if n > 0 && buffer.len() < MOST => {}
            _ => return false,
        }
        while let Some(end) = buffer.windows(2).position(|two| two == b"\n\n") {
            let event: Vec<u8> = buffer.drain(..end + 2).collect();
            let text = String::from_utf8_lossy(&event);
            if text.contains("\"state\":\"called\"") {
                return true;
            }
        }
    }
}
