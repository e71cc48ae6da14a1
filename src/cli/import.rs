//! `dewline import`: sites in bulk, and release histories and advisories for a box without internet.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Subcommand;

use crate::config::Config;
use crate::services::import_catalogue::{self, Report};

use super::orders::{self, Desk, Order};
use super::{Outcome, Stopped, print};

/// The largest list that is read.
const LARGEST: u64 = 8 << 20;

/// What can be taken in.
#[derive(Debug, Subcommand)]
pub enum Import {
    /// Make the sites of a CSV file (- is standard input); prints it again with their keys
    ///
    /// The first line names the columns: name, url, organization, environment, tags,
    /// sync_interval_minutes. An organization that isn't there is made. Whole or not at all.
    Sites {
        /// The list
        file: PathBuf,
    },
    /// Take in release histories and advisories: a folder or a .tar.gz, for a box without internet
    ///
    /// Read are release-history/PROJECT/current, release-history/PROJECT.xml and advisories/*.json
    /// (OSV documents, nodes of api-d7, or listings of them). May run while `dewline serve` does.
    /// What is of no use is named and left. Fails in the end where an OSV document was left that may
    /// count against what sites run.
    Catalogue {
        /// The folder or the archive
        path: PathBuf,
    },
}

/// Reads what is named and has it taken in.
pub fn run(config: Config, import: Import) -> Outcome {
    match import {
        Import::Sites { file } => sites(config, &file),
        Import::Catalogue { path } => catalogue(config, &path),
    }
}

fn catalogue(config: Config, path: &Path) -> Outcome {
    let desk = Desk::open(config)?;
    let mut report = Report::default();
    let read = import_catalogue::read(path, &mut |handful| match desk
        .give(Order::TakeCatalogue { handful })
    {
        Ok((said, _)) => {
            report.add(serde_json::from_str(&said).map_err(|error| error.to_string())?);
            Ok(())
        }
        Err(Stopped::Failed(why) | Stopped::Usage(why)) => Err(why),
        Err(Stopped::Configuration(_)) => Err("the configuration cannot be used".to_owned()),
    })
    .map_err(Stopped::Failed)?;
    report.add(read);
    for left in &report.left {
        eprintln!("left: {left}");
    }
    let unnamed = report.left_in_all.saturating_sub(report.left.len() as u64);
    if unnamed > 0 {
        eprintln!("left: {unnamed} more");
    }
    print(&format!(
        "release histories: {} taken, {} as they were, {} unknown to drupal.org\n\
         advisories: {} taken, {} as they were\n\
         {} left\n",
        report.taken,
        report.unchanged,
        report.absent,
        report.advisories_taken,
        report.advisories_unchanged,
        report.left_in_all
    ));
    outcome(path, &report)
}

/// What was carried is taken by now; whether something is missing of it that somebody must see to.
fn outcome(path: &Path, report: &Report) -> Outcome {
    let forgotten = report.advisories_forgotten;
    match &report.cut_short {
        Some(why) => Err(Stopped::Failed(format!("{}: {why}", path.display()))),
        None if report.good() == 0 => Err(Stopped::Failed(format!(
            "{}: neither a release history nor an advisory was found there",
            path.display()
        ))),
        None if forgotten > 0 => Err(Stopped::Failed(format!(
            "{}: {forgotten} of the advisories left may count against what sites run; no verdict knows of them",
            path.display()
        ))),
        None => Ok(()),
    }
}

fn sites(config: Config, file: &Path) -> Outcome {
    let mut list = Vec::new();
    let read = if file.as_os_str() == "-" {
        std::io::stdin()
            .lock()
            .take(LARGEST + 1)
            .read_to_end(&mut list)
    } else {
        std::fs::File::open(file).and_then(|open| open.take(LARGEST + 1).read_to_end(&mut list))
    };
    read.map_err(|error| Stopped::Failed(format!("{}: {error}", file.display())))?;
    if list.len() as u64 > LARGEST {
        return Err(Stopped::Failed(format!(
            "{}: larger than 8 MiB",
            file.display()
        )));
    }
    orders::give(config, Order::ImportSites { list })
}
