//! Plays histories through the services, beside the model where it knows the rules, and holds after each
//! step what must always hold.

use std::collections::BTreeMap;

use dewline::clock::Clock;
use dewline::demo::history::{Project, Release};
use dewline::domain::access::Actor;
use dewline::domain::advisory::record::Record;
use dewline::domain::exposure::Risk;
use dewline::domain::organization::OrganizationForm;
use dewline::domain::release_history::{Document, parse};
use dewline::domain::site::SiteForm;
use dewline::domain::sla_form::{PolicyForm, TermsForm};
use dewline::outbound::drupal_org::Fetched;
use dewline::services::sync::{Source, receive};
use dewline::services::{Error, advisories, catalogue, clocks, organizations, sites, sla, watch};
use dewline::store::catalogue::{self as modules, NewModule};
use dewline::store::{Lane, StoreError};
use serde_json::json;

use super::house::{House, minute};
use super::model::{Minute, Model, Version};
use super::ops::{ENVIRONMENTS, Op, Runs, Terms};

/// One organization with its sites, and the modules that nobody else runs.
pub struct Town<'a> {
    house: &'a House,
    number: usize,
    organization: i64,
    sites: Vec<i64>,
    modules: Vec<Facts>,
    model: Model,
    rows: BTreeMap<i64, Kept>,
}

