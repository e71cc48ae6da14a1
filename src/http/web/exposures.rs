//! The work list, and one exposure with what people do with it.

use jiff::{SignedDuration, Timestamp};

use super::charts::{self, Life};
use super::fleet::organizations_of;
use super::listing::{Listing, Tab, viewed};
use super::overview::{client, natural};
use super::parts::{Advisories, Clock, Risk, Versions};
use super::view::exposures::{ClientRow, ExposurePage, ExposuresPage, ToldRow, Typed, WorkRow};
use super::view::fleet::Choice;
use super::view::site::composer_command;
use super::visit::{Handler, Reply, Visit, by_field};
use super::words;
use crate::domain::access::{Actor, Permission};
use crate::domain::exposure::{self, CauseKind};
use crate::domain::exposure_event::LIST as EVENTS;
use crate::domain::fault::Fault;
use crate::domain::listing::{PER_PAGE_MAX, Page, Query};
use crate::domain::site::ENVIRONMENTS;
use crate::domain::window::{LIST as EXPOSURES, Window};
use crate::services::{
    Error, Result, clients as open_clients, clocks, exposures, in_hand, named_sites,
};

/// `GET /exposures`.
pub const LIST: Handler = |visit| Box::pin(list(visit));
/// `GET /exposures/{id}`.
pub const SHOW: Handler = |visit| Box::pin(async move { show(&visit, Vec::new()).await });
/// `POST /exposures/{id}/assign`.
pub const ASSIGN: Handler = |visit| Box::pin(act(visit, "assign"));
/// `POST /exposures/{id}/acknowledge`.
pub const ACKNOWLEDGE: Handler = |visit| Box::pin(act(visit, "acknowledge"));
/// `POST /exposures/{id}/snooze`.
pub const SNOOZE: Handler = |visit| Box::pin(act(visit, "snooze"));

/// Each view's word and name.
const VIEWS: [(&str, &str); 7] = [
    ("Mine", "mine"),
    ("By client", "clients"),
    ("In nobody's hand", "nobody"),
    ("Without snoozed", "working"),
    ("Snoozed", "snoozed"),
    ("No fix", "no-fix"),
    ("Needs core", "needs-core"),
];
/// Pages of open exposures that are looked through for those whose fix needs another core.
const LOOKED_THROUGH: u32 = 5;
const SPANS: [(i64, &str); 6] = [
    (24, "a day"),
    (72, "3 days"),
    (168, "a week"),
    (336, "2 weeks"),
    (720, "30 days"),
    (2160, "90 days"),
];

async fn list(visit: Visit) -> Result<Reply> {
    let (view, asked) = viewed(&visit.query, &VIEWS)?;
    if view == "clients" {
        return clients(&visit, &asked).await;
    }
    let query = query(&visit, view, asked)?;
    let (snoozed, no_fix) = aside(&visit).await?;
    let (page, mut note) = if view == "needs-core" {
        needing_core(&visit, &query).await?
    } else {
        (page(&visit, &query).await?, None)
    };
    if view == "working" && snoozed > 0 {
        note = Some(format!(
            "{} not shown here.",
            words::count(snoozed, "snoozed exposure is", "snoozed exposures are")
        ));
    }
    let organizations = organizations_of(
        &visit,
        Permission::SitesRead,
        visit.parameter("filter[organization_id]"),
    )
    .await?;
    let mut list = Listing::of("/exposures", &visit.query, &query, &page);
    for chip in &mut list.chips {
        let named = organizations
            .iter()
            .find(|o| chip.parameter == "filter[organization_id]" && o.value == chip.value);
        chip.value = named.map_or_else(|| chip.value.clone(), |o| o.word.clone());
    }
    Reply::page(&ExposuresPage {
        shell: visit.shell("Exposures").await?,
        views: views(view, snoozed, no_fix),
        note,
        list,
        rows: page.rows.iter().map(|window| row(&visit, window)).collect(),
        clients: None,
        risks: exposure::Risk::WORST_FIRST
            .iter()
            .map(|risk| {
                let word = words::sentence(&risk.word().replace('_', " "));
                Choice::new(risk.word(), word, visit.parameter("filter[risk]"))
            })
            .collect(),
        environments: ENVIRONMENTS
            .iter()
            .map(|e| Choice::new(*e, *e, visit.parameter("filter[environment]")))
            .collect(),
        organizations,
    })
}

