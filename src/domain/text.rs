//! What a text from outside may hold: no control characters, nothing that turns the reading
//! direction around, and not more than so many characters.

use std::borrow::Cow;

use super::fault::Fault;

/// Characters that can hide or reorder what a person reads.
pub fn is_treacherous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

/// At most `most` characters, none of them treacherous.
pub fn is_plain(text: &str, most: usize) -> bool {
    (text.len() <= most || text.chars().count() <= most)
        && (text.bytes().all(|b| (0x20..0x7F).contains(&b)) || !text.chars().any(is_treacherous))
}

/// Adds what is wrong with a text to the faults.
pub fn check(text: &str, pointer: &str, most: usize, faults: &mut Vec<Fault>) {
    let count = text.chars().count();
    if count > most {
        faults.push(Fault::new(
            pointer,
            "too_long",
            format!("has {count} characters; at most {most} are taken"),
        ));
    }
    if let Some(c) = text.chars().find(|c| is_treacherous(*c)) {
        faults.push(Fault::new(
            pointer,
            "control_character",
            format!(
                "holds the invisible character U+{:04X}; only visible ones are taken",
                u32::from(c)
            ),
        ));
    }
}

/// A text that a spreadsheet takes as text: an apostrophe stands before what would start a formula.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if text.starts_with([
        '=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
    ]) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// A text as it is quoted in a message: at most `most` characters, without treacherous ones.
pub fn quoted(text: &str, most: usize) -> String {
    let mut quoted: String = text
        .chars()
        .take(most)
        .map(|c| if is_treacherous(c) { '\u{FFFD}' } else { c })
        .collect();
    if text.chars().nth(most).is_some() {
        quoted.push('\u{2026}');
    }
    format!("\"{quoted}\"")
}
