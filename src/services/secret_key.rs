//! The installation's one secret, and the keys derived from it, one for each purpose. It is given
//! by the operator, or made at the first start and kept in the data directory with mode 0600.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};

use crate::clock::Entropy;
use crate::domain::credentials;

/// The file's name in the data directory.
pub const FILE: &str = "secret.key";
/// The fewest characters of a secret that the operator gives.
const SHORTEST: usize = 32;

/// Random bytes that sealing takes: never the same twice.
pub const SEAL_ENTROPY: usize = NONCE_LEN;

/// Why there is no secret to work with.
#[derive(Debug, thiserror::Error)]
pub enum SecretKeyError {
    /// The file system said no.
    #[error("the key file {file}: {cause}")]
    File {
        /// The file.
        file: String,
        /// What was wrong.
        cause: std::io::Error,
    },
    /// Others can read the file.
    #[error("the key file {0} can be read by others: make it private with `chmod 600`")]
    NotPrivate(String),
    /// Too short to be secret.
    #[error("the secret key has fewer than {SHORTEST} characters ({0})")]
    TooShort(String),
    /// No randomness.
    #[error(transparent)]
    NoEntropy(#[from] crate::clock::NoEntropy),
}

/// Derives a key for each purpose; never shows the secret itself.
#[derive(Clone)]
pub struct SecretKey(Prk);

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKey")
    }
}

struct Bytes32;

impl KeyType for Bytes32 {
    fn len(&self) -> usize {
        32
    }
}

impl SecretKey {
    /// The secret that the operator gives, else the one in `data_dir`, which is made where it is
    /// missing.
    ///
    /// # Errors
    /// [`SecretKeyError`], in words that tell the operator what to do.
    pub fn open(
        given: Option<&SecretString>,
        data_dir: &Path,
        entropy: &dyn Entropy,
    ) -> Result<Self, SecretKeyError> {
        if let Some(given) = given {
            return Self::from_text(given.expose_secret(), "from the configuration");
        }
        let file = data_dir.join(FILE);
        match make(&file, entropy)? {
            Some(fresh) => Self::from_text(&fresh, "fresh"),
            None => Self::from_text(&read(&file)?, &format!("in {}", file.display())),
        }
    }

    fn from_text(text: &str, origin: &str) -> Result<Self, SecretKeyError> {
        let text = text.trim();
        if text.chars().count() < SHORTEST {
            return Err(SecretKeyError::TooShort(origin.to_owned()));
        }
        let salt = Salt::new(HKDF_SHA256, b"dewline secret key");
        Ok(Self(salt.extract(text.as_bytes())))
    }

    /// The 32 bytes that belong to `purpose`. The same purpose gives the same bytes.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        let mut key = [0; 32];
        let label = [purpose.as_bytes()];
        let filled = self
            .0
            .expand(&label, Bytes32)
            .and_then(|material| material.fill(&mut key));
        // HKDF-SHA-256 gives up to 8160 bytes; 32 cannot fail.
        debug_assert!(filled.is_ok());
        key
    }

    /// The HMAC-SHA-256 key that belongs to `purpose`.
    pub fn hmac(&self, purpose: &str) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &self.derive(purpose))
    }

    /// Encrypts a text for `purpose`, bound to what `row` names: elsewhere it cannot be opened.
    /// `None` only where it is longer than any memory.
    pub fn seal(
        &self,
        purpose: &str,
        row: &str,
        random: [u8; SEAL_ENTROPY],
        text: &[u8],
    ) -> Option<Vec<u8>> {
        let mut sealed = text.to_vec();
        self.cipher(purpose)?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(random),
                Aad::from(row),
                &mut sealed,
            )
            .ok()?;
        Some([random.as_slice(), &sealed].concat())
    }

    /// What was sealed for `purpose` and `row`; `None` where it was not, or not with this secret.
    pub fn unseal(&self, purpose: &str, row: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (random, text) = sealed.split_at_checked(SEAL_ENTROPY)?;
        let nonce = Nonce::try_assume_unique_for_key(random).ok()?;
        let mut text = text.to_vec();
        let length = self
            .cipher(purpose)?
            .open_in_place(nonce, Aad::from(row), &mut text)
            .ok()?
            .len();
        text.truncate(length);
        Some(text)
    }

    fn cipher(&self, purpose: &str) -> Option<LessSafeKey> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, &self.derive(purpose)).ok()?;
        Some(LessSafeKey::new(key))
    }
}

