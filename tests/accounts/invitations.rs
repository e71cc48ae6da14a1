//! Invitations: the same for an address that is known and one that isn't, good once, void when they
//! are taken back, and no way to anybody's account.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::people::{Cast, SECRET};
use crate::support::Client;
use crate::support::browser::{sends, session};

/// The answer without what differs between any two.
fn told(mut answer: Value) -> Value {
    for name in ["user_id", "email"] {
        answer["data"][name] = Value::Null;
    }
    answer["data"]["invitation"]["link"] = Value::Null;
    answer["meta"] = Value::Null;
    answer["links"] = Value::Null;
    answer
}

#[tokio::test]
async fn inviting_a_known_address_answers_as_for_an_unknown_one() {
    let cast = Cast::gathers().await;
    let invite = async |email: &str| {
        let words = json!({"email": email, "name": "Somebody", "role": "viewer"});
        let answer = cast.admin().post(&cast.members(""), &words).await;
        let length = answer.text.len();
        (told(answer.created()), length - email.len())
    };
    let known = invite("mo@example.org").await;
    let unknown = invite("no@example.org").await;
    assert_eq!(known, unknown);
    let members = cast
        .admin()
        .get(&cast.members("?filter[status]=invited"))
        .await;
    assert_eq!(members.column("name"), ["Somebody", "Somebody"]);
    let users = cast.admin().get("/users?filter[status]=invited").await;
    assert_eq!(users.column("last_seen_at"), [Value::Null, Value::Null]);
    assert_eq!(users.column("two_factor_enabled"), [false, false]);
    // Whoever was known is what he was.
    assert_eq!(cast.neighbour().get(&cast.members("")).await.status, 404);
}

#[tokio::test]
async fn who_is_here_already_is_said_and_his_link_can_be_made_anew() {
    let cast = Cast::gathers().await;
    let words = |email: &str| json!({"email": email, "name": "Somebody", "role": "viewer"});
    let member = cast
        .admin()
        .post(&cast.members(""), &words("VIC@example.org"))
        .await;
    assert_eq!(member.json()["errors"][0]["code"], "already_member");
    let (id, first) = cast.invites("new@example.org", "viewer").await;
    let twice = cast
        .admin()
        .post(&cast.members(""), &words("New@Example.org"))
        .await;
    assert_eq!(twice.json()["errors"][0]["code"], "already_invited");
    let again = cast
        .admin()
        .post(&format!("/users/{id}/invite"), &json!({}))
        .await
        .ok();
    assert_ne!(again["data"]["link"], json!(first));
    let waiting = cast.admin().get("/notifications").await;
    assert_eq!(waiting.column("recipient"), ["new@example.org"]);
    assert!(!waiting.text.contains("token="), "the link is never told");
    let vic = cast.user("vic@example.org").await;
    let renewed = cast
        .admin()
        .post(&format!("/users/{vic}/invite"), &json!({}))
        .await;
    assert_eq!(renewed.json()["errors"][0]["code"], "already_member");
}

#[tokio::test]
async fn what_waits_is_shown_to_those_whom_it_concerns() {
    let cast = Cast::gathers().await;
    cast.invites("new@example.org", "viewer").await;
    let forgot = json!({"email": "vic@example.org"});
    cast.house
        .anonymous()
        .post("/auth/password/forgot", &forgot)
        .await;
    let nowhere = json!({"email": "alone@example.org", "name": "Alone"});
    cast.platform().post("/users", &nowhere).await.created();
    let count = async |client: Client<'_>| client.get("/notifications").await.column("kind").len();
    assert_eq!(count(cast.platform()).await, 3);
    assert_eq!(count(cast.admin()).await, 1);
    assert_eq!(count(cast.neighbour()).await, 0);
    assert_eq!(cast.viewer().get("/notifications").await.status, 403);
}

#[tokio::test]
async fn whoever_holds_less_than_an_invitation_leads_to_does_not_get_its_link() {
    let cast = Cast::gathers().await;
    let recruiter = cast
        .role("Recruiter", &["users:manage", "organizations:read"])
        .await;
    let token = cast
        .comes("rob@example.org", cast.harbour, json!(recruiter))
        .await;
    let (id, _) = cast.invites("boss@example.org", "admin").await;
    let refused = cast
        .house
        .bearer(&token)
        .post(&format!("/users/{id}/invite"), &json!({}))
        .await;
    assert_eq!(refused.status, 403);
}

