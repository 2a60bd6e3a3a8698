//! Lies about the encoded metadata and what stands beside it.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use shm_core::{
    Annotations, ArrayMetadata, BytesMetadata, ElementType, ImageMetadata, Metadata, Origin,
    PixelFormat, Publisher,
};

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
    let found = found.map(|sample| (sample.metadata().clone(), sample.annotations().clone()));
    let is_possible = encoded.len() <= LONGEST;
    let expected = decode(encoded, payload_bytes).filter(|_| is_possible);
    if payload_bytes <= ROOM as u64 {
        assert_eq!(found, expected, "{encoded:02x?} for {payload_bytes} bytes");
    }
    drop(victim::look(&stage).expect("it lives"));
    if let Some((metadata, annotations)) = expected.filter(|_| payload_bytes <= ROOM as u64) {
        assert_publishable(&stage, &peer, (&metadata, &annotations), payload_bytes);
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
    (metadata, annotations): (&Metadata, &Annotations),
    payload_bytes: u64,
) {
    let payload = vec![b'p'; usize::try_from(payload_bytes).expect("at most ROOM")];
    publisher
        .publish_with(metadata, annotations, &payload)
        .expect("it is in order");
    let mut reader = Reader::attach(stage).expect("it lives");
    let sample = reader.latest().expect("it is honest");
    let sample = sample.expect("it was published");
    assert_eq!(sample.metadata(), metadata);
    assert_eq!(sample.annotations(), annotations);
    assert_eq!(sample.payload(), payload);
}

/// Decodes metadata as docs/LAYOUT.md, section 10, says; nothing where that forbids it.
pub(super) fn decode(encoded: &[u8], payload_bytes: u64) -> Option<(Metadata, Annotations)> {
    if encoded.is_empty() {
        return Some((Metadata::Text, Annotations::new()));
    }
    let mut decoder = Decoder(encoded);
    let mut seen = BTreeMap::new();
    let kind = loop {
        let number = decoder.byte()?;
        if number < 128 {
            break number;
        }
        let length = decoder.integer(2)?.try_into().ok()?;
        let value = decoder.bytes(length)?;
        // Of those that are not known nothing is known, not even whether they may be repeated.
        if number <= 129 && seen.insert(number, value).is_some() {
            return None;
        }
    };
    let mut annotations = Annotations::new();
    if let Some(user) = seen.get(&128) {
        annotations = annotations.with_user(Some(*user).filter(|user| user.len() <= 255)?);
    }
    if let Some(origin) = seen.get(&129) {
        annotations = annotations.with_origin(Decoder(origin).origin()?);
    }
    let metadata = match kind {
        0 => Some(Metadata::Text),
        1 => decoder.image()?,
        2 => Some(decoder.described_bytes()?),
        3 => decoder.array()?,
        _ => None,
    };
    let Some(metadata) = metadata else {
        return Some((Metadata::bytes("application/octet-stream"), annotations));
    };
    let is_whole = decoder.0.is_empty() && fits(&metadata, payload_bytes);
    is_whole.then_some((metadata, annotations))
}

/// Returns `true` if metadata may stand in front of a payload of this length.
pub(super) fn fits(metadata: &Metadata, payload_bytes: u64) -> bool {
    match metadata {
        Metadata::Image(image) => {
            let sides = 1..=65_535;
            let row = u64::from(image.width) * image.format.bytes_per_pixel() as u64;
            sides.contains(&image.width)
                && sides.contains(&image.height)
                && u64::from(image.stride) >= row
                && u64::from(image.stride) * u64::from(image.height) == payload_bytes
        }
        Metadata::Array(array) => product(array.element(), array.shape()) == Some(payload_bytes),
        _ => true,
    }
}

/// The length of an array's payload; nothing above what 64 bits count.
fn product(element: ElementType, shape: &[u64]) -> Option<u64> {
    let size: u64 = element.name()[1..].parse().ok()?;
    if shape.contains(&0) {
        return Some(0);
    }
    let dimensions = shape.iter().map(|&dimension| u128::from(dimension));
    let product = dimensions.fold(u128::from(size), u128::saturating_mul);
    product.try_into().ok()
}

/// What is still to be decoded.
struct Decoder<'a>(&'a [u8]);

impl<'a> Decoder<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    fn byte(&mut self) -> Option<u8> {
        self.bytes(1).map(|bytes| bytes[0])
    }

    fn integer(&mut self, width: usize) -> Option<u64> {
        let mut number = [0; 8];
        number[..width].copy_from_slice(self.bytes(width)?);
        Some(u64::from_le_bytes(number))
    }

    fn small(&mut self) -> Option<u32> {
        self.integer(4)?.try_into().ok()
    }

    fn time(&mut self) -> Option<SystemTime> {
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_nanos(self.integer(8)?))
    }

    fn name(&mut self) -> Option<&'a str> {
        let length = self.byte()?;
        std::str::from_utf8(self.bytes(length.into())?).ok()
    }

    fn file_name(&mut self) -> Option<Option<String>> {
        let name = self.name()?;
        Some(
            Some(name)
                .filter(|name| !name.is_empty())
                .map(str::to_owned),
        )
    }

    fn origin(&mut self) -> Option<Origin> {
        let (sequence, published) = (self.integer(8)?, self.time()?);
        let (last_heard, flags) = (self.time()?, self.byte()?);
        let mut origin = Origin::new(self.name()?, self.name()?, sequence, published);
        (origin.last_heard, origin.is_stale) = (last_heard, flags % 2 == 1);
        self.0.is_empty().then_some(origin)
    }

    fn described_bytes(&mut self) -> Option<Metadata> {
        let mut bytes = BytesMetadata::new(self.name()?);
        bytes.file_name = self.file_name()?;
        Some(bytes.into())
    }

    /// An image; nothing in it if its format is of a later version.
    fn image(&mut self) -> Option<Option<Metadata>> {
        let format = match self.byte()? {
            0 => PixelFormat::Gray8,
            1 => PixelFormat::Rgb8,
            2 => PixelFormat::Rgba8,
            3 => PixelFormat::Bgra8,
            4 => PixelFormat::Bgr8,
            5 => PixelFormat::Gray16,
            _ => return Some(None),
        };
        let mut image = ImageMetadata::packed(format, 1, 1).expect("a small one");
        (image.width, image.height) = (self.small()?, self.small()?);
        image.stride = self.small()?;
        image.file_name = self.file_name()?;
        Some(Some(image.into()))
    }

    /// An array; nothing in it if its elements are of a later version.
    fn array(&mut self) -> Option<Option<Metadata>> {
        let element = match self.bytes(2)? {
            b"u1" => ElementType::Uint8,
            b"i1" => ElementType::Int8,
            b"u2" => ElementType::Uint16,
            b"i2" => ElementType::Int16,
            b"u4" => ElementType::Uint32,
            b"i4" => ElementType::Int32,
            b"u8" => ElementType::Uint64,
            b"i8" => ElementType::Int64,
            b"f2" => ElementType::Float16,
            b"f4" => ElementType::Float32,
            b"f8" => ElementType::Float64,
            b"b1" => ElementType::Bool,
            _ => return Some(None),
        };
        let dimensions = self.byte()?;
        let shape: Vec<u64> = (0..dimensions)
            .map(|_| self.integer(8))
            .collect::<Option<_>>()?;
        product(element, &shape).filter(|_| (1..=8).contains(&dimensions))?;
        let array = ArrayMetadata::new(element, shape).expect("it can be counted");
        Some(Some(array.into()))
    }
}
