//! Waiting for many sources at once, on the calling thread.

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

/// How many rings the waiting thread sleeps on itself; two words are the set's own.
const MAX_RINGS: usize = MAX_WORDS - 2;
/// How often sources are polled for which the kernel reports no events.
const POLL_PERIOD: Duration = Duration::from_millis(200);
/// How often interruptions are polled if the kernel lets a thread sleep on one word only.
const SLICE: Duration = Duration::from_millis(20);

/// Waits for many subscribers, key watches and segment watches at once.
///
/// Reports which of them may be ready. It is edge-triggered: read each reported source until there
/// is nothing more. The waiting thread sleeps on up to 126 subscribers itself; the helper thread of
/// [`Notifier`](crate::Notifier) sleeps on the others, and reports dead publishers and changed
/// names. Waiting takes no processor time.
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

/// Identifies one of the sources of a [`WaitSet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token(usize);

/// Why a wait of a [`WaitSet`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ready<'a> {
    /// These sources may be ready: read each until there is nothing more.
    Sources(&'a [Token]),
    /// An [`Interrupter`] ended the wait.
    Interrupted,
    /// The timeout expired.
    Timeout,
}

/// What a [`WaitSet`] can wait for: a [`Subscriber`](crate::Subscriber), a
/// [`KeyWatch`](crate::KeyWatch) or a [`segment::Watch`](crate::segment::Watch).
#[expect(
    private_bounds,
    reason = "sealed: only this module knows what wakes a set"
)]
pub trait Waitable: Source {}

pub(crate) trait Source {
    /// Returns what the set waits for.
    fn awaited(&self) -> Awaitable<'_>;
}

/// What a set waits for.
pub(crate) enum Awaitable<'a> {
    /// The ring that a subscriber reads.
    Ring(&'a Subscriber),
    /// Names in a directory that begin with a prefix.
    Names {
        directory: PathBuf,
        events: Events,
        prefix: String,
        /// The source's own watch, which may have had events already.
        own: &'a DirectoryWatch,
    },
}

#[derive(Debug)]
struct Member {
    token: Token,
    readiness: Arc<Readiness>,
    ring: Option<Ring>,
    /// The watch of a ring's file or of a directory; `None` if the kernel reports no events for it.
    path: Option<PathWatch>,
}

#[derive(Debug)]
struct Ring {
    reader: Arc<Reader>,
    /// Its newest position when it was last reported.
    seen: Option<u64>,
    /// Set if a helper thread sleeps on it, because there are too many rings.
    helper: Option<FutexWatch>,
}

impl WaitSet {
    /// Creates a set without sources.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a source. If it is a subscriber that is dropped later, the set keeps its segment open
    /// until the token is [removed](Self::remove).
    ///
    /// If the kernel reports no events for its file, or no thread can be started, the source is
    /// polled five times a second.
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
                own,
            } => {
                let path = PathWatch::new(&directory, events, &prefix, &readiness);
                // After the new watch has started, so that no event is lost in between.
                if own.has_happened() {
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

    /// Removes a source.
    pub fn remove(&mut self, token: Token) {
        self.members.retain(|member| member.token != token);
    }

    /// Creates an interrupter, which ends a wait of this set from another thread or a signal
    /// handler.
    #[must_use]
    pub fn interrupter(&self) -> Interrupter {
        Interrupter(Arc::clone(&self.interruption))
    }

    /// Blocks until a source may be ready, for at most `timeout` (forever if `None`).
    pub fn wait(&mut self, timeout: impl Into<Option<Duration>>) -> Ready<'_> {
        let deadline = Deadline::after_option(timeout.into());
        loop {
            if self.interruption.clear() {
                return Ready::Interrupted;
            }
            // Before `collect`, so that later events end the sleep.
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

    /// Makes a helper thread sleep on a ring if the waiting thread cannot.
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
        if sys::can_wait_any() && own < MAX_RINGS {
            return None;
        }
        FutexWatch::new(reader.clone(), seen, readiness).ok()
    }

    /// Finds the sources that are ready.
    fn collect(&mut self) {
        self.ready.clear();
        let ready = self.members.iter_mut().filter_map(|member| {
            let has_unread = member.take_news();
            has_unread.then_some(member.token)
        });
        self.ready.extend(ready);
    }

    fn sleep(&self, deadline: Deadline) {
        let mut words = vec![
            Awaited::private(self.wake.word(), 0),
            Awaited::private(self.interruption.word(), 0),
        ];
        words.extend(self.members.iter().filter_map(Member::awaited));
        let is_polling = words.len() > MAX_WORDS || self.members.iter().any(Member::is_polled);
        words.truncate(MAX_WORDS);
        let timeout = if is_polling {
            Some(deadline.remaining(POLL_PERIOD))
        } else {
            deadline.remaining_or_never()
        };
        if sys::wait_any(&words, timeout)
            .is_err_and(|error| error.kind() == io::ErrorKind::Unsupported)
        {
            let word = self.wake.word();
            sys::wait_private(word, 0, Some(deadline.remaining(SLICE)));
        }
        if is_polling {
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
        if is_new || happened & DATA != 0 {
            ring.helper.iter().for_each(|helper| helper.arm(last));
        }
        // The position decides, because this thread may have seen before what a helper reports.
        is_new || happened & LIVENESS != 0
    }

    /// Returns the word that the waiting thread sleeps on for it.
    fn awaited(&self) -> Option<Awaited> {
        let ring = self.ring.as_ref().filter(|ring| ring.helper.is_none())?;
        let word = ring.reader.ring().last_word();
        Some(Awaited::low_half(word, ring.seen?))
    }

    fn is_polled(&self) -> bool {
        self.path.is_none()
    }
}
