//! Work that the widest vectors of the processor do, whatever the program was compiled for.
#![expect(
    unsafe_code,
    reason = "that the processor has an instruction is for the caller to know"
)]

/// What may be done with wider vectors. `#[inline(always)]` on [`work`](Self::work), and on all that
/// it calls where it counts, lets the compiler make two of it.
pub(crate) trait Work {
    /// Does it.
    fn work(self);
}

/// Does work, with AVX2 where the processor has it.
pub(crate) fn widest(work: impl Work) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, which is all that the function asks for: it was just asked.
        return unsafe { with_avx2(work) };
    }
    work.work();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2(work: impl Work) {
    work.work();
}