#[tokio::test]
async fn the_platform_administrator_invites_to_no_organization() {
    let cast = Cast::gathers().await;
    let words = json!({"email": "alone@example.org", "name": "Alone"});
    let made = cast.platform().post("/users", &words).await.created();
    assert_eq!(made["data"]["memberships"], json!([]));
    assert!(
        made["data"]["invitation"]["link"]
            .as_str()
            .unwrap()
            .starts_with("/invitation?token=")
    );
    let twice = cast.platform().post("/users", &words).await;
    assert_eq!(twice.json()["errors"][0]["code"], "already_invited");
    let known = json!({"email": "vic@example.org", "name": "Vic"});
    let known = cast.platform().post("/users", &known).await;
    assert_eq!(known.json()["errors"][0]["code"], "email_taken");
}

#[tokio::test]
async fn an_invitation_is_on_record_without_its_link() {
    let cast = Cast::gathers().await;
    let (id, link) = cast.invites("new@example.org", "viewer").await;
    let rows = cast
        .admin()
        .get("/audit-logs?filter[action]=user.invited")
        .await;
    assert_eq!(rows.column("subject")[0]["id"], json!(id));
    assert_eq!(rows.column("data")[0]["after"]["role"], "viewer");
    let token = link.split('=').next_back().unwrap();
    let all = cast.platform().get("/audit-logs").await;
    assert!(!all.text.contains(token));
    assert!(!all.text.contains(SECRET));
    cast.house.clock.advance(SignedDuration::from_secs(1));
}

fn token(link: &str) -> &str {
    link.strip_prefix("/invitation?token=").unwrap()
}

#[tokio::test]
async fn whoever_is_new_sets_a_password_once_and_is_signed_in_where_he_was_invited() {
    let cast = Cast::gathers().await;
    let (id, link) = cast.invites("new@example.org", "viewer").await;
    let nobody = cast.house.anonymous();
    let page = nobody.get(&format!("/{link}")).await;
    assert!(page.text.contains("Harbour") && page.text.contains("new@example.org"));
    let words = |password| {
        [
            ("token", token(&link)),
            ("name", "Nell"),
            ("time_zone", "Europe/Vienna"),
            ("password", password),
        ]
    };
    let weak = sends(&nobody, "/invitation", &words("password1234")).await;
    assert_eq!(weak.status, 422);
    assert!(weak.text.contains("easy to guess") && !weak.text.contains("password1234"));
    let joined = sends(&nobody, "/invitation", &words(SECRET)).await;
    assert_eq!(joined.status, 303, "{}", joined.text);
    let nell = nobody.clone().with("cookie", &session(&joined));
    assert_eq!(nell.get("//sites").await.status, 200);
    assert_eq!(nell.get("//users").await.status, 403);
    assert_eq!(
        sends(&nobody, "/invitation", &words(SECRET)).await.status,
        404
    );
    let member = cast.admin().get(&cast.members("?filter[name]=Nell")).await;
    assert_eq!(member.column("user_id"), [id]);
    assert_eq!(member.column("status"), ["active"]);
    assert!(
        cast.admin()
            .get("/notifications")
            .await
            .column("id")
            .is_empty()
    );
    cast.enters("new@example.org", SECRET).await;
}

#[tokio::test]
async fn whoever_has_an_account_takes_an_invitation_with_it_and_nobody_else_can() {
    let cast = Cast::gathers().await;
    let (_, link) = cast.invites("mo@example.org", "viewer").await;
    let nobody = cast.house.anonymous();
    let words = [
        ("token", token(&link)),
        ("name", "Thief"),
        ("time_zone", "UTC"),
        ("password", "a password of the inviter's"),
    ];
    let stranger = sends(&nobody, "/invitation", &words).await;
    assert_eq!(
        stranger.status, 422,
        "it is not the password of that account"
    );
    assert!(stranger.text.contains("sign in with it") && !stranger.text.contains("inviter&#39;s"));
    let browser = async |email: &str| {
        let words = [("email", email), ("password", SECRET)];
        let entered = sends(&nobody, "/sign-in", &words).await;
        nobody.clone().with("cookie", &session(&entered))
    };
    let inviter = browser("hana@example.org").await;
    let refused = sends(&inviter, "/invitation", &words).await;
    assert_eq!(refused.status, 409);
    assert!(refused.text.contains("Sign out"), "{}", refused.text);
    let mo = browser("mo@example.org").await;
    assert_eq!(sends(&mo, "/invitation", &words).await.status, 303);
    let seen = cast.neighbour().get("/organizations").await.column("name");
    assert_eq!(seen, ["Harbour", "Meadow"]);
    // What he was stays; the inviter's words changed nothing of him.
    let own = cast.neighbour().get("/auth/me").await.ok();
    assert_eq!(own["data"]["name"], "mo");
    cast.enters("mo@example.org", SECRET).await;
    let id = cast.user("mo@example.org").await;
    for path in [format!("/users/{id}"), format!("/users/{id}/2fa/reset")] {
        let changed = cast
            .admin()
            .put(&path, &json!({"email": "x@example.org"}))
            .await;
        assert!([403, 405].contains(&changed.status.as_u16()), "{path}");
    }
    assert_eq!(
        cast.admin().delete(&format!("/users/{id}")).await.status,
        403
    );
    assert_eq!(sends(&mo, "/invitation", &words).await.status, 404, "once");
    let invited = cast
        .admin()
        .get(&cast.members("?filter[status]=invited"))
        .await;
    assert!(
        invited.column("user_id").is_empty(),
        "the person to be is gone"
    );
}