/// Client by client: those with the most past due first. It is whole: nothing narrows it.
async fn clients(visit: &Visit, asked: &[(&str, &str)]) -> Result<Reply> {
    let strange = asked.iter().map(|(name, _)| {
        let detail = format!("{name} is not known here: the view by client is whole.");
        Fault::new(format!("?{name}"), "unknown_parameter", detail)
    });
    let strange: Vec<Fault> = strange.collect();
    if !strange.is_empty() {
        return Err(Error::Invalid(strange));
    }
    let found = open_clients::urgent(&visit.app, visit.actor()?).await?;
    let clients: Vec<ClientRow> = found
        .into_iter()
        .map(|client| ClientRow {
            id: client.id,
            name: client.name,
            open: natural(client.open),
            late: natural(client.overdue),
        })
        .collect();
    let (snoozed, no_fix) = aside(visit).await?;
    Reply::page(&ExposuresPage {
        shell: visit.shell("Exposures by client").await?,
        views: views("clients", snoozed, no_fix),
        note: None,
        list: Listing::default(),
        rows: Vec::new(),
        clients: Some(clients),
        risks: Vec::new(),
        environments: Vec::new(),
        organizations: Vec::new(),
    })
}

/// What the URL asks, with what a view stands for; the same parser as the API's.
fn query(visit: &Visit, view: &str, asked: Vec<(&str, &str)>) -> Result<Query> {
    let me = match visit.actor()? {
        Actor::Person { user_id, .. } => user_id.to_string(),
        _ => "0".to_owned(),
    };
    let mut pairs = asked;
    if !pairs.iter().any(|(name, _)| *name == "sort") {
        pairs.push(("sort", "due_at"));
    }
    pairs.push(("filter[state]", "open"));
    match view {
        "mine" => pairs.push(("filter[assignee_id]", &me)),
        "nobody" => pairs.push(("filter[assignee_id][null]", "true")),
        "snoozed" => pairs.push(("filter[snoozed]", "true")),
        "no-fix" => pairs.push(("filter[no_fix]", "true")),
        "working" => pairs.push(("filter[snoozed]", "false")),
        _ => {}
    }
    // Of several causes at once the most urgent stands for the module, unless one of them is looked for:
    // what it hides could be the one.
    let plain = matches!(view, "" | "needs-core");
    if plain
        && !pairs
            .iter()
            .any(|(name, _)| name.starts_with("filter[risk]"))
    {
        pairs.push(("filter[most_urgent]", "true"));
    }
    Query::parse(&EXPOSURES, pairs).map_err(Error::Invalid)
}

async fn page(visit: &Visit, query: &Query) -> Result<Page<Window>> {
    exposures::list(&visit.app, visit.actor()?, None, query).await
}

/// How many open exposures are snoozed, and how many nothing fixes yet.
async fn aside(visit: &Visit) -> Result<(u64, u64)> {
    let aside = exposures::aside(&visit.app, visit.actor()?).await?;
    Ok((natural(aside.snoozed), natural(aside.no_fix)))
}

