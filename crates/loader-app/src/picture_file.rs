//! Picture files: detected by their content, checked against the memory limit before anything is
//! allocated, and decoded directly into the caller's memory.

mod conversion;
mod decoder;
mod error;
mod ico;
mod input;
mod jpeg;
mod open;
mod png;
#[cfg(test)]
mod tests;
mod tiff;
mod webp;

use std::collections::TryReserveError;
use std::fmt;
use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gui_common::picture::decoder_panic;
use gui_common::picture::limit::Limit;
use shm_core::ImageMetadata;

pub(crate) use error::{Flaw, PictureError};

use conversion::{Conversion, PixelBlock};
use decoder::{DecodeStrategy, InputReader, PictureDecoder, decoded_bytes, peak_bytes};
use input::{BoundedFile, MemoryCheck};

use crate::progress::ReadProgress;

/// The extensions of the supported formats, for file dialogs.
pub(crate) const EXTENSIONS: [&str; 18] = [
    "png", "jpg", "jpeg", "gif", "bmp", "webp", "tif", "tiff", "xpm", "pbm", "pgm", "ppm", "pnm",
    "pam", "qoi", "ico", "jfif", "dib",
];

/// The longest side of a picture, in pixels.
pub(crate) const MAX_SIDE: u32 = 65_535;

/// The size of the read buffer. A load can be cancelled between two reads.
const BUFFER_BYTES: usize = 32 * 1024;

/// A picture file whose header has been read and checked, and whose pixels are not decoded yet.
pub(crate) struct PictureFile {
    path: PathBuf,
    decoder: Box<dyn PictureDecoder>,
    conversion: Conversion,
    metadata: ImageMetadata,
    guard: DecodeGuard,
}

/// Limits the memory of a decoder, catches its panics, and reports its cancellation.
#[derive(Clone, Debug)]
struct DecodeGuard {
    limit: Limit,
    memory: Arc<MemoryCheck>,
    progress: Arc<ReadProgress>,
}

impl PictureFile {
    /// Opens a picture file and reads its header. Counts what is read in `progress`, now and during
    /// decoding.
    ///
    /// The first bytes determine the format, or else the extension. A FIFO or a device is not
    /// opened, because that could block forever.
    ///
    /// # Errors
    ///
    /// Returns a [`PictureError`] if the file is not a supported picture, if decoding it needs more
    /// memory than `limit`, or if `progress` was cancelled.
    pub(crate) fn open(
        path: &Path,
        limit: Limit,
        progress: Arc<ReadProgress>,
    ) -> Result<PictureFile, PictureError> {
        let unreadable = |source| PictureError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let check_regular = |stat: &fs::Metadata| match stat.is_file() {
            true => Ok(()),
            false => Err(PictureError::NotAFile {
                path: path.to_owned(),
                is_directory: stat.is_dir(),
            }),
        };
        check_regular(&path.metadata().map_err(unreadable)?)?;
        let file = fs::File::open(path).map_err(unreadable)?;
        // Another file may have replaced it since.
        let stat = file.metadata().map_err(unreadable)?;
        check_regular(&stat)?;
        let memory = Arc::new(MemoryCheck::new(limit));
        let input = BoundedFile::new(file, stat.len(), Arc::clone(&progress), Arc::clone(&memory));
        let guard = DecodeGuard {
            limit,
            memory,
            progress,
        };
        guard.clone().run(path, || {
            PictureFile::read_header(path, BufReader::with_capacity(BUFFER_BYTES, input), guard)
        })
    }

    fn read_header(
        path: &Path,
        file: InputReader,
        guard: DecodeGuard,
    ) -> Result<PictureFile, PictureError> {
        let mut decoder = open::decoder(path, file, guard.limit)?;
        let conversion = Conversion::new(decoder.color(), decoder.orientation());
        let metadata = describe(path, decoder.as_ref(), conversion, guard.limit)?;
        let published = metadata.payload_bytes() as u64;
        decoder
            .set_memory_limit(guard.limit.bytes().saturating_sub(published))
            .map_err(|error| PictureError::from_image(path, error, guard.limit))?;
        Ok(PictureFile {
            path: path.to_owned(),
            decoder,
            conversion,
            metadata,
            guard,
        })
    }

    /// Returns the metadata of the decoded picture.
    pub(crate) fn metadata(&self) -> &ImageMetadata {
        &self.metadata
    }

