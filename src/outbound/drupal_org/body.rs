//! Reading a body without trusting it: it is bounded as it comes over the wire, and again as it is
//! unpacked. The HTTP client's own unpacking is off, since it bounds neither and hides both lengths.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use reqwest::Response;
use reqwest::header::{CONTENT_ENCODING, CONTENT_LENGTH};

use super::line::Limits;

/// Why a body is of no use, in words for people.
pub(super) type Refused = String;

/// Why a body did not come.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// It is larger than what is taken: it will be the next time, too.
    TooLarge(Refused),
    /// It may come the next time.
    Broken(Refused),
}

/// A body as it came over the wire, whole.
#[derive(Debug)]
pub(super) struct Received {
    bytes: Vec<u8>,
    gzip: bool,
}

impl Received {
    /// The document, unpacked. Work for the processor: not for a thread that others wait for.
    pub(super) fn unpacked(self, limits: Limits) -> Result<Vec<u8>, Lost> {
        if self.gzip && !self.bytes.is_empty() {
            unpack(&self.bytes, limits.unpacked)
        } else if self.bytes.len() > limits.unpacked {
            Err(Lost::TooLarge(too_large(limits.unpacked)))
        } else {
            Ok(self.bytes)
        }
    }
}

/// The whole body.
pub(super) async fn read(mut response: Response, limits: Limits) -> Result<Received, Lost> {
    let broken = |reason: &str| Lost::Broken(reason.to_owned());
    let too_large = || Lost::TooLarge(too_large(limits.on_the_wire));
    let gzip = is_gzip(&response).map_err(Lost::Broken)?;
    let announced = announced(&response);
    if announced.is_some_and(|length| length > limits.on_the_wire) {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                if bytes.len() + chunk.len() > limits.on_the_wire {
                    return Err(too_large());
                }
                bytes.extend_from_slice(&chunk);
            }
            Ok(None) => break,
            Err(error) if error.is_timeout() => return Err(broken("took too long to answer")),
            Err(error) => {
                tracing::debug!(%error, "the body broke off");
                return Err(broken("the answer broke off"));
            }
        }
    }
    if announced.is_some_and(|length| length != bytes.len()) {
        return Err(broken("the answer broke off"));
    }
    Ok(Received { bytes, gzip })
}

fn is_gzip(response: &Response) -> Result<bool, Refused> {
    match response.headers().get(CONTENT_ENCODING) {
        None => Ok(false),
        Some(value) if value.as_bytes().eq_ignore_ascii_case(b"identity") => Ok(false),
        Some(value) if value.as_bytes().eq_ignore_ascii_case(b"gzip") => Ok(true),
        Some(value) if value.as_bytes().eq_ignore_ascii_case(b"x-gzip") => Ok(true),
        Some(_) => Err("came in an encoding that was not asked for".to_owned()),
    }
}

fn announced(response: &Response) -> Option<usize> {
    let value = response.headers().get(CONTENT_LENGTH)?;
    value.to_str().ok()?.parse().ok()
}

fn unpack(packed: &[u8], limit: usize) -> Result<Vec<u8>, Lost> {
    let mut bytes = Vec::new();
    let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    match MultiGzDecoder::new(packed)
        .take(bound)
        .read_to_end(&mut bytes)
    {
        Ok(_) if bytes.len() > limit => Err(Lost::TooLarge(too_large(limit))),
        Ok(_) => Ok(bytes),
        Err(error) => {
            tracing::debug!(%error, "broken gzip");
            Err(Lost::Broken("could not be unpacked".to_owned()))
        }
    }
}

fn too_large(limit: usize) -> Refused {
    const MIB: usize = 1024 * 1024;
    if limit >= MIB {
        format!("larger than {} MiB", limit / MIB)
    } else {
        format!("larger than {limit} bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn unpacking_stops_at_the_limit() {
        let bomb = packed(&vec![b' '; 50 * 1024 * 1024]);
        assert!(bomb.len() < 100_000);
        assert_eq!(
            unpack(&bomb, 1024 * 1024),
            Err(Lost::TooLarge("larger than 1 MiB".to_owned()))
        );
        assert_eq!(unpack(&packed(b"exactly"), 7), Ok(b"exactly".to_vec()));
        assert_eq!(
            unpack(&packed(b"one more"), 7),
            Err(Lost::TooLarge("larger than 7 bytes".to_owned()))
        );
    }

    #[test]
    fn broken_gzip_is_refused() {
        let whole = packed(b"a release history");
        let cut = whole.get(..whole.len() - 9).unwrap();
        let broken = || Err(Lost::Broken("could not be unpacked".to_owned()));
        assert_eq!(unpack(cut, 1000), broken());
        assert_eq!(unpack(b"<project/>", 1000), broken());
        let twice = [whole.clone(), whole].concat();
        assert_eq!(unpack(&twice, 1000).map(|b| b.len()), Ok(34));
    }
}
