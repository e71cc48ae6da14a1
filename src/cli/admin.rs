//! `dewline admin`: platform administrators, made and helped from the machine itself.
//!
//! Passwords are never arguments: they are typed on a terminal or piped in.

use std::io::{BufRead, IsTerminal};

use clap::Subcommand;

use crate::config::Config;

use super::orders::{self, Order};
use super::{Outcome, Stopped};

/// What can be done for administrators.
#[derive(Debug, Subcommand)]
pub enum Admin {
    /// Make a platform administrator
    Create {
        /// The address with which he signs in
        #[arg(long)]
        email: String,
        /// The name that others see
        #[arg(long)]
        name: String,
        /// Read the password from the first line of standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// Give a person a new password; all sessions end
    ResetPassword {
        /// The person's address
        #[arg(long)]
        email: String,
        /// Read the password from the first line of standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// Take away the second step at sign-in of a person who has lost it; remembered browsers are forgotten
    #[command(name = "disable-2fa")]
    DisableTwoFactor {
        /// The person's address
        #[arg(long)]
        email: String,
    },
}

/// Asks for the password and has it done.
pub fn run(config: Config, admin: Admin) -> Outcome {
    let order = match admin {
        Admin::Create {
            email,
            name,
            password_stdin,
        } => Order::CreateAdministrator {
            email,
            name,
            password: password(password_stdin)?,
        },
        Admin::ResetPassword {
            email,
            password_stdin,
        } => Order::ResetPassword {
            email,
            password: password(password_stdin)?,
        },
        Admin::DisableTwoFactor { email } => Order::DisableTwoFactor { email },
    };
    orders::give(config, order)
}

fn password(piped: bool) -> Result<String, Stopped> {
    if piped {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Stopped::Usage(
            "there is no terminal to type a password on: pipe it in with --password-stdin"
                .to_owned(),
        ));
    }
    let terminal = console::Term::stderr();
    let ask = |what: &str| {
        terminal.write_str(what)?;
        terminal.read_secure_line()
    };
    let first = ask("Password: ")?;
    if first == ask("Once more: ")? {
        Ok(first)
    } else {
        Err(Stopped::Failed("the two differ".to_owned()))
    }
}
