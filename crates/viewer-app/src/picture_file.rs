//! Encoding of shared pictures as files.

use std::fmt;
use std::io::{self, Seek, Write};
use std::path::Path;

use gui_common::picture::limit::Limit;
use gui_common::picture::pixels::{PixelsError, Rows};
use gui_common::text::language;
use gui_common::tr;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::pnm::{PnmEncoder, PnmSubtype, SampleEncoding};
use image::{ExtendedColorType, ImageEncoder, ImageError, ImageFormat};
use shm_core::{ImageMetadata, PixelFormat};

/// High enough that the loss is not visible.
const JPEG_QUALITY: u8 = 92;

/// Returns the format of a path's extension, in any case.
///
/// # Errors
///
/// Returns an error if there is no extension, or if it names no supported format.
pub(crate) fn format_of(path: &Path) -> Result<ImageFormat, PictureFileError> {
    let extension = path
        .extension()
        .map(|extension| extension.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("png") => Ok(ImageFormat::Png),
        Some("jpg" | "jpeg") => Ok(ImageFormat::Jpeg),
        Some("bmp") => Ok(ImageFormat::Bmp),
        Some("gif") => Ok(ImageFormat::Gif),
        Some("webp") => Ok(ImageFormat::WebP),
        Some("ppm") => Ok(ImageFormat::Pnm),
        Some("qoi") => Ok(ImageFormat::Qoi),
        _ => Err(PictureFileError::Extension(extension)),
    }
}

/// Encodes a picture, directly from shared memory if the encoder accepts its pixel format.
///
/// # Errors
///
/// Returns an error if the picture is damaged, if it needs more memory than `limit`, if the format
/// cannot hold it, or if writing fails.
pub(crate) fn encode(
    metadata: &ImageMetadata,
    payload: &[u8],
    format: ImageFormat,
    limit: Limit,
    writer: &mut (impl Write + Seek),
) -> Result<(), PictureFileError> {
    let rows = Rows::new(metadata, payload)?;
    let color = color_of(metadata.format, format);
    check(
        metadata,
        peak_memory(metadata, payload, format, color),
        limit,
    )?;
    let pixels = match color {
        color if is_native(metadata.format, color) => rows.packed(),
        ExtendedColorType::Rgba8 => rows.to_rgba().into(),
        _ => rows.to_rgb().into(),
    };
    let (width, height) = (metadata.width, metadata.height);
    match format {
        ImageFormat::Jpeg => JpegEncoder::new_with_quality(writer, JPEG_QUALITY)
            .write_image(&pixels, width, height, color)?,
        ImageFormat::Pnm => PnmEncoder::new(writer)
            .with_subtype(PnmSubtype::Pixmap(SampleEncoding::Binary))
            .write_image(&pixels, width, height, color)?,
        _ => image::write_buffer_with_format(writer, &pixels, width, height, color, format)?,
    }
    Ok(())
}

/// Checks that a picture can be copied to the clipboard within the default limit: its payload, its
/// RGBA pixels, and the file that other programs receive.
pub(crate) fn check_copy(metadata: &ImageMetadata, payload: &[u8]) -> Result<(), PictureFileError> {
    let needed = payload.len() as u64 + 8 * pixels_of(metadata);
    check(metadata, needed, Limit::DEFAULT)
}

fn check(metadata: &ImageMetadata, needed: u64, limit: Limit) -> Result<(), PictureFileError> {
    if needed <= limit.bytes() {
        return Ok(());
    }
    Err(PictureFileError::TooLarge {
        sides: (metadata.width, metadata.height),
        needed,
        limit,
    })
}

fn pixels_of(metadata: &ImageMetadata) -> u64 {
    u64::from(metadata.width) * u64::from(metadata.height)
}

