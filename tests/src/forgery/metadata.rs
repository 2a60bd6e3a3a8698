//! Lies about the encoded metadata.

use shm_core::{ImageMetadata, Metadata, PixelFormat, Publisher};

use super::{
    lie::Lie,
    reader::Reader,
    record::Ring,
    script::Script,
    stage::{RING, ROOM, Stage},
    victim,
};

/// The longest metadata in such a ring.
const LONGEST: usize = RING / 8 - 128;

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

/// Lets the newest record say this metadata of a payload of this length, and asserts that readers take
/// it for what docs/LAYOUT.md says, or say that it is invalid where that does.
pub(super) fn assert_read(encoded: &[u8], payload_bytes: u64) {
    let stage = Stage::new();
    let peer = stage.publisher(0);
    let lie = forge(&stage, encoded, payload_bytes);
    lie.tell(&stage);

    let mut reader = Reader::attach(&stage).expect("it lives");
    let found = reader.latest().ok().flatten();
    let found = found.map(|sample| sample.metadata().clone());
    let is_possible = encoded.len() <= LONGEST;
    let expected = decode(encoded, payload_bytes).filter(|_| is_possible);
    if payload_bytes <= ROOM as u64 {
        assert_eq!(found, expected, "{encoded:02x?} for {payload_bytes} bytes");
    }
    drop(victim::look(&stage).expect("it lives"));
    if let Some(metadata) = expected.filter(|_| payload_bytes <= ROOM as u64) {
        assert_publishable(&stage, &peer, &metadata, payload_bytes);
    }
    lie.tell(&stage);
    victim::deceive_readers(&stage, peer, &lie, victim::End::Left);
    stage.close();
}

/// The lie: the newest record, which names a region, is written anew.
fn forge(stage: &Stage, encoded: &[u8], payload_bytes: u64) -> Lie {
    let file = stage.segment().expect("the peer keeps it");
    let ring = Ring::of(&file);
    let mut lie = Lie::read(&mut Script::new(&[]), &file, &[], 0..1);
    let record = ring.record_at(ring.last()).expect("nobody lies yet");
    let start = ring.place_of(record.position);
    // What does not fit the record is as wrong as what does not fit the field.
    let fits = &encoded[..encoded.len().min(LONGEST + 1)];
    let metadata_bytes = u16::try_from(encoded.len()).unwrap_or(u16::MAX);
    let behind = 48 + fits.len();
    let region_at = match behind.next_multiple_of(8) {
        here @ ..=56 => here,
        _ => behind.next_multiple_of(64),
    };
    let total_bytes = u32::try_from((region_at + 8).next_multiple_of(64)).unwrap_or(u32::MAX);
    lie.write(start + 8, &total_bytes.to_le_bytes());
    lie.write(start + 12, &metadata_bytes.to_le_bytes());
    lie.write(start + 16, &payload_bytes.to_le_bytes());
    lie.write(start + 48, fits);
    lie.write(start + region_at, &record.stored);
    lie
}

/// Asserts that what readers accept is what publishers may say.
fn assert_publishable(
    stage: &Stage,
    publisher: &Publisher,
    metadata: &Metadata,
    payload_bytes: u64,
) {
    let payload = vec![b'p'; usize::try_from(payload_bytes).expect("at most ROOM")];
    publisher
        .publish(metadata, &payload)
        .expect("it is in order");
    let mut reader = Reader::attach(stage).expect("it lives");
    let sample = reader.latest().expect("it is honest");
    let sample = sample.expect("it was published");
    assert_eq!(sample.metadata(), metadata);
    assert_eq!(sample.payload(), payload);
}

/// Decodes metadata as docs/LAYOUT.md, section 10, says; nothing where that forbids it.
pub(super) fn decode(encoded: &[u8], payload_bytes: u64) -> Option<Metadata> {
    if encoded.is_empty() {
        return Some(Metadata::Text);
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
