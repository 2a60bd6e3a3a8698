//! The names of unfinished files, which are removed on every exit of the process.
//!
//! If a save ends by an error or a panic, [`Name`] removes its own. If a signal ends the process, a
//! thread removes them; if `main` returns while other threads are still saving, [`Cleanup`].

use std::ffi::OsStr;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError, mpsc};
use std::{process, thread};

use rustix::fs::{AtFlags, RenameFlags, linkat, renameat, renameat_with, unlinkat};
use rustix::io::Errno;
use signal_hook::consts::SIGXFSZ;
use signal_hook::iterator::Signals;

use super::Existing;
use crate::desktop::signals;

/// The number of random names that are tried.
const ATTEMPTS: usize = 16;

/// All unfinished files of the process.
static NAMES: Mutex<Names> = Mutex::new(Names {
    taken: Vec::new(),
    is_closed: false,
});

struct Names {
    taken: Vec<(Arc<OwnedFd>, String)>,
    /// Whether the process is ending.
    is_closed: bool,
}

/// The name of an unfinished file; removed when this is dropped.
#[derive(Debug)]
pub(super) struct Name {
    directory: Arc<OwnedFd>,
    name: String,
}

impl Name {
    /// Calls `make` to create a file under a random name in `directory`; tries another name if it
    /// exists.
    pub(super) fn take<T>(
        directory: &Arc<OwnedFd>,
        prefix: &str,
        make: impl Fn(&str) -> io::Result<T>,
    ) -> io::Result<(Name, T)> {
        let mut last = Errno::EXIST.into();
        for _ in 0..ATTEMPTS {
            let name = format!("{prefix}{:016x}", random());
            // Held during the creation, so that the exit of the process happens before or after it.
            let mut names = names();
            if names.is_closed {
                return Err(io::Error::other("the program is ending"));
            }
            match make(&name) {
                Ok(made) => {
                    names.taken.push((Arc::clone(directory), name.clone()));
                    let directory = Arc::clone(directory);
                    return Ok((Name { directory, name }, made));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    /// Gives the file its own name.
    pub(super) fn rename(self, to: &OsStr, existing: Existing) -> io::Result<()> {
        let mut names = names();
        let (directory, from) = (&self.directory, self.name.as_str());
        match existing {
            Existing::Replace => renameat(directory, from, directory, to)?,
            Existing::Keep => {
                let flags = RenameFlags::NOREPLACE;
                match renameat_with(directory, from, directory, to, flags) {
                    // Not every file system supports this.
                    Err(Errno::INVAL | Errno::NOSYS) => {
                        linkat(directory, from, directory, to, AtFlags::empty())?;
                        // The drop below removes the other name.
                        return Ok(());
                    }
                    renamed => renamed?,
                }
            }
        }
        names.forget(from);
        Ok(())
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        if names().forget(&self.name) {
            // Another error is already being returned; this one would only hide it.
            unlinkat(&self.directory, &self.name, AtFlags::empty()).ok();
        }
    }
}

impl Names {
    /// Returns `true` if the name was still registered for removal.
    fn forget(&mut self, name: &str) -> bool {
        let place = self.taken.iter().position(|(_, taken)| taken == name);
        place.map(|place| self.taken.swap_remove(place)).is_some()
    }
}

/// Removes the unfinished files of other threads when `main` returns or panics. Held by `main`.
#[derive(Debug)]
pub struct Cleanup;

impl Drop for Cleanup {
    fn drop(&mut self) {
        remove_all();
    }
}

/// Removes all names, and lets no save of this process begin or end any more.
fn remove_all() {
    let mut names = names();
    names.is_closed = true;
    for (directory, name) in names.taken.drain(..) {
        unlinkat(directory, name, AtFlags::empty()).ok();
    }
}

/// Starts the thread that removes unfinished files when a signal ends the process. Only the first
/// call has an effect.
pub(super) fn watch_signals() {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {
        let (watching, is_watching) = mpsc::sync_channel::<()>(0);
        let thread = thread::Builder::new().name("unfinished".to_owned());
        // Without a thread, or without handlers, a signal ends the process by default.
        let spawned = thread.spawn(move || {
            let mut signals = Signals::new(signals::not_ignored(&signals::terminating()));
            drop(watching);
            for signal in signals.iter_mut().flat_map(Signals::forever) {
                end_by(signal);
            }
        });
        if spawned.is_ok() {
            is_watching.recv().ok();
        }
    });
}

/// Ends the process as an uncaught signal does.
fn end_by(signal: i32) {
    // A write beyond the file size limit fails with an error.
    if signal != SIGXFSZ && !signals::is_caught(signal) {
        remove_all();
        signals::end_by(signal);
    }
}

fn names() -> MutexGuard<'static, Names> {
    NAMES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns an unpredictable number: std seeds its hash maps from the kernel's random source.
fn random() -> u64 {
    RandomState::new().hash_one(process::id())
}
