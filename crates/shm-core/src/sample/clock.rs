//! When a sample is published: two times for the price of one look.

use crate::sys;

/// When a sample was published.
#[derive(Clone, Copy, Debug)]
pub(crate) struct When {
    /// By the wall clock, nanoseconds since 1970.
    pub(crate) wall: u64,
    /// By the monotonic clock, nanoseconds.
    pub(crate) monotonic: u64,
}

/// A publisher's clock. A look at a clock costs as much as all the rest of a small sample, so only
/// the monotonic one is read each time; how far the wall clock is ahead of it, once a second.
#[derive(Debug, Default)]
pub(super) struct Clock {
    ahead: u64,
    /// When `ahead` is read again, by the monotonic clock.
    renewed_at: u64,
}

impl Clock {
    const PERIOD: u64 = 1_000_000_000;

    /// This moment. A wall clock that is set is noticed within a second.
    #[inline]
    pub(super) fn now(&mut self) -> When {
        let monotonic = sys::monotonic_nanos();
        if monotonic >= self.renewed_at {
            self.renew(monotonic);
        }
        When {
            wall: self.ahead.wrapping_add(monotonic),
            monotonic,
        }
    }

    #[cold]
    fn renew(&mut self, monotonic: u64) {
        self.ahead = sys::unix_nanos().wrapping_sub(monotonic);
        self.renewed_at = monotonic.saturating_add(Self::PERIOD);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn both_clocks_are_told_and_the_wall_clock_is_read_once_a_second() {
        let mut clock = Clock::default();
        let before = sys::unix_nanos();
        let first = clock.now();
        let after = sys::unix_nanos();
        assert!((before..=after).contains(&first.wall), "{first:?}");
        let (ahead, renewed_at) = (clock.ahead, clock.renewed_at);
        assert_eq!(renewed_at - Clock::PERIOD, first.monotonic);
        // As if the wall clock had been set since.
        clock.ahead += 1;
        let second = clock.now();
        assert!(second.monotonic >= first.monotonic);
        assert_eq!(second.wall - second.monotonic, ahead + 1);
        clock.renewed_at = second.monotonic;
        let third = clock.now();
        assert!(third.wall.abs_diff(sys::unix_nanos()) < Clock::PERIOD);
    }
}
