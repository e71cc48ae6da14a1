//! What drupal.org publishes in the demo's world: facts where there are facts, and made-up releases
//! on made-up projects or under a title that says "(demo)". Times are Unix seconds.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::dice::Dice;
use super::history::{Project, Release, ReleaseType};

const CORE: &str = include_str!("facts/core.txt");
const REAL: &str = include_str!("facts/modules.txt");
const INVENTED: &str = include_str!("facts/invented.txt");

/// Seconds of a day.
pub const DAY: i64 = 86_400;
/// Seconds of an hour.
pub const HOUR: i64 = 3_600;
/// Seconds of a minute.
pub const MINUTE: i64 = 60;

/// Which versions of core the modules work with.
const WORKS_WITH: &str = "^10 || ^11";

/// One project and all that it will publish.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The machine name.
    pub name: String,
    /// The title as drupal.org says it.
    pub title: String,
    /// `core`, `module`, `theme`.
    pub kind: &'static str,
    /// It exists only here, so that anything may be published about it.
    pub invented: bool,
    /// Its branches, oldest first.
    pub branches: Vec<Branch>,
    /// From when on it has another status, and which.
    pub ends: Option<(i64, &'static str)>,
}

/// One branch of a project.
#[derive(Debug, Clone)]
pub struct Branch {
    /// What its versions begin with, such as `2.1.`.
    pub prefix: String,
    /// Until when it is supported.
    pub supported_until: i64,
    /// Its releases, oldest first.
    pub releases: Vec<Issue>,
}

/// One release.
#[derive(Debug, Clone)]
pub struct Issue {
    /// Its version.
    pub version: String,
    /// When it is published.
    pub at: i64,
    /// It fixes a security problem.
    pub security: bool,
}

impl Branch {
    /// The place of the newest release at that time.
    pub fn newest(&self, at: i64) -> Option<usize> {
        self.releases
            .partition_point(|issue| issue.at <= at)
            .checked_sub(1)
    }

    /// A security release after the one at `place` is out.
    pub fn is_exposed(&self, place: usize, at: i64) -> bool {
        let later = self.releases.iter().skip(place + 1);
        later
            .take_while(|issue| issue.at <= at)
            .any(|issue| issue.security)
    }
}

impl Plan {
    /// What it publishes after `from` and until `to`, as times in order, one for each moment.
    pub fn moments(&self, from: i64, to: i64) -> Vec<i64> {
        let mut moments: Vec<i64> = self
            .branches
            .iter()
            .flat_map(|branch| branch.releases.iter().map(|issue| issue.at))
            .chain(self.ends.map(|(at, _)| at))
            .filter(|at| (from + 1..=to).contains(at))
            .collect();
        moments.sort_unstable();
        moments.dedup();
        moments
    }

    /// The project as drupal.org lists it at that time; a project without any release yet is listed too.
    pub fn listed(&self, at: i64) -> Project {
        let kind = match self.kind {
            "core" => "project_core",
            "theme" => "project_theme",
            _ => "project_module",
        };
        let supported: Vec<&str> = self
            .branches
            .iter()
            .filter(|branch| at < branch.supported_until && branch.newest(at).is_some())
            .map(|branch| branch.prefix.as_str())
            .collect();
        let mut project = Project::new(&self.name, &self.title, kind, &supported);
        if let Some((_, status)) = self.ends.filter(|(end, _)| *end <= at) {
            status.clone_into(&mut project.status);
        }
        for issue in self.branches.iter().flat_map(|branch| &branch.releases) {
            if issue.at <= at {
                project.publish(self.release(issue));
            }
        }
        if self.kind != "core" {
            for branch in &self.branches {
                let dev = format!("{}x-dev", branch.prefix);
                if let Some(newest) = branch.newest(at).and_then(|at| branch.releases.get(at)) {
                    project.publish(Release::new(&dev, newest.at).needing(WORKS_WITH));
                }
            }
        }
        project
    }

