//! Texts whatever their case: the one fold by which searches and filters compare them, and by which an
//! index keeps them. Knows no language.

/// The text in one case, letter by letter: it keeps its number of letters, and one whose other case is
/// several letters stays as it is.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars().map(letter).collect()
}

fn letter(letter: char) -> char {
    if matches!(letter, '\u{FFFE}' | '\u{FFFF}') {
        // No letters at all: an index keeps them as what can't be read.
        return '\u{FFFD}';
    }
    // There and back: ς and σ have one large form.
    let large = alone(letter.to_uppercase()).unwrap_or(letter);
    alone(large.to_lowercase()).unwrap_or(large)
}

fn alone(mut forms: impl Iterator<Item = char>) -> Option<char> {
    forms.next().filter(|_| forms.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_cases_of_every_letter_fold_to_the_same_once_and_for_all() {
        for letter in '\0'..=char::MAX {
            let folded = fold(&letter.to_string());
            assert_eq!(fold(&folded), folded, "{letter:?} twice");
            for other in [alone(letter.to_uppercase()), alone(letter.to_lowercase())] {
                let other = other.unwrap_or(letter);
                assert_eq!(fold(&other.to_string()), folded, "{letter:?} {other:?}");
            }
        }
    }

    #[test]
    fn a_text_keeps_its_letters_and_loses_its_case() {
        for (text, folded) in [
            ("Town HALL 50%", "town hall 50%"),
            ("ΟΔΥΣΣΕΥΣ Ὀδυσσεύς", "οδυσσευσ ὀδυσσεύσ"),
            ("Straße, GROẞ", "straße, groß"),
            ("ſ µ Å \u{212A}", "s μ å k"),
            ("ᎣᏏᏲ ꭳꮟᏺ", "ꭳꮟᏺ ꭳꮟᏺ"),
            ("ᲗᲑᲘᲚᲘᲡᲘ", "თბილისი"),
            ("ﬁn ŉ", "ﬁn ŉ"),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
    }
}
