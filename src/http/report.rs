//! Writes a report: whole, with a validator, where it is not too long; else as it comes, chunk by chunk,
//! so that no report is ever in memory. A fault on the way ends a body that has begun with a cut
//! connection: nobody takes a part for the whole.

use axum::body::{Body, Bytes};
use axum::http::Response;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, VARY};
use futures_util::{StreamExt, stream};
use serde_json::{Map, Value, json};

use super::csv;
use super::envelope::{self, Asked, Enveloped, Written};
use crate::domain::listing::Format;
use crate::domain::report::{Cell, Covers, Report, Row};
use crate::services::reports::{self, Walk};
use crate::services::{Error, Result};

/// Bytes up to which a report is answered whole.
const WHOLE: usize = 512 << 10;

/// Writes rows as they come.
#[derive(Debug)]
struct Pen {
    report: &'static Report,
    format: Format,
    begun: bool,
}

impl Pen {
    /// What stands before the first row.
    fn begin(&self) -> Bytes {
        match self.format {
            Format::Json => Bytes::from_static(b"{\"data\":["),
            Format::Csv => csv::line(self.report.columns.iter().map(|column| column.name)).into(),
        }
    }

    fn rows(&mut self, rows: &[Row]) -> Bytes {
        if self.format == Format::Csv {
            return csv::rows(rows).into();
        }
        let mut text = Vec::with_capacity(rows.len() * 300);
        for row in rows {
            if std::mem::replace(&mut self.begun, true) {
                text.push(b',');
            }
            // Writing into memory cannot fail.
            let _ = serde_json::to_writer(&mut text, &Told(self.report, row));
        }
        text.into()
    }
}

/// A row as a JSON object, its members in the order of the columns.
struct Told<'a>(&'static Report, &'a Row);

impl serde::Serialize for Told<'_> {
    fn serialize<S: serde::Serializer>(
        &self,
        serializer: S,
    ) -> std::result::Result<S::Ok, S::Error> {
        let cells = self.0.columns.iter().zip(self.1);
        serializer.collect_map(cells.map(|(column, cell)| (column.name, cell)))
    }
}

/// The answer to whoever asked for a report.
///
/// # Errors
/// What the store says before anything is sent.
pub async fn written(report: &'static Report, walk: Walk, asked: &Asked<'_>) -> Result<Written> {
    let mut pen = Pen {
        report,
        format: walk.asked().format,
        begun: false,
    };
    let mut pieces = vec![pen.begin()];
    let mut length = 0;
    let (mut walk, mut rows) = reports::next(walk).await?;
    let tail = tail(report, &walk, (asked.path, asked.pairs));
    loop {
        let Some(found) = rows else {
            let unknown = walk.unknown().len();
            return Ok(Written::Read(whole(&pieces, &tail, (&pen, unknown), asked)));
        };
        let piece = pen.rows(&found);
        length += piece.len();
        pieces.push(piece);
        if length > WHOLE {
            return Ok(Written::Whole(flowing(pieces, walk, pen, tail, asked)));
        }
        (walk, rows) = reports::next(walk).await?;
    }
}

/// The same for a page: the file as it comes. The first rows are read before anything is sent.
///
/// # Errors
/// What the store says before anything is sent.
pub async fn file(
    report: &'static Report,
    walk: Walk,
    address: (&str, &[(String, String)]),
    request_id: &str,
) -> Result<Body> {
    let mut pen = Pen {
        report,
        format: walk.asked().format,
        begun: false,
    };
    let (walk, first) = reports::next(walk).await?;
    let end = end(report, &walk, address, request_id);
    let rows = pen.rows(&first.unwrap_or_default());
    let pieces = vec![pen.begin(), rows];
    Ok(body(pieces, walk, pen, end))
}

/// What stands after the last row.
fn end(
    report: &Report,
    walk: &Walk,
    address: (&str, &[(String, String)]),
    request_id: &str,
) -> Bytes {
    if walk.asked().format == Format::Csv {
        return Bytes::new();
    }
    let (before, after) = tail(report, walk, address);
    (before + &envelope::quoted(request_id) + &after).into()
}

