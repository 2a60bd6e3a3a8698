//! TIFF files, decoded strip by strip or tile by tile.

use std::io::{BufRead, Cursor, Read, Seek, SeekFrom};

use image::error::{
    DecodingError, LimitError, LimitErrorKind, UnsupportedError, UnsupportedErrorKind,
};
use image::metadata::Orientation;
use image::{ColorType, ImageError, ImageFormat, ImageResult};
use tiff::TiffError;
use tiff::decoder::{Limits, TiffCodingUnit};
use tiff::tags::{CompressionMethod, SampleFormat, Tag};

use super::conversion::{Conversion, PixelBlock};
use super::decoder::{BlockSink, PictureDecoder};
use super::jpeg::JpegInfo;

/// The bytes within which the first scan of a JPEG strip or tile has to start.
const TILE_HEADER: u64 = 16 * 1024;

/// A TIFF file whose header has been read.
pub(super) struct TiffDecoder<R: BufRead + Seek> {
    inner: tiff::decoder::Decoder<R>,
    sides: (u32, u32),
    color: ColorType,
    samples: Samples,
    /// The size of a full strip or tile, and the number of them per row.
    chunk: (u32, u32),
    across: u32,
    units: u32,
    planes: usize,
    working_bytes: u64,
    block_bytes: u64,
}

/// The storage of the samples in a strip or tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Samples {
    /// The same as the decoded samples.
    Same,
    /// Eight samples per byte.
    Bits,
    /// Cyan, magenta, yellow and black, with one byte or two each.
    Cmyk8,
    Cmyk16,
}

impl<R: BufRead + Seek> TiffDecoder<R> {
    pub(super) fn new(file: R) -> ImageResult<TiffDecoder<R>> {
        let mut inner = tiff::decoder::Decoder::new(file).map_err(failed)?;
        let sides = inner.dimensions().map_err(failed)?;
        let (color, samples) = color_of(&mut inner)?;
        let chunk = inner.chunk_dimensions();
        if chunk.0 == 0 || chunk.1 == 0 || sides.0 == 0 || sides.1 == 0 {
            return Err(unsupported("sides of zero"));
        }
        let across = sides.0.div_ceil(chunk.0);
        let units = across.saturating_mul(sides.1.div_ceil(chunk.1));
        // No strip or tile is larger than the first.
        let layout = inner
            .image_coding_unit_layout(TiffCodingUnit(0))
            .map_err(failed)?;
        let stored = layout.complete_len as u64;
        let pixels = u64::from(chunk.0.min(sides.0)) * u64::from(chunk.1.min(sides.1));
        let converted = match (samples, layout.planes) {
            (Samples::Same, 1) => 0,
            _ => pixels.saturating_mul(u64::from(color.bytes_per_pixel())),
        };
        if samples != Samples::Same && layout.planes > 1 {
            return Err(unsupported("planes that have to be converted"));
        }
        let mut decoder = TiffDecoder {
            inner,
            sides,
            color,
            samples,
            chunk,
            across,
            units,
            planes: layout.planes,
            working_bytes: 0,
            block_bytes: stored.saturating_add(converted),
        };
        decoder.working_bytes = decoder.row_bytes()?.saturating_add(decoder.jpeg_bytes()?);
        // The memory is computed from the tags that were read above.
        let mut limits = Limits::default();
        limits.decoding_buffer_size = usize::MAX;
        limits.intermediate_buffer_size = usize::MAX;
        decoder.inner = decoder.inner.with_limits(limits);
        Ok(decoder)
    }

    /// Returns the bytes of a row of a strip or tile, including unused samples and columns.
    fn row_bytes(&mut self) -> ImageResult<u64> {
        let samples = self.inner.find_tag_unsigned::<u64>(Tag::SamplesPerPixel);
        let samples = samples.map_err(failed)?.unwrap_or(1);
        let bits = self.inner.find_tag_unsigned_vec::<u64>(Tag::BitsPerSample);
        let bits = bits.map_err(failed)?.and_then(|bits| bits.first().copied());
        let of_pixel = samples.saturating_mul(bits.unwrap_or(1)).div_ceil(8);
        Ok(u64::from(self.chunk.0).saturating_mul(of_pixel))
    }

