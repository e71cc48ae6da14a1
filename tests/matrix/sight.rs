//! What isn't yours is not there: in lists, counts, filters, sorts, searches, files, aggregates, the
//! catalogue and pages. Nobody but the platform administrator belongs to the third organization, and
//! whatever is its own has [`THIRD`] in its name: that word must be in nobody else's answers.

use std::collections::BTreeMap;

use axum::http::Method;
use dewline::domain::listing::{Kind, List};
use dewline::http::route::{Gives, Needs};
use dewline::http::{pages, routes};
use serde_json::Value;

use super::things;
use super::town::{Caller, THIRD, Things, Town, number};

/// A part of it: an answer that repeats the question doesn't give it away.
const PART: &str = "zzth";

/// Every question that a list understands, of those that could bring the third organization's rows.
fn questions(list: &List, third: &Things) -> Vec<String> {
    let mut all = vec![
        String::new(),
        "per_page=200".to_owned(),
        "format=csv".to_owned(),
    ];
    for sort in list.sorts {
        all.push(format!("sort={sort}"));
        all.push(format!("sort=-{sort}"));
    }
    if list.search {
        all.push(format!("q={PART}"));
        all.push(format!("q={PART}&format=csv"));
    }
    for field in list.fields {
        let name = field.name;
        match field.kind {
            Kind::Integer => all.extend(
                [
                    third.organization,
                    third.site,
                    third.module,
                    third.key,
                    third.person,
                ]
                .map(|id| format!("filter[{name}]={id}")),
            ),
            Kind::Text | Kind::Member => {
                all.extend(
                    ["starts_with", "contains"].map(|op| format!("filter[{name}][{op}]={PART}")),
                );
            }
            Kind::Time | Kind::Word(_) | Kind::Boolean => {}
        }
        if field.nullable {
            all.push(format!("filter[{name}][null]=true"));
            all.push(format!("filter[{name}][null]=false"));
        }
    }
    all
}

/// Everything that can be read: the API's addresses with every question, and the pages.
fn readings(town: &Town, things: &Things) -> (Vec<String>, Vec<String>) {
    let mut of_api = Vec::new();
    for route in routes() {
        if route.method != Method::GET || route.needs == Needs::Public {
            continue;
        }
        let path = things::path(town, things, &format!("GET {}", route.path));
        match route.operation.gives {
            Gives::Page(list, _) => {
                let questions = questions(list, &town.third).into_iter();
                of_api.extend(questions.map(|question| format!("{path}?{question}")));
            }
            Gives::Report(_) => {
                of_api.push(format!("{path}?environment=all"));
                of_api.push(format!("{path}?environment=all&format=csv"));
                of_api.push(format!(
                    "{path}?site_id={}&environment=all",
                    town.third.site
                ));
                of_api.push(path);
            }
            _ => of_api.push(path),
        }
    }
    let mut of_pages = Vec::new();
    for page in pages() {
        if page.method != Method::GET {
            continue;
        }
        let path = things::path(town, things, &format!("GET {}", page.path));
        let organization = town.third.organization;
        of_pages.push(format!("/{path}?q={PART}"));
        of_pages.push(format!("/{path}?organization={organization}"));
        of_pages.push(format!("/{path}?filter[organization_id]={organization}"));
        of_pages.push(format!("/{path}?format=csv"));
        of_pages.push(format!("/{path}"));
    }
    (of_api, of_pages)
}

