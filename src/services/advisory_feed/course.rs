//! How the reading of a listing goes on after each page, and when: the rules, apart from asking.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::domain::advisory::listing::Page;
use crate::domain::schedule;
use crate::outbound::drupal_org::Validators;
use crate::store::advisory_feed::{self as store, Listing};
use crate::store::{Connection, Result};

/// A look goes on until it comes to what is so much older (seconds) than what was taken already: what
/// was held back upstream for a while must not slip through.
const MARGIN: i64 = 24 * 3600;
/// Pages of a look; where that is not enough, all of the listing is gone through.
const LOOK_PAGES: u32 = 20;
/// Pages of a sweep: 20,000 nodes, where drupal.org has some 4,500.
const SWEEP_PAGES: u32 = 400;
/// All of the listing is gone through once a day.
const BETWEEN_SWEEPS: SignedDuration = SignedDuration::from_hours(24);
/// So much sooner where a look doesn't come to its end.
const APART: SignedDuration = SignedDuration::from_hours(23);
/// A page that is of no use so often in a row is left out.
const PATIENCE: u32 = 4;
/// So many advisories may vanish at once, or a tenth of all: more is taken for a fault of the listing.
const FEW: usize = 20;

impl Listing {
    /// It is time to look what changed; never before something was read at all.
    pub(super) fn is_to_be_looked_at(&self, now: Timestamp) -> bool {
        self.mark.is_some() && (self.look_page > 0 || self.next_look_at <= now)
    }

    /// It is asked for now, whenever it was due.
    pub(super) fn hurry(&mut self, now: Timestamp) {
        self.next_look_at = self.next_look_at.min(now);
        if self.filled_at.is_none() {
            self.next_sweep_at = self.next_sweep_at.min(now);
        }
    }

    /// When it is asked for anything next.
    pub(super) fn next_question(&self) -> Timestamp {
        match self.mark {
            Some(_) => self.next_look_at.min(self.next_sweep_at),
            None => self.next_sweep_at,
        }
    }

    /// Keeps what is to be sent back when the first page is asked for again.
    pub(super) fn remember(&mut self, validators: Validators) {
        (self.etag, self.last_modified) = (validators.etag, validators.last_modified);
    }

    /// The newest change that was taken before, where a first page has only older ones.
    pub(super) fn lacks_newest(&self, page: &Page, now: Timestamp) -> Option<i64> {
        self.mark.filter(|mark| newest(page, now) < Some(*mark))
    }

    /// Pages were left out: what is held may lack what they have.
    pub(super) fn has_gaps(&self) -> bool {
        self.sweep_gaps > 0 || self.left_out > 0
    }

    /// It was asked for, and was not gone through to a good end: never yet, or not the last time.
    pub(super) fn is_unfinished(&self) -> bool {
        self.followed_since.is_some() && (self.filled_at.is_none() || self.sweep_error.is_some())
    }

    /// A page goes back beyond what was taken already.
    fn reaches(&self, page: &Page) -> bool {
        let below = self.mark.unwrap_or(i64::MIN).saturating_sub(MARGIN);
        !page.more || last(page).is_some_and(|last| last < below)
    }

    /// A page of a look was taken.
    pub(super) fn looked_at(&mut self, page: &Page, now: Timestamp) {
        self.look_newest = self.look_newest.max(newest(page, now));
        self.look_page += 1;
        let last_one = self.look_page >= LOOK_PAGES;
        // Where so much changed that the margin is too far away, what was taken already is far enough.
        let far_enough = last_one && last(page).is_some_and(|last| Some(last) < self.mark);
        if self.reaches(page) || far_enough {
            self.end_look(now);
        } else if last_one {
            self.look_failed(
                "more changed than a look takes: all of it is read",
                None,
                now,
            );
            let soonest = self.next_sweep_at.saturating_sub(APART).unwrap_or(now);
            self.next_sweep_at = self.next_sweep_at.min(soonest.max(now));
        }
    }

    /// Everything that changed was taken.
    pub(super) fn end_look(&mut self, now: Timestamp) {
        // Older than before, where what was the newest was taken back.
        self.mark = self.look_newest.or(self.mark);
        self.look_page = 0;
        self.look_newest = None;
        self.look_failures = 0;
        self.look_error = None;
        self.last_success_at = Some(now);
        self.next_look_at = schedule::next_look(now);
    }

    /// A look failed: it begins anew, so that one bad page doesn't stand before what is newer.
    pub(super) fn look_failed(&mut self, why: &str, wait: Option<Duration>, now: Timestamp) {
        self.look_page = 0;
        self.look_newest = None;
        self.remember(Validators::default());
        self.look_failures = self.look_failures.saturating_add(1);
        self.look_error = Some(why.to_owned());
        self.next_look_at = again(now, self.look_failures, wait);
    }

