//! What each line of the tables is asked with: the things that its path names, and the least that makes
//! its body valid. A line without an entry here fails, with a sentence that says what to add.

use dewline::http::route::{Route, Takes};
use dewline::http::web::visit::Page;
use serde_json::{Value, json};

use super::town::{Things, Town};
use crate::support::{PASSWORD, Site};

/// The path with real ids in it. `line` is the whole line, such as `POST /sites/{id}/restore`.
pub fn path(town: &Town, things: &Things, line: &str) -> String {
    let (_, path) = line.split_once(' ').unwrap();
    if let Some(whole) = special(town, things, line) {
        return whole;
    }
    let mut so_far = String::new();
    let mut filled = String::new();
    for part in path.split('/').skip(1) {
        so_far = format!("{so_far}/{part}");
        let part = if part.starts_with('{') {
            thing(things, &so_far)
        } else {
            part.to_owned()
        };
        filled = format!("{filled}/{part}");
    }
    filled
}

/// The thing that stands for a placeholder.
fn thing(things: &Things, place: &str) -> String {
    match place {
        "/organizations/{id}" => things.organization.to_string(),
        "/sites/{id}" | "/dashboard/sites/{id}" => things.site.to_string(),
        "/sites/{id}/syncs/{sync_id}" => things.sync.to_string(),
        "/modules/{id}" => things.module.to_string(),
        "/advisories/{id}" => things.advisory.clone(),
        "/exposures/{id}" => things.exposure.to_string(),
        "/patch-runs/{id}" => things.patch_run.to_string(),
        "/jobs/{id}" => things.job.to_string(),
        "/api-keys/{id}" => things.key.to_string(),
        "/users/{id}" | "/organizations/{id}/members/{user_id}" => things.guest.to_string(),
        "/auth/memberships/{organization_id}" | "/account/organizations/{organization_id}" => {
            things.organization.to_string()
        }
        "/roles/{id}" => things.role.to_string(),
        "/notifications/{id}" => things.message.to_string(),
        "/auth/sessions/{id}" | "/account/sessions/{id}" => things.session.to_string(),
        "/auth/devices/{id}" | "/account/browsers/{id}" => things.device.to_string(),
        "/manual/{chapter}" => "audit".to_owned(),
        "/api/docs/{resource}" => "sites".to_owned(),
        _ => panic!("say in tests/matrix/things.rs (`thing`) which thing stands for {place}"),
    }
}

/// Lines that need another thing than the others at that place.
fn special(town: &Town, things: &Things, line: &str) -> Option<String> {
    let (_, path) = line.split_once(' ').unwrap();
    let id = match path {
        "/sites/{id}/restore" => things.gone_site,
        "/sites/{id}/stranger" => return None,
        "/organizations/{id}/restore" => town.gone_organization,
        "/modules/{id}/restore" => town.gone_module,
        "/users/{id}/restore" => town.gone_user,
        "/users/{id}/2fa/reset" => things.person,
        _ => return None,
    };
    Some(path.replace("{id}", &id.to_string()))
}

/// The body of a route; `None` where it takes none.
pub fn body(things: &Things, route: &Route) -> Option<Value> {
    let body = match route.operation.name {
        // Who signs in is another's test; here it is enough that everybody comes so far.
        "login" => json!({"email": "", "password": ""}),
        "refresh" => json!({"refresh_token": ""}),
        "update_me" => json!({"name": "New"}),
        "delete_me" => json!({"password": PASSWORD}),
        "forgot_password" => json!({"email": "nobody@example.org"}),
        "reset_password" => json!({"token": "none", "password": "a new and long sentence"}),
        "change_password" => {
            json!({"current_password": PASSWORD, "password": "a new and long sentence"})
        }
        "enable_two_factor" => json!({"code": "000000"}),
        "disable_two_factor" => json!({"password": PASSWORD, "code": "000000"}),
        "make_backup_codes" => json!({"password": PASSWORD}),
        "verify_two_factor" => json!({"challenge_token": "none", "code": "000000"}),
        "create_user" => {
            json!({"email": "new@new.example", "name": "New", "organization_id": things.organization, "role": "viewer"})
        }
        "update_user" => json!({"name": "New"}),
        "add_member" => json!({"email": "new@new.example", "name": "New", "role": "viewer"}),
        "update_member" => json!({"role": "manager"}),
        "create_role" => {
            json!({"name": "New", "organization_id": things.organization, "permissions": ["sites:read"]})
        }
        "update_role" => json!({"description": "new"}),
        "create_organization" => json!({"name": "New"}),
        "update_organization" => json!({"notes": "new"}),
        "update_sla_policy" => json!({"holidays": ["2026-12-25"]}),
        "create_site" => {
            json!({"name": "New", "url": "https://new.example.org", "organization_id": things.organization})
        }
        "update_site" => json!({"notes": "new"}),
        "sync_site" => Site::inventory(&[("shared", "1.0.0")]),
        "sync_site_from_composer_lock" => json!({
            "packages": [{"name": "drupal/core", "version": "11.2.0", "type": "drupal-core"}],
        }),
        "assign_exposure" => json!({"user_id": null}),
        "snooze_exposure" => json!({"until": null}),
        "announce_patch_run" => {
            json!({"site_id": things.site, "started_at": "2026-11-20T08:00:00Z"})
        }
        "create_module" => json!({"module_name": "fresh"}),
        "update_module" => json!({"title": "New"}),
        "create_api_key" => {
            json!({"name": "new", "organization_id": things.organization, "scopes": ["sites:read"]})
        }
        "update_api_key" => json!({"name": "new"}),
        name => {
            assert!(
                matches!(route.operation.takes, Takes::Nothing | Takes::MaybeJson(_)),
                "say in tests/matrix/things.rs (`body`) what is sent to {name}"
            );
            return None;
        }
    };
    Some(body)
}

