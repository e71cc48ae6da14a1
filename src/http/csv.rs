//! Rows as comma-separated values for spreadsheets: the columns are the row's names, and no cell
//! can start a formula.

use serde_json::Value;

use crate::domain::report::Row;
use crate::domain::text::harmless;

/// The rows (each a JSON object) under these columns.
pub fn table(columns: &[&str], rows: &[String]) -> String {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    // Writing into memory cannot fail.
    let _ = writer.write_record(columns);
    for row in rows {
        let row: Value = serde_json::from_str(row).unwrap_or_default();
        let _ = writer.write_record(columns.iter().map(|column| cell(row.get(*column))));
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

/// One line of cells that are texts already; nothing in them can start a formula.
pub fn line<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    // Writing into memory cannot fail.
    let _ = writer.write_record(cells);
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

/// Rows of a report, as lines.
pub fn rows(rows: &[Row]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for row in rows {
        for cell in row {
            let _ = writer.write_field(cell.csv().as_bytes());
        }
        let _ = writer.write_record(None::<&[u8]>);
    }
    writer.into_inner().unwrap_or_default()
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => harmless(text).into_owned(),
        Some(Value::Array(values)) if values.iter().all(Value::is_string) => {
            let texts: Vec<_> = values.iter().filter_map(Value::as_str).collect();
            harmless(&texts.join(", ")).into_owned()
        }
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_cannot_start_a_formula() {
        let rows = [r#"{"name":"=1+1","tags":["-a","b"],"size":-3,"note":null}"#.to_owned()];
        assert_eq!(
            table(&["name", "tags", "size", "note"], &rows),
            "name,tags,size,note\r\n'=1+1,\"'-a, b\",-3,\r\n"
        );
    }

    #[test]
    fn an_empty_list_still_names_its_columns() {
        assert_eq!(table(&["a", "b"], &[]), "a,b\r\n");
    }
}