/// What drupal.org says of a module.
struct Facts {
    name: String,
    id: i64,
    /// (number, security, date in minutes)
    releases: Vec<(u32, bool, Option<Minute>)>,
    newest: u32,
    marked: Vec<u32>,
    advisories: BTreeMap<String, Record>,
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
            number,
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
            town.modules.push(Facts {
                id: added.await.unwrap(),
                name,
                releases: vec![(0, false, Some(house.now() - 500_000))],
                newest: 0,
                marked: Vec::new(),
                advisories: BTreeMap::new(),
            });
            town.lists(town.modules.len() - 1).await;
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
                module,
                security,
                dated,
            } => {
                let facts = &mut self.modules[*module];
                facts.newest += 1;
                let date = dated.map(|late| now + late);
                facts.releases.push((facts.newest, *security, date));
                self.lists(*module).await;
                if *security {
                    let newest = self.modules[*module].newest;
                    self.model.publishes(now, *module, newest, date);
                }
            }
            Op::TakeBack(module) => {
                let facts = &mut self.modules[*module];
                let Some(fix) = facts.newest_fix(false) else {
                    return Ok(());
                };
                facts.releases.retain(|(number, _, _)| *number != fix);
                self.lists(*module).await;
                self.model.takes_back(now, *module, fix);
            }
            Op::Mark(module, number) => {
                self.modules[*module].marked.push(*number);
                self.lists(*module).await;
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
            Op::Advise(module, score) => {
                let Some(fix) = self.modules[*module].newest_fix(true) else {
                    return Ok(());
                };
                let fixed = format!("1.0.{fix}");
                self.advises(*module, &fixed, *score, vec![fixed.clone()])
                    .await?;
                self.model.advises(
                    now,
                    *module,
                    fix,
                    score.map(|score| place(Risk::of_score(score))),
                );
            }
            Op::AdviseWithoutFix(module, score) => {
                let above = format!("1.0.{}", self.modules[*module].newest + 1);
                self.advises(*module, &above, *score, Vec::new()).await?;
            }
            Op::Correct(module) => {
                let Some(fix) = self.modules[*module].newest_fix(true) else {
                    return Ok(());
                };
                let fixed = format!("1.0.{fix}");
                let told = self.modules[*module].advisories.values_mut();
                let mut corrected = Vec::new();
                for record in told.filter(|record| record.fixed_in.is_empty()) {
                    record.affected_versions = Some(format!("<{fixed}"));
                    record.fixed_in = vec![fixed.clone()];
                    record.changed = now * 60;
                    corrected.push(record.clone());
                }
                for record in corrected {
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
            Op::Policy(terms) => {
                let form = PolicyForm {
                    environments: terms.map(form),
                    ..PolicyForm::default()
                };
                sla::change(app, &Actor::System, self.organization, form)
                    .await
                    .map_err(said)?;
                self.model.promises(now, *terms);
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
                Runs::Release(n) => (format!("1.0.{n}"), true, Some(Version::Release(*n))),
                Runs::Disabled(n) => (format!("1.0.{n}"), false, None),
                Runs::Odd => ("whatever".to_owned(), true, Some(Version::Odd)),
                Runs::Dev => ("1.0.x-dev".to_owned(), true, Some(Version::Odd)),
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

    async fn advises(
        &mut self,
        module: usize,
        below: &str,
        score: Option<u8>,
        fixed_in: Vec<String>,
    ) -> Result<(), String> {
        let now = self.house.clock.now().as_second();
        let facts = &mut self.modules[module];
        let place = i64::try_from(self.number * 2 + module).unwrap() * 100;
        let place = place
            + below.rsplit('.').next().unwrap().parse::<i64>().unwrap() * 2
            + i64::from(fixed_in.is_empty());
        let id = format!("SA-CONTRIB-2026-{place}");
        let record = Record {
            id: id.clone(),
            project: facts.name.clone(),
            title: id.clone(),
            kind: String::new(),
            psa: false,
            vector: None,
            score,
            cves: Vec::new(),
            published: facts
                .advisories
                .get(&id)
                .map_or(now, |known| known.published),
            changed: now,
            affected_versions: Some(format!("<{below}")),
            lost_versions: false,
            ranges: None,
            fixed_in,
            url: String::new(),
            nid: Some(place),
            project_nid: None,
            withdrawn: false,
        };
        facts.advisories.insert(id, record.clone());
        let taken = advisories::record(&self.house.app, record).await;
        taken.map(drop).map_err(|error| error.to_string())
    }

    /// drupal.org lists a module as the facts say.
    async fn lists(&self, module: usize) {
        let facts = &self.modules[module];
        let mut project = Project::new(&facts.name, &facts.name, "project_module", &["1.0."]);
        for (number, security, date) in &facts.releases {
            let (version, date) = (format!("1.0.{number}"), date.map_or(0, |date| date * 60));
            project.publish(if *security {
                Release::security(&version, date)
            } else {
                Release::new(&version, date)
            });
        }
        for number in &facts.marked {
            project.mark_insecure(&format!("1.0.{number}"));
        }
        let Document::Stored(history) = parse(project.to_xml().as_bytes()) else {
            panic!("drupal.org writes what can be read");
        };
        let answer = Fetched::Document {
            history: Box::new(history),
            etag: None,
            last_modified: None,
        };
        catalogue::record(&self.house.app, facts.id, answer)
            .await
            .unwrap();
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
                let expected: Vec<String> = self
                    .model
                    .rows(at, module)
                    .iter()
                    .map(ToString::to_string)
                    .collect();
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
                 FROM exposures WHERE site_id = ?1 AND module_id = ?2
                 ORDER BY length(cause), cause, opened_at, known_at, ifnull(closed_at, 0)",
            )?;
            let rows = query.query_map([site, module], |row| row.get(0))?;
            Ok::<_, StoreError>(rows.collect::<rusqlite::Result<_>>()?)
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

impl Facts {
    /// The newest security release that is listed; `advised`: even where an advisory tells of it.
    fn newest_fix(&self, advised: bool) -> Option<u32> {
        let told = |number: u32| {
            let version = vec![format!("1.0.{number}")];
            self.advisories
                .values()
                .any(|record| record.fixed_in == version)
        };
        let fixes = self.releases.iter().filter(|(_, security, _)| *security);
        fixes
            .map(|(number, _, _)| *number)
            .filter(|number| advised || !told(*number))
            .max()
    }
}

fn place(risk: Risk) -> u8 {
    let place = Risk::WORST_FIRST.iter().position(|one| *one == risk);
    u8::try_from(place.unwrap()).unwrap()
}

fn form(terms: Terms) -> TermsForm {
    match terms {
        Terms::Nothing => TermsForm {
            calendar: Some("none".to_owned()),
            ..TermsForm::default()
        },
        Terms::Hours(hours) => TermsForm {
            calendar: Some("calendar".to_owned()),
            hours: hours.map(|hours| Some(i64::from(hours))),
        },
    }
}
