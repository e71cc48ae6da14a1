//! Security advisories: all of them, and one with the sites that it hits, as a list to work through.

use askama::Template;
use jiff::Timestamp;

use super::super::listing::{Listing, Tab};
use super::super::overview::is_of_core;
use super::super::parts::{Clock, Html, Risk, Versions};
use super::super::shell::Shell;
use super::super::vector::Part;
use super::super::{charts, parts, words};
use super::fleet::Choice;
use crate::domain::advisory::reach::{Named, Reach};
use crate::services::advisories::Following;

/// One advisory of the list.
#[derive(Debug, Clone)]
pub struct AdvisoryRow {
    /// Its id.
    pub id: String,
    /// Its title, without what stands beside it anyway.
    pub title: String,
    /// An announcement.
    pub psa: bool,
    /// It was taken back.
    pub withdrawn: bool,
    /// The project here, where it is known.
    pub module_id: Option<i64>,
    /// The project's title; empty: about none.
    pub module: String,
    /// How bad.
    pub risk: Risk,
    /// The same out of 25.
    pub score: Option<u8>,
    /// The CVE numbers.
    pub cves: Vec<String>,
    /// When it was published.
    pub published: Timestamp,
    /// Sites with an open window that it explains.
    pub sites: u64,
}

/// All advisories in sight.
#[derive(Debug, Template)]
#[template(path = "advisories.html")]
pub struct AdvisoriesPage {
    /// What stands around it.
    pub shell: Shell,
    /// The views above it.
    pub views: Vec<Tab>,
    /// What every list has.
    pub list: Listing,
    /// The rows of this page.
    pub rows: Vec<AdvisoryRow>,
    /// For the filter box.
    pub risks: Vec<Choice>,
    /// How they are followed.
    pub following: Option<Following>,
}

/// Some pages or nodes of drupal.org's are of no use.
const UNREAD: &str = "Some are not read yet.";

impl AdvisoriesPage {
    /// Why more may be missing here than drupal.org has.
    fn missing(&self) -> Option<String> {
        let now = self.shell.now;
        let following = self.following.as_ref()?;
        let read = following.read_at.map(|at| words::relative(now, at));
        let unread = following.incomplete.then(|| UNREAD.to_owned());
        let far = match (following.filled, following.since, read) {
            (false, Some(since), _) => Some(format!(
                "Still being filled, newest first: advisories since {} are here so far.",
                words::day(now, since)
            )),
            (_, _, None) => Some("drupal.org's advisories have not been read yet.".to_owned()),
            (_, _, Some(read)) if following.stale => Some(format!(
                "drupal.org's advisories were last read {read}: newer ones may be missing."
            )),
            _ => None,
        };
        let said: Vec<String> = far.into_iter().chain(unread).collect();
        (!said.is_empty()).then(|| said.join(" "))
    }

    /// What the filter box must send along: everything that it doesn't ask for itself.
    fn kept(&self) -> Vec<&(String, String)> {
        const OWN: [&str; 4] = [
            "filter[risk]",
            "filter[module]",
            "filter[published_at][gte]",
            "filter[published_at][lte]",
        ];
        let mut kept: Vec<_> = self.list.query.iter().collect();
        kept.retain(|(key, _)| !OWN.contains(&key.as_str()));
        kept
    }
}

/// One window that the advisory explains.
#[derive(Debug, Clone)]
pub struct AffectedRow {
    /// What stands above it, where it is the first of its kind.
    pub group: Option<&'static str>,
    /// What is left, how late it is, or what it took.
    pub clock: Clock,
    /// The state's word.
    pub state: &'static str,
    /// The site.
    pub site_id: i64,
    /// Its name.
    pub site: String,
    /// Its organization, and its environment where that isn't production.
    pub client: String,
    /// Installed and fixing version.
    pub versions: Versions,
    /// Nothing fixes it yet.
    pub no_fix: bool,
    /// Since when nobody can tell whether it still holds.
    pub unproven_since: Option<Timestamp>,
    /// The two readings of the advisory disagree on what is installed.
    pub disputed: bool,
}

