//! Outside the house, like a test: what the demo and the tests put in place of the world. It may name
//! anything; only the command line names it.

pub mod advisories;
pub mod advisory;
pub mod cast;
pub mod catalogue;
pub mod dice;
pub mod drupal_org;
pub mod hands;
pub mod history;
pub mod live;
pub mod site;
pub mod story;
