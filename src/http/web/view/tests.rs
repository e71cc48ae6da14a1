//! Every page with believable content: rendered in a test, and written to `target/pages` to be looked at.

mod account;
mod advisories;
mod audit;
mod entrance;
mod exposures;
mod fleet;
mod forms;
mod house;
mod keys;
mod module;
mod overview;
mod people;
mod reports;
mod site;
mod sla;
mod two_factor;

use askama::Template;

use super::super::listing::{FilterChip, Listing, Tab};
use super::super::parts::{Advisories, Clock, Html, Risk, Status, Versions};
use super::super::shell::samples::{ago, gate, now, shell};
use super::super::{charts, words};
use super::fleet::Choice;

/// Names of pages, and what they show.
type Pages = Vec<(&'static str, askama::Result<String>)>;

fn list(path: &str, total: u64, query: &[(&str, &str)]) -> Listing {
    Listing {
        path: path.into(),
        query: query
            .iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect(),
        total,
        at_least: false,
        beyond: false,
        page: 2,
        pages: total.div_ceil(25).max(1),
        sort: "status".into(),
        chips: query
            .iter()
            .filter(|(k, _)| k.starts_with("filter"))
            .map(|(k, v)| FilterChip {
                key: "Environment".into(),
                value: v.to_string(),
                parameter: k.to_string(),
            })
            .collect(),
    }
}

fn clock(left: f64, opened: f64) -> Clock {
    Clock {
        now: now(),
        opened: ago(opened),
        due: Some(ago(-left)),
        closed: None,
    }
}

fn pages() -> Vec<(&'static str, String)> {
    [
        overview::pages(),
        advisories::pages(),
        entrance::pages(),
        fleet::pages(),
        site::pages(),
        forms::pages(),
        module::pages(),
        house::pages(),
        audit::pages(),
        exposures::pages(),
        reports::pages(),
        account::pages(),
        keys::pages(),
        people::pages(),
        sla::pages(),
        two_factor::pages(),
    ]
    .into_iter()
    .flatten()
    .map(|(name, html)| (name, html.unwrap()))
    .collect()
}

#[test]
fn every_page_renders_with_believable_content_and_nothing_inline() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pages");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, html) in pages() {
        assert!(!html.contains(" style="), "{name} has inline style");
        assert!(
            !html.contains("<style") && !html.contains(" onclick") && !html.contains("<script>"),
            "{name} has inline script or style"
        );
        std::fs::write(folder.join(format!("{name}.html")), html).unwrap();
    }
}
