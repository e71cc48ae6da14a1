//! Names of advisories, however a source writes them around: `SA-CONTRIB-2025-125`. Knows no document.

/// The longest that is taken.
const LONGEST: usize = 40;

/// The first id in a text: `SA-CORE-…`, `SA-CONTRIB-…`, `PSA-…` and the old `SA-2008-…`, in upper case.
pub fn find(text: &str) -> Option<String> {
    let upper = text.to_ascii_uppercase();
    let mut rest = upper.as_str();
    while let Some(at) = rest.find("SA-") {
        let before = rest.get(..at).unwrap_or_default();
        let psa = before.ends_with('P');
        let start = if psa { at - 1 } else { at };
        let stands_alone = !rest
            .get(..start)
            .and_then(|text| text.chars().next_back())
            .is_some_and(char::is_alphanumeric);
        let after = rest.get(at + 3..).unwrap_or_default();
        if stands_alone && let Some(number) = number(after, psa) {
            let prefix = if psa { "PSA-" } else { "SA-" };
            return Some(format!("{prefix}{number}"));
        }
        rest = after;
    }
    None
}

/// What stands after `SA-`: a room of the year, the year, and numbers.
fn number(text: &str, psa: bool) -> Option<&str> {
    let room = ["CORE-", "CONTRIB-"]
        .into_iter()
        .find(|room| text.starts_with(room))
        .unwrap_or_default();
    let rest = text.get(room.len()..)?;
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    if digits(rest) != 4 {
        return None;
    }
    let mut end = room.len() + 4;
    let mut groups = 0;
    while let Some(group) = text.get(end..).and_then(|rest| rest.strip_prefix('-')) {
        let length = digits(group);
        if length == 0 {
            break;
        }
        end += 1 + length;
        groups += 1;
        if !psa {
            break;
        }
    }
    (groups > 0 && end <= LONGEST).then(|| text.get(..end))?
}

/// The id that a number of its year stands for, where a source tells only that.
pub fn of_number(number: &str, core: bool, year: i16) -> Option<String> {
    let number = number.trim();
    let digits =
        !number.is_empty() && number.len() <= 4 && number.bytes().all(|b| b.is_ascii_digit());
    let room = if core { "CORE" } else { "CONTRIB" };
    (digits && (2000..=9999).contains(&year)).then(|| format!("SA-{room}-{year}-{number:0>3}"))
}

/// The page that drupal.org has for an id.
pub fn page(id: &str) -> String {
    format!("https://www.drupal.org/{}", id.to_ascii_lowercase())
}

/// An address that may be linked to; else drupal.org's own.
pub fn safe_url(url: Option<&str>, id: &str) -> String {
    match url.map(str::trim) {
        Some(url)
            if (url.starts_with("https://") || url.starts_with("http://"))
                && url.len() <= 500
                && url
                    .bytes()
                    .all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b)) =>
        {
            url.to_owned()
        }
        _ => page(id),
    }
}

/// Each CVE of these texts once, in upper case, at most 100.
pub fn cves<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let words = texts.into_iter().flat_map(|text| {
        text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
            .take(1000)
    });
    for word in words {
        let cve = word.to_ascii_uppercase();
        if found.len() < 100 && is_cve(&cve) && !found.contains(&cve) {
            found.push(cve);
        }
    }
    found
}

fn is_cve(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    text.strip_prefix("CVE-")
        .and_then(|rest| rest.split_once('-'))
        .is_some_and(|(year, number)| {
            year.len() == 4 && digits(year) && (4..=19).contains(&number.len()) && digits(number)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_id_is_found_wherever_it_stands() {
        for (text, id) in [
            ("SA-CONTRIB-2025-125", Some("SA-CONTRIB-2025-125")),
            ("DRUPAL-CONTRIB-2025-125", None),
            ("DRUPAL-SA-CORE-2010-001", Some("SA-CORE-2010-001")),
            (
                "Rope - Critical - XSS - SA-CONTRIB-2026-001",
                Some("SA-CONTRIB-2026-001"),
            ),
            (
                "https://www.drupal.org/sa-core-2025-001",
                Some("SA-CORE-2025-001"),
            ),
            (
                "https://www.drupal.org/psa-2025-01-02",
                Some("PSA-2025-01-02"),
            ),
            ("PSA-CORE-2014-005", Some("PSA-CORE-2014-005")),
            ("SA-2008-032 - old", Some("SA-2008-032")),
            ("SA-CONTRIB-2025-", None),
            ("VISA-2025-001", None),
            ("SA-CORE-25-001", None),
            ("SA-x SA-CORE-2025-001-2", Some("SA-CORE-2025-001")),
            ("SA-CORE-2025-00000000000000000000000000000000001", None),
            ("", None),
        ] {
            assert_eq!(find(text).as_deref(), id, "{text}");
        }
        assert_eq!(of_number("7", false, 2026).unwrap(), "SA-CONTRIB-2026-007");
        assert_eq!(of_number("125", true, 2025).unwrap(), "SA-CORE-2025-125");
        assert_eq!(of_number("x", true, 2025), None);
        assert_eq!(of_number("1", true, -1), None);
    }

    #[test]
    fn only_addresses_that_may_be_linked_to_are_kept() {
        for (url, kept) in [
            (Some("https://www.drupal.org/sa-core-2025-001"), true),
            (Some("javascript:alert(1)"), false),
            (Some("https://x/\"onclick"), false),
            (None, false),
        ] {
            let safe = safe_url(url, "SA-CORE-2025-002");
            assert_eq!(Some(safe.as_str()) == url, kept);
            assert!(kept || safe == "https://www.drupal.org/sa-core-2025-002");
        }
    }

    #[test]
    fn cves_are_told_from_other_words() {
        let texts = [
            "CVE-2025-14472, cve-2024-0001",
            "CVE-2025-14472",
            "CVE-25-1",
            "none",
        ];
        assert_eq!(cves(texts), ["CVE-2025-14472", "CVE-2024-0001"]);
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[PSA\\-COREINTB0-9 ]{0,40}|.{0,60}") {
            find(&text);
            cves([text.as_str()]);
            safe_url(Some(&text), &text);
            of_number(&text, true, 2026);
        }
    }
}
