//! Asking for a page of the listing. One that is too large is asked for again in smaller parts, so that a
//! huge node costs only itself.

use crate::domain::advisory::listing::{Entry, Page};
use crate::domain::advisory::node::Refused;
use crate::outbound::drupal_org::Validators;
use crate::outbound::drupal_org::advisories::{AdvisoryFeed, ON_A_PAGE, Question, Told};

/// Nodes on a page where so many as ever are too large, and where those are.
const FEWER: [(usize, u32); 2] = [(10, 5), (1, 10)];
/// Nodes of a page that may be too large alone: where it is more, something else is wrong.
const HUGE: usize = 3;

/// Asks for a page of the listing, in parts where it has to be. What is too large alone is an entry that
/// is refused.
pub(super) async fn ask(
    feed: &dyn AdvisoryFeed,
    psa: bool,
    number: u32,
    known: Validators,
) -> Told {
    let whole = Question::Page {
        psa,
        number,
        size: ON_A_PAGE,
        known,
    };
    match feed.ask(whole).await {
        Told::TooLarge(_) => in_parts(feed, psa, number).await,
        told => told,
    }
}

async fn in_parts(feed: &dyn AdvisoryFeed, psa: bool, number: u32) -> Told {
    let mut page = Page {
        entries: Vec::new(),
        more: true,
    };
    let mut huge = 0;
    // The next one is the last.
    let mut parts = smaller(ON_A_PAGE, number);
    while let Some((size, number)) = parts.pop() {
        let part = Question::Page {
            psa,
            number,
            size,
            known: Validators::default(),
        };
        match feed.ask(part).await {
            Told::Page(part, _) if part.entries.len() > size => {
                return Told::Unreadable("more nodes than were asked for".to_owned());
            }
            Told::Page(part, _) => {
                page.entries.extend(part.entries);
                if !part.more {
                    page.more = false;
                    break;
                }
            }
            Told::TooLarge(why) if size == 1 => {
                huge += 1;
                if huge > HUGE {
                    return Told::TooLarge(why);
                }
                page.entries.push(Entry {
                    nid: None,
                    changed: None,
                    node: Err(Refused::TooLarge),
                });
            }
            Told::TooLarge(_) => parts.extend(smaller(size, number)),
            other => return other,
        }
    }
    Told::Page(page, Validators::default())
}

/// What a page of `size` nodes is made of: smaller pages, the last one first.
fn smaller(size: usize, number: u32) -> Vec<(usize, u32)> {
    let Some((fewer, times)) = FEWER.into_iter().find(|(fewer, _)| *fewer < size) else {
        return Vec::new();
    };
    let first = number.saturating_mul(times);
    let parts = first..first.saturating_add(times);
    parts.rev().map(|number| (fewer, number)).collect()
}
