//! What the people who run the house look after, with believable content.

use super::module::catalogue;
use super::*;
use crate::http::web::view::limits::{LimitRow, LimitsPage};
use crate::http::web::view::{catalogue::*, deleted::*};

pub(super) fn pages() -> Pages {
    vec![
        (
            "deleted",
            DeletedPage {
                shell: shell("Deleted", "/deleted"),
                tabs: vec![Tab::new("Sites", None, "/deleted?kind=sites", true)],
                one: "site",
                many: "sites",
                rows: vec![DeletedRow { name: "oberwalden.example".into(), about: "Gemeinde Oberwalden, production".into(), at: ago(2.0), restore: Some("/sites/7/restore".into()) }],
            }
            .render(),
        ),
        (
            "feed",
            FeedPage {
                shell: shell("drupal.org", "/feed"),
                source: "https://updates.drupal.org/release-history".into(),
                tracked: 418,
                stale: 0,
                pending: 3,
                failing: vec![catalogue().remove(2)],
                untold: vec![(7, "Town hall".into(), "token".into(), ago(2.0))],
                next: Some(ago(-0.05)),
                advisories: AdvisoriesRow {
                    following: true,
                    source: "https://www.drupal.org/api-d7/node.json".into(),
                    held: 1204,
                    filled: false,
                    since: Some(ago(9000.0)),
                    incomplete: true,
                    read: Some(ago(0.05)),
                    next: Some(ago(-0.1)),
                    waiting: 12,
                    errors: vec!["page 3: larger than 4 MiB".into()],
                    troubles: vec![("node 3555001".into(), Some("https://www.drupal.org/node/3555001".into()), "it has no date".into())],
                },
                jobs: vec![JobRow { id: 9, name: "refresh-module".into(), state: "running".into(), progress: Some((3, 10)), error: Some("timed out after 20 s".into()), created: ago(0.1), finished: None }],
            }
            .render(),
        ),
        (
            "limits",
            LimitsPage {
                shell: shell("Limits", "/limits"),
                enabled: true,
                rows: vec![LimitRow { whose: "an API key".into(), per_minute: Some(1200), remembered: 41, refused: 7, setting: "rate_limits.api_key" }],
                proxies: vec!["10.0.0.0/8".into()],
            }
            .render(),
        ),
        (
            "manual",
            ManualPage {
                shell: shell("Manual", "/manual/start"),
                chapters: vec![Chapter { slug: "start".into(), title: "From nothing to the first site".into() }],
                slug: "start".into(),
                text: Html("<h1>From nothing to the first site</h1><p>One paragraph with <code>code</code>.</p>".into()),
            }
            .render(),
        ),
    ]
}