/// What a fix asks of a core is worked out row by row: the most urgent are looked through, and the page
/// says where that ended.
async fn needing_core(visit: &Visit, asked: &Query) -> Result<(Page<Window>, Option<String>)> {
    let mut query = asked.clone();
    query.per_page = PER_PAGE_MAX;
    let (mut rows, mut more) = (Vec::new(), true);
    for number in 1..=LOOKED_THROUGH {
        query.page = number;
        let found = page(visit, &query).await?;
        more = found.more;
        rows.extend(found.rows.into_iter().filter(|w| w.needs_core.is_some()));
        if !more {
            break;
        }
    }
    let through = u64::from(LOOKED_THROUGH * PER_PAGE_MAX);
    let note = more.then(|| {
        format!(
            "The {} most urgent exposures were looked through.",
            words::number(through)
        )
    });
    let total = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let per_page = asked.per_page as usize;
    let before = per_page * (asked.page as usize - 1);
    let page = Page {
        rows: rows.into_iter().skip(before).take(per_page).collect(),
        total,
        at_least: more,
        more: false,
    };
    Ok((page, note))
}

fn views(here: &str, snoozed: u64, no_fix: u64) -> Vec<Tab> {
    let view = |word: &str, count: Option<u64>, name: &str| {
        let href = match name {
            "" => "/exposures".to_owned(),
            name => format!("/exposures?view={name}"),
        };
        Tab::new(word, count, href, here == name)
    };
    let count = |name| match name {
        "snoozed" => Some(snoozed),
        "no-fix" => Some(no_fix),
        _ => None,
    };
    let all = VIEWS
        .iter()
        .map(|(word, name)| view(word, count(*name), name));
    std::iter::once(view("By clock", None, ""))
        .chain(all)
        .collect()
}

fn row(visit: &Visit, window: &Window) -> WorkRow {
    let open = window.closed_at.is_none();
    WorkRow {
        id: window.id,
        clock: Clock {
            now: visit.now,
            opened: window.opened_at,
            due: window.due_at,
            closed: window.closed_at,
        },
        module: window.title.clone(),
        site_id: window.site_id,
        site: window.site.clone(),
        client: client(&window.organization, &window.environment),
        versions: Versions::new(
            window.installed.as_deref(),
            window.fixed_in.first().map(String::as_str),
        ),
        hurdle: open.then(|| hurdle(window)).flatten(),
        risk: Risk::from_word(window.risk.as_deref()),
        assignee: window
            .assignee
            .as_ref()
            .map(|person| person.name.clone())
            .unwrap_or_default(),
        seen: window.acknowledged_at.is_some(),
        snoozed: window.snoozed(visit.now).filter(|_| open),
        unproven_since: window.unproven_since.filter(|_| open),
    }
}

/// "needs core 10.3.0, site has 10.2.8".
fn hurdle(window: &Window) -> Option<String> {
    if window.no_fix {
        return Some("no fix yet".to_owned());
    }
    let need = window.needs_core.as_ref()?;
    let wanted = need.core_to.as_ref().unwrap_or(&need.constraint);
    let has = window.site_core.as_deref().unwrap_or("another");
    Some(format!("needs core {wanted}, site has {has}"))
}

fn steps(window: &Window) -> (Vec<String>, Option<String>) {
    let Some(release) = window.fixed_in.first().filter(|_| !window.no_fix) else {
        return (Vec::new(), None);
    };
    let mut raises = Vec::new();
    let mut steps = Vec::new();
    let release = window
        .needs_core
        .as_ref()
        .map_or(release, |need| &need.release);
    match window.needs_core.as_ref().map(|need| (need, &need.core_to)) {
        Some((_, Some(core))) => {
            let has = window.site_core.as_deref().unwrap_or("its version");
            steps.push(format!("Raise core from {has} to {core}"));
            raises.push((None, "drupal".to_owned(), core.clone()));
        }
        Some((need, None)) => {
            steps.push(format!(
                "{release} needs core {}, and no supported version above the site's is one of them: replace the module, or remove it",
                need.constraint
            ));
            return (steps, None);
        }
        None => {}
    }
    steps.push(format!("Raise {} to {release}", window.title));
    steps.push("Let the site report: its inventory closes this".to_owned());
    raises.push((None, window.module.clone(), release.clone()));
    (steps, composer_command(&raises))
}