/// Makes the file if it is not there. `None`: it is there. It appears whole or not at all: a start
/// that is cut short leaves no half of a secret behind.
fn make(file: &Path, entropy: &dyn Entropy) -> Result<Option<String>, SecretKeyError> {
    let failed = |cause| SecretKeyError::File {
        file: file.display().to_string(),
        cause,
    };
    if file.try_exists().map_err(failed)? {
        return Ok(None);
    }
    let mut random = [0; 32];
    entropy.fill(&mut random)?;
    let text = credentials::token(&random);
    let draft = file.with_extension("new");
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)
        .and_then(|mut out| writeln!(out, "{text}").and_then(|()| out.sync_all()))
        .and_then(|()| std::fs::rename(&draft, file));
    written.map_err(failed)?;
    Ok(Some(text))
}

fn read(file: &Path) -> Result<String, SecretKeyError> {
    let failed = |cause| SecretKeyError::File {
        file: file.display().to_string(),
        cause,
    };
    let mut open = std::fs::File::open(file).map_err(failed)?;
    let mode = open.metadata().map_err(failed)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(SecretKeyError::NotPrivate(file.display().to_string()));
    }
    let mut text = String::new();
    open.read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SeededEntropy;

    #[test]
    fn the_key_file_is_private_and_the_secret_stays_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let open = |seed| SecretKey::open(None, folder.path(), &SeededEntropy::new(seed)).unwrap();
        let (first, second) = (open(1), open(2));
        assert_eq!(first.derive("a"), second.derive("a"));
        assert_ne!(first.derive("a"), first.derive("b"));
        let file = folder.path().join(FILE);
        assert_eq!(
            std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        let refused = SecretKey::open(None, folder.path(), &SeededEntropy::new(3));
        assert!(matches!(refused, Err(SecretKeyError::NotPrivate(_))));
    }

    #[test]
    fn what_is_sealed_opens_only_where_it_belongs() {
        let folder = tempfile::tempdir().unwrap();
        let key = SecretKey::open(None, folder.path(), &SeededEntropy::new(1)).unwrap();
        let sealed = key
            .seal("links", "row 7", [1; SEAL_ENTROPY], b"/reset")
            .unwrap();
        assert!(!sealed.windows(6).any(|part| part == b"/reset"));
        assert_eq!(key.unseal("links", "row 7", &sealed).unwrap(), b"/reset");
        assert_eq!(key.unseal("links", "row 8", &sealed), None);
        assert_eq!(key.unseal("codes", "row 7", &sealed), None);
        for at in 0..sealed.len() {
            let mut broken = sealed.clone();
            broken[at] ^= 1;
            assert_eq!(key.unseal("links", "row 7", &broken), None);
        }
        assert_eq!(key.unseal("links", "row 7", &sealed[..5]), None);
        let other = tempfile::tempdir().unwrap();
        let other = SecretKey::open(None, other.path(), &SeededEntropy::new(2)).unwrap();
        assert_eq!(other.unseal("links", "row 7", &sealed), None);
    }

    #[test]
    fn a_short_secret_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let given = SecretString::from("too short");
        let refused = SecretKey::open(Some(&given), folder.path(), &SeededEntropy::new(1));
        assert!(matches!(refused, Err(SecretKeyError::TooShort(_))));
        assert!(!folder.path().join(FILE).exists());
    }
}
