//! JSON kept small: deflated. For what is written once and read by a replay.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Result, StoreError};

/// Bytes that one blob may unfold to.
const LARGEST: u64 = 256 << 20;

/// Packs a value.
///
/// # Errors
/// [`StoreError::Corrupt`] where the value has no JSON form.
pub fn pack(value: &impl Serialize) -> Result<Vec<u8>> {
    let mut packer = DeflateEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(&serde_json::to_vec(value)?)?;
    Ok(packer.finish()?)
}

/// Unpacks a value.
///
/// # Errors
/// [`StoreError::Corrupt`] where the bytes aren't what [`pack`] made.
pub fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let mut json = Vec::new();
    DeflateDecoder::new(bytes)
        .take(LARGEST)
        .read_to_end(&mut json)
        .map_err(|error| StoreError::Corrupt(error.to_string()))?;
    Ok(serde_json::from_slice(&json)?)
}
