//! A key followed from loader to loader: what both windows and the command line wait with.

use std::error::Error;
use std::fmt;
use std::time::{Duration, Instant};

use shm_core::{
    Access, AttachError, AttachErrorKind, Key, KeyWatch, Next, Options, Participant, ReadError,
    Sample, Subscriber, WaitResult, segment,
};

use crate::polling;

/// How long somebody else may hold up a look at what is there, where the caller did not say.
const PATIENCE: Duration = Duration::from_secs(5);

/// What such a look is given even where the caller has less time left: those who come or go at that
/// very moment need microseconds.
const GRACE: Duration = Duration::from_millis(50);

/// Follows what is published under a key, also over the ends and beginnings of segments.
///
/// Attaches once, and stays attached while the segment lives. Sleeps on it until there is news;
/// where there is no segment, sleeps until one appears. For one thread, which it blocks.
#[derive(Debug)]
pub struct Follower {
    key: Key,
    options: Options,
    wanted: Wanted,
    place: Place,
    /// Whether it has looked at the key before: what is published since is to be given out.
    has_looked: bool,
    /// The segment that it left last, and the sequence that comes next there.
    left: Option<(u128, Option<u64>)>,
}

/// Which samples a follower gives out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The newest each time; those that came before it and were not read count as skipped.
    Latest,
    /// Each in order, as far as the ring has it.
    InOrder(Begin),
}

/// Where a follower in order begins. What is published in later segments it reads from the first on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// With the oldest sample that the ring has.
    Oldest,
    /// With the newest sample that is there.
    Newest,
    /// With the next sample that comes.
    Now,
}

/// Where a follower waits.
#[derive(Debug)]
enum Place {
    /// It does not know yet.
    Outside,
    /// For the key to appear.
    Before(KeyWatch),
    /// At a segment, for news.
    Within(Subscriber),
}

/// What happened to a key.
#[derive(Debug)]
pub enum Step {
    /// A sample is there that was not given out before.
    Sample(Sample),
    /// The segment has no content: nothing was published yet, or it was cleared.
    Empty {
        /// How many samples were missed before it was cleared, where each is wanted.
        skipped: u64,
    },
    /// The last loader has left or died; the segment stays, because it is persistent.
    Left,
    /// There is no segment, or not any more.
    Gone,
    /// A block of bytes is there: nothing tells when it changes.
    Block,
    /// Nothing happened within the time.
    Quiet,
}

impl Follower {
    /// Begins to follow a key; looks only when asked.
    pub fn new(key: Key, options: Options, wanted: Wanted) -> Follower {
        Follower {
            key,
            options,
            wanted,
            place: Place::Outside,
            has_looked: false,
            left: None,
        }
    }

    /// Waits for what happens next, at most for `timeout`, or for ever.
    ///
    /// First tells what there is: a sample, [`Step::Empty`], [`Step::Gone`] or [`Step::Block`]. (In
    /// order, [`Step::Empty`] only tells of a clearing.) The timeout bounds that too, whatever somebody
    /// else does to the segment meanwhile.
    ///
    /// # Errors
    ///
    /// [`FollowError`] where what is there cannot be attached to or read. Like a block, that
    /// is told at once each time: whoever wants to try again lets some time pass.
    pub fn next(&mut self, timeout: Option<Duration>) -> Result<Step, FollowError> {
        let time = Time::within(timeout);
        loop {
            let place = std::mem::replace(&mut self.place, Place::Outside);
            let step = match place {
                Place::Outside => self.enter(time)?,
                Place::Before(watch) => self.wait_before(watch, time)?,
                Place::Within(subscriber) => match self.wanted {
                    Wanted::Latest => self.wait_within(subscriber, time)?,
                    Wanted::InOrder(_) => self.wait_in_order(subscriber, time)?,
                },
            };
            if let Some(step) = step {
                return Ok(step);
            }
        }
    }

    /// Gives out once more the sample that was given out last; `None` where it is not the latest any
    /// more.
    ///
    /// # Errors
    ///
    /// [`FollowError`] where it cannot be read.
    pub fn again(&mut self) -> Result<Option<Sample>, FollowError> {
        match &mut self.place {
            // What is new is read in its turn.
            Place::Within(subscriber) if !subscriber.has_unread() => {
                subscriber.reread();
                subscriber.latest().map_err(FollowError::Read)
            }
            Place::Within(_) | Place::Outside | Place::Before(_) => Ok(None),
        }
    }

    /// Returns who is attached, but for this process; nobody where there is no segment.
    pub fn peers(&self) -> Vec<Participant> {
        match &self.place {
            Place::Within(subscriber) => subscriber.peers(),
            Place::Outside | Place::Before(_) => Vec::new(),
        }
    }

    /// Returns `true` if a publisher is attached to the segment that is followed, but for this process.
    pub fn has_publisher(&self) -> bool {
        let publishes = |peer: &Participant| peer.access == Access::ReadWrite;
        self.peers().iter().any(publishes)
    }

    /// Attaches to what is there now.
    fn enter(&mut self, time: Time) -> Result<Option<Step>, FollowError> {
        let options = self.options.clone().timeout(time.patience());
        match Subscriber::attach(&self.key, &options) {
            Err(error) if *error.kind() == AttachErrorKind::NotFound => {
                let watch = KeyWatch::new(&self.key, &self.options);
                let watch = watch.map_err(FollowError::Attach)?;
                polling::tell_once(watch.polling());
                self.has_looked = true;
                self.place = Place::Before(watch);
                Ok(Some(Step::Gone))
            }
            attached => self.begin(attached, time),
        }
    }

