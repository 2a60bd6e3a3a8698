//! Following a segment of a Qt program by polling: Qt has no wake-up.

use std::time::Instant;

use qt_bridge::{PollResult, QtKey};

use super::event::Event;
use crate::content::Content;
use crate::critical;
use crate::deadline::Deadline;
use crate::error::SourceError;
use crate::source::Source;

#[derive(Debug)]
pub(super) struct FollowQt {
    source: Source,
    poller: qt_bridge::Poller,
    /// When to poll again.
    due: Instant,
}

impl FollowQt {
    pub(super) fn new(key: &QtKey, source: Source) -> FollowQt {
        FollowQt {
            poller: qt_bridge::Poller::new(key, source.form, source.qt_lock_timeout),
            source,
            due: Instant::now(),
        }
    }

    pub(super) fn next(&mut self, deadline: Deadline) -> Result<Event, SourceError> {
        loop {
            if !deadline.sleep_until(self.due) {
                return Ok(Event::Timeout);
            }
            let polled = critical::section(|| self.poller.poll());
            self.due = Instant::now() + self.poller.interval();
            match polled.map_err(SourceError::Qt)? {
                PollResult::New(reading) => {
                    let content = Content::of_reading(self.source.address.clone(), reading);
                    return Ok(Event::Content(Box::new(content)));
                }
                PollResult::NotFound => return Ok(Event::NoSegment),
                PollResult::Unchanged => {}
            }
        }
    }
}
