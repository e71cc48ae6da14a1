//! What people say while they have an exposure in hand. It changes neither its state nor its due time,
//! nor any count.

use jiff::{SignedDuration, Timestamp};

use super::fault::Fault;
use super::text;

/// Characters in a note or a reason.
pub const NOTE_MAX: usize = 500;
/// For how long something can be put aside.
const LONGEST_SNOOZE: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Until when something is put aside, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snooze {
    /// Until when.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
}

impl Snooze {
    /// Reads one: an end within 90 days, and a reason.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(until: &str, reason: &str, now: Timestamp) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let latest = now.checked_add(LONGEST_SNOOZE).unwrap_or(Timestamp::MAX);
        let mut fault = |code, detail| faults.push(Fault::new("/until", code, detail));
        let end = until.parse::<Timestamp>().ok();
        match end {
            None => fault(
                "not_a_time",
                "This is not a time such as 2027-01-31T12:00:00Z.",
            ),
            Some(end) if end <= now => fault("in_the_past", "It is put aside until a later time."),
            Some(end) if end > latest => fault("too_long", "It is put aside for 90 days at most."),
            Some(_) => {}
        }
        let reason = note(reason, "/reason", &mut faults);
        if reason.is_empty() {
            let detail = "Say why it is put aside.";
            faults.push(Fault::new("/reason", "required", detail));
        }
        match end {
            Some(until) if faults.is_empty() => Ok(Self { until, reason }),
            _ => Err(faults),
        }
    }
}

/// A note as it is kept: without blanks around it; what is wrong with it is added to the faults.
pub fn note(said: &str, pointer: &str, faults: &mut Vec<Fault>) -> String {
    let said = said.trim();
    text::check(said, pointer, NOTE_MAX, faults);
    said.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_is_put_aside_for_a_reason_and_for_90_days_at_most() {
        let now: Timestamp = "2026-11-20T08:00:00Z".parse().unwrap();
        let faults = |until: &str, reason: &str| -> Vec<String> {
            let told = Snooze::parse(until, reason, now).unwrap_err();
            let word = |fault: Fault| format!("{} {}", fault.pointer, fault.code);
            told.into_iter().map(word).collect()
        };
        assert!(Snooze::parse("2027-02-18T08:00:00Z", "x", now).is_ok());
        assert_eq!(faults("2027-02-18T08:00:01Z", "x"), ["/until too_long"]);
        assert_eq!(faults("2026-11-20T08:00:00Z", "x"), ["/until in_the_past"]);
        assert_eq!(
            faults("soon", "  "),
            ["/until not_a_time", "/reason required"]
        );
        assert_eq!(
            faults("2026-11-21T08:00:00Z", &"x".repeat(501)),
            ["/reason too_long"]
        );
    }
}
