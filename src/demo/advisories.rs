//! What the security team says in the demo's world: the advisories of drupal.org as facts, and made-up
//! ones about made-up projects, which say "(demo)". The facts state no risk, so it is unknown.

use jiff::tz::TimeZone;

use super::advisory::Advisory;
use super::catalogue::{DAY, HOUR, MINUTE, Plan, instant};
use super::dice::Dice;
use crate::domain::advisory::Record;
use crate::domain::advisory::node;

const FACTS: &str = include_str!("facts/advisories.txt");
/// The first node of a fact, and of what is made up.
const FIRST_FACT: i64 = 2_900_000;
const FIRST_INVENTED: i64 = 9_900_000;
/// Made-up advisories are numbered from here: no year of drupal.org has come so far.
const FIRST_NUMBER: i64 = 901;

/// Holes that the made-up projects have: what kind, and how bad.
const HOLES: [(&str, &str, &str); 6] = [
    (
        "Cross site scripting",
        "Moderately critical",
        "AC:Basic/A:User/CI:Some/II:Some/E:Theoretical/TD:All",
    ),
    (
        "Access bypass",
        "Moderately critical",
        "AC:Basic/A:None/CI:Some/II:None/E:Theoretical/TD:Default",
    ),
    (
        "Information disclosure",
        "Less critical",
        "AC:Complex/A:User/CI:Some/II:None/E:Theoretical/TD:Default",
    ),
    (
        "Cross site request forgery",
        "Moderately critical",
        "AC:Basic/A:None/CI:None/II:Some/E:Theoretical/TD:All",
    ),
    (
        "SQL injection",
        "Critical",
        "AC:None/A:User/CI:All/II:All/E:Theoretical/TD:Default",
    ),
    (
        "Remote code execution",
        "Highly critical",
        "AC:None/A:None/CI:All/II:All/E:Proof/TD:All",
    ),
];

/// One thing that the security team says.
#[derive(Debug, Clone)]
pub struct Word {
    /// When.
    pub at: i64,
    /// What, as it stands from then on; `published` says whether it still does.
    pub advisory: Advisory,
}

impl Word {
    /// What a reader makes of it.
    pub fn record(&self) -> Option<Record> {
        let read = node::read(&self.advisory.single()).ok()?;
        Some(Record {
            withdrawn: !read.published,
            ..read.record
        })
    }
}

/// All that is said until then, in order.
pub fn words(plans: &[Plan], seed: u64, until: i64) -> Vec<Word> {
    let mut words: Vec<Word> = facts(plans).collect();
    words.extend(invented(plans, seed, until));
    words.sort_by_key(|word| (word.at, word.advisory.nid));
    words
}

fn facts(plans: &[Plan]) -> impl Iterator<Item = Word> {
    let lines = FACTS.lines().filter(|line| !line.starts_with('#'));
    lines
        .zip(FIRST_FACT..)
        .filter_map(|(line, nid)| fact(line, nid))
        .filter(|word| is_true_here(plans, word))
        .map(|mut word| {
            let title = plans
                .iter()
                .find(|plan| plan.name == word.advisory.project)
                .map_or(word.advisory.project.as_str(), |plan| {
                    plan.title.trim_end_matches(" (demo)")
                });
            word.advisory.title = format!("{title} - {}", word.advisory.id);
            word
        })
}

/// `SA-CONTRIB-2025-125; token; 1764763200; 1764763200; <1.14.0; CVE-2025-1 CVE-2025-2`
fn fact(line: &str, nid: i64) -> Option<Word> {
    let mut fields = line.split(';').map(str::trim);
    let (id, project) = (fields.next()?, fields.next()?);
    let at: i64 = fields.next()?.parse().ok()?;
    let changed = fields.next()?.parse().ok()?;
    let advisory = Advisory {
        title: String::new(),
        kind: String::new(),
        vector: None,
        affected_versions: Some(fields.next()?.to_owned()),
        cves: fields
            .next()?
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
        changed,
        ..Advisory::new(nid, id, project, at)
    };
    Some(Word { at, advisory })
}

/// Part of the releases of some real projects is made up here: of those, only the advisories count whose
/// fix is a fact.
fn is_true_here(plans: &[Plan], word: &Word) -> bool {
    let Some(plan) = plans.iter().find(|plan| plan.name == word.advisory.project) else {
        return true;
    };
    let mut fixes = plan.branches.iter().flat_map(|branch| &branch.releases);
    !plan.title.ends_with("(demo)")
        || fixes.any(|release| release.security && (release.at - word.at).abs() < 2 * DAY)
}

/// An advisory for each security release of a made-up project, and what else happens to advisories.
fn invented(plans: &[Plan], seed: u64, until: i64) -> Vec<Word> {
    let mut fixes: Vec<(i64, &Plan, &str, &str)> = plans
        .iter()
        .filter(|plan| plan.invented)
        .flat_map(|plan| {
            plan.branches.iter().flat_map(move |branch| {
                let security = branch.releases.iter().filter(|issue| issue.security);
                security.map(move |issue| {
                    (
                        issue.at,
                        plan,
                        branch.prefix.as_str(),
                        issue.version.as_str(),
                    )
                })
            })
        })
        .collect();
    fixes.sort_unstable_by_key(|(at, plan, ..)| (*at, plan.name.as_str()));
    let mut said = Vec::new();
    for (place, (at, plan, prefix, version)) in (0..).zip(fixes) {
        let dice = Dice::of(seed, &format!("{} {version}", plan.name));
        let at = at + dice.between(4, 40) * MINUTE;
        let advisory = about(plan, (prefix, version), (place, at), &dice);
        said.push(Word { at, advisory });
    }
    let place = i64::try_from(said.len()).unwrap_or(0);
    said.extend(without_a_fix(plans, (place, until - 6 * DAY - HOUR)));
    said.extend(second_thoughts(&said, until));
    said.push(announcement(place + 1, until - 30 * DAY));
    said
}

