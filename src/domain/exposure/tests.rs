//! The ledger's rules by example. Times are hours; versions 1 to 9 are older the lower.

use super::*;

mod world;

use world::*;

#[test]
fn a_window_opens_at_the_fix_and_closes_at_the_sync_that_shows_it() {
    let world = World::default().fix(5, Some(10), 11);
    let mut book = Book::default();
    book.reconcile(11, &[run(4, 0, None)], &world);
    assert_eq!(book.0[0].opened_at, hour(10));
    assert_eq!(book.0[0].known_at, hour(11));
    assert_eq!(book.0[0].due_at, Some(hour(178)));
    book.reconcile(20, &[run(4, 0, Some(20)), run(5, 20, None)], &world);
    assert_eq!(book.0[0].closed, Some((hour(20), Outcome::Met)));
}

#[test]
fn a_site_that_arrives_with_an_old_version_is_exposed_from_its_first_sync() {
    let world = World::default().fix(5, Some(10), 11);
    let mut book = Book::default();
    book.reconcile(50, &[run(4, 50, None)], &world);
    assert_eq!(
        (book.0[0].opened_at, book.0[0].known_at),
        (hour(50), hour(50))
    );
}

#[test]
fn the_fastest_patchers_get_their_window_although_it_was_over_before_we_knew() {
    let world = World::default().fix(5, Some(10), 15);
    let mut book = Book::default();
    book.reconcile(15, &[run(4, 0, Some(12)), run(5, 12, None)], &world);
    let row = &book.0[0];
    assert_eq!((row.opened_at, row.known_at), (hour(10), hour(15)));
    assert_eq!(row.closed, Some((hour(12), Outcome::Met)));
}

#[test]
fn whoever_left_before_the_fix_was_released_has_no_window() {
    let world = World::default().fix(5, Some(10), 15);
    let mut book = Book::default();
    assert_eq!(
        book.reconcile(15, &[run(4, 0, Some(9)), run(5, 9, None)], &world),
        0
    );
}

#[test]
fn moving_between_affected_versions_is_one_window() {
    let world = World::default().fix(5, Some(10), 30);
    let mut book = Book::default();
    book.reconcile(30, &[run(3, 0, Some(20)), run(4, 20, None)], &world);
    assert_eq!(book.0.len(), 1);
    assert_eq!((book.0[0].opened_at, book.0[0].version_id), (hour(10), 4));
}

#[test]
fn a_site_that_comes_back_gets_a_new_row_and_the_old_one_stays() {
    let world = World::default().fix(5, Some(10), 11);
    let mut book = Book::default();
    let runs = [run(4, 0, Some(20)), run(5, 20, Some(30)), run(4, 30, None)];
    book.reconcile(
        11,
        &runs[..1]
            .iter()
            .map(|r| Run {
                ended_at: None,
                ..*r
            })
            .collect::<Vec<_>>(),
        &world,
    );
    book.reconcile(
        20,
        &[
            runs[0],
            Run {
                ended_at: None,
                ..runs[1]
            },
        ],
        &world,
    );
    let old = book.0[0].clone();
    book.reconcile(30, &runs, &world);
    assert_eq!(book.0[0], old);
    assert_eq!((book.0[1].opened_at, book.0[1].closed), (hour(30), None));
}

#[test]
fn a_version_that_nobody_can_judge_keeps_the_row_open() {
    let mut world = World::default().fix(5, Some(10), 11);
    world.unclear = vec![7];
    let mut book = Book::default();
    book.reconcile(11, &[run(4, 0, None)], &world);
    book.reconcile(20, &[run(4, 0, Some(20)), run(7, 20, None)], &world);
    assert_eq!(
        (book.0[0].closed, book.0[0].unproven_since),
        (None, Some(hour(20)))
    );
    book.reconcile(
        40,
        &[run(4, 0, Some(20)), run(7, 20, Some(40)), run(5, 40, None)],
        &world,
    );
    assert_eq!(book.0[0].closed, Some((hour(40), Outcome::Met)));
}

#[test]
fn disabling_or_removing_closes_and_coming_back_opens_anew() {
    let world = World::default().fix(5, Some(10), 11);
    let mut book = Book::default();
    book.reconcile(11, &[run(4, 0, None)], &world);
    book.reconcile(200, &[run(4, 0, Some(200))], &world);
    assert_eq!(book.0[0].closed, Some((hour(200), Outcome::Breached)));
    book.reconcile(210, &[run(4, 0, Some(200)), run(4, 210, None)], &world);
    assert_eq!((book.0.len(), book.0[1].opened_at), (2, hour(210)));
}

