//! The number of a sample.

use std::cmp::Ordering;
use std::fmt;

/// The number of a sample in its segment.
///
/// The first sample has 1. Each later sample and each clearing has the next number, whichever
/// publisher it comes from. A new segment starts at 1 again.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # use shm_core::{Key, Options, Publisher};
/// # let options = Options::new().directory(directory.path());
/// let publisher = Publisher::open(&Key::new("log")?, &options)?;
/// let first = publisher.publish_text("one")?;
/// let second = publisher.publish_text("two")?;
/// assert_eq!((first.get(), second.get()), (1, 2));
/// assert!(first < second);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(u64);

impl Sequence {
    /// Creates the sequence with this number, as another program reported or stored it.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Returns the number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<u64> for Sequence {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl From<Sequence> for u64 {
    fn from(sequence: Sequence) -> Self {
        sequence.0
    }
}

impl PartialEq<u64> for Sequence {
    fn eq(&self, other: &u64) -> bool {
        self.0 == *other
    }
}

impl PartialOrd<u64> for Sequence {
    fn partial_cmp(&self, other: &u64) -> Option<Ordering> {
        self.0.partial_cmp(other)
    }
}
