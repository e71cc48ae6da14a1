//! The manual: guides that the executable carries, written in Markdown.

use pulldown_cmark::{Options, Parser, html};

use super::assets;
use super::parts::Html;
use super::view::catalogue::{Chapter, ManualPage};
use super::visit::{Handler, Reply, Visit};
use crate::services::{Error, Result};

/// `GET /manual`.
pub const FIRST: Handler = |visit| Box::pin(show(visit));
/// `GET /manual/{chapter}`.
pub const CHAPTER: Handler = |visit| Box::pin(show(visit));

/// The chapters in the order of reading.
pub const CHAPTERS: [&str; 15] = [
    "start",
    "account",
    "people",
    "sending",
    "words",
    "exposures",
    "reports",
    "advisories",
    "catalogue",
    "drupal-org",
    "running",
    "two-factor",
    "audit",
    "troubleshooting",
    "api",
];

async fn show(visit: Visit) -> Result<Reply> {
    let [first, ..] = CHAPTERS;
    let slug = visit.names.first().map_or(first, String::as_str);
    let known = CHAPTERS
        .iter()
        .find(|chapter| **chapter == slug)
        .ok_or(Error::NotFound)?;
    let text = assets::manual(known).ok_or(Error::NotFound)?;
    Reply::page(&ManualPage {
        shell: visit.shell(&title(&text)).await?,
        chapters: CHAPTERS.iter().filter_map(|slug| chapter(slug)).collect(),
        slug: (*known).to_owned(),
        text: rendered(&text),
    })
}

fn chapter(slug: &str) -> Option<Chapter> {
    let text = assets::manual(slug)?;
    Some(Chapter {
        slug: slug.to_owned(),
        title: title(&text),
    })
}

fn title(text: &str) -> String {
    text.lines()
        .next()
        .unwrap_or_default()
        .trim_start_matches("# ")
        .to_owned()
}

fn rendered(text: &str) -> Html {
    let mut said = String::with_capacity(text.len() * 2);
    html::push_html(&mut said, Parser::new_ext(text, Options::ENABLE_TABLES));
    Html(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chapter_is_there_and_begins_with_its_title() {
        for slug in CHAPTERS {
            assert!(chapter(slug).is_some_and(|c| !c.title.is_empty()), "{slug}");
        }
    }

    #[test]
    fn links_of_the_manual_lead_to_chapters_or_pages() {
        for slug in CHAPTERS {
            let text = assets::manual(slug).unwrap();
            for link in text.split("](/manual/").skip(1) {
                let target = link.split(')').next().unwrap();
                assert!(CHAPTERS.contains(&target), "{slug} leads to {target}");
            }
        }
    }
}
