//! The encoding of metadata, which docs/LAYOUT.md specifies in section 10.

use std::time::{SystemTime, UNIX_EPOCH};

use super::{
    Annotations, ArrayMetadata, BytesMetadata, ElementType, ImageMetadata, MAX_NAME_BYTES,
    Metadata, MetadataError, MetadataField, Origin, PixelFormat,
};
use crate::time::system_time;

/// The numbers of the kinds.
const TEXT: u8 = 0;
const IMAGE: u8 = 1;
const BYTES: u8 = 2;
const ARRAY: u8 = 3;

/// The first number of an annotation. Annotations precede the kind.
const ANNOTATIONS: u8 = 128;
const USER: u8 = 128;
const ORIGIN: u8 = 129;

/// A flag of an origin.
const STALE: u8 = 1;

/// Encodes metadata and annotations that were checked.
pub(super) fn encode(metadata: &Metadata, annotations: &Annotations) -> Vec<u8> {
    let mut output = Output(Vec::with_capacity(16));
    if !annotations.user.is_empty() {
        output.annotation(USER, |output| output.0.extend(&annotations.user));
    }
    if let Some(origin) = &annotations.origin {
        output.annotation(ORIGIN, |output| output.origin(origin));
    }
    match metadata {
        Metadata::Text => output.byte(TEXT),
        Metadata::Image(image) => output.image(image),
        Metadata::Bytes(bytes) => output.bytes(bytes),
        Metadata::Array(array) => output.array(array),
    }
    output.0
}

/// Decodes all of `encoded`, which is untrusted; the caller checks the result.
pub(super) fn decode(encoded: &[u8]) -> Result<(Metadata, Annotations), MetadataError> {
    let mut input = Input(encoded);
    let mut annotations = Annotations::new();
    let mut has_user = false;
    let kind = loop {
        let number = input.byte()?;
        if number < ANNOTATIONS {
            break number;
        }
        let length = input.u16()?;
        let mut value = Input(input.take(length.into())?);
        match number {
            USER if !has_user => {
                has_user = true;
                annotations.user = value.user()?;
            }
            ORIGIN if annotations.origin.is_none() => {
                annotations.origin = Some(Box::new(value.origin()?));
            }
            USER | ORIGIN => return Err(MetadataError::Repeated),
            // An annotation of a later version.
            _ => {}
        }
    };
    let metadata = match kind {
        TEXT => Some(Metadata::Text),
        IMAGE => input.image()?,
        BYTES => Some(input.bytes()?),
        ARRAY => input.array()?,
        _ => None,
    };
    let Some(metadata) = metadata else {
        // A later version knows the rest. The payload can be shown as bytes nevertheless.
        return Ok((Metadata::bytes(""), annotations));
    };
    input.end()?;
    Ok((metadata, annotations))
}

/// The encoding so far.
struct Output(Vec<u8>);

impl Output {
    fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    fn u32(&mut self, number: u32) {
        self.0.extend(number.to_le_bytes());
    }

    fn u64(&mut self, number: u64) {
        self.0.extend(number.to_le_bytes());
    }

    /// Nanoseconds since 1970; the nearest representable time.
    fn time(&mut self, time: SystemTime) {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.u64(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX));
    }

    fn name(&mut self, name: &str) {
        let length = u8::try_from(name.len()).expect("names were checked");
        self.byte(length);
        self.0.extend(name.as_bytes());
    }

    fn annotation(&mut self, number: u8, value: impl FnOnce(&mut Self)) {
        self.byte(number);
        let at = self.0.len();
        self.0.extend([0; 2]);
        value(self);
        let length = self.0.len() - at - 2;
        let length = u16::try_from(length).expect("at most two names and some numbers");
        self.0[at..at + 2].copy_from_slice(&length.to_le_bytes());
    }

    fn origin(&mut self, origin: &Origin) {
        self.u64(origin.sequence.get());
        self.time(origin.published);
        self.time(origin.last_heard);
        self.byte(if origin.is_stale { STALE } else { 0 });
        self.name(&origin.host);
        self.name(&origin.program);
    }

    fn image(&mut self, image: &ImageMetadata) {
        self.byte(IMAGE);
        self.byte(image.format.number());
        self.u32(image.width);
        self.u32(image.height);
        self.u32(image.stride);
        self.name(image.file_name.as_deref().unwrap_or_default());
    }

    fn bytes(&mut self, bytes: &BytesMetadata) {
        self.byte(BYTES);
        self.name(match bytes.media_type.as_str() {
            BytesMetadata::OCTET_STREAM => "",
            media_type => media_type,
        });
        self.name(bytes.file_name.as_deref().unwrap_or_default());
    }

    fn array(&mut self, array: &ArrayMetadata) {
        self.byte(ARRAY);
        self.0.extend(array.element().name().as_bytes());
        let dimensions = u8::try_from(array.shape().len()).expect("the shape was checked");
        self.byte(dimensions);
        for &dimension in array.shape() {
            self.u64(dimension);
        }
    }
}

