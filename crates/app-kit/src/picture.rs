//! Pixels from shared memory as something a window can draw.

use iced::widget::image::Handle;
use shm_core::{ImageMetadata, PixelFormat};

use crate::pixels::{PixelsError, Rows};

/// The longest side of what is drawn, in pixels; larger pictures are scaled down to it.
///
/// It is more than most windows have, and bounds the memory of the drawing to 16 MB however large
/// the picture in shared memory is.
pub const MAX_SIDE: u32 = 2_048;

/// A picture ready to draw, and what it was before it was scaled down.
#[derive(Clone, Debug)]
pub struct Picture {
    /// What is drawn: RGBA, at most [`MAX_SIDE`] wide and high.
    pub handle: Handle,
    /// The width in shared memory.
    pub width: u32,
    /// The height in shared memory.
    pub height: u32,
    /// How the pixels lie in shared memory.
    pub format: PixelFormat,
    /// Where the loader had it from, such as a file name.
    pub source: Option<String>,
}

impl Picture {
    /// Converts the pixels of a payload, read in place, to what a window can draw.
    ///
    /// Takes as long as the picture is large: call it on a worker thread.
    ///
    /// # Errors
    ///
    /// [`PixelsError`] where metadata and payload contradict each other.
    pub fn from_payload(metadata: &ImageMetadata, payload: &[u8]) -> Result<Picture, PixelsError> {
        let rows = Rows::new(metadata, payload)?;
        let scale = metadata.width.max(metadata.height).div_ceil(MAX_SIDE);
        let (width, height, pixels) = if scale <= 1 {
            (metadata.width, metadata.height, rows.to_rgba())
        } else {
            rows.to_scaled_rgba(scale)
        };
        Ok(Picture {
            handle: Handle::from_rgba(width, height, pixels),
            width: metadata.width,
            height: metadata.height,
            format: metadata.format,
            source: metadata.source.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(width: u32, height: u32) -> Handle {
        let metadata = ImageMetadata {
            format: PixelFormat::Gray8,
            width,
            height,
            stride: width,
            source: None,
        };
        let payload = vec![9; width as usize * height as usize];
        let picture = Picture::from_payload(&metadata, &payload).expect("the pixels fit");
        assert_eq!((picture.width, picture.height), (width, height));
        picture.handle
    }

    #[test]
    fn what_is_drawn_is_as_long_as_its_sides_say() {
        for (size, expected) in [
            ((3, 2), (3, 2)),
            ((MAX_SIDE, 1), (MAX_SIDE, 1)),
            ((MAX_SIDE + 1, 1), (MAX_SIDE / 2 + 1, 1)),
            ((60_000, 3), (2_000, 1)),
        ] {
            let Handle::Rgba {
                width,
                height,
                pixels,
                ..
            } = drawn(size.0, size.1)
            else {
                panic!("a picture is drawn from RGBA");
            };
            assert_eq!((width, height), expected);
            assert_eq!(pixels.len(), width as usize * height as usize * 4);
        }
    }
}
