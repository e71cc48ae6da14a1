//! Plays histories through the services, beside the model where it knows the rules, and holds after each
//! step what must always hold.

use std::collections::{BTreeMap, BTreeSet};

use dewline::clock::Clock;
use dewline::domain::access::Actor;
use dewline::domain::exposure::Risk;
use dewline::domain::organization::OrganizationForm;
use dewline::domain::site::SiteForm;
use dewline::domain::sla_form::{PolicyForm, TermsForm};
use dewline::outbound::drupal_org::Fetched;
use dewline::services::sync::{Source, receive};
use dewline::services::{Error, advisories, catalogue, clocks, organizations, sites, sla, watch};
use dewline::store::catalogue::{self as modules, NewModule};
use dewline::store::{Lane, StoreError};
use jiff::ToSpan;
use serde_json::json;

use super::drupal_org::{Facts, version_text};
use super::house::{House, minute};
use super::model::{Minute, Model, Version};
use super::ops::{BRANCHES, ENVIRONMENTS, Op, Runs, Terms, ZONES};

/// One organization with its sites, and the modules that nobody else runs.
pub struct Town<'a> {
    house: &'a House,
    organization: i64,
    sites: Vec<i64>,
    modules: Vec<Facts>,
    model: Model,
    rows: BTreeMap<i64, Kept>,
}

/// A row of the ledger as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Kept {
    opened: i64,
    known: i64,
    due: Option<i64>,
    closed: Option<(i64, String)>,
}

impl<'a> Town<'a> {
    pub async fn begins(house: &'a House, number: usize) -> Self {
        let form = OrganizationForm {
            name: Some(format!("Town {number}")),
            ..OrganizationForm::default()
        };
        let organization = organizations::create(&house.app, &Actor::System, &form)
            .await
            .unwrap()
            .id;
        let mut town = Self {
            house,
            organization,
            sites: Vec::new(),
            modules: Vec::new(),
            model: Model::new(3, 2),
            rows: BTreeMap::new(),
        };
        for at in 0..3 {
            let form = SiteForm {
                name: Some(format!("Site {number}.{at}")),
                url: Some(format!("https://site-{number}-{at}.example.org")),
                ..SiteForm::default()
            };
            let made = sites::create(&house.app, &Actor::System, Some(organization), &form).await;
            town.sites.push(made.unwrap().id);
        }
        for name in ["poll", "wiki"] {
            let name = format!("{name}_{number}");
            let (new, now) = (name.clone(), house.clock.now());
            let added = house.app.store.write(Lane::Front, move |db| {
                modules::add(db, &NewModule::project(&new), now)
            });
            let facts = Facts::of(name, added.await.unwrap(), house.now() - 500_000);
            facts.lists(&house.app).await;
            town.modules.push(facts);
        }
        town
    }

