//! Whoever holds what a page's line asks for, and nothing else, gets the page.

use dewline::domain::access::Permission;
use dewline::http::pages;
use dewline::http::route::Needs;

use super::things;
use super::town::{Caller, Kind, Town, changes, joins, person};
use crate::support::browser::cookie;
use axum::http::Method;

#[tokio::test]
async fn what_a_line_asks_for_is_enough_for_its_page() {
    let town = Town::stands().await;
    let house = &town.house;
    let email = "one@example.org";
    let one = person(house, email, "One").await;
    changes(
        house,
        "INSERT INTO roles (id, organization_id, name, created_at, updated_at, created_by, updated_by)
           VALUES (900, NULL, 'one thing', 0, 0, 'system', 'system');"
            .to_owned(),
    )
    .await;
    joins(house, town.own.organization, one, 900).await;
    let caller = Caller {
        name: "one".to_owned(),
        kind: Kind::Column,
        credential: Some(("cookie", cookie(house, email).await)),
    };
    let mut refused = Vec::new();
    for permission in Permission::ALL {
        let word = permission.word();
        for page in pages() {
            if page.needs != Needs::May(permission) || *page.method != Method::GET {
                continue;
            }
            let held = [Some(permission), page.also].into_iter().flatten();
            let held: String = held
                .map(|held| {
                    format!(
                        "INSERT INTO role_permissions VALUES (900, '{}');",
                        held.word()
                    )
                })
                .collect();
            let anew = format!("DELETE FROM role_permissions WHERE role_id = 900; {held}");
            changes(house, anew).await;
            let path = things::path(&town, &town.own, &format!("GET {}", page.path));
            let answer = caller.at(house).get(&format!("/{path}")).await;
            if answer.status != 200 {
                refused.push(format!("{word}: {path} is answered with {}", answer.status));
            }
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}
