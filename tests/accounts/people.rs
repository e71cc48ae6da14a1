//! People and members: whom an administrator sees, what he may do with them, and what he never may.

use serde_json::{Value, json};

use super::browser::Browser;
use crate::support::{Client, TestApp};

pub const SECRET: &str = "purple anchor 52 violins";

/// Two organizations: of Harbour, Hana is the administrator and Vic a viewer; of Meadow, Mo is the
/// administrator. Ada looks after the platform.
pub struct Cast {
    pub house: TestApp,
    pub harbour: i64,
    pub meadow: i64,
    pub hana: String,
    pub vic: String,
    pub mo: String,
}

pub fn id(answer: &Value) -> i64 {
    answer["data"]["id"].as_i64().unwrap()
}

impl Cast {
    pub async fn gathers() -> Self {
        let house = TestApp::with(|config| config.rate_limits.enabled = false).await;
        let harbour = house.organization("Harbour").await;
        let meadow = house.organization("Meadow").await;
        let mut cast = Self {
            house,
            harbour,
            meadow,
            hana: String::new(),
            vic: String::new(),
            mo: String::new(),
        };
        cast.hana = cast
            .comes("hana@example.org", harbour, json!("admin"))
            .await;
        cast.vic = cast
            .comes("vic@example.org", harbour, json!("viewer"))
            .await;
        cast.mo = cast.comes("mo@example.org", meadow, json!("admin")).await;
        cast
    }

    pub fn platform(&self) -> Client<'_> {
        self.house.admin()
    }

    pub fn admin(&self) -> Client<'_> {
        self.house.bearer(&self.hana)
    }

    pub fn viewer(&self) -> Client<'_> {
        self.house.bearer(&self.vic)
    }

    pub fn neighbour(&self) -> Client<'_> {
        self.house.bearer(&self.mo)
    }

    /// Somebody who has an account and a role somewhere, signed in.
    pub async fn comes(&self, email: &str, organization: i64, role: Value) -> String {
        let words = json!({"email": email, "name": email.split('@').next(), "password": SECRET,
            "organization_id": organization, "role": role});
        self.platform().post("/users", &words).await.created();
        self.enters(email, SECRET).await
    }

    pub async fn enters(&self, email: &str, password: &str) -> String {
        let words = json!({"email": email, "password": password});
        let answer = self
            .house
            .anonymous()
            .post("/auth/login", &words)
            .await
            .ok();
        answer["data"]["access_token"].as_str().unwrap().to_owned()
    }

    /// A role of Harbour.
    pub async fn role(&self, name: &str, permissions: &[&str]) -> i64 {
        let words =
            json!({"name": name, "organization_id": self.harbour, "permissions": permissions});
        id(&self.admin().post("/roles", &words).await.created())
    }

    pub async fn user(&self, email: &str) -> i64 {
        let found = self
            .platform()
            .get(&format!(
                "/users?filter[email]={email}&filter[status]=active"
            ))
            .await;
        found.column("id")[0].as_i64().unwrap()
    }

    /// A browser in which somebody has signed in.
    pub async fn browser(&self, email: &str, password: &str) -> Browser<'_> {
        let mut browser = Browser::of(&self.house.app);
        browser.signs_in(email, password).await.leads_to();
        browser
    }

    pub fn members(&self, rest: &str) -> String {
        format!("/organizations/{}/members{rest}", self.harbour)
    }

    /// Harbour's administrator invites somebody, whose id and link these are.
    pub async fn invites(&self, email: &str, role: &str) -> (i64, String) {
        let words = json!({"email": email, "name": "Somebody", "role": role});
        let made = self.admin().post(&self.members(""), &words).await.created();
        let link = made["data"]["invitation"]["link"]
            .as_str()
            .unwrap()
            .to_owned();
        (made["data"]["user_id"].as_i64().unwrap(), link)
    }
}

pub fn code(answer: &crate::support::Answer) -> Value {
    answer.json()["errors"][0]["code"].clone()
}

#[tokio::test]
async fn an_administrator_sees_the_members_of_his_organizations_and_nobody_else() {
    let cast = Cast::gathers().await;
    let seen = cast.admin().get("/users").await;
    assert_eq!(seen.column("name"), ["hana", "vic"]);
    assert_eq!(seen.column("platform_admin"), [Value::Null, Value::Null]);
    assert_eq!(seen.column("memberships")[0][0]["role"], "admin");
    let all = cast.platform().get("/users").await.column("name");
    assert_eq!(all, ["Ada", "hana", "mo", "vic"]);
    assert_eq!(cast.viewer().get("/users").await.status, 403);
    let mo = cast.user("mo@example.org").await;
    let nowhere = cast.admin().get("/users/999").await;
    for client in [cast.admin()] {
        let there = client.get(&format!("/users/{mo}")).await;
        assert_eq!(there.status, 404);
        assert_eq!(there.json()["detail"], nowhere.json()["detail"]);
    }
    let count = cast.admin().get("/users?q=mo&per_page=1").await.ok();
    assert_eq!(count["meta"]["pagination"]["total"], 0);
}

