//! Linux: rustix if it has the call, otherwise libc (open-file-description locks, signals).

mod byte_lock;
#[cfg(feature = "presence")]
mod directory;
mod eventfd;
mod file;
mod file_system;
mod fork;
#[cfg(not(loom))]
mod futex;
mod helper_thread;
mod lock_search;
mod map;
mod memory;
mod per_process;
mod process;
mod sigbus;
#[cfg(feature = "presence")]
mod socket;
mod user;
mod wait_any;
mod watch;

#[cfg(loom)]
pub(crate) use crate::model::futex::{wait, wait_low, wake_all, wake_all_low, wake_low, wake_one};
pub(crate) use byte_lock::{
    ByteLock, refusing_lock, try_lock_byte, unlock_byte, unlock_bytes_from,
};
#[cfg(feature = "presence")]
pub(crate) use directory::Directory;
pub(crate) use eventfd::{EventFd, PollFd, PollFlags, poll};
pub(crate) use file::{
    DRAFT_MARK, FileStat, OpenMode, create_temporary, create_unnamed, is_dead_end, link_unnamed,
    open_segment, punch, read_at, read_exact_at, remove_exactly, reopen, reserve, set_group,
    set_mode, stat, stat_at, try_length, write_at,
};
pub(crate) use file_system::{file_system, is_in_memory, unfit_file_system};
pub(crate) use fork::{ForkMark, NotInherited, process_token};
#[cfg(not(loom))]
pub(crate) use futex::{wait, wait_low, wake_all, wake_all_low, wake_low, wake_one};
pub(crate) use helper_thread::spawn_helper;
pub(crate) use lock_search::{LockSearch, find_lock};
pub(crate) use map::{Mapping, Shared, WritableMapping};
pub(crate) use memory::{memory_of, reserved_in};
pub(crate) use per_process::PerProcess;
pub(crate) use process::{
    effective_user, monotonic_nanos, process_id, program_name, program_of, random_u64, unix_nanos,
    user_of,
};
pub use sigbus::{GuardedMapping, guard_against_truncation};
#[cfg(feature = "presence")]
pub(crate) use socket::{hang_up, peer_user, send};
pub(crate) use user::user_name;
pub(crate) use wait_any::{Awaited, MAX_WORDS, can_wait_any, wait_any, wait_private, wake_private};
pub(crate) use watch::{
    Events, PathEvent, create_inotify, read_path_events, unwatch_path, watch_path,
};
