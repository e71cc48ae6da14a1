//! What versions are judged by, made ready and kept in memory: release histories and the advisories of a
//! project. Each is read once, however many versions are judged against it.
//!
//! What is kept is found by its content, never by a number alone: a write that is rolled back gives its
//! number to the next.

use std::sync::Arc;

use moka::sync::Cache;

use crate::domain::advisory::{Advisory, Readings};
use crate::domain::judgement::Evidence;
use crate::domain::prepared::Prepared;
use crate::store::catalogue::Module;
use crate::store::{self, Connection, advisories, publications};

/// Prepared histories and advisories. Cheap to clone; all clones share what is kept.
#[derive(Debug, Clone)]
pub struct Histories {
    prepared: Cache<Vec<u8>, Arc<Prepared>>,
    advisories: Cache<String, Shelf>,
    readings: Cache<(Vec<u8>, Newest), Arc<Readings>>,
}

/// What tells one form of a project's advisories from another.
type Newest = (i64, i64, Vec<u8>);

/// Bytes of readings that are kept.
const ROOM: u64 = 2 << 20;

/// The advisories of a project as of the newest form of any of them.
#[derive(Debug, Clone)]
struct Shelf {
    newest: Newest,
    advisories: Arc<[Advisory]>,
}

impl Default for Histories {
    fn default() -> Self {
        Self {
            prepared: Cache::new(1_000),
            advisories: Cache::new(1_000),
            readings: Cache::builder()
                .weigher(|_, kept: &Arc<Readings>| {
                    u32::try_from(kept.size().saturating_add(200)).unwrap_or(u32::MAX)
                })
                .max_capacity(ROOM)
                .build(),
        }
    }
}

/// What the versions of one module are judged by, held together.
#[derive(Debug, Clone)]
pub struct Grounds {
    history: Option<Arc<Prepared>>,
    advisories: Arc<[Advisory]>,
    readings: Option<Arc<Readings>>,
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
            readings: self.readings.as_deref(),
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
        let history = match module.publication_id {
            Some(id) => Some(self.hashed(db, id)?),
            None => None,
        };
        let shelf = if module.is_project() {
            self.shelf(db, &module.name)?
        } else {
            None
        };
        let readings = match (&history, &shelf) {
            (Some((hash, history)), Some(shelf)) => {
                let key = (hash.clone(), shelf.newest.clone());
                let (releases, advisories) = (history.releases().len(), shelf.advisories.len());
                let unread = || Arc::new(Readings::new(releases, advisories));
                Some(self.readings.get_with(key, unread))
            }
            _ => None,
        };
        Ok(Grounds {
            history: history.map(|(_, history)| history),
            advisories: shelf.map_or_else(|| Arc::new([]) as Arc<[_]>, |shelf| shelf.advisories),
            readings,
        })
    }

    /// The release history of a publication.
    ///
    /// # Errors
    /// What the store says.
    pub fn history(&self, db: &Connection, publication_id: i64) -> store::Result<Arc<Prepared>> {
        Ok(self.hashed(db, publication_id)?.1)
    }

    /// The release history of a publication, and the hash of its content.
    fn hashed(
        &self,
        db: &Connection,
        publication_id: i64,
    ) -> store::Result<(Vec<u8>, Arc<Prepared>)> {
        let hash = publications::newest_hash(db, publication_id)?.unwrap_or_default();
        if let Some(known) = self.prepared.get(&hash) {
            return Ok((hash, known));
        }
        let prepared = Arc::new(Prepared::new(&publications::document(db, publication_id)?));
        self.prepared.insert(hash.clone(), Arc::clone(&prepared));
        Ok((hash, prepared))
    }

    fn shelf(&self, db: &Connection, project: &str) -> store::Result<Option<Shelf>> {
        let Some(newest) = advisories::newest(db, project)? else {
            return Ok(None);
        };
        if let Some(shelf) = self.advisories.get(project)
            && shelf.newest == newest
        {
            return Ok(Some(shelf));
        }
        let records = advisories::standing(db, project)?;
        let shelf = Shelf {
            newest,
            advisories: records.iter().map(Advisory::of).collect(),
        };
        self.advisories.insert(project.to_owned(), shelf.clone());
        Ok(Some(shelf))
    }
}
