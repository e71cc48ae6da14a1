//! Keys of sites and organizations: made, rotated, revoked; a secret is shown once.

use super::fleet::organizations_of;
use super::listing::{Listing, asked};
use super::secrets::Kept;
use super::view::fleet::Choice;
use super::view::forms::ConfirmPage;
use super::view::keys::{KeyRow, KeysPage, NewSecret, SiteKeysPage};
use super::visit::{Handler, Reply, Visit, by_field};
use super::{site, words};
use crate::domain::access::{Actor, Permission};
use crate::domain::api_key::{ApiKey, ApiKeyForm, LIST as FIELDS};
use crate::domain::grants::Permissions;
use crate::domain::listing::Query;
use crate::services::api_keys::{self, ShownKey};
use crate::services::key_makers::{self, Standing};
use crate::services::{Error, Result, sites};

/// `GET /api-keys`.
pub const LIST: Handler = |visit| Box::pin(list(visit));
/// `POST /api-keys`.
pub const CREATE: Handler = |visit| Box::pin(create(visit));
/// `GET /sites/{id}/keys`.
pub const OF_SITE: Handler = |visit| Box::pin(of_site(visit));
/// `POST /sites/{id}/keys`.
pub const CREATE_OF_SITE: Handler = |visit| Box::pin(create_of_site(visit));
/// `POST /api-keys/{id}/rotate`.
pub const ROTATE: Handler = |visit| Box::pin(rotate(visit));
/// `GET /api-keys/{id}/revoke`.
pub const ASK_REVOKE: Handler = |visit| Box::pin(ask_revoke(visit));
/// `POST /api-keys/{id}/revoke`.
pub const REVOKE: Handler = |visit| Box::pin(revoke(visit));

/// Keeps a secret for the page that will show it.
///
/// # Errors
/// Where nobody is signed in.
pub fn keep(visit: &Visit, place: &str, shown: &ShownKey) -> Result<()> {
    let kept = Kept {
        name: shown.key.name.clone(),
        secret: shown.secret.clone(),
        old_until: shown.key.old_expires_at,
    };
    visit.secrets.keep(visit.actor()?, place, kept);
    Ok(())
}

fn new_secret(visit: &Visit) -> Option<NewSecret> {
    let kept = visit.secrets.take(visit.actor.as_ref()?, &visit.path)?;
    Some(NewSecret {
        secret: kept.reveal(),
        name: kept.name,
        old_until: kept.old_until,
    })
}

/// That a key may do less than its scopes say; `None`: it may do all of it.
fn less(standing: &Standing, key: &ApiKey) -> Option<String> {
    let lacks = standing.lacks;
    let whose = &standing.maker;
    if lacks.is_empty() {
        None
    } else if lacks == Permissions::of(&key.scopes) {
        Some(format!(
            "It opens nothing: {whose} may do none of this now."
        ))
    } else {
        let words: Vec<&str> = lacks.iter().map(Permission::word).collect();
        let words = words.join(", ");
        Some(format!("Without {words}: {whose} may not do that now."))
    }
}

fn row(key: &ApiKey, owner: Option<(String, String)>, less: Option<String>) -> KeyRow {
    KeyRow {
        less,
        id: key.id,
        name: key.name.clone(),
        prefix: key.prefix.clone(),
        owner,
        scopes: key
            .scopes
            .iter()
            .map(|scope| scope.word().to_owned())
            .collect(),
        last_used: key.last_used_at,
        expires: key.expires_at,
        revoked: key.revoked_at,
        created: key.created_at,
    }
}

async fn list(visit: Visit) -> Result<Reply> {
    page(&visit, None).await
}

async fn page(visit: &Visit, error: Option<String>) -> Result<Reply> {
    let query = Query::parse(&FIELDS, asked(&visit.query)).map_err(Error::Invalid)?;
    let found = api_keys::list(&visit.app, visit.actor()?, &query).await?;
    let mut rows = Vec::with_capacity(found.rows.len());
    let organizations = organizations_of(
        visit,
        Permission::ApiKeysManage,
        visit.field("organization_id"),
    )
    .await?;
    for key in &found.rows {
        let less = less(&key_makers::of(&visit.app, key)?, key);
        rows.push(row(key, owner(visit, key, &organizations).await, less));
    }
    let chosen = visit.fields("scopes");
    Reply::page(&KeysPage {
        shell: visit.shell("API keys").await?,
        secret: new_secret(visit),
        list: Listing::of("/api-keys", &visit.query, &query, &found),
        rows,
        organizations,
        scopes: scopes(visit.actor()?, &chosen),
        error,
        name: visit.field("name").to_owned(),
    })
}

