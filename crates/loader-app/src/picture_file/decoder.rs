//! Who decodes a picture file, and what that takes.

use std::io::{self, BufReader};

use image::metadata::Orientation;
use image::{ColorType, ImageDecoder, ImageError, ImageResult, Limits};

use super::conversion::{Block, Conversion};
use super::input::Input;

/// Takes some of the pixels.
pub(super) type Place<'a> = dyn FnMut(Block<'_>) + 'a;

/// A picture file as its decoder reads it.
pub(super) type File = BufReader<Input>;

/// A decoder that has read the header of a file, and not its pixels.
pub(super) trait Decoder {
    /// Returns the width and the height that the file says.
    fn sides(&self) -> (u32, u32);

    /// Returns what the pixels consist of that it gives.
    fn color(&self) -> ColorType;

    /// Returns how the camera was held. Where that is damaged the picture stands as it is.
    fn orientation(&mut self) -> Orientation;

    /// Returns how much memory it takes at most for itself, as far as that depends on the file.
    fn working_bytes(&self) -> u64;

    /// Returns the length of the longest block, where it can give one after the other.
    fn block_bytes(&self) -> Option<u64> {
        None
    }

    /// Sets how much memory there is beside the pixels that are published, for what the header does
    /// not say.
    fn set_room(&mut self, _bytes: u64) -> ImageResult<()> {
        Ok(())
    }

    /// Decodes the picture into as many bytes as it has.
    fn read(self: Box<Self>, pixels: &mut [u8]) -> ImageResult<()>;

    /// Decodes the picture block by block, where it can.
    fn read_blocks(self: Box<Self>, _place: &mut Place<'_>) -> ImageResult<()> {
        Err(ImageError::IoError(io::ErrorKind::Unsupported.into()))
    }
}

/// Returns how many bytes a picture has as its decoder gives it.
pub(super) fn decoded_bytes(decoder: &dyn Decoder) -> u64 {
    let (width, height) = decoder.sides();
    let pixels = u64::from(width) * u64::from(height);
    pixels.saturating_mul(u64::from(decoder.color().bytes_per_pixel()))
}

/// How pixels get from a decoder to where they are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It writes them there; what is turned is turned when it is done.
    InPlace,
    /// It hands over one block after the other.
    Blocks,
    /// It writes them aside.
    Aside,
}

impl Way {
    /// Chooses the one that takes the least memory.
    pub(super) fn of(decoder: &dyn Decoder, conversion: Conversion) -> Way {
        let gives_blocks = decoder.block_bytes().is_some();
        if conversion.is_in_place() && !(conversion.turns() && gives_blocks) {
            Way::InPlace
        } else if gives_blocks {
            Way::Blocks
        } else {
            Way::Aside
        }
    }
}

/// Reckons how much memory a picture takes at the most while it is decoded: by its decoder, while it is
/// converted, and for the `published` bytes that come of it.
pub(super) fn peak(decoder: &dyn Decoder, conversion: Conversion, published: u64) -> u64 {
    let working = decoder.working_bytes();
    let beside = match Way::of(decoder, conversion) {
        // The decoder is gone when what it has written is copied to be turned.
        Way::InPlace if conversion.turns() => working.max(published),
        Way::InPlace => working,
        Way::Blocks => working.saturating_add(decoder.block_bytes().unwrap_or(0)),
        Way::Aside => working.saturating_add(decoded_bytes(decoder)),
    };
    published.saturating_add(beside)
}

/// A decoder of the crate `image`, and what is known of its file.
pub(super) struct Plain {
    pub(super) decoder: Box<dyn ImageDecoder>,
    pub(super) orientation: Orientation,
    pub(super) working_bytes: u64,
}

impl Plain {
    /// A decoder that takes nothing worth mentioning for itself, of a format that knows no camera.
    pub(super) fn new(decoder: impl ImageDecoder + 'static) -> Plain {
        Plain {
            decoder: Box::new(decoder),
            orientation: Orientation::NoTransforms,
            working_bytes: 0,
        }
    }
}

impl Decoder for Plain {
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

    fn set_room(&mut self, bytes: u64) -> ImageResult<()> {
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(bytes);
        self.decoder.set_limits(limits)
    }

    fn read(self: Box<Self>, pixels: &mut [u8]) -> ImageResult<()> {
        self.decoder.read_image_boxed(pixels)
    }
}
