//! Syncs: taking a site's inventory, and reading what was taken.

use serde::Serialize;
use utoipa::ToSchema;

use super::{maybe_written, written};
use crate::domain::history::{SYNCS, Sync};
use crate::http::call::{Answer, Call};
use crate::http::route::{Gives, Operation, Takes, schema_of};
use crate::services::sync::{Receipt, Source, Update};
use crate::services::{Result, audit, history, sync};

/// Bytes of an inventory, at most.
const INVENTORY: usize = 8 << 20;

/// An accepted inventory that differed from the one before.
#[derive(Debug, Serialize, ToSchema)]
pub struct SyncOut {
    id: i64,
    site_id: i64,
    #[schema(format = DateTime)]
    received_at: String,
    #[schema(format = DateTime)]
    generated_at: String,
    /// Who made it.
    agent: String,
    /// `inventory` or `composer-lock`.
    source: String,
    counts: SyncCounts,
    patch_run_id: Option<i64>,
}

/// What a sync changed; every project counts, custom and disabled too.
#[derive(Debug, Serialize, ToSchema)]
pub struct SyncCounts {
    total: i64,
    added: i64,
    updated: i64,
    downgraded: i64,
    removed: i64,
    unchanged: i64,
}

impl From<Sync> for SyncOut {
    fn from(sync: Sync) -> Self {
        Self {
            id: sync.id,
            site_id: sync.site_id,
            received_at: written(sync.received_at),
            generated_at: written(sync.generated_at),
            agent: sync.agent,
            source: sync.source,
            counts: SyncCounts {
                total: sync.total,
                added: sync.added,
                updated: sync.updated,
                downgraded: sync.downgraded,
                removed: sync.removed,
                unchanged: sync.unchanged,
            },
            patch_run_id: sync.patch_run_id,
        }
    }
}

/// What a site is told about its sync.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReceiptOut {
    /// The sync, or the one that this confirms.
    sync_id: i64,
    site_id: i64,
    #[schema(format = DateTime)]
    received_at: String,
    counts: ReceiptCounts,
    patch_run_id: Option<i64>,
    security: SecurityOut,
    /// When the site is expected to sync next.
    #[schema(format = DateTime)]
    next_sync_before: String,
}

/// What a sync changed, and what cannot be judged.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReceiptCounts {
    total: i64,
    added: i64,
    updated: i64,
    downgraded: i64,
    removed: i64,
    unchanged: i64,
    /// Of what counts on the site: can't be judged.
    unknown: i64,
}

/// How a site stands after its sync.
#[derive(Debug, Serialize, ToSchema)]
pub struct SecurityOut {
    status: &'static str,
    /// Modules with an open exposure.
    open_exposures: i64,
    /// What to update, most urgent first.
    updates: Vec<UpdateOut>,
}

/// One module to update for security.
#[derive(Debug, Serialize, ToSchema)]
pub struct UpdateOut {
    module: String,
    installed: Option<String>,
    recommended: Option<String>,
    fixed_in: Vec<String>,
    advisories: Vec<String>,
    #[schema(format = DateTime)]
    due_at: Option<String>,
}

impl From<Update> for UpdateOut {
    fn from(update: Update) -> Self {
        Self {
            module: update.module,
            installed: update.installed,
            recommended: update.recommended,
            fixed_in: update.fixed_in,
            advisories: update.advisories,
            due_at: maybe_written(update.due_at),
        }
    }
}

impl From<Receipt> for ReceiptOut {
    fn from(receipt: Receipt) -> Self {
        Self {
            sync_id: receipt.sync_id,
            site_id: receipt.site_id,
            received_at: written(receipt.received_at),
            counts: ReceiptCounts {
                total: receipt.counts.total,
                added: receipt.counts.added,
                updated: receipt.counts.updated,
                downgraded: receipt.counts.downgraded,
                removed: receipt.counts.removed,
                unchanged: receipt.counts.unchanged,
                unknown: receipt.unknown,
            },
            patch_run_id: receipt.patch_run_id,
            security: SecurityOut {
                status: receipt.status.word(),
                open_exposures: receipt.open_exposures,
                updates: receipt.updates.into_iter().map(UpdateOut::from).collect(),
            },
            next_sync_before: written(receipt.next_sync_before),
        }
    }
}

/// The whole inventory of a site. Fields that aren't known are ignored.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct InventoryIn {
    /// 1.
    schema: i64,
    /// When the site made it; the time received by default.
    #[schema(format = DateTime)]
    generated_at: Option<String>,
    agent: Option<AgentIn>,
    site: Option<InstallationIn>,
    /// All that is installed: what it no longer names has been removed.
    #[schema(max_items = 5000)]
    modules: Vec<EntryIn>,
}

/// The program that made an inventory.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct AgentIn {
    name: Option<String>,
    version: Option<String>,
}

