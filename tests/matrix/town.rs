//! Three organizations with a fleet each, people of every role, keys of every scope, and credentials
//! that have ended: everybody who can come to the door.

use dewline::demo::history::Release;
use dewline::domain::access::{Actor, Permission};
use dewline::domain::advisory::Record;
use dewline::services::admins::{self, NewPerson};
use dewline::services::{Error, advisories};
use dewline::store::{Lane, StoreError, memberships};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::browser::{cookie, sends};
use crate::support::{Client, EMAIL, PASSWORD, Site, TestApp, days_ago, module};

/// The built-in roles.
const ADMIN: i64 = 1;
const MANAGER: i64 = 2;
const VIEWER: i64 = 3;

/// What stands beside whom in a line of the snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Has a column of his own.
    Column,
    /// A key of the organization with one scope.
    Scope,
    /// Nobody, or nobody any more.
    Nobody,
}

/// Somebody at the door.
#[derive(Clone, Debug)]
pub struct Caller {
    pub name: String,
    pub kind: Kind,
    /// The header by which he is known, and what stands in it.
    pub credential: Option<(&'static str, String)>,
}

impl Caller {
    fn by(kind: Kind, name: &str, header: &'static str, text: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            credential: Some((header, text.to_owned())),
        }
    }

    fn bearer(kind: Kind, name: &str, token: &str) -> Self {
        Self::by(kind, name, "authorization", &format!("Bearer {token}"))
    }

    fn stranger() -> Self {
        Self {
            name: "a stranger".to_owned(),
            kind: Kind::Nobody,
            credential: None,
        }
    }

    /// He, at the door of this house.
    pub fn at<'a>(&self, house: &'a TestApp) -> Client<'a> {
        match &self.credential {
            Some((header, text)) => house.anonymous().with(header, text),
            None => house.anonymous(),
        }
    }
}

/// What an organization has: one of everything.
#[derive(Clone, Debug, Default)]
pub struct Things {
    pub organization: i64,
    pub site: i64,
    pub patched_site: i64,
    pub gone_site: i64,
    pub site_key: String,
    pub patched_site_key: String,
    pub key: i64,
    pub module: i64,
    pub advisory: String,
    pub exposure: i64,
    pub patch_run: i64,
    pub sync: i64,
    pub job: i64,
    pub person: i64,
    /// Of that person.
    pub session: i64,
    pub device: i64,
    /// Who was invited as a viewer and hasn't come, and the message with his link.
    pub guest: i64,
    pub message: i64,
    pub role: i64,
}

/// All of it.
pub struct Town {
    pub house: TestApp,
    /// Harbour: the organization whose things are asked for.
    pub own: Things,
    /// Meadow: its administrator, who is a viewer of Harbour too, is the one with two organizations.
    pub other: Things,
    /// An organization of which nobody but the platform administrator is a member; whatever is its own
    /// has [`THIRD`] in its name.
    pub third: Things,
    pub gone_organization: i64,
    pub gone_module: i64,
    pub gone_user: i64,
    /// Who calls the API.
    pub callers: Vec<Caller>,
    /// Who visits the pages.
    pub visitors: Vec<Caller>,
}

/// Stands in every name of the third organization's things, and nowhere else.
pub const THIRD: &str = "zzthird";

impl Town {
    /// Everybody and everything, with no limit on how often one asks.
    pub async fn stands() -> Self {
        let mut house = TestApp::with(|config| config.rate_limits.enabled = false).await;
        house.publishes(module("shared").with(Release::security("1.0.1", days_ago(1))));
        let mut own = fleet(&house, "harbour", 1).await;
        let mut other = fleet(&house, "meadow", 2).await;
        let mut third = fleet(&house, THIRD, 3).await;
        hears_of(&house, "SA-CONTRIB-2026-900", "shared", "shared").await;
        house.run_jobs().await;
        let gone_organization = house.organization("Gone").await;
        let path = format!("/organizations/{gone_organization}");
        assert_eq!(house.admin().delete(&path).await.status, 204);
        let words = json!({"module_name": "gone_module"});
        let made = house.admin().post("/modules", &words).await.created();
        let gone_module = made["data"]["id"].as_i64().unwrap();
        let path = format!("/modules/{gone_module}");
        assert_eq!(house.admin().delete(&path).await.status, 204);
        for (things, name) in [(&own, "harbour"), (&other, "meadow"), (&third, THIRD)] {
            let email = format!("{name}@{name}.example");
            assert_eq!(person(&house, &email, name).await, things.person);
            joins(&house, things.organization, things.person, ADMIN).await;
        }
        for (things, name) in [
            (&mut own, "harbour"),
            (&mut other, "meadow"),
            (&mut third, THIRD),
        ] {
            invites(&house, things, name).await;
        }
        let gone_user = person(&house, "gone@gone.example", "gone").await;
        let path = format!("/users/{gone_user}");
        assert_eq!(house.admin().delete(&path).await.status, 204);
        let (mut callers, mut visitors) = ended(&mut house, &own).await;
        people(&house, (&own, &other), &mut callers, &mut visitors).await;
        keys(&house, (&own, &other), &mut callers).await;
        let his = |table: &str| {
            let person = own.person;
            number(
                &house,
                &format!("SELECT max(id) FROM {table} WHERE user_id = {person}"),
            )
        };
        (own.session, own.device) = (his("sessions"), his("devices"));
        // Nobodies last.
        callers.sort_by_key(|caller| caller.kind == Kind::Nobody);
        visitors.sort_by_key(|visitor| visitor.kind == Kind::Nobody);
        Self {
            house,
            own,
            other,
            third,
            gone_organization,
            gone_module,
            gone_user,
            callers,
            visitors,
        }
    }

