//! How a list is asked: the caller's sight and the clock go with every question.

use crate::app::App;
use crate::domain::access::Sight;
use crate::domain::listing::Query;
use crate::store::listing::Ask;

/// A question as the store takes it. `within` names what the path stands under, as
/// (expression, id).
pub(super) fn ask<'a>(
    app: &App,
    sight: &'a Sight,
    query: &'a Query,
    within: &'a [(&'static str, i64)],
) -> Ask<'a> {
    Ask {
        query,
        sight,
        within,
        now: app.clock.now(),
    }
}
