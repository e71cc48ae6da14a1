//! What came back, the rules that hold on every line whatever the snapshot says, and the page on which
//! all of it is shown.

use std::collections::BTreeMap;
use std::fmt::Write;

use dewline::http::route::Needs;

use super::town::{Caller, Kind};
use crate::support::Answer;

/// What somebody got.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Outcome {
    pub code: u16,
    /// Where he was led, with `{id}` for each number.
    pub to: Option<String>,
}

impl Outcome {
    pub fn of(answer: &Answer) -> Self {
        let to = answer.status.is_redirection().then(|| {
            let to = answer.header("location");
            let path = to.split('?').next().unwrap();
            let id = |part: &str| {
                let number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
                if number {
                    "{id}".to_owned()
                } else {
                    part.to_owned()
                }
            };
            path.split('/').map(id).collect::<Vec<_>>().join("/")
        });
        Self {
            code: answer.status.as_u16(),
            to,
        }
    }

    /// He was sent to sign in.
    fn turned_away(&self) -> bool {
        self.to.as_deref() == Some("/sign-in")
    }

    /// He came through the door, whatever the handler said then.
    pub fn passed(&self) -> bool {
        !matches!(self.code, 401 | 403 | 404) && !self.turned_away()
    }

    fn cell(&self) -> String {
        if self.turned_away() {
            "door".to_owned()
        } else {
            self.code.to_string()
        }
    }
}

/// One line of a table, and what everybody got.
pub struct Line {
    pub what: String,
    pub needs: Needs,
    pub outcomes: Vec<(Caller, Outcome)>,
}

impl Line {
    fn public(&self) -> bool {
        self.needs == Needs::Public
    }

    fn of(&self, name: &str) -> &Outcome {
        let found = self.outcomes.iter().find(|(caller, _)| caller.name == name);
        &found.unwrap_or_else(|| panic!("nobody is called {name}")).1
    }

    fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &(Caller, Outcome)> {
        self.outcomes
            .iter()
            .filter(move |(caller, _)| caller.kind == kind)
    }

    /// What must hold on every line of the API.
    pub fn keeps_the_rules_of_the_api(&self) {
        let what = &self.what;
        for (caller, outcome) in self.of_kind(Kind::Nobody) {
            assert!(
                self.public() || outcome.code == 401,
                "{what}: {} got {}",
                caller.name,
                outcome.code
            );
        }
        self.keeps_the_wall();
        if self.public() {
            return;
        }
        let announces = what.starts_with("POST") && what.ends_with(" /patch-runs");
        let syncs = what.ends_with("/modules/sync") || what.ends_with("/composer-lock");
        assert_eq!(
            self.of("site key").passed(),
            syncs || announces,
            "{what}: a site's key"
        );
        if announces {
            // Its site is named in the body: what isn't there for a caller is a fault of that field.
            for name in ["sibling", "foreign", "other"] {
                assert_eq!(self.of(name).code, 422, "{what}: {name}");
            }
        } else {
            assert!(!self.of("sibling").passed(), "{what}: another site's key");
        }
        let keys = ["site key", "sibling", "foreign", "orphan"].map(|name| self.of(name));
        let scopes = self.of_kind(Kind::Scope).map(|(_, outcome)| outcome);
        if what.contains(" /auth/") {
            let refused = keys
                .into_iter()
                .chain(scopes)
                .all(|outcome| outcome.code == 403);
            assert!(refused, "{what}: what is a person's own is no key's");
        }
        assert!(
            !self.of("orphan").passed(),
            "{what}: the key of somebody who left"
        );
    }

    /// What must hold on every line of the pages.
    pub fn keeps_the_rules_of_the_pages(&self) {
        for (caller, outcome) in self.of_kind(Kind::Nobody) {
            assert!(
                self.public() || (outcome.code == 303 && outcome.turned_away()),
                "{}: {} got {outcome:?}",
                self.what,
                caller.name
            );
        }
        self.keeps_the_wall();
    }

