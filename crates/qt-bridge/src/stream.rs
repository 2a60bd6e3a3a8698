//! The encodings of a segment's content: values that `QDataStream` writes (big endian, no header),
//! and C strings.

mod error;
mod picture;
mod recognise;
mod utf16;

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use shm_core::{ImageMetadata, Message};

pub use error::{NotThisReason, StreamError, UnfitReason};

/// The encoding of the bytes in a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A streamed `QString`: its length in bytes, then UTF-16.
    QString,
    /// A streamed `QByteArray`: its length, then bytes.
    QByteArray,
    /// A streamed `const char *`: its length with the final NUL, bytes, NUL.
    CString,
    /// A C string that was copied unchanged: bytes, NUL. Without a NUL: all bytes.
    Raw,
    /// A streamed `QImage`: 1, then a PNG file; or 0 for a null image.
    QImage,
}

/// The default limit of the memory that reading a stream takes, in bytes: 1 GiB.
///
/// It bounds the copy of the stream, and then what the copy is decoded into: of a picture, the
/// pixels and the decoder's own memory together.
pub const DEFAULT_LIMIT: u64 = 1 << 30;

/// The length of a null string.
const NULL: u32 = u32::MAX;

/// The greatest length, in bytes; the two values above it have other meanings.
const MAX_LENGTH: usize = u32::MAX as usize - 2;

// 0xffff_ffff is null, and 0xffff_fffe announces a 64-bit length in newer versions of QDataStream.
const _: () = assert!(MAX_LENGTH == 0xffff_fffd);

/// The number before a picture that is not null.
const PRESENT: u32 = 1;

/// The size of the number at the start of a stream, in bytes.
const HEAD: usize = size_of::<u32>();

/// How many bytes are copied out of a segment at a time: few enough for the processor's cache.
const CHUNK: usize = 16 * 1024;

/// Bytes that are read by copying, because other processes may write them.
pub trait ReadAt {
    /// Returns the number of bytes.
    fn size(&self) -> usize;

    /// Copies the bytes from `offset` on, as many as fill `buffer`.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` if the range exceeds the bytes.
    fn read_at(&self, offset: usize, buffer: &mut [u8]) -> io::Result<()>;
}

impl ReadAt for [u8] {
    fn size(&self) -> usize {
        self.len()
    }

    fn read_at(&self, offset: usize, buffer: &mut [u8]) -> io::Result<()> {
        let end = offset.checked_add(buffer.len());
        let bytes = end.and_then(|end| self.get(offset..end));
        buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

impl<const N: usize> ReadAt for [u8; N] {
    fn size(&self) -> usize {
        N
    }

    fn read_at(&self, offset: usize, buffer: &mut [u8]) -> io::Result<()> {
        self.as_slice().read_at(offset, buffer)
    }
}

impl ReadAt for Vec<u8> {
    fn size(&self) -> usize {
        self.len()
    }

    fn read_at(&self, offset: usize, buffer: &mut [u8]) -> io::Result<()> {
        self.as_slice().read_at(offset, buffer)
    }
}

/// A decoded value. Qt distinguishes null from empty: `None` is null.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// A `QString`; U+FFFD stands for unpaired surrogates.
    Text(Option<String>),
    /// A `QByteArray`, or a C string.
    Bytes(Option<Vec<u8>>),
    /// A `QImage`.
    Picture(Option<(ImageMetadata, Vec<u8>)>),
}

impl Value {
    /// Converts to a message: bytes that are UTF-8 without control characters become a text.
    /// Returns `None` for null.
    #[must_use]
    pub fn into_message(self) -> Option<Message> {
        match self {
            Self::Text(text) => text.map(Message::Text),
            Self::Bytes(bytes) => bytes.map(message_of),
            Self::Picture(picture) => {
                picture.map(|(metadata, pixels)| Message::Image { metadata, pixels })
            }
        }
    }
}

fn message_of(bytes: Vec<u8>) -> Message {
    let is_text =
        |text: &str| !text.contains(|other: char| other.is_control() && !other.is_whitespace());
    match String::from_utf8(bytes) {
        Ok(text) if is_text(&text) => Message::Text(text),
        Ok(text) => Message::bytes(UNKNOWN, None, text.into_bytes()),
        Err(error) => Message::bytes(UNKNOWN, None, error.into_bytes()),
    }
}

const UNKNOWN: &str = "application/octet-stream";

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Omits the content: a text may be confidential, and pixels are many.
        let (kind, bytes) = match self {
            Self::Text(text) => ("Text", text.as_ref().map(String::len)),
            Self::Bytes(bytes) => ("Bytes", bytes.as_ref().map(Vec::len)),
            Self::Picture(picture) => ("Picture", picture.as_ref().map(|(_, pixels)| pixels.len())),
        };
        f.debug_struct(kind).field("bytes", &bytes).finish()
    }
}

