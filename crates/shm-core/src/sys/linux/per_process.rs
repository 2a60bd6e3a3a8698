//! Something that a process has one of, and a forked child another.
#![expect(unsafe_code, reason = "a pointer that is replaced in a forked child")]

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::fork::ForkMark;

/// A value that is made when it is first asked for, once in each process.
///
/// Not a lock: another thread may have held that when the process forked, and would never let go of it
/// in the child.
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

    /// The value of this process. What a child inherits from its parent is never looked at, nor freed.
    pub(crate) fn get(&'static self, make: impl Fn() -> T) -> &'static T {
        loop {
            // Acquire, because what the pointer leads to was written before it: pairs with the exchange.
            let seen = self.0.load(Ordering::Acquire);
            // SAFETY: null, or leaked by an exchange below; nothing frees what was exchanged in.
            if let Some(made) = unsafe { seen.as_ref() }
                && !made.fork.is_elsewhere()
            {
                return &made.value;
            }
            let fresh = Box::into_raw(Box::new(Made {
                fork: ForkMark::here(),
                value: make(),
            }));
            // Release, because others find the value by it: pairs with the load above.
            let exchanged =
                self.0
                    .compare_exchange(seen, fresh, Ordering::Release, Ordering::Relaxed);
            if exchanged.is_err() {
                // SAFETY: made above, and no other thread has seen it, because the exchange failed.
                drop(unsafe { Box::from_raw(fresh) });
            }
        }
    }
}
