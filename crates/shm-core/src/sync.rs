//! Names the atomics that the protocols use, in one place.
//!
//! Everything else in the crate takes its atomics from here, so that a model
//! checker can stand in for the hardware without a change to the protocols.

mod copy;

pub(crate) use copy::{Access, copy_in, copy_out, prefetch};
#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

/// How often a contender looks at a word before it sleeps. A model checker tries every
/// interleaving anyway, and would only count the looks.
pub(crate) const SPINS: u32 = if cfg!(loom) { 0 } else { 100 };

/// Marks the moment after a store of a slot's process, in which that may die: only a model checker
/// lets it.
#[inline]
pub(crate) fn stored_by(slot: u8) {
    #[cfg(loom)]
    crate::model::death::stored_by(slot);
    #[cfg(not(loom))]
    let _ = slot;
}

/// Keeps the compiler from moving a later store before an earlier one.
///
/// A process that is killed has done the first part of what it was told, and nothing of the rest.
/// Where no other process looks before its death, which the kernel orders, only the compiler could
/// change what that part is; no model checker shows it.
#[inline]
pub(crate) fn keep_order_until_death() {
    std::sync::atomic::compiler_fence(std::sync::atomic::Ordering::Release);
}

/// Loads a word that may lie in memory mapped read-only, with the effect of an acquire load.
///
/// Rust promises that a *relaxed* load of at most eight bytes works on
/// read-only memory, and nothing for stronger ones; the fence adds the rest
/// (`std::sync::atomic`, "Atomic accesses to read-only memory").
#[inline]
pub(crate) fn load_acquire(word: &AtomicU64) -> u64 {
    let value = word.load(Ordering::Relaxed);
    // Acquire, because what the word names was written before it: pairs with
    // the Release store of the same word.
    fence(Ordering::Acquire);
    value
}
