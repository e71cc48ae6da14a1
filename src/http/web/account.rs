//! What belongs to whoever is signed in: profile, password, sessions and browsers, and leaving.

use secrecy::SecretString;

use super::entrance::under_new_cookie;
use super::listing::{Tab, asked};
use super::view::account::{
    BrowserRow, LeavePage, PasswordPage, ProfilePage, SessionRow, SessionsPage,
};
use super::visit::{Handler, Reply, SESSION, Visit, by_field};
use super::words;
use crate::domain::listing::Query;
use crate::domain::session::{DEVICES, SESSIONS, called};
use crate::services::own_account::{self, Profile};
use crate::services::{Error, Result, password_change, sessions, sign_in, two_factors};

/// `GET /account`.
pub const SHOW: Handler = |visit| Box::pin(show(visit));
/// `POST /account`.
pub const UPDATE: Handler = |visit| Box::pin(update(visit));
/// `GET /account/password`.
pub const ASK_PASSWORD: Handler = |visit| Box::pin(ask_password(visit));
/// `POST /account/password`.
pub const CHANGE_PASSWORD: Handler = |visit| Box::pin(change_password(visit));
/// `GET /account/sessions`.
pub const LIST_SESSIONS: Handler = |visit| Box::pin(list_sessions(visit));
/// `POST /account/sessions/{id}/end`.
pub const END_SESSION: Handler = |visit| Box::pin(end_session(visit));
/// `POST /account/sessions/end`.
pub const END_OTHERS: Handler = |visit| Box::pin(end_others(visit));
/// `POST /account/browsers/{id}/forget`.
pub const FORGET_BROWSER: Handler = |visit| Box::pin(forget_browser(visit));
/// `GET /account/delete`.
pub const ASK_LEAVE: Handler = |visit| Box::pin(ask_leave(visit));
/// `POST /account/delete`.
pub const LEAVE: Handler = |visit| Box::pin(leave(visit));

/// The parts of one's account, each a page: its word and its path.
const PARTS: [(&str, &str); 5] = [
    ("Profile", "/account"),
    ("Password", "/account/password"),
    ("Two-step sign-in", "/account/two-factor"),
    ("Sessions", "/account/sessions"),
    ("Organizations", "/account/organizations"),
];

/// Rows on the page of sessions: whoever has more asks the API.
const ROWS: &str = "100";

/// The tabs above the parts of one's account.
pub fn tabs(here: &str) -> Vec<Tab> {
    PARTS
        .iter()
        .map(|(word, path)| Tab::new(word, None, *path, *path == here))
        .collect()
}

type Faults = Vec<(String, String)>;

/// Why a form was refused: what is wrong, by field, and with which answer it is said.
struct Refused {
    status: u16,
    faults: Faults,
    retry_after: Option<u64>,
}

impl Refused {
    /// What isn't the form's fault goes on. A wait is said at `field`.
    fn of(error: Error, field: &str) -> Result<Self> {
        let (status, faults, retry_after) = match error {
            Error::Invalid(faults) => (422, by_field(&faults), None),
            Error::Conflict {
                code: "email_taken",
                detail,
            } => (409, vec![("email".to_owned(), detail)], None),
            Error::TooMany { retry_after } => {
                let wait = words::wait(retry_after);
                let said = format!("Too many attempts. Try again in {wait}.");
                (429, vec![(field.to_owned(), said)], Some(retry_after))
            }
            other => return Err(other),
        };
        Ok(Self {
            status,
            faults,
            retry_after,
        })
    }

    /// The page that says so.
    fn told(status: u16, retry_after: Option<u64>, page: Reply) -> Reply {
        let page = page.status(status);
        match retry_after {
            Some(seconds) => page.retry_after(seconds),
            None => page,
        }
    }
}

async fn show(visit: Visit) -> Result<Reply> {
    profile(&visit, Vec::new()).await
}

async fn profile(visit: &Visit, faults: Faults) -> Result<Reply> {
    let me = sign_in::me(&visit.app, visit.actor()?).await?;
    let typed = |name: &str, known: &str| {
        if faults.is_empty() {
            known.to_owned()
        } else {
            visit.field(name).to_owned()
        }
    };
    Reply::page(&ProfilePage {
        shell: visit.shell("My account").await?,
        tabs: tabs("/account"),
        name: typed("name", &me.name),
        email: typed("email", &me.email),
        time_zone: typed("time_zone", &me.time_zone),
        zones: own_account::time_zones(),
        faults,
    })
}

async fn update(visit: Visit) -> Result<Reply> {
    let password = visit.raw_field("current_password");
    let sent = Profile {
        name: Some(visit.field("name").to_owned()),
        time_zone: Some(visit.field("time_zone").to_owned()),
        email: Some(visit.field("email").to_owned()),
        current_password: (!password.is_empty()).then(|| SecretString::from(password)),
        unreadable: Vec::new(),
    };
    match own_account::update(&visit.app, visit.actor()?, sent).await {
        Ok(_) => Ok(Reply::go("/account").saying("Saved.")),
        Err(error) => {
            let why = Refused::of(error, "current_password")?;
            let page = profile(&visit, why.faults).await?;
            Ok(Refused::told(why.status, why.retry_after, page))
        }
    }
}

