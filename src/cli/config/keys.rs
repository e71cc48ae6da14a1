//! Every key that an operator can set: its default, what would be right, and where it goes.
//!
//! Keys of features that don't exist yet are known too: they are checked and accepted, so that a
//! file written today is still right tomorrow. Doesn't know where values come from.

use crate::config::Config;

use super::values::{
    address, address_or_nothing, choice, count, hours, list_of_networks, mail_url, plain_url, span,
    switch, url_or_nothing,
};

/// One key.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its path, levels joined by dots.
    pub path: &'static str,
    /// What holds where it isn't set, written as it would be set.
    pub default: &'static str,
    /// What it is for, in one line.
    pub about: &'static str,
    /// Whether its value is never shown, and may come from a file named by `..._FILE`.
    pub secret: bool,
    /// Whether anything uses it yet.
    pub used: bool,
    /// Checks a value and puts it in its place. The error says what would be right.
    pub take: fn(&mut Config, &str) -> Result<(), String>,
}

impl Key {
    /// The environment variable that sets it.
    pub fn variable(&self) -> String {
        format!("DEWLINE_{}", self.path.to_uppercase().replace('.', "__"))
    }
}

/// The key at `path`.
pub fn find(path: &str) -> Option<&'static Key> {
    ALL.iter().find(|key| key.path == path)
}

/// Whether `path` is a table that holds keys.
pub fn is_group(path: &str) -> bool {
    ALL.iter().any(|key| {
        key.path
            .strip_prefix(path)
            .is_some_and(|rest| rest.starts_with('.'))
    })
}

type Take = fn(&mut Config, &str) -> Result<(), String>;

const fn key(path: &'static str, default: &'static str, about: &'static str, take: Take) -> Key {
    Key {
        path,
        default,
        about,
        secret: false,
        used: true,
        take,
    }
}

const fn later(path: &'static str, default: &'static str, about: &'static str, take: Take) -> Key {
    Key {
        used: false,
        ..key(path, default, about, take)
    }
}

const fn hidden(key: Key) -> Key {
    Key {
        secret: true,
        ..key
    }
}

