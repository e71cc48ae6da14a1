//! Reports: a walk through what is asked for, chunk by chunk. Each chunk is a read of its own, so that
//! no report holds the store, however long it is, and never more than a chunk is in memory.

mod modules;
mod updates;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use self::modules::{Modules, Unknown};
use self::updates::Updates;
use super::{Error, Result, platforms};
use crate::app::App;
use crate::domain::access::{Actor, Denied, Permission, Sight};
use crate::domain::exposure::Outcome;
use crate::domain::figures::{self, Compliance};
use crate::domain::listing::Format;
use crate::domain::report::{
    Asked, Cell, DAY, END_OF_LIFE, Filter, HISTORICAL, MODULE_UPDATES, RISK_WORDS, Report, Row,
    SECURITY_UPDATES, SLA_COMPLIANCE, date_of, day_of, start_of,
};
use crate::store::Connection;
use crate::store::named_sites;
use crate::store::reports::{self as store, Narrowed};

/// Where the caller may have a report: where he may see reports, and for a file also export them.
///
/// # Errors
/// [`Error::Forbidden`].
pub fn sight(actor: &Actor, format: Format) -> Result<Sight> {
    let sees = actor.require(Permission::ReportsRead)?;
    if format == Format::Json {
        return Ok(sees);
    }
    let exports = actor.require(Permission::ReportsExport)?;
    let both: Arc<[i64]> = match (sees.organizations(), exports.organizations()) {
        (None, _) => return Ok(exports),
        (_, None) => return Ok(sees),
        (Some(seen), Some(_)) => {
            let both = seen.iter().copied();
            both.filter(|one| exports.sees_organization(*one)).collect()
        }
    };
    if both.is_empty() {
        return Err(Denied(Permission::ReportsExport).into());
    }
    Ok(Sight::Organizations(both))
}

/// Where a report reads. A file never lacks an organization that its page shows: whoever may not take
/// all that he sees along names one of which he may.
fn asked_of(actor: &Actor, asked: &Asked) -> Result<Sight> {
    let taken = sight(actor, asked.format)?;
    let sees = actor.require(Permission::ReportsRead)?;
    let left_out = |one: i64| sees.sees_organization(one) && !taken.sees_organization(one);
    if let Some(one) = asked.organization_id {
        return match left_out(one) {
            true => Err(Denied(Permission::ReportsExport).into()),
            false => Ok(taken),
        };
    }
    let all = match (sees.organizations(), taken.organizations()) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(seen), Some(_)) => seen.iter().all(|one| !left_out(*one)),
    };
    if all {
        return Ok(taken);
    }
    let why = "the permission reports:export is missing in some of your organizations; name one that has it as organization_id";
    Err(Error::Forbidden(why.to_owned()))
}

/// A report on its way.
#[derive(Debug)]
pub struct Walk {
    app: Arc<App>,
    narrowed: Narrowed,
    asked: Asked,
    as_of: Timestamp,
    unknown: Vec<Unknown>,
    step: Step,
}

/// Where it stands.
#[derive(Debug)]
enum Step {
    /// Window by window.
    Updates(Updates),
    /// The months still to come, the last one first.
    Months(Vec<(String, i64, i64)>),
    /// Version by version; nothing before the first one.
    Modules(Option<Modules>),
    /// Everything at once.
    Whole(fn(&Walk, &Connection) -> Result<Vec<Row>>),
    /// At its end.
    Done,
}

/// Sets out.
///
/// # Errors
/// [`Error::Forbidden`], also for a file of all organizations where some may not be exported.
pub fn begin(app: &Arc<App>, actor: &Actor, report: &'static Report, asked: Asked) -> Result<Walk> {
    let sight = asked_of(actor, &asked)?;
    let step = if *report == SECURITY_UPDATES {
        Step::Updates(Updates::since(asked.from))
    } else if *report == SLA_COMPLIANCE {
        Step::Months(asked.months().into_iter().rev().collect())
    } else if *report == MODULE_UPDATES {
        Step::Modules(None)
    } else if *report == HISTORICAL {
        Step::Whole(Walk::days)
    } else if *report == END_OF_LIFE {
        Step::Whole(Walk::platforms)
    } else {
        Step::Done
    };
    Ok(Walk {
        app: Arc::clone(app),
        narrowed: Narrowed::new(&sight, &asked),
        asked,
        as_of: app.clock.now(),
        unknown: Vec::new(),
        step,
    })
}

