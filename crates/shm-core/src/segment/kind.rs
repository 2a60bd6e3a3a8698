//! The kinds of segments.

use crate::layout;

/// The kind of segment to create or attach to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Block { bytes: u64 },
    Samples { ring_bytes: u64, retain_bytes: u64 },
    Semaphore { units: u32 },
}

impl Kind {
    pub(super) fn code(self) -> u32 {
        match self {
            Self::Block { .. } => layout::kind::BLOCK,
            Self::Samples { .. } => layout::kind::SAMPLES,
            Self::Semaphore { .. } => layout::kind::SEMAPHORE,
        }
    }

    /// Returns the offset and length of what is reserved behind the control area at creation, if
    /// anything.
    pub(super) fn data(self) -> Option<(u64, u64)> {
        match self {
            Self::Block { bytes } => Some((layout::BLOCK_OFFSET, bytes)),
            Self::Samples { ring_bytes, .. } => Some((layout::RING_OFFSET as u64, ring_bytes)),
            Self::Semaphore { .. } => None,
        }
    }
}
