//! `/organizations/{id}/sla-policy`: what an organization promises, by environment and risk.

use serde::Serialize;
use utoipa::ToSchema;

use super::written;
use crate::domain::exposure::Risk;
use crate::domain::site::ENVIRONMENTS;
use crate::domain::sla::Terms;
use crate::domain::sla_form::{PolicyForm, TermsForm};
use crate::http::call::{Answer, Call};
use crate::http::fields::Fields;
use crate::http::route::{Gives, Operation, Takes, schema_of};
use crate::services::Result;
use crate::services::sla::{self, Version};

/// Hours from opened to closed, by risk. An unknown risk counts as moderately critical.
#[derive(Debug, Serialize, ToSchema)]
pub struct SlaHoursOut {
    highly_critical: u32,
    critical: u32,
    moderately_critical: u32,
    less_critical: u32,
    not_critical: u32,
}

/// What is promised for the sites of one environment.
#[derive(Debug, Serialize, ToSchema)]
pub struct SlaTermsOut {
    /// `calendar` (every hour counts), `business` (Monday to Friday from 9:00 to 17:00 in the policy's time
    /// zone, but on holidays), or `none` (nothing is promised: no due time, in no compliance figure).
    calendar: &'static str,
    hours: SlaHoursOut,
}

/// What is promised, by environment.
#[derive(Debug, Serialize, ToSchema)]
pub struct SlaEnvironmentsOut {
    production: SlaTermsOut,
    staging: SlaTermsOut,
    development: SlaTermsOut,
}

/// What an organization promises: its own policy, or what holds where an organization has none.
#[derive(Debug, Serialize, ToSchema)]
pub struct SlaPolicyOut {
    environments: SlaEnvironmentsOut,
    /// Where business hours are counted.
    time_zone: String,
    /// Days without business hours.
    holidays: Vec<String>,
    /// Windows that open from then on are due by it; what opened before stays due by what held then.
    #[schema(format = DateTime)]
    valid_from: String,
}

impl From<&Terms> for SlaTermsOut {
    fn from(terms: &Terms) -> Self {
        let hours = &terms.hours;
        Self {
            calendar: terms.calendar.word(),
            hours: SlaHoursOut {
                highly_critical: hours.highly_critical,
                critical: hours.critical,
                moderately_critical: hours.moderately_critical,
                less_critical: hours.less_critical,
                not_critical: hours.not_critical,
            },
        }
    }
}

impl From<Version> for SlaPolicyOut {
    fn from(version: Version) -> Self {
        let (environments, office) = (version.policy.environments, version.policy.office);
        Self {
            environments: SlaEnvironmentsOut {
                production: (&environments.production).into(),
                staging: (&environments.staging).into(),
                development: (&environments.development).into(),
            },
            time_zone: office.zone.iana_name().unwrap_or("UTC").to_owned(),
            holidays: office.holidays.iter().map(ToString::to_string).collect(),
            valid_from: written(version.valid_from),
        }
    }
}

/// Hours that can be sent; what isn't sent stays.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct SlaHoursIn {
    #[schema(minimum = 1, maximum = 8760)]
    highly_critical: Option<i64>,
    #[schema(minimum = 1, maximum = 8760)]
    critical: Option<i64>,
    #[schema(minimum = 1, maximum = 8760)]
    moderately_critical: Option<i64>,
    #[schema(minimum = 1, maximum = 8760)]
    less_critical: Option<i64>,
    #[schema(minimum = 1, maximum = 8760)]
    not_critical: Option<i64>,
}

/// Terms that can be sent; what isn't sent stays.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct SlaTermsIn {
    /// `calendar`, `business` or `none`.
    calendar: Option<String>,
    hours: Option<SlaHoursIn>,
}

/// Terms by environment; what isn't sent stays.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct SlaEnvironmentsIn {
    production: Option<SlaTermsIn>,
    staging: Option<SlaTermsIn>,
    development: Option<SlaTermsIn>,
}

/// What can be sent of a policy; what isn't sent stays.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct SlaPolicyIn {
    environments: Option<SlaEnvironmentsIn>,
    /// The name of a time zone, such as `Europe/Vienna`.
    time_zone: Option<String>,
    /// Days such as `2026-12-25`, at most 500.
    #[schema(max_items = 500)]
    holidays: Option<Vec<String>>,
    /// Can't be chosen: left out, or as it was given.
    #[schema(format = DateTime)]
    valid_from: Option<String>,
}

/// `GET /organizations/{id}/sla-policy`.
pub const SHOW: Operation = Operation {
    name: "show_sla_policy",
    summary: "What an organization promises: hours to patch by environment and risk",
    takes: Takes::Nothing,
    gives: Gives::One(schema_of::<SlaPolicyOut>),
    handler: |call| Box::pin(show(call)),
};

/// `PUT /organizations/{id}/sla-policy`.
pub const UPDATE: Operation = Operation {
    name: "update_sla_policy",
    summary: "Change what an organization promises for windows that open from now on; what opened before stays due as it is; what isn't sent stays",
    takes: Takes::Json(schema_of::<SlaPolicyIn>),
    gives: Gives::One(schema_of::<SlaPolicyOut>),
    handler: |call| Box::pin(update(call)),
};

async fn show(call: Call) -> Result<Answer> {
    let found = sla::find(&call.app, call.actor()?, call.id()?).await?;
    Answer::one(&SlaPolicyOut::from(found))
}

async fn update(mut call: Call) -> Result<Answer> {
    let form = form(call.fields());
    let changed = sla::change(&call.app, call.actor()?, call.id()?, form).await?;
    Answer::one(&SlaPolicyOut::from(changed))
}

fn form(mut fields: Fields) -> PolicyForm {
    let mut sent = fields.object("environments");
    let environments = ENVIRONMENTS.map(|environment| {
        let mut terms = sent.object(environment);
        let calendar = terms.text("calendar");
        let mut by_risk = terms.object("hours");
        let hours = Risk::WORST_FIRST.map(|risk| by_risk.integer(risk.word()));
        terms.close("hours", by_risk);
        sent.close(environment, terms);
        TermsForm { calendar, hours }
    });
    fields.close("environments", sent);
    PolicyForm {
        environments,
        time_zone: fields.text("time_zone"),
        holidays: fields.texts("holidays"),
        valid_from: fields.text("valid_from"),
        unreadable: fields.faults(),
    }
}
