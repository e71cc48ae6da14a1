//! One credential in the place of another, and such as nobody here made; ids that are walked through;
//! what is taken back and used in the same second.

use dewline::domain::credentials::is_well_formed_key;
use ring::hmac;
use serde_json::{Value, json};

use crate::matrix::town::{THIRD, Town, joins, person, token, tokens};
use crate::support::browser::{cookie, sends};
use crate::support::{EMAIL, TestApp};

/// Bytes as JWTs write them.
fn written(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let word = three
            .iter()
            .fold(0_u32, |word, byte| word << 8 | u32::from(*byte))
            << (8 * (3 - three.len()));
        for place in 0..=three.len() {
            let six = word >> (18 - 6 * place) & 63;
            text.push(char::from(LETTERS[six as usize]));
        }
    }
    text
}

/// The bytes that a part of a JWT stands for.
fn read(text: &str) -> Vec<u8> {
    let value = |letter: u8| match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'-' => 62,
        _ => 63,
    };
    let mut bytes = Vec::new();
    for four in text.as_bytes().chunks(4) {
        let word = four
            .iter()
            .fold(0_u32, |word, letter| word << 6 | u32::from(value(*letter)))
            << (6 * (4 - four.len()));
        bytes.extend((1..four.len()).map(|place| (word >> (24 - 8 * place)) as u8));
    }
    bytes
}

fn header_of(token: &str) -> Value {
    serde_json::from_slice(&read(token.split('.').next().unwrap())).unwrap()
}

#[tokio::test]
async fn a_token_that_was_not_signed_here_opens_nothing() {
    let house = TestApp::start().await;
    let good = token(&house, EMAIL).await;
    assert_eq!(house.bearer(&good).get("/sites").await.status, 200);
    let parts: Vec<&str> = good.split('.').collect();
    let header = header_of(&good);
    assert_eq!(written(&read(parts[1])), parts[1]);
    let with = |name: &str, value: Value| {
        let mut changed = header.clone();
        changed[name] = value;
        written(changed.to_string().as_bytes())
    };
    // Another installation, whose person and session have the same numbers.
    let text = "another installation's secret key, long enough";
    let elsewhere = TestApp::with(|config| config.secret_key = Some(text.into())).await;
    let foreign = token(&elsewhere, EMAIL).await;
    let foreign_parts: Vec<&str> = foreign.split('.').collect();
    // A key that an attacker chose, and the claims he would like.
    let sign = |algorithm, text: &str| {
        let key = hmac::Key::new(algorithm, b"chosen");
        written(hmac::sign(&key, text.as_bytes()).as_ref())
    };
    let none = with("alg", json!("none"));
    let long = with("alg", json!("HS512"));
    let signed_512 = format!("{long}.{}", parts[1]);
    let mut claims: Value = serde_json::from_slice(&read(parts[1])).unwrap();
    claims["sid"] = json!(1);
    let other_claims = written(claims.to_string().as_bytes());
    for (what, forged) in [
        ("of another installation", foreign.clone()),
        ("of another installation, with our key's id", {
            format!("{}.{}.{}", parts[0], foreign_parts[1], foreign_parts[2])
        }),
        ("without algorithm", format!("{none}.{}.", parts[1])),
        (
            "without algorithm, with the signature",
            format!("{none}.{}.{}", parts[1], parts[2]),
        ),
        (
            "in capitals",
            format!("{}.{}.", with("alg", json!("NONE")), parts[1]),
        ),
        (
            "HS512",
            format!("{signed_512}.{}", sign(hmac::HMAC_SHA512, &signed_512)),
        ),
        (
            "RS256",
            format!("{}.{}.{}", with("alg", json!("RS256")), parts[1], parts[2]),
        ),
        (
            "of another key",
            format!(
                "{}.{}.{}",
                with("kid", json!("../../dev/null")),
                parts[1],
                parts[2]
            ),
        ),
        (
            "of no key",
            format!("{}.{}.{}", with("kid", Value::Null), parts[1], parts[2]),
        ),
        (
            "of another type",
            format!("{}.{}.{}", with("typ", json!("JWT")), parts[1], parts[2]),
        ),
        ("with a key inside", {
            let head = with("jwk", json!({"kty": "oct", "k": written(b"chosen")}));
            let text = format!("{head}.{}", parts[1]);
            format!("{text}.{}", sign(hmac::HMAC_SHA256, &text))
        }),
        (
            "for another session",
            format!("{}.{other_claims}.{}", parts[0], parts[2]),
        ),
        ("without signature", format!("{}.{}.", parts[0], parts[1])),
        ("of two parts", format!("{}.{}", parts[0], parts[1])),
    ] {
        let answer = house.bearer(&forged).get("/sites").await;
        assert_eq!(answer.status, 401, "a token {what}");
    }
}

