//! The harness in a browser: it asks for pages, sends forms, and is known by its cookie.

use axum::http::Method;

use super::{Answer, Client, PASSWORD, TestApp};

impl TestApp {
    /// The browser of whoever signs in with that address.
    pub async fn signed_in(&self, email: &str) -> Client<'_> {
        self.anonymous().with("cookie", &cookie(self, email).await)
    }
}

/// The cookie of his browser, from the page's sign-in.
pub async fn cookie(house: &TestApp, email: &str) -> String {
    let fields = [("email", email), ("password", PASSWORD)];
    let answer = sends(&house.anonymous(), "/sign-in", &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    session(&answer)
}

/// The cookie of a session that an answer opened.
pub fn session(answer: &Answer) -> String {
    let all = answer.headers.get_all("set-cookie").iter();
    let mut lines = all.map(|line| line.to_str().unwrap());
    let line = lines
        .find(|line| line.starts_with("dewline_session="))
        .unwrap();
    line.split(';').next().unwrap().to_owned()
}

/// Sends a form to a page.
pub async fn sends(client: &Client<'_>, path: &str, fields: &[(&str, &str)]) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    client
        .clone()
        .with("content-type", "application/x-www-form-urlencoded")
        .send(Method::POST, &format!("/{path}"), Some(body.into_bytes()))
        .await
}
