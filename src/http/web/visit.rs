//! What a page's handler gets, and what it gives back.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use askama::Template;
use axum::body::{Body, Bytes};
use axum::http::Method;
use jiff::Timestamp;
use secrecy::SecretString;

use super::secrets::Secrets;
use super::shell::{Flash, Gate, Theme};
use crate::app::App;
use crate::domain::access::{Actor, Permission};
use crate::domain::fault::Fault;
use crate::http::edge::Edge;
use crate::http::route::{Needs, Scope, Tier};
use crate::services::{Error, Result};

/// One line of the table of pages.
#[derive(Debug, Clone)]
pub struct Page {
    /// `GET` or `POST`: that is all that forms can.
    pub method: &'static Method,
    /// Its path.
    pub path: &'static str,
    /// Who may see it; whoever isn't signed in is led to sign in.
    pub needs: Needs,
    /// What the path names, which the visitor must be able to see.
    pub scope: Scope,
    /// What it shows beside, and so asks for, too.
    pub also: Option<Permission>,
    /// Out of which budget it is paid.
    pub tier: Tier,
    /// What makes it.
    pub handler: Handler,
}

/// The future of a handler.
pub type Replying = Pin<Box<dyn Future<Output = Result<Reply>> + Send>>;
/// A handler: `|visit| Box::pin(list(visit))`.
pub type Handler = fn(Visit) -> Replying;

/// A page that shows.
pub const fn look(path: &'static str, needs: Needs, scope: Scope, handler: Handler) -> Page {
    Page {
        method: &Method::GET,
        path,
        needs,
        scope,
        also: None,
        tier: Tier::Caller,
        handler,
    }
}

/// A form that is sent.
pub const fn send(path: &'static str, needs: Needs, scope: Scope, handler: Handler) -> Page {
    Page {
        method: &Method::POST,
        path,
        needs,
        scope,
        also: None,
        tier: Tier::Caller,
        handler,
    }
}

impl Page {
    /// The same, for whoever holds another permission there, too.
    #[must_use]
    pub const fn also(self, permission: Permission) -> Self {
        Self {
            also: Some(permission),
            ..self
        }
    }

    /// The same, paid out of another budget.
    #[must_use]
    pub const fn tier(self, tier: Tier) -> Self {
        Self { tier, ..self }
    }
}

/// One visit to a page, after its line in the table was asked.
#[derive(Debug)]
pub struct Visit {
    /// The house.
    pub app: Arc<App>,
    /// Who visits; on open pages perhaps nobody.
    pub actor: Option<Actor>,
    /// The visitor's address.
    pub address: IpAddr,
    /// What the browser calls itself.
    pub device: String,
    /// The cookie by which the browser is known again at sign-in, as it was sent.
    pub browser: Option<SecretString>,
    /// The challenge of the second step, as it was sent.
    pub challenge: Option<SecretString>,
    /// The request's id.
    pub request_id: String,
    /// What counts as now on this page.
    pub now: Timestamp,
    /// The path without its query.
    pub path: String,
    /// The query, decoded.
    pub query: Vec<(String, String)>,
    /// What the path names, in order.
    pub names: Vec<String>,
    /// The fields of the form that was sent, decoded.
    pub form: Vec<(String, String)>,
    /// The body as it came, where it isn't a form of fields.
    pub body: Bytes,
    /// The body's media type.
    pub media: String,
    /// The theme that the cookie names.
    pub theme: Theme,
    /// What was just done.
    pub flash: Option<Flash>,
    /// How people reach this server, without a slash at the end.
    pub origin: String,
    /// The secrets that wait to be shown once.
    pub secrets: Arc<Secrets>,
    /// What every request passes.
    pub edge: Arc<Edge>,
}

impl Visit {
    /// Who visits.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] where nobody is signed in.
    pub fn actor(&self) -> Result<&Actor> {
        self.actor.as_ref().ok_or(Error::Unauthenticated)
    }

    /// The first id in the path.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is none that anything could have.
    pub fn id(&self) -> Result<i64> {
        let text = self.names.first().ok_or(Error::NotFound)?;
        let plain = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse()
            .ok()
            .filter(|id: &i64| plain && *id > 0)
            .ok_or(Error::NotFound)
    }

