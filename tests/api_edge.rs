//! The edge of the API: the order of refusals, the envelope, what every answer carries, validators,
//! request ids, addresses and budgets.

use std::io::Write;
use std::time::Duration;

use axum::http::Method;
use dewline::domain::access::Permission;
use dewline::http::route::Needs;
use dewline::http::server;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::support::contract::DOCUMENT;
use crate::support::{Client, Site, TestApp, module};

#[tokio::test]
async fn refusals_come_in_the_contracts_order() {
    let house = TestApp::with(|config| config.rate_limits.api_key = 7).await;
    let (mine, other) = (
        house.organization("Harbour").await,
        house.organization("Meadow").await,
    );
    let foreign = house.site_of(other, "Library").await;
    let key = house.key(mine, &["sites:read", "sites:write"]).await;
    let broken = || Some(b"{".to_vec());
    let sends = async |credential: &str, method: Method, path: &str, media: &str| {
        let client = house.bearer(credential).with("content-type", media);
        client.send(method, path, broken()).await.status.as_u16()
    };
    // Each call is wrong in everything that comes later too.
    assert_eq!(
        sends("nobody", Method::POST, "/nowhere", "text/plain").await,
        404
    );
    assert_eq!(
        sends("nobody", Method::PATCH, "/sites", "text/plain").await,
        405
    );
    assert_eq!(
        sends("nobody", Method::POST, "/sites?x=1", "text/plain").await,
        401
    );
    assert_eq!(
        sends(&key, Method::POST, "/organizations?x=1", "text/plain").await,
        403
    );
    let path = format!("/sites/{}?x=1", foreign.id);
    assert_eq!(sends(&key, Method::PUT, &path, "text/plain").await, 404);
    assert_eq!(
        sends(&key, Method::PUT, "/sites/abc?x=1", "text/plain").await,
        404
    );
    assert_eq!(
        sends(&key, Method::POST, "/sites?x=1", "text/plain").await,
        415
    );
    let large = vec![b' '; (1 << 20) + 1];
    let answer = house
        .bearer(&key)
        .send(Method::POST, "/sites?x=1", Some(large))
        .await;
    assert_eq!(answer.status, 413);
    assert_eq!(
        sends(&key, Method::POST, "/sites?x=1", "application/json").await,
        400
    );
    let answer = house
        .bearer(&key)
        .post("/sites", &json!({"name": ""}))
        .await;
    assert_eq!(answer.status, 422);
    // The budget of seven is used up: 429 comes before the permission.
    let answer = house.bearer(&key).get("/organizations").await;
    assert_eq!(answer.status, 429);
    assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
    assert_eq!(answer.header("ratelimit-remaining"), "0");
    // Who isn't known is told that first, however often he asks.
    assert_eq!(house.anonymous().get("/organizations").await.status, 401);
}

#[tokio::test]
async fn a_wrong_method_is_told_which_ones_are_right() {
    let house = TestApp::start().await;
    let answer = house
        .admin()
        .send(Method::PATCH, "/organizations/1", None)
        .await;
    assert_eq!(answer.status, 405);
    assert_eq!(answer.header("allow"), "GET, PUT, DELETE, HEAD");
}

#[tokio::test]
async fn every_answer_carries_what_the_contract_says() {
    let house = TestApp::start().await;
    let answer = house
        .admin()
        .with("x-request-id", "mine-1.2_3")
        .get("/sites")
        .await;
    let body = answer.ok();
    assert_eq!(answer.header("x-request-id"), "mine-1.2_3");
    assert_eq!(body["meta"]["request_id"], "mine-1.2_3");
    assert_eq!(body["links"]["self"], "/api/v1/sites");
    assert_eq!(answer.header("cache-control"), "private, no-cache");
    assert!(answer.header("vary").contains("Authorization"));
    assert_eq!(answer.header("ratelimit-limit"), "600");
    assert_eq!(answer.header("ratelimit-policy"), "600;w=60");
    assert!(!answer.header("ratelimit-reset").is_empty());
    for insane in ["", "a b", "a/b", &"x".repeat(129)] {
        let answer = house
            .admin()
            .with("x-request-id", insane)
            .get("/sites")
            .await;
        let own = answer.header("x-request-id");
        assert_ne!(own, insane);
        assert_eq!(uuid::Uuid::parse_str(own).unwrap().get_version_num(), 7);
    }
}

