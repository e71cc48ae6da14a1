//! Keys of sites and organizations: made, changed, rotated, revoked; a secret is shown once.

use super::fleet::organizations_of;
use super::listing::{Listing, asked};
use super::secrets::Kept;
use super::view::fleet::Choice;
use super::view::forms::ConfirmPage;
use super::view::keys::{KeyForm, KeyPage, KeyRow, KeysPage, NewSecret, RotatePage, SiteKeysPage};
use super::visit::{Handler, Reply, Visit, by_field, organization_chosen};
use super::{site, words};
use crate::domain::access::{Actor, Permission};
use crate::domain::api_key::{ApiKey, ApiKeyForm, LIST as FIELDS};
use crate::domain::grants::Permissions;
use crate::domain::listing::Query;
use crate::services::api_keys::{self, ShownKey};
use crate::services::callers;
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
/// `GET /api-keys/{id}`.
pub const SHOW: Handler = |visit| Box::pin(show(visit));
/// `POST /api-keys/{id}`.
pub const UPDATE: Handler = |visit| Box::pin(update(visit));
/// `GET /api-keys/{id}/rotate`.
pub const ASK_ROTATE: Handler = |visit| Box::pin(ask_rotate(visit));
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

fn row(
    visit: &Visit,
    key: &ApiKey,
    owner: Option<(String, String)>,
    less: Option<String>,
) -> KeyRow {
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
        old_until: key.old_expires_at.filter(|until| *until > visit.now),
    }
}

async fn list(visit: Visit) -> Result<Reply> {
    page(&visit, Vec::new()).await
}

async fn page(visit: &Visit, faults: Faults) -> Result<Reply> {
    let query = Query::parse(&FIELDS, asked(&visit.query)).map_err(Error::Invalid)?;
    let actor = visit.actor()?;
    let found = api_keys::list(&visit.app, actor, &query).await?;
    let mut rows = Vec::with_capacity(found.rows.len());
    let organizations = organizations_of(
        visit,
        Permission::ApiKeysManage,
        visit.field("organization_id"),
    )
    .await?;
    for key in &found.rows {
        let less = less(&key_makers::of(&visit.app, key)?, key);
        rows.push(row(
            visit,
            key,
            owner(visit, key, &organizations).await,
            less,
        ));
    }
    let chosen = visit.fields("scopes");
    Reply::page(&KeysPage {
        shell: visit.shell("API keys").await?,
        secret: new_secret(visit),
        list: Listing::of("/api-keys", &visit.query, &query, &found),
        rows,
        form: KeyForm {
            organizations,
            scopes: scopes(actor, &chosen),
            ..typed(visit, "Who will hold it.", faults)
        },
    })
}

/// (field, sentence): what is wrong.
type Faults = Vec<(String, String)>;

/// What was typed.
fn typed(visit: &Visit, hint: &'static str, faults: Faults) -> KeyForm {
    KeyForm {
        name: visit.field("name").to_owned(),
        hint,
        until: visit.field("expires_at").to_owned(),
        networks: visit.field("networks").to_owned(),
        faults,
        ..KeyForm::default()
    }
}

/// What was typed, as it is understood. `until`: the day that stood there, which changes nothing.
fn said(visit: &Visit, of_site: bool, until: &str) -> ApiKeyForm {
    let day = visit.field("expires_at");
    let words = |words: Vec<&str>| words.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let lines = visit.field("networks").lines().map(str::trim);
    ApiKeyForm {
        name: Some(visit.field("name").to_owned()),
        scopes: (!of_site).then(|| words(visit.fields("scopes"))),
        networks: Some(words(lines.filter(|line| !line.is_empty()).collect())),
        expires_at: match day {
            same if same == until => None,
            "" => Some(None),
            day => Some(Some(format!("{day}T23:59:59Z"))),
        },
        unreadable: Vec::new(),
    }
}

