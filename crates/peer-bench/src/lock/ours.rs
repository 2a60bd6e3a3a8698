//! This project's lock, as a program takes it.

use std::path::Path;

use shm_core::{Key, Options, ReadWrite, SharedMemory};

use super::Lock;
use crate::Outcome;

pub(super) struct Ours(SharedMemory<ReadWrite>);

impl Ours {
    pub(super) fn open(place: &Path) -> Outcome<Self> {
        let options = Options::new().directory(place);
        let block = SharedMemory::open_or_create(&Key::new("lock")?, 64, &options)?;
        Ok(Self(block))
    }
}

impl Lock for Ours {
    #[inline]
    fn with(&self, work: impl FnOnce()) {
        // Nobody dies or removes it in a contest; were it otherwise, the count would tell.
        let Ok(locked) = self.0.lock() else { return };
        let guard = locked.ignore_abandonment();
        work();
        drop(guard);
    }
}
