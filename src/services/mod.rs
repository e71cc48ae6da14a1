//! What can be done: one function per use case, the same for every door.
//! A service reads in one order: permission, parse, clock, transaction.

pub mod error;

pub use error::{Error, Result};