    pub async fn does(&mut self, op: &Op) -> Result<(), String> {
        let (app, now) = (&self.house.app, self.house.now());
        let said = |error: Error| error.to_string();
        match op {
            Op::Wait(minutes) => self.house.clock.set(minute(now + minutes)),
            Op::Back(minutes) => self.house.clock.set(minute(now - minutes)),
            Op::Sync(site, runs) => return self.syncs(now, *site, runs).await,
            Op::Publish {
                line: (module, branch),
                security,
                dated,
            } => {
                let date = dated.map(|late| now + late);
                let newest = self.modules[*module].publishes(*branch, *security, date);
                self.modules[*module].lists(app).await;
                if *security {
                    self.model.publishes(now, *module, (*branch, newest), date);
                }
            }
            Op::TakeBack((module, branch)) => {
                let facts = &mut self.modules[*module];
                let Some(fix) = facts.newest_fix(*branch, false) else {
                    return Ok(());
                };
                facts.takes_back((*branch, fix));
                facts.lists(app).await;
                self.model.takes_back(now, *module, (*branch, fix));
            }
            Op::Mark((module, branch), number) => {
                self.modules[*module].marked.push((*branch, *number));
                self.modules[*module].lists(app).await;
            }
            Op::Drop((module, branch)) => {
                let dropped = &mut self.modules[*module].dropped[*branch];
                *dropped = !*dropped;
                self.modules[*module].lists(app).await;
            }
            Op::Fails(module, absent) => {
                let answer = if *absent {
                    Fetched::Absent
                } else {
                    let reason = "not a release history".to_owned();
                    Fetched::Unreadable { reason }
                };
                catalogue::record(app, self.modules[*module].id, answer)
                    .await
                    .map_err(said)?;
            }
            Op::Advise((module, branch), score) => {
                let facts = &mut self.modules[*module];
                let Some(fix) = facts.newest_fix(*branch, true) else {
                    return Ok(());
                };
                let place = (*branch, fix);
                let record = facts.advises(now, place, *score, true);
                advisories::record(app, record).await.map_err(said)?;
                let risk = score.map(|score| worst_first(Risk::of_score(score)));
                self.model.advises(now, *module, place, risk);
            }
            Op::AdviseWithoutFix((module, branch), score) => {
                let facts = &mut self.modules[*module];
                let next = (*branch, facts.newest[*branch] + 1);
                let record = facts.advises(now, next, *score, false);
                advisories::record(app, record).await.map_err(said)?;
            }
            Op::Correct((module, branch)) => {
                for record in self.modules[*module].corrects(now, *branch) {
                    advisories::record(app, record).await.map_err(said)?;
                }
            }
            Op::Retract(module) => {
                for (_, mut record) in std::mem::take(&mut self.modules[*module].advisories) {
                    record.withdrawn = true;
                    record.changed = now * 60;
                    advisories::record(app, record).await.map_err(said)?;
                }
            }
            Op::Jobs => {
                while catalogue::fan_out(app).await.map_err(said)? {}
                while clocks::step(app).await.map_err(said)? {}
                while watch::step(app).await.map_err(said)? {}
                self.model.looks(now);
            }
            Op::Delete(site) => {
                if sites::delete(app, &Actor::System, self.sites[*site])
                    .await
                    .is_ok()
                {
                    self.model.deletes(now, *site);
                }
            }
            Op::Restore(site) => {
                if sites::restore(app, &Actor::System, self.sites[*site])
                    .await
                    .is_ok()
                {
                    self.model.restores(now, *site);
                }
            }
            Op::Policy(terms, zone, later) => {
                let today = now.div_euclid(1_440);
                let holidays: BTreeSet<i64> = later.iter().map(|days| today + days).collect();
                let form = PolicyForm {
                    environments: terms.map(form),
                    time_zone: Some(ZONES[*zone].to_owned()),
                    holidays: Some(holidays.iter().map(|day| date(*day)).collect()),
                    ..PolicyForm::default()
                };
                sla::change(app, &Actor::System, self.organization, form)
                    .await
                    .map_err(said)?;
                self.model.promises(now, *terms, *zone, holidays);
            }
            Op::Move(site, environment) => {
                let form = SiteForm {
                    environment: Some(ENVIRONMENTS[*environment].to_owned()),
                    ..SiteForm::default()
                };
                let moved = sites::update(app, &Actor::System, self.sites[*site], None, form).await;
                if moved.is_ok() {
                    self.model.moves(now, *site, *environment);
                }
            }
        }
        Ok(())
    }

    async fn syncs(&mut self, now: Minute, site: usize, runs: &[Runs; 2]) -> Result<(), String> {
        let mut entries = vec![json!({"name": "drupal", "type": "core", "version": "11.2.0"})];
        let mut versions = Vec::new();
        for (facts, runs) in self.modules.iter().zip(runs) {
            let (version, enabled, seen) = match runs {
                Runs::Release(branch, n) => {
                    let version = Version::Release(*branch, *n);
                    (version_text((*branch, *n)), true, Some(version))
                }
                Runs::Disabled(branch, n) => (version_text((*branch, *n)), false, None),
                Runs::Odd => ("whatever".to_owned(), true, Some(Version::Odd)),
                Runs::Dev(branch) => (
                    format!("{}x-dev", BRANCHES[*branch]),
                    true,
                    Some(Version::Odd),
                ),
                Runs::Absent => {
                    versions.push(None);
                    continue;
                }
            };
            versions.push(seen);
            entries.push(json!({"name": facts.name, "version": version, "enabled": enabled}));
        }
        let actor = Actor::SiteKey {
            key_id: 0,
            site_id: self.sites[site],
            organization_id: self.organization,
            name: String::new(),
        };
        let body = json!({"schema": 1, "modules": entries}).to_string();
        let site_id = self.sites[site];
        let answer = receive(
            &self.house.app,
            &actor,
            site_id,
            Source::Inventory,
            body.as_bytes(),
            "192.0.2.7",
        );
        match answer.await {
            Ok(_) => self.model.syncs(now, site, &versions),
            // The site is deleted; or the clock was set back behind what it sent last.
            Err(Error::NotFound | Error::Conflict { .. }) => {}
            Err(other) => return Err(other.to_string()),
        }
        Ok(())
    }

    /// Whatever happens, a window that is closed stays as it was, none is due later than it was, and none
    /// was known before it opened.
    pub fn keeps_the_rules(&mut self, wild: bool) -> Result<(), String> {
        let rows = self.kept();
        for (id, row) in &rows {
            if row.known < row.opened {
                return Err(format!("window {id} was known before it opened: {row:?}"));
            }
            let Some(before) = self.rows.get(id) else {
                continue;
            };
            let looser = before
                .due
                .is_some_and(|was| row.due.is_none_or(|due| due > was));
            let ended = before
                .closed
                .as_ref()
                .is_some_and(|(_, how)| how == "ended");
            let rewritten = before.closed.is_some() && !ended && before != row;
            if looser || rewritten {
                return Err(format!(
                    "window {id} was rewritten: {before:?} became {row:?}"
                ));
            }
        }
        // Only two windows that turn out to be one become one.
        if let Some(gone) = self.rows.keys().find(|id| !wild && !rows.contains_key(id)) {
            return Err(format!("window {gone} is gone"));
        }
        self.rows = rows;
        Ok(())
    }

