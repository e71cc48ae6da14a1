//! Access tokens (JWT, HS256, 15 minutes) and refresh tokens: how they are made and read. Whether
//! the session that they name still lives is the question of `callers` and `sign_in`.

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error as JwtError, ErrorKind};
use jsonwebtoken::signature::{Error as SignatureError, Signer, Verifier};
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, EncodingKey, Header, Validation, decode,
    decode_header, encode,
};
use ring::hmac;
use serde::{Deserialize, Serialize};

use super::secret_key::SecretKey;
use super::{Error, Result};
use crate::domain::credentials;

/// How long an access token is good for.
pub const LIFETIME: SignedDuration = SignedDuration::from_mins(15);
/// The header's `typ`: tells it from any other JWT.
const TYPE: &str = "at+jwt";
/// What refresh tokens begin with.
const REFRESH_MARK: &str = "dwr_";
/// Bytes of a refresh token's seal that are kept.
const SEAL: usize = 16;

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    /// The person's id.
    sub: String,
    /// The session's id.
    sid: i64,
    /// Seconds since 1970.
    iat: i64,
    /// Seconds since 1970.
    exp: i64,
}

/// Keys that sign access tokens follow one another: each signs for so long.
const PERIOD: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The keys that sign and seal, all derived from the installation's secret: a token of another
/// installation does not verify here.
pub struct AccessTokens {
    root: hmac::Key,
    seal: hmac::Key,
    successor: hmac::Key,
}

/// The key of one period.
struct PeriodKey {
    name: String,
    secret: [u8; 32],
}

impl std::fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccessTokens")
    }
}

impl AccessTokens {
    /// Derives the keys.
    pub fn new(secret: &SecretKey) -> Self {
        // A second App in this process finds the same provider installed: nothing to do.
        let _ = RING.install_default();
        Self {
            root: secret.hmac("access tokens, HS256, 2"),
            seal: secret.hmac("refresh tokens: seal"),
            successor: secret.hmac("refresh tokens: successor"),
        }
    }

    /// The key that signs at `now`. Its name tells it from those of other periods and installations.
    fn key(&self, now: Timestamp) -> PeriodKey {
        let period = now.as_second().div_euclid(PERIOD.as_secs());
        let name = bytes(&hmac::sign(&self.root, format!("name {period}").as_bytes()));
        PeriodKey {
            name: credentials::token(&name).chars().rev().take(8).collect(),
            secret: bytes(&hmac::sign(&self.root, format!("key {period}").as_bytes())),
        }
    }

    /// An access token for that person's session.
    ///
    /// # Errors
    /// [`Error::Internal`] where signing fails.
    pub fn issue(&self, user_id: i64, session_id: i64, now: Timestamp) -> Result<String> {
        let key = self.key(now);
        let header = Header {
            typ: Some(TYPE.to_owned()),
            kid: Some(key.name),
            ..Header::new(Algorithm::HS256)
        };
        let claims = Claims {
            sub: user_id.to_string(),
            sid: session_id,
            iat: now.as_second(),
            exp: now.as_second() + LIFETIME.as_secs(),
        };
        encode(&header, &claims, &EncodingKey::from_secret(&key.secret))
            .map_err(|error| Error::Internal(error.to_string()))
    }

    /// The session that the token names, if this installation signed it and it is still good.
    pub fn session(&self, token: &str, now: Timestamp) -> Option<i64> {
        // The header is looked at first: another type, key or algorithm is nobody's business.
        let header = decode_header(token).ok()?;
        if header.alg != Algorithm::HS256 || header.typ.as_deref() != Some(TYPE) {
            return None;
        }
        let named = header.kid?;
        // The key before is taken for as long as a token that it signed can live.
        let key = [now, now - LIFETIME]
            .into_iter()
            .map(|at| self.key(at))
            .find(|key| key.name == named)?;
        let mut rules = Validation::new(Algorithm::HS256);
        // The crate would ask the machine's clock; ours is asked below.
        rules.validate_exp = false;
        let verify = DecodingKey::from_secret(&key.secret);
        let claims = decode::<Claims>(token, &verify, &rules).ok()?.claims;
        (now.as_second() < claims.exp).then_some(claims.sid)
    }

    /// The refresh token of a session: its secret, whose it is, and a seal by which a token of an
    /// earlier rotation is still known as genuine.
    pub fn refresh_token(&self, secret: &str, session_id: i64, created_at: i64) -> String {
        let seal = self.seal_of(secret, session_id, created_at);
        format!("{REFRESH_MARK}{secret}_{session_id}_{seal}")
    }

