//! Lists: pages, links, filters by each operator, order, search, CSV; and the wall around each.

use dewline::store::{Lane, StoreError};
use serde_json::{Value, json};

use crate::support::{Answer, EMAIL, TestApp, module};

/// Three sites of one organization.
async fn fleet() -> (TestApp, i64) {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    for (name, environment, tags, minutes) in [
        ("Alpha", "production", json!(["shop", "eu"]), 60),
        ("Beta 50%", "staging", json!(["eu"]), 30),
        ("gamma", "production", json!([]), 15),
    ] {
        let site = json!({
            "name": name, "url": "https://www.example.org", "organization_id": harbour, "environment": environment,
            "tags": tags, "sync_interval_minutes": minutes,
        });
        house.admin().post("/sites", &site).await.created();
        house.clock.advance(jiff::SignedDuration::from_secs(60));
    }
    (house, harbour)
}

fn names(answer: &Answer) -> Vec<String> {
    let text = |value: Value| value.as_str().unwrap().to_owned();
    answer.column("name").into_iter().map(text).collect()
}

#[tokio::test]
async fn pages_have_links_that_keep_filters_and_order() {
    let (house, _) = fleet().await;
    let answer = house
        .admin()
        .get("/sites?per_page=1&page=2&sort=-name&filter[name][ne]=x")
        .await;
    let body = answer.ok();
    assert_eq!(names(&answer), ["Beta 50%"]);
    assert_eq!(
        body["meta"]["pagination"],
        json!({"page": 2, "per_page": 1, "total": 3, "total_pages": 3})
    );
    let link = |name: &str| body["links"][name].as_str().unwrap().to_owned();
    for (name, page) in [
        ("first", 1),
        ("prev", 1),
        ("self", 2),
        ("next", 3),
        ("last", 3),
    ] {
        let expected =
            format!("/api/v1/sites?per_page=1&page={page}&sort=-name&filter%5Bname%5D%5Bne%5D=x");
        assert_eq!(link(name), expected, "{name}");
    }
    let next = house.admin().get(&format!("/{}", link("next"))).await;
    assert_eq!(names(&next), ["Alpha"]);
    assert!(next.ok()["links"]["next"].is_null());
    let past = house.admin().get("/sites?page=9").await;
    assert_eq!(names(&past), [""; 0]);
    assert_eq!(past.ok()["meta"]["pagination"]["total"], 3);
}