/// The next rows, read away from the threads that answer; `None` at the end. Rows can be none in between.
///
/// # Errors
/// What the store says.
pub async fn next(mut walk: Walk) -> Result<(Walk, Option<Vec<Row>>)> {
    away(move || {
        let rows = walk.rows()?;
        Ok((walk, rows))
    })
    .await
}

impl Walk {
    /// What was asked.
    pub fn asked(&self) -> &Asked {
        &self.asked
    }

    /// When it set out.
    pub fn as_of(&self) -> Timestamp {
        self.as_of
    }

    /// Modules of which nobody could tell, once the first rows were read.
    pub fn unknown(&self) -> &[Unknown] {
        &self.unknown
    }

    fn rows(&mut self) -> Result<Option<Vec<Row>>> {
        let app = Arc::clone(&self.app);
        let step = std::mem::replace(&mut self.step, Step::Done);
        app.store.read(|db| match step {
            Step::Updates(on) => self.updates(db, on),
            Step::Months(months) => self.month(db, months),
            Step::Modules(on) => self.modules(db, on),
            Step::Whole(read) => read(self, db).map(Some),
            Step::Done => Ok(None),
        })
    }

    fn updates(&mut self, db: &Connection, mut on: Updates) -> Result<Option<Vec<Row>>> {
        let now = self.as_of.as_millisecond();
        let rows = on.rows(db, &self.narrowed, &self.asked, now)?;
        self.step = Step::Updates(on);
        Ok(rows)
    }

    fn month(
        &mut self,
        db: &Connection,
        mut months: Vec<(String, i64, i64)>,
    ) -> Result<Option<Vec<Row>>> {
        let Some((name, from, until)) = months.pop() else {
            return Ok(None);
        };
        let now = self.as_of.as_millisecond();
        let mut found: BTreeMap<i64, Promised> = BTreeMap::new();
        store::due(db, &self.narrowed, (from, until), |due| {
            found
                .entry(due.organization_id)
                .or_default()
                .count(&due, now);
        })?;
        let ids: Vec<i64> = found.keys().copied().collect();
        let mut rows = Vec::with_capacity(ids.len());
        for (id, organization) in store::organizations(db, &ids)? {
            let promised = found.remove(&id).unwrap_or_default();
            rows.push(promised.row(&name, id, organization));
        }
        self.step = Step::Months(months);
        Ok(Some(rows))
    }

    fn modules(&mut self, db: &Connection, on: Option<Modules>) -> Result<Option<Vec<Row>>> {
        let mut on = match on {
            Some(on) => on,
            None => {
                // Only a time that is over leaves something out.
                let until = Some(self.asked.to).filter(|to| *to <= self.as_of.as_millisecond());
                let on = Modules::begin(db, &self.narrowed, until)?;
                self.unknown = on.unknown(db, &self.narrowed)?;
                on
            }
        };
        let rows = on.rows(db, &self.narrowed)?;
        self.step = Step::Modules(Some(on));
        Ok(rows)
    }

    fn days(&self, db: &Connection) -> Result<Vec<Row>> {
        let (first, last) = self.asked.days();
        let last = last.min(day_of(self.as_of.as_millisecond()));
        let moved = self.moved(db, last)?;
        let counted = if self.narrowed.to_few() || self.narrowed.risk().is_some() {
            BTreeMap::new()
        } else {
            let days = store::snapshots(db, &self.narrowed, (first, last))?;
            days.into_iter()
                .map(|(day, sites, exposed, not_current)| (day, (sites, exposed, not_current)))
                .collect()
        };
        let recorded = [moved.keys().next(), counted.keys().next()];
        let Some(begins) = recorded.into_iter().flatten().min() else {
            return Ok(Vec::new());
        };
        let before = moved
            .range(..first)
            .map(|(_, (opened, closed))| opened - closed);
        let mut open: i64 = before.sum();
        let mut rows = Vec::new();
        for day in first.max(*begins)..=last {
            let (opened, closed) = moved.get(&day).copied().unwrap_or_default();
            open += opened - closed;
            let counted = counted.get(&day);
            rows.push(vec![
                Cell::text(date_of(DAY * day).to_string()),
                Cell::maybe_whole(counted.map(|(sites, ..)| *sites)),
                Cell::maybe_whole(counted.map(|(_, exposed, _)| *exposed)),
                Cell::Whole(open),
                Cell::Whole(opened),
                Cell::Whole(closed),
                Cell::maybe_whole(counted.map(|(.., not_current)| *not_current)),
            ]);
        }
        Ok(rows)
    }

