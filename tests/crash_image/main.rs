//! Crash images, made by the production code: a peer is stopped after each of its system calls and
//! after each of its stores into the control area of the segment, and killed there. Then every kind
//! of successor must find a valid state.
//!
//! An operation runs once to record its steps, then once more for each step and each kind of
//! successor: the peer dies after the first step, after the second, and so on to the last.

#![allow(
    clippy::unwrap_used,
    reason = "everything here is test code, also outside the test functions"
)]

#[path = "../e2e/actor.rs"]
#[allow(dead_code, reason = "another test binary uses the rest of it")]
mod actor;
mod block;
mod image;
mod operation;
mod participants;
mod recovery;
mod samples;
mod semaphore;