    fn release(&self, issue: &Issue) -> Release {
        let release = if issue.security {
            Release::security(&issue.version, issue.at)
        } else {
            Release::new(&issue.version, issue.at)
        };
        if self.kind == "core" {
            release
        } else {
            release.needing(WORKS_WITH)
        }
    }

    /// Publishes the next release of a branch as a security update, outside the plan.
    pub fn next_security_release(&mut self, branch: usize, at: i64) -> Option<Release> {
        let branch = self.branches.get_mut(branch)?;
        let version = match branch.releases.last() {
            Some(last) => following(&last.version)?,
            None => format!("{}0", branch.prefix),
        };
        let mut release = Release::security(&version, at).needing(WORKS_WITH);
        release.types.push(ReleaseType::BugFixes);
        branch.releases.push(Issue {
            version,
            at,
            security: true,
        });
        Some(release)
    }
}

/// The version after one: its last number plus one.
fn following(version: &str) -> Option<String> {
    let cut = version.rfind(['.', '-'])? + 1;
    let (head, number) = version.split_at_checked(cut)?;
    Some(format!("{head}{}", number.parse::<u32>().ok()? + 1))
}

/// Everything that is published around the time from `from` to `until`.
pub fn plans(seed: u64, from: i64, until: i64) -> Vec<Plan> {
    let mut plans = vec![core()];
    plans.extend(lines(REAL).filter_map(|line| real(line, seed, from, until)));
    plans.extend(lines(INVENTED).filter_map(|line| invented(line, seed, from, until)));
    plans.push(ending(
        seed,
        from,
        ("oakum_backup", "Oakum Backup"),
        (until - 70 * DAY, "unsupported"),
    ));
    plans.push(ending(
        seed,
        from,
        ("postern_gate", "Postern Gate"),
        (until - 24 * DAY, "revoked"),
    ));
    plans
}

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
}

/// Core as it was: facts alone.
fn core() -> Plan {
    let mut branches: Vec<Branch> = Vec::new();
    for line in lines(CORE) {
        let mut words = line.split_whitespace();
        match (words.next(), words.next(), words.next()) {
            (Some("branch"), Some(prefix), _) => branches.push(Branch {
                prefix: prefix.to_owned(),
                supported_until: words.next().and_then(day).unwrap_or(i64::MAX),
                releases: Vec::new(),
            }),
            (Some(version), Some(date), mark) => {
                if let (Some(branch), Some(day)) = (branches.last_mut(), day(date)) {
                    branch.releases.push(Issue {
                        version: version.to_owned(),
                        at: day + 16 * HOUR + 20 * MINUTE,
                        security: mark.is_some(),
                    });
                }
            }
            _ => {}
        }
    }
    for branch in &mut branches {
        branch.releases.sort_by_key(|issue| issue.at);
    }
    Plan {
        name: "drupal".to_owned(),
        title: "Drupal core".to_owned(),
        kind: "core",
        invented: false,
        branches,
        ends: None,
    }
}

fn day(text: &str) -> Option<i64> {
    let date: Date = text.parse().ok()?;
    let midnight = date.to_zoned(TimeZone::UTC).ok()?;
    Some(midnight.timestamp().as_second())
}

fn kind(word: &str) -> &'static str {
    if word == "theme" { "theme" } else { "module" }
}

fn real(line: &str, seed: u64, from: i64, until: i64) -> Option<Plan> {
    let mut fields = line.split('|').map(str::trim);
    let (name, title, word) = (fields.next()?, fields.next()?, fields.next()?);
    let (prefix, facts) = (fields.next()?, fields.next()?);
    let dice = Dice::of(seed, name);
    let facts: Vec<Issue> = facts.split(',').filter_map(fact).collect();
    let all_facts = fields.next() == Some("all");
    let releases = if all_facts {
        facts
    } else if facts.is_empty() {
        walk(
            &dice,
            prefix,
            &Pace {
                from: from - 400 * DAY,
                until,
                days: (45, 130),
                security: 0,
            },
        )
    } else {
        filled(prefix, &facts)
    };
    Some(Plan {
        name: name.to_owned(),
        title: if all_facts {
            title.to_owned()
        } else {
            format!("{title} (demo)")
        },
        kind: kind(word),
        invented: false,
        branches: vec![Branch {
            prefix: prefix.to_owned(),
            supported_until: i64::MAX,
            releases,
        }],
        ends: None,
    })
}

