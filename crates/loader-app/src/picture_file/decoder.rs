//! The decoders of picture files and the memory they need.

use std::io::{self, BufReader};

use image::metadata::Orientation;
use image::{ColorType, ImageDecoder, ImageError, ImageResult, Limits};

use super::conversion::{Conversion, PixelBlock};
use super::input::BoundedFile;

/// Receives decoded pixels.
pub(super) type BlockSink<'a> = dyn FnMut(PixelBlock<'_>) + 'a;

/// A picture file as its decoder reads it.
pub(super) type InputReader = BufReader<BoundedFile>;

/// A decoder that has read the header of a file, but not its pixels.
pub(super) trait PictureDecoder {
    /// Returns the width and the height of the stored picture.
    fn sides(&self) -> (u32, u32);

    /// Returns the format of the decoded pixels.
    fn color(&self) -> ColorType;

    /// Returns the orientation from the EXIF metadata; `NoTransforms` if that is damaged.
    fn orientation(&mut self) -> Orientation;

    /// Returns the most memory that the decoder allocates for itself, as far as the file determines
    /// it.
    fn working_bytes(&self) -> u64;

    /// Returns the length of the longest block in bytes; `None` if it cannot decode block by block.
    fn block_bytes(&self) -> Option<u64> {
        None
    }

    /// Limits the memory besides the published pixels, for allocations that the header does not
    /// show.
    fn set_memory_limit(&mut self, _bytes: u64) -> ImageResult<()> {
        Ok(())
    }

    /// Decodes the picture into `pixels`, whose length is [`decoded_bytes`].
    fn read(self: Box<Self>, pixels: &mut [u8]) -> ImageResult<()>;

    /// Decodes the picture block by block, if [`Self::block_bytes`] is not `None`.
    fn read_blocks(self: Box<Self>, _sink: &mut BlockSink<'_>) -> ImageResult<()> {
        Err(ImageError::IoError(io::ErrorKind::Unsupported.into()))
    }
}

/// Returns the number of bytes of the decoded picture.
pub(super) fn decoded_bytes(decoder: &dyn PictureDecoder) -> u64 {
    let (width, height) = decoder.sides();
    let pixels = u64::from(width) * u64::from(height);
    pixels.saturating_mul(u64::from(decoder.color().bytes_per_pixel()))
}

/// How the pixels get from the decoder into the published memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DecodeStrategy {
    /// The decoder writes them there, and they are rotated afterwards if necessary.
    InPlace,
    /// The decoder returns one block after the other, and each is converted.
    Blocks,
    /// The decoder writes them into a buffer, which is converted afterwards.
    Buffered,
}

impl DecodeStrategy {
    /// Returns the strategy that needs the least memory.
    pub(super) fn of(decoder: &dyn PictureDecoder, conversion: Conversion) -> DecodeStrategy {
        let has_blocks = decoder.block_bytes().is_some();
        if conversion.is_in_place() && !(conversion.swaps_axes() && has_blocks) {
            DecodeStrategy::InPlace
        } else if has_blocks {
            DecodeStrategy::Blocks
        } else {
            DecodeStrategy::Buffered
        }
    }
}

/// Returns the peak memory of a load: for the decoder, the conversion, and the `published` bytes.
pub(super) fn peak_bytes(
    decoder: &dyn PictureDecoder,
    conversion: Conversion,
    published: u64,
) -> u64 {
    let working = decoder.working_bytes();
    let temporary = match DecodeStrategy::of(decoder, conversion) {
        // The decoder is dropped before its pixels are copied for the rotation.
        DecodeStrategy::InPlace if conversion.swaps_axes() => working.max(published),
        DecodeStrategy::InPlace => working,
        DecodeStrategy::Blocks => working.saturating_add(decoder.block_bytes().unwrap_or(0)),
        DecodeStrategy::Buffered => working.saturating_add(decoded_bytes(decoder)),
    };
    published.saturating_add(temporary)
}

/// A decoder of the crate `image`, with the facts about its file that it does not report.
pub(super) struct GenericDecoder {
    pub(super) decoder: Box<dyn ImageDecoder>,
    pub(super) orientation: Orientation,
    pub(super) working_bytes: u64,
}

impl GenericDecoder {
    /// Wraps a decoder that allocates almost nothing, of a format without orientation.
    pub(super) fn new(decoder: impl ImageDecoder + 'static) -> GenericDecoder {
        GenericDecoder {
            decoder: Box::new(decoder),
            orientation: Orientation::NoTransforms,
            working_bytes: 0,
        }
    }
}

impl PictureDecoder for GenericDecoder {
    fn sides(&self) -> (u32, u32) {
        self.decoder.dimensions()
    }

    fn color(&self) -> ColorType {
        self.decoder.color_type()
    }

    fn orientation(&mut self) -> Orientation {
        self.orientation
    }

    fn working_bytes(&self) -> u64 {
        self.working_bytes
    }

    fn set_memory_limit(&mut self, bytes: u64) -> ImageResult<()> {
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(bytes);
        self.decoder.set_limits(limits)
    }

    fn read(self: Box<Self>, pixels: &mut [u8]) -> ImageResult<()> {
        self.decoder.read_image_boxed(pixels)
    }
}
