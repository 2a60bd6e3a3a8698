//! Chooses the decoder of a picture file and reads the header.

use std::io::{BufReader, Seek};
use std::path::Path;

use gui_common::picture::limit::Limit;
use image::codecs::jpeg::JpegDecoder;
use image::metadata::Orientation;
use image::{ImageFormat, ImageReader, ImageResult, Limits};

use super::decoder::{GenericDecoder, InputReader, PictureDecoder};
use super::jpeg::{self, JpegError, JpegInfo};
use super::png::PngDecoder;
use super::tiff::TiffDecoder;
use super::webp::WebpInfo;
use super::{BUFFER_BYTES, Flaw, PictureError, ico};

/// The bytes of the memory limit that stand for one pass over one block of a JPEG file. A picture
/// as large as the limit has about a hundred bytes per block, and so may have that many passes.
const BYTES_PER_BLOCK_PASS: u64 = 4;

/// Returns the decoder of a file, after it has read the header.
pub(super) fn decoder(
    path: &Path,
    file: InputReader,
    limit: Limit,
) -> Result<Box<dyn PictureDecoder>, PictureError> {
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
        _ => generic_decoder(reader).map_err(failed),
    }
}

fn boxed(
    decoder: ImageResult<impl PictureDecoder + 'static>,
) -> ImageResult<Box<dyn PictureDecoder>> {
    Ok(Box::new(decoder?))
}

fn generic_decoder(mut reader: ImageReader<InputReader>) -> ImageResult<Box<dyn PictureDecoder>> {
    // `describe` checks the sizes, and its error names them.
    reader.limits(Limits::no_limits());
    boxed(reader.into_decoder().map(GenericDecoder::new))
}

/// The decoder of `image` first unpacks one byte per pixel, the index of its colour.
fn gif_decoder(reader: ImageReader<InputReader>) -> ImageResult<Box<dyn PictureDecoder>> {
    let decoder = image::codecs::gif::GifDecoder::new(reader.into_inner())?;
    let (width, height) = image::ImageDecoder::dimensions(&decoder);
    boxed(Ok(GenericDecoder {
        working_bytes: u64::from(width) * u64::from(height),
        ..GenericDecoder::new(decoder)
    }))
}

fn webp_decoder(reader: ImageReader<InputReader>) -> ImageResult<Box<dyn PictureDecoder>> {
    let mut file = reader.into_inner();
    let length = file.get_ref().length();
    let info = WebpInfo::read(&mut file, length)?;
    file.rewind()?;
    let decoder = image::codecs::webp::WebPDecoder::new(file)?;
    boxed(Ok(GenericDecoder {
        orientation: info.orientation.unwrap_or(Orientation::NoTransforms),
        working_bytes: info.working_bytes(length),
        ..GenericDecoder::new(decoder)
    }))
}

fn ico_decoder(mut reader: ImageReader<InputReader>) -> ImageResult<Box<dyn PictureDecoder>> {
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
    generic_decoder(reader)
}

fn jpeg_decoder(
    path: &Path,
    mut file: InputReader,
    limit: Limit,
) -> Result<Box<dyn PictureDecoder>, PictureError> {
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
    let info = JpegInfo::read(&mut file, limit.bytes()).map_err(|error| match error {
        JpegError::Truncated => flaw(Flaw::Cut),
        JpegError::NotJpeg => flaw(Flaw::Format),
        JpegError::TooLong(frame) => too_large(frame.map(|frame| frame.sides())),
        JpegError::Io(source) => unreadable(source),
    })?;
    let expected = info.frame.as_ref().map(jpeg::FrameHeader::sides);
    if info.block_passes > limit.bytes() / BYTES_PER_BLOCK_PASS {
        return Err(too_large(expected));
    }
    let orientation = info.orientation.unwrap_or(Orientation::NoTransforms);
    let working_bytes = info.length().saturating_add(info.working_bytes());
    let ranges = BufReader::with_capacity(BUFFER_BYTES, info.into_reader(file));
    let decoder =
        JpegDecoder::new(ranges).map_err(|error| PictureError::from_image(path, error, limit))?;
    let decoder = GenericDecoder {
        orientation,
        working_bytes,
        ..GenericDecoder::new(decoder)
    };
    // The memory was computed for these sides.
    if expected != Some(decoder.sides()) {
        return Err(flaw(Flaw::Rare));
    }
    Ok(Box::new(decoder))
}