#[tokio::test]
async fn a_new_member_is_found_where_the_answer_says() {
    let cast = Cast::gathers().await;
    let words = json!({"email": "new@example.org", "name": "New", "role": "viewer"});
    let made = cast.admin().post(&cast.members(""), &words).await;
    let place = made.header("location").strip_prefix("/api/v1").unwrap();
    let mut told = made.created()["data"].clone();
    told.as_object_mut().unwrap().remove("invitation");
    let found = cast.admin().get(place).await;
    assert_eq!(found.ok()["data"], told);
    assert_eq!(cast.viewer().get(place).await.status, 403);
    assert_eq!(cast.neighbour().get(place).await.status, 404);
    let mo = cast.user("mo@example.org").await;
    for nobody in [mo, 999] {
        let path = cast.members(&format!("/{nobody}"));
        assert_eq!(cast.admin().get(&path).await.status, 404);
    }
}

#[tokio::test]
async fn what_somebody_is_elsewhere_is_not_told() {
    let cast = Cast::gathers().await;
    let vic = cast.user("vic@example.org").await;
    let meadow = format!("/organizations/{}/members", cast.meadow);
    let both = json!({"user_id": vic, "role": "manager"});
    cast.platform().post(&meadow, &both).await.created();
    let seen = cast.admin().get(&format!("/users/{vic}")).await.ok();
    assert_eq!(seen["data"]["memberships"].as_array().unwrap().len(), 1);
    let seen = cast.platform().get(&format!("/users/{vic}")).await.ok();
    assert_eq!(seen["data"]["memberships"].as_array().unwrap().len(), 2);
    let foreign = cast.admin().get(&meadow).await;
    let nowhere = cast.admin().get("/organizations/999/members").await;
    assert_eq!(foreign.status, 404);
    assert_eq!(foreign.json()["detail"], nowhere.json()["detail"]);
}

#[tokio::test]
async fn an_administrator_of_an_organization_does_not_touch_what_belongs_to_the_person() {
    let cast = Cast::gathers().await;
    let vic = cast.user("vic@example.org").await;
    let path = format!("/users/{vic}");
    for words in [
        json!({"email": "mine@example.org"}),
        json!({"name": "Mine"}),
        json!({"platform_admin": true}),
    ] {
        assert_eq!(cast.admin().put(&path, &words).await.status, 403);
    }
    assert_eq!(cast.admin().delete(&path).await.status, 403);
    let with_password = json!({"email": "x@example.org", "name": "x", "password": SECRET,
        "organization_id": cast.harbour, "role": "viewer"});
    assert_eq!(
        cast.admin().post("/users", &with_password).await.status,
        403
    );
    let grown = json!({"email": "x@example.org", "name": "x", "organization_id": cast.harbour,
        "role": "viewer", "platform_admin": true});
    let refused = cast.admin().post("/users", &grown).await;
    assert_eq!(refused.faults(), ["/platform_admin unknown_field"]);
    let invited = cast
        .admin()
        .put("/auth/me", &json!({"platform_admin": true}))
        .await;
    assert_eq!(invited.faults(), ["/platform_admin unknown_field"]);
}

#[tokio::test]
async fn the_platform_administrator_changes_deletes_and_restores_people() {
    let cast = Cast::gathers().await;
    let vic = cast.user("vic@example.org").await;
    let path = format!("/users/{vic}");
    let words =
        json!({"name": "Victoria", "email": "victoria@example.org", "time_zone": "Europe/Vienna"});
    let changed = cast.platform().put(&path, &words).await.ok();
    assert_eq!(changed["data"]["email"], "victoria@example.org");
    assert_eq!(changed["data"]["platform_admin"], false);
    let wrong = json!({"time_zone": "Mars/Olympus", "email": "nowhere", "password": "x"});
    let wrong = cast.platform().put(&path, &wrong).await;
    assert_eq!(
        wrong.faults(),
        [
            "/password unknown_field",
            "/email not_an_email",
            "/time_zone unknown_time_zone"
        ]
    );
    let taken = cast
        .platform()
        .put(&path, &json!({"email": "hana@example.org"}))
        .await;
    assert_eq!(code(&taken), "email_taken");
    assert_eq!(cast.platform().delete(&path).await.status, 204);
    assert_eq!(cast.viewer().get("/sites").await.status, 401);
    assert_eq!(cast.platform().get(&path).await.status, 404);
    let names = cast.admin().get(&cast.members("")).await.column("name");
    assert_eq!(names, ["hana"]);
    let back = cast
        .platform()
        .post(&format!("{path}/restore"), &json!({}))
        .await
        .ok();
    assert_eq!(back["data"]["memberships"][0]["role"], "viewer");
    let again = cast
        .platform()
        .post(&format!("{path}/restore"), &json!({}))
        .await;
    assert_eq!(code(&again), "not_deleted");
    assert_eq!(
        cast.viewer().get("/sites").await.status,
        401,
        "he signs in anew"
    );
    cast.enters("victoria@example.org", SECRET).await;
}

