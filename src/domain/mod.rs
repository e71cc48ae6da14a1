//! What is true: versions, release histories, verdicts, inventories, windows of exposure, permissions.
//! Pure and total. Knows no store, no network, no clock.

pub mod access;
pub mod fault;
pub mod schedule;
pub mod site_status;
