//! End-to-end tests: the real programs, as a user or a script runs them.

#![allow(
    clippy::unwrap_used,
    reason = "everything here is test code, also outside the test functions"
)]

mod actor;
mod announcement;
mod bomb;
mod clipboard_and_drop;
mod container;
mod crash;
mod damage;
mod dialog_failure;
mod exit_code;
mod fault;
mod file;
mod file_dialog;
mod follow;
mod foreign_files;
mod frames;
mod image;
mod inspection;
mod install;
mod json;
mod key;
mod language;
mod lifetime;
mod live;
mod lock_edge_cases;
mod malicious_peer;
mod name;
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
mod settings;
mod soak;
mod stream;
mod system_call;
mod terminal;
mod text;
mod waiting;
mod window;
