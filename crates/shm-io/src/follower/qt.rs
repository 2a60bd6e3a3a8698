//! Following a segment of a Qt program: nothing tells when it changes, so it is polled.

use std::time::Instant;

use qt_bridge::{QtKey, Step};

use super::event::Event;
use crate::content::Content;
use crate::critical;
use crate::deadline::Deadline;
use crate::error::SourceError;
use crate::source::Source;

#[derive(Debug)]
pub(super) struct FollowQt {
    source: Source,
    follower: qt_bridge::Follower,
    /// When to look again.
    due: Instant,
}

impl FollowQt {
    pub(super) fn new(key: &QtKey, source: Source) -> FollowQt {
        FollowQt {
            follower: qt_bridge::Follower::new(key, source.form, source.qt_lock_timeout),
            source,
            due: Instant::now(),
        }
    }

    pub(super) fn next(&mut self, deadline: Deadline) -> Result<Event, SourceError> {
        loop {
            if !deadline.sleep_until(self.due) {
                return Ok(Event::Timeout);
            }
            let looked = critical::section(|| self.follower.look());
            self.due = Instant::now() + self.follower.pause();
            match looked.map_err(SourceError::Qt)? {
                Step::New(reading) => {
                    let content = Content::of_reading(self.source.address.clone(), reading);
                    return Ok(Event::Content(Box::new(content)));
                }
                Step::Gone => return Ok(Event::NoSegment),
                Step::Same => {}
            }
        }
    }
}