#[tokio::test]
async fn who_has_an_answer_already_is_told_so_in_a_line() {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    let key = house.key(harbour, &["organizations:read"]).await;
    let first = house.admin().get("/organizations").await;
    let etag = first.header("etag").to_owned();
    assert!(etag.starts_with("W/\""));
    let again = house
        .admin()
        .with("if-none-match", &etag)
        .get("/organizations")
        .await;
    assert_eq!(again.status, 304);
    assert_eq!(again.text, "");
    assert_eq!(again.header("etag"), etag);
    // The same rows seen by somebody else are another answer, and permission is asked first.
    let seen = house
        .bearer(&key)
        .with("if-none-match", &etag)
        .get("/organizations")
        .await;
    assert_eq!(seen.status, 200);
    let answer = house
        .bearer(&key)
        .with("if-none-match", &etag)
        .get("/sites")
        .await;
    assert_eq!(answer.status, 403);
    house.organization("Meadow").await;
    let changed = house
        .admin()
        .with("if-none-match", &etag)
        .get("/organizations")
        .await;
    assert_eq!(changed.status, 200);
}

#[tokio::test]
async fn bodies_are_read_with_care() {
    let house = TestApp::start().await;
    let sends = async |body: &[u8]| {
        let client = house.admin();
        client
            .send(Method::POST, "/organizations", Some(body.to_vec()))
            .await
    };
    for unreadable in [
        &b"{"[..],
        b"",
        b"{\"name\":\"a\",\"name\":\"b\"}",
        b"{\"name\":\"\xff\"}",
        b"{} {}",
        &[b"[".repeat(40), b"]".repeat(40)].concat(),
        &[b"[".repeat(100_000), b"]".repeat(100_000)].concat(),
    ] {
        let answer = sends(unreadable).await;
        assert_eq!(answer.status, 400, "{}", answer.text);
        assert_eq!(answer.faults(), [" unreadable"], "the body as a whole");
    }
    for not_an_object in [&b"[]"[..], b"null", b"1", b"\"a\""] {
        assert_eq!(sends(not_an_object).await.status, 422);
    }
    let answer = sends(b"{\"name\":7,\"nmae\":\"a\",\"notes\":\"a\\u0000b\"}").await;
    assert_eq!(
        answer.faults(),
        [
            "/name wrong_type",
            "/nmae unknown_field",
            "/notes control_character"
        ]
    );
    let client = house.admin().with("content-encoding", "gzip");
    assert_eq!(
        client
            .post("/organizations", &json!({"name": "a"}))
            .await
            .status,
        415
    );
    let client = house
        .admin()
        .with("content-type", "application/json; charset=latin1");
    assert_eq!(
        client
            .post("/organizations", &json!({"name": "a"}))
            .await
            .status,
        415
    );
}

