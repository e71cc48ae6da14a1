//! Composer's view of versions: the normalized form, its order, and the way from drupal.org's notation to it.
//! Knows nothing of constraints (see `constraint`).

use std::cmp::Ordering;

/// A version in composer's normalized form, ready to be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Composer {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Number(u64),
    Word(u8),
}

/// Where a bare number stands among the words: after every pre-release, before `patch`.
const NUMBER_RANK: u8 = 5;

/// How far a version string is read at all; drupal.org's own are a tenth of it.
const LONGEST: usize = 256;

impl Composer {
    /// Composer's form of a version in drupal.org's notation; `None` where it has no counterpart.
    #[must_use]
    pub fn of_drupal(version: &str) -> Option<Self> {
        // A git describe version ("1.5+3-dev") would read as build metadata and lose what matters.
        if version.contains('+') || version.len() > LONGEST {
            return None;
        }
        match version.strip_prefix("8.x-").and_then(semantic) {
            Some(text) => Self::normalize(&text),
            None => Self::normalize(version),
        }
    }

    /// Normalizes a version as composer's parser does; `None` where composer refuses it.
    #[must_use]
    pub fn normalize(version: &str) -> Option<Self> {
        normalize(version).map(Self::from_normalized)
    }

    /// Takes a string that is normalized already.
    #[must_use]
    pub fn from_normalized(text: String) -> Self {
        let parts = split(&text);
        Self { text, parts }
    }

    /// The normalized form, e.g. `1.5.0.0-RC1`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// A named branch (`dev-main`): equal to itself, without an order.
    #[must_use]
    pub fn is_branch(&self) -> bool {
        self.text.starts_with("dev-")
    }

    /// Composer's order; `None` where one side is a named branch.
    #[must_use]
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        if self.is_branch() || other.is_branch() {
            return None;
        }
        Some(self.rank(other))
    }

    /// Whether composer calls it stable.
    #[must_use]
    pub fn is_stable(&self) -> bool {
        !self.is_branch()
            && !self
                .parts
                .iter()
                .any(|part| matches!(part, Part::Word(rank) if *rank < NUMBER_RANK))
    }

    /// A total order of normalized versions, used where branches have been set aside.
    #[must_use]
    pub fn rank(&self, other: &Self) -> Ordering {
        let mut left = self.parts.iter().copied();
        let mut right = other.parts.iter().copied();
        loop {
            let found = match (left.next(), right.next()) {
                (None, None) => return Ordering::Equal,
                (Some(part), None) => against_nothing(part),
                (None, Some(part)) => against_nothing(part).reverse(),
                (Some(Part::Number(a)), Some(Part::Number(b))) => a.cmp(&b),
                (Some(a), Some(b)) => word_rank(a).cmp(&word_rank(b)),
            };
            if found != Ordering::Equal {
                return found;
            }
        }
    }
}

/// How one part more compares with a version that has ended: a number is more, a word counts by its rank.
fn against_nothing(part: Part) -> Ordering {
    match part {
        Part::Number(_) => Ordering::Greater,
        Part::Word(rank) => rank.cmp(&NUMBER_RANK),
    }
}

fn word_rank(part: Part) -> u8 {
    match part {
        Part::Number(_) => NUMBER_RANK,
        Part::Word(rank) => rank,
    }
}

/// The ranks of PHP's `version_compare`, which looks only at how a word begins.
fn rank_of(word: &str) -> u8 {
    const RANKS: [(&str, u8); 8] = [
        ("dev", 1),
        ("a", 2),
        ("b", 3),
        ("RC", 4),
        ("rc", 4),
        ("#", NUMBER_RANK),
        ("pl", 6),
        ("p", 6),
    ];
    RANKS
        .iter()
        .find(|(start, _)| word.starts_with(start))
        .map_or(0, |(_, rank)| *rank)
}

/// Numbers and words, split where PHP splits them: at separators and where digits begin or end.
fn split(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    for chunk in text.split(['.', '-', '_', '+']) {
        let mut rest = chunk;
        while let Some(first) = rest.chars().next() {
            let digits = first.is_ascii_digit();
            let end = rest
                .find(|c: char| c.is_ascii_digit() != digits)
                .unwrap_or(rest.len());
            let (head, tail) = rest.split_at(end);
            parts.push(if digits {
                Part::Number(head.parse().unwrap_or(u64::MAX))
            } else {
                Part::Word(rank_of(head))
            });
            rest = tail;
        }
    }
    parts
}

/// `1.5-rc1` of `8.x-1.5-rc1` as three components: `1.5.0-rc1`; a branch `1.x-dev` stays as it is.
fn semantic(bare: &str) -> Option<String> {
    let (major, rest) = bare.split_once('.')?;
    if major.is_empty() || !major.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if rest == "x-dev" {
        return Some(bare.to_owned());
    }
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (minor, suffix) = rest.split_at(end);
    let fits = !minor.is_empty() && (suffix.is_empty() || suffix.starts_with('-'));
    fits.then(|| format!("{major}.{minor}.0{suffix}"))
}

