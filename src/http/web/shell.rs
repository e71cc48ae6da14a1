//! What every page has around it: navigation, freshness, the person, the theme, a message.
//! Knows what to show, not how it was found.

use jiff::Timestamp;

use super::parts::Html;
use super::{assets, words};
use crate::domain::access::Permission;
use crate::domain::grants::Permissions;

/// Light, dark, or what the system prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// What the system prefers.
    #[default]
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// From the cookie's value; anything else is the system's.
    pub fn from_word(word: &str) -> Self {
        match word {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }

    /// The cookie's value.
    pub fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// What one press of the switch changes to.
    pub fn next(self) -> Self {
        match self {
            Self::System => Self::Dark,
            Self::Dark => Self::Light,
            Self::Light => Self::System,
        }
    }

    /// The icon of the theme in force.
    pub fn icon(self) -> super::parts::Icon {
        super::parts::icon(match self {
            Self::System => "device-desktop",
            Self::Light => "sun",
            Self::Dark => "moon",
        })
    }
}

/// How fresh what the pages say is.
#[derive(Debug, Clone, Default)]
pub struct Fresh {
    /// When drupal.org last answered; `None` while it never has.
    pub read_at: Option<Timestamp>,
    /// Following drupal.org is switched on.
    pub following: bool,
    /// The data is too old to say that something is fine.
    pub stale: bool,
    /// Some advisories could not be read.
    pub incomplete: bool,
    /// Sites that reported within the last 24 hours.
    pub reported: u64,
}

/// A message about what was just done, shown once.
#[derive(Debug, Clone)]
pub struct Flash {
    /// One sentence.
    pub text: String,
    /// Where a form brings back what is gone.
    pub restore: Option<String>,
}

/// One entry of the navigation.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Its path.
    pub path: &'static str,
    /// Its word.
    pub word: &'static str,
    /// Its icon.
    pub icon: &'static str,
    /// What one must hold somewhere to be led there.
    pub needs: Option<Permission>,
    /// It is the platform administrator's.
    pub platform: bool,
}

const PLACES: &[Place] = &[
    Place {
        path: "/",
        word: "Overview",
        icon: "brand-speedtest",
        needs: None,
        platform: false,
    },
    Place {
        path: "/sites",
        word: "Sites",
        icon: "world",
        needs: Some(Permission::SitesRead),
        platform: false,
    },
    Place {
        path: "/exposures",
        word: "Exposures",
        icon: "list-check",
        needs: Some(Permission::SitesRead),
        platform: false,
    },
    Place {
        path: "/patch-runs",
        word: "Patch runs",
        icon: "tool",
        needs: Some(Permission::SitesRead),
        platform: false,
    },
    Place {
        path: "/advisories",
        word: "Advisories",
        icon: "shield",
        needs: Some(Permission::ModulesRead),
        platform: false,
    },
    Place {
        path: "/modules",
        word: "Modules",
        icon: "cube",
        needs: Some(Permission::ModulesRead),
        platform: false,
    },
    Place {
        path: "/reports",
        word: "Reports",
        icon: "chart-bar",
        needs: Some(Permission::ReportsRead),
        platform: false,
    },
    Place {
        path: "/organizations",
        word: "Organizations",
        icon: "building",
        needs: Some(Permission::OrganizationsRead),
        platform: false,
    },
    Place {
        path: "/users",
        word: "Users",
        icon: "users",
        needs: Some(Permission::UsersManage),
        platform: false,
    },
    Place {
        path: "/roles",
        word: "Roles",
        icon: "id",
        needs: Some(Permission::RolesManage),
        platform: false,
    },
    Place {
        path: "/api-keys",
        word: "API keys",
        icon: "key",
        needs: Some(Permission::ApiKeysManage),
        platform: false,
    },
    Place {
        path: "/notifications",
        word: "Messages",
        icon: "mail",
        needs: Some(Permission::NotificationsManage),
        platform: false,
    },
    Place {
        path: "/audit",
        word: "Audit log",
        icon: "history",
        needs: Some(Permission::AuditRead),
        platform: false,
    },
    Place {
        path: "/feed",
        word: "drupal.org",
        icon: "brand-drupal",
        needs: None,
        platform: true,
    },
    Place {
        path: "/limits",
        word: "Limits",
        icon: "clock",
        needs: None,
        platform: true,
    },
    Place {
        path: "/manual",
        word: "Manual",
        icon: "book",
        needs: None,
        platform: false,
    },
];

