//! Surviving a peer that cuts a file short while it is being read in place.
//!
//! Touching a mapped page behind the end of its file raises SIGBUS, which
//! ends the process. With the guard, such a page of *our* mappings is replaced
//! by a private page of zeros, the mapping is marked, and the reader goes on
//! to find the mark. Faults anywhere else keep their meaning.
#![expect(
    unsafe_code,
    reason = "signal handlers and fixed mappings have no safe wrapper"
)]

use std::io;
use std::mem::MaybeUninit;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// How many mappings are guarded at a time; further ones are mapped without.
const PLACES: usize = 4096;

struct Place {
    /// First address; 0 while the place is free, 1 while it is being filled.
    start: AtomicUsize,
    length: AtomicUsize,
    hit: AtomicBool,
}

const BEING_FILLED: usize = 1;

static PLACES_TABLE: [Place; PLACES] = [const {
    Place {
        start: AtomicUsize::new(0),
        length: AtomicUsize::new(0),
        hit: AtomicBool::new(false),
    }
}; PLACES];

/// What the handler needs and may not compute: it runs inside a signal.
struct Installed {
    page: usize,
    previous: libc::sigaction,
}

static INSTALLED: OnceLock<Installed> = OnceLock::new();

/// Makes in-place reads survive a peer that truncates the file they read.
///
/// Without it, a process that reads a [`Sample`](crate::Sample) or a block in
/// place dies of `SIGBUS` when somebody with write access cuts the file
/// short. With it, the missing part reads as zeros and the next checked
/// operation reports it. The handler is process-wide; faults outside this
/// crate's mappings go to whatever handler stood before. Call it once, early:
/// mappings made before are not guarded. Reads by
/// [`copy_to`](crate::Sample::copy_to) need no guard.
///
/// # Errors
///
/// The system's error where the handler could not be installed.
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
    // SAFETY: a null new action only asks; `previous` is writable and large enough.
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
    // SAFETY: the handler has the signature that SA_SIGINFO asks for and does
    // only what is allowed in a signal: atomics, mmap and sigaction.
    let installed =
        unsafe { libc::sigaction(libc::SIGBUS, &raw const action, std::ptr::null_mut()) };
    if installed == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// A mapping of another crate that [`guard_against_truncation`] covers as well, as long as this lives.
#[derive(Debug)]
pub struct GuardedMapping(Option<Registration>);

impl GuardedMapping {
    /// Guards `length` bytes from `start`, where the guard was asked for and has room.
    ///
    /// # Safety
    ///
    /// The bytes are a mapping of a file that belongs to the caller and outlives this. Pages of it
    /// may become zeros at any time, and stop being shared.
    #[must_use]
    pub unsafe fn new(start: *const u8, length: usize) -> GuardedMapping {
        GuardedMapping(register(start, length))
    }

    /// Returns `true` if the file was cut short: then what stands in the mapping is no longer shared.
    #[inline]
    #[must_use]
    pub fn was_truncated(&self) -> bool {
        self.0.as_ref().is_some_and(Registration::was_hit)
    }
}

/// A mapping entered in the handler's table; leaves it when dropped.
#[derive(Debug)]
pub(crate) struct Registration {
    place: usize,
}

/// Enters a mapping, where the guard was asked for and the table has room.
pub(crate) fn register(start: *const u8, length: usize) -> Option<Registration> {
    INSTALLED.get()?;
    for (index, place) in PLACES_TABLE.iter().enumerate() {
        let taken =
            place
                .start
                .compare_exchange(0, BEING_FILLED, Ordering::Acquire, Ordering::Relaxed);
        if taken.is_ok() {
            place.hit.store(false, Ordering::Relaxed);
            place.length.store(length, Ordering::Relaxed);
            // Release, because the handler must see the length that belongs to
            // this start: pairs with its Acquire load.
            place.start.store(start.addr(), Ordering::Release);
            return Some(Registration { place: index });
        }
    }
    None
}

impl Registration {
    /// Returns `true` if a page of the mapping had to be replaced.
    #[inline]
    pub(crate) fn was_hit(&self) -> bool {
        PLACES_TABLE[self.place].hit.load(Ordering::Acquire)
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        PLACES_TABLE[self.place].start.store(0, Ordering::Release);
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
        // Not ours: put back what stood before; the fault repeats and finds it.
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
    let contains = |place: &&Place| {
        let start = place.start.load(Ordering::Acquire);
        start > BEING_FILLED
            && address >= start
            && address - start < place.length.load(Ordering::Relaxed)
    };
    let Some(place) = PLACES_TABLE.iter().find(contains) else {
        return false;
    };
    place.hit.store(true, Ordering::Release);
    let start = std::ptr::with_exposed_provenance_mut(address & !(page - 1));
    // SAFETY: the page lies in a mapping that this crate made, or the user of a
    // `GuardedMapping`, and that it still owns
    // (its registration ends before it is unmapped), so replacing it touches
    // nobody else's memory; readers see zeros, which are valid bytes.
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
