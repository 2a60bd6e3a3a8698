//! Contents as they come, and what is told of them on the way.

use std::time::Duration;

use gui_common::text::explain::Explain;
use gui_common::text::terminal;
use shm_io::{Address, Content, Event, Follower, PresenceGuard, Source, TIMEOUT, Wanted};

use super::arguments::Arguments;
use super::missed::Missed;
use super::until_end::UntilEnd;
use crate::cli::failure::Failure;
use crate::session::{self, FetchError};
use crate::user::User;

/// What came.
pub(super) enum Arrival {
    /// A content, and how many were skipped before it.
    Content(Box<Content>, u64),
    /// Nothing, so far.
    Nothing,
    /// Nothing, and no more is waited for: the loaders have left.
    End,
}

/// Contents as they come.
pub(super) struct Arrivals<'a> {
    source: Source,
    owner: Option<User>,
    follower: Follower,
    /// Lets loaders know what was shown here.
    guard: PresenceGuard,
    missed: &'a Missed,
    /// What was missed before a clearing, and no content has told yet.
    skipped: u64,
    until_end: Option<UntilEnd>,
    /// Whether more is to be told of the segment than it costs nothing to know.
    is_reported: bool,
    /// Whether it was said that a lock of Qt is not to be had.
    is_warned: bool,
}

impl<'a> Arrivals<'a> {
    /// Begins to follow what has this address.
    pub(super) fn open(
        address: &Address,
        arguments: &Arguments,
        missed: &'a Missed,
    ) -> Arrivals<'a> {
        let is_qt = address.qt().is_some();
        if is_qt {
            terminal::print_error(format_args!(
                "Nothing tells when a Qt program changes {address}: it is looked at five times a second at most."
            ));
        }
        let owner = arguments.owner.clone();
        let source = session::source(address, owner.as_ref())
            .form(arguments.form)
            .qt_lock_timeout(lock_timeout(arguments.timeout));
        Arrivals {
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

    /// Waits for the next content, at most as long as is `left`; it may give up before.
    pub(super) fn next(&mut self, left: Option<Duration>) -> Result<Arrival, Failure> {
        let pause = self.until_end.as_ref().map(UntilEnd::pause);
        match self.follower.next(left.into_iter().chain(pause).min()) {
            Ok(Event::Content(content)) => {
                self.is_warned = false;
                self.missed.count(content.skipped());
                if let Some(until_end) = &mut self.until_end {
                    until_end.hear(&content, &self.follower);
                }
                return Ok(self.arrival(*content));
            }
            Ok(Event::Empty { skipped }) => {
                self.missed.count(skipped);
                self.skipped = self.skipped.saturating_add(skipped);
            }
            Ok(Event::Block) => return Err(block(self.source.address())),
            Ok(Event::PublisherGone | Event::NoSegment | Event::Timeout) => {}
            Err(error) if error.is_passing() => {
                if !std::mem::replace(&mut self.is_warned, true) {
                    terminal::print_error(format_args!(
                        "{} It is looked at again.",
                        error.explain()
                    ));
                }
            }
            Err(error) => {
                return Err(FetchError::new(error, &self.source, self.owner.as_ref()).into());
            }
        }
        let until_end = self.until_end.as_mut();
        let is_end = until_end.is_some_and(|until_end| until_end.look(&self.follower));
        Ok(if is_end {
            Arrival::End
        } else {
            Arrival::Nothing
        })
    }

    fn arrival(&mut self, content: Content) -> Arrival {
        // What a Qt program streams may be null.
        if content.is_empty() {
            return Arrival::Nothing;
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
        Arrival::Content(Box::new(content), skipped)
    }

    /// Lets the loaders of a content know that it was shown.
    pub(super) fn delivered(&mut self, content: &Content) {
        if let (Some(publication), Some(age)) = (content.publication(), content.age()) {
            self.guard.shown(&publication, age);
        }
    }
}

fn block(key: &Address) -> Failure {
    Failure::new(format!(
        "{key} is a block of bytes or a semaphore, and nothing tells when those change. Read a \
         block with viewer-app show --key {}",
        gui_common::text::shell::quoted(key.as_str())
    ))
}

/// How long a look waits for Qt's lock. Where time is short many looks wait a little, because each is
/// made to its end.
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

    fn arrivals<'a>(source: Source, missed: &'a Missed) -> Arrivals<'a> {
        Arrivals {
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

    /// What comes within a look or two.
    fn next(arrivals: &mut Arrivals<'_>) -> Option<Box<Content>> {
        const LOOK: Duration = Duration::from_millis(500);
        match arrivals.next(Some(LOOK)).expect("it passes") {
            Arrival::Content(content, _) => Some(content),
            Arrival::Nothing | Arrival::End => None,
        }
    }

    #[test]
    fn a_lock_that_is_held_and_what_is_null_are_waited_out() {
        let (key, _directory) = key();
        let text = Message::Text("hi".to_owned());
        let text = Stream::new(&text, Form::QString).expect("it fits");
        let mut publisher = qt_bridge::Publisher::new(&key, TIMEOUT);
        publisher.publish(&text).expect("there is room");
        let missed = Missed::default();
        let source = Source::new(&key).qt_lock_timeout(Duration::from_millis(20));
        let mut arrivals = arrivals(source, &missed);

        let mut theirs = Segment::attach_read_only(&key, TIMEOUT).expect("it is there");
        let guard = theirs.lock(TIMEOUT).expect("it is free");
        for _ in 0..2 {
            assert!(next(&mut arrivals).is_none());
            assert!(arrivals.is_warned);
        }
        drop(guard);
        let content = next(&mut arrivals).expect("it is new");
        assert_eq!(content.bytes(), b"hi");
        assert!(!arrivals.is_warned);

        let null = Stream::null(Form::QString);
        publisher.publish(&null).expect("there is room");
        assert!(next(&mut arrivals).is_none());
        publisher.publish(&text).expect("there is room");
        assert!(next(&mut arrivals).is_some());

        let picture = Source::new(&key).form(Some(Form::QImage));
        arrivals.follower = picture.follow(Wanted::Latest);
        assert!(
            arrivals.next(None).is_err(),
            "what stays so is not waited for"
        );
    }

    #[test]
    fn a_lock_that_is_held_costs_no_more_than_the_time_that_was_given() {
        let (key, _directory) = key();
        let text = Message::Text("hi".to_owned());
        let text = Stream::new(&text, Form::QString).expect("it fits");
        let mut publisher = qt_bridge::Publisher::new(&key, TIMEOUT);
        publisher.publish(&text).expect("there is room");
        let mut theirs = Segment::attach_read_only(&key, TIMEOUT).expect("it is there");
        let _guard = theirs.lock(TIMEOUT).expect("it is free");
        const GIVEN: Duration = Duration::from_millis(500);
        let missed = Missed::default();
        let source = Source::new(&key).qt_lock_timeout(lock_timeout(Some(GIVEN)));
        let mut arrivals = arrivals(source, &missed);
        let began = Instant::now();
        while began.elapsed() < GIVEN {
            let left = GIVEN.saturating_sub(began.elapsed());
            let arrival = arrivals.next(Some(left)).expect("it passes");
            assert!(matches!(arrival, Arrival::Nothing));
        }
        assert!(began.elapsed() < TIMEOUT, "{:?}", began.elapsed());
    }
}
