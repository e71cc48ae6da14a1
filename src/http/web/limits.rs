//! How often one may call: each budget, how many are remembered, how many calls were refused.

use super::view::limits::{LimitRow, LimitsPage};
use super::visit::{Handler, Reply, Visit};
use crate::services::Result;
use crate::services::limits::Figures;

/// `GET /limits`.
pub const SHOW: Handler = |visit| Box::pin(show(visit));

async fn show(visit: Visit) -> Result<Reply> {
    let auth = "rate_limits.auth";
    let tiers = visit.edge.budgets.figures();
    let accounts = [
        (
            "an account, from one address",
            auth,
            visit.app.sign_ins.figures(),
        ),
        (
            "a lost password, from one address",
            auth,
            visit.app.resets.figures(),
        ),
    ];
    let config = &visit.app.config;
    Reply::page(&LimitsPage {
        shell: visit.shell("Limits").await?,
        enabled: config.rate_limits.enabled,
        rows: tiers.into_iter().chain(accounts).map(row).collect(),
        proxies: config.trusted_proxies.clone(),
    })
}

fn row((whose, setting, figures): (&str, &'static str, Figures)) -> LimitRow {
    LimitRow {
        whose: whose.to_owned(),
        per_minute: figures.per_minute.map(u64::from),
        remembered: u64::try_from(figures.remembered).unwrap_or(u64::MAX),
        refused: figures.refused,
        setting,
    }
}