impl Form {
    /// All forms with their names on the command line.
    pub const NAMES: [(&str, Self); 5] = [
        ("qstring", Self::QString),
        ("qbytearray", Self::QByteArray),
        ("cstring", Self::CString),
        ("raw", Self::Raw),
        ("qimage", Self::QImage),
    ];

    /// Returns the name of the form on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        let named = Self::NAMES.iter().find(|(_, form)| *form == self);
        named.map_or("", |(name, _)| name)
    }

    /// Returns the form in which a message is streamed by default.
    #[must_use]
    pub fn of(message: &Message) -> Self {
        match message {
            Message::Text(_) => Self::QString,
            Message::Image { .. } => Self::QImage,
            _ => Self::QByteArray,
        }
    }

    /// Detects the form of the bytes in a segment. They do not state it, so this is a heuristic.
    ///
    /// # Errors
    ///
    /// [`StreamError::Io`] if the segment cannot be read.
    pub fn recognise(source: &impl ReadAt) -> Result<Self, StreamError> {
        recognise::form_of(source)
    }

    /// Returns how many bytes of a segment have to be copied to decode it in this form.
    ///
    /// # Errors
    ///
    /// [`StreamError::Io`] if the segment cannot be read, [`StreamError::Limit`] if it is more than
    /// `limit` bytes.
    pub(crate) fn extent(self, source: &impl ReadAt, limit: u64) -> Result<usize, StreamError> {
        let size = source.size();
        if self == Self::Raw {
            return extent_of_raw(source, limit);
        }
        let Ok(Head { length, .. }) = Head::of(self, source) else {
            return Ok(size);
        };
        if self == Self::QImage {
            return match length {
                PRESENT => picture::extent(source, HEAD),
                _ => Ok(HEAD),
            };
        }
        // If the length exceeds the segment, decoding fails: the number alone is enough.
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let end = HEAD.checked_add(length).filter(|end| *end <= size);
        Ok(end.unwrap_or(HEAD))
    }

    /// Decodes the content of a segment. Bytes after it are ignored.
    ///
    /// # Errors
    ///
    /// [`StreamError`] if the bytes are not of this form, or decoding takes more than
    /// [`DEFAULT_LIMIT`].
    pub fn read(self, source: &impl ReadAt) -> Result<Value, StreamError> {
        self.read_within(source, DEFAULT_LIMIT)
    }

    /// Does what [`read`](Self::read) does, but takes at most `limit` bytes of memory.
    ///
    /// # Errors
    ///
    /// [`StreamError`] if the bytes are not of this form, or decoding takes more than `limit`
    /// bytes.
    pub fn read_within(self, source: &impl ReadAt, limit: u64) -> Result<Value, StreamError> {
        match self {
            Self::QString => {
                let length = Head::of(self, source)?.within(source)?;
                let text = length
                    .map(|length| utf16::read(source, HEAD, length, limit))
                    .transpose()?;
                Ok(Value::Text(text))
            }
            Self::QByteArray => {
                let length = Head::of(self, source)?.within(source)?;
                let bytes = length
                    .map(|length| copy(source, HEAD, length, limit))
                    .transpose()?;
                Ok(Value::Bytes(bytes))
            }
            Self::CString => read_c_string(source, limit),
            Self::Raw => read_raw(source, limit),
            Self::QImage => match Head::of(self, source)?.length {
                0 => Ok(Value::Picture(None)),
                PRESENT => {
                    picture::read(source, HEAD, limit).map(|picture| Value::Picture(Some(picture)))
                }
                found => Err(StreamError::NotThis {
                    form: self,
                    reason: NotThisReason::Mark { found },
                }),
            },
        }
    }
}

impl FromStr for Form {
    type Err = StreamError;

    fn from_str(name: &str) -> Result<Self, StreamError> {
        let named = Self::NAMES
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|(_, form)| *form).ok_or(StreamError::Unknown)
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The number at the start of a stream: a length, or the mark of a picture.
struct Head {
    form: Form,
    length: u32,
}

impl Head {
    fn of(form: Form, source: &impl ReadAt) -> Result<Self, StreamError> {
        let mut head = [0; HEAD];
        if source.size() < HEAD {
            return Err(StreamError::NotThis {
                form,
                reason: NotThisReason::TooShort {
                    bytes: source.size(),
                },
            });
        }
        source.read_at(0, &mut head)?;
        let length = u32::from_be_bytes(head);
        Ok(Self { form, length })
    }