/// One advisory.
#[derive(Debug, Template)]
#[template(path = "advisory.html")]
pub struct AdvisoryPage {
    /// What stands around it.
    pub shell: Shell,
    /// What the list says of it.
    pub row: AdvisoryRow,
    /// Its risk vector in words.
    pub vector: Vec<Part>,
    /// When its source last changed it.
    pub updated: Timestamp,
    /// Since when it is known here.
    pub known: Timestamp,
    /// Since when it is known to be taken back.
    pub withdrawn_at: Option<Timestamp>,
    /// The affected versions, as stated.
    pub affected: Option<String>,
    /// The versions that fix it.
    pub fixed_in: Vec<String>,
    /// Its page at drupal.org.
    pub url: Option<String>,
    /// How far it reaches.
    pub reach: Reach,
    /// How advisories are followed.
    pub following: Option<Following>,
    /// How many windows were open, step by step.
    pub course: Html,
    /// What every list has.
    pub list: Listing,
    /// The rows of this page.
    pub rows: Vec<AffectedRow>,
    /// Raises the module on any of the open sites, where one command does.
    pub command: Option<String>,
    /// For the filter box.
    pub environments: Vec<Choice>,
    /// For the filter box.
    pub organizations: Vec<Choice>,
    /// For the filter box.
    pub states: Vec<Choice>,
}

