//! How to connect a site, and the light that waits for its first sync.

use super::keys::keep;
use super::overview::natural;
use super::parts::Advisories;
use super::site_windows::open_windows;
use super::view::forms::{ConnectPage, Light};
use super::view::site::RefusedRow;
use super::visit::{Handler, Reply, Visit};
use crate::domain::api_key::ApiKeyForm;
use crate::domain::site::Site;
use crate::services::{Result, api_keys, history, sites};

/// `GET /sites/{id}/connect`.
pub const SHOW: Handler = |visit| Box::pin(show(visit));
/// `POST /sites/{id}/connect`: another key.
pub const RENEW: Handler = |visit| Box::pin(renew(visit));
/// `GET /sites/{id}/connect/light`: what the page asks for while it waits.
pub const LIGHT: Handler = |visit| Box::pin(show_light(visit));

/// Makes a key for a site and leads to the page that shows it, once.
///
/// # Errors
/// What the services say.
pub async fn with_new_key(visit: &Visit, site: &Site) -> Result<Reply> {
    let form = ApiKeyForm {
        name: Some(site.name.clone()),
        ..ApiKeyForm::default()
    };
    let shown = api_keys::create(&visit.app, visit.actor()?, Some(site.id), None, &form).await?;
    let place = format!("/sites/{}/connect", site.id);
    keep(visit, &place, &shown)?;
    Ok(Reply::go(place))
}

async fn renew(visit: Visit) -> Result<Reply> {
    let site = sites::find(&visit.app, visit.actor()?, visit.id()?).await?;
    with_new_key(&visit, &site).await
}

async fn show(visit: Visit) -> Result<Reply> {
    let actor = visit.actor()?;
    let site = sites::find(&visit.app, actor, visit.id()?).await?;
    let keys = api_keys::of_site(&visit.app, actor, site.id).await?;
    let alive = keys
        .iter()
        .find(|key| key.revoked_at.is_none() && key.expires_at.is_none_or(|end| end > visit.now));
    let secret = visit.secrets.take(actor, &visit.path);
    Reply::page(&ConnectPage {
        shell: visit.shell(&format!("Connect {}", site.name)).await?,
        site_id: site.id,
        organization: site.organization.clone(),
        environment: site.environment.clone(),
        interval: natural(site.sync_interval_minutes),
        secret: secret.map(|kept| kept.reveal()),
        prefix: alive.map(|key| key.prefix.clone()),
        address: visit.origin.clone(),
        // Spread over the hour, so that a fleet doesn't speak all at once.
        minute: natural(site.id * 37 % 60),
        light: light(&visit, &site).await?,
        name: site.name,
    })
}

async fn show_light(visit: Visit) -> Result<Reply> {
    let site = sites::find(&visit.app, visit.actor()?, visit.id()?).await?;
    Reply::page(&light(&visit, &site).await?)
}

async fn light(visit: &Visit, site: &Site) -> Result<Light> {
    let refused = history::refused(&visit.app, visit.actor()?, site.id, 3).await?;
    let mut advisories: Vec<String> = Vec::new();
    if site.open_exposures > 0 {
        let open = open_windows(visit, site).await?.into_iter();
        advisories.extend(open.flat_map(|window| window.advisories));
        advisories.sort_unstable();
        advisories.dedup();
        advisories.reverse();
    }
    Ok(Light {
        now: visit.now,
        site_id: site.id,
        since: site.created_at,
        arrived: site.last_sync_at,
        modules: natural(site.counts.total),
        exposed: natural(site.open_exposures),
        advisories: Advisories::first(&advisories, 3),
        refused: refused.into_iter().map(RefusedRow::from).collect(),
        address: visit
            .origin
            .split_once("://")
            .map_or_else(|| visit.origin.clone(), |(_, host)| host.to_owned()),
    })
}