    /// A page of a sweep was taken.
    pub(super) fn swept(&mut self, db: &Connection, page: &Page, now: Timestamp) -> Result<()> {
        let newest = newest(page, now);
        if self.mark.is_none() {
            self.mark = Some(newest.unwrap_or(0));
            self.next_look_at = schedule::next_look(now);
        }
        if self.sweep_page == 0 {
            store::forget_seen(db, self.psa)?;
            self.sweep_started_at = Some(now);
            self.sweep_gaps = 0;
            self.sweep_newest = None;
            // It told all that had changed, as a look does.
            if self.reaches(page) {
                self.last_success_at = Some(now);
            }
        }
        self.sweep_newest = self.sweep_newest.max(newest);
        let nids: Vec<i64> = page
            .entries
            .iter()
            .map(|entry| entry.nid.unwrap_or(0))
            .collect();
        let new = store::see(db, self.psa, &nids)?;
        // Nothing below a page that was left out is known to be whole.
        if self.filled_at.is_none() && self.sweep_gaps == 0 {
            // What a future or repeated page says doesn't take back how far it came.
            self.reached = match (self.reached, last(page)) {
                (Some(before), Some(here)) => Some(before.min(here)),
                (before, here) => before.or(here),
            };
        }
        self.sweep_failures = 0;
        if self.sweep_gaps == 0 {
            self.sweep_error = None;
        }
        let numbered = nids.iter().any(|nid| *nid > 0);
        if new == 0 && numbered {
            self.give_up_sweep("the listing repeats itself", now);
        } else if !page.more {
            self.end_sweep(db, now)?;
        } else {
            self.go_on(now);
        }
        Ok(())
    }

    fn go_on(&mut self, now: Timestamp) {
        self.sweep_page += 1;
        self.next_sweep_at = now;
        if self.sweep_page >= SWEEP_PAGES {
            self.give_up_sweep(
                &format!("the listing did not end after {SWEEP_PAGES} pages"),
                now,
            );
        }
    }

    /// The whole listing was gone through: what it lacks is asked for one by one.
    fn end_sweep(&mut self, db: &Connection, now: Timestamp) -> Result<()> {
        let started_at = self.sweep_started_at.unwrap_or(now);
        self.sweep_page = 0;
        self.sweep_started_at = None;
        self.left_out = std::mem::take(&mut self.sweep_gaps);
        self.next_sweep_at = later(now);
        if self.left_out > 0 {
            return Ok(());
        }
        self.filled_at = self.filled_at.or(Some(now));
        let (lost, held) = store::vanished(db, self.psa, started_at)?;
        if lost.len() > FEW.max(held / 10) {
            self.sweep_error = Some(format!(
                "the listing lacks {} of {held} advisories at once: that is not believed",
                lost.len()
            ));
            return Ok(());
        }
        self.mark = self.mark.max(self.sweep_newest);
        self.last_success_at = Some(now);
        store::settle_unseen(db, self.psa, started_at)?;
        for nid in lost {
            store::miss(db, nid, self.psa, now)?;
        }
        Ok(())
    }

    fn give_up_sweep(&mut self, why: &str, now: Timestamp) {
        self.sweep_page = 0;
        self.sweep_started_at = None;
        self.sweep_error = Some(why.to_owned());
        self.next_sweep_at = later(now);
    }

    /// No answer about a page of a sweep: the same page is asked for again.
    pub(super) fn sweep_failed(&mut self, why: &str, wait: Option<Duration>, now: Timestamp) {
        self.sweep_failures = self.sweep_failures.saturating_add(1);
        self.sweep_error = Some(why.to_owned());
        self.next_sweep_at = again(now, self.sweep_failures, wait);
    }

    /// A page of a sweep is of no use: after some tries the sweep goes on without it, and is no proof
    /// of what vanished then.
    pub(super) fn sweep_unreadable(&mut self, why: &str, now: Timestamp) {
        self.sweep_failed(&format!("page {}: {why}", self.sweep_page), None, now);
        // Nothing can be told without the first page.
        if self.sweep_failures >= PATIENCE && self.sweep_page > 0 {
            self.sweep_failures = 0;
            self.sweep_gaps += 1;
            self.go_on(now);
        }
    }
}

fn later(now: Timestamp) -> Timestamp {
    now.saturating_add(BETWEEN_SWEEPS).unwrap_or(Timestamp::MAX)
}

fn again(now: Timestamp, failures: u32, wait: Option<Duration>) -> Timestamp {
    let wait = wait.and_then(|wait| SignedDuration::try_from(wait).ok());
    schedule::next_look_after_failure(now, failures, wait)
}

/// The newest change on a page that isn't in the future: a date to come must hide nothing.
fn newest(page: &Page, now: Timestamp) -> Option<i64> {
    let past = |changed: &i64| *changed <= now.as_second();
    page.entries
        .iter()
        .filter_map(|entry| entry.changed)
        .filter(past)
        .max()
}

/// How far back a page goes: by its last date, since one odd date in between says nothing.
fn last(page: &Page) -> Option<i64> {
    page.entries.iter().rev().find_map(|entry| entry.changed)
}
