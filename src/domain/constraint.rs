//! Composer's constraints: `<10.5.12 || >=10.6.0 <10.6.11`, `^10.3 || ^11`, `11.2.*`.
//! Knows nothing of who writes them: advisories and core compatibility both do.

use std::cmp::Ordering;

use crate::domain::composer::{Composer, Modifier, aliased, is_stability, numbers, without_v};

/// A parsed constraint: satisfied when every part of one of its alternatives is.
#[derive(Clone, Debug, PartialEq)]
pub struct Constraint {
    alternatives: Vec<Vec<Bound>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Debug, PartialEq)]
struct Bound {
    operator: Operator,
    version: Composer,
}

/// How long a constraint is read at all: the longest that drupal.org has published is a tenth of it.
const LONGEST: usize = 1024;

impl Constraint {
    /// Parses a constraint; `None` where composer refuses it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let joined = text.trim().replace("||", "|");
        let alternatives: Option<Vec<_>> = joined.split('|').map(conjunction).collect();
        Some(Self {
            alternatives: alternatives?,
        })
    }

    /// Whether the version satisfies it.
    #[must_use]
    pub fn allows(&self, version: &Composer) -> bool {
        self.alternatives
            .iter()
            .any(|bounds| bounds.iter().all(|bound| bound.allows(version)))
    }
}

impl Bound {
    fn new(operator: Operator, version: String) -> Self {
        Self {
            operator,
            version: Composer::from_normalized(version),
        }
    }

    fn allows(&self, version: &Composer) -> bool {
        let Some(order) = version.order(&self.version) else {
            // Named branches equal themselves and are comparable with nothing.
            return match self.operator {
                Operator::Equal => version == &self.version,
                Operator::NotEqual => !version.is_branch() && version != &self.version,
                _ => false,
            };
        };
        match self.operator {
            Operator::Equal => order == Ordering::Equal,
            Operator::NotEqual => order != Ordering::Equal,
            Operator::Less => order == Ordering::Less,
            Operator::LessOrEqual => order != Ordering::Greater,
            Operator::Greater => order == Ordering::Greater,
            Operator::GreaterOrEqual => order != Ordering::Less,
        }
    }
}

/// One alternative: parts separated by blanks or commas, all of which must hold.
fn conjunction(text: &str) -> Option<Vec<Bound>> {
    let trimmed = text.trim_matches([' ', '\t', '\n', '\r']);
    if trimmed.starts_with(',') || trimmed.ends_with(',') {
        return None;
    }
    if let Some((name, _)) = aliased(trimmed) {
        return single(name);
    }
    let mut bounds = Vec::new();
    let mut words = trimmed
        .split([' ', ','])
        .filter(|word| !word.is_empty())
        .peekable();
    words.peek()?;
    while let Some(word) = words.next() {
        if words.next_if_eq(&"-").is_some() {
            bounds.extend(hyphen(word, words.next()?)?);
        } else if word.ends_with(['<', '>', '=', '!', '^', '~']) {
            // A blank after an operator means nothing.
            bounds.extend(single(&format!("{word}{}", words.next()?))?);
        } else {
            bounds.extend(single(word)?);
        }
    }
    Some(bounds)
}

/// One part without blanks.
fn single(text: &str) -> Option<Vec<Bound>> {
    let (text, stability) = flagged(text);
    if let Some(bounds) = anything(text) {
        return Some(bounds);
    }
    if let Some(rest) = text.strip_prefix('~') {
        return ranged(rest, tilde_position);
    }
    if let Some(rest) = text.strip_prefix('^') {
        return ranged(rest, caret_position);
    }
    wildcard(text).or_else(|| compared(text, stability))
}

/// Takes off `@beta` and its like; `@stable` says nothing.
fn flagged(text: &str) -> (&str, Option<&str>) {
    match text.split_once('@') {
        Some((name, flag)) if is_stability(flag) => (
            if name.is_empty() { "*" } else { name },
            Some(flag).filter(|flag| *flag != "stable"),
        ),
        _ => (text, None),
    }
}

/// `*` matches everything; `v*` and `x.x` everything that has a number.
fn anything(text: &str) -> Option<Vec<Bound>> {
    let bare = without_v(text);
    if bare.is_empty() || !bare.split('.').all(|part| matches!(part, "x" | "X" | "*")) {
        return None;
    }
    if bare.len() == 1 && bare.len() == text.len() {
        return Some(Vec::new());
    }
    Some(vec![Bound::new(
        Operator::GreaterOrEqual,
        "0.0.0.0-dev".to_owned(),
    )])
}

