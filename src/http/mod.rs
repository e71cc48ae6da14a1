//! The edge: the only room that knows axum. Every route stands on this page.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::app::App;

pub mod server;
pub mod web;

/// All routes.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .with_state(app)
}
