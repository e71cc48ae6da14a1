//! The house's one shared value: built once, in the executable or in a test, and handed to every
//! door and service. There are no globals.

use std::sync::Arc;

use crate::clock::{Clock, Entropy};
use crate::config::Config;
use crate::store::Store;

/// What services work with.
#[derive(Debug)]
pub struct App {
    /// The effective configuration.
    pub config: Config,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where unguessable bytes come from.
    pub entropy: Arc<dyn Entropy>,
    /// What is kept.
    pub store: Store,
}
