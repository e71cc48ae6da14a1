//! The edge: the only room that knows axum. Every route stands on this page: its method, its path,
//! who may call it, what its path names, and out of which budget it is paid. The router, the
//! OpenAPI document and the tests are built from this table.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware;
use axum::routing::any;

use tower_http::compression::CompressionLayer;

use crate::app::App;
use crate::domain::access::Permission as P;
use crate::services;

pub mod api;
pub mod body;
pub mod budgets;
pub mod call;
pub mod csv;
pub mod dispatch;
pub mod edge;
pub mod envelope;
pub mod fields;
pub mod kept;
pub mod openapi;
pub mod pass;
pub mod problem;
pub mod report;
pub mod route;
pub mod server;
pub mod web;

use api::{
    advisories, api_keys, audit_logs, auth, dashboard, events, exposure_events, exposures, health,
    jobs, members, module_versions, modules, notifications, organizations, own_account, patch_runs,
    reports, roles, sessions, site_modules, sites, sla_policies, syncs, two_factors, users,
};
use edge::Edge;
use route::Needs::{May, Person, Platform, Public};
use route::Scope::{Called, Nothing, Of};
use route::{Route, Scope, Tier, delete, get, post, put};
use web::door::{self, Pages};
use web::visit::{Page, look, send};
use web::{
    self as pages, account, assets, audit, catalogue, connect, deleted, entrance, fleet, forgotten,
    import, keys, limits, manual, module, overview, reference, site, site_tabs,
};

const ORGANIZATION: Scope = Of("organization", P::OrganizationsRead, |app, sight, id| {
    services::organizations::seen(app, sight, id)
});
const SITE: Scope = Of("site", P::SitesRead, |app, sight, id| {
    services::sites::seen(app, sight, id).map(drop)
});
const MODULE: Scope = Of("module", P::ModulesRead, |app, sight, id| {
    services::modules::seen(app, sight, id)
});
const ADVISORY: Scope = Called("advisory", P::ModulesRead, |app, sight, id| {
    services::advisories::seen(app, sight, id)
});
const GONE_ORGANIZATION: Scope = Of("organization", P::OrganizationsRead, |app, sight, id| {
    services::organizations::seen_or_gone(app, sight, id)
});
const GONE_SITE: Scope = Of("site", P::SitesRead, |app, sight, id| {
    services::sites::seen_or_gone(app, sight, id)
});
const GONE_MODULE: Scope = Of("module", P::ModulesRead, |app, sight, id| {
    services::modules::seen_or_gone(app, sight, id)
});
const ROLE: Scope = Of("role", P::OrganizationsRead, |app, sight, id| {
    services::roles::seen(app, sight, id)
});
const USER: Scope = Of("user", P::UsersManage, |app, sight, id| {
    services::people::seen(app, sight, id)
});
const GONE_USER: Scope = Of("user", P::UsersManage, |app, sight, id| {
    services::people::seen_or_gone(app, sight, id)
});
const NOTIFICATION: Scope = Of("notification", P::NotificationsManage, |app, sight, id| {
    services::notifications::seen(app, sight, id)
});
const EXPOSURE: Scope = Of("exposure", P::SitesRead, |app, sight, id| {
    services::exposures::seen(app, sight, id)
});
const PATCH_RUN: Scope = Of("patch run", P::SitesRead, |app, sight, id| {
    services::patch_runs::seen(app, sight, id)
});
const API_KEY: Scope = Of("API key", P::ApiKeysManage, |app, sight, id| {
    services::api_keys::seen(app, sight, id)
});

