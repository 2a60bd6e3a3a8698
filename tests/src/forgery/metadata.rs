//! Lies about the encoded metadata.

use shm_core::{ImageMetadata, Metadata, PixelFormat, Publisher, Subscriber, segment};

use super::{
    lie::Lie,
    script::Script,
    stage::{ROOM, Stage, memory_of},
    victim,
};
use crate::layout;

/// The region of the sample that is lied about: the one with the most memory.
const REGION: usize = 3;

/// Lies about metadata: four bytes choose the payload's length, the others are the encoded metadata.
pub fn metadata(data: &[u8]) {
    let mut script = Script::new(data);
    let payload_bytes = payload_bytes(&mut script);
    let encoded = script.bytes(usize::MAX);
    assert_read(encoded, payload_bytes);
}

/// A length: mostly one that the region really has memory for.
fn payload_bytes(script: &mut Script<'_>) -> u64 {
    if script.byte().is_multiple_of(4) {
        script.instead_of(ROOM as u64, 2)
    } else {
        script.number(2) % (ROOM as u64 + 1)
    }
}

/// Puts this encoded metadata in front of a payload of this length, and asserts that readers take
/// it for what docs/LAYOUT.md says, or say that it is invalid where that does.
pub(super) fn assert_read(encoded: &[u8], payload_bytes: u64) {
    let stage = Stage::new();
    let peer = stage.publisher(0);
    let lie = forge(&stage, encoded, payload_bytes);
    let file = stage.segment().expect("the peer keeps it");
    lie.tell(&stage);

    let mut subscriber = Subscriber::attach(stage.key(), stage.options()).expect("it lives");
    let found = subscriber.latest().ok().flatten();
    let expected = decode(encoded, payload_bytes);
    if payload_bytes <= ROOM as u64 {
        let found = found.as_ref().map(|sample| sample.metadata().clone());
        assert_eq!(found, expected, "{encoded:02x?} for {payload_bytes} bytes");
    } else if payload_bytes > memory_of(&file) {
        assert!(found.is_none(), "{payload_bytes} bytes are not there");
    }
    drop(found);
    drop(victim::read(&mut subscriber, &file));
    assert_told(&stage, expected.as_ref(), payload_bytes);
    if let Some(metadata) = expected.filter(|_| payload_bytes <= ROOM as u64) {
        assert_publishable(&peer, &mut subscriber, &metadata, payload_bytes);
    }
    drop(subscriber);
    lie.tell(&stage);
    victim::deceive_readers(&stage, peer, &lie, victim::End::Left);
    stage.close();
}

/// The lie, once the latest sample is the one in the region.
fn forge(stage: &Stage, encoded: &[u8], payload_bytes: u64) -> Lie {
    let file = stage.segment().expect("the peer keeps it");
    let mut lie = Lie::read(&mut Script::new(&[]), &file, &[], 0..1);
    let entry = layout::ENTRIES + layout::ENTRY * REGION;
    lie.write(entry + 8, &payload_bytes.to_le_bytes());
    // A value that does not fit the field is as wrong as one that does not fit the room.
    let metadata_bytes = u32::try_from(encoded.len()).unwrap_or(u32::MAX);
    lie.write(entry + 16, &metadata_bytes.to_le_bytes());
    let fits = &encoded[..encoded.len().min(layout::METADATA_ROOM)];
    let start = REGION * usize::try_from(layout::REGION_STRIDE).unwrap_or(0);
    lie.write(start, fits);
    lie
}

/// Asserts that who looks from outside is told the same.
fn assert_told(stage: &Stage, expected: Option<&Metadata>, payload_bytes: u64) {
    let info = victim::look(stage).expect("it lives");
    let segment::Content::Samples { latest } = info.content else {
        panic!("samples became a block");
    };
    let told = latest.map(|latest| (latest.metadata, latest.bytes));
    let is_possible = payload_bytes <= layout::REGION_STRIDE - layout::METADATA_ROOM as u64;
    let expected = expected.filter(|_| is_possible);
    assert_eq!(
        told,
        expected.map(|metadata| (metadata.clone(), payload_bytes))
    );
}

/// Asserts that what readers accept is what publishers may say.
fn assert_publishable(
    publisher: &Publisher,
    subscriber: &mut Subscriber,
    metadata: &Metadata,
    payload_bytes: u64,
) {
    let payload = vec![b'p'; usize::try_from(payload_bytes).expect("at most ROOM")];
    publisher
        .publish(metadata, &payload)
        .expect("it is in order");
    let sample = subscriber.latest().expect("it is honest");
    let sample = sample.expect("it was published");
    assert_eq!(sample.metadata(), metadata);
    assert_eq!(sample.payload(), payload);
}

/// Decodes metadata as docs/LAYOUT.md, section 8, says; nothing where that forbids it.
fn decode(encoded: &[u8], payload_bytes: u64) -> Option<Metadata> {
    if encoded.len() > layout::METADATA_ROOM {
        return None;
    }
    let mut decoder = Decoder(encoded);
    let metadata = match decoder.integer(4)? {
        0 => Metadata::Text,
        1 => Metadata::Image(decoder.image()?),
        2 => Metadata::Bytes {
            media_type: decoder.string()?,
            source: decoder.source()?,
        },
        _ => return None,
    };
    let is_whole = decoder.0.is_empty();
    (is_whole && fits(&metadata, payload_bytes)).then_some(metadata)
}

/// Tells whether an image of this shape may stand in front of a payload of this length.
pub(super) fn fits(metadata: &Metadata, payload_bytes: u64) -> bool {
    let Metadata::Image(image) = metadata else {
        return true;
    };
    let sides = 1..=65_535;
    let row = u64::from(image.width) * image.format.bytes_per_pixel() as u64;
    sides.contains(&image.width)
        && sides.contains(&image.height)
        && u64::from(image.stride) >= row
        && u64::from(image.stride) * u64::from(image.height) == payload_bytes
}

/// What is still to be decoded.
struct Decoder<'a>(&'a [u8]);

impl Decoder<'_> {
    fn bytes(&mut self, count: usize) -> Option<&[u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    fn byte(&mut self) -> Option<u8> {
        self.bytes(1).map(|bytes| bytes[0])
    }

    /// An integer, which may not be written wider than `widest` bytes.
    fn integer(&mut self, widest: usize) -> Option<u64> {
        let width = match self.byte()? {
            small @ ..251 => return Some(small.into()),
            251 => 2,
            252 => 4,
            253 => 8,
            _ => return None,
        };
        let mut number = [0; 8];
        number[..width].copy_from_slice(self.bytes(width)?);
        (width <= widest).then_some(u64::from_le_bytes(number))
    }

    fn small(&mut self) -> Option<u32> {
        self.integer(4)?.try_into().ok()
    }

    fn string(&mut self) -> Option<String> {
        let length = self.integer(8)?.try_into().ok()?;
        let string = std::str::from_utf8(self.bytes(length)?).ok()?;
        (length <= 255).then(|| string.to_owned())
    }

    fn source(&mut self) -> Option<Option<String>> {
        match self.byte()? {
            0 => Some(None),
            1 => self.string().map(Some),
            _ => None,
        }
    }

    fn image(&mut self) -> Option<ImageMetadata> {
        let format = match self.integer(4)? {
            0 => PixelFormat::Gray8,
            1 => PixelFormat::Rgb8,
            2 => PixelFormat::Rgba8,
            3 => PixelFormat::Bgra8,
            _ => return None,
        };
        Some(ImageMetadata {
            format,
            width: self.small()?,
            height: self.small()?,
            stride: self.small()?,
            source: self.source()?,
        })
    }
}
