//! Following a key of shm-core from segment to segment.

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

/// The shortest time between two looks at what cannot be followed.
const PAUSE: Duration = Duration::from_millis(900);

#[derive(Debug)]
pub(super) struct FollowOwn {
    key: Key,
    source: Source,
    wanted: Wanted,
    state: State,
    /// Whether it has looked at the key before: then it returns everything that was published since.
    has_looked: bool,
    /// The segment that it detached from last, and the sequence number that comes next there.
    left: Option<(SegmentId, Option<Sequence>)>,
    /// When to look again at what cannot be followed.
    due: Option<Instant>,
}

#[derive(Debug)]
enum State {
    /// It does not know yet what is there.
    Detached,
    /// It waits for the key to appear.
    Watching(KeyWatch),
    /// It waits for news.
    Attached(Subscriber),
}

impl FollowOwn {
    pub(super) fn new(key: Key, source: Source, wanted: Wanted) -> FollowOwn {
        FollowOwn {
            key,
            source,
            wanted,
            state: State::Detached,
            has_looked: false,
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
        let is_stuck = matches!(event, Err(_) | Ok(Event::Block));
        self.due = is_stuck.then(|| Instant::now() + PAUSE);
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
        // News are read in their turn.
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
                self.has_looked = true;
                self.state = State::Watching(watch);
                Ok(Some(Event::NoSegment))
            }
            attached => self.begin(attached, deadline),
        }
    }

    /// Begins to read from a segment that was just attached to.
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

    /// Places the subscriber's cursor so that nothing is lost or read twice.
    fn start(&mut self, subscriber: Subscriber, begin: Begin) -> Subscriber {
        if !std::mem::replace(&mut self.has_looked, true) {
            return match begin {
                Begin::Oldest => subscriber.from_oldest(),
                Begin::Newest => subscriber,
                Begin::Now => subscriber.from_now(),
            };
        }
        match self.left.filter(|(segment, _)| *segment == subscriber.id()) {
            // All of it was published since the last look.
            None => subscriber.from_sequence(1),
            Some((_, Some(next))) => subscriber.from_sequence(next),
            // Damaged before: the newest may be whole.
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
            // What is not persistent ends with its last publisher; under the same name another
            // segment may have been created.
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