/// The table of the API.
#[rustfmt::skip]
pub fn routes() -> Vec<Route> {
    vec![
        get("/healthz", Public, Nothing, health::LIVE).tier(Tier::Free),
        get("/readyz",  Public, Nothing, health::READY).tier(Tier::Free),
        get("/openapi.json", Public, Nothing, openapi::SHOW),
        get("/postman.json", Public, Nothing, openapi::postman::SHOW),

        post("/auth/login",   Public, Nothing, auth::LOGIN).tier(Tier::Auth),
        post("/auth/refresh", Public, Nothing, auth::REFRESH).tier(Tier::Auth),
        post("/auth/logout",  Person, Nothing, auth::LOGOUT),
        get ("/auth/me",      Person, Nothing, auth::ME),
        put   ("/auth/me",              Person, Nothing, own_account::UPDATE).conflicts(&["email_taken"]),
        delete("/auth/me",              Person, Nothing, own_account::LEAVE).conflicts(&["last_administrator"]),
        post  ("/auth/password/forgot", Public, Nothing, own_account::FORGOT).tier(Tier::Auth),
        post  ("/auth/password/reset",  Public, Nothing, own_account::RESET).tier(Tier::Auth),
        put   ("/auth/password",        Person, Nothing, own_account::CHANGE_PASSWORD),
        get   ("/auth/sessions",        Person, Nothing, sessions::LIST),
        delete("/auth/sessions",        Person, Nothing, sessions::END_OTHERS),
        delete("/auth/sessions/{id}",   Person, Nothing, sessions::END),
        get   ("/auth/devices",         Person, Nothing, sessions::DEVICES),
        delete("/auth/devices/{id}",    Person, Nothing, sessions::REVOKE_DEVICE),
        get ("/auth/2fa",              Person, Nothing, two_factors::SHOW),
        post("/auth/2fa/setup",        Person, Nothing, two_factors::SET_UP).conflicts(&["already_enabled"]),
        post("/auth/2fa/enable",       Person, Nothing, two_factors::ENABLE).conflicts(&["already_enabled", "not_set_up"]),
        post("/auth/2fa/disable",      Person, Nothing, two_factors::DISABLE).conflicts(&["not_enabled"]),
        post("/auth/2fa/backup-codes", Person, Nothing, two_factors::BACKUP_CODES).conflicts(&["not_enabled"]),
        post("/auth/2fa/verify",       Public, Nothing, two_factors::VERIFY).tier(Tier::Auth),
        post("/users/{id}/2fa/reset",  Platform(P::UsersManage), USER, two_factors::RESET).conflicts(&["not_enabled", "own_account"]),

        get   ("/organizations",      May(P::OrganizationsRead),   Nothing,      organizations::LIST),
        post  ("/organizations",      Platform(P::OrganizationsManage), Nothing, organizations::CREATE).conflicts(&["name_taken"]),
        get   ("/organizations/{id}", May(P::OrganizationsRead),   ORGANIZATION, organizations::SHOW),
        put   ("/organizations/{id}", May(P::OrganizationsManage), ORGANIZATION, organizations::UPDATE).conflicts(&["name_taken"]),
        delete("/organizations/{id}", Platform(P::OrganizationsManage), ORGANIZATION, organizations::DELETE),
        post  ("/organizations/{id}/restore", Platform(P::OrganizationsManage), GONE_ORGANIZATION, organizations::RESTORE).conflicts(&["not_deleted", "name_taken"]),

        get   ("/organizations/{id}/sla-policy", May(P::OrganizationsRead), ORGANIZATION, sla_policies::SHOW),
        put   ("/organizations/{id}/sla-policy", May(P::SettingsManage),    ORGANIZATION, sla_policies::UPDATE),

        get   ("/organizations/{id}/members",           May(P::UsersManage), ORGANIZATION, members::LIST),
        post  ("/organizations/{id}/members",           May(P::UsersManage), ORGANIZATION, members::ADD).conflicts(&["already_member", "already_invited"]),
        get   ("/organizations/{id}/members/{user_id}", May(P::UsersManage), ORGANIZATION, members::SHOW),
        put   ("/organizations/{id}/members/{user_id}", May(P::UsersManage), ORGANIZATION, members::UPDATE).conflicts(&["last_administrator"]),
        delete("/organizations/{id}/members/{user_id}", May(P::UsersManage), ORGANIZATION, members::REMOVE).conflicts(&["last_administrator"]),
        delete("/auth/memberships/{organization_id}",   Person,              Nothing,      members::LEAVE).conflicts(&["last_administrator"]),

        get   ("/users",              May(P::UsersManage),      Nothing,   users::LIST),
        post  ("/users",              May(P::UsersManage),      Nothing,   users::CREATE).conflicts(&["already_member", "already_invited", "email_taken"]),
        get   ("/users/{id}",         May(P::UsersManage),      USER,      users::SHOW),
        put   ("/users/{id}",         Platform(P::UsersManage), USER,      users::UPDATE).conflicts(&["email_taken", "last_administrator", "invited"]),
        delete("/users/{id}",         Platform(P::UsersManage), USER,      users::DELETE).conflicts(&["last_administrator"]),
        post  ("/users/{id}/restore", Platform(P::UsersManage), GONE_USER, users::RESTORE).conflicts(&["not_deleted", "email_taken"]),
        post  ("/users/{id}/invite",  May(P::UsersManage),      USER,      users::INVITE).conflicts(&["already_member"]),

        get   ("/permissions", May(P::OrganizationsRead), Nothing, roles::ALL),
        get   ("/roles",       May(P::OrganizationsRead), Nothing, roles::LIST),
        post  ("/roles",       May(P::RolesManage),       Nothing, roles::CREATE).conflicts(&["name_taken"]),
        get   ("/roles/{id}",  May(P::OrganizationsRead), ROLE,    roles::SHOW),
        put   ("/roles/{id}",  May(P::RolesManage),       ROLE,    roles::UPDATE).conflicts(&["built_in", "name_taken"]),
        delete("/roles/{id}",  May(P::RolesManage),       ROLE,    roles::DELETE).conflicts(&["built_in", "in_use"]),

        get("/notifications", May(P::NotificationsManage), Nothing, notifications::LIST),

        get   ("/sites",      May(P::SitesRead),   Nothing, sites::LIST).kept(),
        post  ("/sites",      May(P::SitesWrite),  Nothing, sites::CREATE).conflicts(&["name_taken"]),
        get   ("/sites/{id}", May(P::SitesRead),   SITE,    sites::SHOW),
        put   ("/sites/{id}", May(P::SitesWrite),  SITE,    sites::UPDATE).conflicts(&["name_taken"]),
        delete("/sites/{id}", May(P::SitesDelete), SITE,    sites::DELETE),
        post  ("/sites/{id}/restore", May(P::SitesDelete), GONE_SITE, sites::RESTORE).conflicts(&["not_deleted", "organization_deleted", "name_taken"]),

        post("/sites/{id}/modules/sync",    May(P::Sync), SITE, syncs::RECEIVE).tier(Tier::Sync).conflicts(&["older_inventory", "different_installation"]),
        post("/sites/{id}/composer-lock",   May(P::Sync), SITE, syncs::RECEIVE_LOCK).tier(Tier::Sync),
        get ("/sites/{id}/modules",         May(P::SitesRead), SITE, site_modules::LIST),
        get ("/sites/{id}/syncs",           May(P::SitesRead), SITE, syncs::LIST),
        get ("/sites/{id}/syncs/{sync_id}", May(P::SitesRead), SITE, syncs::SHOW),
        get ("/sites/{id}/patch-runs",      May(P::SitesRead), SITE, patch_runs::LIST_OF_SITE),
        get ("/sites/{id}/exposures",       May(P::SitesRead), SITE, exposures::LIST_OF_SITE),
        get ("/sites/{id}/events",          May(P::SitesRead), SITE, events::LIST),

        get   ("/modules",               May(P::ModulesRead),       Nothing, modules::LIST),
        post  ("/modules",               Platform(P::ModulesWrite), Nothing, modules::CREATE).conflicts(&["name_taken"]),
        get   ("/modules/{id}",          May(P::ModulesRead),       MODULE,  modules::SHOW),
        put   ("/modules/{id}",          Platform(P::ModulesWrite), MODULE,  modules::UPDATE),
        delete("/modules/{id}",          Platform(P::ModulesWrite), MODULE,  modules::DELETE).conflicts(&["in_use"]),
        post  ("/modules/{id}/restore",  Platform(P::ModulesWrite), GONE_MODULE, modules::RESTORE).conflicts(&["name_taken"]),
        get   ("/modules/{id}/versions", May(P::ModulesRead),       MODULE,  module_versions::LIST),
        get   ("/modules/{id}/sites",    May(P::SitesRead),         MODULE,  module_versions::RUN_BY),
        post  ("/modules/{id}/refresh",  May(P::ModulesWrite),      MODULE,  modules::REFRESH).conflicts(&["not_on_drupal_org", "feed_disabled"]),

        get("/advisories",            May(P::ModulesRead), Nothing,  advisories::LIST),
        get("/advisories/{id}",       May(P::ModulesRead), ADVISORY, advisories::SHOW),
        get("/advisories/{id}/sites", May(P::SitesRead),   ADVISORY, advisories::SITES),

        get("/dashboard/overview",   May(P::SitesRead), Nothing, dashboard::OVERVIEW).kept(),
        get("/dashboard/security",   May(P::SitesRead), Nothing, dashboard::SECURITY).kept(),
        get("/dashboard/sites/{id}", May(P::SitesRead), SITE,    dashboard::SITE).kept(),

        get("/exposures",       May(P::SitesRead), Nothing, exposures::LIST),
        get("/exposures/{id}/events", May(P::SitesRead), EXPOSURE, exposure_events::LIST),
        get("/exposures/{id}",  May(P::SitesRead), EXPOSURE, exposures::SHOW),
        post("/exposures/{id}/assign",      May(P::SitesWrite), EXPOSURE, exposures::ASSIGN).conflicts(&["closed"]),
        post("/exposures/{id}/acknowledge", May(P::SitesWrite), EXPOSURE, exposures::ACKNOWLEDGE).conflicts(&["closed"]),
        post("/exposures/{id}/snooze",      May(P::SitesWrite), EXPOSURE, exposures::SNOOZE).conflicts(&["closed"]),
        get("/patch-runs",      May(P::SitesRead), Nothing, patch_runs::LIST),
        post("/patch-runs",     May(P::Sync),      Nothing, patch_runs::ANNOUNCE),
        get("/patch-runs/{id}", May(P::SitesRead), PATCH_RUN, patch_runs::SHOW),
        get("/jobs",            May(P::JobsRead),  Nothing, jobs::LIST),
        get("/jobs/{id}",       May(P::JobsRead),  Nothing, jobs::SHOW),

        get("/reports/security-updates", May(P::ReportsRead), Nothing, reports::SECURITY_UPDATES).kept(),
        get("/reports/module-updates",   May(P::ReportsRead), Nothing, reports::MODULE_UPDATES).kept(),
        get("/reports/sla-compliance",   May(P::ReportsRead), Nothing, reports::SLA_COMPLIANCE).kept(),
        get("/reports/historical",       May(P::ReportsRead), Nothing, reports::HISTORICAL).kept(),
        get("/reports/end-of-life",      May(P::ReportsRead), Nothing, reports::END_OF_LIFE).kept(),

        get("/audit-logs", May(P::AuditRead), Nothing, audit_logs::LIST),

        get   ("/api-keys",             May(P::ApiKeysManage), Nothing, api_keys::LIST),
        post  ("/api-keys",             May(P::ApiKeysManage), Nothing, api_keys::CREATE),
        get   ("/api-keys/{id}",        May(P::ApiKeysManage), API_KEY, api_keys::SHOW),
        put   ("/api-keys/{id}",        May(P::ApiKeysManage), API_KEY, api_keys::UPDATE).conflicts(&["revoked"]),
        delete("/api-keys/{id}",        May(P::ApiKeysManage), API_KEY, api_keys::DELETE),
        post  ("/api-keys/{id}/rotate", May(P::ApiKeysManage), API_KEY, api_keys::ROTATE).conflicts(&["revoked"]),
    ]
}

