//! Takes in a request's body: its media type, its size once unpacked, its text, its depth, its keys.
//! In the contract's order: 415, 413, 400. Knows nothing of what the body means.

use std::fmt;
use std::io::Read;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use flate2::read::MultiGzDecoder;
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::call::Payload;
use super::problem::Refusal;
use super::route::Takes;
use crate::services::Error;

/// Bytes of an ordinary body.
const SMALL: usize = 1 << 20;
/// Nested lists and objects, at most.
const DEPTH: usize = 32;
/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// Takes in the body, as far as the operation takes one.
///
/// # Errors
/// 415, 413, 408 or 400, in this order.
pub async fn take(takes: Takes, headers: &HeaderMap, body: Body) -> Result<Payload, Refusal> {
    let Some(limit) = limit(takes) else {
        return Ok(Payload::Nothing);
    };
    if matches!(takes, Takes::MaybeJson(_)) && body.is_end_stream() {
        return Ok(Payload::Nothing);
    }
    media_type(headers)?;
    let packed = encoding(headers, matches!(takes, Takes::Large(..)))?;
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(too_large(limit));
    }
    let bytes = tokio::time::timeout(PATIENCE, collect(body, limit))
        .await
        .map_err(|_| Refusal::Slow)??;
    let bytes = if packed {
        unpack(bytes, limit).await?
    } else {
        bytes
    };
    read(takes, bytes)
}

/// How many bytes are taken, once unpacked; `None` where no body is.
pub fn limit(takes: Takes) -> Option<usize> {
    match takes {
        Takes::Nothing => None,
        Takes::Json(_) | Takes::MaybeJson(_) => Some(SMALL),
        Takes::Large(_, limit) => Some(limit),
    }
}

/// The bytes, read as what the operation takes.
///
/// # Errors
/// 400, saying why.
pub fn read(takes: Takes, bytes: Bytes) -> Result<Payload, Refusal> {
    if std::str::from_utf8(&bytes).is_err() {
        return Err(unreadable("The body is not valid UTF-8."));
    }
    if depth(&bytes) > DEPTH {
        return Err(unreadable(&format!(
            "The body is nested too deeply; {DEPTH} levels are taken."
        )));
    }
    if matches!(takes, Takes::Large(..)) {
        return Ok(Payload::Large(bytes));
    }
    let mut reader = serde_json::Deserializer::from_slice(&bytes);
    Strict
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map(Payload::Json)
        .map_err(|error| unreadable(&format!("The body is not valid JSON: {error}.")))
}

fn unreadable(why: &str) -> Refusal {
    Refusal::Service(Error::Unreadable(why.to_owned()))
}

/// What is said of a body that is larger than what is taken.
pub fn too_large(limit: usize) -> Refusal {
    Refusal::Service(Error::TooLarge(format!(
        "The body has more than {limit} bytes once unpacked. Nothing was changed."
    )))
}

/// Whether it is JSON.
///
/// # Errors
/// 415, saying what is taken.
pub fn media_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let refused = || Refusal::MediaType("Send the body as application/json in UTF-8.".to_owned());
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .ok_or_else(refused)?;
    let mut parts = value.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default().to_ascii_lowercase();
    let json = media == "application/json"
        || (media.starts_with("application/") && media.ends_with("+json"));
    let utf8 = parts.all(|parameter| {
        parameter
            .to_ascii_lowercase()
            .strip_prefix("charset=")
            .is_none_or(|charset| charset.trim_matches('"') == "utf-8")
    });
    if json && utf8 { Ok(()) } else { Err(refused()) }
}

fn encoding(headers: &HeaderMap, gzip: bool) -> Result<bool, Refusal> {
    let value = headers
        .get(CONTENT_ENCODING)
        .map(|value| value.to_str().unwrap_or("?").trim().to_ascii_lowercase());
    match value.as_deref() {
        None | Some("identity" | "") => Ok(false),
        Some("gzip" | "x-gzip") if gzip => Ok(true),
        _ if gzip => Err(Refusal::MediaType(
            "Send the body plainly or as gzip.".to_owned(),
        )),
        _ => Err(Refusal::MediaType(
            "Send the body without an encoding.".to_owned(),
        )),
    }
}

async fn collect(mut body: Body, limit: usize) -> Result<Bytes, Refusal> {
    let mut taken: Vec<u8> = Vec::new();
    while let Some(frame) =
        std::future::poll_fn(|cx| std::pin::Pin::new(&mut body).poll_frame(cx)).await
    {
        let frame = frame.map_err(|_| unreadable("The body broke off."))?;
        if let Ok(data) = frame.into_data() {
            if taken.len() + data.len() > limit {
                return Err(too_large(limit));
            }
            taken.extend_from_slice(&data);
        }
    }
    Ok(Bytes::from(taken))
}

/// Unpacks, away from the threads that serve connections, and stops at the limit.
async fn unpack(packed: Bytes, limit: usize) -> Result<Bytes, Refusal> {
    let unpacked = tokio::task::spawn_blocking(move || {
        let mut unpacked = Vec::new();
        MultiGzDecoder::new(&*packed)
            .take(limit as u64 + 1)
            .read_to_end(&mut unpacked)
            .map(|_| unpacked)
    })
    .await
    .map_err(|error| Refusal::Service(Error::Internal(error.to_string())))?
    .map_err(|_| unreadable("The body is not valid gzip."))?;
    if unpacked.len() > limit {
        return Err(too_large(limit));
    }
    Ok(Bytes::from(unpacked))
}

/// How deep lists and objects are nested, by their brackets.
fn depth(bytes: &[u8]) -> usize {
    let (mut deepest, mut now) = (0_usize, 0_usize);
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'"' => pass_text(&mut rest),
            b'[' | b'{' => {
                now += 1;
                deepest = deepest.max(now);
            }
            b']' | b'}' => now = now.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Goes on behind the quote that ends a text.
fn pass_text(rest: &mut std::slice::Iter<'_, u8>) {
    while let Some(byte) = rest.next() {
        match byte {
            b'"' => return,
            b'\\' => drop(rest.next()),
            _ => {}
        }
    }
}

/// Builds a JSON value and refuses an object that names a key twice.
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element_seed(Strict)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(Strict)?;
            if fields.contains_key(&key) {
                let shown: String = key.chars().take(64).collect();
                return Err(A::Error::custom(format!(
                    "the key {shown:?} stands twice in one object"
                )));
            }
            fields.insert(key, value);
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Value, String> {
        let mut reader = serde_json::Deserializer::from_str(text);
        Strict
            .deserialize(&mut reader)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_key_that_stands_twice_is_refused_wherever_it_stands() {
        assert!(parse(r#"{"a":1,"b":[{"c":1}]}"#).is_ok());
        assert!(parse(r#"{"a":1,"a":2}"#).unwrap_err().contains("twice"));
        assert!(parse(r#"[{"a":{"b":1,"b":1}}]"#).is_err());
    }

    #[test]
    fn brackets_in_texts_are_not_depth() {
        assert_eq!(depth(br#"{"a":"[[[{{{\"[[","b":[[1]]}"#), 3);
        assert_eq!(depth(&[b'['; 1000]), 1000);
    }
}
