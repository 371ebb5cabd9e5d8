//! Listening and stopping.
//!
//! The backlog is 4,096: at release time a thousand phones connect in the same second, and the usual 128 costs the rest of
//! them a second each. Headers must come within ten seconds and fit into 32 KiB. On stop no new connection is taken,
//! requests under way are finished, and idle ones are closed at once.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;
use tower::Service as _;

const BACKLOG: u32 = 4096;
const HEADERS_WITHIN: Duration = Duration::from_secs(10);
const HEADERS_FIT: usize = 32 * 1024;

/// Opens the port.
///
/// # Errors
/// When it is taken or not ours to open.
pub fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv6() { TcpSocket::new_v6()? } else { TcpSocket::new_v4()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until `stop`, then waits for what is under way, at most `stop_within`.
pub async fn serve(listener: TcpListener, app: Router, stop: CancellationToken, stop_within: Duration) {
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file handles, mostly: others must end before we can go on.
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let app = app.clone();
        let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(address));
            // A router is always ready.
            app.clone().call(request)
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS_WITHIN)
            .max_buf_size(HEADERS_FIT)
            .keep_alive(true)
            .serve_connection(TokioIo::new(stream), service);
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = watched.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(stop_within, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests were still under way when the time to stop was over");
    }
}