/// A version inside a range operator: its numbers, and whether it names a stability of its own.
struct Operand<'a> {
    text: &'a str,
    numbers: Vec<&'a str>,
    modified: bool,
    branch: bool,
}

impl<'a> Operand<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (plain, build) = text
            .split_once('+')
            .map_or((text, None), |(plain, build)| (plain, Some(build)));
        if build == Some("") {
            return None;
        }
        let (numbers, rest) = numbers(without_v(plain))?;
        if let Some(modifier) = Modifier::read(rest) {
            return Some(Self {
                text,
                numbers,
                modified: modifier.is_some(),
                branch: false,
            });
        }
        let after = rest.strip_prefix('.')?.strip_prefix(['x', 'X', '*'])?;
        let dev = after.strip_prefix(['.', '-']).unwrap_or(after);
        dev.eq_ignore_ascii_case("dev").then_some(Self {
            text,
            numbers,
            modified: true,
            branch: true,
        })
    }

    /// The lower bound: without a stability of its own it begins with the development versions.
    fn low(&self) -> Option<Bound> {
        let suffix = if self.modified { "" } else { "-dev" };
        let low = Composer::normalize(&format!("{}{suffix}", self.text))?;
        Some(Bound {
            operator: Operator::GreaterOrEqual,
            version: low,
        })
    }
}

fn ranged(text: &str, position: fn(&Operand<'_>) -> usize) -> Option<Vec<Bound>> {
    let operand = Operand::read(text)?;
    let high = stepped(&operand.numbers, position(&operand), 1)?;
    Some(vec![
        operand.low()?,
        Bound::new(Operator::Less, format!("{high}-dev")),
    ])
}

fn tilde_position(operand: &Operand<'_>) -> usize {
    (operand.numbers.len() + usize::from(operand.branch))
        .saturating_sub(1)
        .max(1)
}

fn caret_position(operand: &Operand<'_>) -> usize {
    let number = |at: usize| operand.numbers.get(at).copied();
    if number(0) != Some("0") || number(1).is_none() {
        1
    } else if number(1) != Some("0") || number(2).is_none() {
        2
    } else {
        3
    }
}

/// The numbers up to `position` (from 1), the last of them raised, zeros after it.
fn stepped(numbers: &[&str], position: usize, step: u64) -> Option<String> {
    let mut out = Vec::with_capacity(4);
    for at in 0..4 {
        let number = numbers.get(at).copied().unwrap_or("0");
        out.push(match (at + 1).cmp(&position) {
            Ordering::Less => number.to_owned(),
            Ordering::Equal if step == 0 => number.to_owned(),
            Ordering::Equal => number.parse::<u64>().ok()?.checked_add(step)?.to_string(),
            Ordering::Greater => "0".to_owned(),
        });
    }
    Some(out.join("."))
}

/// `11.4.*`, `8.x`.
fn wildcard(text: &str) -> Option<Vec<Bound>> {
    let (numbers, mut rest) = numbers(without_v(text))?;
    if rest.is_empty() || numbers.len() > 3 {
        return None;
    }
    while let Some(tail) = rest.strip_prefix('.') {
        rest = tail.strip_prefix(['x', 'X', '*'])?;
    }
    if !rest.is_empty() {
        return None;
    }
    let low = stepped(&numbers, numbers.len(), 0)?;
    let high = Bound::new(
        Operator::Less,
        format!("{}-dev", stepped(&numbers, numbers.len(), 1)?),
    );
    if low == "0.0.0.0" {
        return Some(vec![high]);
    }
    Some(vec![
        Bound::new(Operator::GreaterOrEqual, format!("{low}-dev")),
        high,
    ])
}

/// `1.0 - 2.0`: both ends belong to it.
fn hyphen(from: &str, to: &str) -> Option<Vec<Bound>> {
    let (from, to) = (Operand::read(from)?, Operand::read(to)?);
    let high = Composer::normalize(to.text)?;
    let exact = to.modified || to.numbers.len() > 2;
    let upper = if exact {
        Bound {
            operator: Operator::LessOrEqual,
            version: high,
        }
    } else {
        Bound::new(
            Operator::Less,
            format!("{}-dev", stepped(&to.numbers, to.numbers.len(), 1)?),
        )
    };
    Some(vec![from.low()?, upper])
}

/// A plain comparison; no operator means exactly this version.
fn compared(text: &str, stability: Option<&str>) -> Option<Vec<Bound>> {
    const OPERATORS: [(&str, Operator); 8] = [
        ("<>", Operator::NotEqual),
        ("!=", Operator::NotEqual),
        (">=", Operator::GreaterOrEqual),
        ("<=", Operator::LessOrEqual),
        ("==", Operator::Equal),
        (">", Operator::Greater),
        ("<", Operator::Less),
        ("=", Operator::Equal),
    ];
    let (operator, name) = OPERATORS
        .iter()
        .find_map(|(sign, operator)| text.strip_prefix(sign).map(|rest| (*operator, rest)))
        .unwrap_or((Operator::Equal, text));
    let version = Composer::normalize(name).or_else(|| foreign_branch(name))?;
    let mut full = version.as_str().to_owned();
    match stability {
        Some(flag) if operator != Operator::Equal && version.is_stable() => {
            full = format!("{full}-{flag}")
        }
        _ if matches!(operator, Operator::Less | Operator::GreaterOrEqual) && takes_dev(name) => {
            full.push_str("-dev")
        }
        _ => {}
    }
    Some(vec![Bound::new(operator, full)])
}

/// `feature-dev`, written for the branch `dev-feature`.
fn foreign_branch(name: &str) -> Option<Composer> {
    let branch = name.strip_suffix("-dev")?;
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'/'));
    if plain {
        Composer::normalize(&format!("dev-{branch}"))
    } else {
        None
    }
}

