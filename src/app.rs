//! The house's one shared value: built once, in the executable or in a test, and handed to every
//! door and service. There are no globals.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::num::NonZeroU32;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::Mutex;

use crate::clock::{Clock, Entropy};
use crate::config::Config;
use crate::outbound::drupal_org::advisories::{AdvisoryClient, AdvisoryFeed, AdvisorySettings};
use crate::outbound::drupal_org::{self, Client, Feed};
use crate::services::access_tokens::AccessTokens;
use crate::services::callers::Callers;
use crate::services::delays::Delays;
use crate::services::histories::Histories;
use crate::services::passwords::Passwords;
use crate::services::secret_key::{SecretKey, SecretKeyError};
use crate::services::sign_in::SignInLimiter;
use crate::services::site_modules::Fittings;
use crate::services::sync::Familiar;
use crate::store::{Settings, Store, StoreError};

/// The database's name in the data directory.
pub const DATABASE: &str = "dewline.db";

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
    /// Where advisories come from. None: as for the release histories.
    pub advisory_feed: Option<Arc<dyn AdvisoryFeed>>,
    /// Held while modules are asked about, so that nobody asks the same twice.
    pub asking_modules: Mutex<()>,
    /// Held while advisories are asked for, likewise.
    pub asking_advisories: Mutex<()>,
    /// The installation's secret, from which keys are derived.
    pub secret_key: SecretKey,
    /// Signs and reads access tokens.
    pub access_tokens: AccessTokens,
    /// What is remembered about callers; `forget()` after every change of who may call.
    pub callers: Callers,
    /// Hashes passwords, a few at a time.
    pub passwords: Passwords,
    /// Attempts to sign in, by account and address.
    pub sign_ins: SignInLimiter,
    /// Links that are asked for, by address and from where.
    pub resets: SignInLimiter,
    /// What has failed, and how long it must wait for it.
    pub delays: Delays,
    /// Release histories, prepared for judging.
    pub histories: Histories,
    /// With which core releases work, as far as it was asked.
    pub fittings: Fittings,
    /// The newest inventories of sites, by their texts.
    pub familiar: Familiar,
}

/// Why the app cannot be opened: in words for the operator.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data directory or a file in it cannot be made.
    #[error("{path}: {cause}")]
    DataDir {
        /// The directory or file.
        path: PathBuf,
        /// What the file system said.
        cause: io::Error,
    },
    /// The secret key is missing or unusable.
    #[error(transparent)]
    SecretKey(#[from] SecretKeyError),
    /// The database cannot be opened or migrated.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Opens the data directory of the configuration, making what is missing in it: the directory
    /// itself (mode 0700), the key file and the database (0600), its schema.
    ///
    /// # Errors
    /// [`OpenError`]; nothing keeps running after it.
    pub fn open(
        config: Config,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Arc<Self>, OpenError> {
        Self::open_with(config, clock, entropy, Settings::default())
    }

    /// As [`App::open`], with other settings of the store.
    ///
    /// # Errors
    /// As [`App::open`].
    pub fn open_with(
        config: Config,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        settings: Settings,
    ) -> Result<Arc<Self>, OpenError> {
        let data_dir = config.data_dir.clone();
        make_private_dir(&data_dir)?;
        let secret_key = SecretKey::open(config.secret_key.as_ref(), &data_dir, &*entropy)?;
        let database = data_dir.join(DATABASE);
        make_private_file(&database)?;
        let store = Store::open(&database, settings)?;
        Ok(Arc::new(Self {
            access_tokens: AccessTokens::new(&secret_key),
            callers: Callers::default(),
            passwords: Passwords::default(),
            feed: feed(&config, &clock),
            advisory_feed: advisory_feed(&config, &clock),
            asking_modules: Mutex::default(),
            asking_advisories: Mutex::default(),
            histories: Histories::default(),
            familiar: Familiar::default(),
            fittings: Fittings::default(),
            delays: Delays::new(Arc::clone(&clock)),
            resets: SignInLimiter::new(&config.rate_limits, Arc::clone(&clock)),
            sign_ins: SignInLimiter::new(&config.rate_limits, Arc::clone(&clock)),
            config,
            clock,
            entropy,
            store,
            secret_key,
        }))
    }
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
            let mut settings = drupal_org::Settings::new(url);
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

/// The advisories' feed that the configuration asks for. That server is slower: it is asked at a fifth of the pace.
fn advisory_feed(config: &Config, clock: &Arc<dyn Clock>) -> Option<Arc<dyn AdvisoryFeed>> {
    let wanted = &config.drupal_org;
    if !wanted.enabled {
        return None;
    }
    match wanted.advisories_url.parse() {
        Ok(url) => {
            let mut settings = AdvisorySettings::new(url);
            settings.requests_per_second =
                NonZeroU32::new(wanted.requests_per_second / 5).unwrap_or(NonZeroU32::MIN);
            Some(Arc::new(AdvisoryClient::new(settings, Arc::clone(clock))))
        }
        Err(error) => {
            // The command line refuses such an address before it comes here.
            tracing::error!(%error, url = wanted.advisories_url, "not an address: advisories are not asked for");
            None
        }
    }
}

fn make_private_dir(path: &Path) -> Result<(), OpenError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|cause| OpenError::DataDir {
            path: path.to_owned(),
            cause,
        })
}

/// SQLite gives its companion files the mode of the database file: it is made before SQLite comes.
fn make_private_file(path: &Path) -> Result<(), OpenError> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map(drop)
        .map_err(|cause| OpenError::DataDir {
            path: path.to_owned(),
            cause,
        })
}
