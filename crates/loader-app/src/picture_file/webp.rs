//! The memory that decoding a WebP file needs. The decoder allocates by the sizes of the frames,
//! which may differ from the size in the file's header.

use std::io::{self, BufRead, ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;

use image::metadata::Orientation;

/// Longer EXIF chunks are ignored.
const MAX_EXIF_BYTES: u64 = 1 << 20;

/// The facts about a WebP file that determine its memory and orientation.
#[derive(Debug, Default)]
pub(super) struct WebpInfo {
    pub(super) orientation: Option<Orientation>,
    /// The number of pixels of the canvas, if the file has an extended header.
    canvas: u64,
    is_animated: bool,
    /// The most pixels of a lossy and of a lossless frame, and the most bytes of a lossy frame.
    lossy: u64,
    lossless: u64,
    longest: u64,
}

impl WebpInfo {
    /// Reads the chunks of a file of `length` bytes.
    pub(super) fn read(file: &mut (impl BufRead + Seek), length: u64) -> io::Result<WebpInfo> {
        let mut info = WebpInfo::default();
        // The first 12 bytes are RIFF, a length, and WEBP.
        info.read_chunks(file, 12..length, false)?;
        Ok(info)
    }

    /// Reads the chunks in `range`, each a name, a length, and its data.
    fn read_chunks(
        &mut self,
        file: &mut (impl BufRead + Seek),
        range: Range<u64>,
        is_in_frame: bool,
    ) -> io::Result<()> {
        let mut at = range.start;
        while at + 8 <= range.end {
            seek(file, at)?;
            let [n0, n1, n2, n3, l0, l1, l2, l3] = read_array(file)?;
            let length = u64::from(u32::from_le_bytes([l0, l1, l2, l3]));
            at += 8;
            let name = [n0, n1, n2, n3];
            let done = match &name {
                // A frame of an animation contains chunks after its position and size.
                b"ANMF" if !is_in_frame => self.read_chunks(file, at + 16..at + length, true),
                _ => self.read_chunk(file, name, length),
            };
            match done {
                // The decoder reports a truncated file.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
                done => done?,
            }
            at += length + length % 2;
        }
        Ok(())
    }

    fn read_chunk(
        &mut self,
        file: &mut (impl BufRead + Seek),
        name: [u8; 4],
        length: u64,
    ) -> io::Result<()> {
        match &name {
            b"VP8X" => {
                let header: [u8; 10] = read_array(file)?;
                let [flags, _, _, _, w0, w1, w2, h0, h1, h2] = header;
                let side = |bytes: [u8; 3]| {
                    let [low, middle, high] = bytes;
                    u64::from(u32::from_le_bytes([low, middle, high, 0])) + 1
                };
                self.is_animated |= flags & 2 != 0;
                self.canvas = self.canvas.max(side([w0, w1, w2]) * side([h0, h1, h2]));
            }
            b"VP8 " => {
                let header: [u8; 10] = read_array(file)?;
                let [.., w0, w1, h0, h1] = header;
                let side = |bytes| u64::from(u16::from_le_bytes(bytes) & 0x3FFF);
                // The decoder works on macroblocks of 16 × 16 pixels.
                let [across, down] =
                    [side([w0, w1]), side([h0, h1])].map(|side| side.next_multiple_of(16));
                self.lossy = self.lossy.max(across * down);
                self.longest = self.longest.max(length);
            }
            b"VP8L" => {
                let [_, s0, s1, s2, s3] = read_array(file)?;
                let sides = u32::from_le_bytes([s0, s1, s2, s3]);
                let side = |bits| u64::from(bits & 0x3FFF) + 1;
                self.lossless = self.lossless.max(side(sides) * side(sides >> 14));
            }
            // The alpha channel has the size of the canvas.
            b"ALPH" => self.lossless = self.lossless.max(self.canvas),
            b"EXIF" if self.orientation.is_none() && length <= MAX_EXIF_BYTES => {
                let mut exif = Vec::new();
                file.take(length).read_to_end(&mut exif)?;
                let found = Orientation::from_exif_chunk(&exif);
                self.orientation = Some(found.unwrap_or(Orientation::NoTransforms));
            }
            _ => {}
        }
        Ok(())
    }

    /// Returns the bytes that the decoder allocates for a file of `file` bytes, without the decoded
    /// pixels.
    pub(super) fn working_bytes(&self, file: u64) -> u64 {
        let frame = self.lossy.max(self.lossless);
        // One byte of luma and half a byte of chroma per pixel, and the compressed data twice.
        let lossy = self.lossy + self.lossy / 2 + 2 * self.longest.min(file);
        // Four bytes per pixel, and tables for each square of 4 × 4 pixels.
        let lossless = 5 * self.lossless;
        let animation = if self.is_animated {
            4 * self.canvas + 4 * frame
        } else {
            0
        };
        lossy + lossless + animation
    }
}

fn read_array<const N: usize>(file: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Seeks without discarding the buffer if the position is in it.
fn seek(file: &mut (impl BufRead + Seek), to: u64) -> io::Result<()> {
    let from = file.stream_position()?;
    match i64::try_from(to).ok().zip(i64::try_from(from).ok()) {
        Some((to, from)) => file.seek_relative(to - from),
        None => file.seek(SeekFrom::Start(to)).map(drop),
    }
}
