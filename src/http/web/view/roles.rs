//! Roles: the grid of what each lets one do, and one of them.

use askama::Template;

use super::super::shell::Shell;
use super::super::{parts, words};
use super::fleet::Choice;
use super::forms::error_of;

/// A role as a column of the grid.
#[derive(Debug, Clone)]
pub struct RoleColumn {
    /// The role.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Whose it is: built in, everybody's, or an organization's.
    pub whose: String,
    /// What it is for.
    pub description: String,
    /// People in sight who hold it.
    pub members: u64,
}

/// One permission as a row of the grid.
#[derive(Debug, Clone)]
pub struct GridRow {
    /// Its word.
    pub word: &'static str,
    /// What it lets one do.
    pub does: &'static str,
    /// Which role holds it, in the order of the columns.
    pub held: Vec<bool>,
}

/// All roles in sight, side by side.
#[derive(Debug, Template)]
#[template(path = "roles.html")]
pub struct RolesPage {
    /// What stands around it.
    pub shell: Shell,
    /// The roles.
    pub columns: Vec<RoleColumn>,
    /// The permissions.
    pub rows: Vec<GridRow>,
}

/// One permission to be ticked.
#[derive(Debug, Clone)]
pub struct Tick {
    /// Its word.
    pub word: &'static str,
    /// What it lets one do.
    pub does: &'static str,
    /// The role holds it.
    pub held: bool,
    /// The visitor holds it himself.
    pub may: bool,
}

/// A role: its form, or what it lets one do.
#[derive(Debug, Template)]
#[template(path = "role.html")]
pub struct RolePage {
    /// What stands around it.
    pub shell: Shell,
    /// The role; `None`: a new one.
    pub id: Option<i64>,
    /// Whose it is.
    pub whose: String,
    /// The visitor may change it.
    pub may: bool,
    /// Why not, in words.
    pub why_not: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// To choose from for a new one.
    pub organizations: Vec<Choice>,
    /// The permissions.
    pub ticks: Vec<Tick>,
    /// People in sight who hold it.
    pub members: u64,
    /// (field, sentence): what is wrong.
    pub faults: Vec<(String, String)>,
}

impl RolePage {
    fn error(&self, field: &str) -> Option<String> {
        error_of(&self.faults, field)
    }
}
