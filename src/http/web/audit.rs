//! The audit log: who did what, when and from where, and what was and is since.

use jiff::Timestamp;
use url::form_urlencoded::Serializer;

use super::export::{self, Export};
use super::fleet::organizations_of;
use super::listing::{FilterChip, Listing, asked};
use super::view::audit::{AuditPage, AuditRow};
use super::view::fleet::Choice;
use super::visit::{Handler, Reply, Visit};
use super::words;
use crate::domain::access::Permission;
use crate::domain::audit::{self as record, ACTIONS, LIST as FIELDS, Recorded, STATUSES};
use crate::domain::listing::Query;
use crate::services::{Error, Result, audit};

/// `GET /audit`.
pub const LIST: Handler = |visit| Box::pin(list(visit));

const ACTION: &str = "filter[action]";
const ORGANIZATION: &str = "filter[organization_id]";

async fn list(visit: Visit) -> Result<Reply> {
    let query = Query::parse(&FIELDS, asked(&visit.query)).map_err(Error::Invalid)?;
    if visit.parameter("format") == "csv" {
        return csv(&visit, query).await;
    }
    let page = audit::list(&visit.app, visit.actor()?, &query).await?;
    let organizations =
        organizations_of(&visit, Permission::AuditRead, visit.parameter(ORGANIZATION)).await?;
    let mut list = Listing::of("/audit", &visit.query, &query, &page);
    for chip in &mut list.chips {
        name(chip, &organizations, page.rows.first());
    }
    Reply::page(&AuditPage {
        shell: visit.shell("Audit log").await?,
        list,
        rows: page
            .rows
            .into_iter()
            .map(|found| row(found, &organizations))
            .collect(),
        actions: ACTIONS
            .iter()
            .map(|(word, said)| Choice::new(*word, *said, visit.parameter(ACTION)))
            .collect(),
        statuses: STATUSES
            .iter()
            .map(|word| Choice::new(*word, *word, visit.parameter("filter[status]")))
            .collect(),
        organizations,
    })
}

/// What people read of a filter in force: names in place of words and numbers.
fn name(chip: &mut FilterChip, organizations: &[Choice], first: Option<&Recorded>) {
    let value = match chip.parameter.as_str() {
        ORGANIZATION => organizations
            .iter()
            .find(|choice| choice.value == chip.value)
            .map(|choice| choice.word.clone()),
        // The chip's value has its underscores taken out.
        ACTION => ACTIONS
            .iter()
            .find(|(word, _)| word.replace('_', " ") == chip.value)
            .map(|(_, said)| (*said).to_owned()),
        "filter[actor_id]" => first.map(|row| row.actor_name.clone()),
        "filter[subject_id]" => first.and_then(Recorded::subject_name).map(str::to_owned),
        _ => None,
    };
    if let Some(value) = value {
        chip.value = value;
    }
    match chip.parameter.as_str() {
        ACTION => "What".clone_into(&mut chip.key),
        "filter[actor][contains]" => "Who".clone_into(&mut chip.key),
        "filter[created_at][gte]" => "From".clone_into(&mut chip.key),
        "filter[created_at][lte]" => "Until".clone_into(&mut chip.key),
        _ => {}
    }
}

fn row(found: Recorded, organizations: &[Choice]) -> AuditRow {
    let subject = found.subject_name().map(str::to_owned).or_else(|| {
        Some(format!(
            "{} {}",
            plain(&found.subject_kind),
            found.subject_id?
        ))
    });
    let everything = found
        .subject_id
        .map(|id| narrowed("subject", &found.subject_kind, id));
    AuditRow {
        at: found.created_at,
        who: match found.actor_kind.as_str() {
            "stranger" => "Somebody unknown".to_owned(),
            _ => found.actor_name.clone(),
        },
        kind: kind(&found.actor_kind),
        theirs: found
            .actor_id
            .map(|id| narrowed("actor", &found.actor_kind, id)),
        what: found.said().to_owned(),
        undone: (found.status != "done").then(|| found.status.clone()),
        subject,
        everything,
        organization: found.organization_id.map(|id| {
            let named = organizations.iter().find(|o| o.value == id.to_string());
            named.map_or_else(|| format!("organization {id}"), |o| o.word.clone())
        }),
        differences: found
            .differences()
            .into_iter()
            .map(|difference| record::Difference {
                name: words::sentence(&plain(&difference.name)),
                ..difference
            })
            .collect(),
        address: found.address,
        request_id: found.request_id,
        number: found.id.unsigned_abs(),
        seal: found.hash,
    }
}

fn plain(word: &str) -> String {
    word.replace('_', " ")
}

/// What stands beside a name.
fn kind(word: &str) -> &'static str {
    match word {
        "key" => "API key",
        "system" => "on the machine",
        _ => "",
    }
}

/// The record of one person, key or thing.
fn narrowed(whose: &str, kind: &str, id: i64) -> String {
    let query = Serializer::new(String::new())
        .append_pair(&format!("filter[{whose}_kind]"), kind)
        .append_pair(&format!("filter[{whose}_id]"), &id.to_string())
        .finish();
    format!("/audit?{query}")
}

/// The file's name where more rows match than one file holds ([`export::MOST`]).
const CUT_OFF: &str = "audit-log-only-the-first-50000-rows.csv";

const COLUMNS: [&str; 16] = [
    "id",
    "created_at",
    "actor_kind",
    "actor_id",
    "actor",
    "action",
    "subject_kind",
    "subject_id",
    "organization_id",
    "site_id",
    "status",
    "before",
    "after",
    "address",
    "request_id",
    "hash",
];

/// All rows that match, not only those of the page, as they stand at one moment: a row that is appended
/// meanwhile moves none of them.
async fn csv(visit: &Visit, query: Query) -> Result<Reply> {
    let mut export = Export::new(&COLUMNS)?;
    let mut written = Ok(());
    let cut_off = audit::whole(&visit.app, visit.actor()?, query, export::MOST, |found| {
        if written.is_ok() {
            written = export.row(cells(found).iter().map(String::as_str));
        }
    })
    .await?;
    written?;
    export.file(if cut_off { CUT_OFF } else { "audit-log.csv" })
}

fn cells(row: Recorded) -> [String; 16] {
    let number = |id: Option<i64>| id.map(|id| id.to_string()).unwrap_or_default();
    let value = |value: Option<serde_json::Value>| value.map(|v| v.to_string()).unwrap_or_default();
    let time = |at: Timestamp| words::machine(at);
    [
        row.id.to_string(),
        time(row.created_at),
        row.actor_kind,
        number(row.actor_id),
        row.actor_name,
        row.action,
        row.subject_kind,
        number(row.subject_id),
        number(row.organization_id),
        number(row.site_id),
        row.status,
        value(row.before),
        value(row.after),
        row.address.unwrap_or_default(),
        row.request_id.unwrap_or_default(),
        row.hash,
    ]
}
