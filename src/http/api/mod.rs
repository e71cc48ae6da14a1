//! The API's handlers, one file a noun: each exports its operations, which the table of routes in
//! `http::mod` names, and holds its wire types beside them.

pub mod advisories;
pub mod api_keys;
pub mod audit_logs;
pub mod auth;
pub mod dashboard;
pub mod events;
pub mod exposure_events;
pub mod exposures;
pub mod health;
pub mod jobs;
pub mod members;
pub mod module_versions;
pub mod modules;
pub mod notifications;
pub mod organizations;
pub mod own_account;
pub mod patch_runs;
pub mod reports;
pub mod roles;
pub mod sessions;
pub mod site_modules;
pub mod sites;
pub mod sla_policies;
pub mod syncs;
pub mod two_factors;
pub mod users;

use jiff::Timestamp;

/// A time as the API writes it: RFC 3339 in UTC with `Z`.
pub(crate) fn written(at: Timestamp) -> String {
    at.to_string()
}

/// A time that can be absent.
pub(crate) fn maybe_written(at: Option<Timestamp>) -> Option<String> {
    at.map(written)
}
