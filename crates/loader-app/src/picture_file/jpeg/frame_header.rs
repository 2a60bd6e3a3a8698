//! JPEG frame headers, and the sizes that follow from them.

/// A frame header (SOF segment).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct FrameHeader {
    width: u16,
    height: u16,
    is_progressive: bool,
    components: Vec<Component>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Component {
    id: u8,
    /// The sampling factors: the blocks in an MCU, horizontally and vertically.
    horizontal: u64,
    vertical: u64,
}

impl FrameHeader {
    /// Parses the data of a SOF segment.
    pub(super) fn parse(segment: &[u8], is_progressive: bool) -> Option<FrameHeader> {
        let [_, h0, h1, w0, w1, _count, components @ ..] = segment else {
            return None;
        };
        let component = |&[id, sampling, _]: &[u8; 3]| Component {
            id,
            horizontal: u64::from(sampling >> 4).max(1),
            vertical: u64::from(sampling & 0xF).max(1),
        };
        Some(FrameHeader {
            width: u16::from_be_bytes([*w0, *w1]),
            height: u16::from_be_bytes([*h0, *h1]),
            is_progressive,
            components: components.as_chunks().0.iter().map(component).collect(),
        })
    }

    /// Returns the width and height.
    pub(in super::super) fn sides(&self) -> (u32, u32) {
        (self.width.into(), self.height.into())
    }

    pub(super) fn is_progressive(&self) -> bool {
        self.is_progressive
    }

    pub(super) fn component_count(&self) -> usize {
        self.components.len()
    }

    /// Returns the largest sampling factors, horizontal and vertical.
    fn max_sampling(&self) -> (u64, u64) {
        let max = |factor: fn(&Component) -> u64| self.components.iter().map(factor).max();
        (
            max(|component| component.horizontal).unwrap_or(1),
            max(|component| component.vertical).unwrap_or(1),
        )
    }

    /// Returns the number of MCUs per row and per column.
    fn mcus(&self) -> (u64, u64) {
        let (horizontal, vertical) = self.max_sampling();
        (
            u64::from(self.width).div_ceil(8 * horizontal),
            u64::from(self.height).div_ceil(8 * vertical),
        )
    }

    /// Returns the number of blocks of the picture.
    pub(super) fn blocks(&self) -> u64 {
        let (columns, rows) = self.mcus();
        let per_mcu: u64 = self.components.iter().map(Component::blocks).sum();
        columns * rows * per_mcu
    }

    /// Returns the bytes allocated for a row of MCUs: samples of 16 bits, stored and upsampled.
    pub(super) fn row_bytes(&self) -> u64 {
        let (columns, _) = self.mcus();
        let (max_horizontal, max_vertical) = self.max_sampling();
        let of_component = |component: &Component| {
            let stride = columns * component.horizontal * 8;
            let scale = (max_horizontal / component.horizontal).max(1)
                * (max_vertical / component.vertical).max(1);
            let rows = component.vertical * (8 + 2 + scale) + 2 * 8 * scale;
            stride * rows * 2
        };
        let scratch = columns * max_horizontal * 8 * 8 * 2;
        self.components.iter().map(of_component).sum::<u64>() + scratch
    }

    /// Returns the number of blocks in a scan of these components.
    pub(super) fn blocks_of(&self, ids: impl Iterator<Item = u8>) -> u64 {
        let (columns, rows) = self.mcus();
        let per_mcu: u64 = ids
            .filter_map(|id| self.components.iter().find(|component| component.id == id))
            .map(Component::blocks)
            .sum();
        columns * rows * per_mcu
    }
}

impl Component {
    fn blocks(&self) -> u64 {
        self.horizontal * self.vertical
    }
}
