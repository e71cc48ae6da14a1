//! The second step of a sign-in: codes that an app computes from a shared secret and the time (TOTP,
//! RFC 6238), and backup codes on paper. Knows neither whose they are nor where they are kept.

use fast_qr::convert::svg::SvgBuilder;
use fast_qr::qr::{QRBuilder, QRCodeError};
use jiff::Timestamp;
use totp_rs::{Algorithm, Builder, Secret, Totp, TotpError};

/// Bytes of a secret, as RFC 4226 recommends.
pub const SECRET: usize = 20;
/// Seconds for which an app shows one code.
const STEP: u64 = 30;
/// Steps that a phone's clock may be early or late.
const DRIFT: u16 = 1;
/// What apps show as the name of the account's keeper.
const ISSUER: &str = "Dewline";
/// Backup codes that are made at a time.
pub const BACKUP_CODES: usize = 10;
/// Letters of a backup code, each out of a byte of randomness: 50 bits.
pub const BACKUP_ENTROPY: usize = 10;
/// Crockford's base32: no letter that can be mistaken for a digit.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// What is taken for a code at all; longer texts are not looked at.
const LONGEST: usize = 40;

/// How it stands with a person's second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Since when it is asked for at sign-in.
    pub enabled_at: Option<Timestamp>,
    /// A secret waits for the app's first code.
    pub waiting: bool,
    /// Backup codes that are unused.
    pub backup_codes_left: i64,
    /// The person's organizations that need one, the soonest first.
    pub required_by: Vec<Required>,
}

/// An organization that needs a second factor of its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Required {
    /// The organization.
    pub organization_id: i64,
    /// Its name.
    pub name: String,
    /// From when on members without one can do nothing there.
    pub from: Timestamp,
}

/// The app's side and ours of one shared secret.
#[derive(Debug)]
pub struct Authenticator(Totp);

/// The secret cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It is too short, or the account's name is not one that apps take.
    #[error("{0}")]
    Secret(#[from] TotpError),
    /// The address does not fit into a QR code.
    #[error("{0}")]
    Qr(#[from] QRCodeError),
}

impl Authenticator {
    /// Codes of six digits that change every 30 seconds, by SHA-1: what every app can.
    ///
    /// # Errors
    /// [`Unusable`] where `account` is empty.
    pub fn new(secret: [u8; SECRET], account: &str) -> Result<Self, Unusable> {
        let totp = Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(6)
            .with_step_duration(STEP)
            .with_skew(DRIFT)
            .with_secret(Secret::new_stack(secret))
            .with_issuer(Some(ISSUER))
            // A colon would end the name.
            .with_account_name(account.replace(':', " "))
            .build()?;
        Ok(Self(totp))
    }

    /// The secret as text, to be typed into an app.
    pub fn text(&self) -> String {
        self.0.secret().to_base32()
    }

    /// The same in groups of four, to be read.
    pub fn grouped(&self) -> String {
        in_groups(&self.text(), 4, ' ')
    }

    /// The `otpauth://` address that apps read.
    ///
    /// # Errors
    /// [`Unusable`] where there is no account.
    pub fn address(&self) -> Result<String, Unusable> {
        Ok(self.0.to_url()?)
    }

    /// The address as a QR code: an SVG, black on white whatever the theme, as cameras want it.
    ///
    /// # Errors
    /// [`Unusable`] where the address is too long for one.
    pub fn qr_svg(&self) -> Result<String, Unusable> {
        let code = QRBuilder::new(self.address()?).build()?;
        Ok(SvgBuilder::default().to_str(&code))
    }

    /// The time step that the code belongs to, if it is right at `now` or one step beside it.
    pub fn step_of(&self, code: &Code, now: Timestamp) -> Option<i64> {
        let seconds = u64::try_from(now.as_second()).ok()?;
        let step = self.0.check(&code.0, seconds)?;
        i64::try_from(step).ok()
    }
}

fn in_groups(text: &str, size: usize, between: char) -> String {
    let mut grouped = String::with_capacity(text.len() * 2);
    for (at, letter) in text.chars().enumerate() {
        if at > 0 && at % size == 0 {
            grouped.push(between);
        }
        grouped.push(letter);
    }
    grouped
}

/// What somebody typed as a code: of an app or on paper, without blanks and dashes, in small letters.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(String);

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Code")
    }
}

