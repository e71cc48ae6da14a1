//! What people did in the demo's past: exposures in hand, and patch runs that deploy scripts announced.

use jiff::SignedDuration;

use crate::app::App;
use crate::domain::access::Actor;
use crate::domain::announcement::AnnouncementForm;
use crate::domain::history::{PATCH_RUNS, PatchRun};
use crate::domain::listing::Query;
use crate::domain::window::LIST as EXPOSURES;
use crate::services::{Error, Result, exposures, history, in_hand, patch_runs};

/// Announced runs that an inventory shows; one more is only claimed.
const PROVED: usize = 3;

/// Takes a few exposures in hand and announces the newest patch runs.
///
/// # Errors
/// What the services say.
pub async fn take(app: &App) -> Result<()> {
    let urgent = [
        ("filter[state]", "open"),
        ("filter[most_urgent]", "true"),
        ("sort", "due_at,id"),
        ("per_page", "10"),
    ];
    let urgent = Query::parse(&EXPOSURES, urgent).map_err(Error::Invalid)?;
    let open = exposures::list(app, &Actor::System, None, &urgent).await?;
    for (window, number) in open.rows.iter().zip(0..) {
        match number {
            0..=2 => {
                let people = in_hand::people(app, &Actor::System, window.id).await?;
                let first = people.first().map_or(1, |(id, _)| *id);
                let hand = if number == 0 { 1 } else { first };
                in_hand::assign(app, &Actor::System, window.id, Some(hand)).await?;
            }
            3 => {
                let said = "Planned for the next maintenance window";
                in_hand::acknowledge(app, &Actor::System, window.id, said).await?;
            }
            4 => {
                let until = app.clock.now() + SignedDuration::from_hours(5 * 24);
                let (until, why) = (until.to_string(), "The client freezes changes this week");
                in_hand::snooze(app, &Actor::System, window.id, Some(&until), why).await?;
            }
            _ => {}
        }
    }
    announce(app).await
}

async fn announce(app: &App) -> Result<()> {
    let newest = Query::parse(&PATCH_RUNS, [("per_page", "40")]).map_err(Error::Invalid)?;
    let runs = history::patch_runs(app, &Actor::System, None, &newest).await?;
    let mut told: Vec<&PatchRun> = Vec::new();
    for run in &runs.rows {
        if told.iter().all(|known| known.site_id != run.site_id) {
            told.push(run);
        }
    }
    for (run, number) in told.into_iter().take(PROVED + 1).zip(0..) {
        let minutes = |minutes| SignedDuration::from_mins(minutes);
        // The last one ended long after what its site showed: it is only claimed.
        let ended = if usize::try_from(number).unwrap_or(0) < PROVED {
            run.run_at - minutes(2)
        } else {
            app.clock.now() - minutes(30 * 60)
        };
        let form = AnnouncementForm {
            site_id: Some(run.site_id),
            performed_by: Some("Deployment of the maintenance team".to_owned()),
            ticket: Some(format!("OPS-{}", 411 + number)),
            commit: Some(format!("{:07x}", 0x04f1_c0de + run.id)),
            started_at: Some((ended - minutes(9)).to_string()),
            finished_at: Some(ended.to_string()),
            unreadable: Vec::new(),
        };
        patch_runs::announce(app, &Actor::System, form).await?;
    }
    Ok(())
}
