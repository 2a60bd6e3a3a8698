//! Qt programs and ours, side by side on the same segments: the real thing, in two versions.

#![allow(
    clippy::unwrap_used,
    reason = "all of this is tests, also what stands outside the test functions"
)]

mod command;
mod exchange;
mod exclusion;
mod fault;
mod frames;
mod other_user;
mod peer;
mod segment_list;
mod table;
mod window;
