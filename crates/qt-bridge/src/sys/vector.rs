//! Runs code with the widest vector instructions of the processor, independent of the compilation
//! target.
#![expect(
    unsafe_code,
    reason = "calling a function with a target feature requires that the processor has it"
)]

/// Code that profits from wider vectors. `#[inline(always)]` on [`work`](Self::work) and on the
/// functions in its loops lets the compiler generate it for each instruction set.
pub(crate) trait Work {
    /// Runs the code.
    fn work(self);
}

/// Runs `work`, with AVX2 if the processor has it.
pub(crate) fn widest(work: impl Work) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, the only feature that the function requires: this was
        // just checked.
        return unsafe { with_avx2(work) };
    }
    work.work();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2(work: impl Work) {
    work.work();
}
