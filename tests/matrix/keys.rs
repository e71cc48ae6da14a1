//! What a key may do is what its scopes say and its maker may do now: in the same second.

use dewline::domain::access::Permission;
use serde_json::{Value, json};

use super::town::{changes, joins, person, token};
use crate::support::browser::sends;
use crate::support::{EMAIL, TestApp};

const ADMIN: i64 = 1;
const MANAGER: i64 = 2;
const VIEWER: i64 = 3;

/// Harbour, with a site, and somebody who is its administrator.
struct Harbour {
    house: TestApp,
    id: i64,
    site: i64,
    site_key: String,
    maker: i64,
    token: String,
}

impl Harbour {
    async fn stands() -> Self {
        let house = TestApp::start().await;
        let id = house.organization("Harbour").await;
        let site = house.site_of(id, "Town hall").await;
        let (site, site_key) = (site.id, site.key);
        let maker = person(&house, "maker@example.org", "Mika").await;
        joins(&house, id, maker, ADMIN).await;
        let token = token(&house, "maker@example.org").await;
        Self {
            house,
            id,
            site,
            site_key,
            maker,
            token,
        }
    }

    /// A key that the bearer makes, and its id.
    async fn makes(&self, bearer: &str, scopes: &[&str]) -> (String, i64) {
        let made = self.asks_for(bearer, scopes).await.created();
        let key = made["data"]["key"].as_str().unwrap().to_owned();
        (key, made["data"]["id"].as_i64().unwrap())
    }

    async fn asks_for(&self, bearer: &str, scopes: &[&str]) -> crate::support::Answer {
        let words = json!({"name": "a key", "organization_id": self.id, "scopes": scopes});
        self.house.bearer(bearer).post("/api-keys", &words).await
    }

    async fn reads(&self, key: &str) -> u16 {
        let path = format!("/sites/{}", self.site);
        self.house.bearer(key).get(&path).await.status.as_u16()
    }

    async fn writes(&self, key: &str) -> u16 {
        let path = format!("/sites/{}", self.site);
        let answer = self
            .house
            .bearer(key)
            .put(&path, &json!({"notes": "x"}))
            .await;
        answer.status.as_u16()
    }

    /// Whoever bears this learns the secret of the site's only key.
    async fn rotates_site_key(&self, bearer: &str) {
        let keys = self.house.bearer(bearer).get("/api-keys?sort=id").await;
        let id = keys.ok()["data"][0]["id"].as_i64().unwrap();
        assert_eq!(self.rotates(bearer, id).await.0, 200);
    }

    async fn rotates(&self, bearer: &str, id: i64) -> (u16, Value) {
        let path = format!("/api-keys/{id}/rotate");
        let answer = self.house.bearer(bearer).post(&path, &json!({})).await;
        (answer.status.as_u16(), answer.json())
    }
}

#[tokio::test]
async fn a_sites_key_goes_on_whoever_made_it() {
    let harbour = Harbour::stands().await;
    let house = &harbour.house;
    let words = json!({"name": "its key", "site_id": harbour.site});
    let made = house
        .bearer(&harbour.token)
        .post("/api-keys", &words)
        .await
        .created();
    let key = made["data"]["key"].as_str().unwrap();
    let deleted = format!(
        "UPDATE users SET deleted_at = 1 WHERE id = {}",
        harbour.maker
    );
    changes(house, deleted).await;
    for key in [key, &harbour.site_key] {
        let path = format!("/sites/{}/modules/sync", harbour.site);
        let inventory = crate::support::Site::inventory(&[]);
        assert_eq!(house.bearer(key).post(&path, &inventory).await.status, 200);
    }
}

