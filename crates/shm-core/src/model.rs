//! The lock, the semaphore and the ring under a model checker: every interleaving of a few steps.
//!
//! Compiled only with `--cfg loom`, where [`crate::sync`] hands out the
//! checker's atomics. What runs is the code that ships; only the kernel is
//! played here: the futex, and who holds which byte.
//!
//! `make test` runs it with few preemptions, `make model` with one more each
//! (`MODEL_DEPTH=1`), which takes minutes.
#![cfg_attr(not(test), expect(dead_code, reason = "only tests play the kernel"))]

pub(crate) mod death;
pub(crate) mod futex;
#[cfg(test)]
mod lock;
#[cfg(test)]
mod ring;
#[cfg(test)]
mod semaphore;

/// Runs a model through every interleaving with so many preemptions, and as many more as
/// `MODEL_DEPTH` says.
#[cfg(test)]
fn check(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let more = std::env::var("MODEL_DEPTH")
        .ok()
        .and_then(|depth| depth.parse().ok())
        .unwrap_or(0);
    let mut builder = loom::model::Builder::new();
    // Those that wait for a death look again and again.
    builder.max_branches = 10_000;
    builder.preemption_bound = Some(preemptions + more);
    builder.check(model);
}
