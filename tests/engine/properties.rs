//! What must hold for every input, tried on many.

use dewline::domain::composer::Composer;
use dewline::domain::constraint::Constraint;
use dewline::domain::prepared::Prepared;
use dewline::domain::release_history::{Document, Release, ReleaseHistory, parse};
use dewline::domain::status::{History, Installed, assess};
use dewline::domain::version::{Version, branch_major, existing_major};
use proptest::prelude::*;

/// Texts that look like versions, and some that don't.
fn version() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => r"(8\.x-)?[0-9]{1,2}\.[0-9]{1,2}(\.[0-9]{1,2})?(-(alpha|beta|rc)[0-9])?",
        2 => r"(8\.x-)?[0-9]{1,2}\.([0-9]\.)?x-dev",
        1 => r"([0-9]\.x-)?[0-9a-z. +-]{0,12}",
        1 => any::<String>(),
    ]
}

fn flags() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["p", "p", "p", "pS", "pI", "pSI", "pU", "u"])
}

prop_compose! {
    fn some_release()(version in version(), date in prop::option::of(0i64..2_000_000_000), flags in flags()) -> Release {
        super::compact::release(&version, date.map(|date| date.to_string()).as_deref(), flags)
    }
}

prop_compose! {
    fn some_history()(
        branches in prop::option::of("([0-9]{1,2}\\.([0-9]\\.)?,?){0,3}"),
        releases in prop::collection::vec(some_release(), 0..20),
    ) -> ReleaseHistory {
        let mut seen = std::collections::HashSet::new();
        let releases = releases.into_iter().filter(|release| seen.insert(release.key.clone())).collect();
        ReleaseHistory { short_name: Some("a".to_owned()), supported_branches: branches, releases, ..Default::default() }
    }
}

/// The history as drupal.org would publish it.
fn written(history: &ReleaseHistory) -> String {
    let escaped = |text: &str| {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace("]]>", "]]&gt;")
    };
    let element = |name: &str, text: &Option<String>| {
        text.as_ref()
            .map(|text| format!("<{name}>{}</{name}>", escaped(text)))
            .unwrap_or_default()
    };
    let releases: String = history
        .releases
        .iter()
        .map(|release| {
            let types = release
                .terms
                .iter()
                .flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
            let terms: String = types
                .map(|(name, value)| {
                    format!("<term><name>{name}</name><value>{value}</value></term>")
                })
                .collect();
            format!(
                "<release>{}{}{}{}<terms>{terms}</terms></release>",
                element("version", &Some(release.key.clone())),
                element("status", &release.status),
                element("date", &release.date),
                element("release_link", &release.release_link),
            )
        })
        .collect();
    format!(
        "<project>{}{}<releases>{releases}</releases></project>",
        element("short_name", &history.short_name),
        element("supported_branches", &history.supported_branches),
    )
}

/// Whether XML can carry the text unchanged.
fn is_plain(text: &str) -> bool {
    text.chars()
        .all(|c| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}'))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn a_history_that_is_written_is_read_back(history in some_history()) {
        prop_assume!(history.releases.iter().all(|release| is_plain(&release.key)));
        let read = parse(written(&history).as_bytes());
        prop_assert_eq!(read, Document::Stored(history.clone()));
        let kept = serde_json::to_vec(&history).unwrap();
        prop_assert_eq!(serde_json::from_slice::<ReleaseHistory>(&kept).unwrap(), history);
    }

    #[test]
    fn no_bytes_stop_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..400), text in ".{0,200}") {
        let _ = (parse(&bytes), parse(text.as_bytes()));
        let _ = parse(format!("<project><short_name/>{text}</project>").as_bytes());
    }

    #[test]
    fn no_text_stops_the_parsers(text in prop_oneof![version(), any::<String>(), "[v0-9.x*^~<>=!,| @a-d-]{0,30}"]) {
        let _ = (Version::parse(&text), branch_major(&text), existing_major(&text));
        let _ = (Composer::of_drupal(&text), Composer::normalize(&text), Constraint::parse(&text));
    }

    #[test]
    fn composer_s_order_is_total(a in version(), b in version(), c in version()) {
        let forms: Option<Vec<Composer>> = [a, b, c].iter().map(|text| Composer::of_drupal(text)).collect();
        if let Some([a, b, c]) = forms.as_deref() {
            prop_assert_eq!(a.rank(b), b.rank(a).reverse());
            prop_assert_eq!(a.rank(a), std::cmp::Ordering::Equal);
            if a.rank(b).is_le() && b.rank(c).is_le() {
                prop_assert!(a.rank(c).is_le());
            }
            let text = a.as_str().to_owned();
            prop_assert_eq!(&Composer::from_normalized(text), a);
        }
    }

    #[test]
    fn a_normalized_version_stays_as_it_is(text in version()) {
        if let Some(form) = Composer::of_drupal(&text)
            && let Some(again) = Composer::normalize(form.as_str())
            && !form.as_str().contains("9999999")
        {
            prop_assert_eq!(again, form);
        }
    }

    #[test]
    fn verdicts_hang_together(history in some_history(), asked in version(), datestamp in 0i64..2_000_000_000) {
        let prepared = Prepared::new(&history);
        let mut all: Vec<String> = history.releases.iter().map(|release| release.key.clone()).collect();
        all.push(asked);
        for version in &all {
            let installed = Installed { version: Some(version), datestamp };
            let found = assess(&History::Stored(&prepared), &installed);
            prop_assert_eq!(&found, &assess(&History::Stored(&prepared), &installed), "the same question has one answer");
            prop_assert_eq!(found.listed, prepared.find(version).is_some());
            for named in found.recommended.iter().chain(&found.latest).chain(&found.security_updates) {
                prop_assert!(prepared.find(named).is_some_and(|(_, release)| release.valid));
            }
            let exposed = &found.exposed;
            let after = exposed.fixes.iter().any(|fix| fix.comes_after == Some(true));
            prop_assert!(!after || exposed.answer == Some(true), "a fix that comes after is never fine: {:?}", exposed);
            for fix in &exposed.fixes {
                prop_assert_eq!(exposed.about(&fix.version), fix.comes_after);
            }
            prop_assert!(exposed.about("another").is_none() || exposed.answer == Some(false));
        }
    }
}
