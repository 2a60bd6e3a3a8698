//! Decoding and encoding the PNG file in a streamed `QImage`.

use std::borrow::Cow;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use png::{BitDepth, ColorType, Transformations};
use shm_core::{ImageMetadata, PixelFormat};

use super::{Form, NotThisReason, ReadAt, StreamError, UnfitReason};

/// The most memory that decoding takes besides the pixels, in bytes: chunks, and the longest rows.
const MAX_DECODER_BYTES: u64 = 16 << 20;

/// How many times longer than its file a picture can be: deflate expands one byte to 1,032 at most,
/// and each bit of these may be a pixel of four bytes. A file that claims more is invalid, and gets
/// no memory.
const MAX_EXPANSION: u64 = 1_032 * 32;

/// Memory that is allowed for any picture, in bytes.
const MIN_BYTES: u64 = 1 << 20;

/// Decodes the picture that begins at an offset, directly into the returned pixels. The limit
/// bounds the pixels and the decoder's memory together; it is checked against the size in the first
/// chunk, before decoding.
///
/// Does not decompress texts and colour profiles, which can be a thousand times longer than the
/// file.
pub(super) fn read(
    source: &impl ReadAt,
    offset: usize,
    limit: u64,
) -> Result<(ImageMetadata, Vec<u8>), StreamError> {
    let end = extent(source, offset)?;
    let file = PngFile {
        source,
        start: offset,
        end,
        at: 0,
    };
    let decoder_bytes = MAX_DECODER_BYTES.min(limit / 4);
    let limits = png::Limits {
        bytes: usize::try_from(decoder_bytes).unwrap_or(usize::MAX),
    };
    let mut decoder = png::Decoder::new_with_limits(BufReader::new(file), limits);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    let header = decoder.read_header_info().map_err(not_this)?;
    // Checked before memory for a row is allocated.
    ImageMetadata::packed(PixelFormat::Gray8, header.width, header.height).map_err(not_this)?;
    let mut reader = decoder.read_info().map_err(not_this)?;
    let (color, depth) = reader.output_color_type();
    let format = match (color, depth) {
        (ColorType::Grayscale, BitDepth::Eight) => PixelFormat::Gray8,
        (ColorType::Rgb, BitDepth::Eight) => PixelFormat::Rgb8,
        (ColorType::Rgba | ColorType::GrayscaleAlpha, BitDepth::Eight) => PixelFormat::Rgba8,
        _ => {
            return Err(not_this(format!(
                "its pixels are {color:?} of {depth:?} bits"
            )));
        }
    };
    let (width, height) = reader.info().size();
    let metadata = ImageMetadata::packed(format, width, height).map_err(not_this)?;
    let room = metadata.payload_bytes();
    let plausible = MAX_EXPANSION
        .saturating_mul((end - offset) as u64)
        .saturating_add(MIN_BYTES);
    let needed = (room as u64).saturating_add(decoder_bytes);
    if needed > limit || room as u64 > plausible {
        let limit = limit.min(plausible);
        return Err(StreamError::Limit {
            bytes: needed,
            limit,
        });
    }
    let mut pixels = Vec::new();
    pixels
        .try_reserve_exact(room)
        .map_err(|_| StreamError::NoMemory { bytes: room })?;
    pixels.resize(room, 0);
    let frame = reader.next_frame(&mut pixels).map_err(not_this)?;
    if (frame.width, frame.height) != (width, height) {
        return Err(not_this("its first frame is smaller than the picture"));
    }
    if color == ColorType::GrayscaleAlpha {
        expand_gray_alpha(&mut pixels);
    }
    Ok((metadata, pixels))
}

/// Expands pixels of two bytes (gray, alpha), which fill the first half, to four bytes in place.
fn expand_gray_alpha(pixels: &mut [u8]) {
    for index in (0..pixels.len() / 4).rev() {
        let [gray, alpha] = [pixels[2 * index], pixels[2 * index + 1]];
        pixels[4 * index..][..4].copy_from_slice(&[gray, gray, gray, alpha]);
    }
}

