//! Following a key of shm-core across segments.

use std::time::{Duration, Instant};

use shm_core::{
    AttachError, AttachErrorKind, Key, KeyWatch, Next, Participant, Sample, SegmentId, Sequence,
    Subscriber, WaitResult, segment,
};

use super::event::{Begin, Event, Wanted};
use crate::content::Content;
use crate::deadline::Deadline;
use crate::error::SourceError;
use crate::source::Source;

/// How long to wait before trying again after an error or a block.
const PAUSE: Duration = Duration::from_millis(900);

#[derive(Debug)]
pub(super) struct FollowOwn {
    key: Key,
    source: Source,
    wanted: Wanted,
    state: State,
    /// Whether the key was examined before: then everything that was published since is returned.
    has_examined: bool,
    /// The segment that was followed last, and the next sequence number in it.
    left: Option<(SegmentId, Option<Sequence>)>,
    /// When to try again after an error or a block.
    due: Option<Instant>,
}

#[derive(Debug)]
enum State {
    /// Not attached, and not waiting for a segment.
    Detached,
    /// Waiting for a segment to be created.
    Watching(KeyWatch),
    /// Attached, and waiting for samples.
    Attached(Subscriber),
}

impl FollowOwn {
    pub(super) fn new(key: Key, source: Source, wanted: Wanted) -> FollowOwn {
        FollowOwn {
            key,
            source,
            wanted,
            state: State::Detached,
            has_examined: false,
            left: None,
            due: None,
        }
    }

    pub(super) fn next(&mut self, deadline: Deadline) -> Result<Event, SourceError> {
        if self.due.is_some_and(|due| !deadline.sleep_until(due)) {
            return Ok(Event::Timeout);
        }
        let event = loop {
            if let Some(event) = self.step(deadline).transpose() {
                break event;
            }
        };
        let cannot_follow = matches!(event, Err(_) | Ok(Event::Block));
        self.due = cannot_follow.then(|| Instant::now() + PAUSE);
        event
    }

    fn step(&mut self, deadline: Deadline) -> Result<Option<Event>, SourceError> {
        match std::mem::replace(&mut self.state, State::Detached) {
            State::Detached => self.attach(deadline),
            State::Watching(watch) => self.await_segment(watch, deadline),
            State::Attached(subscriber) => match self.wanted {
                Wanted::Latest => self.await_latest(subscriber, deadline),
                Wanted::InOrder(_) => self.await_next(subscriber, deadline),
            },
        }
    }

    pub(super) fn again(&mut self) -> Result<Option<Content>, SourceError> {
        let State::Attached(subscriber) = &mut self.state else {
            return Ok(None);
        };
        // The next event returns new samples.
        if subscriber.has_unread() {
            return Ok(None);
        }
        subscriber.reread();
        let sample = subscriber.latest().map_err(SourceError::Read)?;
        Ok(sample.map(|sample| self.content(sample)))
    }

    pub(super) fn peers(&self) -> Vec<Participant> {
        match &self.state {
            State::Attached(subscriber) => subscriber.peers(),
            State::Detached | State::Watching(_) => Vec::new(),
        }
    }

    fn content(&self, sample: Sample) -> Content {
        let skipped = sample.skipped();
        Content::of_sample(self.source.address.clone(), sample, skipped)
    }

    fn attach(&mut self, deadline: Deadline) -> Result<Option<Event>, SourceError> {
        let options = self.source.options.clone().timeout(deadline.lock_timeout());
        match Subscriber::attach(&self.key, &options) {
            Err(error) if *error.kind() == AttachErrorKind::NotFound => {
                let watch = KeyWatch::new(&self.key, &self.source.options);
                let watch = watch.map_err(SourceError::Attach)?;
                if let Some(polling) = watch.polling() {
                    (self.source.on_polling)(polling);
                }
                self.has_examined = true;
                self.state = State::Watching(watch);
                Ok(Some(Event::NoSegment))
            }
            attached => self.begin(attached, deadline),
        }
    }

