//! System calls: the only part of the crate that depends on the platform.
//!
//! Its interface uses terms that other systems have too: locks on single bytes of a file that end
//! with the process, mapped files, wait and wake on a word, watched directories. It contains no
//! protocol.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub(crate) use linux::*;
#[cfg(target_os = "linux")]
pub use linux::{GuardedMapping, guard_against_truncation};

#[cfg(not(target_os = "linux"))]
compile_error!("shm-core supports Linux only: `sys` has no implementation for this system");

#[cfg(not(all(target_endian = "little", target_pointer_width = "64")))]
compile_error!(
    "shm-core needs a 64-bit little-endian machine: the segment layout is defined only for those"
);
