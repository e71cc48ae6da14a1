//! Whether the process lives, and whether it can answer. Drupal.org being away changes neither.

use crate::http::call::{Answer, Call};
use crate::http::route::{Gives, Operation, Takes};
use crate::services::{Result, health};

/// `GET /healthz`.
pub const LIVE: Operation = Operation {
    name: "healthz",
    summary: "Whether the process lives",
    takes: Takes::Nothing,
    gives: Gives::Bare("text/plain"),
    handler: |_| Box::pin(async { Ok(plain("ok\n")) }),
};

/// `GET /readyz`.
pub const READY: Operation = Operation {
    name: "readyz",
    summary: "Whether it can answer: the database can be read",
    takes: Takes::Nothing,
    gives: Gives::Bare("text/plain"),
    handler: |call| Box::pin(ready(call)),
};

async fn ready(call: Call) -> Result<Answer> {
    health::ready(&call.app)?;
    Ok(plain("ready\n"))
}

fn plain(text: &str) -> Answer {
    Answer::Bare {
        media: "text/plain; charset=utf-8",
        text: text.to_owned(),
    }
}
