//! `dewline import`: sites in bulk.

use std::io::Read;
use std::path::PathBuf;

use clap::Subcommand;

use crate::config::Config;

use super::orders::{self, Order};
use super::{Outcome, Stopped};

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
}

/// Reads the file and has it taken in.
pub fn run(config: Config, import: Import) -> Outcome {
    let Import::Sites { file } = import;
    let mut list = Vec::new();
    let read = if file.as_os_str() == "-" {
        std::io::stdin()
            .lock()
            .take(LARGEST + 1)
            .read_to_end(&mut list)
    } else {
        std::fs::File::open(&file).and_then(|open| open.take(LARGEST + 1).read_to_end(&mut list))
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
