//! The metadata that a subscriber decoded last: most samples are of the kind before.

use std::sync::Arc;

use crate::message::{Annotations, Metadata, MetadataError};
use crate::sample::SampleSource;
use crate::sample::reader::Reader;

/// Metadata as it was encoded, and what samples that have it share.
#[derive(Debug)]
pub(super) struct Decoding {
    encoded: Vec<u8>,
    payload_bytes: u64,
    source: Arc<SampleSource>,
}

impl Decoding {
    /// That of an empty text.
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

    /// What was decoded last.
    #[inline]
    pub(super) fn source(&self) -> &Arc<SampleSource> {
        &self.source
    }

    /// Decodes metadata for a payload of this length, unless they are those of the sample before.
    ///
    /// # Errors
    ///
    /// Those of [`Metadata::from_bytes`]; what was decoded last stays.
    #[inline]
    pub(super) fn renew(
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
