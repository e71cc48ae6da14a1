//! How often one may call, and how it stands.

use askama::Template;

use super::super::shell::Shell;
use super::super::{parts, words};

/// One budget.
#[derive(Debug, Clone)]
pub struct LimitRow {
    /// Who has it, each one of his own.
    pub whose: String,
    /// Calls a minute; `None`: no limit.
    pub per_minute: Option<u64>,
    /// Of how many something is remembered now.
    pub remembered: u64,
    /// Calls that were refused in the last hour.
    pub refused: u64,
    /// The key in the configuration.
    pub setting: &'static str,
}

/// All budgets.
#[derive(Debug, Template)]
#[template(path = "limits.html")]
pub struct LimitsPage {
    /// What stands around it.
    pub shell: Shell,
    /// Calls are limited at all.
    pub enabled: bool,
    /// The budgets.
    pub rows: Vec<LimitRow>,
    /// From whom the address of whoever calls is believed.
    pub proxies: Vec<String>,
}

impl LimitsPage {
    /// Calls that were refused in the last hour, of all budgets.
    pub fn refused(&self) -> u64 {
        self.rows.iter().map(|row| row.refused).sum()
    }
}
