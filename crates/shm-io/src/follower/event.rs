//! What a follower returns.

use crate::content::Content;

/// Which samples a [`Follower`](crate::Follower) returns. In a segment of a Qt program there is only a newest one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The newest each time; those that were published before it and not read count as skipped.
    Latest,
    /// Each in order, as far as the ring retains it.
    InOrder(Begin),
}

/// Where a follower in order begins. Later segments under the key it reads from their first sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// With the oldest sample that the ring retains.
    Oldest,
    /// With the newest sample that is there.
    Newest,
    /// With the next sample that is published.
    Now,
}

/// What happened to a segment that is followed.
#[derive(Debug)]
pub enum Event {
    /// This content was not returned before.
    Content(Box<Content>),
    /// The segment has no content: nothing was published yet, or it was cleared.
    Empty {
        /// How many samples were missed before it was cleared, if each is wanted.
        skipped: u64,
    },
    /// The last publisher detached or died; the segment stays, because it is persistent.
    PublisherGone,
    /// There is no segment, or not any more.
    NoSegment,
    /// It is a block of bytes or a semaphore: nothing tells when it changes.
    Block,
    /// Nothing happened before the timeout.
    Timeout,
}
