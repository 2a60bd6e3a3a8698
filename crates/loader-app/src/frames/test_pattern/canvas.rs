//! Fills rectangles of pixels in any format.

use shm_core::{ImageMetadata, PixelFormat};

/// The pixels to draw on.
pub(super) struct Canvas<'p> {
    pixels: &'p mut [u8],
    format: PixelFormat,
    stride: usize,
}

/// A colour: red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Color(pub(super) u8, pub(super) u8, pub(super) u8);

/// A rectangle in pixels, relative to the upper left corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PixelRect {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) width: u32,
    pub(super) height: u32,
}

impl Color {
    pub(super) const BLACK: Color = Color(0, 0, 0);
    pub(super) const WHITE: Color = Color(255, 255, 255);

    /// Returns the bytes of an opaque pixel. Only the first `bytes_per_pixel` of them are valid.
    fn in_format(self, format: PixelFormat) -> [u8; 4] {
        let Color(red, green, blue) = self;
        match format {
            PixelFormat::Rgb8 | PixelFormat::Rgba8 => [red, green, blue, 255],
            PixelFormat::Bgr8 | PixelFormat::Bgra8 => [blue, green, red, 255],
            // One byte, or two equal ones, so that white is the highest level.
            _ => [self.luminance(); 4],
        }
    }

    /// Returns the luminance, with the weights of BT.601.
    fn luminance(self) -> u8 {
        let Color(red, green, blue) = self;
        let weighted = 299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue);
        u8::try_from(weighted / 1_000).unwrap_or(u8::MAX)
    }
}

impl PixelRect {
    /// Returns the rectangle without a margin on each side.
    pub(super) fn shrunk(self, margin: u32) -> PixelRect {
        PixelRect {
            x: self.x + margin,
            y: self.y + margin,
            width: self.width.saturating_sub(2 * margin),
            height: self.height.saturating_sub(2 * margin),
        }
    }
}

impl<'p> Canvas<'p> {
    /// Returns a canvas on `pixels`, whose length is that of the metadata.
    pub(super) fn new(metadata: &ImageMetadata, pixels: &'p mut [u8]) -> Canvas<'p> {
        Canvas {
            pixels,
            format: metadata.format,
            stride: metadata.stride as usize,
        }
    }

    /// Fills a rectangle that lies within the canvas.
    pub(super) fn fill(&mut self, rect: PixelRect, color: Color) {
        let pixel_bytes = self.format.bytes_per_pixel();
        let pixel = &color.in_format(self.format)[..pixel_bytes];
        let row_bytes = rect.width as usize * pixel_bytes;
        let start = rect.y as usize * self.stride + rect.x as usize * pixel_bytes;
        if rect.height == 0 {
            return;
        }
        for target in self.pixels[start..start + row_bytes].chunks_exact_mut(pixel_bytes) {
            target.copy_from_slice(pixel);
        }
        // Copying the first row is faster than filling each row.
        for row in 1..rect.height as usize {
            self.pixels
                .copy_within(start..start + row_bytes, start + row * self.stride);
        }
    }
}
