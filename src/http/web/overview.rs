//! The overview, and what the shell of every page says.

use jiff::Timestamp;

use super::advisories::title;
use super::charts::{self, FleetGroup};
use super::parts::{Advisories, Clock, Risk, Status, Versions};
use super::shell::{Fresh, Shell};
use super::view::overview::{
    Counts, Exposed, Hit, MonthLine, NothingPage, OverviewPage, SilentSite,
};
use super::visit::{Handler, Reply, Visit};
use super::words;
use crate::domain::access::{Actor, Permission};
use crate::domain::advisory::reach::Tally;
use crate::domain::advisory::shown::Shown;
use crate::domain::figures::{self, Compliance};
use crate::domain::grants::Permissions;
use crate::services::overview::{self as service, Glance, Months, OpenWindow, Word};
use crate::services::{Result, advisories, two_factors};

/// `GET /`.
pub const SHOW: Handler = |visit| Box::pin(show(visit));

impl Visit {
    /// What stands around a page.
    ///
    /// # Errors
    /// What the services say.
    pub async fn shell(&self, title: &str) -> Result<Shell> {
        let actor = self.actor()?;
        let glance = if actor.holds(Permission::SitesRead) {
            service::glance(&self.app, actor).await?
        } else {
            Glance::default()
        };
        self.shell_of(title, &glance).await
    }

    async fn shell_of(&self, title: &str, glance: &Glance) -> Result<Shell> {
        let missing = two_factors::missing(&self.app, self.actor()?).await?;
        let person = self.actor.as_ref().map_or("", |actor| actor.identity().2);
        Ok(Shell {
            title: title.to_owned(),
            path: self.whole_path(),
            now: self.now,
            theme: self.theme,
            person: person.to_owned(),
            holds: self
                .actor
                .as_ref()
                .map_or(Permissions::NONE, Actor::everywhere),
            platform: self.actor.as_ref().is_some_and(Actor::is_platform),
            sites: natural(glance.sites),
            late: natural(glance.late),
            modules: natural(glance.modules),
            fresh: Fresh {
                read_at: glance.read_at,
                following: self.app.config.drupal_org.enabled,
                stale: glance.stale,
                incomplete: glance.incomplete,
                reported: natural(glance.reported),
            },
            flash: self.flash.clone(),
            asks: missing.map(|required| (required.name, required.from)),
        })
    }
}

