//! The small pieces that pages are made of: icons, status chips, clocks, times, versions, risk.
//! Each is a value that writes its own HTML. Knows how things look, not where they come from.

use std::fmt::{self, Display, Formatter};

use askama::filters::HtmlSafe;
use jiff::Timestamp;

pub use super::clock::Clock;
use super::words::Bare;
use super::{assets, words};

/// HTML that was made here and is safe to put into a page as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Html(pub String);

impl Display for Html {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl HtmlSafe for Html {}

/// Text with what HTML reads as its own made harmless.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

/// A symbol of the sprite, 16 px; hidden from screen readers, as a word always stands beside it.
#[derive(Debug, Clone, Copy)]
pub struct Icon(pub &'static str);

impl Display for Icon {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            r#"<svg class="i" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>"#,
            assets::ICONS,
            self.0
        )
    }
}
impl HtmlSafe for Icon {}

/// An icon in templates: `{{ parts::icon("check") }}`.
pub fn icon(name: &'static str) -> Icon {
    Icon(name)
}

/// The status of a site, a module on a site, or a version, in the order of urgency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Exposed and past due.
    Overdue,
    /// A known fix is outstanding.
    Exposed,
    /// The release was taken back.
    Revoked,
    /// No fix will come.
    Unsupported,
    /// No sync in period and grace.
    Silent,
    /// Cannot be judged.
    Unknown,
    /// A development snapshot without a date.
    NotChecked,
    /// A site that never synced, or a module that drupal.org was not yet asked about.
    Pending,
    /// A newer release, not security.
    Update,
    /// Judged, nothing to do.
    Fine,
    /// Custom code or a library: never looked up.
    Custom,
    /// On disk but not enabled.
    Disabled,
}

impl Status {
    /// From the word of the API (`not_secure`, `not_supported`, …), with what pages add to it.
    /// An unknown word is shown as unknown.
    pub fn from_word(word: &str, overdue: bool, silent: bool) -> Self {
        match word {
            _ if overdue => Self::Overdue,
            "not_secure" => Self::Exposed,
            "revoked" => Self::Revoked,
            "not_supported" => Self::Unsupported,
            _ if silent => Self::Silent,
            "not_checked" => Self::NotChecked,
            "pending" => Self::Pending,
            "not_current" => Self::Update,
            "current" => Self::Fine,
            "custom" => Self::Custom,
            _ => Self::Unknown,
        }
    }

    /// The word that stands in the chip.
    pub fn word(self) -> &'static str {
        match self {
            Self::Overdue => "Overdue",
            Self::Exposed => "Exposed",
            Self::Revoked => "Revoked",
            Self::Unsupported => "Unsupported",
            Self::Silent => "Silent",
            Self::Unknown => "Unknown",
            Self::NotChecked => "Not checked",
            Self::Pending => "Pending",
            Self::Update => "Update available",
            Self::Fine => "Fine",
            Self::Custom => "Custom",
            Self::Disabled => "Not enabled",
        }
    }

    fn look(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Overdue => ("overdue", Some("alert-octagon")),
            Self::Exposed => ("exposed", Some("alert-triangle")),
            Self::Revoked | Self::Unsupported => ("unsupported", Some("ban")),
            Self::Silent => ("silent", Some("antenna-bars-off")),
            Self::Unknown | Self::NotChecked => ("unknown", Some("help-hexagon")),
            Self::Pending => ("unknown", Some("hourglass-low")),
            Self::Update => ("update", Some("arrow-up")),
            Self::Fine => ("fine", Some("check")),
            Self::Custom | Self::Disabled => ("plainword", None),
        }
    }
}

impl Display for Status {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (class, icon) = self.look();
        chip(class, icon, self.word()).fmt(f)
    }
}
impl HtmlSafe for Status {}

/// A point in time: relative words, the exact time in `<time>` and on hover.
#[derive(Debug, Clone, Copy)]
pub struct When {
    /// What counts as now.
    pub now: Timestamp,
    /// The point in time.
    pub at: Timestamp,
}

impl When {
    fn write(&self, f: &mut Formatter<'_>, said: &str) -> fmt::Result {
        write!(
            f,
            r#"<time datetime="{}" title="{}">{said}</time>"#,
            words::machine(self.at),
            words::exact(self.at)
        )
    }

    /// "22 Jul 17:55" instead of "2 d ago".
    pub fn moment(&self) -> Html {
        self.said(&words::moment(self.now, self.at))
    }

    /// "22 Jul".
    pub fn day(&self) -> Html {
        self.said(&words::day(self.now, self.at))
    }

    /// "40 min", for narrow columns that say "ago" in their head.
    pub fn short(&self) -> Html {
        self.said(&words::short_span(words::between(self.at, self.now)))
    }

    /// "17:55".
    pub fn time_of_day(&self) -> Html {
        self.said(&words::time_of_day(self.at))
    }

    fn said(&self, said: &str) -> Html {
        Html(format!(
            r#"<time datetime="{}" title="{}">{said}</time>"#,
            words::machine(self.at),
            words::exact(self.at)
        ))
    }
}

impl Display for When {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.write(f, &words::relative(self.now, self.at))
    }
}
impl HtmlSafe for When {}

/// A time in templates: `{{ parts::when(now, at) }}`.
pub fn when(now: impl Bare<Timestamp>, at: impl Bare<Timestamp>) -> When {
    When {
        now: now.bare(),
        at: at.bare(),
    }
}