    /// The caller of that name.
    pub fn caller(&self, name: &str) -> &Caller {
        let found = self.callers.iter().find(|caller| caller.name == name);
        found.unwrap_or_else(|| panic!("nobody is called {name}"))
    }

    /// The visitor of that name.
    pub fn visitor(&self, name: &str) -> &Caller {
        let found = self.visitors.iter().find(|visitor| visitor.name == name);
        found.unwrap_or_else(|| panic!("nobody is called {name}"))
    }
}

/// Somebody is invited, and there is a role of the organization's own.
async fn invites(house: &TestApp, things: &mut Things, name: &str) {
    let organization = things.organization;
    let words = json!({"email": format!("guest@{name}.example"), "name": format!("{name} guest"), "role": "viewer"});
    let path = format!("/organizations/{organization}/members");
    let made = house.admin().post(&path, &words).await.created();
    things.guest = made["data"]["user_id"].as_i64().unwrap();
    things.message = number(house, "SELECT max(id) FROM notifications");
    let words = json!({"name": format!("{name} role"), "organization_id": organization, "permissions": ["sites:read"]});
    let made = house.admin().post("/roles", &words).await.created();
    things.role = made["data"]["id"].as_i64().unwrap();
}

/// Changes the store behind the program's back.
pub async fn changes(house: &TestApp, sql: String) {
    house
        .app
        .store
        .write(Lane::Front, move |db| {
            db.execute_batch(&sql).map_err(StoreError::from)?;
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
    house.app.callers.forget();
}

/// One number out of the store.
pub fn number(house: &TestApp, sql: &str) -> i64 {
    let read = house
        .app
        .store
        .read(|db| Ok::<_, StoreError>(db.query_row(sql, [], |row| row.get(0))?));
    read.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// A person without any role.
pub async fn person(house: &TestApp, email: &str, name: &str) -> i64 {
    let new = NewPerson {
        email: email.to_owned(),
        name: name.to_owned(),
        password: PASSWORD.into(),
    };
    let id = admins::create(&house.app, &Actor::System, new)
        .await
        .unwrap();
    changes(
        house,
        format!("UPDATE users SET platform_admin = 0 WHERE id = {id}"),
    )
    .await;
    id
}

/// The person becomes a member, or gets another role.
pub async fn joins(house: &TestApp, organization: i64, person: i64, role: i64) {
    house
        .app
        .store
        .write(Lane::Front, move |db| {
            memberships::set(db, organization, person, role, 0, "system")?;
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
    house.app.callers.forget();
}

/// His tokens, from the API's sign-in.
pub async fn tokens(house: &TestApp, email: &str) -> Value {
    let words = json!({"email": email, "password": PASSWORD});
    house.anonymous().post("/auth/login", &words).await.ok()["data"].clone()
}

/// His access token.
pub async fn token(house: &TestApp, email: &str) -> String {
    let tokens = tokens(house, email).await;
    tokens["access_token"].as_str().unwrap().to_owned()
}

/// An organization that runs a module of its own with a hole, told of by an advisory, and one that is
/// patched; a deleted site; custom code; a key; a job.
async fn fleet(house: &TestApp, name: &str, number_of_it: i64) -> Things {
    let own_module = format!("{name}_module");
    house.publishes(module(&own_module).with(Release::security("1.0.1", days_ago(1))));
    let organization = house.organization(&format!("{name} organization")).await;
    let site = house.site_of(organization, &format!("{name} site")).await;
    let patched = house
        .site_of(organization, &format!("{name} patched"))
        .await;
    let gone = house.site_of(organization, &format!("{name} gone")).await;
    let notes = json!({"notes": format!("{name} notes"), "tags": [format!("{name}-tag")]});
    house.admin().put(&site.path(""), &notes).await.ok();
    assert_eq!(house.admin().delete(&gone.path("")).await.status, 204);
    sync(&site, name, "1.0.0").await;
    sync(&patched, name, "1.0.0").await;
    house.run_jobs().await;
    let advisory = format!("SA-CONTRIB-2026-90{number_of_it}");
    hears_of(house, &advisory, &own_module, name).await;
    house.run_jobs().await;
    sync(&patched, name, "1.0.1").await;
    house.run_jobs().await;
    house.key(organization, &["sites:read"]).await;
    let of = |table: &str, rest: &str| {
        number(house, &format!("SELECT max(id) FROM {table} WHERE {rest}"))
    };
    let job = format!(
        "INSERT INTO jobs (organization_id, name, payload, state, run_at, created_at, created_by)
         VALUES ({organization}, 'refresh-module', '{{}}', 'done', 0, 0, 'system')"
    );
    changes(house, job).await;
    Things {
        organization,
        site: site.id,
        patched_site: patched.id,
        gone_site: gone.id,
        site_key: site.key.clone(),
        patched_site_key: patched.key.clone(),
        key: of(
            "api_keys",
            &format!("organization_id = {organization} AND site_id IS NULL"),
        ),
        module: of("modules", &format!("name = '{own_module}'")),
        advisory,
        exposure: of("exposures", &format!("site_id = {}", site.id)),
        patch_run: of("patch_runs", &format!("site_id = {}", patched.id)),
        sync: of("syncs", &format!("site_id = {}", site.id)),
        job: of("jobs", &format!("organization_id = {organization}")),
        person: number_of_it + 1,
        ..Things::default()
    }
}

/// An advisory about everything of a module below 1.0.1.
async fn hears_of(house: &TestApp, id: &str, module: &str, name: &str) {
    let record = Record {
        id: id.to_owned(),
        project: module.to_owned(),
        title: format!("{name} advisory"),
        published: days_ago(1),
        changed: days_ago(1),
        affected_versions: Some("<1.0.1".to_owned()),
        fixed_in: vec!["1.0.1".to_owned()],
        url: format!("https://www.drupal.org/{name}"),
        ..Record::default()
    };
    advisories::record(&house.app, record).await.unwrap();
}

async fn sync(site: &Site<'_>, name: &str, version: &str) {
    let mut inventory =
        Site::inventory(&[(&format!("{name}_module"), version), ("shared", "1.0.0")]);
    let custom = json!({"name": format!("{name}_custom"), "title": format!("{name} custom"), "version": "1.0", "custom": true});
    inventory["modules"].as_array_mut().unwrap().push(custom);
    site.sends(&inventory).await.ok();
}

/// Credentials that were good once: made, and a day later no longer.
async fn ended(house: &mut TestApp, own: &Things) -> (Vec<Caller>, Vec<Caller>) {
    let nobody = Kind::Nobody;
    let harbour = "harbour@harbour.example";
    let words = json!({
        "name": "short", "organization_id": own.organization, "scopes": Permission::ALL.map(Permission::word),
        "expires_at": "2026-11-20T12:00:00Z",
    });
    let short = house.admin().post("/api-keys", &words).await.created();
    let mut callers = vec![
        Caller::stranger(),
        Caller::bearer(nobody, "a nonsense token", "nonsense"),
        Caller::bearer(nobody, "an expired token", &token(house, harbour).await),
        Caller::bearer(
            nobody,
            "an expired key",
            short["data"]["key"].as_str().unwrap(),
        ),
    ];
    let mut visitors = vec![
        Caller::stranger(),
        Caller::by(
            nobody,
            "a nonsense cookie",
            "cookie",
            "dewline_session=nonsense",
        ),
        Caller::by(
            nobody,
            "an expired cookie",
            "cookie",
            &cookie(house, harbour).await,
        ),
    ];
    house.waits(SignedDuration::from_hours(25)).await;
    let revoked = json!({
        "name": "revoked", "organization_id": own.organization, "scopes": Permission::ALL.map(Permission::word),
    });
    let revoked = house.admin().post("/api-keys", &revoked).await.created();
    let path = format!("/api-keys/{}", revoked["data"]["id"]);
    assert_eq!(house.admin().delete(&path).await.status, 204);
    let text = revoked["data"]["key"].as_str().unwrap();
    callers.push(Caller::bearer(nobody, "a revoked key", text));
    let networks = json!({
        "name": "elsewhere", "organization_id": own.organization, "scopes": Permission::ALL.map(Permission::word),
        "networks": ["192.0.2.0/24"],
    });
    let elsewhere = house.admin().post("/api-keys", &networks).await.created();
    let text = elsewhere["data"]["key"].as_str().unwrap();
    callers.push(Caller::bearer(nobody, "a key from elsewhere", text));
    let id = person(house, "deleted@harbour.example", "Deleted").await;
    joins(house, own.organization, id, ADMIN).await;
    let (his_token, his_cookie) = (
        token(house, "deleted@harbour.example").await,
        cookie(house, "deleted@harbour.example").await,
    );
    changes(
        house,
        format!("UPDATE users SET deleted_at = 1 WHERE id = {id}"),
    )
    .await;
    callers.push(Caller::bearer(
        nobody,
        "a deleted person's token",
        &his_token,
    ));
    visitors.push(Caller::by(
        nobody,
        "a deleted person's cookie",
        "cookie",
        &his_cookie,
    ));
    let signed_out = token(house, harbour).await;
    assert_eq!(
        house
            .bearer(&signed_out)
            .post("/auth/logout", &json!({}))
            .await
            .status,
        204
    );
    callers.push(Caller::bearer(nobody, "a signed-out token", &signed_out));
    let left = cookie(house, harbour).await;
    let gone = sends(&house.anonymous().with("cookie", &left), "/sign-out", &[]).await;
    assert_eq!(gone.status, 303);
    visitors.push(Caller::by(nobody, "a signed-out cookie", "cookie", &left));
    // The wrong credential at the wrong door.
    let tokens = tokens(house, harbour).await;
    callers.push(Caller::bearer(
        nobody,
        "a refresh token",
        tokens["refresh_token"].as_str().unwrap(),
    ));
    callers.push(Caller::by(
        nobody,
        "a cookie",
        "cookie",
        &cookie(house, harbour).await,
    ));
    visitors.push(Caller::bearer(
        nobody,
        "an access token",
        tokens["access_token"].as_str().unwrap(),
    ));
    let access = format!(
        "dewline_session={}",
        tokens["access_token"].as_str().unwrap()
    );
    visitors.push(Caller::by(nobody, "a token as cookie", "cookie", &access));
    let key = house
        .key(own.organization, &Permission::ALL.map(Permission::word))
        .await;
    visitors.push(Caller::bearer(nobody, "a key", &key));
    let key = format!("dewline_session={key}");
    visitors.push(Caller::by(nobody, "a key as cookie", "cookie", &key));
    (callers, visitors)
}

async fn people(
    house: &TestApp,
    (own, other): (&Things, &Things),
    callers: &mut Vec<Caller>,
    visitors: &mut Vec<Caller>,
) {
    for (email, name, role) in [
        ("manager@harbour.example", "manager", MANAGER),
        ("viewer@harbour.example", "viewer", VIEWER),
    ] {
        let id = person(house, email, name).await;
        joins(house, own.organization, id, role).await;
    }
    let both = person(house, "both@example.org", "both").await;
    joins(house, own.organization, both, VIEWER).await;
    joins(house, other.organization, both, ADMIN).await;
    person(house, "none@example.org", "none").await;
    for (name, email) in [
        ("platform", EMAIL),
        ("admin", "harbour@harbour.example"),
        ("manager", "manager@harbour.example"),
        ("viewer", "viewer@harbour.example"),
        ("both", "both@example.org"),
        ("other", "meadow@meadow.example"),
        ("none", "none@example.org"),
    ] {
        callers.push(Caller::bearer(
            Kind::Column,
            name,
            &token(house, email).await,
        ));
        let cookie = cookie(house, email).await;
        visitors.push(Caller::by(Kind::Column, name, "cookie", &cookie));
    }
}

async fn keys(house: &TestApp, (own, other): (&Things, &Things), callers: &mut Vec<Caller>) {
    let column = Kind::Column;
    callers.push(Caller::bearer(column, "site key", &own.site_key));
    callers.push(Caller::bearer(column, "sibling", &own.patched_site_key));
    for scope in Permission::ALL {
        let key = house.key(own.organization, &[scope.word()]).await;
        callers.push(Caller::by(Kind::Scope, scope.word(), "x-api-key", &key));
    }
    let all = Permission::ALL.map(Permission::word);
    let foreign = house.key(other.organization, &all).await;
    callers.push(Caller::bearer(column, "foreign", &foreign));
    let id = person(house, "leaver@harbour.example", "Leaver").await;
    joins(house, own.organization, id, ADMIN).await;
    let leaver = token(house, "leaver@harbour.example").await;
    let words = json!({"name": "orphan", "organization_id": own.organization, "scopes": all});
    let orphan = house
        .bearer(&leaver)
        .post("/api-keys", &words)
        .await
        .created();
    changes(
        house,
        format!("DELETE FROM memberships WHERE user_id = {id}"),
    )
    .await;
    let text = orphan["data"]["key"].as_str().unwrap();
    callers.push(Caller::bearer(column, "orphan", text));
}
