//! Picture files: found out by their content, bounded before anything is allocated, decoded
//! straight into memory that somebody else provides.

mod conversion;
mod error;
mod jpeg;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::File;
use std::io::BufReader;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::metadata::Orientation;
use image::{ImageDecoder, ImageFormat, ImageReader, Limits};
use shm_core::ImageMetadata;

pub use error::{Flaw, PictureError};

use conversion::Conversion;

use crate::progress::{Progress, Watched};

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

/// How much of a file is read at once: after each such piece it may be cancelled.
const PIECE: usize = 64 * 1024;

/// A picture file whose header has been read and found good, and whose pixels have not.
pub struct PictureFile {
    path: PathBuf,
    decoder: Box<dyn ImageDecoder>,
    conversion: Conversion,
    metadata: ImageMetadata,
    progress: Arc<Progress>,
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
        PictureFile::open_watched(path, Arc::default())
    }

    /// Does what [`Self::open`] does, and tells `progress`, now and while the pixels are decoded.
    ///
    /// # Errors
    ///
    /// [`PictureError`], also where `progress` was cancelled.
    pub fn open_watched(path: &Path, progress: Arc<Progress>) -> Result<PictureFile, PictureError> {
        let unreadable = |source| PictureError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let facts = path.metadata().map_err(unreadable)?;
        if !facts.is_file() {
            return Err(PictureError::NotAFile {
                path: path.to_owned(),
                is_directory: facts.is_dir(),
            });
        }
        // Some decoders begin by reading the whole file into memory.
        if facts.len() > MAX_PIXEL_BYTES {
            return Err(PictureError::TooLarge {
                path: path.to_owned(),
                sides: None,
            });
        }
        let file = File::open(path).map_err(unreadable)?;
        let file = BufReader::with_capacity(
            PIECE,
            Watched::new(file, facts.len(), Arc::clone(&progress)),
        );
        guarded(path, &progress, || {
            PictureFile::read_header(path, file, Arc::clone(&progress))
        })
    }

    fn read_header(
        path: &Path,
        file: BufReader<Watched<File>>,
        progress: Arc<Progress>,
    ) -> Result<PictureFile, PictureError> {
        let mut decoder = decoder_of(path, file)?;
        // Orientation is a comment of the camera's: where it is damaged the picture stands as is.
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let conversion = Conversion::new(decoder.color_type(), orientation);
        let metadata = describe(path, decoder.as_ref(), conversion)?;
        Ok(PictureFile {
            path: path.to_owned(),
            decoder,
            conversion,
            metadata,
            progress,
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
    /// [`PictureError`] where the rest of the file is damaged, or where it was cancelled. `pixels`
    /// then holds part of a picture, or nothing.
    pub fn decode_into(self, pixels: &mut [u8]) -> Result<(), PictureError> {
        let PictureFile {
            path,
            decoder,
            conversion,
            progress,
            ..
        } = self;
        let failed = |error| PictureError::from_image(&path, error);
        guarded(&path, &progress, || {
            let (width, height) = decoder.dimensions();
            if conversion.is_in_place() {
                // Formats that can leave out pixels leave them as they are: that must not be
                // somebody else's picture.
                pixels.fill(0);
                decoder.read_image(pixels).map_err(failed)?;
                conversion.convert_in_place(width, pixels);
                return Ok(());
            }
            let mut decoded = Vec::new();
            let length = usize::try_from(decoder.total_bytes()).unwrap_or(usize::MAX);
            decoded
                .try_reserve_exact(length)
                .map_err(|_| PictureError::TooLarge {
                    path: path.clone(),
                    sides: Some((width, height)),
                })?;
            decoded.resize(length, 0);
            decoder.read_image(&mut decoded).map_err(failed)?;
            conversion.convert(width, decoded, pixels);
            Ok(())
        })
    }
}

impl fmt::Debug for PictureFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PictureFile")
            .field("path", &self.path)
            .field("conversion", &self.conversion)
            .field("metadata", &self.metadata)
            .finish_non_exhaustive()
    }
}

/// Finds the decoder for a file and has it read the header.
fn decoder_of(
    path: &Path,
    file: BufReader<Watched<File>>,
) -> Result<Box<dyn ImageDecoder>, PictureError> {
    image_extras::register();
    let unreadable = |source| PictureError::Unreadable {
        path: path.to_owned(),
        source,
    };
    // The sides are compared by `describe`, which knows what to say about them.
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_PIXEL_BYTES);
    let mut reader = ImageReader::new(file);
    if let Ok(format) = ImageFormat::from_path(path) {
        reader.set_format(format);
    }
    let mut reader = reader.with_guessed_format().map_err(unreadable)?;
    reader.limits(limits);
    if reader.format() == Some(ImageFormat::Jpeg) {
        refuse_cut_jpeg(path)?;
    }
    let decoder = reader
        .into_decoder()
        .map_err(|error| PictureError::from_image(path, error))?;
    Ok(Box::new(decoder))
}

fn refuse_cut_jpeg(path: &Path) -> Result<(), PictureError> {
    let is_complete = File::open(path)
        .and_then(|file| jpeg::is_complete(BufReader::with_capacity(PIECE, file)))
        .map_err(|source| PictureError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
    if is_complete {
        return Ok(());
    }
    Err(PictureError::NotAPicture {
        path: path.to_owned(),
        flaw: Flaw::Cut,
    })
}

/// Describes the picture as it will be published: upright, in tightly packed rows. Refuses what no
/// memory should be asked for.
fn describe(
    path: &Path,
    decoder: &dyn ImageDecoder,
    conversion: Conversion,
) -> Result<ImageMetadata, PictureError> {
    let sides = decoder.dimensions();
    let too_large = || PictureError::TooLarge {
        path: path.to_owned(),
        sides: Some(sides),
    };
    if sides.0.max(sides.1) > MAX_SIDE {
        return Err(too_large());
    }
    let (width, height) = conversion.upright(sides);
    let mut metadata =
        ImageMetadata::packed(conversion.format(), width, height).map_err(|reason| {
            PictureError::NotAPicture {
                path: path.to_owned(),
                flaw: Flaw::Other(reason.to_string()),
            }
        })?;
    let published = u64::from(metadata.stride) * u64::from(metadata.height);
    if decoder.total_bytes().max(published) > MAX_PIXEL_BYTES {
        return Err(too_large());
    }
    metadata.source = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    Ok(metadata)
}

/// Runs a decoder. Decoders are other people's code, and files are anybody's: a decoder that
/// gives up by a panic must not take along what is already loaded. Whatever it makes of being
/// cancelled, that is what is told.
pub(crate) fn guarded<T>(
    path: &Path,
    progress: &Progress,
    decode: impl FnOnce() -> Result<T, PictureError>,
) -> Result<T, PictureError> {
    let result = panic::catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| {
        Err(PictureError::NotAPicture {
            path: path.to_owned(),
            flaw: Flaw::Decoder,
        })
    });
    if progress.is_cancelled() {
        return Err(PictureError::Cancelled {
            path: path.to_owned(),
        });
    }
    result
}
