//! Attacks, each a test that names what it keeps. What belongs to sign-in, the second factor, and people
//! stands with those.

mod forms;
mod mass;
mod slow;
mod tokens;
mod words;
