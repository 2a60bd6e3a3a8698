//! The process, its user and program, the clocks, and random numbers.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::{SystemTime, UNIX_EPOCH};

/// Returns the process id, in this process's own pid namespace.
pub(crate) fn process_id() -> u32 {
    std::process::id()
}

/// Returns the user id that decides which files this process may open.
pub(crate) fn effective_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Returns the file name of the running program, for display.
pub(crate) fn program_name() -> String {
    std::env::current_exe()
        .ok()
        .and_then(|path| {
            path.file_name()
                .map(|name| name.to_string_lossy().into_owned())
        })
        .or_else(|| program_of(process_id()))
        .unwrap_or_else(|| "unknown".into())
}

/// Returns the name of another process's program, if the system reports it.
pub(crate) fn program_of(pid: u32) -> Option<String> {
    let executable = fs::read_link(format!("/proc/{pid}/exe")).ok();
    let from_path = executable.and_then(|path| {
        path.file_name()
            .map(|name| name.to_string_lossy().into_owned())
    });
    from_path.or_else(|| {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        Some(name.trim_end().to_owned())
    })
}

/// Returns the user of a process, if the process exists.
pub(crate) fn user_of(pid: u32) -> Option<u32> {
    let found = fs::metadata(format!("/proc/{pid}")).ok()?;
    Some(found.uid())
}

/// Returns the wall time, nanoseconds since 1970.
pub(crate) fn unix_nanos() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| {
            u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX)
        })
}

/// Returns nanoseconds by a clock that cannot be set and that continues during suspend, the same
/// for all processes of a time namespace.
///
/// Uses libc, because rustix's way to the clock causes a fatal signal under valgrind.
#[expect(unsafe_code, reason = "a call of the C library")]
#[inline]
pub(crate) fn monotonic_nanos() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the call writes to a timespec that outlives it. It cannot fail: the clock exists
    // since Linux 2.6.39.
    unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut time) };
    let (seconds, nanos) = (time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs());
    seconds.wrapping_mul(1_000_000_000).wrapping_add(nanos)
}

/// Returns a unique number, for identities, not for secrets.
///
/// std seeds its hash maps from the system's random source; hashing the time and the process id
/// with two such keys needs no crate.
pub(crate) fn random_u64() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one((unix_nanos(), process_id()))
}
