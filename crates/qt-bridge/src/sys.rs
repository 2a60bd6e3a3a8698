//! System calls, and instructions that not every processor has: the only place with unsafe code.

pub(crate) mod posix;
pub(crate) mod signal;
pub(crate) mod system_v;
pub(crate) mod vector;
