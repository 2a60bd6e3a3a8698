//! What a JPEG file will take, and what of it its decoder has to see.
//!
//! The decoder reads the file into memory with all that cameras put into it, paints grey what is
//! missing, and allocates what the header says. So the file is walked first, from marker to marker.

use std::io::{self, BufRead, ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;

use image::metadata::Orientation;

/// What begins every marker.
const MARKER: u8 = 0xFF;

/// More pieces than this no encoder leaves between what the decoder does not need.
const MOST_PIECES: usize = 4_096;

/// What is in a JPEG file.
#[derive(Debug, Default)]
pub(super) struct Outline {
    /// The frame, if its kind is one that can be decoded.
    pub(super) frame: Option<Frame>,
    /// How many components the first scan has.
    first_scan: usize,
    /// How many blocks of coefficients are gone through, in all scans together.
    pub(super) visits: u64,
    /// How the camera was held.
    pub(super) orientation: Option<Orientation>,
    /// Where that lies which the decoder has to see.
    pieces: Vec<Range<u64>>,
    /// Whether all of the file up to its end is in these.
    is_bare: bool,
}

/// Why a file has no outline.
#[derive(Debug)]
pub(super) enum OutlineError {
    /// It ends before the picture does.
    Cut,
    /// It is no JPEG file.
    NotThis,
    /// What the decoder has to see is longer than it may be; the frame, if there was one so far.
    TooLong(Option<Frame>),
    /// It cannot be read.
    Io(io::Error),
}

impl From<io::Error> for OutlineError {
    fn from(error: io::Error) -> OutlineError {
        match error.kind() {
            ErrorKind::UnexpectedEof => OutlineError::Cut,
            _ => OutlineError::Io(error),
        }
    }
}

/// The header of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    width: u16,
    height: u16,
    is_progressive: bool,
    components: Vec<Component>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Component {
    id: u8,
    /// How many blocks it has side by side, and one below the other, in a unit of the picture.
    across: u64,
    down: u64,
}

impl Outline {
    /// Walks through a file up to the end of its picture. What the decoder has to see may have `most`
    /// bytes.
    ///
    /// Small pictures inside segments, as cameras put them there, do not count; nor does what follows
    /// the end.
    pub(super) fn of(file: impl BufRead + Seek, most: u64) -> Result<Outline, OutlineError> {
        let mut walk = Walk::begin(file, most)?;
        while walk.step()? {}
        Ok(walk.outline)
    }

    /// Does the same with a picture within another file, up to its first scan. It has to be bare: that
    /// file's decoder sees all of it.
    pub(super) fn of_tile(file: impl BufRead + Seek) -> Result<Option<Outline>, OutlineError> {
        let mut walk = Walk::begin(file, u64::MAX)?;
        while walk.outline.first_scan == 0 {
            if !walk.step()? {
                return Err(OutlineError::NotThis);
            }
        }
        let outline = walk.outline;
        Ok(Some(outline).filter(|outline| outline.is_bare))
    }

    /// Returns how many bytes the decoder sees.
    pub(super) fn length(&self) -> u64 {
        self.pieces
            .iter()
            .map(|piece| piece.end - piece.start)
            .sum()
    }

    /// Returns how many bytes the decoder allocates, without the file and the pixels that it gives.
    pub(super) fn working_bytes(&self) -> u64 {
        let Some(frame) = &self.frame else {
            return 0;
        };
        // A row of units at a time; and of a picture whose components come one after the other, or
        // better and better, all coefficients.
        let keeps_all = frame.is_progressive || self.first_scan < frame.components.len();
        let coefficients = if keeps_all { frame.blocks() * 128 } else { 0 };
        coefficients + frame.row_bytes()
    }

    /// Returns how many components the picture has.
    pub(super) fn components(&self) -> u64 {
        self.frame
            .as_ref()
            .map_or(0, |frame| frame.components.len() as u64)
    }

    /// Leaves what the decoder has to see of a file.
    pub(super) fn cut_out<F: Read + Seek>(self, file: F) -> Pieces<F> {
        Pieces {
            file,
            rest: self.pieces.into_iter(),
            left: 0,
        }
    }
}

impl Frame {
    fn read(segment: &[u8], is_progressive: bool) -> Option<Frame> {
        let [_, h0, h1, w0, w1, _count, components @ ..] = segment else {
            return None;
        };
        let component = |&[id, sampling, _]: &[u8; 3]| Component {
            id,
            across: u64::from(sampling >> 4).max(1),
            down: u64::from(sampling & 0xF).max(1),
        };
        Some(Frame {
            width: u16::from_be_bytes([*w0, *w1]),
            height: u16::from_be_bytes([*h0, *h1]),
            is_progressive,
            components: components.as_chunks().0.iter().map(component).collect(),
        })
    }

    /// Returns width and height.
    pub(super) fn sides(&self) -> (u32, u32) {
        (self.width.into(), self.height.into())
    }

    /// How many units the picture has in a row, and one below the other.
    fn units(&self) -> (u64, u64) {
        let most = |side: fn(&Component) -> u64| self.components.iter().map(side).max();
        let across = most(|component| component.across).unwrap_or(1);
        let down = most(|component| component.down).unwrap_or(1);
        (
            u64::from(self.width).div_ceil(8 * across),
            u64::from(self.height).div_ceil(8 * down),
        )
    }

    /// How many blocks the picture has.
    fn blocks(&self) -> u64 {
        let (across, down) = self.units();
        let of_unit: u64 = self.components.iter().map(Component::blocks).sum();
        across * down * of_unit
    }

    /// How much is allocated for a row of units: samples of 16 bits, as they are and scaled up.
    fn row_bytes(&self) -> u64 {
        let (units, _) = self.units();
        let most = |side: fn(&Component) -> u64| self.components.iter().map(side).max();
        let (most_across, most_down) = (
            most(|component| component.across).unwrap_or(1),
            most(|component| component.down).unwrap_or(1),
        );
        let of_component = |component: &Component| {
            let stride = units * component.across * 8;
            let scale =
                (most_across / component.across).max(1) * (most_down / component.down).max(1);
            let rows = component.down * (8 + 2 + scale) + 2 * 8 * scale;
            stride * rows * 2
        };
        let scratch = units * most_across * 8 * 8 * 2;
        self.components.iter().map(of_component).sum::<u64>() + scratch
    }

    /// How many blocks a scan of these components goes through.
    fn blocks_of(&self, ids: impl Iterator<Item = u8>) -> u64 {
        let (across, down) = self.units();
        let of_unit: u64 = ids
            .filter_map(|id| self.components.iter().find(|component| component.id == id))
            .map(Component::blocks)
            .sum();
        across * down * of_unit
    }
}

impl Component {
    fn blocks(&self) -> u64 {
        self.across * self.down
    }
}

/// A walk from marker to marker.
struct Walk<F> {
    file: F,
    at: u64,
    most: u64,
    is_in_scan: bool,
    outline: Outline,
}

impl<F: BufRead + Seek> Walk<F> {
    fn begin(mut file: F, most: u64) -> Result<Walk<F>, OutlineError> {
        let mut start = [0; 2];
        file.read_exact(&mut start)?;
        if start != [MARKER, 0xD8] {
            return Err(OutlineError::NotThis);
        }
        let mut walk = Walk {
            file,
            at: 2,
            most,
            is_in_scan: false,
            outline: Outline {
                is_bare: true,
                ..Outline::default()
            },
        };
        walk.keep(0..2)?;
        Ok(walk)
    }

    /// Goes on to behind the next marker and its segment; `false` at the end of the picture.
    fn step(&mut self) -> Result<bool, OutlineError> {
        let start = self.at;
        // Between the markers of a picture's scans lie its pixels.
        let room = self.most.saturating_add(1);
        let skipped = self.file.by_ref().take(room).skip_until(MARKER)? as u64;
        self.at += skipped;
        if skipped == room {
            return Err(self.too_long());
        }
        let mut code = self.read_byte()?;
        while code == MARKER {
            code = self.read_byte()?;
        }
        let marker = self.at - 2;
        if self.is_in_scan {
            self.keep(start..marker)?;
        } else if marker > start {
            self.outline.is_bare = false;
        }
        match code {
            // End of image.
            0xD9 => {
                self.keep(marker..self.at)?;
                return Ok(false);
            }
            // A byte of pixels that looks like a marker, or a place to begin anew in the middle of them.
            0x00 | 0xD0..=0xD7 if self.is_in_scan => self.keep(marker..self.at)?,
            0x00 | 0x01 | 0xD0..=0xD8 => self.outline.is_bare = false,
            _ => self.segment(marker, code)?,
        }
        Ok(true)
    }

    fn segment(&mut self, marker: u64, code: u8) -> Result<(), OutlineError> {
        self.is_in_scan = false;
        let length = u16::from_be_bytes([self.read_byte()?, self.read_byte()?]);
        // The length counts itself. What is shorter leads nowhere.
        let length = u64::from(length.checked_sub(2).ok_or(OutlineError::NotThis)?);
        if Self::is_read(code, length) {
            let mut segment = vec![0; usize::try_from(length).unwrap_or(0)];
            self.file.read_exact(&mut segment)?;
            self.at += length;
            if self.take(code, &segment) {
                return self.keep(marker..self.at);
            }
        } else {
            self.file
                .seek_relative(i64::try_from(length).unwrap_or(0))?;
            self.at += length;
        }
        self.outline.is_bare = false;
        Ok(())
    }

    /// Returns whether a segment may say something: of all others it does not matter what is in them.
    fn is_read(code: u8, length: u64) -> bool {
        match code {
            // Frames, tables, scans.
            0xC0..=0xC7 | 0xC9..=0xCF | 0xDA..=0xDD => true,
            // Whether it is one of a film, which leaves out its tables.
            0xE0 => length >= 5,
            // How the camera was held; what colours the components are.
            0xE1 | 0xEE => true,
            _ => false,
        }
    }

    /// Takes what a segment says, and returns whether the decoder has to see it.
    fn take(&mut self, code: u8, segment: &[u8]) -> bool {
        let outline = &mut self.outline;
        match code {
            0xC0..=0xC2 if outline.frame.is_none() && outline.first_scan == 0 => {
                outline.frame = Frame::read(segment, code == 0xC2);
            }
            0xDA => {
                self.is_in_scan = true;
                let count = segment.first().map_or(0, |count| usize::from(*count));
                let components = segment.get(1..).unwrap_or_default().as_chunks::<2>().0;
                let ids = components.iter().take(count).map(|[id, _]| *id);
                if outline.first_scan == 0 {
                    outline.first_scan = count.max(1);
                }
                let blocks = outline
                    .frame
                    .as_ref()
                    .map_or(0, |frame| frame.blocks_of(ids));
                outline.visits = outline.visits.saturating_add(blocks);
            }
            0xE0 => return segment.starts_with(b"AVI1\0"),
            0xE1 => {
                if let Some(exif) = segment.strip_prefix(b"Exif\0\0") {
                    outline.orientation = Orientation::from_exif_chunk(exif);
                }
                return false;
            }
            0xEE => return segment.starts_with(b"Adobe") && segment.len() >= 12,
            _ => {}
        }
        true
    }

    /// Notes that the decoder has to see this.
    fn keep(&mut self, seen: Range<u64>) -> Result<(), OutlineError> {
        match self.most.checked_sub(seen.end - seen.start) {
            Some(left) => self.most = left,
            None => return Err(self.too_long()),
        }
        let pieces = &mut self.outline.pieces;
        let count = pieces.len();
        match pieces.last_mut() {
            Some(piece) if piece.end == seen.start => piece.end = seen.end,
            _ if count == MOST_PIECES => return Err(OutlineError::NotThis),
            _ => pieces.push(seen),
        }
        Ok(())
    }

    fn too_long(&mut self) -> OutlineError {
        OutlineError::TooLong(self.outline.frame.take())
    }

    fn read_byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.file.read_exact(&mut byte)?;
        self.at += 1;
        Ok(byte[0])
    }
}