    /// Windows opened and closed by day, up to the last one.
    fn moved(&self, db: &Connection, last: i64) -> Result<BTreeMap<i64, (i64, i64)>> {
        let mut moved: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
        if self.narrowed.to_few() {
            let until = start_of(date_of(DAY * (last + 1)));
            store::spans(db, &self.narrowed, until, |opened, closed| {
                moved.entry(day_of(opened)).or_default().0 += 1;
                if let Some(closed) = closed.map(day_of).filter(|closed| *closed <= last) {
                    moved.entry(closed).or_default().1 += 1;
                }
            })?;
            return Ok(moved);
        }
        for (_, day, opened, closed) in store::days(db, &self.narrowed, last)? {
            if (opened, closed) != (0, 0) {
                let day = moved.entry(day).or_default();
                *day = (day.0 + opened, day.1 + closed);
            }
        }
        Ok(moved)
    }

    fn platforms(&self, db: &Connection) -> Result<Vec<Row>> {
        platforms::rows(&self.app, db, &self.narrowed, self.as_of)
    }
}

/// What was due in one month, of all organizations together.
#[derive(Debug, Clone)]
pub struct Month {
    /// Its name, `YYYY-MM`.
    pub name: String,
    /// What became of it.
    pub compliance: Compliance,
    /// Half of what was closed took at most so long, milliseconds.
    pub median: Option<i64>,
    /// Nine of ten took at most so long.
    pub p90: Option<i64>,
    /// How long all of it was open, until closed or now.
    pub exposed: i64,
}

/// Month by month, and all of it; read away from the threads that answer.
///
/// # Errors
/// [`Error::Forbidden`].
pub async fn months(app: &Arc<App>, actor: &Actor, asked: &Asked) -> Result<(Vec<Month>, Month)> {
    let narrowed = Narrowed::new(&sight(actor, Format::Json)?, asked);
    let (app, asked) = (Arc::clone(app), asked.clone());
    away(move || {
        let now = app.clock.now().as_millisecond();
        let mut all = Promised::default();
        let mut months = Vec::new();
        for (name, from, until) in asked.months() {
            let mut month = Promised::default();
            app.store.read(|db| {
                store::due(db, &narrowed, (from, until), |due| {
                    month.count(&due, now);
                    all.count(&due, now);
                })
            })?;
            months.push(month.month(name));
        }
        Ok((months, all.month(String::new())))
    })
    .await
}

/// Windows open at the end of each day by risk, worst first, unknown last: (day counted from 1970, open).
/// Nothing where the question is narrowed to what isn't counted by day.
///
/// # Errors
/// [`Error::Forbidden`].
pub async fn open_by_risk(
    app: &Arc<App>,
    actor: &Actor,
    asked: &Asked,
) -> Result<Vec<(i64, [i64; 6])>> {
    let sight = sight(actor, Format::Json)?;
    let (app, asked) = (Arc::clone(app), asked.clone());
    away(move || {
        let (first, last) = asked.days();
        let last = last.min(day_of(app.clock.now().as_millisecond()));
        if Narrowed::new(&sight, &asked).to_few() {
            return Ok(Vec::new());
        }
        let mut moved: BTreeMap<i64, [i64; 6]> = BTreeMap::new();
        let narrowed = Narrowed::new(&sight, &asked);
        for (risk, day, opened, closed) in app.store.read(|db| store::days(db, &narrowed, last))? {
            let at = RISK_WORDS.iter().position(|word| *word == risk);
            let day = moved.entry(day).or_default();
            if let Some(open) = day.get_mut(at.unwrap_or(RISK_WORDS.len() - 1)) {
                *open += opened - closed;
            }
        }
        let Some(begins) = moved.keys().next().copied() else {
            return Ok(Vec::new());
        };
        let mut open = [0; 6];
        let mut days = Vec::new();
        for day in begins..=last {
            for (open, change) in open
                .iter_mut()
                .zip(moved.get(&day).copied().unwrap_or_default())
            {
                *open += change;
            }
            if day >= first {
                days.push((day, open));
            }
        }
        Ok(days)
    })
    .await
}

