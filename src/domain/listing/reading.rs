//! Reads the parameters of a list's address, one by one: what is wrong is said at its name.

use std::fmt;

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use super::{Field, Filter, IN_MAX, Kind, List, Op, SORTS_MAX, Sort, TEXT_MAX, Value};
use crate::domain::fault::Fault;

pub(super) fn fault(name: &str, code: &'static str, detail: impl fmt::Display) -> Fault {
    Fault::new(format!("?{name}"), code, format!("{name} {detail}."))
}

pub(super) fn whole(
    name: &str,
    value: &str,
    min: u32,
    max: u32,
    faults: &mut Vec<Fault>,
    set: impl FnOnce(u32),
) {
    let plain = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    match value.parse::<u32>() {
        Ok(number) if plain && (min..=max).contains(&number) => set(number),
        _ => faults.push(fault(
            name,
            "out_of_range",
            format!("takes a whole number from {min} to {max}"),
        )),
    }
}

pub(super) fn sorts(list: &'static List, value: &str, faults: &mut Vec<Fault>) -> Vec<Sort> {
    let mut found: Vec<Sort> = Vec::new();
    for part in value.split(',') {
        let (descending, key) = match part.strip_prefix('-') {
            Some(key) => (true, key),
            None => (false, part),
        };
        match list.sorts.iter().find(|allowed| **allowed == key) {
            Some(key) if found.iter().all(|sort| sort.key != *key) => {
                found.push(Sort { key, descending })
            }
            Some(_) => faults.push(fault(
                "sort",
                "duplicate",
                format!("names {key} more than once"),
            )),
            None => faults.push(fault(
                "sort",
                "unknown_field",
                format!(
                    "takes {}, each with - before it for the other direction",
                    list.sorts.join(", ")
                ),
            )),
        }
    }
    if found.len() > SORTS_MAX {
        faults.push(fault(
            "sort",
            "too_many",
            format!("takes at most {SORTS_MAX} fields"),
        ));
    }
    found
}

/// `filter[field]` or `filter[field][op]`.
fn parts(name: &str) -> Option<(&str, Option<&str>)> {
    let inner = name.strip_prefix("filter[")?.strip_suffix(']')?;
    match inner.split_once("][") {
        None => Some((inner, None)),
        Some((field, op)) => Some((field, Some(op))),
    }
    .filter(|(field, op)| {
        let plain = |text: &str| !text.contains(['[', ']']);
        plain(field) && op.is_none_or(plain)
    })
}

pub(super) fn filter(
    list: &'static List,
    name: &str,
    value: &str,
    faults: &mut Vec<Fault>,
) -> Option<Filter> {
    let Some((field, op)) = parts(name) else {
        faults.push(fault(
            name,
            "malformed",
            "is written filter[field] or filter[field][op]",
        ));
        return None;
    };
    let Some(field) = list.fields.iter().find(|known| known.name == field) else {
        let allowed: Vec<_> = list.fields.iter().map(|known| known.name).collect();
        let allowed = if allowed.is_empty() {
            "none".to_owned()
        } else {
            allowed.join(", ")
        };
        faults.push(fault(
            name,
            "unknown_field",
            format!("names a field that this list cannot be filtered by; allowed: {allowed}"),
        ));
        return None;
    };
    let operators = field.operators();
    let wanted = op.unwrap_or("eq");
    let Some(op) = operators
        .iter()
        .copied()
        .find(|known| known.word() == wanted)
    else {
        let allowed: Vec<_> = operators.iter().map(|known| known.word()).collect();
        faults.push(fault(
            name,
            "unknown_operator",
            format!(
                "uses an operator that {} has no meaning for; allowed: {}",
                field.name,
                allowed.join(", ")
            ),
        ));
        return None;
    };
    match values(field, op, value) {
        Ok(values) => Some(Filter { field, op, values }),
        Err(why) => {
            faults.push(fault(name, "invalid", why));
            None
        }
    }
}

fn values(field: &Field, op: Op, value: &str) -> Result<Vec<Value>, String> {
    match op {
        Op::Null => boolean(value).map(|word| vec![Value::Word(word)]),
        Op::In => {
            let parts: Vec<&str> = value.split(',').collect();
            if parts.len() > IN_MAX {
                return Err(format!("takes at most {IN_MAX} values"));
            }
            parts
                .into_iter()
                .map(|part| one(field.kind, part))
                .collect()
        }
        _ => one(field.kind, value).map(|value| vec![value]),
    }
}

fn one(kind: Kind, value: &str) -> Result<Value, String> {
    match kind {
        Kind::Integer => value
            .parse()
            .map(Value::Integer)
            .map_err(|_| "takes a whole number".to_owned()),
        Kind::Time => time(value),
        Kind::Text | Kind::Member => text(value).map(|text| Value::Text(text.to_owned())),
        Kind::Boolean => boolean(value).map(Value::Word),
        Kind::Word(words) => words
            .iter()
            .find(|word| **word == value)
            .map(|word| Value::Word(word))
            .ok_or_else(|| format!("takes one of {}", words.join(", "))),
    }
}

fn boolean(value: &str) -> Result<&'static str, String> {
    match value {
        "true" | "1" => Ok("true"),
        "false" | "0" => Ok("false"),
        _ => Err("takes true or false".to_owned()),
    }
}

pub(super) fn text(value: &str) -> Result<&str, String> {
    if value.chars().count() > TEXT_MAX {
        return Err(format!("takes at most {TEXT_MAX} characters"));
    }
    if value.contains('\0') {
        return Err("cannot hold a NUL character".to_owned());
    }
    Ok(value)
}

fn time(value: &str) -> Result<Value, String> {
    let wrong = || "takes a time as 2026-11-20T08:00:00Z or a day as 2026-11-20".to_owned();
    if value.len() == 10 {
        let day: Date = value.parse().map_err(|_| wrong())?;
        let start = |day: Date| {
            day.to_zoned(TimeZone::UTC)
                .map(|at| at.timestamp().as_millisecond())
        };
        let from = start(day).map_err(|_| wrong())?;
        let next = day.tomorrow().map_err(|_| wrong())?;
        return Ok(Value::Time {
            from,
            until: start(next).map_err(|_| wrong())?,
        });
    }
    let at: Timestamp = value.parse().map_err(|_| wrong())?;
    let after = at
        .checked_add(SignedDuration::from_millis(1))
        .map_err(|_| wrong())?;
    Ok(Value::Time {
        from: at.as_millisecond(),
        until: after.as_millisecond(),
    })
}
