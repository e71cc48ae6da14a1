//! API keys: what is known about one, and what can be said about one. Its secret is not here.

use jiff::Timestamp;

use super::access::Permission;
use super::fault::Fault;
use super::listing::{Field, Kind, List};
use super::network::Network;
use super::person::parse_name;

/// Networks that one key can have.
const MOST_NETWORKS: usize = 50;
/// The longest grace that can be asked for, in minutes: a week.
pub const LONGEST_GRACE_MINUTES: i64 = 7 * 24 * 60;

/// A key as it is shown: everything but its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The id.
    pub id: i64,
    /// The site it belongs to, if it is a site's.
    pub site_id: Option<i64>,
    /// The organization it belongs to (a site's key: the site's organization).
    pub organization_id: i64,
    /// Its name.
    pub name: String,
    /// `dwl_` and 8 characters.
    pub prefix: String,
    /// What it may do.
    pub scopes: Vec<Permission>,
    /// From where it may be used, in CIDR; empty: from anywhere.
    pub networks: Vec<String>,
    /// Its end.
    pub expires_at: Option<Timestamp>,
    /// The last use, as far as it has been written.
    pub last_used_at: Option<Timestamp>,
    /// The address of the last use.
    pub last_used_from: Option<String>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// After a rotation: until when the key before it is taken.
    pub old_expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// By whom it was made, as the actor's label.
    pub created_by: String,
    /// Who learned its secret when that was made: the label of a person, or `system`. Where a key made
    /// it, the person who had learned that key's secret.
    pub secret_by: String,
}

/// The list of keys.
pub static LIST: List = List {
    name: "api-keys",
    fields: &[
        Field::new("id", Kind::Integer),
        Field::new("name", Kind::Text),
        Field::new("prefix", Kind::Text),
        Field::optional("site_id", Kind::Integer),
        Field::optional("organization_id", Kind::Integer),
        Field::new("scopes", Kind::Member),
        Field::optional("expires_at", Kind::Time),
        Field::optional("last_used_at", Kind::Time),
        Field::optional("revoked_at", Kind::Time),
        Field::new("created_at", Kind::Time),
    ],
    sorts: &["id", "created_at"],
    default_sort: "-id",
    search: true,
    columns: &[
        "id",
        "name",
        "prefix",
        "site_id",
        "organization_id",
        "scopes",
        "networks",
        "expires_at",
        "last_used_at",
        "last_used_from",
        "revoked_at",
        "old_key_expires_at",
        "created_at",
        "updated_at",
    ],
};

/// What can be said about a key; what isn't said stays as it is.
#[derive(Debug, Clone, Default)]
pub struct ApiKeyForm {
    /// Its name.
    pub name: Option<String>,
    /// What an organization's key may do, as permission words. A site's key: `sync` or nothing said.
    pub scopes: Option<Vec<String>>,
    /// From where it may be used, in CIDR; empty: from anywhere.
    pub networks: Option<Vec<String>>,
    /// Its end in RFC 3339; the inner none: until it is revoked.
    pub expires_at: Option<Option<String>>,
    /// What is already known to be wrong: fields that could not be read, or aren't known.
    pub unreadable: Vec<Fault>,
}

/// A key's facts, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyFacts {
    /// Its name.
    pub name: String,
    /// What it may do; never empty.
    pub scopes: Vec<Permission>,
    /// From where it may be used, in CIDR.
    pub networks: Vec<String>,
    /// Its end.
    pub expires_at: Option<Timestamp>,
}

impl ApiKeyForm {
    /// The facts of a site's key or of an organization's, where nothing is wrong with them.
    /// `before` gives what the form doesn't say.
    ///
    /// # Errors
    /// All faults at once.
    pub fn check(
        &self,
        of_site: bool,
        before: Option<&ApiKey>,
        now: Timestamp,
    ) -> Result<ApiKeyFacts, Vec<Fault>> {
        let mut faults = self.unreadable.clone();
        let unread = |pointer: &str| faults.iter().any(|f| f.pointer.starts_with(pointer));
        let (no_name, no_scopes) = (unread("/name"), unread("/scopes"));
        let name = match (&self.name, before) {
            (None, Some(before)) => before.name.clone(),
            (None, None) if no_name => String::new(),
            (name, _) => {
                parse_name(name.as_deref().unwrap_or_default(), "/name").unwrap_or_else(|fault| {
                    faults.push(fault);
                    String::new()
                })
            }
        };
        let scopes = match (&self.scopes, before) {
            (None, Some(before)) => before.scopes.clone(),
            (None, None) if no_scopes => Vec::new(),
            (words, _) => scopes(words.as_deref().unwrap_or_default(), of_site, &mut faults),
        };
        let networks = match (&self.networks, before) {
            (None, before) => before.map(|key| key.networks.clone()).unwrap_or_default(),
            (Some(texts), _) => networks(texts, &mut faults),
        };
        let expires_at = match &self.expires_at {
            None => before.and_then(|key| key.expires_at),
            Some(said) => said.as_ref().and_then(|text| end(text, now, &mut faults)),
        };
        if faults.is_empty() {
            Ok(ApiKeyFacts {
                name,
                scopes,
                networks,
                expires_at,
            })
        } else {
            Err(faults)
        }
    }
}