#[tokio::test]
async fn one_credential_is_not_taken_for_another() {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    let key = house.key(harbour, &["sites:read"]).await;
    let his = tokens(&house, EMAIL).await;
    let (access, refresh) = (
        his["access_token"].as_str().unwrap(),
        his["refresh_token"].as_str().unwrap(),
    );
    let cookie = cookie(&house, EMAIL).await;
    let session = cookie.split_once('=').unwrap().1;
    for (what, text) in [("refresh token", refresh), ("cookie", session)] {
        assert_eq!(
            house.bearer(text).get("/sites").await.status,
            401,
            "a {what} as access token"
        );
        let with_key = house.anonymous().with("x-api-key", text);
        assert_eq!(with_key.get("/sites").await.status, 401, "a {what} as key");
    }
    for (what, text) in [("access token", access), ("cookie", session), ("key", &key)] {
        let words = json!({"refresh_token": text});
        let answer = house.anonymous().post("/auth/refresh", &words).await;
        assert_eq!(answer.status, 401, "a {what} as refresh token");
    }
    for (what, text) in [
        ("access token", access),
        ("refresh token", refresh),
        ("key", &key),
    ] {
        let visitor = house
            .anonymous()
            .with("cookie", &format!("dewline_session={text}"));
        let answer = visitor.get("//sites").await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("location")),
            (303, "/sign-in?next=%2Fsites"),
            "a {what} as cookie"
        );
    }
    for (header, text) in [
        ("cookie", cookie.as_str()),
        ("authorization", &cookie),
        ("authorization", access),
    ] {
        let caller = house.anonymous().with(header, text);
        assert_eq!(caller.get("/sites").await.status, 401, "{header}: {text}");
    }
    // The refresh token still is one: none of this used it up.
    let words = json!({"refresh_token": refresh});
    assert_eq!(
        house.anonymous().post("/auth/refresh", &words).await.status,
        200
    );
    assert!(is_well_formed_key(&key));
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_are_walked_through_lead_nowhere() {
    let town = Town::stands().await;
    let (own, others) = (&town.own, [&town.other, &town.third]);
    let admin = town
        .caller("admin")
        .at(&town.house)
        .with("x-request-id", "same");
    let said = async |method: &str, path: String, body: Option<Value>| {
        let method = axum::http::Method::from_bytes(method.as_bytes()).unwrap();
        let answer = admin
            .send(
                method,
                &path,
                body.map(|body| body.to_string().into_bytes()),
            )
            .await;
        (
            answer.status.as_u16(),
            answer.text.replace(&format!("/api/v1{path}"), "PATH"),
        )
    };
    const NOTHING: i64 = 987_654;
    for other in others {
        // His site, another's sync; his organization's key for another's site; a site into another's house.
        for (method, path, body, expected) in [
            ("GET", "/sites/{own}/syncs/{sync}", None, 404),
            (
                "POST",
                "/api-keys",
                Some(json!({"name": "x", "site_id": "{site}"})),
                422,
            ),
            (
                "POST",
                "/api-keys",
                Some(
                    json!({"name": "x", "organization_id": "{organization}", "scopes": ["sites:read"]}),
                ),
                403,
            ),
            (
                "POST",
                "/sites",
                Some(
                    json!({"name": "x", "url": "https://x.example", "organization_id": "{organization}"}),
                ),
                403,
            ),
        ] {
            let fill = |site: i64, sync: i64, organization: i64| {
                let path = path
                    .replace("{own}", &own.site.to_string())
                    .replace("{sync}", &sync.to_string());
                let body = body.clone().map(|mut body| {
                    for value in body.as_object_mut().unwrap().values_mut() {
                        match value.as_str() {
                            Some("{site}") => *value = json!(site),
                            Some("{organization}") => *value = json!(organization),
                            _ => {}
                        }
                    }
                    body
                });
                (path, body)
            };
            let (there, body) = fill(other.site, other.sync, other.organization);
            let theirs = said(method, there, body).await;
            let (nowhere, body) = fill(NOTHING, NOTHING, NOTHING);
            let nothing = said(method, nowhere, body).await;
            assert_eq!(theirs.0, expected, "{method} {path}: {}", theirs.1);
            assert_eq!(theirs, nothing, "{method} {path} tells what is there");
            assert!(!theirs.1.contains(THIRD));
        }
    }
}

#[tokio::test]
async fn a_site_that_is_made_in_a_new_organization_is_the_platforms_to_make() {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    let id = person(&house, "mika@example.org", "Mika").await;
    joins(&house, harbour, id, 1).await;
    let visitor = house.signed_in("mika@example.org").await;
    let fields = [
        ("name", "New"),
        ("url", "https://new.example.org"),
        ("environment", "production"),
        ("sync_interval_minutes", "60"),
        ("new_organization", "Mine"),
    ];
    assert_eq!(sends(&visitor, "/sites/new", &fields).await.status, 403);
    let rows = house.admin().get("/organizations").await.column("name");
    assert_eq!(rows, [json!("Harbour")]);
}

#[tokio::test]
async fn a_role_that_is_taken_back_is_gone_at_the_next_click_and_the_next_call() {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    let id = person(&house, "mika@example.org", "Mika").await;
    joins(&house, harbour, id, 2).await;
    let (his_token, his_cookie) = (
        token(&house, "mika@example.org").await,
        cookie(&house, "mika@example.org").await,
    );
    let clicks = async || {
        house
            .anonymous()
            .with("cookie", &his_cookie)
            .get("//sites/new")
            .await
            .status
            .as_u16()
    };
    let calls = async || {
        let site = json!({"name": "", "organization_id": harbour});
        house
            .bearer(&his_token)
            .post("/sites", &site)
            .await
            .status
            .as_u16()
    };
    assert_eq!((clicks().await, calls().await), (200, 422));
    let place = format!("/organizations/{harbour}/members/{id}");
    let viewer = json!({"role": "viewer"});
    house.admin().put(&place, &viewer).await.ok();
    assert_eq!((clicks().await, calls().await), (403, 403));
}
