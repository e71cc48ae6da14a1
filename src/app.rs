//! The house's one shared value: built once, in the executable or in a test, and handed to every
//! door and service. There are no globals.

use std::num::NonZeroU32;
use std::sync::Arc;

use crate::clock::{Clock, Entropy};
use crate::config::Config;
use crate::outbound::drupal_org::{Client, Feed, Settings};
use crate::store::Store;

/// What services work with.
#[derive(Debug)]
pub struct App {
    /// The effective configuration.
    pub config: Config,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where unguessable bytes come from.
    pub entropy: Arc<dyn Entropy>,
    /// What is kept.
    pub store: Store,
    /// Where release histories come from. None: a box without internet, fed by `dewline import catalogue`.
    pub feed: Option<Arc<dyn Feed>>,
}

/// The feed that the configuration asks for.
#[must_use]
pub fn feed(config: &Config, clock: &Arc<dyn Clock>) -> Option<Arc<dyn Feed>> {
    let wanted = &config.drupal_org;
    if !wanted.enabled {
        return None;
    }
    match wanted.release_history_url.parse() {
        Ok(url) => {
            let mut settings = Settings::new(url);
            settings.requests_per_second =
                NonZeroU32::new(wanted.requests_per_second).unwrap_or(NonZeroU32::MIN);
            Some(Arc::new(Client::new(settings, Arc::clone(clock))))
        }
        Err(error) => {
            // The command line refuses such an address before it comes here.
            tracing::error!(%error, url = wanted.release_history_url, "not an address: drupal.org is not asked");
            None
        }
    }
}
