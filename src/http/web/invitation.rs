//! The link of an invitation: whoever is new says who he is; whoever has an account signs in first.

use secrecy::SecretString;

use super::entrance::signed_in;
use super::people::membership;
use super::view::people::{InvitationPage, OpenedInvitation};
use super::visit::{Handler, Reply, Visit, by_field};
use crate::services::invitations::{self, Newcomer};
use crate::services::{Error, Result, own_account, sign_in};

/// `GET /invitation?token=…`.
pub const OPEN: Handler = |visit| Box::pin(open(visit));
/// `POST /invitation`.
pub const TAKE: Handler = |visit| Box::pin(take(visit));

async fn open(visit: Visit) -> Result<Reply> {
    let token = visit.parameter("token").to_owned();
    page(&visit, token, Vec::new()).await
}

async fn page(visit: &Visit, token: String, faults: Vec<(String, String)>) -> Result<Reply> {
    let opened = match invitations::open(&visit.app, &token).await {
        Ok(opened) => Some(opened),
        Err(Error::NotFound) => None,
        Err(other) => return Err(other),
    };
    let status = match (&opened, faults.is_empty()) {
        (None, _) => 404,
        (Some(_), true) => 200,
        (Some(_), false) => 422,
    };
    let back = format!("/invitation?token={token}");
    let next = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("next", &back)
        .finish();
    let me = match &visit.actor {
        Some(actor) => sign_in::me(&visit.app, actor).await.ok(),
        None => None,
    };
    let retyped = !faults.is_empty();
    let typed = |name: &str, known: String| {
        if retyped {
            visit.field(name).to_owned()
        } else {
            known
        }
    };
    let page = InvitationPage {
        shell: visit.gate("Invitation"),
        token,
        sign_in: format!("/sign-in?{next}"),
        opened: opened.map(|opened| OpenedInvitation {
            memberships: opened.memberships.into_iter().map(membership).collect(),
            known: opened.known,
            signed_in: me.map(|me| me.email),
            name: typed("name", opened.name),
            time_zone: typed("time_zone", "UTC".to_owned()),
            zones: own_account::time_zones(),
            email: opened.email,
            faults,
        }),
    };
    Ok(Reply::page(&page)?.status(status))
}

async fn take(visit: Visit) -> Result<Reply> {
    let token = visit.field("token").to_owned();
    let opened = match invitations::open(&visit.app, &token).await {
        Ok(opened) => opened,
        Err(Error::NotFound) => return page(&visit, token, Vec::new()).await,
        Err(other) => return Err(other),
    };
    if opened.known {
        let Some(actor) = &visit.actor else {
            return page(&visit, token, Vec::new()).await;
        };
        return match invitations::accept(&visit.app, actor, &token).await {
            Ok(()) => Ok(Reply::go("/").saying("You took the invitation.")),
            Err(Error::Conflict { .. }) => page(&visit, token, Vec::new()).await,
            Err(other) => Err(other),
        };
    }
    let newcomer = Newcomer {
        name: visit.field("name").to_owned(),
        password: SecretString::from(visit.raw_field("password")),
        time_zone: visit.field("time_zone").to_owned(),
        address: visit.address,
        device: visit.device.clone(),
        browser: visit.browser.clone(),
    };
    match invitations::join(&visit.app, &token, newcomer).await {
        Ok(session) => signed_in(&visit, session, "/").await,
        Err(Error::Invalid(faults)) => page(&visit, token, by_field(&faults)).await,
        Err(Error::NotFound | Error::Conflict { .. }) => page(&visit, token, Vec::new()).await,
        Err(other) => Err(other),
    }
}