async fn show(visit: &Visit, errors: Vec<(String, String)>) -> Result<Reply> {
    let (app, actor, id) = (&visit.app, visit.actor()?, visit.id()?);
    let window = exposures::find(app, actor, id).await?;
    let writes = actor.require_in(Permission::SitesWrite, window.organization_id);
    let may_act = window.closed_at.is_none() && writes.is_ok();
    let has = window.assignee.as_ref().map(|person| person.id);
    let chosen = has.map(|id| id.to_string()).unwrap_or_default();
    let people = if may_act {
        in_hand::people(app, actor, id).await?
    } else {
        Vec::new()
    };
    let me = match actor {
        Actor::Person { user_id, .. } => Some(*user_id).filter(|me| may_act && has != Some(*me)),
        _ => None,
    };
    let everything = [("per_page", "200"), ("sort", "-at")];
    let told = Query::parse(&EVENTS, everything).map_err(Error::Invalid)?;
    let told = clocks::events(app, actor, id, &told).await?.rows;
    let marks = clocks::quarters(app, actor, id).await?;
    let acts = told.iter().filter(|told| told.by.is_some());
    let life = Life {
        now: visit.now,
        opened: window.opened_at,
        marks: quarters(&marks).collect(),
        due: window.due_at,
        closed: window.closed_at,
        gone: matches!(window.state(visit.now), "withdrawn" | "ended"),
        acts: acts.map(|told| told.at).collect(),
    };
    let (steps, command) = steps(&window);
    let status = if errors.is_empty() { 200 } else { 422 };
    let gone = named_sites::deleted(app, actor, Permission::SitesRead, &[window.site_id]).await?;
    let page = ExposurePage {
        site_deleted: gone.contains(&window.site_id),
        shell: visit
            .shell(&format!("{} on {}", window.title, window.site))
            .await?,
        row: row(visit, &window),
        life: charts::life(&life, &lived(&window, visit)),
        marks: quarters(&marks).collect(),
        module_id: window.module_id,
        state: window.state(visit.now),
        cause: match window.cause.kind {
            CauseKind::Release => format!("{} is a security release", window.cause.id),
            CauseKind::Advisory => format!("{} names the version", window.cause.id),
            CauseKind::Project => "drupal.org calls the version insecure".to_owned(),
        },
        advisories: Advisories::all(&window.advisories),
        published: window.published_at,
        known: window.known_at,
        no_fix: window
            .no_fix
            .then(|| words::until_fixed(window.module == "drupal")),
        steps: if window.closed_at.is_none() {
            steps
        } else {
            Vec::new()
        },
        command: command.filter(|_| window.closed_at.is_none()),
        snooze_reason: window.snooze_reason.clone().unwrap_or_default(),
        acknowledged_at: window.acknowledged_at,
        patch_run: window.closed_by_patch_run_id,
        told: told
            .into_iter()
            .map(|told| {
                let (said, note) = said(visit.now, &told.kind, &told.note);
                ToldRow {
                    at: told.at,
                    said,
                    by: told.by.unwrap_or_default(),
                    note,
                }
            })
            .collect(),
        may_act,
        people: people
            .into_iter()
            .map(|(id, name)| Choice::new(id.to_string(), name, &chosen))
            .collect(),
        me,
        spans: SPANS
            .iter()
            .map(|(hours, word)| Choice::new(hours.to_string(), *word, visit.field("hours")))
            .collect(),
        typed: Typed {
            note: visit.field("note").to_owned(),
            reason: visit.field("reason").to_owned(),
        },
        errors,
    };
    Ok(Reply::page(&page)?.status(status))
}

