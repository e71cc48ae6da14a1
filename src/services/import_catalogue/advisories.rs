//! Advisories that somebody carried here. A listing names projects by their numbers only: other files, or
//! what is held already, tell the names.

use std::collections::HashMap;

use super::{CarriedAdvisory, Report};
use crate::app::App;
use crate::domain::advisory::{Record, file};
use crate::services::Result;
use crate::services::advisories::{self as publications, Taken};
use crate::store::{advisories, advisory_feed};

/// Reads a file; what is of no use in it is named in the report.
pub(super) fn read(path: &str, bytes: &[u8], report: &mut Report) -> Vec<CarriedAdvisory> {
    let told = match file::read(bytes) {
        Ok(told) => told,
        Err(why) => {
            report.leave(path, why);
            return Vec::new();
        }
    };
    let mut carried = Vec::new();
    for told in told {
        let place = match told.which.as_str() {
            "" => path.to_owned(),
            which => format!("{path}, {which}"),
        };
        match told.node {
            Ok(node) => carried.push(CarriedAdvisory { place, node }),
            Err(why) => match told.forgotten {
                None => report.leave(&place, &why.to_string()),
                Some(projects) => report.forget(&place, &why.to_string(), &projects),
            },
        }
    }
    carried
}

/// Advisories that wait for the name of their project until everything was read.
#[derive(Default)]
pub(super) struct Unnamed {
    names: HashMap<i64, String>,
    waiting: Vec<CarriedAdvisory>,
}

impl Unnamed {
    /// Gives an advisory back at once where it names its project.
    pub(super) fn keep_back(&mut self, carried: CarriedAdvisory) -> Option<CarriedAdvisory> {
        let record = &carried.node.record;
        if record.project.is_empty() {
            self.waiting.push(carried);
            return None;
        }
        if let Some(nid) = record.project_nid {
            self.names.insert(nid, record.project.clone());
        }
        Some(carried)
    }

    /// All that waited, with the names that other files told.
    pub(super) fn name(self) -> Vec<CarriedAdvisory> {
        let mut waiting = self.waiting;
        for CarriedAdvisory { node, .. } in &mut waiting {
            let name = node.record.project_nid.and_then(|nid| self.names.get(&nid));
            node.record.project = name.cloned().unwrap_or_default();
        }
        waiting
    }
}

/// Takes one advisory.
///
/// # Errors
/// What the store says.
pub(super) async fn take(app: &App, carried: CarriedAdvisory, report: &mut Report) -> Result<()> {
    let CarriedAdvisory { place, node } = carried;
    let mut record = node.record;
    if record.project.is_empty() {
        let known = match record.project_nid {
            Some(nid) => app
                .store
                .read(|db| advisory_feed::project_of_node(db, nid))?,
            None => None,
        };
        let Some(project) = known else {
            let number = record.project_nid.unwrap_or_default();
            report.leave(
                &place,
                &format!("names its project by a number only ({number})"),
            );
            return Ok(());
        };
        record.project = project;
    }
    if !node.published {
        let held = app.store.read(|db| advisories::held(db, &record.id))?;
        let Some(held) = held else {
            report.leave(&place, "not published");
            return Ok(());
        };
        record = Record {
            withdrawn: true,
            ..held.record
        };
    }
    let project = record.project.clone();
    match publications::record(app, record).await? {
        Taken::New | Taken::Changed => report.advisories_taken += 1,
        Taken::Known => report.advisories_unchanged += 1,
        Taken::Claimed => report.forget(&place, publications::CLAIMED, &[project]),
    }
    Ok(())
}
