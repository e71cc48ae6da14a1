//! What is true: versions, release histories, verdicts, inventories, windows of exposure, permissions.
//! Pure and total. Knows no store, no network, no clock.

pub mod access;
pub mod advisory;
pub mod api_key;
pub mod check_in;
pub mod compatibility;
pub mod composer;
pub mod composer_lock;
pub mod constraint;
pub mod coverage;
pub mod credentials;
pub mod exposed;
pub mod exposure;
pub mod fault;
pub mod form;
pub mod history;
pub mod inventory;
pub mod job;
pub mod judgement;
pub mod listing;
pub mod module;
pub mod network;
pub mod organization;
pub mod person;
pub mod prepared;
pub mod release_history;
pub mod schedule;
pub mod site;
pub mod site_list;
pub mod site_module;
pub mod site_status;
pub mod status;
pub mod text;
pub mod version;
pub mod window;
mod words;
