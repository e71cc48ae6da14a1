//! Plain text out of fields that may hold markup: what is kept is text, whatever a source sends.

use crate::domain::text::is_treacherous;

/// The text of a fragment of HTML: tags taken out, entities read, white space joined, at most `most`
/// characters. What looks like a tag only because an entity said so stays text.
pub fn of_markup(text: &str, most: usize) -> String {
    // Much longer than what is kept: the rest can't matter, and reading stays cheap whatever is sent.
    let start = text.floor_char_boundary(most.saturating_mul(20).min(text.len()));
    let text = text.get(..start).unwrap_or_default();
    tidy(&entities(&without_tags(text)), most)
}

/// The same for a field in which `<` is a sign of its own, such as a constraint: no tag is taken out.
pub fn of_signs(text: &str) -> String {
    entities(text).trim().to_owned()
}

/// One line without invisible characters, of at most `most` characters.
fn tidy(text: &str, most: usize) -> String {
    let blank = |c: char| c.is_whitespace() || c.is_control();
    let visible: String = text
        .chars()
        .filter(|c| blank(*c) || !is_treacherous(*c))
        .collect();
    let words: Vec<&str> = visible
        .split(blank)
        .filter(|word| !word.is_empty())
        .collect();
    let mut line = words.join(" ");
    if let Some((end, _)) = line.char_indices().nth(most) {
        line.truncate(end);
        line.push('\u{2026}');
    }
    line
}

/// A tag begins with a letter, `/`, `!` or `?` right after its `<`, and ends with `>`; the text of scripts
/// and styles goes with them.
fn without_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        let begins =
            after.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'));
        match after.split_once('>') {
            Some((tag, behind)) if begins => {
                rest = behind;
                for name in ["script", "style"] {
                    if is_opening(tag, name) {
                        rest = after_closing(behind, name);
                    }
                }
                out.push(' ');
            }
            _ => {
                out.push('<');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn is_opening(tag: &str, name: &str) -> bool {
    tag.get(..name.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(name))
        && !tag
            .get(name.len()..)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
}

fn after_closing<'a>(text: &'a str, name: &str) -> &'a str {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("</") {
        if is_opening(after, name) {
            return after.split_once('>').map_or("", |(_, behind)| behind);
        }
        rest = after;
    }
    ""
}

/// Reads entities once: `&amp;lt;` becomes `&lt;`.
fn entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let end = after.bytes().take(12).position(|b| b == b';');
        let named = end.and_then(|end| Some((after.get(..end)?, after.get(end + 1..)?)));
        match named.and_then(|(name, behind)| Some((character(name)?, behind))) {
            Some((c, behind)) => {
                out.push(c);
                rest = behind;
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn character(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        return char::from_u32(code.ok()?);
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "ndash" => '\u{2013}',
        "mdash" => '\u{2014}',
        "lsquo" => '\u{2018}',
        "rsquo" => '\u{2019}',
        "ldquo" => '\u{201C}',
        "rdquo" => '\u{201D}',
        "hellip" => '\u{2026}',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn markup_becomes_text() {
        for (markup, text) in [
            ("Rope - Critical - XSS", "Rope - Critical - XSS"),
            ("<b>Rope</b> &amp; ladder", "Rope & ladder"),
            ("  a\n\t b&nbsp;c  ", "a b c"),
            ("before<script>alert('x')</script>after", "before after"),
            ("<STYLE type=x>p{}</style >rest", "rest"),
            ("<script>never closed", ""),
            ("1 < 2 > 0", "1 < 2 > 0"),
            ("&lt;script&gt;", "<script>"),
            ("&amp;lt;", "&lt;"),
            ("&#60;&#x3e;&#xD800;&unknown;&", "<>&#xD800;&unknown;&"),
            ("a\u{202E}b\u{0}c", "ab c"),
            ("<p", "<p"),
            ("", ""),
        ] {
            assert_eq!(of_markup(markup, 100), text, "{markup}");
        }
        assert_eq!(of_markup("eight letters", 5), "eight\u{2026}");
        assert_eq!(of_signs(" &gt;=1.0 &lt;2.0 <3 "), ">=1.0 <2.0 <3");
    }

    proptest! {
        #[test]
        fn nothing_panics_and_the_length_is_bounded(text in "[<>&;#a-z/! ]{0,60}|.{0,60}", most in 0..40_usize) {
            let plain = of_markup(&text, most);
            prop_assert!(plain.chars().count() <= most + 1);
            prop_assert!(!plain.chars().any(is_treacherous));
            of_signs(&text);
        }
    }
}
