//! Wakes a thread, a descriptor or a task when a source is ready.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use crate::sys::{self, EventFd, ForkMark};

/// There may be something to read.
pub(crate) const DATA: u32 = 1;
/// A publisher or the name may have gone: ask the kernel.
pub(crate) const LIVENESS: u32 = 2;

/// A word of this process that threads sleep on until it is not 0.
#[derive(Debug, Default)]
pub(crate) struct WakeFlag(AtomicU32);

impl WakeFlag {
    pub(crate) fn word(&self) -> &AtomicU32 {
        &self.0
    }

    /// Wakes the threads that sleep on it, and keeps the next from falling asleep. Safe in a signal
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

/// What has happened to a source, and what it wakes.
#[derive(Debug)]
pub(crate) struct Readiness {
    happened: AtomicU32,
    wake: Arc<WakeFlag>,
    descriptor: Option<EventFd>,
    waker: Mutex<Option<Waker>>,
    fork: ForkMark,
}

impl Readiness {
    /// Wakes the threads that sleep on a flag.
    pub(crate) fn new(wake: Arc<WakeFlag>) -> Self {
        Self {
            happened: AtomicU32::new(0),
            wake,
            descriptor: None,
            waker: Mutex::new(None),
            fork: ForkMark::here(),
        }
    }

    /// Makes a descriptor readable.
    pub(crate) fn with_descriptor() -> io::Result<Self> {
        Ok(Self {
            descriptor: Some(EventFd::new()?),
            ..Self::new(Arc::default())
        })
    }

    /// Notes what has happened, which is about to be notified.
    pub(crate) fn note(&self, what: u32) {
        self.happened.fetch_or(what, Ordering::SeqCst);
    }

    /// Notes that something has happened, and wakes.
    pub(crate) fn notify(&self, what: u32) {
        self.note(what);
        self.wake.wake();
        if let Some(eventfd) = &self.descriptor {
            eventfd.notify();
        }
        let waker = self.waker().take();
        if let Some(waker) = waker {
            // Whatever a program's waker does, the helper thread goes on for the others.
            let _panicked = catch_unwind(AssertUnwindSafe(|| waker.wake()));
        }
    }

    /// Takes what has happened since the last call, after which the descriptor is not readable.
    pub(crate) fn take(&self) -> u32 {
        // A forked child shares the descriptor, and its parent would miss what is read from it.
        if let Some(eventfd) = self
            .descriptor
            .as_ref()
            .filter(|_| !self.fork.is_elsewhere())
        {
            // Before the look, so that what comes after it is told.
            eventfd.clear();
        }
        self.happened.swap(0, Ordering::SeqCst)
    }

    /// Returns `true` if anything has happened that was not taken.
    pub(crate) fn has_happened(&self) -> bool {
        self.happened.load(Ordering::SeqCst) != 0
    }

    /// Returns `true` in a forked child of the process that made it: it is not notified there.
    pub(crate) fn is_forked(&self) -> bool {
        self.fork.is_elsewhere()
    }

    /// Sets the task that the next notification wakes.
    #[cfg(feature = "async")]
    pub(crate) fn set_waker(&self, waker: &Waker) {
        let is_known = |known: &Waker| known.will_wake(waker);
        if self.waker().as_ref().is_some_and(is_known) {
            return;
        }
        // Cloning and dropping a waker run the program's code: not under the lock.
        let waker = waker.clone();
        let before = self.waker().replace(waker);
        drop(before);
    }

    fn waker(&self) -> MutexGuard<'_, Option<Waker>> {
        // Every change under it is a single store.
        self.waker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the descriptor.
    ///
    /// # Panics
    ///
    /// If it was made without one.
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        let eventfd = self.descriptor.as_ref();
        eventfd.expect("it was made with a descriptor").as_fd()
    }
}