/// The table of the pages.
#[rustfmt::skip]
pub fn pages() -> Vec<Page> {
    vec![
        look("/",         Person, Nothing, overview::SHOW),
        look("/set-up",   Public, Nothing, entrance::SET_UP),
        send("/set-up",   Public, Nothing, entrance::COMPLETE).tier(Tier::Auth),
        look("/sign-in",  Public, Nothing, entrance::ASK),
        send("/sign-in",  Public, Nothing, entrance::SIGN_IN).tier(Tier::Auth),
        look("/sign-in/code", Public, Nothing, pages::code::ASK),
        send("/sign-in/code", Public, Nothing, pages::code::ANSWER).tier(Tier::Auth),
        send("/sign-out", Person, Nothing, entrance::SIGN_OUT),
        send("/theme",    Public, Nothing, entrance::CHANGE_THEME),
        look("/forgotten", Public, Nothing, forgotten::ASK),
        send("/forgotten", Public, Nothing, forgotten::TAKE).tier(Tier::Auth),
        look("/reset",     Public, Nothing, forgotten::SHOW),
        send("/reset",     Public, Nothing, forgotten::RESET).tier(Tier::Auth),

        look("/account",                      Person, Nothing, account::SHOW),
        send("/account",                      Person, Nothing, account::UPDATE),
        look("/account/password",             Person, Nothing, account::ASK_PASSWORD),
        send("/account/password",             Person, Nothing, account::CHANGE_PASSWORD),
        look("/account/sessions",             Person, Nothing, account::LIST_SESSIONS),
        send("/account/sessions/end",         Person, Nothing, account::END_OTHERS),
        send("/account/sessions/{id}/end",    Person, Nothing, account::END_SESSION),
        send("/account/browsers/{id}/forget", Person, Nothing, account::FORGET_BROWSER),
        look("/account/delete",               Person, Nothing, account::ASK_LEAVE),
        send("/account/delete",               Person, Nothing, account::LEAVE),

        look("/account/two-factor",         Person, Nothing, pages::two_factor::SHOW),
        send("/account/two-factor/set-up",  Person, Nothing, pages::two_factor::SET_UP),
        send("/account/two-factor/enable",  Person, Nothing, pages::two_factor::ENABLE),
        look("/account/two-factor/codes",   Person, Nothing, pages::two_factor::CODES),
        send("/account/two-factor/codes",   Person, Nothing, pages::two_factor::NEW_CODES),
        send("/account/two-factor/disable", Person, Nothing, pages::two_factor::DISABLE),

        look("/exposures",                  May(P::SitesRead),  Nothing,  pages::exposures::LIST),
        look("/exposures/{id}",             May(P::SitesRead),  EXPOSURE, pages::exposures::SHOW),
        send("/exposures/{id}/assign",      May(P::SitesWrite), EXPOSURE, pages::exposures::ASSIGN).also(P::SitesRead),
        send("/exposures/{id}/acknowledge", May(P::SitesWrite), EXPOSURE, pages::exposures::ACKNOWLEDGE).also(P::SitesRead),
        send("/exposures/{id}/snooze",      May(P::SitesWrite), EXPOSURE, pages::exposures::SNOOZE).also(P::SitesRead),
        look("/patch-runs",                 May(P::SitesRead),  Nothing,   pages::patch_runs::LIST),
        look("/patch-runs/{id}",            May(P::SitesRead),  PATCH_RUN, pages::patch_runs::SHOW),

        look("/sites",                     May(P::SitesRead), Nothing, fleet::LIST),
        look("/sites/new",                 May(P::SitesWrite), Nothing, pages::sites::NEW),
        send("/sites/new",                 May(P::SitesWrite), Nothing, pages::sites::CREATE),
        look("/sites/import",              May(P::SitesWrite), Nothing, import::ASK),
        send("/sites/import",              May(P::SitesWrite), Nothing, import::TAKE),
        look("/sites/{id}",                May(P::SitesRead), SITE, site::SHOW),
        look("/sites/{id}/exposures",      May(P::SitesRead), SITE, site_tabs::EXPOSURES),
        look("/sites/{id}/patch-runs",     May(P::SitesRead), SITE, site_tabs::RUNS),
        look("/sites/{id}/events",         May(P::SitesRead), SITE, site_tabs::CHANGES),
        look("/sites/{id}/syncs",          May(P::SitesRead), SITE, site_tabs::ARRIVALS),
        look("/sites/{id}/keys",           May(P::ApiKeysManage), SITE, keys::OF_SITE).also(P::SitesRead),
        send("/sites/{id}/keys",           May(P::ApiKeysManage), SITE, keys::CREATE_OF_SITE).also(P::SitesRead),
        look("/sites/{id}/settings",       May(P::SitesWrite), SITE, pages::sites::SETTINGS).also(P::SitesRead),
        send("/sites/{id}/settings",       May(P::SitesWrite), SITE, pages::sites::UPDATE).also(P::SitesRead),
        look("/sites/{id}/delete",         May(P::SitesDelete), SITE, pages::sites::ASK_DELETE).also(P::SitesRead),
        send("/sites/{id}/delete",         May(P::SitesDelete), SITE, pages::sites::DELETE).also(P::SitesRead),
        send("/sites/{id}/restore",        May(P::SitesDelete), GONE_SITE, deleted::RESTORE_SITE),
        send("/sites/{id}/stranger",       May(P::SitesWrite), SITE, pages::sites::ANSWER),
        look("/sites/{id}/connect",        May(P::ApiKeysManage), SITE, connect::SHOW).also(P::SitesRead),
        send("/sites/{id}/connect",        May(P::ApiKeysManage), SITE, connect::RENEW).also(P::SitesRead),
        look("/sites/{id}/connect/light",  May(P::SitesRead), SITE, connect::LIGHT),

        look("/organizations",             May(P::OrganizationsRead), Nothing, pages::organizations::LIST),
        look("/organizations/new",         Platform(P::OrganizationsManage), Nothing, pages::organizations::NEW),
        send("/organizations/new",         Platform(P::OrganizationsManage), Nothing, pages::organizations::CREATE),
        look("/organizations/{id}",        May(P::OrganizationsRead), ORGANIZATION, pages::organizations::SHOW),
        send("/organizations/{id}",        May(P::OrganizationsManage), ORGANIZATION, pages::organizations::UPDATE),
        look("/organizations/{id}/delete", Platform(P::OrganizationsManage), ORGANIZATION, pages::organizations::ASK_DELETE),
        send("/organizations/{id}/delete", Platform(P::OrganizationsManage), ORGANIZATION, pages::organizations::DELETE),
        send("/organizations/{id}/restore", Platform(P::OrganizationsManage), GONE_ORGANIZATION, deleted::RESTORE_ORGANIZATION),
        look("/organizations/{id}/sla",    May(P::OrganizationsRead), ORGANIZATION, pages::sla::SHOW),
        send("/organizations/{id}/sla",    May(P::SettingsManage), ORGANIZATION, pages::sla::UPDATE).also(P::OrganizationsRead),
        look("/organizations/{id}/members",                  May(P::UsersManage), ORGANIZATION, pages::members::LIST),
        send("/organizations/{id}/members",                  May(P::UsersManage), ORGANIZATION, pages::members::INVITE),
        look("/organizations/{id}/members/{user_id}",        May(P::UsersManage), ORGANIZATION, pages::members::SHOW),
        send("/organizations/{id}/members/{user_id}",        May(P::UsersManage), ORGANIZATION, pages::members::UPDATE),
        look("/organizations/{id}/members/{user_id}/remove", May(P::UsersManage), ORGANIZATION, pages::members::ASK_REMOVE),
        send("/organizations/{id}/members/{user_id}/remove", May(P::UsersManage), ORGANIZATION, pages::members::REMOVE),
        look("/account/organizations",                         Person, Nothing, pages::members::OWN),
        look("/account/organizations/{organization_id}/leave", Person, Nothing, pages::members::ASK_LEAVE),
        send("/account/organizations/{organization_id}/leave", Person, Nothing, pages::members::LEAVE),

        look("/users",              May(P::UsersManage),      Nothing, pages::people::LIST),
        look("/users/invite",       May(P::UsersManage),      Nothing, pages::people::ASK_INVITE),
        send("/users/invite",       May(P::UsersManage),      Nothing, pages::people::INVITE),
        look("/users/{id}",         May(P::UsersManage),      USER,    pages::people::SHOW),
        send("/users/{id}",         Platform(P::UsersManage), USER,    pages::people::UPDATE),
        send("/users/{id}/invite",  May(P::UsersManage),      USER,    pages::people::RENEW),
        look("/users/{id}/delete",  Platform(P::UsersManage), USER,    pages::people::ASK_DELETE),
        send("/users/{id}/delete",  Platform(P::UsersManage), USER,    pages::people::DELETE),
        look("/users/{id}/second-step",  Platform(P::UsersManage), USER,    pages::people::ASK_RESET),
        send("/users/{id}/second-step",  Platform(P::UsersManage), USER,    pages::people::RESET),
        send("/users/{id}/restore", Platform(P::UsersManage), GONE_USER, deleted::RESTORE_USER),
        look("/roles",              May(P::OrganizationsRead), Nothing, pages::roles::LIST),
        look("/roles/new",          May(P::RolesManage),       Nothing, pages::roles::NEW),
        send("/roles/new",          May(P::RolesManage),       Nothing, pages::roles::CREATE),
        look("/roles/{id}",         May(P::OrganizationsRead), ROLE,    pages::roles::SHOW),
        send("/roles/{id}",         May(P::RolesManage),       ROLE,    pages::roles::UPDATE),
        look("/roles/{id}/delete",  May(P::RolesManage),       ROLE,    pages::roles::ASK_DELETE).also(P::OrganizationsRead),
        send("/roles/{id}/delete",  May(P::RolesManage),       ROLE,    pages::roles::DELETE).also(P::OrganizationsRead),
        look("/invitation",         Public, Nothing, pages::invitation::OPEN),
        send("/invitation",         Public, Nothing, pages::invitation::TAKE).tier(Tier::Auth),
        look("/notifications",           May(P::NotificationsManage), Nothing,      pages::notifications::LIST),
        send("/notifications/{id}/link", May(P::NotificationsManage), NOTIFICATION, pages::notifications::SHOW_LINK),
        look("/deleted",                   May(P::SitesDelete), Nothing, deleted::LIST),

        look("/api-keys",                  May(P::ApiKeysManage), Nothing, keys::LIST),
        send("/api-keys",                  May(P::ApiKeysManage), Nothing, keys::CREATE),
        look("/api-keys/{id}",             May(P::ApiKeysManage), API_KEY, keys::SHOW),
        send("/api-keys/{id}",             May(P::ApiKeysManage), API_KEY, keys::UPDATE),
        look("/api-keys/{id}/rotate",      May(P::ApiKeysManage), API_KEY, keys::ASK_ROTATE),
        send("/api-keys/{id}/rotate",      May(P::ApiKeysManage), API_KEY, keys::ROTATE),
        look("/api-keys/{id}/revoke",      May(P::ApiKeysManage), API_KEY, keys::ASK_REVOKE),
        send("/api-keys/{id}/revoke",      May(P::ApiKeysManage), API_KEY, keys::REVOKE),

        look("/audit",                     May(P::AuditRead), Nothing, audit::LIST),

        look("/modules",                   May(P::ModulesRead), Nothing, catalogue::LIST),
        look("/modules/new",               Platform(P::ModulesWrite), Nothing, module::NEW),
        send("/modules/new",               Platform(P::ModulesWrite), Nothing, module::CREATE),
        look("/modules/{id}",              May(P::ModulesRead), MODULE, module::SHOW),
        look("/modules/{id}/sites",        May(P::SitesRead), MODULE, module::RUN_BY).also(P::ModulesRead),
        look("/modules/{id}/settings",     Platform(P::ModulesWrite), MODULE, module::SETTINGS),
        send("/modules/{id}/settings",     Platform(P::ModulesWrite), MODULE, module::UPDATE),
        look("/modules/{id}/delete",       Platform(P::ModulesWrite), MODULE, module::ASK_DELETE),
        send("/modules/{id}/delete",       Platform(P::ModulesWrite), MODULE, module::DELETE),
        send("/modules/{id}/restore",      Platform(P::ModulesWrite), GONE_MODULE, deleted::RESTORE_MODULE),
        send("/modules/{id}/refresh",      May(P::ModulesWrite), MODULE, catalogue::REFRESH),
        look("/advisories",                May(P::ModulesRead), Nothing, pages::advisories::LIST),
        look("/advisories/{id}",           May(P::ModulesRead), ADVISORY, pages::advisories::SHOW).also(P::SitesRead),
        look("/feed",                      Platform(P::ModulesRead), Nothing, catalogue::FEED),
        look("/reports",                   May(P::ReportsRead), Nothing, pages::reports::LIST),
        look("/reports/security-updates",  May(P::ReportsRead), Nothing, pages::reports::SECURITY_UPDATES),
        look("/reports/module-updates",    May(P::ReportsRead), Nothing, pages::reports::MODULE_UPDATES),
        look("/reports/sla-compliance",    May(P::ReportsRead), Nothing, pages::reports::SLA_COMPLIANCE),
        look("/reports/historical",        May(P::ReportsRead), Nothing, pages::reports::HISTORICAL),
        look("/reports/end-of-life",       May(P::ReportsRead), Nothing, pages::reports::END_OF_LIFE),
        look("/limits",                    Platform(P::SettingsManage), Nothing, limits::SHOW),
        look("/manual",                    Person, Nothing, manual::FIRST),
        look("/manual/{chapter}",          Person, Nothing, manual::CHAPTER),
        look("/api/docs",                  Public, Nothing, reference::INDEX),
        look("/api/docs/{resource}",       Public, Nothing, reference::RESOURCE),
    ]
}

