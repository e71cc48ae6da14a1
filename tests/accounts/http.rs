//! Signing in and keys as a client of the API sees them.

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use dewline::http::router;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{House, PASSWORD};

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    pub fn codes(&self) -> Vec<String> {
        let errors = self.body["errors"].as_array().cloned().unwrap_or_default();
        errors
            .iter()
            .map(|e| {
                format!(
                    "{} {}",
                    e["pointer"].as_str().unwrap(),
                    e["code"].as_str().unwrap()
                )
            })
            .collect()
    }
}

impl House {
    pub async fn asks(
        &self,
        method: Method,
        path: &str,
        with: &str,
        body: Option<Value>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"));
        if !with.is_empty() {
            request = request.header("authorization", format!("Bearer {with}"));
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.answers(request.body(body).unwrap()).await
    }

    /// What a program gets that asks from somewhere.
    pub async fn asks_from(&self, address: &str, path: &str, body: Value) -> Answer {
        let mut request = Request::post(format!("/api/v1{path}"))
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        let peer: std::net::SocketAddr = format!("{address}:40000").parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        self.answers(request).await
    }

    async fn answers(&self, request: Request<Body>) -> Answer {
        let response = router(self.app.clone()).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        }
    }

    pub async fn gets(&self, path: &str, with: &str) -> Answer {
        self.asks(Method::GET, path, with, None).await
    }

    pub async fn posts(&self, path: &str, with: &str, body: Value) -> Answer {
        self.asks(Method::POST, path, with, Some(body)).await
    }

    pub async fn logs_in(&self) -> Value {
        let answer = self
            .posts(
                "/auth/login",
                "",
                json!({"email": "ada@example.org", "password": PASSWORD}),
            )
            .await;
        assert_eq!(answer.status, 200);
        answer.body["data"].clone()
    }

