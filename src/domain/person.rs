//! What a person's e-mail address, name and password must look like. One place, whoever asks:
//! set-up, the command line, and later invitations and resets.

use jiff::tz::TimeZone;
use zxcvbn::{Score, zxcvbn};

use super::fault::Fault;
use super::text;

/// The fewest characters of a password.
pub const SHORTEST_PASSWORD: usize = 12;
/// The most bytes of a password: more would only cost time.
pub const LONGEST_PASSWORD: usize = 1024;
/// Characters of a password that are looked at when it is asked how easy it is to guess.
const LOOKED_AT: usize = 100;
/// Words about a person that are tried as guesses.
const KNOWN_WORDS: usize = 20;

/// An e-mail address that can be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Reads an address; white space around it is dropped.
    ///
    /// # Errors
    /// One [`Fault`] at `pointer`.
    pub fn parse(text: &str, pointer: &str) -> Result<Self, Fault> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Fault::new(
                pointer,
                "required",
                "An e-mail address is needed.",
            ));
        }
        if text.len() > 254 {
            return Err(Fault::new(
                pointer,
                "too_long",
                "An e-mail address has at most 254 characters.",
            ));
        }
        let plausible = text.rsplit_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && local.len() <= 64
                && !local.contains('@')
                && !domain.is_empty()
                && !domain.starts_with(['.', '-'])
                && !domain.ends_with(['.', '-'])
                && !domain.contains("..")
        });
        let clean = text::is_plain(text, 254)
            && !text.contains(|c: char| {
                c.is_whitespace() || matches!(c, '<' | '>' | '"' | ',' | ';' | '\\')
            });
        if plausible && clean {
            Ok(Self(text.to_owned()))
        } else {
            Err(Fault::new(
                pointer,
                "not_an_email",
                "This is not an e-mail address such as name@example.org.",
            ))
        }
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Reads a name that people will see (of a person, a key): 1 to 200 characters, nothing that hides
/// or turns the text around it. White space around it is dropped.
///
/// # Errors
/// One [`Fault`] at `pointer`.
pub fn parse_name(text: &str, pointer: &str) -> Result<String, Fault> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Fault::new(pointer, "required", "A name is needed."));
    }
    let mut faults = Vec::new();
    text::check(text, pointer, 200, &mut faults);
    if let Some(fault) = faults.into_iter().next() {
        return Err(fault);
    }
    Ok(text.to_owned())
}

/// Reads the IANA name of a time zone, in whatever case, and gives it as it is written there.
///
/// # Errors
/// One [`Fault`] at `pointer`.
pub fn parse_time_zone(text: &str, pointer: &str) -> Result<String, Fault> {
    TimeZone::get(text.trim())
        .ok()
        .and_then(|zone| zone.iana_name().map(str::to_owned))
        .ok_or_else(|| {
            Fault::new(
                pointer,
                "unknown_time_zone",
                "This is not the name of a time zone such as Europe/Vienna.",
            )
        })
}

/// The names of all time zones, in the order of the alphabet.
pub fn time_zones() -> Vec<String> {
    let mut names: Vec<String> = jiff::tz::db()
        .available()
        .map(|name| name.as_str().to_owned())
        .collect();
    names.sort_unstable();
    names
}

/// Checks a new password: long enough, and not easy to guess by whoever knows what it is for and
/// whose it is, which `about` says (a name, an e-mail address).
///
/// # Errors
/// One [`Fault`] at `pointer`.
pub fn check_password(password: &str, pointer: &str, about: &[&str]) -> Result<(), Fault> {
    if password.chars().count() < SHORTEST_PASSWORD {
        return Err(Fault::new(
            pointer,
            "too_short",
            format!(
                "A password has at least {SHORTEST_PASSWORD} characters. Three or four words that don't belong together are good."
            ),
        ));
    }
    if password.len() > LONGEST_PASSWORD {
        return Err(Fault::new(
            pointer,
            "too_long",
            format!("A password has at most {LONGEST_PASSWORD} bytes."),
        ));
    }
    check_guesses(password, pointer, about)
}