/// What the decoder has to see of a file, one piece behind the other.
#[derive(Debug)]
pub(super) struct Pieces<F> {
    file: F,
    rest: std::vec::IntoIter<Range<u64>>,
    /// How much is left of the piece that is read.
    left: u64,
}

impl<F: Read + Seek> Read for Pieces<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.left == 0 {
            let Some(piece) = self.rest.next() else {
                return Ok(0);
            };
            self.file.seek(SeekFrom::Start(piece.start))?;
            self.left = piece.end - piece.start;
        }
        let count = self.file.by_ref().take(self.left).read(buffer)?;
        self.left -= count as u64;
        if count == 0 && !buffer.is_empty() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(count)
    }
}

/// The decoder asks for it, and reads from the beginning to the end.
impl<F> Seek for Pieces<F> {
    fn seek(&mut self, _position: SeekFrom) -> io::Result<u64> {
        Err(ErrorKind::Unsupported.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::io::Cursor;

    fn outline(file: &[u8]) -> Result<Outline, OutlineError> {
        Outline::of(Cursor::new(file), u64::MAX)
    }

    fn seen(file: &[u8]) -> Vec<u8> {
        let mut seen = Vec::new();
        let mut pieces = outline(file).unwrap().cut_out(Cursor::new(file));
        pieces.read_to_end(&mut seen).unwrap();
        seen
    }

    fn segment(code: u8, bytes: &[u8]) -> Vec<u8> {
        let length = u16::try_from(bytes.len() + 2).unwrap().to_be_bytes();
        [&[MARKER, code], &length[..], bytes].concat()
    }

    /// A frame of three components, the first of which has four blocks in a unit.
    fn frame(code: u8, width: u16, height: u16) -> Vec<u8> {
        let [w, h] = [width, height].map(u16::to_be_bytes);
        segment(
            code,
            &[
                8, h[0], h[1], w[0], w[1], 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1,
            ],
        )
    }

    const START: &[u8] = b"\xFF\xD8";
    const END: &[u8] = b"\xFF\xD9";
    const SCAN: &[u8] = b"\xFF\xDA\x00\x0C\x03\x01\0\x02\0\x03\0\0\x3F\0";

    #[test]
    fn only_the_marker_at_the_end_counts() {
        let thumbnail = b"\xFF\xE1\x00\x06\xFF\xD8\xFF\xD9";
        let pixels = b"pixels\xFF\x00pixels\xFF\xD0pixels";
        let end = b"\xFF\xFF\xD9";
        let cut = [START, thumbnail, SCAN, pixels].concat();
        let whole = [&cut, end.as_slice(), b"more"].concat();
        outline(&whole).unwrap();
        for length in 0..cut.len() {
            let error = outline(&cut[..length]).unwrap_err();
            assert!(matches!(error, OutlineError::Cut), "{length}: {error:?}");
        }
        // A segment that is shorter than its own length does not lead round in a circle.
        let error = outline(b"\xFF\xD8\xFF\xE0\x00\x00").unwrap_err();
        assert!(matches!(error, OutlineError::NotThis), "{error:?}");
    }

    #[test]
    fn the_decoder_sees_tables_and_pixels_and_nothing_else() {
        let (table, frame) = (segment(0xDB, &[0; 65]), frame(0xC0, 9, 9));
        let adobe = segment(0xEE, b"Adobe\0\x64\0\0\0\0\x01");
        let pixels = b"a\xFF\x00b\xFF\xD1c";
        let needed = [START, &table, &adobe, &frame, SCAN, pixels, END].concat();
        assert_eq!(seen(&needed), needed);
        let comment = segment(0xFE, b"words");
        let profile = segment(0xE2, b"ICC_PROFILE\0\x01\x01profile");
        // A frame inside of a segment that some decoder may get into.
        let trap = segment(
            0xE1,
            &[b"http://ns.adobe.com/xap/1.0/\0", &frame[..]].concat(),
        );
        let stuffed = [
            START,
            &profile,
            &table,
            b"garbage",
            &adobe,
            &trap,
            b"\xFF\xD8",
            &frame,
            &comment,
            SCAN,
            pixels,
            &comment,
            END,
            b"another picture",
        ]
        .concat();
        assert_eq!(seen(&stuffed), needed);
    }

    #[test]
    fn memory_is_told_by_the_header() {
        let one_scan = |frame: &[u8]| [START, frame, SCAN, b"pixels", END].concat();
        // 4,096 units of six blocks, of 64 coefficients of two bytes.
        let coefficients = 4_096 * 6 * 128;
        let progressive = outline(&one_scan(&frame(0xC2, 1_024, 1_024))).unwrap();
        let row = progressive.working_bytes() - coefficients;
        assert!(row < 1 << 20, "{row}");
        let baseline = outline(&one_scan(&frame(0xC0, 1_024, 1_024))).unwrap();
        assert_eq!(baseline.working_bytes(), row);
        assert_eq!(baseline.visits, 4_096 * 6);
        // One component after the other: all of them have to be kept.
        let single = b"\xFF\xDA\x00\x08\x01\x01\0\0\x3F\0";
        let scans = [START, &frame(0xC0, 1_024, 1_024), &single.repeat(3), END].concat();
        let one_by_one = outline(&scans).unwrap();
        assert_eq!(one_by_one.working_bytes(), row + coefficients);
        assert_eq!(one_by_one.visits, 4_096 * 4 * 3);
    }

    #[test]
    fn what_is_too_long_is_not_read_to_its_end() {
        struct Endless(u64);
        impl Read for Endless {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                self.0 += buffer.len() as u64;
                buffer.fill(7);
                Ok(buffer.len())
            }
        }
        impl Seek for Endless {
            fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
                Err(ErrorKind::Unsupported.into())
            }
        }
        struct File(io::BufReader<io::Chain<Cursor<Vec<u8>>, Endless>>);
        impl Read for File {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                self.0.read(buffer)
            }
        }
        impl BufRead for File {
            fn fill_buf(&mut self) -> io::Result<&[u8]> {
                self.0.fill_buf()
            }
            fn consume(&mut self, count: usize) {
                self.0.consume(count);
            }
        }
        impl Seek for File {
            fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
                Err(ErrorKind::Unsupported.into())
            }
        }
        let start = Cursor::new([START, SCAN].concat());
        let mut file = File(io::BufReader::new(start.chain(Endless(0))));
        let error = Outline::of(&mut file, 1 << 20).unwrap_err();
        assert!(matches!(error, OutlineError::TooLong(None)), "{error:?}");
        assert!(file.0.get_ref().get_ref().1.0 < 2 << 20);
    }
}
