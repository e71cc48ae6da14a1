//! What an organization promises: by environment and risk, since when, and how to change it.

use super::view::fleet::Choice;
use super::view::sla::{CalendarCell, HoursCell, RiskRow, SlaPage, VersionRow};
use super::visit::{Handler, Reply, Visit};
use super::words;
use crate::domain::access::Permission;
use crate::domain::exposure::Risk;
use crate::domain::fault::Fault;
use crate::domain::site::ENVIRONMENTS;
use crate::domain::sla::{Calendar, Policy, Terms};
use crate::domain::sla_form::{PolicyForm, TermsForm, time_zones};
use crate::services::sla::{self, Version};
use crate::services::{Error, Result, organizations};

/// `GET /organizations/{id}/sla`.
pub const SHOW: Handler = |visit| Box::pin(show(visit));
/// `POST /organizations/{id}/sla`.
pub const UPDATE: Handler = |visit| Box::pin(update(visit));

async fn show(visit: Visit) -> Result<Reply> {
    page(&visit, Vec::new()).await
}

async fn update(visit: Visit) -> Result<Reply> {
    let id = visit.id()?;
    match sla::change(&visit.app, visit.actor()?, id, form(&visit)).await {
        Ok(_) => {
            let said = "Saved. Windows that open from now on are due by it.";
            Ok(Reply::go(format!("/organizations/{id}/sla")).saying(said))
        }
        Err(Error::Invalid(faults)) => {
            let faults = faults.iter().map(at_field).collect();
            Ok(page(&visit, faults).await?.status(422))
        }
        Err(other) => Err(other),
    }
}

/// The name of the field for one risk in one environment.
fn field(environment: &str, what: &str) -> String {
    format!("{environment}_{what}")
}

fn form(visit: &Visit) -> PolicyForm {
    let mut unreadable = Vec::new();
    let environments = ENVIRONMENTS.map(|environment| TermsForm {
        calendar: sent(visit, &field(environment, "calendar")).map(str::to_owned),
        hours: Risk::WORST_FIRST.map(|risk| {
            let text = sent(visit, &field(environment, risk.word()))?.trim();
            let hours = text.parse::<i64>();
            if hours.is_err() {
                let pointer = format!("/environments/{environment}/hours/{}", risk.word());
                unreadable.push(Fault::new(pointer, "wrong_type", "takes a whole number."));
            }
            hours.ok()
        }),
    });
    PolicyForm {
        environments,
        time_zone: sent(visit, "time_zone").map(str::to_owned),
        holidays: sent(visit, "holidays").map(|lines| {
            let days = lines.split([' ', ',', '\n', '\r', '\t']);
            days.filter(|day| !day.is_empty())
                .map(str::to_owned)
                .collect()
        }),
        valid_from: None,
        unreadable,
    }
}

/// What was sent; a field that wasn't says nothing.
fn sent<'a>(visit: &'a Visit, name: &str) -> Option<&'a str> {
    let found = visit.form.iter().find(|(field, _)| field == name);
    found.map(|(_, value)| value.as_str())
}

/// What is wrong, at the field that the page shows for it.
fn at_field(fault: &Fault) -> (String, String) {
    let parts: Vec<&str> = fault.pointer.split('/').skip(1).collect();
    match parts.as_slice() {
        ["environments", environment, "hours", risk] => (
            field(environment, risk),
            format!(
                "{}, {}: {}",
                words::sentence(environment),
                plain(risk),
                fault.detail
            ),
        ),
        ["environments", environment, what] => (
            field(environment, what),
            format!("{}: {}", words::sentence(environment), fault.detail),
        ),
        ["holidays", ..] => ("holidays".to_owned(), format!("Each {}", fault.detail)),
        [first, ..] => ((*first).to_owned(), fault.detail.clone()),
        [] => (String::new(), fault.detail.clone()),
    }
}

fn plain(word: &str) -> String {
    word.replace('_', " ")
}

async fn page(visit: &Visit, faults: Vec<(String, String)>) -> Result<Reply> {
    let actor = visit.actor()?;
    let organization = organizations::find(&visit.app, actor, visit.id()?).await?;
    let versions = sla::versions(&visit.app, actor, organization.id).await?;
    let newest = sla::find(&visit.app, actor, organization.id).await?.policy;
    // What was typed stays where something is wrong with it.
    let typed = |name: &str, known: String| match sent(visit, name) {
        Some(text) if !faults.is_empty() => text.to_owned(),
        _ => known,
    };
    let calendars = ENVIRONMENTS.map(|environment| {
        let known = newest.environments.of(environment).calendar;
        let chosen = typed(&field(environment, "calendar"), known.word().to_owned());
        CalendarCell {
            environment,
            choices: Calendar::ALL
                .map(|one| Choice::new(one.word(), said_of(one), &chosen))
                .to_vec(),
            word: said_of(known),
        }
    });
    let risks = Risk::WORST_FIRST.map(|risk| RiskRow {
        risk: words::sentence(&plain(risk.word())),
        cells: ENVIRONMENTS
            .map(|environment| {
                let name = field(environment, risk.word());
                let hours = newest.environments.of(environment).hours.of(Some(risk));
                HoursCell {
                    value: typed(&name, hours.to_string()),
                    label: format!("Hours in {environment}, {}", plain(risk.word())),
                    name,
                }
            })
            .to_vec(),
    });
    let holidays: Vec<String> = newest
        .office
        .holidays
        .iter()
        .map(ToString::to_string)
        .collect();
    let zone = newest.office.zone.iana_name().unwrap_or("UTC").to_owned();
    Reply::page(&SlaPage {
        shell: visit
            .shell(&format!("What {} promises", organization.name))
            .await?,
        id: organization.id,
        organization: organization.name,
        calendars: calendars.to_vec(),
        risks: risks.to_vec(),
        time_zone: typed("time_zone", zone),
        zones: time_zones(),
        holidays: typed("holidays", holidays.join("\n")),
        may: actor
            .permissions_in(organization.id)
            .contains(Permission::SettingsManage),
        versions: versions.iter().map(row).collect(),
        faults,
    })
}

fn said_of(calendar: Calendar) -> &'static str {
    match calendar {
        Calendar::Calendar => "Every hour",
        Calendar::Business => "Business hours",
        Calendar::None => "Nothing promised",
    }
}

fn row(version: &Version) -> VersionRow {
    let environments = &version.policy.environments;
    VersionRow {
        from: (version.valid_from > jiff::Timestamp::UNIX_EPOCH).then_some(version.valid_from),
        own: version.organization_id.is_some(),
        terms: ENVIRONMENTS
            .map(|environment| terms(environments.of(environment)))
            .to_vec(),
        office: office(&version.policy),
    }
}

fn terms(terms: &Terms) -> String {
    if terms.calendar == Calendar::None {
        return said_of(Calendar::None).to_owned();
    }
    let hours = Risk::WORST_FIRST.map(|risk| terms.hours.of(Some(risk)).to_string());
    format!("{}: {}", said_of(terms.calendar), hours.join(", "))
}

fn office(policy: &Policy) -> String {
    let zone = policy.office.zone.iana_name().unwrap_or("UTC");
    match policy.office.holidays.len() {
        0 => format!("{zone}, no holidays"),
        days => format!(
            "{zone}, {}",
            words::count(
                u64::try_from(days).unwrap_or(u64::MAX),
                "holiday",
                "holidays"
            )
        ),
    }
}
