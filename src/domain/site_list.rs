//! A list of sites as comma-separated values, as people keep them in spreadsheets. Finds everything
//! that is wrong with it at once, by line. Doesn't know which organizations there are.

use std::borrow::Cow;
use std::collections::HashMap;

use super::fault::Fault;
use super::site::{SiteFacts, SiteForm};

/// The columns, of which `name` and `url` are needed.
pub const COLUMNS: [&str; 6] = [
    "name",
    "url",
    "organization",
    "environment",
    "tags",
    "sync_interval_minutes",
];
/// Sites in one list, at most.
pub const MOST: usize = 5_000;

/// One site of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The line of the file on which it begins, from 1.
    pub number: u64,
    /// The organization's name; `None` where the cell is empty.
    pub organization: Option<String>,
    /// Everything else.
    pub facts: SiteFacts,
}

impl Line {
    /// Where one of its cells is, for a fault.
    pub fn place(&self, column: &str) -> String {
        place(self.number, column)
    }
}

fn place(line: u64, column: &str) -> String {
    format!("/lines/{line}/{column}")
}

/// The sites of a list: UTF-8, a header line with [`COLUMNS`] in any order, separated by commas or
/// semicolons. Tags are separated by commas, semicolons or bars within their cell.
///
/// # Errors
/// Everything that is wrong, each at `/lines/N` or `/lines/N/column`.
pub fn parse(bytes: &[u8]) -> Result<Vec<Line>, Vec<Fault>> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        vec![fault(
            format!("/lines/{line}"),
            "not_utf8",
            "is not UTF-8: save the list as CSV UTF-8.",
        )]
    })?;
    let text = text.trim_start_matches('\u{feff}');
    let header = text.lines().next().unwrap_or_default();
    let semicolons = header.contains(';') && !header.contains(',');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(if semicolons { b';' } else { b',' })
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let columns = columns(&mut reader)?;
    let mut list = List {
        count: LineCount {
            text,
            byte: 0,
            line: 1,
        },
        lines: Vec::new(),
        faults: Vec::new(),
        seen: HashMap::new(),
    };
    for record in reader.records() {
        match record {
            Ok(record) => list.take(&columns, &record),
            Err(error) => {
                let line = list.count.at(error.position());
                list.faults.push(fault(
                    format!("/lines/{line}"),
                    "unreadable",
                    "cannot be read as comma-separated values.",
                ));
                break;
            }
        }
        if list.lines.len() > MOST {
            let number = list.count.line;
            list.faults.push(fault(
                format!("/lines/{number}"),
                "too_many",
                format!("is one too many: a list takes at most {MOST} sites."),
            ));
            break;
        }
    }
    if list.faults.is_empty() && list.lines.is_empty() {
        list.faults.push(fault(
            "/lines/2",
            "empty",
            "is missing: the list holds no site.",
        ));
    }
    if list.faults.is_empty() {
        Ok(list.lines)
    } else {
        Err(list.faults)
    }
}

/// Which column stands where.
fn columns(reader: &mut csv::Reader<&[u8]>) -> Result<Vec<&'static str>, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut found: Vec<&'static str> = Vec::new();
    let header = reader.headers().cloned().unwrap_or_default();
    for name in &header {
        let known = COLUMNS
            .into_iter()
            .find(|column| column.eq_ignore_ascii_case(name));
        match known {
            Some(column) if found.contains(&column) => faults.push(fault(
                "/lines/1",
                "duplicate",
                format!("names the column {column} twice."),
            )),
            Some(column) => found.push(column),
            None => faults.push(fault(
                "/lines/1",
                "unknown_column",
                format!(
                    "names a column {name:?}; those that are known are {}.",
                    COLUMNS.join(", ")
                ),
            )),
        }
    }
    for needed in ["name", "url"] {
        if !found.contains(&needed) {
            faults.push(fault(
                "/lines/1",
                "required",
                format!("lacks the column {needed}: the first line names the columns."),
            ));
        }
    }
    if faults.is_empty() {
        Ok(found)
    } else {
        Err(faults)
    }
}

/// On which line a record begins. The reader's own count takes a CR LF for half a line.
struct LineCount<'a> {
    text: &'a str,
    byte: usize,
    line: u64,
}

impl LineCount<'_> {
    /// The line of the record at `position`, which is never before the one asked for last.
    fn at(&mut self, position: Option<&csv::Position>) -> u64 {
        let from = position.map_or(0, |position| position.byte()).try_into();
        let from: usize = from.unwrap_or(usize::MAX);
        let rest = self.text.get(from..).unwrap_or_default();
        let start = from + rest.len() - rest.trim_start_matches(['\r', '\n']).len();
        let passed = self.text.get(self.byte..start).unwrap_or_default();
        self.line += passed.bytes().filter(|byte| *byte == b'\n').count() as u64;
        self.byte = start;
        self.line
    }
}

