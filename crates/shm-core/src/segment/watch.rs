//! Waiting until segments are created or removed.

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

/// How often the names are read if the directory cannot be watched.
const POLL_PERIOD: Duration = Duration::from_millis(200);

/// Waits until a segment of a user is created or removed, for programs that show a
/// [`list`](super::list).
///
/// It watches names only. A publication, an attachment, or the death or detachment of a participant
/// of a persistent segment changes no name; a program that shows these lists again periodically.
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
/// let watch = segment::Watch::new(&options)?; // before the first list: no change is missed
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

/// The last names of a directory that is polled.
#[derive(Debug)]
struct Names {
    polling: Polling,
    /// A hash of the names and their inodes.
    seen: Mutex<u64>,
}

impl Watch {
    /// Starts to watch: segments that are created or removed from now on end a wait.
    ///
    /// # Errors
    ///
    /// [`ListError`] if the directory does not exist, or can neither be watched nor read.
    pub fn new(options: &Options) -> Result<Watch, ListError> {
        let prefix = key::file_prefix(options.owner_id());
        let path = options.directory_path();
        let begin = || {
            let mut directory = DirectoryWatch::new()?;
            let Err(error) = directory.add_for_changes(&path, &prefix) else {
                return Ok((directory, None));
            };
            let polling = Polling::instead_of(error)?;
            let seen = Mutex::new(hash_names(options, &prefix)?);
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

    /// Blocks until a segment has been created or removed since the last call, for at most
    /// `timeout`.
    ///
    /// Returns `true` if one has. Other files in the directory do not end the wait.
    ///
    /// # Errors
    ///
    /// [`ListError`] if waiting or reading the directory fails.
    pub fn wait(&self, timeout: Duration) -> Result<bool, ListError> {
        let deadline = Deadline::after(timeout);
        let failed = |source| ListError::unreadable(&self.options.directory_path(), source);
        loop {
            let has_changed = match &self.names {
                None => self.directory.wait(deadline.remaining(timeout)),
                Some(names) => {
                    std::thread::sleep(deadline.remaining(POLL_PERIOD));
                    hash_names(&self.options, &self.prefix).map(|now| names.replace(now) != now)
                }
            };
            let has_changed = has_changed.map_err(failed)?;
            if has_changed || deadline.is_over() {
                return Ok(has_changed);
            }
        }
    }

    /// Returns why the directory is polled; `None` if the kernel reports its changes.
    #[must_use]
    pub fn polling(&self) -> Option<&Polling> {
        self.names.as_ref().map(|names| &names.polling)
    }
}

/// Readable when a segment has been created or removed. A [wait](Watch::wait) with a timeout of
/// zero then clears it. A watch that [polls](Watch::polling) is never readable.
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
            own: &self.directory,
        }
    }
}

impl Names {
    fn replace(&self, now: u64) -> u64 {
        // A panic cannot leave it inconsistent: every change is a single store.
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *seen, now)
    }
}

/// Hashes the names that begin with a prefix and their inodes, whatever their order in the
/// directory.
fn hash_names(options: &Options, prefix: &str) -> io::Result<u64> {
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