#[tokio::test]
async fn every_operator_does_what_it_says() {
    let (house, harbour) = fleet().await;
    for (filter, expected) in [
        ("filter[name]=alpha", &["Alpha"][..]),
        ("filter[name][eq]=Alpha", &["Alpha"]),
        ("filter[name][ne]=Alpha", &["Beta 50%", "gamma"]),
        ("filter[name][in]=alpha,gamma", &["Alpha", "gamma"]),
        ("filter[name][contains]=A%25", &[]),
        ("filter[name][contains]=50%25", &["Beta 50%"]),
        ("filter[name][contains]=a_", &[]),
        ("filter[name][starts_with]=GAM", &["gamma"]),
        ("filter[id][lt]=2", &["Alpha"]),
        ("filter[id][lte]=2", &["Alpha", "Beta 50%"]),
        ("filter[id][gt]=2", &["gamma"]),
        ("filter[id][gte]=2", &["Beta 50%", "gamma"]),
        ("filter[id][in]=1,3", &["Alpha", "gamma"]),
        ("filter[tags]=EU", &["Alpha", "Beta 50%"]),
        ("filter[tags][ne]=shop", &["Beta 50%", "gamma"]),
        ("filter[tags][in]=shop,none", &["Alpha"]),
        ("filter[environment]=staging", &["Beta 50%"]),
        ("filter[status]=pending", &["Alpha", "Beta 50%", "gamma"]),
        ("filter[status][ne]=pending", &[]),
        ("filter[silent]=false", &["Alpha", "Beta 50%", "gamma"]),
        ("filter[silent]=true", &[]),
        (
            "filter[last_sync_at][null]=true",
            &["Alpha", "Beta 50%", "gamma"],
        ),
        ("filter[last_sync_at][null]=false", &[]),
        (
            "filter[created_at]=2026-11-20",
            &["Alpha", "Beta 50%", "gamma"],
        ),
        ("filter[created_at][lte]=2026-11-19", &[]),
        (
            "filter[created_at][gt]=2026-11-20T08:00:00Z",
            &["Beta 50%", "gamma"],
        ),
        (
            "filter[created_at][ne]=2026-11-20T08:01:00Z",
            &["Alpha", "gamma"],
        ),
        ("filter[environment]=production&filter[tags]=eu", &["Alpha"]),
        ("q=MM", &["gamma"]),
        ("q=%25", &["Beta 50%"]),
        ("sort=-name", &["gamma", "Beta 50%", "Alpha"]),
        ("sort=-created_at", &["gamma", "Beta 50%", "Alpha"]),
        ("sort=status,-name", &["gamma", "Beta 50%", "Alpha"]),
        ("sort=-last_sync_at,name", &["Alpha", "Beta 50%", "gamma"]),
        ("sort=next_due_at", &["Alpha", "Beta 50%", "gamma"]),
    ] {
        let answer = house.admin().get(&format!("/sites?{filter}")).await;
        assert_eq!(names(&answer), expected, "{filter}");
        assert_eq!(
            answer.ok()["meta"]["pagination"]["total"],
            expected.len(),
            "{filter}"
        );
    }
    let mine = format!("/sites?filter[organization_id]={harbour}");
    assert_eq!(names(&house.admin().get(&mine).await).len(), 3);
}

#[tokio::test]
async fn what_a_list_cannot_be_asked_is_refused_with_what_it_can() {
    let (house, _) = fleet().await;
    let answer = house
        .admin()
        .get("/sites?filter[colour]=red&filter[status][lt]=current&sort=size&page=0&per_page=201&fields=a&filter[id=1")
        .await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.faults(),
        [
            "?filter[colour] unknown_field",
            "?filter[status][lt] unknown_operator",
            "?sort unknown_field",
            "?page out_of_range",
            "?per_page out_of_range",
            "?fields unknown_parameter",
            "?filter[id malformed",
        ]
    );
    assert!(answer.text.contains("eq, ne, in"));
    assert_eq!(house.admin().get("/sites/1?page=1").await.status, 400);
    let broken = house.admin().get("/sites?q=%FF&page=1&so%FFrt=name").await;
    assert_eq!(broken.status, 400);
    assert_eq!(broken.faults(), ["?q not_utf8", "?so\u{fffd}rt not_utf8"]);
    assert_eq!(
        house.admin().get("/organizations/1?expand=x").await.status,
        400
    );
}

#[tokio::test]
async fn a_list_is_csv_too_and_no_cell_starts_a_formula() {
    let house = TestApp::start().await;
    let harbour = house.organization("=cmd()").await;
    house.site_of(harbour, "+Town, \"hall\"").await;
    let answer = house.admin().get("/sites?format=csv").await;
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    let mut rows = answer.text.split("\r\n");
    let row = house.admin().get("/sites/1").await.ok()["data"].clone();
    let columns: Vec<&str> = rows.next().unwrap().split(',').collect();
    for name in row.as_object().unwrap().keys() {
        assert!(columns.contains(&name.as_str()), "{name}");
    }
    assert!(
        rows.next()
            .unwrap()
            .starts_with("1,\"'+Town, \"\"hall\"\"\",")
    );
    let answer = house.admin().get("/organizations?format=csv").await;
    assert!(answer.text.contains(",'=cmd(),"), "{}", answer.text);
}

