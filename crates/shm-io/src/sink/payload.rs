//! Payloads, and how they are written to both kinds of segments: without a copy to those of
//! shm-core.

use std::collections::TryReserveError;
use std::fmt;

use qt_bridge::StreamError;
use shm_core::{BytesMetadata, ImageMetadata, Loan, Message, Metadata, Publisher};

use super::error::SinkError;
use super::published::Sent;

/// The least number of bytes by which a buffer of unknown final length grows.
const STEP: usize = 64 * 1024;

/// Decodes a picture into a buffer of the length that its metadata states.
type Decode<'a, E> = Box<dyn FnOnce(&mut [u8]) -> Result<(), E> + 'a>;

/// Reads some bytes; returns 0 at the end only.
type Read<'a, E> = Box<dyn FnMut(&mut [u8]) -> Result<usize, E> + 'a>;

/// Content to publish. `E` is the error of decoding or reading it.
pub enum Payload<'a, E> {
    /// A text.
    Text(&'a str),
    /// A picture in memory.
    Pixels(ImageMetadata, &'a [u8]),
    /// A picture that is decoded while it is published. [`Sink::copies`](crate::Sink::copies)
    /// returns how often its pixels are in memory then.
    Picture(ImageMetadata, Decode<'a, E>),
    /// Bytes that are read while they are published.
    Bytes {
        /// Their description.
        metadata: BytesMetadata,
        /// How many bytes are expected; 0 if unknown.
        expected: usize,
        /// Reads the bytes.
        read: Read<'a, E>,
    },
}

impl<E> fmt::Debug for Payload<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Payload::Text(_) => "Text",
            Payload::Pixels(..) => "Pixels",
            Payload::Picture(..) => "Picture",
            Payload::Bytes { .. } => "Bytes",
        })
    }
}

impl<E: From<SinkError>> Payload<'_, E> {
    /// Publishes it into a segment of shm-core.
    pub(super) fn publish(self, publisher: &Publisher) -> Result<Sent, E> {
        let loan = |bytes| publisher.loan(bytes).map_err(failed);
        match self {
            Payload::Text(text) => {
                let sequence = publisher.publish_text(text).map_err(failed)?;
                Ok(Sent {
                    kind: Metadata::Text.kind(),
                    bytes: text.len() as u64,
                    sequence,
                })
            }
            Payload::Pixels(metadata, pixels) => {
                let mut loan = loan(pixels.len())?;
                loan.copy_from_slice(pixels);
                publish(loan, &Metadata::Image(metadata))
            }
            Payload::Picture(metadata, decode) => {
                let mut loan = loan(metadata.payload_bytes())?;
                decode(&mut loan)?;
                publish(loan, &Metadata::Image(metadata))
            }
            Payload::Bytes {
                metadata,
                expected,
                mut read,
            } => {
                let mut loan = loan(if expected == 0 { STEP } else { expected })?;
                read_into(&mut loan, &mut read)?;
                publish(loan, &Metadata::from(metadata))
            }
        }
    }

    /// Reads it into memory, because the length of a stream must be known first.
    pub(super) fn into_message(self) -> Result<Message, E> {
        Ok(match self {
            Payload::Text(text) => Message::Text(text.to_owned()),
            Payload::Pixels(metadata, pixels) => Message::Image {
                metadata,
                pixels: pixels.to_vec(),
            },
            Payload::Picture(metadata, decode) => {
                let mut pixels = Vec::new();
                let bytes = metadata.payload_bytes();
                pixels.try_reserve_exact(bytes).map_err(no_memory(bytes))?;
                pixels.resize(bytes, 0);
                decode(&mut pixels)?;
                Message::Image { metadata, pixels }
            }
            Payload::Bytes {
                metadata,
                expected,
                mut read,
            } => Message::Bytes {
                metadata,
                data: read_to_end(expected, &mut read)?,
            },
        })
    }
}

/// Publishes a filled loan.
pub(super) fn publish<E: From<SinkError>>(loan: Loan<'_>, metadata: &Metadata) -> Result<Sent, E> {
    let bytes = loan.len() as u64;
    let sequence = loan.publish(metadata).map_err(failed)?;
    Ok(Sent {
        kind: metadata.kind(),
        bytes,
        sequence,
    })
}

fn failed<E: From<SinkError>>(error: shm_core::PublishError) -> E {
    SinkError::Publish(error).into()
}

/// Reads into shared memory until the end of the input. The length of a pipe is unknown.
fn read_into<E: From<SinkError>>(loan: &mut Loan<'_>, read: &mut Read<'_, E>) -> Result<(), E> {
    let mut filled = 0;
    while filled < loan.len() {
        match read(&mut loan[filled..])? {
            0 => break,
            count => filled += count,
        }
        if filled == loan.len() {
            // Only reading another byte shows whether this is the end. Most files end here, and the
            // loan does not grow.
            let mut next = [0];
            if read(&mut next)? == 1 {
                // Grows by an eighth: asking for more could fail although the content fits.
                let more = STEP.max(filled / 8);
                loan.resize(filled + more).map_err(failed)?;
                loan[filled] = next[0];
                filled += 1;
            }
        }
    }
    loan.resize(filled).map_err(failed)
}

fn read_to_end<E: From<SinkError>>(expected: usize, read: &mut Read<'_, E>) -> Result<Vec<u8>, E> {
    let mut data = Vec::new();
    data.try_reserve(expected).map_err(no_memory(expected))?;
    let mut piece = [0; STEP];
    loop {
        match read(&mut piece)? {
            0 => return Ok(data),
            count => {
                let needed = data.len() + count;
                data.try_reserve(count).map_err(no_memory(needed))?;
                data.extend_from_slice(&piece[..count]);
            }
        }
    }
}

fn no_memory<E: From<SinkError>>(bytes: usize) -> impl Fn(TryReserveError) -> E {
    move |_| SinkError::Stream(StreamError::NoMemory { bytes }).into()
}
