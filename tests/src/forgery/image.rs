//! Lies about the shape of an image.

use shm_core::{ImageMetadata, Metadata, PixelFormat, PublishErrorKind};

use super::{
    metadata,
    script::Script,
    stage::{ROOM, Stage},
};

/// The numbers of an image as they are encoded, none of them checked.
struct Shape {
    format: u8,
    width: u32,
    height: u32,
    stride: u32,
}

/// Lies about an image: its format, its sides, its stride, and whether the payload has the length that
/// follows from them.
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
        let format = script.byte() % 7;
        let width = side(script);
        let height = side(script);
        let row = width.wrapping_mul([1, 3, 4, 4, 3, 2, 1][usize::from(format)]);
        let stride = match script.byte() % 4 {
            0 => low(script.number(4)),
            1 => row.wrapping_add_signed(script.byte().cast_signed().into()),
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

    /// Encodes it, without or with a file name, as docs/LAYOUT.md says.
    fn encode(&self, script: &mut Script<'_>) -> Vec<u8> {
        let mut encoded = vec![1, self.format];
        for number in [self.width, self.height, self.stride] {
            encoded.extend(number.to_le_bytes());
        }
        let file_name = script.bytes(255);
        encoded.push(u8::try_from(file_name.len()).expect("at most 255"));
        encoded.extend_from_slice(file_name);
        encoded
    }

    /// The same for a publisher; nothing where it cannot even be said.
    fn metadata(&self) -> Option<Metadata> {
        let format = *PixelFormat::ALL.get(usize::from(self.format))?;
        let mut image = ImageMetadata::packed(format, 1, 1).expect("a small one");
        (image.width, image.height, image.stride) = (self.width, self.height, self.stride);
        Some(image.into())
    }
}

fn side(script: &mut Script<'_>) -> u32 {
    match script.byte() % 3 {
        0 => low(script.instead_of(1, 4)),
        _ => script.byte().into(),
    }
}

fn low(number: u64) -> u32 {
    u32::try_from(number & u64::from(u32::MAX)).expect("it was cut")
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
        Err(error) if matches!(error.kind(), PublishErrorKind::Metadata(_)) => {
            assert!(!metadata::fits(&metadata, payload_bytes), "{metadata:?}");
        }
        Err(error) => panic!("{error:?}"),
    }
    drop(publisher);
    stage.close();
}
