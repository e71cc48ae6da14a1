//! What commands ask for that touches the data: carried out here, in this process where none holds
//! the data directory, else by the one that does, through its socket. Never beside its caches.

use std::path::PathBuf;
use std::sync::Arc;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;

use crate::app::App;
use crate::clock::{SystemClock, SystemEntropy};
use crate::config::Config;
use crate::domain::access::Actor;
use crate::services::admins::{self, NewPerson};
use crate::services::import_catalogue::{self, Carried};
use crate::services::import_sites::{self, Imported};
use crate::services::two_factors;
use crate::services::{self, Error};

use super::data_dir::{DataDir, Refused};
use super::{Outcome, Stopped, door, job, print};

/// One thing to do.
#[derive(Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "kebab-case")]
pub enum Order {
    /// Make a platform administrator.
    CreateAdministrator {
        /// The address with which he signs in.
        email: String,
        /// The name that others see.
        name: String,
        /// The password.
        password: String,
    },
    /// Give a person a new password and end all his sessions.
    ResetPassword {
        /// Whose.
        email: String,
        /// The new password.
        password: String,
    },
    /// Take away a person's second step at sign-in.
    DisableTwoFactor {
        /// Whose.
        email: String,
    },
    /// Make all sites of a list.
    ImportSites {
        /// The list, as it was in the file.
        list: Vec<u8>,
    },
    /// Take a handful of carried release histories and advisories; the output is a report in JSON.
    TakeCatalogue {
        /// What was read from files.
        handful: Vec<Carried>,
    },
    /// Do some steps of a job; the output is its progress in JSON.
    WorkOn {
        /// The job's name.
        job: String,
        /// The first step: what the job is about is made due.
        begin: bool,
    },
}

impl Order {
    /// A word for the log: never its contents.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CreateAdministrator { .. } => "create-administrator",
            Self::ResetPassword { .. } => "reset-password",
            Self::DisableTwoFactor { .. } => "disable-two-factor",
            Self::ImportSites { .. } => "import-sites",
            Self::TakeCatalogue { .. } => "take-catalogue",
            Self::WorkOn { .. } => "work-on",
        }
    }

    /// The address of the person it is done for, who must be there.
    fn whom(&self) -> Option<&str> {
        match self {
            Self::ResetPassword { email, .. } | Self::DisableTwoFactor { email } => Some(email),
            _ => None,
        }
    }
}

/// What came of an order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// It was done.
    Done {
        /// What was asked for: to standard output.
        output: String,
        /// A sentence for people: to standard error.
        note: String,
    },
    /// It was not done, and why.
    Refused(String),
}

/// Carries out an order where the data is.
pub async fn carry_out(app: &Arc<App>, order: Order) -> Reply {
    let whom = order.whom().map(str::to_owned);
    match (perform(app, order).await, whom) {
        (Ok((output, note)), _) => Reply::Done { output, note },
        (Err(Error::NotFound), Some(email)) => {
            Reply::Refused(format!("nobody signs in with {email}"))
        }
        (Err(error), _) => Reply::Refused(in_words(&error)),
    }
}

/// Does it; returns what was asked for and a sentence about it.
async fn perform(app: &Arc<App>, order: Order) -> services::Result<(String, String)> {
    let operator = Actor::System;
    let note = match order {
        Order::CreateAdministrator {
            email,
            name,
            password,
        } => {
            let note = format!("{email} can sign in at {}", app.config.public_url);
            let person = NewPerson {
                email,
                name,
                password: SecretString::from(password),
            };
            admins::create(app, &operator, person).await?;
            note
        }
        Order::ResetPassword { email, password } => {
            let password = SecretString::from(password);
            admins::reset_password(app, &operator, &email, &password).await?;
            format!("{email} has a new password; all sessions have ended")
        }
        Order::DisableTwoFactor { email } => {
            two_factors::reset_of(app, &operator, &email).await?;
            format!("{email} signs in with the password alone, and can set up a second step again")
        }
        Order::ImportSites { list } => {
            let made = import_sites::import(app, &operator, &list).await?;
            return Ok((made.to_csv(), imported(&made)));
        }
        Order::TakeCatalogue { handful } => {
            let report = import_catalogue::take(app, &operator, handful).await?;
            return Ok((json(&report)?, String::new()));
        }
        Order::WorkOn { job, begin } => {
            let progress = job::work(app, &job, begin).await?;
            return Ok((json(&progress)?, String::new()));
        }
    };
    Ok((String::new(), note))
}

