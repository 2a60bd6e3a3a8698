//! Waiting for segments to come and go.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::DirEntryExt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::deadline::Deadline;
use crate::directory_watch::DirectoryWatch;
use crate::error::{ListError, Polling};
use crate::key;
use crate::options::Options;
use crate::reactor::Events;
use crate::wait_set::{Awaitable, Source, Waitable};

/// How often the names are looked at where nothing tells of them.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Wakes whoever shows a [`list`](super::list) when the segments of a user come or go.
///
/// It tells of names alone: that something was published, or that somebody
/// attached, died or left a persistent segment, changes no name. Who shows such
/// things looks again now and then.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// use std::time::Duration;
/// use shm_core::{Key, Options, Publisher, segment};
///
/// let options = Options::new().directory(directory.path());
/// let watch = segment::Watch::new(&options)?; // before the first look: nothing is missed
/// assert!(segment::list(&options)?.is_empty());
///
/// let _publisher = Publisher::open(&Key::new("greeting")?, &options)?;
/// assert!(watch.wait(Duration::from_secs(1))?);
/// assert_eq!(segment::list(&options)?.len(), 1);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Watch {
    directory: DirectoryWatch,
    names: Option<Names>,
    prefix: String,
    options: Options,
}

/// What was seen of a directory that nothing tells of.
#[derive(Debug)]
struct Names {
    polling: Polling,
    /// The names and their files, taken together.
    seen: Mutex<u64>,
}

impl Watch {
    /// Begins to watch: what comes or goes from now on is noticed.
    ///
    /// # Errors
    ///
    /// [`ListError`] where the directory is not there, or can neither be watched nor read.
    pub fn new(options: &Options) -> Result<Watch, ListError> {
        let prefix = key::file_prefix(options.owner_id());
        let path = options.directory_path();
        let begin = || {
            let mut directory = DirectoryWatch::of_nothing()?;
            let Err(error) = directory.add_for_changes(&path, &prefix) else {
                return Ok((directory, None));
            };
            let polling = Polling::instead_of(error)?;
            let seen = Mutex::new(look(options, &prefix)?);
            Ok((directory, Some(Names { polling, seen })))
        };
        match begin() {
            Ok((directory, names)) => Ok(Watch {
                directory,
                names,
                prefix,
                options: options.clone(),
            }),
            Err(source) => Err(ListError::unreadable(&path, source)),
        }
    }

    /// Sleeps until a segment has come or gone since the last call, at most for `timeout`.
    ///
    /// Returns whether one has. What other programs do in the directory wakes nobody.
    ///
    /// # Errors
    ///
    /// [`ListError`] where the system does not let wait.
    pub fn wait(&self, timeout: Duration) -> Result<bool, ListError> {
        let deadline = Deadline::after(timeout);
        let failed = |source| ListError::unreadable(&self.options.directory_path(), source);
        loop {
            let has_changed = match &self.names {
                None => self.directory.wait(deadline.remaining(timeout)),
                Some(names) => {
                    std::thread::sleep(deadline.remaining(LOOK_AGAIN));
                    look(&self.options, &self.prefix).map(|now| names.replace(now) != now)
                }
            };
            let has_changed = has_changed.map_err(failed)?;
            if has_changed || deadline.is_over() {
                return Ok(has_changed);
            }
        }
    }

    /// Returns why it looks again and again, where the system gives no events; `None` where it sleeps
    /// until something happens.
    #[must_use]
    pub fn polling(&self) -> Option<&Polling> {
        self.names.as_ref().map(|names| &names.polling)
    }
}

/// Readable when a segment has come or gone: then wait with a timeout of zero, which clears it. Where
/// it [polls](Watch::polling) it is never readable.
impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }
}

impl Waitable for Watch {}

impl Source for Watch {
    fn awaited(&self) -> Awaitable<'_> {
        Awaitable::Names {
            directory: self.options.directory_path(),
            events: Events::CHANGES,
            prefix: self.prefix.clone(),
            seen: &self.directory,
        }
    }
}

impl Names {
    fn replace(&self, now: u64) -> u64 {
        // Every change under it is a single store.
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *seen, now)
    }
}

/// The names that begin so and their files, in whatever order the directory has them.
fn look(options: &Options, prefix: &str) -> io::Result<u64> {
    let mut all = 0_u64;
    for entry in std::fs::read_dir(options.directory_path())? {
        let entry = entry?;
        let name = entry.file_name();
        if name.as_encoded_bytes().starts_with(prefix.as_bytes()) {
            let mut hasher = DefaultHasher::new();
            (name, entry.ino()).hash(&mut hasher);
            all = all.wrapping_add(hasher.finish());
        }
    }
    Ok(all)
}