/// `8.x-1.21 2026-06-24 !`
fn fact(text: &str) -> Option<Issue> {
    let mut words = text.split_whitespace();
    Some(Issue {
        version: words.next()?.to_owned(),
        at: day(words.next()?)? + 15 * HOUR + 40 * MINUTE,
        security: words.next().is_some(),
    })
}

/// The facts, and in the gaps between their numbers made-up releases without security fixes.
fn filled(prefix: &str, facts: &[Issue]) -> Vec<Issue> {
    let number = |issue: &Issue| -> i64 {
        let rest = issue.version.strip_prefix(prefix);
        rest.and_then(|rest| rest.parse().ok()).unwrap_or(0)
    };
    let mut releases: Vec<Issue> = Vec::new();
    for fact in facts {
        let to = number(fact);
        let (first, since) = match releases.last() {
            Some(last) => (number(last) + 1, last.at),
            // A few before the first, so that there is something to run before it.
            None => (
                (to - 4).max(0),
                fact.at - 75 * DAY * (to - (to - 4).max(0) + 1),
            ),
        };
        let gaps = to - first;
        for step in 0..gaps {
            let at = since + (fact.at - since) / (gaps + 1) * (step + 1);
            releases.push(Issue {
                version: format!("{prefix}{}", first + step),
                at: afternoon(at, 0),
                security: false,
            });
        }
        releases.push(fact.clone());
    }
    releases
}

/// How a project publishes.
struct Pace {
    from: i64,
    until: i64,
    /// Days between two releases, from and to.
    days: (i64, i64),
    /// Of a hundred releases, so many fix a security problem.
    security: i64,
}

fn walk(dice: &Dice, prefix: &str, pace: &Pace) -> Vec<Issue> {
    let mut at = pace.from + dice.between(0, pace.days.1) * DAY;
    let mut number = dice.between(0, 9);
    let mut releases = Vec::new();
    // Nothing comes in the last two days: the fleet's newest state has had time to settle.
    while at < pace.until - 2 * DAY {
        let security = !releases.is_empty() && dice.chance(pace.security);
        let moment = if security { wednesday(at) } else { at };
        let moment = afternoon(moment, dice.between(0, 3 * HOUR));
        if moment < pace.until - 2 * DAY {
            releases.push(Issue {
                version: format!("{prefix}{number}"),
                at: moment,
                security,
            });
            number += 1;
        }
        at = at.max(moment) + dice.between(pace.days.0, pace.days.1) * DAY;
    }
    releases
}

/// Of the same day, at half past one or so much later, UTC.
fn afternoon(at: i64, later: i64) -> i64 {
    at - at.rem_euclid(DAY) + 13 * HOUR + 30 * MINUTE + later
}

/// The Wednesday of the week, or the next: 1970-01-01 was a Thursday.
fn wednesday(at: i64) -> i64 {
    at + (6 - at.div_euclid(DAY)).rem_euclid(7) * DAY
}