#[tokio::test]
async fn a_sync_may_be_packed_and_its_limit_is_on_what_it_unpacks_to() {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    let site = house.site_of(harbour, "Town hall").await;
    house.publishes(module("token"));
    let client = house.bearer(&site.key).with("content-encoding", "gzip");
    let path = site.path("/modules/sync");
    let inventory = Site::inventory(&[("token", "1.0.0")]).to_string();
    let answer = client
        .send(Method::POST, &path, Some(packed(inventory.as_bytes())))
        .await;
    assert_eq!(answer.ok()["data"]["counts"]["total"], 2);
    let bomb = packed(&vec![b' '; (8 << 20) + 1]);
    assert!(bomb.len() < 20_000);
    assert_eq!(
        client.send(Method::POST, &path, Some(bomb)).await.status,
        413
    );
    let cut = packed(inventory.as_bytes())[..30].to_vec();
    assert_eq!(
        client.send(Method::POST, &path, Some(cut)).await.status,
        400
    );
    let plain = Some(b"not gzip".to_vec());
    assert_eq!(client.send(Method::POST, &path, plain).await.status, 400);
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_sites_syncs_have_a_budget_that_only_its_own_keys_touch() {
    let house = TestApp::with(|config| config.rate_limits.sync = 3).await;
    let harbour = house.organization("Harbour").await;
    let (site, other) = (
        house.site_of(harbour, "Town hall").await,
        house.site_of(harbour, "Library").await,
    );
    let key = house.key(harbour, &["sync"]).await;
    for _ in 0..10 {
        let path = site.path("/modules/sync");
        let answer = house
            .bearer(&other.key)
            .post(&path, &Site::inventory(&[]))
            .await;
        assert_eq!(answer.status, 404);
    }
    site.syncs(&[]).await;
    let path = site.path("/modules/sync");
    let answer = house.bearer(&key).post(&path, &Site::inventory(&[])).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("ratelimit-limit")),
        (200, "3")
    );
    site.syncs(&[]).await;
    assert_eq!(
        house
            .bearer(&key)
            .post(&path, &Site::inventory(&[]))
            .await
            .status,
        429
    );
    other.syncs(&[]).await;
    house.clock.advance(jiff::SignedDuration::from_secs(20));
    site.syncs(&[]).await;
}

#[tokio::test]
async fn whether_there_is_a_site_is_asked_only_by_whoever_can_pay_for_it() {
    let house = TestApp::with(|config| config.rate_limits.api_key = 3).await;
    let harbour = house.organization("Harbour").await;
    let (site, other) = (
        house.site_of(harbour, "Town hall").await,
        house.site_of(harbour, "Library").await,
    );
    let key = house.key(harbour, &["sync"]).await;
    let inventory = Site::inventory(&[]);
    let path = site.path("/modules/sync");
    house.bearer(&key).post(&path, &inventory).await.ok();
    for (id, status) in [(901, 404), (902, 404), (903, 429)] {
        let path = format!("/sites/{id}/modules/sync");
        let answer = house.bearer(&key).post(&path, &inventory).await;
        assert_eq!(answer.status, status, "{id}");
        assert_eq!(answer.header("ratelimit-limit"), "3");
    }
    let unknown = other.path("/modules/sync");
    let answer = house.bearer(&key).post(&unknown, &inventory).await;
    assert_eq!(answer.status, 429, "it isn't looked up");
    house.bearer(&key).post(&path, &inventory).await.ok();
    house.clock.advance(jiff::SignedDuration::from_secs(20));
    house.bearer(&key).post(&unknown, &inventory).await.ok();
}

#[tokio::test]
async fn only_a_trusted_proxy_says_from_where_a_call_comes() {
    let house = TestApp::with(|config| {
        config.rate_limits.auth = 2;
        config.trusted_proxies = vec!["10.0.0.0/8".to_owned()];
    })
    .await;
    let wrong = json!({"email": "bob@example.org", "password": "wrong"});
    let tries = async |peer: &str, forwarded: &str| {
        let client = house
            .anonymous()
            .from(peer)
            .with("x-forwarded-for", forwarded);
        client.post("/auth/login", &wrong).await.status.as_u16()
    };
    // Through the proxy each address has a budget of its own; what the client himself wrote is behind it.
    assert_eq!(tries("10.0.0.1", "198.51.100.1").await, 401);
    assert_eq!(tries("10.0.0.1", "192.0.2.77, 198.51.100.1").await, 401);
    assert_eq!(
        tries("10.0.0.1", "192.0.2.78, 198.51.100.1, 10.0.0.2").await,
        429
    );
    assert_eq!(tries("10.0.0.1", "198.51.100.2").await, 401);
    // From elsewhere the header is ignored.
    assert_eq!(tries("192.0.2.1", "198.51.100.3").await, 401);
    assert_eq!(tries("192.0.2.1", "198.51.100.4").await, 401);
    assert_eq!(tries("192.0.2.1", "198.51.100.5").await, 429);
    // A household of IPv6 addresses has one budget.
    assert_eq!(tries("2001:db8:1:1::1", "").await, 401);
    assert_eq!(tries("2001:db8:1:1::2", "").await, 401);
    assert_eq!(tries("2001:db8:1:1::3", "").await, 429);
    assert_eq!(tries("2001:db8:1:2::1", "").await, 401);
}