#[tokio::test]
async fn a_rotation_by_somebody_else_does_not_revive_a_key_whose_maker_is_gone() {
    let harbour = Harbour::stands().await;
    let (old, id) = harbour.makes(&harbour.token, &["sites:read"]).await;
    let gone = format!("DELETE FROM memberships WHERE user_id = {}", harbour.maker);
    changes(&harbour.house, gone).await;
    let path = format!("/api-keys/{id}/rotate");
    let rotated = harbour.house.admin().post(&path, &json!({})).await.ok();
    let fresh = rotated["data"]["key"].as_str().unwrap();
    assert_eq!(
        (harbour.reads(fresh).await, harbour.reads(&old).await),
        (403, 403)
    );
    // Nor does a change of what it may do.
    let path = format!("/api-keys/{id}");
    let wider = json!({"scopes": ["sites:read", "sites:write"]});
    harbour.house.admin().put(&path, &wider).await.ok();
    assert_eq!(harbour.reads(fresh).await, 403);
}

#[tokio::test]
async fn nobody_gives_a_key_what_he_does_not_hold_in_that_organization() {
    let harbour = Harbour::stands().await;
    let house = &harbour.house;
    // An administrator of Meadow and a manager of Harbour gives for Harbour what a manager may.
    let meadow = house.organization("Meadow").await;
    joins(house, meadow, harbour.maker, ADMIN).await;
    joins(house, harbour.id, harbour.maker, MANAGER).await;
    let asks = async |scope: Permission| {
        let answer = harbour.asks_for(&harbour.token, &[scope.word()]).await;
        answer.status.as_u16()
    };
    assert_eq!(asks(Permission::SitesWrite).await, 201);
    assert_eq!(asks(Permission::AuditRead).await, 403);
    let (_, id) = harbour.makes(&harbour.token, &["sites:read"]).await;
    let path = format!("/api-keys/{id}");
    let wider = json!({"scopes": ["sites:read", "users:manage"]});
    let answer = house.bearer(&harbour.token).put(&path, &wider).await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn a_key_that_a_key_made_may_no_more_and_ends_with_it() {
    let harbour = Harbour::stands().await;
    let house = &harbour.house;
    let scopes = ["api_keys:manage", "sites:read", "sites:write"];
    let (parent, parent_id) = harbour.makes(&harbour.token, &scopes).await;
    let (child, child_id) = harbour.makes(&parent, &scopes).await;
    assert_eq!(harbour.writes(&child).await, 200);
    // It has no children, and can't loosen the one that made it.
    assert_eq!(harbour.asks_for(&child, &["sites:read"]).await.status, 403);
    assert_eq!(harbour.rotates(&child, parent_id).await.0, 403);
    // What its parent loses, it loses; what the person behind both loses, too.
    let path = format!("/api-keys/{parent_id}");
    let fewer = json!({"scopes": ["api_keys:manage", "sites:read"]});
    house.bearer(&harbour.token).put(&path, &fewer).await.ok();
    assert_eq!(
        (harbour.reads(&child).await, harbour.writes(&child).await),
        (200, 403)
    );
    joins(house, harbour.id, harbour.maker, VIEWER).await;
    let path = format!("/api-keys/{child_id}");
    assert_eq!(house.bearer(&child).get(&path).await.status, 403);
    assert_eq!(harbour.reads(&child).await, 200);
    let path = format!("/api-keys/{parent_id}");
    assert_eq!(house.admin().delete(&path).await.status, 204);
    assert_eq!(harbour.reads(&child).await, 401);
}

#[tokio::test]
async fn a_key_does_not_lift_its_own_limits() {
    let harbour = Harbour::stands().await;
    let house = &harbour.house;
    let words = json!({
        "name": "short", "organization_id": harbour.id, "scopes": ["api_keys:manage", "sites:read"],
        "expires_at": "2026-11-20T09:00:00Z",
    });
    let short = house
        .bearer(&harbour.token)
        .post("/api-keys", &words)
        .await
        .created();
    let (short, id) = (short["data"]["key"].as_str().unwrap(), &short["data"]["id"]);
    let path = format!("/api-keys/{id}");
    for lifted in [
        json!({"expires_at": null}),
        json!({"networks": []}),
        json!({"name": "x"}),
    ] {
        assert_eq!(house.bearer(short).put(&path, &lifted).await.status, 403);
    }
    // A new secret of its own has the same end; that of another's key is not for it.
    let (status, rotated) = harbour.rotates(short, id.as_i64().unwrap()).await;
    assert_eq!(status, 200);
    let fresh = rotated["data"]["key"].as_str().unwrap();
    let (_, other) = harbour.makes(&harbour.token, &["sites:read"]).await;
    assert_eq!(harbour.rotates(fresh, other).await.0, 403);
    let (child, _) = harbour.makes(fresh, &["sites:read"]).await;
    assert_eq!(harbour.reads(&child).await, 200);
    house.clock.advance(jiff::SignedDuration::from_hours(1));
    for key in [short, fresh, &child] {
        assert_eq!(harbour.reads(key).await, 401);
    }
}

#[tokio::test]
async fn the_page_of_keys_says_which_ones_may_do_less_than_their_scopes_say() {
    let harbour = Harbour::stands().await;
    let house = &harbour.house;
    harbour
        .makes(&harbour.token, &["sites:read", "sites:write"])
        .await;
    let browser = house.signed_in(EMAIL).await;
    let page = async || browser.get("//api-keys").await.text;
    assert!(!page().await.contains("who made it"));
    joins(house, harbour.id, harbour.maker, VIEWER).await;
    let said = "Without sites:write: Mika, who made it, may not do that now.";
    assert!(page().await.contains(said));
    let gone = format!("DELETE FROM memberships WHERE user_id = {}", harbour.maker);
    changes(house, gone).await;
    let said = "It opens nothing: Mika, who made it, may do none of this now.";
    assert!(page().await.contains(said));
}

#[tokio::test]
async fn a_key_made_by_a_key_is_taken_only_from_where_both_are() {
    let harbour = Harbour::stands().await;
    let house = &harbour.house;
    let words = json!({
        "name": "office", "organization_id": harbour.id,
        "scopes": ["api_keys:manage", "sites:read", "sync"], "networks": ["192.0.2.0/24"],
        "expires_at": "2026-11-20T09:00:00Z",
    });
    let office = house.bearer(&harbour.token).post("/api-keys", &words).await;
    let office = office.created()["data"].clone();
    let office = (office["key"].as_str().unwrap(), office["id"].clone());
    let makes = async |words: Value| {
        let client = house.bearer(office.0).from("192.0.2.7");
        let made = client.post("/api-keys", &words).await.created();
        made["data"]["key"].as_str().unwrap().to_owned()
    };
    let networks = json!(["192.0.2.0/25", "198.51.100.0/24"]);
    let child = makes(json!({
        "name": "child", "organization_id": harbour.id, "scopes": ["sites:read"], "networks": networks,
    }))
    .await;
    let of_site = makes(json!({"name": "its key", "site_id": harbour.site})).await;
    let reads = async |peer: &str| {
        let path = format!("/sites/{}", harbour.site);
        house
            .bearer(&child)
            .from(peer)
            .get(&path)
            .await
            .status
            .as_u16()
    };
    let syncs = async |peer: &str| {
        let path = format!("/sites/{}/modules/sync", harbour.site);
        let client = house.bearer(&of_site).from(peer);
        let inventory = crate::support::Site::inventory(&[]);
        client.post(&path, &inventory).await.status.as_u16()
    };
    assert_eq!(
        (reads("192.0.2.7").await, syncs("192.0.2.7").await),
        (200, 200)
    );
    assert_eq!(reads("192.0.2.200").await, 401);
    assert_eq!(
        (reads("198.51.100.1").await, syncs("198.51.100.1").await),
        (401, 401)
    );
    // Both end with the key that made them.
    let path = format!("/api-keys/{}", office.1);
    house.clock.advance(jiff::SignedDuration::from_mins(59));
    let token = token(house, "maker@example.org").await;
    assert_eq!(
        (reads("192.0.2.7").await, syncs("192.0.2.7").await),
        (200, 200)
    );
    assert_eq!(house.bearer(&token).delete(&path).await.status, 204);
    assert_eq!(
        (reads("192.0.2.7").await, syncs("192.0.2.7").await),
        (401, 401)
    );
}

#[tokio::test]
async fn a_sites_key_made_by_a_key_ends_with_it() {
    let harbour = Harbour::stands().await;
    let house = &harbour.house;
    let words = json!({
        "name": "short", "organization_id": harbour.id, "scopes": ["api_keys:manage", "sync"],
        "expires_at": "2026-11-20T09:00:00Z",
    });
    let short = house.bearer(&harbour.token).post("/api-keys", &words).await;
    let short = short.created()["data"]["key"].as_str().unwrap().to_owned();
    let words = json!({"name": "its key", "site_id": harbour.site});
    let made = house
        .bearer(&short)
        .post("/api-keys", &words)
        .await
        .created();
    let key = made["data"]["key"].as_str().unwrap();
    let syncs = async || {
        let path = format!("/sites/{}/modules/sync", harbour.site);
        let inventory = crate::support::Site::inventory(&[]);
        house
            .bearer(key)
            .post(&path, &inventory)
            .await
            .status
            .as_u16()
    };
    assert_eq!(syncs().await, 200);
    // The site's other key, which a person made, is not in its hand.
    let theirs = house
        .admin()
        .get("/api-keys?filter[name]=its%20key&sort=id")
        .await;
    let theirs = theirs.ok()["data"][0]["id"].as_i64().unwrap();
    assert_eq!(harbour.rotates(&short, theirs).await.0, 403);
    let path = format!("/api-keys/{theirs}");
    let open = json!({"expires_at": null});
    assert_eq!(house.bearer(&short).put(&path, &open).await.status, 403);
    // A key that a key made makes none for a site either.
    let (child, _) = harbour.makes(&short, &["api_keys:manage", "sync"]).await;
    assert_eq!(
        house.bearer(&child).post("/api-keys", &words).await.status,
        403
    );
    house.clock.advance(jiff::SignedDuration::from_hours(1));
    assert_eq!(syncs().await, 401);
}

#[tokio::test]
async fn a_key_that_somebody_rotated_may_no_more_than_he_may() {
    let harbour = Harbour::stands().await;
    let house = &harbour.house;
    let scopes = ["sites:read", "sites:write", "api_keys:manage"];
    let (_, id) = harbour.makes(&harbour.token, &scopes).await;
    let leaver = person(house, "leaver@example.org", "Lou").await;
    joins(house, harbour.id, leaver, MANAGER).await;
    let leavers = token(house, "leaver@example.org").await;
    let (status, rotated) = harbour.rotates(&leavers, id).await;
    assert_eq!(status, 200);
    let first = rotated["data"]["key"].as_str().unwrap();
    // Neither another rotation by the key itself nor a key that it makes frees it from him.
    let (_, rotated) = harbour.rotates(first, id).await;
    let key = rotated["data"]["key"].as_str().unwrap();
    let (child, _) = harbour.makes(key, &["sites:read"]).await;
    assert_eq!(
        (harbour.writes(key).await, harbour.reads(&child).await),
        (200, 200)
    );
    // The secret before the last rotation learns no other one.
    assert_eq!(harbour.rotates(first, id).await.0, 403);
    let browser = house.signed_in(EMAIL).await;
    let page = async |path: &str| browser.get(path).await.text;
    let path = format!("//organizations/{}/members/{leaver}/remove", harbour.id);
    harbour.rotates_site_key(&leavers).await;
    let removal = page(&path).await;
    let of_sites = "1 key of sites that Lou made or rotated will go on working: rotate";
    assert!(removal.contains(of_sites), "{removal}");
    assert!(removal.contains("2 keys of the organization"), "{removal}");
    changes(
        house,
        format!("DELETE FROM memberships WHERE user_id = {leaver}"),
    )
    .await;
    for key in [first, key, &child] {
        assert_eq!(harbour.reads(key).await, 403);
    }
    let said = "It opens nothing: Lou, who rotated it last, may do none of this now.";
    assert!(page("//api-keys").await.contains(said));
    // In other hands it lives again, and what he learned does not.
    let (_, rotated) = harbour.rotates(&harbour.token, id).await;
    let fresh = rotated["data"]["key"].as_str().unwrap();
    assert_eq!(
        (harbour.reads(fresh).await, harbour.reads(key).await),
        (200, 403)
    );
    assert_eq!(harbour.reads(&child).await, 403);
}

#[tokio::test]
async fn the_form_of_a_key_offers_what_one_may_give_and_keeps_what_was_typed() {
    let harbour = Harbour::stands().await;
    let house = &harbour.house;
    // An administrator of Meadow who manages Harbour; and in Tower he may see, but makes no keys there.
    let meadow = house.organization("Meadow").await;
    let tower = house.organization("Tower").await;
    joins(house, meadow, harbour.maker, ADMIN).await;
    joins(house, harbour.id, harbour.maker, MANAGER).await;
    joins(house, tower, harbour.maker, VIEWER).await;
    let visitor = house.signed_in("maker@example.org").await;
    let page = visitor.get("//api-keys").await.text;
    let offered = |id: i64| page.contains(&format!("<option value=\"{id}\""));
    assert_eq!(
        (offered(meadow), offered(harbour.id), offered(tower)),
        (true, true, false)
    );
    let id = harbour.id.to_string();
    let mut typed = vec![
        ("name", "Nightly"),
        ("organization_id", id.as_str()),
        ("scopes", "audit:read"),
        ("expires_at", "2027-01-31"),
        ("networks", "192.0.2.0/24\r\n2001:db8::/32"),
    ];
    let refused = sends(&visitor, "/api-keys", &typed).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    for kept in [
        "A key may not do more than you",
        "Nightly",
        "2027-01-31",
        "2001:db8::/32",
    ] {
        assert!(refused.text.contains(kept), "{kept}: {}", refused.text);
    }
    typed[2] = ("scopes", "sites:read");
    assert_eq!(sends(&visitor, "/api-keys", &typed).await.status, 303);
    let newest = async || house.admin().get("/api-keys").await.ok()["data"][0].clone();
    let key = newest().await;
    assert_eq!(key["expires_at"], "2027-01-31T23:59:59Z");
    assert_eq!(key["networks"], json!(["192.0.2.0/24", "2001:db8::/32"]));
    let path = format!("/api-keys/{}", key["id"]);
    let form = visitor.get(&format!("/{path}")).await.text;
    assert!(
        form.contains("2027-01-31") && form.contains("192.0.2.0/24"),
        "{form}"
    );
    let changed = [
        ("name", "Weekly"),
        ("scopes", "sync"),
        ("expires_at", "2027-01-31"),
    ];
    assert_eq!(sends(&visitor, &path, &changed).await.status, 303);
    let key = newest().await;
    assert_eq!(
        (&key["name"], &key["networks"]),
        (&json!("Weekly"), &json!([]))
    );
    assert_eq!(key["expires_at"], "2027-01-31T23:59:59Z");
    // A new secret is asked about; the old one stops at once, or in a day.
    let rotate = format!("{path}/rotate");
    assert!(
        visitor
            .get(&format!("/{rotate}"))
            .await
            .text
            .contains("stops now")
    );
    assert_eq!(
        sends(&visitor, &rotate, &[("old", "now")]).await.status,
        303
    );
    assert_eq!(newest().await["old_key_expires_at"], "2026-11-20T08:00:00Z");
    assert_eq!(
        sends(&visitor, &rotate, &[("old", "day")]).await.status,
        303
    );
    assert_eq!(newest().await["old_key_expires_at"], "2026-11-21T08:00:00Z");
}
