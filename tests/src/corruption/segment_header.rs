//! The header of a segment, validated by the rules of docs/LAYOUT.md, section 3.

use std::{
    fs::File,
    os::unix::fs::{FileExt, MetadataExt},
};

use crate::layout;

pub(super) const BLOCK: u32 = 1;
pub(super) const SAMPLES: u32 = 2;

/// The first bytes of a file, its length and its memory.
#[derive(Debug)]
pub(super) struct SegmentHeader {
    bytes: [u8; 0x40],
    is_long_enough: bool,
    length: u64,
    memory: u64,
}

impl SegmentHeader {
    pub(super) fn of(file: &File) -> SegmentHeader {
        let facts = file.metadata().expect("the metadata of an open file");
        let mut bytes = [0; 0x40];
        let read = file.read_at(&mut bytes, 0);
        SegmentHeader {
            is_long_enough: read.is_ok_and(|length| length >= 0x38),
            bytes,
            length: facts.len(),
            memory: facts.blocks() * 512,
        }
    }

    /// Returns `true` if it is a segment of any version.
    pub(super) fn is_segment(&self) -> bool {
        self.is_long_enough && self.bytes.starts_with(b"SHM-CORE") && self.number(0x0c) <= 65_536
    }

    /// Returns `true` if the next process that looks at it removes it once no process is attached.
    pub(super) fn is_removed_with_last(&self) -> bool {
        self.is_segment() && (self.is_removed() || self.number(layout::FLAGS) & 1 == 0)
    }

    /// Returns `true` if attaching to it as this kind succeeds while a process is attached.
    pub(super) fn admits(&self, kind: u32) -> bool {
        let [block, ring] = [0x30, 0x38].map(|offset| self.long(offset));
        let is_possible = match kind {
            BLOCK => (1..=layout::REGION_STRIDE).contains(&block),
            _ => ring.is_power_of_two() && (1 << 14..=1 << 30).contains(&ring),
        };
        if !is_possible {
            return false;
        }
        let control = layout::CONTROL as u64;
        let (length, memory) = match kind {
            BLOCK => (0x10000 + block, control + block),
            _ => (control + ring, control + ring),
        };
        self.is_segment()
            && !self.is_removed()
            && self.number(0x08) == 2
            && self.number(0x0c) == 128
            && self.number(0x14) == kind
            && self.length >= length
            && self.memory >= memory
    }

    fn is_removed(&self) -> bool {
        self.number(layout::FLAGS) & 2 != 0
    }

    fn number(&self, offset: usize) -> u32 {
        u32::from_le_bytes(std::array::from_fn(|at| self.bytes[offset + at]))
    }

    fn long(&self, offset: usize) -> u64 {
        u64::from(self.number(offset)) | u64::from(self.number(offset + 4)) << 32
    }
}