/// Whether a bound begins with the development versions: it names no stability and is no branch.
fn takes_dev(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let suffixed = lower.match_indices('-').any(|(at, _)| {
        let suffix = lower.get(at + 1..).unwrap_or("");
        Modifier::read(suffix).is_some()
    });
    !suffixed && !name.starts_with("dev-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(constraint: &str, version: &str) -> bool {
        let parsed = Constraint::parse(constraint).unwrap_or_else(|| panic!("{constraint}"));
        parsed.allows(&Composer::of_drupal(version).unwrap_or_else(|| panic!("{version}")))
    }

    #[test]
    fn bounds_of_less_and_at_least_begin_with_dev() {
        assert!(!allows("<1.5.0", "1.5.0-rc1"));
        assert!(allows("<1.5.0", "1.4.9"));
        assert!(allows(">=3.7.0", "3.7.0-alpha1"));
        assert!(allows("<=1.5.0", "1.5.0-rc1"));
        assert!(!allows(">1.5.0", "1.5.0"));
        assert!(allows("10.6.1", "10.6.1"));
        assert!(!allows("10.6.1", "10.6.1-rc1"));
    }

    #[test]
    fn ranges_end_where_composer_ends_them() {
        for (constraint, inside, outside) in [
            ("^1.2.3", "1.99.0", "2.0.0-alpha1"),
            ("^0.3", "0.3.9", "0.4.0"),
            ("^0.0.3", "0.0.3", "0.0.4"),
            ("~1.2", "1.9.0", "2.0.0"),
            ("~1.2.3", "1.2.9", "1.3.0"),
            ("11.4.*", "11.4.0-alpha1", "11.5.0-alpha1"),
            ("8.x", "8.9.20", "9.0.0"),
            ("^8 || ^9, <9.3", "9.2.0", "9.3.0"),
            (">= 8.0.0 <9.4.12", "9.4.11", "9.4.12"),
            ("10.1 - 10.3", "10.3.9", "10.4.0"),
            ("10.1.0 - 10.3.0", "10.3.0", "10.3.1"),
            ("<1.17.0 || 2.0.0", "2.0.0", "2.0.1"),
            ("!=10.1.0", "10.1.1", "10.1.0"),
        ] {
            assert!(allows(constraint, inside), "{constraint} takes in {inside}");
            assert!(
                !allows(constraint, outside),
                "{constraint} leaves out {outside}"
            );
        }
        assert!(allows("*", "0.0.1"));
        for refused in ["", "nonsense", "^", "1.0,", "~>1.0", ">=", "1.0 -"] {
            assert!(Constraint::parse(refused).is_none(), "{refused:?}");
        }
    }
}
