//! What reading in order and waiting lead to.

use crate::error::ReadError;
use crate::sample::{Sample, Subscriber};

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitResult {
    /// There is something that this subscriber has not read: a sample, or a clearing.
    New,
    /// The last publisher left, or died. Told once; a later wait goes on waiting for another.
    PublisherGone,
    /// The segment was removed, moved away or replaced: what is loaded under its key appears
    /// elsewhere. Attach again.
    Removed,
    /// An [`Interrupter`](crate::Interrupter) ended it.
    Interrupted,
    /// The time is over.
    Timeout,
}

/// What comes next in order.
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
    /// Everything was read, and the last publisher left, or died. Told once; a later call goes on
    /// waiting for another.
    PublisherGone,
    /// Everything was read, and the segment was removed: nothing new will ever appear in it.
    Removed,
    /// An [`Interrupter`](crate::Interrupter) ended the wait.
    Interrupted,
    /// The time is over.
    Timeout,
}

/// Every sample in order until the last publisher has gone; made by [`Subscriber::iter`].
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
