//! Sites: one Drupal installation in one environment each. What may be said about one, and what is
//! known of it. Knows neither how they are kept nor who may see them.

use jiff::Timestamp;
use url::Url;

use super::fault::Fault;
use super::form;
use super::listing::{Field, Kind, List};
use super::site_status::Standing;
use super::text;

/// The words of environments, in the order in which they are shown.
pub const ENVIRONMENTS: [&str; 3] = ["production", "staging", "development"];
/// Minutes between two syncs, at least.
pub const INTERVAL_MIN: i64 = 5;
/// Minutes between two syncs, at most: a week.
pub const INTERVAL_MAX: i64 = 10_080;
/// Minutes between two syncs unless said otherwise.
pub const INTERVAL_DEFAULT: i64 = 60;
const TAGS_MAX: usize = 50;
const URL_MAX: usize = 2_000;

/// A site as it is kept, with what was counted on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// Its id.
    pub id: i64,
    /// What people call it.
    pub name: String,
    /// Its address, or empty.
    pub url: String,
    /// Whose it is.
    pub organization_id: i64,
    /// Its organization's name.
    pub organization: String,
    /// `production`, `staging` or `development`.
    pub environment: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// What people wrote about it.
    pub notes: String,
    /// The worst of what counts on it.
    pub status: Standing,
    /// Why, where the word alone doesn't say.
    pub status_reason: Option<String>,
    /// Since when it is silent; `None`: it isn't.
    pub silent_since: Option<Timestamp>,
    /// The oldest answer of drupal.org that its status stands on.
    pub data_as_of: Option<Timestamp>,
    /// Drupal's version, as it said.
    pub drupal_version: Option<String>,
    /// PHP's version, as it said.
    pub php_version: Option<String>,
    /// Minutes between two syncs.
    pub sync_interval_minutes: i64,
    /// The last contact.
    pub last_sync_at: Option<Timestamp>,
    /// What was counted.
    pub counts: Counts,
    /// Modules with an open exposure.
    pub open_exposures: i64,
    /// The earliest due time of an open exposure.
    pub next_due_at: Option<Timestamp>,
    /// A different installation used its key then, and nobody has said what it is.
    pub stranger: Option<Stranger>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its facts were last changed.
    pub updated_at: Timestamp,
}

/// A different installation that used a site's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    /// When, the last time.
    pub at: Timestamp,
    /// The address it gave.
    pub url: Option<String>,
}

/// What is counted on a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Every project, custom and disabled too.
    pub total: i64,
    /// Of what counts: a newer release is available.
    pub not_current: i64,
    /// Of what counts: exposed or not secure.
    pub security: i64,
    /// Of what counts: can't be judged.
    pub unknown: i64,
    /// Custom code and libraries.
    pub custom: i64,
    /// On disk but not enabled.
    pub disabled: i64,
}

/// A deleted one, that can be brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedSite {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its environment.
    pub environment: String,
    /// Its organization.
    pub organization_id: i64,
    /// Its organization's name.
    pub organization: String,
    /// The organization is deleted too: it has to come back first.
    pub organization_deleted: bool,
    /// When it was deleted.
    pub deleted_at: Timestamp,
}

/// What can be said about a site; what isn't said stays as it is, or takes its default.
#[derive(Debug, Clone, Default)]
pub struct SiteForm {
    /// What people call it.
    pub name: Option<String>,
    /// Its address, http or https.
    pub url: Option<String>,
    /// A word of [`ENVIRONMENTS`].
    pub environment: Option<String>,
    /// Its tags.
    pub tags: Option<Vec<String>>,
    /// Minutes between two syncs.
    pub sync_interval_minutes: Option<i64>,
    /// What people write about it.
    pub notes: Option<String>,
    /// What is already known to be wrong: fields that could not be read, or aren't known.
    pub unreadable: Vec<Fault>,
}

/// A site's facts, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteFacts {
    /// 1 to 120 characters, without blanks around it.
    pub name: String,
    /// An http or https address of at most 2,000 characters.
    pub url: String,
    /// A word of [`ENVIRONMENTS`].
    pub environment: &'static str,
    /// At most 50 different ones of 1 to 50 characters.
    pub tags: Vec<String>,
    /// 5 to 10,080.
    pub sync_interval_minutes: i64,
    /// At most 4,000 characters.
    pub notes: String,
}

