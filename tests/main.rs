//! One binary, one file a capability, through public doors only.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod accounts;
mod advisories;
mod advisory_feed;
mod advisory_pages;
mod agreement;
mod api_edge;
mod api_lists;
mod api_lock;
mod api_sites;
mod api_sync;
mod attacks;
mod audit_log;
mod catalogue;
mod dashboard;
mod deleted;
mod demo;
mod drupal_org;
mod engine;
mod examples;
mod executable;
mod full_queue;
mod histories;
mod in_hand;
mod ledger;
mod limits;
mod manual;
mod matrix;
mod migrations;
mod module_catalogue;
mod pages;
mod patch_runs;
mod plans;
mod proof_pages;
mod report_pages;
mod reports;
mod rooms;
mod search;
mod site_windows;
mod sla;
mod support;
mod sync;