/// The bytes that are not decoded yet.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], MetadataError> {
        let (taken, rest) = self
            .0
            .split_at_checked(count)
            .ok_or(MetadataError::EndsEarly)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array_of<const N: usize>(&mut self) -> Result<[u8; N], MetadataError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(MetadataError::EndsEarly)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn byte(&mut self) -> Result<u8, MetadataError> {
        self.array_of().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Result<u16, MetadataError> {
        self.array_of().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, MetadataError> {
        self.array_of().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, MetadataError> {
        self.array_of().map(u64::from_le_bytes)
    }

    fn name(&mut self) -> Result<&'a str, MetadataError> {
        let length = self.byte()?;
        std::str::from_utf8(self.take(length.into())?).map_err(|_| MetadataError::NotUtf8)
    }

    fn file_name(&mut self) -> Result<Option<String>, MetadataError> {
        let name = self.name()?;
        Ok((!name.is_empty()).then(|| name.to_owned()))
    }

    fn end(&self) -> Result<(), MetadataError> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(MetadataError::BytesBehind)
    }

    fn user(&mut self) -> Result<Vec<u8>, MetadataError> {
        let bytes = self.0.len();
        if bytes > MAX_NAME_BYTES {
            return Err(MetadataError::TooLong {
                field: MetadataField::UserData,
                bytes,
            });
        }
        Ok(self.0.to_vec())
    }

    fn origin(&mut self) -> Result<Origin, MetadataError> {
        let sequence = self.u64()?;
        let published = system_time(self.u64()?);
        let last_heard = system_time(self.u64()?);
        let is_stale = self.byte()? & STALE != 0;
        let host = self.name()?.to_owned();
        let program = self.name()?.to_owned();
        self.end()?;
        Ok(Origin {
            host,
            program,
            sequence: sequence.into(),
            published,
            last_heard,
            is_stale,
        })
    }

    /// Returns `None` if the pixel format is of a later version.
    fn image(&mut self) -> Result<Option<Metadata>, MetadataError> {
        let number = usize::from(self.byte()?);
        let Some(&format) = PixelFormat::ALL.get(number) else {
            return Ok(None);
        };
        Ok(Some(Metadata::Image(ImageMetadata {
            format,
            width: self.u32()?,
            height: self.u32()?,
            stride: self.u32()?,
            file_name: self.file_name()?,
        })))
    }

    fn bytes(&mut self) -> Result<Metadata, MetadataError> {
        let mut bytes = BytesMetadata::new(self.name()?);
        bytes.file_name = self.file_name()?;
        Ok(Metadata::Bytes(bytes))
    }

    /// Returns `None` if the element type is of a later version.
    fn array(&mut self) -> Result<Option<Metadata>, MetadataError> {
        let name = self.array_of::<2>()?;
        let element = std::str::from_utf8(&name)
            .ok()
            .and_then(ElementType::from_name);
        let Some(element) = element else {
            return Ok(None);
        };
        let count = usize::from(self.byte()?);
        if count > ArrayMetadata::MAX_DIMENSIONS {
            return Err(MetadataError::Dimensions { count });
        }
        let shape: Result<Vec<u64>, _> = (0..count).map(|_| self.u64()).collect();
        Ok(Some(Metadata::Array(ArrayMetadata::new(element, shape?)?)))
    }
}