/// A count is never negative.
pub fn natural(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

/// A time of the store.
pub fn time(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// How a site's word looks.
pub fn status_of(word: Word) -> Status {
    Status::from_word(word.standing.word(), word.overdue, word.silent)
}

/// The fleet in numbers.
pub fn counts(words: impl IntoIterator<Item = (Word, i64)>) -> Counts {
    let mut counts = Counts::default();
    for (word, n) in words {
        let n = natural(n);
        match status_of(word) {
            Status::Overdue => {
                counts.overdue += n;
                counts.exposed += n;
            }
            Status::Exposed => counts.exposed += n,
            Status::Revoked | Status::Unsupported => counts.unsupported += n,
            Status::Silent => counts.silent += n,
            Status::Update => counts.update += n,
            Status::Fine => counts.fine += n,
            _ => counts.unknown += n,
        }
    }
    counts
}

async fn show(visit: Visit) -> Result<Reply> {
    let actor = visit.actor()?;
    if !actor.holds(Permission::SitesRead) {
        let shell = visit.shell("Overview").await?;
        return Reply::page(&NothingPage { shell });
    }
    let glance = service::glance(&visit.app, actor).await?;
    let found = service::show(&visit.app, actor).await?;
    let counts = counts(found.groups.iter().flatten().copied());
    let groups: Vec<FleetGroup> = found
        .groups
        .iter()
        .map(|group| FleetGroup {
            runs: group
                .iter()
                .map(|(word, n)| (status_of(*word), natural(*n)))
                .collect(),
        })
        .collect();
    let months = month_lines(&found.months);
    let hits = advisories::newest(&visit.app, actor, HITS).await?;
    Reply::page(&OverviewPage {
        shell: visit.shell_of("Overview", &glance).await?,
        line: charts::fleet_line(&groups, &finding(&counts)),
        counts,
        clients: groups.len() as u64,
        exposed: found
            .urgent
            .iter()
            .map(|row| exposed(visit.now, row))
            .collect(),
        open: natural(glance.open),
        risks: found
            .risks
            .iter()
            .map(|(risk, n)| (Risk::from_word(risk.map(|risk| risk.word())), natural(*n)))
            .collect(),
        hits: hits
            .iter()
            .map(|(shown, tally)| hit(shown, tally))
            .collect(),
        hours: found.hours.iter().copied().map(natural).collect(),
        silent: found
            .quiet
            .iter()
            .map(|(id, name, last)| SilentSite {
                id: *id,
                name: name.clone(),
                last: last.map(time),
            })
            .collect(),
        this_month: words::month(found.months.this_from),
        last_month: words::month(found.months.last_from),
        days: natural(found.months.days),
        months,
        due: due_lines(&found.months),
        wednesdays: wednesdays(visit.now, found.trend.len()),
        trend: found.trend.iter().copied().map(natural).collect(),
    })
}

/// Advisories that are named.
const HITS: u32 = 5;

fn hit(shown: &Shown, tally: &Tally) -> Hit {
    Hit {
        id: shown.id.clone(),
        title: title(shown),
        published: shown.published_at,
        risk: Risk::from_word(shown.risk.as_deref()),
        open: natural(shown.affected_sites_count),
        done: natural(tally.done),
        at_least: tally.at_least,
    }
}

fn finding(counts: &Counts) -> String {
    format!(
        "{} exposed, {} of them overdue, {} unsupported, {} silent, {} unknown, {} with an update, {} fine",
        counts.exposed,
        counts.overdue,
        counts.unsupported,
        counts.silent,
        counts.unknown,
        counts.update,
        counts.fine
    )
}

/// One row a site: the earliest due of its windows.
fn exposed(now: Timestamp, (window, modules): &(OpenWindow, i64)) -> Exposed {
    let (opened, due) = (time(window.opened_at), window.due_at.map(time));
    let target = (window.cause_kind == "release").then_some(window.cause.as_str());
    Exposed {
        clock: Clock {
            now,
            opened,
            due,
            closed: None,
        },
        window: charts::window_cell(now, opened, due),
        site_id: window.site_id,
        site: window.site.clone(),
        client: client(&window.organization, &window.environment),
        silent: window.silent,
        module: window.module.clone(),
        more: natural(modules - 1),
        versions: Versions::new(window.installed.as_deref(), target),
        cause: cause(&window.cause_kind, &window.cause, window.no_fix),
        advisories: Advisories::first(&window.advisories, 1),
        no_fix: window
            .no_fix
            .then(|| words::without_fix(is_of_core(&window.cause))),
        unproven_since: window.unproven_since.map(time),
        risk: Risk::from_word(window.risk.as_deref()),
    }
}

/// A cause that is Drupal core's: one of its advisories, or the project itself.
pub fn is_of_core(cause: &str) -> bool {
    cause == "drupal" || cause.starts_with("SA-CORE-")
}

/// Why something is exposed, in words.
pub fn cause(kind: &str, cause: &str, no_fix: bool) -> String {
    match kind {
        "release" => format!("Security release {cause}"),
        "advisory" if no_fix => {
            format!("{cause}, {}", words::without_fix(is_of_core(cause)))
        }
        "advisory" => cause.to_owned(),
        _ => "The project is marked insecure".to_owned(),
    }
}

/// Whose site it is, and in which environment where that isn't production.
pub fn client(organization: &str, environment: &str) -> String {
    if environment == "production" {
        organization.to_owned()
    } else {
        format!("{organization}, {environment}")
    }
}

fn month_lines(months: &Months) -> Vec<MonthLine> {
    let (this, last) = (&months.this, &months.last);
    if this.opened + this.met + this.breached + last.opened + last.met + last.breached == 0 {
        return Vec::new();
    }
    let line = |word: &str, now: String, before: String| MonthLine {
        word: word.to_owned(),
        now,
        before,
    };
    let number = |n: i64| words::number(natural(n));
    vec![
        line("Opened", number(this.opened), number(last.opened)),
        line(
            "Closed",
            number(this.met + this.breached),
            number(last.met + last.breached),
        ),
        line(
            "Median to patch",
            quantile(&months.this_took, 50),
            quantile(&months.last_took, 50),
        ),
        line(
            "90th percentile",
            quantile(&months.this_took, 90),
            quantile(&months.last_took, 90),
        ),
    ]
}

/// What became of what is due in each month, the whole of it: the same figures as programs get.
fn due_lines(months: &Months) -> Vec<MonthLine> {
    let (this, last) = (&months.this_due, &months.last_due);
    if this.due() + last.due() == 0 {
        return Vec::new();
    }
    let line = |word: &str, said: fn(&Compliance) -> String| MonthLine {
        word: word.to_owned(),
        now: said(this),
        before: said(last),
    };
    vec![
        line("Met", |due| words::number(natural(due.met))),
        line("Breached", |due| words::number(natural(due.breached))),
        line("Overdue", |due| words::number(natural(due.overdue))),
        line("Time left", |due| words::number(natural(due.ahead))),
        line("Compliance", |due| words::share(due.share())),
    ]
}

fn quantile(took: &[i64], percent: usize) -> String {
    figures::rank(took, percent).map_or_else(|| "–".to_owned(), words::short_span)
}

fn wednesdays(now: Timestamp, days: usize) -> Vec<usize> {
    let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    (0..days)
        .filter(|i| {
            let back = i64::try_from(days - 1 - i).unwrap_or(0);
            let day = today.checked_sub(jiff::Span::new().days(back));
            day.is_ok_and(|day| day.weekday() == jiff::civil::Weekday::Wednesday)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_occurred() {
        let hours: Vec<i64> = (1..=10).map(|h| h * 3_600_000).collect();
        assert_eq!(quantile(&hours, 50), "5 h");
        assert_eq!(quantile(&hours, 90), "9 h");
        assert_eq!(quantile(&[], 50), "–");
    }

    #[test]
    fn wednesdays_are_wednesdays() {
        // 24 July 2026 is a Friday: the last Wednesday is two days before.
        let found = wednesdays("2026-07-24T09:00:00Z".parse().unwrap(), 30);
        assert_eq!(found.last(), Some(&27));
    }
}
