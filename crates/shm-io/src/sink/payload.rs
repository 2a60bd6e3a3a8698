//! What can be published, and how it gets into either memory: into that of shm-core without a copy.

use std::collections::TryReserveError;
use std::fmt;

use qt_bridge::StreamError;
use shm_core::{BytesMetadata, ImageMetadata, Loan, Message, Metadata, Publisher};

use super::error::SinkError;
use super::published::Sent;

/// How much room is asked for at least where it is not known how many bytes come.
const STEP: usize = 64 * 1024;

/// Decodes a picture into as many bytes as its metadata says.
type Decode<'a, E> = Box<dyn FnOnce(&mut [u8]) -> Result<(), E> + 'a>;

/// Reads some bytes; none only at the end.
type Read<'a, E> = Box<dyn FnMut(&mut [u8]) -> Result<usize, E> + 'a>;

/// Something to publish. `E` is how decoding or reading it fails.
pub enum Payload<'a, E> {
    /// A text.
    Text(&'a str),
    /// A picture in memory.
    Pixels(ImageMetadata, &'a [u8]),
    /// A picture that is still to be decoded. [`Sink::copies`](crate::Sink::copies) says what that takes.
    Picture(ImageMetadata, Decode<'a, E>),
    /// Bytes that are still to be read.
    Bytes {
        /// What they are.
        metadata: BytesMetadata,
        /// How many there should be; 0 if that is not known.
        expected: usize,
        /// Reads them.
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
    /// Publishes it in memory of shm-core.
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

    /// Takes it into memory: the length of a stream is known only then.
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

/// Publishes what was put into a loan.
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

/// Reads into shared memory until nothing more comes; a pipe does not tell how much that will be.
fn read_into<E: From<SinkError>>(loan: &mut Loan<'_>, read: &mut Read<'_, E>) -> Result<(), E> {
    let mut filled = 0;
    while filled < loan.len() {
        match read(&mut loan[filled..])? {
            0 => break,
            count => filled += count,
        }
        if filled == loan.len() {
            // Only another byte tells whether that was all. Most files end here, without having
            // asked for more than they have.
            let mut next = [0];
            if read(&mut next)? == 1 {
                // An eighth at a time: what is asked for in vain may be what does not fit.
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