/// What is wrong, where the visitor can do something about it.
fn faults_of(error: Error) -> Result<Faults> {
    let at_scopes = |sentence| Ok(vec![("scopes".to_owned(), sentence)]);
    match error {
        Error::Invalid(faults) => Ok(by_field(&faults)),
        Error::Forbidden(why) => at_scopes(format!("A key may not do more than you: {why}.")),
        other => Err(other),
    }
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

/// What the visitor could give a key where he manages keys: nobody gives more than he holds.
fn scopes(visitor: &Actor, chosen: &[&str]) -> Vec<Choice> {
    let manages = visitor.sight(Permission::ApiKeysManage);
    let gives = |permission: &Permission| {
        let both = visitor.sight(*permission).and(&manages);
        !both.is_empty() || chosen.contains(&permission.word())
    };
    let offered = Permission::ALL.into_iter().filter(gives);
    let choice = |permission: Permission| Choice {
        value: permission.word().to_owned(),
        word: permission.does().to_owned(),
        chosen: chosen.contains(&permission.word()),
    };
    offered.map(choice).collect()
}

async fn create(visit: Visit) -> Result<Reply> {
    let form = said(&visit, false, "");
    let made = match organization_chosen(&visit) {
        Ok(chosen) => api_keys::create(&visit.app, visit.actor()?, None, chosen, &form).await,
        Err(fault) => Err(fault),
    };
    match made {
        Ok(shown) => {
            keep(&visit, "/api-keys", &shown)?;
            Ok(Reply::go("/api-keys"))
        }
        Err(error) => Ok(page(&visit, faults_of(error)?).await?.status(422)),
    }
}

async fn of_site(visit: Visit) -> Result<Reply> {
    site_page(&visit, Vec::new()).await
}

async fn site_page(visit: &Visit, faults: Faults) -> Result<Reply> {
    let site = sites::find(&visit.app, visit.actor()?, visit.id()?).await?;
    let found = api_keys::of_site(&visit.app, visit.actor()?, site.id).await?;
    Reply::page(&SiteKeysPage {
        shell: visit.shell(&format!("Keys of {}", site.name)).await?,
        head: site::head(visit, &site, "/keys"),
        secret: new_secret(visit),
        rows: found
            .iter()
            .map(|key| row(visit, key, None, None))
            .collect(),
        form: typed(
            visit,
            "Where it will be kept, such as “deploy server”.",
            faults,
        ),
    })
}

async fn create_of_site(visit: Visit) -> Result<Reply> {
    let id = visit.id()?;
    let form = said(&visit, true, "");
    match api_keys::create(&visit.app, visit.actor()?, Some(id), None, &form).await {
        Ok(shown) => {
            let place = format!("/sites/{id}/keys");
            keep(&visit, &place, &shown)?;
            Ok(Reply::go(place))
        }
        Err(error) => Ok(site_page(&visit, faults_of(error)?).await?.status(422)),
    }
}

/// Where a key's page is.
fn place(key: &ApiKey) -> String {
    key.site_id.map_or_else(
        || "/api-keys".to_owned(),
        |site| format!("/sites/{site}/keys"),
    )
}

/// Its last day, as the form shows it; nothing where it has no end.
fn last_day(key: &ApiKey) -> String {
    let day = |end: jiff::Timestamp| end.strftime("%Y-%m-%d").to_string();
    key.expires_at.map(day).unwrap_or_default()
}

async fn show(visit: Visit) -> Result<Reply> {
    let key = api_keys::get(&visit.app, visit.actor()?, visit.id()?).await?;
    if key.revoked_at.is_some() {
        return Ok(Reply::go(place(&key)).saying("A key that was revoked can't be changed."));
    }
    let words: Vec<&str> = key.scopes.iter().map(|scope| scope.word()).collect();
    let form = KeyForm {
        name: key.name.clone(),
        until: last_day(&key),
        networks: key.networks.join("\n"),
        ..KeyForm::default()
    };
    key_page(&visit, &key, &words, form).await
}

async fn key_page(
    visit: &Visit,
    key: &ApiKey,
    chosen: &[&str],
    mut form: KeyForm,
) -> Result<Reply> {
    if key.site_id.is_none() {
        form.scopes = scopes(visit.actor()?, chosen);
    }
    Reply::page(&KeyPage {
        shell: visit.shell(&key.name).await?,
        id: key.id,
        name: key.name.clone(),
        prefix: key.prefix.clone(),
        back: place(key),
        form,
    })
}

async fn update(visit: Visit) -> Result<Reply> {
    let key = api_keys::get(&visit.app, visit.actor()?, visit.id()?).await?;
    let form = said(&visit, key.site_id.is_some(), &last_day(&key));
    match api_keys::update(&visit.app, visit.actor()?, key.id, form).await {
        Ok(key) => Ok(Reply::go(place(&key)).saying(&format!("“{}” was saved.", key.name))),
        Err(error) => {
            let form = typed(&visit, "", faults_of(error)?);
            let page = key_page(&visit, &key, &visit.fields("scopes"), form).await?;
            Ok(page.status(422))
        }
    }
}

async fn ask_rotate(visit: Visit) -> Result<Reply> {
    let key = api_keys::get(&visit.app, visit.actor()?, visit.id()?).await?;
    Reply::page(&RotatePage {
        shell: visit.shell(&format!("Rotate {}", key.name)).await?,
        id: key.id,
        back: place(&key),
        name: key.name,
    })
}

async fn rotate(visit: Visit) -> Result<Reply> {
    let grace = (visit.field("old") == "now").then_some(0);
    let shown = api_keys::rotate(&visit.app, visit.actor()?, visit.id()?, grace).await?;
    let place = place(&shown.key);
    keep(&visit, &place, &shown)?;
    Ok(Reply::go(place))
}

async fn ask_revoke(visit: Visit) -> Result<Reply> {
    // Uses are written late: nobody is to revoke a key that is in use as one that never was.
    callers::write_last_uses_now(&visit.app).await?;
    let key = api_keys::get(&visit.app, visit.actor()?, visit.id()?).await?;
    let used = key.last_used_at.map_or_else(
        || "It was never used.".to_owned(),
        |at| format!("It was last used {}.", words::relative(visit.now, at)),
    );
    let old = match key.old_expires_at.filter(|until| *until > visit.now) {
        Some(_) => " The secret that it had before, which still works, ends with it.",
        None => "",
    };
    Reply::page(&ConfirmPage {
        shell: visit.shell(&format!("Revoke {}", key.name)).await?,
        question: format!("Revoke the key “{}”?", key.name),
        explanation: format!(
            "Whoever holds it is refused from the next request on. {used}{old} It can't be brought back; a new one can be made."
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
