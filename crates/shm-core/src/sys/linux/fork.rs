//! Detects a fork without a system call, and keeps children from inheriting their parent's locks.
//!
//! A page that the kernel wipes in every forked child (`MADV_WIPEONFORK`, Linux 4.14) holds a
//! number, and a handle remembers the number under which it was created. In a child the page reads
//! zero until something new is created there.
//!
//! The kernel releases a byte lock when the last descriptor of its open file is closed, and a
//! forked child has another descriptor. So in the child, before `fork` returns there, each such
//! descriptor is replaced by a placeholder.
#![expect(
    unsafe_code,
    reason = "wiping a page, and acting in a forked child, have no safe wrappers"
)]

use std::fs::File;
use std::os::fd::{AsRawFd, IntoRawFd, RawFd};
use std::ptr::NonNull;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};

use rustix::fs::{Mode, OFlags};

use rustix::mm::{Advice, MapFlags, ProtFlags};

/// Identifies the process that created a handle.
///
/// Also holds the address of the number, because a caller that checks it is about to acquire or
/// release a lock, and a locked instruction waits for every load before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ForkMark {
    page: &'static AtomicU64,
    number: u64,
}

impl ForkMark {
    /// Returns the mark of the calling process.
    pub(crate) fn here() -> Self {
        let page = page();
        // Relaxed: the number orders nothing, it only differs between processes.
        let mut number = page.load(Ordering::Relaxed);
        if number == 0 {
            let fresh = super::random_u64().max(1);
            number = match page.compare_exchange(0, fresh, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => fresh,
                Err(other) => other,
            };
        }
        Self { page, number }
    }

    /// Returns `true` if this is a forked child of the process that made the mark.
    #[inline]
    pub(crate) fn is_elsewhere(self) -> bool {
        self.page.load(Ordering::Relaxed) != self.number
    }
}

/// The maximum number of open files that are kept from children; children inherit any further ones.
const CAPACITY: usize = 4096;
const FREE: RawFd = -1;

static DESCRIPTORS: [AtomicI32; CAPACITY] = [const { AtomicI32::new(FREE) }; CAPACITY];
/// The descriptor that replaces the others in a child.
static PLACEHOLDER: AtomicI32 = AtomicI32::new(FREE);

/// Keeps an open file, and so its byte locks, from forked children while this exists.
#[derive(Debug)]
pub(crate) struct NotInherited {
    index: Option<usize>,
}

impl NotInherited {
    /// Registers an open file, whose descriptor must stay open longer than this exists.
    pub(crate) fn new(file: &File) -> Self {
        static PREPARED: OnceLock<bool> = OnceLock::new();
        if !*PREPARED.get_or_init(prepare) {
            return Self { index: None };
        }
        let fd = file.as_raw_fd();
        let register = |entry: &AtomicI32| {
            entry
                .compare_exchange(FREE, fd, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
        };
        let index = DESCRIPTORS.iter().position(register);
        Self { index }
    }
}

impl Drop for NotInherited {
    fn drop(&mut self) {
        if let Some(index) = self.index {
            DESCRIPTORS[index].store(FREE, Ordering::Relaxed);
        }
    }
}

/// Opens the placeholder, and registers the handler for forked children.
fn prepare() -> bool {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let Ok(placeholder) = rustix::fs::open("/", flags, Mode::empty()) else {
        return false;
    };
    PLACEHOLDER.store(placeholder.into_raw_fd(), Ordering::Relaxed);
    // SAFETY: the handler is a static function, and makes only calls that are allowed after a fork
    // of a multi-threaded program.
    unsafe { libc::pthread_atfork(None, None, Some(replace_descriptors)) == 0 }
}

/// Runs in each forked child, before any other code.
extern "C" fn replace_descriptors() {
    let placeholder = PLACEHOLDER.load(Ordering::Relaxed);
    for entry in &DESCRIPTORS {
        let fd = entry.load(Ordering::Relaxed);
        if fd != FREE {
            // SAFETY: replaces a descriptor that a handle of the parent owns; in the child that
            // handle returns `Forked`, and never does more with the descriptor than close it.
            unsafe { libc::dup3(placeholder, fd, libc::O_CLOEXEC) };
        }
    }
}

/// Returns a random number that is constant in a process, differs in its forked children, and is
/// never 0.
pub(crate) fn process_token() -> u32 {
    let ForkMark { number, .. } = ForkMark::here();
    // Both halves are equally random, and at least one of them is not 0.
    let (low, high) = (number & u64::from(u32::MAX), number >> u32::BITS);
    u32::try_from(if low == 0 { high } else { low }).unwrap_or(1)
}

fn page() -> &'static AtomicU64 {
    static PAGE: OnceLock<&'static AtomicU64> = OnceLock::new();
    PAGE.get_or_init(wiped_page)
}

#[cold]
fn wiped_page() -> &'static AtomicU64 {
    static FALLBACK: AtomicU64 = AtomicU64::new(0);
    const LENGTH: usize = size_of::<AtomicU64>();
    let flags = MapFlags::PRIVATE;
    let protection = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: a new anonymous mapping at an address that the kernel chooses affects no existing
    // memory.
    let mapped =
        unsafe { rustix::mm::mmap_anonymous(std::ptr::null_mut(), LENGTH, protection, flags) };
    let Some(page) = mapped.ok().and_then(NonNull::new) else {
        // Without the page forks are not detected; everything else works.
        return &FALLBACK;
    };
    // SAFETY: the advice concerns only the page mapped above, to which no other code has access.
    let wiped = unsafe { rustix::mm::madvise(page.as_ptr(), LENGTH, Advice::LinuxWipeOnFork) };
    if wiped.is_err() {
        return &FALLBACK;
    }
    // SAFETY: the mapping is never unmapped, page-aligned, at least one word long, and zero, which
    // is a valid AtomicU64.
    unsafe { page.cast::<AtomicU64>().as_ref() }
}
