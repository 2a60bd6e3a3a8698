//! End to end: the real programs, as a person or a script meets them.

#![allow(
    clippy::unwrap_used,
    reason = "all of this is tests, also what stands outside the test functions"
)]

mod crash;
mod file;
mod image;
mod inspection;
mod key;
mod lifetime;
mod obstacle;
mod text;
mod window;