/// Returns the end of the PNG file that begins at an offset: after its last chunk (PNG
/// specification, 5.3). Invalid data ends where that is detected, or at the end of the source.
pub(super) fn extent(source: &impl ReadAt, offset: usize) -> Result<usize, StreamError> {
    const SIGNATURE: usize = 8;
    /// Around a chunk: length and type before it, a checksum after it.
    const HEADER: usize = 8;
    const SUM: usize = 4;
    /// More than any picture needs. Each costs a read under the lock.
    const MAX_CHUNKS: u32 = 1 << 16;
    let size = source.size();
    let mut end = (offset + SIGNATURE).min(size);
    for _ in 0..MAX_CHUNKS {
        let mut header = [0; HEADER];
        if size - end < HEADER {
            return Ok(size);
        }
        source.read_at(end, &mut header)?;
        let [l0, l1, l2, l3, name @ ..] = header;
        let length = usize::try_from(u32::from_be_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
        let next = end.saturating_add(HEADER + SUM).saturating_add(length);
        if next >= size {
            return Ok(size);
        }
        end = next;
        if name == *b"IEND" {
            break;
        }
    }
    Ok(end)
}

fn not_this(reason: impl ToString) -> StreamError {
    StreamError::NotThis {
        form: Form::QImage,
        reason: NotThisReason::Png {
            message: reason.to_string().trim_end_matches('.').to_owned(),
        },
    }
}

/// Encodes pixels as a PNG file: fast rather than small.
pub(super) fn encode(metadata: &ImageMetadata, pixels: &[u8]) -> Result<Vec<u8>, StreamError> {
    let unfit = |reason| StreamError::Unfit {
        form: Form::QImage,
        reason,
    };
    if pixels.len() != metadata.payload_bytes() {
        return Err(unfit(UnfitReason::Sides));
    }
    let color = match metadata.format {
        PixelFormat::Gray8 => ExtendedColorType::L8,
        // Two bytes a pixel in native byte order, which is that of the format.
        PixelFormat::Gray16 => ExtendedColorType::L16,
        PixelFormat::Rgb8 | PixelFormat::Bgr8 => ExtendedColorType::Rgb8,
        PixelFormat::Rgba8 | PixelFormat::Bgra8 => ExtendedColorType::Rgba8,
        _ => return Err(unfit(UnfitReason::NoPng)),
    };
    let rows = packed(metadata, pixels).ok_or_else(|| unfit(UnfitReason::Rows))?;
    let mut file = Vec::new();
    PngEncoder::new_with_quality(&mut file, CompressionType::Fast, FilterType::Adaptive)
        .write_image(&rows, metadata.width, metadata.height, color)
        .map_err(|_| unfit(UnfitReason::NoPng))?;
    Ok(file)
}

/// Returns the rows without padding, in an order of channels that PNG supports.
fn packed<'a>(metadata: &ImageMetadata, pixels: &'a [u8]) -> Option<Cow<'a, [u8]>> {
    let row = metadata.width as usize * metadata.format.bytes_per_pixel();
    let stride = metadata.stride as usize;
    if stride < row || stride == 0 {
        return None;
    }
    let is_bgr = matches!(metadata.format, PixelFormat::Bgra8 | PixelFormat::Bgr8);
    if stride == row && !is_bgr {
        return Some(Cow::Borrowed(pixels));
    }
    let mut rows = Vec::with_capacity(row * metadata.height as usize);
    for line in pixels.chunks_exact(stride) {
        rows.extend_from_slice(&line[..row]);
    }
    if is_bgr {
        for pixel in rows.chunks_exact_mut(metadata.format.bytes_per_pixel()) {
            pixel.swap(0, 2);
        }
    }
    Some(Cow::Owned(rows))
}

/// A part of a segment as a readable and seekable file.
struct PngFile<'a, S> {
    source: &'a S,
    start: usize,
    end: usize,
    at: usize,
}

impl<S: ReadAt> PngFile<'_, S> {
    fn length(&self) -> usize {
        self.end.saturating_sub(self.start)
    }
}

impl<S: ReadAt> Read for PngFile<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(self.length().saturating_sub(self.at));
        self.source
            .read_at(self.start + self.at, &mut buffer[..count])?;
        self.at += count;
        Ok(count)
    }
}

impl<S: ReadAt> Seek for PngFile<'_, S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (base, by) = match to {
            SeekFrom::Start(at) => (0, i64::try_from(at).unwrap_or(i64::MAX)),
            SeekFrom::Current(by) => (self.at, by),
            SeekFrom::End(by) => (self.length(), by),
        };
        let at = (base as u64).checked_add_signed(by);
        let at = at.ok_or(io::ErrorKind::InvalidInput)?;
        // Clamped: reads at the end return no bytes.
        self.at = usize::try_from(at).unwrap_or(usize::MAX).min(self.length());
        Ok(self.at as u64)
    }
}