fn invented(line: &str, seed: u64, from: i64, until: i64) -> Option<Plan> {
    let mut fields = line.split('|').map(str::trim);
    let (name, title, word) = (fields.next()?, fields.next()?, fields.next()?);
    let dice = Dice::of(seed, name);
    let branches = fields
        .next()?
        .split(',')
        .map(str::trim)
        .enumerate()
        .map(|(place, prefix)| {
            let begins = if place == 0 {
                from - 400 * DAY
            } else {
                from + (until - from) / 100 * dice.between(20, 70)
            };
            Branch {
                prefix: prefix.to_owned(),
                supported_until: i64::MAX,
                releases: walk(
                    &dice,
                    prefix,
                    &Pace {
                        from: begins,
                        until,
                        days: (28, 95),
                        security: 11,
                    },
                ),
            }
        });
    let mut plan = Plan {
        name: name.to_owned(),
        title: title.to_owned(),
        kind: kind(word),
        invented: true,
        branches: branches.collect(),
        ends: None,
    };
    hasten(&mut plan, &dice, until);
    Some(plan)
}

/// One project in fourteen had a security release in the last days: there is always something open.
fn hasten(plan: &mut Plan, dice: &Dice, until: i64) {
    if !dice.chance(7) {
        return;
    }
    let at = afternoon(
        until - dice.between(2, 9) * DAY,
        dice.between(2 * HOUR, 4 * HOUR),
    );
    if let Some(branch) = plan.branches.first_mut()
        && let Some(last) = branch.releases.last()
        && last.at + DAY < at
        && at < until - 30 * HOUR
        && let Some(version) = following(&last.version)
    {
        branch.releases.push(Issue {
            version,
            at,
            security: true,
        });
    }
}

/// A project that comes to an end.
fn ending(seed: u64, from: i64, name: (&str, &str), ends: (i64, &'static str)) -> Plan {
    let dice = Dice::of(seed, name.0);
    let pace = Pace {
        from: from - 400 * DAY,
        until: ends.0,
        days: (60, 120),
        security: 0,
    };
    Plan {
        name: name.0.to_owned(),
        title: name.1.to_owned(),
        kind: "module",
        invented: true,
        branches: vec![Branch {
            prefix: "1.2.".to_owned(),
            supported_until: i64::MAX,
            releases: walk(&dice, "1.2.", &pace),
        }],
        ends: Some(ends),
    }
}

/// An instant of so many Unix seconds.
pub fn instant(at: i64) -> Timestamp {
    Timestamp::from_second(at).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FROM: i64 = 1_760_000_000;
    const UNTIL: i64 = FROM + 365 * DAY;

    #[test]
    fn releases_that_are_made_up_stand_on_made_up_projects_or_say_so() {
        for plan in plans(1, FROM, UNTIL) {
            let facts_alone = ["drupal", "token"].contains(&plan.name.as_str());
            assert!(
                plan.invented || facts_alone || plan.title.ends_with("(demo)"),
                "{} doesn't say that it is made up",
                plan.name
            );
        }
    }

    #[test]
    fn branches_run_upwards_in_time_and_number() {
        for plan in plans(7, FROM, UNTIL) {
            for branch in &plan.branches {
                assert!(
                    branch.releases.is_sorted_by(|a, b| a.at <= b.at),
                    "{}",
                    plan.name
                );
                let project = plan.listed(i64::MAX / 2);
                let mut newest_first: Vec<&str> = project
                    .releases
                    .iter()
                    .filter(|r| {
                        r.version.starts_with(&branch.prefix) && !r.version.ends_with("dev")
                    })
                    .map(|r| r.version.as_str())
                    .collect();
                newest_first.reverse();
                let planned: Vec<&str> =
                    branch.releases.iter().map(|i| i.version.as_str()).collect();
                assert_eq!(planned, newest_first, "{}", plan.name);
            }
        }
    }

    #[test]
    fn wednesdays_are_wednesdays() {
        let start = day("2026-11-19").unwrap();
        for later in 0..7 {
            assert_eq!(wednesday(start + later * DAY), day("2026-11-25").unwrap());
        }
    }

    #[test]
    fn the_next_release_follows_the_last() {
        assert_eq!(following("8.x-1.9").as_deref(), Some("8.x-1.10"));
        assert_eq!(following("2.0.3").as_deref(), Some("2.0.4"));
    }
}
