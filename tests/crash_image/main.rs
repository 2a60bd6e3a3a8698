//! Crash images, made by the code that ships: a peer is stopped after each of its system calls and
//! after each of its stores into the control area of the segment, killed there, and whoever comes
//! next must find everything in order.
//!
//! An operation is run once to see its steps, then once more for each step and each kind of
//! successor: the peer dies after the first step, after the second, and so on to the last.

#![allow(
    clippy::unwrap_used,
    reason = "all of this is tests, also what stands outside the test functions"
)]

#[path = "../e2e/actor.rs"]
#[allow(dead_code, reason = "another test program uses the rest of it")]
mod actor;
mod recovery;
mod block;
mod participants;
mod image;
mod operation;
mod samples;
mod semaphore;