/// The fields of a page's form.
pub fn form(things: &Things, page: &Page) -> Vec<(&'static str, String)> {
    let text = |name: &'static str, value: &str| (name, value.to_owned());
    let organization = || ("organization_id", things.organization.to_string());
    match page.path {
        // Who signs in, and who sets up, is another's test; here it is enough that everybody comes so far.
        "/sign-in" | "/sign-in/code" | "/set-up" | "/reset" | "/invitation" => Vec::new(),
        "/forgotten" => vec![text("email", "nobody@example.org")],
        "/account" => vec![text("name", "New"), text("time_zone", "Europe/Vienna")],
        "/account/password" => vec![
            text("current_password", PASSWORD),
            text("password", "a new and long sentence"),
        ],
        "/account/two-factor/set-up" => Vec::new(),
        "/account/two-factor/enable" => vec![text("code", "000000")],
        "/account/two-factor/codes" => vec![text("password", PASSWORD)],
        "/account/two-factor/disable" => vec![text("password", PASSWORD), text("code", "000000")],
        "/account/delete" => vec![text("password", PASSWORD)],

        "/theme" => vec![text("theme", "dark"), text("back", "/sites")],
        "/sites/new" => vec![
            text("name", "New"),
            text("url", "https://new.example.org"),
            text("environment", "production"),
            text("sync_interval_minutes", "60"),
            organization(),
        ],
        "/sites/{id}/settings" => vec![
            text("name", "New"),
            text("url", "https://new.example.org"),
            text("environment", "production"),
            text("sync_interval_minutes", "60"),
        ],
        "/exposures/{id}/assign" => vec![text("user_id", "")],
        "/exposures/{id}/acknowledge" => vec![text("note", "seen")],
        "/exposures/{id}/snooze" => vec![text("hours", "24"), text("reason", "later")],
        "/sites/{id}/stranger" => vec![text("is", "moved")],
        "/organizations/new" | "/organizations/{id}" => vec![text("name", "New")],
        "/organizations/{id}/sla" => vec![text("holidays", "2026-12-25")],
        "/users/invite" => vec![
            text("name", "New"),
            text("email", "new@new.example"),
            text("role", "3"),
            organization(),
        ],
        "/users/{id}" => vec![
            text("name", "New"),
            text("email", "new@new.example"),
            text("time_zone", "UTC"),
        ],
        "/organizations/{id}/members" => vec![
            text("name", "New"),
            text("email", "new@new.example"),
            text("role", "3"),
        ],
        "/organizations/{id}/members/{user_id}" => vec![text("role", "2")],
        "/roles/new" => vec![
            text("name", "New"),
            text("permissions", "sites:read"),
            organization(),
        ],
        "/roles/{id}" => vec![text("name", "New"), text("permissions", "sites:read")],
        "/api-keys" => vec![
            text("name", "new"),
            text("scopes", "sites:read"),
            organization(),
        ],
        "/api-keys/{id}" => vec![text("name", "new"), text("scopes", "sites:read")],
        "/sites/{id}/keys" => vec![text("name", "new")],
        "/modules/new" => vec![text("module_name", "fresh")],
        "/modules/{id}/settings" => vec![text("title", "New"), text("type", "module")],
        "/sites/import" | "/sign-out" => Vec::new(),
        path if [
            "delete",
            "end",
            "forget",
            "restore",
            "revoke",
            "rotate",
            "refresh",
            "connect",
            "invite",
            "remove",
            "leave",
            "link",
            "second-step",
        ]
        .contains(&path.rsplit('/').next().unwrap()) =>
        {
            Vec::new()
        }
        path => panic!("say in tests/matrix/things.rs (`form`) what is sent to POST {path}"),
    }
}