/// Rows on a page.
pub const PAGE: usize = 200;
/// Rows that can be leafed through; a file has all.
pub const LEAVES: usize = 20_000;

/// One page of a report's rows.
#[derive(Debug)]
pub struct Leaf {
    /// Its rows.
    pub rows: Vec<Row>,
    /// The last row of all.
    pub last: Option<Row>,
    /// All rows; at most [`LEAVES`].
    pub total: usize,
    /// There are more than that.
    pub more: bool,
    /// Modules of which nobody could tell, by name.
    pub unknown: Vec<Unknown>,
}

/// The rows of a page, from 1.
///
/// # Errors
/// What the store says.
pub async fn leaf(mut walk: Walk, page: usize) -> Result<Leaf> {
    let skipped = page.saturating_sub(1).saturating_mul(PAGE);
    let mut leaf = Leaf {
        rows: Vec::new(),
        last: None,
        total: 0,
        more: false,
        unknown: Vec::new(),
    };
    loop {
        let (on, rows) = next(walk).await?;
        walk = on;
        leaf.unknown = walk.unknown().to_vec();
        let Some(rows) = rows else { return Ok(leaf) };
        let left = PAGE.saturating_sub(leaf.rows.len());
        let passed = skipped.saturating_sub(leaf.total);
        leaf.total += rows.len();
        leaf.last = rows.last().cloned().or(leaf.last);
        leaf.rows.extend(rows.into_iter().skip(passed).take(left));
        if leaf.total > LEAVES {
            leaf.total = LEAVES;
            leaf.more = true;
            return Ok(leaf);
        }
    }
}

/// What a question names and nobody has on record among what the caller sees: a module, a tag or a site.
///
/// # Errors
/// [`Error::Forbidden`].
pub async fn not_on_record(app: &Arc<App>, actor: &Actor, asked: &Asked) -> Result<Vec<Filter>> {
    let sight = sight(actor, Format::Json)?;
    let (app, asked) = (Arc::clone(app), asked.clone());
    away(move || {
        app.store.read(|db| {
            let mut missing = Vec::new();
            if let Some(name) = &asked.module
                && !named_sites::any_with_module(db, &sight, name)?
            {
                missing.push(Filter::Module);
            }
            if let Some(tag) = &asked.tag
                && !named_sites::any_with_tag(db, &sight, tag)?
            {
                missing.push(Filter::Tag);
            }
            if let Some(id) = asked.site_id
                && named_sites::one(db, &sight, id)?.is_none()
            {
                missing.push(Filter::Site);
            }
            Ok(missing)
        })
    })
    .await
}

async fn away<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::Internal(error.to_string()))?
}

/// What was due of one organization in one month.
#[derive(Debug, Default)]
struct Promised {
    compliance: Compliance,
    took: Vec<i64>,
    exposed: i64,
}

impl Promised {
    fn count(&mut self, due: &store::Due, now: i64) {
        let outcome = due.outcome.as_deref().and_then(Outcome::from_word);
        self.compliance.count(outcome, due.due_at, now);
        let open = due.closed_at.unwrap_or(now).saturating_sub(due.opened_at);
        if due.closed_at.is_some() {
            self.took.push(open);
        }
        self.exposed = self.exposed.saturating_add(open.max(0));
    }

    fn month(mut self, name: String) -> Month {
        self.took.sort_unstable();
        Month {
            name,
            compliance: self.compliance,
            median: figures::rank(&self.took, 50),
            p90: figures::rank(&self.took, 90),
            exposed: self.exposed,
        }
    }

    fn row(mut self, period: &str, id: i64, organization: String) -> Row {
        self.took.sort_unstable();
        let took = |percent| figures::rank(&self.took, percent).map(figures::hours);
        vec![
            Cell::text(period.to_owned()),
            Cell::text(organization),
            Cell::Whole(self.compliance.due()),
            Cell::Whole(self.compliance.met),
            Cell::Whole(self.compliance.breached),
            Cell::Whole(self.compliance.overdue),
            Cell::maybe_number(self.compliance.share()),
            Cell::maybe_number(took(50)),
            Cell::maybe_number(took(90)),
            Cell::Number(figures::hours(self.exposed)),
            Cell::Whole(id),
        ]
    }
}
