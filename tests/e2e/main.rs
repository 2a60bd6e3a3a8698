//! End to end: the real programs, as a person or a script meets them.

#![allow(
    clippy::unwrap_used,
    reason = "all of this is tests, also what stands outside the test functions"
)]

mod actor;
mod container;
mod crash;
mod fault;
mod file;
mod file_dialog;
mod follow;
mod hole;
mod image;
mod inspection;
mod key;
mod liar;
mod lifetime;
mod live;
mod obstacle;
mod permission;
mod python;
mod resource;
mod soak;
mod text;
mod window;