/// Estimates the peak memory of encoding, bytes: the payload, the copy for the encoder, and the
/// encoder's own buffers. Some encoders buffer a row, others the whole picture.
fn peak_memory(
    metadata: &ImageMetadata,
    payload: &[u8],
    format: ImageFormat,
    color: ExtendedColorType,
) -> u64 {
    let pixels = pixels_of(metadata);
    let channels = u64::from(color.bits_per_pixel()) / 8;
    let is_in_place =
        is_native(metadata.format, color) && pixels * channels == payload.len() as u64;
    let copied = if is_in_place { 0 } else { pixels * channels };
    let encoder = match format {
        ImageFormat::Png => pixels * channels * 5 / 2,
        ImageFormat::Gif => pixels * 7,
        ImageFormat::WebP => pixels * (channels + 4),
        ImageFormat::Qoi => pixels * (channels + 1),
        _ => 0,
    };
    payload.len() as u64 + copied + encoder
}

/// Returns `true` if an encoder accepts the shared pixels without conversion. It takes two-byte
/// channels in native byte order, which is that of [`PixelFormat::Gray16`].
fn is_native(pixels: PixelFormat, color: ExtendedColorType) -> bool {
    matches!(
        (pixels, color),
        (PixelFormat::Gray8, ExtendedColorType::L8)
            | (PixelFormat::Gray16, ExtendedColorType::L16)
            | (PixelFormat::Rgb8, ExtendedColorType::Rgb8)
            | (PixelFormat::Rgba8, ExtendedColorType::Rgba8)
    )
}

/// Returns the color type of the file format that loses least.
fn color_of(pixels: PixelFormat, format: ImageFormat) -> ExtendedColorType {
    let has_alpha = matches!(pixels, PixelFormat::Rgba8 | PixelFormat::Bgra8);
    let is_gray = pixels == PixelFormat::Gray8;
    match format {
        ImageFormat::Png if pixels == PixelFormat::Gray16 => ExtendedColorType::L16,
        ImageFormat::Pnm => ExtendedColorType::Rgb8,
        ImageFormat::Gif | ImageFormat::Qoi if is_gray => ExtendedColorType::Rgb8,
        ImageFormat::Jpeg if has_alpha => ExtendedColorType::Rgb8,
        _ if is_gray => ExtendedColorType::L8,
        _ if has_alpha => ExtendedColorType::Rgba8,
        _ => ExtendedColorType::Rgb8,
    }
}

/// The error of encoding a picture.
#[derive(Debug)]
pub(crate) enum PictureFileError {
    /// The extension names no supported format, or is missing.
    Extension(Option<String>),
    /// The shared picture is damaged.
    Pixels(PixelsError),
    /// Encoding needs more memory than the limit.
    TooLarge {
        /// Width and height, pixels.
        sides: (u32, u32),
        /// The estimated peak, bytes.
        needed: u64,
        /// The limit.
        limit: Limit,
    },
    /// The file could not be written.
    Io(io::Error),
    /// The format cannot hold the picture, usually because it is too large.
    Encoder(ImageError),
}

impl From<PixelsError> for PictureFileError {
    fn from(error: PixelsError) -> PictureFileError {
        PictureFileError::Pixels(error)
    }
}

impl From<ImageError> for PictureFileError {
    fn from(error: ImageError) -> PictureFileError {
        match error {
            ImageError::IoError(error) => PictureFileError::Io(error),
            error => PictureFileError::Encoder(error),
        }
    }
}

impl fmt::Display for PictureFileError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PictureFileError::Extension(None) => {
                formatter.write_str(&tr!("export-no-ending", endings = tr!("export-endings")))
            }
            PictureFileError::Extension(Some(extension)) => formatter.write_str(&tr!(
                "export-ending",
                ending = extension,
                endings = tr!("export-endings")
            )),
            PictureFileError::Pixels(error) => {
                formatter.write_str(&tr!("export-damaged", reason = error.to_string()))
            }
            PictureFileError::TooLarge {
                sides: (width, height),
                needed,
                limit,
            } => {
                let failure = tr!(
                    "export-too-large",
                    width = width,
                    height = height,
                    needed = needed.div_ceil(1 << 20),
                    limit = limit.to_string()
                );
                let sufficient = Limit::at_least(*needed).to_string();
                let remedy = tr!("export-limit-remedy", limit = sufficient);
                formatter.write_str(&language::sentences([failure, remedy]))
            }
            PictureFileError::Io(error) => error.fmt(formatter),
            PictureFileError::Encoder(error) => {
                formatter.write_str(&tr!("export-format", reason = error.to_string()))
            }
        }
    }
}

