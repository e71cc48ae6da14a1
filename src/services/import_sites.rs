//! Sites in bulk: a list becomes sites with a key each, whole or not at all.
//!
//! An organization that the list names and that isn't there is made, by whoever may make
//! organizations. Within one organization's wall the list may name only that one, or none.

use std::collections::HashMap;

use serde_json::json;

use super::{Error, Result, api_keys, audit, key_makers};
use crate::app::App;
use crate::domain::access::{Actor, Permission, Sight};
use crate::domain::api_key::{ApiKeyFacts, ApiKeyForm};
use crate::domain::credentials::KeyText;
use crate::domain::fault::Fault;
use crate::domain::organization::OrganizationFacts;
use crate::domain::site::SiteFacts;
use crate::domain::site_list::{self, COLUMNS, Line};
use crate::domain::text::harmless;
use crate::store::api_keys::NewApiKey;
use crate::store::audit::{Entry, append};
use crate::store::{Connection, Lane, api_keys as keys, organizations, sites};

/// A site that was made, with its key.
#[derive(Debug, Clone)]
pub struct ImportedSite {
    /// Its id.
    pub id: i64,
    /// Its organization's name.
    pub organization: String,
    /// What the list said of it.
    pub facts: SiteFacts,
    /// The whole key: shown here and never again.
    pub key: String,
}

/// What an import made.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The sites, in the order of the list.
    pub sites: Vec<ImportedSite>,
    /// The names of organizations that weren't there.
    pub organizations_made: Vec<String>,
}

impl Imported {
    /// The list again with each site's id and key: what the sites need to be connected.
    pub fn to_csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        // Writing into memory cannot fail.
        let _ = writer.write_record(COLUMNS.iter().chain(&["site_id", "api_key"]));
        for site in &self.sites {
            let facts = &site.facts;
            let _ = writer.write_record([
                harmless(&facts.name).into_owned(),
                facts.url.clone(),
                harmless(&site.organization).into_owned(),
                facts.environment.to_owned(),
                harmless(&facts.tags.join(", ")).into_owned(),
                facts.sync_interval_minutes.to_string(),
                site.id.to_string(),
                site.key.clone(),
            ]);
        }
        String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
    }
}

/// Makes all sites of a list (the form is [`site_list::parse`]'s).
///
/// # Errors
/// [`Error::Invalid`] with everything that is wrong, by line; then nothing was made.
pub async fn import(app: &App, actor: &Actor, list: &[u8]) -> Result<Imported> {
    let sight = actor.require(Permission::SitesWrite)?;
    let sight = sight.and(&actor.require(Permission::ApiKeysManage)?);
    let lines = site_list::parse(list).map_err(Error::Invalid)?;
    let now = app.clock.now();
    let facts = ApiKeyForm {
        name: Some("Imported".to_owned()),
        ..ApiKeyForm::default()
    }
    .check(true, None, now)
    .map_err(Error::Invalid)?;
    let mut planned = Vec::with_capacity(lines.len());
    for line in lines {
        planned.push((line, api_keys::fresh(app)?));
    }
    let maker = actor.clone();
    let mut making = Making {
        sight,
        may_make_organizations: actor
            .require_platform(Permission::OrganizationsManage)
            .is_ok(),
        by: actor.label(),
        learner: String::new(),
        now,
        facts,
        organization_made: audit::entry(app, actor, "organization.created"),
        site_made: audit::entry(app, actor, "site.created"),
        key_made: audit::entry(app, actor, "api_key.created"),
    };
    app.store
        .write(Lane::Front, move |db| {
            key_makers::may_make(db, &maker)?;
            making.learner = key_makers::learner(db, &maker)?;
            making.all(db, planned)
        })
        .await
}

/// What every line needs.
struct Making {
    /// Where the caller may make sites and their keys.
    sight: Sight,
    may_make_organizations: bool,
    by: String,
    /// Who learns the keys' secrets.
    learner: String,
    now: jiff::Timestamp,
    facts: ApiKeyFacts,
    organization_made: Entry,
    site_made: Entry,
    key_made: Entry,
}

