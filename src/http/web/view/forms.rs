//! Pages that ask: a site's and an organization's form, connecting, and the one question before something goes.

use askama::Template;
use jiff::Timestamp;

use super::super::parts::{Advisories, Html};
use super::super::shell::Shell;
use super::super::{charts, parts, words};
use super::fleet::Choice;
use super::site::{RefusedRow, SiteHead};

/// What was typed into a site's form, and what is wrong with it.
#[derive(Debug, Clone, Default)]
pub struct SiteForm {
    /// Its name.
    pub name: String,
    /// Its address.
    pub url: String,
    /// The organization to choose from.
    pub organizations: Vec<Choice>,
    /// The name of an organization to make.
    pub new_organization: String,
    /// The environments to choose from.
    pub environments: Vec<Choice>,
    /// Tags, with commas between them.
    pub tags: String,
    /// Minutes between syncs.
    pub interval: String,
    /// Notes.
    pub notes: String,
    /// (field, sentence): what is wrong.
    pub faults: Vec<(String, String)>,
}

impl SiteForm {
    /// What is wrong with a field.
    pub fn error(&self, field: &str) -> Option<String> {
        error_of(&self.faults, field)
    }
}

pub(super) fn error_of(faults: &[(String, String)], field: &str) -> Option<String> {
    let own: Vec<&str> = faults
        .iter()
        .filter(|(f, _)| f == field)
        .map(|(_, s)| s.as_str())
        .collect();
    (!own.is_empty()).then(|| own.join(" "))
}

/// A site to be connected.
#[derive(Debug, Template)]
#[template(path = "site_new.html")]
pub struct NewSitePage {
    /// What stands around it.
    pub shell: Shell,
    /// Its form.
    pub form: SiteForm,
}

/// A site's settings.
#[derive(Debug, Template)]
#[template(path = "site_settings.html")]
pub struct SiteSettingsPage {
    /// What stands around it.
    pub shell: Shell,
    /// What stands above it.
    pub head: SiteHead,
    /// Its form.
    pub form: SiteForm,
}

/// The waiting light.
#[derive(Debug, Clone, Template)]
#[template(path = "light.html")]
pub struct Light {
    /// What counts as now.
    pub now: Timestamp,
    /// The site.
    pub site_id: i64,
    /// Since when somebody waits: the site's creation or its newest key.
    pub since: Timestamp,
    /// The first sync, when it arrived.
    pub arrived: Option<Timestamp>,
    /// How many modules it held.
    pub modules: u64,
    /// How many of them are exposed.
    pub exposed: u64,
    /// The advisories that explain that.
    pub advisories: Advisories,
    /// Attempts that were refused since then, newest first.
    pub refused: Vec<RefusedRow>,
    /// This server's address.
    pub address: String,
}

impl Light {
    /// The drop on its line.
    pub fn drop(&self) -> Html {
        charts::waiting_light()
    }
}

/// How to connect a site, and the light that waits for it.
#[derive(Debug, Template)]
#[template(path = "connect.html")]
pub struct ConnectPage {
    /// What stands around it.
    pub shell: Shell,
    /// The site.
    pub site_id: i64,
    /// Its name.
    pub name: String,
    /// Its organization.
    pub organization: String,
    /// Its environment.
    pub environment: String,
    /// Minutes between syncs.
    pub interval: u64,
    /// The key, where it was just made.
    pub secret: Option<String>,
    /// What its key begins with, where it was made before.
    pub prefix: Option<String>,
    /// This server's address, without a slash at its end.
    pub address: String,
    /// The minute in which its cron job should run.
    pub minute: u64,
    /// The light.
    pub light: Light,
}

impl ConnectPage {
    fn key(&self) -> &str {
        self.secret.as_deref().unwrap_or("YOUR-KEY")
    }

    fn lock_command(&self) -> String {
        format!(
            "curl -fsS {}/api/v1/sites/{}/composer-lock \\\n  -H 'X-API-Key: {}' \\\n  -H 'Content-Type: application/json' \\\n  --data-binary @composer.lock",
            self.address,
            self.site_id,
            self.key()
        )
    }

    fn cron_line(&self) -> String {
        format!(
            "{} * * * * dewline-push.sh --url {} --site {} --key-file /etc/dewline.key --lock /path/to/composer.lock",
            self.minute, self.address, self.site_id
        )
    }

    fn sync_command(&self) -> String {
        format!(
            "curl -fsS {}/api/v1/sites/{}/modules/sync \\\n  -H 'X-API-Key: {}' \\\n  -H 'Content-Type: application/json' \\\n  --data '{{\"schema\": 1, \"modules\": [{{\"name\": \"drupal\", \"type\": \"core\", \"version\": \"11.3.14\"}}]}}'",
            self.address,
            self.site_id,
            self.key()
        )
    }
}

/// One organization in the list.
#[derive(Debug, Clone)]
pub struct OrganizationRow {
    /// The organization.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its sites.
    pub sites: u64,
    /// Those with an open exposure.
    pub exposed: u64,
    /// Those that are silent.
    pub silent: u64,
}

/// All organizations in sight.
#[derive(Debug, Template)]
#[template(path = "organizations.html")]
pub struct OrganizationsPage {
    /// What stands around it.
    pub shell: Shell,
    /// What every list has.
    pub list: super::super::listing::Listing,
    /// The rows of this page.
    pub rows: Vec<OrganizationRow>,
}

/// One organization: a new one, or its settings.
#[derive(Debug, Template)]
#[template(path = "organization.html")]
pub struct OrganizationPage {
    /// What stands around it.
    pub shell: Shell,
    /// The organization; `None` for a new one.
    pub id: Option<i64>,
    /// Its name, as typed.
    pub name: String,
    /// Its notes, as typed.
    pub notes: String,
    /// Its members need a second factor, as ticked.
    pub needs_second_factor: bool,
    /// From when they do.
    pub second_factor_from: Option<Timestamp>,
    /// Days until they do, as typed.
    pub grace_days: String,
    /// What is wrong.
    pub faults: Vec<(String, String)>,
    /// Its figures.
    pub row: Option<OrganizationRow>,
    /// The visitor may change it.
    pub may: bool,
    /// The visitor looks after its people.
    pub manages_people: bool,
    /// Members who have no second factor, and all members; `None`: it is a new one.
    pub without: Option<(u64, u64)>,
}

impl OrganizationPage {
    fn grace_hint(&self) -> &'static str {
        if self.second_factor_from.is_some() {
            "Counted from today. Empty: the date stays."
        } else {
            "Counted from today, at most 90. Empty: 14 days."
        }
    }

    fn error(&self, field: &str) -> Option<String> {
        error_of(&self.faults, field)
    }
}

/// One question before something goes.
#[derive(Debug, Template)]
#[template(path = "confirm.html")]
pub struct ConfirmPage {
    /// What stands around it.
    pub shell: Shell,
    /// The question, with the name.
    pub question: String,
    /// What goes with it and what stays.
    pub explanation: String,
    /// Where to go when it is kept.
    pub keep: String,
    /// The button that keeps it.
    pub keep_word: String,
    /// Where to send the deed.
    pub action: String,
    /// The button that does it; empty where it would be refused, as the explanation says.
    pub deed: String,
}

impl ConfirmPage {
    /// The same, where what is asked would be refused: the reason, and the way back alone.
    pub fn or_why_not(self, refused: Option<String>) -> Self {
        match refused {
            None => self,
            Some(why) => Self {
                explanation: why,
                keep_word: "Back".to_owned(),
                deed: String::new(),
                ..self
            },
        }
    }
}
