//! The rules of the ledger once more, slow and plain, without a line of the program's own: what each
//! window should say, from what happened, in the order in which it happened.
//!
//! It knows one branch, 1.0.n. What it doesn't know isn't played before it, but proved by the replay alone:
//! snapshots of a branch, releases marked insecure by themselves, advisories without a fix, answers that
//! can't be read, clocks that go back, business hours (they have their own slow model beside `domain/sla.rs`).

use std::collections::BTreeMap;

use super::ops::Terms;

/// Minutes since 1970.
pub type Minute = i64;

/// What ran: the release 1.0.n, or something that nobody can put in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    Release(u32),
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
    pub fix: u32,
    pub opened: Minute,
    pub known: Minute,
    pub due: Option<Minute>,
    pub risk: Option<u8>,
    pub unproven: Option<Minute>,
    pub closed: Option<(Minute, &'static str)>,
    /// When the site began to run what is affected: which window it is.
    began: Minute,
    version: Version,
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
    fixes: Vec<BTreeMap<u32, Fix>>,
    /// What was promised since when, the oldest first.
    policies: Vec<(Minute, [Terms; 3])>,
}

/// How one window that follows from the runs looks.
struct Span {
    began: Minute,
    version: Version,
    version_since: Minute,
    left: Option<Minute>,
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
            policies: vec![(Minute::MIN, [Terms::Hours([24, 72, 168, 336, 720]); 3])],
        }
    }

    pub fn publishes(&mut self, now: Minute, module: usize, fix: u32, date: Option<Minute>) {
        let known = Fix {
            date,
            known: now,
            taken_back: false,
            risk: None,
        };
        self.fixes[module].entry(fix).or_insert(known);
        self.draw(now);
    }

    pub fn takes_back(&mut self, now: Minute, module: usize, fix: u32) {
        self.fixes[module].get_mut(&fix).unwrap().taken_back = true;
        self.draw(now);
    }

    /// An advisory about everything below that release says how bad it is; `None`: it doesn't, and what
    /// was said before stays.
    pub fn advises(&mut self, now: Minute, module: usize, fix: u32, risk: Option<u8>) {
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

    pub fn promises(&mut self, now: Minute, terms: [Terms; 3]) {
        self.policies.push((now, terms));
    }

    /// The windows of one module on one site.
    pub fn rows(&self, site: usize, module: usize) -> Vec<Row> {
        let mut rows = self.sites[site].pairs[module].rows.clone();
        rows.sort_by_key(|row| (row.fix, row.opened, row.known, row.closed));
        rows
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
                        self.tell(site, number, &fix, &mut pair);
                    }
                    self.sites[site].pairs[module] = pair;
                }
            }
        }
    }

    /// By when a window is due that opened then, counted from `from`.
    fn due(&self, site: usize, opened: Minute, from: Minute, risk: Option<u8>) -> Option<Minute> {
        let (_, terms) = self.policies.iter().rfind(|(since, _)| *since <= opened)?;
        let places = &self.sites[site].environments;
        let (_, environment) = places.iter().rfind(|(since, _)| *since <= opened)?;
        match terms[*environment] {
            Terms::Nothing => None,
            Terms::Hours(hours) => {
                Some(from + 60 * i64::from(hours[usize::from(risk.unwrap_or(2))]))
            }
        }
    }

    fn tell(&self, site: usize, number: u32, fix: &Fix, pair: &mut Pair) {
        for span in spans(number, &pair.runs) {
            let same = |row: &&mut Row| row.fix == number && row.began == span.began;
            let Some(row) = pair.rows.iter_mut().find(same) else {
                let known = fix.known.max(span.began);
                let opened = match fix.date {
                    Some(date) if date <= fix.known => date.max(span.began),
                    _ => known,
                };
                let too_late = |end: Option<Minute>| end.is_some_and(|end| end <= opened);
                if too_late(span.end) || too_late(span.left) {
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
                    began: span.began,
                    version: span.version,
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

/// The windows in which a site ran something below a fix, from what it ran.
fn spans(number: u32, runs: &[Run]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut open: Option<Span> = None;
    let mut before: Option<Minute> = None;
    for run in runs {
        let gap = before != Some(run.from);
        let fixed = matches!(run.version, Version::Release(n) if n >= number);
        if (gap || fixed)
            && let Some(span) = open.take()
        {
            spans.push(Span {
                end: before,
                ..span
            });
        }
        match (run.version, &mut open) {
            (Version::Odd, Some(span)) => {
                span.unproven.get_or_insert(run.from);
            }
            (Version::Release(_), Some(span)) => {
                span.version = run.version;
                span.version_since = run.from;
                span.left = run.to;
                span.unproven = None;
            }
            (Version::Release(n), None) if n < number => {
                open = Some(Span {
                    began: run.from,
                    version: run.version,
                    version_since: run.from,
                    left: run.to,
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
fn withdraw(now: Minute, number: u32, pair: &mut Pair) {
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
            (None, Version::Release(_)) if moved => {
                let end = last.from.max(row.opened);
                Some((end, how(end, row.due)))
            }
            (None, Version::Release(_)) => Some((now.max(row.opened), "withdrawn")),
        };
    }
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let some = |at: Option<Minute>| at.map_or_else(|| "-".to_owned(), |at| at.to_string());
        let words = [
            "highly_critical",
            "critical",
            "moderately_critical",
            "less_critical",
            "not_critical",
        ];
        write!(
            f,
            "1.0.{} opened {} known {} due {} risk {} unproven {} closed {} {}",
            self.fix,
            self.opened,
            self.known,
            some(self.due),
            self.risk.map_or("-", |risk| words[usize::from(risk)]),
            some(self.unproven),
            some(self.closed.map(|(at, _)| at)),
            self.closed.map_or("-", |(_, how)| how),
        )
    }
}
