//! The socket in the data directory: how a command speaks to the process that holds it.
//!
//! One order a connection, one reply: each a length (four bytes, big-endian) and so much JSON. Only
//! the owner of the directory can reach it. Doesn't know what orders there are.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::app::App;

use super::orders::{self, Order, Reply};

/// The largest order and the largest reply.
const LARGEST: usize = 64 << 20;
/// How often a process that is just starting or stopping is tried again, and at which distance.
const TRIES: u32 = 50;
const BETWEEN: Duration = Duration::from_millis(100);

fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("dewline.sock")
}

/// Opens the socket, mode 0600. The caller holds the directory, so one that lies there is stale.
///
/// # Errors
/// What the file system says; a path of more than about 100 bytes is too long for a socket.
pub fn open(data_dir: &Path) -> io::Result<UnixListener> {
    let path = path(data_dir);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Carries out orders until told to stop, then finishes those that run.
pub async fn attend(listener: UnixListener, app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut running = JoinSet::new();
    while !*stop.borrow() {
        tokio::select! {
            taken = listener.accept() => match taken {
                Ok((stream, _)) => {
                    running.spawn(answer(stream, Arc::clone(&app)));
                }
                Err(error) => {
                    tracing::warn!(%error, "a command could not be heard");
                    tokio::time::sleep(BETWEEN).await;
                }
            },
            Some(_) = running.join_next() => {}
            changed = stop.changed() => if changed.is_err() { break },
        }
    }
    while running.join_next().await.is_some() {}
}

async fn answer(mut stream: UnixStream, app: Arc<App>) {
    let said = async {
        let order: Order = read(&mut stream).await?;
        tracing::info!(order = order.name(), "a command on this machine asks");
        write(&mut stream, &orders::carry_out(&app, order).await).await
    };
    if let Err(error) = said.await {
        tracing::warn!(%error, "a command went away unanswered");
    }
}

/// Asks the process that holds `data_dir`.
///
/// # Errors
/// Where nobody answers there.
pub async fn ask(data_dir: &Path, order: &Order) -> io::Result<Reply> {
    let mut tries = 0;
    let mut stream = loop {
        match UnixStream::connect(path(data_dir)).await {
            Ok(stream) => break stream,
            Err(error) if tries >= TRIES => return Err(error),
            Err(_) => {
                tries += 1;
                tokio::time::sleep(BETWEEN).await;
            }
        }
    };
    write(&mut stream, order).await?;
    read(&mut stream).await
}

async fn read<T: DeserializeOwned>(stream: &mut UnixStream) -> io::Result<T> {
    let length = usize::try_from(stream.read_u32().await?).map_err(io::Error::other)?;
    if length > LARGEST {
        return Err(io::Error::other("too large"));
    }
    let mut bytes = Vec::new();
    stream.take(length as u64).read_to_end(&mut bytes).await?;
    Ok(serde_json::from_slice(&bytes)?)
}

async fn write<T: Serialize>(stream: &mut UnixStream, value: &T) -> io::Result<()> {
    let bytes = serde_json::to_vec(value)?;
    let length = u32::try_from(bytes.len())
        .ok()
        .filter(|_| bytes.len() <= LARGEST)
        .ok_or_else(|| io::Error::other("too large to be handed over"))?;
    stream.write_u32(length).await?;
    stream.write_all(&bytes).await?;
    stream.flush().await
}