    /// Tells what is in a segment that was just attached to.
    fn begin(
        &mut self,
        attached: Result<Subscriber, AttachError>,
        time: Time,
    ) -> Result<Option<Step>, FollowError> {
        match attached {
            Ok(subscriber) => match self.wanted {
                Wanted::Latest => self.look(subscriber, time),
                Wanted::InOrder(begin) => {
                    self.place = Place::Within(self.start(subscriber, begin));
                    Ok(None)
                }
            },
            Err(error) if *error.kind() == AttachErrorKind::WrongKind => Ok(Some(Step::Block)),
            Err(error) => Err(FollowError::Attach(error)),
        }
    }

    /// Lets a subscriber begin where nothing is lost and nothing read twice.
    fn start(&mut self, subscriber: Subscriber, begin: Begin) -> Subscriber {
        if !std::mem::replace(&mut self.has_looked, true) {
            return match begin {
                Begin::Oldest => subscriber.from_oldest(),
                Begin::Newest => subscriber,
                Begin::Now => subscriber.from_now(),
            };
        }
        match self.left.filter(|(segment, _)| *segment == subscriber.id()) {
            // All of it was published since it was looked.
            None => subscriber.from_sequence(1),
            Some((_, Some(next))) => subscriber.from_sequence(next),
            // Damaged before: the newest may be whole.
            Some((_, None)) => subscriber,
        }
    }

    fn wait_before(&mut self, watch: KeyWatch, time: Time) -> Result<Option<Step>, FollowError> {
        match watch.attach_within(time.left()) {
            Err(error) if *error.kind() == AttachErrorKind::Timeout => {
                self.place = Place::Before(watch);
                Ok(Some(Step::Quiet))
            }
            attached => self.begin(attached, time),
        }
    }

    fn wait_within(
        &mut self,
        mut subscriber: Subscriber,
        time: Time,
    ) -> Result<Option<Step>, FollowError> {
        match subscriber.wait(time.left()).map_err(FollowError::Read)? {
            WaitResult::New => self.look(subscriber, time),
            WaitResult::Timeout | WaitResult::Interrupted => {
                self.place = Place::Within(subscriber);
                Ok(Some(Step::Quiet))
            }
            // What is not persistent ends with its last loader; under the same name another may
            // have begun.
            WaitResult::PublisherGone if self.is_persistent() => {
                self.place = Place::Within(subscriber);
                Ok(Some(Step::Left))
            }
            WaitResult::PublisherGone | WaitResult::Removed => Ok(None),
        }
    }

    fn wait_in_order(
        &mut self,
        mut subscriber: Subscriber,
        time: Time,
    ) -> Result<Option<Step>, FollowError> {
        let next = subscriber.next(time.left());
        self.left = Some((subscriber.id(), subscriber.next_sequence()));
        let step = match next.map_err(FollowError::Read)? {
            Next::Sample(sample) => Step::Sample(sample),
            Next::Cleared { skipped } => Step::Empty { skipped },
            Next::PublisherGone if self.is_persistent() => Step::Left,
            Next::PublisherGone | Next::Removed => return Ok(None),
            _ => Step::Quiet,
        };
        self.place = Place::Within(subscriber);
        Ok(Some(step))
    }

    fn look(
        &mut self,
        mut subscriber: Subscriber,
        time: Time,
    ) -> Result<Option<Step>, FollowError> {
        let latest = subscriber.latest_within(time.patience());
        let step = match latest.map_err(FollowError::Read)? {
            Some(sample) => Step::Sample(sample),
            None => Step::Empty { skipped: 0 },
        };
        self.place = Place::Within(subscriber);
        Ok(Some(step))
    }

    fn is_persistent(&self) -> bool {
        segment::info(&self.key, &self.options).is_ok_and(|info| info.persistent)
    }
}

/// One deadline for all that is waited for; none where it is waited for ever.
#[derive(Clone, Copy, Debug)]
pub struct Time(Option<Instant>);

impl Time {
    /// So long from now, or for ever.
    pub fn within(timeout: Option<Duration>) -> Time {
        // A deadline beyond what the clock can say is as good as none.
        Time(timeout.and_then(|timeout| Instant::now().checked_add(timeout)))
    }

    /// Returns how much is left, where there is an end.
    pub fn left(self) -> Option<Duration> {
        self.0
            .map(|end| end.saturating_duration_since(Instant::now()))
    }

    /// Returns `true` if nothing is left.
    pub fn is_over(self) -> bool {
        self.left() == Some(Duration::ZERO)
    }

    /// Returns how long somebody else may hold up a look at what is there.
    pub fn patience(self) -> Duration {
        self.left()
            .map_or(PATIENCE, |left| left.max(GRACE).min(PATIENCE))
    }
}

/// Why a key cannot be followed now. Its text says what to do.
#[derive(Debug)]
pub enum FollowError {
    /// What is there cannot be attached to.
    Attach(AttachError),
    /// What is there is damaged.
    Read(ReadError),
}

impl fmt::Display for FollowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FollowError::Attach(error) => error.fmt(f),
            FollowError::Read(error) => error.fmt(f),
        }
    }
}

impl Error for FollowError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            FollowError::Attach(error) => Some(error),
            FollowError::Read(error) => Some(error),
        }
    }
}
