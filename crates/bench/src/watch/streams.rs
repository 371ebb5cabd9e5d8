//! The watchers: each a connection of its own that reads the live stream of one line and notes when which call is shown.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;

/// A browser opens a lost stream again after about so long.
const REOPEN: Duration = Duration::from_secs(1);
/// More than any snapshot of a line.
const MOST: usize = 256 * 1024;

/// A snapshot that a stream showed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    /// Which line.
    pub(super) queue: usize,
    /// Who was called in it: see [`mark`].
    pub(super) ticket: u64,
    /// When its last byte was there.
    pub(super) at: Instant,
}

/// All that one stream showed.
pub(super) struct Watched {
    /// Its line broke on the way: what it missed meanwhile it shows late, which says nothing about the server.
    pub(super) broke: bool,
    /// In order.
    pub(super) seen: Vec<Seen>,
}

/// What all watchers are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Watch.
    Watch,
    /// Every tenth: the line breaks; open it again.
    Break,
    /// Stop and tell what was seen.
    Stop,
}

/// A ticket's id, short enough to keep many.
pub(super) fn mark(ticket: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    ticket.hash(&mut hasher);
    hasher.finish()
}

/// The first ticket that a snapshot of a line shows as called, if there is one. Not a parser: ten thousand streams are read beside the
/// server that is measured.
pub(super) fn called(snapshot: &str) -> Option<&str> {
    let (_, calling) = snapshot.split_once("\"calling\":[")?;
    let (calling, _) = calling.split_once(']')?;
    let (_, id) = calling.split_once("\"ticket_id\":\"")?;
    id.split_once('"').map(|(id, _)| id)
}

/// Watches one line until it is told to stop; `open` counts the streams that have their first snapshot.
pub(super) async fn watch_line(
    address: SocketAddr,
    topic: String,
    queue: usize,
    breaks: bool,
    mut orders: watch::Receiver<Order>,
    open: Arc<AtomicUsize>,
) -> Result<Watched> {
    let mut seen = Vec::new();
    let mut first = true;
    loop {
        let stream = connect(address, &topic).await;
        let Ok(mut stream) = stream else {
            tokio::time::sleep(REOPEN).await;
            continue;
        };
        let mut buffer: Vec<u8> = Vec::with_capacity(2_048);
        loop {
            tokio::select! {
                read = stream.read_buf(&mut buffer) => {
                    if !matches!(read, Ok(n) if n > 0) || buffer.len() > MOST {
                        break;
                    }
                    let at = Instant::now();
                    while let Some(end) = find(&buffer, b"\n\n") {
                        let event: Vec<u8> = buffer.drain(..end + 2).collect();
                        let text = String::from_utf8_lossy(&event);
                        if !text.contains("event: snapshot") && !text.contains("event:snapshot") {
                            continue;
                        }
                        if std::mem::take(&mut first) {
                            open.fetch_add(1, Ordering::Relaxed);
                        }
                        seen.push(Seen { queue, ticket: called(&text).map_or(0, mark), at });
                    }
                }
                changed = orders.changed() => {
                    changed.context("nobody gives orders any more")?;
                    let order = *orders.borrow_and_update();
                    match order {
                        Order::Stop => return Ok(Watched { broke: breaks, seen }),
                        Order::Break if breaks => {
                            // Without a word, as when a phone leaves the building.
                            drop(stream);
                            tokio::time::sleep(REOPEN).await;
                            break;
                        }
                        Order::Watch | Order::Break => {}
                    }
                }
            }
        }
    }
}

async fn connect(address: SocketAddr, topic: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let request = format!(
        "GET /api/v1/live?topic={topic} HTTP/1.1\r\nHost: {address}\r\nAccept: text/event-stream\r\nAccept-Encoding: identity\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    Ok(stream)
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_called_ticket_is_found_and_nobody_else() {
        let text = r#"data: {"data":{"calling":[{"called_at":"x","ticket_id":"tkt_1"},{"ticket_id":"tkt_2"}],"next":[{"ticket_id":"tkt_3"}]}}"#;
        assert_eq!(called(text), Some("tkt_1"));
        assert_eq!(called(r#"{"calling":[],"next":[{"ticket_id":"tkt_3"}]}"#), None);
        assert_eq!(called("{}"), None);
        assert_ne!(mark("tkt_1"), mark("tkt_2"));
        assert_eq!(find(b"ab\n\ncd", b"\n\n"), Some(2));
        assert_eq!(find(b"ab\ncd", b"\n\n"), None);
    }
}
