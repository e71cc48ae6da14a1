//! The configuration file: TOML, read with the line of every value. Doesn't know what values mean.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Candidate, Mistake, Origin, keys};

/// Reads `file`; one that nobody named may be absent.
pub fn read(
    file: &Path,
    named: bool,
    candidates: &mut Vec<Candidate>,
    mistakes: &mut Vec<Mistake>,
) {
    let wrong = |line: usize, what: String| Mistake {
        key: None,
        origin: Origin::File(file.to_owned(), line),
        what,
    };
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !named => return,
        Err(error) => {
            mistakes.push(wrong(
                0,
                format!("cannot read the configuration file: {error}"),
            ));
            return;
        }
    };
    let (table, errors) = DeTable::parse_recoverable(&text);
    for error in &errors {
        let line = error.span().map_or(0, |span| line_of(&text, span.start));
        mistakes.push(wrong(line, format!("not TOML: {}", error.message())));
    }
    if errors.is_empty() {
        let walk = Walk { file, text: &text };
        walk.table(table.get_ref(), "", candidates, mistakes);
    }
}

struct Walk<'a> {
    file: &'a Path,
    text: &'a str,
}

impl Walk<'_> {
    fn table(
        &self,
        table: &DeTable<'_>,
        above: &str,
        candidates: &mut Vec<Candidate>,
        mistakes: &mut Vec<Mistake>,
    ) {
        for (name, value) in table {
            let name = name.get_ref();
            let path = if above.is_empty() {
                name.to_string()
            } else {
                format!("{above}.{name}")
            };
            match value.get_ref() {
                DeValue::Table(inner) if keys::is_group(&path) => {
                    self.table(inner, &path, candidates, mistakes);
                }
                _ => self.value(value, path, candidates, mistakes),
            }
        }
    }

    fn value(
        &self,
        value: &Spanned<DeValue<'_>>,
        path: String,
        candidates: &mut Vec<Candidate>,
        mistakes: &mut Vec<Mistake>,
    ) {
        let origin = Origin::File(self.file.to_owned(), line_of(self.text, value.span().start));
        match text_of(value.get_ref()) {
            Some(text) => candidates.push(Candidate { path, text, origin }),
            None => {
                let what = if keys::find(&path).is_some() {
                    "a single value is needed, or a list of them"
                } else {
                    "this key is not known; `dewline config` lists those that are"
                };
                mistakes.push(Mistake {
                    key: Some(path),
                    origin,
                    what: what.to_owned(),
                });
            }
        }
    }
}

/// A value as it would stand in an environment variable; lists are joined by commas.
fn text_of(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.as_str().replace('_', "")),
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(yes) => Some(yes.to_string()),
        DeValue::Datetime(time) => Some(time.to_string()),
        DeValue::Array(list) => {
            let texts: Option<Vec<String>> = list
                .iter()
                .map(|entry| match entry.get_ref() {
                    DeValue::Array(_) => None,
                    single => text_of(single),
                })
                .collect();
            Some(texts?.join(", "))
        }
        DeValue::Table(_) => None,
    }
}

fn line_of(text: &str, byte: usize) -> usize {
    1 + text.bytes().take(byte).filter(|b| *b == b'\n').count()
}
