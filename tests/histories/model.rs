//! The rules of the ledger once more, slow and plain, without a line of the program's own: what each
//! window should say, from what happened, in the order in which it happened.
//!
//! A version is affected by whatever security release stands above it in its own branch. A site that goes to
//! another branch has left the window where nothing is known against what it runs there; else nobody can tell.
//!
//! What the model doesn't know isn't played before it, but proved by the replay alone: snapshots of a branch,
//! branches that are dropped, releases marked insecure by themselves, advisories without a fix, answers that
//! can't be read, clocks that go back.

use std::collections::{BTreeMap, BTreeSet};

use super::office::Office;
use super::ops::{BRANCHES, Terms, ZONES};

/// Minutes since 1970.
pub type Minute = i64;

/// A release: its branch, and its number in it.
pub type Place = (usize, u32);

/// What ran: a release, or something that nobody can put in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    Release(usize, u32),
    Odd,
}

/// A security release, as far as it is known.
#[derive(Clone, Debug)]
struct Fix {
    date: Option<Minute>,
    known: Minute,
    taken_back: bool,
    /// How bad the worst is that it fixes, 0 the worst, and since when that is known.
    risk: Option<(u8, Minute)>,
}

#[derive(Clone, Copy, Debug)]
struct Run {
    version: Version,
    from: Minute,
    to: Option<Minute>,
}

