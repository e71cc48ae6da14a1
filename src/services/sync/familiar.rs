//! Inventories that come again word for word, but for their times: an hourly sync of a site that
//! didn't change. What was read of the one before is remembered by a hash of its text, so that its
//! entries need not be read again. The store says whether it is still the site's newest.

use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;
use memchr::memmem;
use moka::sync::Cache;
use ring::digest::{Context, SHA256};

use super::Source;
use super::arrival::Arrival;
use crate::domain::inventory::{Facts, Inventory, Pulse};

/// Sites whose newest inventory is remembered: about 400 bytes each.
const REMEMBERED: u64 = 20_000;

/// What is remembered, by site.
#[derive(Debug)]
pub struct Familiar(Cache<i64, Arc<Known>>);

impl Default for Familiar {
    fn default() -> Self {
        Self(Cache::new(REMEMBERED))
    }
}

/// An inventory that was taken.
#[derive(Debug)]
struct Known {
    text: [u8; 32],
    hash: Vec<u8>,
    facts: Facts,
    pulse: Pulse,
    total: usize,
}

/// The text of an inventory: a hash of all but its times, and these.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text {
    hash: [u8; 32],
    generated_at: Option<Timestamp>,
    cron_last_run: Option<Timestamp>,
}

impl Text {
    /// `None` where it isn't plain which times are the inventory's: then it is read as any other.
    pub(super) fn of(source: Source, body: &[u8]) -> Option<Self> {
        if source != Source::Inventory {
            return None;
        }
        let generated_at = time(body, b"generated_at")?;
        let cron_last_run = time(body, b"cron_last_run")?;
        let mut cut: Vec<Range<usize>> = [&generated_at, &cron_last_run]
            .into_iter()
            .flatten()
            .map(|(place, _)| place.clone())
            .collect();
        cut.sort_unstable_by_key(|place| place.start);
        let (mut hash, mut from) = (Context::new(&SHA256), 0);
        for place in cut {
            hash.update(body.get(from..place.start)?);
            from = place.end;
        }
        hash.update(body.get(from..)?);
        Some(Self {
            hash: hash.finish().as_ref().try_into().ok()?,
            generated_at: generated_at.map(|(_, at)| at),
            cron_last_run: cron_last_run.map(|(_, at)| at),
        })
    }
}

/// Where the time of that name stands, and the time; inside: there is none. `None`: the name stands
/// there twice, or before anything but a plain time.
#[allow(clippy::type_complexity)]
fn time(body: &[u8], name: &[u8]) -> Option<Option<(Range<usize>, Timestamp)>> {
    let mut places = memmem::find_iter(body, name);
    let Some(place) = places.next() else {
        return Some(None);
    };
    if places.next().is_some() || body.get(place.checked_sub(1)?) != Some(&b'"') {
        return None;
    }
    let rest = body.get(place + name.len()..)?.strip_prefix(b"\"")?;
    let rest = rest.trim_ascii_start().strip_prefix(b":")?;
    let rest = rest.trim_ascii_start().strip_prefix(b"\"")?;
    let start = body.len() - rest.len();
    let length = rest.iter().position(|byte| *byte == b'"')?;
    let text = rest.get(..length)?;
    let plain =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'.' | b'+' | b'-');
    if !text.iter().all(plain) {
        return None;
    }
    let at = std::str::from_utf8(text).ok()?.parse().ok()?;
    Some(Some((start..start + length, at)))
}

impl Familiar {
    /// The inventory that this text stands for, without its entries, where it is the site's last.
    pub(super) fn find(&self, site_id: i64, text: &Text) -> Option<(Inventory, Vec<u8>, usize)> {
        let known = self.0.get(&site_id)?;
        if known.text != text.hash {
            return None;
        }
        let inventory = Inventory {
            generated_at: text.generated_at,
            facts: known.facts.clone(),
            pulse: Pulse {
                cron_last_run: text.cron_last_run,
                ..known.pulse
            },
            entries: Vec::new(),
        };
        Some((inventory, known.hash.clone(), known.total))
    }

    /// Remembers an inventory that was read whole from that text, and taken.
    pub(super) fn remember(&self, text: &Text, arrival: &Arrival) {
        let read = &arrival.inventory;
        // What was found by its place in the text is what the reader found by its meaning.
        if (read.generated_at, read.pulse.cron_last_run) != (text.generated_at, text.cron_last_run)
        {
            return;
        }
        let known = Known {
            text: text.hash,
            hash: arrival.hash.clone(),
            facts: read.facts.clone(),
            pulse: read.pulse,
            total: read.entries.len(),
        };
        self.0.insert(arrival.site_id, Arc::new(known));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(body: &str) -> Option<Text> {
        Text::of(Source::Inventory, body.as_bytes())
    }

    #[test]
    fn texts_that_differ_in_their_times_alone_have_one_hash() {
        let first = text(r#"{"schema":1,"generated_at":"2026-11-20T08:00:00Z","site":{"cron_last_run" : "2026-11-20T07:00:00Z"}}"#).unwrap();
        let again = text(r#"{"schema":1,"generated_at":"2026-11-20T09:00:00.5+00:00","site":{"cron_last_run" : "2026-11-20T08:00:00Z"}}"#).unwrap();
        assert_eq!(first.hash, again.hash);
        assert_ne!(first.generated_at, again.generated_at);
        let other = text(r#"{"schema":2,"generated_at":"2026-11-20T08:00:00Z","site":{"cron_last_run" : "2026-11-20T07:00:00Z"}}"#).unwrap();
        assert_ne!(first.hash, other.hash);
    }

    #[test]
    fn times_that_are_not_plain_are_left_to_the_reader() {
        for body in [
            r#"{"generated_at":"2026-11-20T08:00:00Z","x":{"generated_at":"2026-11-20T08:00:00Z"}}"#,
            r#"{"generated_at":null}"#,
            r#"{"generated_at":"2026-11-20T08:00:00\u005a"}"#,
            r#"{"generated_at":"yesterday"}"#,
            r#"{"x_generated_at":"2026-11-20T08:00:00Z"}"#,
            r#"{"generated_at_x":"2026-11-20T08:00:00Z"}"#,
            r#"{"generated_at":"2026-11-20T08:00:00Z"#,
        ] {
            assert!(text(body).is_none(), "{body}");
        }
        assert!(
            text(r#"{"schema":1,"modules":[]}"#)
                .unwrap()
                .generated_at
                .is_none()
        );
    }
}
