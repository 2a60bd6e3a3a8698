//! What a dead peer left behind, byte by byte, before anybody has looked at it.

use std::{fs::File, os::unix::fs::FileExt};

use e2e_tests::Fixture;

/// The words of a segment that tell what is to be expected (LAYOUT.md, sections 3 and 6).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Image {
    flags: u32,
    lock: u32,
}

impl Image {
    /// Looks at the segment under the fixture's key; `None` where nothing has that name.
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

    /// Whether a holder died with the lock and nobody has said "repaired" since. The participants does
    /// not hold it, so an owner is a dead one.
    pub(crate) fn is_abandoned(self) -> bool {
        let (owner, abandoned) = (self.lock >> 2 & 0xff, self.lock & 2);
        owner != 0 || abandoned != 0
    }
}
