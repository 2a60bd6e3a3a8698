//! Corruption of the shape of an image.

use shm_core::{ImageMetadata, Metadata, PixelFormat, PublishErrorKind};

use super::{
    choices::Choices,
    metadata,
    sandbox::{MAX_PAYLOAD, Sandbox},
};

/// The encoded numbers of an image, unchecked.
struct Shape {
    format: u8,
    width: u32,
    height: u32,
    stride: u32,
}

/// Corrupts an image: its format, its sides, its stride, and whether the payload has the length
/// that follows from them.
pub fn image(data: &[u8]) {
    let mut choices = Choices::new(data);
    let shape = Shape::read(&mut choices);
    let payload_bytes = match choices.byte() % 4 {
        0 => choices.number(2),
        1 => shape
            .payload_bytes()
            .wrapping_add_signed(i64::from(choices.byte().cast_signed())),
        _ => shape.payload_bytes(),
    };
    let encoded = shape.encode(&mut choices);
    metadata::assert_read(&encoded, payload_bytes);
    assert_published_if_in_order(&shape, payload_bytes);
}

impl Shape {
    /// Reads a shape that is mostly valid, or nearly valid.
    fn read(choices: &mut Choices<'_>) -> Shape {
        let format = choices.byte() % 7;
        let width = side(choices);
        let height = side(choices);
        let row = width.wrapping_mul([1, 3, 4, 4, 3, 2, 1][usize::from(format)]);
        let stride = match choices.byte() % 4 {
            0 => low(choices.number(4)),
            1 => row.wrapping_add_signed(choices.byte().cast_signed().into()),
            _ => row,
        };
        Shape {
            format,
            width,
            height,
            stride,
        }
    }

    fn payload_bytes(&self) -> u64 {
        u64::from(self.stride) * u64::from(self.height)
    }

    /// Encodes it as docs/LAYOUT.md defines, with or without a file name.
    fn encode(&self, choices: &mut Choices<'_>) -> Vec<u8> {
        let mut encoded = vec![1, self.format];
        for number in [self.width, self.height, self.stride] {
            encoded.extend(number.to_le_bytes());
        }
        let file_name = choices.bytes(255);
        encoded.push(u8::try_from(file_name.len()).expect("at most 255"));
        encoded.extend_from_slice(file_name);
        encoded
    }

    /// Returns the metadata for a publisher, or `None` if the library cannot express it.
    fn metadata(&self) -> Option<Metadata> {
        let format = *PixelFormat::ALL.get(usize::from(self.format))?;
        let mut image = ImageMetadata::packed(format, 1, 1).expect("a small image");
        (image.width, image.height, image.stride) = (self.width, self.height, self.stride);
        Some(image.into())
    }
}

fn side(choices: &mut Choices<'_>) -> u32 {
    match choices.byte() % 3 {
        0 => low(choices.replacement_for(1, 4)),
        _ => choices.byte().into(),
    }
}

fn low(number: u64) -> u32 {
    u32::try_from(number & u64::from(u32::MAX)).expect("masked to 32 bits")
}

/// Asserts that a publisher can publish exactly the metadata that readers accept.
fn assert_published_if_in_order(shape: &Shape, payload_bytes: u64) {
    let Some(metadata) = shape.metadata() else {
        return;
    };
    let Some(length) = usize::try_from(payload_bytes)
        .ok()
        .filter(|&bytes| bytes <= MAX_PAYLOAD)
    else {
        return;
    };
    let sandbox = Sandbox::new();
    let publisher = sandbox.publisher(0);
    match publisher.publish(&metadata, &vec![0; length]) {
        Ok(_) => assert!(metadata::fits(&metadata, payload_bytes), "{metadata:?}"),
        Err(error) if matches!(error.kind(), PublishErrorKind::Metadata(_)) => {
            assert!(!metadata::fits(&metadata, payload_bytes), "{metadata:?}");
        }
        Err(error) => panic!("{error:?}"),
    }
    drop(publisher);
    sandbox.close();
}
