//! The effective configuration: plain values with their defaults. Where they come from (flags,
//! environment, file) is the command line's concern.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

/// Everything that an operator can set.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen: `address:port`; port 0 picks one.
    pub listen: String,
    /// The one directory that holds everything.
    pub data_dir: PathBuf,
    /// How people and sites reach us, without a trailing slash; empty: the listening address.
    pub public_url: String,
    /// The secret that encrypts and signs; empty: made on first start and kept in the data directory.
    pub secret_key: Option<SecretString>,
    /// From whom `X-Forwarded-*` is believed.
    pub trusted_proxies: Vec<String>,
    /// Asking drupal.org.
    pub drupal_org: DrupalOrg,
    /// How fresh data must be.
    pub feed: Feed,
    /// Taking inventories.
    pub sync: Sync,
    /// Hours to patch by risk.
    pub sla: Sla,
    /// How often one may call.
    pub rate_limits: RateLimits,
    /// `text` or `json`; empty: text on a terminal, JSON elsewhere.
    pub log_format: String,
    /// The least important level that is logged: `error`, `warn`, `info`, `debug` or `trace`.
    pub log_level: String,
}

/// Asking drupal.org.
#[derive(Debug, Clone)]
pub struct DrupalOrg {
    /// Whether to ask at all.
    pub enabled: bool,
    /// The base of release histories, without a trailing slash.
    pub release_history_url: String,
    /// The listing of advisories; nodes are beside it.
    pub advisories_url: String,
    /// Requests a second to the release histories, at most: enough for 3,000 modules in the release window.
    /// Advisories are asked for at a fifth of it.
    pub requests_per_second: u32,
}

/// How fresh data must be.
#[derive(Debug, Clone)]
pub struct Feed {
    /// Data older than this is never called current.
    pub stale_after: Duration,
}

/// Taking inventories.
#[derive(Debug, Clone)]
pub struct Sync {
    /// How far in the future `generated_at` may lie.
    pub clock_tolerance: Duration,
}

/// Hours from opened to closed that are promised, by risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sla {
    /// Highly critical.
    pub highly_critical_hours: u32,
    /// Critical.
    pub critical_hours: u32,
    /// Moderately critical, and where the risk is unknown.
    pub moderately_critical_hours: u32,
    /// Less critical.
    pub less_critical_hours: u32,
    /// Not critical.
    pub not_critical_hours: u32,
}

/// How often one may call, in requests a minute.
#[derive(Debug, Clone)]
pub struct RateLimits {
    /// Whether anything is limited.
    pub enabled: bool,
    /// Sign-in, per address, and per account and address.
    pub auth: u32,
    /// Whoever isn't known, per address.
    pub anonymous: u32,
    /// A person.
    pub user: u32,
    /// An API key.
    pub api_key: u32,
    /// Syncs of one site.
    pub sync: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            data_dir: PathBuf::from("./dewline-data"),
            public_url: String::new(),
            secret_key: None,
            trusted_proxies: vec!["127.0.0.1".to_owned(), "::1".to_owned()],
            drupal_org: DrupalOrg {
                enabled: true,
                release_history_url: "https://updates.drupal.org/release-history".to_owned(),
                advisories_url: "https://www.drupal.org/api-d7/node.json".to_owned(),
                requests_per_second: 10,
            },
            feed: Feed {
                stale_after: Duration::from_secs(24 * 3600),
            },
            sync: Sync {
                clock_tolerance: Duration::from_secs(300),
            },
            sla: Sla {
                highly_critical_hours: 24,
                critical_hours: 72,
                moderately_critical_hours: 168,
                less_critical_hours: 336,
                not_critical_hours: 720,
            },
            rate_limits: RateLimits {
                enabled: true,
                auth: 10,
                anonymous: 60,
                user: 600,
                api_key: 1200,
                sync: 60,
            },
            log_format: String::new(),
            log_level: "info".to_owned(),
        }
    }
}
