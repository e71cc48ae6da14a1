//! The operator's door: commands, their configuration, their exit status.
//!
//! Exit status: 0 done, 1 failed, 2 wrong usage or configuration. What a command was asked for goes
//! to standard output, everything else to standard error.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

mod admin;
pub mod assess;
mod check;
pub mod config;
mod data_dir;
mod demo;
mod door;
mod import;
mod job;
mod openapi;
mod orders;
mod serve;

use config::{Loaded, Mistake, Sources};

/// Tells which of your Drupal sites are exposed, since when, and by when it must be fixed.
#[derive(Debug, Parser)]
#[command(name = "dewline", version, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Command,
}

/// Flags that set configuration; they win over the environment and the file.
#[derive(Debug, Args)]
#[command(next_help_heading = "Configuration")]
struct Settings {
    /// Read this file instead of /etc/dewline/dewline.toml
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The one directory that holds everything
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<String>,
    /// Where to listen; port 0 picks one
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// How people and sites reach it
    #[arg(long, global = true, value_name = "URL")]
    public_url: Option<String>,
    /// Set any other key, such as --set log.level=debug
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = key_and_value)]
    set: Vec<(String, String)>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the appliance: pages, API and background work
    Serve,
    /// Open a living fleet to look at, with a stand-in for drupal.org, on a throw-away data directory
    Demo(demo::DemoArgs),
    /// Make and help platform administrators
    #[command(subcommand)]
    Admin(admin::Admin),
    /// Take in what is in files
    #[command(subcommand)]
    Import(import::Import),
    /// Do background work by hand
    #[command(subcommand)]
    Job(job::Job),
    /// Look whether the record agrees with itself; any difference ends with status 1
    Check {
        /// Also build everything anew from syncs and publications alone, and compare
        #[arg(long)]
        replay: bool,
    },
    /// Explain verdicts without a server: JSON lines in, JSON lines out
    Assess(assess::AssessArgs),
    /// Print the reference of the API as an OpenAPI 3.1 document
    Openapi,
    /// Print the same as a Postman collection
    Postman,
    /// Show the effective configuration and where each value comes from
    Config,
}

/// Why a command ended without doing what it was asked.
#[derive(Debug)]
enum Stopped {
    /// The configuration is wrong: exit status 2.
    Configuration(Vec<Mistake>),
    /// It was asked for in a way that can't be: exit status 2.
    Usage(String),
    /// It failed: exit status 1.
    Failed(String),
}

impl<E: std::error::Error> From<E> for Stopped {
    fn from(error: E) -> Self {
        Self::Failed(error.to_string())
    }
}

/// What a command returns.
type Outcome = Result<(), Stopped>;

/// Reads the command line and does what it says.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match dispatch(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stopped::Failed(why)) => {
            eprintln!("dewline: {why}");
            ExitCode::from(1)
        }
        Err(Stopped::Usage(why)) => {
            eprintln!("dewline: {why}");
            ExitCode::from(2)
        }
        Err(Stopped::Configuration(mistakes)) => {
            eprintln!("dewline: the configuration cannot be used:");
            for mistake in mistakes {
                eprintln!("  {mistake}");
            }
            ExitCode::from(2)
        }
    }
}

fn dispatch(cli: Cli) -> Outcome {
    match cli.command {
        Command::Serve => serve::run(load(cli.settings)?.config),
        Command::Demo(args) => {
            // Only the flag names a directory for the demo: never the one that an installation uses.
            let data_dir = cli.settings.data_dir.clone().map(PathBuf::from);
            demo::run(load(cli.settings)?.config, data_dir, &args)
        }
        Command::Admin(admin) => admin::run(load(cli.settings)?.config, admin),
        Command::Import(import) => import::run(load(cli.settings)?.config, import),
        Command::Job(job) => job::run(load(cli.settings)?.config, job),
        Command::Check { replay } => check::run(load(cli.settings)?.config, replay),
        Command::Config => {
            print(&config::show(&load(cli.settings)?));
            Ok(())
        }
        Command::Openapi => openapi::document(),
        Command::Postman => openapi::postman(),
        // It needs no configuration, and so a wrong one doesn't stop it.
        Command::Assess(args) => {
            let output = std::io::BufWriter::new(std::io::stdout().lock());
            Ok(assess::run(
                args,
                std::io::stdin().lock(),
                output,
                std::io::stderr().lock(),
            )?)
        }
    }
}

fn load(settings: Settings) -> Result<Loaded, Stopped> {
    let mut flags = Vec::new();
    for (key, flag, value) in [
        ("data_dir", "--data-dir", settings.data_dir),
        ("listen", "--listen", settings.listen),
        ("public_url", "--public-url", settings.public_url),
    ] {
        if let Some(value) = value {
            flags.push((key.to_owned(), flag.to_owned(), value));
        }
    }
    for (key, value) in settings.set {
        let flag = format!("--set {key}");
        flags.push((key, flag, value));
    }
    config::load(&Sources {
        file: settings.config,
        default_file: Some(config::DEFAULT_FILE.into()),
        environment: std::env::vars_os().collect(),
        flags,
    })
    .map_err(Stopped::Configuration)
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("KEY=VALUE is needed")?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

/// Writes to standard output; a reader that went away is no fault.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