    /// A field of the form, without blanks around it; empty where it wasn't sent.
    pub fn field(&self, name: &str) -> &str {
        value_of(&self.form, name).trim()
    }

    /// A field as it was typed: for passwords.
    pub fn raw_field(&self, name: &str) -> &str {
        value_of(&self.form, name)
    }

    /// All values of a field.
    pub fn fields(&self, name: &str) -> Vec<&str> {
        self.form
            .iter()
            .filter(|(k, _)| k == name)
            .map(|(_, v)| v.as_str())
            .collect()
    }

    /// A parameter of the query; empty where it isn't there.
    pub fn parameter(&self, name: &str) -> &str {
        value_of(&self.query, name)
    }

    /// The path with its query, to come back to.
    pub fn whole_path(&self) -> String {
        if self.query.is_empty() {
            return self.path.clone();
        }
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.query)
            .finish();
        format!("{}?{query}", self.path)
    }

    /// What stands around a page of nobody in particular.
    pub fn gate(&self, title: &str) -> Gate {
        Gate {
            title: title.to_owned(),
            path: self.whole_path(),
            theme: self.theme,
        }
    }
}

fn value_of<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    pairs.iter().find(|(k, _)| k == name).map_or("", |(_, v)| v)
}

/// What a handler gives back.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The media type of the text.
    pub media: &'static str,
    /// The page, a part of it, or a file.
    pub text: String,
    /// Where to go instead.
    pub to: Option<String>,
    /// Cookies to set, whole.
    pub cookies: Vec<Cookie>,
    /// The name under which a browser saves the text.
    pub file: Option<&'static str>,
    /// Seconds to wait before the next attempt.
    pub retry_after: Option<u64>,
    /// What is sent in place of the text, as it comes: files that are too long to hold.
    pub flow: Option<Body>,
}

/// A cookie to set; how it is kept safe is added where it leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cookie {
    /// Its name.
    pub name: &'static str,
    /// Its value, of harmless characters.
    pub value: String,
    /// Seconds until it is forgotten; 0 forgets it now.
    pub max_age: i64,
}

impl Reply {
    fn new(media: &'static str, text: String) -> Self {
        Self {
            status: 200,
            media,
            text,
            to: None,
            cookies: Vec::new(),
            file: None,
            retry_after: None,
            flow: None,
        }
    }

    /// A page.
    ///
    /// # Errors
    /// [`Error::Internal`] where the template fails.
    pub fn page(page: &impl Template) -> Result<Self> {
        let text = page
            .render()
            .map_err(|error| Error::Internal(error.to_string()))?;
        Ok(Self::new("text/html; charset=utf-8", text))
    }

    /// A file to save.
    pub fn file(name: &'static str, media: &'static str, text: String) -> Self {
        Self {
            file: Some(name),
            ..Self::new(media, text)
        }
    }

    /// A file to save that is sent as it comes.
    pub fn flow(name: &'static str, media: &'static str, body: Body) -> Self {
        Self {
            file: Some(name),
            flow: Some(body),
            ..Self::new(media, String::new())
        }
    }

    /// Another page, after a deed.
    pub fn go(to: impl Into<String>) -> Self {
        Self {
            status: 303,
            to: Some(to.into()),
            ..Self::new("text/plain; charset=utf-8", String::new())
        }
    }

    /// The same with another status.
    #[must_use]
    pub fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// The same, saying how many seconds to wait.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        Self {
            retry_after: Some(seconds),
            ..self
        }
    }

    /// The same with a cookie.
    #[must_use]
    pub fn cookie(mut self, name: &'static str, value: impl Into<String>, max_age: i64) -> Self {
        self.cookies.push(Cookie {
            name,
            value: value.into(),
            max_age,
        });
        self
    }

    /// The same with a message for the next page.
    #[must_use]
    pub fn saying(self, text: &str) -> Self {
        let value = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("t", text)
            .finish();
        self.cookie(FLASH, value, 60)
    }

    /// The same with a message that something is gone, and the form that brings it back.
    #[must_use]
    pub fn gone(self, text: &str, restore: &str) -> Self {
        let value = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("t", text)
            .append_pair("r", restore)
            .finish();
        self.cookie(FLASH, value, 60)
    }
}