    /// A thing of the organization is not there for whoever has nothing to do with it: who holds the
    /// permission elsewhere gets 404. What is the platform's alone is 403 for everybody else, whatever
    /// he asks for.
    fn keeps_the_wall(&self) {
        let things = ["{id}", "{organization_id}"];
        let names_a_thing = things.iter().any(|thing| self.what.contains(thing));
        if self.public() || !names_a_thing {
            return;
        }
        let keys = self.outcomes.iter().any(|(who, _)| who.name == "foreign");
        for name in ["other", "foreign", "none"] {
            if name == "foreign" && !keys {
                continue;
            }
            let right: &[u16] = match (self.needs, name) {
                (Needs::Platform(_), _) | (Needs::Person, "foreign") => &[403],
                (Needs::May(_), "none") => &[403, 404],
                _ => &[404],
            };
            let code = self.of(name).code;
            assert!(right.contains(&code), "{}: {name} got {code}", self.what);
        }
    }

    fn columns(&self) -> Vec<&(Caller, Outcome)> {
        self.of_kind(Kind::Column).collect()
    }

    fn row(&self) -> String {
        let mut row = format!("{:44}", self.what);
        for (caller, outcome) in self.columns() {
            write!(
                row,
                " {:width$}",
                outcome.cell(),
                width = caller.name.len().max(4)
            )
            .unwrap();
        }
        let scopes: Vec<_> = self.of_kind(Kind::Scope).collect();
        if !scopes.is_empty() {
            write!(row, " | {:34}", together(&scopes)).unwrap();
        }
        write!(
            row,
            " | {}",
            together(&self.of_kind(Kind::Nobody).collect::<Vec<_>>())
        )
        .unwrap();
        let mut led: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (caller, outcome) in &self.outcomes {
            if let Some(to) = outcome.to.as_deref().filter(|_| !outcome.turned_away()) {
                led.entry(to).or_default().push(&caller.name);
            }
        }
        let led: Vec<String> = match led.len() {
            0 | 1 => led.into_keys().map(str::to_owned).collect(),
            _ => led
                .into_iter()
                .map(|(to, who)| format!("{to} ({})", who.join(", ")))
                .collect(),
        };
        if !led.is_empty() {
            write!(row, " -> {}", led.join("; ")).unwrap();
        }
        row.trim_end().to_owned()
    }
}

/// Who got something else than most, and what most of them got.
fn together(all: &[&(Caller, Outcome)]) -> String {
    let mut by_cell: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (caller, outcome) in all {
        by_cell
            .entry(outcome.cell())
            .or_default()
            .push(&caller.name);
    }
    let most = by_cell
        .iter()
        .max_by_key(|(_, who)| who.len())
        .map(|(cell, _)| cell.clone());
    let most = most.unwrap_or_default();
    by_cell.remove(&most);
    if by_cell.is_empty() {
        return most;
    }
    let others: Vec<String> = by_cell
        .into_iter()
        .map(|(cell, who)| format!("{cell} {}", who.join(" ")))
        .collect();
    format!("{}, else {most}", others.join(", "))
}

/// The lines under a head that says who is who.
pub fn table(name: &str, lines: &[Line]) -> String {
    let first = &lines[0];
    let mut head = format!(
        "{:44}",
        format!("{name} ({} lines x {})", lines.len(), first.outcomes.len())
    );
    for (caller, _) in first.columns() {
        write!(head, " {:4}", caller.name).unwrap();
    }
    if first.of_kind(Kind::Scope).next().is_some() {
        write!(head, " | {:34}", "a key of the organization, by scope").unwrap();
    }
    let nobodies: Vec<&str> = first
        .of_kind(Kind::Nobody)
        .map(|(caller, _)| caller.name.as_str())
        .collect();
    let rows: Vec<String> = lines.iter().map(Line::row).collect();
    format!(
        "{head} | nobody\n{}\n\nnobody: {}\n",
        rows.join("\n"),
        nobodies.join(", ")
    )
}
