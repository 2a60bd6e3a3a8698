//! Decompression bombs: small picture files that claim large pictures.

/// Returns a JPEG segment.
pub(crate) fn jpeg_segment(code: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len() + 2).unwrap().to_be_bytes();
    [&[0xFF, code], &length[..], bytes].concat()
}

/// Returns a JPEG of one colour. `frame` is the code of its kind; each of `scans` is its first
/// coefficient, last coefficient, the bits of them, and its pixels.
pub(crate) fn jpeg(
    frame: u8,
    (width, height): (u16, u16),
    scans: &[([u8; 3], Vec<u8>)],
) -> Vec<u8> {
    let [w, h] = [width, height].map(u16::to_be_bytes);
    // One code of one bit for each table: no difference for the DC coefficient; the end of so many
    // blocks for the AC coefficients, with 14 extra bits.
    let table = |class: u8, symbol: u8| {
        let lengths = [[1].as_slice(), &[0; 15]].concat();
        jpeg_segment(0xC4, &[&[class], lengths.as_slice(), &[symbol]].concat())
    };
    let mut file = [
        b"\xFF\xD8".to_vec(),
        jpeg_segment(0xDB, &[&[0], [1; 64].as_slice()].concat()),
        jpeg_segment(frame, &[8, h[0], h[1], w[0], w[1], 1, 1, 0x11, 0]),
        table(0x00, 0),
        table(0x10, 0xE0),
    ]
    .concat();
    for ([first, last, bits], pixels) in scans {
        file.extend(jpeg_segment(0xDA, &[1, 1, 0, *first, *last, *bits]));
        file.extend(pixels);
    }
    file.extend(b"\xFF\xD9");
    file
}

/// Returns a progressive JPEG of so many scans, each a few bytes for the whole picture.
pub(crate) fn progressive_jpeg(sides: (u16, u16), scans: usize) -> Vec<u8> {
    jpeg(0xC2, sides, &vec![([1, 63, 0], vec![0; 8]); scans])
}

/// Returns a PNG file with these chunks between its header and its pixels.
pub(crate) fn png(
    (width, height): (u32, u32),
    (bits, color): (u8, u8),
    chunks: &[(&[u8; 4], Vec<u8>)],
    rows: &[u8],
) -> Vec<u8> {
    let sides = [width, height].map(u32::to_be_bytes).concat();
    let header = [sides.as_slice(), &[bits, color, 0, 0, 0]].concat();
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    file.extend(png_chunk(b"IHDR", &header));
    for (name, content) in chunks {
        file.extend(png_chunk(name, content));
    }
    file.extend(png_chunk(b"IDAT", rows));
    file.extend(png_chunk(b"IEND", b""));
    file
}

/// Returns a chunk of a PNG file.
pub(crate) fn png_chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    let checked = [name.as_slice(), content].concat();
    let sum = crc32(&checked).to_be_bytes();
    [&length, checked.as_slice(), &sum].concat()
}

/// Returns the checksum of a PNG chunk.
fn crc32(bytes: &[u8]) -> u32 {
    let table: Vec<u32> = (0..=255_u32)
        .map(|byte| {
            (0..8).fold(byte, |crc, _| {
                (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())
            })
        })
        .collect();
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        let index = (crc ^ u32::from(*byte)) & 0xFF;
        (crc >> 8) ^ table[usize::try_from(index).unwrap()]
    })
}

/// A bit stream, lowest bit of each byte first, as in deflate and lossless WebP.
#[derive(Default)]
pub(crate) struct Bits {
    bytes: Vec<u8>,
    count: usize,
}

impl Bits {
    /// Writes a number, its lowest bit first.
    pub(crate) fn number(&mut self, number: u64, bits: usize) {
        for bit in 0..bits {
            if self.count.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let last = self.bytes.last_mut().unwrap();
            *last |= u8::from(number >> bit & 1 == 1) << (self.count % 8);
            self.count += 1;
        }
    }

