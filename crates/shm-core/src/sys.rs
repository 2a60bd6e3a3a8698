//! System calls, and nothing else: the only part of the crate that knows the platform.
//!
//! What it offers is worded in terms that other systems have too: locks on
//! single bytes of a file that end with the process, a mapped file, wait and
//! wake on a word, a watched directory. No protocol lives here.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub(crate) use linux::*;
#[cfg(target_os = "linux")]
pub use linux::{GuardedMapping, guard_against_truncation};

#[cfg(not(target_os = "linux"))]
compile_error!("shm-core runs on Linux only: `sys` has no implementation for this system yet");

#[cfg(not(all(target_endian = "little", target_pointer_width = "64")))]
compile_error!(
    "shm-core needs a 64-bit little-endian machine: the segment layout is defined for those only"
);
