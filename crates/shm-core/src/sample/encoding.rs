//! The encoded metadata of a publisher's previous sample, which most samples share.

use crate::message::{Annotations, Metadata, MetadataError};

/// Metadata and annotations with their encoding, checked for a payload of one length.
#[derive(Debug)]
pub(super) struct EncodingCache {
    metadata: Metadata,
    annotations: Annotations,
    payload_bytes: u64,
    pub(super) bytes: Vec<u8>,
}

impl EncodingCache {
    /// Returns the encoding of an empty text.
    pub(super) fn new() -> Self {
        Self {
            metadata: Metadata::Text,
            annotations: Annotations::new(),
            payload_bytes: 0,
            bytes: Vec::new(),
        }
    }

    /// Encodes metadata for a payload of this length, unless they are those of the previous sample.
    ///
    /// # Errors
    ///
    /// Those of [`Metadata::to_bytes`]; the encoding stays that of the previous sample.
    #[inline]
    pub(super) fn update(
        &mut self,
        metadata: &Metadata,
        annotations: &Annotations,
        payload_bytes: u64,
    ) -> Result<(), MetadataError> {
        // Annotations are mostly empty, which is checked without a call.
        let has_annotations =
            |own: &Annotations| (own.is_empty() && annotations.is_empty()) || own == annotations;
        let is_known = self.payload_bytes == payload_bytes
            && self.metadata == *metadata
            && has_annotations(&self.annotations);
        if is_known {
            return Ok(());
        }
        self.encode(metadata, annotations, payload_bytes)
    }

    #[inline(never)]
    fn encode(
        &mut self,
        metadata: &Metadata,
        annotations: &Annotations,
        payload_bytes: u64,
    ) -> Result<(), MetadataError> {
        if self.metadata == *metadata && self.annotations == *annotations {
            // The metadata itself was checked, but against a payload of another length.
            metadata.check(payload_bytes)?;
        } else {
            self.bytes = metadata.to_bytes(annotations, payload_bytes)?;
            self.metadata = metadata.clone();
            self.annotations = annotations.clone();
        }
        self.payload_bytes = payload_bytes;
        Ok(())
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::message::{ImageMetadata, PixelFormat};

    #[test]
    fn any_change_updates_the_encoding() {
        let mut encoding = EncodingCache::new();
        let none = Annotations::new();
        let user = Annotations::new().with_user(b"7");
        let image = Metadata::from(ImageMetadata::packed(PixelFormat::Gray8, 2, 2).unwrap());
        for (metadata, annotations, bytes) in [
            (&Metadata::Text, &none, 5),
            (&Metadata::Text, &user, 5),
            (&image, &user, 4),
            (&image, &none, 4),
            (&Metadata::Text, &none, 4),
        ] {
            encoding.update(metadata, annotations, bytes).unwrap();
            let expected = metadata.to_bytes(annotations, bytes).unwrap();
            assert_eq!(encoding.bytes, expected);
        }
    }

    #[test]
    fn metadata_is_checked_against_each_payload_length() {
        let mut encoding = EncodingCache::new();
        let image = Metadata::from(ImageMetadata::packed(PixelFormat::Gray8, 2, 2).unwrap());
        let none = Annotations::new();
        encoding.update(&image, &none, 4).unwrap();
        assert!(encoding.update(&image, &none, 5).is_err());
        assert!(encoding.update(&image, &none, 5).is_err(), "every time");
        encoding.update(&image, &none, 4).unwrap();
    }
}
