//! Copies into and out of memory that other processes read and write meanwhile.
//!
//! Short copies consist of relaxed atomic operations. Long ones on x86-64 are one string
//! instruction, which takes a third of the time and is opaque to the compiler; a plain `memcpy`
//! would be a data race. What is copied out may be torn, which the caller must detect.
#![cfg_attr(
    all(target_arch = "x86_64", not(any(loom, miri))),
    expect(unsafe_code, reason = "a string instruction has no safe wrapper")
)]

use super::{AtomicU64, Ordering};

/// How many words are copied per iteration: a cache line.
const LINE: usize = 8;
const LINE_BYTES: usize = 8 * LINE;

/// Up to this length a loop over words is as fast as the string instruction, which starts slowly.
#[cfg(all(target_arch = "x86_64", not(any(loom, miri))))]
const LOOP_BYTES: usize = 256;

/// Copies bytes into words; the rest of the last word becomes zeros or is kept.
///
/// # Panics
///
/// If there are too few words.
#[inline]
pub(crate) fn copy_in(words: &[AtomicU64], bytes: &[u8]) {
    let words = &words[..bytes.len().div_ceil(8)];
    #[cfg(all(target_arch = "x86_64", not(any(loom, miri))))]
    if bytes.len() > LOOP_BYTES {
        let to = words.as_ptr().cast::<u8>().cast_mut();
        // SAFETY: both ranges have this length (the slice above), and they do not overlap, because
        // no reference to bytes leads into shared memory; atomics may be written through `&`.
        unsafe { string_copy(to, bytes.as_ptr(), bytes.len()) };
        return;
    }
    let lines = bytes.len() / LINE_BYTES;
    let (line_words, words) = words.split_at(lines * LINE);
    let (line_bytes, bytes) = bytes.split_at(lines * LINE_BYTES);
    let line_bytes = line_bytes.chunks_exact(LINE_BYTES);
    for (line, bytes) in line_words.chunks_exact(LINE).zip(line_bytes) {
        for i in 0..LINE {
            line[i].store(whole_word(&bytes[8 * i..8 * i + 8]), Ordering::Relaxed);
        }
    }
    let (whole, rest) = bytes.split_at(bytes.len() / 8 * 8);
    for (word, bytes) in words.iter().zip(whole.chunks_exact(8)) {
        word.store(whole_word(bytes), Ordering::Relaxed);
    }
    if let Some(word) = words.get(whole.len() / 8).filter(|_| !rest.is_empty()) {
        word.store(word_of(rest), Ordering::Relaxed);
    }
}

/// Copies bytes out of words.
///
/// # Panics
///
/// If there are too few words.
#[inline]
pub(crate) fn copy_out(words: &[AtomicU64], bytes: &mut [u8]) {
    let words = &words[..bytes.len().div_ceil(8)];
    #[cfg(all(target_arch = "x86_64", not(any(loom, miri))))]
    if bytes.len() > LOOP_BYTES {
        let from = words.as_ptr().cast::<u8>();
        // SAFETY: both ranges have this length (the slice above), and they do not overlap, because
        // no reference to bytes leads into shared memory; loads work on memory mapped read-only.
        unsafe { string_copy(bytes.as_mut_ptr(), from, bytes.len()) };
        return;
    }
    let lines = bytes.len() / LINE_BYTES;
    let (line_words, words) = words.split_at(lines * LINE);
    let (line_bytes, bytes) = bytes.split_at_mut(lines * LINE_BYTES);
    let line_bytes = line_bytes.chunks_exact_mut(LINE_BYTES);
    for (line, bytes) in line_words.chunks_exact(LINE).zip(line_bytes) {
        for i in 0..LINE {
            let word = line[i].load(Ordering::Relaxed);
            bytes[8 * i..8 * i + 8].copy_from_slice(&word.to_le_bytes());
        }
    }
    let (whole, rest) = bytes.split_at_mut(bytes.len() / 8 * 8);
    for (bytes, word) in whole.chunks_exact_mut(8).zip(words) {
        bytes.copy_from_slice(&word.load(Ordering::Relaxed).to_le_bytes());
    }
    if let Some(word) = words.get(whole.len() / 8).filter(|_| !rest.is_empty()) {
        let word = word.load(Ordering::Relaxed).to_le_bytes();
        // Without a call, because it is mostly a few bytes of metadata.
        for (byte, from) in rest.iter_mut().zip(word) {
            *byte = from;
        }
    }
}

/// Why lines are prefetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// Prefetches lines that are about to be read or written; does not wait for them.
#[inline]
pub(crate) fn prefetch(words: &[AtomicU64], access: Access) {
    #[cfg(all(target_arch = "x86_64", not(any(loom, miri))))]
    for line in words.chunks(LINE) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let line = line.as_ptr().cast::<i8>();
        match access {
            // SAFETY: a prefetch is a hint and reads nothing, whatever the address.
            Access::Read => unsafe { _mm_prefetch::<_MM_HINT_T0>(line) },
            // For a processor that is not known to have this instruction the compiler would emit
            // one that fetches the line shared, so that the store would have to fetch it again.
            // SAFETY: as above; processors without the instruction execute it as a no-op.
            Access::Write => unsafe {
                std::arch::asm!("prefetchw [{}]", in(reg) line, options(nostack, preserves_flags));
            },
        }
    }
    #[cfg(not(all(target_arch = "x86_64", not(any(loom, miri)))))]
    let _ = (words, access);
}

/// Returns the word that eight bytes hold.
#[inline]
fn whole_word(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_le_bytes)
}

/// Returns the first bytes of a word; the others are zero.
#[inline]
fn word_of(bytes: &[u8]) -> u64 {
    let higher_first = bytes.iter().rev();
    higher_first.fold(0, |word, &byte| word << 8 | u64::from(byte))
}

/// # Safety
///
/// `from` is readable and `to` writable for `length` bytes, and they do not overlap.
#[cfg(all(target_arch = "x86_64", not(any(loom, miri))))]
#[inline]
unsafe fn string_copy(to: *mut u8, from: *const u8, length: usize) {
    // SAFETY: the caller's promises are the instruction's requirements; the direction flag is clear
    // by the calling convention.
    unsafe {
        std::arch::asm!(
            "rep movsb",
            inout("rcx") length => _,
            inout("rdi") to => _,
            inout("rsi") from => _,
            options(nostack, preserves_flags)
        );
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_copy_of_any_length_is_exact() {
        for length in (0..300_usize).chain([4096, 16_383]) {
            let bytes: Vec<u8> = (0..length)
                .map(|i| u8::try_from(i * 7 % 251).unwrap() + 1)
                .collect();
            let words: Vec<_> = (0..length.div_ceil(8) + 1)
                .map(|_| AtomicU64::new(0))
                .collect();
            copy_in(&words, &bytes);
            let mut copy = vec![0; length];
            copy_out(&words, &mut copy);
            assert_eq!(copy, bytes);
            let behind = words[length.div_ceil(8)].load(Ordering::Relaxed);
            assert_eq!(behind, 0, "nothing is written after the last word");
        }
    }
}