fn normalize(version: &str) -> Option<String> {
    if version.len() > LONGEST {
        return None;
    }
    let mut text = version.trim_matches([' ', '\t', '\n', '\r', '\0', '\x0b']);
    if let Some((name, _)) = aliased(text) {
        text = name;
    }
    text = without_stability(text);
    if matches!(text, "master" | "trunk" | "default") {
        return Some(format!("dev-{text}"));
    }
    if starts_with_ignoring_case(text, "dev-") {
        return text.get(4..).map(|name| format!("dev-{name}"));
    }
    if let Some((name, build)) = text.split_once('+')
        && !name.is_empty()
        && !build.is_empty()
        && !name.contains([',', ' ', '\t'])
        && !build.contains([' ', '\t', '\n'])
    {
        text = name;
    }
    classical(text)
        .or_else(|| dated(text))
        .or_else(|| numeric_branch(text))
}

/// `NAME as ALIAS`: composer looks at the name.
pub(crate) fn aliased(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.split_once(' ')?;
    let alias = rest
        .trim_start_matches(' ')
        .strip_prefix("as ")?
        .trim_start_matches(' ');
    let plain = |word: &str| !word.is_empty() && !word.contains([',', ' ', '\t', '\n', '\r']);
    (plain(name) && plain(alias)).then_some((name, alias))
}

/// Takes off a trailing `@beta` and its like.
fn without_stability(text: &str) -> &str {
    match text.rsplit_once('@') {
        Some((name, flag)) if is_stability(flag) => name,
        _ => text,
    }
}

/// Whether the word is one of composer's stabilities, in any case.
pub(crate) fn is_stability(word: &str) -> bool {
    ["stable", "rc", "beta", "alpha", "dev"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(word))
}

/// `v?1(.2(.3(.4)))` with a modifier: the usual form.
fn classical(text: &str) -> Option<String> {
    let (numbers, rest) = numbers(without_v(text))?;
    let first = numbers.first()?;
    if first.len() > 5 {
        return None;
    }
    let modifier = Modifier::read(rest)?;
    let part = |at: usize| numbers.get(at).copied().unwrap_or("0");
    Some(modifier.append(format!("{}.{}.{}.{}", part(0), part(1), part(2), part(3))))
}

/// A version made of a date, such as `20240131` or `2024.01.31`.
fn dated(text: &str) -> Option<String> {
    let bare = without_v(text);
    let bytes = bare.as_bytes();
    let digits = |from: usize, count: usize| {
        bytes
            .get(from..from + count)
            .is_some_and(|found| found.iter().all(u8::is_ascii_digit))
    };
    if !digits(0, 4) {
        return None;
    }
    let step = |at: usize| usize::from(matches!(bytes.get(at), Some(b'.' | b':' | b'-')));
    // One to six pairs, then at most two groups of one to three digits: greedy, with the last choice taken back if needed.
    let mut pairs = vec![4];
    while pairs.len() < 7
        && let Some(at) = pairs.last().copied()
        && digits(at + step(at), 2)
    {
        pairs.push(at + step(at) + 2);
    }
    for end in pairs.iter().skip(1).rev().copied() {
        for end in groups(&digits, &step, end) {
            if let (Some(date), Some(rest)) = (bare.get(..end), bare.get(end..))
                && let Some(modifier) = Modifier::read(rest)
            {
                return Some(modifier.append(date.replace(|c: char| !c.is_ascii_digit(), ".")));
            }
        }
    }
    None
}

/// The places where up to two groups of one to three digits may end, longest first.
fn groups(
    digits: &impl Fn(usize, usize) -> bool,
    step: &impl Fn(usize) -> usize,
    from: usize,
) -> Vec<usize> {
    let one = |at: usize| {
        (1..=3)
            .rev()
            .filter(move |n| digits(at + step(at), *n))
            .map(move |n| at + step(at) + n)
    };
    let mut ends: Vec<usize> = one(from).flat_map(|end| one(end).chain([end])).collect();
    ends.push(from);
    ends
}

/// `1.x-dev` and its like: a branch by number.
fn numeric_branch(text: &str) -> Option<String> {
    let cut = text.len().checked_sub(3)?;
    if !text.get(cut..)?.eq_ignore_ascii_case("dev") {
        return None;
    }
    let name = text.get(..cut)?;
    let name = name.strip_suffix(['.', '-']).unwrap_or(name).trim();
    let mut out = Vec::new();
    for (at, part) in without_v(name).split('.').enumerate() {
        let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        match part {
            "x" | "X" | "*" if at > 0 => out.push("9999999"),
            _ if digits => out.push(part),
            _ => return None,
        }
    }
    if out.len() > 4 {
        return None;
    }
    out.resize(4, "9999999");
    Some(format!("{}-dev", out.join(".")))
}

fn starts_with_ignoring_case(text: &str, start: &str) -> bool {
    text.get(..start.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(start))
}

pub(crate) fn without_v(text: &str) -> &str {
    text.strip_prefix(['v', 'V']).unwrap_or(text)
}