#[test]
fn each_fix_of_the_branch_is_a_cause_of_its_own() {
    let world = World::default().fix(5, Some(10), 11).fix(7, Some(20), 21);
    let mut book = Book::default();
    book.reconcile(21, &[run(4, 0, None)], &world);
    assert_eq!(book.0.len(), 2);
    book.reconcile(30, &[run(4, 0, Some(30)), run(6, 30, None)], &world);
    let open: Vec<_> = book.0.iter().filter(|r| r.closed.is_none()).collect();
    assert_eq!((open.len(), open[0].cause.id.as_str()), (1, "7"));
}

#[test]
fn a_cause_taken_back_upstream_withdraws_the_row() {
    let world = World::default().fix(5, Some(10), 11);
    let mut book = Book::default();
    book.reconcile(11, &[run(4, 0, None)], &world);
    book.reconcile(12, &[run(4, 0, None)], &World::default());
    assert_eq!(book.0[0].closed, Some((hour(12), Outcome::Withdrawn)));
    book.reconcile(
        15,
        &[run(4, 0, None)],
        &World::default().fix(5, Some(10), 15),
    );
    assert_eq!((book.0.len(), book.0[1].closed), (2, None));
}

#[test]
fn a_history_that_vanishes_proves_nothing_and_closes_nothing() {
    let world = World::default().fix(5, Some(10), 11);
    let mut book = Book::default();
    book.reconcile(11, &[run(4, 0, None)], &world);
    let gone = World {
        unclear: vec![4],
        ..World::default()
    };
    book.reconcile(12, &[run(4, 0, None)], &gone);
    assert_eq!(
        (book.0[0].closed, book.0[0].unproven_since),
        (None, Some(hour(12)))
    );
    // The site moves on to what is judged safe: the window closes then and there.
    book.reconcile(20, &[run(4, 0, Some(20)), run(9, 20, None)], &gone);
    assert_eq!(book.0[0].closed, Some((hour(20), Outcome::Met)));
}

#[test]
fn a_fix_without_a_date_or_from_the_future_opens_when_it_became_known() {
    for date in [None, Some(99)] {
        let world = World::default().fix(5, date, 11);
        let mut book = Book::default();
        book.reconcile(11, &[run(4, 0, None)], &world);
        assert_eq!(book.0[0].opened_at, hour(11));
    }
}

#[test]
fn an_insecure_version_without_a_fix_takes_the_fix_as_its_cause_when_one_comes() {
    let mut world = World::default();
    world.insecure.insert(4, 10);
    let mut book = Book::default();
    book.reconcile(10, &[run(4, 0, None)], &world);
    assert_eq!(book.0[0].cause.kind, CauseKind::Project);
    let world = World { ..world }.fix(5, Some(30), 31);
    book.reconcile(31, &[run(4, 0, None)], &world);
    assert_eq!(book.0.len(), 1);
    assert_eq!(
        (book.0[0].cause.clone(), book.0[0].opened_at),
        (Cause::release("5"), hour(10))
    );
}

#[test]
fn a_verdict_that_turns_after_the_row_closed_opens_a_row_from_there_on() {
    let world = World::default().fix(5, Some(10), 11);
    let mut book = Book::default();
    let runs = [run(4, 0, Some(20)), run(5, 20, None)];
    book.reconcile(20, &runs, &world);
    // Upstream corrects itself: the version that runs needs that fix as well.
    let world = Corrected(world);
    let steps = reconcile(hour(50), &runs, &book.0, &world, &PROMISE);
    let [Step::Open(row)] = steps.as_slice() else {
        panic!("one new row, not {steps:?}");
    };
    assert_eq!(
        (row.opened_at, row.known_at, row.closed),
        (hour(20), hour(50), None)
    );
}

#[test]
fn an_advisory_without_a_fix_opens_at_its_publication() {
    let world = World::hole(HOLE);
    let mut book = Book::default();
    book.reconcile(11, &[run(4, 0, None)], &world);
    let row = &book.0[0];
    assert_eq!(row.cause, Cause::advisory("SA-1"));
    assert_eq!((row.opened_at, row.known_at), (hour(10), hour(11)));
}