/// A window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub fix: Place,
    pub opened: Minute,
    pub known: Minute,
    pub due: Option<Minute>,
    pub risk: Option<u8>,
    pub unproven: Option<Minute>,
    pub closed: Option<(Minute, &'static str)>,
    /// When the site began to run what is affected: which window it is.
    began: Minute,
    version: Version,
    /// What its clock has told: the kind, the second at which it was so, and when it was noticed.
    told: Vec<(&'static str, i64, Minute)>,
}

/// One module on one site.
#[derive(Clone, Debug, Default)]
struct Pair {
    runs: Vec<Run>,
    rows: Vec<Row>,
}

#[derive(Clone, Debug)]
struct Site {
    pairs: Vec<Pair>,
    deleted: bool,
    environments: Vec<(Minute, usize)>,
}

/// All that one history is about.
#[derive(Clone, Debug)]
pub struct Model {
    sites: Vec<Site>,
    /// Each module's security releases.
    fixes: Vec<BTreeMap<Place, Fix>>,
    /// What was promised since when, the oldest first.
    policies: Vec<Policy>,
}

#[derive(Clone, Debug)]
struct Policy {
    since: Minute,
    terms: [Terms; 3],
    office: Office,
}

/// How one window that follows from the runs looks.
struct Span {
    began: Minute,
    version: Version,
    version_since: Minute,
    /// When it ran what is known to be affected.
    affected: Vec<(Minute, Option<Minute>)>,
    unproven: Option<Minute>,
    end: Option<Minute>,
}

impl Model {
    pub fn new(sites: usize, modules: usize) -> Self {
        let site = Site {
            pairs: vec![Pair::default(); modules],
            deleted: false,
            environments: vec![(Minute::MIN, 0)],
        };
        Self {
            sites: vec![site; sites],
            fixes: vec![BTreeMap::new(); modules],
            policies: vec![Policy {
                since: Minute::MIN,
                terms: [Terms::Hours([24, 72, 168, 336, 720]); 3],
                office: Office::at("UTC", BTreeSet::new()),
            }],
        }
    }

    pub fn publishes(&mut self, now: Minute, module: usize, fix: Place, date: Option<Minute>) {
        let known = Fix {
            date,
            known: now,
            taken_back: false,
            risk: None,
        };
        self.fixes[module].entry(fix).or_insert(known);
        self.draw(now);
    }

    pub fn takes_back(&mut self, now: Minute, module: usize, fix: Place) {
        self.fixes[module].get_mut(&fix).unwrap().taken_back = true;
        self.draw(now);
    }

    /// An advisory about everything below that release says how bad it is; `None`: it doesn't, and what
    /// was said before stays.
    pub fn advises(&mut self, now: Minute, module: usize, fix: Place, risk: Option<u8>) {
        let fix = self.fixes[module].get_mut(&fix).unwrap();
        if let Some(risk) = risk
            && fix.risk.map(|(known, _)| known) != Some(risk)
        {
            fix.risk = Some((risk, now));
        }
        self.draw(now);
    }

    /// What a site runs now; nothing: the module isn't there, or isn't enabled.
    pub fn syncs(&mut self, now: Minute, site: usize, versions: &[Option<Version>]) {
        for (pair, version) in self.sites[site].pairs.iter_mut().zip(versions) {
            let last = pair.runs.last_mut().filter(|run| run.to.is_none());
            if last.as_ref().map(|run| run.version) == *version {
                continue;
            }
            if let Some(run) = last {
                run.to = Some(now);
            }
            if let Some(version) = *version {
                let (from, to) = (now, None);
                pair.runs.push(Run { version, from, to });
            }
        }
        self.draw(now);
    }

    pub fn deletes(&mut self, now: Minute, site: usize) {
        self.sites[site].deleted = true;
        for row in self.sites[site]
            .pairs
            .iter_mut()
            .flat_map(|pair| &mut pair.rows)
        {
            row.closed.get_or_insert((now, "ended"));
        }
    }

    pub fn restores(&mut self, now: Minute, site: usize) {
        self.sites[site].deleted = false;
        for row in self.sites[site]
            .pairs
            .iter_mut()
            .flat_map(|pair| &mut pair.rows)
        {
            row.closed = row.closed.filter(|(_, how)| *how != "ended");
        }
        self.draw(now);
    }

    pub fn moves(&mut self, now: Minute, site: usize, environment: usize) {
        self.sites[site].environments.push((now, environment));
    }

    pub fn promises(
        &mut self,
        now: Minute,
        terms: [Terms; 3],
        zone: usize,
        holidays: BTreeSet<i64>,
    ) {
        self.policies.push(Policy {
            since: now,
            terms,
            office: Office::at(ZONES[zone], holidays),
        });
    }

    /// The clocks of all windows are looked at.
    pub fn looks(&mut self, now: Minute) {
        for site in 0..self.sites.len() {
            for module in 0..self.fixes.len() {
                let mut rows = self.sites[site].pairs[module].rows.clone();
                for row in &mut rows {
                    self.look(now, site, row);
                }
                self.sites[site].pairs[module].rows = rows;
            }
        }
    }

    fn look(&self, now: Minute, site: usize, row: &mut Row) {
        let Some(due) = row.due else { return };
        let until = row.closed.map_or(now, |(end, _)| end.min(now));
        let (policy, terms) = self.promised(site, row.opened);
        for (quarters, kind) in [(2, "half"), (3, "three_quarters"), (4, "due")] {
            if row.told.iter().any(|(told, _, _)| *told == kind) {
                continue;
            }
            let at = match terms {
                Terms::Business(_) => {
                    let open = policy.office.between(row.opened, due);
                    policy.office.after(row.opened, open * quarters)
                }
                Terms::Hours(_) | Terms::Nothing => {
                    row.opened * 60 + (due - row.opened) * 15 * quarters
                }
            };
            if at <= until * 60 {
                row.told.push((kind, at, now));
            }
        }
    }

    /// The windows of one module on one site.
    pub fn rows(&self, site: usize, module: usize) -> Vec<Row> {
        self.sites[site].pairs[module].rows.clone()
    }

    /// Modules with an open window, and when the first of the windows is due.
    pub fn counted(&self, site: usize) -> (i64, Option<Minute>) {
        let open = |pair: &Pair| {
            pair.rows
                .iter()
                .filter(|row| row.closed.is_none())
                .cloned()
                .collect::<Vec<_>>()
        };
        let each: Vec<Vec<Row>> = self.sites[site].pairs.iter().map(open).collect();
        let modules = each.iter().filter(|rows| !rows.is_empty()).count();
        let due = each.iter().flatten().filter_map(|row| row.due).min();
        (i64::try_from(modules).unwrap(), due)
    }

    fn draw(&mut self, now: Minute) {
        for site in 0..self.sites.len() {
            if self.sites[site].deleted {
                continue;
            }
            for module in 0..self.fixes.len() {
                for (number, fix) in self.fixes[module].clone() {
                    let mut pair = self.sites[site].pairs[module].clone();
                    if fix.taken_back {
                        withdraw(now, number, &mut pair);
                    } else {
                        self.tell((site, module), number, &fix, &mut pair);
                    }
                    self.sites[site].pairs[module] = pair;
                }
            }
        }
    }

    /// What was promised to a site for what opens then.
    fn promised(&self, site: usize, opened: Minute) -> (&Policy, Terms) {
        let policy = self.policies.iter().rfind(|policy| policy.since <= opened);
        let places = &self.sites[site].environments;
        let (_, environment) = places.iter().rfind(|(since, _)| *since <= opened).unwrap();
        let policy = policy.unwrap();
        (policy, policy.terms[*environment])
    }

    /// By when a window is due that opened then, counted from `from`.
    fn due(&self, site: usize, opened: Minute, from: Minute, risk: Option<u8>) -> Option<Minute> {
        let (policy, terms) = self.promised(site, opened);
        let of = |hours: [u32; 5]| 60 * i64::from(hours[usize::from(risk.unwrap_or(2))]);
        match terms {
            Terms::Nothing => None,
            Terms::Hours(hours) => Some(from + of(hours)),
            Terms::Business(hours) => Some(policy.office.after(from, of(hours) * 4) / 60),
        }
    }

    /// Whether a version is affected by a fix: yes, no, or nobody can tell.
    fn about(&self, module: usize, version: Version, (branch, number): Place) -> Option<bool> {
        let Version::Release(of, n) = version else {
            return None;
        };
        if of == branch {
            return Some(n < number);
        }
        let fixes = self.fixes[module].iter().filter(|(_, fix)| !fix.taken_back);
        let above = |(there, fix): Place| there == of && n < fix;
        let affected = fixes.into_iter().any(|(place, _)| above(*place));
        (!affected).then_some(false)
    }

    fn tell(&self, (site, module): (usize, usize), number: Place, fix: &Fix, pair: &mut Pair) {
        let about = |version| self.about(module, version, number);
        // What is closed stays closed: what comes after it begins anew.
        let mine = pair.rows.iter().filter(|row| row.fix == number);
        let last = mine.filter_map(|row| row.closed).map(|(end, _)| end).max();
        let later = |run: &&Run| last.is_none_or(|last| run.from >= last);
        let runs: Vec<Run> = pair.runs.iter().filter(later).copied().collect();
        for span in spans(about, &runs) {
            let within = |row: &&mut Row| {
                let in_time = span.end.is_none_or(|end| row.began <= end);
                row.fix == number && row.began >= span.began && in_time
            };
            let Some(row) = pair.rows.iter_mut().rfind(within) else {
                let earliest = match fix.date {
                    Some(date) if date <= fix.known => date,
                    _ => fix.known,
                };
                let then = |(_, to): &&(Minute, Option<Minute>)| to.is_none_or(|to| to > earliest);
                let Some((since, _)) = span.affected.iter().find(then) else {
                    continue;
                };
                let (opened, known) = (earliest.max(*since), fix.known.max(*since));
                if span.end.is_some_and(|end| end <= opened) {
                    continue;
                }
                let risk = fix.risk.map(|(risk, _)| risk);
                let due = self.due(site, opened, opened, risk);
                pair.rows.push(Row {
                    fix: number,
                    opened,
                    known,
                    due,
                    risk,
                    unproven: span.unproven.map(|since| since.max(opened)),
                    closed: span.end.map(|end| (end, how(end, due))),
                    began: *since,
                    version: span.version,
                    told: Vec::new(),
                });
                continue;
            };
            if row.closed.is_some() {
                continue;
            }
            if let Some((risk, since)) = fix.risk
                && row.risk != Some(risk)
                && span.end.is_none_or(|end| since < end)
            {
                if risk < row.risk.unwrap_or(2) && row.due.is_some() {
                    let from = since.max(span.version_since);
                    let due = self.due(site, row.opened, from, Some(risk));
                    row.due = row.due.min(due.or(row.due));
                }
                row.risk = Some(risk);
            }
            row.version = span.version;
            row.closed = span.end.map(|end| (end, how(end, row.due)));
            if row.closed.is_none() {
                row.unproven = span.unproven.map(|since| row.unproven.unwrap_or(since));
            }
        }
    }
}

fn how(end: Minute, due: Option<Minute>) -> &'static str {
    if due.is_none_or(|due| end <= due) {
        "met"
    } else {
        "breached"
    }
}