/// A number of the domain: never negative.
fn natural(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

impl AdvisoryPage {
    fn sites(n: i64) -> String {
        words::count(natural(n), "site", "sites")
    }

    /// It counts against versions: it isn't an announcement and stands.
    fn counts(&self) -> bool {
        !self.row.psa && self.withdrawn_at.is_none()
    }

    /// Nobody is affected, and every site of the fleet has said so itself.
    fn proven(&self) -> bool {
        self.reach.none_is_proven()
            && self.shell.fresh.reported >= self.shell.sites
            && !self.old_news()
    }

    /// What it says may have been corrected since it was read.
    fn old_news(&self) -> bool {
        self.following
            .is_some_and(|following| following.stale || following.read_at.is_none())
    }

    /// The answer, after the id.
    fn answer(&self) -> String {
        let tally = &self.reach.tally;
        let at_least = if tally.at_least { "at least " } else { "" };
        match (tally.open, tally.done) {
            _ if self.row.psa => "an announcement".to_owned(),
            _ if self.withdrawn_at.is_some() => "withdrawn".to_owned(),
            (0, 0) if self.proven() => "no site is affected".to_owned(),
            (0, 0) => "no site is known to be affected".to_owned(),
            (0, done) if self.proven() => format!("{at_least}{} hit, all done", Self::sites(done)),
            (0, done) => format!("{at_least}{} hit, none known to be open", Self::sites(done)),
            (open, 0) => format!("{at_least}{} exposed", Self::sites(open)),
            (open, _) => format!("{at_least}{} still exposed", Self::sites(open)),
        }
    }

    /// "7 of 12 sites done".
    fn progress(&self) -> String {
        let tally = &self.reach.tally;
        let (done, hit) = (natural(tally.done), natural(tally.hit()));
        let at_least = if tally.at_least { "at least " } else { "" };
        format!(
            "{} of {at_least}{} done",
            words::number(done),
            words::count(hit, "site", "sites")
        )
    }

    fn done(&self) -> u64 {
        natural(self.reach.tally.done)
    }

    fn hit(&self) -> u64 {
        natural(self.reach.tally.hit())
    }

    fn open(&self) -> u64 {
        natural(self.reach.tally.open)
    }

    fn overdue(&self) -> u64 {
        natural(self.reach.tally.overdue)
    }

    fn running(&self) -> u64 {
        natural(self.reach.running())
    }

    /// Sites of which nobody can tell whether it names what they run.
    fn blind(&self) -> u64 {
        natural(self.reach.on(Named::Unclear))
    }

    /// The versions of which it says this, joined.
    fn on(&self, named: Named) -> String {
        let versions = self.reach.versions.iter().filter(|v| v.named == named);
        let versions: Vec<&str> = versions
            .map(|v| v.version.as_deref().unwrap_or("no version"))
            .collect();
        versions.join(", ")
    }

    /// The versions that it names or can't be compared with.
    fn telling_versions(&self) -> impl Iterator<Item = (&str, &'static str, u64)> {
        let told = self.reach.versions.iter().filter(|v| v.named != Named::No);
        told.map(|v| {
            let word = match v.named {
                Named::Yes => "affected",
                Named::Disputed => "affected, readings disagree",
                _ => "cannot tell",
            };
            (
                v.version.as_deref().unwrap_or("no version"),
                word,
                natural(v.sites),
            )
        })
    }

    fn clear(&self) -> u64 {
        natural(self.reach.on(Named::No))
    }

    fn is_of_core(&self) -> bool {
        is_of_core(&self.row.id)
    }

    /// What is installed where nothing fixes it, on this page.
    fn unfixed(&self) -> impl Iterator<Item = &str> {
        let open = |row: &&AffectedRow| row.no_fix && row.clock.closed.is_none();
        let rows = self.rows.iter().filter(open);
        rows.map(|row| row.versions.installed.as_deref().unwrap_or("no version"))
    }

    /// What limits the answer, or must be known beside it.
    fn notes(&self) -> Vec<String> {
        if !self.counts() {
            return Vec::new();
        }
        let mut notes = Vec::new();
        let module = &self.row.module;
        let mut unfixed: Vec<&str> = self.unfixed().collect();
        unfixed.dedup();
        if !unfixed.is_empty() {
            notes.push(format!(
                "{module} {}: {}.",
                unfixed.join(", "),
                words::without_fix(self.is_of_core())
            ));
        }
        let disputed = self.reach.on(Named::Disputed);
        if disputed > 0 {
            notes.push(format!(
                "The two readings of it disagree on {} ({}): its ranges and its constraint say different things. It counts as affected.",
                self.on(Named::Disputed),
                Self::sites(disputed)
            ));
        }
        if self.blind() > 0 && self.affected.is_none() {
            notes.push(format!(
                "It states no affected versions: whether {} affected isn't known.",
                words::count(self.blind(), "site is", "sites are")
            ));
        } else if self.blind() > 0 {
            notes.push(format!(
                "It can't be compared with {} ({}): whether it is affected isn't known.",
                self.on(Named::Unclear),
                words::count(self.blind(), "site", "sites")
            ));
        }
        if self.reach.silent > 0 {
            notes.push(format!(
                "{} with {module} {} silent: what runs there now isn't known.",
                Self::sites(self.reach.silent),
                words::plural(natural(self.reach.silent), "is", "are")
            ));
        }
        match self.reach.ground {
            Some(ground) if ground.telling => notes.push(
                "Its versions were just judged anew; some sites have not been gone through yet."
                    .to_owned(),
            ),
            Some(ground) if !ground.answered => notes.push(format!(
                "drupal.org has not told which releases {module} has: a fix may be missing here."
            )),
            Some(ground) if ground.stale => notes.push(format!(
                "What drupal.org said of {module} is too old to call anything fine."
            )),
            _ => {}
        }
        if let Some(read) = self.following.filter(|_| self.old_news()) {
            let read = read.read_at.map_or_else(
                || "not been read yet".to_owned(),
                |at| format!("last been read {}", words::relative(self.shell.now, at)),
            );
            notes.push(format!(
                "drupal.org's advisories have {read}: a correction of this one may be missing."
            ));
        }
        notes
    }

    /// What the empty list says.
    fn nobody(&self) -> String {
        let module = &self.row.module;
        match (self.running(), self.proven()) {
            (0, true) => format!("No site in your fleet runs {module}"),
            (0, false) => format!("No site has reported {module}"),
            (_, true) => "No site in your fleet runs an affected version".to_owned(),
            (_, false) => "No site is known to run an affected version".to_owned(),
        }
    }

    /// A filter narrows the list.
    fn narrowed(&self) -> bool {
        self.list
            .query
            .iter()
            .any(|(key, _)| key == "q" || key.starts_with("filter["))
    }

    /// What the filter box must send along.
    fn kept(&self) -> Vec<&(String, String)> {
        const OWN: [&str; 3] = [
            "filter[environment]",
            "filter[organization_id]",
            "filter[state]",
        ];
        let mut kept: Vec<_> = self.list.query.iter().collect();
        kept.retain(|(key, _)| !OWN.contains(&key.as_str()));
        kept
    }
}