/// What stands around a page of someone who is signed in.
#[derive(Debug, Clone)]
pub struct Shell {
    /// The page's title.
    pub title: String,
    /// The page's own path and query, to come back to.
    pub path: String,
    /// What counts as now.
    pub now: Timestamp,
    /// The theme in force.
    pub theme: Theme,
    /// The person's name.
    pub person: String,
    /// What the person holds, in one organization or another.
    pub holds: Permissions,
    /// He is the platform administrator.
    pub platform: bool,
    /// Sites in sight.
    pub sites: u64,
    /// Exposures past due.
    pub late: u64,
    /// Modules that sites in sight run.
    pub modules: u64,
    /// How fresh the data is.
    pub fresh: Fresh,
    /// What was just done.
    pub flash: Option<Flash>,
    /// The organization that asks the person for two-step sign-in, while it is off, and from when on.
    pub asks: Option<(String, Timestamp)>,
}

impl Shell {
    /// The folder of the assets.
    pub fn assets(&self) -> &'static str {
        assets::BASE
    }

    /// The entries of the navigation.
    pub fn places(&self) -> impl Iterator<Item = &'static Place> {
        let (holds, platform) = (self.holds, self.platform);
        PLACES.iter().filter(move |place| {
            (platform || !place.platform) && place.needs.is_none_or(|needs| holds.contains(needs))
        })
    }

    /// Whether the person holds the permission of that word, in one organization or another.
    pub fn may(&self, word: &str) -> bool {
        Permission::from_word(word).is_some_and(|permission| self.holds.contains(permission))
    }

    /// The four most asked for, for the bar at the bottom of small screens.
    pub fn first_places(&self) -> impl Iterator<Item = &'static Place> {
        self.places()
            .filter(|place| matches!(place.path, "/" | "/sites" | "/advisories" | "/modules"))
    }

    /// Whether the page is this entry or below it.
    pub fn here(&self, path: &str) -> bool {
        let own = self.path.split('?').next().unwrap_or_default();
        own == path
            || (path != "/"
                && own
                    .strip_prefix(path)
                    .is_some_and(|rest| rest.starts_with('/')))
    }

    /// The count beside an entry.
    pub fn count(&self, path: &str) -> Html {
        let muted = |n| {
            Html(format!(
                r#"<span class="count">{}</span>"#,
                words::number(n)
            ))
        };
        match path {
            "/exposures" if self.late > 0 => Html(format!(
                r#"<span class="late">{} late</span>"#,
                words::number(self.late)
            )),
            "/sites" => muted(self.sites),
            "/modules" => muted(self.modules),
            _ => Html::default(),
        }
    }

    /// "drupal.org read 2 min ago", or why not.
    pub fn feed_words(&self) -> String {
        match self.fresh.read_at {
            Some(at) => format!("drupal.org read {}", words::relative(self.now, at)),
            None if self.fresh.following => "drupal.org not read yet".into(),
            None => "drupal.org not followed".into(),
        }
    }

    /// The exact time behind those words.
    pub fn feed_exact(&self) -> String {
        self.fresh.read_at.map(words::exact).unwrap_or_default()
    }

    /// The exact time at which all this was so, for paper.
    pub fn as_of(&self) -> String {
        words::exact(self.now)
    }

    /// "139 of 142 sites reported in the last 24 h".
    pub fn reported_words(&self) -> String {
        match self.sites {
            0 => "No site connected yet".into(),
            n => format!(
                "{} of {} reported in the last 24 h",
                words::number(self.fresh.reported),
                words::count(n, "site", "sites")
            ),
        }
    }

    /// The person's initials.
    pub fn initials(&self) -> String {
        words::initials(&self.person)
    }
}

/// What stands around a page of nobody in particular: sign-in, set-up, errors.
#[derive(Debug, Clone)]
pub struct Gate {
    /// The page's title.
    pub title: String,
    /// The page's own path, to come back to.
    pub path: String,
    /// The theme in force.
    pub theme: Theme,
}

impl Gate {
    /// The folder of the assets.
    pub fn assets(&self) -> &'static str {
        assets::BASE
    }

    /// This build's version.
    pub fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }
}

#[cfg(test)]
pub(crate) mod samples {
    use super::*;

    pub(crate) fn now() -> Timestamp {
        "2026-07-24T09:42:00Z".parse().unwrap()
    }

    /// `hours` before the samples' now; negative for later.
    pub(crate) fn ago(hours: f64) -> Timestamp {
        Timestamp::from_millisecond(now().as_millisecond() - (hours * 3_600_000.0) as i64).unwrap()
    }

    pub(crate) fn shell(title: &str, path: &str) -> Shell {
        Shell {
            title: title.into(),
            path: path.into(),
            now: now(),
            theme: Theme::System,
            person: "Mara Lindqvist".into(),
            holds: Permissions::ALL,
            platform: true,
            sites: 142,
            late: 2,
            modules: 418,
            fresh: Fresh {
                read_at: Some(ago(0.04)),
                following: true,
                stale: false,
                incomplete: false,
                reported: 139,
            },
            flash: None,
            asks: None,
        }
    }

    pub(crate) fn gate(title: &str) -> Gate {
        Gate {
            title: title.into(),
            path: "/".into(),
            theme: Theme::System,
        }
    }
}