impl SiteForm {
    /// The facts, where nothing is wrong with them. `before` gives what the form doesn't say.
    ///
    /// # Errors
    /// All faults at once.
    pub fn check(&self, before: Option<&SiteFacts>) -> Result<SiteFacts, Vec<Fault>> {
        let mut faults = self.unreadable.clone();
        let name = name_of(self.name.as_deref(), before, &mut faults);
        let url = url_of(self.url.as_deref(), before, &mut faults);
        let environment = environment_of(self.environment.as_deref(), before, &mut faults);
        let tags = match &self.tags {
            Some(tags) => tags_of(tags, &mut faults),
            None => before.map(|facts| facts.tags.clone()).unwrap_or_default(),
        };
        let interval = self
            .sync_interval_minutes
            .or_else(|| before.map(|facts| facts.sync_interval_minutes))
            .unwrap_or(INTERVAL_DEFAULT);
        if !(INTERVAL_MIN..=INTERVAL_MAX).contains(&interval) {
            faults.push(Fault::new(
                "/sync_interval_minutes",
                "out_of_range",
                format!("takes a whole number from {INTERVAL_MIN} to {INTERVAL_MAX}."),
            ));
        }
        let notes = self
            .notes
            .clone()
            .or_else(|| before.map(|facts| facts.notes.clone()))
            .unwrap_or_default();
        form::check_prose(&notes, "/notes", 4_000, &mut faults);
        match (name, url, environment) {
            (Some(name), Some(url), Some(environment)) if faults.is_empty() => Ok(SiteFacts {
                name,
                url,
                environment,
                tags,
                sync_interval_minutes: interval,
                notes,
            }),
            _ => Err(faults),
        }
    }
}

fn name_of(
    name: Option<&str>,
    before: Option<&SiteFacts>,
    faults: &mut Vec<Fault>,
) -> Option<String> {
    match (name, before) {
        (Some(_), _) => form::line(name, "/name", 120, faults),
        (None, Some(facts)) => Some(facts.name.clone()),
        (None, None) => {
            form::need("/name", faults);
            None
        }
    }
}

fn url_of(
    url: Option<&str>,
    before: Option<&SiteFacts>,
    faults: &mut Vec<Fault>,
) -> Option<String> {
    match (url, before) {
        (Some(url), _) => match checked_url(url) {
            Ok(url) => Some(url),
            Err((code, detail)) => {
                faults.push(Fault::new("/url", code, detail));
                None
            }
        },
        (None, Some(facts)) => Some(facts.url.clone()),
        (None, None) => {
            form::need("/url", faults);
            None
        }
    }
}

/// An http or https address as it is kept, or the code and the sentence of what is wrong with it.
fn checked_url(url: &str) -> Result<String, (&'static str, String)> {
    let url = url.trim();
    if url.chars().count() > URL_MAX {
        return Err(("too_long", format!("takes at most {URL_MAX} characters.")));
    }
    let parsed = Url::parse(url).ok().filter(|parsed| {
        matches!(parsed.scheme(), "http" | "https")
            && parsed.host_str().is_some_and(|host| !host.is_empty())
    });
    let Some(parsed) = parsed else {
        return Err((
            "not_a_url",
            "must begin with http:// or https://.".to_owned(),
        ));
    };
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err((
            "credentials",
            "cannot hold a user name or a password.".to_owned(),
        ));
    }
    if !text::is_plain(url, URL_MAX) {
        return Err((
            "control_character",
            "holds invisible characters.".to_owned(),
        ));
    }
    Ok(url.to_owned())
}

fn environment_of(
    word: Option<&str>,
    before: Option<&SiteFacts>,
    faults: &mut Vec<Fault>,
) -> Option<&'static str> {
    let Some(word) = word else {
        return Some(before.map_or("production", |facts| facts.environment));
    };
    let found = ENVIRONMENTS.into_iter().find(|known| *known == word);
    if found.is_none() {
        faults.push(Fault::new(
            "/environment",
            "not_allowed",
            format!("takes one of {}.", ENVIRONMENTS.join(", ")),
        ));
    }
    found
}

