//! The texts that authenticate: API keys, one-time links, cookies. How they are made out of random
//! bytes, how a typo in a key is noticed without asking anybody, and the hash under which they are
//! kept. Knows neither where they are kept nor whom they belong to.

use ring::digest::{SHA256, digest};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What every API key begins with, so that scanners of leaked secrets recognise it.
pub const KEY_MARK: &str = "dwl_";
/// Characters that tell one key from another, after the mark. Not secret.
const HANDLE: usize = 8;
/// Characters of a 256-bit secret in base62.
const SECRET: usize = 43;
/// Characters of the checksum: a CRC-32 in base62.
const CHECKSUM: usize = 6;
/// Random bytes that one key takes: 8 for the handle, 32 for the secret.
pub const KEY_ENTROPY: usize = 40;

/// The number in base62, most significant digit first, padded with `0` to `width` digits; higher
/// digits that do not fit are dropped.
fn base62(bytes: &[u8], width: usize) -> String {
    let mut number = bytes.to_vec();
    let mut digits = vec![b'0'; width];
    for digit in digits.iter_mut().rev() {
        let mut rest = 0_u32;
        for byte in &mut number {
            let value = (rest << 8) | u32::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or_default();
            rest = value % 62;
        }
        *digit = usize::try_from(rest)
            .ok()
            .and_then(|at| ALPHABET.get(at))
            .copied()
            .unwrap_or(b'0');
    }
    String::from_utf8(digits).unwrap_or_default()
}

/// The text of 256 bits: 43 characters of base62. One-time links, cookies and refresh tokens use it.
pub fn token(random: &[u8; 32]) -> String {
    base62(random, SECRET)
}

/// SHA-256 of a secret: what is kept in its place. Enough for 256 random bits; never for passwords.
pub fn fingerprint(secret: &str) -> [u8; 32] {
    let mut out = [0; 32];
    for (to, from) in out
        .iter_mut()
        .zip(digest(&SHA256, secret.as_bytes()).as_ref())
    {
        *to = *from;
    }
    out
}

/// An API key as it is shown, once: `dwl_`, 8 characters to recognise it, the secret, and
/// 6 characters of checksum over all that precedes.
pub struct KeyText(String);

impl std::fmt::Debug for KeyText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyText({}…)", self.prefix())
    }
}

impl KeyText {
    /// The key that belongs to these random bytes.
    pub fn from_random(random: &[u8; KEY_ENTROPY]) -> Self {
        let (handle, secret) = random.split_at(KEY_ENTROPY - 32);
        let mut text = String::with_capacity(KEY_MARK.len() + HANDLE + SECRET + CHECKSUM);
        text.push_str(KEY_MARK);
        text.push_str(&base62(handle, HANDLE));
        text.push_str(&base62(secret, SECRET));
        let sum = checksum(&text);
        text.push_str(&sum);
        Self(text)
    }

    /// The whole key: for its owner's eyes only.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The mark and the 8 characters by which people recognise the key.
    pub fn prefix(&self) -> &str {
        self.0.get(..KEY_MARK.len() + HANDLE).unwrap_or_default()
    }

    /// The hash under which the key is kept.
    pub fn hash(&self) -> [u8; 32] {
        fingerprint(&self.0)
    }
}

/// The text claims to be an API key.
pub fn looks_like_key(text: &str) -> bool {
    text.starts_with(KEY_MARK)
}

/// The text has the form of an API key and its checksum is right. Says nothing about whether such
/// a key exists; a typo is told without a look-up.
pub fn is_well_formed_key(text: &str) -> bool {
    text.len() == KEY_MARK.len() + HANDLE + SECRET + CHECKSUM
        && text.starts_with(KEY_MARK)
        && text
            .bytes()
            .skip(KEY_MARK.len())
            .all(|byte| byte.is_ascii_alphanumeric())
        && text
            .split_at_checked(text.len() - CHECKSUM)
            .is_some_and(|(body, sum)| checksum(body) == sum)
}

fn checksum(body: &str) -> String {
    base62(&crc32fast::hash(body.as_bytes()).to_be_bytes(), CHECKSUM)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(fill: u8) -> KeyText {
        KeyText::from_random(&[fill; KEY_ENTROPY])
    }

    #[test]
    fn a_key_has_its_parts_and_passes_its_own_checksum() {
        let key = key(7);
        assert_eq!(key.reveal().len(), 61);
        assert!(key.reveal().starts_with("dwl_"));
        assert_eq!(key.prefix().len(), 12);
        assert!(is_well_formed_key(key.reveal()));
        assert!(!format!("{key:?}").contains(key.reveal()));
    }

    #[test]
    fn numbers_are_written_in_base62() {
        assert_eq!(base62(&[61], 2), "0z");
        assert_eq!(base62(&[62], 2), "10");
        assert_eq!(base62(&u32::MAX.to_be_bytes(), 6), "4gfFC3");
        assert_eq!(token(&[0; 32]), "0".repeat(43));
        assert_ne!(token(&[255; 32]).chars().next(), Some('0'));
    }

    proptest! {
        #[test]
        fn one_wrong_character_is_noticed(
            random in any::<[u8; KEY_ENTROPY]>(), at in 4_usize..61, with in 0_usize..62,
        ) {
            let good = KeyText::from_random(&random);
            let mut bytes = good.reveal().as_bytes().to_vec();
            let wrong = ALPHABET[with];
            prop_assume!(bytes[at] != wrong);
            bytes[at] = wrong;
            prop_assert!(!is_well_formed_key(std::str::from_utf8(&bytes).unwrap()));
        }

        #[test]
        fn any_text_can_be_asked_about(text in ".{0,80}") {
            let _ = is_well_formed_key(&text);
            let _ = is_well_formed_key(&format!("dwl_{text}"));
        }
    }
}
