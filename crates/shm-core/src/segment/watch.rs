//! Waiting for segments to come and go.

use std::time::Duration;

use crate::deadline::Deadline;
use crate::error::ListError;
use crate::key;
use crate::options::Options;
use crate::sys::DirectoryWatch;

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
    prefix: String,
    options: Options,
}

impl Watch {
    /// Begins to watch: what comes or goes from now on is noticed.
    ///
    /// # Errors
    ///
    /// [`ListError`] where the directory cannot be watched.
    pub fn new(options: &Options) -> Result<Watch, ListError> {
        let path = options.directory_path();
        match DirectoryWatch::of_changes(&path) {
            Ok(directory) => Ok(Watch {
                directory,
                prefix: key::file_prefix(options.owner_id()),
                options: options.clone(),
            }),
            Err(source) => Err(ListError::Directory { path, source }),
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
        loop {
            let has_changed = self
                .directory
                .wait_for_any(&self.prefix, deadline.remaining(timeout))
                .map_err(|source| ListError::Directory {
                    path: self.options.directory_path(),
                    source,
                })?;
            if has_changed || deadline.is_over() {
                return Ok(has_changed);
            }
        }
    }
}