async fn ask_password(visit: Visit) -> Result<Reply> {
    password_page(&visit, Vec::new()).await
}

async fn password_page(visit: &Visit, faults: Faults) -> Result<Reply> {
    let me = sign_in::me(&visit.app, visit.actor()?).await?;
    Reply::page(&PasswordPage {
        shell: visit.shell("My account").await?,
        tabs: tabs("/account/password"),
        email: me.email,
        faults,
    })
}

async fn change_password(visit: Visit) -> Result<Reply> {
    let current = SecretString::from(visit.raw_field("current_password"));
    let new = SecretString::from(visit.raw_field("password"));
    match password_change::change(&visit.app, visit.actor()?, &current, &new).await {
        Ok(()) => {
            let said = "The password is changed, and every other session has ended.";
            under_new_cookie(&visit, Reply::go("/account/password").saying(said)).await
        }
        Err(error) => {
            let why = Refused::of(error, "current_password")?;
            let page = password_page(&visit, why.faults).await?;
            Ok(Refused::told(why.status, why.retry_after, page))
        }
    }
}

async fn list_sessions(visit: Visit) -> Result<Reply> {
    let actor = visit.actor()?;
    let wanted = asked(&visit.query).chain([("per_page", ROWS)]);
    let query = Query::parse(&SESSIONS, wanted).map_err(Error::Invalid)?;
    let all = sessions::list(&visit.app, actor, &query).await?;
    let row = |session: crate::domain::session::OwnSession| SessionRow {
        id: session.id,
        name: called(&session.device),
        device: session.device,
        program: session.kind == "api",
        address: session.address,
        began: session.created_at,
        // The call that shows this is its last use.
        used: if session.current {
            visit.now
        } else {
            session.last_used_at
        },
        current: session.current,
    };
    let mut rows: Vec<SessionRow> = all.rows.into_iter().map(row).collect();
    rows.sort_by_key(|row| !row.current);
    let two_step = two_factors::standing(&visit.app, actor).await?;
    Reply::page(&SessionsPage {
        shell: visit.shell("My account").await?,
        tabs: tabs("/account/sessions"),
        rows,
        browsers: browsers(&visit).await?,
        two_step: two_step.enabled_at.is_some(),
    })
}

/// The browsers that the caller signed in with, the one used last first.
pub(super) async fn browsers(visit: &Visit) -> Result<Vec<BrowserRow>> {
    let query = Query::parse(&DEVICES, [("per_page", ROWS)]).map_err(Error::Invalid)?;
    let known = sessions::devices(&visit.app, visit.actor()?, &query).await?;
    let present = sessions::present_device(&visit.app, visit.actor()?)?;
    let rows = known.rows.into_iter().map(|device| BrowserRow {
        id: device.id,
        present: present == Some(device.id),
        name: called(&device.name),
        device: device.name,
        address: device.address,
        used: device.last_used_at,
        trusted_until: device.trusted_until.filter(|until| *until > visit.now),
    });
    Ok(rows.collect())
}

async fn end_session(visit: Visit) -> Result<Reply> {
    sessions::end(&visit.app, visit.actor()?, visit.id()?).await?;
    Ok(Reply::go("/account/sessions").saying("That session has ended."))
}

async fn end_others(visit: Visit) -> Result<Reply> {
    let ended = sessions::end_others(&visit.app, visit.actor()?).await?;
    let said = match ended {
        0 => "There was no other session.".to_owned(),
        n => format!(
            "{} ended.",
            words::count(
                u64::try_from(n).unwrap_or_default(),
                "other session has",
                "other sessions have"
            )
        ),
    };
    Ok(Reply::go("/account/sessions").saying(&said))
}

async fn forget_browser(visit: Visit) -> Result<Reply> {
    sessions::revoke_device(&visit.app, visit.actor()?, visit.id()?).await?;
    Ok(Reply::go("/account/sessions")
        .saying("That browser is forgotten, and its sessions have ended."))
}

async fn ask_leave(visit: Visit) -> Result<Reply> {
    leave_page(&visit, Vec::new(), None).await
}

async fn leave_page(visit: &Visit, faults: Faults, refused: Option<String>) -> Result<Reply> {
    Reply::page(&LeavePage {
        shell: visit.shell("Delete my account").await?,
        refused,
        faults,
    })
}

async fn leave(visit: Visit) -> Result<Reply> {
    let password = SecretString::from(visit.raw_field("password"));
    match own_account::leave(&visit.app, visit.actor()?, &password).await {
        Ok(()) => Ok(Reply::go("/sign-in")
            .cookie(SESSION, "", 0)
            .saying("Your account is deleted.")),
        Err(Error::Conflict { detail, .. }) => Ok(leave_page(&visit, Vec::new(), Some(detail))
            .await?
            .status(409)),
        Err(error) => {
            let why = Refused::of(error, "password")?;
            let page = leave_page(&visit, why.faults, None).await?;
            Ok(Refused::told(why.status, why.retry_after, page))
        }
    }
}
