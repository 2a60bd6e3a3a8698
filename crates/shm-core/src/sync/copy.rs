//! Copies into and out of memory that other processes read and write meanwhile.
//!
//! Short copies consist of relaxed atomic operations. Long ones on x86-64 are one string
//! instruction, which takes a third of their time and which the compiler can't see into; a plain
//! `memcpy` would be a data race. What is copied out may be torn: the caller finds out.
#![cfg_attr(
    all(target_arch = "x86_64", not(any(loom, miri))),
    expect(unsafe_code, reason = "a string instruction has no safe wrapper")
)]

use super::{AtomicU64, Ordering};

/// So many words are copied without a look at what is left: a cache line.
const LINE: usize = 8;

/// Up to this length a loop of words is as fast as the string instruction, which takes a while to start.
#[cfg(all(target_arch = "x86_64", not(any(loom, miri))))]
const LOOP_BYTES: usize = 256;

/// Copies bytes into words; the last word is filled up with zeros, or keeps its other bytes.
///
/// # Panics
///
/// If there are not enough words.
#[inline]
pub(crate) fn copy_in(words: &[AtomicU64], bytes: &[u8]) {
    let words = &words[..bytes.len().div_ceil(8)];
    #[cfg(all(target_arch = "x86_64", not(any(loom, miri))))]
    if bytes.len() > LOOP_BYTES {
        let to = words.as_ptr().cast::<u8>().cast_mut();
        // SAFETY: both ranges are as long (the slice above), and they don't overlap, because no
        // reference to bytes leads into shared memory; atomics may be written through `&`.
        unsafe { string_copy(to, bytes.as_ptr(), bytes.len()) };
        return;
    }
    let (lines, words) = words.as_chunks::<LINE>();
    let (whole, bytes) = bytes.as_chunks::<{ 8 * LINE }>();
    for (line, bytes) in lines.iter().zip(whole) {
        let (chunks, _) = bytes.as_chunks::<8>();
        for i in 0..LINE {
            line[i].store(u64::from_le_bytes(chunks[i]), Ordering::Relaxed);
        }
    }
    let words = lines.get(whole.len()).map_or(words, |line| &line[..]);
    let (chunks, rest) = bytes.as_chunks::<8>();
    for (word, chunk) in words.iter().zip(chunks) {
        word.store(u64::from_le_bytes(*chunk), Ordering::Relaxed);
    }
    if let Some(word) = words.get(chunks.len()).filter(|_| !rest.is_empty()) {
        word.store(word_of(rest), Ordering::Relaxed);
    }
}

/// Copies bytes out of words.
///
/// # Panics
///
/// If there are not enough words.
#[inline]
pub(crate) fn copy_out(words: &[AtomicU64], bytes: &mut [u8]) {
    let words = &words[..bytes.len().div_ceil(8)];
    #[cfg(all(target_arch = "x86_64", not(any(loom, miri))))]
    if bytes.len() > LOOP_BYTES {
        let from = words.as_ptr().cast::<u8>();
        // SAFETY: both ranges are as long (the slice above), and they don't overlap, because no
        // reference to bytes leads into shared memory; loads work on memory mapped read-only.
        unsafe { string_copy(bytes.as_mut_ptr(), from, bytes.len()) };
        return;
    }
    let (lines, words) = words.as_chunks::<LINE>();
    let (whole, bytes) = bytes.as_chunks_mut::<{ 8 * LINE }>();
    let words = lines.get(whole.len()).map_or(words, |line| &line[..]);
    for (line, bytes) in lines.iter().zip(whole) {
        let (chunks, _) = bytes.as_chunks_mut::<8>();
        for i in 0..LINE {
            chunks[i] = line[i].load(Ordering::Relaxed).to_le_bytes();
        }
    }
    let (chunks, rest) = bytes.as_chunks_mut::<8>();
    for (chunk, word) in chunks.iter_mut().zip(words) {
        *chunk = word.load(Ordering::Relaxed).to_le_bytes();
    }
    if let Some(word) = words.get(chunks.len()).filter(|_| !rest.is_empty()) {
        let word = word.load(Ordering::Relaxed).to_le_bytes();
        // Not by a call: mostly it is a few bytes of metadata.
        for (byte, from) in rest.iter_mut().zip(word) {
            *byte = from;
        }
    }
}

/// What lines are fetched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// Asks the processor for lines that are about to be read or written; waits for none.
#[inline]
pub(crate) fn prefetch(words: &[AtomicU64], access: Access) {
    #[cfg(all(target_arch = "x86_64", not(any(loom, miri))))]
    for line in words.chunks(LINE) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let line = line.as_ptr().cast::<i8>();
        match access {
            // SAFETY: a prefetch is a hint and reads nothing, whatever the address.
            Access::Read => unsafe { _mm_prefetch::<_MM_HINT_T0>(line) },
            // The compiler writes this instruction only for processors that it is told have it, and
            // otherwise one that fetches the line shared, so that the store has to fetch it again.
            // SAFETY: as above; processors that don't know the instruction take it for none.
            Access::Write => unsafe {
                std::arch::asm!("prefetchw [{}]", in(reg) line, options(nostack, preserves_flags));
            },
        }
    }
    #[cfg(not(all(target_arch = "x86_64", not(any(loom, miri)))))]
    let _ = (words, access);
}

/// The first bytes of a word; the others are zero.
#[inline]
fn word_of(bytes: &[u8]) -> u64 {
    let higher_first = bytes.iter().rev();
    higher_first.fold(0, |word, &byte| word << 8 | u64::from(byte))
}

/// # Safety
///
/// `from` can be read and `to` written for `length` bytes, and they don't overlap.
#[cfg(all(target_arch = "x86_64", not(any(loom, miri))))]
#[inline]
unsafe fn string_copy(to: *mut u8, from: *const u8, length: usize) {
    // SAFETY: the caller's promises are the instruction's needs; the direction flag is clear, as
    // the calling convention says.
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
    fn every_length_comes_back() {
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
            assert_eq!(behind, 0, "nothing is written behind the last word");
        }
    }
}