#[test]
fn the_fix_of_an_advisory_becomes_the_cause_of_the_same_row() {
    let mut book = Book::default();
    book.reconcile(11, &[run(4, 0, None)], &World::hole(HOLE));
    let fixed = Hole {
        fix: Some(5),
        ..HOLE
    };
    let world = World::hole(fixed).fix(5, Some(30), 31);
    book.reconcile(31, &[run(4, 0, None)], &world);
    assert_eq!(book.0.len(), 1);
    let row = &book.0[0];
    assert_eq!(row.cause, Cause::release("5"));
    assert_eq!((row.opened_at, row.known_at), (hour(10), hour(11)));
    book.reconcile(40, &[run(4, 0, Some(40)), run(5, 40, None)], &world);
    assert_eq!(book.0[0].closed, Some((hour(40), Outcome::Met)));
}

#[test]
fn a_fix_that_becomes_known_after_the_site_left_opens_no_second_row_for_the_same_time() {
    let mut book = Book::default();
    let runs = [run(4, 0, Some(20)), run(6, 20, None)];
    book.reconcile(11, &[run(4, 0, None)], &World::hole(HOLE));
    book.reconcile(20, &runs, &World::hole(HOLE));
    assert_eq!(book.0[0].closed, Some((hour(20), Outcome::Met)));
    let fixed = Hole {
        fix: Some(5),
        ..HOLE
    };
    book.reconcile(31, &runs, &World::hole(fixed).fix(5, Some(15), 31));
    assert_eq!(book.0.len(), 1);
    assert_eq!(book.0[0].cause, Cause::release("5"));
    assert_eq!(book.0[0].closed, Some((hour(20), Outcome::Met)));
}

#[test]
fn an_advisory_that_is_taken_back_withdraws_its_row() {
    let mut book = Book::default();
    let runs = [run(4, 0, None)];
    book.reconcile(11, &runs, &World::hole(HOLE));
    let gone = Hole {
        stands: false,
        ..HOLE
    };
    book.reconcile(20, &runs, &World::hole(gone));
    assert_eq!(book.0[0].closed, Some((hour(20), Outcome::Withdrawn)));
    book.reconcile(30, &runs, &World::hole(Hole { known: 30, ..HOLE }));
    assert_eq!(book.0.len(), 2, "published again it is a window of its own");
}

#[test]
fn an_advisory_corrected_to_name_other_versions_withdraws_its_row() {
    let mut book = Book::default();
    let runs = [run(4, 0, None)];
    book.reconcile(11, &runs, &World::hole(HOLE));
    book.reconcile(20, &runs, &World::hole(Hole { below: 3, ..HOLE }));
    assert_eq!(book.0[0].closed, Some((hour(20), Outcome::Withdrawn)));
}

#[test]
fn a_worse_risk_tightens_the_due_time_and_a_milder_one_never_loosens_it() {
    let runs = [run(4, 0, None)];
    let risky = |risk, since| {
        World::hole(Hole {
            risk: Some((risk, since)),
            ..HOLE
        })
    };
    let mut book = Book::default();
    book.reconcile(11, &runs, &World::hole(HOLE));
    assert_eq!(book.0[0].due_at, Some(hour(10 + 168)));
    book.reconcile(20, &runs, &risky(Risk::HighlyCritical, 20));
    assert_eq!(book.0[0].due_at, Some(hour(20 + 24)));
    book.reconcile(30, &runs, &risky(Risk::NotCritical, 30));
    assert_eq!(book.0[0].due_at, Some(hour(20 + 24)));
    assert_eq!(book.0[0].risk, Some(Risk::NotCritical));
}

#[test]
fn a_risk_known_when_the_window_opens_decides_its_due_time() {
    let world = World::hole(Hole {
        risk: Some((Risk::Critical, 11)),
        ..HOLE
    });
    let mut book = Book::default();
    book.reconcile(50, &[run(4, 50, None)], &world);
    assert_eq!(book.0[0].due_at, Some(hour(50 + 72)));
}

#[test]
fn insecurity_without_a_reason_takes_the_advisory_that_gives_one() {
    let mut world = World::default();
    world.insecure.insert(4, 9);
    let mut book = Book::default();
    book.reconcile(9, &[run(4, 0, None)], &world);
    assert_eq!(book.0[0].cause.kind, CauseKind::Project);
    world.hole = Some(HOLE);
    book.reconcile(11, &[run(4, 0, None)], &world);
    assert_eq!(book.0.len(), 1);
    assert_eq!(book.0[0].cause, Cause::advisory("SA-1"));
    assert_eq!(book.0[0].opened_at, hour(9));
}

