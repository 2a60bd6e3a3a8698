//! A value of which each process has one, a forked child its own.
#![expect(unsafe_code, reason = "a pointer that is replaced in a forked child")]

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::fork::ForkMark;

/// A value that is created on first use, once in each process.
///
/// Uses no lock, because another thread may have held it when the process forked, and would never
/// release it in the child.
#[derive(Debug)]
pub(crate) struct PerProcess<T: 'static>(AtomicPtr<Made<T>>);

#[derive(Debug)]
struct Made<T> {
    fork: ForkMark,
    value: T,
}

impl<T: Sync> PerProcess<T> {
    pub(crate) const fn new() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    /// Returns the value of this process. A value inherited from the parent is never used, nor
    /// freed.
    pub(crate) fn get(&'static self, make: impl Fn() -> T) -> &'static T {
        loop {
            // Acquire, because the value was written before the pointer to it: pairs with the
            // exchange.
            let seen = self.0.load(Ordering::Acquire);
            // SAFETY: null, or leaked by an exchange below; an exchanged value is never freed.
            let made = unsafe { seen.as_ref() };
            if let Some(made) = made.filter(|made| !made.fork.is_elsewhere()) {
                return &made.value;
            }
            let fresh = Box::into_raw(Box::new(Made {
                fork: ForkMark::here(),
                value: make(),
            }));
            // Release, because other threads find the value by the pointer: pairs with the load
            // above.
            let exchanged =
                self.0
                    .compare_exchange(seen, fresh, Ordering::Release, Ordering::Relaxed);
            if exchanged.is_err() {
                // SAFETY: created above, and no other thread has seen it, because the exchange
                // failed.
                drop(unsafe { Box::from_raw(fresh) });
            }
        }
    }
}
