//! The shape of an image.

use super::{MetadataError, MetadataField, check_length, truncate_name};

/// The shape of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImageMetadata {
    /// The pixel format.
    pub format: PixelFormat,
    /// The number of pixels in a row.
    pub width: u32,
    /// The number of rows.
    pub height: u32,
    /// The number of bytes from the beginning of a row to that of the next.
    pub stride: u32,
    /// The name of the file that the image comes from; at most 255 bytes. An empty name counts as
    /// none.
    pub file_name: Option<String>,
}

/// The pixel format of an image: its channels, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PixelFormat {
    /// Luminance, one byte.
    Gray8,
    /// Red, green, blue; one byte each.
    Rgb8,
    /// Red, green, blue, alpha (not premultiplied); one byte each.
    Rgba8,
    /// Blue, green, red, alpha (not premultiplied); one byte each.
    Bgra8,
    /// Blue, green, red; one byte each. This is `OpenCV`'s order.
    Bgr8,
    /// Luminance, two bytes, little-endian.
    Gray16,
}

impl ImageMetadata {
    /// The maximum length of a side, pixels.
    pub const MAX_SIDE: u32 = 65_535;

    /// Returns the shape of an image whose rows follow each other without padding.
    ///
    /// # Errors
    ///
    /// [`MetadataError::Sides`] if a side is 0 or above [`MAX_SIDE`](Self::MAX_SIDE).
    pub fn packed(format: PixelFormat, width: u32, height: u32) -> Result<Self, MetadataError> {
        check_sides(width, height)?;
        let bytes = format.bytes_per_pixel();
        Ok(Self {
            format,
            width,
            height,
            // At most 65,535 × 4.
            stride: width * u32::try_from(bytes).unwrap_or(4),
            file_name: None,
        })
    }

    /// Sets the number of bytes from the beginning of a row to that of the next.
    ///
    /// # Errors
    ///
    /// [`MetadataError::Stride`] if a row is longer.
    pub fn with_stride(mut self, stride: u32) -> Result<Self, MetadataError> {
        self.stride = stride;
        self.check_stride()?;
        Ok(self)
    }

    /// Sets the name of the file that the image comes from, truncated to 255 bytes.
    #[must_use]
    pub fn with_file_name(mut self, file_name: &str) -> Self {
        self.file_name = Some(truncate_name(file_name).to_owned());
        self
    }

    /// Returns the payload's length, bytes: stride × height.
    #[must_use]
    pub fn payload_bytes(&self) -> usize {
        self.stride as usize * self.height as usize
    }

    pub(super) fn check(&self, payload_bytes: u64) -> Result<(), MetadataError> {
        check_length(
            MetadataField::FileName,
            self.file_name.as_deref().unwrap_or_default(),
        )?;
        check_sides(self.width, self.height)?;
        self.check_stride()?;
        let needed = u64::from(self.stride) * u64::from(self.height);
        if needed != payload_bytes {
            return Err(MetadataError::ImageLength {
                needed,
                found: payload_bytes,
            });
        }
        Ok(())
    }

    fn check_stride(&self) -> Result<(), MetadataError> {
        let row = u64::from(self.width) * self.format.bytes_per_pixel() as u64;
        let stride = u64::from(self.stride);
        if stride < row {
            return Err(MetadataError::Stride { row, stride });
        }
        Ok(())
    }
}

impl PixelFormat {
    /// All formats; the number of each in the encoding is its index.
    pub const ALL: &[Self] = &[
        Self::Gray8,
        Self::Rgb8,
        Self::Rgba8,
        Self::Bgra8,
        Self::Bgr8,
        Self::Gray16,
    ];

    /// Returns the number of bytes per pixel.
    #[must_use]
    pub fn bytes_per_pixel(self) -> usize {
        match self {
            Self::Gray8 => 1,
            Self::Gray16 => 2,
            Self::Rgb8 | Self::Bgr8 => 3,
            Self::Rgba8 | Self::Bgra8 => 4,
        }
    }

    /// Returns "gray", "rgb", "rgba", "bgra", "bgr" or "gray16".
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gray8 => "gray",
            Self::Rgb8 => "rgb",
            Self::Rgba8 => "rgba",
            Self::Bgra8 => "bgra",
            Self::Bgr8 => "bgr",
            Self::Gray16 => "gray16",
        }
    }

    /// Returns its number in the encoding (docs/LAYOUT.md, "Metadata").
    pub(super) fn number(self) -> u8 {
        self as u8
    }
}

fn check_sides(width: u32, height: u32) -> Result<(), MetadataError> {
    let sides = 1..=ImageMetadata::MAX_SIDE;
    if sides.contains(&width) && sides.contains(&height) {
        return Ok(());
    }
    Err(MetadataError::Sides { width, height })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_format_is_its_index() {
        for (place, format) in PixelFormat::ALL.iter().enumerate() {
            assert_eq!(usize::from(format.number()), place);
        }
    }

    #[test]
    fn impossible_images_are_rejected() {
        assert!(ImageMetadata::packed(PixelFormat::Gray8, 0, 1).is_err());
        assert!(ImageMetadata::packed(PixelFormat::Gray8, 65_536, 1).is_err());
        let good = ImageMetadata::packed(PixelFormat::Rgba8, 2, 2).unwrap();
        assert!(good.clone().with_stride(7).is_err());
        let narrow = ImageMetadata {
            stride: 7,
            ..good.clone()
        };
        assert!(narrow.check(14).is_err(), "rows longer than the stride");
        let huge = ImageMetadata {
            stride: u32::MAX,
            height: 65_535,
            ..good
        };
        assert!(huge.check(u64::MAX).is_err());
    }

    #[test]
    fn gray16_has_two_bytes_per_pixel() {
        let image = ImageMetadata::packed(PixelFormat::Gray16, 3, 2).unwrap();
        assert_eq!((image.stride, image.payload_bytes()), (6, 12));
        assert!(image.with_stride(5).is_err());
    }
}
