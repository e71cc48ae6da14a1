//! Outside the house, like a test: what the demo and the tests put in place of the world. It may name
//! anything; only the command line names it.

pub mod drupal_org;
pub mod history;