    /// Checks that `copies` copies of the pixels fit the memory limit.
    ///
    /// # Errors
    ///
    /// Returns [`PictureError::TooLarge`] if they do not.
    pub(crate) fn check_copies(self, copies: u64) -> Result<PictureFile, PictureError> {
        let needed = (self.metadata.payload_bytes() as u64).saturating_mul(copies);
        if needed <= self.guard.limit.bytes() {
            return Ok(self);
        }
        Err(PictureError::TooLarge {
            path: self.path,
            sides: Some(self.decoder.sides()),
            needed: Some(needed),
            limit: self.guard.limit,
        })
    }

    /// Decodes the picture into `pixels`, whose length is that of the metadata.
    ///
    /// # Errors
    ///
    /// Returns a [`PictureError`] if the rest of the file is damaged, or if the load was cancelled.
    /// The content of `pixels` is then unspecified.
    pub(crate) fn decode_into(self, pixels: &mut [u8]) -> Result<(), PictureError> {
        let PictureFile {
            path,
            decoder,
            conversion,
            guard,
            ..
        } = self;
        let sides = decoder.sides();
        let decoded_bytes = decoded_bytes(decoder.as_ref());
        let failed = |error| PictureError::from_image(&path, error, guard.limit);
        let out_of_memory = |_: TryReserveError| PictureError::TooLarge {
            path: path.clone(),
            sides: Some(sides),
            needed: None,
            limit: guard.limit,
        };
        guard.run(&path, || {
            // Some formats omit pixels. They must not show an earlier picture.
            pixels.fill(0);
            match DecodeStrategy::of(decoder.as_ref(), conversion) {
                DecodeStrategy::InPlace => {
                    decoder.read(pixels).map_err(failed)?;
                    conversion.orient(sides, pixels).map_err(out_of_memory)
                }
                DecodeStrategy::Blocks => decoder
                    .read_blocks(&mut |block| conversion.write_block(sides, block, pixels))
                    .map_err(failed),
                DecodeStrategy::Buffered => {
                    let mut decoded = Vec::new();
                    let length = usize::try_from(decoded_bytes).unwrap_or(usize::MAX);
                    decoded.try_reserve_exact(length).map_err(out_of_memory)?;
                    decoded.resize(length, 0);
                    decoder.read(&mut decoded).map_err(failed)?;
                    let whole = PixelBlock {
                        samples: &decoded,
                        x: 0,
                        y: 0,
                        width: sides.0 as usize,
                    };
                    conversion.write_block(sides, whole, pixels);
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
            .field("conversion", &self.conversion)
            .field("metadata", &self.metadata)
            .finish_non_exhaustive()
    }
}

/// Returns the metadata of the published picture: upright, in packed rows. Refuses a picture that
/// exceeds the memory limit.
fn describe(
    path: &Path,
    decoder: &dyn PictureDecoder,
    conversion: Conversion,
    limit: Limit,
) -> Result<ImageMetadata, PictureError> {
    let sides = decoder.sides();
    let too_large = |needed| PictureError::TooLarge {
        path: path.to_owned(),
        sides: Some(sides),
        needed,
        limit,
    };
    if sides.0.max(sides.1) > MAX_SIDE {
        return Err(too_large(None));
    }
    let (width, height) = conversion.upright(sides);
    let metadata = ImageMetadata::packed(conversion.format(), width, height).map_err(|reason| {
        PictureError::NotAPicture {
            path: path.to_owned(),
            flaw: Flaw::Shape(reason),
        }
    })?;
    let published = u64::from(metadata.stride) * u64::from(metadata.height);
    let needed = peak_bytes(decoder, conversion, published);
    if needed > limit.bytes() {
        return Err(too_large(Some(needed)));
    }
    Ok(match path.file_name() {
        Some(name) => metadata.with_file_name(&name.to_string_lossy()),
        None => metadata,
    })
}

impl DecodeGuard {
    /// Runs a decoder. Files are untrusted input, and a panic in a third-party decoder must not end
    /// the program, which holds the loaded content. Cancellation and excessive memory are reported
    /// as such, whatever error the decoder makes of them.
    fn run<T>(
        &self,
        path: &Path,
        decode: impl FnOnce() -> Result<T, PictureError>,
    ) -> Result<T, PictureError> {
        let result = guarded(path, &self.progress, decode);
        if result.is_err() && self.memory.was_exceeded() && !self.progress.is_cancelled() {
            return Err(PictureError::TooLarge {
                path: path.to_owned(),
                sides: None,
                needed: None,
                limit: self.limit,
            });
        }
        result
    }
}

/// Runs a decoder whose memory is limited elsewhere; reports its panic and cancellation.
pub(crate) fn guarded<T>(
    path: &Path,
    progress: &ReadProgress,
    decode: impl FnOnce() -> Result<T, PictureError>,
) -> Result<T, PictureError> {
    let result = decoder_panic::catch(decode).unwrap_or_else(|| {
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