/// What stands after the last row of the envelope, before and after the request's id. The first rows were
/// read: the walk knows of which modules nobody can tell.
fn tail(
    report: &Report,
    walk: &Walk,
    (path, pairs): (&str, &[(String, String)]),
) -> (String, String) {
    let own = envelope::with_pairs(path, pairs);
    let links = json!({"self": own});
    let after = if report.covers == Covers::Running {
        let as_of = json!(walk.as_of().to_string());
        let unknown = walk.unknown().len();
        format!(",\"as_of\":{as_of},\"unknown_modules\":{unknown}}},\"links\":{links}}}")
    } else if report.has_period() {
        let span = walk.asked();
        let (from, to) = (Cell::Time(span.from), Cell::Time(span.to));
        let period = json!({"from": from, "to": to});
        format!(",\"period\":{period}}},\"links\":{links}}}")
    } else {
        format!("}},\"links\":{links}}}")
    };
    ("],\"meta\":{\"request_id\":".to_owned(), after)
}

fn whole(
    pieces: &[Bytes],
    (before, after): &(String, String),
    (pen, unknown): (&Pen, usize),
    asked: &Asked<'_>,
) -> Enveloped {
    let mut text = pieces.concat();
    if pen.format == Format::Csv {
        let etag = envelope::etag(&[&text], asked.sight.as_ref());
        return Enveloped::csv(text.into(), pen.report.name, etag);
    }
    // The time asked for moves with the clock where it wasn't said: the rows tell whether it is the same, and
    // how much is missing among them.
    let missing = unknown.to_string();
    let etag = envelope::etag(&[&text, missing.as_bytes()], asked.sight.as_ref());
    text.extend_from_slice(before.as_bytes());
    Enveloped::json(text.into(), after.clone().into(), etag)
}

/// The answer as it comes.
fn flowing(
    pieces: Vec<Bytes>,
    walk: Walk,
    pen: Pen,
    (before, after): (String, String),
    asked: &Asked<'_>,
) -> Response<Body> {
    let (format, name) = (pen.format, pen.report.name);
    let end = match format {
        Format::Json => Bytes::from(before + &envelope::quoted(asked.request_id) + &after),
        Format::Csv => Bytes::new(),
    };
    let mut response = Response::new(body(pieces, walk, pen, end));
    if format == Format::Csv {
        envelope::is_a_file(&mut response, name);
    } else {
        envelope::insert(&mut response, CONTENT_TYPE, "application/json");
    }
    envelope::insert(&mut response, CACHE_CONTROL, "no-store");
    let vary = "Authorization, X-API-Key, Accept-Encoding";
    envelope::insert(&mut response, VARY, vary);
    response
}

/// What was read, and the rest of it. It is read on only as fast as it is taken, one chunk ahead: while
/// one is written, the next is being read.
fn body(pieces: Vec<Bytes>, walk: Walk, pen: Pen, end: Bytes) -> Body {
    let ahead = |walk| tokio::spawn(reports::next(walk));
    let rest = stream::unfold(Some((ahead(walk), pen)), move |state| {
        let end = end.clone();
        async move {
            let (reading, mut pen) = state?;
            let read = reading
                .await
                .map_err(|error| Error::Internal(error.to_string()));
            match read.and_then(|read| read) {
                Ok((walk, Some(rows))) => {
                    let reading = ahead(walk);
                    Some((Ok(pen.rows(&rows)), Some((reading, pen))))
                }
                Ok((_, None)) => Some((Ok(end), None)),
                Err(error) => {
                    tracing::error!(%error, "a report could not be finished");
                    Some((Err(error), None))
                }
            }
        }
    });
    let begun = stream::iter(pieces.into_iter().map(Ok::<_, Error>));
    // What packs it asks once more after the end.
    Body::from_stream(begun.chain(rest).fuse())
}

/// One row, in the OpenAPI document.
pub fn schema(report: &Report) -> Value {
    let mut properties = Map::new();
    for column in report.columns {
        properties.insert(column.name.to_owned(), column.schema());
    }
    let required: Vec<&str> = report.columns.iter().map(|column| column.name).collect();
    json!({"type": "object", "required": required, "additionalProperties": false, "properties": properties})
}