    fn seal_of(&self, secret: &str, session_id: i64, created_at: i64) -> String {
        let text = format!("{secret} {session_id} {created_at}");
        let tag = hmac::sign(&self.seal, text.as_bytes());
        let mut half = [0; 32];
        for (to, from) in half.iter_mut().zip(tag.as_ref().iter().take(SEAL)) {
            *to = *from;
        }
        credentials::token(&half)
    }

    /// Whether the token was made here for the session that was made at `created_at`.
    pub fn is_genuine(&self, token: &RefreshToken, created_at: i64) -> bool {
        let expected = self.seal_of(&token.secret, token.session_id, created_at);
        // Compared through hashes, so that time tells nothing about where they differ.
        credentials::fingerprint(&expected) == credentials::fingerprint(&token.seal)
    }

    /// The secret that follows `secret`: always the same, so that a refresh that is sent twice
    /// gets one answer.
    pub fn successor(&self, secret: &str) -> String {
        credentials::token(&bytes(&hmac::sign(&self.successor, secret.as_bytes())))
    }
}

fn bytes(tag: &hmac::Tag) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (to, from) in bytes.iter_mut().zip(tag.as_ref()) {
        *to = *from;
    }
    bytes
}

/// A refresh token taken apart; nothing about it is believed yet.
pub struct RefreshToken {
    /// The part whose hash is kept.
    pub secret: String,
    /// The session that it claims.
    pub session_id: i64,
    seal: String,
}

impl RefreshToken {
    /// Takes the text apart; `None` where it hasn't the form.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 160 {
            return None;
        }
        let mut parts = text.strip_prefix(REFRESH_MARK)?.split('_');
        let (secret, session, seal) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        Some(Self {
            secret: secret.to_owned(),
            session_id: session.parse().ok()?,
            seal: seal.to_owned(),
        })
    }
}

/// HS256 by ring, and nothing else: whatever another algorithm claims is refused.
static RING: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| match algorithm {
        Algorithm::HS256 if key.family() == AlgorithmFamily::Hmac => Ok(Box::new(Hs256(
            hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()),
        ))
            as Box<dyn JwtSigner>),
        _ => Err(JwtError::from(ErrorKind::InvalidAlgorithm)),
    },
    verifier_factory: |algorithm, key| match algorithm {
        Algorithm::HS256 if key.family() == AlgorithmFamily::Hmac => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, key.try_get_as_bytes()?);
            Ok(Box::new(Hs256(key)) as Box<dyn JwtVerifier>)
        }
        _ => Err(JwtError::from(ErrorKind::InvalidAlgorithm)),
    },
    key_utils: KeyUtils::new_unimplemented(),
};

