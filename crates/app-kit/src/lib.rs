//! What SharedMemoryLoad and ShowSharedMem share: looks, key field, status line, content pane,
//! watching a key, work off the window's thread, signals.
#![forbid(unsafe_code)]

pub mod alarm;
pub mod content_pane;
pub mod display;
pub mod follower;
pub mod hex;
pub mod key_field;
pub mod meter;
pub mod picture;
pub mod pixels;
pub mod shell;
pub mod signals;
pub mod snapshot;
pub mod status;
pub mod tally;
pub mod theme;
pub mod units;
pub mod watch;
pub mod worker;
