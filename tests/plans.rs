//! How SQLite answers: the plans of all lists and of every statement of the store are two pages, and a
//! walk through a whole table or a sort by hand fails unless its bound is on record in `bounds.rs`.

mod bounds;
mod statements;

use std::collections::BTreeSet;

use bounds::LISTS;
use dewline::clock::Clock;
use dewline::domain::access::Sight;
use dewline::domain::listing::{Kind, Query};
use dewline::store::listing::{Ask, Source, Statement, Way, count_of, rows_of, told_by_index};
use dewline::store::{
    StoreError, advisories, affected_sites, api_keys, audit, clocks, devices, exposures, history,
    jobs, modules, notifications, organizations, people, roles, sessions, site_modules, sites,
};
use rusqlite::params_from_iter;

use crate::support::TestApp;

type Within = &'static [(&'static str, i64)];

fn lists() -> Vec<(&'static Source, Within)> {
    vec![
        (&organizations::SOURCE, &[]),
        (&sites::SOURCE, &[]),
        (&site_modules::SOURCE, &[("sm.site_id", 7)]),
        (&history::SYNCS_SOURCE, &[("y.site_id", 7)]),
        (&history::EVENTS_SOURCE, &[("n.site_id", 7)]),
        (&history::PATCH_RUNS_SOURCE, &[("p.site_id", 7)]),
        (&history::PATCH_RUNS_SOURCE, &[]),
        (&exposures::SOURCE, &[("e.site_id", 7)]),
        (&exposures::SOURCE, &[]),
        (&modules::SOURCE, &[]),
        (&advisories::SOURCE, &[]),
        (&clocks::SOURCE, &[("v.exposure_id", 7)]),
        (&exposures::OF_ADVISORY, &[("ea.advisory_id", 7)]),
        (&affected_sites::SOURCE, &[("v.module_id", 7)]),
        (
            &affected_sites::OF_ORGANIZATION,
            &[("sm.module_id", 7), ("s.organization_id", 3)],
        ),
        (&api_keys::SOURCE, &[]),
        (&roles::SOURCE, &[]),
        (&people::SOURCE, &[]),
        (&people::MEMBERS_SOURCE, &[("m.organization_id", 3)]),
        (&notifications::SOURCE, &[]),
        (&audit::SOURCE, &[]),
        (&jobs::SOURCE, &[]),
        (&sessions::SOURCE, &[("s.user_id", 7)]),
        (&devices::SOURCE, &[("d.user_id", 7)]),
    ]
}

/// Filters that pages and programs use most.
const FILTERS: &[(&str, &[(&str, &str)])] = &[
    ("audit-logs", &[("filter[actor_id]", "7")]),
    ("audit-logs", &[("filter[action]", "site.updated")]),
    (
        "audit-logs",
        &[
            ("filter[subject_kind]", "site"),
            ("filter[subject_id]", "7"),
        ],
    ),
    ("audit-logs", &[("filter[organization_id]", "3")]),
    ("audit-logs", &[("filter[site_id]", "7")]),
    ("audit-logs", &[("filter[address]", "192.0.2.1")]),
    (
        "audit-logs",
        &[
            ("filter[created_at][gte]", "2026-01-01"),
            ("filter[created_at][lte]", "2026-01-31"),
        ],
    ),
    ("advisories", &[("filter[module]", "drupal")]),
    ("advisories", &[("filter[affected_sites_count][gt]", "0")]),
    ("advisories", &[("q", "scripting")]),
    ("sites", &[("filter[next_due_at][lt]", "2026-01-01")]),
    ("sites", &[("filter[environment]", "staging")]),
    ("sites", &[("filter[tags]", "shop")]),
    ("exposures", &[("filter[due_at][lt]", "2026-01-01")]),
    ("exposures", &[("filter[risk]", "critical")]),
    (
        "exposures",
        &[
            ("filter[no_fix]", "true"),
            ("filter[state]", "open"),
            ("sort", "due_at"),
        ],
    ),
    (
        "exposures",
        &[
            ("filter[assignee_id]", "7"),
            ("filter[state]", "open"),
            ("sort", "due_at"),
        ],
    ),
    (
        "exposures",
        &[
            ("filter[snoozed]", "true"),
            ("filter[state]", "open"),
            ("sort", "due_at"),
        ],
    ),
    (
        "exposures",
        &[
            ("filter[most_urgent]", "true"),
            ("filter[state]", "open"),
            ("sort", "due_at"),
        ],
    ),
    ("modules", &[("q", "token")]),
    ("modules", &[("q", "to")]),
    ("patch-runs", &[("filter[run_date][gte]", "2026-01-01")]),
    ("patch-runs", &[("filter[state]", "claimed")]),
    ("patch-runs", &[("filter[state]", "unattributed")]),
    ("module-sites", &[("filter[exposed]", "true")]),
    ("module-sites", &[("filter[state]", "open")]),
    ("module-sites", &[("filter[environment]", "production")]),
    ("sites", &[("filter[status]", "not_secure")]),
    ("sites", &[("filter[organization_id]", "3")]),
    ("sites", &[("filter[silent]", "true")]),
    ("sites", &[("q", "hall")]),
    ("sites", &[("q", "ha")]),
    ("sites", &[("q", "hall"), ("sort", "last_sync_at")]),
    ("sites", &[("filter[name][contains]", "hall")]),
    ("sites", &[("filter[name][starts_with]", "hall")]),
    ("exposures", &[("filter[state]", "open")]),
    ("exposures", &[("filter[state]", "overdue")]),
    ("exposures", &[("filter[module]", "token")]),
    (
        "exposures",
        &[("filter[state]", "open"), ("sort", "due_at")],
    ),
    (
        "sites",
        &[
            ("filter[environment]", "production"),
            ("filter[organization_id]", "3"),
        ],
    ),
];

