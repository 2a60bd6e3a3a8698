//! The wall time and the monotonic time of a publication, for one system call.

use crate::sys;

/// The time of a publication.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timestamps {
    /// Wall time, nanoseconds since 1970.
    pub(crate) wall: u64,
    /// Monotonic time, nanoseconds.
    pub(crate) monotonic: u64,
}

/// A publisher's clock. Reading a clock costs as much as all the rest of publishing a small sample,
/// so only the monotonic clock is read each time, and the wall clock's offset to it once a second.
#[derive(Debug, Default)]
pub(super) struct Clock {
    wall_offset: u64,
    /// The monotonic time at which `wall_offset` is read again.
    resync_at: u64,
}

impl Clock {
    const PERIOD: u64 = 1_000_000_000;

    /// Returns the current time. A wall clock that is set is noticed within a second.
    #[inline]
    pub(super) fn now(&mut self) -> Timestamps {
        let monotonic = sys::monotonic_nanos();
        if monotonic >= self.resync_at {
            self.update(monotonic);
        }
        Timestamps {
            wall: self.wall_offset.wrapping_add(monotonic),
            monotonic,
        }
    }

    #[cold]
    fn update(&mut self, monotonic: u64) {
        self.wall_offset = sys::unix_nanos().wrapping_sub(monotonic);
        self.resync_at = monotonic.saturating_add(Self::PERIOD);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_wall_clock_is_read_once_a_second() {
        let mut clock = Clock::default();
        let before = sys::unix_nanos();
        let first = clock.now();
        let after = sys::unix_nanos();
        assert!((before..=after).contains(&first.wall), "{first:?}");
        let (wall_offset, resync_at) = (clock.wall_offset, clock.resync_at);
        assert_eq!(resync_at - Clock::PERIOD, first.monotonic);
        // As if the wall clock had been set since.
        clock.wall_offset += 1;
        let second = clock.now();
        assert!(second.monotonic >= first.monotonic);
        assert_eq!(second.wall - second.monotonic, wall_offset + 1);
        clock.resync_at = second.monotonic;
        let third = clock.now();
        assert!(third.wall.abs_diff(sys::unix_nanos()) < Clock::PERIOD);
    }
}
