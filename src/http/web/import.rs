//! Sites in bulk: a file goes in, and comes back with the sites' keys, once.

use super::overview::natural;
use super::upload::file_of;
use super::view::fleet::{ImportLine, ImportPage, ImportResult};
use super::visit::{Handler, Reply, Visit};
use crate::domain::fault::Fault;
use crate::services::import_sites::{Imported, import};
use crate::services::{Error, Result};

/// `GET /sites/import`.
pub const ASK: Handler = |visit| Box::pin(ask(visit));
/// `POST /sites/import`.
pub const TAKE: Handler = |visit| Box::pin(take(visit));

async fn ask(visit: Visit) -> Result<Reply> {
    page(&visit, None, None).await
}

async fn page(visit: &Visit, result: Option<ImportResult>, error: Option<String>) -> Result<Reply> {
    Reply::page(&ImportPage {
        shell: visit.shell("Import sites").await?,
        result,
        error,
    })
}

/// The keys are in this answer and nowhere else: it is not led to another page.
async fn take(visit: Visit) -> Result<Reply> {
    let file = file_of(&visit.media, &visit.body, "file").filter(|file| !file.is_empty());
    let Some(file) = file else {
        return Ok(page(&visit, None, Some("Choose a file.".to_owned()))
            .await?
            .status(422));
    };
    match import(&visit.app, visit.actor()?, file).await {
        Ok(imported) => page(&visit, Some(made(&imported)), None).await,
        Err(Error::Invalid(faults)) => Ok(page(&visit, Some(refused(&faults)), None)
            .await?
            .status(422)),
        Err(other) => Err(other),
    }
}

fn made(imported: &Imported) -> ImportResult {
    ImportResult {
        made: imported.sites.len() as u64,
        lines: Vec::new(),
        csv: imported.to_csv(),
    }
}

/// What is wrong, by line; faults stand at `/lines/N/column`.
fn refused(faults: &[Fault]) -> ImportResult {
    let mut lines: Vec<ImportLine> = Vec::new();
    for fault in faults {
        let mut place = fault.pointer.trim_start_matches("/lines/").split('/');
        let line = place
            .next()
            .and_then(|number| number.parse().ok())
            .map_or(0, natural);
        let said = match place.next() {
            Some(column) => format!("{column} {}", fault.detail),
            None => fault.detail.clone(),
        };
        match lines.iter_mut().find(|known| known.line == line) {
            Some(known) => known.faults.push(said),
            None => lines.push(ImportLine {
                line,
                faults: vec![said],
            }),
        }
    }
    ImportResult {
        made: 0,
        lines,
        csv: String::new(),
    }
}