impl std::error::Error for PictureFileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            PictureFileError::Extension(_) | PictureFileError::TooLarge { .. } => None,
            PictureFileError::Pixels(error) => Some(error),
            PictureFileError::Io(error) => Some(error),
            PictureFileError::Encoder(error) => Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    const FORMATS: [(&str, ImageFormat); 7] = [
        ("a.png", ImageFormat::Png),
        ("a.JPEG", ImageFormat::Jpeg),
        ("dir.d/a.bmp", ImageFormat::Bmp),
        ("a.b.gif", ImageFormat::Gif),
        ("a.webp", ImageFormat::WebP),
        ("a.ppm", ImageFormat::Pnm),
        ("a.qoi", ImageFormat::Qoi),
    ];

    #[test]
    fn the_extension_selects_the_format() {
        for (name, format) in FORMATS {
            let chosen = format_of(Path::new(name)).expect("it is offered");
            assert_eq!(chosen, format, "{name}");
        }
        for name in ["a", "a.", "a.xpm", ".png", "png", "a.png.txt"] {
            let error = format_of(Path::new(name)).expect_err(name);
            assert!(error.to_string().contains("png, jpg"), "{error}");
        }
    }

    #[test]
    fn every_format_holds_every_kind_of_pixel() {
        for (name, format) in FORMATS {
            for (pixels, gray) in [
                (PixelFormat::Gray8, &[200][..]),
                (PixelFormat::Rgb8, &[200, 200, 200]),
                (PixelFormat::Rgba8, &[200, 200, 200, 255]),
                (PixelFormat::Bgra8, &[200, 200, 200, 255]),
                (PixelFormat::Bgr8, &[200, 200, 200]),
                (PixelFormat::Gray16, &[200, 200]),
            ] {
                let metadata = ImageMetadata::packed(pixels, 3, 2).expect("it is small");
                let mut file = Cursor::new(Vec::new());
                encode(
                    &metadata,
                    &gray.repeat(6),
                    format,
                    Limit::DEFAULT,
                    &mut file,
                )
                .unwrap_or_else(|error| panic!("{pixels:?} in {name}: {error}"));
                let picture = image::load_from_memory_with_format(file.get_ref(), format)
                    .unwrap_or_else(|error| panic!("{pixels:?} in {name}: {error}"));
                assert_eq!((picture.width(), picture.height()), (3, 2));
                let pixel = picture.to_rgba8().get_pixel(2, 1).0;
                assert_eq!(pixel, [200, 200, 200, 255], "{pixels:?} in {name}");
            }
        }
    }

    fn encoded(pixels: PixelFormat, payload: &[u8], format: ImageFormat) -> image::DynamicImage {
        let metadata = ImageMetadata::packed(pixels, 1, 1).expect("it is small");
        let mut file = Cursor::new(Vec::new());
        encode(&metadata, payload, format, Limit::DEFAULT, &mut file).expect("it can be written");
        image::load_from_memory_with_format(file.get_ref(), format).expect("it can be read")
    }

    #[test]
    fn bgr_channels_are_reordered() {
        let bgr = encoded(PixelFormat::Bgr8, &[1, 2, 3], ImageFormat::Png);
        assert_eq!(bgr.to_rgb8().get_pixel(0, 0).0, [3, 2, 1]);
        let bgra = encoded(PixelFormat::Bgra8, &[1, 2, 3, 4], ImageFormat::Png);
        assert_eq!(bgra.to_rgba8().get_pixel(0, 0).0, [3, 2, 1, 4]);
    }

    #[test]
    fn a_png_file_keeps_all_16_bits_of_gray() {
        let gray = encoded(PixelFormat::Gray16, &[0x34, 0x12], ImageFormat::Png);
        assert_eq!(gray.color(), image::ColorType::L16);
        assert_eq!(gray.to_luma16().get_pixel(0, 0).0, [0x1234]);
        let gray = encoded(PixelFormat::Gray16, &[0x34, 0x12], ImageFormat::Bmp);
        assert_eq!(gray.to_rgb8().get_pixel(0, 0).0, [0x12; 3]);
    }
}
