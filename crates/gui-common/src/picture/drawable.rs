//! Pixels from shared memory, converted for drawing.

use std::sync::Arc;

use iced::Size;
use iced::widget::image::Handle;
use shm_core::{ImageMetadata, PixelFormat};

use crate::picture::camera;
use crate::picture::pixels::{PixelsError, Rows};

/// The longest side of an overview, in pixels; larger pictures are scaled down to it.
///
/// This is more than most windows have, and limits an overview to 16 MB for a picture of any size.
pub const MAX_SIDE: u32 = 2_048;

/// The maximum size of the original pixels that are kept beside the overview for zooming: a
/// photograph of 80 megapixels.
pub(crate) const ORIGINAL_LIMIT: usize = 256 << 20;

/// A picture ready to draw.
#[derive(Clone, Debug)]
pub struct Picture {
    /// The whole picture as RGBA, at the size of the pane, at most [`MAX_SIDE`] wide and high, or
    /// at its original size.
    pub handle: Handle,
    /// The width in shared memory.
    pub width: u32,
    /// The height in shared memory.
    pub height: u32,
    /// The pixel format in shared memory.
    pub format: PixelFormat,
    /// The name of the file that it was loaded from.
    pub file_name: Option<String>,
    /// All of its pixels, if the overview has fewer; used for zooming.
    pub original: Option<Arc<Original>>,
    /// Whether all of the overview is opaque.
    pub is_opaque: bool,
}

/// The original pixels of a picture.
#[derive(Debug)]
pub struct Original {
    metadata: ImageMetadata,
    payload: Vec<u8>,
}

impl Original {
    /// Copies a payload.
    ///
    /// # Errors
    ///
    /// [`PixelsError`] where metadata and payload contradict each other.
    pub fn copy(metadata: &ImageMetadata, payload: &[u8]) -> Result<Original, PixelsError> {
        let payload = payload.to_vec();
        Rows::new(metadata, &payload)?;
        Ok(Original {
            metadata: metadata.clone(),
            payload,
        })
    }

    fn rows(&self) -> Option<Rows<'_>> {
        Rows::new(&self.metadata, &self.payload).ok()
    }
}

impl Picture {
    /// Converts the pixels of a payload in place to a drawable picture, and keeps a copy of the
    /// original if the overview is smaller.
    ///
    /// For a picture of a live stream, `pane` is the available size: the picture is scaled down to
    /// it, and the original is not kept.
    ///
    /// The time is proportional to the size of the picture: call it on a worker thread.
    ///
    /// # Errors
    ///
    /// [`PixelsError`] where metadata and payload contradict each other.
    pub fn from_payload(
        metadata: &ImageMetadata,
        payload: &[u8],
        pane: Option<Size<u32>>,
    ) -> Result<Picture, PixelsError> {
        let rows = Rows::new(metadata, payload)?;
        let whole = Size::new(metadata.width, metadata.height);
        let size = overview_size(whole, pane);
        let pixels = if size == whole {
            rows.to_rgba()
        } else {
            rows.to_scaled_rgba(size.width, size.height)
        };
        let keeps_all = pane.is_none() && size != whole && payload.len() <= ORIGINAL_LIMIT;
        let original = if keeps_all {
            Some(Arc::new(Original::copy(metadata, payload)?))
        } else {
            None
        };
        let is_opaque = pixels.iter().skip(3).step_by(4).all(|alpha| *alpha == 255);
        Ok(Picture {
            handle: Handle::from_rgba(size.width, size.height, pixels),
            width: metadata.width,
            height: metadata.height,
            format: metadata.format,
            file_name: metadata.file_name.clone(),
            original,
            is_opaque,
        })
    }

    /// Returns width and height in shared memory.
    pub fn size(&self) -> Size<u32> {
        Size::new(self.width, self.height)
    }

