//! A picture from shared memory as a file that other programs open.

use std::fmt;
use std::io::{self, Seek, Write};
use std::path::Path;

use app_kit::pixels::{PixelsError, Rows};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::pnm::{PnmEncoder, PnmSubtype, SampleEncoding};
use image::{ExtendedColorType, ImageEncoder, ImageError, ImageFormat};
use shm_core::{ImageMetadata, PixelFormat};

/// High enough that nobody sees the loss.
const JPEG_QUALITY: u8 = 92;

/// The kinds of file a picture can be written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PictureFormat {
    Png,
    Jpeg,
    Bmp,
    Gif,
    WebP,
    Ppm,
    Qoi,
}

impl PictureFormat {
    /// The endings that choose a format, as a sentence goes on.
    pub(crate) const ENDINGS: &str = "png, jpg, bmp, gif, webp, ppm or qoi";

    /// Chooses the format by the ending of a file's name, in small or capital letters.
    pub(crate) fn of(path: &Path) -> Result<PictureFormat, PictureFileError> {
        let ending = path
            .extension()
            .map(|ending| ending.to_string_lossy().to_lowercase());
        match ending.as_deref() {
            Some("png") => Ok(PictureFormat::Png),
            Some("jpg" | "jpeg") => Ok(PictureFormat::Jpeg),
            Some("bmp") => Ok(PictureFormat::Bmp),
            Some("gif") => Ok(PictureFormat::Gif),
            Some("webp") => Ok(PictureFormat::WebP),
            Some("ppm") => Ok(PictureFormat::Ppm),
            Some("qoi") => Ok(PictureFormat::Qoi),
            _ => Err(PictureFileError::Ending(ending)),
        }
    }

    /// Chooses, of what the file format can hold, that which loses least.
    fn color(self, pixels: PixelFormat) -> ExtendedColorType {
        let has_alpha = matches!(pixels, PixelFormat::Rgba8 | PixelFormat::Bgra8);
        let is_gray = pixels == PixelFormat::Gray8;
        match self {
            PictureFormat::Ppm => ExtendedColorType::Rgb8,
            PictureFormat::Gif | PictureFormat::Qoi if !has_alpha => ExtendedColorType::Rgb8,
            PictureFormat::Jpeg if !is_gray => ExtendedColorType::Rgb8,
            _ if is_gray => ExtendedColorType::L8,
            _ if has_alpha => ExtendedColorType::Rgba8,
            _ => ExtendedColorType::Rgb8,
        }
    }
}

/// Writes a picture, from its shared pixels in place where the file holds them the same way.
pub(crate) fn encode(
    metadata: &ImageMetadata,
    payload: &[u8],
    format: PictureFormat,
    mut writer: &mut (impl Write + Seek),
) -> Result<(), PictureFileError> {
    let rows = Rows::new(metadata, payload)?;
    let color = format.color(metadata.format);
    let pixels = match (color, metadata.format) {
        (ExtendedColorType::L8, _)
        | (ExtendedColorType::Rgb8, PixelFormat::Rgb8)
        | (ExtendedColorType::Rgba8, PixelFormat::Rgba8) => rows.packed(),
        (ExtendedColorType::Rgba8, _) => rows.to_rgba().into(),
        _ => rows.to_rgb().into(),
    };
    let (width, height) = (metadata.width, metadata.height);
    let format = match format {
        PictureFormat::Jpeg => {
            JpegEncoder::new_with_quality(writer, JPEG_QUALITY)
                .write_image(&pixels, width, height, color)?;
            return Ok(());
        }
        PictureFormat::Ppm => {
            PnmEncoder::new(&mut writer)
                .with_subtype(PnmSubtype::Pixmap(SampleEncoding::Binary))
                .write_image(&pixels, width, height, color)?;
            return Ok(());
        }
        PictureFormat::Png => ImageFormat::Png,
        PictureFormat::Bmp => ImageFormat::Bmp,
        PictureFormat::Gif => ImageFormat::Gif,
        PictureFormat::WebP => ImageFormat::WebP,
        PictureFormat::Qoi => ImageFormat::Qoi,
    };
    image::write_buffer_with_format(writer, &pixels, width, height, color, format)?;
    Ok(())
}

/// Why there is no file of a picture.
#[derive(Debug)]
pub(crate) enum PictureFileError {
    /// The ending of the name stands for no format, or there is none.
    Ending(Option<String>),
    /// The picture in shared memory is damaged.
    Pixels(PixelsError),
    /// The file could not be written.
    Io(io::Error),
    /// The format cannot hold the picture; mostly because it is too large.
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
        let endings = PictureFormat::ENDINGS;
        match self {
            PictureFileError::Ending(None) => write!(
                formatter,
                "The name of the file has no ending, which chooses the format. Use {endings}."
            ),
            PictureFileError::Ending(Some(ending)) => write!(
                formatter,
                "A picture cannot be written as \"{ending}\". Use {endings}."
            ),
            PictureFileError::Pixels(error) => {
                write!(formatter, "The picture is damaged: {error}. Load it again.")
            }
            PictureFileError::Io(error) => error.fmt(formatter),
            PictureFileError::Encoder(error) => write!(
                formatter,
                "This format cannot hold the picture: {error}. Use another one: png holds any."
            ),
        }
    }
}

impl std::error::Error for PictureFileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            PictureFileError::Ending(_) => None,
            PictureFileError::Pixels(error) => Some(error),
            PictureFileError::Io(error) => Some(error),
            PictureFileError::Encoder(error) => Some(error),
        }
    }
}
