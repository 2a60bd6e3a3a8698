//! The one place that knows bincode, so that it can be exchanged.
//!
//! Development of bincode has ended (RUSTSEC-2025-0141); 2.0.1 is the last
//! release with code in it. The bytes are written down in docs/LAYOUT.md and
//! pinned by tests.

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
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
        Err(error) => Err(format!("the metadata is not readable: {error}")),
    }
}