#[tokio::test]
async fn whoever_is_a_member_already_keeps_his_role_and_no_other_is_on_record() {
    let cast = Cast::gathers().await;
    let (_, link) = cast.invites("mo@example.org", "viewer").await;
    let mo = cast.user("mo@example.org").await;
    let words = json!({"user_id": mo, "role": "manager"});
    cast.platform()
        .post(&cast.members(""), &words)
        .await
        .created();
    let mut browser = cast.browser("mo@example.org", SECRET).await;
    let taken = [("token", token(&link))];
    assert_eq!(browser.sends("/invitation", &taken).await.status, 303);
    let member = cast.admin().get(&cast.members(&format!("/{mo}"))).await;
    assert_eq!(member.ok()["data"]["role"], "manager");
    let record = "/audit-logs?filter[action]=user.joined";
    let said = cast.admin().get(record).await.column("data");
    assert_eq!(said.len(), 1);
    assert_eq!(said[0]["after"], json!({"already_member": true}));
}

#[tokio::test]
async fn an_invitation_that_was_taken_back_renewed_or_left_too_long_opens_nothing() {
    let cast = Cast::gathers().await;
    let opens = async |link: &str| cast.house.anonymous().get(&format!("/{link}")).await.status;
    let (back, taken) = cast.invites("back@example.org", "viewer").await;
    assert_eq!(opens(&taken).await, 200);
    cast.admin()
        .delete(&cast.members(&format!("/{back}")))
        .await;
    assert_eq!(opens(&taken).await, 404);
    let (again, first) = cast.invites("again@example.org", "viewer").await;
    let renewed = cast
        .admin()
        .post(&format!("/users/{again}/invite"), &json!({}))
        .await
        .ok();
    assert_eq!(opens(&first).await, 404);
    let second = renewed["data"]["link"].as_str().unwrap();
    assert_eq!(opens(second).await, 200);
    cast.house.clock.advance(SignedDuration::from_hours(7 * 24));
    assert_eq!(opens(second).await, 404);
}

#[tokio::test]
async fn a_link_gives_no_more_than_its_sender_may_give_now() {
    let cast = Cast::gathers().await;
    let token = cast
        .comes("helper@example.org", cast.harbour, json!("admin"))
        .await;
    let words = json!({"email": "alias@example.org", "name": "Alias", "role": "admin"});
    let invited = cast
        .house
        .bearer(&token)
        .post(&cast.members(""), &words)
        .await
        .created();
    let link = invited["data"]["invitation"]["link"].as_str().unwrap();
    let path = link.split_once("/invitation").unwrap().1;
    let page = format!("//invitation{path}");
    assert_eq!(cast.house.anonymous().get(&page).await.status, 200);

    let helper = cast.user("helper@example.org").await;
    let removed = cast
        .admin()
        .delete(&cast.members(&format!("/{helper}")))
        .await;
    assert_eq!(removed.status, 204);
    assert_eq!(cast.house.anonymous().get(&page).await.status, 404);
    // Whoever may sends it again.
    let id = invited["data"]["user_id"].as_i64().unwrap();
    let again = cast
        .admin()
        .post(&format!("/users/{id}/invite"), &json!({}))
        .await
        .ok();
    let link = again["data"]["link"].as_str().unwrap();
    let page = format!("//invitation{}", link.split_once("/invitation").unwrap().1);
    assert_eq!(cast.house.anonymous().get(&page).await.status, 200);
}

