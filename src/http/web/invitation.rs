//! The link of an invitation: whoever is new says who he is; whoever has an account signs in and takes it
//! with that. The page is the same for both until somebody has signed in.

use secrecy::SecretString;

use super::code;
use super::entrance::signed_in;
use super::people::membership;
use super::view::people::{InvitationPage, OpenedInvitation};
use super::visit::{Handler, Reply, Visit, by_field};
use crate::services::invitations::{self, Joined, Newcomer, Opened};
use crate::services::sign_in::{self, Entered};
use crate::services::{Error, Result, own_account};

/// `GET /invitation?token=…`.
pub const OPEN: Handler = |visit| Box::pin(open(visit));
/// `POST /invitation`.
pub const TAKE: Handler = |visit| Box::pin(take(visit));

async fn open(visit: Visit) -> Result<Reply> {
    let token = visit.parameter("token").to_owned();
    page(&visit, token, Vec::new()).await
}

async fn page(visit: &Visit, token: String, faults: Vec<(String, String)>) -> Result<Reply> {
    let opened = opened(visit, &token).await?;
    let status = match (&opened, faults.is_empty()) {
        (None, _) => 404,
        (Some(_), true) => 200,
        (Some(_), false) => 422,
    };
    let next = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("next", &back(&token))
        .finish();
    let signed_in = address(visit).await;
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
        again: back(&token),
        token,
        sign_in: format!("/sign-in?{next}"),
        opened: opened.map(|opened| OpenedInvitation {
            memberships: opened.memberships.into_iter().map(membership).collect(),
            signed_in,
            name: typed("name", opened.name),
            time_zone: typed("time_zone", "UTC".to_owned()),
            zones: own_account::time_zones(),
            email: opened.email,
            faults,
        }),
    };
    Ok(Reply::page(&page)?.status(status))
}

/// What the link opens; `None`: nothing.
async fn opened(visit: &Visit, token: &str) -> Result<Option<Opened>> {
    match invitations::open(&visit.app, token).await {
        Ok(opened) => Ok(Some(opened)),
        Err(Error::NotFound) => Ok(None),
        Err(other) => Err(other),
    }
}

/// Where the link leads.
fn back(token: &str) -> String {
    format!("/invitation?token={token}")
}

/// The address of whoever is signed in.
async fn address(visit: &Visit) -> Option<String> {
    let me = sign_in::me(&visit.app, visit.actor.as_ref()?).await;
    me.ok().map(|me| me.email)
}

async fn take(visit: Visit) -> Result<Reply> {
    let token = visit.field("token").to_owned();
    let Some(actor) = &visit.actor else {
        return join(&visit, token).await;
    };
    match invitations::accept(&visit.app, actor, &token).await {
        Ok(()) => Ok(Reply::go("/").saying("You took the invitation.")),
        Err(Error::Conflict { .. }) => Ok(page(&visit, token, Vec::new()).await?.status(409)),
        Err(Error::NotFound) => page(&visit, token, Vec::new()).await,
        Err(other) => Err(other),
    }
}

async fn join(visit: &Visit, token: String) -> Result<Reply> {
    let newcomer = Newcomer {
        name: visit.field("name").to_owned(),
        password: SecretString::from(visit.raw_field("password")),
        time_zone: visit.field("time_zone").to_owned(),
        address: visit.address,
        device: visit.device.clone(),
        browser: visit.browser.clone(),
    };
    match invitations::join(&visit.app, &token, newcomer).await {
        Ok(Joined::New(session)) => signed_in(visit, session, "/").await,
        Ok(Joined::Known(Entered::Session(session))) => {
            signed_in(visit, session, &back(&token)).await
        }
        Ok(Joined::Known(Entered::Challenge(challenge))) => {
            Ok(code::lead(&challenge, &back(&token)))
        }
        Err(Error::Invalid(faults)) => page(visit, token, by_field(&faults)).await,
        Err(Error::Conflict { detail, .. }) => {
            page(visit, token, vec![("password".to_owned(), detail)]).await
        }
        Err(Error::NotFound) => page(visit, token, Vec::new()).await,
        Err(other) => Err(other),
    }
}
