//! The browser's pages: templates over plain view structs, charts as SVG, assets. Handlers fill the
//! structs from services; nothing here knows the store or the API.

pub mod assets;
pub mod charts;
pub mod door;
pub mod entrance;
pub mod fleet;
pub mod listing;
pub mod organizations;
pub mod overview;
pub mod parts;
pub mod secrets;
pub mod shell;
pub mod view;
pub mod visit;
pub mod words;