impl Cast {
    /// Whether a link opens anything.
    async fn opens(&self, link: &str) -> bool {
        let path = format!("//invitation?token={}", token(link));
        let status = self.house.anonymous().get(&path).await.status;
        assert!([200, 404].contains(&status.as_u16()), "{status}");
        status == 200
    }

    /// Somebody else invites somebody, whose id and link these are.
    async fn has_invited(&self, credential: &str, email: &str, role: &str) -> (i64, String) {
        let words = json!({"email": email, "name": "Somebody", "role": role});
        let client = self.house.bearer(credential);
        let made = client.post(&self.members(""), &words).await.created();
        let link = made["data"]["invitation"]["link"].as_str().unwrap();
        (made["data"]["user_id"].as_i64().unwrap(), link.to_owned())
    }

    /// A key of Harbour that somebody makes: its id and secret.
    async fn key_of(&self, maker: &str, scopes: &[&str]) -> (i64, String) {
        let words = json!({"name": "recruiter", "organization_id": self.harbour, "scopes": scopes});
        let client = self.house.bearer(maker);
        let made = client.post("/api-keys", &words).await.created();
        let secret = made["data"]["key"].as_str().unwrap().to_owned();
        (super::people::id(&made), secret)
    }

    async fn removes(&self, email: &str) {
        let id = self.user(email).await;
        let removed = self.admin().delete(&self.members(&format!("/{id}"))).await;
        assert_eq!(removed.status, 204);
    }
}

/// What inviting a viewer takes.
const RECRUITING: [&str; 5] = [
    "users:manage",
    "organizations:read",
    "sites:read",
    "modules:read",
    "reports:read",
];

#[tokio::test]
async fn a_link_that_a_key_sent_ends_with_the_rights_of_whoever_made_the_key() {
    let cast = Cast::gathers().await;
    let helper = cast
        .comes("helper@example.org", cast.harbour, json!("admin"))
        .await;
    let (_, key) = cast.key_of(&helper, &RECRUITING).await;
    let (_, link) = cast.has_invited(&key, "new@example.org", "viewer").await;
    assert!(cast.opens(&link).await);
    cast.removes("helper@example.org").await;
    assert!(!cast.opens(&link).await);
}

#[tokio::test]
async fn a_link_that_a_key_sent_ends_when_the_key_may_do_less_or_is_revoked() {
    let cast = Cast::gathers().await;
    let (id, key) = cast.key_of(&cast.hana, &RECRUITING).await;
    let (_, link) = cast.has_invited(&key, "new@example.org", "viewer").await;
    let path = format!("/api-keys/{id}");
    let less = json!({"scopes": RECRUITING[..4]});
    cast.admin().put(&path, &less).await.ok();
    assert!(!cast.opens(&link).await, "it leads to more than that");
    let again = json!({ "scopes": RECRUITING });
    cast.admin().put(&path, &again).await.ok();
    assert!(cast.opens(&link).await);
    assert_eq!(cast.admin().delete(&path).await.status, 204);
    assert!(!cast.opens(&link).await);
}

#[tokio::test]
async fn whoever_is_suspended_for_want_of_a_second_factor_gives_nothing_meanwhile() {
    let cast = Cast::gathers().await;
    let (_, link) = cast.invites("new@example.org", "viewer").await;
    let words = json!({"require_two_factor": true, "two_factor_grace_days": 1});
    let path = format!("/organizations/{}", cast.harbour);
    cast.platform().put(&path, &words).await.ok();
    assert!(cast.opens(&link).await, "within the grace");
    cast.house.clock.advance(SignedDuration::from_hours(24));
    assert!(!cast.opens(&link).await);
}

#[tokio::test]
async fn correcting_the_name_of_somebody_invited_brings_no_dead_link_back() {
    let cast = Cast::gathers().await;
    let helper = cast
        .comes("helper@example.org", cast.harbour, json!("admin"))
        .await;
    let (id, link) = cast.has_invited(&helper, "new@example.org", "viewer").await;
    cast.removes("helper@example.org").await;
    let words = json!({"name": "Nell"});
    cast.platform()
        .put(&format!("/users/{id}"), &words)
        .await
        .ok();
    assert!(!cast.opens(&link).await);
}

impl Cast {
    /// What a link's page says to a visitor, without what differs between any two.
    async fn page(&self, visitor: &Client<'_>, link: &str, email: &str) -> String {
        let page = visitor.get(&format!("/{link}")).await;
        assert_eq!(page.status, 200);
        let without = page.text.replace(token(link), "TOKEN");
        without.replace(email, "ADDRESS")
    }
}