#[tokio::test]
async fn the_last_administrators_stay() {
    let cast = Cast::gathers().await;
    let ada = cast.user("ada@example.org").await;
    let hana = cast.user("hana@example.org").await;
    let demoted = cast
        .platform()
        .put(&format!("/users/{ada}"), &json!({"platform_admin": false}))
        .await;
    assert_eq!(code(&demoted), "last_administrator");
    assert_eq!(
        code(&cast.platform().delete(&format!("/users/{ada}")).await),
        "last_administrator"
    );
    let deleted = cast.platform().delete(&format!("/users/{hana}")).await;
    assert_eq!(code(&deleted), "last_administrator");
    assert!(deleted.text.contains("Harbour"));
    let member = cast.members(&format!("/{hana}"));
    for client in [cast.platform(), cast.admin()] {
        let demoted = client.put(&member, &json!({"role": "viewer"})).await;
        assert_eq!(code(&demoted), "last_administrator");
        assert_eq!(code(&client.delete(&member).await), "last_administrator");
    }
    let leave = format!("/auth/memberships/{}", cast.harbour);
    assert_eq!(
        code(&cast.admin().delete(&leave).await),
        "last_administrator"
    );
    let own = json!({"password": SECRET});
    let own = cast
        .admin()
        .send(
            axum::http::Method::DELETE,
            "/auth/me",
            Some(own.to_string().into_bytes()),
        )
        .await;
    assert_eq!(code(&own), "last_administrator");
    // Somebody who was only invited doesn't count.
    cast.invites("later@example.org", "admin").await;
    assert_eq!(
        code(&cast.admin().delete(&leave).await),
        "last_administrator"
    );
    let vic = cast.members(&format!("/{}", cast.user("vic@example.org").await));
    cast.admin().put(&vic, &json!({"role": 1})).await.ok();
    assert_eq!(cast.admin().delete(&leave).await.status, 204);
    assert_eq!(cast.admin().get("/sites").await.status, 403);
    assert_eq!(cast.admin().delete(&leave).await.status, 404);
}

#[tokio::test]
async fn nobody_gives_a_role_that_holds_more_than_he_holds() {
    let cast = Cast::gathers().await;
    let recruiter = cast
        .role(
            "Recruiter",
            &[
                "users:manage",
                "organizations:read",
                "sites:read",
                "modules:read",
                "reports:read",
            ],
        )
        .await;
    let token = cast
        .comes("rob@example.org", cast.harbour, json!(recruiter))
        .await;
    let rob = cast.house.bearer(&token);
    let words = |role: Value| json!({"email": "new@example.org", "name": "New", "role": role});
    for role in [json!("admin"), json!(2)] {
        let refused = rob.post(&cast.members(""), &words(role)).await;
        assert_eq!(refused.status, 403);
        assert!(
            refused.text.contains("this needs the permission"),
            "{}",
            refused.text
        );
    }
    rob.post(&cast.members(""), &words(json!("Recruiter")))
        .await
        .created();
    let (hana, vic) = (
        cast.user("hana@example.org").await,
        cast.user("vic@example.org").await,
    );
    let own = cast.members(&format!("/{}", cast.user("rob@example.org").await));
    assert_eq!(rob.put(&own, &json!({"role": "admin"})).await.status, 403);
    // Whoever manages people and holds more isn't his to touch.
    let above = cast.members(&format!("/{hana}"));
    assert_eq!(
        rob.put(&above, &json!({"role": "viewer"})).await.status,
        403
    );
    assert_eq!(rob.delete(&above).await.status, 403);
    assert_eq!(
        rob.delete(&cast.members(&format!("/{vic}"))).await.status,
        204
    );
    assert_eq!(
        cast.viewer().get("/sites").await.status,
        403,
        "at the next request"
    );
    assert_eq!(
        cast.viewer().get("/auth/me").await.status,
        200,
        "the session stays"
    );
}

