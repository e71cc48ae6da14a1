//! A body that is held back keeps nothing alive that was taken away meanwhile.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use dewline::store::{Lane, StoreError};
use futures_util::{StreamExt, stream};
use tower::ServiceExt;

use crate::matrix::town::number;
use crate::support::browser::cookie;
use crate::support::{EMAIL, TestApp};

/// A body whose last bytes come when all sessions have ended.
fn held_back(house: &TestApp, text: &'static str) -> Body {
    let app = house.app.clone();
    let (first, last) = text.split_at(1);
    let late = stream::once(async move {
        let end = |db: &dewline::store::Connection| {
            db.execute("UPDATE sessions SET ended_at = 1", [])
                .map_err(StoreError::from)
        };
        app.store.write(Lane::Front, end).await.unwrap();
        app.callers.forget();
        Ok::<_, Infallible>(Bytes::from_static(last.as_bytes()))
    });
    let early = stream::once(async move { Ok(Bytes::from_static(first.as_bytes())) });
    Body::from_stream(early.chain(late))
}

async fn sends(house: &TestApp, request: Request<Body>) -> StatusCode {
    let mut request = request;
    let peer: SocketAddr = "203.0.113.9:40000".parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    let router = dewline::http::router(house.app.clone());
    router.oneshot(request).await.unwrap().status()
}

#[tokio::test]
async fn whoever_is_signed_out_while_his_body_arrives_changes_nothing() {
    let house = TestApp::start().await;
    house.organization("Harbour").await;
    let token = house.signs_in().await;
    let request = Request::put("/api/v1/organizations/1")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(held_back(&house, r#"{"name": "Taken"}"#))
        .unwrap();
    assert_eq!(sends(&house, request).await, 401);

    let cookie = cookie(&house, EMAIL).await;
    let request = Request::post("/organizations/1")
        .header("cookie", cookie)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(held_back(&house, "name=Taken"))
        .unwrap();
    assert_eq!(sends(&house, request).await, 303, "to sign in");
    let taken = "SELECT count(*) FROM organizations WHERE name = 'Taken'";
    assert_eq!(number(&house, taken), 0);
}