fn json(value: &impl Serialize) -> services::Result<String> {
    serde_json::to_string(value).map_err(|error| Error::Internal(error.to_string()))
}

/// An error as the operator reads it: every fault on a line of its own.
fn in_words(error: &Error) -> String {
    match error {
        Error::Invalid(faults) => {
            let lines = faults
                .iter()
                .map(|fault| format!("\n  {}: {}", in_plain(&fault.pointer), fault.detail));
            format!("nothing was changed:{}", lines.collect::<String>())
        }
        Error::Conflict { detail, .. } | Error::Unavailable { detail, .. } => detail.clone(),
        Error::NotFound => "not found".to_owned(),
        other => other.to_string(),
    }
}

/// A place as a person says it: `/lines/3/url` is `line 3, url`.
fn in_plain(pointer: &str) -> String {
    let place = pointer.trim_start_matches('/');
    match place.strip_prefix("lines/") {
        Some(place) => format!("line {}", place.replacen('/', ", ", 1)),
        None => place.to_owned(),
    }
}

fn imported(made: &Imported) -> String {
    let mut note = format!(
        "{} sites were made. Their keys are shown here and never again.",
        made.sites.len()
    );
    if !made.organizations_made.is_empty() {
        let names = made.organizations_made.join(", ");
        note.push_str(&format!(
            " Organizations that weren't there were made: {names}."
        ));
    }
    note
}

/// Where orders are carried out.
pub struct Desk {
    runtime: Runtime,
    place: Place,
}

enum Place {
    /// In this process, which holds the data directory.
    Here(
        Arc<App>,
        #[expect(dead_code, reason = "held for as long as it lives")] DataDir,
    ),
    /// In the process that holds it.
    There(PathBuf),
}

impl Desk {
    /// Finds out where the data is; makes and migrates it where nobody holds it.
    pub fn open(mut config: Config) -> Result<Self, Stopped> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        let place = match DataDir::take(&config.data_dir) {
            Ok(held) => {
                if config.public_url.is_empty() {
                    config.public_url = format!("http://{}", config.listen);
                }
                let entropy = Arc::new(SystemEntropy::default());
                let _inside = runtime.enter();
                let app = App::open(config, Arc::new(SystemClock), entropy)?;
                runtime.block_on(services::ledger::keep_promise(&app))?;
                Place::Here(app, held)
            }
            Err(Refused::InUse(path)) => Place::There(path),
            Err(other) => return Err(other.into()),
        };
        Ok(Self { runtime, place })
    }

    /// Has an order carried out. Gives what was asked for and a sentence about it.
    pub fn give(&self, order: Order) -> Result<(String, String), Stopped> {
        let reply = match &self.place {
            Place::Here(app, _) => self.runtime.block_on(carry_out(app, order)),
            Place::There(path) => {
                self.runtime
                    .block_on(door::ask(path, &order))
                    .map_err(|error| {
                        Stopped::Failed(format!(
                            "a running dewline holds {} but doesn't answer: {error}",
                            path.display()
                        ))
                    })?
            }
        };
        match reply {
            Reply::Done { output, note } => Ok((output, note)),
            Reply::Refused(why) => Err(Stopped::Failed(why)),
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if let Place::Here(app, _) = &self.place {
            app.store.close();
        }
    }
}

/// Has one order carried out, wherever the data is, and says what came of it.
pub fn give(config: Config, order: Order) -> Outcome {
    let (output, note) = Desk::open(config)?.give(order)?;
    print(&output);
    if !note.is_empty() {
        eprintln!("{note}");
    }
    Ok(())
}