fn end(text: &str, now: Timestamp, faults: &mut Vec<Fault>) -> Option<Timestamp> {
    match text.parse::<Timestamp>() {
        Ok(end) if end > now => return Some(end),
        Ok(_) => {
            let detail = "The end of a key lies in the future.";
            faults.push(Fault::new("/expires_at", "in_the_past", detail));
        }
        Err(_) => {
            let detail = "This is not a time such as 2027-01-31T12:00:00Z.";
            faults.push(Fault::new("/expires_at", "not_a_time", detail));
        }
    }
    None
}

fn scopes(words: &[String], of_site: bool, faults: &mut Vec<Fault>) -> Vec<Permission> {
    if of_site && words.is_empty() {
        return vec![Permission::Sync];
    }
    if words.is_empty() {
        let detail = "An organization's key needs at least one scope.";
        faults.push(Fault::new("/scopes", "required", detail));
    }
    let mut scopes = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let pointer = format!("/scopes/{at}");
        match Permission::from_word(word) {
            None => {
                let all: Vec<&str> = Permission::ALL.iter().map(|p| p.word()).collect();
                let detail = format!("This is not a scope. There are: {}.", all.join(", "));
                faults.push(Fault::new(pointer, "unknown_scope", detail));
            }
            Some(scope) if of_site && scope != Permission::Sync => {
                let detail = "A site's key can only sync.";
                faults.push(Fault::new(pointer, "not_for_sites", detail));
            }
            Some(scope) if scopes.contains(&scope) => {
                let detail = "This scope is there twice.";
                faults.push(Fault::new(pointer, "duplicate", detail));
            }
            Some(scope) => scopes.push(scope),
        }
    }
    scopes
}

fn networks(texts: &[String], faults: &mut Vec<Fault>) -> Vec<String> {
    if texts.len() > MOST_NETWORKS {
        let detail = format!("A key has at most {MOST_NETWORKS} networks.");
        faults.push(Fault::new("/networks", "too_many", detail));
        return Vec::new();
    }
    let mut networks = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        match text.trim().parse::<Network>() {
            Ok(network) => networks.push(network.to_string()),
            Err(error) => faults.push(Fault::new(
                format!("/networks/{at}"),
                "not_a_network",
                error.to_string(),
            )),
        }
    }
    networks
}

/// How many minutes the old key is taken after a rotation.
///
/// # Errors
/// One [`Fault`] at `/grace_minutes`.
pub fn check_grace(minutes: i64) -> Result<i64, Fault> {
    if (0..=LONGEST_GRACE_MINUTES).contains(&minutes) {
        Ok(minutes)
    } else {
        let detail = format!("The old key is taken for 0 to {LONGEST_GRACE_MINUTES} minutes more.");
        Err(Fault::new("/grace_minutes", "out_of_range", detail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-20T08:00:00Z".parse().unwrap()
    }

    fn told(form: &ApiKeyForm, of_site: bool) -> Vec<(String, String)> {
        let faults = form.check(of_site, None, now()).unwrap_err();
        faults
            .into_iter()
            .map(|fault| (fault.pointer, fault.code.into_owned()))
            .collect()
    }

    fn words(all: &[&str]) -> Option<Vec<String>> {
        Some(all.iter().map(|word| (*word).to_owned()).collect())
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let form = ApiKeyForm {
            name: None,
            scopes: words(&["sync", "sync", "fly"]),
            networks: words(&["10.0.0.0/8", "10.0.0.1/8"]),
            expires_at: Some(Some("2026-11-20T08:00:00Z".to_owned())),
            unreadable: Vec::new(),
        };
        let expected = [
            ("/name", "required"),
            ("/scopes/1", "duplicate"),
            ("/scopes/2", "unknown_scope"),
            ("/networks/1", "not_a_network"),
            ("/expires_at", "in_the_past"),
        ];
        assert_eq!(
            told(&form, false),
            expected.map(|(a, b)| (a.to_owned(), b.to_owned()))
        );
    }

    #[test]
    fn a_sites_key_can_only_sync() {
        let mut form = ApiKeyForm {
            name: Some("web".to_owned()),
            ..ApiKeyForm::default()
        };
        assert_eq!(
            form.check(true, None, now()).unwrap().scopes,
            [Permission::Sync]
        );
        assert_eq!(told(&form, false)[0].0, "/scopes");
        form.scopes = words(&["sites:read"]);
        assert_eq!(told(&form, true)[0].1, "not_for_sites");
    }

    #[test]
    fn grace_has_bounds() {
        assert_eq!(check_grace(0), Ok(0));
        assert!(check_grace(-1).is_err());
        assert!(check_grace(LONGEST_GRACE_MINUTES + 1).is_err());
    }
}