impl Making {
    fn all(&self, db: &Connection, planned: Vec<(Line, KeyText)>) -> Result<Imported> {
        let mut faults = Vec::new();
        let mut homes = HashMap::new();
        let mut made = Imported {
            sites: Vec::with_capacity(planned.len()),
            organizations_made: Vec::new(),
        };
        for (line, key) in planned {
            let name = line.organization.clone();
            let found = match homes.get(&name) {
                Some(home) => Ok(*home),
                None => self.organization(db, &line, &mut made.organizations_made)?,
            };
            match found {
                Ok(home) => {
                    homes.insert(name, home);
                    match self.one(db, home, line, &key)? {
                        Ok(site) => made.sites.push(site),
                        Err(fault) => faults.push(fault),
                    }
                }
                Err(fault) => faults.push(fault),
            }
        }
        if faults.is_empty() {
            Ok(made)
        } else {
            Err(Error::Invalid(faults))
        }
    }

    /// The organization of a line: found, or made where that may be.
    fn organization(
        &self,
        db: &Connection,
        line: &Line,
        made: &mut Vec<String>,
    ) -> Result<std::result::Result<i64, Fault>> {
        let wrong =
            |code, detail: &str| Ok(Err(Fault::new(line.place("organization"), code, detail)));
        let Some(name) = &line.organization else {
            return match self.sight.only_organization() {
                Some(home) => Ok(Ok(home)),
                None => wrong("required", "is required: whose site is it?"),
            };
        };
        let found = organizations::find_named(db, name)?;
        match found {
            Some(id) if self.sight.sees_organization(id) => Ok(Ok(id)),
            _ if self.sight.only_organization().is_some() => wrong(
                "not_yours",
                "is not your organization; leave the cell empty.",
            ),
            _ if !self.may_make_organizations => {
                wrong("not_yours", "is not one of your organizations.")
            }
            _ => {
                let mut faults = Vec::new();
                let checked = crate::domain::form::line(Some(name), "/", 120, &mut faults);
                let Some(name) = checked else {
                    let why = faults
                        .first()
                        .map_or("cannot be used.", |f| f.detail.as_str());
                    return wrong("invalid", why);
                };
                made.push(name.clone());
                Ok(Ok(self.make_organization(db, name)?))
            }
        }
    }

    fn make_organization(&self, db: &Connection, name: String) -> Result<i64> {
        let notes = String::new();
        let after = json!({ "name": name });
        let facts = OrganizationFacts {
            name,
            notes,
            second_factor_from: None,
        };
        let id = organizations::insert(db, &facts, &self.by, self.now)?;
        let entry = self.organization_made.clone().after(after);
        append(db, &entry.subject("organization", id).organization(id))?;
        Ok(id)
    }

    fn one(
        &self,
        db: &Connection,
        home: i64,
        line: Line,
        key: &KeyText,
    ) -> Result<std::result::Result<ImportedSite, Fault>> {
        let id = match sites::insert(db, home, &line.facts, &self.by, self.now) {
            Ok(id) => id,
            Err(error) if error.is_constraint() => {
                return Ok(Err(Fault::new(
                    line.place("name"),
                    "name_taken",
                    "is the name of a site that is there already, in that organization and environment.",
                )));
            }
            Err(error) => return Err(error.into()),
        };
        let site = sites::find(db, id)?.ok_or(Error::NotFound)?;
        let of_site = |entry: &Entry| entry.clone().organization(home).site(id);
        let entry = of_site(&self.site_made).after(super::sites::shown(&site));
        append(db, &entry.subject("site", id))?;
        let new = NewApiKey {
            site_id: Some(id),
            organization_id: home,
            prefix: key.prefix().to_owned(),
            secret_hash: key.hash(),
            secret_by: self.learner.clone(),
            facts: self.facts.clone(),
        };
        let key_id = keys::insert(db, &new, self.now, &self.by)?;
        let entry =
            of_site(&self.key_made).after(json!({ "name": new.facts.name, "prefix": new.prefix }));
        append(db, &entry.subject("api_key", key_id))?;
        Ok(Ok(ImportedSite {
            id,
            organization: site.organization,
            facts: line.facts,
            key: key.reveal().to_owned(),
        }))
    }
}
