//! The events of a follower.

use crate::content::Content;

/// Which samples a [`Follower`](crate::Follower) returns. A segment of a Qt program has only a
/// newest one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The newest each time. Samples that were published before it and not read count as skipped.
    Latest,
    /// Each one in order, as far as the ring retains it.
    InOrder(Begin),
}

/// Where a follower in order starts. It reads later segments under the key from their first sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// At the oldest sample that the ring retains.
    Oldest,
    /// At the newest sample.
    Newest,
    /// At the next sample that is published.
    Now,
}

/// An event of a followed segment.
#[derive(Debug)]
pub enum Event {
    /// New content.
    Content(Box<Content>),
    /// The segment is empty: nothing was published yet, or it was cleared.
    Empty {
        /// With [`Wanted::InOrder`], how many samples were missed before the clear.
        skipped: u64,
    },
    /// The last publisher detached or died. The segment stays, because it is persistent.
    PublisherGone,
    /// There is no segment, or no longer one.
    NoSegment,
    /// The segment is a block or a semaphore, which cannot be followed.
    Block,
    /// The timeout passed without an event.
    Timeout,
}
