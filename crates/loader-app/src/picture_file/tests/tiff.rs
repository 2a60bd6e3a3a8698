//! TIFF files that the encoder of `image` cannot write: rotated, 1-bit, CMYK, with a palette.

/// A TIFF file of one strip, with its tags.
pub(super) struct Tiff {
    pub(super) width: u16,
    pub(super) height: u16,
    pub(super) bits: u16,
    pub(super) samples: u16,
    /// 0 white is zero, 1 black is zero, 2 RGB, 3 palette, 5 CMYK.
    pub(super) photometric: u16,
    pub(super) orientation: u16,
    pub(super) pixels: Vec<u8>,
}

impl Tiff {
    /// Encodes the file in little-endian byte order.
    pub(super) fn encode(&self) -> Vec<u8> {
        let start = 8_u32;
        let pixels = u32::try_from(self.pixels.len()).expect("a small picture");
        let bits = start + pixels;
        let directory = bits + 2 * u32::from(self.samples);
        let (short, long) = (3, 4);
        let (bits_count, bits_value) = match self.samples {
            1 => (1, u32::from(self.bits)),
            more => (u32::from(more), bits),
        };
        let tags = [
            (256_u16, short, 1, u32::from(self.width)),
            (257, short, 1, self.height.into()),
            (258, short, bits_count, bits_value),
            (259, short, 1, 1),
            (262, short, 1, self.photometric.into()),
            (273, long, 1, start),
            (274, short, 1, self.orientation.into()),
            (277, short, 1, self.samples.into()),
            (278, short, 1, self.height.into()),
            (279, long, 1, pixels),
        ];
        let mut file = b"II*\0".to_vec();
        file.extend(directory.to_le_bytes());
        file.extend(&self.pixels);
        file.extend(self.bits.to_le_bytes().repeat(self.samples.into()));
        file.extend(u16::try_from(tags.len()).expect("few tags").to_le_bytes());
        for (tag, kind, count, value) in tags {
            file.extend([tag, kind].map(u16::to_le_bytes).concat());
            file.extend([count, value].map(u32::to_le_bytes).concat());
        }
        file.extend([0; 4]);
        file
    }
}
