//! Where frames go: drawn where there is room for them, published when they are due.

use qt_bridge::{Stream, StreamError};
use shm_core::{ImageMetadata, Loan, Metadata, PublishError, PublishErrorKind, Publisher};

use crate::frames::{Drawn, FrameError, Frames};
use crate::session::LoadError;

/// What one frame after the other is drawn on and published from.
pub(super) trait Stage {
    /// A frame that is drawn, and that nobody sees yet.
    type Draft;

    /// Returns the error that others have taken the segment away, where they have: nobody would find
    /// what is published.
    fn loss(&self) -> Option<LoadError>;

    /// Has the frame drawn that was found last, or goes on with it where it was begun elsewhere.
    ///
    /// # Errors
    ///
    /// [`FrameError`], as [`Frames::draw`] has it.
    fn draw(
        &mut self,
        frames: &mut dyn Frames,
        shape: &ImageMetadata,
        begun: Option<Begun>,
    ) -> Result<Attempt<Self::Draft>, FrameError>;

    /// Takes out what was drawn, to be published elsewhere.
    fn take_out(draft: Self::Draft) -> Begun;

    /// Shows what was drawn to whoever reads.
    ///
    /// # Errors
    ///
    /// [`LoadError`]; the frame before stays.
    fn publish(
        &mut self,
        draft: Self::Draft,
        shape: &ImageMetadata,
    ) -> Result<Published, LoadError>;
}

/// What came of drawing a frame.
pub(super) enum Attempt<D> {
    Drawn(D),
    /// It turned out to be damaged.
    Damaged,
    /// There is no room for it.
    NoRoom(LoadError),
    /// The segment was lost meanwhile.
    Lost(Begun),
}

/// A frame that was drawn, or begun, in a segment that is lost.
#[derive(Debug)]
pub(super) struct Begun {
    pixels: Vec<u8>,
    is_whole: bool,
}

/// A frame that readers find.
#[derive(Clone, Copy, Debug)]
pub(super) struct Published {
    /// Its number; 0 where nothing is counted.
    pub(super) sequence: u64,
    /// How many bytes it takes in shared memory.
    pub(super) bytes: u64,
}

/// Frames are drawn where they will be read.
impl<'p> Stage for &'p Publisher {
    type Draft = Loan<'p>;

    fn loss(&self) -> Option<LoadError> {
        self.is_removed()
            .then(|| LoadError::Publish(PublishError::new(self.key(), PublishErrorKind::Removed)))
    }

    fn draw(
        &mut self,
        frames: &mut dyn Frames,
        shape: &ImageMetadata,
        begun: Option<Begun>,
    ) -> Result<Attempt<Loan<'p>>, FrameError> {
        let mut loan = match self.loan(shape.payload_bytes()) {
            Ok(loan) => loan,
            Err(error) => return Ok(Attempt::NoRoom(LoadError::Publish(error))),
        };
        let mut is_whole = false;
        if let Some(begun) = begun.filter(|begun| begun.pixels.len() == loan.len()) {
            loan.copy_from_slice(&begun.pixels);
            is_whole = begun.is_whole;
        }
        while !is_whole {
            match frames.draw(&mut loan)? {
                Drawn::Whole => is_whole = true,
                Drawn::Damaged => return Ok(Attempt::Damaged),
                Drawn::Paused if self.is_removed() => {
                    let pixels = loan.to_vec();
                    return Ok(Attempt::Lost(Begun { pixels, is_whole }));
                }
                Drawn::Paused => {}
            }
        }
        Ok(Attempt::Drawn(loan))
    }

    fn take_out(draft: Loan<'p>) -> Begun {
        Begun {
            pixels: draft.to_vec(),
            is_whole: true,
        }
    }

    fn publish(&mut self, draft: Loan<'p>, shape: &ImageMetadata) -> Result<Published, LoadError> {
        let metadata = Metadata::Image(shape.clone());
        let sequence = draft.publish(&metadata).map_err(LoadError::Publish)?;
        Ok(Published {
            sequence,
            bytes: shape.payload_bytes() as u64,
        })
    }
}

/// A segment of Qt programs: of each frame a picture is made that these can read.
pub(super) struct Pictures<'q> {
    publisher: &'q mut qt_bridge::Publisher,
    /// Where frames are drawn.
    pixels: Vec<u8>,
}

impl Pictures<'_> {
    pub(super) fn of(publisher: &mut qt_bridge::Publisher) -> Pictures<'_> {
        Pictures {
            publisher,
            pixels: Vec::new(),
        }
    }

    fn make_room(&mut self, bytes: usize) -> Result<&mut [u8], StreamError> {
        let missing = bytes.saturating_sub(self.pixels.len());
        self.pixels
            .try_reserve_exact(missing)
            .map_err(|_| StreamError::NoMemory { bytes })?;
        self.pixels.resize(bytes, 0);
        Ok(&mut self.pixels)
    }
}

impl Stage for Pictures<'_> {
    type Draft = Stream<'static>;

    /// One that is lost is made anew with the next frame.
    fn loss(&self) -> Option<LoadError> {
        None
    }

    fn draw(
        &mut self,
        frames: &mut dyn Frames,
        shape: &ImageMetadata,
        _begun: Option<Begun>,
    ) -> Result<Attempt<Stream<'static>>, FrameError> {
        let pixels = match self.make_room(shape.payload_bytes()) {
            Ok(pixels) => pixels,
            Err(error) => return Ok(Attempt::NoRoom(LoadError::Stream(error))),
        };
        loop {
            match frames.draw(pixels)? {
                Drawn::Whole => break,
                Drawn::Damaged => return Ok(Attempt::Damaged),
                Drawn::Paused => {}
            }
        }
        Ok(match Stream::picture(shape, pixels) {
            Ok(stream) => Attempt::Drawn(stream),
            Err(error) => Attempt::NoRoom(LoadError::Stream(error)),
        })
    }

    fn take_out(_draft: Stream<'static>) -> Begun {
        Begun {
            pixels: Vec::new(),
            is_whole: false,
        }
    }

    fn publish(
        &mut self,
        draft: Stream<'static>,
        shape: &ImageMetadata,
    ) -> Result<Published, LoadError> {
        // Frames are not equally long as PNG files, and nobody should have to attach anew.
        let room = Stream::longest_picture(shape);
        self.publisher
            .publish_with_room(&draft, room)
            .map_err(LoadError::Qt)?;
        Ok(Published {
            sequence: 0,
            bytes: draft.size() as u64,
        })
    }
}
