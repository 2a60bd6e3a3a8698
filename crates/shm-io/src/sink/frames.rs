//! Frames on their way into either memory: drawn first, published when they are due.

use std::io;

use qt_bridge::{Stream, StreamError};
use shm_core::{
    ImageMetadata, Loan, Metadata, PublishError, PublishErrorKind, Publisher, Sequence,
};

use super::error::SinkError;
use super::payload;
use super::published::Sent;

/// Where one frame after the other is drawn and published.
#[derive(Debug)]
pub struct FrameSink<'s>(Target<'s>);

#[derive(Debug)]
enum Target<'s> {
    /// Frames are drawn where they will be read.
    Own(&'s Publisher),
    /// Of each frame a picture is made that Qt programs can read.
    Qt {
        publisher: &'s mut qt_bridge::Publisher,
        /// Where frames are drawn.
        pixels: Vec<u8>,
    },
}

/// A frame that was drawn, and that no reader sees yet.
#[derive(Debug)]
#[non_exhaustive]
pub enum Draft<'s> {
    /// Where it will be read.
    Own(Loan<'s>),
    /// As a picture for Qt programs.
    Qt(Stream<'static>),
}

/// How far drawing a frame got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawn {
    /// All of it is there.
    Whole,
    /// It turned out to be damaged, and is not to be shown.
    Damaged,
    /// A part of it; the rest does not come for a while.
    Paused,
}

/// What came of drawing a frame.
#[derive(Debug)]
pub enum Attempt<'s> {
    /// It can be published.
    Drawn(Draft<'s>),
    /// It turned out to be damaged.
    Damaged,
    /// There is no room for it.
    NoRoom(SinkError),
    /// The segment was lost meanwhile.
    Lost(Unfinished),
}

/// A frame that was drawn, or begun, in a segment that was lost, to be published in another.
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

    /// Returns the error that the segment was removed or replaced, if it was: no reader would find
    /// what is published. A segment of Qt programs is created again with the next frame.
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

    /// Draws a frame by calling `draw` until it is whole; goes on with one that was begun elsewhere.
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

    /// Publishes a frame that was drawn.
    ///
    /// # Errors
    ///
    /// [`SinkError`]; the frame before stays.
    pub fn publish(&mut self, draft: Draft<'s>, shape: &ImageMetadata) -> Result<Sent, SinkError> {
        match (&mut self.0, draft) {
            (_, Draft::Own(loan)) => payload::publish(loan, &Metadata::Image(shape.clone())),
            (Target::Qt { publisher, .. }, Draft::Qt(stream)) => {
                // Frames are not equally long as PNG files, and no reader should have to attach anew.
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
            // It was drawn for another sink.
            (Target::Own(_), Draft::Qt(_)) => {
                let error = io::Error::from(io::ErrorKind::InvalidInput);
                Err(SinkError::Stream(error.into()))
            }
        }
    }
}

impl Draft<'_> {
    /// Takes the pixels out, to be published elsewhere.
    #[must_use]
    pub fn into_unfinished(self) -> Unfinished {
        match self {
            Draft::Own(loan) => Unfinished {
                pixels: loan.to_vec(),
                is_whole: true,
            },
            // It is drawn once more.
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
