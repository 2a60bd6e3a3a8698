//! The one place that knows bincode, so that it can be exchanged.
//!
//! Development of bincode has ended (RUSTSEC-2025-0141); 2.0.1 is the last
//! release with code in it. The bytes are written down in docs/LAYOUT.md and
//! pinned by tests.

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use bincode::error::DecodeError;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The longest metadata; bounds what decoding allocates.
pub(super) const MOST_BYTES: usize = 1920;

/// Little-endian, small numbers in one byte.
type Config = Configuration<LittleEndian, Varint, Limit<MOST_BYTES>>;

const CONFIG: Config = bincode::config::standard().with_limit::<MOST_BYTES>();

/// Encodes a value.
pub(super) fn encode(value: &impl Serialize) -> Result<Vec<u8>, String> {
    bincode::serde::encode_to_vec(value, CONFIG).map_err(|error| error.to_string())
}

/// Decodes all of `encoded`; what is left over is an error.
pub(super) fn decode<T: DeserializeOwned>(encoded: &[u8]) -> Result<T, String> {
    match bincode::serde::decode_from_slice(encoded, CONFIG) {
        Ok((value, used)) if used == encoded.len() => Ok(value),
        Ok(_) => Err("there are bytes behind the metadata".into()),
        Err(error) => Err(format!(
            "the metadata is not readable: {}",
            words_for(&error)
        )),
    }
}

/// Says what is wrong in words for people: bincode's own are for its developers.
fn words_for(error: &DecodeError) -> String {
    match error {
        DecodeError::UnexpectedEnd { .. } => "it ends too early".into(),
        DecodeError::LimitExceeded => "a length in it is longer than all of it can be".into(),
        DecodeError::UnexpectedVariant { found, .. } => {
            format!("the number {found} stands where a kind of content does")
        }
        DecodeError::Utf8 { .. } => "a name in it is not UTF-8".into(),
        DecodeError::OutsideUsizeRange(_) | DecodeError::InvalidIntegerType { .. } => {
            "a number in it is out of bounds".into()
        }
        DecodeError::InvalidBooleanValue(_) => "a mark in it is neither 0 nor 1".into(),
        _ => "it is not in the encoding of this program".into(),
    }
}