/// The installation that an inventory is of.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct InstallationIn {
    name: Option<String>,
    url: Option<String>,
    /// A hash of host and document root.
    instance: Option<String>,
    /// Information; core is judged by the entry `drupal` of type `core`.
    drupal_version: Option<String>,
    php_version: Option<String>,
    install_profile: Option<String>,
    database: Option<DatabaseIn>,
    #[schema(format = DateTime)]
    cron_last_run: Option<String>,
    status_report: Option<StatusReportIn>,
}

/// The database of an installation.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct DatabaseIn {
    /// `mysql`, `pgsql` or `sqlite`.
    driver: Option<String>,
    version: Option<String>,
}

/// What Drupal's own status report counts.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct StatusReportIn {
    errors: Option<i64>,
    warnings: Option<i64>,
}

/// One entry of an inventory.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct EntryIn {
    /// drupal.org's short name of the project, or of a component where `project` is given.
    name: String,
    title: Option<String>,
    /// `core`, `module` (the default), `theme`, `profile` or `library`.
    #[schema(rename = "type")]
    kind: Option<String>,
    /// Any text of at most 64 characters, or null.
    version: Option<String>,
    /// True by default.
    enabled: Option<bool>,
    /// The date of the package, Unix seconds.
    datestamp: Option<i64>,
    /// Its Composer name.
    composer: Option<String>,
    components: Option<Vec<String>>,
    /// The project that it is a component of.
    project: Option<String>,
    /// Code that drupal.org doesn't know.
    custom: Option<bool>,
}

/// A raw `composer.lock`. Only what is named here is read; credentials in it are never kept.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct ComposerLockIn {
    packages: Vec<PackageIn>,
    /// Counted like the rest: a lock can't tell whether they were left out.
    #[schema(rename = "packages-dev")]
    packages_dev: Option<Vec<PackageIn>>,
}

/// One package of a `composer.lock`.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct PackageIn {
    name: String,
    /// At most 64 characters; one that is longer isn't kept: the version is then null, which is never called fine.
    version: String,
    /// Decides what it is: `drupal-core`, `drupal-module`, ... Custom code has its short name, unless another package has it too:
    /// then it is listed under its Composer name, with the type `library`.
    #[schema(rename = "type")]
    kind: Option<String>,
    /// drupal.org's own version and date stand in `drupal.version` and `drupal.datestamp`.
    extra: Option<serde_json::Value>,
}

/// `POST /sites/{id}/modules/sync`.
pub const RECEIVE: Operation = Operation {
    name: "sync_site",
    summary: "Send the whole inventory of a site",
    takes: Takes::Large(schema_of::<InventoryIn>, INVENTORY),
    gives: Gives::One(schema_of::<ReceiptOut>),
    handler: |call| Box::pin(receive(call, Source::Inventory)),
};

/// `POST /sites/{id}/composer-lock`.
pub const RECEIVE_LOCK: Operation = Operation {
    name: "sync_site_from_composer_lock",
    summary: "Send the composer.lock of a site as its inventory",
    takes: Takes::Large(schema_of::<ComposerLockIn>, INVENTORY),
    gives: Gives::One(schema_of::<ReceiptOut>),
    handler: |call| Box::pin(receive(call, Source::ComposerLock)),
};

/// `GET /sites/{id}/syncs`.
pub const LIST: Operation = Operation {
    name: "list_syncs",
    summary: "The syncs of a site that changed something, newest first",
    takes: Takes::Nothing,
    gives: Gives::Page(&SYNCS, schema_of::<SyncOut>),
    handler: |call| Box::pin(list(call)),
};

/// `GET /sites/{id}/syncs/{sync_id}`.
pub const SHOW: Operation = Operation {
    name: "show_sync",
    summary: "One sync of a site",
    takes: Takes::Nothing,
    gives: Gives::One(schema_of::<SyncOut>),
    handler: |call| Box::pin(show(call)),
};

async fn receive(mut call: Call, source: Source) -> Result<Answer> {
    let body = call.large();
    let address = audit::shown(call.address);
    let receipt = sync::receive(
        &call.app,
        call.actor()?,
        call.id()?,
        source,
        &body,
        &address,
    )
    .await?;
    let site = format!("/api/v1/sites/{}", receipt.site_id);
    let own = format!("{site}/syncs/{}", receipt.sync_id);
    Ok(Answer::one(&ReceiptOut::from(receipt))?
        .located(own)
        .link("site", site))
}

async fn list(call: Call) -> Result<Answer> {
    let page = history::syncs(&call.app, call.actor()?, call.id()?, call.query()?).await?;
    Answer::page::<_, SyncOut>(&SYNCS, page)
}

async fn show(call: Call) -> Result<Answer> {
    let found = history::sync(&call.app, call.actor()?, call.id()?, call.second_id()?).await?;
    let site = format!("/api/v1/sites/{}", found.site_id);
    Ok(Answer::one(&SyncOut::from(found))?.link("site", site))
}
