//! The source of followed contents, with its warnings.

use std::time::Duration;

use gui_common::text::explain::Explain;
use gui_common::text::terminal;
use shm_io::{Address, Content, Event, Follower, PresenceGuard, Source, TIMEOUT, Wanted};

use super::arguments::Arguments;
use super::missed::MissedCounter;
use super::until_end::UntilEnd;
use crate::cli::failure::Failure;
use crate::owner::Owner;
use crate::session::{self, FetchError};

/// The result of waiting for a content.
pub(super) enum FollowEvent {
    /// A new content, and the number of samples skipped before it.
    Content(Box<Content>, u64),
    /// No new content yet.
    Nothing,
    /// No new content, and none is expected: all publishers have detached.
    End,
}

/// Waits for each new content of an address.
pub(super) struct FollowSource<'a> {
    source: Source,
    owner: Option<Owner>,
    follower: Follower,
    /// Reports to the publishers what was shown here.
    guard: PresenceGuard,
    missed: &'a MissedCounter,
    /// Skipped before the segment was cleared; added to the next content.
    skipped: u64,
    until_end: Option<UntilEnd>,
    /// Whether contents carry the state of the segment, which costs system calls.
    is_reported: bool,
    /// Whether a passing error, such as a held Qt lock, was already printed.
    is_warned: bool,
}

impl<'a> FollowSource<'a> {
    /// Starts to follow an address.
    pub(super) fn open(
        address: &Address,
        arguments: &Arguments,
        missed: &'a MissedCounter,
    ) -> FollowSource<'a> {
        let is_qt = address.qt().is_some();
        if is_qt {
            terminal::print_error(format_args!(
                "Qt has no change notification: {address} is polled, at most five times a second."
            ));
        }
        let owner = arguments.owner.clone();
        let source = session::source(address, owner.as_ref())
            .form(arguments.form)
            .qt_lock_timeout(lock_timeout(arguments.timeout));
        FollowSource {
            follower: source.clone().follow(Wanted::InOrder(arguments.begin())),
            guard: source.presence_guard(),
            source,
            owner,
            missed,
            skipped: 0,
            until_end: (arguments.ends() && !is_qt).then(|| UntilEnd::new(arguments.oldest)),
            is_reported: arguments.json,
            is_warned: false,
        }
    }

    /// Blocks until the next content, for at most `left`; may return earlier without one.
    pub(super) fn next(&mut self, left: Option<Duration>) -> Result<FollowEvent, Failure> {
        let pause = self.until_end.as_ref().map(UntilEnd::pause);
        match self.follower.next(left.into_iter().chain(pause).min()) {
            Ok(Event::Content(content)) => {
                self.is_warned = false;
                self.missed.count(content.skipped());
                if let Some(until_end) = &mut self.until_end {
                    until_end.record_content(&content, &self.follower);
                }
                return Ok(self.event(*content));
            }
            Ok(Event::Empty { skipped }) => {
                self.missed.count(skipped);
                self.skipped = self.skipped.saturating_add(skipped);
            }
            Ok(Event::Block) => return Err(not_followable(self.source.address())),
            Ok(Event::PublisherGone | Event::NoSegment | Event::Timeout) => {}
            Err(error) if error.is_passing() => {
                if !std::mem::replace(&mut self.is_warned, true) {
                    terminal::print_error(format_args!("{} Retrying.", error.explain()));
                }
            }
            Err(error) => {
                return Err(FetchError::new(error, &self.source, self.owner.as_ref()).into());
            }
        }
        let until_end = self.until_end.as_mut();
        let is_end = until_end.is_some_and(|until_end| until_end.check(&self.follower));
        Ok(if is_end {
            FollowEvent::End
        } else {
            FollowEvent::Nothing
        })
    }

    fn event(&mut self, content: Content) -> FollowEvent {
        // A Qt program may stream a null value.
        if content.is_empty() {
            return FollowEvent::Nothing;
        }
        let skipped = std::mem::take(&mut self.skipped).saturating_add(content.skipped());
        let content = match self.is_reported {
            true => {
                let mut stat = self.source.stat();
                stat.attached = self.follower.peers();
                content.with_stat(stat)
            }
            false => content,
        };
        FollowEvent::Content(Box::new(content), skipped)
    }

    /// Reports to the publishers of a content that it was shown.
    pub(super) fn report_shown(&mut self, content: &Content) {
        if let (Some(publication), Some(age)) = (content.publication(), content.age()) {
            self.guard.shown(&publication, age);
        }
    }
}

