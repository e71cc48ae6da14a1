//! What sites stand on, core and PHP, and until when it gets security releases.

use std::collections::HashMap;

use jiff::Timestamp;

use super::Result;
use crate::app::App;
use crate::domain::end_of_life::{self, Support};
use crate::domain::inventory::Origin;
use crate::domain::report::{Cell, Row, date_of};
use crate::store::reports::{self as store, Narrowed};
use crate::store::{Connection, catalogue};

/// Each version and how long it is still supported: what ended or ends first comes first; last, without a
/// version, the sites that reported none.
pub(super) fn rows(
    app: &App,
    db: &Connection,
    narrowed: &Narrowed,
    as_of: Timestamp,
) -> Result<Vec<Row>> {
    let today = date_of(as_of.as_millisecond());
    let publication =
        catalogue::find(db, Origin::Project, 0, "drupal")?.and_then(|core| core.publication_id);
    let history = publication
        .map(|id| app.histories.history(db, id))
        .transpose()?;
    let mut cores: HashMap<String, i64> = HashMap::new();
    let mut branches: HashMap<String, i64> = HashMap::new();
    let (mut no_core, mut no_php) = (0, 0);
    for (core, php, sites) in store::platforms(db, narrowed)? {
        let core = core.map(|core| cores.entry(core).or_default());
        *core.unwrap_or(&mut no_core) += sites;
        // What names no branch is told as it was reported.
        let branch = php.map(|php| end_of_life::php_branch(&php).unwrap_or(php));
        let php = branch.map(|branch| branches.entry(branch).or_default());
        *php.unwrap_or(&mut no_php) += sites;
    }
    let core = cores.into_iter().map(|(version, sites)| {
        let support = end_of_life::core(history.as_deref(), &version, today);
        ("core", version, support, sites)
    });
    let php = branches.into_iter().map(|(branch, sites)| {
        let support = end_of_life::php(&branch, today);
        ("php", branch, support, sites)
    });
    let mut all: Vec<(&str, String, Support, i64)> = core.chain(php).collect();
    all.sort_by(|one, other| {
        let key = |of: &(&'static str, String, Support, i64)| (of.0, end_of_life::by_age(&of.1));
        let ends = one.2.by_end().cmp(&other.2.by_end());
        ends.then_with(|| key(one).cmp(&key(other)))
    });
    let unreported = [("core", no_core), ("php", no_php)];
    let unreported = unreported.into_iter().filter(|(_, sites)| *sites > 0);
    let told = all.into_iter().map(row);
    Ok(told.chain(unreported.map(unreported_row)).collect())
}

fn unreported_row((kind, sites): (&str, i64)) -> Row {
    vec![
        Cell::text(kind.to_owned()),
        Cell::Empty,
        Cell::Empty,
        Cell::text("unknown".to_owned()),
        Cell::Whole(sites),
        Cell::Empty,
    ]
}

fn row((kind, version, support, sites): (&str, String, Support, i64)) -> Row {
    vec![
        Cell::text(kind.to_owned()),
        Cell::text(version),
        Cell::maybe(support.ends_on),
        Cell::text(support.state.to_owned()),
        Cell::Whole(sites),
        Cell::maybe(support.ends_with),
    ]
}