/// How many advisories were made up.
pub fn invented_so_far(words: &[Word]) -> i64 {
    let newest = words.iter().map(|word| word.advisory.nid).max();
    newest.map_or(0, |nid| (nid - FIRST_INVENTED).max(0))
}

/// The advisory that a security release brings.
pub fn about(
    plan: &Plan,
    (prefix, version): (&str, &str),
    (place, at): (i64, i64),
    dice: &Dice,
) -> Advisory {
    let (kind, level, vector) = dice.pick(&HOLES).copied().unwrap_or_default();
    let id = id(place, at);
    Advisory {
        title: format!("{} - {level} - {kind} - {id} (demo)", plan.title),
        kind: kind.to_owned(),
        vector: Some(vector.to_owned()),
        affected_versions: Some(format!(
            ">={} <{}",
            composer(&format!("{prefix}0")),
            composer(version)
        )),
        ..Advisory::new(FIRST_INVENTED + place, &id, &plan.name, at)
    }
}

fn id(place: i64, at: i64) -> String {
    let year = instant(at).to_zoned(TimeZone::UTC).year();
    format!("SA-CONTRIB-{year}-{}", FIRST_NUMBER + place)
}

/// A drupal.org version as composer writes it.
fn composer(version: &str) -> String {
    match version.strip_prefix("8.x-") {
        Some(rest) => format!("{rest}.0"),
        None => version.to_owned(),
    }
}

/// A hole that is known before its fix: whatever the project publishes next is the fix.
fn without_a_fix(plans: &[Plan], (place, at): (i64, i64)) -> Option<Word> {
    let (plan, newest) = plans
        .iter()
        .filter(|plan| plan.invented && plan.ends.is_none())
        .find_map(|plan| {
            let branch = plan.branches.first()?;
            let newest = branch.newest(at)?;
            // Nothing is published for a while.
            let next = branch.releases.get(newest + 1);
            let last = branch.releases.get(newest)?;
            next.is_none_or(|next| next.at > at + 9 * DAY)
                .then_some((plan, last.version.as_str()))
        })?;
    let id = id(place, at);
    let advisory = Advisory {
        title: format!("{} - Critical - Access bypass - {id} (demo)", plan.title),
        kind: "Access bypass".to_owned(),
        vector: Some("AC:None/A:User/CI:All/II:All/E:Theoretical/TD:Default".to_owned()),
        affected_versions: Some(format!("<={}", composer(newest))),
        ..Advisory::new(FIRST_INVENTED + place, &id, &plan.name, at)
    };
    Some(Word { at, advisory })
}

/// One advisory is found to be worse a day later, and one is taken back after three days.
fn second_thoughts(said: &[Word], until: i64) -> Vec<Word> {
    let between = |from: i64, to: i64| {
        said.iter()
            .find(|word| (until - from * DAY..until - to * DAY).contains(&word.at))
    };
    let mut more = Vec::new();
    if let Some(word) = between(150, 60) {
        let at = word.at + DAY;
        let advisory = Advisory {
            vector: Some("AC:None/A:None/CI:All/II:All/E:Exploit/TD:All".to_owned()),
            changed: at,
            ..word.advisory.clone()
        };
        more.push(Word { at, advisory });
    }
    if let Some(word) = between(320, 200) {
        let at = word.at + 3 * DAY;
        let advisory = Advisory {
            published: false,
            changed: at,
            ..word.advisory.clone()
        };
        more.push(Word { at, advisory });
    }
    more
}

fn announcement(place: i64, at: i64) -> Word {
    let date = instant(at).to_zoned(TimeZone::UTC).date();
    let mut advisory = Advisory::announcement(FIRST_INVENTED + place, &format!("PSA-{date}"), at);
    advisory.title = format!("A core security release window is announced - PSA-{date} (demo)");
    Word { at, advisory }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::catalogue::plans;

    const UNTIL: i64 = 1_795_000_000;

    fn all() -> Vec<Word> {
        let plans = plans(1, UNTIL - 730 * DAY, UNTIL);
        words(&plans, 1, UNTIL)
    }

    #[test]
    fn every_word_can_be_read() {
        for word in all() {
            let record = word.record();
            assert!(record.is_some(), "{:?}", word.advisory);
            assert_eq!(record.unwrap().id, word.advisory.id);
        }
    }

    #[test]
    fn what_is_made_up_says_so_and_has_a_number_of_its_own() {
        let plans = plans(1, UNTIL - 730 * DAY, UNTIL);
        for word in all() {
            let made_up = plans
                .iter()
                .any(|plan| plan.invented && plan.name == word.advisory.project)
                || word.advisory.id.starts_with("PSA-");
            let says_so = word.advisory.title.ends_with("(demo)");
            assert_eq!(made_up, says_so, "{}", word.advisory.title);
        }
    }

    #[test]
    fn there_are_corrections_a_withdrawal_and_one_without_a_fix() {
        let words = all();
        assert!(words.iter().any(|word| !word.advisory.published));
        let unfixed = |word: &Word| {
            let named = word
                .advisory
                .affected_versions
                .as_deref()
                .unwrap_or_default();
            named.starts_with("<=") && word.advisory.title.ends_with("(demo)")
        };
        assert!(words.iter().any(unfixed));
        let corrected = |word: &Word| {
            let same = |other: &&Word| other.advisory.nid == word.advisory.nid;
            words.iter().filter(same).count() > 1
        };
        assert!(words.iter().any(corrected));
    }
}
