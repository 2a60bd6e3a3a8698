//! Each content of a segment as it comes.

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

/// Follows what is published under a key, also when segments are removed and created.
///
/// In memory of shm-core it attaches once, and sleeps until there is news; while there is no segment,
/// until one appears. A segment of a Qt program it polls, five times a second at most. For one thread,
/// which it blocks.
#[derive(Debug)]
pub struct Follower(Kind);

#[derive(Debug)]
enum Kind {
    Own(Box<FollowOwn>),
    Qt(Box<FollowQt>),
}

impl Source {
    /// Begins to follow what is published; reads nothing yet.
    #[must_use]
    pub fn follow(self, wanted: Wanted) -> Follower {
        Follower(match &self.address {
            Address::Own(key) => Kind::Own(Box::new(FollowOwn::new(key.clone(), self, wanted))),
            Address::Qt(key) => Kind::Qt(Box::new(FollowQt::new(&key.clone(), self))),
        })
    }
}

impl Follower {
    /// Blocks until something happens, for `timeout` at most, or for ever.
    ///
    /// First returns what is there: a content, [`Event::Empty`], [`Event::NoSegment`] or
    /// [`Event::Block`]. (In order, [`Event::Empty`] only follows a clearing.) The timeout bounds that
    /// too, whatever other processes do to the segment meanwhile.
    ///
    /// # Errors
    ///
    /// [`SourceError`] if what is there cannot be attached to or read. As with a block, later calls
    /// try again, a second apart at most.
    pub fn next(&mut self, timeout: Option<Duration>) -> Result<Event, SourceError> {
        let deadline = Deadline::within(timeout);
        match &mut self.0 {
            Kind::Own(follow) => follow.next(deadline),
            Kind::Qt(follow) => follow.next(deadline),
        }
    }

    /// Returns once more the content that was returned last; `None` if it is not the newest any more,
    /// or cannot be had again.
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

    /// Returns the other processes that are attached; none if there is no segment, or it is of a Qt
    /// program.
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
