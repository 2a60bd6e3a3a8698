//! PNG files, decoded row by row. Colour profiles and text chunks are skipped: they are not used,
//! and a few compressed bytes can expand to gigabytes.

use std::io::{BufRead, Seek};

use image::error::{
    DecodingError, LimitError, LimitErrorKind, ParameterError, ParameterErrorKind,
    UnsupportedError, UnsupportedErrorKind,
};
use image::metadata::Orientation;
use image::{ColorType, ImageError, ImageFormat, ImageResult};
use png::{BitDepth, Reader, Transformations};

use super::conversion::PixelBlock;
use super::decoder::{BlockSink, PictureDecoder};

/// The limit of the memory for metadata chunks, such as EXIF, and for a row of pixels.
const MAX_CHUNK_BYTES: usize = 8 << 20;

/// The number of rows per block.
const ROWS: usize = 32;

/// A PNG file whose header has been read.
pub(super) struct PngDecoder<R: BufRead + Seek> {
    reader: Reader<R>,
    color: ColorType,
}

impl<R: BufRead + Seek> PngDecoder<R> {
    pub(super) fn new(file: R) -> ImageResult<PngDecoder<R>> {
        let limits = png::Limits {
            bytes: MAX_CHUNK_BYTES,
        };
        let mut decoder = png::Decoder::new_with_limits(file, limits);
        decoder.set_ignore_text_chunk(true);
        decoder.set_ignore_iccp_chunk(true);
        // Expands palettes to colours and bits to bytes.
        decoder.set_transformations(Transformations::EXPAND);
        let reader = decoder.read_info().map_err(failed)?;
        let color = match reader.output_color_type() {
            (png::ColorType::Grayscale, BitDepth::Eight) => ColorType::L8,
            (png::ColorType::Grayscale, BitDepth::Sixteen) => ColorType::L16,
            (png::ColorType::GrayscaleAlpha, BitDepth::Eight) => ColorType::La8,
            (png::ColorType::GrayscaleAlpha, BitDepth::Sixteen) => ColorType::La16,
            (png::ColorType::Rgb, BitDepth::Eight) => ColorType::Rgb8,
            (png::ColorType::Rgb, BitDepth::Sixteen) => ColorType::Rgb16,
            (png::ColorType::Rgba, BitDepth::Eight) => ColorType::Rgba8,
            (png::ColorType::Rgba, BitDepth::Sixteen) => ColorType::Rgba16,
            (color, depth) => {
                let kind = UnsupportedErrorKind::GenericFeature(format!("{color:?} {depth:?}"));
                let error = UnsupportedError::from_format_and_kind(ImageFormat::Png.into(), kind);
                return Err(ImageError::Unsupported(error));
            }
        };
        Ok(PngDecoder { reader, color })
    }

    fn is_16_bit(&self) -> bool {
        self.reader.output_color_type().1 == BitDepth::Sixteen
    }

    fn row_bytes(&self) -> usize {
        self.sides().0 as usize * usize::from(self.color.bytes_per_pixel())
    }
}

impl<R: BufRead + Seek> PictureDecoder for PngDecoder<R> {
    fn sides(&self) -> (u32, u32) {
        self.reader.info().size()
    }

    fn color(&self) -> ColorType {
        self.color
    }

    fn orientation(&mut self) -> Orientation {
        let exif = self.reader.info().exif_metadata.as_deref();
        exif.and_then(Orientation::from_exif_chunk)
            .unwrap_or(Orientation::NoTransforms)
    }

    fn working_bytes(&self) -> u64 {
        // The stored row, the previous one, and the decoded row.
        3 * self.row_bytes() as u64
    }

    fn block_bytes(&self) -> Option<u64> {
        // An interlaced picture has several passes over its rows.
        let is_interlaced = self.reader.info().interlaced;
        (!is_interlaced).then(|| (self.row_bytes() * ROWS) as u64)
    }

    fn read(mut self: Box<Self>, pixels: &mut [u8]) -> ImageResult<()> {
        self.reader.next_frame(pixels).map_err(failed)?;
        if self.is_16_bit() {
            to_native(pixels);
        }
        Ok(())
    }

    fn read_blocks(mut self: Box<Self>, sink: &mut BlockSink<'_>) -> ImageResult<()> {
        let (row_bytes, is_16_bit) = (self.row_bytes(), self.is_16_bit());
        let (width, height) = self.sides();
        let mut rows = vec![0; row_bytes * ROWS.min(height as usize)];
        let (mut y, mut count) = (0, 0);
        loop {
            let row = self.reader.next_row().map_err(failed)?;
            if let Some(row) = &row {
                // A frame of an animation may be narrower than the picture.
                let length = row.data().len().min(row_bytes);
                let whole = &mut rows[count * row_bytes..][..row_bytes];
                whole[..length].copy_from_slice(&row.data()[..length]);
                whole[length..].fill(0);
                count += 1;
            }
            let is_last = row.is_none();
            if is_last || count * row_bytes == rows.len() {
                let samples = &mut rows[..count * row_bytes];
                if is_16_bit {
                    to_native(samples);
                }
                sink(PixelBlock {
                    samples,
                    x: 0,
                    y,
                    width: width as usize,
                });
                y += count;
                count = 0;
            }
            if is_last {
                return Ok(());
            }
        }
    }
}

/// Converts big-endian samples to the native byte order.
fn to_native(samples: &mut [u8]) {
    for sample in samples.as_chunks_mut().0 {
        *sample = u16::from_be_bytes(*sample).to_ne_bytes();
    }
}

fn failed(error: png::DecodingError) -> ImageError {
    match error {
        png::DecodingError::IoError(error) => ImageError::IoError(error),
        png::DecodingError::LimitsExceeded => {
            ImageError::Limits(LimitError::from_kind(LimitErrorKind::InsufficientMemory))
        }
        png::DecodingError::Parameter(error) => ImageError::Parameter(ParameterError::from_kind(
            ParameterErrorKind::Generic(error.to_string()),
        )),
        error @ png::DecodingError::Format(_) => {
            ImageError::Decoding(DecodingError::new(ImageFormat::Png.into(), error))
        }
    }
}