/// The windows in which a site ran something that is affected, from what it ran.
fn spans(about: impl Fn(Version) -> Option<bool>, runs: &[Run]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut open: Option<Span> = None;
    let mut before: Option<Minute> = None;
    for run in runs {
        let gap = before != Some(run.from);
        let affected = about(run.version);
        if (gap || affected == Some(false))
            && let Some(span) = open.take()
        {
            spans.push(Span {
                end: before,
                ..span
            });
        }
        match (affected, &mut open) {
            (None, Some(span)) => {
                span.unproven.get_or_insert(run.from);
            }
            (Some(_), Some(span)) => {
                span.version = run.version;
                span.version_since = run.from;
                span.affected.push((run.from, run.to));
                span.unproven = None;
            }
            (Some(true), None) => {
                open = Some(Span {
                    began: run.from,
                    version: run.version,
                    version_since: run.from,
                    affected: vec![(run.from, run.to)],
                    unproven: None,
                    end: None,
                });
            }
            _ => {}
        }
        before = run.to;
    }
    if let Some(span) = open {
        spans.push(Span {
            end: before,
            ..span
        });
    }
    spans
}

/// The release was taken back: what is open for it and judged today is withdrawn; of what can't be judged
/// nobody knows.
fn withdraw(now: Minute, number: Place, pair: &mut Pair) {
    let Some(last) = pair.runs.last().copied() else {
        return;
    };
    for row in pair
        .rows
        .iter_mut()
        .filter(|row| row.fix == number && row.closed.is_none())
    {
        let moved = last.version != row.version && row.unproven.is_some();
        row.closed = match (last.to, last.version) {
            (Some(end), _) => Some((end.max(row.opened), how(end.max(row.opened), row.due))),
            (None, Version::Odd) => {
                row.unproven.get_or_insert(now);
                None
            }
            (None, Version::Release(..)) if moved => {
                let end = last.from.max(row.opened);
                Some((end, how(end, row.due)))
            }
            (None, Version::Release(..)) => Some((now.max(row.opened), "withdrawn")),
        };
    }
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let some = |at: Option<Minute>| at.map_or_else(|| "-".to_owned(), |at| at.to_string());
        let mut told = self.told.clone();
        told.sort_by_key(|(kind, at, _)| (*at, *kind));
        let told: Vec<String> = told
            .iter()
            .map(|(kind, at, noticed)| format!(", {kind} {at} noticed {noticed}"))
            .collect();
        let words = [
            "highly_critical",
            "critical",
            "moderately_critical",
            "less_critical",
            "not_critical",
        ];
        write!(
            f,
            "{}{} opened {} known {} due {} risk {} unproven {} closed {} {}{}",
            BRANCHES[self.fix.0],
            self.fix.1,
            self.opened,
            self.known,
            some(self.due),
            self.risk.map_or("-", |risk| words[usize::from(risk)]),
            some(self.unproven),
            some(self.closed.map(|(at, _)| at)),
            self.closed.map_or("-", |(_, how)| how),
            told.concat(),
        )
    }
}