#[tokio::test]
async fn the_page_of_a_link_is_the_same_for_a_known_address_and_an_unknown_one() {
    let cast = Cast::gathers().await;
    let (_, known) = cast.invites("mo@example.org", "viewer").await;
    let (_, unknown) = cast.invites("no@example.org", "viewer").await;
    let nobody = cast.house.anonymous();
    let words = [("email", "hana@example.org"), ("password", SECRET)];
    let entered = sends(&nobody, "/sign-in", &words).await;
    let inviter = nobody.clone().with("cookie", &session(&entered));
    for visitor in [&nobody, &inviter] {
        let of_known = cast.page(visitor, &known, "mo@example.org").await;
        let of_unknown = cast.page(visitor, &unknown, "no@example.org").await;
        assert_eq!(of_known, of_unknown);
    }
    // What is wrong with what was typed is said before anybody is looked up.
    let mut said = Vec::new();
    for (link, email) in [(&known, "mo@example.org"), (&unknown, "no@example.org")] {
        let words = [
            ("token", token(link)),
            ("name", "Nell"),
            ("time_zone", "Mars"),
            ("password", "password1234"),
        ];
        let refused = sends(&nobody, "/invitation", &words).await;
        let without = refused.text.replace(token(link), "TOKEN");
        said.push((refused.status, without.replace(email, "ADDRESS")));
        let refused = sends(&inviter, "/invitation", &words).await;
        assert_eq!(refused.status, 409);
    }
    assert_eq!(said[0], said[1]);
}

#[tokio::test]
async fn whoever_types_the_password_of_the_account_that_he_has_is_signed_in_and_takes_the_invitation()
 {
    let cast = Cast::gathers().await;
    let (_, link) = cast.invites("mo@example.org", "viewer").await;
    let nobody = cast.house.anonymous();
    let words = [
        ("token", token(&link)),
        ("name", "Somebody else"),
        ("time_zone", "Europe/Vienna"),
        ("password", SECRET),
    ];
    let entered = sends(&nobody, "/invitation", &words).await;
    assert_eq!(entered.status, 303, "{}", entered.text);
    let back = format!("/invitation?token={}", token(&link));
    assert_eq!(entered.header("location"), back);
    let mo = nobody.clone().with("cookie", &session(&entered));
    let page = mo.get(&format!("/{back}")).await;
    assert!(page.text.contains("Take the invitation"), "{}", page.text);
    assert_eq!(sends(&mo, "/invitation", &words[..1]).await.status, 303);
    let own = cast.neighbour().get("/auth/me").await.ok();
    assert_eq!(own["data"]["name"], "mo", "the form changed nothing of him");
}

#[tokio::test]
async fn the_door_of_an_invitation_asks_for_a_second_factor_and_grows_slower_like_the_other_one() {
    let cast = Cast::gathers().await;
    let (_, link) = cast.invites("mo@example.org", "viewer").await;
    let nobody = cast.house.anonymous();
    let tries = async |password: &str| {
        let words = [
            ("token", token(&link)),
            ("name", "Somebody"),
            ("time_zone", "UTC"),
            ("password", password),
        ];
        sends(&nobody, "/invitation", &words).await
    };
    let mo = cast.user("mo@example.org").await;
    cast.house
        .app
        .store
        .write(dewline::store::Lane::Front, move |db| {
            let sql = "INSERT INTO second_factors (user_id, secret_sealed, enabled_at, created_at) VALUES (?1, x'00', 1, 1)";
            db.execute(sql, [mo])?;
            Ok::<_, dewline::store::StoreError>(())
        })
        .await
        .unwrap();
    let asked = tries(SECRET).await;
    assert_eq!(asked.status, 303, "{}", asked.text);
    assert!(
        asked
            .header("location")
            .starts_with("/sign-in/code?next=%2Finvitation")
    );
    assert!(!format!("{:?}", asked.headers).contains("dewline_session="));
    let mut answers = Vec::new();
    for _ in 0..8 {
        answers.push(tries("a password of the inviter's").await.status.as_u16());
    }
    assert_eq!(answers.first(), Some(&422));
    assert_eq!(answers.last(), Some(&429), "{answers:?}");
}