#[tokio::test]
async fn the_columns_of_every_list_are_its_rows_names() {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    let hours = json!({"environments": {"production": {"hours": {"moderately_critical": 1}}}});
    let path = format!("/organizations/{harbour}/sla-policy");
    house.admin().put(&path, &hours).await.ok();
    let site = house.site_of(harbour, "Town hall").await;
    house.publishes(module("token"));
    site.syncs(&[("token", "1.0.0")]).await;
    house.run_jobs().await;
    house.releases(
        "token",
        dewline::demo::history::Release::security("1.0.1", crate::support::days_ago(1)),
    );
    let advisory = dewline::demo::advisory::Advisory::new(
        50,
        "SA-CONTRIB-2026-050",
        "token",
        crate::support::days_ago(1),
    );
    house.drupal_org.put_advisory(advisory);
    house.admin().post("/modules/1/refresh", &json!(null)).await;
    house.clock.advance(jiff::SignedDuration::from_hours(2));
    house.run_jobs().await;
    let token = house.signs_in().await;
    site.syncs(&[("token", "1.0.1")]).await;
    // A browser, and somebody who is invited and so has a message.
    house.signed_in(EMAIL).await;
    let guest = json!({"email": "guest@example.org", "name": "Guest", "role": "viewer"});
    let members = house.bearer(&token);
    members
        .post("/organizations/1/members", &guest)
        .await
        .created();
    let mut empty = Vec::new();
    for route in dewline::http::routes() {
        let dewline::http::route::Gives::Page(list, _) = route.operation.gives else {
            continue;
        };
        let id = match route.scope {
            dewline::http::route::Scope::Called(..) => "SA-CONTRIB-2026-050",
            _ => "1",
        };
        let path = route.path.replace("{id}", id);
        let answer = house.bearer(&token).get(&path).await.ok();
        match answer["data"][0].as_object() {
            Some(row) => {
                let mut names: Vec<&str> = row.keys().map(String::as_str).collect();
                let mut columns = list.columns.to_vec();
                names.sort_unstable();
                columns.sort_unstable();
                assert_eq!(names, columns, "{path}");
            }
            None => empty.push(path),
        }
    }
    assert_eq!(empty, [""; 0], "lists that could not be compared");
}

#[tokio::test]
async fn an_organization_sees_nothing_of_another() {
    let house = TestApp::start().await;
    let (mine, other) = (
        house.organization("Harbour").await,
        house.organization("Meadow").await,
    );
    let (site, foreign) = (
        house.site_of(mine, "Town hall").await,
        house.site_of(other, "Library secret").await,
    );
    house.publishes(module("token"));
    house.publishes(module("views_bulk"));
    site.syncs(&[("token", "1.0.0")]).await;
    foreign
        .syncs(&[("token", "1.0.0"), ("views_bulk", "1.0.0")])
        .await;
    house.run_jobs().await;
    let key = house
        .key(
            mine,
            &[
                "organizations:read",
                "sites:read",
                "modules:read",
                "api_keys:manage",
                "jobs:read",
                "audit:read",
            ],
        )
        .await;
    let client = house.bearer(&key);
    for path in [
        "/sites",
        "/sites?format=csv",
        "/sites?q=secret",
        "/sites?filter[organization_id]=2",
        "/sites?sort=-last_sync_at",
        "/organizations",
        "/organizations?format=csv",
        "/modules",
        "/modules?q=views",
        "/modules?sort=-sites_count",
        "/modules?filter[sites_count][gt]=1",
        "/api-keys",
        "/exposures",
        "/patch-runs",
        "/jobs",
        "/audit-logs",
        "/audit-logs?format=csv",
    ] {
        let answer = client.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        for word in ["Library", "Meadow", "views_bulk"] {
            assert!(
                !answer.text.contains(word),
                "{path} tells {word}: {}",
                answer.text
            );
        }
    }
    assert_eq!(
        client.get("/sites").await.ok()["meta"]["pagination"]["total"],
        1
    );
    let hidden = client.get("/sites?filter[organization_id]=2").await.ok();
    assert_eq!(hidden["meta"]["pagination"]["total"], 0);
    let modules = client.get("/modules?filter[module_name]=token").await.ok();
    assert_eq!(modules["data"][0]["sites_count"], 1);
    let all = house
        .admin()
        .get("/modules?filter[module_name]=token")
        .await
        .ok();
    assert_eq!(all["data"][0]["sites_count"], 2);
    let views = house.admin().get("/modules?q=views").await.ok()["data"][0]["id"].clone();
    for path in [
        format!("/sites/{}", foreign.id),
        foreign.path("/modules"),
        foreign.path("/syncs"),
        foreign.path("/syncs/2"),
        foreign.path("/events"),
        foreign.path("/exposures"),
        foreign.path("/patch-runs"),
        format!("/organizations/{other}"),
        format!("/modules/{views}"),
        "/api-keys/2".to_owned(),
    ] {
        assert_eq!(client.get(&path).await.status, 404, "{path}");
    }
    // Another's sync isn't found under one's own site either.
    assert_eq!(client.get(&site.path("/syncs/2")).await.status, 404);
}