/// drupal.org's risk levels. Not a status: a meter in ink and the word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Risk {
    /// 1 (not critical) to 5 (highly critical); 0 where it isn't known.
    pub level: u8,
}

impl Risk {
    /// From the word of the API; anything else is unknown.
    pub fn from_word(word: Option<&str>) -> Self {
        let level = match word {
            Some("highly_critical") => 5,
            Some("critical") => 4,
            Some("moderately_critical") => 3,
            Some("less_critical") => 2,
            Some("not_critical") => 1,
            _ => 0,
        };
        Self { level }
    }

    /// It is known: rows say nothing of what isn't.
    pub fn known(self) -> bool {
        self.level > 0
    }

    fn word(self) -> &'static str {
        match self.level {
            5 => "Highly critical",
            4 => "Critical",
            3 => "Moderately critical",
            2 => "Less critical",
            1 => "Not critical",
            _ => "Risk not known",
        }
    }
}

impl Risk {
    /// The meter alone, for narrow columns; its word is for screen readers.
    pub fn mark(self) -> Html {
        Html(format!(
            r#"<span class="meter">{}<span class="vh">{}. </span></span>"#,
            self.steps(),
            self.word()
        ))
    }

    fn steps(self) -> String {
        let mut steps = String::from(r#"<svg viewBox="0 0 22 10" aria-hidden="true">"#);
        for step in 0..5u8 {
            let (x, height) = (step * 4 + step / 2, step * 2 + 2);
            let class = if step < self.level { "on" } else { "off" };
            steps += &format!(
                r#"<rect class="{class}" x="{x}" y="{}" width="3" height="{height}"/>"#,
                10 - height
            );
        }
        steps + "</svg>"
    }
}

impl Display for Risk {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let steps = if self.known() {
            self.steps()
        } else {
            String::new()
        };
        write!(f, r#"<span class="meter">{steps}{}</span>"#, self.word())
    }
}
impl HtmlSafe for Risk {}

/// A word with its icon, where it has one.
fn chip(class: &str, icon: Option<&'static str>, said: &str) -> Html {
    let icon = icon.map_or_else(String::new, |icon| Icon(icon).to_string());
    Html(format!(r#"<span class="chip {class}">{icon}{said}</span>"#))
}

/// The state of a window as a chip or a word: `open`, `overdue`, `met`, `breached`, `withdrawn`, `ended`.
pub fn state(word: &str) -> Html {
    match word {
        "overdue" => Html(Status::Overdue.to_string()),
        "open" => Html(Status::Exposed.to_string()),
        "met" => chip("fine", Some("check"), "Closed in time"),
        "breached" => chip("plainword", Some("x"), "Closed late"),
        "withdrawn" => chip("plainword", None, "Withdrawn"),
        _ => chip("plainword", None, "Ended"),
    }
}

/// The state of a patch run as a chip or a word: `claimed`, `proved`, `unattributed`.
pub fn run_state(word: &str) -> Html {
    match word {
        "claimed" => chip("silent", Some("hourglass-low"), "Claimed"),
        "proved" => chip("fine", Some("check"), "Proved"),
        _ => chip("plainword", None, "Unattributed"),
    }
}

/// Advisories by their ids, each a link, the first `most` of them.
#[derive(Debug, Clone, Default)]
pub struct Advisories {
    /// Their ids.
    pub ids: Vec<String>,
    /// So many are named.
    pub most: usize,
}

impl Advisories {
    /// All of them.
    pub fn all(ids: &[String]) -> Self {
        Self::first(ids, usize::MAX)
    }

    /// The first of them, and how many more there are.
    pub fn first(ids: &[String], most: usize) -> Self {
        Self {
            ids: ids.to_vec(),
            most,
        }
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

impl Display for Advisories {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (i, id) in self.ids.iter().take(self.most).enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            let id = escape(id);
            write!(
                f,
                r#"{comma}<a class="sa" href="/advisories/{id}">{id}</a>"#
            )?;
        }
        let more = self.ids.len().saturating_sub(self.most);
        if more > 0 {
            write!(f, r#" <span class="muted small">and {more} more</span>"#)?;
        }
        Ok(())
    }
}
impl HtmlSafe for Advisories {}

/// An installed version and, after an arrow, the one to go to.
#[derive(Debug, Clone, Default)]
pub struct Versions {
    /// What runs there now; `None` where the site could not say.
    pub installed: Option<String>,
    /// Where to go; `None` where there is nowhere to go, or no need.
    pub target: Option<String>,
}

impl Versions {
    /// From what a handler has at hand.
    pub fn new(installed: Option<&str>, target: Option<&str>) -> Self {
        Self {
            installed: installed.map(str::to_owned),
            target: target.map(str::to_owned),
        }
    }
}

impl Display for Versions {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let installed = self
            .installed
            .as_deref()
            .map_or("no version".into(), escape);
        match &self.target {
            None => write!(f, r#"<span class="ver">{installed}</span>"#),
            Some(target) => write!(
                f,
                r#"<span class="ver"><span class="from">{installed}</span> <span class="arrow" aria-hidden="true">→</span><span class="vh"> to </span> {}</span>"#,
                escape(target)
            ),
        }
    }
}
impl HtmlSafe for Versions {}

/// A count where zero is a muted dash.
pub fn or_dash(n: impl Bare<u64>) -> Html {
    let n = n.bare();
    Html(if n == 0 {
        r#"<span class="dash"><span aria-hidden="true">–</span><span class="vh">0</span></span>"#
            .into()
    } else {
        words::number(n)
    })
}
