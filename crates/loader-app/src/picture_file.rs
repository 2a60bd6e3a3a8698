//! Picture files: found out by their content, bounded before anything is allocated, decoded
//! straight into memory that somebody else provides.

#[cfg(test)]
mod tests;

use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::{error, fmt, io};

use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ImageDecoder, ImageError, ImageReader, Limits};
use shm_core::{ImageMetadata, PixelFormat};

/// The endings of the files that can be decoded, for file dialogs.
pub const ENDINGS: [&str; 18] = [
    "png", "jpg", "jpeg", "gif", "bmp", "webp", "tif", "tiff", "xpm", "pbm", "pgm", "ppm", "pnm",
    "pam", "qoi", "ico", "jfif", "dib",
];

/// The longest side of a picture, in pixels.
pub const MAX_SIDE: u32 = 65_535;

/// The most bytes that the pixels of a picture may take, before or after a conversion: 1 GiB.
///
/// It lets in 16,384 × 16,384 pixels of RGBA, and keeps out a small file that claims to be as
/// large as the computer's memory.
pub const MAX_PIXEL_BYTES: u64 = 1 << 30;

/// A picture file whose header has been read and found good, and whose pixels have not.
pub struct PictureFile {
    path: PathBuf,
    decoder: Box<dyn ImageDecoder>,
    decoding: Decoding,
    metadata: ImageMetadata,
}

/// How the decoder's pixels become the ones that are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decoding {
    /// They are the same: decode into place.
    Straight,
    /// Another depth, or turned by the camera: decode aside, then convert to RGBA.
    Converted(Orientation),
}

impl PictureFile {
    /// Opens a picture file and reads its header.
    ///
    /// The format is told by the file's first bytes, and only where these say nothing by its
    /// ending. Neither a FIFO nor a device is opened: either could block for ever.
    ///
    /// # Errors
    ///
    /// [`PictureError`] where the file cannot be read, is no picture, or is too large.
    pub fn open(path: &Path) -> Result<PictureFile, PictureError> {
        let unreadable = |source| PictureError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let file = path.metadata().map_err(unreadable)?;
        if !file.is_file() {
            return Err(PictureError::NotAFile {
                path: path.to_owned(),
                is_directory: file.is_dir(),
            });
        }
        // Some decoders begin by reading the whole file into memory.
        if file.len() > MAX_PIXEL_BYTES {
            return Err(PictureError::TooLarge {
                path: path.to_owned(),
                sides: None,
            });
        }
        guarded(path, || PictureFile::read_header(path))
    }

    fn read_header(path: &Path) -> Result<PictureFile, PictureError> {
        let mut decoder = decoder_of(path)?;
        // Orientation is a comment of the camera's: where it is damaged the picture stands as is.
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let straight = match decoder.color_type() {
            _ if orientation != Orientation::NoTransforms => None,
            ColorType::L8 => Some(PixelFormat::Gray8),
            ColorType::Rgb8 => Some(PixelFormat::Rgb8),
            ColorType::Rgba8 => Some(PixelFormat::Rgba8),
            _ => None,
        };
        let (decoding, format) = match straight {
            Some(format) => (Decoding::Straight, format),
            None => (Decoding::Converted(orientation), PixelFormat::Rgba8),
        };
        let mut metadata = packed(path, decoder.dimensions(), orientation, format)?;
        check_size(path, decoder.as_ref(), &metadata)?;
        metadata.source = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        Ok(PictureFile {
            path: path.to_owned(),
            decoder,
            decoding,
            metadata,
        })
    }

    /// Returns what the pixels will be.
    pub fn metadata(&self) -> &ImageMetadata {
        &self.metadata
    }

    /// Decodes the pixels into `pixels`, which has as many bytes as the metadata says.
    ///
    /// # Errors
    ///
    /// [`PictureError`] where the rest of the file is damaged. `pixels` then holds part of a
    /// picture, or nothing.
    pub fn decode_into(self, pixels: &mut [u8]) -> Result<(), PictureError> {
        let PictureFile {
            path,
            decoder,
            decoding,
            ..
        } = self;
        // Formats that can leave out pixels leave them as they are: that must not be somebody
        // else's picture.
        pixels.fill(0);
        guarded(&path, || {
            let failed = |error| PictureError::from_image(&path, error);
            match decoding {
                Decoding::Straight => decoder.read_image(pixels).map_err(failed),
                Decoding::Converted(orientation) => {
                    let mut picture = DynamicImage::from_decoder(decoder).map_err(failed)?;
                    picture.apply_orientation(orientation);
                    pixels.copy_from_slice(picture.into_rgba8().as_raw());
                    Ok(())
                }
            }
        })
    }
}

impl fmt::Debug for PictureFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PictureFile")
            .field("path", &self.path)
            .field("decoding", &self.decoding)
            .field("metadata", &self.metadata)
            .finish_non_exhaustive()
    }
}

/// Finds the decoder for a file and has it read the header.
fn decoder_of(path: &Path) -> Result<Box<dyn ImageDecoder>, PictureError> {
    image_extras::register();
    let unreadable = |source| PictureError::Unreadable {
        path: path.to_owned(),
        source,
    };
    // The sides are compared by `check_size`, which knows what to say about them.
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_PIXEL_BYTES);
    let mut reader = ImageReader::open(path)
        .and_then(ImageReader::with_guessed_format)
        .map_err(unreadable)?;
    reader.limits(limits);
    let decoder = reader
        .into_decoder()
        .map_err(|error| PictureError::from_image(path, error))?;
    Ok(Box::new(decoder))
}