    /// Starts to read from a segment that was just attached to.
    fn begin(
        &mut self,
        attached: Result<Subscriber, AttachError>,
        deadline: Deadline,
    ) -> Result<Option<Event>, SourceError> {
        match attached {
            Ok(subscriber) => match self.wanted {
                Wanted::Latest => self.read_latest(subscriber, deadline),
                Wanted::InOrder(begin) => {
                    self.state = State::Attached(self.start(subscriber, begin));
                    Ok(None)
                }
            },
            Err(error) if *error.kind() == AttachErrorKind::WrongKind => Ok(Some(Event::Block)),
            Err(error) => Err(SourceError::Attach(error)),
        }
    }

    /// Sets the subscriber's cursor so that no sample is missed or read twice.
    fn start(&mut self, subscriber: Subscriber, begin: Begin) -> Subscriber {
        if !std::mem::replace(&mut self.has_examined, true) {
            return match begin {
                Begin::Oldest => subscriber.from_oldest(),
                Begin::Newest => subscriber,
                Begin::Now => subscriber.from_now(),
            };
        }
        match self.left.filter(|(segment, _)| *segment == subscriber.id()) {
            // All its samples were published since the key was examined.
            None => subscriber.from_sequence(1),
            Some((_, Some(next))) => subscriber.from_sequence(next),
            // The segment was damaged before; the newest sample may be intact.
            Some((_, None)) => subscriber,
        }
    }

    fn await_segment(
        &mut self,
        watch: KeyWatch,
        deadline: Deadline,
    ) -> Result<Option<Event>, SourceError> {
        match watch.attach_within(deadline.left()) {
            Err(error) if *error.kind() == AttachErrorKind::Timeout => {
                self.state = State::Watching(watch);
                Ok(Some(Event::Timeout))
            }
            attached => self.begin(attached, deadline),
        }
    }

    fn await_latest(
        &mut self,
        mut subscriber: Subscriber,
        deadline: Deadline,
    ) -> Result<Option<Event>, SourceError> {
        let waited = subscriber.wait(deadline.left());
        let event = match waited.map_err(SourceError::Read)? {
            WaitResult::New => return self.read_latest(subscriber, deadline),
            WaitResult::Timeout | WaitResult::Interrupted => Event::Timeout,
            // A segment that is not persistent ends with its last publisher, and another one may
            // have been created under the key.
            WaitResult::PublisherGone if self.is_persistent() => Event::PublisherGone,
            WaitResult::PublisherGone | WaitResult::Removed => return Ok(None),
        };
        self.state = State::Attached(subscriber);
        Ok(Some(event))
    }

    fn await_next(
        &mut self,
        mut subscriber: Subscriber,
        deadline: Deadline,
    ) -> Result<Option<Event>, SourceError> {
        let next = subscriber.next(deadline.left());
        self.left = Some((subscriber.id(), subscriber.next_sequence()));
        let event = match next.map_err(SourceError::Read)? {
            Next::Sample(sample) => Event::Content(Box::new(self.content(sample))),
            Next::Cleared { skipped } => Event::Empty { skipped },
            Next::PublisherGone if self.is_persistent() => Event::PublisherGone,
            Next::PublisherGone | Next::Removed => return Ok(None),
            _ => Event::Timeout,
        };
        self.state = State::Attached(subscriber);
        Ok(Some(event))
    }

    fn read_latest(
        &mut self,
        mut subscriber: Subscriber,
        deadline: Deadline,
    ) -> Result<Option<Event>, SourceError> {
        let latest = subscriber.latest_within(deadline.lock_timeout());
        let event = match latest.map_err(SourceError::Read)? {
            Some(sample) => Event::Content(Box::new(self.content(sample))),
            None => Event::Empty { skipped: 0 },
        };
        self.state = State::Attached(subscriber);
        Ok(Some(event))
    }

    fn is_persistent(&self) -> bool {
        segment::info(&self.key, &self.source.options).is_ok_and(|info| info.persistent)
    }
}
