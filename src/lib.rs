//! Dewline: a distant early warning line for Drupal sites.
//!
//! The map of the house. Four thin doors (`http::web`, `http::api`, `jobs`, `cli`) call the `services`;
//! services ask the `domain` (what is true), keep in the `store` (what is kept) and speak through
//! `outbound` (whom we talk to). Nothing calls upwards; a test in `tests/` guards it.

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod domain;
pub mod http;
pub mod jobs;
pub mod outbound;
pub mod services;
pub mod store;
pub mod telemetry;