/// Describes the picture as it will be published: upright, in tightly packed rows.
fn packed(
    path: &Path,
    sides: (u32, u32),
    orientation: Orientation,
    format: PixelFormat,
) -> Result<ImageMetadata, PictureError> {
    let (width, height) = if swaps_sides(orientation) {
        (sides.1, sides.0)
    } else {
        sides
    };
    if width.max(height) > MAX_SIDE {
        return Err(PictureError::TooLarge {
            path: path.to_owned(),
            sides: Some(sides),
        });
    }
    ImageMetadata::packed(format, width, height).map_err(|reason| PictureError::NotAPicture {
        path: path.to_owned(),
        reason: reason.to_string(),
    })
}

/// Refuses what no memory should be asked for.
fn check_size(
    path: &Path,
    decoder: &dyn ImageDecoder,
    metadata: &ImageMetadata,
) -> Result<(), PictureError> {
    let (width, height) = decoder.dimensions();
    let published = u64::from(metadata.stride) * u64::from(metadata.height);
    if decoder.total_bytes().max(published) > MAX_PIXEL_BYTES {
        return Err(PictureError::TooLarge {
            path: path.to_owned(),
            sides: Some((width, height)),
        });
    }
    Ok(())
}

/// Returns whether a turned picture is as wide as it was high.
fn swaps_sides(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    )
}

/// Runs a decoder. Decoders are other people's code, and files are anybody's: a decoder that
/// gives up by a panic must not take along what is already loaded.
pub(crate) fn guarded<T>(
    path: &Path,
    decode: impl FnOnce() -> Result<T, PictureError>,
) -> Result<T, PictureError> {
    panic::catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| {
        Err(PictureError::NotAPicture {
            path: path.to_owned(),
            reason: "its decoder gave up on it".to_owned(),
        })
    })
}

/// Why a picture file was not loaded.
#[derive(Debug)]
#[non_exhaustive]
pub enum PictureError {
    /// The file cannot be opened or read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// It is a folder, a device, or something else that is no file.
    NotAFile {
        /// What was chosen.
        path: PathBuf,
        /// Whether it is a folder.
        is_directory: bool,
    },
    /// It is a file, and no picture, or a damaged one.
    NotAPicture {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        reason: String,
    },
    /// It is, or claims to be, larger than [`MAX_SIDE`] or [`MAX_PIXEL_BYTES`] allow.
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Width and height, where the decoder got that far.
        sides: Option<(u32, u32)>,
    },
}

impl PictureError {
    pub(crate) fn from_image(path: &Path, error: ImageError) -> PictureError {
        let path = path.to_owned();
        match error {
            // The file ended too early: that is the picture's fault, not the system's.
            ImageError::IoError(source) if source.kind() == io::ErrorKind::UnexpectedEof => {
                PictureError::NotAPicture {
                    path,
                    reason: "it ends too early".to_owned(),
                }
            }
            ImageError::IoError(source) if source.raw_os_error().is_some() => {
                PictureError::Unreadable { path, source }
            }
            ImageError::Limits(_) => PictureError::TooLarge { path, sides: None },
            ImageError::Unsupported(_) => PictureError::NotAPicture {
                path,
                reason: "its format is not known".to_owned(),
            },
            other => PictureError::NotAPicture {
                path,
                reason: other.to_string(),
            },
        }
    }

    /// Returns what is wrong, in one sentence.
    pub fn headline(&self) -> String {
        match self {
            PictureError::Unreadable { path, .. } => {
                format!("The file {} cannot be read.", path.display())
            }
            PictureError::NotAFile { .. } | PictureError::NotAPicture { .. } => {
                "Selected file is not an image, please select another.".to_owned()
            }
            PictureError::TooLarge { .. } => "The image is too large.".to_owned(),
        }
    }

    /// Returns the reason and what to do.
    pub fn remedy(&self) -> String {
        match self {
            PictureError::Unreadable { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => "There is no such file: check the path.".to_owned(),
                io::ErrorKind::PermissionDenied => {
                    "The system does not permit it: check who owns the file and its mode."
                        .to_owned()
                }
                _ => format!("The system says: {source}."),
            },
            PictureError::NotAFile { path, is_directory } => {
                let what = if *is_directory {
                    "a folder"
                } else {
                    "no regular file"
                };
                format!("{} is {what}.", path.display())
            }
            PictureError::NotAPicture { path, reason } => {
                format!("{}: {}.", path.display(), reason.trim_end_matches('.'))
            }
            PictureError::TooLarge { path, sides } => {
                let path = path.display();
                let claim = match sides {
                    Some((width, height)) => {
                        format!("{path} claims {width} × {height} pixels.")
                    }
                    None => format!("{path} claims more pixels than can be loaded."),
                };
                format!(
                    "{claim} At most {MAX_SIDE} a side and {} MiB of pixels can be loaded: scale it down first.",
                    MAX_PIXEL_BYTES >> 20
                )
            }
        }
    }
}

impl fmt::Display for PictureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.headline(), self.remedy())
    }
}

impl error::Error for PictureError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            PictureError::Unreadable { source, .. } => Some(source),
            PictureError::NotAFile { .. }
            | PictureError::NotAPicture { .. }
            | PictureError::TooLarge { .. } => None,
        }
    }
}