    /// Writes a code, its highest bit first.
    pub(crate) fn code(&mut self, code: u64, bits: usize) {
        for bit in (0..bits).rev() {
            self.number(code >> bit & 1, 1);
        }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Returns at least `count` zeros, compressed with zlib.
pub(crate) fn packed_zeros(count: usize) -> Vec<u8> {
    let mut bits = Bits::default();
    // 258 bytes, from a distance of one.
    let repeat = |bits: &mut Bits| {
        bits.code(0b1100_0101, 8);
        bits.code(0, 5);
    };
    // One block with the fixed codes: a zero, and its repetitions.
    bits.number(1, 1);
    bits.number(1, 2);
    bits.code(0x30, 8);
    repeat(&mut bits);
    // From here on, eight of them are whole bytes.
    let eights = count.div_ceil(8 * 258);
    let mut eight = Bits::default();
    (0..8).for_each(|_| repeat(&mut eight));
    bits.bytes.extend(eight.bytes.repeat(eights));
    bits.code(0, 7);
    let length = 1 + (1 + 8 * eights) * 258;
    let sum = u32::try_from(length % 65_521).unwrap() << 16 | 1;
    [
        b"\x78\x01".to_vec(),
        bits.into_bytes(),
        sum.to_be_bytes().to_vec(),
    ]
    .concat()
}

/// Returns the pixels of a PNG whose `count` rows all equal the first one, compressed with zlib.
pub(crate) fn packed_rows(row: &[u8], count: usize) -> Vec<u8> {
    // The first row is stored; each byte of the others has no difference from the one above it.
    let mut file = b"\x78\x01\0".to_vec();
    let length = u16::try_from(row.len() + 1).unwrap();
    file.extend([length, !length].map(u16::to_le_bytes).concat());
    file.push(0);
    file.extend(row);
    let mut bits = Bits::default();
    bits.number(1, 1);
    bits.number(1, 2);
    bits.code(0x30 + 2, 8);
    for _ in 258..row.len() {
        bits.code(0x30, 8);
    }
    // 258 bytes, from a distance of one. From here on everything is in whole bytes.
    bits.code(0b1100_0101, 8);
    bits.code(0, 5);
    // As many bytes from a distance of one row: the code for more than 16,384, and the remainder.
    let repeat = |bits: &mut Bits| {
        bits.code(0b1100_0101, 8);
        bits.code(28, 5);
        bits.number(u64::from(length) - 16_385, 13);
    };
    let eights = ((count - 2) * usize::from(length)).div_ceil(8 * 258);
    let mut eight = Bits::default();
    (0..8).for_each(|_| repeat(&mut eight));
    bits.bytes.extend(eight.bytes.repeat(eights));
    bits.code(0, 7);
    [file, bits.into_bytes(), vec![0; 4]].concat()
}

/// Returns an icon file with one picture.
pub(crate) fn ico(picture: &[u8], side: u8) -> Vec<u8> {
    let length = u32::try_from(picture.len()).unwrap().to_le_bytes();
    [
        b"\0\0\x01\0\x01\0",
        [side, side, 0, 0, 1, 0, 32, 0].as_slice(),
        &length,
        &22_u32.to_le_bytes(),
        picture,
    ]
    .concat()
}

/// Returns a TIFF file with these tags (number, type, values) and a body after its header.
pub(crate) fn tiff(tags: &[(u16, u16, &[u32])], body: &[u8]) -> Vec<u8> {
    const HEADER: usize = 8;
    let mut file = b"II*\0".to_vec();
    let mut beside = body.to_vec();
    let mut directory = u16::try_from(tags.len()).unwrap().to_le_bytes().to_vec();
    for (tag, kind, values) in tags {
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|value| match kind {
                3 => u16::try_from(*value).unwrap().to_le_bytes().to_vec(),
                _ => value.to_le_bytes().to_vec(),
            })
            .collect();
        directory.extend([*tag, *kind].map(u16::to_le_bytes).concat());
        directory.extend(u32::try_from(values.len()).unwrap().to_le_bytes());
        if bytes.len() <= 4 {
            directory.extend([bytes.as_slice(), &[0; 4][bytes.len()..]].concat());
        } else {
            let offset = u32::try_from(HEADER + beside.len()).unwrap();
            directory.extend(offset.to_le_bytes());
            beside.extend(bytes);
        }
    }
    file.extend(u32::try_from(HEADER + beside.len()).unwrap().to_le_bytes());
    [file, beside, directory, vec![0; 4]].concat()
}

/// Returns a WebP file of these chunks.
pub(crate) fn webp(chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut body = b"WEBP".to_vec();
    for (name, content) in chunks {
        body.extend(*name);
        body.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
        body.extend(content);
        body.resize(body.len().next_multiple_of(2), 0);
    }
    let length = u32::try_from(body.len()).unwrap();
    [b"RIFF".as_slice(), &length.to_le_bytes(), &body].concat()
}

/// Returns the header of a lossless WebP picture.
fn lossless_header((width, height): (u64, u64)) -> Bits {
    let mut bits = Bits::default();
    bits.number(0x2F, 8);
    bits.number(width - 1, 14);
    bits.number(height - 1, 14);
    bits.number(0, 1 + 3);
    bits
}

/// Writes five codes of one symbol each, which take no bits: red, green, blue, opacity, distance.
fn single_codes(bits: &mut Bits, green_and_red: u64) {
    for symbol in [green_and_red, green_and_red, 0, 255, 0] {
        bits.number(0b101, 3);
        bits.number(symbol, 8);
    }
}

/// Returns a lossless WebP picture of one colour.
pub(crate) fn lossless_webp(sides: (u64, u64)) -> Vec<u8> {
    let mut bits = lossless_header(sides);
    // No transforms, no colour cache, one group of codes.
    bits.number(0, 3);
    single_codes(&mut bits, 0);
    webp(&[(b"VP8L", bits.into_bytes())])
}

/// Returns a lossless WebP picture with so many groups of codes: each is a few bytes in the file,
/// and its tables have thousands.
pub(crate) fn many_codes_webp(groups: u64) -> Vec<u8> {
    let mut bits = lossless_header((16, 16));
    // No transforms, no colour cache. The group of codes for each square of pixels is given by
    // another picture, of one colour.
    bits.number(0, 2);
    bits.number(1, 1);
    bits.number(0, 3);
    bits.number(0, 1);
    let last = groups - 1;
    for symbol in [last & 0xFF, last >> 8, 0, 255, 0] {
        bits.number(0b101, 3);
        bits.number(symbol, 8);
    }
    for _ in 0..groups * 5 {
        long_code(&mut bits);
    }
    webp(&[(b"VP8L", bits.into_bytes())])
}

/// Writes a code whose symbols are 1, 2, … 9, 10 and 10 bits long.
fn long_code(bits: &mut Bits) {
    // The code of the lengths: those up to 6 with 3 bits, those up to 10 with 4.
    let length_of = |symbol: u8| match symbol {
        1..=6 => 3,
        7..=10 => 4,
        _ => 0,
    };
    bits.number(0, 1);
    let order = [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10];
    bits.number(order.len() as u64 - 4, 4);
    for symbol in order {
        bits.number(length_of(symbol), 3);
    }
    // Of eleven symbols.
    bits.number(1, 1);
    bits.number(1, 3);
    bits.number(11 - 2, 4);
    for length in [1_u64, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10] {
        match length {
            1..=6 => bits.code(length - 1, 3),
            _ => bits.code(12 + length - 7, 4),
        }
    }
}
