//! Publishing frames: each is drawn first, and published when it is due.

use std::io;

use qt_bridge::{Stream, StreamError};
use shm_core::{
    ImageMetadata, Loan, Metadata, PublishError, PublishErrorKind, Publisher, Sequence,
};

use super::error::SinkError;
use super::payload;
use super::published::Sent;

/// Draws and publishes a sequence of frames.
#[derive(Debug)]
pub struct FrameSink<'s>(Target<'s>);

#[derive(Debug)]
enum Target<'s> {
    /// Frames are drawn in shared memory.
    Own(&'s Publisher),
    /// Each frame is encoded as a `QImage`.
    Qt {
        publisher: &'s mut qt_bridge::Publisher,
        /// The buffer that frames are drawn in.
        pixels: Vec<u8>,
    },
}

/// A frame that is drawn, but not published yet.
#[derive(Debug)]
#[non_exhaustive]
pub enum Draft<'s> {
    /// In shared memory.
    Own(Loan<'s>),
    /// Encoded as a `QImage`.
    Qt(Stream<'static>),
}

/// The result of a call that draws a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawn {
    /// The frame is complete.
    Whole,
    /// The frame is damaged, and must not be shown.
    Damaged,
    /// A part is drawn; the rest is not available yet.
    Paused,
}

/// The outcome of drawing a frame.
#[derive(Debug)]
pub enum Attempt<'s> {
    /// The frame can be published.
    Drawn(Draft<'s>),
    /// The frame is damaged.
    Damaged,
    /// There is no memory for the frame.
    NoRoom(SinkError),
    /// The segment was removed or replaced meanwhile.
    Lost(Unfinished),
}

/// A frame that was drawn in part or whole in a lost segment, to be published in another.
#[derive(Debug)]
pub struct Unfinished {
    pixels: Vec<u8>,
    is_whole: bool,
}

impl<'s> FrameSink<'s> {
    pub(super) fn own(publisher: &'s Publisher) -> FrameSink<'s> {
        FrameSink(Target::Own(publisher))
    }

    pub(super) fn qt(publisher: &'s mut qt_bridge::Publisher) -> FrameSink<'s> {
        let pixels = Vec::new();
        FrameSink(Target::Qt { publisher, pixels })
    }

    /// Returns an error if the segment was removed or replaced, so that readers would not find the
    /// frame. Returns `None` for Qt programs: the next frame creates their segment again.
    #[must_use]
    pub fn loss(&self) -> Option<SinkError> {
        match &self.0 {
            Target::Own(publisher) => publisher.is_removed().then(|| {
                let error = PublishError::new(publisher.key(), PublishErrorKind::Removed);
                SinkError::Publish(error)
            }),
            Target::Qt { .. } => None,
        }
    }

    /// Draws a frame by calling `draw` until it is complete. Continues the frame `begun`, if there
    /// is one.
    ///
    /// # Errors
    ///
    /// Those of `draw`.
    pub fn draw<E>(
        &mut self,
        shape: &ImageMetadata,
        begun: Option<Unfinished>,
        draw: &mut dyn FnMut(&mut [u8]) -> Result<Drawn, E>,
    ) -> Result<Attempt<'s>, E> {
        match &mut self.0 {
            Target::Own(publisher) => draw_in_place(publisher, shape, begun, draw),
            Target::Qt { pixels, .. } => draw_apart(pixels, shape, draw),
        }
    }

    /// Publishes a drawn frame.
    ///
    /// # Errors
    ///
    /// [`SinkError`]. The previous frame stays.
    pub fn publish(&mut self, draft: Draft<'s>, shape: &ImageMetadata) -> Result<Sent, SinkError> {
        match (&mut self.0, draft) {
            (_, Draft::Own(loan)) => payload::publish(loan, &Metadata::Image(shape.clone())),
            (Target::Qt { publisher, .. }, Draft::Qt(stream)) => {
                // PNG files of frames differ in length; with room for the longest, readers never
                // have to attach again.
                let room = Stream::longest_picture(shape);
                publisher
                    .publish_with_room(&stream, room)
                    .map_err(SinkError::Qt)?;
                Ok(Sent {
                    kind: "image",
                    bytes: stream.size() as u64,
                    sequence: Sequence::default(),
                })
            }
            // The frame was drawn for another sink.
            (Target::Own(_), Draft::Qt(_)) => {
                let error = io::Error::from(io::ErrorKind::InvalidInput);
                Err(SinkError::Stream(error.into()))
            }
        }
    }
}

impl Draft<'_> {
    /// Returns the pixels, to be published in another segment.
    #[must_use]
    pub fn into_unfinished(self) -> Unfinished {
        match self {
            Draft::Own(loan) => Unfinished {
                pixels: loan.to_vec(),
                is_whole: true,
            },
            // The frame is drawn again.
            Draft::Qt(_) => Unfinished {
                pixels: Vec::new(),
                is_whole: false,
            },
        }
    }
}

fn draw_in_place<'s, E>(
    publisher: &'s Publisher,
    shape: &ImageMetadata,
    begun: Option<Unfinished>,
    draw: &mut dyn FnMut(&mut [u8]) -> Result<Drawn, E>,
) -> Result<Attempt<'s>, E> {
    let mut loan = match publisher.loan(shape.payload_bytes()) {
        Ok(loan) => loan,
        Err(error) => return Ok(Attempt::NoRoom(SinkError::Publish(error))),
    };
    let mut is_whole = false;
    if let Some(begun) = begun.filter(|begun| begun.pixels.len() == loan.len()) {
        loan.copy_from_slice(&begun.pixels);
        is_whole = begun.is_whole;
    }
    while !is_whole {
        match draw(&mut loan)? {
            Drawn::Whole => is_whole = true,
            Drawn::Damaged => return Ok(Attempt::Damaged),
            Drawn::Paused if publisher.is_removed() => {
                let pixels = loan.to_vec();
                return Ok(Attempt::Lost(Unfinished { pixels, is_whole }));
            }
            Drawn::Paused => {}
        }
    }
    Ok(Attempt::Drawn(Draft::Own(loan)))
}

fn draw_apart<'s, E>(
    pixels: &mut Vec<u8>,
    shape: &ImageMetadata,
    draw: &mut dyn FnMut(&mut [u8]) -> Result<Drawn, E>,
) -> Result<Attempt<'s>, E> {
    let bytes = shape.payload_bytes();
    let missing = bytes.saturating_sub(pixels.len());
    if pixels.try_reserve_exact(missing).is_err() {
        let error = SinkError::Stream(StreamError::NoMemory { bytes });
        return Ok(Attempt::NoRoom(error));
    }
    pixels.resize(bytes, 0);
    loop {
        match draw(pixels)? {
            Drawn::Whole => break,
            Drawn::Damaged => return Ok(Attempt::Damaged),
            Drawn::Paused => {}
        }
    }
    Ok(match Stream::picture(shape, pixels) {
        Ok(stream) => Attempt::Drawn(Draft::Qt(stream)),
        Err(error) => Attempt::NoRoom(SinkError::Stream(error)),
    })
}
