//! The rows of security updates: one for each window, in the order of their opening. What many windows
//! share, such as the name of their site, is read once on the way.

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::report::{Asked, Cell, Row};
use crate::services::{Error, Result};
use crate::store::Connection;
use crate::store::reports::{self as store, Named, Narrowed, Update};

/// Windows in a chunk.
const WINDOWS: u32 = 1_000;
/// Names, words and fixes that are remembered on the way.
const REMEMBERED: usize = 50_000;
/// Which cell tells the advisories.
const ADVISORIES: usize = 6;

/// How far the walk has come.
#[derive(Debug)]
pub struct Updates {
    /// After that window: opened at, id.
    after: (i64, i64),
    known: Known,
}

impl Updates {
    /// From the first window that opened then or later.
    pub fn since(from: i64) -> Self {
        Self {
            after: (from, 0),
            known: Known::default(),
        }
    }

    /// The next rows; `None` at the end. Times in milliseconds.
    ///
    /// # Errors
    /// What the store says.
    pub fn rows(
        &mut self,
        db: &Connection,
        narrowed: &Narrowed,
        asked: &Asked,
        now: i64,
    ) -> Result<Option<Vec<Row>>> {
        self.known.forget();
        let (after, known) = (self.after, &mut self.known);
        let mut last = None;
        let mut ids = Vec::new();
        let mut rows: Vec<Row> = Vec::new();
        store::updates(db, narrowed, after, asked.to, WINDOWS, |update| {
            last = Some((update.opened_at, update.id));
            ids.push(update.id);
            rows.push(known.row(db, &update, now)?);
            Ok::<(), Error>(())
        })?;
        let Some(last) = last else {
            return Ok(None);
        };
        self.after = last;
        let mut explained: Vec<Vec<Arc<str>>> = vec![Vec::new(); rows.len()];
        for (place, advisory) in store::advisories(db, &ids)? {
            let explained = usize::try_from(place)
                .ok()
                .and_then(|at| explained.get_mut(at));
            if let Some(names) = explained {
                names.extend(known.name(db, Named::Advisory, advisory)?);
            }
        }
        for (row, mut names) in rows.iter_mut().zip(explained) {
            names.sort_unstable();
            if let Some(cell) = row.get_mut(ADVISORIES) {
                *cell = Cell::Texts(names.into());
            }
        }
        Ok(Some(rows))
    }
}

/// What was read on the way.
#[derive(Debug, Default)]
struct Known {
    names: HashMap<(Named, i64), Option<Arc<str>>>,
    words: HashMap<Box<str>, Arc<str>>,
}

impl Known {
    /// What is remembered has an end.
    fn forget(&mut self) {
        if self.names.len() + self.words.len() > REMEMBERED {
            *self = Self::default();
        }
    }

    fn name(&mut self, db: &Connection, of: Named, id: i64) -> Result<Option<Arc<str>>> {
        if let Some(name) = self.names.get(&(of, id)) {
            return Ok(name.clone());
        }
        let name: Option<Arc<str>> = store::name(db, of, id)?.map(Into::into);
        self.names.insert((of, id), name.clone());
        Ok(name)
    }

    fn word(&mut self, word: &str) -> Arc<str> {
        if let Some(known) = self.words.get(word) {
            return Arc::clone(known);
        }
        let known: Arc<str> = word.into();
        self.words.insert(word.into(), Arc::clone(&known));
        known
    }

    fn row(&mut self, db: &Connection, update: &Update<'_>, now: i64) -> Result<Row> {
        let state = match (update.outcome, update.due_at) {
            (Some(outcome), _) => outcome,
            (None, Some(due)) if due < now => "overdue",
            (None, _) => "open",
        };
        Ok(vec![
            Cell::maybe(self.name(db, Named::Site, update.site_id)?),
            Cell::maybe(self.name(db, Named::Organization, update.organization_id)?),
            Cell::Text(self.word(update.environment)),
            Cell::maybe(self.name(db, Named::Module, update.module_id)?),
            Cell::maybe(self.name(db, Named::Version, update.version_id)?),
            Cell::Texts(update.fix().map(|fix| self.word(fix)).into_iter().collect()),
            Cell::Empty,
            Cell::maybe(update.risk.map(|risk| self.word(risk))),
            Cell::Time(update.opened_at),
            Cell::maybe_time(update.due_at),
            Cell::maybe_time(update.closed_at),
            Cell::Text(self.word(state)),
            Cell::Whole(update.id),
            Cell::Whole(update.site_id),
        ])
    }
}