impl Code {
    /// Reads what was typed. It need not be a code of any kind.
    pub fn typed(text: &str) -> Self {
        let kept = text
            .chars()
            .take(LONGEST)
            .filter(|letter| !letter.is_whitespace() && !matches!(letter, '-' | '–' | '.'))
            .map(|letter| match letter.to_ascii_lowercase() {
                'o' => '0',
                'i' | 'l' => '1',
                other => other,
            });
        Self(kept.collect())
    }

    /// It has the form of an app's code: six digits.
    pub fn is_of_an_app(&self) -> bool {
        self.0.len() == 6 && self.0.bytes().all(|letter| letter.is_ascii_digit())
    }

    /// It has the form of a backup code.
    pub fn is_on_paper(&self) -> bool {
        self.0.len() == BACKUP_ENTROPY && self.0.bytes().all(|letter| ALPHABET.contains(&letter))
    }

    /// A backup code out of random bytes.
    pub fn backup(random: &[u8; BACKUP_ENTROPY]) -> Self {
        let letters = random.iter().filter_map(|byte| {
            let letter = ALPHABET.get(usize::from(byte % 32))?;
            Some(char::from(*letter))
        });
        Self(letters.collect())
    }

    /// Its letters, as they are hashed.
    pub fn letters(&self) -> &str {
        &self.0
    }

    /// A backup code as people read it: two groups with a dash between them.
    pub fn shown(&self) -> String {
        in_groups(&self.0, BACKUP_ENTROPY / 2, '-')
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;

    fn authenticator() -> Authenticator {
        Authenticator::new(*b"12345678901234567890", "ada@example.org").unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B, its codes cut to six digits.
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_234_567_890, "005924"),
            (20_000_000_000, "353130"),
        ] {
            let step = authenticator().step_of(&Code::typed(code), at(seconds));
            assert_eq!(step, Some(seconds / 30), "{code}");
        }
    }

    #[test]
    fn a_clock_may_be_one_step_off_and_not_two() {
        let code = Code::typed("081804");
        let shown = at(1_111_111_109);
        for (steps, good) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let now = shown + SignedDuration::from_secs(30 * steps);
            assert_eq!(
                authenticator().step_of(&code, now).is_some(),
                good,
                "{steps} steps off"
            );
        }
    }

    #[test]
    fn apps_are_given_who_and_where() {
        let address = authenticator().address().unwrap();
        assert_eq!(
            address,
            "otpauth://totp/Dewline:ada%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Dewline"
        );
        assert_eq!(
            authenticator().grouped(),
            "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"
        );
        let svg = authenticator().qr_svg().unwrap();
        assert!(svg.starts_with("<svg viewBox="), "{svg}");
        // Nothing in it that a strict policy refuses.
        assert!(!svg.contains("style"));
    }

    #[test]
    fn a_backup_code_is_read_as_people_type_it() {
        let code = Code::backup(&[0, 1, 2, 3, 4, 10, 31, 32, 255, 9]);
        assert_eq!(code.shown(), "01234-az0z9");
        for typed in ["01234-az0z9", " O I234 AZ0Z9 ", "ol234azoz9"] {
            assert_eq!(Code::typed(typed), code, "{typed}");
        }
        assert!(code.is_on_paper() && !code.is_of_an_app());
        assert!(Code::typed("123 456").is_of_an_app());
        assert!(!Code::typed("12345").is_of_an_app());
    }

    proptest! {
        #[test]
        fn anything_can_be_typed(text in ".{0,80}") {
            let code = Code::typed(&text);
            let _ = (code.is_of_an_app(), code.is_on_paper(), code.shown());
            let _ = authenticator().step_of(&code, at(0));
        }

        #[test]
        fn what_is_shown_is_read_again(random in any::<[u8; BACKUP_ENTROPY]>()) {
            let code = Code::backup(&random);
            prop_assert!(code.is_on_paper());
            prop_assert_eq!(Code::typed(&code.shown()), code);
        }
    }
}