    pub async fn bearer(&self) -> String {
        self.logs_in().await["access_token"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

#[tokio::test]
async fn a_program_signs_in_looks_at_itself_refreshes_and_signs_out() {
    let house = House::new().await;
    let tokens = house.logs_in().await;
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 900);
    let bearer = tokens["access_token"].as_str().unwrap();
    let me = house.gets("/auth/me", bearer).await;
    assert_eq!(me.body["data"], tokens["user"]);
    assert_eq!(me.body["data"]["email"], "ada@example.org");
    let next = house
        .posts(
            "/auth/refresh",
            "",
            json!({"refresh_token": tokens["refresh_token"]}),
        )
        .await;
    assert_eq!(next.status, 200);
    assert_eq!(next.headers["cache-control"], "no-store");
    let fresh = next.body["data"]["access_token"].as_str().unwrap();
    let out = house.asks(Method::POST, "/auth/logout", fresh, None).await;
    assert_eq!(out.status, 204);
    assert_eq!(house.gets("/auth/me", bearer).await.status, 401);
    assert_eq!(house.gets("/auth/me", fresh).await.status, 401);
}

#[tokio::test]
async fn wrong_words_are_refused_alike_whoever_they_name() {
    let house = House::new().await;
    let try_with = async |email: &str| {
        let mut answer = house
            .posts(
                "/auth/login",
                "",
                json!({"email": email, "password": "not the password"}),
            )
            .await;
        answer.body["request_id"] = Value::Null;
        (answer.status, answer.body)
    };
    let (known, unknown) = (
        try_with("ada@example.org").await,
        try_with("bob@example.org").await,
    );
    assert_eq!(known.0, 401);
    assert_eq!(known, unknown);
}

#[tokio::test]
async fn what_is_missing_or_unknown_at_sign_in_is_told_at_once() {
    let house = House::new().await;
    let answer = house
        .posts("/auth/login", "", json!({"emial": "a", "password": 1}))
        .await;
    assert_eq!(answer.status, 422);
    let mut codes = answer.codes();
    codes.sort();
    assert_eq!(
        codes,
        [
            "/email required",
            "/emial unknown_field",
            "/password wrong_type"
        ]
    );
}

#[tokio::test]
async fn sign_in_is_limited_by_address() {
    let house = House::new().await;
    let router = router(house.app.clone());
    let attempt = |number: u32| {
        let body = json!({"email": format!("{number}@example.org"), "password": "x"});
        Request::post("/api/v1/auth/login")
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap()
    };
    for number in 0..10 {
        let answer = router.clone().oneshot(attempt(number)).await.unwrap();
        assert_eq!(answer.status(), 401);
    }
    let answer = router.oneshot(attempt(10)).await.unwrap();
    assert_eq!(answer.status(), 429);
    assert!(answer.headers().contains_key("retry-after"));
}

#[tokio::test]
async fn keys_are_refused_where_people_belong_to_themselves() {
    let house = House::new().await;
    let bearer = house.bearer().await;
    let made = house
        .posts(
            "/api-keys",
            &bearer,
            json!({"name": "ci", "organization_id": 1, "scopes": ["sites:read"]}),
        )
        .await;
    let key = made.body["data"]["key"].as_str().unwrap();
    assert_eq!(house.gets("/auth/me", key).await.status, 403);
    assert_eq!(
        house
            .asks(Method::POST, "/auth/logout", key, None)
            .await
            .status,
        403
    );
    assert_eq!(house.gets("/sites", key).await.status, 200);
    assert_eq!(house.gets("/api-keys", key).await.status, 403);
}

#[tokio::test]
async fn a_keys_secret_is_in_the_answer_that_makes_it_and_nowhere_else() {
    let house = House::new().await;
    let bearer = house.bearer().await;
    let made = house
        .posts("/api-keys", &bearer, json!({"name": "web", "site_id": 11}))
        .await;
    assert_eq!(made.status, 201);
    assert_eq!(made.headers["location"], "/api/v1/api-keys/1");
    assert_eq!(made.headers["cache-control"], "no-store");
    let data = &made.body["data"];
    let key = data["key"].as_str().unwrap();
    assert!(key.starts_with(data["prefix"].as_str().unwrap()));
    assert_eq!(data["scopes"], json!(["sync"]));
    assert_eq!(
        (&data["site_id"], &data["organization_id"]),
        (&json!(11), &Value::Null)
    );
    for path in ["/api-keys/1", "/api-keys"] {
        let shown = house.gets(path, &bearer).await;
        assert_eq!(shown.status, 200);
        assert!(!shown.body.to_string().contains(&key[12..]));
        assert!(!shown.body.to_string().contains("\"key\""));
    }
    let rotated = house
        .asks(Method::POST, "/api-keys/1/rotate", &bearer, None)
        .await;
    assert_eq!(rotated.status, 200);
    assert_ne!(rotated.body["data"]["key"], json!(key));
    assert_eq!(
        rotated.body["data"]["old_key_expires_at"],
        "2026-11-21T08:00:00Z"
    );
}

#[tokio::test]
async fn a_key_is_changed_and_revoked() {
    let house = House::new().await;
    let bearer = house.bearer().await;
    let sent = json!({"name": "web", "site_id": 11, "expires_at": "2027-01-01T00:00:00Z"});
    house.posts("/api-keys", &bearer, sent).await;
    let change = async |body: Value| {
        house
            .asks(Method::PUT, "/api-keys/1", &bearer, Some(body))
            .await
    };
    let changed = change(json!({"networks": ["192.0.2.0/24"]})).await;
    assert_eq!(changed.status, 200);
    let data = &changed.body["data"];
    assert_eq!(
        (&data["name"], &data["expires_at"]),
        (&json!("web"), &json!("2027-01-01T00:00:00Z"))
    );
    assert_eq!(
        change(json!({"expires_at": null})).await.body["data"]["expires_at"],
        Value::Null
    );
    let wrong =
        change(json!({"name": "", "networks": ["x", 3], "site_id": 12, "expires_at": "soon"}))
            .await;
    assert_eq!(wrong.status, 422);
    let mut codes = wrong.codes();
    codes.sort();
    assert_eq!(
        codes,
        [
            "/expires_at not_a_time",
            "/name required",
            "/networks/1 wrong_type",
            "/site_id unknown_field"
        ]
    );
    assert_eq!(
        house
            .asks(Method::DELETE, "/api-keys/1", &bearer, None)
            .await
            .status,
        204
    );
    assert_eq!(change(json!({"name": "x"})).await.status, 409);
    let gone = house
        .gets("/api-keys?filter[revoked_at][null]=true", &bearer)
        .await;
    assert_eq!(gone.body["data"], json!([]));
    assert_eq!(
        house.gets("/api-keys", &bearer).await.body["data"][0]["revoked_at"],
        "2026-11-20T08:00:00Z"
    );
}

#[tokio::test]
async fn keys_are_refused_for_owners_that_are_not_there() {
    let house = House::new().await;
    let bearer = house.bearer().await;
    for (sent, code) in [
        (json!({"name": "a"}), "/site_id required"),
        (json!({"name": "a", "site_id": 99}), "/site_id not_found"),
        (
            json!({"name": "a", "organization_id": 99, "scopes": ["sync"]}),
            "/organization_id not_found",
        ),
        (
            json!({"name": "a", "organization_id": 1, "site_id": 11}),
            "/organization_id not_both",
        ),
        (
            json!({"name": "a", "site_id": 11, "scopes": ["sites:read"]}),
            "/scopes/0 not_for_sites",
        ),
    ] {
        let answer = house.posts("/api-keys", &bearer, sent).await;
        assert_eq!(answer.status, 422);
        assert_eq!(answer.codes(), [code]);
    }
}

#[tokio::test]
async fn the_keys_of_others_are_not_there() {
    let house = House::new().await;
    let bearer = house.bearer().await;
    let clerk =
        json!({"name": "clerk", "organization_id": 1, "scopes": ["api_keys:manage", "sync"]});
    let clerk = house.posts("/api-keys", &bearer, clerk).await;
    let clerk = clerk.body["data"]["key"].as_str().unwrap();
    let foreign = house
        .posts(
            "/api-keys",
            &bearer,
            json!({"name": "foreign", "site_id": 21}),
        )
        .await;
    let path = format!("/api-keys/{}", foreign.body["data"]["id"]);
    assert_eq!(house.gets(&path, clerk).await.status, 404);
    assert_eq!(
        house.asks(Method::DELETE, &path, clerk, None).await.status,
        404
    );
    assert_eq!(
        house
            .posts(&format!("{path}/rotate"), clerk, json!({}))
            .await
            .status,
        404
    );
    let listed = house.gets("/api-keys?q=foreign", clerk).await;
    assert_eq!(listed.body["meta"]["pagination"]["total"], 0);
    let own = house
        .posts("/api-keys", clerk, json!({"name": "web", "site_id": 11}))
        .await;
    assert_eq!(own.status, 201);
}

#[tokio::test]
async fn the_key_of_a_deleted_site_is_refused_at_the_next_request() {
    let house = House::new().await;
    let bearer = house.bearer().await;
    let made = house
        .posts("/api-keys", &bearer, json!({"name": "web", "site_id": 11}))
        .await;
    let key = made.body["data"]["key"].as_str().unwrap();
    assert_eq!(house.gets("/sites", key).await.status, 403);
    assert_eq!(
        house
            .asks(Method::DELETE, "/sites/11", &bearer, None)
            .await
            .status,
        204
    );
    assert_eq!(house.gets("/sites", key).await.status, 401);
}

#[tokio::test]
async fn the_record_says_who_from_where_and_by_which_request() {
    let house = House::new().await;
    let bearer = house.bearer().await;
    let made = house
        .posts("/api-keys", &bearer, json!({"name": "web", "site_id": 11}))
        .await;
    let request_id = made.body["meta"]["request_id"].as_str().unwrap();
    let sql = format!(
        "SELECT count(*) FROM audit_logs WHERE action = 'api_key.created' AND actor_name = 'Ada'
            AND organization_id = 1 AND site_id = 11 AND request_id = '{request_id}' AND address <> ''"
    );
    assert_eq!(house.count(&sql), 1);
}

/// Everything that is logged, at every level, by this test's thread.
#[derive(Clone, Default)]
struct Log(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_secret_is_ever_logged() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    // Where there is but one, tracing asks the thread that comes first to a line whether anybody reads it,
    // and that may be another test's, which reads nothing.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let house = House::new().await;
    let tokens = house.logs_in().await;
    let bearer = tokens["access_token"].as_str().unwrap();
    let made = house
        .posts("/api-keys", bearer, json!({"name": "web", "site_id": 11}))
        .await;
    let key = made.body["data"]["key"].as_str().unwrap();
    house.gets("/sites", key).await;
    house.gets("/sites", &format!("{key}x")).await;
    house.gets(&format!("/sites?key={key}"), bearer).await;
    let refresh = tokens["refresh_token"].as_str().unwrap();
    house
        .posts("/auth/refresh", "", json!({"refresh_token": refresh}))
        .await;
    house
        .posts(
            "/auth/login",
            "",
            json!({"email": "ada@example.org", "password": "typed by mistake"}),
        )
        .await;
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("request_id"), "the log is being read");
    for secret in [&key[12..], bearer, refresh, PASSWORD, "typed by mistake"] {
        assert!(!text.contains(secret), "{secret}");
    }
}
