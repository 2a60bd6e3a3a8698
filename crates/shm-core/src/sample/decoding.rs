//! The decoded metadata of a subscriber's previous sample, which most samples share.

use std::sync::Arc;

use crate::message::{Annotations, Metadata, MetadataError};
use crate::sample::SampleSource;
use crate::sample::reader::Reader;

/// Encoded metadata, and what the samples that have it share.
#[derive(Debug)]
pub(super) struct DecodingCache {
    encoded: Vec<u8>,
    payload_bytes: u64,
    pub(super) source: Arc<SampleSource>,
}

impl DecodingCache {
    /// Returns the decoding of an empty text.
    pub(super) fn new(reader: Arc<Reader>) -> Self {
        Self {
            encoded: Vec::new(),
            payload_bytes: 0,
            source: Arc::new(SampleSource {
                reader,
                metadata: Metadata::Text,
                annotations: Annotations::new(),
            }),
        }
    }

    /// Decodes metadata for a payload of this length, unless they are those of the previous sample.
    ///
    /// # Errors
    ///
    /// Those of [`Metadata::from_bytes`]; the decoding stays that of the previous sample.
    #[inline]
    pub(super) fn update(
        &mut self,
        encoded: &[u8],
        payload_bytes: u64,
    ) -> Result<(), MetadataError> {
        if self.payload_bytes == payload_bytes && self.encoded == encoded {
            return Ok(());
        }
        self.decode(encoded, payload_bytes)
    }

    #[inline(never)]
    fn decode(&mut self, encoded: &[u8], payload_bytes: u64) -> Result<(), MetadataError> {
        if self.encoded == encoded {
            self.source.metadata.check(payload_bytes)?;
        } else {
            let (metadata, annotations) = Metadata::from_bytes(encoded, payload_bytes)?;
            self.encoded = encoded.to_vec();
            self.source = Arc::new(SampleSource {
                reader: Arc::clone(&self.source.reader),
                metadata,
                annotations,
            });
        }
        self.payload_bytes = payload_bytes;
        Ok(())
    }
}