    /// Returns the length, after checking that the source has so many bytes; `None` for a null
    /// string.
    fn within(self, source: &impl ReadAt) -> Result<Option<usize>, StreamError> {
        if self.length == NULL {
            return Ok(None);
        }
        let room = source.size() - HEAD;
        let length = usize::try_from(self.length).unwrap_or(usize::MAX);
        if length > room {
            return Err(StreamError::NotThis {
                form: self.form,
                reason: NotThisReason::Length {
                    bytes: length,
                    room,
                },
            });
        }
        if self.form == Form::QString && !length.is_multiple_of(2) {
            return Err(StreamError::NotThis {
                form: self.form,
                reason: NotThisReason::Odd { bytes: length },
            });
        }
        Ok(Some(length))
    }
}

fn read_c_string(source: &impl ReadAt, limit: u64) -> Result<Value, StreamError> {
    let length = Head::of(Form::CString, source)?.within(source)?;
    let Some(length) = length.filter(|length| *length > 0) else {
        return Ok(Value::Bytes(None));
    };
    let mut bytes = copy(source, HEAD, length, limit)?;
    match bytes.pop() {
        Some(0) => Ok(Value::Bytes(Some(bytes))),
        _ => Err(StreamError::NotThis {
            form: Form::CString,
            reason: NotThisReason::NoNul,
        }),
    }
}

/// Returns the offset of the first NUL, or the size if there is none. Fails at the limit.
fn end_of_raw(source: &impl ReadAt, limit: u64) -> Result<usize, StreamError> {
    let mut chunk = [0; CHUNK];
    for start in (0..source.size()).step_by(CHUNK) {
        check_limit(start, limit)?;
        let count = CHUNK.min(source.size() - start);
        source.read_at(start, &mut chunk[..count])?;
        if let Some(end) = chunk[..count].iter().position(|byte| *byte == 0) {
            return Ok(start + end);
        }
    }
    Ok(source.size())
}

/// Returns the length of raw content: a text ends at its first NUL, other bytes at the end of the
/// segment.
fn extent_of_raw(source: &impl ReadAt, limit: u64) -> Result<usize, StreamError> {
    let end = end_of_raw(source, limit)?;
    let text = copy(source, 0, end, limit)?;
    Ok(match std::str::from_utf8(&text) {
        Ok(_) => end,
        Err(_) => source.size(),
    })
}

fn read_raw(source: &impl ReadAt, limit: u64) -> Result<Value, StreamError> {
    let length = end_of_raw(source, limit)?;
    let bytes = copy(source, 0, length, limit)?;
    // Only a text ends at its first NUL.
    if length < source.size() && std::str::from_utf8(&bytes).is_err() {
        drop(bytes);
        return copy(source, 0, source.size(), limit).map(|bytes| Value::Bytes(Some(bytes)));
    }
    Ok(Value::Bytes(Some(bytes)))
}

/// Refuses to take more than `limit` bytes of memory.
pub(crate) fn check_limit(bytes: usize, limit: u64) -> Result<(), StreamError> {
    let bytes = bytes as u64;
    match bytes <= limit {
        true => Ok(()),
        false => Err(StreamError::Limit { bytes, limit }),
    }
}

/// Copies bytes out. The caller has checked that the source has so many.
fn copy(
    source: &impl ReadAt,
    offset: usize,
    length: usize,
    limit: u64,
) -> Result<Vec<u8>, StreamError> {
    check_limit(length, limit)?;
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(length)
        .map_err(|_| StreamError::NoMemory { bytes: length })?;
    bytes.resize(length, 0);
    source.read_at(offset, &mut bytes)?;
    Ok(bytes)
}

/// A value to write into a segment, with a known length.
#[derive(Debug)]
pub struct Stream<'a> {
    size: usize,
    body: Body<'a>,
}

enum Body<'a> {
    Utf16(&'a str),
    /// A number or none, bytes, a NUL or none.
    Bytes(Option<u32>, Cow<'a, [u8]>, &'static [u8]),
}

impl fmt::Debug for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utf16(_) => "Utf16",
            Self::Bytes(..) => "Bytes",
        })
    }
}

