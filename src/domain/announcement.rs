//! What a deploy script says of a patch run, and for how long an inventory may prove it. Saying so
//! closes no window: only what a site reports does.

use jiff::{SignedDuration, Timestamp};

use super::fault::Fault;
use super::text;

const LONGEST_TEXT: usize = 200;
/// How long ago an announced run may have begun.
const OLDEST: SignedDuration = SignedDuration::from_hours(90 * 24);
/// A run is proved by an inventory that arrives within a day, or within two of the site's intervals
/// and ten minutes where those are longer.
const PATIENCE: SignedDuration = SignedDuration::from_hours(24);
const SLACK: SignedDuration = SignedDuration::from_mins(10);

/// A run, announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// The site.
    pub site_id: i64,
    /// Who did it, in the script's words.
    pub performed_by: Option<String>,
    /// The ticket for which it was done.
    pub ticket: Option<String>,
    /// The commit that was brought out.
    pub commit: Option<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; none: it had not when this was said.
    pub finished_at: Option<Timestamp>,
}

/// The same as it was sent.
#[derive(Debug, Clone, Default)]
pub struct AnnouncementForm {
    /// The site.
    pub site_id: Option<i64>,
    /// Who did it.
    pub performed_by: Option<String>,
    /// The ticket.
    pub ticket: Option<String>,
    /// The commit.
    pub commit: Option<String>,
    /// Its start in RFC 3339.
    pub started_at: Option<String>,
    /// Its end in RFC 3339.
    pub finished_at: Option<String>,
    /// What is already known to be wrong: fields that could not be read, or aren't known.
    pub unreadable: Vec<Fault>,
}

impl AnnouncementForm {
    /// The announcement, where nothing is wrong with it. Clocks may be ahead of ours by `tolerance`.
    ///
    /// # Errors
    /// All faults at once.
    pub fn check(
        self,
        now: Timestamp,
        tolerance: SignedDuration,
    ) -> Result<Announcement, Vec<Fault>> {
        let mut faults = self.unreadable;
        let latest = now.checked_add(tolerance).unwrap_or(Timestamp::MAX);
        let mut time = |said: Option<String>, pointer: &'static str| {
            let read = said.map(|text| instant(&text, pointer, latest));
            read.and_then(|read| read.map_err(|fault| faults.push(fault)).ok())
        };
        let says_start = self.started_at.is_some();
        let started_at = time(self.started_at, "/started_at");
        let finished_at = time(self.finished_at, "/finished_at");
        let unread =
            |faults: &[Fault], pointer: &str| faults.iter().any(|fault| fault.pointer == pointer);
        if !says_start && !unread(&faults, "/started_at") {
            let detail = "Say when the run began.";
            faults.push(Fault::new("/started_at", "required", detail));
        }
        if self.site_id.is_none() && !unread(&faults, "/site_id") {
            let detail = "Say on which site it was.";
            faults.push(Fault::new("/site_id", "required", detail));
        }
        if started_at.is_some_and(|start| now.duration_since(start) > OLDEST) {
            let detail = "A run is announced within 90 days of its start.";
            faults.push(Fault::new("/started_at", "too_old", detail));
        }
        if let (Some(start), Some(end)) = (started_at, finished_at)
            && end < start
        {
            let detail = "A run ends after its start.";
            faults.push(Fault::new("/finished_at", "before_start", detail));
        }
        let mut word = |said: Option<String>, pointer: &str| {
            let said = said.map(|text| text.trim().to_owned());
            let said = said.filter(|text| !text.is_empty());
            if let Some(said) = &said {
                text::check(said, pointer, LONGEST_TEXT, &mut faults);
            }
            said
        };
        let performed_by = word(self.performed_by, "/performed_by");
        let ticket = word(self.ticket, "/ticket");
        let commit = word(self.commit, "/commit");
        match (self.site_id, started_at) {
            (Some(site_id), Some(started_at)) if faults.is_empty() => Ok(Announcement {
                site_id,
                performed_by,
                ticket,
                commit,
                started_at,
                finished_at,
            }),
            _ => Err(faults),
        }
    }
}

fn instant(text: &str, pointer: &'static str, latest: Timestamp) -> Result<Timestamp, Fault> {
    let Ok(at) = text.parse::<Timestamp>() else {
        let detail = "This is not a time such as 2027-01-31T12:00:00Z.";
        return Err(Fault::new(pointer, "not_a_time", detail));
    };
    if at > latest {
        let detail = "This lies in the future.";
        return Err(Fault::new(pointer, "in_the_future", detail));
    }
    // Kept to the millisecond, like every instant.
    Ok(Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at))
}

/// For how long after its end an announced run may be proved, on a site that syncs every so many
/// minutes.
pub fn patience(interval_minutes: i64) -> SignedDuration {
    let two = SignedDuration::from_mins(interval_minutes.saturating_mul(2).clamp(0, 1_000_000));
    (two + SLACK).max(PATIENCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> AnnouncementForm {
        AnnouncementForm {
            site_id: Some(1),
            started_at: Some("2026-11-20T08:00:00Z".to_owned()),
            ..AnnouncementForm::default()
        }
    }

    fn faults(form: AnnouncementForm) -> Vec<(String, String)> {
        let now = "2026-11-20T09:00:00Z".parse().unwrap();
        let told = form.check(now, SignedDuration::from_mins(5)).unwrap_err();
        told.into_iter()
            .map(|fault| (fault.pointer, fault.code.into_owned()))
            .collect()
    }

    #[test]
    fn what_cannot_be_a_run_is_told_field_by_field() {
        let fault = |pointer: &str, code: &str| vec![(pointer.to_owned(), code.to_owned())];
        let start = |text: &str| AnnouncementForm {
            started_at: Some(text.to_owned()),
            ..form()
        };
        assert_eq!(
            faults(start("yesterday")),
            fault("/started_at", "not_a_time")
        );
        assert_eq!(
            faults(start("2026-11-20T09:05:01Z")),
            fault("/started_at", "in_the_future")
        );
        assert_eq!(
            faults(start("2026-08-22T08:59:59Z")),
            fault("/started_at", "too_old")
        );
        let ends = |text: &str| AnnouncementForm {
            finished_at: Some(text.to_owned()),
            ..form()
        };
        assert_eq!(
            faults(ends("2026-11-20T07:59:59Z")),
            fault("/finished_at", "before_start")
        );
        let ticket = |text: &str| AnnouncementForm {
            ticket: Some(text.to_owned()),
            ..form()
        };
        assert_eq!(
            faults(ticket(&"x".repeat(201))),
            fault("/ticket", "too_long")
        );
        assert_eq!(
            faults(ticket("a\u{0}b")),
            fault("/ticket", "control_character")
        );
        assert_eq!(
            faults(AnnouncementForm::default()),
            [
                fault("/started_at", "required"),
                fault("/site_id", "required")
            ]
            .concat()
        );
    }

    #[test]
    fn a_site_that_syncs_once_a_day_has_two_days_and_ten_minutes() {
        assert_eq!(patience(60), SignedDuration::from_hours(24));
        assert_eq!(
            patience(1440),
            SignedDuration::from_hours(48) + SignedDuration::from_mins(10)
        );
        assert!(patience(i64::MAX) > SignedDuration::from_hours(24));
    }
}
