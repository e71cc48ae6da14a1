//! What can be done: one function per use case, the same for every door.
//! A service reads in one order: permission, parse, clock, transaction.

pub mod access_tokens;
pub mod admins;
pub mod advisories;
pub mod advisory_feed;
pub mod api_keys;
pub mod audit;
pub mod callers;
pub mod catalogue;
pub mod check;
pub mod dashboard;
pub mod delays;
pub mod error;
pub mod exposures;
pub mod health;
pub mod histories;
pub mod history;
pub mod jobs;
pub mod key_makers;
pub mod leaving;
pub mod ledger;
pub mod limits;
mod lists;
pub mod modules;
pub mod notifications;
pub mod organizations;
pub mod overview;
pub mod own_account;
pub mod password_change;
pub mod passwords;
pub mod refresh;
pub mod secret_key;
pub mod sessions;
pub mod set_up;
pub mod sign_in;
pub mod site_modules;
pub mod sites;
pub mod two_factors;

pub use error::{Error, Result};
pub mod import_catalogue;
pub mod import_sites;
pub mod sync;
pub mod watch;
