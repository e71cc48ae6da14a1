//! The audit log as people and programs read it: what one row says, what it can be asked, and the
//! words of what is recorded. Knows neither how rows are kept nor how they are sealed.

use jiff::Timestamp;
use serde_json::Value;

use super::listing::{Field, Kind, List};

/// One row of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its place in the chain, from 1.
    pub id: i64,
    /// When it was done.
    pub created_at: Timestamp,
    /// One of [`ACTORS`].
    pub actor_kind: String,
    /// The person's or key's id.
    pub actor_id: Option<i64>,
    /// His name at that time.
    pub actor_name: String,
    /// What was done, one of [`ACTIONS`].
    pub action: String,
    /// To what kind of thing.
    pub subject_kind: String,
    /// That thing's id.
    pub subject_id: Option<i64>,
    /// The organization whose record this is; `None`: the platform's own.
    pub organization_id: Option<i64>,
    /// The site that it touches.
    pub site_id: Option<i64>,
    /// One of [`STATUSES`].
    pub status: String,
    /// How it was, without secrets.
    pub before: Option<Value>,
    /// How it is since, without secrets.
    pub after: Option<Value>,
    /// From where it was asked for; `None`: on the machine itself.
    pub address: Option<String>,
    /// The request that asked for it.
    pub request_id: Option<String>,
    /// The seal over the row before it and this one, in hexadecimal digits.
    pub hash: String,
}

/// Who acts: a person, a key, the product or its operator, somebody unknown.
pub const ACTORS: [&str; 4] = ["user", "key", "system", "stranger"];
/// How it ended.
pub const STATUSES: [&str; 3] = ["done", "refused", "failed"];

const SIGN_IN: &str = "session.opened";

/// What is recorded, and what people read of it.
pub const ACTIONS: &[(&str, &str)] = &[
    (SIGN_IN, "Signed in"),
    ("session.ended", "Signed out"),
    ("session.refresh_reused", "Sent a used refresh token"),
    ("session.others_ended", "Signed out everywhere else"),
    ("device.revoked", "Forgot a browser"),
    ("user.reset_asked", "Asked for a new password"),
    ("user.password_changed", "Changed the password"),
    ("user.profile_changed", "Changed the profile"),
    ("user.deleted", "Deleted a person"),
    ("user.created", "Made a person"),
    ("user.password_reset", "Set a new password"),
    ("two_factor.enabled", "Switched two-step sign-in on"),
    ("two_factor.disabled", "Switched two-step sign-in off"),
    ("two_factor.codes_made", "Made new backup codes"),
    ("two_factor.backup_code_used", "Used a backup code"),
    ("two_factor.reset", "Switched two-step sign-in off for"),
    ("user.updated", "Changed a person"),
    ("user.restored", "Restored a person"),
    ("user.invited", "Invited a person"),
    ("user.joined", "Took an invitation"),
    ("member.added", "Added a member"),
    ("member.changed", "Gave a member another role"),
    ("member.removed", "Removed a member"),
    ("role.created", "Made a role"),
    ("role.updated", "Changed a role"),
    ("role.deleted", "Deleted a role"),
    ("notification.link_shown", "Looked at a link that waits"),
    ("organization.created", "Made an organization"),
    ("organization.updated", "Changed an organization"),
    ("organization.deleted", "Deleted an organization"),
    ("organization.restored", "Restored an organization"),
    ("sla_policy.updated", "Changed what is promised"),
    ("site.created", "Made a site"),
    ("site.updated", "Changed a site"),
    ("site.deleted", "Deleted a site"),
    ("site.restored", "Restored a site"),
    ("site.moved", "Said that a site has moved"),
    ("site.copy_refused", "Said that another is a copy"),
    ("patch_run.announced", "Announced a patch run"),
    ("exposure.assigned", "Gave an exposure to somebody"),
    ("exposure.acknowledged", "Acknowledged an exposure"),
    ("exposure.snoozed", "Snoozed an exposure"),
    ("exposure.woken", "Woke an exposure"),
    ("api_key.created", "Made a key"),
    ("api_key.updated", "Changed a key"),
    ("api_key.rotated", "Rotated a key"),
    ("api_key.revoked", "Revoked a key"),
    ("module.created", "Added a module"),
    ("module.updated", "Changed a module"),
    ("module.deleted", "Deleted a module"),
    ("module.restored", "Restored a module"),
    ("module.refreshed", "Had drupal.org asked"),
    ("catalogue.imported", "Imported a catalogue"),
];

/// The list of the record's rows.
pub static LIST: List = List {
    name: "audit-logs",
    fields: &[
        Field::new("id", Kind::Integer),
        Field::new("created_at", Kind::Time),
        Field::new("actor", Kind::Text),
        Field::new("actor_kind", Kind::Word(&ACTORS)),
        Field::optional("actor_id", Kind::Integer),
        Field::new("action", Kind::Text),
        Field::new("subject_kind", Kind::Text),
        Field::optional("subject_id", Kind::Integer),
        Field::optional("organization_id", Kind::Integer),
        Field::optional("site_id", Kind::Integer),
        Field::new("status", Kind::Word(&STATUSES)),
        Field::new("address", Kind::Text),
        Field::new("request_id", Kind::Text),
    ],
    sorts: &["created_at", "id"],
    default_sort: "-created_at",
    search: false,
    columns: &[
        "id",
        "created_at",
        "actor",
        "action",
        "subject",
        "organization_id",
        "site_id",
        "status",
        "data",
        "address",
        "request_id",
        "hash",
    ],
};

