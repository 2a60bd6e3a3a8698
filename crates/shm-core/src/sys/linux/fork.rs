//! Noticing a fork without a system call.
//!
//! A page that the kernel wipes in every forked child (`MADV_WIPEONFORK`,
//! Linux 4.14) carries a number; a handle remembers the number under which it
//! was made. In a child the page reads zero until something new is made there.
#![expect(
    unsafe_code,
    reason = "asking the kernel to wipe a page has no safe wrapper"
)]

use std::ptr::NonNull;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

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

    /// Tells whether this is a forked child of the process that made the mark.
    #[inline]
    pub(crate) fn is_elsewhere(self) -> bool {
        self.page.load(Ordering::Relaxed) != self.number
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
