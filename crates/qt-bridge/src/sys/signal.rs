//! Signals, held back while a POSIX lock is held: whoever is killed with it keeps it for ever.
#![expect(unsafe_code, reason = "signal masks have no safe wrapper")]

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr;

/// Holds back the signals of this thread, until it is dropped. SIGKILL and SIGSTOP cannot be.
#[derive(Debug)]
pub(crate) struct BlockedSignals {
    before: libc::sigset_t,
    /// A mask is a thread's own.
    _not_send: PhantomData<*const ()>,
}

impl BlockedSignals {
    pub(crate) fn new() -> Self {
        let mut all = MaybeUninit::<libc::sigset_t>::zeroed();
        let mut before = MaybeUninit::<libc::sigset_t>::zeroed();
        // SAFETY: it has a place for the set.
        unsafe { libc::sigfillset(all.as_mut_ptr()) };
        // SAFETY: the set was filled; the other has a place. It fails for an unknown command only.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr()) };
        Self {
            // SAFETY: the call has written it; and zeros, no signals at all, were valid before.
            before: unsafe { before.assume_init() },
            _not_send: PhantomData,
        }
    }
}

impl Drop for BlockedSignals {
    fn drop(&mut self) {
        // SAFETY: it is the set that this thread had, and nothing is to be written.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, ptr::null_mut())
        };
    }
}
