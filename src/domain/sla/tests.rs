//! What business hours, marks and forms of a policy give, by cases and beside a slow walk through minutes.

use jiff::tz::TimeZoneDatabase;
use jiff::{SignedDuration, Timestamp, ToSpan};
use proptest::prelude::*;

use super::*;
use crate::domain::sla_form::{PolicyForm, TermsForm};

const HOURS: Hours = Hours {
    highly_critical: 8,
    critical: 24,
    moderately_critical: 40,
    less_critical: 80,
    not_critical: 160,
};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn office(zone: &str, holidays: &[&str]) -> Office {
    Office {
        zone: TimeZoneDatabase::bundled().get(zone).unwrap(),
        holidays: holidays.iter().map(|day| day.parse().unwrap()).collect(),
    }
}

fn terms(calendar: Calendar) -> Terms {
    let hours = HOURS;
    Terms { calendar, hours }
}

#[test]
fn business_hours_skip_nights_weekends_and_holidays() {
    let vienna = office("Europe/Vienna", &["2026-12-25"]);
    let business = terms(Calendar::Business);
    let cases = [
        // Within a day; at the very end of one; over a night.
        (
            "2026-12-21T08:00:00Z",
            Risk::HighlyCritical,
            "2026-12-21T16:00:00Z",
        ),
        (
            "2026-12-21T09:00:00Z",
            Risk::HighlyCritical,
            "2026-12-22T09:00:00Z",
        ),
        // Opened at night or on a Sunday: the clock waits for the morning.
        (
            "2026-12-21T23:30:00Z",
            Risk::HighlyCritical,
            "2026-12-22T16:00:00Z",
        ),
        (
            "2026-12-20T12:00:00Z",
            Risk::HighlyCritical,
            "2026-12-21T16:00:00Z",
        ),
        // Thursday before Christmas: Friday is a holiday, then a weekend.
        (
            "2026-12-24T15:00:00Z",
            Risk::HighlyCritical,
            "2026-12-28T15:00:00Z",
        ),
        (
            "2026-12-21T08:00:00Z",
            Risk::ModeratelyCritical,
            "2026-12-28T16:00:00Z",
        ),
    ];
    for (opened, risk, due) in cases {
        assert_eq!(
            business.due(&vienna, at(opened), Some(risk)),
            Some(at(due)),
            "{opened} {risk:?}"
        );
    }
}

#[test]
fn the_clock_change_moves_no_business_hour() {
    // In Vienna clocks go forward on Sunday 29 March 2026, and back on 25 October.
    let vienna = office("Europe/Vienna", &[]);
    let business = terms(Calendar::Business);
    let due = |opened: &str| business.due(&vienna, at(opened), Some(Risk::HighlyCritical));
    assert_eq!(
        due("2026-03-27T15:00:00Z"),
        Some(at("2026-03-30T14:00:00Z"))
    );
    assert_eq!(
        due("2026-10-23T14:00:00Z"),
        Some(at("2026-10-26T15:00:00Z"))
    );
    // The hours of the calendar are hours.
    let calendar = terms(Calendar::Calendar);
    let due = calendar.due(&vienna, at("2026-03-28T12:00:00Z"), Some(Risk::Critical));
    assert_eq!(due, Some(at("2026-03-29T12:00:00Z")));
}

#[test]
fn nothing_is_due_where_nothing_is_promised() {
    let utc = office("UTC", &[]);
    assert_eq!(
        terms(Calendar::None).due(&utc, at("2026-01-01T00:00:00Z"), None),
        None
    );
    // Beyond what can be written, too.
    assert_eq!(
        terms(Calendar::Business).due(&utc, Timestamp::MAX, None),
        None
    );
    assert_eq!(
        terms(Calendar::Calendar).due(&utc, Timestamp::MAX, None),
        None
    );
}

#[test]
fn an_unknown_risk_counts_as_moderately_critical() {
    let utc = office("UTC", &[]);
    let opened = at("2026-01-05T09:00:00Z");
    for calendar in [Calendar::Calendar, Calendar::Business] {
        let terms = terms(calendar);
        assert_eq!(
            terms.due(&utc, opened, None),
            terms.due(&utc, opened, Some(Risk::ModeratelyCritical))
        );
    }
}

#[test]
fn quarters_of_business_time_are_counted_in_business_time() {
    let utc = office("UTC", &[]);
    // Friday 13:00, eight hours: due on Monday 13:00; half of them are over when Friday closes.
    let opened = at("2026-01-09T13:00:00Z");
    let business = terms(Calendar::Business);
    let due = business
        .due(&utc, opened, Some(Risk::HighlyCritical))
        .unwrap();
    assert_eq!(due, at("2026-01-12T13:00:00Z"));
    let mark = |quarters| business.mark(&utc, opened, due, quarters);
    assert_eq!(mark(2), at("2026-01-09T17:00:00Z"));
    assert_eq!(mark(3), at("2026-01-12T11:00:00Z"));
    assert_eq!(mark(4), due);
    let calendar = terms(Calendar::Calendar);
    assert_eq!(
        calendar.mark(&utc, opened, due, 2),
        at("2026-01-11T01:00:00Z")
    );
}

#[test]
fn an_environment_that_is_not_known_is_productions() {
    let mut environments = Environments::alike(HOURS);
    environments.of_mut("staging").calendar = Calendar::None;
    environments.of_mut("development").calendar = Calendar::Business;
    let calendars = ["production", "staging", "development", "moon"]
        .map(|environment| environments.of(environment).calendar.word());
    assert_eq!(calendars, ["calendar", "none", "business", "calendar"]);
}