/// The site's name or the organization's, and where they are.
async fn owner(visit: &Visit, key: &ApiKey, organizations: &[Choice]) -> Option<(String, String)> {
    match key.site_id {
        Some(id) => {
            let site = sites::find(&visit.app, visit.actor.as_ref()?, id)
                .await
                .ok()?;
            Some((site.name, format!("/sites/{id}/keys")))
        }
        None => {
            let id = key.organization_id.to_string();
            let name = organizations
                .iter()
                .find(|o| o.value == id)
                .map_or_else(|| format!("organization {id}"), |o| o.word.clone());
            Some((name, format!("/organizations/{id}")))
        }
    }
}

/// What the visitor could give a key: nobody gives more than he holds.
fn scopes(visitor: &Actor, chosen: &[&str]) -> Vec<Choice> {
    visitor
        .everywhere()
        .iter()
        .map(|permission| {
            let said = permission.does();
            let chosen = if chosen.contains(&permission.word()) {
                permission.word()
            } else {
                ""
            };
            Choice::new(permission.word(), said, chosen)
        })
        .collect()
}

async fn create(visit: Visit) -> Result<Reply> {
    let form = ApiKeyForm {
        name: Some(visit.field("name").to_owned()),
        scopes: Some(
            visit
                .fields("scopes")
                .into_iter()
                .map(str::to_owned)
                .collect(),
        ),
        ..ApiKeyForm::default()
    };
    let organization = visit.field("organization_id").parse().ok();
    match api_keys::create(&visit.app, visit.actor()?, None, organization, &form).await {
        Ok(shown) => {
            keep(&visit, "/api-keys", &shown)?;
            Ok(Reply::go("/api-keys"))
        }
        Err(Error::Invalid(faults)) => {
            let said: Vec<String> = by_field(&faults)
                .into_iter()
                .map(|(_, said)| said)
                .collect();
            Ok(page(&visit, Some(said.join(" "))).await?.status(422))
        }
        Err(other) => Err(other),
    }
}

async fn of_site(visit: Visit) -> Result<Reply> {
    site_page(&visit, None).await
}

async fn site_page(visit: &Visit, name_error: Option<String>) -> Result<Reply> {
    let site = sites::find(&visit.app, visit.actor()?, visit.id()?).await?;
    let found = api_keys::of_site(&visit.app, visit.actor()?, site.id).await?;
    Reply::page(&SiteKeysPage {
        shell: visit.shell(&format!("Keys of {}", site.name)).await?,
        head: site::head(visit, &site, "/keys"),
        secret: new_secret(visit),
        rows: found.iter().map(|key| row(key, None, None)).collect(),
        name_error,
    })
}

async fn create_of_site(visit: Visit) -> Result<Reply> {
    let id = visit.id()?;
    let form = ApiKeyForm {
        name: Some(visit.field("name").to_owned()),
        ..ApiKeyForm::default()
    };
    match api_keys::create(&visit.app, visit.actor()?, Some(id), None, &form).await {
        Ok(shown) => {
            let place = format!("/sites/{id}/keys");
            keep(&visit, &place, &shown)?;
            Ok(Reply::go(place))
        }
        Err(Error::Invalid(faults)) => {
            let said: Vec<String> = by_field(&faults)
                .into_iter()
                .map(|(_, said)| said)
                .collect();
            Ok(site_page(&visit, Some(said.join(" "))).await?.status(422))
        }
        Err(other) => Err(other),
    }
}

/// Where a key's page is.
fn place(key: &ApiKey) -> String {
    key.site_id.map_or_else(
        || "/api-keys".to_owned(),
        |site| format!("/sites/{site}/keys"),
    )
}

async fn rotate(visit: Visit) -> Result<Reply> {
    let shown = api_keys::rotate(&visit.app, visit.actor()?, visit.id()?, None).await?;
    let place = place(&shown.key);
    keep(&visit, &place, &shown)?;
    Ok(Reply::go(place))
}

async fn ask_revoke(visit: Visit) -> Result<Reply> {
    let key = api_keys::get(&visit.app, visit.actor()?, visit.id()?).await?;
    let used = key.last_used_at.map_or_else(
        || "It was never used.".to_owned(),
        |at| format!("It was last used {}.", words::relative(visit.now, at)),
    );
    Reply::page(&ConfirmPage {
        shell: visit.shell(&format!("Revoke {}", key.name)).await?,
        question: format!("Revoke the key “{}”?", key.name),
        explanation: format!(
            "Whoever holds it is refused from the next request on. {used} It can't be brought back; a new one can be made."
        ),
        keep: place(&key),
        keep_word: "Keep it".to_owned(),
        action: format!("/api-keys/{}/revoke", key.id),
        deed: "Revoke the key".to_owned(),
    })
}

async fn revoke(visit: Visit) -> Result<Reply> {
    let key = api_keys::get(&visit.app, visit.actor()?, visit.id()?).await?;
    api_keys::revoke(&visit.app, visit.actor()?, key.id).await?;
    Ok(Reply::go(place(&key)).saying(&format!("“{}” was revoked.", key.name)))
}
