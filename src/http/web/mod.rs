//! The browser's pages: templates over plain view structs, charts as SVG, assets. Handlers fill the
//! structs from services; nothing here knows the store or the API.

pub mod account;
pub mod advisories;
pub mod assets;
pub mod audit;
pub mod catalogue;
pub mod charts;
pub mod code;
pub mod connect;
pub mod deleted;
pub mod door;
pub mod entrance;
pub mod export;
pub mod fleet;
pub mod forgotten;
pub mod import;
pub mod keys;
pub mod limits;
pub mod listing;
pub mod manual;
pub mod module;
pub mod organizations;
pub mod overview;
pub mod parts;
pub mod reference;
pub mod secrets;
pub mod shell;
pub mod site;
pub mod sites;
pub mod two_factor;
pub mod upload;
pub mod vector;
pub mod view;
pub mod visit;
pub mod words;
