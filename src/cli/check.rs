//! `dewline check`: does the record agree with itself? Works beside a running appliance too.

use std::fmt::Write;
use std::sync::Arc;

use crate::app::App;
use crate::clock::{SystemClock, SystemEntropy};
use crate::config::Config;
use crate::services::check;

use super::data_dir::{DataDir, Refused};
use super::{Outcome, Stopped, print};

/// Lines of one kind that are written out; the rest is counted.
const SHOWN: usize = 20;

/// Checks, prints what was looked at and every difference.
pub fn run(config: Config, replay: bool) -> Outcome {
    let _held = match DataDir::take(&config.data_dir) {
        Ok(held) => {
            // Nobody is there: what is missing is made and migrated first.
            let entropy = Arc::new(SystemEntropy::default());
            App::open(config.clone(), Arc::new(SystemClock), entropy)?
                .store
                .close();
            Some(held)
        }
        Err(Refused::InUse(_)) => None,
        Err(other) => return Err(other.into()),
    };
    let findings = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(check::run(&config, replay))?;
    let mut said = String::new();
    let mut wrong = 0;
    for finding in &findings {
        let word = if finding.wrong.is_empty() {
            "fine "
        } else {
            "WRONG"
        };
        let _ = writeln!(
            said,
            "{word} {} ({} looked at)",
            finding.about, finding.looked_at
        );
        tell(&mut said, "", &finding.wrong);
        tell(&mut said, "worth knowing: ", &finding.worth_knowing);
        wrong += finding.wrong.len();
    }
    print(&said);
    match wrong {
        0 => Ok(()),
        _ => Err(Stopped::Failed(format!("{wrong} differences"))),
    }
}

fn tell(said: &mut String, word: &str, lines: &[String]) {
    for line in lines.iter().take(SHOWN) {
        let _ = writeln!(said, "      {word}{line}");
    }
    let more = lines.len().saturating_sub(SHOWN);
    if more > 0 {
        let _ = writeln!(said, "      {word}and {more} more");
    }
}
