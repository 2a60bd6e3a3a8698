//! How a thread that waits, a descriptor or a task is told that something has happened.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use crate::sys::{self, Bell, ForkMark};

/// Something is new.
pub(crate) const NEWS: u32 = 1;
/// Somebody may have gone: ask the kernel.
pub(crate) const LOOK: u32 = 2;

/// A word of this process that threads sleep on until it is not 0.
#[derive(Debug, Default)]
pub(crate) struct WakeWord(AtomicU32);

impl WakeWord {
    pub(crate) fn word(&self) -> &AtomicU32 {
        &self.0
    }

    /// Wakes who sleeps on it, and keeps the next from falling asleep. May be called by a signal
    /// handler.
    pub(crate) fn wake(&self) {
        // SeqCst, because the swap in `clear` and what is looked at after it must not pass this store.
        if self.0.swap(1, Ordering::SeqCst) == 0 {
            sys::wake_private(&self.0);
        }
    }

    /// Returns whether it was woken since it was cleared; then it can be slept on again.
    pub(crate) fn clear(&self) -> bool {
        self.0.swap(0, Ordering::SeqCst) != 0
    }

    pub(crate) fn is_woken(&self) -> bool {
        self.0.load(Ordering::SeqCst) != 0
    }
}

/// What happened to something that is waited for, and who is to be told.
#[derive(Debug)]
pub(crate) struct Alarm {
    happened: AtomicU32,
    wake: Arc<WakeWord>,
    descriptor: Option<Bell>,
    waker: Mutex<Option<Waker>>,
    fork: ForkMark,
}

impl Alarm {
    /// One that wakes who sleeps on a word.
    pub(crate) fn new(wake: Arc<WakeWord>) -> Self {
        Self {
            happened: AtomicU32::new(0),
            wake,
            descriptor: None,
            waker: Mutex::new(None),
            fork: ForkMark::here(),
        }
    }

    /// One that makes a descriptor readable.
    pub(crate) fn with_descriptor() -> io::Result<Self> {
        Ok(Self {
            descriptor: Some(Bell::new()?),
            ..Self::new(Arc::default())
        })
    }

    /// Says that something has happened.
    pub(crate) fn raise(&self, what: u32) {
        self.happened.fetch_or(what, Ordering::SeqCst);
        self.wake.wake();
        if let Some(bell) = &self.descriptor {
            bell.ring();
        }
        let waker = self.waker().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Takes what has happened since the last call, after which the descriptor is not readable.
    pub(crate) fn take(&self) -> u32 {
        // A forked child shares the descriptor, and its parent would miss what is read from it.
        if let Some(bell) = self
            .descriptor
            .as_ref()
            .filter(|_| !self.fork.is_elsewhere())
        {
            // Before the look, so that what comes after it is told.
            bell.silence();
        }
        self.happened.swap(0, Ordering::SeqCst)
    }

    /// Has a task woken next time.
    #[cfg(feature = "async")]
    pub(crate) fn set_waker(&self, waker: &Waker) {
        let mut known = self.waker();
        match &mut *known {
            Some(known) => known.clone_from(waker),
            None => *known = Some(waker.clone()),
        }
    }

    fn waker(&self) -> MutexGuard<'_, Option<Waker>> {
        // Every change under it is a single store.
        self.waker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The descriptor, of one that has any.
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        let bell = self.descriptor.as_ref();
        bell.expect("it was made with a descriptor").as_fd()
    }
}
