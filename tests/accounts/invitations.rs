//! Invitations: the same for an address that is known and one that isn't, good once, void when they
//! are taken back, and no way to anybody's account.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::people::{Cast, SECRET};

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
    let count = async |client: crate::support::Client<'_>| {
        client.get("/notifications").await.column("kind").len()
    };
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
