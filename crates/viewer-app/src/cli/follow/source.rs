//! Where contents come from: a segment of shm-core, which wakes who waits for it, or one of Qt programs.

use std::thread;
use std::time::{Duration, Instant};

use app_kit::explain::Explain;
use app_kit::follower::{self, Follower};
use app_kit::presence::PresenceGuard;
use app_kit::qt::PATIENCE;
use app_kit::snapshot::Origin;
use app_kit::terminal;
use qt_bridge::{Address, LockError, LockErrorKind, QtKey, ReadingError, Step};
use shm_core::{Key, Sample};

use super::until_end::UntilEnd;
use super::{Arguments, Desk, Missed};
use crate::cli::Failure;
use crate::session::{self, Content, FetchError, Found};
use crate::user::User;

/// Where contents come from.
pub(super) trait Source {
    /// Waits for the next content, at most as long as is `left`; it may give up before.
    fn next(&mut self, left: Option<Duration>) -> Result<Arrival, Failure>;

    /// Lets whoever loaded a content know that it was shown.
    fn delivered(&mut self, found: &Found);
}

/// What came.
pub(super) enum Arrival {
    /// A content.
    Content(Box<Found>),
    /// Nothing, so far.
    Nothing,
    /// Nothing, and no more is waited for: the loaders have left.
    End,
}

impl From<Option<Found>> for Arrival {
    fn from(found: Option<Found>) -> Arrival {
        match found {
            Some(found) => Arrival::Content(Box::new(found)),
            None => Arrival::Nothing,
        }
    }
}

/// Begins to follow what has this address. What is read under a lock is read at the desk.
pub(super) fn open<'a>(
    address: &Address,
    arguments: &Arguments,
    desk: &'a Desk,
    missed: &'a Missed,
) -> Box<dyn Source + 'a> {
    match address {
        Address::Own(key) => Box::new(Own::new(key, arguments, missed)),
        Address::Qt(key) => Box::new(Polled::new(key, arguments, desk)),
    }
}

/// A segment of shm-core.
struct Own<'a> {
    key: Key,
    owner: Option<User>,
    follower: Follower,
    /// Lets loaders know what was shown here.
    attendance: PresenceGuard,
    missed: &'a Missed,
    /// What was missed before a clearing, and no content has told yet.
    skipped: u64,
    until_end: Option<UntilEnd>,
    /// Whether more is to be told of the segment than it costs nothing to know.
    is_reported: bool,
}

impl<'a> Own<'a> {
    fn new(key: &Key, arguments: &Arguments, missed: &'a Missed) -> Own<'a> {
        let owner = arguments.owner.clone();
        Own {
            key: key.clone(),
            follower: session::follower(key, owner.as_ref(), arguments.begin()),
            attendance: PresenceGuard::new(session::options(owner.as_ref())),
            owner,
            missed,
            skipped: 0,
            until_end: arguments.ends().then(|| UntilEnd::new(arguments.oldest)),
            is_reported: arguments.json,
        }
    }

    fn found(&mut self, sample: Sample) -> Found {
        let skipped = std::mem::take(&mut self.skipped).saturating_add(sample.skipped());
        let found = Found::of_sample(sample, skipped);
        if !self.is_reported {
            return found;
        }
        let info = session::info(&self.key, self.owner.as_ref()).ok();
        found.within(info.as_ref(), self.follower.peers())
    }
}

impl Source for Own<'_> {
    fn next(&mut self, left: Option<Duration>) -> Result<Arrival, Failure> {
        let pause = self.until_end.as_ref().map(UntilEnd::pause);
        let step = self.follower.next(left.into_iter().chain(pause).min());
        match step.map_err(|error| FetchError::follow(error, self.owner.as_ref()))? {
            follower::Step::Sample(sample) => {
                self.missed.count(sample.skipped());
                if let Some(until_end) = &mut self.until_end {
                    until_end.hear(&sample, &self.follower);
                }
                return Ok(Some(self.found(sample)).into());
            }
            follower::Step::Empty { skipped } => {
                self.missed.count(skipped);
                self.skipped = self.skipped.saturating_add(skipped);
            }
            follower::Step::Block => return Err(block(&self.key)),
            follower::Step::Left | follower::Step::Gone | follower::Step::Quiet => {}
        }
        let until_end = self.until_end.as_mut();
        let is_end = until_end.is_some_and(|until_end| until_end.look(&self.follower));
        Ok(if is_end {
            Arrival::End
        } else {
            Arrival::Nothing
        })
    }

    fn delivered(&mut self, found: &Found) {
        if let Content::Sample(sample) = &found.content {
            self.attendance
                .shown(&Origin::of(sample, &[]), sample.age());
        }
    }
}

fn block(key: &Key) -> Failure {
    Failure::new(format!(
        "{key} is a block of bytes or a semaphore, and nothing tells when those change. Read a \
         block with viewer-app show --key {}",
        app_kit::shell::quoted(key.as_str())
    ))
}

/// A segment of Qt programs, looked at again and again.
struct Polled<'a> {
    follower: qt_bridge::Follower,
    desk: &'a Desk,
    /// When to look again.
    due: Instant,
    /// Whether it was said that the lock is not to be had.
    is_warned: bool,
}

