//! Threads of the library, in programs that do not expect them.
#![expect(unsafe_code, reason = "blocking signals has no safe wrapper")]

use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::thread::{self, JoinHandle};

/// Signals that are raised by a fault of the thread itself; while blocked they would end the
/// process.
const FAULTS: [libc::c_int; 5] = [
    libc::SIGBUS,
    libc::SIGSEGV,
    libc::SIGFPE,
    libc::SIGILL,
    libc::SIGTRAP,
];

/// Starts a thread that receives no signals, which are for the program's own threads.
pub(crate) fn spawn_helper(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let blocked = all_but_faults();
    let mut before = MaybeUninit::uninit();
    // SAFETY: both pointers lead to sets that outlive the call, which writes the second.
    let failed = unsafe {
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const blocked, before.as_mut_ptr())
    };
    if failed != 0 {
        return Err(io::Error::from_raw_os_error(failed));
    }
    // A new thread inherits the signal mask of its creator.
    let started = thread::Builder::new().name(name.to_owned()).spawn(work);
    // SAFETY: the first call succeeded, so it wrote the set; a null pointer requests no output.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut()) };
    started
}

fn all_but_faults() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: the call initializes the whole set, and cannot fail.
    unsafe { libc::sigfillset(set.as_mut_ptr()) };
    // SAFETY: initialized by the call above.
    let mut set = unsafe { set.assume_init() };
    for signal in FAULTS {
        // SAFETY: the set was initialized above, and the number is that of a signal.
        unsafe { libc::sigdelset(&raw mut set, signal) };
    }
    set
}
