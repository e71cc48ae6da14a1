//! What sites stand on, core and PHP, and until when it gets security releases.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::Result;
use super::reports::{away, sight};
use crate::app::App;
use crate::domain::access::Actor;
use crate::domain::end_of_life::{self, Support};
use crate::domain::inventory::Origin;
use crate::domain::listing::Format;
use crate::domain::report::{Asked, Cell, Row, date_of};
use crate::store::reports::{self as store, Narrowed};
use crate::store::{Connection, catalogue};

/// Each version and how long it is still supported: what ended or ends first comes first.
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
    for (core, php, sites) in store::platforms(db, narrowed)? {
        if let Some(core) = core {
            *cores.entry(core).or_default() += sites;
        }
        if let Some(php) = php {
            // What names no branch is told as it was reported.
            let branch = end_of_life::php_branch(&php).unwrap_or(php);
            *branches.entry(branch).or_default() += sites;
        }
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
    Ok(all.into_iter().map(row).collect())
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

/// Sites that did not report what they stand on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Untold {
    /// Their version of core.
    pub core: i64,
    /// Their version of PHP.
    pub php: i64,
}

/// How many there are among those asked for; read away from the threads that answer.
///
/// # Errors
/// [`super::Error::Forbidden`].
pub async fn untold(app: &Arc<App>, actor: &Actor, asked: &Asked) -> Result<Untold> {
    let narrowed = Narrowed::new(&sight(actor, Format::Json)?, asked);
    let app = Arc::clone(app);
    away(move || {
        let mut untold = Untold::default();
        for (core, php, sites) in app.store.read(|db| store::platforms(db, &narrowed))? {
            untold.core += if core.is_none() { sites } else { 0 };
            untold.php += if php.is_none() { sites } else { 0 };
        }
        Ok(untold)
    })
    .await
}
