//! A browser that visits the pages through the real router: it keeps its cookies and follows nothing.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use dewline::app::App;
use dewline::http::router;
use tower::ServiceExt;
use url::form_urlencoded;

use super::{House, PASSWORD};

pub struct Browser<'a> {
    router: Router,
    house: PhantomData<&'a ()>,
    pub cookies: BTreeMap<String, String>,
    pub address: &'static str,
}

pub struct Page {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Page {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    pub fn leads_to(&self) -> &str {
        assert_eq!(self.status, 303, "{}", self.text);
        self.header("location")
    }

    /// The lines in which a cookie is set.
    pub fn sets(&self, name: &str) -> Vec<String> {
        let all = self.headers.get_all("set-cookie").iter();
        all.map(|v| v.to_str().unwrap().to_owned())
            .filter(|line| line.starts_with(&format!("{name}=")))
            .collect()
    }
}

impl House {
    pub fn browser(&self) -> Browser<'_> {
        Browser::of(&self.app)
    }

    /// Ada's browser, in which she has signed in.
    pub async fn adas_browser(&self) -> Browser<'_> {
        let mut browser = self.browser();
        browser
            .signs_in("ada@example.org", PASSWORD)
            .await
            .leads_to();
        browser
    }
}

impl<'a> Browser<'a> {
    pub fn of(app: &'a Arc<App>) -> Self {
        Self {
            router: router(app.clone()),
            house: PhantomData,
            cookies: BTreeMap::new(),
            address: "192.0.2.1",
        }
    }

    pub async fn looks(&mut self, path: &str) -> Page {
        self.asks(Method::GET, path, String::new()).await
    }

    pub async fn sends(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.asks(Method::POST, path, body).await
    }

    pub async fn signs_in(&mut self, email: &str, password: &str) -> Page {
        let fields = [("email", email), ("password", password)];
        self.sends("/sign-in", &fields).await
    }

    pub fn session(&self) -> Option<&String> {
        self.cookies.get("dewline_session")
    }

    async fn asks(&mut self, method: Method, path: &str, body: String) -> Page {
        let jar: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("user-agent", FIREFOX)
            .header("cookie", jar.join("; "))
            .body(Body::from(body))
            .unwrap();
        let peer = format!("{}:40000", self.address);
        let peer: std::net::SocketAddr = peer.parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 4 << 20).await.unwrap();
        for line in parts.headers.get_all("set-cookie") {
            let line = line.to_str().unwrap();
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Page {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }
}

pub const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
