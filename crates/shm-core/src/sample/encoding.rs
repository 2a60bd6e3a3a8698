//! What a publisher published last, and how it is encoded: most samples are of the kind before.

use crate::message::{Annotations, Metadata, MetadataError};

/// Metadata and annotations with their encoding, checked for a payload of one length.
#[derive(Debug)]
pub(super) struct Encoding {
    metadata: Metadata,
    annotations: Annotations,
    payload_bytes: u64,
    bytes: Vec<u8>,
}

impl Encoding {
    /// That of an empty text.
    pub(super) fn new() -> Self {
        Self {
            metadata: Metadata::Text,
            annotations: Annotations::new(),
            payload_bytes: 0,
            bytes: Vec::new(),
        }
    }

    /// The encoding that was made last.
    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Encodes metadata for a payload of this length, unless they are those of the sample before.
    ///
    /// # Errors
    ///
    /// Those of [`Metadata::to_bytes`]; the encoding stays that of the sample before.
    #[inline]
    pub(super) fn renew(
        &mut self,
        metadata: &Metadata,
        annotations: &Annotations,
        payload_bytes: u64,
    ) -> Result<(), MetadataError> {
        let is_known = self.payload_bytes == payload_bytes
            && self.metadata == *metadata
            && self.has_annotations(annotations);
        if is_known {
            return Ok(());
        }
        self.encode(metadata, annotations, payload_bytes)
    }

    /// Compares annotations. Mostly both are empty, which is known without a call.
    #[inline]
    fn has_annotations(&self, annotations: &Annotations) -> bool {
        (self.annotations.is_empty() && annotations.is_empty()) || self.annotations == *annotations
    }

    #[inline(never)]
    fn encode(
        &mut self,
        metadata: &Metadata,
        annotations: &Annotations,
        payload_bytes: u64,
    ) -> Result<(), MetadataError> {
        if self.metadata == *metadata && self.annotations == *annotations {
            // What it says of itself was checked. What it says of the payload was of another.
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
    fn it_is_renewed_with_whatever_changes() {
        let mut encoding = Encoding::new();
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
            encoding.renew(metadata, annotations, bytes).unwrap();
            let expected = metadata.to_bytes(annotations, bytes).unwrap();
            assert_eq!(encoding.bytes(), expected);
        }
    }

    #[test]
    fn a_payload_of_another_length_is_checked_again() {
        let mut encoding = Encoding::new();
        let image = Metadata::from(ImageMetadata::packed(PixelFormat::Gray8, 2, 2).unwrap());
        let none = Annotations::new();
        encoding.renew(&image, &none, 4).unwrap();
        assert!(encoding.renew(&image, &none, 5).is_err());
        assert!(encoding.renew(&image, &none, 5).is_err(), "not only once");
        encoding.renew(&image, &none, 4).unwrap();
    }
}
