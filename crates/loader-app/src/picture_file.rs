//! Picture files: found out by their content, bounded before anything is allocated, decoded
//! straight into memory that somebody else provides.

mod conversion;
mod decoder;
mod error;
mod ico;
mod input;
mod jpeg;
mod png;
#[cfg(test)]
mod tests;
mod tiff;
mod webp;

use std::collections::TryReserveError;
use std::fmt;
use std::fs;
use std::io::{BufReader, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gui_common::picture::decoder_panic;
use gui_common::picture::limit::Limit;
use image::codecs::jpeg::JpegDecoder;
use image::metadata::Orientation;
use image::{ImageFormat, ImageReader, ImageResult, Limits};
use shm_core::ImageMetadata;

pub(crate) use error::{Flaw, PictureError};

use conversion::{Block, Conversion};
use decoder::{Decoder, File, Plain, Way, decoded_bytes, peak};
use input::{Gauge, Input};
use jpeg::OutlineError;
use png::PngDecoder;
use tiff::TiffDecoder;

use crate::progress::Progress;

/// The endings of the files that can be decoded, for file dialogs.
pub(crate) const ENDINGS: [&str; 18] = [
    "png", "jpg", "jpeg", "gif", "bmp", "webp", "tif", "tiff", "xpm", "pbm", "pgm", "ppm", "pnm",
    "pam", "qoi", "ico", "jfif", "dib",
];

/// The longest side of a picture, in pixels.
pub(crate) const MAX_SIDE: u32 = 65_535;

/// How much of a file is read at once: after each such piece it may be cancelled.
const PIECE: usize = 32 * 1024;

/// How many bytes of the limit stand for a block of a JPEG file that is gone through once more. A picture
/// as large as the limit has some hundred for each of its blocks: so often it can be refined.
const BYTES_A_VISIT: u64 = 4;

/// A picture file whose header has been read and found good, and whose pixels have not.
pub(crate) struct PictureFile {
    path: PathBuf,
    decoder: Box<dyn Decoder>,
    conversion: Conversion,
    metadata: ImageMetadata,
    watch: Watch,
}

/// Who watches over the decoding of a file.
#[derive(Clone, Debug)]
struct Watch {
    limit: Limit,
    gauge: Arc<Gauge>,
    progress: Arc<Progress>,
}

impl PictureFile {
    /// Opens a picture file and reads its header. It is refused if decoding it would take more than
    /// `limit`. Reports to `progress` now and while the pixels are decoded.
    ///
    /// The format is told by the file's first bytes, and only where these say nothing by its
    /// ending. Neither a FIFO nor a device is opened: either could block for ever.
    ///
    /// # Errors
    ///
    /// [`PictureError`], also where `progress` was cancelled.
    pub(crate) fn open(
        path: &Path,
        limit: Limit,
        progress: Arc<Progress>,
    ) -> Result<PictureFile, PictureError> {
        let unreadable = |source| PictureError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let regular = |facts: &fs::Metadata| match facts.is_file() {
            true => Ok(()),
            false => Err(PictureError::NotAFile {
                path: path.to_owned(),
                is_directory: facts.is_dir(),
            }),
        };
        regular(&path.metadata().map_err(unreadable)?)?;
        let file = fs::File::open(path).map_err(unreadable)?;
        // Something else may have come into its place meanwhile.
        let facts = file.metadata().map_err(unreadable)?;
        regular(&facts)?;
        let gauge = Arc::new(Gauge::new(limit));
        let input = Input::new(file, facts.len(), Arc::clone(&progress), Arc::clone(&gauge));
        let watch = Watch {
            limit,
            gauge,
            progress,
        };
        watch.clone().over(path, || {
            PictureFile::read_header(path, BufReader::with_capacity(PIECE, input), watch)
        })
    }

    fn read_header(path: &Path, file: File, watch: Watch) -> Result<PictureFile, PictureError> {
        let mut decoder = decoder_of(path, file, watch.limit)?;
        let conversion = Conversion::new(decoder.color(), decoder.orientation());
        let metadata = describe(path, decoder.as_ref(), conversion, watch.limit)?;
        let published = metadata.payload_bytes() as u64;
        decoder
            .set_room(watch.limit.bytes().saturating_sub(published))
            .map_err(|error| PictureError::from_image(path, error, watch.limit))?;
        Ok(PictureFile {
            path: path.to_owned(),
            decoder,
            conversion,
            metadata,
            watch,
        })
    }

    /// Returns what the pixels will be.
    pub(crate) fn metadata(&self) -> &ImageMetadata {
        &self.metadata
    }

    /// Asks for room for what is made of the pixels: so many times as much as they have.
    ///
    /// # Errors
    ///
    /// [`PictureError::TooLarge`] where that is more than the limit.
    pub(crate) fn with_room_for(self, times: u64) -> Result<PictureFile, PictureError> {
        let needed = (self.metadata.payload_bytes() as u64).saturating_mul(times);
        if needed <= self.watch.limit.bytes() {
            return Ok(self);
        }
        Err(PictureError::TooLarge {
            path: self.path,
            sides: Some(self.decoder.sides()),
            needed: Some(needed),
            limit: self.watch.limit,
        })
    }

    /// Decodes the pixels into `pixels`, which has as many bytes as the metadata says.
    ///
    /// # Errors
    ///
    /// [`PictureError`] where the rest of the file is damaged, or where it was cancelled. `pixels`
    /// then holds part of a picture, or nothing.
    pub(crate) fn decode_into(self, pixels: &mut [u8]) -> Result<(), PictureError> {
        let PictureFile {
            path,
            decoder,
            conversion,
            watch,
            ..
        } = self;
        let sides = decoder.sides();
        let decoded_bytes = decoded_bytes(decoder.as_ref());
        let failed = |error| PictureError::from_image(&path, error, watch.limit);
        let no_room = |_: TryReserveError| PictureError::TooLarge {
            path: path.clone(),
            sides: Some(sides),
            needed: None,
            limit: watch.limit,
        };
        watch.over(&path, || {
            // Formats that can leave out pixels leave them as they are: that must not be
            // somebody else's picture.
            pixels.fill(0);
            match Way::of(decoder.as_ref(), conversion) {
                Way::InPlace => {
                    decoder.read(pixels).map_err(failed)?;
                    conversion.straighten(sides, pixels).map_err(no_room)
                }
                Way::Blocks => decoder
                    .read_blocks(&mut |block| conversion.place(sides, block, pixels))
                    .map_err(failed),
                Way::Aside => {
                    let mut decoded = Vec::new();
                    let length = usize::try_from(decoded_bytes).unwrap_or(usize::MAX);
                    decoded.try_reserve_exact(length).map_err(no_room)?;
                    decoded.resize(length, 0);
                    decoder.read(&mut decoded).map_err(failed)?;
                    let whole = Block {
                        samples: &decoded,
                        x: 0,
                        y: 0,
                        width: sides.0 as usize,
                    };
                    conversion.place(sides, whole, pixels);
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

/// Finds the decoder for a file and has it read the header.
fn decoder_of(path: &Path, file: File, limit: Limit) -> Result<Box<dyn Decoder>, PictureError> {
    image_extras::register();
    let unreadable = |source| PictureError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let failed = |error| PictureError::from_image(path, error, limit);
    let mut reader = ImageReader::new(file);
    if let Ok(format) = ImageFormat::from_path(path) {
        reader.set_format(format);
    }
    let reader = reader.with_guessed_format().map_err(unreadable)?;
    match reader.format() {
        Some(ImageFormat::Jpeg) => jpeg_decoder(path, reader.into_inner(), limit),
        Some(ImageFormat::Png) => boxed(PngDecoder::new(reader.into_inner())).map_err(failed),
        Some(ImageFormat::Tiff) => boxed(TiffDecoder::new(reader.into_inner())).map_err(failed),
        Some(ImageFormat::Gif) => gif_decoder(reader).map_err(failed),
        Some(ImageFormat::WebP) => webp_decoder(reader).map_err(failed),
        Some(ImageFormat::Ico) => ico_decoder(reader).map_err(failed),
        _ => plain_decoder(reader).map_err(failed),
    }
}

fn boxed(decoder: ImageResult<impl Decoder + 'static>) -> ImageResult<Box<dyn Decoder>> {
    Ok(Box::new(decoder?))
}

fn plain_decoder(mut reader: ImageReader<File>) -> ImageResult<Box<dyn Decoder>> {
    // What comes of them is compared by `describe`, which knows what to say about it.
    reader.limits(Limits::no_limits());
    boxed(reader.into_decoder().map(Plain::new))
}

/// The crate unpacks to one byte a pixel, the number of its colour, before it writes colours.
fn gif_decoder(reader: ImageReader<File>) -> ImageResult<Box<dyn Decoder>> {
    let decoder = image::codecs::gif::GifDecoder::new(reader.into_inner())?;
    let (width, height) = image::ImageDecoder::dimensions(&decoder);
    boxed(Ok(Plain {
        working_bytes: u64::from(width) * u64::from(height),
        ..Plain::new(decoder)
    }))
}

fn webp_decoder(reader: ImageReader<File>) -> ImageResult<Box<dyn Decoder>> {
    let mut file = reader.into_inner();
    let length = file.get_ref().length();
    let outline = webp::Outline::of(&mut file, length)?;
    file.rewind()?;
    let decoder = image::codecs::webp::WebPDecoder::new(file)?;
    boxed(Ok(Plain {
        orientation: outline.orientation.unwrap_or(Orientation::NoTransforms),
        working_bytes: outline.working_bytes(length),
        ..Plain::new(decoder)
    }))
}

fn ico_decoder(mut reader: ImageReader<File>) -> ImageResult<Box<dyn Decoder>> {
    reader = {
        let format = reader.format();
        let mut file = reader.into_inner();
        if ico::seek_png(&mut file)? {
            return boxed(PngDecoder::new(file));
        }
        file.rewind()?;
        let mut reader = ImageReader::new(file);
        format
            .into_iter()
            .for_each(|format| reader.set_format(format));
        reader
    };
    plain_decoder(reader)
}

fn jpeg_decoder(
    path: &Path,
    mut file: File,
    limit: Limit,
) -> Result<Box<dyn Decoder>, PictureError> {
    let flaw = |flaw| PictureError::NotAPicture {
        path: path.to_owned(),
        flaw,
    };
    let unreadable = |source| PictureError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let too_large = |sides| PictureError::TooLarge {
        path: path.to_owned(),
        sides,
        needed: None,
        limit,
    };
    let outline = jpeg::Outline::of(&mut file, limit.bytes()).map_err(|error| match error {
        OutlineError::Cut => flaw(Flaw::Cut),
        OutlineError::NotThis => flaw(Flaw::Format),
        OutlineError::TooLong(frame) => too_large(frame.map(|frame| frame.sides())),
        OutlineError::Io(source) => unreadable(source),
    })?;
    let told = outline.frame.as_ref().map(jpeg::Frame::sides);
    if outline.visits > limit.bytes() / BYTES_A_VISIT {
        return Err(too_large(told));
    }
    let orientation = outline.orientation.unwrap_or(Orientation::NoTransforms);
    let working_bytes = outline.length().saturating_add(outline.working_bytes());
    let pieces = BufReader::with_capacity(PIECE, outline.cut_out(file));
    let decoder =
        JpegDecoder::new(pieces).map_err(|error| PictureError::from_image(path, error, limit))?;
    let decoder = Plain {
        orientation,
        working_bytes,
        ..Plain::new(decoder)
    };
    // What was reckoned is reckoned for this very picture.
    if told != Some(decoder.sides()) {
        return Err(flaw(Flaw::Rare));
    }
    Ok(Box::new(decoder))
}

/// Describes the picture as it will be published: upright, in tightly packed rows. Refuses what no
/// memory should be asked for.
fn describe(
    path: &Path,
    decoder: &dyn Decoder,
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
    let needed = peak(decoder, conversion, published);
    if needed > limit.bytes() {
        return Err(too_large(Some(needed)));
    }
    Ok(match path.file_name() {
        Some(name) => metadata.with_file_name(&name.to_string_lossy()),
        None => metadata,
    })
}

impl Watch {
    /// Runs a decoder. Decoders are other people's code, and files are anybody's: a decoder that
    /// gives up by a panic must not take along what is already loaded. Whatever it makes of being
    /// cancelled, or of too much memory, that is what is told.
    fn over<T>(
        &self,
        path: &Path,
        decode: impl FnOnce() -> Result<T, PictureError>,
    ) -> Result<T, PictureError> {
        let result = guarded(path, &self.progress, decode);
        if result.is_err() && self.gauge.was_exceeded() && !self.progress.is_cancelled() {
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

/// Runs a decoder whose memory is bounded otherwise.
pub(crate) fn guarded<T>(
    path: &Path,
    progress: &Progress,
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