fn not_followable(key: &Address) -> Failure {
    Failure::new(format!(
        "{key} is a block of bytes or a semaphore, which have no change notification. Read a block \
         with viewer-app show --key {}",
        gui_common::text::shell::quoted(key.as_str())
    ))
}

/// Returns the timeout of the Qt lock. It is short if the command has a timeout, because an attempt
/// is never interrupted.
fn lock_timeout(timeout: Option<Duration>) -> Duration {
    const SHORT: Duration = Duration::from_millis(200);
    match timeout {
        None => TIMEOUT,
        Some(timeout) => timeout.min(SHORT),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use qt_bridge::{Form, QtKey, Segment, Stream};
    use shm_core::Message;
    use tempfile::TempDir;

    use super::*;

    fn key() -> (QtKey, TempDir) {
        let directory = tempfile::tempdir().expect("there is room");
        let key = format!("systemv:{}/native", directory.path().display());
        (key.parse().expect("it is a key"), directory)
    }

    fn follow<'a>(source: Source, missed: &'a MissedCounter) -> FollowSource<'a> {
        FollowSource {
            follower: source.clone().follow(Wanted::Latest),
            guard: source.presence_guard(),
            source,
            owner: None,
            missed,
            skipped: 0,
            until_end: None,
            is_reported: false,
            is_warned: false,
        }
    }

    /// Returns the content that one or two polls find.
    fn next(follow_source: &mut FollowSource<'_>) -> Option<Box<Content>> {
        const TWO_POLLS: Duration = Duration::from_millis(500);
        match follow_source.next(Some(TWO_POLLS)).expect("it passes") {
            FollowEvent::Content(content, _) => Some(content),
            FollowEvent::Nothing | FollowEvent::End => None,
        }
    }

    #[test]
    fn a_held_qt_lock_and_a_null_value_are_retried() {
        let (key, _directory) = key();
        let text = Message::Text("hi".to_owned());
        let text = Stream::new(&text, Form::QString).expect("it fits");
        let mut publisher = qt_bridge::Publisher::new(&key, TIMEOUT);
        publisher.publish(&text).expect("there is room");
        let missed = MissedCounter::default();
        let source = Source::new(&key).qt_lock_timeout(Duration::from_millis(20));
        let mut follow_source = follow(source, &missed);

        let mut theirs = Segment::attach_read_only(&key, TIMEOUT).expect("it is there");
        let guard = theirs.lock(TIMEOUT).expect("it is free");
        for _ in 0..2 {
            assert!(next(&mut follow_source).is_none());
            assert!(follow_source.is_warned);
        }
        drop(guard);
        let content = next(&mut follow_source).expect("it is new");
        assert_eq!(content.bytes(), b"hi");
        assert!(!follow_source.is_warned);

        let null = Stream::null(Form::QString);
        publisher.publish(&null).expect("there is room");
        assert!(next(&mut follow_source).is_none());
        publisher.publish(&text).expect("there is room");
        assert!(next(&mut follow_source).is_some());

        let picture = Source::new(&key).form(Some(Form::QImage));
        follow_source.follower = picture.follow(Wanted::Latest);
        assert!(
            follow_source.next(None).is_err(),
            "a permanent error is returned"
        );
    }

    #[test]
    fn a_held_qt_lock_does_not_exceed_the_timeout() {
        let (key, _directory) = key();
        let text = Message::Text("hi".to_owned());
        let text = Stream::new(&text, Form::QString).expect("it fits");
        let mut publisher = qt_bridge::Publisher::new(&key, TIMEOUT);
        publisher.publish(&text).expect("there is room");
        let mut theirs = Segment::attach_read_only(&key, TIMEOUT).expect("it is there");
        let _guard = theirs.lock(TIMEOUT).expect("it is free");
        const LIMIT: Duration = Duration::from_millis(500);
        let missed = MissedCounter::default();
        let source = Source::new(&key).qt_lock_timeout(lock_timeout(Some(LIMIT)));
        let mut follow_source = follow(source, &missed);
        let began = Instant::now();
        while began.elapsed() < LIMIT {
            let left = LIMIT.saturating_sub(began.elapsed());
            let event = follow_source.next(Some(left)).expect("it passes");
            assert!(matches!(event, FollowEvent::Nothing));
        }
        assert!(began.elapsed() < TIMEOUT, "{:?}", began.elapsed());
    }
}
