//! One struct a page: what its template shows, as plain data. Handlers fill them; `sample()` in the
//! tests shows each with believable content, and one test renders them all.

pub mod account;
pub mod advisories;
pub mod audit;
pub mod catalogue;
pub mod deleted;
pub mod entrance;
pub mod exposures;
pub mod fault;
pub mod fleet;
pub mod forms;
pub mod keys;
pub mod limits;
pub mod module;
pub mod overview;
pub mod patch_runs;
pub mod people;
pub mod reference;
pub mod reports;
pub mod roles;
pub mod site;
pub mod sla;
pub mod two_factor;

#[cfg(test)]
mod tests;