impl<'a> Stream<'a> {
    /// Prepares a message to be written in a form. Encodes a picture as PNG at once.
    ///
    /// # Errors
    ///
    /// [`StreamError::Unfit`] if the form cannot represent the message, [`StreamError::TooLong`]
    /// above 4 GiB.
    pub fn new(message: &'a Message, form: Form) -> Result<Self, StreamError> {
        match (message, form) {
            (Message::Text(text), Form::QString) => Self::utf16(text),
            (Message::Image { metadata, pixels }, Form::QImage) => Self::picture(metadata, pixels),
            (Message::Image { .. }, _) => Err(StreamError::picture_as(form)),
            (_, Form::QImage) => Err(StreamError::Unfit {
                form,
                reason: UnfitReason::NoPicture,
            }),
            (message, Form::QString) => match std::str::from_utf8(message.payload()) {
                Ok(text) => Self::utf16(text),
                Err(_) => Err(StreamError::Unfit {
                    form,
                    reason: UnfitReason::NotUtf8,
                }),
            },
            (message, Form::QByteArray) => Self::headed(message.payload(), b""),
            (message, Form::CString) => Self::headed(checked_c_string(message, form)?, b"\0"),
            (Message::Text(_), Form::Raw) => {
                let bytes = Cow::Borrowed(checked_c_string(message, form)?);
                Ok(Self::with_bytes(None, bytes, b"\0"))
            }
            (message, Form::Raw) => Ok(Self::with_bytes(
                None,
                Cow::Borrowed(message.payload()),
                b"",
            )),
        }
    }

    /// Prepares a picture to be written as [`Form::QImage`]. Encodes it as PNG at once.
    ///
    /// # Errors
    ///
    /// [`StreamError::Unfit`] if the pixels do not match the metadata.
    pub fn picture(metadata: &ImageMetadata, pixels: &[u8]) -> Result<Self, StreamError> {
        let png = picture::encode(metadata, pixels)?;
        Ok(Self::with_bytes(Some(PRESENT), Cow::Owned(png), b""))
    }

    /// Returns the length of the longest stream of a picture with this size and format, in bytes.
    ///
    /// PNG stores incompressible data uncompressed: with one byte before each row, and five before
    /// each 65,535 bytes (RFC 1951, 3.2.4).
    #[must_use]
    pub fn longest_picture(metadata: &ImageMetadata) -> usize {
        const STORED: usize = 65_535;
        const PNG_OVERHEAD: usize = 4 * 1024;
        let row = metadata.width as usize * metadata.format.bytes_per_pixel() + 1;
        let rows = row.saturating_mul(metadata.height as usize);
        rows.saturating_add(rows / STORED * 5 + PNG_OVERHEAD)
    }

    /// Returns the stream of a null value. In the raw form that is an empty C string: one NUL.
    #[must_use]
    pub fn null(form: Form) -> Stream<'static> {
        let (mark, end): (_, &[u8]) = match form {
            Form::QString | Form::QByteArray => (Some(NULL), b""),
            Form::CString | Form::QImage => (Some(0), b""),
            Form::Raw => (None, b"\0"),
        };
        Stream::with_bytes(mark, Cow::Borrowed(b""), end)
    }

    fn utf16(text: &'a str) -> Result<Self, StreamError> {
        let length = 2 * utf16::units(text);
        if length > MAX_LENGTH {
            return Err(StreamError::TooLong { bytes: length });
        }
        Ok(Self {
            size: HEAD + length,
            body: Body::Utf16(text),
        })
    }

    fn headed(bytes: &'a [u8], end: &'static [u8]) -> Result<Self, StreamError> {
        let length = bytes.len() + end.len();
        let head = u32::try_from(length).ok().filter(|_| length <= MAX_LENGTH);
        let head = head.ok_or(StreamError::TooLong { bytes: length })?;
        Ok(Self::with_bytes(Some(head), Cow::Borrowed(bytes), end))
    }

    fn with_bytes(head: Option<u32>, bytes: Cow<'a, [u8]>, end: &'static [u8]) -> Self {
        Self {
            size: head.map_or(0, |_| HEAD) + bytes.len() + end.len(),
            body: Body::Bytes(head, bytes, end),
        }
    }

    /// Returns the length of the stream in bytes. A Qt program creates its segment with exactly
    /// this size.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Writes the stream in one pass.
    ///
    /// # Errors
    ///
    /// Those of `writer`.
    pub fn write_to(&self, writer: &mut impl Write) -> io::Result<()> {
        match &self.body {
            Body::Utf16(text) => {
                let length = u32::try_from(self.size - HEAD).unwrap_or(NULL);
                writer.write_all(&length.to_be_bytes())?;
                utf16::write(text, writer)
            }
            Body::Bytes(head, bytes, end) => {
                if let Some(head) = head {
                    writer.write_all(&head.to_be_bytes())?;
                }
                writer.write_all(bytes)?;
                writer.write_all(end)
            }
        }
    }

    /// Returns the stream as bytes.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.size);
        // Writing to a vector cannot fail.
        self.write_to(&mut bytes).ok();
        bytes
    }
}

/// Refuses a C string that contains a NUL before its end.
fn checked_c_string(message: &Message, form: Form) -> Result<&[u8], StreamError> {
    let bytes = message.payload();
    if bytes.contains(&0) {
        return Err(StreamError::Unfit {
            form,
            reason: UnfitReason::Nul,
        });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