/// The instants at which half and three quarters of the time have passed, and what a chart calls them.
fn quarters(
    marks: &[(&'static str, Timestamp)],
) -> impl Iterator<Item = (Timestamp, &'static str)> {
    marks.iter().filter_map(|(kind, at)| match *kind {
        "half" => Some((*at, "half")),
        "three_quarters" => Some((*at, "three quarters")),
        _ => None,
    })
}

/// The window in a sentence, for whoever doesn't see the chart.
fn lived(window: &Window, visit: &Visit) -> String {
    let day = |at| words::moment(visit.now, at);
    let due = window.due_at.map_or_else(
        || "nothing promised".to_owned(),
        |due| format!("due {}", day(due)),
    );
    let end = window.closed_at.map_or_else(
        || "still open".to_owned(),
        |closed| format!("closed {}", day(closed)),
    );
    format!("Opened {}, {due}, {end}.", day(window.opened_at))
}

/// What happened, in words, and the note beside it.
fn said(now: Timestamp, kind: &str, note: &str) -> (String, String) {
    let words = match kind {
        "assigned" if note.is_empty() => "Given to nobody".to_owned(),
        "assigned" => return (format!("Given to {note}"), String::new()),
        "acknowledged" => "Acknowledged".to_owned(),
        "snoozed" => {
            let told = note.strip_prefix("until ").and_then(|rest| {
                let (until, reason) = rest.split_once(": ")?;
                let until = words::moment(now, until.parse().ok()?);
                Some((format!("Snoozed until {until}"), reason.to_owned()))
            });
            return told.unwrap_or_else(|| ("Snoozed".to_owned(), note.to_owned()));
        }
        "woken" => "Taken up again".to_owned(),
        "half" => "Half of the time has passed".to_owned(),
        "three_quarters" => "Three quarters of the time have passed".to_owned(),
        "due" => "It was due".to_owned(),
        other => words::sentence(&other.replace('_', " ")),
    };
    (words, note.to_owned())
}

/// Hours as they were sent.
fn span(text: &str) -> Option<SignedDuration> {
    let hours = text.trim().parse::<i64>().ok()?;
    (0..=100_000)
        .contains(&hours)
        .then(|| SignedDuration::from_hours(hours))
}

/// Does it with all open exposures of the module on the site, while the one that the form names is open.
async fn act(visit: Visit, what: &str) -> Result<Reply> {
    let (app, actor, id) = (&visit.app, visit.actor()?, visit.id()?);
    let meanwhile = || {
        Reply::go(format!("/exposures/{id}")).saying("It closed meanwhile: nothing was changed.")
    };
    let all = match in_hand::beside(app, actor, id).await {
        Err(Error::Conflict { .. }) => return Ok(meanwhile()),
        found => found?,
    };
    let mut saying = "";
    for one in all {
        let done = match what {
            "assign" => {
                saying = "It is in another hand now.";
                let user = match visit.field("user_id") {
                    "" => None,
                    text => Some(text.parse().unwrap_or(0)),
                };
                in_hand::assign(app, actor, one, user).await
            }
            "acknowledge" => {
                saying = "It is acknowledged.";
                in_hand::acknowledge(app, actor, one, visit.field("note")).await
            }
            _ => {
                let Some(hours) = span(visit.field("hours")) else {
                    let wrong = "Choose for how long, in hours, or 0 to take it up again.";
                    return show(&visit, vec![("until".to_owned(), wrong.to_owned())]).await;
                };
                saying = if hours.is_zero() {
                    "It is taken up again."
                } else {
                    "It is snoozed. It stays open, due and counted."
                };
                let until = visit.now.checked_add(hours).unwrap_or(visit.now);
                let until = (!hours.is_zero()).then(|| words::machine(until));
                in_hand::snooze(app, actor, one, until.as_deref(), visit.field("reason")).await
            }
        };
        match done {
            Ok(_) => {}
            Err(Error::Invalid(faults)) => return show(&visit, by_field(&faults)).await,
            Err(Error::Conflict { .. }) if one == id => return Ok(meanwhile()),
            // Another one closed meanwhile: there is nothing to do with it.
            Err(Error::Conflict { .. }) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(Reply::go(format!("/exposures/{id}")).saying(saying))
}