impl<'a> Polled<'a> {
    fn new(key: &QtKey, arguments: &Arguments, desk: &'a Desk) -> Polled<'a> {
        terminal::warn(format_args!(
            "Nothing tells when a Qt program changes {key}: it is looked at five times a second at most."
        ));
        Polled {
            follower: qt_bridge::Follower::new(key, arguments.form, patience(arguments.timeout)),
            desk,
            due: Instant::now(),
            is_warned: false,
        }
    }

    /// Looks, but not at a closed desk: the program would end while it holds Qt's lock.
    fn look(&mut self) -> Result<Option<Found>, Failure> {
        let looked = self.desk.at_work(|| self.follower.look());
        self.due = Instant::now() + self.follower.pause();
        match looked.transpose() {
            Err(ReadingError::Lock(error)) if is_passing(&error) => {
                if !self.is_warned {
                    terminal::warn(format_args!("{} It is looked at again.", error.explain()));
                }
                self.is_warned = true;
                Ok(None)
            }
            looked => {
                self.is_warned = false;
                Ok(match looked? {
                    Some(Step::New(reading)) => Some(Found::of_reading(reading))
                        .filter(|found| !matches!(found.content, Content::Qt(None, _))),
                    Some(Step::Same | Step::Gone) | None => None,
                })
            }
        }
    }
}

/// How long a look waits for Qt's lock. Where time is short many looks wait a little, because each is
/// made to its end.
fn patience(timeout: Option<Duration>) -> Duration {
    const SHORT: Duration = Duration::from_millis(200);
    match timeout {
        None => PATIENCE,
        Some(timeout) => timeout.min(SHORT),
    }
}

/// Returns `true` if a lock is to be had by and by: with Qt programs, both are everyday.
fn is_passing(error: &LockError) -> bool {
    matches!(
        error.kind(),
        LockErrorKind::Timeout { .. } | LockErrorKind::Lost
    )
}

impl Source for Polled<'_> {
    fn next(&mut self, left: Option<Duration>) -> Result<Arrival, Failure> {
        let pause = self.due.saturating_duration_since(Instant::now());
        // Nothing tells when there is more to see.
        thread::sleep(left.map_or(pause, |left| left.min(pause)));
        if Instant::now() < self.due {
            return Ok(Arrival::Nothing);
        }
        self.look().map(Arrival::from)
    }

    /// Qt programs know of no readers.
    fn delivered(&mut self, _found: &Found) {}
}

#[cfg(test)]
mod tests {
    use qt_bridge::{Form, Segment, Stream};
    use shm_core::Message;
    use tempfile::TempDir;

    use super::*;

    fn key() -> (QtKey, TempDir) {
        let directory = tempfile::tempdir().expect("there is room");
        let key = format!("systemv:{}/native", directory.path().display());
        (key.parse().expect("it is a key"), directory)
    }

    fn polled<'a>(key: &QtKey, patience: Duration, desk: &'a Desk) -> Polled<'a> {
        Polled {
            follower: qt_bridge::Follower::new(key, None, patience),
            desk,
            due: Instant::now(),
            is_warned: false,
        }
    }

    #[test]
    fn a_lock_that_is_held_and_what_is_null_are_waited_out() {
        let (key, _directory) = key();
        let text = Message::Text("hi".to_owned());
        let text = Stream::new(&text, Form::QString).expect("it fits");
        let mut publisher = qt_bridge::Publisher::new(&key, PATIENCE);
        publisher.publish(&text).expect("there is room");
        let desk = Desk::default();
        let mut polled = polled(&key, Duration::from_millis(20), &desk);

        let mut theirs = Segment::attach_read_only(&key, PATIENCE).expect("it is there");
        let guard = theirs.lock(PATIENCE).expect("it is free");
        for _ in 0..2 {
            assert!(polled.look().expect("it passes").is_none());
            assert!(polled.is_warned);
        }
        drop(guard);
        let found = polled.look().expect("it is free").expect("it is new");
        assert_eq!(found.content.bytes(), b"hi");
        assert!(!polled.is_warned);

        let null = Stream::null(Form::QString);
        publisher.publish(&null).expect("there is room");
        assert!(polled.look().expect("it is there").is_none());
        publisher.publish(&text).expect("there is room");
        assert!(polled.look().expect("it is there").is_some());

        let picture = Some(Form::QImage);
        polled.follower = qt_bridge::Follower::new(&key, picture, PATIENCE);
        assert!(polled.look().is_err(), "what stays so is not waited for");
    }

    #[test]
    fn a_lock_that_is_held_costs_no_more_than_the_time_that_was_given() {
        let (key, _directory) = key();
        let text = Message::Text("hi".to_owned());
        let text = Stream::new(&text, Form::QString).expect("it fits");
        let mut publisher = qt_bridge::Publisher::new(&key, PATIENCE);
        publisher.publish(&text).expect("there is room");
        let mut theirs = Segment::attach_read_only(&key, PATIENCE).expect("it is there");
        let _guard = theirs.lock(PATIENCE).expect("it is free");
        let desk = Desk::default();
        const GIVEN: Duration = Duration::from_millis(500);
        let mut polled = polled(&key, patience(Some(GIVEN)), &desk);
        let began = Instant::now();
        while began.elapsed() < GIVEN {
            let left = GIVEN.saturating_sub(began.elapsed());
            let arrival = polled.next(Some(left)).expect("it passes");
            assert!(matches!(arrival, Arrival::Nothing));
        }
        assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    }

    #[test]
    fn nobody_looks_at_a_closed_desk() {
        let (key, _directory) = key();
        let text = Message::Text("hi".to_owned());
        let text = Stream::new(&text, Form::QString).expect("it fits");
        let mut publisher = qt_bridge::Publisher::new(&key, PATIENCE);
        publisher.publish(&text).expect("there is room");
        let desk = Desk::default();
        desk.close();
        let mut polled = polled(&key, PATIENCE, &desk);
        assert!(polled.look().expect("nothing is done").is_none());
    }
}
