//! Where frames go: drawn where there is room for them, published when they are due.

use qt_bridge::{Stream, StreamError};
use shm_core::{ImageMetadata, Loan, Metadata, Publisher};

use crate::frames::{Drawn, FrameError, Frames};
use crate::session::LoadError;

/// What one frame after the other is drawn on and published from.
pub(super) trait Stage {
    /// A frame that is drawn, and that nobody sees yet.
    type Draft;

    /// Has the frame drawn that was found last: `None` where it turns out to be damaged, and why
    /// where there is no room for it.
    ///
    /// # Errors
    ///
    /// [`FrameError`], as [`Frames::draw`] has it.
    fn draw(
        &mut self,
        frames: &mut dyn Frames,
        shape: &ImageMetadata,
    ) -> Result<Option<Result<Self::Draft, LoadError>>, FrameError>;

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

/// A frame that readers find.
#[derive(Clone, Copy, Debug)]
pub(super) struct Published {
    /// Its number; 0 where nothing is counted.
    pub(super) generation: u64,
    /// How many bytes it takes in shared memory.
    pub(super) bytes: u64,
}

/// Frames are drawn where they will be read.
impl<'p> Stage for &'p Publisher {
    type Draft = Loan<'p>;

    fn draw(
        &mut self,
        frames: &mut dyn Frames,
        shape: &ImageMetadata,
    ) -> Result<Option<Result<Loan<'p>, LoadError>>, FrameError> {
        let mut loan = match self.loan(shape.payload_bytes()) {
            Ok(loan) => loan,
            Err(error) => return Ok(Some(Err(LoadError::Publish(error)))),
        };
        Ok(match frames.draw(&mut loan)? {
            Drawn::Whole => Some(Ok(loan)),
            Drawn::Damaged => None,
        })
    }

    fn publish(&mut self, draft: Loan<'p>, shape: &ImageMetadata) -> Result<Published, LoadError> {
        let metadata = Metadata::Image(shape.clone());
        let generation = draft.publish(&metadata).map_err(LoadError::Publish)?;
        Ok(Published {
            generation,
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

    fn draw(
        &mut self,
        frames: &mut dyn Frames,
        shape: &ImageMetadata,
    ) -> Result<Option<Result<Stream<'static>, LoadError>>, FrameError> {
        let pixels = match self.make_room(shape.payload_bytes()) {
            Ok(pixels) => pixels,
            Err(error) => return Ok(Some(Err(LoadError::Stream(error)))),
        };
        Ok(match frames.draw(pixels)? {
            Drawn::Whole => Some(Stream::picture(shape, pixels).map_err(LoadError::Stream)),
            Drawn::Damaged => None,
        })
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
            generation: 0,
            bytes: draft.size() as u64,
        })
    }
}
