//! `/reports`: rows over a span of time, in JSON or CSV.

use crate::domain::report::{self, Report};
use crate::http::call::{Answer, Call};
use crate::http::route::{Gives, Operation, Takes};
use crate::services::{Result, reports};

/// `GET /reports/security-updates`.
pub const SECURITY_UPDATES: Operation = Operation {
    name: "report_security_updates",
    summary: "Every exposure that opened in the time asked for; as CSV where reports:export is held, too",
    takes: Takes::Nothing,
    gives: Gives::Report(&report::SECURITY_UPDATES),
    handler: |call| Box::pin(rows(call, &report::SECURITY_UPDATES)),
};

/// `GET /reports/module-updates`.
pub const MODULE_UPDATES: Operation = Operation {
    name: "report_module_updates",
    summary: "Versions that sites run now and that are not current; as CSV where reports:export is held, too",
    takes: Takes::Nothing,
    gives: Gives::Report(&report::MODULE_UPDATES),
    handler: |call| Box::pin(rows(call, &report::MODULE_UPDATES)),
};

/// `GET /reports/sla-compliance`.
pub const SLA_COMPLIANCE: Operation = Operation {
    name: "report_sla_compliance",
    summary: "What became of the exposures that were due, by month and organization; as CSV where reports:export is held, too",
    takes: Takes::Nothing,
    gives: Gives::Report(&report::SLA_COMPLIANCE),
    handler: |call| Box::pin(rows(call, &report::SLA_COMPLIANCE)),
};

/// `GET /reports/historical`.
pub const HISTORICAL: Operation = Operation {
    name: "report_historical",
    summary: "Sites and exposures day by day, from the first day on record; as CSV where reports:export is held, too",
    takes: Takes::Nothing,
    gives: Gives::Report(&report::HISTORICAL),
    handler: |call| Box::pin(rows(call, &report::HISTORICAL)),
};

/// `GET /reports/end-of-life`.
pub const END_OF_LIFE: Operation = Operation {
    name: "report_end_of_life",
    summary: "The versions of core and PHP on the sites, and until when they get security releases; as CSV where reports:export is held, too",
    takes: Takes::Nothing,
    gives: Gives::Report(&report::END_OF_LIFE),
    handler: |call| Box::pin(rows(call, &report::END_OF_LIFE)),
};

async fn rows(call: Call, report: &'static Report) -> Result<Answer> {
    let walk = reports::begin(&call.app, call.actor()?, report, call.asked()?)?;
    Ok(Answer::Rows(report, Box::new(walk)))
}
