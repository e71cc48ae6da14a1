//! What versions are judged by, made ready and kept in memory: release histories and the advisories of a
//! project. Each is read once, however many versions are judged against it.
//!
//! What is kept is found by its content, never by a number alone: a write that is rolled back gives its
//! number to the next.

use std::sync::Arc;

use moka::sync::Cache;

use crate::domain::advisory::Advisory;
use crate::domain::judgement::Evidence;
use crate::domain::prepared::Prepared;
use crate::store::catalogue::Module;
use crate::store::{self, Connection, advisories, catalogue};

/// Prepared histories and advisories. Cheap to clone; all clones share what is kept.
#[derive(Debug, Clone)]
pub struct Histories {
    prepared: Cache<Vec<u8>, Arc<Prepared>>,
    advisories: Cache<String, Shelf>,
}

/// The advisories of a project as of the newest form of any of them.
#[derive(Debug, Clone)]
struct Shelf {
    newest: (i64, i64, Vec<u8>),
    advisories: Arc<[Advisory]>,
}

impl Default for Histories {
    fn default() -> Self {
        Self {
            prepared: Cache::new(1_000),
            advisories: Cache::new(1_000),
        }
    }
}

/// What the versions of one module are judged by, held together.
#[derive(Debug, Clone)]
pub struct Grounds {
    history: Option<Arc<Prepared>>,
    advisories: Arc<[Advisory]>,
}

impl Grounds {
    /// The evidence about a module.
    pub fn about<'a>(&'a self, module: &'a Module) -> Evidence<'a> {
        Evidence {
            origin: module.origin,
            kind: module.kind,
            project: &module.name,
            feed: module.feed,
            history: self.history.as_deref(),
            advisories: &self.advisories,
        }
    }

    /// The release history, where one is stored.
    pub fn history(&self) -> Option<&Prepared> {
        self.history.as_deref()
    }
}

impl Histories {
    /// What is known of a module now.
    ///
    /// # Errors
    /// What the store says.
    pub fn grounds(&self, db: &Connection, module: &Module) -> store::Result<Grounds> {
        Ok(Grounds {
            history: match module.publication_id {
                Some(id) => Some(self.history(db, id)?),
                None => None,
            },
            advisories: if module.is_project() {
                self.advisories(db, &module.name)?
            } else {
                Arc::new([])
            },
        })
    }

    /// The release history of a publication.
    ///
    /// # Errors
    /// What the store says.
    pub fn history(&self, db: &Connection, publication_id: i64) -> store::Result<Arc<Prepared>> {
        let hash = catalogue::newest_hash(db, publication_id)?.unwrap_or_default();
        if let Some(known) = self.prepared.get(&hash) {
            return Ok(known);
        }
        let prepared = Arc::new(Prepared::new(&catalogue::document(db, publication_id)?));
        self.prepared.insert(hash, Arc::clone(&prepared));
        Ok(prepared)
    }

    fn advisories(&self, db: &Connection, project: &str) -> store::Result<Arc<[Advisory]>> {
        let Some(newest) = advisories::newest(db, project)? else {
            return Ok(Arc::new([]));
        };
        if let Some(shelf) = self.advisories.get(project)
            && shelf.newest == newest
        {
            return Ok(shelf.advisories);
        }
        let records = advisories::standing(db, project)?;
        let advisories: Arc<[Advisory]> = records.iter().map(Advisory::of).collect();
        let shelf = Shelf {
            newest,
            advisories: Arc::clone(&advisories),
        };
        self.advisories.insert(project.to_owned(), shelf);
        Ok(advisories)
    }
}
