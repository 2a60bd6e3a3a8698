//! The atomics that the protocols use, in one place.
//!
//! All other modules take their atomics from here, so that a model checker can replace the hardware
//! without a change to the protocols.

mod copy;

pub(crate) use copy::{Access, copy_in, copy_out, prefetch};
#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

/// How often a contender checks a word before it sleeps. A model checker tries every interleaving
/// anyway, and would only count the checks.
pub(crate) const SPINS: u32 = if cfg!(loom) { 0 } else { 100 };

/// Marks a point after a store of a slot's process at which the process may die; only a model
/// checker simulates that.
#[inline]
pub(crate) fn stored_by(slot: u8) {
    #[cfg(loom)]
    crate::model::death::stored_by(slot);
    #[cfg(not(loom))]
    let _ = slot;
}

/// Prevents the compiler from moving a later store before an earlier one.
///
/// A killed process has executed a prefix of its instructions. If no other process reads before its
/// death, which the kernel orders, only the compiler could change that prefix; a model checker
/// cannot show this.
#[inline]
pub(crate) fn order_stores_before_death() {
    std::sync::atomic::compiler_fence(std::sync::atomic::Ordering::Release);
}

/// Loads a word that may lie in memory mapped read-only, with the effect of an acquire load.
///
/// Rust guarantees that a *relaxed* load of at most eight bytes works on read-only memory, but no
/// stronger load; the fence adds the rest (`std::sync::atomic`, "Atomic accesses to read-only
/// memory").
#[inline]
pub(crate) fn load_acquire(word: &AtomicU64) -> u64 {
    let value = word.load(Ordering::Relaxed);
    // Acquire, because what the word refers to was written before it: pairs with the Release store
    // of the same word.
    fence(Ordering::Acquire);
    value
}
