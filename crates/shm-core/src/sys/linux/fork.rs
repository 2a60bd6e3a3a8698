//! Noticing a fork without a system call, and keeping a child from holding its parent's locks.
//!
//! A page that the kernel wipes in every forked child (`MADV_WIPEONFORK`,
//! Linux 4.14) carries a number; a handle remembers the number under which it
//! was made. In a child the page reads zero until something new is made there.
//!
//! The kernel drops a byte lock when the last descriptor of its open file is closed, and a forked
//! child has one more. So in the child, before `fork` returns there, each such descriptor is
//! replaced by one that leads nowhere.
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

/// Remembers the process that made a handle.
///
/// And where its number stands, because whoever asks is about to take a lock or lets go of one, and
/// a locked instruction waits for every load before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ForkMark {
    page: &'static AtomicU64,
    number: u64,
}

impl ForkMark {
    /// Marks the calling process.
    pub(crate) fn here() -> Self {
        let page = page();
        // Relaxed: the number orders nothing, it only differs from process to process.
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

/// How many open files are kept from children at a time; further ones their children keep, too.
const PLACES: usize = 4096;
const FREE: RawFd = -1;

static PRIVATE: [AtomicI32; PLACES] = [const { AtomicI32::new(FREE) }; PLACES];
/// A descriptor that leads nowhere.
static NOWHERE: AtomicI32 = AtomicI32::new(FREE);

/// Keeps an open file, and so its byte locks, from forked children while this lives.
#[derive(Debug)]
pub(crate) struct NotInherited {
    place: Option<usize>,
}

impl NotInherited {
    /// Registers an open file, whose descriptor must stay open longer than this lives.
    pub(crate) fn new(file: &File) -> Self {
        static PREPARED: OnceLock<bool> = OnceLock::new();
        if !*PREPARED.get_or_init(prepare) {
            return Self { place: None };
        }
        let fd = file.as_raw_fd();
        let take = |place: &AtomicI32| {
            place
                .compare_exchange(FREE, fd, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
        };
        let place = PRIVATE.iter().position(take);
        Self { place }
    }
}

impl Drop for NotInherited {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            PRIVATE[place].store(FREE, Ordering::Relaxed);
        }
    }
}

/// Opens what descriptors are replaced by, and asks to be called in children.
fn prepare() -> bool {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let Ok(nowhere) = rustix::fs::open("/", flags, Mode::empty()) else {
        return false;
    };
    NOWHERE.store(nowhere.into_raw_fd(), Ordering::Relaxed);
    // SAFETY: the function that children call stays where it is, and makes only calls that are
    // allowed after a fork of a program with several threads.
    unsafe { libc::pthread_atfork(None, None, Some(lead_nowhere)) == 0 }
}

/// Called in each forked child, before anything else runs there.
extern "C" fn lead_nowhere() {
    let nowhere = NOWHERE.load(Ordering::Relaxed);
    for place in &PRIVATE {
        let fd = place.load(Ordering::Relaxed);
        if fd != FREE {
            // SAFETY: duplicates a descriptor over one that a handle of the parent's owns; that handle
            // says `Forked` here, and closing the copy is all that it ever does with it.
            unsafe { libc::dup3(nowhere, fd, libc::O_CLOEXEC) };
        }
    }
}

/// A random number that stays the same in a process, differs in its forked children, and is never 0.
pub(crate) fn process_token() -> u32 {
    let ForkMark { number, .. } = ForkMark::here();
    // Either half is as random as the other; at least one of them is not 0.
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
    // SAFETY: a fresh anonymous mapping at an address of the kernel's choice touches nothing that exists.
    let mapped =
        unsafe { rustix::mm::mmap_anonymous(std::ptr::null_mut(), LENGTH, protection, flags) };
    let Some(page) = mapped.ok().and_then(NonNull::new) else {
        // Without the page forks go unnoticed; everything else works.
        return &FALLBACK;
    };
    // SAFETY: the advice concerns only the page mapped above, which nobody else knows.
    let wiped = unsafe { rustix::mm::madvise(page.as_ptr(), LENGTH, Advice::LinuxWipeOnFork) };
    if wiped.is_err() {
        return &FALLBACK;
    }
    // SAFETY: the mapping is never unmapped, aligned to a page, at least one
    // word long and zero, which is a valid AtomicU64.
    unsafe { page.cast::<AtomicU64>().as_ref() }
}
