//! One site: what it runs, what it was exposed to and since when, what was done, what arrived.

use askama::Template;
use jiff::Timestamp;

use super::super::listing::{Listing, Tab};
use super::super::parts::{Advisories, Clock, Icon, Risk, Status, Versions};
use super::super::shell::Shell;
use super::super::{charts, parts, words};

/// A different installation used this site's key.
#[derive(Debug, Clone)]
pub struct Stranger {
    /// When it was seen last.
    pub at: Timestamp,
    /// The address that it calls its own.
    pub url: Option<String>,
    /// The address known so far.
    pub known_url: Option<String>,
}

/// What stands above every tab of a site.
#[derive(Debug, Clone)]
pub struct SiteHead {
    /// The site.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its address on the web, empty where none is known.
    pub url: String,
    /// Its worst status.
    pub status: Status,
    /// Why, in words, where the status alone doesn't say it.
    pub reason: Option<String>,
    /// Since when it is silent.
    pub silent_since: Option<Timestamp>,
    /// Its organization.
    pub organization_id: i64,
    /// Its organization's name.
    pub organization: String,
    /// Its environment.
    pub environment: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Drupal's version.
    pub core: Option<String>,
    /// PHP's version.
    pub php: Option<String>,
    /// The last contact.
    pub last: Option<Timestamp>,
    /// How old the oldest data is that this site was judged on.
    pub data_as_of: Option<Timestamp>,
    /// A different installation used its key.
    pub stranger: Option<Stranger>,
    /// The tabs.
    pub tabs: Vec<Tab>,
    /// May change it.
    pub may_write: bool,
    /// The visitor may make keys for it.
    pub may_connect: bool,
    /// The visitor may delete it.
    pub may_delete: bool,
}

/// One module of the site.
#[derive(Debug, Clone)]
pub struct ModuleRow {
    /// The module.
    pub module_id: i64,
    /// Its title.
    pub title: String,
    /// Its short name.
    pub name: String,
    /// Installed and recommended.
    pub versions: Versions,
    /// Its status here.
    pub status: Status,
    /// The advisories that count against the installed version, or can't be compared with it.
    pub advisories: Advisories,
    /// Why, in words.
    pub reason: String,
    /// Components kept under it.
    pub components: u64,
}

/// One patch run.
#[derive(Debug, Clone)]
pub struct RunRow {
    /// Its id.
    pub id: i64,
    /// `claimed`, `proved` or `unattributed`.
    pub state: &'static str,
    /// When its sync arrived; while it is claimed, when it was started.
    pub at: Timestamp,
    /// Raised versions.
    pub updated: u64,
    /// Lowered versions.
    pub downgraded: u64,
    /// Security fixes among them.
    pub security: u64,
    /// Each change: module, from, to.
    pub changes: Vec<(String, Versions)>,
    /// What it closed, in words.
    pub closed: Vec<String>,
    /// The advisories that explain what it closed.
    pub advisories: Advisories,
}

impl RunRow {
    /// "3 raised, 1 lowered".
    pub fn words(&self) -> String {
        if self.state == "claimed" {
            return "Nothing shown yet".to_owned();
        }
        match (self.updated, self.downgraded) {
            (0, 0) => {
                let changed = self.changes.len() as u64;
                words::count(changed, "other change", "other changes")
            }
            (up, 0) => format!("{} raised", words::number(up)),
            (0, down) => format!("{} lowered", words::number(down)),
            (up, down) => format!(
                "{} raised, {} lowered",
                words::number(up),
                words::number(down)
            ),
        }
    }
}

/// The first tab: exposures as a timeline, modules, how to close what is open.
#[derive(Debug, Template)]
#[template(path = "site_modules.html")]
pub struct SiteModulesPage {
    /// What stands around it.
    pub shell: Shell,
    /// What stands above it.
    pub head: SiteHead,
    /// The timeline; absent where there never was an exposure.
    pub timeline: Option<charts::Timeline>,
    /// "2 exposed, 1 unsupported, 4 updates".
    pub summary: String,
    /// What every list has.
    pub list: Listing,
    /// The rows of this page, worst first.
    pub rows: Vec<ModuleRow>,
    /// What closes the open exposures, where a command can.
    pub command: Option<String>,
    /// The newest patch runs.
    pub runs: Vec<RunRow>,
}

