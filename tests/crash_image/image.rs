//! The segment as a dead peer left it, read before any process has changed it.

use std::{fs::File, os::unix::fs::FileExt};

use e2e_tests::Fixture;

/// The words of a segment that determine the expected state (LAYOUT.md, sections 3 and 6).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Image {
    flags: u32,
    lock: u32,
}

impl Image {
    /// Reads the segment under the fixture's key; `None` if there is none.
    pub(crate) fn of(fixture: &Fixture) -> Option<Image> {
        let file = File::open(fixture.segment()).ok()?;
        let word = |offset| {
            let mut bytes = [0; 4];
            file.read_exact_at(&mut bytes, offset).unwrap();
            u32::from_le_bytes(bytes)
        };
        Some(Image {
            flags: word(0x10),
            lock: word(0x80),
        })
    }

    pub(crate) fn is_persistent(self) -> bool {
        self.flags & 1 != 0
    }

    pub(crate) fn is_removed(self) -> bool {
        self.flags & 2 != 0
    }

    /// Returns `true` if a holder died with the lock and no process has repaired since. The other
    /// participants do not hold it, so any owner is dead.
    pub(crate) fn is_abandoned(self) -> bool {
        let (owner, abandoned) = (self.lock >> 2 & 0xff, self.lock & 2);
        owner != 0 || abandoned != 0
    }
}
