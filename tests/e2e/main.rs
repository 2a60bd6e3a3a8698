//! End to end: the real programs, as a person or a script meets them.

#![allow(
    clippy::unwrap_used,
    reason = "all of this is tests, also what stands outside the test functions"
)]

mod actor;
mod announcement;
mod at_hand;
mod bomb;
mod container;
mod crash;
mod damage;
mod dialog_failure;
mod exit_code;
mod fault;
mod file;
mod file_dialog;
mod follow;
mod frames;
mod habit;
mod hole;
mod image;
mod inspection;
mod install;
mod json;
mod key;
mod language;
mod liar;
mod lifetime;
mod live;
mod name;
mod obstacle;
mod order;
mod permission;
mod picture_memory;
mod picture_pane;
mod picture_progress;
mod presence;
mod python;
mod read_lock;
mod reader;
mod resource;
mod ring;
mod save;
mod semaphore;
mod soak;
mod stream;
mod system_call;
mod terminal;
mod text;
mod waiting;
mod window;