#[tokio::test]
async fn a_person_in_sight_becomes_a_member_and_one_beyond_does_not() {
    let cast = Cast::gathers().await;
    let mo = cast.user("mo@example.org").await;
    let words = json!({"user_id": mo, "role": "viewer"});
    let beyond = cast.admin().post(&cast.members(""), &words).await;
    let nobody = json!({"user_id": 999, "role": "viewer"});
    let nobody = cast.admin().post(&cast.members(""), &nobody).await;
    assert_eq!(beyond.faults(), ["/user_id not_found"]);
    assert_eq!(beyond.json()["errors"], nobody.json()["errors"]);
    let made = cast
        .platform()
        .post(&cast.members(""), &words)
        .await
        .created();
    assert_eq!(made["data"]["status"], "active");
    assert_eq!(made["data"]["invitation"], Value::Null);
    let again = cast.platform().post(&cast.members(""), &words).await;
    assert_eq!(code(&again), "already_member");
    // An invitation is for one organization: a member of another can't be hung onto its link.
    let (invited, _) = cast.invites("later@example.org", "viewer").await;
    let meadow = format!("/organizations/{}/members", cast.meadow);
    let hung = json!({"user_id": invited, "role": "admin"});
    assert_eq!(
        cast.platform().post(&meadow, &hung).await.faults(),
        ["/user_id not_found"]
    );
    let raised = json!({"platform_admin": true});
    let raised = cast
        .platform()
        .put(&format!("/users/{invited}"), &raised)
        .await;
    assert_eq!(code(&raised), "invited");
}

#[tokio::test]
async fn a_role_of_another_organization_is_no_role_here() {
    let cast = Cast::gathers().await;
    let words = json!({"name": "Gardener", "organization_id": cast.meadow, "permissions": []});
    let gardener = id(&cast.platform().post("/roles", &words).await.created());
    for role in [json!(gardener), json!("Gardener"), json!(999), json!("")] {
        let words = json!({"email": "new@example.org", "name": "New", "role": role});
        for client in [cast.admin(), cast.platform()] {
            let refused = client.post(&cast.members(""), &words).await;
            assert_eq!(refused.faults(), ["/role not_found"]);
            assert!(refused.text.contains("admin, manager, viewer"));
        }
    }
    let nothing = cast.admin().post("/users", &json!({})).await;
    assert_eq!(
        nothing.faults(),
        [
            "/email required",
            "/name required",
            "/organization_id required",
            "/role required"
        ]
    );
    let words = json!({"email": "new@example.org", "name": "New", "role": "viewer", "organization_id": cast.meadow});
    assert_eq!(cast.admin().post("/users", &words).await.status, 403);
}

#[tokio::test]
async fn the_keys_that_somebody_made_stop_when_he_goes() {
    let cast = Cast::gathers().await;
    let words = json!({"email": "x@example.org", "name": "x", "password": SECRET, "organization_id": cast.harbour, "role": "admin"});
    let second = id(&cast.platform().post("/users", &words).await.created());
    let token = cast.enters("x@example.org", SECRET).await;
    let key = json!({"name": "robot", "organization_id": cast.harbour, "scopes": ["sites:read"]});
    let key = cast
        .house
        .bearer(&token)
        .post("/api-keys", &key)
        .await
        .created();
    let robot = cast.house.bearer(key["data"]["key"].as_str().unwrap());
    assert_eq!(robot.get("/sites").await.status, 200);
    assert_eq!(
        cast.admin()
            .delete(&cast.members(&format!("/{second}")))
            .await
            .status,
        204
    );
    assert_eq!(robot.get("/sites").await.status, 403);
    let rows = cast
        .admin()
        .get("/audit-logs?filter[action]=member.removed")
        .await;
    assert_eq!(rows.column("data")[0]["before"]["keys_stopped"], 1);
}

#[tokio::test]
async fn members_of_other_organizations_can_be_neither_seen_nor_touched() {
    let cast = Cast::gathers().await;
    let mo = cast.user("mo@example.org").await;
    let vic = cast.user("vic@example.org").await;
    let meadow = format!("/organizations/{}/members/{mo}", cast.meadow);
    let role = json!({"role": "viewer"});
    assert_eq!(cast.admin().put(&meadow, &role).await.status, 404);
    assert_eq!(cast.admin().delete(&meadow).await.status, 404);
    let not_here = cast.members(&format!("/{mo}"));
    let nobody = cast.members("/999");
    for path in [&not_here, &nobody] {
        assert_eq!(cast.admin().put(path, &role).await.status, 404);
        assert_eq!(cast.admin().delete(path).await.status, 404);
    }
    assert_eq!(
        cast.neighbour()
            .delete(&cast.members(&format!("/{vic}")))
            .await
            .status,
        404
    );
    assert_eq!(
        cast.neighbour()
            .post(&format!("/users/{vic}/invite"), &json!({}))
            .await
            .status,
        404
    );
}
