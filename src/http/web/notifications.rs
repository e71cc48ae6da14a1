//! Messages that wait, and the one look at a link that is on record.

use super::fleet::organizations_of;
use super::listing::{Listing, asked};
use super::people::{keep, new_link};
use super::view::people::{MessageRow, NotificationsPage};
use super::visit::{Handler, Reply, Visit};
use crate::domain::access::Permission;
use crate::domain::listing::Query;
use crate::domain::notification::{LIST as FIELDS, Notification};
use crate::services::invitations::Link;
use crate::services::{Error, Result, notifications};

/// `GET /notifications`.
pub const LIST: Handler = |visit| Box::pin(list(visit));
/// `POST /notifications/{id}/link`.
pub const SHOW_LINK: Handler = |visit| Box::pin(show_link(visit));

async fn list(visit: Visit) -> Result<Reply> {
    let actor = visit.actor()?;
    let query = Query::parse(&FIELDS, asked(&visit.query)).map_err(Error::Invalid)?;
    let found = notifications::list(&visit.app, actor, &query).await?;
    let list = Listing::of("/notifications", &visit.query, &query, &found);
    let organizations = organizations_of(&visit, Permission::NotificationsManage, "").await?;
    let named = |id: i64| {
        let id = id.to_string();
        let found = organizations.iter().find(|choice| choice.value == id);
        found.map(|choice| choice.word.clone())
    };
    let row = |message: Notification, works: bool| MessageRow {
        works,
        what: match message.kind.as_str() {
            notifications::INVITATION => "Invitation",
            _ => "New password",
        },
        may_show: match message.organization_id {
            Some(id) => actor.permissions_in(id).contains(Permission::UsersManage),
            None => actor.is_platform(),
        },
        organization: message.organization_id.and_then(named),
        id: message.id,
        recipient: message.recipient,
        user_id: message.user_id,
        at: message.created_at,
        until: message.expires_at,
    };
    let rows = found.rows.into_iter();
    let rows = rows.map(|waiting| row(waiting.message, waiting.link_works));
    Reply::page(&NotificationsPage {
        shell: visit.shell("Messages").await?,
        link: new_link(&visit),
        list,
        rows: rows.collect(),
    })
}

async fn show_link(visit: Visit) -> Result<Reply> {
    let id = visit.id()?;
    let (message, path) = notifications::show_link(&visit.app, visit.actor()?, id).await?;
    let link = Link {
        path,
        expires_at: message.expires_at,
    };
    keep(&visit, "/notifications", &message.recipient, &link)?;
    Ok(Reply::go("/notifications"))
}
