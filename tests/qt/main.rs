//! Qt programs and ours on the same segments, with two versions of Qt.

#![allow(
    clippy::unwrap_used,
    reason = "everything here is test code, also outside the test functions"
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