/// What the pages ask for by themselves: their order, their views, and what is chosen on them.
#[rustfmt::skip]
const PAGES: &[(&str, &[(&str, &str)])] = &[
    ("sites", &[("sort", "status,next_due_at")]),
    ("sites", &[("filter[status]", "not_secure"), ("sort", "status,next_due_at")]),
    ("sites", &[("filter[next_due_at][lt]", "2026-01-01"), ("sort", "status,next_due_at")]),
    ("sites", &[("filter[status][in]", "not_supported,revoked"), ("sort", "status,next_due_at")]),
    ("sites", &[("filter[silent]", "true"), ("sort", "status,next_due_at")]),
    ("sites", &[("filter[status][in]", "unknown,not_checked,pending"), ("filter[silent]", "false"), ("sort", "status,next_due_at")]),
    ("sites", &[("filter[status]", "current"), ("filter[silent]", "false"), ("sort", "status,next_due_at")]),
    ("sites", &[("filter[environment]", "production"), ("sort", "status,next_due_at")]),
    ("sites", &[("filter[environment]", "production"), ("filter[status]", "not_secure"), ("sort", "status,next_due_at")]),
    ("sites", &[("filter[tags]", "shop"), ("sort", "status,next_due_at")]),
    ("sites", &[("filter[organization_id]", "3"), ("sort", "status,next_due_at")]),
    ("sites", &[("q", "hall"), ("sort", "status,next_due_at")]),
    ("modules", &[("sort", "-exposed_sites_count,-sites_count")]),
    ("modules", &[("q", "token"), ("sort", "-exposed_sites_count,-sites_count")]),
];

fn plan(house: &TestApp, statement: &Statement) -> Vec<String> {
    let sql = format!("EXPLAIN QUERY PLAN {}", statement.sql);
    let steps = house.app.store.read(|db| {
        let mut prepared = db.prepare(&sql).map_err(StoreError::from)?;
        let values = params_from_iter(&statement.values);
        let steps = prepared.query_map(values, |row| row.get::<_, String>(3))?;
        steps.collect::<Result<_, _>>().map_err(StoreError::from)
    });
    steps.unwrap()
}

/// What is asked to answer: where an index tells what a search finds, first whether that is few.
fn statements_of(source: &Source, ask: &Ask<'_>) -> Vec<(&'static str, Statement)> {
    let mut all = vec![
        ("rows", rows_of(source, ask, Way::Compared)),
        ("count", count_of(source, ask, Way::Compared)),
    ];
    if let Some(told) = told_by_index(source, ask) {
        all.push(("few or many", told));
        all.push(("rows of few", rows_of(source, ask, Way::Found)));
        all.push(("count of few", count_of(source, ask, Way::Found)));
    }
    all
}

