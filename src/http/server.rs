//! Takes connections and hands each to the router, until it is told to stop; then finishes what
//! runs. Slow and idle connections are bounded. Doesn't know any route.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::ServiceExt;

/// Connections open at the same time; further ones wait in the kernel's queue.
const CONNECTIONS: usize = 4096;
/// How long a client may take to send the head of a request, an idle connection included.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// How long to wait where the kernel has no more file descriptors to give.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// Serves `router` on `listener` until `stop` says true, then waits for the requests that run, at
/// most `patience`. Says whether all of them ended by themselves.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    mut stop: watch::Receiver<bool>,
    patience: Duration,
) -> bool {
    let running = GracefulShutdown::new();
    let seats = Arc::new(Semaphore::new(CONNECTIONS));
    while !*stop.borrow() {
        tokio::select! {
            taken = next(&listener, &seats) => match taken {
                Ok((stream, peer, seat)) => connection(stream, peer, seat, &router, &running),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(EXHAUSTED).await;
                }
            },
            changed = stop.changed() => if changed.is_err() { break },
        }
    }
    drop(listener);
    tokio::time::timeout(patience, running.shutdown())
        .await
        .is_ok()
}

async fn next(
    listener: &TcpListener,
    seats: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let seat = Arc::clone(seats)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, seat))
}

fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    seat: OwnedSemaphorePermit,
    router: &Router,
    running: &GracefulShutdown,
) {
    let _ = stream.set_nodelay(true);
    let router = router.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let watched = running.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = watched.await {
            tracing::debug!(%error, %peer, "a connection ended early");
        }
        drop(seat);
    });
}
