//! How SQLite answers the lists: the plans of all list queries are one page, and a scan or a temporary
//! sort of a fleet table fails.

use dewline::clock::Clock;
use dewline::domain::access::Sight;
use dewline::domain::listing::Query;
use dewline::store::listing::{Ask, Source, Statement, count_of, rows_of};
use dewline::store::{
    api_keys, exposures, history, jobs, modules, organizations, site_modules, sites,
};
use rusqlite::{Connection, params_from_iter};

use crate::support::TestApp;

/// Tables that grow with the fleet, by the names they have in the queries.
const FLEET: [&str; 9] = ["s", "c", "sm", "e", "n", "y", "p", "v", "ov"];

type Within = Option<(&'static str, i64)>;

fn lists() -> Vec<(&'static Source, Within)> {
    vec![
        (&organizations::SOURCE, None),
        (&sites::SOURCE, None),
        (&site_modules::SOURCE, Some(("sm.site_id", 7))),
        (&history::SYNCS_SOURCE, Some(("y.site_id", 7))),
        (&history::EVENTS_SOURCE, Some(("n.site_id", 7))),
        (&history::PATCH_RUNS_SOURCE, Some(("p.site_id", 7))),
        (&history::PATCH_RUNS_SOURCE, None),
        (&exposures::SOURCE, Some(("e.site_id", 7))),
        (&exposures::SOURCE, None),
        (&modules::SOURCE, None),
        (&api_keys::SOURCE, None),
        (&jobs::SOURCE, None),
    ]
}

/// Filters that pages and programs use most.
const FILTERS: [(&str, &str, &str); 7] = [
    ("sites", "filter[status]", "not_secure"),
    ("sites", "filter[organization_id]", "3"),
    ("sites", "filter[silent]", "true"),
    ("sites", "q", "hall"),
    ("exposures", "filter[state]", "open"),
    ("exposures", "filter[state]", "overdue"),
    ("exposures", "filter[module]", "token"),
];

fn plan(db: &Connection, statement: &Statement) -> Vec<String> {
    let mut prepared = db
        .prepare(&format!("EXPLAIN QUERY PLAN {}", statement.sql))
        .unwrap();
    let steps = prepared
        .query_map(params_from_iter(&statement.values), |row| {
            row.get::<_, String>(3)
        })
        .unwrap();
    steps.map(Result::unwrap).collect()
}

/// A walk through a table in the order of its ids stops at the end of the page, and a count stops at
/// 10,001; what is sorted by hand must be the rows of one site, which are few.
fn wrong(source: &Source, steps: &[String], sql: &str) -> Option<String> {
    let ordered = sql.split("ORDER BY ").last().unwrap_or_default();
    let by_id = ordered.starts_with(source.id);
    let counts = sql.starts_with("SELECT count(*)");
    let scans = |step: &&String| {
        let bare = FLEET.iter().any(|name| **step == format!("SCAN {name}"));
        bare && !by_id && !counts
    };
    let outer = source.from.split(" AS ").nth(1).unwrap_or_default();
    let fleet = FLEET
        .iter()
        .any(|name| outer.split(' ').next() == Some(name));
    let of_one_site = steps.iter().any(|step| step.contains("(site_id=?"));
    let sorts = |step: &&String| step.contains("TEMP B-TREE FOR ORDER BY") && fleet && !of_one_site;
    steps
        .iter()
        .find(scans)
        .or_else(|| steps.iter().find(sorts))
        .cloned()
}

#[test]
fn every_field_and_sort_of_a_list_has_its_sql() {
    for (source, _) in lists() {
        let name = source.list.name;
        for field in source.list.fields {
            assert!(
                source.fields.iter().any(|(known, _)| *known == field.name),
                "{name}: {}",
                field.name
            );
        }
        for sort in source.list.sorts {
            assert!(
                source.sorts.iter().any(|(known, _)| known == sort),
                "{name}: {sort}"
            );
        }
        assert_eq!(source.list.search, !source.search.is_empty(), "{name}: q");
    }
}

#[tokio::test]
async fn no_list_scans_or_sorts_the_fleet() {
    let house = TestApp::start().await;
    let (mut page, mut bad) = (Vec::new(), Vec::new());
    for (source, within) in lists() {
        let mut questions: Vec<(String, Vec<(&str, String)>)> = Vec::new();
        for sort in source.list.sorts {
            for sign in ["", "-"] {
                questions.push((
                    format!("sort={sign}{sort}"),
                    vec![("sort", format!("{sign}{sort}"))],
                ));
            }
        }
        for (list, name, value) in FILTERS {
            if source.list.name == list && within.is_none() {
                questions.push((format!("{name}={value}"), vec![(name, value.to_owned())]));
            }
        }
        let within: Vec<_> = within.into_iter().collect();
        for (title, pairs) in &questions {
            let pairs = pairs.iter().map(|(name, value)| (*name, value.as_str()));
            let query = Query::parse(source.list, pairs).unwrap();
            for sight in [Sight::All, Sight::Organization(3)] {
                let ask = Ask {
                    query: &query,
                    sight,
                    within: &within,
                    now: house.clock.now(),
                };
                for (what, statement) in [
                    ("rows", rows_of(source, &ask)),
                    ("count", count_of(source, &ask)),
                ] {
                    let steps = house
                        .app
                        .store
                        .read(|db| Ok::<_, dewline::store::StoreError>(plan(db, &statement)))
                        .unwrap();
                    let place = within.first().map_or("", |_| " of a site");
                    let name = format!("{}{place}, {title}, {sight:?}, {what}", source.list.name);
                    let filtered = title.starts_with("filter") || title.starts_with("q=");
                    if let Some(step) = wrong(source, &steps, &statement.sql)
                        && !(filtered && step.contains("TEMP B-TREE"))
                    {
                        bad.push(format!("{name}: {step}\n    {}", statement.sql));
                    }
                    page.push(format!("{name}\n    {}", steps.join("\n    ")));
                }
            }
        }
    }
    assert_eq!(bad, [""; 0], "{}", bad.join("\n"));
    insta::assert_snapshot!(page.join("\n"));
}

#[tokio::test]
async fn the_schema_is_a_page_that_a_person_can_read() {
    let house = TestApp::start().await;
    let schema: Vec<String> = house
        .app
        .store
        .read(|db| {
            let mut prepared = db.prepare(
                "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'refinery%' ORDER BY tbl_name, type DESC, name",
            )?;
            let rows = prepared.query_map([], |row| row.get(0))?;
            rows.collect::<rusqlite::Result<_>>().map_err(dewline::store::StoreError::from)
        })
        .unwrap();
    insta::assert_snapshot!(schema.join(";\n"));
}
