//! Waiting for many things at once, on the thread that asks.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::deadline::Deadline;
use crate::directory_watch::DirectoryWatch;
use crate::interrupter::Interrupter;
use crate::reactor::{Events, FutexWatch, PathWatch};
use crate::readiness::{DATA, LIVENESS, Readiness, WakeFlag};
use crate::sample::{Reader, Subscriber};
use crate::sys::{self, Awaited, MAX_WORDS};

/// How many rings the thread that waits sleeps on itself; two words are the set's own.
const MOST_RINGS: usize = MAX_WORDS - 2;
/// How often is looked at what the system gives no events of.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// The same where the kernel lets a thread sleep on one word alone, for interruptions.
const SLICE: Duration = Duration::from_millis(20);

/// Waits for many subscribers, key watches and segment watches at once.
///
/// Says which have something, as long as they were read when it was last said: so read each until there
/// is nothing more. The thread that waits sleeps on up to 126 subscribers itself; the helper thread of
/// [`Notifier`](crate::Notifier) does on the others, and tells of ends and names. Waiting takes no
/// processor time.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// use std::time::Duration;
/// use shm_core::{Key, Next, Options, Publisher, Ready, Subscriber, WaitSet};
///
/// # let options = Options::new().directory(directory.path());
/// let keys = [Key::new("left")?, Key::new("right")?];
/// let publishers = [Publisher::open(&keys[0], &options)?, Publisher::open(&keys[1], &options)?];
/// let mut subscribers = Vec::new();
/// let mut set = WaitSet::new();
/// for key in &keys {
///     let subscriber = Subscriber::attach(key, &options)?;
///     let token = set.add(&subscriber);
///     subscribers.push((token, subscriber));
/// }
///
/// publishers[1].publish_text("hello")?;
/// let Ready::Sources(ready) = set.wait(Duration::from_secs(10)) else { panic!("nothing came") };
/// for (token, subscriber) in &mut subscribers {
///     if ready.contains(token) {
///         while let Next::Sample(sample) = subscriber.next(Duration::ZERO)? {
///             assert_eq!((subscriber.key(), sample.payload()), (&keys[1], &b"hello"[..]));
///         }
///     }
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Default)]
pub struct WaitSet {
    wake: Arc<WakeFlag>,
    interruption: Arc<WakeFlag>,
    members: Vec<Member>,
    ready: Vec<Token>,
    next: usize,
}

/// What a [`WaitSet`] calls one of the things that it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token(usize);

/// Why a wait of a [`WaitSet`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ready<'a> {
    /// These may have something: read each until there is nothing.
    Sources(&'a [Token]),
    /// An [`Interrupter`] ended it.
    Interrupted,
    /// The time is over.
    Timeout,
}

/// What a [`WaitSet`] can wait for: a [`Subscriber`](crate::Subscriber), a
/// [`KeyWatch`](crate::KeyWatch) or a [`segment::Watch`](crate::segment::Watch).
#[expect(
    private_bounds,
    reason = "sealed: what wakes a set is known here alone"
)]
pub trait Waitable: Source {}

pub(crate) trait Source {
    /// What the set has to wait for.
    fn awaited(&self) -> Awaitable<'_>;
}

/// What a set has to wait for.
pub(crate) enum Awaitable<'a> {
    /// The ring that a subscriber reads.
    Ring(&'a Subscriber),
    /// Names in a directory that begin with a prefix.
    Names {
        directory: PathBuf,
        events: Events,
        prefix: String,
        /// What the source has seen of it by now.
        seen: &'a DirectoryWatch,
    },
}

#[derive(Debug)]
struct Member {
    token: Token,
    readiness: Arc<Readiness>,
    ring: Option<Ring>,
    /// The file of a ring, or a directory; `None` where the system gives no events of it.
    path: Option<PathWatch>,
}

#[derive(Debug)]
struct Ring {
    reader: Arc<Reader>,
    /// What it showed when it was told of last.
    seen: Option<u64>,
    /// A helper thread sleeps on it, because there are too many.
    helper: Option<FutexWatch>,
}