    /// Returns `true` if it can have transparent pixels.
    pub fn has_alpha(&self) -> bool {
        matches!(self.format, PixelFormat::Rgba8 | PixelFormat::Bgra8)
    }

    /// Returns a pixel as red, green, blue and alpha, or `None` outside of the picture or if its
    /// pixels were not kept.
    pub fn pixel(&self, x: u32, y: u32) -> Option<[u8; 4]> {
        self.all_pixels()?.pixel(x, y)
    }

    /// Returns all pixels if they were kept.
    pub fn all_pixels(&self) -> Option<Rows<'_>> {
        let original = self.original.as_ref().and_then(|original| original.rows());
        original
            .or_else(|| self.overview_pixels())
            .filter(|rows| Size::new(rows.width(), rows.height()) == self.size())
    }

    /// Returns the pixels of the overview, or `None` if it is not RGBA.
    pub fn overview_pixels(&self) -> Option<Rows<'_>> {
        let Handle::Rgba {
            width,
            height,
            pixels,
            ..
        } = &self.handle
        else {
            return None;
        };
        let metadata = ImageMetadata::packed(PixelFormat::Rgba8, *width, *height).ok()?;
        Rows::new(&metadata, pixels).ok()
    }
}

/// Returns the size of an overview.
fn overview_size(whole: Size<u32>, pane: Option<Size<u32>>) -> Size<u32> {
    if let Some(pane) = pane {
        return camera::fitted(whole, pane);
    }
    let scale = whole.width.max(whole.height).div_ceil(MAX_SIDE).max(1);
    Size::new(whole.width.div_ceil(scale), whole.height.div_ceil(scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32) -> Picture {
        let metadata = ImageMetadata::packed(PixelFormat::Gray8, width, height).expect("it fits");
        let mut payload = vec![9; width as usize * height as usize];
        payload[1] = 10;
        Picture::from_payload(&metadata, &payload, None).expect("the pixels fit")
    }

    #[test]
    fn overviews_are_bounded() {
        for (size, expected) in [
            ((3, 2), (3, 2)),
            ((MAX_SIDE, 1), (MAX_SIDE, 1)),
            ((MAX_SIDE + 1, 1), (MAX_SIDE / 2 + 1, 1)),
            ((60_000, 3), (2_000, 1)),
        ] {
            let picture = picture(size.0, size.1);
            assert_eq!((picture.width, picture.height), size);
            let overview = picture.overview_pixels().expect("it is RGBA");
            assert_eq!((overview.width(), overview.height()), expected);
        }
    }

    #[test]
    fn every_pixel_of_a_large_picture_can_be_shown() {
        for (width, height) in [(3, 2), (60_000, 3)] {
            let mut picture = picture(width, height);
            assert_eq!(picture.pixel(1, 0), Some([10, 10, 10, 255]));
            assert_eq!(picture.pixel(width - 1, height - 1), Some([9, 9, 9, 255]));
            assert_eq!(picture.pixel(width, 0), None);
            picture.original = None;
            assert_eq!(picture.pixel(1, 0).is_some(), width < MAX_SIDE);
        }
    }

    #[test]
    fn a_picture_of_a_stream_is_converted_only_for_the_pane() {
        let metadata = ImageMetadata::packed(PixelFormat::Rgba8, 400, 300).expect("it is small");
        let mut payload = vec![255; 400 * 300 * 4];
        let pane = Some(Size::new(100, 100));
        let picture = Picture::from_payload(&metadata, &payload, pane).expect("the pixels fit");
        let overview = picture.overview_pixels().expect("it is RGBA");
        assert_eq!((overview.width(), overview.height()), (100, 75));
        assert!(picture.all_pixels().is_none());
        assert!(picture.is_opaque);

        payload[3] = 0;
        let picture = Picture::from_payload(&metadata, &payload, None).expect("the pixels fit");
        assert!(picture.all_pixels().is_some());
        assert!(!picture.is_opaque);
    }
}
