//! What drupal.org says of a module in a history: its releases, branches and advisories.

use std::collections::BTreeMap;

use dewline::app::App;
use dewline::demo::history::{Project, Release};
use dewline::domain::advisory::record::Record;
use dewline::domain::release_history::{Document, parse};
use dewline::outbound::drupal_org::Fetched;
use dewline::services::catalogue;

use super::model::{Minute, Place};
use super::ops::BRANCHES;

/// What drupal.org says of a module.
pub struct Facts {
    pub name: String,
    pub id: i64,
    releases: Vec<Listed>,
    /// The number of each branch's newest release, listed or not.
    pub newest: [u32; 3],
    pub marked: Vec<Place>,
    /// Branches that nobody supports any more.
    pub dropped: [bool; 3],
    pub advisories: BTreeMap<String, Record>,
}

struct Listed {
    place: Place,
    security: bool,
    date: Option<Minute>,
}

pub fn version_text((branch, number): Place) -> String {
    format!("{}{number}", BRANCHES[branch])
}

/// All of a branch below a release, as advisories say it.
fn below((branch, number): Place) -> String {
    match branch {
        0 => format!("<1.0.{number}"),
        1 => format!(">=2.0.0 <2.0.{number}"),
        _ => format!(">=3.0.0 <3.{number}.0"),
    }
}

impl Facts {
    /// A module with the first release of each branch.
    pub fn of(name: String, id: i64, date: Minute) -> Self {
        let first = |branch| Listed {
            place: (branch, 0),
            security: false,
            date: Some(date),
        };
        Self {
            name,
            id,
            releases: (0..BRANCHES.len()).map(first).collect(),
            newest: [0; 3],
            marked: Vec::new(),
            dropped: [false; 3],
            advisories: BTreeMap::new(),
        }
    }

    /// The next release of a branch; gives its number.
    pub fn publishes(&mut self, branch: usize, security: bool, date: Option<Minute>) -> u32 {
        self.newest[branch] += 1;
        let number = self.newest[branch];
        self.releases.push(Listed {
            place: (branch, number),
            security,
            date,
        });
        number
    }

    pub fn takes_back(&mut self, place: Place) {
        self.releases.retain(|release| release.place != place);
    }

    /// The newest security release of a branch that is listed; `advised`: even where an advisory tells of it.
    pub fn newest_fix(&self, branch: usize, advised: bool) -> Option<u32> {
        let told = |place: Place| {
            let fix = vec![version_text(place)];
            self.advisories
                .values()
                .any(|record| record.fixed_in == fix)
        };
        self.releases
            .iter()
            .filter(|release| release.security && release.place.0 == branch)
            .filter(|release| advised || !told(release.place))
            .map(|release| release.place.1)
            .max()
    }

    /// An advisory about all of a branch below a release, which fixes it or doesn't.
    pub fn advises(&mut self, now: Minute, place: Place, score: Option<u8>, fixed: bool) -> Record {
        let (branch, number) = place;
        let places = (self.id * 3 + i64::try_from(branch).unwrap()) * 1_000;
        let nid = places + i64::from(number) * 2 + i64::from(!fixed);
        let id = format!("SA-CONTRIB-2026-{nid}");
        let published = self.advisories.get(&id).map(|known| known.published);
        let fixes = fixed.then(|| version_text(place));
        let record = Record {
            id: id.clone(),
            project: self.name.clone(),
            title: id.clone(),
            kind: String::new(),
            psa: false,
            vector: None,
            score,
            cves: Vec::new(),
            published: published.unwrap_or(now * 60),
            changed: now * 60,
            affected_versions: Some(below(place)),
            lost_versions: false,
            ranges: None,
            fixed_in: fixes.into_iter().collect(),
            url: String::new(),
            nid: Some(nid),
            project_nid: None,
            withdrawn: false,
        };
        self.advisories.insert(id, record.clone());
        record
    }

    /// The advisories about a branch without a fix have one: its newest security release.
    pub fn corrects(&mut self, now: Minute, branch: usize) -> Vec<Record> {
        let Some(fix) = self.newest_fix(branch, true) else {
            return Vec::new();
        };
        let start = below((branch, 0));
        let start = start.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        let mut corrected = Vec::new();
        for record in self.advisories.values_mut() {
            let about = record.affected_versions.as_ref();
            if record.fixed_in.is_empty() && about.is_some_and(|about| about.starts_with(start)) {
                record.affected_versions = Some(below((branch, fix)));
                record.fixed_in = vec![version_text((branch, fix))];
                record.changed = now * 60;
                corrected.push(record.clone());
            }
        }
        corrected
    }

    /// drupal.org lists the module as the facts say.
    pub async fn lists(&self, app: &App) {
        let supported = BRANCHES.iter().zip(self.dropped);
        let supported: Vec<&str> = supported
            .filter_map(|(branch, dropped)| (!dropped).then_some(*branch))
            .collect();
        let mut project = Project::new(&self.name, &self.name, "project_module", &supported);
        for release in &self.releases {
            let version = version_text(release.place);
            let date = release.date.map_or(0, |date| date * 60);
            project.publish(if release.security {
                Release::security(&version, date)
            } else {
                Release::new(&version, date)
            });
        }
        for place in &self.marked {
            project.mark_insecure(&version_text(*place));
        }
        let Document::Stored(history) = parse(project.to_xml().as_bytes()) else {
            panic!("drupal.org writes what can be read");
        };
        let answer = Fetched::Document {
            history: Box::new(history),
            etag: None,
            last_modified: None,
        };
        catalogue::record(app, self.id, answer).await.unwrap();
    }
}