fn tags_of(tags: &[String], faults: &mut Vec<Fault>) -> Vec<String> {
    if tags.len() > TAGS_MAX {
        faults.push(Fault::new(
            "/tags",
            "too_many",
            format!("takes at most {TAGS_MAX} tags."),
        ));
    }
    let mut kept: Vec<String> = Vec::new();
    for (index, tag) in tags.iter().enumerate() {
        let pointer = format!("/tags/{index}");
        let Some(tag) = form::line(Some(tag), &pointer, 50, faults) else {
            continue;
        };
        if tag.contains(',') {
            faults.push(Fault::new(pointer, "not_allowed", "cannot hold a comma."));
        } else if kept.iter().all(|known| !known.eq_ignore_ascii_case(&tag)) {
            kept.push(tag);
        }
    }
    kept
}

/// The words that a site's status can be: all but `custom`.
pub const STATUSES: [&str; 8] = [
    "not_secure",
    "revoked",
    "not_supported",
    "unknown",
    "not_checked",
    "pending",
    "not_current",
    "current",
];

/// A site by its name, for whoever chooses one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its environment.
    pub environment: String,
    /// Its organization's name.
    pub organization: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// It was deleted.
    pub deleted: bool,
}

/// The list of sites.
pub static LIST: List = List {
    name: "sites",
    fields: &[
        Field::new("id", Kind::Integer),
        Field::new("name", Kind::Text),
        Field::new("url", Kind::Text),
        Field::new("organization_id", Kind::Integer),
        Field::new("environment", Kind::Word(&ENVIRONMENTS)),
        Field::new("tags", Kind::Member),
        Field::new("status", Kind::Word(&STATUSES)),
        Field::new("silent", Kind::Boolean),
        Field::optional("silent_since", Kind::Time),
        Field::optional("drupal_version", Kind::Text),
        Field::optional("php_version", Kind::Text),
        Field::optional("last_sync_at", Kind::Time),
        Field::new("open_exposures", Kind::Integer),
        Field::optional("next_due_at", Kind::Time),
        Field::new("created_at", Kind::Time),
        Field::new("updated_at", Kind::Time),
    ],
    sorts: &[
        "name",
        "id",
        "status",
        "last_sync_at",
        "next_due_at",
        "created_at",
    ],
    default_sort: "name",
    search: true,
    columns: &[
        "id",
        "name",
        "url",
        "organization_id",
        "organization",
        "environment",
        "tags",
        "status",
        "status_reason",
        "silent",
        "silent_since",
        "data_as_of",
        "drupal_version",
        "php_version",
        "sync_interval_minutes",
        "last_sync_at",
        "counts",
        "open_exposures",
        "next_due_at",
        "notes",
        "different_installation",
        "created_at",
        "updated_at",
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> SiteForm {
        SiteForm {
            name: Some(" Town hall ".to_owned()),
            url: Some("https://www.example.org".to_owned()),
            ..SiteForm::default()
        }
    }

    #[test]
    fn defaults_are_those_of_the_contract() {
        let facts = form().check(None).unwrap();
        assert_eq!(facts.name, "Town hall");
        assert_eq!(
            (facts.environment, facts.sync_interval_minutes),
            ("production", 60)
        );
    }

    #[test]
    fn all_faults_come_at_once() {
        let form = SiteForm {
            name: Some("a\u{202e}b".to_owned()),
            url: Some("ftp://example.org".to_owned()),
            environment: Some("test".to_owned()),
            tags: Some(vec!["ok".to_owned(), String::new(), "a,b".to_owned()]),
            sync_interval_minutes: Some(4),
            notes: Some("x".repeat(4_001)),
            unreadable: Vec::new(),
        };
        let faults = form.check(None).unwrap_err();
        let pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(
            pointers,
            [
                "/name",
                "/url",
                "/environment",
                "/tags/1",
                "/tags/2",
                "/sync_interval_minutes",
                "/notes"
            ]
        );
    }

    #[test]
    fn what_a_change_does_not_say_stays() {
        let before = form().check(None).unwrap();
        let change = SiteForm {
            notes: Some("new".to_owned()),
            ..SiteForm::default()
        };
        let after = change.check(Some(&before)).unwrap();
        assert_eq!(
            (after.name.as_str(), after.notes.as_str()),
            ("Town hall", "new")
        );
    }

    #[test]
    fn addresses_are_http_and_hold_no_credentials() {
        for wrong in [
            "javascript:alert(1)",
            "//example.org",
            "https://",
            "https://u:p@example.org",
            "x",
        ] {
            assert!(checked_url(wrong).is_err(), "{wrong}");
        }
        assert!(checked_url("http://localhost:8080/path").is_ok());
    }
}
