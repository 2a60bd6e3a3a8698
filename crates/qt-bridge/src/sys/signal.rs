//! Blocking signals while a POSIX lock is held: if a signal kills its holder, it stays held
//! forever.
#![expect(unsafe_code, reason = "signal masks have no safe wrapper")]

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr;

/// Blocks all signals of this thread until it is dropped, except SIGKILL and SIGSTOP.
#[derive(Debug)]
pub(crate) struct BlockedSignals {
    before: libc::sigset_t,
    /// A signal mask belongs to one thread.
    _not_send: PhantomData<*const ()>,
}

impl BlockedSignals {
    pub(crate) fn new() -> Self {
        let mut all = MaybeUninit::<libc::sigset_t>::zeroed();
        let mut before = MaybeUninit::<libc::sigset_t>::zeroed();
        // SAFETY: the pointer is valid for writing a set.
        unsafe { libc::sigfillset(all.as_mut_ptr()) };
        // SAFETY: `all` was filled; `before` is valid for writes. The call fails for an unknown
        // command only.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr()) };
        Self {
            // SAFETY: the call has written it; and zeros, the empty set, were valid before.
            before: unsafe { before.assume_init() },
            _not_send: PhantomData,
        }
    }
}

impl Drop for BlockedSignals {
    fn drop(&mut self) {
        // SAFETY: it is the set that this thread had; null means that the old set is not written.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, ptr::null_mut())
        };
    }
}
