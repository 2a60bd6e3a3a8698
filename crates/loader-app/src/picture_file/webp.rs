//! What a WebP file will take. Its decoder allocates what the frames within it say, which need not be
//! what the file says.

use std::io::{self, BufRead, ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;

use image::metadata::Orientation;

/// Longer notes of a camera are not read.
const MOST_EXIF_BYTES: u64 = 1 << 20;

/// What is in a WebP file.
#[derive(Debug, Default)]
pub(super) struct Outline {
    pub(super) orientation: Option<Orientation>,
    /// How many pixels the picture has, where the file says that apart from its frames.
    canvas: u64,
    is_animated: bool,
    /// The most pixels that a frame of either kind says it has, and the longest of those with a loss.
    lossy: u64,
    lossless: u64,
    longest: u64,
}

impl Outline {
    /// Goes through the chunks of a file.
    pub(super) fn of(file: &mut (impl BufRead + Seek), length: u64) -> io::Result<Outline> {
        let mut outline = Outline::default();
        // Behind the names RIFF and WEBP, and a length in between.
        outline.chunks(file, 12..length, false)?;
        Ok(outline)
    }

    /// Goes through chunks, each a name, a length, and what it says.
    fn chunks(
        &mut self,
        file: &mut (impl BufRead + Seek),
        range: Range<u64>,
        is_in_frame: bool,
    ) -> io::Result<()> {
        let mut at = range.start;
        while at + 8 <= range.end {
            seek(file, at)?;
            let [n0, n1, n2, n3, l0, l1, l2, l3] = read(file)?;
            let length = u64::from(u32::from_le_bytes([l0, l1, l2, l3]));
            at += 8;
            let name = [n0, n1, n2, n3];
            let done = match &name {
                // A frame of an animation has chunks of its own behind its place and its sides.
                b"ANMF" if !is_in_frame => self.chunks(file, at + 16..at + length, true),
                _ => self.chunk(file, name, length),
            };
            match done {
                // What is cut short is the decoder's to tell.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
                done => done?,
            }
            at += length + length % 2;
        }
        Ok(())
    }

    fn chunk(
        &mut self,
        file: &mut (impl BufRead + Seek),
        name: [u8; 4],
        length: u64,
    ) -> io::Result<()> {
        match &name {
            b"VP8X" => {
                let header: [u8; 10] = read(file)?;
                let [flags, _, _, _, w0, w1, w2, h0, h1, h2] = header;
                let side = |bytes: [u8; 3]| {
                    let [low, middle, high] = bytes;
                    u64::from(u32::from_le_bytes([low, middle, high, 0])) + 1
                };
                self.is_animated |= flags & 2 != 0;
                self.canvas = self.canvas.max(side([w0, w1, w2]) * side([h0, h1, h2]));
            }
            b"VP8 " => {
                let header: [u8; 10] = read(file)?;
                let [.., w0, w1, h0, h1] = header;
                let side = |bytes| u64::from(u16::from_le_bytes(bytes) & 0x3FFF);
                // It is made of squares of 16 pixels a side.
                let [across, down] =
                    [side([w0, w1]), side([h0, h1])].map(|side| side.next_multiple_of(16));
                self.lossy = self.lossy.max(across * down);
                self.longest = self.longest.max(length);
            }
            b"VP8L" => {
                let [_, s0, s1, s2, s3] = read(file)?;
                let sides = u32::from_le_bytes([s0, s1, s2, s3]);
                let side = |bits| u64::from(bits & 0x3FFF) + 1;
                self.lossless = self.lossless.max(side(sides) * side(sides >> 14));
            }
            // Opacity, which has no sides of its own.
            b"ALPH" => self.lossless = self.lossless.max(self.canvas),
            b"EXIF" if self.orientation.is_none() && length <= MOST_EXIF_BYTES => {
                let mut exif = Vec::new();
                file.take(length).read_to_end(&mut exif)?;
                let found = Orientation::from_exif_chunk(&exif);
                self.orientation = Some(found.unwrap_or(Orientation::NoTransforms));
            }
            _ => {}
        }
        Ok(())
    }

    /// Returns how many bytes the decoder allocates, without the pixels that it gives.
    pub(super) fn working_bytes(&self, file: u64) -> u64 {
        let frame = self.lossy.max(self.lossless);
        // A byte of light and half a byte of colour for each pixel, and what they are decoded from.
        let lossy = self.lossy + self.lossy / 2 + 2 * self.longest.min(file);
        // Four bytes a pixel, and tables for each square of 4 pixels a side.
        let lossless = 5 * self.lossless;
        let animation = if self.is_animated {
            4 * self.canvas + 4 * frame
        } else {
            0
        };
        lossy + lossless + animation
    }
}

fn read<const N: usize>(file: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Goes to a place without giving up what is buffered there.
fn seek(file: &mut (impl BufRead + Seek), to: u64) -> io::Result<()> {
    let from = file.stream_position()?;
    match i64::try_from(to).ok().zip(i64::try_from(from).ok()) {
        Some((to, from)) => file.seek_relative(to - from),
        None => file.seek(SeekFrom::Start(to)).map(drop),
    }
}