/// The cookie of the message for the next page.
pub const FLASH: &str = "dewline_flash";
/// The cookie of the theme.
pub const THEME: &str = "dewline_theme";
/// The cookie of the session.
pub const SESSION: &str = "dewline_session";
/// The cookie by which a browser is known again at sign-in.
pub const BROWSER: &str = "dewline_device";
/// The cookie of the challenge between the two steps of a sign-in.
pub const CHALLENGE: &str = "dewline_challenge";

/// The message that the cookie holds.
pub fn flash_of(cookie: &str) -> Option<Flash> {
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(cookie.as_bytes())
        .into_owned()
        .collect();
    let text: String = value_of(&pairs, "t").chars().take(200).collect();
    let restore = value_of(&pairs, "r");
    (!text.is_empty()).then(|| Flash {
        text,
        restore: is_restore(restore).then(|| restore.to_owned()),
    })
}

/// `/sites/7/restore` and its like: nothing else is a deed that a message may offer.
fn is_restore(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    matches!(parts.as_slice(), ["", "sites" | "organizations" | "modules" | "users", id, "restore"]
        if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A path of this server to go to, or the overview where it is anything else.
pub fn own_path(path: &str) -> String {
    // Browsers drop tabs and line breaks before they read an address: a path with one is none.
    let plain = !path.contains(|c: char| c.is_control() || c == '\\');
    let own = plain && path.starts_with('/') && !path.starts_with("//");
    if own { path.to_owned() } else { "/".to_owned() }
}

/// The organization that was chosen in a form; nothing where nothing was chosen.
///
/// # Errors
/// A fault at the field, where what was sent can't be an id.
pub fn organization_chosen(visit: &Visit) -> Result<Option<i64>> {
    let text = visit.field("organization_id");
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        let detail = "There is none with this id.";
        Error::Invalid(vec![Fault::new("/organization_id", "not_found", detail)])
    })
}

/// Faults by the form's field: `/tags/1` belongs to `tags`. The sentence names the field where it says only what is wrong.
pub fn by_field(faults: &[Fault]) -> Vec<(String, String)> {
    faults
        .iter()
        .map(|fault| {
            let field = fault.pointer.trim_start_matches(['/', '?']);
            let field = field.split('/').next().unwrap_or_default();
            (field.to_owned(), said(field, &fault.detail))
        })
        .collect()
}

fn said(field: &str, detail: &str) -> String {
    if detail.starts_with(char::is_lowercase) {
        // As the form calls it.
        let field = match field {
            "url" => "address".to_owned(),
            other => other.replace('_', " "),
        };
        format!("{} {detail}", super::words::sentence(&field))
    } else {
        detail.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_to_another_server() {
        for wrong in [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "\t//evil.example",
            "",
            "/a\r\nb",
            "/\t/evil.example",
        ] {
            assert_eq!(own_path(wrong), "/", "{wrong:?}");
        }
        assert_eq!(own_path("/sites?q=a"), "/sites?q=a");
    }

    #[test]
    fn a_message_survives_its_cookie() {
        let reply = Reply::go("/").saying("“a; b” was deleted");
        let flash = flash_of(&reply.cookies[0].value).unwrap();
        assert_eq!(flash.text, "“a; b” was deleted");
    }

    #[test]
    fn a_message_offers_to_bring_back_what_is_gone_and_nothing_else() {
        let restore = |path: &str| {
            let reply = Reply::go("/").gone("Gone.", path);
            flash_of(&reply.cookies[0].value).unwrap().restore
        };
        assert_eq!(restore("/sites/7/restore").unwrap(), "/sites/7/restore");
        for wrong in [
            "/sites/7/delete",
            "/sites//restore",
            "/sites/7/restore/x",
            "//evil.example/7/restore",
            "https://evil.example/sites/7/restore",
            "",
        ] {
            assert_eq!(restore(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn faults_are_named_at_their_field() {
        let faults = [
            Fault::new("/tags/1", "empty", "cannot be empty."),
            Fault::new("/name", "taken", "There is one."),
        ];
        assert_eq!(
            by_field(&faults),
            [
                ("tags".to_owned(), "Tags cannot be empty.".to_owned()),
                ("name".to_owned(), "There is one.".to_owned())
            ]
        );
    }
}
