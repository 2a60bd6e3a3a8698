//! The PNG file in a streamed `QImage`, to and from raw pixels.

use std::borrow::Cow;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, ExtendedColorType, ImageEncoder, ImageFormat, ImageReader, Limits};
use shm_core::{ImageMetadata, PixelFormat};

use super::{Form, Source, StreamError};

/// The most that a picture may take in memory.
const MOST_BYTES: u64 = 1 << 30;

/// How many times longer than its file a picture can be: deflate makes 1,032 bytes of one at most, and
/// each bit of these may be a pixel of four. A file that says more is not worth the memory.
const MOST_TIMES: u64 = 1_032 * 32;

/// What reading any picture takes.
const LEAST_BYTES: u64 = 1 << 20;

/// Reads the picture that begins at an offset.
pub(super) fn read(
    source: &impl Source,
    offset: usize,
) -> Result<(ImageMetadata, Vec<u8>), StreamError> {
    let file = File {
        source,
        start: offset,
        at: 0,
    };
    let mut reader = ImageReader::with_format(BufReader::new(file), ImageFormat::Png);
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(ImageMetadata::MAX_SIDE);
    limits.max_image_height = Some(ImageMetadata::MAX_SIDE);
    let believable = MOST_TIMES
        .saturating_mul(source.size() as u64)
        .saturating_add(LEAST_BYTES);
    limits.max_alloc = Some(believable.min(MOST_BYTES));
    reader.limits(limits);
    let image = reader.decode().map_err(|error| not_this(&error))?;
    let (width, height) = (image.width(), image.height());
    let (format, pixels) = pixels_of(image);
    let metadata =
        ImageMetadata::packed(format, width, height).map_err(|error| not_this(&error))?;
    Ok((metadata, pixels))
}

/// Where the PNG file ends that begins at an offset: behind its last chunk (PNG specification, 5.3).
/// What is no such file ends where that is seen.
pub(super) fn extent(source: &impl Source, offset: usize) -> Result<usize, StreamError> {
    const SIGNATURE: usize = 8;
    /// Of a chunk: its length and its name before it, its sum behind it.
    const HEADER: usize = 8;
    const SUM: usize = 4;
    /// No picture needs more. Each costs a look, under the lock.
    const MOST_CHUNKS: u32 = 1 << 16;
    let size = source.size();
    let mut end = (offset + SIGNATURE).min(size);
    for _ in 0..MOST_CHUNKS {
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

fn not_this(error: &dyn std::error::Error) -> StreamError {
    StreamError::NotThis {
        form: Form::QImage,
        reason: error.to_string(),
    }
}

/// Eight bits a channel, as a window shows them.
fn pixels_of(image: DynamicImage) -> (PixelFormat, Vec<u8>) {
    match image {
        DynamicImage::ImageLuma8(image) => (PixelFormat::Gray8, image.into_raw()),
        DynamicImage::ImageRgb8(image) => (PixelFormat::Rgb8, image.into_raw()),
        DynamicImage::ImageRgba8(image) => (PixelFormat::Rgba8, image.into_raw()),
        image @ DynamicImage::ImageLuma16(_) => (PixelFormat::Gray8, image.into_luma8().into_raw()),
        image if image.color().has_alpha() => (PixelFormat::Rgba8, image.into_rgba8().into_raw()),
        image => (PixelFormat::Rgb8, image.into_rgb8().into_raw()),
    }
}

/// Makes a PNG file of pixels, fast rather than small.
pub(super) fn encode(metadata: &ImageMetadata, pixels: &[u8]) -> Result<Vec<u8>, StreamError> {
    let unfit = |reason| StreamError::Unfit {
        form: Form::QImage,
        reason,
    };
    if pixels.len() != metadata.payload_bytes() {
        return Err(unfit("its sides do not fit its bytes"));
    }
    let color = match metadata.format {
        PixelFormat::Gray8 => ExtendedColorType::L8,
        PixelFormat::Rgb8 => ExtendedColorType::Rgb8,
        PixelFormat::Rgba8 | PixelFormat::Bgra8 => ExtendedColorType::Rgba8,
    };
    let rows =
        packed(metadata, pixels).ok_or_else(|| unfit("its rows are longer than they say"))?;
    let mut file = Vec::new();
    PngEncoder::new_with_quality(&mut file, CompressionType::Fast, FilterType::Adaptive)
        .write_image(&rows, metadata.width, metadata.height, color)
        .map_err(|_| unfit("no PNG file can be made of it"))?;
    Ok(file)
}

/// The rows without gaps, in an order of channels that PNG knows.
fn packed<'a>(metadata: &ImageMetadata, pixels: &'a [u8]) -> Option<Cow<'a, [u8]>> {
    let row = metadata.width as usize * metadata.format.bytes_per_pixel();
    let stride = metadata.stride as usize;
    if stride < row || stride == 0 {
        return None;
    }
    let is_turned = metadata.format == PixelFormat::Bgra8;
    if stride == row && !is_turned {
        return Some(Cow::Borrowed(pixels));
    }
    let mut rows = Vec::with_capacity(row * metadata.height as usize);
    for line in pixels.chunks_exact(stride) {
        rows.extend_from_slice(&line[..row]);
    }
    if is_turned {
        for pixel in rows.as_chunks_mut::<4>().0 {
            pixel.swap(0, 2);
        }
    }
    Some(Cow::Owned(rows))
}

/// A segment from some offset on, as a file.
struct File<'a, S> {
    source: &'a S,
    start: usize,
    at: usize,
}

impl<S: Source> File<'_, S> {
    fn length(&self) -> usize {
        self.source.size().saturating_sub(self.start)
    }
}

impl<S: Source> Read for File<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(self.length().saturating_sub(self.at));
        self.source
            .read_at(self.start + self.at, &mut buffer[..count])?;
        self.at += count;
        Ok(count)
    }
}

impl<S: Source> Seek for File<'_, S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (base, by) = match to {
            SeekFrom::Start(at) => (0, i64::try_from(at).unwrap_or(i64::MAX)),
            SeekFrom::Current(by) => (self.at, by),
            SeekFrom::End(by) => (self.length(), by),
        };
        let at = (base as u64).checked_add_signed(by);
        let at = at.ok_or(io::ErrorKind::InvalidInput)?;
        // Beyond the end nothing is read.
        self.at = usize::try_from(at).unwrap_or(usize::MAX).min(self.length());
        Ok(self.at as u64)
    }
}
