//! `/sites`, but for what stands under one of them.

use serde::Serialize;
use utoipa::ToSchema;

use super::{maybe_written, written};
use crate::domain::site::{LIST as FIELDS, Site, SiteForm};
use crate::http::call::{Answer, Call};
use crate::http::fields::Fields;
use crate::http::route::{Gives, Operation, Takes, schema_of};
use crate::services::{Result, sites};

/// A site.
#[derive(Debug, Serialize, ToSchema)]
pub struct SiteOut {
    id: i64,
    name: String,
    url: String,
    organization_id: i64,
    /// Its organization's name.
    organization: String,
    /// `production`, `staging` or `development`.
    environment: String,
    tags: Vec<String>,
    /// The worst of what counts on it.
    status: &'static str,
    /// Why, where the word alone doesn't say.
    status_reason: Option<String>,
    /// The last contact is older than two of its intervals and 10 minutes.
    silent: bool,
    #[schema(format = DateTime)]
    silent_since: Option<String>,
    /// The oldest answer of drupal.org that the status stands on.
    #[schema(format = DateTime)]
    data_as_of: Option<String>,
    drupal_version: Option<String>,
    php_version: Option<String>,
    sync_interval_minutes: i64,
    #[schema(format = DateTime)]
    last_sync_at: Option<String>,
    counts: SiteCounts,
    /// Modules with an open exposure.
    open_exposures: i64,
    #[schema(format = DateTime)]
    next_due_at: Option<String>,
    notes: String,
    /// Another installation used this site's key, and nobody has said yet what it is.
    different_installation: Option<DifferentInstallation>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
}

/// What is counted on a site.
#[derive(Debug, Serialize, ToSchema)]
pub struct SiteCounts {
    /// Every project, custom and disabled too.
    total: i64,
    /// Of what counts: a newer release is available.
    not_current: i64,
    /// Of what counts: exposed or not secure.
    security: i64,
    /// Of what counts: can't be judged.
    unknown: i64,
    custom: i64,
    disabled: i64,
}

/// Another installation that used a site's key.
#[derive(Debug, Serialize, ToSchema)]
pub struct DifferentInstallation {
    /// When, the last time.
    #[schema(format = DateTime)]
    at: String,
    /// The address that it gave.
    url: Option<String>,
}

impl From<Site> for SiteOut {
    fn from(site: Site) -> Self {
        Self {
            id: site.id,
            name: site.name,
            url: site.url,
            organization_id: site.organization_id,
            organization: site.organization,
            environment: site.environment,
            tags: site.tags,
            status: site.status.word(),
            status_reason: site.status_reason,
            silent: site.silent_since.is_some(),
            silent_since: maybe_written(site.silent_since),
            data_as_of: maybe_written(site.data_as_of),
            drupal_version: site.drupal_version,
            php_version: site.php_version,
            sync_interval_minutes: site.sync_interval_minutes,
            last_sync_at: maybe_written(site.last_sync_at),
            counts: SiteCounts {
                total: site.counts.total,
                not_current: site.counts.not_current,
                security: site.counts.security,
                unknown: site.counts.unknown,
                custom: site.counts.custom,
                disabled: site.counts.disabled,
            },
            open_exposures: site.open_exposures,
            next_due_at: maybe_written(site.next_due_at),
            notes: site.notes,
            different_installation: site.stranger.map(|stranger| DifferentInstallation {
                at: written(stranger.at),
                url: stranger.url,
            }),
            created_at: written(site.created_at),
            updated_at: written(site.updated_at),
        }
    }
}

/// What can be sent of a site; in a change, what isn't sent stays.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct SiteIn {
    /// 1 to 120 characters. Required when it is made.
    #[schema(min_length = 1, max_length = 120)]
    name: Option<String>,
    /// An http or https address of at most 2,000 characters. Required when it is made.
    #[schema(max_length = 2000)]
    url: Option<String>,
    /// Whose it is; cannot be changed. A key of one organization need not say it.
    organization_id: Option<i64>,
    /// `production` (the default), `staging` or `development`.
    environment: Option<String>,
    /// At most 50, each of 1 to 50 characters without a comma.
    #[schema(max_items = 50)]
    tags: Option<Vec<String>>,
    /// 5 to 10,080; 60 by default.
    #[schema(minimum = 5, maximum = 10080)]
    sync_interval_minutes: Option<i64>,
    /// At most 4,000 characters.
    #[schema(max_length = 4000)]
    notes: Option<String>,
}