async fn reads(town: &Town, who: &Caller, path: &str) -> (u16, String) {
    let answer = who.at(&town.house).get(path).await;
    (answer.status.as_u16(), answer.text)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_third_organization_is_in_anybodys_answers() {
    let town = Town::stands().await;
    let people = ["both", "viewer", "admin", "other"];
    let callers = people
        .map(|name| town.caller(name))
        .into_iter()
        .chain([town.caller("foreign")]);
    let callers: Vec<&Caller> = callers.collect();
    let visitors = people.map(|name| town.visitor(name));
    let mut seen_by_the_platform = 0;
    for things in [&town.own, &town.third] {
        let (of_api, of_pages) = readings(&town, things);
        let both = [
            (of_api, town.caller("platform"), callers.as_slice()),
            (of_pages, town.visitor("platform"), visitors.as_slice()),
        ];
        for (paths, platform, others) in both {
            for path in paths {
                for who in others {
                    let (status, text) = reads(&town, who, &path).await;
                    assert!(status < 500, "GET {path}: {} got {status}", who.name);
                    assert!(
                        !text.to_lowercase().contains(THIRD),
                        "GET {path} tells {} of another organization: {text}",
                        who.name
                    );
                    names_only_his(&town, who, &path, &text);
                }
                let (_, text) = reads(&town, platform, &path).await;
                seen_by_the_platform += usize::from(text.to_lowercase().contains(THIRD));
            }
        }
    }
    // Else the word would be nowhere, and the test blind.
    assert!(seen_by_the_platform > 100, "{seen_by_the_platform}");
}

/// Every id of an organization or a site in the answer is of those where he belongs, and a list that
/// fits on one page has as many rows as it says.
fn names_only_his(town: &Town, who: &Caller, path: &str, text: &str) {
    let Ok(body) = serde_json::from_str::<Value>(text) else {
        return;
    };
    let third = [
        ("organization_id", town.third.organization),
        ("site_id", town.third.site),
        ("site_id", town.third.patched_site),
    ];
    walk(&body["data"], &mut |name, value| {
        let his = third
            .iter()
            .all(|(theirs, id)| name != *theirs || value.as_i64() != Some(*id));
        assert!(his, "GET {path} names {name} {value} to {}", who.name);
    });
    let pagination = &body["meta"]["pagination"];
    if pagination["total_pages"] == 1 {
        let rows = body["data"].as_array().map_or(0, Vec::len);
        assert_eq!(pagination["total"], rows, "GET {path} to {}", who.name);
    }
}

fn walk(value: &Value, each: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            each(name, value);
            walk(value, each);
        }),
        Value::Array(all) => all.iter().for_each(|value| walk(value, each)),
        _ => {}
    }
}

/// The numbers in it, by where they stand.
fn numbers(value: &Value, place: &str, into: &mut BTreeMap<String, i64>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                numbers(value, &format!("{place}/{name}"), into);
            }
        }
        Value::Number(number) => {
            into.extend(number.as_i64().map(|number| (place.to_owned(), number)));
        }
        _ => {}
    }
}

async fn overview(town: &Town, who: &str) -> BTreeMap<String, i64> {
    let answer = town
        .caller(who)
        .at(&town.house)
        .get("/dashboard/overview")
        .await;
    let mut found = BTreeMap::new();
    numbers(&answer.ok()["data"], "", &mut found);
    found
}

/// A count of every row of a list, by the row's name.
async fn counts(
    town: &Town,
    who: &str,
    list: &str,
    name: &str,
    count: &str,
) -> BTreeMap<String, i64> {
    let path = format!("{list}?per_page=200");
    let rows = town.caller(who).at(&town.house).get(&path).await.ok();
    let row = |row: &Value| (row[name].to_string(), row[count].as_i64().unwrap());
    rows["data"].as_array().unwrap().iter().map(row).collect()
}

fn sum(one: &BTreeMap<String, i64>, other: &BTreeMap<String, i64>) -> BTreeMap<String, i64> {
    let mut both = one.clone();
    for (name, count) in other {
        *both.entry(name.clone()).or_default() += count;
    }
    both
}

#[tokio::test(flavor = "multi_thread")]
async fn who_belongs_to_two_organizations_sees_what_their_members_see_together() {
    let town = Town::stands().await;
    for (list, name, count) in [
        ("/modules", "module_name", "sites_count"),
        ("/modules", "module_name", "exposed_sites_count"),
        ("/advisories", "id", "affected_sites_count"),
        ("/sites", "id", "open_exposures"),
        ("/organizations", "id", "id"),
        ("/exposures", "id", "site_id"),
        ("/patch-runs", "id", "site_id"),
    ] {
        let of_harbour = counts(&town, "viewer", list, name, count).await;
        let of_meadow = counts(&town, "other", list, name, count).await;
        let of_both = counts(&town, "both", list, name, count).await;
        assert_eq!(of_both, sum(&of_harbour, &of_meadow), "{list} {count}");
        assert!(of_harbour.len() < of_both.len(), "{list}");
    }
    for list in [
        "/modules",
        "/advisories",
        "/sites",
        "/exposures",
        "/patch-runs",
        "/organizations",
    ] {
        let total = async |who: &str| {
            let rows = town.caller(who).at(&town.house).get(list).await.ok();
            rows["meta"]["pagination"]["total"].as_i64().unwrap()
        };
        assert!(total("viewer").await < total("both").await, "{list}");
        assert!(total("both").await < total("platform").await, "{list}");
    }
    let of_both = overview(&town, "both").await;
    assert_eq!(
        of_both,
        sum(
            &overview(&town, "viewer").await,
            &overview(&town, "other").await
        )
    );
    assert!(of_both["/exposures/open"] > 0);
    let sites = number(
        &town.house,
        "SELECT count(*) FROM sites WHERE deleted_at IS NULL",
    );
    assert_eq!(overview(&town, "platform").await["/sites/total"], sites);
}
