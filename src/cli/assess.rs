//! `dewline assess`: explains verdicts without a server, by the very code that the server uses.
//! One JSON question a line in, one JSON answer a line out; a line that can't be answered says why and the run goes on.

use std::io::{self, BufRead, Read, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

mod answers;
mod shelf;

use shelf::Shelf;

/// Explain verdicts without a server: JSON lines in, JSON lines out.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct AssessArgs {
    /// The directory with the release histories that the lines name.
    #[arg(long, value_name = "DIR")]
    pub history: Option<PathBuf>,
    /// A directory with advisories (OSV documents, *.json).
    #[arg(long, value_name = "DIR")]
    pub advisories: Option<PathBuf>,
    /// End with a line on standard error: cases, seconds in the engine, seconds in parsing.
    #[arg(long)]
    pub stats: bool,
}

/// The longest line that is read, in bytes.
const LONGEST_LINE: u64 = 1 << 20;

/// What a run has cost.
#[derive(Default)]
struct Stats {
    cases: u64,
    engine: Duration,
    parsing: Duration,
}

/// Answers every line of the input. Fails only where reading or writing itself fails.
///
/// # Errors
/// When the advisories' directory can't be read, and when input or output break.
pub fn run(
    args: AssessArgs,
    mut input: impl BufRead,
    mut output: impl Write,
    mut errors: impl Write,
) -> io::Result<()> {
    let mut shelf = Shelf::open(args.history, args.advisories.as_deref(), &mut errors)?;
    let mut stats = Stats::default();
    let mut line = Vec::new();
    while let Some(whole) = next_line(&mut input, &mut line)? {
        stats.cases += 1;
        let answer = if whole {
            answer(&line, &mut shelf, &mut stats)
        } else {
            Err("the line is too long".to_owned())
        };
        let answer = answer.unwrap_or_else(|error| json!({ "error": error }));
        serde_json::to_writer(&mut output, &answer)?;
        output.write_all(b"\n")?;
    }
    output.flush()?;
    if args.stats {
        let seconds = |time: Duration| time.as_secs_f64();
        let (engine, parsing) = (seconds(stats.engine), seconds(stats.parsing));
        writeln!(
            errors,
            "{}",
            json!({ "cases": stats.cases, "engine_seconds": engine, "parsing_seconds": parsing })
        )?;
    }
    Ok(())
}

/// Reads one line into the buffer: whether it is whole, or `None` at the end.
fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<bool>> {
    line.clear();
    if input.by_ref().take(LONGEST_LINE).read_until(b'\n', line)? == 0 {
        return Ok(None);
    }
    if line.ends_with(b"\n") || (line.len() as u64) < LONGEST_LINE {
        return Ok(Some(true));
    }
    input.skip_until(b'\n')?;
    Ok(Some(false))
}

fn answer(line: &[u8], shelf: &mut Shelf, stats: &mut Stats) -> Result<Value, String> {
    let question: answers::Question =
        serde_json::from_slice(line).map_err(|error| error.to_string())?;
    match question.ask.as_deref() {
        None | Some("status") => answers::status(&question, shelf, stats),
        Some("version") => answers::version(&question, stats),
        Some("parse") => answers::parse(&question, shelf, stats),
        Some("coverage") => answers::coverage(&question, shelf, stats),
        Some("advisories") => answers::advisories(&question, shelf, stats),
        Some(other) => Err(format!(
            "ask is one of status, version, parse, coverage, advisories, not {other:?}"
        )),
    }
}

/// Runs some work and adds its time to a total.
#[expect(
    clippy::disallowed_methods,
    reason = "a stopwatch for the operator: no answer depends on it"
)]
fn timed<T>(total: &mut Duration, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    *total += start.elapsed();
    result
}