/// What raises the given packages: (Composer name or none, module, version to reach). `None` where there is nothing to raise.
pub fn composer_command(raises: &[(Option<String>, String, String)]) -> Option<String> {
    if raises.is_empty() {
        return None;
    }
    let packages: String = raises
        .iter()
        .map(|(package, module, version)| {
            if module == "drupal" {
                return format!(" \\\n  drupal/core-recommended:{version}");
            }
            let package = package
                .clone()
                .unwrap_or_else(|| format!("drupal/{module}"));
            let wanted = version
                .split_once(".x-")
                .map_or(version.as_str(), |(_, own)| own);
            format!(" \\\n  {package}:^{wanted}")
        })
        .collect();
    Some(format!(
        "composer require -W{packages}\ndrush updb -y && drush cr"
    ))
}

/// One window of the ledger.
#[derive(Debug, Clone)]
pub struct ExposureRow {
    /// Its id.
    pub id: i64,
    /// The module's title.
    pub module: String,
    /// Installed and fixing version.
    pub versions: Versions,
    /// The state's word: `open`, `overdue`, `met`, `breached`, `withdrawn`, `ended`.
    pub state: String,
    /// Time left, late or taken.
    pub clock: Clock,
    /// Why: the fixing release or the advisory.
    pub cause: String,
    /// The advisories that explain it.
    pub advisories: Advisories,
    /// How bad.
    pub risk: Risk,
    /// It can't be told any more whether it still is exposed.
    pub unproven_since: Option<Timestamp>,
    /// What to do where nothing fixes it yet.
    pub no_fix: Option<&'static str>,
}

/// All windows of the site.
#[derive(Debug, Template)]
#[template(path = "site_exposures.html")]
pub struct SiteExposuresPage {
    /// What stands around it.
    pub shell: Shell,
    /// What stands above it.
    pub head: SiteHead,
    /// What every list has.
    pub list: Listing,
    /// Its windows over time; absent where there never was one.
    pub timeline: Option<charts::Timeline>,
    /// The rows of this page.
    pub rows: Vec<ExposureRow>,
}

/// What was done on the site.
#[derive(Debug, Template)]
#[template(path = "site_runs.html")]
pub struct SiteRunsPage {
    /// What stands around it.
    pub shell: Shell,
    /// What stands above it.
    pub head: SiteHead,
    /// What every list has.
    pub list: Listing,
    /// The rows of this page.
    pub rows: Vec<RunRow>,
}

/// One difference between two inventories.
#[derive(Debug, Clone)]
pub struct EventRow {
    /// When its sync arrived.
    pub at: Timestamp,
    /// `installed`, `updated`, `downgraded`, `removed`, `enabled`, `disabled`.
    pub kind: String,
    /// The module.
    pub module_id: i64,
    /// Its title.
    pub module: String,
    /// From and to.
    pub versions: Versions,
}

impl EventRow {
    fn icon(&self) -> Icon {
        parts::icon(match self.kind.as_str() {
            "installed" => "plus",
            "updated" => "arrow-up",
            "downgraded" => "arrow-down",
            "removed" => "trash",
            "enabled" => "check",
            _ => "circle-minus",
        })
    }
}

/// What changed on the site.
#[derive(Debug, Template)]
#[template(path = "site_events.html")]
pub struct SiteEventsPage {
    /// What stands around it.
    pub shell: Shell,
    /// What stands above it.
    pub head: SiteHead,
    /// What every list has.
    pub list: Listing,
    /// The rows of this page.
    pub rows: Vec<EventRow>,
}

/// An accepted inventory that differed from the one before.
#[derive(Debug, Clone)]
pub struct SyncRow {
    /// When it arrived.
    pub at: Timestamp,
    /// Who sent it.
    pub agent: String,
    /// `inventory` or `composer-lock`.
    pub source: String,
    /// Projects in it.
    pub total: u64,
    /// New ones.
    pub added: u64,
    /// Raised and lowered ones.
    pub changed: u64,
    /// Gone ones.
    pub removed: u64,
}

/// An attempt that was refused.
#[derive(Debug, Clone)]
pub struct RefusedRow {
    /// When.
    pub at: Timestamp,
    /// The HTTP status that it got.
    pub status: u16,
    /// The stable word.
    pub code: String,
    /// The sentence that it got.
    pub detail: String,
    /// From where.
    pub address: String,
}

/// What arrived from the site, and what was refused.
#[derive(Debug, Template)]
#[template(path = "site_syncs.html")]
pub struct SiteSyncsPage {
    /// What stands around it.
    pub shell: Shell,
    /// What stands above it.
    pub head: SiteHead,
    /// Minutes between two syncs.
    pub interval: u64,
    /// Until when the next sync is expected.
    pub next_before: Option<Timestamp>,
    /// The newest refused ones.
    pub refused: Vec<RefusedRow>,
    /// What every list has.
    pub list: Listing,
    /// The rows of this page.
    pub rows: Vec<SyncRow>,
}
