//! Release histories, prepared for judging and kept in memory: each is read once, however many
//! versions are judged against it.

use std::sync::Arc;

use moka::sync::Cache;

use crate::domain::prepared::Prepared;
use crate::store::{self, Connection, catalogue};

/// Prepared histories by publication. Cheap to clone; all clones share what is kept.
#[derive(Debug, Clone)]
pub struct Histories(Cache<i64, Arc<Prepared>>);

impl Default for Histories {
    fn default() -> Self {
        Self(Cache::new(1_000))
    }
}

impl Histories {
    /// The history of a publication.
    ///
    /// # Errors
    /// What the store says.
    pub fn get(&self, db: &Connection, publication_id: i64) -> store::Result<Arc<Prepared>> {
        if let Some(known) = self.0.get(&publication_id) {
            return Ok(known);
        }
        let prepared = Arc::new(Prepared::new(&catalogue::document(db, publication_id)?));
        self.0.insert(publication_id, Arc::clone(&prepared));
        Ok(prepared)
    }
}
