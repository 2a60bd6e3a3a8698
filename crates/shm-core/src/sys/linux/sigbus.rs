//! Survives a peer that truncates a file while it is being read in place.
//!
//! An access to a mapped page beyond the end of its file raises SIGBUS, which ends the process.
//! With the guard, such a page of this crate's mappings is replaced by a private page of zeros, the
//! mapping is marked, and the reader continues and finds the mark. Faults elsewhere keep their
//! meaning.
#![expect(
    unsafe_code,
    reason = "signal handlers and fixed mappings have no safe wrapper"
)]

use std::io;
use std::mem::MaybeUninit;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The maximum number of guarded mappings; any further ones are mapped without the guard.
const CAPACITY: usize = 4096;

struct Entry {
    /// First address; 0 while the entry is free, 1 while it is being filled.
    start: AtomicUsize,
    length: AtomicUsize,
    hit: AtomicBool,
}

const BEING_FILLED: usize = 1;

static TABLE: [Entry; CAPACITY] = [const {
    Entry {
        start: AtomicUsize::new(0),
        length: AtomicUsize::new(0),
        hit: AtomicBool::new(false),
    }
}; CAPACITY];

/// What the handler needs and may not compute, because it runs in a signal.
struct Installed {
    page: usize,
    previous: libc::sigaction,
}

static INSTALLED: OnceLock<Installed> = OnceLock::new();

/// Makes in-place reads survive a peer that truncates the file.
///
/// Without it, a process that reads a [`Sample`](crate::Sample) or a block in place is killed by
/// `SIGBUS` if a process with write access truncates the file. With it, the missing part reads as
/// zeros and the next checked operation reports the truncation. The handler is process-wide; faults
/// outside this crate's mappings are passed to the previous handler. Call it once, early: earlier
/// mappings are not guarded. Reads by [`copy_to`](crate::Sample::copy_to) need no guard.
///
/// # Errors
///
/// The underlying OS error if the handler could not be installed.
///
/// # Examples
///
/// ```
/// shm_core::guard_against_truncation()?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn guard_against_truncation() -> io::Result<()> {
    if INSTALLED.get().is_some() {
        return Ok(());
    }
    let mut previous = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: a null new action only queries; `previous` is writable and large enough.
    let asked = unsafe { libc::sigaction(libc::SIGBUS, std::ptr::null(), previous.as_mut_ptr()) };
    if asked != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: zeroed above and filled by the successful call; all zeros is valid too.
    let previous = unsafe { previous.assume_init() };
    if INSTALLED
        .set(Installed {
            page: super::memory::page_size(),
            previous,
        })
        .is_err()
    {
        return Ok(());
    }
    // SAFETY: `sigaction` consists of integers, a set and an optional pointer; zeros are valid.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) = on_sigbus;
    action.sa_sigaction = handler as libc::sighandler_t;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: the handler has the signature that SA_SIGINFO requires, and does only what is allowed
    // in a signal: atomics, mmap and sigaction.
    let installed =
        unsafe { libc::sigaction(libc::SIGBUS, &raw const action, std::ptr::null_mut()) };
    if installed == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// A mapping of another crate that [`guard_against_truncation`] also covers, while this exists.
#[derive(Debug)]
pub struct GuardedMapping(Option<Registration>);

impl GuardedMapping {
    /// Guards `length` bytes from `start`, if the guard is installed and has a free entry.
    ///
    /// # Safety
    ///
    /// The bytes are a mapping of a file that belongs to the caller and outlives this. Any page of
    /// it may be replaced by zeros at any time, and is then no longer shared.
    #[must_use]
    pub unsafe fn new(start: *const u8, length: usize) -> GuardedMapping {
        GuardedMapping(register(start, length))
    }

    /// Returns `true` if the file was truncated: then a part of the mapping is no longer shared.
    #[inline]
    #[must_use]
    pub fn was_truncated(&self) -> bool {
        self.0.as_ref().is_some_and(Registration::was_hit)
    }
}

/// A mapping in the handler's table; removed from it when dropped.
#[derive(Debug)]
pub(crate) struct Registration {
    index: usize,
}

/// Registers a mapping, if the guard is installed and the table has a free entry.
pub(crate) fn register(start: *const u8, length: usize) -> Option<Registration> {
    INSTALLED.get()?;
    for (index, entry) in TABLE.iter().enumerate() {
        let taken =
            entry
                .start
                .compare_exchange(0, BEING_FILLED, Ordering::Acquire, Ordering::Relaxed);
        if taken.is_ok() {
            entry.hit.store(false, Ordering::Relaxed);
            entry.length.store(length, Ordering::Relaxed);
            // Release, because the handler must see the length that belongs to this start: pairs
            // with its Acquire load.
            entry.start.store(start.addr(), Ordering::Release);
            return Some(Registration { index });
        }
    }
    None
}

impl Registration {
    /// Returns `true` if a page of the mapping was replaced.
    #[inline]
    pub(crate) fn was_hit(&self) -> bool {
        TABLE[self.index].hit.load(Ordering::Acquire)
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        TABLE[self.index].start.store(0, Ordering::Release);
    }
}

extern "C" fn on_sigbus(
    _signal: libc::c_int,
    information: *mut libc::siginfo_t,
    _context: *mut libc::c_void,
) {
    let Some(installed) = INSTALLED.get() else {
        return;
    };
    // SAFETY: the kernel passes a valid siginfo to a handler installed with SA_SIGINFO.
    let information = unsafe { &*information };
    // SAFETY: for SIGBUS the kernel fills in the faulting address.
    let address = unsafe { information.si_addr() }.addr();
    if !replace_page(address, installed.page) {
        // Not a mapping of ours: restore the previous handler; the fault repeats and reaches it.
        // SAFETY: `previous` came from the system and is unchanged.
        unsafe {
            libc::sigaction(
                libc::SIGBUS,
                &raw const installed.previous,
                std::ptr::null_mut(),
            )
        };
    }
}

fn replace_page(address: usize, page: usize) -> bool {
    let contains = |entry: &&Entry| {
        let start = entry.start.load(Ordering::Acquire);
        start > BEING_FILLED
            && address >= start
            && address - start < entry.length.load(Ordering::Relaxed)
    };
    let Some(entry) = TABLE.iter().find(contains) else {
        return false;
    };
    entry.hit.store(true, Ordering::Release);
    let start = std::ptr::with_exposed_provenance_mut(address & !(page - 1));
    // SAFETY: the page lies in a mapping of this crate or of the user of a `GuardedMapping`, which
    // its owner still has (its registration ends before it is unmapped), so no other memory is
    // replaced; readers see zeros, which are valid bytes.
    let mapped = unsafe {
        libc::mmap(
            start,
            page,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED,
            -1,
            0,
        )
    };
    mapped != libc::MAP_FAILED
}
