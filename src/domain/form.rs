//! What people and programs write into the fields of a form: lines and prose. Says what is wrong
//! with each, by its place.

use super::fault::Fault;
use super::text;

/// The fault of a field that is needed and wasn't sent.
pub fn required(pointer: &str) -> Fault {
    Fault::new(pointer, "required", "is required.")
}

/// Adds that a field is required, unless something else is already wrong with it (it was sent, but
/// could not be read).
pub fn need(pointer: &str, faults: &mut Vec<Fault>) {
    if faults.iter().all(|fault| fault.pointer != pointer) {
        faults.push(required(pointer));
    }
}

/// One line of 1 to `most` characters, without the blanks around it. `None` where it wasn't sent
/// (no fault) or is wrong (one fault or more).
pub fn line(
    value: Option<&str>,
    pointer: &str,
    most: usize,
    faults: &mut Vec<Fault>,
) -> Option<String> {
    let value = value?.trim();
    let before = faults.len();
    if value.is_empty() {
        faults.push(Fault::new(pointer, "empty", "cannot be empty."));
    }
    text::check(value, pointer, most, faults);
    (faults.len() == before).then(|| value.to_owned())
}

/// Text of several lines, at most `most` characters: line breaks and tabs are taken.
pub fn check_prose(value: &str, pointer: &str, most: usize, faults: &mut Vec<Fault>) {
    let written = value.replace(['\n', '\r', '\t'], " ");
    text::check(&written, pointer, most, faults);
}