/// `GET /sites`.
pub const LIST: Operation = Operation {
    name: "list_sites",
    summary: "The sites in sight",
    takes: Takes::Nothing,
    gives: Gives::Page(&FIELDS, schema_of::<SiteOut>),
    handler: |call| Box::pin(list(call)),
};

/// `POST /sites`.
pub const CREATE: Operation = Operation {
    name: "create_site",
    summary: "Make a site, that waits for its first sync",
    takes: Takes::Json(schema_of::<SiteIn>),
    gives: Gives::Created(schema_of::<SiteOut>),
    handler: |call| Box::pin(create(call)),
};

/// `GET /sites/{id}`.
pub const SHOW: Operation = Operation {
    name: "show_site",
    summary: "One site with its status and counters",
    takes: Takes::Nothing,
    gives: Gives::One(schema_of::<SiteOut>),
    handler: |call| Box::pin(show(call)),
};

/// `PUT /sites/{id}`.
pub const UPDATE: Operation = Operation {
    name: "update_site",
    summary: "Change a site; what isn't sent stays",
    takes: Takes::Json(schema_of::<SiteIn>),
    gives: Gives::One(schema_of::<SiteOut>),
    handler: |call| Box::pin(update(call)),
};

/// `DELETE /sites/{id}`.
pub const DELETE: Operation = Operation {
    name: "delete_site",
    summary: "Delete a site softly, with its keys; its open exposures end",
    takes: Takes::Nothing,
    gives: Gives::Nothing,
    handler: |call| Box::pin(delete(call)),
};

/// `POST /sites/{id}/restore`.
pub const RESTORE: Operation = Operation {
    name: "restore_site",
    summary: "Bring a deleted site back, with the keys and exposures that its deletion ended",
    takes: Takes::Nothing,
    gives: Gives::One(schema_of::<SiteOut>),
    handler: |call| Box::pin(restore(call)),
};

async fn list(call: Call) -> Result<Answer> {
    let page = sites::list(&call.app, call.actor()?, call.query()?).await?;
    Answer::page::<_, SiteOut>(&FIELDS, page)
}

async fn create(mut call: Call) -> Result<Answer> {
    let (organization, form) = form(call.fields());
    let made = sites::create(&call.app, call.actor()?, organization, &form).await?;
    let location = format!("/api/v1/sites/{}", made.id);
    Answer::created(location, &SiteOut::from(made))
}

async fn show(call: Call) -> Result<Answer> {
    let found = sites::find(&call.app, call.actor()?, call.id()?).await?;
    Answer::one(&SiteOut::from(found))
}

async fn update(mut call: Call) -> Result<Answer> {
    let (organization, form) = form(call.fields());
    let changed = sites::update(&call.app, call.actor()?, call.id()?, organization, form).await?;
    Answer::one(&SiteOut::from(changed))
}

async fn delete(call: Call) -> Result<Answer> {
    sites::delete(&call.app, call.actor()?, call.id()?).await?;
    Ok(Answer::Nothing)
}

async fn restore(call: Call) -> Result<Answer> {
    let restored = sites::restore(&call.app, call.actor()?, call.id()?).await?;
    Answer::one(&SiteOut::from(restored))
}

fn form(mut fields: Fields) -> (Option<i64>, SiteForm) {
    let organization = fields.integer("organization_id");
    let form = SiteForm {
        name: fields.text("name"),
        url: fields.text("url"),
        environment: fields.text("environment"),
        tags: fields.texts("tags"),
        sync_interval_minutes: fields.integer("sync_interval_minutes"),
        notes: fields.text("notes"),
        unreadable: fields.faults(),
    };
    (organization, form)
}
