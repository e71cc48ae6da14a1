//! A list as a file for spreadsheets: what `format=csv` answers on a page. No cell can start a formula.

use super::visit::Reply;
use crate::domain::text::harmless;
use crate::services::{Error, Result};

/// Rows of one file, at most.
pub const MOST: u32 = 50_000;

/// A file that is being written.
#[derive(Debug)]
pub struct Export(csv::Writer<Vec<u8>>);

impl Export {
    /// With these columns.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub fn new(columns: &[&str]) -> Result<Self> {
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(Vec::new());
        writer.write_record(columns).map_err(broken)?;
        Ok(Self(writer))
    }

    /// One row more.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub fn row<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) -> Result<()> {
        let cells = cells.into_iter().map(|cell| harmless(cell).into_owned());
        self.0.write_record(cells).map_err(broken)
    }

    /// The file.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub fn file(self, name: &'static str) -> Result<Reply> {
        let bytes = self.0.into_inner().map_err(broken)?;
        let text = String::from_utf8(bytes).map_err(broken)?;
        Ok(Reply::file(name, "text/csv; charset=utf-8", text))
    }
}

fn broken(error: impl std::fmt::Display) -> Error {
    Error::Internal(error.to_string())
}
