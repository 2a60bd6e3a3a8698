//! The results of reading in order and of waiting.

use crate::error::ReadError;
use crate::sample::{Sample, Subscriber};

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitResult {
    /// There is a sample or a clearing that this subscriber has not read.
    New,
    /// The last publisher left or crashed. Reported once; a later wait waits for another publisher.
    PublisherGone,
    /// The segment was removed, moved away or replaced: new samples under its key appear in another
    /// segment, to which the caller can attach.
    Removed,
    /// An [`Interrupter`](crate::Interrupter) ended the wait.
    Interrupted,
    /// The timeout expired.
    Timeout,
}

/// The next item in order; returned by [`Subscriber::next`].
#[derive(Debug)]
#[non_exhaustive]
pub enum Next {
    /// A sample.
    Sample(Sample),
    /// A publisher erased everything that was published before.
    Cleared {
        /// How many samples were missed before that.
        skipped: u64,
    },
    /// Everything was read, and the last publisher left or crashed. Reported once; a later call
    /// waits for another publisher.
    PublisherGone,
    /// Everything was read, and the segment was removed: it will never have another sample.
    Removed,
    /// An [`Interrupter`](crate::Interrupter) ended the wait.
    Interrupted,
    /// The timeout expired.
    Timeout,
}

/// An iterator over all samples in order until the last publisher has left; created by
/// [`Subscriber::iter`].
#[derive(Debug)]
pub struct Iter<'a> {
    pub(super) subscriber: &'a mut Subscriber,
    pub(super) has_ended: bool,
}

impl Iterator for Iter<'_> {
    type Item = Result<Sample, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.has_ended {
            match self.subscriber.next(None) {
                Ok(Next::Sample(sample)) => return Some(Ok(sample)),
                Ok(Next::Cleared { .. } | Next::Timeout) => {}
                Ok(Next::PublisherGone | Next::Removed | Next::Interrupted) => {
                    self.has_ended = true;
                }
                Err(error) => {
                    self.has_ended = !error.is_passing();
                    return Some(Err(error));
                }
            }
        }
        None
    }
}
