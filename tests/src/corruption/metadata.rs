//! Corruption of the encoded metadata and of the fields next to it.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use shm_core::{
    Annotations, ArrayMetadata, BytesMetadata, ElementType, ImageMetadata, Metadata, Origin,
    PixelFormat, Publisher,
};

use super::{
    choices::Choices,
    mutation::Mutation,
    operations,
    reader::Reader,
    record::Ring,
    sandbox::{MAX_PAYLOAD, RING, Sandbox},
};

/// The longest metadata in a ring of this size.
const LONGEST: usize = RING / 8 - 128;

/// Corrupts metadata: four bytes choose the payload's length, the others are the encoded metadata.
pub fn metadata(data: &[u8]) {
    let mut choices = Choices::new(data);
    let payload_bytes = payload_bytes(&mut choices);
    let encoded = choices.bytes(usize::MAX);
    assert_read(encoded, payload_bytes);
}

/// Reads a length: mostly one that the region has memory for.
fn payload_bytes(choices: &mut Choices<'_>) -> u64 {
    if choices.byte().is_multiple_of(4) {
        choices.replacement_for(MAX_PAYLOAD as u64, 2)
    } else {
        choices.number(2) % (MAX_PAYLOAD as u64 + 1)
    }
}

/// Writes this metadata and payload length into the newest record, and asserts that readers decode
/// it as docs/LAYOUT.md defines, or report it as invalid if that forbids it.
pub(super) fn assert_read(encoded: &[u8], payload_bytes: u64) {
    let sandbox = Sandbox::new();
    let peer = sandbox.publisher(0);
    let mutation = craft(&sandbox, encoded, payload_bytes);
    mutation.apply(&sandbox);

    let mut reader = Reader::attach(&sandbox).expect("the segment is alive");
    let found = reader.latest().ok().flatten();
    let found = found.map(|sample| (sample.metadata().clone(), sample.annotations().clone()));
    let is_possible = encoded.len() <= LONGEST;
    let expected = decode(encoded, payload_bytes).filter(|_| is_possible);
    if payload_bytes <= MAX_PAYLOAD as u64 {
        assert_eq!(found, expected, "{encoded:02x?} for {payload_bytes} bytes");
    }
    drop(operations::inspect(&sandbox).expect("the segment is alive"));
    if let Some((metadata, annotations)) = expected.filter(|_| payload_bytes <= MAX_PAYLOAD as u64)
    {
        assert_publishable(&sandbox, &peer, (&metadata, &annotations), payload_bytes);
    }
    mutation.apply(&sandbox);
    operations::run_sample_operations(&sandbox, peer, &mutation, operations::End::Left);
    sandbox.close();
}

/// Builds the mutation: the newest record, which names a region, is rewritten.
fn craft(sandbox: &Sandbox, encoded: &[u8], payload_bytes: u64) -> Mutation {
    let file = sandbox.segment().expect("the peer keeps the segment");
    let ring = Ring::of(&file);
    let mut mutation = Mutation::read(&mut Choices::new(&[]), &file, &[], 0..1);
    let record = ring.record_at(ring.last()).expect("the ring is valid");
    let start = ring.file_offset(record.position);
    // Metadata that does not fit the record is as wrong as a length that does not fit the field.
    let fits = &encoded[..encoded.len().min(LONGEST + 1)];
    let metadata_bytes = u16::try_from(encoded.len()).unwrap_or(u16::MAX);
    let behind = 48 + fits.len();
    let region_at = match behind.next_multiple_of(8) {
        here @ ..=56 => here,
        _ => behind.next_multiple_of(64),
    };
    let total_bytes = u32::try_from((region_at + 8).next_multiple_of(64)).unwrap_or(u32::MAX);
    mutation.write(start + 8, &total_bytes.to_le_bytes());
    mutation.write(start + 12, &metadata_bytes.to_le_bytes());
    mutation.write(start + 16, &payload_bytes.to_le_bytes());
    mutation.write(start + 48, fits);
    mutation.write(start + region_at, &record.stored);
    mutation
}

/// Asserts that publishers can publish the metadata that readers accept.
fn assert_publishable(
    sandbox: &Sandbox,
    publisher: &Publisher,
    (metadata, annotations): (&Metadata, &Annotations),
    payload_bytes: u64,
) {
    let payload = vec![b'p'; usize::try_from(payload_bytes).expect("at most MAX_PAYLOAD")];
    publisher
        .publish_with(metadata, annotations, &payload)
        .expect("the metadata is valid");
    let mut reader = Reader::attach(sandbox).expect("the segment is alive");
    let sample = reader.latest().expect("the segment is valid");
    let sample = sample.expect("a sample was published");
    assert_eq!(sample.metadata(), metadata);
    assert_eq!(sample.annotations(), annotations);
    assert_eq!(sample.payload(), payload);
}

/// Decodes metadata by the rules of docs/LAYOUT.md, section 10; returns `None` if they forbid it.
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
        // Unknown annotations may be repeated: their rules are unknown.
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

/// Returns `true` if this metadata is valid for a payload of this length.
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

/// Returns the length of an array's payload, or `None` above 64 bits.
fn product(element: ElementType, shape: &[u64]) -> Option<u64> {
    let size: u64 = element.name()[1..].parse().ok()?;
    if shape.contains(&0) {
        return Some(0);
    }
    let dimensions = shape.iter().map(|&dimension| u128::from(dimension));
    let product = dimensions.fold(u128::from(size), u128::saturating_mul);
    product.try_into().ok()
}

/// The bytes that remain to be decoded.
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

    /// Decodes an image; the inner value is `None` if its format is of a later version.
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
        let mut image = ImageMetadata::packed(format, 1, 1).expect("a small image");
        (image.width, image.height) = (self.small()?, self.small()?);
        image.stride = self.small()?;
        image.file_name = self.file_name()?;
        Some(Some(image.into()))
    }

    /// Decodes an array; the inner value is `None` if its elements are of a later version.
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
        let array = ArrayMetadata::new(element, shape).expect("its length fits 64 bits");
        Some(Some(array.into()))
    }
}
