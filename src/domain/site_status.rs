//! The one word for how a module or a site stands, and how a site's word follows from its modules.
//!
//! The order is the product's: worst first. The rank is what the store keeps and sorts by.

use serde::{Deserialize, Serialize};

/// How a module version, or a site, stands. Ordered worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// A known security fix is outstanding, or the release is marked insecure.
    NotSecure,
    /// The installed release or the whole project was taken back.
    Revoked,
    /// No fix will come.
    NotSupported,
    /// It cannot be judged; the reason says why. Never counted as fine.
    Unknown,
    /// A development snapshot without a date.
    NotChecked,
    /// Never fetched yet, or a site that never synced.
    Pending,
    /// A newer release is available.
    NotCurrent,
    /// Judged on fresh data; nothing to do.
    Current,
    /// Code that drupal.org doesn't know. Modules only; doesn't count on the site.
    Custom,
}

impl Standing {
    /// All of them, worst first.
    pub const ALL: [Self; 9] = [
        Self::NotSecure,
        Self::Revoked,
        Self::NotSupported,
        Self::Unknown,
        Self::NotChecked,
        Self::Pending,
        Self::NotCurrent,
        Self::Current,
        Self::Custom,
    ];

    /// 0 (worst) to 8, as the store keeps it.
    pub fn rank(self) -> i64 {
        self as i64
    }

    /// The standing of a rank; `None` outside 0 to 8.
    pub fn from_rank(rank: i64) -> Option<Self> {
        usize::try_from(rank)
            .ok()
            .and_then(|index| Self::ALL.get(index).copied())
    }

    /// Its word in the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotSecure => "not_secure",
            Self::Revoked => "revoked",
            Self::NotSupported => "not_supported",
            Self::Unknown => "unknown",
            Self::NotChecked => "not_checked",
            Self::Pending => "pending",
            Self::NotCurrent => "not_current",
            Self::Current => "current",
            Self::Custom => "custom",
        }
    }

    /// The standing that the word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.word() == word)
    }
}

/// What a site's word depends on, of one of its modules.
#[derive(Debug, Clone, Copy)]
pub struct Counted {
    /// The module's own standing.
    pub standing: Standing,
    /// Its reason, where it has one worth telling (`drupal-7-end-of-life`).
    pub end_of_life: bool,
    /// Exposed: yes, no, or can't tell.
    pub exposed: Option<bool>,
    /// It is enabled.
    pub enabled: bool,
    /// It is the entry `drupal` of type core.
    pub core: bool,
    /// Its data is older than what may be called current.
    pub stale: bool,
}

/// A site's word and its counters. `security`, `not_current` and `unknown` count only what counts:
/// enabled code that drupal.org knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// The worst of what counts.
    pub status: Standing,
    /// Why, where the word alone doesn't say: `stale`, `core-not-reported`, `drupal-7-end-of-life`.
    pub reason: Option<&'static str>,
    /// Every project, custom and disabled too.
    pub total: i64,
    /// A newer release is available (of any kind).
    pub not_current: i64,
    /// Exposed or not secure.
    pub security: i64,
    /// Cannot be judged.
    pub unknown: i64,
    /// Custom code and libraries.
    pub custom: i64,
    /// On disk but not enabled.
    pub disabled: i64,
}

/// Counts a site's modules and finds its word.
pub fn tally(modules: impl IntoIterator<Item = Counted>) -> Tally {
    let mut tally = Tally {
        status: Standing::Current,
        reason: None,
        total: 0,
        not_current: 0,
        security: 0,
        unknown: 0,
        custom: 0,
        disabled: 0,
    };
    let (mut core, mut stale, mut end_of_life) = (false, false, false);
    for module in modules {
        tally.total += 1;
        if !module.enabled {
            tally.disabled += 1;
        }
        if module.standing == Standing::Custom {
            tally.custom += 1;
            continue;
        }
        if !module.enabled {
            continue;
        }
        core |= module.core;
        stale |= module.stale;
        end_of_life |= module.core && module.end_of_life;
        let standing = effective(&module);
        match standing {
            Standing::NotSecure => tally.security += 1,
            Standing::NotCurrent => tally.not_current += 1,
            Standing::Unknown | Standing::NotChecked | Standing::Pending => tally.unknown += 1,
            _ => {}
        }
        tally.status = tally.status.min(standing);
    }
    if end_of_life {
        tally.status = tally.status.min(Standing::NotSupported);
        if tally.status == Standing::NotSupported {
            tally.reason = Some("drupal-7-end-of-life");
        }
    } else if !core && tally.status > Standing::Unknown {
        tally.status = Standing::Unknown;
        tally.reason = Some("core-not-reported");
    } else if stale && tally.status > Standing::Unknown {
        tally.status = Standing::Unknown;
        tally.reason = Some("stale");
    }
    tally
}

/// A module's own standing, worsened by what *exposed* adds to it.
fn effective(module: &Counted) -> Standing {
    match module.exposed {
        Some(true) => Standing::NotSecure,
        Some(false) => module.standing,
        None => module.standing.min(Standing::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn core() -> Counted {
        Counted {
            standing: Standing::Current,
            end_of_life: false,
            exposed: Some(false),
            enabled: true,
            core: true,
            stale: false,
        }
    }

    fn module(standing: Standing, exposed: Option<bool>) -> Counted {
        Counted {
            standing,
            exposed,
            core: false,
            ..core()
        }
    }

    #[test]
    fn a_site_is_current_only_when_everything_that_counts_was_judged() {
        assert_eq!(tally([core()]).status, Standing::Current);
        let unclear = tally([core(), module(Standing::Current, None)]);
        assert_eq!(unclear.status, Standing::Unknown);
        assert_eq!(unclear.unknown, 1);
    }

    #[test]
    fn exposed_makes_a_merely_outdated_module_a_security_matter() {
        let tally = tally([core(), module(Standing::NotCurrent, Some(true))]);
        assert_eq!(tally.status, Standing::NotSecure);
        assert_eq!((tally.security, tally.not_current), (1, 0));
    }

    #[test]
    fn without_core_a_site_is_unknown_but_never_milder() {
        let without = tally([module(Standing::Current, Some(false))]);
        assert_eq!(without.status, Standing::Unknown);
        assert_eq!(without.reason, Some("core-not-reported"));
        let worse = tally([module(Standing::NotSecure, Some(true))]);
        assert_eq!(worse.status, Standing::NotSecure);
    }

    #[test]
    fn stale_data_is_never_called_current() {
        let stale = tally([Counted {
            stale: true,
            ..core()
        }]);
        assert_eq!(
            (stale.status, stale.reason),
            (Standing::Unknown, Some("stale"))
        );
    }

    #[test]
    fn custom_and_disabled_code_is_listed_but_does_not_count() {
        let tally = tally([
            core(),
            module(Standing::Custom, None),
            Counted {
                enabled: false,
                ..module(Standing::NotSecure, Some(true))
            },
        ]);
        assert_eq!(tally.status, Standing::Current);
        assert_eq!((tally.total, tally.custom, tally.disabled), (3, 1, 1));
    }

    #[test]
    fn drupal_7_is_not_supported_and_says_why() {
        let seven = tally([
            Counted {
                standing: Standing::NotSupported,
                exposed: None,
                end_of_life: true,
                ..core()
            },
            module(Standing::Unknown, None),
        ]);
        assert_eq!(seven.status, Standing::NotSupported);
        assert_eq!(seven.reason, Some("drupal-7-end-of-life"));
    }
}