/// All keys, in the order in which `dewline config` lists them.
pub const ALL: &[Key] = &[
    key(
        "listen",
        "127.0.0.1:8080",
        "where to listen: address and port; port 0 picks one",
        |c, v| address(v).map(|v| c.listen = v),
    ),
    key(
        "data_dir",
        "./dewline-data",
        "the one directory that holds everything",
        |c, v| {
            c.data_dir = v.into();
            Ok(())
        },
    ),
    key(
        "public_url",
        "",
        "how people and sites reach it; empty: the listening address",
        |c, v| plain_url(v).map(|v| c.public_url = v),
    ),
    hidden(key(
        "secret_key",
        "",
        "encrypts and signs; empty: made on first start and kept in the data directory",
        |c, v| {
            if v.len() < 32 {
                return Err("a secret of at least 32 characters is needed".to_owned());
            }
            c.secret_key = Some(v.to_owned().into());
            Ok(())
        },
    )),
    key(
        "trusted_proxies",
        "127.0.0.1, ::1",
        "from whom X-Forwarded-* is believed: addresses or networks",
        |c, v| list_of_networks(v).map(|v| c.trusted_proxies = v),
    ),
    key(
        "drupal_org.enabled",
        "true",
        "whether to ask drupal.org at all; false for a box without internet",
        |c, v| switch(v).map(|v| c.drupal_org.enabled = v),
    ),
    key(
        "drupal_org.release_history_url",
        "https://updates.drupal.org/release-history",
        "the base of release histories",
        |c, v| url_or_nothing(v, true).map(|v| c.drupal_org.release_history_url = v),
    ),
    key(
        "drupal_org.advisories_url",
        "https://www.drupal.org/api-d7/node.json",
        "the listing of advisories",
        |c, v| url_or_nothing(v, true).map(|v| c.drupal_org.advisories_url = v),
    ),
    key(
        "drupal_org.requests_per_second",
        "10",
        "requests a second to the release histories, at most",
        |c, v| count(v, 1, 100).map(|v| c.drupal_org.requests_per_second = v),
    ),
    key(
        "feed.stale_after",
        "24h",
        "data of drupal.org older than this is never called current",
        |c, v| span(v, 3600, 30 * 86_400).map(|v| c.feed.stale_after = v),
    ),
    key(
        "sync.clock_tolerance",
        "5m",
        "how far in the future a site's generated_at may lie",
        |c, v| span(v, 0, 86_400).map(|v| c.sync.clock_tolerance = v),
    ),
    key(
        "sla.highly_critical_hours",
        "24",
        "hours to patch: highly critical",
        |c, v| hours(v).map(|v| c.sla.highly_critical_hours = v),
    ),
    key(
        "sla.critical_hours",
        "72",
        "hours to patch: critical",
        |c, v| hours(v).map(|v| c.sla.critical_hours = v),
    ),
    key(
        "sla.moderately_critical_hours",
        "168",
        "hours to patch: moderately critical, and where the risk is unknown",
        |c, v| hours(v).map(|v| c.sla.moderately_critical_hours = v),
    ),
    key(
        "sla.less_critical_hours",
        "336",
        "hours to patch: less critical",
        |c, v| hours(v).map(|v| c.sla.less_critical_hours = v),
    ),
    key(
        "sla.not_critical_hours",
        "720",
        "hours to patch: not critical",
        |c, v| hours(v).map(|v| c.sla.not_critical_hours = v),
    ),
    key(
        "rate_limits.enabled",
        "true",
        "whether calls are limited at all",
        |c, v| switch(v).map(|v| c.rate_limits.enabled = v),
    ),
    key(
        "rate_limits.auth",
        "10",
        "sign-ins a minute, per address, and per account and address",
        |c, v| count(v, 1, 1_000_000).map(|v| c.rate_limits.auth = v),
    ),
    key(
        "rate_limits.anonymous",
        "60",
        "calls a minute of whoever isn't known, per address",
        |c, v| count(v, 1, 1_000_000).map(|v| c.rate_limits.anonymous = v),
    ),
    key(
        "rate_limits.user",
        "600",
        "calls a minute of a person",
        |c, v| count(v, 1, 1_000_000).map(|v| c.rate_limits.user = v),
    ),
    key(
        "rate_limits.api_key",
        "1200",
        "calls a minute of an API key",
        |c, v| count(v, 1, 1_000_000).map(|v| c.rate_limits.api_key = v),
    ),
    key(
        "rate_limits.sync",
        "60",
        "syncs a minute of one site",
        |c, v| count(v, 1, 1_000_000).map(|v| c.rate_limits.sync = v),
    ),
    key(
        "log.format",
        "",
        "text or json; empty: text on a terminal, json elsewhere",
        |c, v| choice(v, &["", "text", "json"]).map(|v| c.log_format = v),
    ),
    key(
        "log.level",
        "info",
        "error, warn, info, debug or trace",
        |c, v| choice(v, &["error", "warn", "info", "debug", "trace"]).map(|v| c.log_level = v),
    ),
    hidden(later(
        "mail.url",
        "",
        "the relay: smtp://, smtps://, smtp://...?tls=required",
        |_, v| mail_url(v),
    )),
    later("mail.from", "", "the sender of mails", |_, v| {
        if v.is_empty() || v.contains('@') {
            Ok(())
        } else {
            Err("an e-mail address is needed, such as dewline@example.org".to_owned())
        }
    }),
    later(
        "metrics.listen",
        "",
        "an address and port of its own for /metrics; empty: none",
        |_, v| address_or_nothing(v),
    ),
    hidden(later(
        "metrics.token",
        "",
        "the token that /metrics asks for; empty: none",
        |_, _| Ok(()),
    )),
    later(
        "telemetry.otlp_endpoint",
        "",
        "where traces are sent; empty: nowhere",
        |_, v| url_or_nothing(v, false).map(drop),
    ),
    later(
        "webhooks.allow_private_addresses",
        "false",
        "whether a webhook may go to a private address",
        |_, v| switch(v).map(drop),
    ),
    later(
        "retention.syncs",
        "365d",
        "how long raw syncs are kept",
        kept_for,
    ),
    later(
        "retention.notifications",
        "365d",
        "how long notifications are kept",
        kept_for,
    ),
    later(
        "retention.jobs",
        "30d",
        "how long finished jobs are kept",
        kept_for,
    ),
    later(
        "retention.request_logs",
        "30d",
        "how long request logs are kept",
        kept_for,
    ),
    later(
        "retention.deleted",
        "90d",
        "how long what was deleted can be restored",
        kept_for,
    ),
    later(
        "backup.directory",
        "",
        "where scheduled backups go; empty: none are made",
        |_, _| Ok(()),
    ),
    later(
        "backup.every",
        "24h",
        "how often a backup is made",
        |_, v| span(v, 3600, 30 * 86_400).map(drop),
    ),
    later("backup.keep", "14", "how many backups are kept", |_, v| {
        count(v, 1, 10_000).map(drop)
    }),
];

fn kept_for(_: &mut Config, value: &str) -> Result<(), String> {
    span(value, 86_400, 100 * 365 * 86_400).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_listed_here_are_the_defaults_of_the_program() {
        let mut listed = Config::default();
        for key in ALL
            .iter()
            .filter(|key| !(key.secret && key.default.is_empty()))
        {
            (key.take)(&mut listed, key.default).unwrap_or_else(|e| panic!("{}: {e}", key.path));
        }
        assert_eq!(format!("{listed:?}"), format!("{:?}", Config::default()));
    }

    #[test]
    fn no_key_is_listed_twice() {
        for (i, key) in ALL.iter().enumerate() {
            assert!(ALL[i + 1..].iter().all(|other| other.path != key.path));
        }
    }
}
