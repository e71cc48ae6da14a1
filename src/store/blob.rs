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

/// Bytes of JSON that aren't worth the compressor's time.
const SMALL: usize = 1024;

/// Packs a value.
///
/// # Errors
/// [`StoreError::Corrupt`] where the value has no JSON form.
pub fn pack(value: &impl Serialize) -> Result<Vec<u8>> {
    let json = serde_json::to_vec(value)?;
    match u16::try_from(json.len()) {
        Ok(length) if json.len() <= SMALL => Ok(stored(&json, length)),
        _ => {
            let mut packer = DeflateEncoder::new(Vec::new(), Compression::fast());
            packer.write_all(&json)?;
            Ok(packer.finish()?)
        }
    }
}

/// One last block that is stored as it is: `01`, the length, its complement (RFC 1951, 3.2.4).
fn stored(json: &[u8], length: u16) -> Vec<u8> {
    let mut block = Vec::with_capacity(json.len() + 5);
    block.push(1);
    block.extend_from_slice(&length.to_le_bytes());
    block.extend_from_slice(&(!length).to_le_bytes());
    block.extend_from_slice(json);
    block
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_unpacks_whatever_its_length() {
        for length in [0, 1, SMALL - 2, SMALL - 1, 70_000] {
            let text = "x".repeat(length);
            let packed = pack(&text).unwrap();
            assert!(packed.len() <= SMALL + 5);
            assert_eq!(unpack::<String>(&packed).unwrap(), text);
        }
    }
}
