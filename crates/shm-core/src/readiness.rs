//! Waking a thread, a descriptor or a task when a source is ready.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use crate::sys::{self, EventFd, ForkMark};

/// The event that there may be something to read.
pub(crate) const DATA: u32 = 1;
/// The event that a publisher may have detached or died, or the name may have been removed: only
/// the kernel knows.
pub(crate) const LIVENESS: u32 = 2;

/// A word of this process on which threads sleep while it is 0.
#[derive(Debug, Default)]
pub(crate) struct WakeFlag(AtomicU32);

impl WakeFlag {
    pub(crate) fn word(&self) -> &AtomicU32 {
        &self.0
    }

    /// Wakes the threads that sleep on it, and keeps the next from falling asleep.
    /// Async-signal-safe.
    pub(crate) fn wake(&self) {
        // SeqCst, because neither the swap in `clear` nor the loads after it may pass this store.
        if self.0.swap(1, Ordering::SeqCst) == 0 {
            sys::wake_private(&self.0);
        }
    }

    /// Clears it, so that threads can sleep on it again; returns `true` if it was woken since the
    /// last time.
    pub(crate) fn clear(&self) -> bool {
        self.0.swap(0, Ordering::SeqCst) != 0
    }

    pub(crate) fn is_woken(&self) -> bool {
        self.0.load(Ordering::SeqCst) != 0
    }
}

/// The events of a source, and what they wake.
#[derive(Debug)]
pub(crate) struct Readiness {
    events: AtomicU32,
    wake: Arc<WakeFlag>,
    descriptor: Option<EventFd>,
    waker: Mutex<Option<Waker>>,
    fork: ForkMark,
}

impl Readiness {
    /// Creates a readiness that wakes the threads that sleep on a flag.
    pub(crate) fn new(wake: Arc<WakeFlag>) -> Self {
        Self {
            events: AtomicU32::new(0),
            wake,
            descriptor: None,
            waker: Mutex::new(None),
            fork: ForkMark::here(),
        }
    }

    /// Creates a readiness that makes a descriptor readable.
    pub(crate) fn with_descriptor() -> io::Result<Self> {
        Ok(Self {
            descriptor: Some(EventFd::new()?),
            ..Self::new(Arc::default())
        })
    }

    /// Records events that the caller is about to notify.
    pub(crate) fn note(&self, events: u32) {
        self.events.fetch_or(events, Ordering::SeqCst);
    }

    /// Records events, and wakes.
    pub(crate) fn notify(&self, events: u32) {
        self.note(events);
        self.wake.wake();
        if let Some(eventfd) = &self.descriptor {
            eventfd.notify();
        }
        let waker = self.waker().take();
        if let Some(waker) = waker {
            // A panic in a program's waker must not end the helper thread, which serves others too.
            let _panicked = catch_unwind(AssertUnwindSafe(|| waker.wake()));
        }
    }

    /// Takes the events since the last call, and makes the descriptor unreadable.
    pub(crate) fn take(&self) -> u32 {
        // A forked child shares the descriptor: its parent would miss events that the child clears.
        if let Some(eventfd) = self
            .descriptor
            .as_ref()
            .filter(|_| !self.fork.is_elsewhere())
        {
            // Before the swap, so that later events make it readable again.
            eventfd.clear();
        }
        self.events.swap(0, Ordering::SeqCst)
    }

    /// Returns `true` if there are events that were not taken.
    pub(crate) fn has_happened(&self) -> bool {
        self.events.load(Ordering::SeqCst) != 0
    }

    /// Returns `true` in a forked child of the process that created it, where it is not notified.
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
        // Outside the lock, because cloning and dropping a waker run the program's code.
        let waker = waker.clone();
        let before = self.waker().replace(waker);
        drop(before);
    }

    fn waker(&self) -> MutexGuard<'_, Option<Waker>> {
        // A panic cannot leave it inconsistent: every change is a single store.
        self.waker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the descriptor.
    ///
    /// # Panics
    ///
    /// Panics if it was created without one.
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        let eventfd = self.descriptor.as_ref();
        eventfd.expect("created with a descriptor").as_fd()
    }
}