struct Hs256(hmac::Key);

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, SignatureError> {
        Ok(hmac::sign(&self.0, message).as_ref().to_vec())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    fn verify(
        &self,
        message: &[u8],
        signature: &Vec<u8>,
    ) -> std::result::Result<(), SignatureError> {
        hmac::verify(&self.0, message, signature).map_err(|_| SignatureError::new())
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SeededEntropy;

    fn tokens(seed: u64) -> AccessTokens {
        let folder = tempfile::tempdir().unwrap();
        let secret = SecretKey::open(None, folder.path(), &SeededEntropy::new(seed)).unwrap();
        AccessTokens::new(&secret)
    }

    fn now() -> Timestamp {
        "2026-11-20T08:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_token_names_its_session_for_fifteen_minutes() {
        let tokens = tokens(1);
        let token = tokens.issue(7, 12, now()).unwrap();
        let after = |minutes| now() + SignedDuration::from_mins(minutes);
        assert_eq!(tokens.session(&token, now()), Some(12));
        assert_eq!(tokens.session(&token, after(14)), Some(12));
        assert_eq!(tokens.session(&token, after(15)), None);
    }

    #[test]
    fn a_token_of_another_installation_is_refused() {
        let token = tokens(1).issue(7, 12, now()).unwrap();
        assert_eq!(tokens(2).session(&token, now()), None);
        // Even where it claims our key's name.
        let ours = tokens(2);
        let header = Header {
            typ: Some(TYPE.to_owned()),
            kid: Some(ours.key(now()).name),
            ..Header::new(Algorithm::HS256)
        };
        let claims = Claims {
            sub: "7".into(),
            sid: 12,
            iat: 0,
            exp: i64::MAX,
        };
        let sign = |secret: &[u8]| encode(&header, &claims, &EncodingKey::from_secret(secret));
        let forged = sign(&tokens(1).key(now()).secret).unwrap();
        assert_eq!(ours.session(&forged, now()), None);
        let own = sign(&ours.key(now()).secret).unwrap();
        assert_eq!(ours.session(&own, now()), Some(12));
    }

    #[test]
    fn keys_follow_one_another_and_the_one_before_is_taken_while_its_tokens_live() {
        let tokens = tokens(1);
        let turn = {
            let period = now().as_second().div_euclid(PERIOD.as_secs()) + 1;
            Timestamp::from_second(period * PERIOD.as_secs()).unwrap()
        };
        let minutes = SignedDuration::from_mins;
        let (before, after) = (turn - minutes(5), turn + minutes(5));
        assert_ne!(tokens.key(before).name, tokens.key(after).name);
        assert_ne!(tokens.key(before).secret, tokens.key(after).secret);
        assert_eq!(tokens.key(before).name, tokens.key(before).name);
        let token = tokens.issue(7, 12, before).unwrap();
        assert_eq!(tokens.session(&token, after), Some(12));
        assert_eq!(tokens.session(&token, turn + minutes(10)), None);
        // A leaked key of an earlier period signs nothing any more, whatever end it writes.
        let leaked = tokens.key(before);
        let header = Header {
            typ: Some(TYPE.to_owned()),
            kid: Some(leaked.name),
            ..Header::new(Algorithm::HS256)
        };
        let claims = Claims {
            sub: "7".into(),
            sid: 12,
            iat: 0,
            exp: i64::MAX,
        };
        let forged = encode(&header, &claims, &EncodingKey::from_secret(&leaked.secret)).unwrap();
        assert_eq!(tokens.session(&forged, turn + minutes(14)), Some(12));
        assert_eq!(tokens.session(&forged, turn + minutes(15)), None);
    }

    #[test]
    fn other_algorithms_and_types_are_refused() {
        let tokens = tokens(1);
        let good = tokens.issue(7, 12, now()).unwrap();
        let payload = good.split('.').nth(1).unwrap();
        // {"typ":"at+jwt","alg":"none"} and {"alg":"none"}, without a signature
        for header in [
            "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJub25lIn0",
            "eyJhbGciOiJub25lIn0",
        ] {
            assert_eq!(tokens.session(&format!("{header}.{payload}."), now()), None);
        }
        let claims = Claims {
            sub: "7".into(),
            sid: 12,
            iat: 0,
            exp: i64::MAX,
        };
        let key = tokens.key(now());
        let header = Header {
            kid: Some(key.name),
            ..Header::new(Algorithm::HS256)
        };
        let sign = EncodingKey::from_secret(&key.secret);
        let plain = encode(&header, &claims, &sign).unwrap();
        assert_eq!(tokens.session(&plain, now()), None);
        assert!(encode(&Header::new(Algorithm::HS512), &claims, &sign).is_err());
        let nameless = Header {
            typ: Some(TYPE.to_owned()),
            ..Header::new(Algorithm::HS256)
        };
        let nameless = encode(&nameless, &claims, &sign).unwrap();
        assert_eq!(tokens.session(&nameless, now()), None);
        let cut = good.rsplit_once('.').unwrap().0;
        assert_eq!(tokens.session(cut, now()), None);
        assert_eq!(tokens.session(&format!("{cut}."), now()), None);
    }

    #[test]
    fn a_refresh_token_is_known_as_genuine_and_has_one_successor() {
        let tokens = tokens(1);
        let secret = credentials::token(&[3; 32]);
        let text = tokens.refresh_token(&secret, 12, 1000);
        let read = RefreshToken::parse(&text).unwrap();
        assert_eq!(read.session_id, 12);
        assert!(tokens.is_genuine(&read, 1000));
        assert!(!tokens.is_genuine(&read, 1001));
        let other = RefreshToken::parse(&text.replace("_12_", "_13_")).unwrap();
        assert!(!tokens.is_genuine(&other, 1000));
        assert_eq!(tokens.successor(&secret), tokens.successor(&secret));
        assert_ne!(tokens.successor(&secret), secret);
        assert!(tokens.session(&text, now()).is_none());
        for text in [
            "",
            "dwr_",
            "dwr_a_b_c",
            "dwr_a_1",
            "dwr_a_1_c_d",
            "dwl_a_1_c",
        ] {
            assert!(RefreshToken::parse(text).is_none(), "{text}");
        }
    }
}
