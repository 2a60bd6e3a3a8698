//! Rectangles in pixels of any format.

use shm_core::{ImageMetadata, PixelFormat};

/// Pixels to draw on.
pub(super) struct Canvas<'p> {
    pixels: &'p mut [u8],
    format: PixelFormat,
    stride: usize,
}

/// Red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Color(pub(super) u8, pub(super) u8, pub(super) u8);

/// A rectangle, in pixels from the upper left corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) width: u32,
    pub(super) height: u32,
}

impl Color {
    pub(super) const BLACK: Color = Color(0, 0, 0);
    pub(super) const WHITE: Color = Color(255, 255, 255);

    /// Returns the bytes of an opaque pixel; of them the first count, as many as the format has.
    fn in_format(self, format: PixelFormat) -> [u8; 4] {
        let Color(red, green, blue) = self;
        match format {
            PixelFormat::Rgb8 | PixelFormat::Rgba8 => [red, green, blue, 255],
            PixelFormat::Bgr8 | PixelFormat::Bgra8 => [blue, green, red, 255],
            // One byte, or two: both the same, so that white is the whitest.
            _ => [self.luminance(); 4],
        }
    }

    /// Returns how bright it is, weighed as television does.
    fn luminance(self) -> u8 {
        let Color(red, green, blue) = self;
        let weighed = 299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue);
        u8::try_from(weighed / 1_000).unwrap_or(u8::MAX)
    }
}

impl Area {
    /// Returns the area without a margin on each side.
    pub(super) fn shrunk(self, margin: u32) -> Area {
        Area {
            x: self.x + margin,
            y: self.y + margin,
            width: self.width.saturating_sub(2 * margin),
            height: self.height.saturating_sub(2 * margin),
        }
    }
}

impl<'p> Canvas<'p> {
    /// Draws on `pixels`, which has as many bytes as the metadata says.
    pub(super) fn new(metadata: &ImageMetadata, pixels: &'p mut [u8]) -> Canvas<'p> {
        Canvas {
            pixels,
            format: metadata.format,
            stride: metadata.stride as usize,
        }
    }

    /// Fills an area, which lies within.
    pub(super) fn fill(&mut self, area: Area, color: Color) {
        let pixel_bytes = self.format.bytes_per_pixel();
        let pixel = &color.in_format(self.format)[..pixel_bytes];
        let row_bytes = area.width as usize * pixel_bytes;
        let start = area.y as usize * self.stride + area.x as usize * pixel_bytes;
        if area.height == 0 {
            return;
        }
        for place in self.pixels[start..start + row_bytes].chunks_exact_mut(pixel_bytes) {
            place.copy_from_slice(pixel);
        }
        // The other rows are the same: to copy one is faster than to fill it.
        for row in 1..area.height as usize {
            self.pixels
                .copy_within(start..start + row_bytes, start + row * self.stride);
        }
    }
}
