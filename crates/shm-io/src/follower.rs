//! Following the content of a segment.

mod event;
mod own;
mod qt;

use std::time::Duration;

use shm_core::{Access, Participant};

use self::own::FollowOwn;
use self::qt::FollowQt;
use crate::address::Address;
use crate::content::Content;
use crate::deadline::Deadline;
use crate::error::SourceError;
use crate::source::Source;

pub use self::event::{Begin, Event, Wanted};

/// Follows the content under a key, also across segments that are removed and created.
///
/// Attaches to a segment of shm-core once, and sleeps until something is published; without a
/// segment, until one is created. Polls a segment of a Qt program, at most five times a second.
/// Blocks the calling thread.
#[derive(Debug)]
pub struct Follower(Kind);

#[derive(Debug)]
enum Kind {
    Own(Box<FollowOwn>),
    Qt(Box<FollowQt>),
}

impl Source {
    /// Creates a follower, which does not read anything yet.
    #[must_use]
    pub fn follow(self, wanted: Wanted) -> Follower {
        Follower(match &self.address {
            Address::Own(key) => Kind::Own(Box::new(FollowOwn::new(key.clone(), self, wanted))),
            Address::Qt(key) => Kind::Qt(Box::new(FollowQt::new(&key.clone(), self))),
        })
    }
}

impl Follower {
    /// Blocks until the next event, at most `timeout`; forever if `None`.
    ///
    /// The first call returns the present state: a content, [`Event::Empty`], [`Event::NoSegment`]
    /// or [`Event::Block`]. (With [`Wanted::InOrder`], [`Event::Empty`] is returned only after a
    /// clear.) The timeout also bounds the time that attaching and locking take, whatever other
    /// processes do.
    ///
    /// # Errors
    ///
    /// [`SourceError`] if the segment cannot be attached to or read. Later calls try again, about
    /// once a second, as for a block.
    pub fn next(&mut self, timeout: Option<Duration>) -> Result<Event, SourceError> {
        let deadline = Deadline::within(timeout);
        match &mut self.0 {
            Kind::Own(follow) => follow.next(deadline),
            Kind::Qt(follow) => follow.next(deadline),
        }
    }

    /// Returns the content that was returned last once more; `None` if it is no longer the newest,
    /// or it is of a Qt program.
    ///
    /// # Errors
    ///
    /// [`SourceError`] if it cannot be read.
    pub fn again(&mut self) -> Result<Option<Content>, SourceError> {
        match &mut self.0 {
            Kind::Own(follow) => follow.again(),
            Kind::Qt(_) => Ok(None),
        }
    }

    /// Returns the other processes that are attached; none if there is no segment, or it belongs to
    /// a Qt program.
    #[must_use]
    pub fn peers(&self) -> Vec<Participant> {
        match &self.0 {
            Kind::Own(follow) => follow.peers(),
            Kind::Qt(_) => Vec::new(),
        }
    }

    /// Returns `true` if another process is attached as a publisher.
    #[must_use]
    pub fn has_publisher(&self) -> bool {
        let publishes = |peer: &Participant| peer.access == Access::ReadWrite;
        self.peers().iter().any(publishes)
    }
}
