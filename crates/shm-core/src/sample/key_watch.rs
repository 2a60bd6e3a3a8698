//! Waiting for a key that has no segment yet.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use crate::deadline::Deadline;
use crate::directory_watch::DirectoryWatch;
use crate::error::{AttachError, AttachErrorKind, Polling};
use crate::key::Key;
use crate::options::Options;
use crate::reactor::Events;
use crate::sample::subscriber::{SLICE, Subscriber};
use crate::wait_set::{Awaitable, Source, Waitable};

/// What a look at what is there may take beyond the caller's timeout: who comes or goes at that very
/// moment holds it up for microseconds.
const GRACE: Duration = Duration::from_millis(50);

/// Waits for samples to appear under a key, as often as one likes.
///
/// Sleeps until something appears in the directory of segments; polls only where the system has no
/// event left for it, and [says so](Self::polling). It is made once and waited on again and again,
/// because beginning and ending such a watch takes the system longer than a look.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// use std::time::Duration;
/// use shm_core::{ErrorCode, Key, KeyWatch, Options, Publisher};
///
/// let options = Options::new().directory(directory.path());
/// let key = Key::new("later")?;
/// let watch = KeyWatch::new(&key, &options)?;
/// let waited = watch.attach_within(Some(Duration::from_millis(1)));
/// assert_eq!(waited.unwrap_err().code(), ErrorCode::Timeout);
///
/// let publisher = Publisher::open(&key, &options)?;
/// let subscriber = watch.attach_within(None)?;
/// assert_eq!(subscriber.key(), publisher.key());
/// # Ok(()) }
/// ```
pub struct KeyWatch {
    key: Key,
    options: Options,
    directory: DirectoryWatch,
    polling: Option<Polling>,
}

/// How often it is looked for the key where nothing tells of it.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

impl KeyWatch {
    /// Begins to watch: what appears from now on is noticed.
    ///
    /// # Errors
    ///
    /// [`AttachErrorKind::Io`] where the directory is not there.
    pub fn new(key: &Key, options: &Options) -> Result<Self, AttachError> {
        let failed = |error| cannot_watch(key, error);
        let mut directory = DirectoryWatch::new().map_err(failed)?;
        let polling = match directory.add(&options.directory_path()) {
            Ok(()) => None,
            Err(error) => Some(Polling::instead_of(error).map_err(failed)?),
        };
        Ok(Self {
            key: key.clone(),
            options: options.clone(),
            directory,
            polling,
        })
    }

    /// Attaches as soon as the key appears, waiting so long for it, or for ever.
    ///
    /// # Errors
    ///
    /// [`AttachErrorKind::Timeout`] where it did not appear in time, and those of
    /// [`Subscriber::attach`] but for `NotFound`. [`AttachErrorKind::Busy`] comes after the timeout of
    /// the [`Options`], or, where that ends sooner, after this one.
    pub fn attach_within(
        &self,
        timeout: impl Into<Option<Duration>>,
    ) -> Result<Subscriber, AttachError> {
        let timeout = timeout.into();
        let deadline = Deadline::after_option(timeout);
        let and_grace =
            Deadline::after_option(timeout.map(|timeout| timeout.saturating_add(GRACE)));
        // Before the look, so that what comes after it is told.
        self.directory.clear();
        loop {
            let timeout = Deadline::after(self.options.lock_timeout()).or_sooner(and_grace);
            match Subscriber::attach_until(&self.key, &self.options, timeout) {
                Err(error) if *error.kind() == AttachErrorKind::NotFound => {}
                other => return other,
            }
            if deadline.is_over() {
                return Err(AttachError::new(&self.key, AttachErrorKind::Timeout));
            }
            if self.polling.is_some() {
                std::thread::sleep(deadline.remaining(LOOK_AGAIN));
                continue;
            }
            self.directory
                .wait(deadline.remaining(SLICE))
                .map_err(|source| cannot_watch(&self.key, source))?;
        }
    }

    /// Returns why it looks again and again, where the system gives no events; `None` where it sleeps
    /// until something appears.
    #[must_use]
    pub fn polling(&self) -> Option<&Polling> {
        self.polling.as_ref()
    }
}

/// Not by the kind of the source: a missing directory is no missing key.
fn cannot_watch(key: &Key, source: io::Error) -> AttachError {
    AttachError::new(
        key,
        AttachErrorKind::Io {
            doing: "watching its directory",
        },
    )
    .with_source(source)
}

/// Readable when the key may have appeared: then attach with a timeout of zero, which clears it. Where
/// it [polls](KeyWatch::polling) it is never readable.
impl AsFd for KeyWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }
}

impl Waitable for KeyWatch {}

impl Source for KeyWatch {
    fn awaited(&self) -> Awaitable<'_> {
        Awaitable::Names {
            directory: self.options.directory_path(),
            events: Events::ARRIVALS,
            prefix: String::new(),
            own: &self.directory,
        }
    }
}

impl fmt::Debug for KeyWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyWatch")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