    fn kept(&self) -> BTreeMap<i64, Kept> {
        let organization = self.organization;
        let read = self.house.app.store.read(|db| {
            let mut query = db.prepare_cached(
                "SELECT id, opened_at, known_at, due_at, closed_at, outcome FROM exposures WHERE organization_id = ?1",
            )?;
            let rows = query.query_map([organization], |row| {
                let closed: Option<i64> = row.get(4)?;
                let kept = Kept {
                    opened: row.get(1)?,
                    known: row.get(2)?,
                    due: row.get(3)?,
                    closed: closed.zip(row.get::<_, Option<String>>(5)?),
                };
                Ok((row.get(0)?, kept))
            })?;
            Ok::<_, StoreError>(rows.collect::<rusqlite::Result<_>>()?)
        });
        read.unwrap()
    }

    /// The ledger and its counters say what the model says.
    pub fn agrees(&self) -> Result<(), String> {
        for (at, site) in self.sites.iter().enumerate() {
            for (module, facts) in self.modules.iter().enumerate() {
                let mut expected: Vec<String> = self
                    .model
                    .rows(at, module)
                    .iter()
                    .map(ToString::to_string)
                    .collect();
                expected.sort_unstable();
                let kept = self.lines(*site, facts.id);
                if expected != kept {
                    return Err(format!(
                        "site {at}, module {module}: the model says {expected:#?}, the ledger {kept:#?}"
                    ));
                }
            }
            let (open, due) = self.model.counted(at);
            let expected = (open, due.map(|due| due * 60_000));
            let kept = self.counted(*site);
            if kept.is_some_and(|kept| kept != expected) {
                return Err(format!(
                    "site {at}: the model counts {expected:?}, the site says {kept:?}"
                ));
            }
        }
        Ok(())
    }

    fn lines(&self, site: i64, module: i64) -> Vec<String> {
        let read = self.house.app.store.read(|db| {
            let mut query = db.prepare_cached(
                "SELECT cause || ' opened ' || (opened_at / 60000) || ' known ' || (known_at / 60000) || ' due ' || ifnull(due_at / 60000, '-')
                    || ' risk ' || ifnull(risk, '-') || ' unproven ' || ifnull(unproven_since / 60000, '-')
                    || ' closed ' || ifnull(closed_at / 60000, '-') || ' ' || ifnull(outcome, '-')
                    || ifnull((SELECT group_concat(', ' || kind || ' ' || (at / 1000) || ' noticed ' || (noticed_at / 60000), '' ORDER BY at, kind)
                        FROM exposure_events WHERE exposure_id = exposures.id), '')
                 FROM exposures WHERE site_id = ?1 AND module_id = ?2",
            )?;
            let rows = query.query_map([site, module], |row| row.get(0))?;
            let mut lines = rows.collect::<rusqlite::Result<Vec<String>>>()?;
            lines.sort_unstable();
            Ok::<_, StoreError>(lines)
        });
        read.unwrap()
    }

    /// `None`: the site is deleted.
    fn counted(&self, site: i64) -> Option<(i64, Option<i64>)> {
        let read = self.house.app.store.read(|db| {
            let mut query = db.prepare_cached(
                "SELECT open_exposures, next_due_at FROM sites WHERE id = ?1 AND deleted_at IS NULL",
            )?;
            let mut rows = query.query([site])?;
            Ok::<_, StoreError>(match rows.next()? {
                Some(row) => Some((row.get(0)?, row.get(1)?)),
                None => None,
            })
        });
        read.unwrap()
    }
}

fn worst_first(risk: Risk) -> u8 {
    let place = Risk::WORST_FIRST.iter().position(|one| *one == risk);
    u8::try_from(place.unwrap()).unwrap()
}

fn form(terms: Terms) -> TermsForm {
    let (calendar, hours) = match terms {
        Terms::Nothing => ("none", None),
        Terms::Hours(hours) => ("calendar", Some(hours)),
        Terms::Business(hours) => ("business", Some(hours)),
    };
    TermsForm {
        calendar: Some(calendar.to_owned()),
        hours: hours.map_or([None; 5], |hours| hours.map(|hours| Some(i64::from(hours)))),
    }
}

/// The date of a day since 1970.
fn date(day: i64) -> String {
    let first = jiff::civil::date(1970, 1, 1);
    first.checked_add(day.days()).unwrap().to_string()
}