fn faults(form: PolicyForm) -> Vec<String> {
    let said = form.check(&Policy::plain(HOURS), at("2026-01-01T00:00:00Z"));
    let faults = said.err().unwrap_or_default();
    let line = |fault: &crate::domain::fault::Fault| format!("{} {}", fault.pointer, fault.code);
    faults.iter().map(line).collect()
}

#[test]
fn everything_that_is_wrong_with_a_policy_is_told_at_once() {
    let wrong = TermsForm {
        calendar: Some("always".to_owned()),
        hours: [Some(0), Some(-1), Some(8_761), Some(i64::MAX), Some(8_760)],
    };
    let days = [
        "2026-02-30",
        "2026-12-25",
        "20261225",
        "2026-12-25T00:00",
        "1969-01-01",
        "",
    ];
    let form = PolicyForm {
        environments: [TermsForm::default(), wrong, TermsForm::default()],
        time_zone: Some("Mars/Olympus".to_owned()),
        holidays: Some(days.map(str::to_owned).to_vec()),
        valid_from: Some("2020-01-01T00:00:00Z".to_owned()),
        unreadable: Vec::new(),
    };
    assert_eq!(
        faults(form),
        [
            "/environments/staging/calendar not_allowed",
            "/environments/staging/hours/highly_critical out_of_range",
            "/environments/staging/hours/critical out_of_range",
            "/environments/staging/hours/moderately_critical out_of_range",
            "/environments/staging/hours/less_critical out_of_range",
            "/time_zone unknown_time_zone",
            "/holidays/0 not_a_date",
            "/holidays/2 not_a_date",
            "/holidays/3 not_a_date",
            "/holidays/4 not_a_date",
            "/holidays/5 not_a_date",
            "/valid_from immutable",
        ]
    );
    let many = PolicyForm {
        holidays: Some(vec!["2026-12-25".to_owned(); MOST_HOLIDAYS + 1]),
        ..PolicyForm::default()
    };
    assert_eq!(faults(many), ["/holidays too_many"]);
    for zone in ["", "+02:00", "Etc/Unknown", "../../etc/passwd", "Europe"] {
        let time_zone = Some(zone.to_owned());
        let form = PolicyForm {
            time_zone,
            ..PolicyForm::default()
        };
        assert_eq!(faults(form), ["/time_zone unknown_time_zone"], "{zone}");
    }
}

#[test]
fn what_is_not_said_stays() {
    let before = Policy::plain(HOURS);
    let held_since = at("2026-01-01T00:00:00Z");
    let same = PolicyForm {
        valid_from: Some(held_since.to_string()),
        ..PolicyForm::default()
    };
    assert_eq!(same.check(&before, held_since).unwrap(), before);
    let mut staging = TermsForm::default();
    staging.hours[1] = Some(12);
    let form = PolicyForm {
        environments: [TermsForm::default(), staging, TermsForm::default()],
        time_zone: Some(" europe/vienna ".to_owned()),
        ..PolicyForm::default()
    };
    let after = form.check(&before, held_since).unwrap();
    let mut hours = HOURS;
    hours.critical = 12;
    assert_eq!(after.environments.staging.hours, hours);
    assert_eq!(
        after.environments.production,
        before.environments.production
    );
    assert_eq!(after.office.zone.iana_name(), Some("Europe/Vienna"));
}

/// Business time minute by minute: slow and plain.
fn walked(office: &Office, opened: Timestamp, minutes: i64) -> Timestamp {
    let mut left = minutes;
    let mut now = opened;
    while left > 0 {
        let there = now.to_zoned(office.zone.clone());
        let weekend = matches!(there.weekday(), Weekday::Saturday | Weekday::Sunday);
        let open =
            (9..17).contains(&there.hour()) && !weekend && !office.holidays.contains(&there.date());
        left -= i64::from(open);
        now += SignedDuration::from_mins(1);
    }
    now
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn business_hours_are_those_that_a_clock_on_the_wall_counts(
        minute in 28_000_000_i64..30_000_000,
        hours in 1_i64..40,
        zone in prop::sample::select(vec!["UTC", "Europe/Vienna", "America/St_Johns", "Asia/Kathmandu", "Pacific/Chatham"]),
        closed in prop::collection::btree_set(0_i64..21, 0..6),
    ) {
        let opened = Timestamp::from_second(minute * 60).unwrap();
        let mut office = office(zone, &[]);
        let first = opened.to_zoned(office.zone.clone()).date();
        office.holidays = closed.iter().map(|days| first + days.days()).collect();
        let due = office.after(opened, SignedDuration::from_hours(hours)).unwrap();
        prop_assert_eq!(due, walked(&office, opened, hours * 60));
        prop_assert_eq!(office.between(opened, due), SignedDuration::from_hours(hours));
    }

    #[test]
    fn marks_come_one_after_the_other_and_later_windows_are_due_no_earlier(
        second in 1_700_000_000_i64..1_800_000_000,
        later in 0_i64..1_000_000,
        business in any::<bool>(),
        risk in prop::sample::select(Risk::WORST_FIRST.to_vec()),
    ) {
        let terms = terms(if business { Calendar::Business } else { Calendar::Calendar });
        let office = office("Europe/Vienna", &["2025-12-25", "2026-01-01"]);
        let opened = Timestamp::from_second(second).unwrap();
        let due = terms.due(&office, opened, Some(risk)).unwrap();
        let marks: Vec<_> = (1..=4).map(|quarters| terms.mark(&office, opened, due, quarters)).collect();
        prop_assert!(opened < marks[0]);
        prop_assert!(marks.is_sorted());
        prop_assert_eq!(marks[3], due);
        let next = Timestamp::from_second(second + later).unwrap();
        prop_assert!(terms.due(&office, next, Some(risk)).unwrap() >= due);
        prop_assert!(terms.due(&office, opened, Some(Risk::HighlyCritical)).unwrap() <= due);
    }
}
