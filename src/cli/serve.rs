//! `dewline serve`: the appliance, from the lock on its data directory to the last finished request.
//!
//! Standard output carries two lines at most: the set-up link and `listening on ...`.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::net::{TcpListener, UnixListener};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::app::App;
use crate::clock::{SystemClock, SystemEntropy};
use crate::config::Config;
use crate::services::{callers, ledger, set_up};
use crate::{http, jobs, telemetry};

use super::data_dir::DataDir;
use super::{Outcome, Stopped, door, print};

/// How long requests and jobs that run may take after the signal to stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs until a signal says stop.
pub fn run(mut config: Config) -> Outcome {
    telemetry::start(&config.log_format, &config.log_level);
    let held = DataDir::take(&config.data_dir)?;
    held.path().clone_into(&mut config.data_dir);
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(appliance(config))
}

async fn appliance(mut config: Config) -> Outcome {
    let signals = Signals::listen()?;
    let listener = listener(&config).await?;
    set_public_url(&mut config, &listener)?;
    let app = App::open(
        config,
        Arc::new(SystemClock),
        Arc::new(SystemEntropy::default()),
    )?;
    ledger::keep_promise(&app).await?;
    if let Some(token) = set_up::begin(&app).await? {
        let link = format!("{}{}", app.config.public_url, set_up::path(&token));
        print(&format!("set up at {link}\n"));
    }
    keep_open(app, listener, signals, |_| std::future::ready(())).await
}

/// Serves pages, API, commands and jobs until a signal says stop, and finishes what runs. `beside`
/// runs along with it and hears when to stop.
pub(super) async fn keep_open<F>(
    app: Arc<App>,
    listener: TcpListener,
    mut signals: Signals,
    beside: impl FnOnce(watch::Receiver<bool>) -> F,
) -> Outcome
where
    F: Future<Output = ()> + Send + 'static,
{
    let address = listener.local_addr()?;
    let (stopper, stop) = watch::channel(false);
    let serving = tokio::spawn(http::server::serve(
        listener,
        http::router(Arc::clone(&app)),
        stop.clone(),
        PATIENCE,
    ));
    // The socket is there before anybody is told that we are.
    let door = open_door(&app);
    let commands = tokio::spawn(hear_commands(door, Arc::clone(&app), stop.clone()));
    let working = tokio::spawn(jobs::run(Arc::clone(&app), stop.clone()));
    let beside = tokio::spawn(beside(stop.clone()));
    let watched = tokio::spawn(feed_the_watchdog(stop));
    print(&format!("listening on http://{address}\n"));
    how_to_reach(address, &app.config.public_url);
    tell_systemd(&[NotifyState::Ready]);

    signals.next().await;
    tell_systemd(&[NotifyState::Stopping]);
    tracing::info!(
        "stopping: finishing what runs, at most {} s",
        PATIENCE.as_secs()
    );
    stopper.send_replace(true);
    let finish = async {
        let all_answered = serving.await.unwrap_or(false);
        let _ = tokio::join!(working, commands, beside);
        all_answered
    };
    let all_ended = tokio::select! {
        ended = tokio::time::timeout(PATIENCE, finish) => ended.unwrap_or(false),
        () = signals.next() => false,
    };
    watched.abort();
    if let Err(error) = callers::write_last_uses_now(&app).await {
        tracing::warn!(%error, "when keys were last used could not be written");
    }
    app.store.close();
    tracing::info!(all_ended, "stopped");
    Ok(())
}

/// Commands on this machine reach the appliance through a socket; without it, it serves all the same.
fn open_door(app: &App) -> Option<UnixListener> {
    door::open(&app.config.data_dir)
        .inspect_err(|error| {
            tracing::warn!(
                %error,
                "no socket in the data directory (is its path longer than 90 characters?): commands that write work only while this is stopped"
            );
        })
        .ok()
}

async fn hear_commands(door: Option<UnixListener>, app: Arc<App>, stop: watch::Receiver<bool>) {
    if let Some(listener) = door {
        door::attend(listener, app, stop).await;
    }
}

/// Where nothing else is said, people and sites reach us where we listen.
pub(super) fn set_public_url(config: &mut Config, listener: &TcpListener) -> std::io::Result<()> {
    if config.public_url.is_empty() {
        config.public_url = format!("http://{}", listener.local_addr()?);
    }
    Ok(())
}

/// The socket that systemd hands over, else one of our own.
pub(super) async fn listener(config: &Config) -> Result<TcpListener, Stopped> {
    let listen = &config.listen;
    if let Some(given) = listenfd::ListenFd::from_env().take_tcp_listener(0)? {
        given.set_nonblocking(true)?;
        return Ok(TcpListener::from_std(given)?);
    }
    TcpListener::bind(listen)
        .await
        .map_err(|error| Stopped::Failed(format!("cannot listen on {listen}: {error}")))
}

fn how_to_reach(address: SocketAddr, public_url: &str) {
    let port = address.port();
    if address.ip().is_loopback() {
        tracing::info!(
            "reachable from this machine only. From another: `ssh -L {port}:{address} THIS-MACHINE` and then http://127.0.0.1:{port}; or put a proxy with TLS before it and set public_url; or set listen to 0.0.0.0:{port} in a network that you trust"
        );
    } else {
        let plain = public_url.starts_with("http://") && !is_loopback(public_url);
        tracing::info!(
            "people and sites reach it at {public_url}{}",
            if plain {
                "; without TLS, keys and passwords travel in the clear: put a proxy with TLS before it"
            } else {
                ""
            }
        );
    }
}

fn is_loopback(address: &str) -> bool {
    url::Url::parse(address).is_ok_and(|url| match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(url::Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        None => false,
    })
}

/// The signals that say stop.
#[derive(Debug)]
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(super) fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next of them.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

fn tell_systemd(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "systemd could not be told");
    }
}

/// Tells systemd twice in each period that the program is alive, where it asked for that.
async fn feed_the_watchdog(stop: watch::Receiver<bool>) {
    let Some(period) = sd_notify::watchdog_enabled() else {
        return;
    };
    let _keeps_the_channel_open = stop;
    loop {
        tell_systemd(&[NotifyState::Watchdog]);
        tokio::time::sleep(period / 2).await;
    }
}
