//! Models of the lock, the semaphore and the ring: a model checker runs every interleaving of a few
//! steps.
//!
//! Compiled only with `--cfg loom`, with which [`crate::sync`] exports the checker's atomics. The
//! models run the code that ships; only the kernel is simulated: futexes and byte locks.
//!
//! `make test` runs the models with few preemptions, `make model` with one more each
//! (`MODEL_DEPTH=1`), which takes minutes.
#![cfg_attr(
    not(test),
    expect(dead_code, reason = "only tests simulate the kernel")
)]

pub(crate) mod death;
pub(crate) mod futex;
#[cfg(test)]
mod lock;
#[cfg(test)]
mod ring;
#[cfg(test)]
mod semaphore;

/// Runs a model through every interleaving with at most this many preemptions, plus `MODEL_DEPTH`.
#[cfg(test)]
fn check(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let additional = std::env::var("MODEL_DEPTH")
        .ok()
        .and_then(|depth| depth.parse().ok())
        .unwrap_or(0);
    let mut builder = loom::model::Builder::new();
    // Threads that wait for a death poll.
    builder.max_branches = 10_000;
    builder.preemption_bound = Some(preemptions + additional);
    builder.check(model);
}