impl WaitSet {
    /// Makes a set that waits for nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds something to wait for. Of a subscriber that is dropped the set keeps the segment open until
    /// the token is [removed](Self::remove).
    ///
    /// Where the system gives no events of files, or no more threads, it is looked at some times a second
    /// instead.
    pub fn add(&mut self, source: &impl Waitable) -> Token {
        let readiness = Arc::new(Readiness::new(Arc::clone(&self.wake)));
        let token = Token(self.next);
        self.next += 1;
        let (ring, path) = match source.awaited() {
            Awaitable::Ring(subscriber) => {
                let (reader, seen) = (subscriber.reader(), subscriber.seen());
                let ring = Ring {
                    reader: Arc::clone(reader),
                    seen,
                    helper: self.helper(reader, seen, &readiness),
                };
                (Some(ring), subscriber.watch_for_an_end(&readiness))
            }
            Awaitable::Names {
                directory,
                events,
                prefix,
                seen,
            } => {
                let path = PathWatch::new(&directory, events, &prefix, &readiness);
                // After it, so that nothing comes in between.
                if seen.has_happened() {
                    readiness.notify(DATA);
                }
                (None, path)
            }
        };
        self.members.push(Member {
            token,
            readiness,
            ring,
            path: path.ok(),
        });
        token
    }

    /// Waits for something no more.
    pub fn remove(&mut self, token: Token) {
        self.members.retain(|member| member.token != token);
    }

    /// Makes something that ends a wait of this set from another thread or a signal handler.
    #[must_use]
    pub fn interrupter(&self) -> Interrupter {
        Interrupter(Arc::clone(&self.interruption))
    }

    /// Sleeps until something may have happened; up to `timeout`, forever if `None`.
    pub fn wait(&mut self, timeout: impl Into<Option<Duration>>) -> Ready<'_> {
        let deadline = Deadline::after_option(timeout.into());
        loop {
            if self.interruption.clear() {
                return Ready::Interrupted;
            }
            // Before the look, so that what comes after it ends the sleep.
            self.wake.clear();
            self.collect();
            if !self.ready.is_empty() {
                return Ready::Sources(&self.ready);
            }
            if deadline.is_over() {
                return Ready::Timeout;
            }
            self.sleep(deadline);
        }
    }

    /// Has a helper thread sleep on a ring, where this thread cannot.
    fn helper(
        &self,
        reader: &Arc<Reader>,
        seen: Option<u64>,
        readiness: &Arc<Readiness>,
    ) -> Option<FutexWatch> {
        let own = self
            .members
            .iter()
            .filter_map(|member| member.ring.as_ref());
        let own = own.filter(|ring| ring.helper.is_none()).count();
        if sys::can_wait_any() && own < MOST_RINGS {
            return None;
        }
        FutexWatch::new(reader, seen, readiness).ok()
    }

    /// Finds the sources that are ready.
    fn collect(&mut self) {
        self.ready.clear();
        let ready = self.members.iter_mut().filter_map(|member| {
            let has_news = member.take_news();
            has_news.then_some(member.token)
        });
        self.ready.extend(ready);
    }

    fn sleep(&self, deadline: Deadline) {
        let mut words = vec![
            Awaited::private(self.wake.word(), 0),
            Awaited::private(self.interruption.word(), 0),
        ];
        words.extend(self.members.iter().filter_map(Member::awaited));
        let looks_again = words.len() > MAX_WORDS || self.members.iter().any(Member::is_polled);
        words.truncate(MAX_WORDS);
        let timeout = if looks_again {
            Some(deadline.remaining(LOOK_AGAIN))
        } else {
            deadline.remaining_or_never()
        };
        if sys::wait_any(&words, timeout)
            .is_err_and(|error| error.kind() == io::ErrorKind::Unsupported)
        {
            let word = self.wake.word();
            sys::wait_private(word, 0, Some(deadline.remaining(SLICE)));
        }
        if looks_again {
            let polled = self.members.iter().filter(|member| member.is_polled());
            polled.for_each(|member| member.readiness.notify(DATA | LIVENESS));
        }
    }
}

impl Member {
    fn take_news(&mut self) -> bool {
        let happened = self.readiness.take();
        let Some(ring) = &mut self.ring else {
            return happened != 0;
        };
        if happened & LIVENESS != 0 {
            ring.reader.ask_for_a_look();
        }
        let last = ring.reader.ring().last();
        let is_new = ring.seen != Some(last);
        ring.seen = Some(last);
        if let Some(helper) = &ring.helper
            && (is_new || happened & DATA != 0)
        {
            helper.arm(last);
        }
        // What a helper tells was maybe seen here before.
        is_new || happened & LIVENESS != 0
    }

    /// The word that the waiting thread sleeps on for it.
    fn awaited(&self) -> Option<Awaited> {
        let ring = self.ring.as_ref().filter(|ring| ring.helper.is_none())?;
        let word = ring.reader.ring().last_word();
        Some(Awaited::low_half(word, ring.seen?))
    }

    fn is_polled(&self) -> bool {
        self.path.is_none()
    }
}
