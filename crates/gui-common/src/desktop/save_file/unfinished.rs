//! The names of unfinished files, which are removed on every way out of the process.
//!
//! Where a save ends in order, by an error or by a panic, [`Name`] removes its own. Where a signal ends
//! the process, a thread does; where `main` returns while other threads are still saving, [`Cleanup`].

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

/// How often a random name is tried that is taken.
const ATTEMPTS: usize = 16;

/// All of the process.
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
    /// Lets `make` make a file under a random name in `directory`, and again where that is taken.
    pub(super) fn take<T>(
        directory: &Arc<OwnedFd>,
        prefix: &str,
        make: impl Fn(&str) -> io::Result<T>,
    ) -> io::Result<(Name, T)> {
        let mut last = Errno::EXIST.into();
        for _ in 0..ATTEMPTS {
            let name = format!("{prefix}{:016x}", random());
            // Held while it is made, so that the end of the process comes before or after.
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
                    // Not every file system can do that.
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
            // There is already an error to tell; a second one would only hide it.
            unlinkat(&self.directory, &self.name, AtFlags::empty()).ok();
        }
    }
}

impl Names {
    /// Returns `true` if the name was still to be removed.
    fn forget(&mut self, name: &str) -> bool {
        let place = self.taken.iter().position(|(_, taken)| taken == name);
        place.map(|place| self.taken.swap_remove(place)).is_some()
    }
}

/// Removes what other threads have not finished, when `main` returns or panics. Held by `main`.
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

/// Lets a thread remove what is unfinished when a signal ends the process. Once is enough.
pub(super) fn watch_signals() {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {
        let (watching, is_watching) = mpsc::sync_channel::<()>(0);
        let thread = thread::Builder::new().name("unfinished".to_owned());
        // Without a thread, or without handlers, a signal ends the process as it always did.
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

/// Ends the process as a signal does that nobody catches.
fn end_by(signal: i32) {
    // The write that is beyond the limit of file sizes fails, and says so.
    if signal != SIGXFSZ && !signals::is_caught(signal) {
        remove_all();
        signals::end_by(signal);
    }
}

fn names() -> MutexGuard<'static, Names> {
    NAMES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A number that nobody can guess: std seeds its hash maps from the kernel's source of randomness.
fn random() -> u64 {
    RandomState::new().hash_one(process::id())
}