struct List<'a> {
    count: LineCount<'a>,
    lines: Vec<Line>,
    faults: Vec<Fault>,
    seen: HashMap<(String, String, &'static str), u64>,
}

impl List<'_> {
    fn take(&mut self, columns: &[&'static str], record: &csv::StringRecord) {
        let number = self.count.at(record.position());
        if record.iter().all(str::is_empty) {
            return;
        }
        if record.len() > columns.len() {
            self.faults.push(fault(
                format!("/lines/{number}"),
                "too_many_cells",
                format!("has {} cells for {} columns.", record.len(), columns.len()),
            ));
            return;
        }
        let cell = |column: &str| {
            let at = columns.iter().position(|known| *known == column)?;
            record.get(at).filter(|text| !text.is_empty())
        };
        let organization = cell("organization").map(str::to_owned);
        match form(cell).check(None) {
            Ok(facts) => {
                let line = Line {
                    number,
                    organization,
                    facts,
                };
                self.keep(line);
            }
            Err(faults) => self.faults.extend(faults.into_iter().map(|found| Fault {
                pointer: place(number, found.pointer.trim_start_matches('/')),
                ..found
            })),
        }
    }

    fn keep(&mut self, line: Line) {
        let home = line.organization.as_deref().unwrap_or_default();
        let key = (
            home.to_lowercase(),
            line.facts.name.to_lowercase(),
            line.facts.environment,
        );
        if let Some(earlier) = self.seen.insert(key, line.number) {
            self.faults.push(fault(
                line.place("name"),
                "duplicate",
                format!(
                    "is the same site as line {earlier}: same organization, name and environment."
                ),
            ));
        }
        self.lines.push(line);
    }
}

fn form<'a>(cell: impl Fn(&str) -> Option<&'a str>) -> SiteForm {
    let mut form = SiteForm {
        name: cell("name").map(str::to_owned),
        url: cell("url").map(str::to_owned),
        environment: cell("environment").map(str::to_lowercase),
        tags: cell("tags").map(|tags| {
            let parts = tags.split([',', ';', '|']).map(str::trim);
            parts.filter(|t| !t.is_empty()).map(str::to_owned).collect()
        }),
        ..SiteForm::default()
    };
    match cell("sync_interval_minutes").map(str::parse) {
        None => {}
        Some(Ok(minutes)) => form.sync_interval_minutes = Some(minutes),
        Some(Err(_)) => form.unreadable.push(fault(
            "/sync_interval_minutes",
            "not_a_number",
            "takes a whole number of minutes.",
        )),
    }
    form
}

fn fault(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Fault {
    Fault {
        pointer: pointer.into(),
        code: Cow::Borrowed(code),
        detail: detail.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<String> {
        let faults = parse(text.as_bytes()).expect_err("something is wrong");
        faults
            .iter()
            .map(|f| format!("{} {} {}", f.pointer, f.code, f.detail))
            .collect()
    }

    #[test]
    fn columns_come_in_any_order_and_with_either_separator() {
        let text = "\u{feff}URL;Name;tags\r\nhttps://a.example.org;Town hall;news, city | vip\r\n\r\nhttps://b.example.org;B\r\n";
        let lines = parse(text.as_bytes()).unwrap();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].facts.name, "Town hall");
        assert_eq!(lines[0].facts.tags, ["news", "city", "vip"]);
        assert_eq!(lines[0].facts.environment, "production");
        assert_eq!((lines[0].number, lines[1].number), (2, 4));
    }

    #[test]
    fn everything_wrong_is_said_at_once_by_line() {
        let text = "name,url,organization,environment,sync_interval_minutes\n\
                    A,https://a.example.org,X,production,60\n\
                    ,ftp://b,X,moon,soon\n\
                    a,https://c.example.org,x,Production,\n\
                    D,https://d.example.org,X,staging,60,more\n\
                    \"E,https://e.example.org\n";
        insta::assert_snapshot!(said(text).join("\n"));
    }

    #[test]
    fn the_header_is_checked_first() {
        insta::assert_snapshot!(said("site,name,name\nA,B,C\n").join("\n"));
        assert_eq!(said("name,url\n").len(), 1);
        assert_eq!(said("").len(), 2);
        let not_text = parse(b"name,url\nA,https://\xff\n").unwrap_err();
        assert_eq!(not_text[0].pointer, "/lines/2");
    }

    #[test]
    fn a_list_has_a_most() {
        let mut text = "name,url\n".to_owned();
        for n in 0..=MOST {
            text.push_str(&format!("s{n},https://s{n}.example.org\n"));
        }
        assert!(
            said(&text)[0].starts_with("/lines/5002 too_many"),
            "{:?}",
            said(&text)
        );
    }
}