#[tokio::test]
async fn a_cookie_is_no_credential_and_two_credentials_are_none() {
    let house = TestApp::start().await;
    let client = house.anonymous().with("cookie", "dewline=anything");
    assert_eq!(client.get("/sites").await.status, 401);
    let client = house.admin().with("x-api-key", "dwl_another");
    assert_eq!(client.get("/sites").await.status, 401);
}

#[tokio::test]
async fn it_lives_is_ready_and_describes_itself() {
    let house = TestApp::start().await;
    assert_eq!(house.anonymous().get("//healthz").await.status, 200);
    for _ in 0..100 {
        assert_eq!(house.anonymous().get("//readyz").await.status, 200);
    }
    let document = house.anonymous().get("//api/openapi.json").await.ok();
    assert_eq!(document["openapi"], "3.1.0");
    let create = &document["paths"]["/api/v1/sites"]["post"];
    assert_eq!(create["x-permission"], "sites:write");
    assert!(!create["responses"]["422"].is_null());
}

#[tokio::test]
async fn the_collection_for_postman_holds_every_operation_and_can_sign_in() {
    let house = TestApp::start().await;
    let collection = house.anonymous().get("//api/postman.json").await.ok();
    let folders = collection["item"].as_array().unwrap().iter();
    let items: Vec<&Value> = folders
        .flat_map(|folder| folder["item"].as_array().unwrap())
        .collect();
    let address = |item: &Value| {
        let request = &item["request"];
        let (method, raw) = (&request["method"], &request["url"]["raw"]);
        format!("{} {}", method.as_str().unwrap(), raw.as_str().unwrap())
    };
    let mut held: Vec<String> = items.iter().map(|item| address(item)).collect();
    let mut wanted: Vec<String> = dewline::http::routes()
        .iter()
        .map(|route| {
            let path = route.full_path().replace('{', ":").replace('}', "");
            format!("{} {{{{address}}}}{path}", route.method)
        })
        .collect();
    held.sort();
    wanted.sort();
    assert_eq!(held, wanted);

    let named = |name: &str| items.iter().find(|item| address(item) == name).unwrap();
    let sign_in = named("POST {{address}}/api/v1/auth/login");
    assert_eq!(sign_in["request"]["auth"]["type"], "noauth");
    assert!(
        sign_in["request"]["body"]["raw"]
            .as_str()
            .unwrap()
            .contains("email")
    );
    assert!(sign_in["event"].to_string().contains("access_token"));
    let site = named("GET {{address}}/api/v1/sites/:id");
    assert_eq!(
        site["request"]["auth"],
        Value::Null,
        "as the collection says"
    );
    assert_ne!(site["request"]["url"]["variable"][0]["value"], "");
    let refused = site["response"].as_array().unwrap().iter();
    assert!(
        refused
            .map(|answer| &answer["code"])
            .any(|code| *code == 404)
    );
}

