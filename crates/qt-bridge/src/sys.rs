//! System calls, and nothing else: the only place with unsafe code.

pub(crate) mod posix;
pub(crate) mod system_v;