/// One to four numbers joined by dots, and what follows them.
pub(crate) fn numbers(text: &str) -> Option<(Vec<&str>, &str)> {
    let digits = |text: &str| {
        text.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len())
    };
    let mut found = Vec::with_capacity(4);
    let mut rest = text;
    loop {
        let end = digits(rest);
        if end == 0 {
            return None;
        }
        let (number, tail) = rest.split_at(end);
        found.push(number);
        rest = tail;
        match rest.strip_prefix('.') {
            Some(next) if found.len() < 4 && digits(next) > 0 => rest = next,
            _ => return Some((found, rest)),
        }
    }
}

/// What may follow the numbers: a stability with its own number, and `dev`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Modifier<'a> {
    /// The stability word, as it is written.
    pub stability: Option<&'a str>,
    number: &'a str,
    /// It ends with `dev`.
    pub dev: bool,
}

impl<'a> Modifier<'a> {
    /// Reads the whole rest of a version as a modifier.
    pub(crate) fn read(rest: &'a str) -> Option<Self> {
        let (modifier, left) = Self::read_start(rest);
        left.is_empty().then_some(modifier)
    }

    /// Reads a modifier and gives back what follows it.
    pub(crate) fn read_start(rest: &'a str) -> (Self, &'a str) {
        const WORDS: [&str; 9] = [
            "stable", "beta", "b", "RC", "alpha", "a", "patch", "pl", "p",
        ];
        let none = Self {
            stability: None,
            number: "",
            dev: false,
        };
        let bare = rest.strip_prefix(['.', '_', '-']).unwrap_or(rest);
        let mut found = none;
        let mut left = rest;
        if let Some(word) = WORDS
            .iter()
            .find(|word| starts_with_ignoring_case(bare, word))
        {
            let (stability, tail) = bare.split_at(word.len());
            let end = digit_groups(tail);
            found.stability = Some(stability);
            found.number = tail.get(..end).unwrap_or("");
            left = tail.get(end..).unwrap_or("");
        }
        let before_dev = if found.stability.is_some() {
            left
        } else {
            rest
        };
        let mut word = before_dev.strip_prefix(['.', '-']).unwrap_or(before_dev);
        if found.stability.is_none() && !starts_with_ignoring_case(word, "dev") {
            // Without a stability both optional separators may stand before `dev`.
            word = bare.strip_prefix(['.', '-']).unwrap_or(bare);
        }
        if starts_with_ignoring_case(word, "dev") {
            found.dev = true;
            left = word.get(3..).unwrap_or("");
        }
        (found, left)
    }

    /// Whether there is any.
    pub(crate) fn is_some(&self) -> bool {
        self.stability.is_some() || self.dev
    }

    fn append(self, mut version: String) -> String {
        if let Some(word) = self.stability {
            let long = match word.to_ascii_lowercase().as_str() {
                "stable" if word == "stable" => return version,
                "a" | "alpha" => "alpha",
                "b" | "beta" => "beta",
                "p" | "pl" | "patch" => "patch",
                "rc" => "RC",
                _ => "stable",
            };
            version.push('-');
            version.push_str(long);
            version.push_str(self.number.trim_start_matches(['.', '-']));
        }
        if self.dev {
            version.push_str("-dev");
        }
        version
    }
}

/// The length of the numbers after a stability word: groups of digits, each with at most one separator before it.
fn digit_groups(text: &str) -> usize {
    let mut end = 0;
    while let Some(rest) = text.get(end..) {
        let bare = rest.strip_prefix(['.', '-']).unwrap_or(rest);
        let count = bare
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(bare.len());
        if count == 0 {
            break;
        }
        end += rest.len() - bare.len() + count;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(version: &str) -> Option<String> {
        Composer::of_drupal(version).map(|found| found.text)
    }

    #[test]
    fn drupal_versions_have_composer_forms() {
        for (version, expected) in [
            ("8.x-1.5", Some("1.5.0.0")),
            ("8.x-1.17-rc1", Some("1.17.0.0-RC1")),
            ("8.x-1.x-dev", Some("1.9999999.9999999.9999999-dev")),
            ("3.0.x-dev", Some("3.0.9999999.9999999-dev")),
            ("8.0-alpha13", Some("8.0.0.0-alpha13")),
            ("8.x-1.5+3-dev", None),
            ("7.x-1.5", None),
            ("1.0.0-unstable3", None),
            ("2.0.0-beta2-dev", Some("2.0.0.0-beta2-dev")),
            ("20240131", Some("20240131")),
        ] {
            assert_eq!(form(version).as_deref(), expected, "{version}");
        }
    }

    #[test]
    fn composer_orders_pre_releases_before_and_patches_after() {
        let ordered = [
            "1.0.0-dev",
            "1.0.0-alpha2",
            "1.0.0-alpha10",
            "1.0.0-beta1",
            "1.0.0-rc1",
            "1.0.0",
            "1.0.0-p1",
            "1.0.1",
        ];
        let forms: Vec<Composer> = ordered
            .iter()
            .filter_map(|text| Composer::normalize(text))
            .collect();
        assert_eq!(forms.len(), ordered.len());
        for pair in forms.windows(2) {
            assert_eq!(pair[0].rank(&pair[1]), Ordering::Less, "{pair:?}");
        }
    }
}
