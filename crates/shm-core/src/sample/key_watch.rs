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
use crate::sample::subscriber::{LIVENESS_INTERVAL, Subscriber};
use crate::wait_set::{Awaitable, Source, Waitable};

/// How long an attempt to attach may take beyond the caller's timeout: a process that attaches or
/// detaches at that moment delays it for microseconds.
const GRACE: Duration = Duration::from_millis(50);

/// Waits for samples to appear under a key, once or repeatedly.
///
/// Sleeps until something appears in the directory of segments; polls only if the system has no
/// inotify watch left, and [reports that](Self::polling). Create it once and wait on it repeatedly:
/// adding and removing an inotify watch takes longer than a wait that returns at once.
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

/// How often the key is looked up without inotify.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

impl KeyWatch {
    /// Starts to watch: a key that appears from now on is noticed.
    ///
    /// # Errors
    ///
    /// [`AttachErrorKind::Io`] if the directory does not exist.
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

    /// Waits up to `timeout` (forever if `None`) for the key to appear, then attaches.
    ///
    /// # Errors
    ///
    /// [`AttachErrorKind::Timeout`] if it did not appear in time, and those of
    /// [`Subscriber::attach`] except `NotFound`. [`AttachErrorKind::Busy`] is returned after the
    /// timeout of the [`Options`] or after this one, whichever ends sooner.
    pub fn attach_within(
        &self,
        timeout: impl Into<Option<Duration>>,
    ) -> Result<Subscriber, AttachError> {
        let timeout = timeout.into();
        let deadline = Deadline::after_option(timeout);
        let and_grace =
            Deadline::after_option(timeout.map(|timeout| timeout.saturating_add(GRACE)));
        // Before the attempt, so that later events stay pending.
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
                std::thread::sleep(deadline.remaining(POLL_INTERVAL));
                continue;
            }
            self.directory
                .wait(deadline.remaining(LIVENESS_INTERVAL))
                .map_err(|source| cannot_watch(&self.key, source))?;
        }
    }

    /// Returns why it polls, if the system has no inotify watch left; `None` if it sleeps until
    /// something appears.
    #[must_use]
    pub fn polling(&self) -> Option<&Polling> {
        self.polling.as_ref()
    }
}

/// Ignores the kind of the source, because a missing directory is not a missing key.
fn cannot_watch(key: &Key, source: io::Error) -> AttachError {
    AttachError::new(
        key,
        AttachErrorKind::Io {
            doing: "watching its directory",
        },
    )
    .with_source(source)
}

/// Readable when the key may have appeared: then attach with a timeout of zero, which clears it.
/// Never readable while it [polls](KeyWatch::polling).
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