struct Corrected(World);

impl Verdicts for Corrected {
    fn causes(&self, _: i64) -> Vec<Cause> {
        vec![Cause::release("5")]
    }
    fn exposed(&self, _: i64) -> Option<bool> {
        Some(true)
    }
    fn about(&self, _: i64, _: &Cause) -> Option<bool> {
        Some(true)
    }
    fn exists(&self, _: &Cause) -> bool {
        true
    }
    fn attached(&self, _: i64, _: &str) -> Option<Cause> {
        None
    }
    fn known(&self, cause: &Cause, version: i64) -> Option<Known> {
        self.0.known(cause, version)
    }
}

#[test]
fn a_site_that_patches_while_nobody_can_tell_of_its_old_version_is_not_forgotten() {
    let mut book = Book::default();
    let world = World::default().fix(5, Some(10), 11);
    book.reconcile(11, &[run(4, 0, None)], &world);
    let unclear = World {
        unclear: vec![4],
        ..World::default().fix(5, Some(10), 11)
    };
    book.reconcile(20, &[run(4, 0, None)], &unclear);
    assert_eq!(book.0[0].unproven_since, Some(hour(20)));
    book.reconcile(30, &[run(4, 0, Some(30)), run(5, 30, None)], &unclear);
    assert_eq!(book.0[0].closed, Some((hour(30), Outcome::Met)));
}

#[test]
fn one_row_that_turns_out_to_be_two_windows_is_closed_and_the_second_opened() {
    let mut world = World::default().fix(5, Some(10), 11);
    world.unclear = vec![7];
    let runs = [run(4, 0, Some(20)), run(7, 20, Some(30)), run(4, 30, None)];
    let mut book = Book::default();
    book.reconcile(40, &runs, &world);
    assert_eq!(book.0.len(), 1, "nobody could tell that it was interrupted");
    assert_eq!((book.0[0].opened_at, book.0[0].closed), (hour(10), None));

    world.unclear.clear();
    book.reconcile(50, &runs, &world);
    let windows: Vec<_> = book
        .0
        .iter()
        .map(|row| (row.opened_at, row.closed))
        .collect();
    assert_eq!(
        windows,
        [(hour(10), Some((hour(20), Outcome::Met))), (hour(30), None)]
    );
}

#[test]
fn what_opens_again_is_known_when_it_opens_at_the_earliest_whatever_the_clock_says() {
    let mut book = Book::default();
    book.reconcile(12, &[run(4, 0, None)], &World::hole(HOLE));
    // The clock was ahead when the site patched, and was set back since.
    let runs = [run(4, 0, Some(90)), run(6, 90, None)];
    book.reconcile(90, &runs, &World::hole(HOLE));
    let corrected = Hole { below: 8, ..HOLE };
    book.reconcile(40, &runs, &World::hole(corrected));
    let again = book.0.last().unwrap();
    assert_eq!((again.opened_at, again.closed), (hour(90), None));
    assert_eq!(again.known_at, hour(90));
}

#[test]
fn a_site_that_ran_nothing_known_to_be_affected_when_the_fix_came_is_exposed_when_it_comes_back() {
    let mut world = World::default().fix(5, Some(10), 11);
    world.unclear = vec![7];
    let mut book = Book::default();
    let runs = [run(4, 0, Some(5)), run(7, 5, Some(20)), run(4, 20, None)];
    book.reconcile(20, &runs, &world);
    let row = &book.0[0];
    assert_eq!((row.opened_at, row.known_at), (hour(20), hour(20)));
}

#[test]
fn a_closed_window_is_no_beginning_of_the_next_though_nobody_can_tell_what_ran_between() {
    let mut world = World::default().fix(5, Some(10), 11);
    let mut book = Book::default();
    book.reconcile(20, &[run(4, 0, Some(20)), run(6, 20, None)], &world);
    world.unclear = vec![6];
    let runs = [run(4, 0, Some(20)), run(6, 20, Some(30)), run(4, 30, None)];
    book.reconcile(30, &runs, &world);
    assert_eq!(book.0[0].closed, Some((hour(20), Outcome::Met)));
    assert_eq!((book.0[1].opened_at, book.0[1].closed), (hour(30), None));
}