/// One thing that a row says about its subject, before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What it is, such as `sync_interval_minutes`.
    pub name: String,
    /// How it was; `None`: it was not there.
    pub before: Option<String>,
    /// How it is since; `None`: it is not there any more.
    pub after: Option<String>,
}

impl Recorded {
    /// What was done, in words; an action that isn't known stands for itself.
    pub fn said(&self) -> &str {
        if self.action == SIGN_IN && self.status != "done" {
            return "Tried to sign in";
        }
        ACTIONS
            .iter()
            .find(|(word, _)| *word == self.action)
            .map_or(&self.action, |(_, said)| said)
    }

    /// What its subject was called at that time, where the row says so.
    pub fn subject_name(&self) -> Option<&str> {
        [&self.after, &self.before]
            .into_iter()
            .flatten()
            .find_map(|value| {
                ["name", "module_name", "email"]
                    .iter()
                    .find_map(|name| value.get(name)?.as_str())
            })
    }

    /// What it says in words: of a change only what differs, else all that was there or is.
    pub fn differences(&self) -> Vec<Difference> {
        let members = |value: &Option<Value>| {
            value
                .as_ref()
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default()
        };
        let (before, after) = (members(&self.before), members(&self.after));
        let both = self.before.is_some() && self.after.is_some();
        before
            .keys()
            .chain(after.keys().filter(|name| !before.contains_key(*name)))
            .filter(|name| !both || before.get(*name) != after.get(*name))
            .map(|name| Difference {
                name: name.clone(),
                before: before.get(name).map(written),
                after: after.get(name).map(written),
            })
            .collect()
    }
}

/// A value as people read it.
fn written(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) if text.is_empty() => "none".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) if values.is_empty() => "none".to_owned(),
        Value::Array(values) => {
            let each: Vec<String> = values.iter().map(written).collect();
            each.join(", ")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(before: Option<Value>, after: Option<Value>) -> Recorded {
        Recorded {
            id: 1,
            created_at: Timestamp::UNIX_EPOCH,
            actor_kind: "user".to_owned(),
            actor_id: Some(1),
            actor_name: "Ada".to_owned(),
            action: "site.updated".to_owned(),
            subject_kind: "site".to_owned(),
            subject_id: Some(7),
            organization_id: None,
            site_id: None,
            status: "done".to_owned(),
            before,
            after,
            address: None,
            request_id: None,
            hash: String::new(),
        }
    }

    fn lines(row: &Recorded) -> Vec<String> {
        let side = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        row.differences()
            .iter()
            .map(|d| format!("{}: {} > {}", d.name, side(&d.before), side(&d.after)))
            .collect()
    }

    #[test]
    fn of_a_change_only_what_differs_is_said() {
        let before = json!({"name": "A", "tags": ["x", "y"], "notes": "", "url": "u"});
        let after = json!({"name": "B", "tags": [], "notes": "n", "url": "u", "new": true});
        assert_eq!(
            lines(&row(Some(before), Some(after))),
            [
                "name: A > B",
                "notes: none > n",
                "tags: x, y > none",
                "new: - > yes"
            ]
        );
    }

    #[test]
    fn of_what_was_made_or_deleted_all_is_said() {
        let it = json!({"name": "A", "size": 3});
        assert_eq!(
            lines(&row(None, Some(it.clone()))),
            ["name: - > A", "size: - > 3"]
        );
        assert_eq!(lines(&row(Some(it), None)), ["name: A > -", "size: 3 > -"]);
        assert_eq!(lines(&row(None, None)), [""; 0]);
    }

    #[test]
    fn the_newest_name_is_the_subjects() {
        let named = |name: &str| Some(json!({"name": name}));
        assert_eq!(row(named("A"), named("B")).subject_name(), Some("B"));
        assert_eq!(row(named("A"), None).subject_name(), Some("A"));
        assert_eq!(row(None, None).subject_name(), None);
    }

    #[test]
    fn no_action_has_two_words() {
        let mut words: Vec<&str> = ACTIONS.iter().map(|(word, _)| *word).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), ACTIONS.len());
    }

    #[test]
    fn what_was_done_is_said_in_words() {
        let said = |action: &str, status: &str| {
            let row = Recorded {
                action: action.to_owned(),
                status: status.to_owned(),
                ..row(None, None)
            };
            row.said().to_owned()
        };
        assert_eq!(said("site.updated", "done"), "Changed a site");
        assert_eq!(said("session.opened", "done"), "Signed in");
        assert_eq!(said("session.opened", "refused"), "Tried to sign in");
        assert_eq!(said("moon.landed", "done"), "moon.landed");
    }
}
