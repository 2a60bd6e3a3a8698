//! This project's lock and semaphore, as programs use them.

use std::path::Path;

use shm_core::{Block, Key, Options, ReadWrite, Semaphore};

use super::Lock;
use crate::Outcome;

pub(super) struct Ours(Block<ReadWrite>);

impl Ours {
    pub(super) fn open(place: &Path) -> Outcome<Self> {
        let options = Options::new().directory(place);
        let block = Block::open_or_create(&Key::new("lock")?, 64, &options)?;
        Ok(Self(block))
    }
}

impl Lock for Ours {
    #[inline]
    fn with(&self, work: impl FnOnce()) {
        // No process dies or removes the block in a contest. A failure would show in the count.
        let Ok(locked) = self.0.lock() else { return };
        let guard = locked.ignore_abandonment();
        work();
        drop(guard);
    }
}

/// A semaphore of one unit.
pub(super) struct Counting(Semaphore);

impl Counting {
    pub(super) fn open(place: &Path) -> Outcome<Self> {
        let options = Options::new().directory(place);
        let semaphore = Semaphore::open_or_create(&Key::new("semaphore")?, 1, &options)?;
        Ok(Self(semaphore))
    }
}

impl Lock for Counting {
    #[inline]
    fn with(&self, work: impl FnOnce()) {
        // As for the lock: a failure would show in the count.
        let Ok(()) = self.0.acquire(1, None) else {
            return;
        };
        work();
        let Ok(()) = self.0.release(1) else { return };
    }
}