#[tokio::test]
async fn a_link_that_opens_nothing_any_more_is_not_shown_as_one_that_works() {
    for goes in ["removed", "demoted", "deleted"] {
        let cast = Cast::gathers().await;
        let helper = cast
            .comes("helper@example.org", cast.harbour, json!("admin"))
            .await;
        let (id, _) = cast.has_invited(&helper, "new@example.org", "admin").await;
        let until = async || {
            let member = cast
                .admin()
                .get(&cast.members("?filter[status]=invited"))
                .await;
            let user = cast.platform().get(&format!("/users/{id}")).await.ok();
            let waiting = cast.admin().get("/notifications").await;
            assert_eq!(
                member.column("invited_until")[0],
                user["data"]["invited_until"]
            );
            (
                member.column("invited_until")[0].clone(),
                waiting.column("link_works"),
            )
        };
        let before = until().await;
        assert!(before.0.is_string());
        assert_eq!(before.1, [true]);
        let of_helper = cast.user("helper@example.org").await;
        let member = cast.members(&format!("/{of_helper}"));
        match goes {
            "removed" => drop(cast.admin().delete(&member).await),
            "demoted" => drop(
                cast.admin()
                    .put(&member, &json!({"role": "manager"}))
                    .await
                    .ok(),
            ),
            _ => drop(cast.platform().delete(&format!("/users/{of_helper}")).await),
        }
        assert_eq!(until().await, (Value::Null, vec![json!(false)]), "{goes}");

        let words = [("email", "hana@example.org"), ("password", SECRET)];
        let nobody = cast.house.anonymous();
        let entered = sends(&nobody, "/sign-in", &words).await;
        let hana = nobody.clone().with("cookie", &session(&entered));
        let list = hana
            .get(&format!("//organizations/{}/members", cast.harbour))
            .await;
        assert!(list.text.contains("Invitation ended"), "{goes}");
        let waiting = hana.get("//notifications").await;
        assert!(waiting.text.contains("opens nothing"), "{goes}");
        assert!(!waiting.text.contains("Show the link"), "{goes}");
        let message = cast.admin().get("/notifications").await.column("id")[0].clone();
        let shown = sends(&hana, &format!("/notifications/{message}/link"), &[]).await;
        assert_eq!(shown.status, 409, "{goes}");

        let renew = format!("/users/{id}/invite");
        cast.admin().post(&renew, &json!({})).await.ok();
        let after = until().await;
        assert!(after.0.is_string() && after.1 == [true], "{goes}");
    }
}

#[tokio::test]
async fn another_role_goes_with_the_link_only_where_it_lets_one_do_no_more() {
    let cast = Cast::gathers().await;
    let (id, link) = cast.invites("new@example.org", "manager").await;
    let member = cast.members(&format!("/{id}"));
    let becomes = async |role: &str| {
        let changed = cast
            .admin()
            .put(&member, &json!({ "role": role }))
            .await
            .ok();
        changed["data"]["invited_until"].clone()
    };
    assert!(becomes("viewer").await.is_string());
    assert!(cast.opens(&link).await, "to less than before");
    assert_eq!(becomes("manager").await, Value::Null);
    assert!(!cast.opens(&link).await, "to more than it was made for");
    let renewed = cast
        .admin()
        .post(&format!("/users/{id}/invite"), &json!({}))
        .await;
    let renewed = renewed.ok()["data"]["link"].as_str().unwrap().to_owned();
    assert!(cast.opens(&renewed).await);
}

#[tokio::test]
async fn whoever_comes_back_is_never_the_second_of_his_address() {
    let cast = Cast::gathers().await;
    let (first, _) = cast.invites("new@example.org", "viewer").await;
    let path = |id: i64, rest: &str| format!("/users/{id}{rest}");
    cast.platform().delete(&path(first, "")).await;
    let (second, _) = cast.invites("New@Example.org", "viewer").await;
    let back = async |id: i64| {
        let answer = cast
            .platform()
            .post(&path(id, "/restore"), &json!({}))
            .await;
        (
            answer.status.as_u16(),
            answer.json()["errors"][0]["code"].clone(),
        )
    };
    assert_eq!(back(first).await, (409, json!("email_taken")));
    let vic = cast.user("vic@example.org").await;
    cast.platform().delete(&path(vic, "")).await;
    let (again, _) = cast.invites("vic@example.org", "viewer").await;
    assert_eq!(back(vic).await, (409, json!("email_taken")));
    for id in [second, again] {
        cast.platform().delete(&path(id, "")).await;
    }
    assert_eq!(back(first).await.0, 200);
    assert_eq!(back(vic).await.0, 200);
    let names = cast.admin().get(&cast.members("")).await.column("email");
    assert_eq!(
        names,
        ["hana@example.org", "new@example.org", "vic@example.org"]
    );
}
