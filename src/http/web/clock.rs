//! The clock of an exposure. Scripts let it run on: it says how many milliseconds are left, or for how many
//! it is open.

use std::fmt::{self, Display, Formatter};

use askama::filters::HtmlSafe;
use jiff::Timestamp;

use super::parts::{Html, Icon, When};
use super::words;

/// What is left of an exposure's time, or how late it is, or what it took.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// What counts as now.
    pub now: Timestamp,
    /// Since when it is open.
    pub opened: Timestamp,
    /// Until when it must be fixed; `None` where nothing is promised.
    pub due: Option<Timestamp>,
    /// When it was closed.
    pub closed: Option<Timestamp>,
}

/// Below this many milliseconds left a clock is in the risk colour.
const SOON: i64 = 36 * 3_600_000;

impl Clock {
    /// Open and past due.
    pub fn overdue(&self) -> bool {
        self.closed.is_none() && self.due.is_some_and(|due| due < self.now)
    }

    fn first(&self) -> String {
        let since = |at| words::span(words::between(self.opened, at));
        match (self.closed, self.due) {
            (Some(closed), _) => format!(
                r#"<span class="left"><b>{}</b> taken</span>"#,
                since(closed)
            ),
            (None, None) => format!(
                r#"<span class="left" data-open="{}"><b>{}</b> open</span>"#,
                words::between(self.opened, self.now),
                since(self.now)
            ),
            (None, Some(due)) => {
                let left = words::between(self.now, due);
                let span = words::span(left);
                if left < 0 {
                    format!(
                        r#"<span class="left late" data-left="{left}">{}<b>{span}</b> <span>late</span></span>"#,
                        Icon("alert-octagon")
                    )
                } else {
                    let soon = if left < SOON { " soon" } else { "" };
                    format!(
                        r#"<span class="left{soon}" data-left="{left}"><b>{span}</b> <span>left</span></span>"#
                    )
                }
            }
        }
    }

    fn second(&self) -> String {
        let moment = |at| When { now: self.now, at }.moment();
        match (self.closed, self.due) {
            (Some(closed), _) => format!("closed {}", moment(closed)),
            (None, Some(due)) => format!("due {}", moment(due)),
            (None, None) => "nothing promised".into(),
        }
    }

    /// The first line alone.
    pub fn one(&self) -> Html {
        Html(format!(
            r#"<span class="clock one">{}</span>"#,
            self.first()
        ))
    }
}

impl Display for Clock {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            r#"<span class="clock">{}<small>{}</small></span>"#,
            self.first(),
            self.second()
        )
    }
}
impl HtmlSafe for Clock {}
