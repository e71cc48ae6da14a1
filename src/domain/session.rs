//! The sign-ins of one person and the browsers he has used, as he sees them: what can be asked of
//! the two lists, and what a browser is called in words.

use jiff::Timestamp;

use super::listing::{Field, Kind, List};

/// What a session is for: a browser with a cookie, or a program with tokens.
pub const KINDS: [&str; 2] = ["page", "api"];

/// A session that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnSession {
    /// The id.
    pub id: i64,
    /// One of [`KINDS`].
    pub kind: String,
    /// What the browser or program calls itself.
    pub device: String,
    /// From where it signed in.
    pub address: String,
    /// When it signed in.
    pub created_at: Timestamp,
    /// The last call, written once a minute at most.
    pub last_used_at: Timestamp,
    /// The end, whatever happens.
    pub expires_at: Timestamp,
    /// It is the one that asks.
    pub current: bool,
}

/// A browser that is known again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnDevice {
    /// The id.
    pub id: i64,
    /// What it calls itself.
    pub name: String,
    /// From where it last signed in.
    pub address: String,
    /// When it first signed in.
    pub created_at: Timestamp,
    /// When it last signed in.
    pub last_used_at: Timestamp,
    /// Until when no second factor is asked for on it.
    pub trusted_until: Option<Timestamp>,
}

/// The list of sessions.
pub static SESSIONS: List = List {
    name: "sessions",
    fields: &[
        Field::new("id", Kind::Integer),
        Field::new("kind", Kind::Word(&KINDS)),
        Field::new("device", Kind::Text),
        Field::new("address", Kind::Text),
        Field::new("created_at", Kind::Time),
        Field::new("last_used_at", Kind::Time),
        Field::new("expires_at", Kind::Time),
    ],
    sorts: &["last_used_at", "created_at", "id"],
    default_sort: "-last_used_at",
    search: false,
    columns: &[
        "id",
        "kind",
        "device",
        "address",
        "created_at",
        "last_used_at",
        "expires_at",
        "current",
    ],
};

/// The list of browsers.
pub static DEVICES: List = List {
    name: "devices",
    fields: &[
        Field::new("id", Kind::Integer),
        Field::new("name", Kind::Text),
        Field::new("address", Kind::Text),
        Field::new("created_at", Kind::Time),
        Field::new("last_used_at", Kind::Time),
        Field::optional("trusted_until", Kind::Time),
    ],
    sorts: &["last_used_at", "created_at", "id"],
    default_sort: "-last_used_at",
    search: false,
    columns: &[
        "id",
        "name",
        "address",
        "created_at",
        "last_used_at",
        "trusted_until",
    ],
};

/// What browsers and systems call themselves, and what people call them. The first that fits counts:
/// many claim to be others, too.
const BROWSERS: [(&str, &str); 6] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];
const SYSTEMS: [(&str, &str); 6] = [
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// "Firefox on Linux" for what a browser calls itself; a program's own name as it is, without what
/// follows a blank.
pub fn called(device: &str) -> String {
    let find = |table: &[(&str, &'static str)]| {
        table
            .iter()
            .find(|(mark, _)| device.contains(mark))
            .map(|(_, name)| *name)
    };
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        _ => match device.split_whitespace().next() {
            Some(program) => program.chars().take(60).collect(),
            None => "A program without a name".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::called;

    #[test]
    fn browsers_are_called_what_people_call_them() {
        for (device, name) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            ("curl/8.5.0", "curl/8.5.0"),
            ("agency-script/2 (linux)", "agency-script/2"),
            ("", "A program without a name"),
        ] {
            assert_eq!(called(device), name);
        }
        assert_eq!(called(&"x".repeat(500)).len(), 60);
    }
}