/// Everything that can be asked for, built from the tables.
pub fn router(app: Arc<App>) -> Router {
    let edge = Arc::new(Edge::new(app));
    let mut by_path: BTreeMap<String, Vec<Route>> = BTreeMap::new();
    for route in routes() {
        by_path.entry(route.full_path()).or_default().push(route);
    }
    let mut router = Router::new();
    for (path, routes) in by_path {
        let (edge, routes) = (Arc::clone(&edge), Arc::<[Route]>::from(routes));
        let answer = move |request: Request| {
            let (edge, routes) = (Arc::clone(&edge), Arc::clone(&routes));
            async move { dispatch::path(&routes, edge, request).await }
        };
        router = router.route(&path, any(answer));
    }
    let at_the_edge = Arc::clone(&edge);
    with_pages(router, &edge)
        .layer(CompressionLayer::new())
        .layer(middleware::from_fn_with_state(at_the_edge, edge::around))
}

/// The same with the pages, their assets, and an answer to what is nowhere.
fn with_pages(mut router: Router, edge: &Arc<Edge>) -> Router {
    let house = Arc::new(Pages {
        edge: Arc::clone(edge),
        secrets: Arc::default(),
    });
    let mut by_path: BTreeMap<&'static str, Vec<Page>> = BTreeMap::new();
    for page in pages() {
        by_path.entry(page.path).or_default().push(page);
    }
    for (path, pages) in by_path {
        let (house, pages) = (Arc::clone(&house), Arc::<[Page]>::from(pages));
        let answer = move |request: Request| {
            let (house, pages) = (Arc::clone(&house), Arc::clone(&pages));
            async move { door::path(&pages, house, request).await }
        };
        router = router.route(path, any(answer));
    }
    let edge = Arc::clone(edge);
    router
        .route("/assets/{hash}/{*path}", axum::routing::get(assets::serve))
        .fallback(move |request: Request| async move {
            if request.uri().path().starts_with("/api/") {
                dispatch::nowhere(edge, request).await
            } else {
                door::path(&[], house, request).await
            }
        })
}