    /// Returns the memory that decoding a JPEG strip or tile needs.
    fn jpeg_bytes(&mut self) -> ImageResult<u64> {
        let method = self.inner.find_tag_unsigned::<u16>(Tag::Compression);
        let method = method.map_err(failed)?.unwrap_or(1);
        if CompressionMethod::from_u16_exhaustive(method) != CompressionMethod::ModernJPEG {
            return Ok(0);
        }
        let tables = self.inner.find_tag(Tag::JPEGTables).map_err(failed)?;
        let tables = tables.map(tiff::decoder::ifd::Value::into_u8_vec);
        let tables = tables.transpose().map_err(failed)?;
        let list = |inner: &mut tiff::decoder::Decoder<R>, strips, tiles| {
            let of_strips = inner.find_tag_unsigned_vec::<u64>(strips).map_err(failed)?;
            let of_tiles = inner.find_tag_unsigned_vec::<u64>(tiles).map_err(failed)?;
            ImageResult::Ok(of_tiles.or(of_strips).unwrap_or_default())
        };
        let offsets = list(&mut self.inner, Tag::StripOffsets, Tag::TileOffsets)?;
        let lengths = list(&mut self.inner, Tag::StripByteCounts, Tag::TileByteCounts)?;
        let mut most = 0;
        for (offset, length) in offsets.into_iter().zip(lengths) {
            let info = self.tile_info(tables.as_deref(), offset, length)?;
            let frame = info.frame.as_ref().ok_or_else(|| unsupported("JPEG"))?;
            let sides = frame.sides();
            // Unused pixels would cost memory and time.
            if sides.0 > self.chunk.0 || sides.1 > self.chunk.1 {
                return Err(unsupported("JPEG that is larger than its strip or tile"));
            }
            let end = self.inner.inner().seek(SeekFrom::End(0))?;
            let pixels = u64::from(sides.0) * u64::from(sides.1) * info.components();
            let file = length.min(end);
            most = most.max(info.working_bytes() + pixels + file);
        }
        Ok(most)
    }

    /// Reads the JPEG header of a strip or tile, joined with the shared tables as the decoder does.
    fn tile_info(
        &mut self,
        tables: Option<&[u8]>,
        offset: u64,
        length: u64,
    ) -> ImageResult<JpegInfo> {
        let file = self.inner.inner();
        file.seek(SeekFrom::Start(offset))?;
        let mut head = Vec::new();
        file.take(length.min(TILE_HEADER)).read_to_end(&mut head)?;
        let head = match tables.and_then(|tables| tables.split_last_chunk::<2>()) {
            Some((tables, _end)) => [tables, head.get(2..).unwrap_or_default()].concat(),
            None => head,
        };
        let info = JpegInfo::read_tile(Cursor::new(head)).ok().flatten();
        info.ok_or_else(|| unsupported("JPEG of this kind"))
    }

    fn decode_units(&mut self, sink: &mut BlockSink<'_>) -> ImageResult<()> {
        let (mut stored, mut converted) = (Vec::new(), Vec::new());
        for unit in 0..self.units {
            let layout = self.inner.image_coding_unit_layout(TiffCodingUnit(unit));
            let length = layout.map_err(failed)?.complete_len;
            if length as u64 > self.block_bytes {
                return Err(unsupported("strips or tiles of several lengths"));
            }
            stored.resize(length, 0);
            self.inner
                .read_coding_unit_bytes(TiffCodingUnit(unit), &mut stored)
                .map_err(failed)?;
            let width = self
                .chunk
                .0
                .min(self.sides.0 - unit % self.across * self.chunk.0);
            self.convert(&stored, width as usize, &mut converted);
            let is_same = self.samples == Samples::Same && self.planes == 1;
            sink(PixelBlock {
                samples: if is_same { &stored } else { &converted },
                x: (unit % self.across * self.chunk.0) as usize,
                y: (unit / self.across * self.chunk.1) as usize,
                width: width as usize,
            });
        }
        Ok(())
    }

    /// Converts the stored samples of a strip or tile, whose rows have `width` pixels.
    fn convert(&self, stored: &[u8], width: usize, pixels: &mut Vec<u8>) {
        pixels.clear();
        match self.samples {
            Samples::Same if self.planes == 1 => {}
            Samples::Same => {
                let plane = stored.len() / self.planes;
                let channels = usize::from(self.color.channel_count()).min(self.planes);
                let size = usize::from(self.color.bytes_per_pixel()) / channels.max(1);
                for at in (0..plane).step_by(size) {
                    for channel in 0..channels {
                        pixels.extend_from_slice(&stored[channel * plane + at..][..size]);
                    }
                }
            }
            Samples::Bits => {
                for row in stored.chunks(width.div_ceil(8)) {
                    let bits = row
                        .iter()
                        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1));
                    pixels.extend(bits.take(width).map(|bit| bit * 255));
                }
            }
            Samples::Cmyk8 => {
                for [colors @ .., black] in stored.as_chunks::<4>().0 {
                    pixels.extend(
                        colors
                            .map(|ink| light(ink.into(), (*black).into(), u8::MAX.into()))
                            .map(byte),
                    );
                }
            }
            Samples::Cmyk16 => {
                for pixel in stored.as_chunks::<8>().0 {
                    let ink = |at: usize| u16::from_ne_bytes([pixel[2 * at], pixel[2 * at + 1]]);
                    for color in 0..3 {
                        let light = light(ink(color).into(), ink(3).into(), u16::MAX.into());
                        pixels.extend(word(light).to_ne_bytes());
                    }
                }
            }
        }
    }
}