#[test]
fn the_table_of_routes_is_a_page_that_a_person_can_read() {
    let lines: Vec<String> = dewline::http::routes()
        .iter()
        .map(|route| {
            let needs = format!("{:?}", route.needs);
            format!(
                "{:<6} {:<36} {needs}, {:?}",
                route.method.as_str(),
                route.full_path(),
                route.tier
            )
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn a_connection_that_is_cut_leaves_no_trace() {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    let site = house.site_of(harbour, "Town hall").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stopper, stop) = watch::channel(false);
    let router = dewline::http::router(house.app.clone());
    let serving = tokio::spawn(server::serve(
        listener,
        router,
        stop,
        Duration::from_secs(5),
    ));
    let body = Site::inventory(&[("token", "1.0.0")]).to_string();
    let head = format!(
        "POST /api/v1{} HTTP/1.1\r\nHost: dewline\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        site.path("/modules/sync"),
        site.key,
        body.len()
    );
    let mut cut = TcpStream::connect(address).await.unwrap();
    let (half, rest) = body.split_at(20);
    cut.write_all(format!("{head}{half}").as_bytes())
        .await
        .unwrap();
    drop(cut);
    let mut whole = TcpStream::connect(address).await.unwrap();
    whole
        .write_all(format!("{head}{half}").as_bytes())
        .await
        .unwrap();
    whole.write_all(rest.as_bytes()).await.unwrap();
    let mut answer = [0_u8; 12];
    whole.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    stopper.send_replace(true);
    drop(whole);
    assert!(serving.await.unwrap());
    let syncs = house.admin().get(&site.path("/syncs")).await.ok();
    assert_eq!(syncs["meta"]["pagination"]["total"], 1);
}

#[tokio::test]
async fn every_route_asks_who_calls_and_what_he_may() {
    // So many strangers from one address would be held.
    let house = TestApp::with(|config| config.rate_limits.enabled = false).await;
    let harbour = house.organization("Harbour").await;
    let site = house.site_of(harbour, "Town hall").await;
    for route in dewline::http::routes() {
        let path = route
            .full_path()
            .replace("{id}", "1")
            .replace("{sync_id}", "1");
        let asks = async |client: Client<'_>| {
            let answer = client
                .send(route.method.clone(), &format!("/{path}"), None)
                .await;
            answer.status.as_u16()
        };
        let title = format!("{} {path}", route.method);
        match route.needs {
            Needs::Public => assert_ne!(asks(house.anonymous()).await, 401, "{title}"),
            Needs::May(Permission::Sync) => {
                assert_eq!(asks(house.anonymous()).await, 401, "{title}");
                assert_eq!(asks(house.bearer(&site.key)).await, 415, "{title}");
            }
            Needs::May(_) | Needs::Platform(_) | Needs::Person => {
                assert_eq!(asks(house.anonymous()).await, 401, "{title}");
                assert_eq!(asks(house.bearer(&site.key)).await, 403, "{title}");
            }
        }
    }
}

#[test]
fn the_document_names_each_operation_once_and_refers_to_nothing_that_is_missing() {
    let document = &*DOCUMENT;
    let mut names: Vec<&str> = Vec::new();
    for methods in document["paths"].as_object().unwrap().values() {
        for operation in methods.as_object().unwrap().values() {
            names.push(operation["operationId"].as_str().unwrap());
        }
    }
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!((names.len(), all), (all, dewline::http::routes().len()));
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}

#[test]
fn the_document_says_of_every_route_who_may_call_and_with_what() {
    use dewline::http::route::Needs;
    let routes = dewline::http::routes();
    for route in &routes {
        let verb = route.method.as_str().to_lowercase();
        let operation = &DOCUMENT["paths"][route.full_path()][&verb];
        let (permission, security) = match route.needs {
            Needs::Public => ("public", json!([])),
            // What is a person's own, and what is the platform's, no key opens.
            Needs::Person => ("person", json!([{"bearer": []}])),
            Needs::Platform(needed) => (needed.word(), json!([{"bearer": []}])),
            Needs::May(needed) => (needed.word(), json!([{"bearer": []}, {"key": []}])),
        };
        let line = format!("{} {}", route.method, route.full_path());
        assert_eq!(operation["x-permission"], permission, "{line}");
        assert_eq!(operation["security"], security, "{line}");
    }
    let operations = DOCUMENT["paths"].as_object().unwrap().values();
    let written: usize = operations.map(|of| of.as_object().unwrap().len()).sum();
    assert_eq!(written, routes.len(), "nothing else stands in it");
}
