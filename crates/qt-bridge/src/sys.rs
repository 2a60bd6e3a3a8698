//! System calls and optional CPU instructions: the only modules with unsafe code.

pub(crate) mod posix;
pub(crate) mod signal;
pub(crate) mod system_v;
pub(crate) mod vector;
