//! One struct a page: what its template shows, as plain data. Handlers fill them; `sample()` in the
//! tests shows each with believable content, and one test renders them all.

pub mod entrance;
pub mod fault;
pub mod overview;

#[cfg(test)]
mod tests;
