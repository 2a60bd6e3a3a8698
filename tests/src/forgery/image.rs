//! Lies about the shape of an image.

use shm_core::{ImageMetadata, Metadata, PixelFormat, PublishError};

use super::{
    metadata,
    script::Script,
    stage::{ROOM, Stage},
};

/// The numbers of an image as they are encoded, none of them checked.
struct Shape {
    format: u64,
    width: u64,
    height: u64,
    stride: u64,
}

/// Lies about an image: its format, its sides, its stride, how widely each is encoded, and whether
/// the payload has the length that follows from them.
pub fn image(data: &[u8]) {
    let mut script = Script::new(data);
    let shape = Shape::read(&mut script);
    let payload_bytes = match script.byte() % 4 {
        0 => script.number(2),
        1 => shape
            .payload_bytes()
            .wrapping_add_signed(i64::from(script.byte().cast_signed())),
        _ => shape.payload_bytes(),
    };
    let encoded = shape.encode(&mut script);
    metadata::assert_read(&encoded, payload_bytes);
    assert_published_if_in_order(&shape, payload_bytes);
}

impl Shape {
    /// Mostly one that makes sense, or nearly does.
    fn read(script: &mut Script<'_>) -> Shape {
        let format = u64::from(script.byte() % 5);
        let width = side(script);
        let height = side(script);
        let row = width.wrapping_mul([1, 3, 4, 4, 1][usize::try_from(format).unwrap_or(0)]);
        let stride = match script.byte() % 4 {
            0 => script.number(4),
            1 => row.wrapping_add_signed(i64::from(script.byte().cast_signed())),
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
        self.stride.wrapping_mul(self.height)
    }

    /// Encodes it, without or with a source, as docs/LAYOUT.md says, but not always in the shortest form.
    fn encode(&self, script: &mut Script<'_>) -> Vec<u8> {
        let mut encoded = Vec::new();
        for number in [1, self.format, self.width, self.height, self.stride] {
            put(&mut encoded, number, script.byte());
        }
        let source = script.bytes(300);
        encoded.push(u8::from(!source.is_empty()));
        if !source.is_empty() {
            put(&mut encoded, source.len() as u64, 0);
            encoded.extend_from_slice(source);
        }
        encoded
    }

    /// The same for a publisher; nothing where it cannot even be said.
    fn metadata(&self) -> Option<Metadata> {
        let formats = [
            PixelFormat::Gray8,
            PixelFormat::Rgb8,
            PixelFormat::Rgba8,
            PixelFormat::Bgra8,
        ];
        Some(Metadata::Image(ImageMetadata {
            format: *formats.get(usize::try_from(self.format).ok()?)?,
            width: self.width.try_into().ok()?,
            height: self.height.try_into().ok()?,
            stride: self.stride.try_into().ok()?,
            source: None,
        }))
    }
}

fn side(script: &mut Script<'_>) -> u64 {
    match script.byte() % 3 {
        0 => script.instead_of(1, 4),
        _ => script.number(1),
    }
}

/// Appends an integer, in a form that is wider than the shortest by `wider` steps.
fn put(encoded: &mut Vec<u8>, number: u64, wider: u8) {
    let shortest = match number {
        0..251 => 0,
        251..0x1_0000 => 1,
        0x1_0000..0x1_0000_0000 => 2,
        _ => 3,
    };
    // Mostly the shortest, as is right.
    let form = (shortest + usize::from(wider / 64)).min(3);
    let (mark, width) = [(None, 1), (Some(251), 2), (Some(252), 4), (Some(253), 8)][form];
    encoded.extend(mark);
    encoded.extend_from_slice(&number.to_le_bytes()[..width]);
}

/// Asserts that a publisher cannot say what readers would refuse, and can say everything else.
fn assert_published_if_in_order(shape: &Shape, payload_bytes: u64) {
    let Some(metadata) = shape.metadata() else {
        return;
    };
    let Some(length) = usize::try_from(payload_bytes)
        .ok()
        .filter(|&bytes| bytes <= ROOM)
    else {
        return;
    };
    let stage = Stage::new();
    let publisher = stage.publisher(0);
    match publisher.publish(&metadata, &vec![0; length]) {
        Ok(_) => assert!(metadata::fits(&metadata, payload_bytes), "{metadata:?}"),
        Err(PublishError::Metadata { .. }) => {
            assert!(!metadata::fits(&metadata, payload_bytes), "{metadata:?}");
        }
        Err(error) => panic!("{error:?}"),
    }
    drop(publisher);
    stage.close();
}
