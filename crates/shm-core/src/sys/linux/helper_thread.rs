//! Threads of the library's own, in programs that know nothing of them.
#![expect(unsafe_code, reason = "the C library alone blocks signals")]

use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::thread::{self, JoinHandle};

/// Signals that a fault of the thread itself causes: blocked, they would end the process.
const FAULTS: [libc::c_int; 5] = [
    libc::SIGBUS,
    libc::SIGSEGV,
    libc::SIGFPE,
    libc::SIGILL,
    libc::SIGTRAP,
];

/// Starts a thread that gets no signals: those are for the program's own threads.
pub(crate) fn spawn_helper(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let blocked = all_but_faults();
    let mut before = MaybeUninit::uninit();
    // SAFETY: both point to sets that outlive the call; it writes the second.
    let failed = unsafe {
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const blocked, before.as_mut_ptr())
    };
    if failed != 0 {
        return Err(io::Error::from_raw_os_error(failed));
    }
    // A new thread inherits what its maker blocks.
    let started = thread::Builder::new().name(name.to_owned()).spawn(work);
    // SAFETY: the first call wrote the set, as it did not fail; nothing is to be written.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut()) };
    started
}

fn all_but_faults() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: it writes a whole set, and cannot fail.
    unsafe { libc::sigfillset(set.as_mut_ptr()) };
    // SAFETY: written by the call above.
    let mut set = unsafe { set.assume_init() };
    for signal in FAULTS {
        // SAFETY: the set was made above, and the number is a signal's.
        unsafe { libc::sigdelset(&raw mut set, signal) };
    }
    set
}