/// Returns the intensity of a colour after its ink and black have absorbed light.
fn light(ink: u32, black: u32, white: u32) -> u32 {
    (white - ink) * (white - black) / white
}

fn byte(light: u32) -> u8 {
    u8::try_from(light).unwrap_or(u8::MAX)
}

fn word(light: u32) -> u16 {
    u16::try_from(light).unwrap_or(u16::MAX)
}

impl<R: BufRead + Seek> PictureDecoder for TiffDecoder<R> {
    fn sides(&self) -> (u32, u32) {
        self.sides
    }

    fn color(&self) -> ColorType {
        self.color
    }

    fn orientation(&mut self) -> Orientation {
        let tag = self.inner.find_tag_unsigned::<u8>(Tag::Orientation);
        tag.ok()
            .flatten()
            .and_then(Orientation::from_exif)
            .unwrap_or(Orientation::NoTransforms)
    }

    fn working_bytes(&self) -> u64 {
        // Stored samples that need conversion are buffered even when decoding in place.
        match self.samples {
            Samples::Same if self.planes == 1 => self.working_bytes,
            _ => self.working_bytes.saturating_add(self.block_bytes),
        }
    }

    fn block_bytes(&self) -> Option<u64> {
        Some(self.block_bytes)
    }

    fn read(mut self: Box<Self>, pixels: &mut [u8]) -> ImageResult<()> {
        if self.samples == Samples::Same && self.planes == 1 {
            return self.inner.read_image_bytes(pixels).map_err(failed);
        }
        let (conversion, sides) = (
            Conversion::new(self.color, Orientation::NoTransforms),
            self.sides,
        );
        self.decode_units(&mut |block| conversion.write_block(sides, block, pixels))
    }

    fn read_blocks(mut self: Box<Self>, sink: &mut BlockSink<'_>) -> ImageResult<()> {
        self.decode_units(sink)
    }
}

/// Returns the format of the decoded pixels, and how the samples are stored.
fn color_of<R: Read + Seek>(
    decoder: &mut tiff::decoder::Decoder<R>,
) -> ImageResult<(ColorType, Samples)> {
    use tiff::ColorType::{CMYK, Gray, GrayA, RGB, RGBA};
    let stored = decoder.colortype().map_err(failed)?;
    let formats = decoder.find_tag_unsigned_vec::<u16>(Tag::SampleFormat);
    let is_float = match formats.map_err(failed)? {
        None => false,
        Some(formats) => match formats
            .first()
            .map(|format| SampleFormat::from_u16_exhaustive(*format))
        {
            Some(SampleFormat::Uint) => false,
            Some(SampleFormat::IEEEFP) => true,
            _ => return Err(unsupported("samples of this format")),
        },
    };
    let same = |color| (color, Samples::Same);
    Ok(match (stored, is_float) {
        (Gray(1), false) => (ColorType::L8, Samples::Bits),
        (Gray(8), false) => same(ColorType::L8),
        (Gray(16), false) => same(ColorType::L16),
        (GrayA(8), false) => same(ColorType::La8),
        (GrayA(16), false) => same(ColorType::La16),
        (RGB(8), false) => same(ColorType::Rgb8),
        (RGB(16), false) => same(ColorType::Rgb16),
        (RGBA(8), false) => same(ColorType::Rgba8),
        (RGBA(16), false) => same(ColorType::Rgba16),
        (CMYK(8), false) => (ColorType::Rgb8, Samples::Cmyk8),
        (CMYK(16), false) => (ColorType::Rgb16, Samples::Cmyk16),
        (RGB(32), true) => same(ColorType::Rgb32F),
        (RGBA(32), true) => same(ColorType::Rgba32F),
        (color, _) => return Err(unsupported(&format!("{color:?}"))),
    })
}

fn unsupported(what: &str) -> ImageError {
    let kind = UnsupportedErrorKind::GenericFeature(what.to_owned());
    let error = UnsupportedError::from_format_and_kind(ImageFormat::Tiff.into(), kind);
    ImageError::Unsupported(error)
}

fn failed(error: TiffError) -> ImageError {
    match error {
        TiffError::IoError(error) => ImageError::IoError(error),
        TiffError::UnsupportedError(error) => unsupported(&error.to_string()),
        TiffError::LimitsExceeded => {
            ImageError::Limits(LimitError::from_kind(LimitErrorKind::InsufficientMemory))
        }
        error => ImageError::Decoding(DecodingError::new(ImageFormat::Tiff.into(), error)),
    }
}
