//! `dewline demo`: two years of a fleet's life played into an empty data directory, and then, unless it
//! isn't wanted, the appliance on top of it, with a stand-in for drupal.org and sites that go on.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use secrecy::{ExposeSecret, SecretString};

use super::data_dir::DataDir;
use super::serve::{self, Signals};
use super::{Outcome, Stopped, print};
use crate::app::{App, DATABASE};
use crate::clock::{Clock, Entropy, ManualClock, ShiftedClock, SystemClock, SystemEntropy};
use crate::config::Config;
use crate::demo::drupal_org::StandIn;
use crate::demo::live::Life;
use crate::demo::story::{self, EMAIL, Length, World};
use crate::store::Settings;
use crate::telemetry;

/// Which history, and whether to stay.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Decides everything that is left to chance: the same seed makes the same history
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// How many days of history
    #[arg(long, default_value_t = 730, value_name = "D", value_parser = clap::value_parser!(i64).range(2..=1_500))]
    days: i64,
    /// When the history ends and the present begins: a day or an instant; now unless said otherwise
    #[arg(long, value_name = "DATE", value_parser = moment)]
    until: Option<Timestamp>,
    /// Fill the data directory and end
    #[arg(long)]
    no_serve: bool,
}

/// Fills, and serves unless it isn't wanted.
pub fn run(mut config: Config, data_dir: Option<PathBuf>, args: &DemoArgs) -> Outcome {
    telemetry::start(&config.log_format, &config.log_level);
    let throw_away = match &data_dir {
        Some(_) => None,
        None => Some(tempfile::Builder::new().prefix("dewline-demo-").tempdir()?),
    };
    let chosen = data_dir.or_else(|| throw_away.as_ref().map(|dir| dir.path().to_owned()));
    let held = DataDir::take(&chosen.unwrap_or_default())?;
    refuse_data(held.path())?;
    held.path().clone_into(&mut config.data_dir);
    config.drupal_org.enabled = false;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(demo(config, args))
}

fn refuse_data(directory: &Path) -> Outcome {
    if directory.join(DATABASE).exists() {
        return Err(Stopped::Failed(format!(
            "{} holds data already; the demo is played into an empty directory",
            directory.display()
        )));
    }
    Ok(())
}

async fn demo(mut config: Config, args: &DemoArgs) -> Outcome {
    if args.no_serve {
        let (_, password) = fill(config, args).await?;
        print(&sign_in(&password));
        return Ok(());
    }
    let mut signals = Signals::listen()?;
    // Taken first, so that a port in use is told at once.
    let listener = serve::listener(&config).await?;
    serve::set_public_url(&mut config, &listener)?;
    let clock: Arc<dyn Clock> = match args.until {
        Some(until) => Arc::new(ShiftedClock::starting_at(until)),
        None => Arc::new(SystemClock),
    };
    let stand_in = StandIn::start(Arc::clone(&clock)).await?;
    let filled = tokio::select! {
        filled = fill(config.clone(), args) => Some(filled?),
        () = signals.next() => None,
    };
    let Some((world, password)) = filled else {
        return Ok(());
    };
    config.drupal_org.enabled = true;
    config.drupal_org.release_history_url = stand_in.release_history_url();
    config.drupal_org.advisories_url = stand_in.advisories_url();
    // The stand-in can take it.
    config.drupal_org.requests_per_second = 100;
    let address = listener.local_addr()?;
    let app = App::open(config, clock, Arc::new(SystemEntropy::default()))?;
    print(&sign_in(&password));
    let life = Life::begin(Arc::clone(&app), world, stand_in, address)
        .map_err(|error| Stopped::Failed(format!("the demo's sites cannot speak: {error}")))?;
    serve::keep_open(app, listener, signals, move |stop| life.go_on(stop)).await
}

/// Plays the past into the data directory. The store is closed again at its end.
async fn fill(config: Config, args: &DemoArgs) -> Result<(World, SecretString), Stopped> {
    let until = args.until.unwrap_or_else(|| SystemClock.now());
    let clock = Arc::new(ManualClock::at(until));
    let settings = Settings {
        durable: false,
        ..Settings::default()
    };
    let entropy = Arc::new(SystemEntropy::default());
    let password = password(&*entropy)?;
    let app = App::open_with(config, Arc::clone(&clock) as _, entropy, settings)?;
    let bar = bar(args.days);
    let length = Length {
        seed: args.seed,
        days: args.days,
        until,
    };
    let told = |days: i64| bar.set_position(days.unsigned_abs());
    let played = story::play(&app, &clock, length, password.clone(), told).await;
    bar.finish_and_clear();
    app.store.close();
    let world = played.map_err(|error| {
        Stopped::Failed(format!("the demo's past could not be played: {error:?}"))
    })?;
    Ok((world, password))
}

/// Drawn on a terminal only.
fn bar(days: i64) -> ProgressBar {
    let bar = ProgressBar::new(days.unsigned_abs());
    if let Ok(style) =
        ProgressStyle::with_template("Playing {len} days of a fleet's life {bar:40} {percent} %")
    {
        bar.set_style(style);
    }
    bar
}

/// A password that can be read aloud. It is new each time: the demo may be reached by others.
fn password(entropy: &dyn Entropy) -> Result<SecretString, Stopped> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut random = [0; 16];
    entropy.fill(&mut random)?;
    let mut text = String::new();
    for (place, byte) in random.iter().enumerate() {
        if place > 0 && place % 4 == 0 {
            text.push('-');
        }
        text.extend(
            LETTERS
                .get(usize::from(byte % 32))
                .map(|letter| char::from(*letter)),
        );
    }
    Ok(text.into())
}

fn sign_in(password: &SecretString) -> String {
    format!(
        "sign in as {EMAIL} with the password {}\n",
        password.expose_secret()
    )
}

/// A day (its first instant, UTC) or an instant.
fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant);
    }
    text.parse::<Date>()
        .and_then(|date| date.to_zoned(TimeZone::UTC))
        .map(|day| day.timestamp())
        .map_err(|_| {
            "a day such as 2026-07-24, or an instant such as 2026-07-24T09:00:00Z, is needed"
                .to_owned()
        })
}