#[tokio::test]
async fn each_key_of_an_order_decides_where_those_before_it_are_equal() {
    let (house, _) = fleet().await;
    for (sort, expected) in [
        ("status,name", ["Alpha", "Beta 50%", "gamma"]),
        ("status,-name", ["gamma", "Beta 50%", "Alpha"]),
        ("-status,next_due_at,-id", ["gamma", "Beta 50%", "Alpha"]),
        ("-created_at,name", ["gamma", "Beta 50%", "Alpha"]),
        ("id,-name", ["Alpha", "Beta 50%", "gamma"]),
        ("name", ["Alpha", "Beta 50%", "gamma"]),
    ] {
        let answer = house.admin().get(&format!("/sites?sort={sort}")).await;
        assert_eq!(names(&answer), expected, "{sort}");
    }
}

#[tokio::test]
async fn beyond_ten_thousand_rows_the_total_is_at_least() {
    let house = TestApp::start().await;
    let many = |rows: i64| {
        format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
             INSERT INTO organizations (name, created_at, updated_at, created_by, updated_by)
               SELECT printf('O%06d', i + (SELECT count(*) FROM organizations)), 0, 0, 'system', 'system' FROM n"
        )
    };
    let adds = async |rows: i64| {
        let sql = many(rows);
        let write = house.app.store.write(Lane::Front, move |db| {
            Ok::<_, StoreError>(db.execute_batch(&sql)?)
        });
        write.await.unwrap();
    };
    adds(10_000).await;
    let body = house.admin().get("/organizations?per_page=200").await.ok();
    assert_eq!(
        body["meta"]["pagination"],
        json!({"page": 1, "per_page": 200, "total": 10_000, "total_pages": 50})
    );
    assert_eq!(
        body["links"]["last"],
        "/api/v1/organizations?per_page=200&page=50"
    );
    adds(10).await;
    let body = house.admin().get("/organizations?per_page=200").await.ok();
    assert_eq!(
        body["meta"]["pagination"],
        json!({"page": 1, "per_page": 200, "total": 10_000, "total_pages": 50, "total_is_at_least": true})
    );
    assert!(body["links"]["last"].is_null());
    let last = house
        .admin()
        .get("/organizations?per_page=200&page=51")
        .await
        .ok();
    assert_eq!(last["data"].as_array().unwrap().len(), 10);
    assert_eq!(last["meta"]["pagination"]["total"], 10_010);
    assert!(last["links"]["next"].is_null());
    let past = house
        .admin()
        .get("/organizations?per_page=200&page=60")
        .await
        .ok();
    assert_eq!(past["data"], json!([]));
    assert_eq!(past["meta"]["pagination"]["total_is_at_least"], true);
}