/// Asks how many guesses it takes: 3 of zxcvbn's 0 to 4 at least. Only the first characters are
/// looked at, so that the time is bounded.
fn check_guesses(password: &str, pointer: &str, about: &[&str]) -> Result<(), Fault> {
    let looked_at: String = password.chars().take(LOOKED_AT).collect();
    let mut known = vec!["dewline", "drupal"];
    for text in about {
        known.push(text);
        known.extend(text.split(|c: char| !c.is_alphanumeric()));
    }
    known.retain(|word| !word.is_empty());
    known.truncate(KNOWN_WORDS);
    let guessed = zxcvbn(&looked_at, &known);
    if guessed.score() >= Score::Three {
        return Ok(());
    }
    let warning = guessed.feedback().and_then(|said| said.warning());
    let why = warning.map_or_else(String::new, |warning| format!(" {warning}"));
    Err(Fault::new(
        pointer,
        "easy_to_guess",
        format!(
            "This password is easy to guess.{why} Three or four words that don't belong together are good."
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_can_be_one_are_taken() {
        for text in [
            "ada@example.org",
            " ada@example.org ",
            "a.b+c@sub.example.org",
            "admin@localhost",
        ] {
            assert_eq!(Email::parse(text, "/email").unwrap().as_str(), text.trim());
        }
    }

    #[test]
    fn what_cannot_be_an_address_is_refused() {
        let long = format!("{}@example.org", "a".repeat(65));
        for text in [
            "ada",
            "@example.org",
            "ada@",
            "a@b@c.org",
            "a da@example.org",
            "ada@example..org",
            "ada@.org",
            "ada\r\nbcc:x@example.org",
            "<ada@example.org>",
            "a,b@example.org",
            &long,
        ] {
            assert_eq!(
                Email::parse(text, "/email").unwrap_err().code,
                "not_an_email",
                "{text:?}"
            );
        }
        assert_eq!(Email::parse(" ", "/email").unwrap_err().code, "required");
        assert_eq!(
            Email::parse(&"a".repeat(255), "/email").unwrap_err().code,
            "too_long"
        );
    }

    #[test]
    fn names_show_what_they_are() {
        assert_eq!(
            parse_name("  Ada Lovelace ", "/name").unwrap(),
            "Ada Lovelace"
        );
        assert_eq!(parse_name("", "/name").unwrap_err().code, "required");
        assert_eq!(
            parse_name(&"x".repeat(201), "/name").unwrap_err().code,
            "too_long"
        );
        for text in ["a\0b", "a\u{202E}b", "a\nb", "a\u{200B}b"] {
            assert_eq!(
                parse_name(text, "/name").unwrap_err().code,
                "control_character"
            );
        }
    }

    #[test]
    fn time_zones_are_those_that_there_are() {
        let read = |text| parse_time_zone(text, "/time_zone");
        assert_eq!(read(" europe/vienna ").unwrap(), "Europe/Vienna");
        assert_eq!(read("UTC").unwrap(), "UTC");
        for wrong in ["", "Europe", "Mars/Olympus", "+02:00", "../../etc/passwd"] {
            assert_eq!(
                read(wrong).unwrap_err().code,
                "unknown_time_zone",
                "{wrong}"
            );
        }
    }

    #[test]
    fn passwords_are_long_enough_and_not_easy_to_guess() {
        let about = ["Mara Lindqvist", "mara@harbour.example"];
        let said = |password: &str| match check_password(password, "/password", &about) {
            Ok(()) => "good".to_owned(),
            Err(fault) => fault.code.into_owned(),
        };
        for (password, wanted) in [
            ("short", "too_short"),
            ("ääääääääääää", "easy_to_guess"),
            ("aaaaaaaaaaaaaaaa", "easy_to_guess"),
            ("password1234", "easy_to_guess"),
            ("qwertyuiop[]", "easy_to_guess"),
            ("Password123!", "easy_to_guess"),
            ("mara.lindqvist", "easy_to_guess"),
            ("mara@harbour.example", "easy_to_guess"),
            ("dewlinedewline1", "easy_to_guess"),
            ("correct horse battery", "good"),
            ("xkeoq9fhw2mz", "good"),
            ("träge Möwe zählt Kisten", "good"),
        ] {
            assert_eq!(said(password), wanted, "{password}");
        }
        assert_eq!(said(&"x".repeat(1025)), "too_long");
        // What makes it good stands within what is looked at.
        assert_eq!(said(&"correct horse battery".repeat(40)), "good");
    }

    #[test]
    fn what_is_wrong_with_a_password_is_said_in_plain_words() {
        let fault = check_password("password1234", "/password", &[]).unwrap_err();
        assert!(fault.detail.contains("easy to guess"), "{}", fault.detail);
        assert!(fault.detail.ends_with("belong together are good."));
    }
}
