//! Logs: one line an event on standard error, as text for people or JSON for machines, each with
//! the fields of the spans around it (the request id among them). Knows nothing of what is logged.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Starts logging for this process. A second call changes nothing.
///
/// `format` is `text`, `json`, or empty: text on a terminal, JSON elsewhere. `level` is the least
/// important level of our own that is logged; of the libraries only warnings are.
pub fn start(format: &str, level: &str) {
    let terminal = std::io::stderr().is_terminal();
    let filter = EnvFilter::new(format!("warn,dewline={level}"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_span_events(FmtSpan::NONE)
        .with_writer(std::io::stderr);
    let as_text = match format {
        "text" => true,
        "json" => false,
        _ => terminal,
    };
    let started = if as_text {
        builder.with_ansi(terminal).with_target(false).try_init()
    } else {
        builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(true)
            .try_init()
    };
    if started.is_ok() {
        std::panic::set_hook(Box::new(|panic| {
            let place = panic.location().map(ToString::to_string);
            let why = panic.payload_as_str().unwrap_or("no reason given");
            tracing::error!(place, why, "a part of the program failed unexpectedly");
        }));
    }
}