/// A question to a list as one line: the list, what it asks, who asks, rows or their number.
fn line(source: &Source, within: Within, title: &str, sight: &Sight, what: &str) -> String {
    let place = match within {
        [(_, _)] if of_site(within) => " of a site",
        [_, _] => " of an organization",
        _ => "",
    };
    let who = match sight {
        Sight::All => "all",
        _ if sight.only_organization().is_some() => "an organization",
        _ => "several organizations",
    };
    format!("{}{place}, {title}, {who}, {what}", source.list.name)
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

/// The path names a site.
fn of_site(within: Within) -> bool {
    matches!(within, [(column, _)] if column.ends_with(".site_id"))
}

/// What is asked of a list: each sort both ways, and the filters that are used most.
fn questions(source: &Source, within: Within) -> Vec<(String, Vec<(&'static str, String)>)> {
    let mut questions: Vec<(String, Vec<(&str, String)>)> = Vec::new();
    for sort in source.list.sorts {
        for sign in ["", "-"] {
            let sort = format!("{sign}{sort}");
            questions.push((format!("sort={sort}"), vec![("sort", sort)]));
        }
    }
    for (list, pairs) in FILTERS.iter().chain(PAGES) {
        if source.list.name == *list && !of_site(within) {
            let title: Vec<_> = pairs
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let pairs = pairs
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned()));
            questions.push((title.join("&"), pairs.collect()));
        }
    }
    questions
}

#[tokio::test]
async fn no_list_walks_or_sorts_the_fleet_without_a_bound() {
    let house = TestApp::start().await;
    let (mut page, mut bad, mut used) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (source, within) in lists() {
        for (title, pairs) in questions(source, within) {
            let pairs = pairs.iter().map(|(name, value)| (*name, value.as_str()));
            let query = Query::parse(source.list, pairs).unwrap();
            let source = match within {
                [] if source.list.name == "exposures" => exposures::source_of(&query),
                _ => source,
            };
            let several = Sight::Organizations([3, 5].into());
            for sight in &[Sight::All, Sight::organization(3), several] {
                let ask = Ask {
                    query: &query,
                    sight,
                    within,
                    now: house.clock.now(),
                };
                for (what, statement) in statements_of(source, &ask) {
                    let name = line(source, within, &title, sight, what);
                    let steps = plan(&house, &statement);
                    let mut lines = vec![name.clone()];
                    for step in steps {
                        let bound = bounds::of_list(&name, &step);
                        // An index with this in its name is one of everything.
                        let of_all = *sight != Sight::All && step.contains("_by_");
                        if of_all || statements::is_dear(&step) {
                            match bound {
                                Some(bound) => drop(used.insert(bound)),
                                None => bad.push(format!("{name}: {step}\n    {}", statement.sql)),
                            }
                        }
                        lines.push(step);
                    }
                    page.push(lines.join("\n    "));
                }
            }
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    for (at, bound) in LISTS.iter().enumerate() {
        assert!(
            used.contains(&at),
            "{}: nothing needs this any more",
            bound.because
        );
    }
    insta::assert_snapshot!(page.join("\n"));
}

/// A value that a field can be held equal to.
fn some(kind: Kind) -> &'static str {
    match kind {
        Kind::Integer => "3",
        Kind::Time => "2026-01-01",
        Kind::Word(words) => words[0],
        Kind::Boolean => "true",
        Kind::Text | Kind::Member => "abc",
    }
}

#[tokio::test]
async fn the_fields_that_no_index_finds_are_on_record() {
    let house = TestApp::start().await;
    let mut walked = Vec::new();
    for (source, within) in lists().into_iter().filter(|(_, within)| within.is_empty()) {
        let mut fields = Vec::new();
        for field in source.list.fields {
            let name = format!("filter[{}]", field.name);
            let query = Query::parse(source.list, [(&*name, some(field.kind))]).unwrap();
            let ask = Ask {
                query: &query,
                sight: &Sight::All,
                within,
                now: house.clock.now(),
            };
            let steps = plan(&house, &rows_of(source, &ask, Way::Compared));
            // The index of open windows holds nothing else.
            let walks = |step: &String| {
                step.starts_with("SCAN ")
                    && statements::is_dear(step)
                    && !step.ends_with(" exposures_newest")
            };
            if steps.iter().any(walks) {
                fields.push(field.name);
            }
        }
        if !fields.is_empty() {
            walked.push(format!("{}: {}", source.list.name, fields.join(", ")));
        }
    }
    assert_eq!(walked, bounds::WALKED);
}

#[tokio::test]
async fn the_schema_is_a_page_that_a_person_can_read() {
    let house = TestApp::start().await;
    let schema: Vec<String> = house
        .app
        .store
        .read(|db| {
            let mut prepared = db.prepare(
                "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'refinery%' AND name NOT GLOB '*_search_[cdi]*' ORDER BY tbl_name, type DESC, name",
            )?;
            let rows = prepared.query_map([], |row| row.get(0))?;
            rows.collect::<rusqlite::Result<_>>().map_err(dewline::store::StoreError::from)
        })
        .unwrap();
    insta::assert_snapshot!(schema.join(";\n"));
}
